//! What the Azure gateway will advertise to AWS, as far as the virtual network tells, and what
//! stands in the way of its traffic.

use super::{PreflightContext, PreflightIssue, PreflightSnapshot};
use crate::azure::model::VirtualNetwork;
use crate::violation::{AttributeId, Violation, ViolationKind};
use std::collections::BTreeSet;

/// Routes that AWS accepts over a VPN connection to a virtual private gateway. Above that the BGP
/// session goes down (AWS Site-to-Site VPN quotas, not adjustable).
const MAX_VPN_GATEWAY_ROUTES: usize = 100;
/// The same of a transit gateway.
const MAX_TRANSIT_GATEWAY_ROUTES: usize = 1_000;

/// Warnings of both.
pub(super) fn check(context: PreflightContext<'_>, snapshot: &PreflightSnapshot) -> Vec<Violation> {
    let existing = snapshot
        .network
        .found()
        .or_else(|| snapshot.gateway_network.found());
    let field = match (
        context.azure_gateway_is_existing,
        context.planned.network.known(),
    ) {
        (true, _) => AttributeId::AzureGateway,
        (false, Some(_)) => AttributeId::AddressSpace,
        (false, None) => AttributeId::NetworkId,
    };
    let warn = |finding| Violation::warning(field.clone(), ViolationKind::Preflight(finding));
    let found = too_many(context, existing)
        .into_iter()
        .chain(existing.and_then(security_group));
    found.map(warn).collect()
}

/// Azure advertises every range of the network, and of those that use its gateway over a peering.
fn too_many(
    context: PreflightContext<'_>,
    existing: Option<&VirtualNetwork>,
) -> Option<PreflightIssue> {
    let limit = if context.on_transit_gateway {
        MAX_TRANSIT_GATEWAY_ROUTES
    } else {
        MAX_VPN_GATEWAY_ROUTES
    };
    let created = context
        .planned
        .network
        .known()
        .and_then(|network| network.address_space.known());
    let created = created
        .into_iter()
        .flatten()
        .filter_map(|range| range.known().cloned());
    let ranges = existing
        .into_iter()
        .flat_map(|network| network.address_space.iter().chain(&network.transit_space));
    let prefixes: BTreeSet<String> = ranges.map(ToString::to_string).chain(created).collect();
    (prefixes.len() > limit).then_some(PreflightIssue::TooManyPrefixes {
        has: prefixes.len(),
        limit,
    })
}

fn security_group(network: &VirtualNetwork) -> Option<PreflightIssue> {
    let subnet = network
        .subnets
        .iter()
        .find(|subnet| subnet.name == "GatewaySubnet")?;
    Some(PreflightIssue::SecurityGroup(
        subnet.security_group.clone()?,
    ))
}
