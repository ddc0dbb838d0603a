//! One gate per Azure gateway: whatever changes it passes one at a time.
//!
//! Writes of a gateway, of its connections and of their shared keys refuse each other at Azure with 409 or 429, so
//! they queue here instead, first come, first served.

use super::error::{Error, Facts};
use super::id::ResourceId;
use super::waits::Waits;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// All gates of a process; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Gates(Arc<std::sync::Mutex<BTreeMap<ResourceId, Arc<Mutex<()>>>>>);

/// The right to change one gateway, until dropped.
#[derive(Debug)]
#[must_use = "the gate closes when this is dropped"]
pub struct Passage(#[allow(dead_code, reason = "held for its drop")] OwnedMutexGuard<()>);

impl Gates {
    /// Waits for its turn at `gateway`. Not reentrant.
    ///
    /// # Errors
    /// `Cancelled` or `TimedOut`.
    pub async fn enter(&self, gateway: &ResourceId, waits: &Waits) -> Result<Passage, Error> {
        let facts = Facts::new("wait for other changes of", gateway.as_str());
        waits.check(&facts)?;
        let gate =
            Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(gateway.clone()).or_default());
        tokio::select! {
            biased;
            () = waits.cancel.cancelled() => Err(Error::Cancelled(Box::new(facts))),
            passage = gate.lock_owned() => Ok(Passage(passage)),
            () = tokio::time::sleep_until(waits.deadline) => Err(Error::TimedOut(Box::new(facts))),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn one_gateway_lets_in_one_and_another_gateway_is_free() {
        let (gates, waits) = (Gates::default(), Waits::lasting(Duration::from_secs(5)));
        let one = ResourceId::network("s", "g", "virtualNetworkGateways", "One");
        let other = ResourceId::network("s", "g", "virtualNetworkGateways", "two");
        let held = gates.enter(&one, &waits).await.unwrap();
        let _free = gates.enter(&other, &waits).await.unwrap();
        let same = ResourceId::network("s", "G", "virtualNetworkGateways", "ONE");
        assert!(matches!(gates.enter(&same, &waits).await, Err(Error::TimedOut(_))));
        drop(held);
        assert!(gates.enter(&same, &Waits::lasting(Duration::from_secs(1))).await.is_ok());
    }
}
