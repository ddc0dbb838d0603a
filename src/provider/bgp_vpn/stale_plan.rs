//! Rejects an apply whose plan no longer fits the clouds, before it writes anything.
//!
//! A saved plan may be hours old, and an apply with -refresh=false reads nothing first. Values that
//! the plan shows as known must be true after the apply, and the user has not approved changes that
//! undo later edits.

use super::backend::Backend;
use super::change_set::ChangeSet;
use super::expand::{ExpandInputs, KeyInputs, expand_spec};
use super::model::{Model, TunnelOutputs};
use super::private_state::PrivateState;
use super::refresh::refresh_settings;
use super::replacing_attributes::follows_the_cloud;
use crate::azure::id::ResourceId;
use crate::provider::summaries;
use bgp_vpn::action::ActionTarget;
use bgp_vpn::config::Attr;
use bgp_vpn::managed::Kind;
use bgp_vpn::observed::Observed;
use bgp_vpn::spec::{Removals, Spec};
use bgp_vpn::stale_plan::ShownPlan;
use bgp_vpn::tunnel::{Instance, TunnelKey};
use std::collections::BTreeSet;
use terraform_plugin::{AttributePath, Diagnostic, Value};

/// An update that is about to start.
pub struct Update<'a> {
    pub prior: &'a Model,
    /// As Terraform showed it, unknown where only the apply can tell.
    pub planned: &'a Model,
    /// The same with everything known.
    pub target: &'a Model,
    pub private: &'a PrivateState,
    pub spec: &'a Spec,
}

/// The error, where the plan is outdated.
pub fn stale_plan_error(
    backend: &dyn Backend,
    update: &Update<'_>,
    observed: &Observed,
) -> Option<Diagnostic> {
    let changes = ChangeSet {
        prior: update.prior,
        planned: update.planned,
    };
    let observed = &without_unrecorded_connections(observed, update.prior);
    let completed = !update.prior.is_interrupted();
    let planned = update.planned;
    let shown = ShownPlan {
        known: known(update),
        drift: update.prior.link.drift.iter().cloned().collect(),
        recreates_tunnels: planned
            .tunnels
            .iter()
            .any(|(_, tunnel)| tunnel.aws_vpn_connection_id.is_unknown()),
        rotates_keys: changes.rotates_keys(update.private) || changes.applies_configured_keys(),
    };
    let before = spec_before(backend, update).filter(|_| completed);
    let mut found = if completed {
        edited_settings(update, observed)
    } else {
        Vec::new()
    };
    found.extend(backend.changes_since_plan(before.as_ref(), update.spec, observed, &shown));
    (!found.is_empty()).then(|| outdated_plan(&found))
}

/// Leaves out VPN connections that the state does not contain. They belong to a run that was killed
/// and are adopted by the apply, so what differs in them is no later edit.
fn without_unrecorded_connections(observed: &Observed, prior: &Model) -> Observed {
    let mut recorded = observed.clone();
    for instance in Instance::ALL {
        let connection = recorded.aws.vpn_connections.get_mut(instance);
        connection.take_if(|it| !prior.link.managed.has(Kind::AwsVpnConnection, &it.id.0));
    }
    recorded
}

/// Rejects a plan that lacks these differences.
pub fn outdated_plan(found: &[String]) -> Diagnostic {
    Diagnostic::error(summaries::UNABLE_TO_APPLY_OUTDATED_PLAN).detail(format!(
        "The clouds changed after this plan was created, or it was created with -refresh=false. It does not contain these \
         differences:\n  - {}\n\nNothing was changed. Plan again with a refresh, review the plan, and apply it.",
        found.join("\n  - ")
    ))
}

/// The spec of the settings before, as a read compares with it.
fn spec_before(backend: &dyn Backend, update: &Update<'_>) -> Option<Spec> {
    let around = ExpandInputs {
        private: &update.private.of_state(),
        subscription: backend.subscription(),
        default_tags: backend.default_tags(),
        keys: KeyInputs::default(),
        removals: Removals::default(),
    };
    expand_spec(update.prior, around).ok()
}

