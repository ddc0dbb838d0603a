//! Who goes when: steps that the graph would let run at the same time, and that must not.

use super::differ;
use super::observed::Observed;
use super::spec::{AwsGateway, AzureGateway, Spec};
use super::step::{Object, Step, StepId, Verb};
use super::tunnel::{Instance, PerInstance, TunnelKey};
use std::collections::BTreeSet;

/// Adds to each step what it has to wait for beside what it needs; `gentle` changes interrupt no tunnel.
pub(super) fn take_turns(spec: &Spec, seen: &Observed, steps: &mut Vec<Step>, gentle: &BTreeSet<Object>) {
    if matches!(spec.azure.gateway, AzureGateway::Existing(_)) {
        after_marks(steps, |object| *object == Object::Gateway);
    }
    if matches!(spec.aws.gateway, AwsGateway::Existing(_)) {
        after_marks(steps, |object| matches!(object, Object::Propagation(_)));
    }
    one_tunnel_at_a_time(seen, steps, gentle);
    one_connection_at_a_time(spec, seen, steps);
}

/// What changes somebody else's gateway, or where its routes go, comes only when the customer gateways stand, whose tags tell a
/// later run what of it was there before.
fn after_marks(steps: &mut [Step], changes_others: impl Fn(&Object) -> bool) {
    let marks: Vec<StepId> = steps
        .iter()
        .filter(|step| step.verb == Verb::Create && matches!(step.object, Object::CustomerGateway(_)))
        .map(Step::id)
        .collect();
    for step in steps.iter_mut().filter(|step| changes_others(&step.object)) {
        step.after.extend(marks.iter().cloned());
    }
}

/// A VPN connection whose own settings interrupt it as a whole goes alone: one that carries anything is touched only when the
/// other's sessions are there, whoever interrupted that one, this run or one that broke off. Tunnels that are down are mended
/// before, since such a connection may wait for them; those that are up change one by one after it.
fn one_connection_at_a_time(spec: &Spec, seen: &Observed, steps: &mut Vec<Step>) {
    let live = |instance: Instance| instance.tunnels().into_iter().filter(|key| seen.is_up(*key)).count();
    let turn = |instance| Some((instance, interruption(spec, seen, steps, instance)?));
    let mut turns: Vec<(Instance, Verb)> = Instance::ALL.into_iter().filter_map(turn).collect();
    turns.sort_by_key(|(instance, _)| (live(*instance), *instance));
    let renewed = PerInstance::from_fn(|instance| has(steps, &Object::VpnConnection(instance), Verb::Create));
    let stands = |key: TunnelKey| !renewed.get(key.instance);
    let ids: Vec<StepId> = turns.iter().map(|(instance, verb)| (Object::VpnConnection(*instance), *verb)).collect();
    for step in steps.iter_mut() {
        let interrupted = match &step.object {
            Object::OtherTunnels(key) => Some(*key),
            object => tunnel_of(object),
        };
        if interrupted.is_some_and(|key| stands(key) && seen.is_up(key)) {
            step.after.extend(ids.iter().filter(|(_, verb)| *verb == Verb::Change).cloned());
        }
    }
    for (at, (instance, verb)) in turns.iter().enumerate() {
        let carries = live(*instance) > 0;
        let mut after: Vec<StepId> = ids.iter().take(at).cloned().collect();
        for key in TunnelKey::ALL {
            let changes: Vec<StepId> = steps_of(steps, key).into_iter().filter(|id| id.1 == Verb::Change).collect();
            let mended = stands(key) && !seen.is_up(key) && !changes.is_empty();
            let new = !stands(key) && !turns.iter().skip(at).any(|turn| turn.0 == key.instance);
            match key.instance == *instance {
                true if mended => after.extend(changes),
                false if carries && (mended || new) => after.push(session(steps, key)),
                _ => {}
            }
        }
        if carries {
            let gate = Step { object: Object::OtherConnection(*instance), verb: Verb::Await, after, because: vec![] };
            after = vec![gate.id()];
            steps.push(gate);
        }
        let mine = (Object::VpnConnection(*instance), *verb);
        steps.iter_mut().filter(|step| step.id() == mine).for_each(|step| step.after.extend(after.iter().cloned()));
    }
}

