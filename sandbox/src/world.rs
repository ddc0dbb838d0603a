//! What a cloud is lent while it answers.

use crate::dataplane;
use crate::rng::Rng;
use crate::time::SimTime;
use serde::{Deserialize, Serialize};

/// What does not change while a world runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    pub epoch_unix_seconds: i64,
    pub throttling: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { epoch_unix_seconds: 1_767_225_600, throttling: true }
    }
}

impl Settings {
    pub fn unix_seconds(&self, at: SimTime) -> i64 {
        self.epoch_unix_seconds.saturating_add(i64::try_from(at.0 / 1_000).unwrap_or(i64::MAX))
    }
}

/// What a cloud is lent while it answers a call.
pub struct Context<'a> {
    pub now: SimTime,
    pub rng: &'a mut Rng,
    pub paths: &'a dataplane::Paths,
    pub settings: &'a Settings,
}
