//! One call, as often as it takes and may: which failures are tried again, how long, and what a
//! lost answer means.
//!
//! The SDK's own retries are off, for they would repeat a create whose answer was lost and leave a
//! second object behind.

use super::client::Ec2;
use super::error::{Error, call_context};
use super::transport::sdk_error;
use crate::client::{Attempts, CANCEL_GRACE, CallContext, TransientFailure};
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use std::future::Future;
use std::time::Duration;
use tokio::time::Instant;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

/// Objects just made may be unknown to the next call for this long.
pub(super) const CONSISTENCY_TIMEOUT: Duration = Duration::from_secs(30);
/// Looks for an object whose create went unanswered, spread over the time that eventual consistency
/// takes.
const LOOKUPS_AFTER_LOST_RESPONSE: [Duration; 5] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(3),
    Duration::from_secs(4),
];
/// Times that a create which left nothing behind is sent. No time limit: each repetition may leave a
/// second object, which Azure's conditional creates cannot.
const MAX_CREATES: usize = 4;

/// What may be tried again, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct RetryPolicy {
    /// Repeating it after it took effect does no harm.
    pub idempotent: bool,
    /// It changes something, so it is not dropped halfway without need.
    pub change: bool,
    /// How long a passing state, an unknown object, or one still in use is waited out.
    pub busy: Duration,
    pub not_found: Duration,
    pub in_use: Duration,
}

impl RetryPolicy {
    pub const READ: RetryPolicy = RetryPolicy {
        idempotent: true,
        change: false,
        busy: Duration::ZERO,
        not_found: Duration::ZERO,
        in_use: Duration::ZERO,
    };
    /// A change that may be repeated, of objects that may just have been made.
    pub const CHANGE: RetryPolicy = RetryPolicy {
        change: true,
        busy: Duration::from_secs(120),
        not_found: CONSISTENCY_TIMEOUT,
        ..RetryPolicy::READ
    };
    /// A create that makes another object each time.
    pub const CREATE: RetryPolicy = RetryPolicy {
        idempotent: false,
        ..RetryPolicy::CHANGE
    };
    /// A change that may be repeated but had better not be: each time it interrupts traffic for
    /// minutes.
    pub const MODIFY: RetryPolicy = RetryPolicy {
        busy: Duration::from_secs(1800),
        not_found: Duration::ZERO,
        ..RetryPolicy::CREATE
    };
    /// Attaching and detaching wait for other connections of the gateway: half an hour where Direct
    /// Connect is involved.
    pub const ATTACH: RetryPolicy = RetryPolicy {
        busy: Duration::from_secs(1800),
        ..RetryPolicy::CHANGE
    };
    /// What was just detached from an object still counts for a moment.
    pub const DELETE: RetryPolicy = RetryPolicy {
        in_use: Duration::from_secs(120),
        not_found: Duration::ZERO,
        ..RetryPolicy::CHANGE
    };

    /// Whether a failed attempt is followed by another one.
    fn repeats(&self, error: &Error, begun: Instant, attempts: &mut Attempts) -> bool {
        let failure = match error {
            Error::Throttled(_) => TransientFailure::Busy,
            Error::Unreachable(_) => TransientFailure::Unreachable,
            Error::ServiceUnavailable(_) | Error::OutcomeUnknown(_) if self.idempotent => {
                TransientFailure::Service
            }
            Error::Malformed(_) if self.idempotent => TransientFailure::Foreign,
            _ => {
                attempts.count();
                return begun.elapsed() < self.state_limit(error);
            }
        };
        attempts.fail(failure)
    }

    /// How long a state of the object that may pass is waited out.
    fn state_limit(&self, error: &Error) -> Duration {
        match error {
            Error::ConflictRetryable(_) => self.busy,
            Error::NotFound(_) => self.not_found,
            Error::DependencyViolation(_) => self.in_use,
            _ => Duration::ZERO,
        }
    }
}

