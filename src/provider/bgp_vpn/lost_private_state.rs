//! A state without private data.
//!
//! Where the provider process dies during an update, Terraform stores the attributes of before and
//! no private data (1.11, 2026-11). Where the gateways came from is then derived from `managed`: a
//! gateway that the link does not manage is an existing one. That is the safe side for a link with
//! `manage_gateways = false`, whose own gateways are not in `managed` either. A read completes this
//! from the tags. Without a read (-refresh=false), all addresses on an existing Azure gateway count
//! as listed before the link, and stay there.

use super::default_options::inside_cidrs;
use super::model::Model;
use super::private_state::{PrivateState, Provenance};
use super::provenance::unrecorded_addresses;
use bgp_vpn::config::Attr;
use bgp_vpn::lookup::LookupScope;
use bgp_vpn::managed::{Kind, Managed};
use bgp_vpn::observed::Observed;
use bgp_vpn::ownership_tags::{LinkId, TAG_LINK};

/// What is remembered of a link, by the bytes that Terraform stored with its state.
pub fn private_of(state: &Model, bytes: &[u8]) -> PrivateState {
    if bytes.is_empty() {
        derived(state)
    } else {
        PrivateState::read(bytes)
    }
}

fn derived(model: &Model) -> PrivateState {
    let managed = &model.link.managed;
    let is_existing = |kind: Kind, id: &Attr<String>| {
        let id = id.known().map(String::as_str);
        id.is_some_and(|id| !managed.has(kind, id))
    };
    let is_own_subnet = |id: &str| id.to_ascii_lowercase().ends_with("/subnets/gatewaysubnet");
    let gateway = model.vpn_gateway_id.known().cloned().unwrap_or_default();
    let tables = model.route_tables.known().into_iter().flatten();
    let found = tables
        .filter_map(Attr::known)
        .filter(|table| !managed.has(Kind::AwsRoutePropagation, &format!("{table}/{gateway}")));
    let vpn_gateway_is_existing = is_existing(Kind::AwsVpnGateway, &model.vpn_gateway_id);
    let azure_gateway_is_existing = is_existing(Kind::AzureGateway, &model.gateway_id);
    PrivateState {
        provenance: Provenance {
            azure_gateway_is_existing,
            vpn_gateway_is_existing,
            creates_gateway_subnet: managed.ids(Kind::AzureSubnet).any(is_own_subnet),
            preexisting_propagation: if vpn_gateway_is_existing {
                found.cloned().collect()
            } else {
                Vec::new()
            },
            preexisting_addresses: inside_cidrs(model)
                .iter()
                .flat_map(|cidrs| cidrs.iter().map(|(_, cidr)| cidr.azure_ip()))
                .filter(|_| azure_gateway_is_existing)
                .collect(),
        },
        ..PrivateState::default()
    }
}

/// Completes what was derived with what only the clouds know: the link's id, and which of its
/// addresses an existing Azure gateway listed before.
pub fn restore(
    private: &mut PrivateState,
    state: &Model,
    scope: &LookupScope,
    observed: &Observed,
) {
    private.link = recorded_link(observed, &state.link.managed).or_else(|| scope.link.clone());
    let provenance = &mut private.provenance;
    if let Some(link) = private
        .link
        .as_ref()
        .filter(|_| provenance.azure_gateway_is_existing)
    {
        provenance.preexisting_addresses =
            unrecorded_addresses(observed, &scope.inside_cidrs, link);
    }
}

/// The id in the tags of a local network gateway that the link created. A link that was created
/// where another one had moved away has an id that does not follow from its settings, and the usual
/// id is that of the other link.
fn recorded_link(observed: &Observed, managed: &Managed) -> Option<LinkId> {
    let locals = observed.azure.local_gateways.iter();
    let own = locals.filter_map(|(_, local)| {
        let resource = &local.as_ref()?.resource;
        let is_own = managed.has(Kind::AzureLocalGateway, resource.id.as_str());
        resource.tags.get(TAG_LINK).filter(|_| is_own)
    });
    own.map(|tag| LinkId::from_tag(tag)).next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::id::ResourceId;
    use crate::azure::model::{LocalGateway, ProvisioningState, Resource};
    use bgp_vpn::tunnel::TunnelKey;
    use bgp_vpn::types::Tags;

    #[test]
    fn link_id_comes_from_tags_of_recorded_objects() {
        let (mut observed, mut managed) = (Observed::default(), Managed::default());
        for (key, link) in [(TunnelKey::ALL[0], "foreign"), (TunnelKey::ALL[1], "own")] {
            let id = ResourceId::network("sub", "rg", "localNetworkGateways", link);
            if link == "own" {
                managed.add(Kind::AzureLocalGateway, &id);
            }
            *observed.azure.local_gateways.get_mut(key) = Some(LocalGateway {
                resource: Resource {
                    id,
                    location: "westeurope".to_owned(),
                    tags: Tags::from([(TAG_LINK.to_owned(), link.to_owned())]),
                    etag: None,
                    state: ProvisioningState::Succeeded,
                    raw: serde_json::Value::Null,
                },
                gateway_ip: None,
                bgp: None,
                address_prefixes: Vec::new(),
            });
        }
        let link = recorded_link(&observed, &managed);
        assert_eq!(link, Some(LinkId::from_tag("own")));
        assert_eq!(recorded_link(&observed, &Managed::default()), None);
    }
}
