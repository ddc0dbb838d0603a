//! What the caller may do: an IAM policy for AWS and a custom role for Azure. Without them everything
//! is permitted.
//!
//! | module | holds |
//! |---|---|
//! | `policy` | an IAM policy document, and whether it allows a request |
//! | `role` | an Azure role definition, and whether it has an action |
//! | `pattern` | the wildcards of both |
//!
//! Which actions a call needs is the business of each cloud: `aws::authorization` and
//! `azure::authorization`.

mod pattern;
mod policy;
mod role;

#[cfg(test)]
mod tests;

pub use policy::{AccessRequest, Policy};
pub use role::Role;

use std::collections::BTreeSet;

/// Why a document is not enforced. An element that is not understood is an error: ignoring it would
/// permit more, or less, than the cloud does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    #[error("not JSON: {0}")]
    Json(String),
    #[error("{0} is missing or has the wrong type")]
    Missing(String),
    #[error("{0} is not supported by the sandbox")]
    Unsupported(String),
}

/// The permissions of every caller of a world.
#[derive(Clone, Debug, Default)]
pub struct Authorization {
    pub aws: Option<Policy>,
    pub azure: Option<Role>,
    /// The actions that calls needed so far. Recorded while `records` is set.
    pub needed: BTreeSet<String>,
    pub records: bool,
}

impl Authorization {
    /// Whether the actions of a call have to be found out at all.
    pub fn is_active(&self, cloud_is_restricted: bool) -> bool {
        self.records || cloud_is_restricted
    }

    /// Records that a call needed an action.
    pub fn record(&mut self, action: &str) {
        if self.records && !self.needed.contains(action) {
            self.needed.insert(action.to_owned());
        }
    }
}
