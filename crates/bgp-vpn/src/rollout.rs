//! Who goes when: steps that the graph would let run at the same time, and that must not.

use super::action::{Action, ActionId, ActionTarget, Change, Verb};
use super::compare;
use super::observed::Observed;
use super::spec::{AwsGateway, AzureGateway, Spec};
use super::tunnel::{Instance, PerInstance, TunnelKey};
use std::collections::BTreeSet;

/// Adds to each step what it has to wait for in addition to what it needs; `nondisruptive` changes
/// interrupt no tunnel.
pub(super) fn serialize_disruptive_updates(
    spec: &Spec,
    observed: &Observed,
    actions: &mut Vec<Action>,
    nondisruptive: &BTreeSet<ActionTarget>,
) {
    if matches!(spec.azure.gateway, AzureGateway::Existing(_)) {
        wait_for_ownership_tags(actions, |object| *object == ActionTarget::Gateway);
    }
    if matches!(spec.aws.gateway, AwsGateway::ExistingVgw(_)) {
        wait_for_ownership_tags(actions, |object| {
            matches!(object, ActionTarget::RoutePropagation(_))
        });
    }
    roll_tunnels(observed, actions, nondisruptive);
    change_one_tunnel_at_a_time(observed, actions, nondisruptive);
    roll_connections(spec, observed, actions);
    roll_associations(observed, actions);
}

/// What changes another user's gateway, or where its routes go, comes only when the customer
/// gateways stand, whose tags tell a later run what of it was there before.
fn wait_for_ownership_tags(actions: &mut [Action], changes_others: impl Fn(&ActionTarget) -> bool) {
    let marks: Vec<ActionId> = actions
        .iter()
        .filter(|action| {
            action.verb == Verb::Create && matches!(action.target, ActionTarget::CustomerGateway(_))
        })
        .map(Action::id)
        .collect();
    for action in actions
        .iter_mut()
        .filter(|action| changes_others(&action.target))
    {
        action.depends_on.extend(marks.iter().cloned());
    }
}

/// EC2 changes one tunnel of a VPN connection at a time, also where that interrupts nothing. The
/// one that is down goes first, as where tunnels roll.
fn change_one_tunnel_at_a_time(
    observed: &Observed,
    actions: &mut [Action],
    nondisruptive: &BTreeSet<ActionTarget>,
) {
    for instance in Instance::ALL {
        let mut tunnels = instance.tunnels();
        tunnels.sort_by_key(|key| (observed.is_up(*key), *key));
        let [first, second] = tunnels.map(ActionTarget::Tunnel);
        let is_changed =
            |tunnel| nondisruptive.contains(tunnel) && has(actions, tunnel, Verb::Update);
        if is_changed(&first) && is_changed(&second) {
            let of_second = actions.iter_mut().filter(|action| action.target == second);
            of_second.for_each(|action| action.depends_on.push((first.clone(), Verb::Update)));
        }
    }
}

