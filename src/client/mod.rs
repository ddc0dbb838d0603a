//! What the clients of both clouds share: time limits, cancellation, repeated attempts, polling,
//! what is known of a failure, and what of a response is accepted and shown.

mod attempts;
mod backoff;
mod call_context;
pub mod cloud_text;
mod credential_source;
mod deadline;
mod denied_reads;
mod error_context;
pub mod poll_interval;
pub mod response;
mod shared_read;
mod wait;
mod wait_log;

pub use attempts::{Attempts, TransientFailure};
pub use backoff::Backoff;
pub use call_context::{CANCEL_GRACE, CallContext, Interrupted};
pub use credential_source::CredentialSource;
pub use deadline::{Deadline, Queued};
pub use denied_reads::{DeniedRead, DeniedReads};
pub use error_context::ErrorContext;
pub use shared_read::SharedReads;
pub use wait::{DELETED_OUTSIDE, Progress, wait_until};
pub use wait_log::WaitLog;
