//! Azure: typed calls to the resource manager, long-running operations, error classes, and what is
//! observed there.
//!
//! Start at [`Azure`]. What its calls take and return, and the documents they edit, is in
//! `bgp_vpn::azure`.
//!
//! | module | holds | its counterpart in `aws` |
//! |---|---|---|
//! | `client` | [`Azure`], and how it is made | `client` |
//! | `credentials` | azurerm's settings, and the identity that they describe | `credentials` |
//! | `cloud` | endpoints of the Azure clouds | the SDK |
//! | `error` | error classes | `error` |
//! | `retry` | repeated attempts | `retry` |
//! | `lro` | waiting for what a call only started | `waiters` |
//! | `resources` | the calls, a file for each kind of object | `resources` |
//! | `gateway_lock` | changes of one gateway run one at a time | EC2 needs none |
//! | `pending_addresses` | BGP addresses that wait for the lock, written together | EC2 needs none |
//! | `arm` | one request to the resource manager and its response | the SDK, `transport` |
//! | `transport` | TLS, limits of responses, access tokens | `transport` |

pub mod client;
pub mod cloud;
pub mod credentials;
pub mod error;
pub mod gateway_lock;

mod arm;
mod lro;
mod pending_addresses;
mod resources;
mod retry;
#[cfg(test)]
mod tests;
mod transport;

pub use bgp_vpn::azure::{ResourceId, documents, id, model};
pub use client::{Azure, AzureSettings, ClientBuildError};
pub use error::Error;
pub use gateway_lock::GatewayLocks;
pub use resources::ConnectionStatus;
