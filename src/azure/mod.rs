//! Azure: typed calls to the resource manager, long-running operations, error classes, and what is observed there.
//!
//! `id`, `model`, `documents`, `error`, `call_context`, `gateway_lock`, `credential` and `cloud` are plain code; what talks over the
//! network needs the cloud SDKs (feature `clouds`). Start at [`Azure`].

pub mod call_context;
pub mod cloud;
pub mod credential;
pub mod documents;
pub mod error;
pub mod gateway_lock;
pub mod id;
pub mod model;

#[cfg(feature = "clouds")]
pub mod arm;
#[cfg(feature = "clouds")]
mod auth_policy;
#[cfg(feature = "clouds")]
pub mod client;
#[cfg(feature = "clouds")]
pub mod http;
#[cfg(feature = "clouds")]
mod lro;
#[cfg(feature = "clouds")]
mod response_limit;

pub use call_context::CallContext;
#[cfg(feature = "clouds")]
pub use client::{Azure, AzureSettings, ClientBuildError};
pub use error::{Error, ErrorContext};
pub use gateway_lock::GatewayLocks;
pub use id::ResourceId;
