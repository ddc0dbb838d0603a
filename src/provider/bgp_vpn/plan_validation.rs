//! Everything that is wrong with a plan whose settings all have their values.

use super::backend::Backend;
use super::change_set::ChangeSet;
use super::conflicting_attributes::{
    conflicting_id, existing_gateway_mismatch, immutable_zones, vpc_named_twice,
    zones_of_existing_gateway,
};
use super::default_options::inside_cidrs;
use super::defaults::PlanInputs;
use super::expand::endpoint;
use super::model::{Model, read_config};
use super::planned_id::link_of;
use super::private_state::{PrivateState, Provenance};
use super::replaced::own_object_ids;
use crate::aws::model::VpnConnection;
use bgp_vpn::config::Attr;
use bgp_vpn::preflight::{PreflightContext, PreflightIssue, run_checks};
use bgp_vpn::types::tags::check_keys;
use bgp_vpn::validation::{ChangedParts, validate_combination, validate_fields};
use bgp_vpn::violation::{AttributeId, Violation, ViolationKind};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Everything that is wrong with a plan that has all effective values.
pub fn validate_plan(
    inputs: &PlanInputs<'_, '_>,
    planned: &Model,
    backend: &dyn Backend,
) -> Vec<Violation> {
    let configured = inputs.config;
    let (uses_existing_azure_gateway, uses_existing_vpn_gateway) = (
        inputs.azure_gateway_is_existing(),
        inputs.vpn_gateway_is_existing(),
    );
    let on_transit_gateway = inputs.on_transit_gateway();
    let changes = inputs.prior.map(|prior| ChangeSet { prior, planned });
    let changed = |attributes: &[AttributeId]| {
        let is_configured = |attribute: &AttributeId| !configured.at(attribute).is_null();
        changes.is_none_or(|changes| {
            attributes
                .iter()
                .any(|attribute| changes.changed(attribute) && is_configured(attribute))
        })
    };
    let new = ChangedParts {
        azure_gateway: !uses_existing_azure_gateway
            && changed(&[AttributeId::Sku, AttributeId::Generation]),
        azure_asn: !uses_existing_azure_gateway && changed(&[AttributeId::AzureAsn]),
        aws_asn: !uses_existing_vpn_gateway
            && !on_transit_gateway
            && changed(&[AttributeId::AwsAsn]),
        acceleration: changed(&[AttributeId::Acceleration]),
        rekeying: changed(&[
            AttributeId::Acceleration,
            AttributeId::Policy("preset"),
            AttributeId::Policy("ike_lifetime_seconds"),
            AttributeId::Policy("ipsec_lifetime_seconds"),
        ]),
        initiator: changed(&[
            AttributeId::ConnectionMode,
            AttributeId::StartupAction,
            AttributeId::DpdAction,
        ]),
    };
    let mut violations = validate_combination(planned, new);
    for fault in violations
        .iter_mut()
        .filter(|fault| matches!(fault.kind, ViolationKind::AsnsEqual(_)))
    {
        // Reported where it is configured.
        if configured.azure_asn.is_null() && !configured.aws_asn.is_null() {
            fault.attribute = AttributeId::AwsAsn;
        }
    }
    let of_fields = |fault: &Violation| {
        !is_name(&fault.attribute) && (!fault.is_warning() || inputs.prior.is_none())
    };
    violations.extend(validate_fields(planned).into_iter().filter(of_fields));
    if let Some(changes) = changes {
        let prior = changes.prior;
        if uses_existing_azure_gateway {
            violations.extend(existing_gateway_mismatch(configured, prior, planned));
        }
        violations.extend(conflicting_id(configured, prior, planned));
        if changes.requires_replace(inputs.private).is_empty() {
            violations.extend(immutable_zones(prior, planned));
        }
    } else {
        if uses_existing_azure_gateway {
            violations.extend(zones_of_existing_gateway(configured));
        }
        violations.extend(vpc_named_twice(configured));
    }
    let (defaults, own) = (backend.default_tags(), planned.tags.known());
    // Those of the resource alone were checked before.
    if !defaults.is_empty()
        && let Some(fault) = check_keys(
            defaults
                .keys()
                .chain(own.into_iter().flat_map(|tags| tags.keys())),
        )
    {
        violations.push(Violation::error(
            AttributeId::Tags,
            ViolationKind::Tag(fault),
        ));
    }
    let link = link_of(planned, inputs.private, backend.subscription());
    let mut own = inputs.private.replaced_ids.clone();
    own.extend(inputs.prior.into_iter().flat_map(own_object_ids));
    let own_addresses = own_bgp_addresses(inputs);
    let of_plan = Provenance {
        vpn_gateway_is_existing: uses_existing_vpn_gateway,
        ..inputs.private.provenance.clone()
    };
    let planned_end = endpoint(
        planned,
        &PrivateState {
            provenance: of_plan,
            ..PrivateState::default()
        },
    );
    let created_end = planned_end
        .as_ref()
        .filter(|_| inputs.prior.is_none())
        .map(ToString::to_string);
    let moves_to = planned_end.filter(|_| inputs.prior.is_some());
    let site = PreflightContext {
        own_addresses: &own_addresses,
        configured,
        planned,
        link: link.as_ref(),
        endpoint: created_end.as_deref(),
        own: &own,
        azure_gateway_is_existing: uses_existing_azure_gateway,
        vpn_gateway_is_existing: uses_existing_vpn_gateway,
        on_transit_gateway,
        moves_to: moves_to.as_ref(),
        allow_overlap: planned.allow_overlapping_prefixes == Attr::Known(true),
    };
    let existing = inputs.prior.is_some();
    // The subnet of a gateway that exists cannot be resized: a warning at every change would be
    // useless.
    let is_existing_subnet =
        |fault: &Violation| existing && matches!(fault.kind, ViolationKind::GatewaySubnetSmall(_));
    violations.extend(
        run_checks(site, inputs.snapshot)
            .into_iter()
            .filter(|fault| !is_existing_subnet(fault)),
    );
    let claims_new = inputs.prior.is_none() && configured.manage_gateways == Attr::Known(true);
    if claims_new
        && uses_existing_azure_gateway
        && (uses_existing_vpn_gateway || on_transit_gateway)
    {
        violations.push(Violation::error(
            AttributeId::ManageGateways,
            ViolationKind::Preflight(PreflightIssue::ClaimAtCreate),
        ));
    }
    if inputs.takes_ownership(planned) {
        let ids = &own;
        let own = |c: &&crate::azure::model::Connection| {
            let tagged = link
                .as_ref()
                .is_some_and(|link| link.is_on(&c.resource.tags));
            tagged
                || ids
                    .iter()
                    .any(|id| id.eq_ignore_ascii_case(c.resource.id.as_str()))
        };
        let own_vpn = |vpn: &&VpnConnection| {
            link.as_ref().is_some_and(|link| link.is_on(&vpn.tags))
                || ids.contains(&vpn.id.0)
                || !vpn.state.is_living()
        };
        let connections = inputs
            .snapshot
            .connections
            .iter()
            .filter(|c| !own(c))
            .map(|c| c.resource.id.to_string());
        // A transit gateway cannot be claimed.
        let vpn_connections = inputs
            .snapshot
            .vpn_connections
            .iter()
            .filter(|vpn| !on_transit_gateway && !own_vpn(vpn));
        let vpn_connections = vpn_connections.map(|vpn| vpn.id.to_string());
        let foreign: Vec<String> = connections.chain(vpn_connections).collect();
        if !foreign.is_empty() {
            let finding = PreflightIssue::SharedGateways(foreign.join(", "));
            violations.push(Violation::error(
                AttributeId::ManageGateways,
                ViolationKind::Preflight(finding),
            ));
        }
    }
    violations
}

/// Names were judged where they are configured; those made from a name that was fine are fine.
fn is_name(field: &AttributeId) -> bool {
    matches!(
        field,
        AttributeId::Name | AttributeId::AzureName(_) | AttributeId::AwsName(_)
    )
}

/// The BGP addresses that a link put on its Azure gateway: not those that were listed there before.
fn own_bgp_addresses(inputs: &PlanInputs<'_, '_>) -> BTreeSet<Ipv4Addr> {
    let (private, prior) = (inputs.private, inputs.prior);
    let applied = inside_cidrs(&read_config(&private.applied));
    let before = prior.and_then(|prior| inside_cidrs(prior));
    let cidrs: Vec<_> = applied.into_iter().chain(before).collect();
    let placed = cidrs
        .iter()
        .flat_map(|all| all.iter().map(|(_, cidr)| cidr.azure_ip()));
    let former = private.pending_removals.iter().map(|(_, ip)| *ip);
    placed
        .chain(former)
        .filter(|ip| !private.provenance.preexisting_addresses.contains(ip))
        .collect()
}
