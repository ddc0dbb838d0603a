//! How the pauses between retries are spread.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const FIRST_RETRY: Duration = Duration::from_millis(250);
const LONGEST_RETRY: Duration = Duration::from_secs(20);

/// Random parts of the pauses between retries: seeded by the operating system, or by a number that
/// makes a run repeatable.
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
        let full = FIRST_RETRY
            .saturating_mul(1 << n.min(10))
            .min(LONGEST_RETRY);
        full.mul_f64(0.5 + self.fraction() / 2.0)
    }

    /// SplitMix64, mapped to 0..1.
    fn fraction(&self) -> f64 {
        let mut z = self
            .0
            .fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed)
            .wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) as f64 / u64::MAX as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_gives_same_delays() {
        let pauses = |seed| {
            (0..8)
                .map(|n| Jitter::seeded(seed).retry_after(n))
                .collect::<Vec<_>>()
        };
        assert_eq!(pauses(7), pauses(7));
        assert_ne!(pauses(7), pauses(8));
    }
}
