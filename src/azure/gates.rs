//! One gate per Azure gateway, and one per resource group that is created: whatever changes it passes one at a time.
//!
//! Writes of a gateway, of its connections and of their shared keys refuse each other at Azure with 409 or 429, so
//! they queue here instead, first come, first served. Links that share a gateway do not pay for each other: see
//! [`Gates::enter`].

use super::error::{Error, Facts};
use super::id::ResourceId;
use super::waits::Waits;
use crate::primitives::Deadline;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use tokio::sync::{Mutex, OwnedMutexGuard, watch};

/// All gates of a process; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Gates(Arc<std::sync::Mutex<BTreeMap<String, Arc<Gate>>>>);

#[derive(Debug, Default)]
struct Gate {
    turn: Arc<Mutex<()>>,
    /// The operation whose turn it is.
    holder: watch::Sender<Option<Deadline>>,
}

/// The right to change one gateway or resource group, until dropped.
#[derive(Debug)]
#[must_use = "the gate closes when this is dropped"]
pub struct Passage {
    gate: Arc<Gate>,
    /// For the calls that change the gateway.
    pub waits: Waits,
    #[allow(dead_code, reason = "held for its drop")]
    turn: OwnedMutexGuard<()>,
}

impl Drop for Passage {
    fn drop(&mut self) {
        self.gate.holder.send_replace(None);
    }
}

impl Gates {
    /// Waits for its turn at `gateway`. Not reentrant. While it is another operation's turn, the deadline's clock stands still;
    /// while it is that of another step of the same operation, it runs.
    ///
    /// # Errors
    /// `Cancelled` or `TimedOut`.
    pub async fn enter(&self, gateway: &ResourceId, waits: &Waits) -> Result<Passage, Error> {
        self.enter_at(gateway.as_str(), waits).await
    }

    /// The same at the path of anything that is changed one at a time.
    ///
    /// # Errors
    /// `Cancelled` or `TimedOut`.
    pub async fn enter_at(&self, path: &str, waits: &Waits) -> Result<Passage, Error> {
        let facts = Facts::new("wait for other changes of", path);
        waits.check(&facts)?;
        // Azure compares paths without regard to case.
        let key = path.to_ascii_lowercase();
        let gate = Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
        let mut holders = gate.holder.subscribe();
        let turn = Arc::clone(&gate.turn).lock_owned();
        tokio::pin!(turn);
        let mut queued = None;
        loop {
            let holder = holders.borrow_and_update().clone();
            queued = match holder {
                Some(holder) if !holder.is_shared_with(&waits.deadline) => {
                    queued.or_else(|| Some(waits.deadline.queue()))
                }
                _ => None,
            };
            tokio::select! {
                biased;
                () = waits.cancel.cancelled() => return Err(Error::Cancelled(Box::new(facts))),
                turn = &mut turn => {
                    gate.holder.send_replace(Some(waits.deadline.clone()));
                    return Ok(Passage { gate, waits: waits.at_turn(), turn });
                }
                () = waits.deadline.over() => return Err(Error::TimedOut(Box::new(facts))),
                // Cannot fail: this holds the sender.
                _ = holders.changed() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::time::Duration;
    use tokio::time::Instant;
    use tokio_util::sync::CancellationToken;

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

    fn gateway() -> ResourceId {
        ResourceId::network("s", "g", "virtualNetworkGateways", "one")
    }

    /// An operation that may take that long, and queue for a day.
    fn operation(minutes: u64) -> Waits {
        let deadline = Deadline::new(Duration::from_secs(60 * minutes), Duration::from_secs(24 * 3600));
        Waits::until(deadline, CancellationToken::new())
    }

    /// One step: has its turn for that long. Returns whether it had it in time.
    async fn step(gates: &Gates, waits: &Waits, minutes: u64) -> bool {
        let Ok(passage) = gates.enter(&gateway(), waits).await else { return false };
        passage.waits.sleep(Duration::from_secs(60 * minutes), &Facts::new("w", "t")).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn queue_behind_other_operations_takes_no_time_of_ones_own() {
        let gates = Gates::default();
        // Ten operations of four steps, all at once: each has 24 minutes for the 20 that it takes alone.
        let operations = (0..10).map(|_| async {
            let waits = operation(24);
            let steps = (0..4).map(|_| step(&gates, &waits, 5));
            futures::future::join_all(steps).await.into_iter().all(|done| done)
        });
        let begun = Instant::now();
        assert!(futures::future::join_all(operations).await.into_iter().all(|done| done));
        assert_eq!(begun.elapsed(), Duration::from_secs(60 * 200));
    }

    #[tokio::test(start_paused = true)]
    async fn queue_behind_own_steps_takes_time() {
        let (gates, waits) = (Gates::default(), operation(14));
        let steps = (0..4).map(|_| step(&gates, &waits, 5));
        let done = futures::future::join_all(steps).await;
        assert_eq!(done, [true, true, false, false]);
    }

    #[tokio::test(start_paused = true)]
    async fn cancellation_ends_a_queue_at_once() {
        let (gates, waits) = (Gates::default(), operation(60));
        let _held = gates.enter(&gateway(), &operation(60)).await.unwrap();
        let begun = Instant::now();
        let cancel = async {
            tokio::time::sleep(Duration::from_secs(7)).await;
            waits.cancel.cancel();
        };
        let one = gateway();
        let (ended, ()) = tokio::join!(gates.enter(&one, &waits), cancel);
        assert!(matches!(ended, Err(Error::Cancelled(_))));
        assert_eq!(begun.elapsed(), Duration::from_secs(7));
    }
}
