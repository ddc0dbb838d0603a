//! What can go wrong in a call to AWS, sorted by what the caller should do about it.

use std::fmt;

/// A call's failure. The variant says what to do; the `Failure` inside says what AWS said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The object is not there (any more, or not yet visible).
    #[error("not found: {0}")]
    NotFound(Box<Failure>),
    /// Too many calls; nothing was done.
    #[error("throttled: {0}")]
    Throttled(Box<Failure>),
    /// The object is in a state that passes; nothing was done.
    #[error("busy: {0}")]
    Busy(Box<Failure>),
    /// Something else still hangs on the object, or the place is taken; nothing was done.
    #[error("in use: {0}")]
    InUse(Box<Failure>),
    /// The credentials are good but lack a permission.
    #[error("permission denied: {0}")]
    Denied(Box<Failure>),
    /// AWS does not accept the credentials.
    #[error("credentials refused: {0}")]
    Auth(Box<Failure>),
    /// A quota of the account is used up.
    #[error("quota used up: {0}")]
    Quota(Box<Failure>),
    /// The request itself is wrong and will not mend.
    #[error("refused: {0}")]
    Refused(Box<Failure>),
    /// AWS failed; whether it did anything is unknown.
    #[error("AWS failed: {0}")]
    Server(Box<Failure>),
    /// The request may have arrived but its answer was lost; whether it did anything is unknown.
    #[error("no answer: {0}")]
    Ambiguous(Box<Failure>),
    /// An answer that is not what the service sends; whether it did anything is unknown.
    #[error("unreadable answer: {0}")]
    Malformed(Box<Failure>),
    /// The server's certificate is not accepted, and will not be later; nothing was sent.
    #[error("no trusted connection: {0}")]
    Untrusted(Box<Failure>),
    /// No connection came about, so nothing was sent.
    #[error("unreachable: {0}")]
    Unreachable(Box<Failure>),
    /// The provider's `aws` block or its environment cannot work. Says which attribute and variable.
    #[error("{0}")]
    Settings(String),
    /// No credentials could be had. Says what was tried.
    #[error("{0}")]
    Credentials(String),
    /// The caller gave up. A change that was under way may still take effect.
    #[error("cancelled: {0}")]
    Cancelled(Box<Failure>),
    /// The deadline passed. A change that was under way may still take effect.
    #[error("out of time: {0}")]
    TimedOut(Box<Failure>),
}

/// What was asked of AWS, of which object, and what it answered. Never holds a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// `CreateVpnGateway`
    pub operation: &'static str,
    /// Id of the object, or what is to be made.
    pub target: String,
    /// AWS's code, empty where no answer had one.
    pub code: String,
    pub message: String,
    /// Empty where no answer came.
    pub request_id: String,
}

impl Failure {
    /// A failure without an answer of AWS behind it.
    pub fn local(operation: &'static str, target: &str, message: impl Into<String>) -> Box<Self> {
        Box::new(Failure { operation, target: target.to_owned(), message: message.into(), ..Failure::default() })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AWS {} of {}", self.operation, self.target)?;
        for part in [&self.code, &self.message] {
            if !part.is_empty() {
                write!(f, ": {part}")?;
            }
        }
        if !self.request_id.is_empty() {
            write!(f, " (request id {})", self.request_id)?;
        }
        Ok(())
    }
}

