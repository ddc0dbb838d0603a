//! Configured values that contradict each other, an object that the configuration names, or what
//! cannot change.

use super::attribute_paths::value_path;
use super::expand::all_known;
use super::model::Model;
use bgp_vpn::config::{Attr, Config};
use bgp_vpn::preflight_issue::PreflightIssue;
use bgp_vpn::violation::{AttributeId, Violation, ViolationKind};

/// An existing gateway is never changed: its settings cannot be configured with other values.
pub fn existing_gateway_mismatch(
    configured: &Config,
    prior: &Config,
    planned: &Config,
) -> Vec<Violation> {
    if prior.gateway_id != planned.gateway_id {
        return Vec::new();
    }
    /// What the gateway has, if another value is configured.
    fn mismatch<T: ToString + PartialEq>(
        configured: &Attr<T>,
        has: &Attr<T>,
        planned: &Attr<T>,
    ) -> Option<String> {
        let differs = configured.is_set() && has != planned;
        has.known().filter(|_| differs).map(ToString::to_string)
    }
    let checks = [
        (
            AttributeId::Sku,
            "SKU",
            mismatch(&configured.sku, &prior.sku, &planned.sku),
        ),
        (
            AttributeId::Generation,
            "generation",
            mismatch(
                &configured.generation,
                &prior.generation,
                &planned.generation,
            ),
        ),
        (
            AttributeId::AzureAsn,
            "ASN",
            mismatch(&configured.azure_asn, &prior.azure_asn, &planned.azure_asn),
        ),
    ];
    let found = checks.into_iter().filter_map(|(attribute, noun, has)| {
        let issue = PreflightIssue::GatewayMismatch(noun, has?);
        Some(Violation::error(attribute, ViolationKind::Preflight(issue)))
    });
    found.collect()
}

/// A VPC to create although another is configured by id, in the plan of a create. A link that
/// exists may repeat the id of its own VPC.
pub fn vpc_named_twice(configured: &Config) -> Option<Violation> {
    if !configured.vpc.is_set() {
        return None;
    }
    let attribute = if configured.vpc_id.is_set() {
        AttributeId::VpcId
    } else if configured.vpn_gateway_id.is_set() {
        AttributeId::VpnGateway
    } else {
        return None;
    };
    let kind = ViolationKind::ConflictingIds {
        given: value_path(&attribute).to_string(),
        other: value_path(&AttributeId::Vpc).to_string(),
    };
    Some(Violation::error(attribute, kind))
}

/// Availability zones that are configured for a gateway that the link does not create.
pub fn zones_of_existing_gateway(configured: &Config) -> Option<Violation> {
    let violation = Violation::error(AttributeId::Zones, ViolationKind::ZonesOfExistingGateway);
    configured.zones.is_set().then_some(violation)
}

/// Availability zones that cannot become those of public IPs that exist, in the plan of a link that
/// is not replaced.
pub fn immutable_zones(prior: &Model, planned: &Config) -> Option<Violation> {
    let (has, wants) = (all_known(&prior.zones)?, all_known(&planned.zones)?);
    if has == wants || !prior.has_public_ips() {
        return None;
    }
    let has = match has.is_empty() {
        true => "no availability zone".to_owned(),
        false => format!(
            "availability zones {}",
            has.into_iter().collect::<Vec<_>>().join(", ")
        ),
    };
    Some(Violation::error(
        AttributeId::Zones,
        ViolationKind::ZonesImmutable { has },
    ))
}

/// An id in the configuration pins an object that another change would replace.
pub fn conflicting_id(configured: &Config, prior: &Config, planned: &Config) -> Option<Violation> {
    let pinned = |attribute, name| {
        Some(Violation::error(
            attribute,
            ViolationKind::PinnedByExistingId(name),
        ))
    };
    let stays = |read: fn(&Config) -> &Attr<String>| {
        read(configured).is_set() && read(prior) == read(planned)
    };
    let renumbered = prior.aws_asn.is_set() && prior.aws_asn != planned.aws_asn;
    if renumbered && stays(|config| &config.vpn_gateway_id) {
        return pinned(AttributeId::AwsAsn, "vpn_gateway_id");
    }
    if renumbered && stays(|config| &config.transit_gateway_id) {
        return pinned(AttributeId::AwsAsn, "transit_gateway_id");
    }
    let redrawn = prior.vpc_cidr().is_set() && prior.vpc_cidr() != planned.vpc_cidr();
    if redrawn && stays(|config| &config.vpc_id) {
        return pinned(AttributeId::VpcCidr, "vpc_id");
    }
    None
}
