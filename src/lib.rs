//! The provider's modules; see `main.rs` for what each is for.

pub mod aws;
pub mod azure;
pub mod client;
pub mod provider;
pub mod reconcile;
