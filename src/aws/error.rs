//! Errors of calls to AWS, classified by what the caller should do.

use crate::client::{ErrorContext, Interrupted};
use std::fmt;

/// A failed call. The variant determines what to do, the [`ErrorContext`] holds what AWS returned.
/// `azure::Error` has the same variants for the same advice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The object does not exist, or is not visible yet.
    #[error("not found: {0}")]
    NotFound(Box<ErrorContext>),
    /// Too many calls; nothing was done.
    #[error("throttled: {0}")]
    Throttled(Box<ErrorContext>),
    /// The object is in a state that passes; nothing was done.
    #[error("busy: {0}")]
    ConflictRetryable(Box<ErrorContext>),
    /// Another object uses this one, or occupies its place; nothing was done.
    #[error("in use: {0}")]
    DependencyViolation(Box<ErrorContext>),
    /// The credentials are good but lack a permission.
    #[error("permission denied: {0}")]
    Denied(Box<ErrorContext>),
    /// AWS does not accept the credentials.
    #[error("credentials rejected: {0}")]
    Unauthenticated(Box<ErrorContext>),
    /// A quota of the account is used up.
    #[error("quota exceeded: {0}")]
    Quota(Box<ErrorContext>),
    /// The request itself is invalid; a retry does not help.
    #[error("rejected: {0}")]
    Rejected(Box<ErrorContext>),
    /// AWS failed; the effect is unknown.
    #[error("server error: {0}")]
    ServiceUnavailable(Box<ErrorContext>),
    /// The request may have arrived but the response was lost; its effect is unknown.
    #[error("no response: {0}")]
    OutcomeUnknown(Box<ErrorContext>),
    /// A response that the service does not send; the effect is unknown.
    #[error("invalid response: {0}")]
    Malformed(Box<ErrorContext>),
    /// The certificate of the server is not trusted; a retry does not help. Nothing was sent.
    #[error("connection not trusted: {0}")]
    Untrusted(Box<ErrorContext>),
    /// No connection was established, so nothing was sent.
    #[error("unreachable: {0}")]
    Unreachable(Box<ErrorContext>),
    /// The `aws` block of the provider or the environment is invalid. Names the attribute and the
    /// variable.
    #[error("{0}")]
    Settings(String),
    /// No credentials were obtained; the request was not sent. Names the sources that were tried.
    #[error("{0}")]
    NoCredentials(String),
    /// No source has credentials; the request was not sent. Names the sources that were tried.
    #[error("{0}")]
    MissingCredentials(String),
    /// There is no such region, as far as its host name shows. Names the attributes.
    #[error("{0}")]
    InvalidRegion(String),
    /// The caller cancelled. A change in progress may still take effect.
    #[error("cancelled: {0}")]
    Cancelled(Box<ErrorContext>),
    /// The deadline passed. A change in progress may still take effect.
    #[error("timed out: {0}")]
    DeadlineExceeded(Box<ErrorContext>),
}

impl From<Interrupted> for Error {
    fn from(interrupted: Interrupted) -> Self {
        match interrupted {
            Interrupted::Cancelled(context) => Error::Cancelled(context),
            Interrupted::DeadlineExceeded(context) => Error::DeadlineExceeded(context),
        }
    }
}

/// The context of a call of EC2 or STS, or of a wait for what it started.
pub(super) fn call_context(operation: &str, target: impl fmt::Display) -> ErrorContext {
    ErrorContext::new(format!("AWS {operation} for"), target)
}

impl Error {
    /// What was asked and answered, where a call was made at all.
    pub fn context(&self) -> Option<&ErrorContext> {
        match self {
            Error::NotFound(f)
            | Error::Throttled(f)
            | Error::ConflictRetryable(f)
            | Error::DependencyViolation(f)
            | Error::Denied(f)
            | Error::Unauthenticated(f)
            | Error::Quota(f)
            | Error::Rejected(f)
            | Error::ServiceUnavailable(f)
            | Error::OutcomeUnknown(f)
            | Error::Malformed(f)
            | Error::Untrusted(f)
            | Error::Unreachable(f)
            | Error::Cancelled(f)
            | Error::DeadlineExceeded(f) => Some(f),
            Error::Settings(_)
            | Error::NoCredentials(_)
            | Error::MissingCredentials(_)
            | Error::InvalidRegion(_) => None,
        }
    }

    /// Whether the region does not support what was asked. Nothing was done.
    pub fn is_unsupported(&self) -> bool {
        matches!(self, Error::Rejected(failure) if failure.code == "UnsupportedOperation")
    }

    pub(super) fn context_mut(&mut self) -> Option<&mut ErrorContext> {
        match self {
            Error::NotFound(f)
            | Error::Throttled(f)
            | Error::ConflictRetryable(f)
            | Error::DependencyViolation(f)
            | Error::Denied(f)
            | Error::Unauthenticated(f)
            | Error::Quota(f)
            | Error::Rejected(f)
            | Error::ServiceUnavailable(f)
            | Error::OutcomeUnknown(f)
            | Error::Malformed(f)
            | Error::Untrusted(f)
            | Error::Unreachable(f)
            | Error::Cancelled(f)
            | Error::DeadlineExceeded(f) => Some(f),
            Error::Settings(_)
            | Error::NoCredentials(_)
            | Error::MissingCredentials(_)
            | Error::InvalidRegion(_) => None,
        }
    }

