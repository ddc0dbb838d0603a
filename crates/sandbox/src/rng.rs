//! The world's only source of chance: small, seeded and part of its saved state, so that a seed
//! replays a run.

use crate::time::SimDuration;
use serde::{Deserialize, Serialize};

/// SplitMix64 (Steele, Lea, Flood, 2014): one word of state, good enough to vary durations and
/// orders. Not for secrets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rng(u64);

impl Rng {
    pub fn seeded(seed: u64) -> Self {
        Rng(seed)
    }

    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            0
        } else {
            self.next_u64() % bound
        }
    }

    /// A span between the two, both included.
    pub fn duration(&mut self, least: SimDuration, most: SimDuration) -> SimDuration {
        SimDuration(least.0 + self.below(most.0.saturating_sub(least.0) + 1))
    }

    /// Lower-case hexadecimal digits.
    pub fn hex(&mut self, digits: usize) -> String {
        (0..digits)
            .map(|_| char::from_digit((self.next_u64() >> 60) as u32, 16).unwrap_or('0'))
            .collect()
    }

    /// A random identifier in the usual 8-4-4-4-12 form.
    pub fn uuid(&mut self) -> String {
        format!(
            "{}-{}-4{}-a{}-{}",
            self.hex(8),
            self.hex(4),
            self.hex(3),
            self.hex(3),
            self.hex(12)
        )
    }

    /// Fisher-Yates.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u64 + 1) as usize);
        }
    }
}
