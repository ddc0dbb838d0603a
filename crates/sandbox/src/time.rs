//! Simulated time: milliseconds since the world began. The world never reads a clock; its caller
//! says what time it is.

use serde::{Deserialize, Serialize};
use std::ops::Add;

/// An instant in simulated time, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SimTime(pub u64);

/// A span of simulated time, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SimDuration(pub u64);

impl SimDuration {
    pub const fn seconds(n: u64) -> Self {
        SimDuration(n * 1_000)
    }

    pub const fn minutes(n: u64) -> Self {
        SimDuration(n * 60_000)
    }
}

impl Add<SimDuration> for SimTime {
    type Output = SimTime;

    fn add(self, duration: SimDuration) -> SimTime {
        SimTime(self.0.saturating_add(duration.0))
    }
}
