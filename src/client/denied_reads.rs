//! Optional reads that the credentials do not permit. A run continues without them, and each is
//! reported once, as a warning.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A read that was rejected.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeniedRead {
    /// The permission that is missing, such as `ec2:DescribeNatGateways`.
    pub action: String,
    /// An Azure scope, or what the read was about.
    pub scope: String,
    /// What is not known without the read.
    pub consequence: &'static str,
    /// What the cloud reported.
    pub reason: String,
}

/// Those of an operation. Clones share the list.
#[derive(Clone, Debug, Default)]
pub struct DeniedReads(Arc<Mutex<BTreeMap<String, DeniedRead>>>);

impl DeniedReads {
    /// Records a rejected read. The first one of each action is kept.
    pub fn note(&self, read: DeniedRead) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(read.action.clone())
            .or_insert(read);
    }

    pub fn all(&self) -> Vec<DeniedRead> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }
}
