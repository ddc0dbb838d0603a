//! One lock per Azure gateway, and one per resource group that is created: changes of it run one at
//! a time.
//!
//! Writes of a gateway, of its connections and of their shared keys refuse each other at Azure with
//! 409 or 429, so they queue here instead, first come, first served. Links that share a gateway do
//! not pay for each other: see [`lock`].

use super::error::Error;
use super::id::ResourceId;
use super::pending_addresses::PendingAddresses;
use crate::client::{CallContext, Deadline, ErrorContext, Queued, WaitLog};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex, OwnedMutexGuard, watch};
use tokio::time::Instant;

/// How long a gateway may be busy with changes of others before that counts as this operation's
/// time. Azure itself finishes any one change of a gateway within an hour; one that is busy for
/// longer may be stuck.
const MAX_BUSY_GATEWAY: Duration = Duration::from_secs(60 * 60);

/// All locks of a process; clones share them.
#[derive(Clone, Debug, Default)]
pub struct GatewayLocks {
    locks: Arc<std::sync::Mutex<BTreeMap<String, Arc<GatewayLock>>>>,
    pub(super) pending_addresses: PendingAddresses,
}

#[derive(Debug, Default)]
struct GatewayLock {
    turn: Arc<Mutex<()>>,
    /// The operation whose turn it is.
    holder: watch::Sender<Option<Deadline>>,
}

/// The right to change one gateway or resource group, until dropped.
#[derive(Debug)]
#[must_use = "the lock is released when this is dropped"]
pub struct GatewayGuard {
    gate: Arc<GatewayLock>,
    /// For the calls that change the gateway.
    pub context: CallContext,
    #[allow(dead_code, reason = "held for its drop")]
    turn: OwnedMutexGuard<()>,
}

impl Drop for GatewayGuard {
    fn drop(&mut self) {
        self.gate.holder.send_replace(None);
    }
}

impl CallContext {
    /// For calls that have their turn at a gateway from now on.
    #[must_use]
    fn in_turn(&self) -> Self {
        CallContext {
            exclusive_since: Some(Instant::now()),
            ..self.clone()
        }
    }

    /// Pauses the deadline while the gateway is busy although this call holds its lock. Another user
    /// or Azure itself is changing it.
    pub(super) fn pause_while_busy(&self) -> Option<Queued> {
        self.exclusive_since
            .filter(|since| since.elapsed() < MAX_BUSY_GATEWAY)
            .map(|_| self.deadline.queue())
    }
}

impl GatewayLocks {
    /// Waits for the lock of `gateway`. Not reentrant. The deadline is paused while another operation
    /// holds the lock, and runs while another step of the same operation holds it.
    ///
    /// # Errors
    /// `Cancelled` or `DeadlineExceeded`.
    pub async fn lock(
        &self,
        gateway: &ResourceId,
        ctx: &CallContext,
    ) -> Result<GatewayGuard, Error> {
        self.lock_path(gateway.as_str(), ctx).await
    }

