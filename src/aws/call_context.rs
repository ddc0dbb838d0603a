//! How long a call may take, and who may stop it.

use super::error::{Error, ErrorContext};
use crate::client::Deadline;
use bgp_vpn::types::Tags;
use std::future::Future;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Until when a call may go on, and the token with which it is stopped before.
#[derive(Clone, Debug)]
pub struct CallContext {
    pub cancel: CancellationToken,
    pub deadline: Deadline,
}

impl CallContext {
    /// No cancellation, and `limit` from now.
    pub fn with_timeout(limit: Duration) -> Self {
        CallContext {
            cancel: CancellationToken::new(),
            deadline: Deadline::fixed(limit),
        }
    }

    /// Runs `work` until it ends. A stop ends it at once, or where it has a grace, as soon as that
    /// is over.
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
        let over = async {
            self.deadline.over().await;
            tokio::time::sleep(grace).await;
        };
        tokio::select! {
            biased;
            output = work => Ok(output),
            () = cancelled => Err(Error::Cancelled(ErrorContext::local(operation, target, "stopped by request"))),
            () = over =>
                Err(Error::TimedOut(ErrorContext::local(operation, target, "the time limit is over"))),
        }
    }

    /// Says so where no new step may start any more.
    ///
    /// # Errors
    /// `Cancelled`, `TimedOut`.
    pub(super) fn check(&self, operation: &'static str, target: &str) -> Result<(), Error> {
        if self.cancel.is_cancelled() {
            Err(Error::Cancelled(ErrorContext::local(
                operation,
                target,
                "stopped by request",
            )))
        } else if self.deadline.is_over() {
            Err(Error::TimedOut(ErrorContext::local(
                operation,
                target,
                "the time limit is over",
            )))
        } else {
            Ok(())
        }
    }

    /// Pauses; a stop or the deadline ends it.
    ///
    /// # Errors
    /// `Cancelled`, `TimedOut`.
    pub async fn sleep(
        &self,
        operation: &'static str,
        target: &str,
        time: Duration,
    ) -> Result<(), Error> {
        self.run(operation, target, Duration::ZERO, tokio::time::sleep(time))
            .await
    }
}

/// How an object that a create was to make is known again when the answer was lost.
#[derive(Clone, Copy, Debug)]
pub struct IdempotencyKey<'a> {
    /// Tags that only this object has among those of its kind. Empty: it cannot be looked up, the
    /// loss is reported.
    pub tags: &'a Tags,
    /// Ids of objects that carried these tags before the create: predecessors that are about to be
    /// replaced.
    pub known_ids: &'a [String],
}

impl<'a> IdempotencyKey<'a> {
    /// Objects with these tags, none of which existed before.
    pub fn new(tags: &'a Tags) -> Self {
        IdempotencyKey {
            tags,
            known_ids: &[],
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn cancellation_and_deadline_end_a_wait() {
        let ctx = CallContext::with_timeout(Duration::from_secs(60));
        let begun = Instant::now();
        assert!(matches!(
            ctx.sleep("Op", "it", Duration::from_secs(90)).await,
            Err(Error::TimedOut(_))
        ));
        assert_eq!(begun.elapsed().as_secs(), 60);
        let ctx = CallContext::with_timeout(Duration::from_secs(60));
        ctx.cancel.cancel();
        let begun = Instant::now();
        assert!(matches!(
            ctx.sleep("Op", "it", Duration::from_secs(9)).await,
            Err(Error::Cancelled(_))
        ));
        assert!(begun.elapsed() < Duration::from_millis(5));
    }
}
