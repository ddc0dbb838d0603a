//! How long a failing call is repeated. The limits are the same for both clouds.

use super::response::MAX_ATTEMPTS;
use std::time::Duration;
use tokio::time::Instant;

/// Without any connection, because of a wrong address or a proxy that refuses it, a wait rarely
/// helps.
const UNREACHABLE_TIMEOUT: Duration = Duration::from_secs(60);
/// Shorter than the 10 minutes of a read of the link, so that an outage is reported with the
/// service's own error instead of a time limit.
const SERVICE_FAILURE_TIMEOUT: Duration = Duration::from_secs(300);

/// Failures after which another attempt may succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransientFailure {
    /// Too many calls, or an object that another operation changes. Repeated until the deadline.
    Busy,
    /// No connection.
    Unreachable,
    /// An error of the service, or no response.
    Service,
    /// A response that is not the cloud's.
    Foreign,
}

/// The attempts of one call. A kind of failure is counted from its first occurrence, so that a long
/// wait for a busy object leaves time for the others.
#[derive(Debug, Default)]
pub struct Attempts {
    failed: u32,
    unreachable: Option<Instant>,
    service: Option<Instant>,
}

impl Attempts {
    /// Failed attempts before the current one.
    pub fn failed(&self) -> u32 {
        self.failed
    }

    /// Counts a failed attempt, and returns whether another one may follow.
    pub fn fail(&mut self, failure: TransientFailure) -> bool {
        self.failed = self.failed.saturating_add(1);
        let is_within = |first: &mut Option<Instant>, limit| {
            first.get_or_insert_with(Instant::now).elapsed() < limit
        };
        match failure {
            TransientFailure::Busy => true,
            TransientFailure::Unreachable => is_within(&mut self.unreachable, UNREACHABLE_TIMEOUT),
            TransientFailure::Service => is_within(&mut self.service, SERVICE_FAILURE_TIMEOUT),
            TransientFailure::Foreign => {
                self.failed < MAX_ATTEMPTS && is_within(&mut self.service, SERVICE_FAILURE_TIMEOUT)
            }
        }
    }

    /// Counts a failed attempt whose repetition the caller decides on.
    pub fn count(&mut self) {
        self.failed = self.failed.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long failures of one kind, a second apart, are repeated.
    async fn repeated(failure: TransientFailure) -> u64 {
        let (mut attempts, begun) = (Attempts::default(), Instant::now());
        while attempts.fail(failure) && begun.elapsed() < Duration::from_secs(3600) {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        begun.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn each_kind_of_failure_has_its_limit() {
        assert_eq!(repeated(TransientFailure::Busy).await, 3600);
        assert_eq!(repeated(TransientFailure::Unreachable).await, 60);
        assert_eq!(repeated(TransientFailure::Service).await, 300);
        assert_eq!(repeated(TransientFailure::Foreign).await, 5);
    }

    #[tokio::test(start_paused = true)]
    async fn busy_object_leaves_time_for_other_failures() {
        let mut attempts = Attempts::default();
        assert!(attempts.fail(TransientFailure::Busy));
        tokio::time::sleep(Duration::from_secs(1200)).await;
        assert!(attempts.fail(TransientFailure::Unreachable));
        assert!(attempts.fail(TransientFailure::Service));
        assert_eq!(attempts.failed(), 3);
    }
}
