//! Errors of calls to Azure, classified by what the caller should do.

use crate::client::cloud_text::clean;
use crate::client::{ErrorContext, Interrupted, TransientFailure};
use bgp_vpn::permissions::advice;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Response headers, names in lower case.
pub type Headers = BTreeMap<String, String>;

/// Details of an error that are shown.
const MAX_DETAILS: usize = 20;
/// Characters of a request's id that are shown.
const MAX_ID_LENGTH: usize = 100;
/// Waits that Azure asks for were seen up to 160 s. Longer ones are cut to this.
const MAX_RETRY_AFTER: f64 = 300.0;

/// A failed call. The variant determines what to do, the [`ErrorContext`] holds what Azure returned.
/// `aws::Error` has the same variants for the same advice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The resource (or its parent) does not exist.
    #[error("not found: {0}")]
    NotFound(Box<ErrorContext>),
    /// Its resource group does not exist: gone for a delete, a hard error for a create.
    #[error("resource group not found: {0}")]
    GroupNotFound(Box<ErrorContext>),
    /// A request quota is used up; nothing was done. Wait `retry_after`, then try again.
    #[error("throttled: {0}")]
    Throttled(Box<ErrorContext>),
    /// Another operation is in progress on the resource or on one it refers to; nothing was done.
    /// Retry later.
    #[error("busy: {0}")]
    ConflictRetryable(Box<ErrorContext>),
    /// It cannot be deleted while something uses it. After a gateway's delete this lingers for
    /// minutes.
    #[error("in use: {0}")]
    DependencyViolation(Box<ErrorContext>),
    /// The state of the resource forbids it.
    #[error("conflict: {0}")]
    Conflict(Box<ErrorContext>),
    /// It was changed since it was read (etag). Read again.
    #[error("changed concurrently: {0}")]
    PreconditionFailed(Box<ErrorContext>),
    /// An object with the name of a create already exists and does not belong to this link.
    #[error("already exists: {0}")]
    AlreadyExists(Box<ErrorContext>),
    /// The credentials are good but lack a permission, or a policy forbids it.
    #[error("permission denied: {0}")]
    Denied(Box<ErrorContext>),
    /// Azure does not accept the access token, a new one included.
    #[error("credentials rejected: {0}")]
    Unauthenticated(Box<ErrorContext>),
    /// Azure rejects the request; a retry does not help.
    #[error("rejected: {0}")]
    Rejected(Box<ErrorContext>),
    /// Repeated 408 or 5xx. The effect of a write is unknown.
    #[error("server error: {0}")]
    ServiceUnavailable(Box<ErrorContext>),
    /// No response arrived; the effect is unknown. Read before a retry.
    #[error("no response: {0}")]
    OutcomeUnknown(Box<ErrorContext>),
    /// The certificate of the server is not trusted; a retry does not help. Nothing was sent.
    #[error("connection not trusted: {0}")]
    Untrusted(Box<ErrorContext>),
    /// No connection was established, or no server that issues tokens answered, so nothing was sent.
    #[error("unreachable: {0}")]
    Unreachable(Box<ErrorContext>),
    /// No access token was obtained; the request was not sent.
    #[error("authentication failed: {0}")]
    NoCredentials(Box<ErrorContext>),
    /// The response does not match the schema of Azure.
    #[error("invalid response: {0}")]
    Malformed(Box<ErrorContext>),
    /// A long-running operation ended as Failed or Canceled. The resource may exist in state
    /// Failed, and bill.
    #[error("operation failed: {0}")]
    OperationFailed(Box<ErrorContext>),
    /// The caller cancelled. Started operations continue in Azure.
    #[error("cancelled: {0}")]
    Cancelled(Box<ErrorContext>),
    /// The deadline of the caller passed. Started operations continue in Azure.
    #[error("timed out: {0}")]
    DeadlineExceeded(Box<ErrorContext>),
}

