//! Which identity the provider acts as: azurerm's settings and variables, and the choice among its methods.
//!
//! [`CredentialSettings`] and [`choose`] are pure. `identity` turns the chosen [`Method`] into a token credential and
//! contacts nobody until a token is needed.

mod choice;
mod settings;

#[cfg(feature = "clouds")]
mod assertion;
#[cfg(feature = "clouds")]
mod certificate;
#[cfg(feature = "clouds")]
pub(super) mod identity;
#[cfg(feature = "clouds")]
mod instance;

pub use choice::{CredentialFault, Method, Oidc, Tried, choose};
pub use settings::{CredentialSettings, Hidden, Source};
