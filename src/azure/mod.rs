//! Azure: typed calls to the resource manager, long-running operations, error classes, and what is observed there.
//!
//! `id`, `model`, `documents`, `error`, `waits`, `gates`, `credential` and `cloud` are plain code; what talks over the
//! network needs the cloud SDKs (feature `clouds`). Start at [`Azure`].

pub mod cloud;
pub mod credential;
pub mod documents;
pub mod error;
pub mod gates;
pub mod id;
pub mod model;
pub mod waits;

#[cfg(feature = "clouds")]
pub mod arm;
#[cfg(feature = "clouds")]
mod bearer;
#[cfg(feature = "clouds")]
mod bounded;
#[cfg(feature = "clouds")]
pub mod client;
#[cfg(feature = "clouds")]
pub mod http;
#[cfg(feature = "clouds")]
mod operation;

#[cfg(feature = "clouds")]
pub use client::{Azure, AzureSettings, StartFault};
pub use error::{Error, Facts};
pub use gates::Gates;
pub use id::ResourceId;
pub use waits::Waits;
