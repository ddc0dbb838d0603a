//! The resource group, the VNet, the gateway subnet, and a VPN gateway that the VNet already has.

use super::context::{PreflightContext, planned_cidrs};
use super::eq_ignoring_case_and_spaces;
use super::snapshot::{Lookup, PreflightSnapshot};
use crate::azure::model as azure;
use crate::cidr::overlaps;
use crate::config::Attr;
use crate::ownership_tags::{TAG_LINK, TAG_NAME, created_gateway_subnet};
use crate::preflight_issue::PreflightIssue;
use crate::tunnel::TunnelKey;
use crate::validation::{gateway_subnet_size, parse_cidr};
use crate::violation::{AttributeId, Violation, ViolationKind};
use ipnet::Ipv4Net;

pub(super) fn check_resource_group(
    context: PreflightContext<'_>,
    snapshot: &PreflightSnapshot,
    add: &mut impl FnMut(AttributeId, PreflightIssue),
) {
    // If a network or gateway is created in the same run, the group may be created in it too.
    let to_come = [
        &context.configured.network_id,
        &context.configured.gateway_id,
    ]
    .contains(&&Attr::Unknown);
    if snapshot.group == Lookup::NotFound
        && !to_come
        && context.planned.create_group == Attr::Known(false)
        && let Attr::Known(name) = &context.planned.group
    {
        add(
            AttributeId::ResourceGroup,
            PreflightIssue::ResourceGroupNotFound(name.clone()),
        );
    }
}

pub(super) fn check_virtual_network(
    context: PreflightContext<'_>,
    snapshot: &PreflightSnapshot,
    add: &mut impl FnMut(AttributeId, PreflightIssue),
) {
    let creates = context.planned.network.known().is_some();
    let own = |resource: &azure::Resource| context.owns(resource.id.as_str(), &resource.tags);
    match &snapshot.network {
        Lookup::NotFound if !creates => {
            if let Attr::Known(id) = &context.planned.network_id {
                add(
                    AttributeId::NetworkId,
                    PreflightIssue::VirtualNetworkNotFound(id.clone()),
                );
            }
        }
        Lookup::Found(network)
            if creates && context.configured.network_id.is_null() && !own(&network.resource) =>
        {
            let (id, link) = (network.resource.id.clone(), tagged_link(&network.resource));
            // A link without a gateway is incomplete.
            let is_left = snapshot.network_gateway == Lookup::NotFound;
            let issue = match link {
                Some(name) if is_left => PreflightIssue::LeftByIncompleteCreate {
                    id: id.to_string(),
                    name,
                },
                link => PreflightIssue::VirtualNetworkExists { id, link },
            };
            add(AttributeId::NetworkName, issue);
        }
        Lookup::Found(network) if !creates && !context.azure_gateway_is_existing => {
            let is = &network.resource.location;
            if context
                .configured
                .location
                .known()
                .is_some_and(|wants| !eq_ignoring_case_and_spaces(wants, is))
            {
                add(
                    AttributeId::Location,
                    PreflightIssue::VirtualNetworkInOtherLocation(is.clone()),
                );
            }
        }
        _ => {}
    }
    if let Lookup::Found(gateway) = &snapshot.network_gateway
        && !context.azure_gateway_is_existing
    {
        let id = &gateway.resource.id;
        // A tag may have been copied: a gateway that no state names is adopted under its planned
        // name only.
        let named = context
            .planned
            .azure_names
            .get("gateway")
            .and_then(Attr::known);
        let named = named.is_none_or(|name| name.eq_ignore_ascii_case(id.name()));
        if context.records(id.as_str()) {
            return;
        }
        if own(&gateway.resource) && is_complete_link(context, snapshot) {
            let first = planned_cidrs(context)
                .next()
                .map(|(_, cidr)| cidr.to_string())
                .unwrap_or_default();
            add(
                AttributeId::AzureGateway,
                PreflightIssue::LinkExists(id.clone(), first),
            );
        } else if !(named && own(&gateway.resource)) {
            add(
                AttributeId::AzureGateway,
                PreflightIssue::VirtualNetworkHasGateway {
                    id: id.clone(),
                    link: tagged_link(&gateway.resource),
                },
            );
        }
    }
}

/// Name of the link that created an object.
fn tagged_link(resource: &azure::Resource) -> Option<String> {
    resource.tags.get(TAG_LINK)?;
    resource.tags.get(TAG_NAME).cloned()
}

