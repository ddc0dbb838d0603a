//! What changed in the clouds after a plan was made, as far as its apply would undo that or break what the plan promised.

use super::decide::{decide, drift};
use super::observed::Observed;
use super::spec::Spec;
use super::step::{Object, Step, Verb};
use std::collections::BTreeSet;

/// What a plan showed.
#[derive(Debug, Default)]
pub struct Shown {
    /// Objects whose ids or addresses it showed as known: the apply cannot make others.
    pub known: BTreeSet<Object>,
    /// Differences that it showed as to be repaired.
    pub drift: BTreeSet<String>,
    /// It showed new VPN connections: the Azure half follows them.
    pub renews_tunnels: bool,
    /// It showed new shared keys.
    pub renews_keys: bool,
}

/// Sentences about objects that are gone although the plan showed them, and, with the settings of before, about settings that
/// were changed since and that the plan does not mention.
pub fn outdated(before: Option<&Spec>, spec: &Spec, seen: &Observed, shown: &Shown) -> Vec<String> {
    let steps = decide(spec, seen);
    let gone = steps.iter().filter(|step| step.verb == Verb::Create && shown.known.contains(&step.object));
    let mut found: Vec<String> = gone.flat_map(|step| step.because.iter().cloned()).collect();
    // What differs from the settings of before and of the plan alike comes from neither of them.
    let others: BTreeSet<String> = before.map(|before| drift(before, seen)).into_iter().flatten().collect();
    let edited = |text: &&String| others.contains(*text) && !shown.drift.contains(*text);
    let steps = steps.iter().filter(|step| shows_edits(step, shown));
    let edits = steps.flat_map(|step| step.because.iter().filter(edited).cloned());
    found.extend(edits);
    found.sort();
    found.dedup();
    found
}

/// Whether a step undoes edits, rather than following other objects or making what is missing.
fn shows_edits(step: &Step, shown: &Shown) -> bool {
    match (&step.object, step.verb) {
        (Object::Propagation(_), Verb::Create) => !shown.renews_tunnels,
        (_, Verb::Create | Verb::Await) => false,
        (Object::UnfinishedMark | Object::RolledMark(_) | Object::Session(_), _) => false,
        (Object::OtherTunnels(_) | Object::OtherConnection(_) | Object::OwnAddresses, _) => false,
        (Object::SharedKey(_), _) => !shown.renews_keys && !shown.renews_tunnels,
        (Object::LocalGateway(_) | Object::CustomerGateway(_), _) => !shown.renews_tunnels,
        _ => true,
    }
}
