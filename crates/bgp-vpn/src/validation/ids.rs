//! IDs of existing cloud objects, and the AWS region.

use crate::azure::id::ResourceId;
use crate::config::{Attr, Config};
use crate::violation::{AttributeId, Violation, ViolationKind};

pub(super) fn validate_ids(config: &Config, violations: &mut Vec<Violation>) {
    let azure = [
        (
            &config.network_id,
            AttributeId::NetworkId,
            "virtualNetworks",
            "an Azure virtual network",
        ),
        (
            &config.gateway_id,
            AttributeId::AzureGateway,
            "virtualNetworkGateways",
            "an Azure virtual network gateway",
        ),
    ];
    for (text, field, kind, noun) in azure {
        if let Attr::Known(text) = text
            && !ResourceId::parse(text).is_ok_and(|id| id.kind().eq_ignore_ascii_case(kind))
        {
            violations.push(Violation::error(
                field,
                ViolationKind::InvalidId(text.clone(), noun),
            ));
        }
    }
    let parsed = |id: &Attr<String>| ResourceId::parse(id.known()?).ok();
    if let (Some(network), Some(gateway)) = (parsed(&config.network_id), parsed(&config.gateway_id))
        && !network
            .subscription()
            .eq_ignore_ascii_case(gateway.subscription())
    {
        let kind = ViolationKind::ConflictingSubscriptions {
            network: network.to_string(),
            gateway: gateway.to_string(),
        };
        violations.push(Violation::error(AttributeId::AzureGateway, kind));
    }
    let aws = [
        (
            &config.vpc_id,
            AttributeId::VpcId,
            "vpc-",
            "a VPC (vpc-...)",
        ),
        (
            &config.vpn_gateway_id,
            AttributeId::VpnGateway,
            "vgw-",
            "a virtual private gateway (vgw-...)",
        ),
        (
            &config.transit_gateway_id,
            AttributeId::TransitGateway,
            "tgw-",
            "a transit gateway (tgw-...)",
        ),
    ];
    for (text, field, prefix, noun) in aws {
        if let Attr::Known(text) = text
            && !is_aws_id(text, prefix)
        {
            violations.push(Violation::error(
                field,
                ViolationKind::InvalidId(text.clone(), noun),
            ));
        }
    }
    for table in config
        .route_tables
        .known()
        .into_iter()
        .flatten()
        .filter_map(Attr::known)
    {
        if !is_aws_id(table, "rtb-") {
            violations.push(Violation::error(
                AttributeId::RouteTables,
                ViolationKind::InvalidId(table.clone(), "a route table (rtb-...)"),
            ));
        }
    }
    let association = config.transit_association.known();
    let propagations = config.transit_propagations.known().into_iter().flatten();
    let tables = association
        .map(|table| (AttributeId::TransitAssociation, table))
        .into_iter()
        .chain(
            propagations
                .filter_map(Attr::known)
                .map(|table| (AttributeId::TransitPropagations, table)),
        );
    for (attribute, table) in tables {
        if !is_aws_id(table, "tgw-rtb-") {
            let noun = "a route table of a transit gateway (tgw-rtb-...)";
            let problem = ViolationKind::InvalidId(table.clone(), noun);
            violations.push(Violation::error(attribute, problem));
        }
    }
    if let Attr::Known(region) = &config.region
        && !is_region(region)
    {
        violations.push(Violation::error(
            AttributeId::Region,
            ViolationKind::InvalidRegion(region.clone()),
        ));
    }
    if let (Attr::Known(id), Attr::Known(network)) = (&config.network_id, &config.network)
        && let Attr::Known(name) = &network.name
        && ResourceId::parse(id).is_ok_and(|id| !id.name().eq_ignore_ascii_case(name))
    {
        let problem = ViolationKind::ConflictingIds {
            given: id.clone(),
            other: name.clone(),
        };
        violations.push(Violation::error(AttributeId::NetworkId, problem));
    }
}

/// `eu-west-1`, `us-gov-east-1`: words, then a number.
pub fn is_region(region: &str) -> bool {
    let mut parts: Vec<&str> = region.split('-').collect();
    let number = parts.pop().unwrap_or_default();
    let word = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    parts.len() >= 2
        && parts.iter().all(word)
        && matches!(number.len(), 1..=2)
        && number.bytes().all(|b| b.is_ascii_digit())
}

/// A prefix, then letters, digits and dashes. A filter reads anything else as a wildcard, or as
/// several ids.
fn is_aws_id(text: &str, prefix: &str) -> bool {
    let rest = text.strip_prefix(prefix).unwrap_or_default();
    !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}
