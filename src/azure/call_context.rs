//! How long a call may take, and whether its caller still wants it.

use super::error::{Error, ErrorContext};
use crate::client::{Deadline, Queued, poll_interval};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Passed to every call: cancellation and a deadline.
///
/// Cancellation ends waiting at once; a request already on the wire gets [`GRACE`] to be answered
/// first, so that its effect is known.
#[derive(Clone, Debug)]
pub struct CallContext {
    pub cancel: CancellationToken,
    pub deadline: Deadline,
    /// Since when a gateway may be changed, by a call that passed its gate.
    turn: Option<Instant>,
}

/// How long a gateway may be busy with changes of others before that counts as this operation's
/// time. Azure itself finishes any one change of a gateway within an hour; one that is busy for
/// longer may be stuck.
const MAX_BUSY_GATEWAY: Duration = Duration::from_secs(60 * 60);

/// What a request on the wire gets after cancellation. Terraform wants an answer within 10 s.
pub const CANCEL_GRACE: Duration = Duration::from_secs(4);

impl CallContext {
    pub fn with_deadline(deadline: Deadline, cancel: CancellationToken) -> Self {
        CallContext {
            cancel,
            deadline,
            turn: None,
        }
    }

    /// From now on for that long, not cancellable.
    pub fn with_timeout(span: Duration) -> Self {
        CallContext::with_deadline(Deadline::fixed(span), CancellationToken::new())
    }

    /// For calls that have their turn at a gateway from now on.
    #[must_use]
    pub(super) fn in_turn(&self) -> Self {
        CallContext {
            turn: Some(Instant::now()),
            ..self.clone()
        }
    }

    /// Stops the clock while a gateway, which this process changes only at its turn, is busy all
    /// the same: others change it.
    pub(super) fn pause_while_busy(&self) -> Option<Queued> {
        self.turn
            .filter(|since| since.elapsed() < MAX_BUSY_GATEWAY)
            .map(|_| self.deadline.queue())
    }

    /// Sleeps.
    ///
    /// # Errors
    /// `Cancelled` at once when cancelled; `TimedOut` at once where the deadline would pass
    /// meanwhile.
    pub async fn sleep(&self, span: Duration, context: &ErrorContext) -> Result<(), Error> {
        self.check(context)?;
        if self.deadline.is_over_after(span) {
            return Err(Error::TimedOut(Box::new(context.clone())));
        }
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Error::Cancelled(Box::new(context.clone()))),
            () = tokio::time::sleep(span) => Ok(()),
            () = self.deadline.over() => Err(Error::TimedOut(Box::new(context.clone()))),
        }
    }

    /// # Errors
    /// `Cancelled` or `TimedOut` if that is so now.
    pub fn check(&self, context: &ErrorContext) -> Result<(), Error> {
        if self.cancel.is_cancelled() {
            Err(Error::Cancelled(Box::new(context.clone())))
        } else if self.deadline.is_over() {
            Err(Error::TimedOut(Box::new(context.clone())))
        } else {
            Ok(())
        }
    }

    /// Ends [`GRACE`] after cancellation; never before.
    pub(super) async fn cancelled_after_grace(&self) {
        self.cancel.cancelled().await;
        tokio::time::sleep(CANCEL_GRACE).await;
    }
}

/// Pause before the next look at something under way for `waited`. Azure asks for the same few
/// seconds from the first look to the last; it is never asked sooner, and about things that take
/// long not that often.
pub fn poll_delay(waited: Duration, asked: Option<Duration>) -> Duration {
    match asked {
        Some(asked) if asked < Duration::from_secs(1) => asked,
        Some(asked) => asked.max(poll_interval::poll_interval(waited)),
        None => poll_interval::poll_interval(waited),
    }
}

/// Pause before try `attempt` + 1 (from 0): doubling from half a second to 20 s, up to a quarter
/// longer by a spread that depends on `seed` and `attempt` only, so that a run can be replayed.
pub fn retry_delay(attempt: u32, seed: &str) -> Duration {
    let base = Duration::from_millis(500) * 2_u32.saturating_pow(attempt.min(6));
    let hash = seed
        .bytes()
        .chain(attempt.to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    let spread = f64::from(u32::try_from(hash >> 40).unwrap_or_default()) / f64::from(1_u32 << 24);
    base.min(Duration::from_secs(20))
        .mul_f64(1.0 + spread / 4.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn sleep_ends_at_cancellation_or_deadline() {
        let ctx = CallContext::with_timeout(Duration::from_secs(10));
        let context = ErrorContext::new("w", "t");
        let begun = Instant::now();
        assert!(matches!(
            ctx.sleep(Duration::from_secs(11), &context).await,
            Err(Error::TimedOut(_))
        ));
        ctx.cancel.cancel();
        assert!(matches!(
            ctx.sleep(Duration::from_secs(1), &context).await,
            Err(Error::Cancelled(_))
        ));
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }

    #[test]
    fn poll_interval_grows_over_time() {
        let ten = Some(Duration::from_secs(10));
        assert_eq!(poll_delay(Duration::ZERO, None), Duration::from_millis(250));
        assert_eq!(
            poll_delay(Duration::from_secs(60), ten),
            Duration::from_secs(10)
        );
        assert_eq!(
            poll_delay(Duration::from_secs(3600), ten),
            Duration::from_secs(30)
        );
        assert!(
            retry_delay(0, "a") < retry_delay(3, "a")
                && retry_delay(60, "a") <= Duration::from_secs(25)
        );
    }
}