    /// AWS's code, or nothing.
    pub fn code(&self) -> &str {
        self.context().map_or("", |failure| &failure.code)
    }

    /// Classifies an error response by status and code. Where AWS uses one code for two conditions,
    /// operation and message decide.
    ///
    /// Codes are those of EC2's error table and of the provider for AWS.
    pub(super) fn classify(operation: &str, status: u16, failure: ErrorContext) -> Error {
        let words = failure.message.to_ascii_lowercase();
        let failure = Box::new(failure);
        match failure.code.as_str() {
            "" => match status {
                429 => Error::Throttled(failure),
                401 => Error::Unauthenticated(failure),
                403 => Error::Denied(failure),
                500.. => Error::ServiceUnavailable(failure),
                // A success that cannot be read has had its effect; a refusal that cannot be read
                // is none of EC2's.
                _ => Error::Malformed(failure),
            },
            "RequestLimitExceeded"
            | "EC2ThrottledException"
            | "BandwidthLimitExceeded"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "ThrottledException"
            | "Throttling"
            | "ThrottlingException"
            | "TooManyRequestsException"
            | "SlowDown" => Error::Throttled(failure),
            "ConcurrentMutationLimitExceeded"
            | "Gateway.NotAttached"
            | "InvalidCustomerGatewayState"
            | "InvalidVpnConnection.InvalidState"
            | "InvalidVpnGatewayState" => Error::ConflictRetryable(failure),
            "IncorrectState" if !words.contains("in use") => Error::ConflictRetryable(failure),
            // Attach and detach say so while a VPN connection or virtual interface of the gateway
            // is pending.
            "InvalidParameterValue"
                if matches!(operation, "AttachVpnGateway" | "DetachVpnGateway")
                    && words.contains("pending") =>
            {
                Error::ConflictRetryable(failure)
            }
            "DependencyViolation"
            | "IncorrectState"
            | "InvalidVpcState"
            | "Resource.AlreadyAssociated"
            | "VpnGatewayAttachmentLimitExceeded" => Error::DependencyViolation(failure),
            "AccessDenied"
            | "AccessDeniedException"
            | "OptInRequired"
            | "UnauthorizedOperation" => Error::Denied(failure),
            "AuthFailure"
            | "ExpiredToken"
            | "ExpiredTokenException"
            | "IncompleteSignature"
            | "InvalidClientTokenId"
            | "MissingAuthenticationToken"
            | "RequestExpired"
            | "SignatureDoesNotMatch"
            | "UnrecognizedClientException" => Error::Unauthenticated(failure),
            "InvalidVpnConnectionID" => Error::NotFound(failure),
            code if code.ends_with(".NotFound") => Error::NotFound(failure),
            code if code.ends_with("LimitExceeded") => Error::Quota(failure),
            _ if status == 429 => Error::Throttled(failure),
            _ if status >= 500 => Error::ServiceUnavailable(failure),
            _ => Error::Rejected(failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classify_every_error_code() {
        let table = [
            ("NotFound", 400, "InvalidVpnGatewayID.NotFound", ""),
            ("NotFound", 400, "InvalidVpnConnectionID", ""),
            ("Throttled", 503, "RequestLimitExceeded", ""),
            ("Throttled", 503, "EC2ThrottledException", ""),
            (
                "ConflictRetryable",
                400,
                "ConcurrentMutationLimitExceeded",
                "",
            ),
            (
                "ConflictRetryable",
                400,
                "InvalidVpnConnection.InvalidState",
                "",
            ),
            (
                "ConflictRetryable",
                400,
                "InvalidParameterValue",
                "Gateway has pending virtual interfaces",
            ),
            (
                "Rejected",
                400,
                "InvalidParameterValue",
                "Value is invalid for parameter",
            ),
            (
                "DependencyViolation",
                400,
                "IncorrectState",
                "The VPN gateway is in use.",
            ),
            (
                "ConflictRetryable",
                400,
                "IncorrectState",
                "The gateway is being changed.",
            ),
            ("DependencyViolation", 400, "DependencyViolation", ""),
            (
                "DependencyViolation",
                400,
                "VpnGatewayAttachmentLimitExceeded",
                "",
            ),
            ("Quota", 400, "VpnConnectionLimitExceeded", ""),
            ("Denied", 403, "UnauthorizedOperation", ""),
            ("Unauthenticated", 401, "AuthFailure", ""),
            ("Unauthenticated", 400, "RequestExpired", ""),
            ("Rejected", 400, "AsnConflict", ""),
            ("ServiceUnavailable", 500, "InternalError", ""),
            ("ServiceUnavailable", 503, "Unavailable", ""),
            ("ServiceUnavailable", 502, "", ""),
            ("Throttled", 429, "", ""),
            ("Malformed", 200, "", ""),
        ];
        for (kind, status, code, message) in table {
            let sorted = Error::classify(
                "AttachVpnGateway",
                status,
                ErrorContext {
                    code: code.to_owned(),
                    message: message.to_owned(),
                    ..ErrorContext::default()
                },
            );
            assert!(
                format!("{sorted:?}").starts_with(kind),
                "{status} {code} {message}: {sorted:?}"
            );
        }
    }
}
