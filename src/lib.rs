pub mod aws;
pub mod azure;
pub mod link;
pub mod provider;
#[cfg(feature = "clouds")]
pub mod reconcile;
pub mod types;

pub use terraform_plugin as plugin;