/// Whether the link that carries this one's tag is one that a create ended: no part is missing and
/// nothing says otherwise.
fn is_complete_link(context: PreflightContext<'_>, snapshot: &PreflightSnapshot) -> bool {
    if context
        .link
        .is_some_and(|link| snapshot.incomplete_links.contains(link.as_str()))
    {
        return false;
    }
    let tagged = |c: &&azure::Connection| {
        context
            .link
            .is_some_and(|link| link.is_on(&c.resource.tags))
    };
    snapshot.network_connections.iter().filter(tagged).count() >= TunnelKey::ALL.len()
}

pub(super) fn check_gateway_subnet(
    context: PreflightContext<'_>,
    snapshot: &PreflightSnapshot,
) -> Option<Violation> {
    let network = snapshot.network.found()?;
    if let Some(created) = context.planned.network.known() {
        // The plan corrects the subnet of a killed create, unless a gateway uses it.
        let has = network
            .subnets
            .iter()
            .find(|subnet| subnet.name == "GatewaySubnet")?
            .prefix?;
        let wanted = parse_cidr(created.gateway_subnet_prefix.known()?)?;
        // A gateway that a state records is deleted before the link is created again.
        let is_used = snapshot
            .network_gateway
            .found()
            .is_some_and(|gateway| !context.records(gateway.resource.id.as_str()));
        return (is_used && wanted != has).then(|| {
            let issue = PreflightIssue::UsedGatewaySubnet { has, wanted };
            Violation::error(
                AttributeId::NetworkGatewaySubnet,
                ViolationKind::Preflight(issue),
            )
        });
    }
    let error = |field, finding| Some(Violation::error(field, ViolationKind::Preflight(finding)));
    let wanted = context
        .planned
        .gateway_subnet_prefix
        .known()
        .and_then(|text| parse_cidr(text));
    if let Some(subnet) = network
        .subnets
        .iter()
        .find(|subnet| subnet.name == "GatewaySubnet")
    {
        let has = subnet.prefix?;
        return match wanted {
            Some(wanted) if wanted != has && is_created_by_link(context, snapshot, has) => {
                corrected_prefix(network, wanted)
            }
            Some(wanted) if wanted != has => error(
                AttributeId::GatewaySubnet,
                PreflightIssue::OtherGatewaySubnet(has),
            ),
            _ => gateway_subnet_size(has, &AttributeId::NetworkId),
        };
    }
    if let Some(subnet) = network
        .subnets
        .iter()
        .find(|s| s.name.eq_ignore_ascii_case("GatewaySubnet"))
    {
        return error(
            AttributeId::NetworkId,
            PreflightIssue::GatewaySubnetMisspelled(subnet.name.clone()),
        );
    }
    let Some(wanted) = wanted else {
        return match context.planned.gateway_subnet_prefix {
            Attr::Null => error(
                AttributeId::GatewaySubnet,
                PreflightIssue::GatewaySubnetNotFound,
            ),
            _ => None,
        };
    };
    corrected_prefix(network, wanted)
}

/// Whether a killed create of this link created the gateway subnet, and no gateway uses it yet.
/// Subnets have no tags, so the public IPs, which are created before it, record its prefix.
fn is_created_by_link(
    context: PreflightContext<'_>,
    snapshot: &PreflightSnapshot,
    prefix: Ipv4Net,
) -> bool {
    let records = |ip: &azure::PublicIp| {
        context.owns(ip.resource.id.as_str(), &ip.resource.tags)
            && created_gateway_subnet(&ip.resource.tags) == Some(prefix)
    };
    snapshot.network_gateway.found().is_none() && snapshot.public_ips.iter().any(records)
}

/// Whether a gateway subnet of this prefix fits into the VNet, next to its other subnets.
fn corrected_prefix(network: &azure::VirtualNetwork, wanted: Ipv4Net) -> Option<Violation> {
    if !network
        .address_space
        .iter()
        .any(|range| range.contains(&wanted))
    {
        let space = network
            .address_space
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        return Some(Violation::error(
            AttributeId::GatewaySubnet,
            ViolationKind::NotWithin {
                subnet: wanted.to_string(),
                space,
            },
        ));
    }
    let taken = network
        .subnets
        .iter()
        .filter(|subnet| subnet.name != "GatewaySubnet")
        .filter_map(|subnet| subnet.prefix)
        .find(|net| overlaps(*net, wanted))?;
    let problem = ViolationKind::SubnetsOverlap(taken.to_string(), wanted.to_string());
    Some(Violation::error(AttributeId::GatewaySubnet, problem))
}
