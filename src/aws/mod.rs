//! AWS: typed calls of one region, its waits and error classes, and what is observed there.
//!
//! `Aws` is made from `Settings` and contacts nothing; `Aws::region` gives an `Ec2`, whose calls
//! take plain data of `model` and a `CallContext` (how long, and who may stop it), and return plain
//! data or an `Error` that says what to do about it. `model` is `bgp_vpn::aws`.
//!
//! | module | holds | its counterpart in `azure` |
//! |---|---|---|
//! | `client` | `Aws` and `Ec2`, and how they are made | `client` |
//! | `credentials` | settings of the `aws` block, and the credentials that they describe | `credentials` |
//! | `error` | error classes | `error` |
//! | `retry` | repeated attempts, lost responses | `retry` |
//! | `waiters` | waiting for what a call only started | `lro` |
//! | `resources` | the calls, a file for each kind of object | `resources` |
//! | `transport` | TLS, limits of responses, errors of the SDK | `transport`, `arm` |

pub mod credentials;
pub mod error;

mod client;
mod from_sdk;
mod resources;
mod retry;
mod shared_poll;
#[cfg(test)]
mod tests;
mod transport;
mod waiters;

pub use bgp_vpn::aws as model;
pub use client::{Aws, ClientOverrides, Ec2, TokioTimeSource};
pub use credentials::Settings;
pub use error::Error;
pub use resources::{
    ConnectionEndpoints, ConnectionOptions, Filter, IdempotencyKey, Identity, NewConnection,
    VpnConnectionOptions,
};
pub use shared_poll::PollSubscription;
pub use waiters::max_age;
