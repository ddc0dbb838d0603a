//! Configured values that contradict each other, an object that the configuration names, or what
//! cannot change.

use super::change_set::ChangeSet;
use super::default_options::has_public_ips;
use super::defaults::PlanInputs;
use super::expand::read_zones;
use bgp_vpn::config::Config;
use bgp_vpn::preflight_issue::PreflightIssue;
use bgp_vpn::violation::{AttributeId, Violation, ViolationKind};
use terraform_plugin::Value;

/// A given gateway is as it is: what the state read from it cannot be configured otherwise.
pub fn existing_gateway_mismatch(changes: ChangeSet<'_>, configured: &Config) -> Vec<Violation> {
    let has = |path: &str| changes.prior.at(&path.into());
    let shown = |value: &Value| {
        value
            .as_str()
            .map(str::to_owned)
            .or_else(|| value.as_number().map(ToString::to_string))
            .unwrap_or_default()
    };
    let checks = [
        (
            "azure.sku",
            AttributeId::Sku,
            "SKU",
            configured.sku.known().is_some(),
        ),
        (
            "azure.generation",
            AttributeId::Generation,
            "generation",
            configured.generation.known().is_some(),
        ),
        (
            "azure.asn",
            AttributeId::AzureAsn,
            "ASN",
            configured.azure_asn.known().is_some(),
        ),
    ];
    let differs = checks.into_iter().filter(|(path, _, _, configured)| {
        *configured && changes.changed(path) && has(path).is_set()
    });
    let same_gateway = !changes.changed("azure.gateway_id");
    let fault = |(path, field, noun, _): (&str, AttributeId, &'static str, bool)| {
        Violation::error(
            field,
            ViolationKind::Preflight(PreflightIssue::GatewayMismatch(noun, shown(has(path)))),
        )
    };
    if same_gateway {
        differs.map(fault).collect()
    } else {
        Vec::new()
    }
}

/// A VPC to create although another is configured by id, in the plan of a create. A link that
/// exists may repeat the id of its own VPC.
pub fn vpc_named_twice(inputs: &PlanInputs<'_, '_>) -> Option<Violation> {
    let is_set = |path: &str| inputs.config.at(&path.into()).is_set();
    let others = [
        ("aws.vpc_id", AttributeId::VpcId),
        ("aws.vpn_gateway_id", AttributeId::VpnGateway),
    ];
    let creates = inputs.prior.is_none() && is_set("aws.vpc");
    let (other, attribute) = others
        .into_iter()
        .find(|(path, _)| creates && is_set(path))?;
    let kind = ViolationKind::ConflictingIds {
        given: other.to_owned(),
        other: "aws.vpc".to_owned(),
    };
    Some(Violation::error(attribute, kind))
}

/// Availability zones that cannot become those of public IPs that exist.
pub fn fixed_zones(inputs: &PlanInputs<'_, '_>, settled: &Value) -> Option<Violation> {
    let configured = inputs.config.at(&"azure.zones".into()).is_set();
    let fault = |problem| Some(Violation::error(AttributeId::Zones, problem));
    let Some(prior) = inputs.prior else {
        let given = configured && inputs.azure_gateway_is_existing();
        return if given {
            fault(ViolationKind::ZonesOfExistingGateway)
        } else {
            None
        };
    };
    let replaced = !ChangeSet {
        prior,
        planned: settled,
    }
    .requires_replace()
    .is_empty();
    let zones = |value: &Value| read_zones(value.at(&"azure.zones".into()));
    let (has, wants) = (zones(prior)?, zones(settled)?);
    if has == wants || replaced || !has_public_ips(prior) {
        return None;
    }
    let has = match has.is_empty() {
        true => "no availability zone".to_owned(),
        false => format!(
            "availability zones {}",
            has.into_iter().collect::<Vec<_>>().join(", ")
        ),
    };
    fault(ViolationKind::ZonesImmutable { has })
}

/// An id in the configuration pins an object that another change would replace.
pub fn conflicting_id(changes: ChangeSet<'_>, inputs: &PlanInputs<'_, '_>) -> Option<Violation> {
    let configured = |path: &str| inputs.config.at(&path.into()).is_set();
    let set = |path: &str| changes.prior.at(&path.into()).is_set();
    let stays = |path: &str| configured(path) && !changes.changed(path);
    let ends = [
        ("aws.vpn_gateway_id", "vpn_gateway_id"),
        ("aws.transit_gateway_id", "transit_gateway_id"),
    ];
    if let Some((_, name)) = ends.into_iter().find(|(path, _)| stays(path))
        && changes.changed("aws.asn")
        && set("aws.asn")
    {
        return Some(Violation::error(
            AttributeId::AwsAsn,
            ViolationKind::PinnedByExistingId(name),
        ));
    }
    let redrawn = changes.changed("aws.vpc.cidr_block") && set("aws.vpc.cidr_block");
    (redrawn && configured("aws.vpc_id") && !changes.changed("aws.vpc_id")).then(|| {
        Violation::error(
            AttributeId::VpcCidr,
            ViolationKind::PinnedByExistingId("vpc_id"),
        )
    })
}
