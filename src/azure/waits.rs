//! How long a call may take, and whether its caller still wants it.

use super::error::{Error, Facts};
use crate::primitives::{Deadline, Queued, pace};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Passed to every call: cancellation and a deadline.
///
/// Cancellation ends waiting at once; a request already on the wire gets [`GRACE`] to be answered first, so that
/// its effect is known.
#[derive(Clone, Debug)]
pub struct Waits {
    pub cancel: CancellationToken,
    pub deadline: Deadline,
    /// Since when a gateway may be changed, by a call that passed its gate.
    turn: Option<Instant>,
}

/// How long a gateway may be busy with changes of others before that counts as this operation's time. Azure itself finishes any
/// one change of a gateway within an hour; one that is busy for longer may be stuck.
const OTHERS: Duration = Duration::from_secs(60 * 60);

/// What a request on the wire gets after cancellation. Terraform wants an answer within 10 s.
pub const GRACE: Duration = Duration::from_secs(4);

impl Waits {
    pub fn until(deadline: Deadline, cancel: CancellationToken) -> Self {
        Waits { cancel, deadline, turn: None }
    }

    /// From now on for that long, not cancellable.
    pub fn lasting(span: Duration) -> Self {
        Waits::until(Deadline::fixed(span), CancellationToken::new())
    }

    /// For calls that have their turn at a gateway from now on.
    #[must_use]
    pub(super) fn at_turn(&self) -> Self {
        Waits { turn: Some(Instant::now()), ..self.clone() }
    }

    /// Stops the clock while a gateway, which this process changes only at its turn, is busy all the same: others change it.
    pub(super) fn others_at_work(&self) -> Option<Queued> {
        self.turn.filter(|since| since.elapsed() < OTHERS).map(|_| self.deadline.queue())
    }

    /// Sleeps.
    ///
    /// # Errors
    /// `Cancelled` at once when cancelled; `TimedOut` at once where the deadline would pass meanwhile.
    pub async fn sleep(&self, span: Duration, facts: &Facts) -> Result<(), Error> {
        self.check(facts)?;
        if self.deadline.is_over_after(span) {
            return Err(Error::TimedOut(Box::new(facts.clone())));
        }
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Error::Cancelled(Box::new(facts.clone()))),
            () = tokio::time::sleep(span) => Ok(()),
            () = self.deadline.over() => Err(Error::TimedOut(Box::new(facts.clone()))),
        }
    }

    /// # Errors
    /// `Cancelled` or `TimedOut` if that is so now.
    pub fn check(&self, facts: &Facts) -> Result<(), Error> {
        if self.cancel.is_cancelled() {
            Err(Error::Cancelled(Box::new(facts.clone())))
        } else if self.deadline.is_over() {
            Err(Error::TimedOut(Box::new(facts.clone())))
        } else {
            Ok(())
        }
    }

    /// Ends [`GRACE`] after cancellation; never before.
    #[cfg(feature = "clouds")]
    pub(super) async fn abandoned(&self) {
        self.cancel.cancelled().await;
        tokio::time::sleep(GRACE).await;
    }
}

/// Pause before the next look at something under way for `waited`. Azure asks for the same few seconds from the first look
/// to the last; it is never asked sooner, and about things that take long not that often.
pub fn interval(waited: Duration, asked: Option<Duration>) -> Duration {
    match asked {
        Some(asked) if asked < Duration::from_secs(1) => asked,
        Some(asked) => asked.max(pace::pause(waited)),
        None => pace::pause(waited),
    }
}

/// Pause before try `attempt` + 1 (from 0): doubling from half a second to 20 s, up to a quarter longer by a spread that
/// depends on `seed` and `attempt` only, so that a run can be replayed.
pub fn backoff(attempt: u32, seed: &str) -> Duration {
    let base = Duration::from_millis(500) * 2_u32.saturating_pow(attempt.min(6));
    let hash = seed
        .bytes()
        .chain(attempt.to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let spread = f64::from(u32::try_from(hash >> 40).unwrap_or_default()) / f64::from(1_u32 << 24);
    base.min(Duration::from_secs(20)).mul_f64(1.0 + spread / 4.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_sleep_ends_with_cancellation_and_never_outlasts_the_deadline() {
        let waits = Waits::lasting(Duration::from_secs(10));
        let facts = Facts::new("w", "t");
        let begun = Instant::now();
        assert!(matches!(waits.sleep(Duration::from_secs(11), &facts).await, Err(Error::TimedOut(_))));
        waits.cancel.cancel();
        assert!(matches!(waits.sleep(Duration::from_secs(1), &facts).await, Err(Error::Cancelled(_))));
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }

    #[test]
    fn looks_are_quick_at_first_and_slower_later() {
        let ten = Some(Duration::from_secs(10));
        assert_eq!(interval(Duration::ZERO, None), Duration::from_millis(250));
        assert_eq!(interval(Duration::from_secs(60), ten), Duration::from_secs(10));
        assert_eq!(interval(Duration::from_secs(3600), ten), Duration::from_secs(30));
        assert!(backoff(0, "a") < backoff(3, "a") && backoff(60, "a") <= Duration::from_secs(25));
    }
}