/// Settings that the clouds changed and that the apply would change back although the plan leaves
/// them.
fn edited_settings(update: &Update<'_>, observed: &Observed) -> Vec<String> {
    let before = update.prior.value();
    let mut now = before.clone();
    refresh_settings(&mut now, observed);
    let mut found = Vec::new();
    let left = |path: &str| follows_the_cloud(path, update.private);
    for path in changed_leaves(&now, before, "") {
        let at = AttributePath::from(path.as_str());
        let (was, is) = (before.at(&at), now.at(&at));
        if !left(&path) && update.target.at(&path) == was && was.is_set() {
            found.push(format!("{path} is {}, not {}", shown(is), shown(was)));
        }
    }
    found
}

fn shown(value: &Value) -> String {
    let number = || value.as_number().map(ToString::to_string);
    let truth = || value.as_bool().map(|truth| truth.to_string());
    value
        .as_str()
        .map(str::to_owned)
        .or_else(number)
        .or_else(truth)
        .unwrap_or_else(|| "another value".to_owned())
}

/// Paths of attributes, dotted, at which two values differ.
fn changed_leaves(one: &Value, other: &Value, at: &str) -> Vec<String> {
    match (one, other) {
        (Value::Object(items), Value::Object(_)) => {
            let path = |name: &str| {
                if at.is_empty() {
                    name.to_owned()
                } else {
                    format!("{at}.{name}")
                }
            };
            items
                .iter()
                .flat_map(|(name, value)| changed_leaves(value, other.get(name), &path(name)))
                .collect()
        }
        _ if one == other => Vec::new(),
        _ => vec![at.to_owned()],
    }
}

/// Objects whose ids or addresses the plan shows.
fn known(update: &Update<'_>) -> BTreeSet<ActionTarget> {
    let planned = update.planned;
    let mut known = Vec::new();
    let single = [
        (&planned.gateway_id, ActionTarget::Gateway),
        (&planned.vpc_id, ActionTarget::Vpc),
        (&planned.vpn_gateway_id, ActionTarget::VpnGateway),
        (&planned.aws.public_subnet_id, ActionTarget::PublicSubnet),
    ];
    known.extend(
        single
            .into_iter()
            .filter(|(id, _)| id.is_set())
            .map(|(_, object)| object),
    );
    if planned.link.managed_is_known {
        known.push(ActionTarget::InternetGateway);
        known.push(ActionTarget::PublicRouteTable);
    }
    for instance in Instance::ALL {
        let all = |read: fn(&TunnelOutputs) -> &Attr<String>| {
            let tunnels = instance.tunnels().map(|key| planned.tunnels.get(key));
            tunnels.into_iter().all(|tunnel| read(tunnel).is_set())
        };
        if all(|tunnel| &tunnel.azure_public_ip) {
            known.push(ActionTarget::PublicIp(instance));
        }
        if all(|tunnel| &tunnel.aws_customer_gateway_id) {
            known.push(ActionTarget::CustomerGateway(instance));
        }
        if all(|tunnel| &tunnel.aws_vpn_connection_id) {
            known.push(ActionTarget::VpnConnection(instance));
        }
    }
    let names = &update.spec.azure.names;
    let composed = |kind: &str, name: &str| {
        ResourceId::network(
            &update.spec.azure.subscription,
            &update.spec.azure.resource_group,
            kind,
            name,
        )
    };
    for key in TunnelKey::ALL {
        // An object of the same name in the same group gets the same id again.
        let other = |shown: &Attr<String>, id: ResourceId| {
            let shown = shown.known().and_then(|id| ResourceId::parse(id).ok());
            shown.is_some_and(|shown| shown != id)
        };
        let tunnel = planned.tunnels.get(key);
        if other(
            &tunnel.azure_local_network_gateway_id,
            composed("localNetworkGateways", names.local_gateways.get(key)),
        ) {
            known.push(ActionTarget::LocalGateway(key));
        }
        if other(
            &tunnel.azure_connection_id,
            composed("connections", names.connections.get(key)),
        ) {
            known.push(ActionTarget::Connection(key));
        }
    }
    known.into_iter().collect()
}
