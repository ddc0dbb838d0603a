//! Attributes that a configuration must contain, and those that exclude each other.

use crate::config::{Attr, Config};
use crate::violation::{AttributeId, Violation, ViolationKind};

/// What a configuration must contain in any case.
pub fn validate_required(config: &Config) -> Vec<Violation> {
    let mut violations = Vec::new();
    if config.network_id.is_null() && config.network.is_null() && config.gateway_id.is_null() {
        let way = "Set azure.virtual_network_id (existing network), azure.virtual_network (new network) or azure.gateway_id (existing \
                   gateway)";
        violations.push(Violation::error(
            AttributeId::NetworkId,
            ViolationKind::MissingRequired(way),
        ));
    }
    let on_vpc = [
        (
            AttributeId::VpcId,
            "vpc_id",
            config.vpc_id.known().is_some(),
            config.vpc_id.is_null(),
        ),
        (
            AttributeId::VpcId,
            "vpc",
            config.vpc.known().is_some(),
            config.vpc.is_null(),
        ),
        (
            AttributeId::VpnGateway,
            "vpn_gateway_id",
            config.vpn_gateway_id.known().is_some(),
            config.vpn_gateway_id.is_null(),
        ),
        (
            AttributeId::RouteTables,
            "route_table_ids",
            config.route_tables.known().is_some(),
            true,
        ),
    ];
    if config.transit_gateway_id.known().is_some() {
        // A VPC to create is the exception: one that the link created stays when the link moves to
        // a transit gateway.
        let conflicting = on_vpc
            .into_iter()
            .filter(|(_, name, given, _)| *given && *name != "vpc");
        violations.extend(conflicting.map(|(field, name, ..)| {
            Violation::error(field, ViolationKind::ConflictsWithTransitGateway(name))
        }));
    } else if config.transit_gateway_id.is_null() && on_vpc.iter().all(|(_, _, _, absent)| *absent)
    {
        let way = "Set aws.vpc_id (existing VPC), aws.vpc (new VPC), aws.vpn_gateway_id (existing virtual private gateway) or \
                   aws.transit_gateway_id (existing transit gateway)";
        violations.push(Violation::error(
            AttributeId::VpcId,
            ViolationKind::MissingRequired(way),
        ));
    }
    let makes_both = config.create_group == Attr::Known(true) && config.network.known().is_some();
    if makes_both
        && config.location.is_null()
        && config.gateway_id.is_null()
        && config.network_id.is_null()
    {
        let way = "Required when both the resource group and the virtual network are created";
        violations.push(Violation::error(
            AttributeId::Location,
            ViolationKind::MissingRequired(way),
        ));
    }
    match (&config.preshared_keys_set, &config.preshared_keys_version) {
        (Attr::Known(()), Attr::Null) => violations.push(Violation::error(
            AttributeId::PresharedKeys,
            ViolationKind::KeysWithoutVersion,
        )),
        (Attr::Null, Attr::Known(_)) => violations.push(Violation::error(
            AttributeId::PresharedKeysVersion,
            ViolationKind::VersionWithoutKeys,
        )),
        _ => {}
    }
    if config.preshared_keys_set == Attr::Known(()) && config.rotate_keys.known().is_some() {
        violations.push(Violation::error(
            AttributeId::RotateKeys,
            ViolationKind::RotationOfConfiguredKeys,
        ));
    }
    violations
}
