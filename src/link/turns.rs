//! Who goes when: steps that the graph would let run at the same time, and that must not.

use super::differ;
use super::observed::Observed;
use super::spec::{AzureGateway, Spec};
use super::step::{Object, Step, StepId, Verb};
use super::tunnel::{Instance, TunnelKey};
use std::collections::BTreeSet;

/// Adds to each step what it has to wait for beside what it needs; `gentle` changes interrupt no tunnel.
pub(super) fn take_turns(spec: &Spec, seen: &Observed, steps: &mut Vec<Step>, gentle: &BTreeSet<Object>) {
    if matches!(spec.azure.gateway, AzureGateway::Existing(_)) {
        addresses_after_marks(steps);
    }
    one_tunnel_at_a_time(seen, steps, gentle);
    connections_before_tunnels(steps);
    one_connection_at_a_time(spec, seen, steps);
}

/// Addresses go on somebody else's gateway only when the customer gateways stand, whose tags tell a later run which of them
/// were there before.
fn addresses_after_marks(steps: &mut [Step]) {
    let marks: Vec<StepId> = steps
        .iter()
        .filter(|step| step.verb == Verb::Create && matches!(step.object, Object::CustomerGateway(_)))
        .map(Step::id)
        .collect();
    for step in steps.iter_mut().filter(|step| step.object == Object::Gateway) {
        step.after.extend(marks.iter().cloned());
    }
}

/// A change that interrupts a whole VPN connection, and whose step waits for the sessions too, leaves the other connection's
/// tunnels alone; single tunnels change when both connections are done.
fn connections_before_tunnels(steps: &mut [Step]) {
    let [first, second] = Instance::ALL;
    let changes = [first, second].map(|instance| (Object::VpnConnection(instance), Verb::Change));
    let changes: Vec<StepId> = changes.into_iter().filter(|id| steps.iter().any(|step| step.id() == *id)).collect();
    for step in steps.iter_mut().filter(|step| step.verb == Verb::Change) {
        let earlier = changes.iter().filter(|(object, _)| match step.object {
            Object::VpnConnection(_) => *object == Object::VpnConnection(first) && step.object != *object,
            _ => tunnel_of(&step.object).is_some(),
        });
        step.after.extend(earlier.cloned().collect::<Vec<_>>());
    }
}

/// Where its own settings make each VPN connection obsolete, the second goes when the sessions of the first are there again.
fn one_connection_at_a_time(spec: &Spec, seen: &Observed, steps: &mut Vec<Step>) {
    let [first, second] = Instance::ALL;
    let alone = |instance: Instance| {
        let have = seen.aws.vpns.get(instance).as_ref();
        let obsolete = have.is_some_and(|have| differ::vpn_connection_is_obsolete(spec, have, instance).is_some());
        obsolete
            && !steps.iter().any(|step| step.object == Object::CustomerGateway(instance) && step.verb == Verb::Delete)
    };
    if !alone(first) || !alone(second) {
        return;
    }
    let mut before: Vec<StepId> = Vec::new();
    for key in first.tunnels() {
        let session = (Object::Session(key), Verb::Await);
        if !steps.iter().any(|step| step.id() == session) {
            let changes = steps.iter().filter(|step| tunnel_of(&step.object) == Some(key)).map(Step::id).collect();
            steps.push(Step { object: session.0.clone(), verb: session.1, after: changes, because: vec![] });
        }
        before.push(session);
    }
    for step in
        steps.iter_mut().filter(|step| step.object == Object::VpnConnection(second) && step.verb == Verb::Delete)
    {
        step.after.extend(before.iter().cloned());
    }
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
        let made =
            steps.iter().filter(of_it).any(|s| s.verb == Verb::Create && !matches!(s.object, Object::RolledMark(_)))
                || steps.iter().any(|s| s.verb == Verb::Create && s.object == Object::VpnConnection(key.instance));
        !made && steps.iter().filter(of_it).any(|s| s.verb == Verb::Change && !gentle.contains(&s.object))
    };
    let is_up = |key: TunnelKey| seen.tunnel(key).and_then(|t| t.telemetry.as_ref()).is_some_and(|t| t.up);
    let mut rolled: Vec<TunnelKey> = TunnelKey::ALL.into_iter().filter(|key| interrupted(*key)).collect();
    rolled.sort_by_key(|key| (is_up(*key), *key));
    let last = rolled.last().copied();
    let mut before: Vec<StepId> = Vec::new();
    for key in rolled.clone() {
        let session = (Object::Session(key), Verb::Await);
        // The next tunnel waits for this one, whether the user waits for the last or not.
        if last != Some(key) && !steps.iter().any(|s| s.id() == session) {
            let changes = steps.iter().filter(|s| tunnel_of(&s.object) == Some(key)).map(Step::id).collect();
            steps.push(Step { object: session.0, verb: session.1, after: changes, because: vec![] });
        }
        if is_up(key) {
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
        before = steps.iter().filter(|s| tunnel_of(&s.object) == Some(key)).map(Step::id).collect();
    }
}
