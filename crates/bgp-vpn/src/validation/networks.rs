//! The networks that a link creates: ranges and subnets of the VNet and of the VPC, and the inside CIDRs.

use super::cidr::{gateway_subnet_size, validate_cidr};
use crate::cidr::overlaps;
use crate::config::{Attr, VirtualNetworkConfig, VpcConfig};
use crate::inside_cidr::InsideCidr;
use crate::names::check_network_name;
use crate::reserved_ranges::{check_azure_size, check_reserved, check_space};
use crate::tunnel::{PerTunnel, TunnelKey};
use crate::violation::{AttributeId, Violation, ViolationKind};
use ipnet::Ipv4Net;

pub(super) fn validate_virtual_network(
    config: &VirtualNetworkConfig,
    violations: &mut Vec<Violation>,
) {
    if let Attr::Known(name) = &config.name
        && let Err(violation) = check_network_name(name, 2, 64)
    {
        violations.push(Violation::error(
            AttributeId::NetworkName,
            ViolationKind::Name(violation),
        ));
    }
    let mut space = Vec::new();
    let mut space_known = false;
    if let Attr::Known(prefixes) = &config.address_space {
        space_known = prefixes.iter().all(|p| p.known().is_some());
        space.extend(
            prefixes
                .iter()
                .filter_map(|p| validate_cidr(p, AttributeId::AddressSpace, violations)),
        );
        violations.extend(check_space(&space, &AttributeId::AddressSpace));
        if prefixes.is_empty() {
            violations.push(Violation::error(
                AttributeId::AddressSpace,
                ViolationKind::MissingRequired("At least one address range is required"),
            ));
        }
    }
    let mut subnets: Vec<(AttributeId, Ipv4Net)> = Vec::new();
    if let Some(net) = validate_cidr(
        &config.gateway_subnet_prefix,
        AttributeId::NetworkGatewaySubnet,
        violations,
    ) {
        violations.extend(gateway_subnet_size(net, &AttributeId::NetworkGatewaySubnet));
        subnets.push((AttributeId::NetworkGatewaySubnet, net));
    }
    for (name, prefix) in config.subnets.known().into_iter().flatten() {
        if name.eq_ignore_ascii_case("GatewaySubnet") {
            violations.push(Violation::error(
                AttributeId::Subnet(name.clone()),
                ViolationKind::GatewaySubnetMisnamed,
            ));
        } else if let Err(violation) = check_network_name(name, 1, 80) {
            violations.push(Violation::error(
                AttributeId::Subnet(name.clone()),
                ViolationKind::Name(violation),
            ));
        }
        if config
            .subnets
            .known()
            .into_iter()
            .flatten()
            .any(|(other, _)| other < name && other.eq_ignore_ascii_case(name))
        {
            violations.push(Violation::error(
                AttributeId::Subnet(name.clone()),
                ViolationKind::DuplicateSubnet(name.clone()),
            ));
        }
        if let Some(net) = validate_cidr(prefix, AttributeId::Subnet(name.clone()), violations) {
            violations.extend(check_azure_size(net, &AttributeId::Subnet(name.clone())));
            subnets.push((AttributeId::Subnet(name.clone()), net));
        }
    }
    for (at, (field, net)) in subnets.iter().enumerate() {
        if space_known && !space.is_empty() && !space.iter().any(|range| range.contains(net)) {
            let space = space
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", ");
            violations.push(Violation::error(
                field.clone(),
                ViolationKind::NotWithin {
                    subnet: net.to_string(),
                    space,
                },
            ));
        }
        if let Some((_, other)) = subnets
            .iter()
            .take(at)
            .find(|(_, other)| overlaps(*net, *other))
        {
            let problem = ViolationKind::SubnetsOverlap(other.to_string(), net.to_string());
            violations.push(Violation::error(field.clone(), problem));
        }
    }
}

pub(super) fn validate_vpc(config: &VpcConfig, violations: &mut Vec<Violation>) {
    let vpc = validate_cidr(&config.cidr, AttributeId::VpcCidr, violations);
    let subnet = validate_cidr(&config.public_subnet, AttributeId::PublicSubnet, violations);
    for (net, field) in [
        (vpc, AttributeId::VpcCidr),
        (subnet, AttributeId::PublicSubnet),
    ] {
        violations.extend(net.and_then(|net| check_reserved(net, &field)));
        // EC2: a VPC or subnet is a /16 to /28.
        if let Some(net) = net
            && !(16..=28).contains(&net.prefix_len())
        {
            let given = i64::from(net.prefix_len());
            violations.push(Violation::error(
                field,
                ViolationKind::OutOfRange {
                    given,
                    least: 16,
                    most: 28,
                    unit: " bits of prefix",
                },
            ));
        }
    }
    if let (Some(vpc), Some(subnet)) = (vpc, subnet)
        && !vpc.contains(&subnet)
    {
        let problem = ViolationKind::NotWithin {
            subnet: subnet.to_string(),
            space: vpc.to_string(),
        };
        violations.push(Violation::error(AttributeId::PublicSubnet, problem));
    }
}

pub(super) fn validate_inside_cidrs(
    cidrs: &PerTunnel<Attr<String>>,
    violations: &mut Vec<Violation>,
) {
    let mut observed: Vec<(TunnelKey, InsideCidr)> = Vec::new();
    for (key, text) in cidrs.iter() {
        let Attr::Known(text) = text else { continue };
        match InsideCidr::parse(text) {
            Err(violation) => violations.push(Violation::error(
                AttributeId::InsideCidr(key),
                ViolationKind::Cidr(violation),
            )),
            Ok(cidr) => match observed.iter().find(|(_, other)| *other == cidr) {
                Some((other, _)) => {
                    let problem = ViolationKind::DuplicateInsideCidr {
                        cidr: cidr.to_string(),
                        other: *other,
                    };
                    violations.push(Violation::error(AttributeId::InsideCidr(key), problem));
                }
                None => observed.push((key, cidr)),
            },
        }
    }
}
