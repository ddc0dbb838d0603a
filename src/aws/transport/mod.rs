//! What is between the SDK and AWS: trusted certificates, limits of responses, and the SDK's errors
//! in our terms.

pub(super) mod response_limit;
pub(super) mod sdk_error;
pub(super) mod tls;
pub(super) mod truncation;
