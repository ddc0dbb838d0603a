//! Whether the inside addresses of a plan are free on the two gateways, whoever made those.

use super::address::InsideCidr;
use super::claim::free_slots;
use super::fault::{Fault, Field, Problem};
use super::finding::Finding;
use super::survey::{Looked, Site, Survey, planned_cidrs};
use super::tunnel::Instance;
use crate::aws::model as aws;
use crate::azure::model as azure;
use ipnet::Ipv4Net;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Addresses that other connections of the Azure gateway use, or that it lists on the instance that cannot use them.
pub fn azure_gateway(site: Site<'_>, survey: &Survey) -> Vec<Fault> {
    let (gateway, connections) = match site.azure_gateway_given {
        true => (&survey.gateway, &survey.connections),
        false => (&survey.network_gateway, &survey.network_connections),
    };
    let Looked::Found(gateway) = gateway else { return Vec::new() };
    let foreign: Vec<&azure::Connection> = foreign_connections(site, connections).collect();
    let taken: BTreeSet<Ipv4Addr> = foreign.iter().flat_map(|c| c.custom_bgp_ips.iter().map(|(_, ip)| *ip)).collect();
    let mut faults = Vec::new();
    for (key, cidr) in planned_cidrs(site) {
        let address = cidr.azure_ip();
        let names = |c: &&&azure::Connection| c.custom_bgp_ips.iter().any(|(_, ip)| *ip == address);
        if let Some(by) = foreign.iter().find(names) {
            let finding = Finding::AddressTaken {
                address,
                by: by.resource.id.clone(),
                free: free_slots(&inside_cidrs_with(&taken)),
            };
            faults.push(Fault::error(Field::InsideCidr(key), Problem::Surroundings(finding)));
        } else if let Some(at) = listed_elsewhere(site, gateway, address, key.instance) {
            let needed = key.instance;
            let configuration = at.ip_configuration_id.clone();
            let finding = Finding::AddressElsewhere { address, configuration, needed };
            faults.push(Fault::error(Field::InsideCidr(key), Problem::Surroundings(finding)));
        }
    }
    faults
}

/// Connections that are neither this link's nor of the one in whose place it comes.
pub fn foreign_connections<'a>(
    site: Site<'a>,
    connections: &'a [azure::Connection],
) -> impl Iterator<Item = &'a azure::Connection> {
    connections.iter().filter(move |c| !site.owns(c.resource.id.as_str(), &c.resource.tags))
}

/// The other instance, where it lists the address and this link did not put it there.
fn listed_elsewhere<'a>(
    site: Site<'_>,
    gateway: &'a azure::Gateway,
    address: Ipv4Addr,
    needed: Instance,
) -> Option<&'a azure::GatewayInstance> {
    let others = Instance::ALL.into_iter().zip(&gateway.instances).filter(|(instance, _)| *instance != needed);
    let mut listing = others.map(|(_, at)| at).filter(|at| at.custom_bgp_ips.contains(&address));
    listing.next().filter(|_| !site.own_addresses.contains(&address))
}

/// The inside CIDRs of these BGP addresses of Azure's.
pub fn inside_cidrs_with(addresses: &BTreeSet<Ipv4Addr>) -> BTreeSet<InsideCidr> {
    let cidr = |ip: &Ipv4Addr| {
        let net = Ipv4Net::new(*ip, 30).ok()?.trunc();
        InsideCidr::check(net).ok().filter(|cidr| cidr.azure_ip() == *ip)
    };
    addresses.iter().filter_map(cidr).collect()
}

/// CIDRs that other VPN connections of the AWS gateway use.
pub fn aws_gateway(site: Site<'_>, connections: &[aws::VpnConnection]) -> Vec<Fault> {
    let foreign = |vpn: &&aws::VpnConnection| vpn.state.is_living() && !site.owns(&vpn.id.0, &vpn.tags);
    let uses = |vpn: &aws::VpnConnection, cidr: Ipv4Net| vpn.tunnels.iter().any(|t| t.inside_cidr == Some(cidr));
    let fault = |(key, cidr): (super::tunnel::TunnelKey, InsideCidr)| {
        let by = connections.iter().filter(foreign).find(|vpn| uses(vpn, cidr.net()))?;
        let finding = Finding::CidrTaken { cidr: cidr.net(), by: by.id.clone() };
        Some(Fault::error(Field::InsideCidr(key), Problem::Surroundings(finding)))
    };
    planned_cidrs(site).filter_map(fault).collect()
}
