//! Whether the inside addresses of a plan are free on the two gateways.

use super::{Lookup, PreflightContext, PreflightSnapshot, planned_cidrs};
use crate::aws;
use crate::azure::model as azure;
use crate::claim::free_slots;
use crate::inside_cidr::InsideCidr;
use crate::preflight_issue::PreflightIssue;
use crate::tunnel::{Instance, TunnelKey};
use crate::violation::{AttributeId, Violation, ViolationKind};
use ipnet::Ipv4Net;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Addresses that other connections of the Azure gateway use, or that it lists on the instance that
/// cannot use them.
pub fn check_azure_gateway(
    context: PreflightContext<'_>,
    snapshot: &PreflightSnapshot,
) -> Vec<Violation> {
    let (gateway, connections) = match context.azure_gateway_is_existing {
        true => (&snapshot.gateway, &snapshot.connections),
        false => (&snapshot.network_gateway, &snapshot.network_connections),
    };
    let Lookup::Found(gateway) = gateway else {
        return Vec::new();
    };
    let foreign: Vec<&azure::Connection> = foreign_connections(context, connections).collect();
    let taken: BTreeSet<Ipv4Addr> = foreign
        .iter()
        .flat_map(|c| c.custom_bgp_ips.iter().map(|(_, ip)| *ip))
        .collect();
    let mut violations = Vec::new();
    let free = || {
        let own = planned_cidrs(context).map(|(_, cidr)| cidr);
        free_slots(&inside_cidrs_with(&taken).into_iter().chain(own).collect())
    };
    for (key, cidr) in planned_cidrs(context) {
        let address = cidr.azure_ip();
        let names = |c: &&&azure::Connection| c.custom_bgp_ips.iter().any(|(_, ip)| *ip == address);
        if let Some(by) = foreign.iter().find(names) {
            let finding = PreflightIssue::AddressInUse {
                address,
                by: by.resource.id.clone(),
                free: free(),
            };
            // A slot is one mistake, not four.
            if is_of_slot(context, key) {
                violations.push(Violation::error(
                    AttributeId::Slot,
                    ViolationKind::Preflight(finding),
                ));
                break;
            }
            violations.push(Violation::error(
                AttributeId::InsideCidr(key),
                ViolationKind::Preflight(finding),
            ));
        } else if let Some(at) = listed_on_other_instance(context, gateway, address, key.instance) {
            let needed = key.instance;
            let configuration = at.ip_configuration_id.clone();
            let finding = PreflightIssue::AddressOfOtherInstance {
                address,
                configuration,
                needed,
            };
            violations.push(Violation::error(
                AttributeId::InsideCidr(key),
                ViolationKind::Preflight(finding),
            ));
        }
    }
    violations
}

/// Whether the inside CIDR of a tunnel follows from `slot`.
fn is_of_slot(context: PreflightContext<'_>, key: TunnelKey) -> bool {
    context.configured.inside_cidrs.get(key).is_null()
}

/// Connections that are neither this link's nor of the one in whose place it comes.
pub fn foreign_connections<'a>(
    context: PreflightContext<'a>,
    connections: &'a [azure::Connection],
) -> impl Iterator<Item = &'a azure::Connection> {
    connections
        .iter()
        .filter(move |c| !context.owns(c.resource.id.as_str(), &c.resource.tags))
}

/// The other instance, where it lists the address and this link did not put it there.
fn listed_on_other_instance<'a>(
    context: PreflightContext<'_>,
    gateway: &'a azure::Gateway,
    address: Ipv4Addr,
    needed: Instance,
) -> Option<&'a azure::GatewayInstance> {
    let others = Instance::ALL
        .into_iter()
        .zip(&gateway.instances)
        .filter(|(instance, _)| *instance != needed);
    let mut listing = others
        .map(|(_, at)| at)
        .filter(|at| at.custom_bgp_ips.contains(&address));
    listing
        .next()
        .filter(|_| !context.own_addresses.contains(&address))
}

/// The inside CIDRs of these BGP addresses of Azure's.
pub fn inside_cidrs_with(addresses: &BTreeSet<Ipv4Addr>) -> BTreeSet<InsideCidr> {
    let cidr = |ip: &Ipv4Addr| {
        let net = Ipv4Net::new(*ip, 30).ok()?.trunc();
        InsideCidr::check(net)
            .ok()
            .filter(|cidr| cidr.azure_ip() == *ip)
    };
    addresses.iter().filter_map(cidr).collect()
}

/// CIDRs that other VPN connections of the AWS gateway use.
pub fn check_aws_gateway(
    context: PreflightContext<'_>,
    connections: &[aws::VpnConnection],
) -> Vec<Violation> {
    let foreign =
        |vpn: &&aws::VpnConnection| vpn.state.is_living() && !context.owns(&vpn.id.0, &vpn.tags);
    let uses = |vpn: &aws::VpnConnection, cidr: Ipv4Net| {
        vpn.tunnels.iter().any(|t| t.inside_cidr == Some(cidr))
    };
    let mut violations = Vec::new();
    for (key, cidr) in planned_cidrs(context) {
        let Some(by) = connections
            .iter()
            .filter(foreign)
            .find(|vpn| uses(vpn, cidr.net()))
        else {
            continue;
        };
        let finding = PreflightIssue::InsideCidrInUse {
            cidr: cidr.net(),
            by: by.id.clone(),
        };
        let of_slot = is_of_slot(context, key);
        let attribute = if of_slot {
            AttributeId::Slot
        } else {
            AttributeId::InsideCidr(key)
        };
        violations.push(Violation::error(
            attribute,
            ViolationKind::Preflight(finding),
        ));
        if of_slot {
            break;
        }
    }
    violations
}
