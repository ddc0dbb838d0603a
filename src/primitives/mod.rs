//! The ground that both clouds and the link stand on: values that mean the same everywhere.

mod asn;
pub mod pace;
mod shared_key;
mod tags;

pub use asn::Asn;
pub use shared_key::{KeyFault, SharedKey};
pub use tags::Tags;