/// A VPN connection whose own settings interrupt both of its tunnels is updated alone: one that
/// carries anything is touched only when the other's sessions are up, no matter which run
/// interrupted that one. Tunnels that are down are repaired before, since such a connection may
/// wait for them; those that are up change one by one after it.
fn roll_connections(spec: &Spec, observed: &Observed, actions: &mut Vec<Action>) {
    let live = |instance: Instance| {
        instance
            .tunnels()
            .into_iter()
            .filter(|key| observed.is_up(*key))
            .count()
    };
    let turn = |instance| {
        Some((
            instance,
            disruptive_verb(spec, observed, actions, instance)?,
        ))
    };
    let mut order: Vec<(Instance, Verb)> = Instance::ALL.into_iter().filter_map(turn).collect();
    order.sort_by_key(|(instance, _)| (live(*instance), *instance));
    let renewed = PerInstance::from_fn(|instance| {
        has(
            actions,
            &ActionTarget::VpnConnection(instance),
            Verb::Create,
        )
    });
    let stands = |key: TunnelKey| !renewed.get(key.instance);
    let ids: Vec<ActionId> = order
        .iter()
        .map(|(instance, verb)| (ActionTarget::VpnConnection(*instance), *verb))
        .collect();
    for action in actions.iter_mut() {
        let interrupted = match &action.target {
            ActionTarget::PeerTunnelsUp(key) => Some(*key),
            object => tunnel_of(object),
        };
        if interrupted.is_some_and(|key| stands(key) && observed.is_up(key)) {
            action.depends_on.extend(
                ids.iter()
                    .filter(|(_, verb)| *verb == Verb::Update)
                    .cloned(),
            );
        }
    }
    for (at, (instance, verb)) in order.iter().enumerate() {
        let carries = live(*instance) > 0;
        let mut after: Vec<ActionId> = ids.iter().take(at).cloned().collect();
        for key in TunnelKey::ALL {
            let changes: Vec<ActionId> = steps_of(actions, key)
                .into_iter()
                .filter(|id| id.1 == Verb::Update)
                .collect();
            let repaired = stands(key) && !observed.is_up(key) && !changes.is_empty();
            let new = !stands(key) && !order.iter().skip(at).any(|turn| turn.0 == key.instance);
            match key.instance == *instance {
                true if repaired => after.extend(changes),
                false if carries && (repaired || new) => {
                    after.push(ensure_session_wait(actions, key))
                }
                _ => {}
            }
        }
        // A new connection carries nothing before its attachment has its route tables.
        let attached = Instance::ALL
            .into_iter()
            .filter(|other| !order.iter().skip(at).any(|turn| turn.0 == *other))
            .map(|other| (ActionTarget::TransitAttachment(other), Verb::Create))
            .filter(|(object, verb)| carries && has(actions, object, *verb));
        after.extend(attached);
        if carries {
            let wait = Action::new(
                ActionTarget::PeerConnectionUp(*instance),
                Verb::WaitFor,
                vec![],
            );
            let gate = Action {
                depends_on: after,
                ..wait
            };
            after = vec![gate.id()];
            actions.push(gate);
        }
        let mine = (ActionTarget::VpnConnection(*instance), *verb);
        actions
            .iter_mut()
            .filter(|action| action.id() == mine)
            .for_each(|action| action.depends_on.extend(after.iter().cloned()));
    }
}

/// Another route table of the transit gateway interrupts the routes of a VPN connection. The
/// attachments change one at a time, after everything else that interrupts a tunnel.
fn roll_associations(observed: &Observed, actions: &mut [Action]) {
    let interrupts = |action: &&Action| {
        action.verb == Verb::Update
            && matches!(
                action.change,
                Change::TransitAttachment { association: true }
            )
    };
    let mut order: Vec<(usize, ActionId)> = Vec::new();
    for action in actions.iter().filter(interrupts) {
        let ActionTarget::TransitAttachment(instance) = action.target else {
            continue;
        };
        let tunnels = instance.tunnels();
        let live = tunnels.iter().filter(|key| observed.is_up(**key)).count();
        order.push((live, action.id()));
    }
    order.sort();
    let ids: Vec<ActionId> = order.into_iter().map(|(_, id)| id).collect();
    let others: Vec<ActionId> = actions
        .iter()
        .map(Action::id)
        .filter(|id| !ids.contains(id) && id.0 != ActionTarget::IncompleteTag)
        .collect();
    for (at, id) in ids.iter().enumerate() {
        let before = ids.iter().take(at).chain(&others);
        let of_it = actions.iter_mut().filter(|action| action.id() == *id);
        of_it.for_each(|action| action.depends_on.extend(before.clone().cloned()));
    }
}

/// The action that interrupts both tunnels of a VPN connection for its own settings. One whose
/// customer gateway goes has to go with it.
fn disruptive_verb(
    spec: &Spec,
    observed: &Observed,
    actions: &[Action],
    instance: Instance,
) -> Option<Verb> {
    let have = observed.aws.vpn_connections.get(instance).as_ref()?;
    if compare::vpn_connection_needs_replacement(spec, have, instance).is_some() {
        return (!has(
            actions,
            &ActionTarget::CustomerGateway(instance),
            Verb::Delete,
        ))
        .then_some(Verb::Delete);
    }
    let of_it = |action: &&Action| action.target == ActionTarget::VpnConnection(instance);
    let interrupts = |action: &Action| matches!(&action.change, Change::VpnConnection { settings, .. } if settings.any());
    actions
        .iter()
        .filter(of_it)
        .any(interrupts)
        .then_some(Verb::Update)
}

