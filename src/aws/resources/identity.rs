//! Who the credentials belong to.

use crate::aws::client::Ec2;
use crate::aws::error::Error;
use crate::aws::retry::{RetryPolicy, unreadable};
use crate::client::CallContext;

/// The account and principal that calls are made as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Twelve digits.
    pub account: String,
    pub arn: String,
}

impl Ec2 {
    /// Asks STS.
    ///
    /// # Errors
    /// See `Error`; above all `Auth` and `Credentials`.
    pub async fn caller_identity(&self, ctx: &CallContext) -> Result<Identity, Error> {
        let (operation, target) = ("GetCallerIdentity", "the credentials");
        let send = || self.sts().get_caller_identity().send();
        let output = self
            .with_retry(ctx, RetryPolicy::READ, operation, target, send)
            .await?;
        let account = output
            .account()
            .ok_or_else(|| unreadable(operation, target))?;
        Ok(Identity {
            account: account.to_owned(),
            arn: output.arn().unwrap_or_default().to_owned(),
        })
    }
}