impl Ec2 {
    /// Sends what `send` makes until it succeeds or its failure is not one that `policy` tries
    /// again.
    ///
    /// # Errors
    /// The last failure; `Cancelled`, `DeadlineExceeded`.
    pub(super) async fn with_retry<T, E, F>(
        &self,
        ctx: &CallContext,
        policy: RetryPolicy,
        operation: &'static str,
        target: &str,
        mut send: impl FnMut() -> F,
    ) -> Result<T, Error>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        let begun = Instant::now();
        let grace = if policy.change {
            CANCEL_GRACE
        } else {
            Duration::ZERO
        };
        let context = call_context(operation, target);
        let mut attempts = Attempts::default();
        loop {
            let tries = attempts.failed();
            ctx.check(&context)?;
            // The SDK traces complete requests and responses, keys included, so its events are not
            // logged.
            let sent = send().with_subscriber(Dispatch::none());
            let error = match ctx.run(grace, &context, sent).await? {
                Ok(output) => {
                    tracing::debug!(operation, target, region = %self.region(), tries, "AWS call");
                    return Ok(output);
                }
                Err(failed) => sdk_error::from_sdk_error(operation, target, failed),
            };
            let unresolved = self.is_unresolved(&error);
            tracing::debug!(operation, target, region = %self.region(), tries, %error, "AWS call failed");
            let spent = self.max_retries().is_some_and(|most| tries >= most);
            if spent || !policy.repeats(&error, begun, &mut attempts) {
                return Err(unresolved.unwrap_or(error));
            }
            // Only failures with a context are retried.
            let failure = error.context().unwrap_or(&context);
            self.backoff().wait(ctx, tries, failure).await?;
        }
    }

    /// What a host name without an address says of the region: EC2 has a host in each.
    fn is_unresolved(&self, error: &Error) -> Option<Error> {
        let Error::Unreachable(context) = error else {
            return None;
        };
        let region = self.region();
        (context.message.contains("dns error") && !self.has_custom_endpoint()).then(|| {
            Error::InvalidRegion(format!(
                "the EC2 endpoint of the region {region} cannot be resolved ({}). If {region} is not a region of AWS, correct aws.region of the \
                 link or, if the link has none, the region of the provider (aws.region, AWS_REGION, AWS_DEFAULT_REGION or the profile). \
                 Otherwise, check the name resolution of this machine",
                context.message
            ))
        })
    }

    /// Makes one object and no second: after a lost answer `look` searches for it, and only what
    /// stays absent is made again.
    ///
    /// # Errors
    /// The last failure; that of `look`.
    pub(super) async fn create_once<T, O, E, F, L>(
        &self,
        ctx: &CallContext,
        policy: RetryPolicy,
        (operation, target): (&'static str, &str),
        mut send: impl FnMut() -> F,
        read: impl Fn(&O) -> Option<T>,
        mut look: impl FnMut() -> L,
    ) -> Result<T, Error>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
        F: Future<Output = Result<O, SdkError<E, HttpResponse>>>,
        L: Future<Output = Result<Option<T>, Error>>,
    {
        let (context, mut sent) = (call_context(operation, target), 0);
        loop {
            let error = match self
                .with_retry(ctx, policy, operation, target, &mut send)
                .await
            {
                Ok(output) => match read(&output) {
                    Some(made) => return Ok(made),
                    None => unreadable(operation, target),
                },
                Err(
                    error @ (Error::ServiceUnavailable(_)
                    | Error::OutcomeUnknown(_)
                    | Error::Malformed(_)),
                ) => error,
                Err(error) => return Err(error),
            };
            sent += 1;
            for pause in LOOKUPS_AFTER_LOST_RESPONSE {
                ctx.sleep(pause, &context).await?;
                if let Some(found) = look().await? {
                    tracing::info!(operation, target, "found what an unanswered call had done");
                    return Ok(found);
                }
            }
            if sent >= MAX_CREATES {
                return Err(error);
            }
        }
    }
}

/// An answer without the object that it is about.
pub(super) fn unreadable(operation: &'static str, target: &str) -> Error {
    Error::Malformed(call_context(operation, target).with_message("the answer lacks the object"))
}
