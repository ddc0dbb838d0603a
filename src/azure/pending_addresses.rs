//! BGP addresses that links wait to add to a gateway, or to remove from it. A write of a gateway
//! takes minutes and only one may run at a time, so the link that has the lock writes the addresses of
//! all links that wait. The others find their addresses written when it is their turn.
//!
//! Rule: only addresses of links that still wait are written. A link that gives up is left out.

use super::documents::gateway::AddressEdit;
use super::id::ResourceId;
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// All that wait in this process; clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct PendingAddresses(Arc<Mutex<Vec<Weak<PendingEdit>>>>);

/// The addresses of one link, which wait until this is dropped.
#[derive(Debug)]
pub(super) struct PendingEdit {
    gateway: ResourceId,
    edit: AddressEdit,
    is_written: AtomicBool,
}

/// What others waited for when a write began.
#[derive(Debug, Default)]
pub(super) struct OtherEdits(Vec<Weak<PendingEdit>>);

impl PendingAddresses {
    pub fn announce(&self, gateway: &ResourceId, edit: AddressEdit) -> Arc<PendingEdit> {
        let own = Arc::new(PendingEdit {
            gateway: gateway.clone(),
            edit,
            is_written: AtomicBool::new(false),
        });
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|one| one.strong_count() > 0);
        waiting.push(Arc::downgrade(&own));
        own
    }

    /// The edits of other links at the same gateway that are not written yet.
    pub fn others(&self, own: &Arc<PendingEdit>) -> OtherEdits {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_other = |one: &Arc<PendingEdit>| {
            !Arc::ptr_eq(one, own)
                && one.gateway == own.gateway
                && !one.is_empty()
                && !one.is_written()
        };
        OtherEdits(
            waiting
                .iter()
                .filter(|one| one.upgrade().is_some_and(|one| is_other(&one)))
                .cloned()
                .collect(),
        )
    }
}

impl PendingEdit {
    pub fn is_empty(&self) -> bool {
        self.edit.is_empty()
    }

    pub fn is_written(&self) -> bool {
        self.is_written.load(Ordering::Relaxed)
    }

    /// Addresses that another link has removed in the meantime may have been added again by a third
    /// one, so they are removed once only.
    pub fn apply(&self, doc: &mut Value) {
        let edit = AddressEdit {
            remove: match self.is_written() {
                true => Vec::new(),
                false => self.edit.remove.clone(),
            },
            add: self.edit.add.clone(),
        };
        edit.apply(doc);
    }
}

impl OtherEdits {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn apply(&self, doc: &mut Value) {
        let waiting = self.0.iter().filter_map(Weak::upgrade);
        waiting.for_each(|one| one.edit.apply(doc));
    }

    /// The gateway is now like this.
    pub fn mark_written(&self, doc: &Value) {
        for one in self.0.iter().filter_map(Weak::upgrade) {
            if one.edit.is_applied(doc) {
                one.is_written.store(true, Ordering::Relaxed);
            }
        }
    }
}
