//! How long a call may take, and who may stop it.

use super::{Deadline, DeniedReads, ErrorContext};
use std::future::Future;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long a change that was sent may take to be answered after a cancellation or the deadline, so
/// that its effect becomes known. Terraform ends a provider 10 s after a cancellation: these 4 s and
/// the last observation, which may take 5 s, must fit.
pub const CANCEL_GRACE: Duration = Duration::from_secs(4);

/// Passed to every call: until when it may take, and the token with which it is stopped before.
#[derive(Clone, Debug)]
pub struct CallContext {
    pub cancel: CancellationToken,
    pub deadline: Deadline,
    /// Since when the object that the call changes is changed by no other call of this process.
    pub(crate) exclusive_since: Option<Instant>,
    /// Optional reads of the operation that were rejected.
    pub denied: DeniedReads,
}

/// Why a call ended before its work did. The context says what it was doing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Interrupted {
    /// By the caller.
    #[error("cancelled: {0}")]
    Cancelled(Box<ErrorContext>),
    /// The deadline passed, or would pass during the next wait.
    #[error("timed out: {0}")]
    DeadlineExceeded(Box<ErrorContext>),
}

impl CallContext {
    pub fn with_deadline(deadline: Deadline, cancel: CancellationToken) -> Self {
        CallContext {
            cancel,
            deadline,
            exclusive_since: None,
            denied: DeniedReads::default(),
        }
    }

    /// No cancellation, and `limit` from now.
    pub fn with_timeout(limit: Duration) -> Self {
        CallContext::with_deadline(Deadline::fixed(limit), CancellationToken::new())
    }

    /// Runs `work` until it ends. A cancellation or the deadline ends it after `grace`.
    ///
    /// # Errors
    /// `Cancelled`, `DeadlineExceeded`.
    pub async fn run<F: Future>(
        &self,
        grace: Duration,
        context: &ErrorContext,
        work: F,
    ) -> Result<F::Output, Interrupted> {
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
            () = cancelled => Err(Interrupted::Cancelled(Box::new(context.clone()))),
            () = over => Err(Interrupted::DeadlineExceeded(Box::new(context.clone()))),
        }
    }

    /// Whether a new step may start.
    ///
    /// # Errors
    /// `Cancelled`, `DeadlineExceeded`.
    pub fn check(&self, context: &ErrorContext) -> Result<(), Interrupted> {
        if self.cancel.is_cancelled() {
            Err(Interrupted::Cancelled(Box::new(context.clone())))
        } else if self.deadline.is_over() {
            Err(Interrupted::DeadlineExceeded(Box::new(context.clone())))
        } else {
            Ok(())
        }
    }

    /// Waits for `span`, unless the deadline passes before its end: then it fails at once, because
    /// nothing that follows the wait could be done.
    ///
    /// # Errors
    /// `Cancelled`, `DeadlineExceeded`.
    pub async fn sleep(&self, span: Duration, context: &ErrorContext) -> Result<(), Interrupted> {
        self.check(context)?;
        if self.deadline.is_over_after(span) {
            return Err(Interrupted::DeadlineExceeded(Box::new(context.clone())));
        }
        self.run(Duration::ZERO, context, tokio::time::sleep(span))
            .await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[tokio::test(start_paused = true)]
    async fn sleep_fails_at_once_if_it_cannot_fit() {
        let (ctx, context) = (
            CallContext::with_timeout(seconds(10)),
            ErrorContext::new("w", "t"),
        );
        let begun = Instant::now();
        assert!(matches!(
            ctx.sleep(seconds(11), &context).await,
            Err(Interrupted::DeadlineExceeded(_))
        ));
        ctx.cancel.cancel();
        assert!(matches!(
            ctx.sleep(seconds(1), &context).await,
            Err(Interrupted::Cancelled(_))
        ));
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn cancellation_and_deadline_end_work_after_grace() {
        let context = ErrorContext::new("w", "t");
        for (cancelled_after, expected) in [(3, 7), (60, 14)] {
            let ctx = CallContext::with_timeout(seconds(10));
            let token = ctx.cancel.clone();
            tokio::spawn(async move {
                tokio::time::sleep(seconds(cancelled_after)).await;
                token.cancel();
            });
            let begun = Instant::now();
            let never = std::future::pending::<()>();
            let ended = ctx.run(CANCEL_GRACE, &context, never).await;
            assert_eq!(
                matches!(ended, Err(Interrupted::Cancelled(_))),
                cancelled_after < 10
            );
            assert_eq!(begun.elapsed(), seconds(expected));
        }
        let ctx = CallContext::with_timeout(seconds(10));
        ctx.cancel.cancel();
        let answered = ctx.run(CANCEL_GRACE, &context, tokio::time::sleep(seconds(3)));
        assert!(answered.await.is_ok(), "the grace is not used");
    }
}
