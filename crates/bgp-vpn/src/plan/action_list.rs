//! The actions planned so far.

use crate::action::{Action, ActionTarget, Change, Verb};
use crate::compare::Reasons;
use std::collections::BTreeSet;

/// The steps so far, and the objects of those changes that interrupt no tunnel: of labels alone,
/// for one.
#[derive(Default)]
pub(super) struct ActionList {
    pub(super) actions: Vec<Action>,
    pub(super) nondisruptive: BTreeSet<ActionTarget>,
}

impl ActionList {
    pub(super) fn push(&mut self, verb: Verb, object: ActionTarget, because: Reasons) {
        self.actions.push(Action::new(object, verb, because));
    }

    /// An action with what was decided about it.
    pub(super) fn push_change(
        &mut self,
        verb: Verb,
        object: ActionTarget,
        because: Reasons,
        change: Change,
    ) {
        self.actions.push(Action {
            change,
            ..Action::new(object, verb, because)
        });
    }

    pub(super) fn create(&mut self, object: ActionTarget) {
        let because = vec![format!("{object} is missing")];
        self.push(Verb::Create, object, because);
    }

    pub(super) fn update(&mut self, object: ActionTarget, because: Reasons) {
        if !because.is_empty() {
            self.push(Verb::Update, object, because);
        }
    }

    /// A change that interrupts nothing where nothing but that differs.
    pub(super) fn update_nondisruptive(
        &mut self,
        object: ActionTarget,
        because: Reasons,
        nondisruptive: &Reasons,
    ) {
        if because == *nondisruptive {
            self.nondisruptive.insert(object.clone());
        }
        self.update(object, because);
    }

    pub(super) fn has(&self, verb: Verb, object: &ActionTarget) -> bool {
        self.actions
            .iter()
            .any(|action| action.verb == verb && action.target == *object)
    }

    pub(super) fn touches(&self, object: &ActionTarget) -> bool {
        self.actions.iter().any(|action| action.target == *object)
    }
}
