//! Values that mean the same for both clouds.

mod asn;
mod duration;
mod preshared_key;
pub mod tags;

pub use asn::Asn;
pub use duration::parse_duration;
pub use preshared_key::{PreSharedKey, PskError};
pub use tags::Tags;
