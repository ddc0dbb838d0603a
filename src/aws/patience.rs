//! How long a call may take, who may stop it, and how its waits are spread.

use super::error::{Error, Failure};
use crate::primitives::Tags;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const FIRST_RETRY: Duration = Duration::from_millis(250);
const LONGEST_RETRY: Duration = Duration::from_secs(20);

/// Until when a call may go on, and the token with which it is stopped before.
#[derive(Clone, Debug)]
pub struct Waits {
    pub cancel: CancellationToken,
    pub deadline: Instant,
}

impl Waits {
    /// No cancellation, and `limit` from now.
    pub fn within(limit: Duration) -> Self {
        Waits { cancel: CancellationToken::new(), deadline: Instant::now() + limit }
    }

    /// Runs `work` until it ends. A stop ends it at once, or where it has a grace, as soon as that is over.
    ///
    /// # Errors
    /// `Cancelled`, `TimedOut`.
    pub(super) async fn run<F: Future>(
        &self,
        operation: &'static str,
        target: &str,
        grace: Duration,
        work: F,
    ) -> Result<F::Output, Error> {
        let cancelled = async {
            self.cancel.cancelled().await;
            tokio::time::sleep(grace).await;
        };
        tokio::select! {
            biased;
            output = work => Ok(output),
            () = cancelled => Err(Error::Cancelled(Failure::local(operation, target, "stopped by request"))),
            () = tokio::time::sleep_until(self.deadline + grace) =>
                Err(Error::TimedOut(Failure::local(operation, target, "the time limit is over"))),
        }
    }

    /// Says so where no new step may start any more.
    ///
    /// # Errors
    /// `Cancelled`, `TimedOut`.
    pub(super) fn check(&self, operation: &'static str, target: &str) -> Result<(), Error> {
        if self.cancel.is_cancelled() {
            Err(Error::Cancelled(Failure::local(operation, target, "stopped by request")))
        } else if Instant::now() >= self.deadline {
            Err(Error::TimedOut(Failure::local(operation, target, "the time limit is over")))
        } else {
            Ok(())
        }
    }

    /// Pauses; a stop or the deadline ends it.
    ///
    /// # Errors
    /// `Cancelled`, `TimedOut`.
    pub async fn sleep(&self, operation: &'static str, target: &str, time: Duration) -> Result<(), Error> {
        self.run(operation, target, Duration::ZERO, tokio::time::sleep(time)).await
    }
}

/// How an object that a create was to make is known again when the answer was lost.
#[derive(Clone, Copy, Debug)]
pub struct Own<'a> {
    /// Tags that only this object has among those of its kind. Empty: it cannot be looked up, the loss is reported.
    pub tags: &'a Tags,
    /// Ids of objects that carried these tags before the create: predecessors that are about to be replaced.
    pub known: &'a [String],
}

impl<'a> Own<'a> {
    /// Objects with these tags, none of which existed before.
    pub fn new(tags: &'a Tags) -> Self {
        Own { tags, known: &[] }
    }
}

/// Random parts of the pauses between retries: seeded by the operating system, or by a number that makes a run repeatable.
#[derive(Debug)]
pub struct Jitter(AtomicU64);

impl Jitter {
    pub fn seeded(seed: u64) -> Self {
        Jitter(AtomicU64::new(seed))
    }

    pub fn from_system() -> Self {
        let mut seed = [0_u8; 8];
        // Without randomness the pauses are merely the same in every process.
        if getrandom::fill(&mut seed).is_err() {
            seed = u64::from(std::process::id()).to_le_bytes();
        }
        Self::seeded(u64::from_le_bytes(seed))
    }

    /// Pause before retry `n` (0 is the first): exponential, between half and all of it.
    pub(super) fn retry_after(&self, n: u32) -> Duration {
        let full = FIRST_RETRY.saturating_mul(1 << n.min(10)).min(LONGEST_RETRY);
        full.mul_f64(0.5 + self.fraction() / 2.0)
    }

    /// SplitMix64, mapped to 0..1.
    fn fraction(&self) -> f64 {
        let mut z = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed).wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) as f64 / u64::MAX as f64
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_pauses() {
        let pauses = |seed| (0..8).map(|n| Jitter::seeded(seed).retry_after(n)).collect::<Vec<_>>();
        assert_eq!(pauses(7), pauses(7));
        assert_ne!(pauses(7), pauses(8));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_a_wait_at_once_and_a_deadline_in_time() {
        let waits = Waits::within(Duration::from_secs(60));
        let begun = Instant::now();
        assert!(matches!(waits.sleep("Op", "it", Duration::from_secs(90)).await, Err(Error::TimedOut(_))));
        assert_eq!(begun.elapsed().as_secs(), 60);
        let waits = Waits::within(Duration::from_secs(60));
        waits.cancel.cancel();
        let begun = Instant::now();
        assert!(matches!(waits.sleep("Op", "it", Duration::from_secs(9)).await, Err(Error::Cancelled(_))));
        assert!(begun.elapsed() < Duration::from_millis(5));
    }
}
