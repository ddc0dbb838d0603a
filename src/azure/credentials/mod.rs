//! Which identity the provider acts as: azurerm's settings and variables, and the choice among its
//! methods.
//!
//! [`CredentialSettings`] and [`choose`] are pure. `identity` turns the chosen [`CredentialMethod`]
//! into a token credential and contacts no endpoint until a token is needed.

mod select;
mod settings;

mod assertion;
mod azure_cli;
mod certificate;
pub(super) mod identity;
mod managed_identity;
mod token_endpoint;

pub use select::{CredentialError, CredentialMethod, OidcSource, RejectedMethod, select_method};
pub use settings::{CredentialSettings, SecretString, ValueSource};
