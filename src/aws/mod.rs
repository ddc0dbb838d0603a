//! AWS: typed calls of one region, its waits and error classes, and what is observed there.
//!
//! `Aws` is made from `Settings` and contacts nothing; `Aws::region` gives an `Ec2`, whose calls take plain data of `model`
//! and a `Waits` (how long, and who may stop it), and answer plain data or an `Error` that says what to do about it.
//! `model`, `error`, `settings` and `patience` stand without the cloud's SDK.

pub mod error;
pub mod model;
pub mod patience;
pub mod settings;

#[cfg(feature = "clouds")]
mod attempt;
#[cfg(feature = "clouds")]
mod bounded;
#[cfg(feature = "clouds")]
mod calls;
#[cfg(feature = "clouds")]
mod client;
#[cfg(feature = "clouds")]
mod convert;
#[cfg(feature = "clouds")]
mod credentials;
#[cfg(feature = "clouds")]
mod jitter;
#[cfg(feature = "clouds")]
mod observe;
#[cfg(all(test, feature = "clouds"))]
mod tests;
#[cfg(feature = "clouds")]
mod trust;
#[cfg(feature = "clouds")]
mod waits;
#[cfg(feature = "clouds")]
mod watch;
#[cfg(feature = "clouds")]
mod whole;

#[cfg(feature = "clouds")]
pub use calls::{ConnectionEnds, ConnectionOptions, Extras, Filter, Identity, NewConnection};
#[cfg(feature = "clouds")]
pub use client::{Aws, Ec2, Seams, TokioTime};
pub use error::{Error, Failure};
#[cfg(feature = "clouds")]
pub use jitter::Jitter;
pub use patience::{Own, Waits};
pub use settings::Settings;
#[cfg(feature = "clouds")]
pub use waits::fresh;
#[cfg(feature = "clouds")]
pub use watch::Awaited;
