//! From a chosen method to a token credential. Files are read and archives opened here; the network
//! is left alone.

use super::assertion::FreshAssertion;
use super::azure_cli::AzureCli;
use super::certificate::CertificateAssertion;
use super::managed_identity::InstanceIdentity;
use super::select::{CredentialError, CredentialMethod};
use super::settings::ValueSource;
use crate::azure::cloud::Cloud;
use azure_core::cloud::CustomConfiguration;
use azure_core::credentials::{Secret, TokenCredential};
use azure_core::http::{ClientOptions, HttpClient, Pipeline, Transport, Url};
use azure_identity::{
    ClientAssertionCredential, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions, ManagedIdentityCredential, ManagedIdentityCredentialOptions,
    UserAssignedId,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::sync::Arc;

/// A pipeline without authentication, for what gives out tokens. It retries: nothing it asks for
/// has an effect.
pub(in crate::azure) fn bare_pipeline(http: Arc<dyn HttpClient>) -> Pipeline {
    let options = ClientOptions {
        transport: Some(Transport::new(http)),
        ..Default::default()
    };
    Pipeline::new(
        option_env!("CARGO_PKG_NAME"),
        option_env!("CARGO_PKG_VERSION"),
        options,
        Vec::new(),
        Vec::new(),
        None,
    )
}

/// The credential of `method` at `cloud`'s authority.
///
/// # Errors
/// Where a file cannot be read, an archive does not open, or a value has not the form that it must
/// have.
pub(in crate::azure) async fn credential(
    method: &CredentialMethod,
    cloud: &Cloud,
    http: Arc<dyn HttpClient>,
) -> Result<Arc<dyn TokenCredential>, CredentialError> {
    let mut authority = CustomConfiguration::default();
    authority.authority_host.clone_from(&cloud.authority);
    let options = ClientOptions {
        transport: Some(Transport::new(Arc::clone(&http))),
        cloud: Some(Arc::new(authority.into())),
        ..Default::default()
    };
    let made: azure_core::Result<Arc<dyn TokenCredential>> = match method {
        CredentialMethod::ClientSecret {
            tenant_id,
            client_id,
            secret,
        } => {
            let client_id = text("client_id_file_path", client_id).await?;
            let secret = Secret::new(text("client_secret_file_path", secret).await?);
            let options = Some(ClientSecretCredentialOptions {
                client_options: options,
            });
            ClientSecretCredential::new(tenant_id, client_id, secret, options).map(|c| c as _)
        }
        CredentialMethod::ClientCertificate {
            tenant_id,
            client_id,
            certificate,
            password,
        } => {
            let client_id = text("client_id_file_path", client_id).await?;
            let archive = bytes(certificate).await?;
            let audience = format!("{}/{tenant_id}/oauth2/v2.0/token", cloud.authority);
            let password = password
                .as_ref()
                .map(|p| p.expose_secret())
                .unwrap_or_default();
            let assertion =
                CertificateAssertion::new(client_id.clone(), audience, &archive, password)?;
            let options = Some(ClientAssertionCredentialOptions {
                client_options: options,
            });
            ClientAssertionCredential::new(tenant_id.clone(), client_id, assertion, options)
                .map(|c| c as _)
        }
        CredentialMethod::Oidc {
            tenant_id,
            client_id,
            from,
        } => {
            let client_id = text("client_id_file_path", client_id).await?;
            let options = Some(ClientAssertionCredentialOptions {
                client_options: options,
            });
            let assertion = FreshAssertion::new(from.clone(), http);
            ClientAssertionCredential::new(tenant_id.clone(), client_id, assertion, options)
                .map(|c| c as _)
        }
        CredentialMethod::ManagedIdentity {
            client_id,
            endpoint,
            api_version,
        } => {
            let client_id = match client_id {
                Some(source) => Some(text("client_id_file_path", source).await?),
                None => None,
            };
            match endpoint {
                Some(endpoint) => {
                    let url = Url::parse(endpoint).map_err(|error| CredentialError::Unusable {
                        attribute: "msi_endpoint",
                        reason: error.to_string(),
                    })?;
                    Ok(Arc::new(InstanceIdentity::new(
                        url,
                        client_id,
                        api_version.clone(),
                        http,
                    )) as _)
                }
                None => {
                    let user_assigned_id = client_id.map(UserAssignedId::ClientId);
                    ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
                        user_assigned_id,
                        client_options: options,
                    }))
                    .map(|c| c as _)
                }
            }
        }
        CredentialMethod::Cli {
            tenant_id,
            subscription_id,
        } => {
            let login = AzureCli::new(tenant_id.clone(), subscription_id.clone())?;
            Ok(Arc::new(login) as _)
        }
    };
    made.map_err(|error| CredentialError::Unusable {
        attribute: attribute(method),
        reason: error.to_string(),
    })
}

/// The attribute to look at when the SDK refuses a method's values.
fn attribute(method: &CredentialMethod) -> &'static str {
    match method {
        CredentialMethod::ClientSecret { .. } => "client_secret, client_id or tenant_id",
        CredentialMethod::ClientCertificate { .. } | CredentialMethod::Oidc { .. } => {
            "client_id or tenant_id"
        }
        CredentialMethod::ManagedIdentity { .. } => "use_msi",
        CredentialMethod::Cli { .. } => "use_cli with tenant_id or subscription_id",
    }
}

async fn text(attribute: &'static str, source: &ValueSource) -> Result<String, CredentialError> {
    match source {
        ValueSource::Value(value) => Ok(value.expose_secret().to_owned()),
        ValueSource::File(path) => match tokio::fs::read_to_string(path).await {
            Ok(text) => Ok(text.trim().to_owned()),
            Err(error) => Err(CredentialError::Unusable {
                attribute,
                reason: format!("cannot read {path}: {error}"),
            }),
        },
    }
}

async fn bytes(source: &ValueSource) -> Result<Vec<u8>, CredentialError> {
    match source {
        ValueSource::Value(value) => {
            let packed: String = value.expose_secret().split_whitespace().collect();
            STANDARD
                .decode(packed)
                .map_err(|error| CredentialError::Unusable {
                    attribute: "client_certificate",
                    reason: format!("it is not base64: {error}"),
                })
        }
        ValueSource::File(path) => {
            tokio::fs::read(path)
                .await
                .map_err(|error| CredentialError::Unusable {
                    attribute: "client_certificate_path",
                    reason: format!("cannot read {path}: {error}"),
                })
        }
    }
}

#[cfg(test)]
#[path = "identity_tests.rs"]
mod tests;
