//! A state without private data.
//!
//! Where the provider process dies during an update, Terraform stores the attributes of before and
//! no private data (1.11, 2026-11). Where the gateways came from is then derived from `managed`: a
//! gateway that the link does not manage is an existing one. That is the safe side for a link with
//! `manage_gateways = false`, whose own gateways are not in `managed` either.

use super::model::Model;
use super::private_state::{PrivateState, Provenance};
use super::provenance::unrecorded_addresses;
use bgp_vpn::config::Attr;
use bgp_vpn::lookup::LookupScope;
use bgp_vpn::managed::Kind;
use bgp_vpn::observed::Observed;

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
    PrivateState {
        provenance: Provenance {
            azure_gateway_is_existing: is_existing(Kind::AzureGateway, &model.gateway_id),
            vpn_gateway_is_existing,
            creates_gateway_subnet: managed.ids(Kind::AzureSubnet).any(is_own_subnet),
            preexisting_propagation: if vpn_gateway_is_existing {
                found.cloned().collect()
            } else {
                Vec::new()
            },
            ..Provenance::default()
        },
        ..PrivateState::default()
    }
}

/// Derives which addresses of the link an existing Azure gateway listed before: the link's tags
/// record those that it added.
pub fn restore_addresses(private: &mut PrivateState, scope: &LookupScope, observed: &Observed) {
    let provenance = &mut private.provenance;
    if let Some(link) = scope
        .link
        .as_ref()
        .filter(|_| provenance.azure_gateway_is_existing)
    {
        provenance.preexisting_addresses =
            unrecorded_addresses(observed, &scope.inside_cidrs, link);
    }
}
