//! Which identity the provider acts as: azurerm's settings and variables, and the choice among its
//! methods.
//!
//! [`CredentialSettings`] and [`select_method`] are pure. `identity` turns the chosen [`CredentialMethod`]
//! into a token credential and contacts no endpoint until a token is needed.

mod select;
mod settings;

mod assertion;
mod azure_cli;
mod certificate;
pub(super) mod identity;
mod managed_identity;
mod methods;
mod token_endpoint;

pub use methods::ORDER;
pub use select::{CredentialError, CredentialMethod, OidcSource, RejectedMethod, select_method};
pub use settings::{CredentialSettings, SecretString, ValueSource};
