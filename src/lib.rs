pub mod aws;
pub mod azure;
pub mod link;
pub mod plugin;
pub mod provider;
#[cfg(feature = "clouds")]
pub mod reconcile;
pub mod types;