impl Error {
    /// What was asked and answered, where a call was made at all.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Error::NotFound(f)
            | Error::Throttled(f)
            | Error::Busy(f)
            | Error::InUse(f)
            | Error::Denied(f)
            | Error::Auth(f)
            | Error::Quota(f)
            | Error::Refused(f)
            | Error::Server(f)
            | Error::Ambiguous(f)
            | Error::Malformed(f)
            | Error::Untrusted(f)
            | Error::Unreachable(f)
            | Error::Cancelled(f)
            | Error::TimedOut(f) => Some(f),
            Error::Settings(_) | Error::Credentials(_) => None,
        }
    }

    #[cfg(feature = "clouds")]
    pub(super) fn failure_mut(&mut self) -> Option<&mut Failure> {
        match self {
            Error::NotFound(f)
            | Error::Throttled(f)
            | Error::Busy(f)
            | Error::InUse(f)
            | Error::Denied(f)
            | Error::Auth(f)
            | Error::Quota(f)
            | Error::Refused(f)
            | Error::Server(f)
            | Error::Ambiguous(f)
            | Error::Malformed(f)
            | Error::Untrusted(f)
            | Error::Unreachable(f)
            | Error::Cancelled(f)
            | Error::TimedOut(f) => Some(f),
            Error::Settings(_) | Error::Credentials(_) => None,
        }
    }

    /// AWS's code, or nothing.
    pub fn code(&self) -> &str {
        self.failure().map_or("", |failure| &failure.code)
    }

    /// Whether a change may have happened although the call failed.
    pub fn effect_unknown(&self) -> bool {
        matches!(
            self,
            Error::Server(_) | Error::Ambiguous(_) | Error::Malformed(_) | Error::Cancelled(_) | Error::TimedOut(_)
        )
    }

    /// Sorts an answer that is an error by status and code, and where AWS uses one code for two things, by operation and words.
    ///
    /// Codes are those of EC2's error table and of the provider for AWS; `status` is the HTTP status.
    pub fn sort(status: u16, failure: Failure) -> Error {
        let words = failure.message.to_ascii_lowercase();
        let failure = Box::new(failure);
        match failure.code.as_str() {
            "" => match status {
                429 => Error::Throttled(failure),
                401 => Error::Auth(failure),
                403 => Error::Denied(failure),
                500.. => Error::Server(failure),
                // A success that cannot be read has had its effect; a refusal that cannot be read is none of EC2's.
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
            | "InvalidVpnGatewayState" => Error::Busy(failure),
            "IncorrectState" if !words.contains("in use") => Error::Busy(failure),
            // Attach and detach say so while a VPN connection or virtual interface of the gateway is pending.
            "InvalidParameterValue"
                if matches!(failure.operation, "AttachVpnGateway" | "DetachVpnGateway")
                    && words.contains("pending") =>
            {
                Error::Busy(failure)
            }
            "DependencyViolation"
            | "IncorrectState"
            | "InvalidVpcState"
            | "Resource.AlreadyAssociated"
            | "VpnGatewayAttachmentLimitExceeded" => Error::InUse(failure),
            "AccessDenied" | "AccessDeniedException" | "OptInRequired" | "UnauthorizedOperation" => {
                Error::Denied(failure)
            }
            "AuthFailure"
            | "ExpiredToken"
            | "ExpiredTokenException"
            | "IncompleteSignature"
            | "InvalidClientTokenId"
            | "MissingAuthenticationToken"
            | "RequestExpired"
            | "SignatureDoesNotMatch"
            | "UnrecognizedClientException" => Error::Auth(failure),
            "InvalidVpnConnectionID" => Error::NotFound(failure),
            code if code.ends_with(".NotFound") => Error::NotFound(failure),
            code if code.ends_with("LimitExceeded") => Error::Quota(failure),
            _ if status == 429 => Error::Throttled(failure),
            _ if status >= 500 => Error::Server(failure),
            _ => Error::Refused(failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_sorted_by_what_to_do_about_it() {
        let table = [
            ("NotFound", 400, "InvalidVpnGatewayID.NotFound", ""),
            ("NotFound", 400, "InvalidVpnConnectionID", ""),
            ("Throttled", 503, "RequestLimitExceeded", ""),
            ("Throttled", 503, "EC2ThrottledException", ""),
            ("Busy", 400, "ConcurrentMutationLimitExceeded", ""),
            ("Busy", 400, "InvalidVpnConnection.InvalidState", ""),
            ("Busy", 400, "InvalidParameterValue", "Gateway has pending virtual interfaces"),
            ("Refused", 400, "InvalidParameterValue", "Value is invalid for parameter"),
            ("InUse", 400, "IncorrectState", "The VPN gateway is in use."),
            ("Busy", 400, "IncorrectState", "The gateway is being changed."),
            ("InUse", 400, "DependencyViolation", ""),
            ("InUse", 400, "VpnGatewayAttachmentLimitExceeded", ""),
            ("Quota", 400, "VpnConnectionLimitExceeded", ""),
            ("Denied", 403, "UnauthorizedOperation", ""),
            ("Auth", 401, "AuthFailure", ""),
            ("Auth", 400, "RequestExpired", ""),
            ("Refused", 400, "AsnConflict", ""),
            ("Server", 500, "InternalError", ""),
            ("Server", 503, "Unavailable", ""),
            ("Server", 502, "", ""),
            ("Throttled", 429, "", ""),
            ("Malformed", 200, "", ""),
        ];
        for (kind, status, code, message) in table {
            let sorted = Error::sort(
                status,
                Failure {
                    operation: "AttachVpnGateway",
                    code: code.to_owned(),
                    message: message.to_owned(),
                    ..Failure::default()
                },
            );
            assert!(format!("{sorted:?}").starts_with(kind), "{status} {code} {message}: {sorted:?}");
        }
    }
}
