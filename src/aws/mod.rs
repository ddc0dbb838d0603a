//! AWS: typed calls of one region, its waits and error classes, and what is observed there.
//!
//! `Aws` is made from `Settings` and contacts nothing; `Aws::region` gives an `Ec2`, whose calls take plain data of `model`
//! and a `CallContext` (how long, and who may stop it), and answer plain data or an `Error` that says what to do about it.
//! `model`, `error`, `settings` and `call_context` stand without the cloud's SDK.

pub mod call_context;
pub mod error;
pub mod model;
pub mod settings;

#[cfg(feature = "clouds")]
mod calls;
#[cfg(feature = "clouds")]
mod client;
#[cfg(feature = "clouds")]
mod credentials;
#[cfg(feature = "clouds")]
mod from_sdk;
#[cfg(feature = "clouds")]
mod jitter;
#[cfg(feature = "clouds")]
mod response_limit;
#[cfg(feature = "clouds")]
mod retry;
#[cfg(feature = "clouds")]
mod sdk_error;
#[cfg(feature = "clouds")]
mod shared_poll;
#[cfg(all(test, feature = "clouds"))]
mod tests;
#[cfg(feature = "clouds")]
mod tls;
#[cfg(feature = "clouds")]
mod truncation;
#[cfg(feature = "clouds")]
mod waiters;

pub use call_context::{CallContext, IdempotencyKey};
#[cfg(feature = "clouds")]
pub use calls::{ConnectionEndpoints, ConnectionOptions, Filter, Identity, NewConnection, VpnConnectionOptions};
#[cfg(feature = "clouds")]
pub use client::{Aws, ClientOverrides, Ec2, TokioTimeSource};
pub use error::{Error, ErrorContext};
#[cfg(feature = "clouds")]
pub use jitter::Jitter;
pub use settings::Settings;
#[cfg(feature = "clouds")]
pub use shared_poll::PollSubscription;
#[cfg(feature = "clouds")]
pub use waiters::max_age;
