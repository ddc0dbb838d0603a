//! Azure: typed calls to the resource manager, long-running operations, error classes, and what is
//! observed there.
//!
//! Start at [`Azure`]. What its calls take and answer, and the documents they edit, is in
//! `bgp_vpn::azure`.

pub mod call_context;
pub mod cloud;
pub mod credential;
pub mod error;
pub mod gateway_lock;

pub mod arm;
mod auth_policy;
pub mod client;
pub mod http;
mod lro;
mod response_limit;

pub use bgp_vpn::azure::{ResourceId, documents, id, model};
pub use call_context::CallContext;
pub use client::{Azure, AzureSettings, ClientBuildError};
pub use error::{Error, ErrorContext};
pub use gateway_lock::GatewayLocks;
