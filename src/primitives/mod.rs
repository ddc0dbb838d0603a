//! The ground that both clouds and the link stand on: values that mean the same everywhere.

pub mod answer;
mod asn;
pub mod cloud_text;
pub mod pace;
mod shared_key;
mod tags;

pub use asn::Asn;
pub use shared_key::{KeyFault, SharedKey};
pub use tags::Tags;
