//! What a user can do about a failed call. Both clouds' errors have the same classes.

use super::error::ActionError;
use crate::{aws, azure};

const THROTTLED: &str = "The service limits the rate of calls, and no retry succeeded in time. Run the command again later.";
const BUSY: &str = "Another operation is changing this object. Wait until it has ended, then run the command again.";
const IN_USE: &str =
    "Another object uses this one. Delete or move the other object, then run the command again.";
const QUOTA: &str = "Delete unused objects or request a higher quota, then run the command again.";
const CREDENTIALS: &str = "Check the credentials in the provider block and in the environment, then run the command again.";
const UNKNOWN_EFFECT: &str =
    "The call may have taken effect. Run the command again: it reads what exists and continues.";
const UNREACHABLE: &str =
    "Nothing was sent. Check the network, the proxy and DNS, then run the command again.";
const FAILED_OPERATION: &str = "Azure accepted the change, and then failed to make it. Run the command again. If it fails again, \
                                open a support request with this message.";

/// None where the error itself says what to do, or where a general step is no help.
pub fn next_step(error: &ActionError) -> Option<&'static str> {
    match error {
        ActionError::Aws(error) => aws_step(error),
        ActionError::Azure(error) => azure_step(error),
        _ => None,
    }
}

fn aws_step(error: &aws::Error) -> Option<&'static str> {
    use aws::Error;
    match error {
        Error::Throttled(_) => Some(THROTTLED),
        Error::ConflictRetryable(_) => Some(BUSY),
        Error::DependencyViolation(_) => Some(IN_USE),
        Error::Quota(_) => Some(QUOTA),
        Error::Unauthenticated(_) => Some(CREDENTIALS),
        Error::ServiceUnavailable(_) | Error::OutcomeUnknown(_) => Some(UNKNOWN_EFFECT),
        Error::Unreachable(_) => Some(UNREACHABLE),
        _ => None,
    }
}

fn azure_step(error: &azure::Error) -> Option<&'static str> {
    use azure::Error;
    match error {
        Error::Throttled(_) => Some(THROTTLED),
        Error::ConflictRetryable(_) | Error::PreconditionFailed(_) => Some(BUSY),
        Error::DependencyViolation(_) => Some(IN_USE),
        Error::Unauthenticated(_) => Some(CREDENTIALS),
        Error::ServiceUnavailable(_) | Error::OutcomeUnknown(_) => Some(UNKNOWN_EFFECT),
        Error::Unreachable(_) => Some(UNREACHABLE),
        Error::OperationFailed(_) => Some(FAILED_OPERATION),
        _ => None,
    }
}