impl Error {
    pub fn context(&self) -> &ErrorContext {
        match self {
            Error::NotFound(f)
            | Error::GroupNotFound(f)
            | Error::Throttled(f)
            | Error::ConflictRetryable(f)
            | Error::DependencyViolation(f)
            | Error::Conflict(f)
            | Error::PreconditionFailed(f)
            | Error::AlreadyExists(f)
            | Error::Denied(f)
            | Error::Unauthenticated(f)
            | Error::Rejected(f)
            | Error::ServiceUnavailable(f)
            | Error::OutcomeUnknown(f)
            | Error::Untrusted(f)
            | Error::Unreachable(f)
            | Error::NoCredentials(f)
            | Error::Malformed(f)
            | Error::OperationFailed(f)
            | Error::Cancelled(f)
            | Error::DeadlineExceeded(f) => f,
        }
    }

    /// The resource does not exist; its group may not exist either.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Error::NotFound(_) | Error::GroupNotFound(_))
    }

    /// Nothing was done and a later try may succeed.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Error::Throttled(_) | Error::ConflictRetryable(_))
    }

    /// The effect of a write is unknown: it may have happened.
    pub fn is_outcome_unknown(&self) -> bool {
        matches!(
            self,
            Error::OutcomeUnknown(_) | Error::ServiceUnavailable(_)
        )
    }

    /// A call whose repetition does no harm may succeed the next time.
    pub fn is_transient(&self) -> bool {
        self.is_outcome_unknown() || matches!(self, Error::Unreachable(_))
    }

    /// How another attempt of a call whose repetition does no harm may succeed; None where it
    /// cannot.
    pub fn transient_failure(&self) -> Option<TransientFailure> {
        match self {
            error if error.is_retryable() => Some(TransientFailure::Busy),
            error if error.is_outcome_unknown() => Some(TransientFailure::Service),
            Error::Unreachable(_) => Some(TransientFailure::Unreachable),
            Error::Malformed(_) => Some(TransientFailure::Foreign),
            _ => None,
        }
    }
}

impl From<Interrupted> for Error {
    fn from(interrupted: Interrupted) -> Self {
        match interrupted {
            Interrupted::Cancelled(context) => Error::Cancelled(context),
            Interrupted::DeadlineExceeded(context) => Error::DeadlineExceeded(context),
        }
    }
}

/// What Azure's responses say.
impl ErrorContext {
    /// Takes over status, ids and the waiting time of an answer.
    #[must_use]
    pub(super) fn with_response(mut self, status: u16, headers: &Headers) -> Self {
        self.status = Some(status);
        let id = |name: &str| {
            headers
                .get(name)
                .map(|id| clean(id).chars().take(MAX_ID_LENGTH).collect())
        };
        self.request_id = id("x-ms-request-id");
        self.correlation_id = id("x-ms-correlation-request-id");
        self.retry_after = retry_after(headers);
        self
    }

