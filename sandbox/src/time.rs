//! Simulated time: milliseconds since the world began. The world never reads a clock; its caller says what time it is.

use serde::{Deserialize, Serialize};
use std::ops::Add;

/// An instant in simulated time, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SimTime(pub u64);

/// A span of simulated time, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(pub u64);

impl Span {
    pub const fn seconds(n: u64) -> Self {
        Span(n * 1_000)
    }

    pub const fn minutes(n: u64) -> Self {
        Span(n * 60_000)
    }
}

impl Add<Span> for SimTime {
    type Output = SimTime;

    fn add(self, span: Span) -> SimTime {
        SimTime(self.0.saturating_add(span.0))
    }
}
