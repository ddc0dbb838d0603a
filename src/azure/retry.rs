//! One call, as often as it takes and may.
//!
//! A read is repeated while errors look transient, and a write only where Azure said, or the
//! connection shows, that it did nothing. What follows a lost response of a create, a change or a
//! delete is in `resources::write`.

use super::arm::{ArmClient, ArmRequest, ArmResponse, AttemptError};
use super::error::Error;
use crate::client::{Attempts, CallContext, TransientFailure};

impl ArmClient {
    /// A call without effect: repeated while errors look transient.
    pub async fn read(&self, call: &ArmRequest, ctx: &CallContext) -> Result<ArmResponse, Error> {
        let mut attempts = Attempts::default();
        loop {
            let AttemptError { error, unsent } = match self.attempt(call, ctx).await {
                Ok(response) => return Ok(response),
                Err(failed) => failed,
            };
            let failure = match error.transient_failure() {
                Some(TransientFailure::Busy) if !matches!(error, Error::Throttled(_)) => None,
                // What was not even sent has an address that is not Azure's.
                Some(TransientFailure::Foreign) if unsent => None,
                failure => failure,
            };
            self.retry_or_fail(error, failure, &mut attempts, ctx)
                .await?;
        }
    }

    /// A call with an effect: repeated only where nothing was done, waiting out what is busy until
    /// the deadline.
    pub async fn write(&self, call: &ArmRequest, ctx: &CallContext) -> Result<ArmResponse, Error> {
        let mut attempts = Attempts::default();
        loop {
            let error = match self.attempt(call, ctx).await {
                Ok(response) => return Ok(response),
                Err(failed) => failed.error,
            };
            let failure = error.transient_failure().filter(|failure| {
                matches!(
                    failure,
                    TransientFailure::Busy | TransientFailure::Unreachable
                )
            });
            self.retry_or_fail(error, failure, &mut attempts, ctx)
                .await?;
        }
    }

    /// After a failed write whose repetition does no harm. `write` has repeated it already where
    /// nothing was done.
    ///
    /// # Errors
    /// The failure, where no further attempt may follow.
    pub async fn repeat_idempotent(
        &self,
        error: Error,
        attempts: &mut Attempts,
        ctx: &CallContext,
    ) -> Result<(), Error> {
        let failure = error
            .is_outcome_unknown()
            .then_some(TransientFailure::Service);
        self.retry_or_fail(error, failure, attempts, ctx).await
    }

    /// Waits for the next attempt.
    ///
    /// # Errors
    /// The failure, where it is not transient or was repeated for long enough.
    pub async fn retry_or_fail(
        &self,
        error: Error,
        failure: Option<TransientFailure>,
        attempts: &mut Attempts,
        ctx: &CallContext,
    ) -> Result<(), Error> {
        let tries = attempts.failed();
        if !failure.is_some_and(|failure| attempts.fail(failure)) {
            return Err(error);
        }
        self.wait_to_retry(&error, tries, ctx).await
    }

    /// Waits as an error asks, else with growing pauses.
    pub async fn wait_to_retry(
        &self,
        error: &Error,
        tries: u32,
        ctx: &CallContext,
    ) -> Result<(), Error> {
        let _others = matches!(error, Error::ConflictRetryable(_)).then(|| ctx.pause_while_busy());
        Ok(self.backoff().wait(ctx, tries, error.context()).await?)
    }
}
