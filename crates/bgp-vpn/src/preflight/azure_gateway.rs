//! An existing Azure VPN gateway: type, SKU, BGP addresses and room for four connections.

use super::context::{PreflightContext, planned_cidrs};
use super::snapshot::{Lookup, PreflightSnapshot};
use super::{eq_ignoring_case_and_spaces, inside_addresses};
use crate::azure::id::ResourceId;
use crate::azure::model as azure;
use crate::config::Attr;
use crate::preflight_issue::PreflightIssue;
use crate::tunnel::Instance;
use crate::violation::{AttributeId, Violation, ViolationKind};

/// Tunnels that a VPN gateway supports, by SKU: 30 up to VpnGw3AZ, 100 for VpnGw4AZ and VpnGw5AZ
/// (2026-11).
fn connection_limit(sku: &str) -> usize {
    if sku.starts_with("VpnGw4") || sku.starts_with("VpnGw5") {
        100
    } else {
        30
    }
}

pub(super) fn check_azure_gateway(
    context: PreflightContext<'_>,
    snapshot: &PreflightSnapshot,
    violations: &mut Vec<Violation>,
) {
    let mut add = |field, finding| {
        violations.push(Violation::error(field, ViolationKind::Preflight(finding)))
    };
    let gateway = match &snapshot.gateway {
        Lookup::Skipped => return,
        Lookup::NotFound => {
            let id = context
                .planned
                .gateway_id
                .known()
                .cloned()
                .unwrap_or_default();
            return add(
                AttributeId::AzureGateway,
                PreflightIssue::AzureGatewayNotFound(id),
            );
        }
        Lookup::Found(gateway) => gateway,
    };
    let vpn_type = gateway
        .resource
        .raw
        .pointer("/properties/vpnType")
        .and_then(|v| v.as_str());
    let unfit = if !gateway.gateway_type.eq_ignore_ascii_case("Vpn") {
        Some("it is not a VPN gateway")
    } else if vpn_type.is_some_and(|word| !word.eq_ignore_ascii_case("RouteBased")) {
        Some("it is policy-based, and BGP requires a route-based gateway")
    } else if !gateway.active_active || gateway.instances.len() != Instance::ALL.len() {
        Some("it is not active-active")
    } else if !gateway.enable_bgp {
        Some("BGP is disabled")
    } else {
        None
    };
    if let Some(why) = unfit {
        return add(
            AttributeId::AzureGateway,
            PreflightIssue::UnsuitableGateway(why),
        );
    }
    let differs = |given: &Attr<String>, has: &str| {
        given
            .known()
            .is_some_and(|g| !eq_ignoring_case_and_spaces(g, has))
    };
    let config = context.configured;
    if differs(&config.sku, &gateway.sku) {
        add(
            AttributeId::Sku,
            PreflightIssue::GatewayMismatch("SKU", gateway.sku.clone()),
        );
    }
    if differs(&config.generation, &gateway.generation) {
        add(
            AttributeId::Generation,
            PreflightIssue::GatewayMismatch("generation", gateway.generation.clone()),
        );
    }
    if differs(&config.location, &gateway.resource.location) {
        add(
            AttributeId::Location,
            PreflightIssue::GatewayMismatch("location", gateway.resource.location.clone()),
        );
    }
    if config
        .azure_asn
        .known()
        .is_some_and(|asn| *asn != i64::from(gateway.asn.0))
    {
        add(
            AttributeId::AzureAsn,
            PreflightIssue::GatewayMismatch("ASN", gateway.asn.to_string()),
        );
    }
    if let (Attr::Known(id), Some(network)) = (&config.network_id, network_of(gateway))
        && ResourceId::parse(id).is_ok_and(|id| id != network)
    {
        add(
            AttributeId::NetworkId,
            PreflightIssue::GatewayMismatch("virtual network", network.to_string()),
        );
    }
    if let Some(missing) = manual_bgp_addresses(context, gateway) {
        add(AttributeId::AzureGateway, missing);
    }
    let foreign = inside_addresses::foreign_connections(context, &snapshot.connections).count();
    let limit = connection_limit(&gateway.sku);
    if foreign + 4 > limit {
        add(
            AttributeId::AzureGateway,
            PreflightIssue::GatewayFull {
                has: foreign,
                limit,
            },
        );
    }
}

/// The addresses that an update of the gateway would have to add, where such an update would lose a
/// RADIUS secret.
fn manual_bgp_addresses(
    context: PreflightContext<'_>,
    gateway: &azure::Gateway,
) -> Option<PreflightIssue> {
    if !gateway.hides_radius_secret {
        return None;
    }
    let missing: Vec<String> = planned_cidrs(context)
        .filter(|(key, cidr)| {
            let instance = gateway.instances.get(key.instance.index());
            instance.is_some_and(|instance| !instance.custom_bgp_ips.contains(&cidr.azure_ip()))
        })
        .map(|(key, cidr)| format!("{} ({})", cidr.azure_ip(), key.instance))
        .collect();
    (!missing.is_empty()).then(|| PreflightIssue::RadiusGateway(missing.join(", ")))
}

/// The VNet in which a gateway sits.
pub fn network_of(gateway: &azure::Gateway) -> Option<ResourceId> {
    gateway
        .instances
        .iter()
        .find_map(|instance| instance.subnet_id.as_ref()?.parent())
}
