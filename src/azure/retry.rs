//! One call, as often as it takes and may.
//!
//! A read is repeated while errors look transient, and a write only where Azure said, or the
//! connection shows, that it did nothing. What follows a lost response of a create, a change or a
//! delete is in `resources::write`.

use super::arm::{ArmClient, ArmRequest, ArmResponse, AttemptError};
use super::error::Error;
use crate::client::CallContext;

/// Tries of one read, or of a write that never left, while errors look transient.
pub(super) const MAX_ATTEMPTS: u32 = 6;

impl ArmClient {
    /// A call without effect: repeated while errors look transient.
    pub async fn read(&self, call: &ArmRequest, ctx: &CallContext) -> Result<ArmResponse, Error> {
        let mut tries = 0;
        loop {
            let AttemptError { error, unsent } = match self.attempt(call, ctx).await {
                Ok(response) => return Ok(response),
                Err(failed) => failed,
            };
            // What was not even sent has an address that is not Azure's.
            let transient = error.is_transient() || matches!(error, Error::Malformed(_)) && !unsent;
            if !(transient && tries + 1 < MAX_ATTEMPTS || matches!(error, Error::Throttled(_))) {
                return Err(error);
            }
            self.wait_to_retry(&error, tries, ctx).await?;
            tries += 1;
        }
    }

    /// A call with an effect: repeated only where nothing was done, waiting out what is busy until
    /// the deadline.
    pub async fn write(&self, call: &ArmRequest, ctx: &CallContext) -> Result<ArmResponse, Error> {
        let (mut unreachable, mut busy) = (0, 0);
        loop {
            let error = match self.attempt(call, ctx).await {
                Ok(response) => return Ok(response),
                Err(failed) => failed.error,
            };
            let tries = match &error {
                error if error.is_retryable() => &mut busy,
                Error::Unreachable(_) if unreachable + 1 < MAX_ATTEMPTS => &mut unreachable,
                _ => return Err(error),
            };
            self.wait_to_retry(&error, *tries, ctx).await?;
            *tries += 1;
        }
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
