//! What the Azure gateway will advertise to AWS, as far as the virtual network tells, and what stands in the way of its traffic.

use super::fault::{Fault, Field, Problem};
use super::survey::{Finding, Site, Survey};
use crate::azure::model::VirtualNetwork;
use std::collections::BTreeSet;

/// Routes that AWS accepts over a VPN connection to a virtual private gateway. Above that the BGP session goes down (AWS Site-to-Site
/// VPN quotas, not adjustable).
const VPN_GATEWAY_ROUTES: usize = 100;
/// The same of a transit gateway.
const TRANSIT_GATEWAY_ROUTES: usize = 1_000;

/// Warnings of both.
pub(super) fn check(site: Site<'_>, survey: &Survey) -> Vec<Fault> {
    let existing = survey.network.found().or_else(|| survey.gateway_network.found());
    let field = match (site.azure_gateway_given, site.planned.network.known()) {
        (true, _) => Field::AzureGateway,
        (false, Some(_)) => Field::AddressSpace,
        (false, None) => Field::NetworkId,
    };
    let warn = |finding| Fault::warning(field.clone(), Problem::Surroundings(finding));
    let found = too_many(site, existing).into_iter().chain(existing.and_then(security_group));
    found.map(warn).collect()
}

/// Azure advertises every range of the network, and of those that use its gateway over a peering.
fn too_many(site: Site<'_>, existing: Option<&VirtualNetwork>) -> Option<Finding> {
    let limit = if site.on_transit_gateway { TRANSIT_GATEWAY_ROUTES } else { VPN_GATEWAY_ROUTES };
    let created = site.planned.network.known().and_then(|network| network.address_space.known());
    let created = created.into_iter().flatten().filter_map(|range| range.known().cloned());
    let ranges = existing.into_iter().flat_map(|network| network.address_space.iter().chain(&network.transit_space));
    let prefixes: BTreeSet<String> = ranges.map(ToString::to_string).chain(created).collect();
    (prefixes.len() > limit).then_some(Finding::ManyPrefixes { has: prefixes.len(), limit })
}

fn security_group(network: &VirtualNetwork) -> Option<Finding> {
    let subnet = network.subnets.iter().find(|subnet| subnet.name == "GatewaySubnet")?;
    Some(Finding::SecurityGroup(subnet.security_group.clone()?))
}
