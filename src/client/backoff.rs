//! How long to wait before a failed call is repeated.

use super::{CallContext, ErrorContext, Interrupted};
use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(20);
/// A pause is shorter or longer by up to this part of it.
const SPREAD: f64 = 0.25;

/// Pauses between attempts: half a second at first, twice as long each time, up to 20 s, each
/// spread by a quarter in both directions.
///
/// The spread depends on the seed, the target and the attempt only. Two processes that meet the same
/// throttled object have different seeds and so do not repeat their calls in step. A simulation sets
/// the seed, and repeats a run with any order of its tasks.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    seed: u64,
}

impl Backoff {
    /// With this seed, or else one of the operating system.
    pub fn new(seed: Option<u64>) -> Self {
        Backoff {
            seed: seed.unwrap_or_else(random),
        }
    }

    /// Pause after the failed attempt `attempt` (0 is the first).
    pub fn pause(&self, attempt: u32, target: &str) -> Duration {
        let base = FIRST
            .saturating_mul(2_u32.saturating_pow(attempt.min(10)))
            .min(LONGEST);
        base.mul_f64(1.0 + SPREAD * (2.0 * self.fraction(attempt, target) - 1.0))
    }

    /// Waits before the next attempt: as long as the failed response asks for, or else `pause`.
    ///
    /// # Errors
    /// `Cancelled`; `DeadlineExceeded`, with the failure that stood in the way.
    pub async fn wait(
        &self,
        ctx: &CallContext,
        attempt: u32,
        failure: &ErrorContext,
    ) -> Result<(), Interrupted> {
        let pause = failure
            .retry_after
            .unwrap_or_else(|| self.pause(attempt, &failure.target));
        match ctx.sleep(pause, failure).await {
            Err(Interrupted::DeadlineExceeded(mut last)) => {
                last.message = format!("no time is left for another attempt: {}", last.message);
                Err(Interrupted::DeadlineExceeded(last))
            }
            other => other,
        }
    }

    /// FNV-1a over target and attempt, mixed as by SplitMix64, mapped to 0..1.
    fn fraction(&self, attempt: u32, target: &str) -> f64 {
        let hash = target
            .bytes()
            .chain(attempt.to_le_bytes())
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        let mut z = hash.wrapping_add(self.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) as f64 / u64::MAX as f64
    }
}

fn random() -> u64 {
    let mut seed = [0_u8; 8];
    // Without randomness the pauses are merely the same in processes of the same id.
    if getrandom::fill(&mut seed).is_err() {
        seed = u64::from(std::process::id()).to_le_bytes();
    }
    u64::from_le_bytes(seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(seed: u64, target: &str) -> Vec<Duration> {
        let backoff = Backoff::new(Some(seed));
        (0..8).map(|n| backoff.pause(n, target)).collect()
    }

    #[test]
    fn same_seed_and_target_give_same_pauses() {
        assert_eq!(pauses(7, "a"), pauses(7, "a"));
        assert_ne!(pauses(7, "a"), pauses(8, "a"));
        assert_ne!(pauses(7, "a"), pauses(7, "b"));
    }

    #[test]
    fn pause_doubles_to_maximum_with_spread() {
        let backoff = Backoff::new(None);
        for attempt in [0, 1, 2, 5, 6, 40, u32::MAX] {
            let base = (0.5 * 2_f64.powi(attempt.min(40).cast_signed())).min(20.0);
            for target in ["a", "b", "c", "d"] {
                let pause = backoff.pause(attempt, target).as_secs_f64();
                let range = base * 0.749..base * 1.251;
                assert!(range.contains(&pause), "{attempt}: {pause}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn wait_as_response_asks_or_report_failure() {
        let (backoff, begun) = (Backoff::new(Some(1)), tokio::time::Instant::now());
        let mut failure = ErrorContext::new("create", "x");
        (failure.message, failure.retry_after) = ("busy".to_owned(), Some(Duration::from_secs(7)));
        let ctx = CallContext::with_timeout(Duration::from_secs(10));
        assert_eq!(backoff.wait(&ctx, 0, &failure).await, Ok(()));
        assert_eq!(begun.elapsed(), Duration::from_secs(7));
        let ended = backoff.wait(&ctx, 1, &failure).await;
        assert!(
            matches!(&ended, Err(Interrupted::DeadlineExceeded(last)) if last.message.ends_with(": busy")),
            "{ended:?}"
        );
        assert_eq!(begun.elapsed(), Duration::from_secs(7), "it did not wait");
    }
}
