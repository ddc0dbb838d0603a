//! Resource Manager's token buckets: one each for reads, writes and deletes, sized and refilled as
//! documented per subscription, principal and region (there is one of each here).

use super::errors::ApiError;
use crate::time::{SimDuration, SimTime};
use serde::{Deserialize, Serialize};

/// A bucket counts in thousandths of a request, so that it refills every millisecond.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Bucket {
    size: u64,
    per_second: u64,
    thousandths: u64,
    at: SimTime,
}

impl Bucket {
    const fn new(size: u64, per_second: u64) -> Bucket {
        Bucket {
            size,
            per_second,
            thousandths: size * 1_000,
            at: SimTime(0),
        }
    }

    /// Takes one request, or says how long until there is one.
    fn take(&mut self, now: SimTime) -> Result<(), SimDuration> {
        let passed = now.0.saturating_sub(self.at.0);
        self.thousandths =
            (self.thousandths + passed.saturating_mul(self.per_second)).min(self.size * 1_000);
        self.at = now;
        if self.thousandths < 1_000 {
            return Err(SimDuration(
                (1_000 - self.thousandths)
                    .div_ceil(self.per_second)
                    .max(1_000),
            ));
        }
        self.thousandths -= 1_000;
        Ok(())
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Buckets {
    reads: Bucket,
    writes: Bucket,
    deletes: Bucket,
}

impl Default for Buckets {
    fn default() -> Self {
        Buckets {
            reads: Bucket::new(250, 25),
            writes: Bucket::new(200, 10),
            deletes: Bucket::new(200, 10),
        }
    }
}

impl Buckets {
    pub fn take(&mut self, method: &str, now: SimTime) -> Result<(), ApiError> {
        let (which, bucket) = match method {
            "GET" | "HEAD" => ("reads", &mut self.reads),
            "DELETE" => ("deletes", &mut self.deletes),
            _ => ("writes", &mut self.writes),
        };
        bucket.take(now).map_err(|wait| {
            ApiError::new(
                429,
                "SubscriptionRequestsThrottled",
                format!(
                    "Number of '{which}' requests for this subscription and principal exceeded the limit. Please wait."
                ),
            )
            .after(wait)
        })
    }

    /// Which bucket a method draws from, and the requests left in it, rounded down.
    pub fn left(&self, method: &str) -> (&'static str, u64) {
        match method {
            "GET" | "HEAD" => ("reads", self.reads.thousandths / 1_000),
            "DELETE" => ("deletes", self.deletes.thousandths / 1_000),
            _ => ("writes", self.writes.thousandths / 1_000),
        }
    }
}