fn has(actions: &[Action], object: &ActionTarget, verb: Verb) -> bool {
    actions
        .iter()
        .any(|action| action.target == *object && action.verb == verb)
}

fn steps_of(actions: &[Action], key: TunnelKey) -> Vec<ActionId> {
    actions
        .iter()
        .filter(|action| tunnel_of(&action.target) == Some(key))
        .map(Action::id)
        .collect()
}

/// The step that waits for a tunnel's session, once all else is done to it, whether the user waits
/// for it or not.
fn ensure_session_wait(actions: &mut Vec<Action>, key: TunnelKey) -> ActionId {
    let id = (ActionTarget::BgpSession(key), Verb::WaitFor);
    if !has(actions, &id.0, id.1) {
        let after = steps_of(actions, key);
        actions.push(Action {
            depends_on: after,
            ..Action::new(id.0.clone(), id.1, vec![])
        });
    }
    id
}

fn tunnel_of(object: &ActionTarget) -> Option<TunnelKey> {
    match object {
        ActionTarget::Tunnel(key)
        | ActionTarget::LocalGateway(key)
        | ActionTarget::Connection(key)
        | ActionTarget::SharedKey(key)
        | ActionTarget::BgpSession(key)
        | ActionTarget::KeyRotationTag(key) => Some(*key),
        _ => None,
    }
}

/// Changes to tunnels that stand roll through the link: all steps of one tunnel, its session
/// included, before the next. Tunnels that are down already go first, since nothing is lost there;
/// one that is up is touched only when all others are up.
fn roll_tunnels(
    observed: &Observed,
    actions: &mut Vec<Action>,
    nondisruptive: &BTreeSet<ActionTarget>,
) {
    let interrupted = |key: TunnelKey| {
        let of_it = |s: &&Action| tunnel_of(&s.target) == Some(key);
        // What is recreated carries traffic until then, what is only created does not.
        let recreated =
            |s: &Action| s.verb == Verb::Create && has(actions, &s.target, Verb::Delete);
        let created = |s: &Action| {
            s.verb == Verb::Create
                && !matches!(s.target, ActionTarget::KeyRotationTag(_))
                && !has(actions, &s.target, Verb::Delete)
        };
        let made = actions.iter().filter(of_it).any(created)
            || has(
                actions,
                &ActionTarget::VpnConnection(key.instance),
                Verb::Create,
            );
        let changed = |s: &Action| s.verb == Verb::Update && !nondisruptive.contains(&s.target);
        !made
            && actions
                .iter()
                .filter(of_it)
                .any(|s| changed(s) || recreated(s))
    };
    let mut rolled: Vec<TunnelKey> = TunnelKey::ALL
        .into_iter()
        .filter(|key| interrupted(*key))
        .collect();
    rolled.sort_by_key(|key| (observed.is_up(*key), *key));
    let last = rolled.last().copied();
    let mut before: Vec<ActionId> = Vec::new();
    for key in rolled.clone() {
        if last != Some(key) {
            ensure_session_wait(actions, key);
        }
        if observed.is_up(key) {
            // Also what is only now being made has to be up.
            let others = actions
                .iter()
                .filter(|s| tunnel_of(&s.target).is_some_and(|other| !rolled.contains(&other)));
            let after = before
                .iter()
                .cloned()
                .chain(others.map(Action::id))
                .collect();
            let wait = Action::new(ActionTarget::PeerTunnelsUp(key), Verb::WaitFor, vec![]);
            let gate = Action {
                depends_on: after,
                ..wait
            };
            before.push(gate.id());
            actions.push(gate);
        }
        for action in actions
            .iter_mut()
            .filter(|s| tunnel_of(&s.target) == Some(key))
        {
            action.depends_on.extend(before.iter().cloned());
        }
        before = steps_of(actions, key);
    }
}
