//! What the clients of both clouds share: time limits, polling, and what of a response is accepted
//! and shown.

pub mod cloud_text;
mod deadline;
pub mod poll_interval;
pub mod response;

pub use deadline::{Deadline, Queued};
