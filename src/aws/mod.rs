//! AWS: typed calls of one region, its waits and error classes, and what is observed there.
//!
//! `Aws` is made from `Settings` and contacts nothing; `Aws::region` gives an `Ec2`, whose calls
//! take plain data of `model` and a `CallContext` (how long, and who may stop it), and answer plain
//! data or an `Error` that says what to do about it. `model` is `bgp_vpn::aws`.

pub mod call_context;
pub mod error;
pub mod settings;

mod calls;
mod client;
mod credentials;
mod from_sdk;
mod jitter;
mod response_limit;
mod retry;
mod sdk_error;
mod shared_poll;
#[cfg(test)]
mod tests;
mod tls;
mod truncation;
mod waiters;

pub use bgp_vpn::aws as model;
pub use call_context::{CallContext, IdempotencyKey};
pub use calls::{
    ConnectionEndpoints, ConnectionOptions, Filter, Identity, NewConnection, VpnConnectionOptions,
};
pub use client::{Aws, ClientOverrides, Ec2, TokioTimeSource};
pub use error::{Error, ErrorContext};
pub use jitter::Jitter;
pub use settings::Settings;
pub use shared_poll::PollSubscription;
pub use waiters::max_age;
