//! EC2's token buckets: one per region and action, refilled steadily in simulated time.

use super::errors::ApiError;
use crate::time::SimTime;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Tokens that a full bucket holds, and tokens a second.
const READING: (u64, u64) = (100, 20);
const WRITING: (u64, u64) = (50, 5);

/// In thousandths of a token, so that a millisecond adds a complete number.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Bucket {
    level: u64,
    filled: SimTime,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Buckets(BTreeMap<String, BTreeMap<String, Bucket>>);

impl Buckets {
    /// Takes a token for that action, or refuses.
    pub fn take(&mut self, region: &str, action: &str, now: SimTime) -> Result<(), ApiError> {
        let (most, rate) = if action.starts_with("Describe") || action.starts_with("Get") {
            READING
        } else {
            WRITING
        };
        if !self.0.contains_key(region) {
            self.0.insert(region.to_owned(), BTreeMap::new());
        }
        let Some(actions) = self.0.get_mut(region) else {
            return Ok(());
        };
        let full = Bucket {
            level: most * 1_000,
            filled: now,
        };
        let bucket = actions.entry(action.to_owned()).or_insert(full);
        let gained = now.0.saturating_sub(bucket.filled.0).saturating_mul(rate);
        bucket.level = bucket.level.saturating_add(gained).min(most * 1_000);
        bucket.filled = now;
        bucket.level = bucket
            .level
            .checked_sub(1_000)
            .ok_or_else(ApiError::throttled)?;
        Ok(())
    }
}