    /// Takes code and message out of `{"code", "message", "details": [...]}`; the details' codes
    /// are joined to the message.
    #[must_use]
    pub(super) fn with_error_body(mut self, error: &Value) -> Self {
        let word = |v: &Value, key: &str| {
            v.get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        self.code = clean(&word(error, "code"));
        let mut message = word(error, "message");
        for detail in error
            .get("details")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .take(MAX_DETAILS)
        {
            let (code, more) = (word(detail, "code"), word(detail, "message"));
            if !(code.is_empty() && more.is_empty()) {
                message.push_str(&format!(" [{code}: {more}]"));
            }
        }
        self.message = clean(&message);
        if self.code.ends_with("AuthorizationFailed") {
            self.missing_permission = advice::azure(&self.message);
        }
        self
    }
}

/// The wait that an answer asks for: a header in milliseconds before `Retry-After` in seconds. Zero
/// counts as absent, and what is too long is cut.
pub fn retry_after(headers: &Headers) -> Option<Duration> {
    let number = |name: &str| headers.get(name).and_then(|v| v.trim().parse::<f64>().ok());
    ["x-ms-retry-after-ms", "retry-after-ms"]
        .into_iter()
        .find_map(|name| number(name).map(|ms| ms / 1000.0))
        .or_else(|| number("retry-after"))
        .filter(|seconds| *seconds > 0.0)
        .map(|seconds| Duration::from_secs_f64(seconds.min(MAX_RETRY_AFTER)))
}

/// Codes that mean: another operation is in progress, for any HTTP status. Statuses vary for the
/// same code.
const CONFLICT_CODES: [&str; 6] = [
    "AnotherOperationInProgress",
    "RetryableError",
    "RetryableErrorDueToAnotherOperation",
    "ReferencedResourceNotProvisioned",
    "OperationInProgress",
    "ResourceGroupBeingDeleted",
];

/// Sorts an answer with an error status.
pub fn classify(
    operation: &str,
    target: &str,
    status: u16,
    headers: &Headers,
    body: &Value,
) -> Error {
    let error = body.get("error").unwrap_or(body);
    let mut facts = ErrorContext::new(operation, target)
        .with_response(status, headers)
        .with_error_body(error);
    if facts.code.is_empty() && facts.message.is_empty() {
        facts.message = "the answer has no error document".to_owned();
    }
    let code = facts.code.clone();
    let details = || {
        error
            .get("details")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let says = |word: &str| {
        code == word || details().any(|d| d.get("code").and_then(Value::as_str) == Some(word))
    };
    // A referenced resource that ended as Failed will not become ready by waiting.
    let hopeless = says("ReferencedResourceNotProvisioned") && facts.message.contains("Failed");
    let busy = matches!(status, 400 | 409 | 429)
        && CONFLICT_CODES.iter().any(|word| says(word))
        && !hopeless;
    if busy {
        return Error::ConflictRetryable(Box::new(facts));
    }
    if hopeless && status == 429 {
        return Error::Rejected(Box::new(facts));
    }
    classify_context(Box::new(facts))
}

/// Sorts what is known of an error by its status and code.
pub fn classify_context(facts: Box<ErrorContext>) -> Error {
    let (status, code) = (facts.status.unwrap_or_default(), facts.code.as_str());
    // Cut off on the way: whether a repetition would succeed is not known.
    let wordless = matches!(status, 400 | 409) && code.is_empty();
    match status {
        _ if wordless => Error::ServiceUnavailable(facts),
        400 | 409 if code.starts_with("InUse") || code.ends_with("CannotBeDeleted") => {
            Error::DependencyViolation(facts)
        }
        401 => Error::Unauthenticated(facts),
        403 => Error::Denied(facts),
        404 if code == "ResourceGroupNotFound" => Error::GroupNotFound(facts),
        404 if code == "SubscriptionNotFound" => Error::Rejected(facts),
        404 => Error::NotFound(facts),
        408 | 500..=599 => Error::ServiceUnavailable(facts),
        409 => Error::Conflict(facts),
        412 => Error::PreconditionFailed(facts),
        429 => Error::Throttled(facts),
        _ => Error::Rejected(facts),
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]
    use super::*;
    use serde_json::json;

    fn of(status: u16, code: &str) -> Error {
        classify(
            "w",
            "t",
            status,
            &Headers::new(),
            &json!({"error": {"code": code, "message": "m"}}),
        )
    }

    /// Azure returns the same lock conflict with several HTTP status codes.
    #[test]
    fn classify_lock_conflict_under_every_status() {
        for (status, code) in [
            (409, "AnotherOperationInProgress"),
            (400, "AnotherOperationInProgress"),
            (429, "RetryableErrorDueToAnotherOperation"),
            (400, "ReferencedResourceNotProvisioned"),
        ] {
            assert!(
                matches!(of(status, code), Error::ConflictRetryable(_)),
                "{status} {code}"
            );
        }
        let hidden = json!({"error": {"code": "RetryableError", "details": [{"code": "ReferencedResourceNotProvisioned"}]}});
        assert!(matches!(
            classify("w", "t", 429, &Headers::new(), &hidden),
            Error::ConflictRetryable(_)
        ));
    }

    #[test]
    fn distinguish_quota_and_failed_reference() {
        assert!(matches!(
            of(429, "SubscriptionRequestsThrottled"),
            Error::Throttled(_)
        ));
        let body = json!({"error": {"code": "ReferencedResourceNotProvisioned", "message": "X is in Failed state"}});
        assert!(matches!(
            classify("w", "t", 400, &Headers::new(), &body),
            Error::Rejected(_)
        ));
    }

    #[test]
    fn retry_error_without_message() {
        for status in [400, 409] {
            let cut_off = classify("w", "t", status, &Headers::new(), &Value::Null);
            assert!(
                matches!(cut_off, Error::ServiceUnavailable(_)),
                "{cut_off:?}"
            );
        }
    }

    #[test]
    fn classify_each_http_status() {
        assert!(matches!(
            of(404, "ResourceGroupNotFound"),
            Error::GroupNotFound(_)
        ));
        assert!(matches!(of(404, "ResourceNotFound"), Error::NotFound(_)));
        assert!(matches!(
            of(400, "InUseSubnetCannotBeDeleted"),
            Error::DependencyViolation(_)
        ));
        assert!(matches!(
            of(400, "PublicIPAddressCannotBeDeleted"),
            Error::DependencyViolation(_)
        ));
        assert!(matches!(of(403, "AuthorizationFailed"), Error::Denied(_)));
        assert!(matches!(
            of(401, "ExpiredAuthenticationToken"),
            Error::Unauthenticated(_)
        ));
        assert!(matches!(
            of(412, "PreconditionFailed"),
            Error::PreconditionFailed(_)
        ));
        assert!(matches!(of(503, ""), Error::ServiceUnavailable(_)));
        assert!(matches!(
            of(400, "NonAzSkusNotAllowedForVPNGateway"),
            Error::Rejected(_)
        ));
    }

    #[test]
    fn error_contains_code_message_and_both_ids() {
        let headers = Headers::from([
            ("x-ms-request-id".to_owned(), "r1".to_owned()),
            ("x-ms-correlation-request-id".to_owned(), "c1".to_owned()),
        ]);
        let body = json!({"error": {"code": "AuthorizationFailed", "message": "no join/action"}});
        let text = classify("create gateway", "/g", 403, &headers, &body).to_string();
        for part in [
            "create gateway",
            "/g",
            "AuthorizationFailed",
            "no join/action",
            "HTTP 403",
            "r1",
            "c1",
        ] {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
    }

    #[test]
    fn prefer_millisecond_header_and_ignore_zero() {
        let headers = |pairs: &[(&str, &str)]| -> Headers {
            pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect()
        };
        assert_eq!(
            retry_after(&headers(&[
                ("retry-after", "10"),
                ("x-ms-retry-after-ms", "50")
            ])),
            Some(Duration::from_millis(50))
        );
        assert_eq!(
            retry_after(&headers(&[("retry-after", "10")])),
            Some(Duration::from_secs(10))
        );
        assert_eq!(retry_after(&headers(&[("retry-after", "0")])), None);
        for absurd in ["1e300", "inf", "99999999999999999999", "86399"] {
            assert_eq!(
                retry_after(&headers(&[("retry-after", absurd)])),
                Some(Duration::from_secs(300)),
                "{absurd}"
            );
        }
        for nonsense in [
            "NaN",
            "-1",
            "-inf",
            "",
            "soon",
            "Fri, 27 Nov 2026 12:00:00 GMT",
        ] {
            assert_eq!(
                retry_after(&headers(&[("retry-after", nonsense)])),
                None,
                "{nonsense}"
            );
        }
    }
}