/// The step that interrupts a VPN connection as a whole for its own settings. One whose customer gateway goes has to go with it.
fn interruption(spec: &Spec, seen: &Observed, steps: &[Step], instance: Instance) -> Option<Verb> {
    let have = seen.aws.vpns.get(instance).as_ref()?;
    let connection = Object::VpnConnection(instance);
    if differ::vpn_connection_is_obsolete(spec, have, instance).is_some() {
        return (!has(steps, &Object::CustomerGateway(instance), Verb::Delete)).then_some(Verb::Delete);
    }
    let interrupts = super::vpn_connection::differing(spec, seen, have, instance).any();
    (interrupts && has(steps, &connection, Verb::Change)).then_some(Verb::Change)
}

fn has(steps: &[Step], object: &Object, verb: Verb) -> bool {
    steps.iter().any(|step| step.object == *object && step.verb == verb)
}

fn steps_of(steps: &[Step], key: TunnelKey) -> Vec<StepId> {
    steps.iter().filter(|step| tunnel_of(&step.object) == Some(key)).map(Step::id).collect()
}

/// The step that waits for a tunnel's session, once all else is done to it, whether the user waits for it or not.
fn session(steps: &mut Vec<Step>, key: TunnelKey) -> StepId {
    let id = (Object::Session(key), Verb::Await);
    if !has(steps, &id.0, id.1) {
        let after = steps_of(steps, key);
        steps.push(Step { object: id.0.clone(), verb: id.1, after, because: vec![] });
    }
    id
}

fn tunnel_of(object: &Object) -> Option<TunnelKey> {
    match object {
        Object::Tunnel(key)
        | Object::LocalGateway(key)
        | Object::Connection(key)
        | Object::SharedKey(key)
        | Object::Session(key)
        | Object::RolledMark(key) => Some(*key),
        _ => None,
    }
}

/// Changes to tunnels that stand roll through the link: all steps of one tunnel, its session included, before the next.
/// Tunnels that are down already go first, since nothing is lost there; one that is up is touched only when all others are up.
fn one_tunnel_at_a_time(seen: &Observed, steps: &mut Vec<Step>, gentle: &BTreeSet<Object>) {
    let interrupted = |key: TunnelKey| {
        let of_it = |s: &&Step| tunnel_of(&s.object) == Some(key);
        // What is recreated carries traffic until then, what is only created does not.
        let recreated = |s: &Step| s.verb == Verb::Create && has(steps, &s.object, Verb::Delete);
        let created = |s: &Step| {
            s.verb == Verb::Create && !matches!(s.object, Object::RolledMark(_)) && !has(steps, &s.object, Verb::Delete)
        };
        let made =
            steps.iter().filter(of_it).any(created) || has(steps, &Object::VpnConnection(key.instance), Verb::Create);
        let changed = |s: &Step| s.verb == Verb::Change && !gentle.contains(&s.object);
        !made && steps.iter().filter(of_it).any(|s| changed(s) || recreated(s))
    };
    let mut rolled: Vec<TunnelKey> = TunnelKey::ALL.into_iter().filter(|key| interrupted(*key)).collect();
    rolled.sort_by_key(|key| (seen.is_up(*key), *key));
    let last = rolled.last().copied();
    let mut before: Vec<StepId> = Vec::new();
    for key in rolled.clone() {
        if last != Some(key) {
            session(steps, key);
        }
        if seen.is_up(key) {
            // Also what is only now being made has to be up.
            let others = steps.iter().filter(|s| tunnel_of(&s.object).is_some_and(|other| !rolled.contains(&other)));
            let after = before.iter().cloned().chain(others.map(Step::id)).collect();
            let gate = Step { object: Object::OtherTunnels(key), verb: Verb::Await, after, because: vec![] };
            before.push(gate.id());
            steps.push(gate);
        }
        for step in steps.iter_mut().filter(|s| tunnel_of(&s.object) == Some(key)) {
            step.after.extend(before.iter().cloned());
        }
        before = steps_of(steps, key);
    }
}
