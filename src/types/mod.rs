//! The ground that both clouds and the link stand on: values that mean the same everywhere.

mod asn;
pub mod cloud_text;
mod deadline;
mod duration;
pub mod poll_interval;
mod preshared_key;
pub mod response;
pub mod tags;

pub use asn::Asn;
pub use deadline::{Deadline, Queued};
pub use duration::parse_duration;
pub use preshared_key::{PreSharedKey, PskError};
pub use tags::Tags;
