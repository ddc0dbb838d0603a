//! What changed in the clouds after a plan was made, as far as its apply would undo that or break
//! what the plan promised.

use super::action::{Action, ActionTarget, Verb};
use super::observed::Observed;
use super::plan::{describe_drift, plan_actions};
use super::spec::Spec;
use std::collections::BTreeSet;

/// What a plan showed.
#[derive(Debug, Default)]
pub struct ShownPlan {
    /// Objects whose ids or addresses it showed as known: the apply cannot make others.
    pub known: BTreeSet<ActionTarget>,
    /// Differences that it showed as to be repaired.
    pub drift: BTreeSet<String>,
    /// It showed new VPN connections: the Azure half follows them.
    pub recreates_tunnels: bool,
    /// It showed new shared keys.
    pub rotates_keys: bool,
}

/// Sentences about objects that are gone although the plan showed them, and, with the settings of
/// before, about settings that were changed since and that the plan does not mention.
pub fn changes_since_plan(
    before: Option<&Spec>,
    spec: &Spec,
    observed: &Observed,
    shown: &ShownPlan,
) -> Vec<String> {
    let actions = plan_actions(spec, observed);
    let gone = actions
        .iter()
        .filter(|action| action.verb == Verb::Create && shown.known.contains(&action.target));
    let mut found: Vec<String> = gone
        .flat_map(|action| action.reasons.iter().cloned())
        .collect();
    // What differs from the settings of before and of the plan alike comes from neither of them.
    let others: BTreeSet<String> = before
        .map(|before| describe_drift(before, observed))
        .into_iter()
        .flatten()
        .collect();
    let edited = |text: &&String| others.contains(*text) && !shown.drift.contains(*text);
    let actions = actions.iter().filter(|action| reverts_edits(action, shown));
    let edits = actions.flat_map(|action| action.reasons.iter().filter(edited).cloned());
    found.extend(edits);
    found.sort();
    found.dedup();
    found
}

/// Whether a step undoes edits, rather than following other objects or making what is missing.
fn reverts_edits(action: &Action, shown: &ShownPlan) -> bool {
    match (&action.target, action.verb) {
        (ActionTarget::RoutePropagation(_), Verb::Create) => !shown.recreates_tunnels,
        (_, Verb::Create | Verb::WaitFor) => false,
        (
            ActionTarget::IncompleteTag
            | ActionTarget::KeyRotationTag(_)
            | ActionTarget::BgpSession(_),
            _,
        ) => false,
        (
            ActionTarget::PeerTunnelsUp(_)
            | ActionTarget::PeerConnectionUp(_)
            | ActionTarget::CustomBgpAddresses,
            _,
        ) => false,
        (ActionTarget::SharedKey(_), _) => !shown.rotates_keys && !shown.recreates_tunnels,
        (ActionTarget::LocalGateway(_) | ActionTarget::CustomerGateway(_), _) => {
            !shown.recreates_tunnels
        }
        _ => true,
    }
}