    /// The same at the path of anything that is changed one at a time.
    ///
    /// # Errors
    /// `Cancelled` or `DeadlineExceeded`.
    pub async fn lock_path(&self, path: &str, ctx: &CallContext) -> Result<GatewayGuard, Error> {
        let context = ErrorContext::new("wait for other changes of", path);
        ctx.check(&context)?;
        // Azure compares paths without regard to case.
        let key = path.to_ascii_lowercase();
        let gate = Arc::clone(
            self.locks
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(key)
                .or_default(),
        );
        let mut holders = gate.holder.subscribe();
        let turn = Arc::clone(&gate.turn).lock_owned();
        tokio::pin!(turn);
        let mut queued = None;
        let mut log = WaitLog::begin();
        loop {
            log.pending(&context);
            let holder = holders.borrow_and_update().clone();
            queued = match holder {
                Some(holder) if !holder.is_shared_with(&ctx.deadline) => {
                    queued.or_else(|| Some(ctx.deadline.queue()))
                }
                _ => None,
            };
            tokio::select! {
                biased;
                () = ctx.cancel.cancelled() => return Err(Error::Cancelled(Box::new(context))),
                turn = &mut turn => {
                    gate.holder.send_replace(Some(ctx.deadline.clone()));
                    return Ok(GatewayGuard { gate, context: ctx.in_turn(), turn });
                }
                () = ctx.deadline.over() => return Err(Error::DeadlineExceeded(Box::new(context))),
                // Cannot fail: this holds the sender.
                _ = holders.changed() => {}
                () = tokio::time::sleep_until(log.next_line()) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use tokio_util::sync::CancellationToken;

    #[tokio::test(start_paused = true)]
    async fn lock_is_per_gateway() {
        let (locks, ctx) = (
            GatewayLocks::default(),
            CallContext::with_timeout(Duration::from_secs(5)),
        );
        let one = ResourceId::network("s", "g", "virtualNetworkGateways", "One");
        let other = ResourceId::network("s", "g", "virtualNetworkGateways", "two");
        let held = locks.lock(&one, &ctx).await.unwrap();
        let _free = locks.lock(&other, &ctx).await.unwrap();
        let same = ResourceId::network("s", "G", "virtualNetworkGateways", "ONE");
        assert!(matches!(
            locks.lock(&same, &ctx).await,
            Err(Error::DeadlineExceeded(_))
        ));
        drop(held);
        assert!(
            locks
                .lock(&same, &CallContext::with_timeout(Duration::from_secs(1)))
                .await
                .is_ok()
        );
    }

    fn gateway() -> ResourceId {
        ResourceId::network("s", "g", "virtualNetworkGateways", "one")
    }

    /// An operation that may take that long, and queue for a day.
    fn operation(minutes: u64) -> CallContext {
        let deadline = Deadline::new(
            Duration::from_secs(60 * minutes),
            Duration::from_secs(24 * 3600),
        );
        CallContext::with_deadline(deadline, CancellationToken::new())
    }

    /// One step: has its turn for that long. Returns whether it had it in time.
    async fn step(locks: &GatewayLocks, ctx: &CallContext, minutes: u64) -> bool {
        let Ok(guard) = locks.lock(&gateway(), ctx).await else {
            return false;
        };
        guard
            .context
            .sleep(
                Duration::from_secs(60 * minutes),
                &ErrorContext::new("w", "t"),
            )
            .await
            .is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_for_others_extends_deadline() {
        let locks = GatewayLocks::default();
        // Ten operations of four steps, all at once: each has 24 minutes for the 20 that it takes
        // alone.
        let operations = (0..10).map(|_| async {
            let ctx = operation(24);
            let steps = (0..4).map(|_| step(&locks, &ctx, 5));
            futures::future::join_all(steps)
                .await
                .into_iter()
                .all(|done| done)
        });
        let begun = Instant::now();
        assert!(
            futures::future::join_all(operations)
                .await
                .into_iter()
                .all(|done| done)
        );
        assert_eq!(begun.elapsed(), Duration::from_secs(60 * 200));
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_for_own_steps_uses_deadline() {
        let (locks, ctx) = (GatewayLocks::default(), operation(14));
        let steps = (0..4).map(|_| step(&locks, &ctx, 5));
        let done = futures::future::join_all(steps).await;
        assert_eq!(done, [true, true, false, false]);
    }

    #[tokio::test(start_paused = true)]
    async fn cancellation_ends_lock_wait_at_once() {
        let (locks, ctx) = (GatewayLocks::default(), operation(60));
        let _held = locks.lock(&gateway(), &operation(60)).await.unwrap();
        let begun = Instant::now();
        let cancel = async {
            tokio::time::sleep(Duration::from_secs(7)).await;
            ctx.cancel.cancel();
        };
        let one = gateway();
        let (ended, ()) = tokio::join!(locks.lock(&one, &ctx), cancel);
        assert!(matches!(ended, Err(Error::Cancelled(_))));
        assert_eq!(begun.elapsed(), Duration::from_secs(7));
    }
}
