//! Which tunnels an apply interrupts, computed from the steps that it takes.

use super::action::{Action, ActionTarget, Change, Verb};
use super::observed::Observed;
use super::plan::plan_with_nondisruptive;
use super::spec::Spec;
use super::tunnel::{Instance, TunnelKey};
use super::vpn_connection::diff_connection;
use std::collections::BTreeSet;

/// A phrase for each VPN connection and each tunnel that is there and will be down for a while,
/// with its ids.
pub fn interruptions(spec: &Spec, observed: &Observed) -> Vec<String> {
    let (actions, nondisruptive) = plan_with_nondisruptive(spec, observed);
    let has = |object: &ActionTarget, verb: Verb| {
        actions
            .iter()
            .any(|action| action.target == *object && action.verb == verb)
    };
    let mut found = Vec::new();
    for instance in Instance::ALL {
        let connection = ActionTarget::VpnConnection(instance);
        let Some(have) = observed.aws.vpn_connections.get(instance) else {
            continue;
        };
        if has(&connection, Verb::Delete) {
            found.push(format!(
                "the VPN connection {} to {instance} is deleted and created again, with other AWS addresses",
                have.id
            ));
            continue;
        }
        if has(&connection, Verb::Update) && diff_connection(spec, observed, have, instance).any() {
            found.push(format!(
                "the VPN connection {} to {instance} is changed, with both of its tunnels down",
                have.id
            ));
        }
        let associated = |action: &&Action| {
            action.target == ActionTarget::TransitAttachment(instance)
                && matches!(
                    action.change,
                    Change::TransitAttachment { association: true }
                )
        };
        if actions.iter().any(|action| associated(&action)) {
            found.push(format!(
                "the VPN connection {} to {instance} has no routes while its attachment is associated with another route table",
                have.id
            ));
        }
        for key in instance
            .tunnels()
            .into_iter()
            .filter(|key| is_interrupted(&actions, &nondisruptive, observed, *key))
        {
            let ids = [
                observed
                    .azure
                    .connections
                    .get(key)
                    .as_ref()
                    .map(|connection| connection.resource.id.name().to_owned()),
                observed
                    .tunnel(key)
                    .map(|tunnel| tunnel.outside_ip.to_string()),
            ];
            let ids: Vec<String> = ids.into_iter().flatten().collect();
            found.push(format!("{key} ({})", ids.join(", ")));
        }
    }
    found
}

/// Whether both ends of a tunnel exist and one of them is changed or created again.
fn is_interrupted(
    actions: &[Action],
    nondisruptive: &BTreeSet<ActionTarget>,
    observed: &Observed,
    key: TunnelKey,
) -> bool {
    let ends = [
        ActionTarget::Tunnel(key),
        ActionTarget::LocalGateway(key),
        ActionTarget::Connection(key),
        ActionTarget::SharedKey(key),
    ];
    let changes = |action: &Action| {
        ends.contains(&action.target)
            && !nondisruptive.contains(&action.target)
            && matches!(action.verb, Verb::Update | Verb::Delete)
    };
    observed.tunnel(key).is_some()
        && observed.azure.connections.get(key).is_some()
        && actions.iter().any(changes)
}
