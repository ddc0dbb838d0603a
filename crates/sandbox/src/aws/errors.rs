//! EC2's refusals: code, words and HTTP status, as the service writes them.

use std::borrow::Cow;

/// One refusal. Most of EC2's are HTTP 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    pub status: u16,
    pub code: Cow<'static, str>,
    pub message: String,
}

impl ApiError {
    /// HTTP 400 with that code.
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        ApiError {
            status: 400,
            code: code.into(),
            message: message.into(),
        }
    }

    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub fn missing(parameter: &str) -> Self {
        ApiError::new(
            "MissingParameter",
            format!("The request must contain the parameter {parameter}"),
        )
    }

    /// `InvalidParameterValue`, naming the parameter and the value.
    pub fn value(parameter: &str, value: &str, why: &str) -> Self {
        ApiError::new(
            "InvalidParameterValue",
            format!("Value ({value}) for parameter {parameter} is invalid. {why}"),
        )
    }

    pub fn combination(message: impl Into<String>) -> Self {
        ApiError::new("InvalidParameterCombination", message)
    }

    pub fn unsupported(message: impl Into<String>) -> Self {
        ApiError::new("UnsupportedOperation", message)
    }

    pub fn incorrect_state(message: impl Into<String>) -> Self {
        ApiError::new("IncorrectState", message)
    }

    pub fn dependency(message: impl Into<String>) -> Self {
        ApiError::new("DependencyViolation", message)
    }

    /// The answer to a request that would have been done but for `DryRun`.
    pub fn dry_run() -> Self {
        ApiError::new(
            "DryRunOperation",
            "Request would have succeeded, but DryRun flag is set.",
        )
        .with_status(412)
    }

    pub fn unknown_action(action: &str) -> Self {
        ApiError::new(
            "InvalidAction",
            format!("The action {action} is not valid for this web service."),
        )
    }

    /// EC2 says "slow down" with 503, not with 429.
    pub fn throttled() -> Self {
        ApiError::new("RequestLimitExceeded", "Request limit exceeded.").with_status(503)
    }
}
