//! Rejects an apply whose plan no longer fits the clouds, before it writes anything.
//!
//! A saved plan may be hours old, and an apply with -refresh=false reads nothing first. Values that
//! the plan shows as known must be true after the apply, and the user has not approved changes that
//! undo later edits.

use super::backend::Backend;
use super::change_set::ChangeSet;
use super::expand::{ExpandInputs, KeyInputs, expand_spec};
use super::link_status::is_interrupted;
use super::private_state::PrivateState;
use super::refresh::refresh_settings;
use super::replacing_attributes::follows_the_cloud;
use crate::azure::id::ResourceId;
use crate::provider::summaries;
use bgp_vpn::action::ActionTarget;
use bgp_vpn::observed::Observed;
use bgp_vpn::spec::{Removals, Spec};
use bgp_vpn::stale_plan::ShownPlan;
use bgp_vpn::tunnel::{Instance, TunnelKey};
use terraform_plugin::{AttributePath, Diagnostic, Value};

/// An update that is about to start.
pub struct Update<'a> {
    pub prior: &'a Value,
    /// As Terraform showed it, unknown where only the apply can tell.
    pub planned: &'a Value,
    /// The same with everything known.
    pub target: &'a Value,
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
    let settled = !is_interrupted(update.prior);
    let shown = ShownPlan {
        known: known(update),
        drift: texts(update.prior.get("drift")).collect(),
        recreates_tunnels: TunnelKey::ALL
            .into_iter()
            .any(|key| !tunnel(update.planned, key, "aws_vpn_connection_id").is_known()),
        rotates_keys: changes.rotates_keys(update.private) || changes.applies_configured_keys(),
    };
    let before = spec_before(backend, update).filter(|_| settled);
    let mut found = if settled {
        edited_settings(update, observed)
    } else {
        Vec::new()
    };
    found.extend(backend.changes_since_plan(before.as_ref(), update.spec, observed, &shown));
    (!found.is_empty()).then(|| outdated_plan(&found))
}

/// Rejects a plan that lacks these differences.
pub fn outdated_plan(found: &[String]) -> Diagnostic {
    Diagnostic::error(summaries::UNABLE_TO_APPLY_OUTDATED_PLAN).detail(format!(
        "The clouds changed after this plan was created, or it was created with -refresh=false. It does not contain these \
         differences:\n  - {}\n\nNothing was changed. Plan again with a refresh, review the plan, and apply it.",
        found.join("\n  - ")
    ))
}

fn texts(list: &Value) -> impl Iterator<Item = String> {
    list.as_list()
        .unwrap_or_default()
        .iter()
        .filter_map(|text| text.as_str().map(str::to_owned))
}

fn tunnel<'a>(value: &'a Value, key: TunnelKey, field: &str) -> &'a Value {
    value.get("tunnels").get(&key.to_string()).get(field)
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
    let mut now = update.prior.clone();
    refresh_settings(&mut now, observed);
    let mut found = Vec::new();
    let left = |path: &str| follows_the_cloud(path, update.private);
    for path in changed_leaves(&now, update.prior, "") {
        let at = AttributePath::from(path.as_str());
        let (was, is) = (update.prior.at(&at), now.at(&at));
        if !left(&path) && update.target.at(&at) == was && was.is_set() {
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
fn known(update: &Update<'_>) -> std::collections::BTreeSet<ActionTarget> {
    let planned = update.planned;
    let is_set = |path: &str| planned.at(&path.into()).is_set();
    let mut known = Vec::new();
    let single = [
        ("azure.gateway_id", ActionTarget::Gateway),
        ("aws.vpc_id", ActionTarget::Vpc),
        ("aws.vpn_gateway_id", ActionTarget::VpnGateway),
        ("aws.public_subnet_id", ActionTarget::PublicSubnet),
    ];
    known.extend(
        single
            .into_iter()
            .filter(|(path, _)| is_set(path))
            .map(|(_, object)| object),
    );
    if planned.get("managed").is_known() {
        known.push(ActionTarget::InternetGateway);
        known.push(ActionTarget::PublicRouteTable);
    }
    for instance in Instance::ALL {
        let all = |field: &str| {
            instance
                .tunnels()
                .into_iter()
                .all(|key| tunnel(planned, key, field).is_set())
        };
        let objects = [
            ("azure_public_ip", ActionTarget::PublicIp(instance)),
            (
                "aws_customer_gateway_id",
                ActionTarget::CustomerGateway(instance),
            ),
            (
                "aws_vpn_connection_id",
                ActionTarget::VpnConnection(instance),
            ),
        ];
        known.extend(
            objects
                .into_iter()
                .filter(|(field, _)| all(field))
                .map(|(_, object)| object),
        );
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
        let other = |field: &str, id: ResourceId| {
            let shown = tunnel(planned, key, field)
                .as_str()
                .and_then(|shown| ResourceId::parse(shown).ok());
            shown.is_some_and(|shown| shown != id)
        };
        if other(
            "azure_local_network_gateway_id",
            composed("localNetworkGateways", names.local_gateways.get(key)),
        ) {
            known.push(ActionTarget::LocalGateway(key));
        }
        if other(
            "azure_connection_id",
            composed("connections", names.connections.get(key)),
        ) {
            known.push(ActionTarget::Connection(key));
        }
    }
    known.into_iter().collect()
}
