//! Which tunnels an apply interrupts, computed from the steps that it takes.

use super::decide::decided;
use super::observed::Observed;
use super::spec::Spec;
use super::step::{Object, Step, Verb};
use super::tunnel::{Instance, TunnelKey};
use super::vpn_connection::differing;
use std::collections::BTreeSet;

/// A phrase for each VPN connection and each tunnel that is there and will be down for a while, with its ids.
pub fn interruptions(spec: &Spec, seen: &Observed) -> Vec<String> {
    let (steps, gentle) = decided(spec, seen);
    let has = |object: &Object, verb: Verb| steps.iter().any(|step| step.object == *object && step.verb == verb);
    let mut found = Vec::new();
    for instance in Instance::ALL {
        let connection = Object::VpnConnection(instance);
        let Some(have) = seen.aws.vpns.get(instance) else { continue };
        if has(&connection, Verb::Delete) {
            found.push(format!(
                "the VPN connection {} to {instance} is deleted and created again, with other AWS addresses",
                have.id
            ));
            continue;
        }
        if has(&connection, Verb::Change) && differing(spec, seen, have, instance).any() {
            found.push(format!(
                "the VPN connection {} to {instance} is changed, with both of its tunnels down",
                have.id
            ));
        }
        for key in instance.tunnels().into_iter().filter(|key| is_interrupted(&steps, &gentle, seen, *key)) {
            let ids = [
                seen.azure.connections.get(key).as_ref().map(|connection| connection.resource.id.name().to_owned()),
                seen.tunnel(key).map(|tunnel| tunnel.outside_ip.to_string()),
            ];
            let ids: Vec<String> = ids.into_iter().flatten().collect();
            found.push(format!("{key} ({})", ids.join(", ")));
        }
    }
    found
}

/// Whether both ends of a tunnel exist and one of them is changed or created again.
fn is_interrupted(steps: &[Step], gentle: &BTreeSet<Object>, seen: &Observed, key: TunnelKey) -> bool {
    let ends = [Object::Tunnel(key), Object::LocalGateway(key), Object::Connection(key), Object::SharedKey(key)];
    let changes = |step: &Step| {
        ends.contains(&step.object)
            && !gentle.contains(&step.object)
            && matches!(step.verb, Verb::Change | Verb::Delete)
    };
    seen.tunnel(key).is_some() && seen.azure.connections.get(key).is_some() && steps.iter().any(changes)
}
