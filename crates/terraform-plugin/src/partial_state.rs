//! What a running apply has made so far, kept outside of it: should it panic, this is what
//! Terraform stores.

use std::sync::{Arc, Mutex, PoisonError};

use super::diagnostics::Diagnostics;
use super::request::ApplyResponse;
use super::value::Value;

/// A place to note the state of an object while it is being changed. Clones share it.
#[derive(Clone)]
pub struct PartialState(Arc<Mutex<Saved>>);

#[derive(Clone)]
struct Saved {
    state: Value,
    private: Vec<u8>,
    identity: Option<Value>,
}

impl PartialState {
    /// A checkpoint that holds the state from before the change.
    pub fn new(prior: Value, private: Vec<u8>, identity: Option<Value>) -> Self {
        Self(Arc::new(Mutex::new(Saved {
            state: prior,
            private,
            identity,
        })))
    }

    /// Notes what there is now, instead of what was noted before. Null: nothing is left.
    pub fn save(&self, state: Value, private: Vec<u8>, identity: Option<Value>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Saved {
            state,
            private,
            identity,
        };
    }

    /// The answer that says what was noted last. What is unknown in it becomes null, for Terraform
    /// stores no unknowns.
    pub fn response(&self, diagnostics: Diagnostics) -> ApplyResponse {
        let saved = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        ApplyResponse {
            new_state: saved.state.unknown_as_null(),
            private: saved.private,
            identity: saved.identity.map(Value::unknown_as_null),
            diagnostics,
        }
    }
}
