//! The ground that both clouds and the link stand on: values that mean the same everywhere.

pub mod answer;
mod asn;
pub mod cloud_text;
mod deadline;
mod duration;
pub mod pace;
mod shared_key;
pub mod tags;

pub use asn::Asn;
pub use deadline::{Deadline, Queued};
pub use duration::parse_duration;
pub use shared_key::{KeyFault, SharedKey};
pub use tags::Tags;
