//! The choice of a method: the first of [`ORDER`] that is complete.

use super::methods::{ORDER, client_certificate, client_secret, is_oidc_wanted, oidc};
use super::settings::{CredentialSettings, SecretString, ValueSource};
use std::fmt;

/// How a token is to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialMethod {
    ClientSecret {
        tenant_id: String,
        client_id: ValueSource,
        secret: ValueSource,
    },
    /// `certificate` is a PKCS#12 archive; as a value it is in base64.
    ClientCertificate {
        tenant_id: String,
        client_id: ValueSource,
        certificate: ValueSource,
        password: Option<SecretString>,
    },
    Oidc {
        tenant_id: String,
        client_id: ValueSource,
        from: OidcSource,
    },
    /// `client_id` names a user-assigned identity.
    ManagedIdentity {
        client_id: Option<ValueSource>,
        endpoint: Option<String>,
        api_version: Option<String>,
    },
    Cli {
        tenant_id: Option<String>,
        subscription_id: Option<String>,
    },
}

/// Where the signed assertion comes from. It lives for minutes, so it is fetched again for each
/// token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OidcSource {
    Token(SecretString),
    TokenFile(String),
    /// GitHub's protocol: GET with the audience, bearer `token`.
    Request {
        url: String,
        token: SecretString,
    },
    /// Azure Pipelines' protocol: POST with the service connection, bearer `token`.
    Pipelines {
        url: String,
        token: SecretString,
        service_connection_id: String,
    },
}

/// A method that was considered, and what it lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedMethod {
    pub method: &'static str,
    /// Attributes with their variables; any one of those joined by "or" would do.
    pub missing: Vec<String>,
}

/// No credential can be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    #[error("no way to authenticate to Azure is complete:{}", list(.0))]
    NothingUsable(Vec<RejectedMethod>),
    /// A part of a service principal is set, and the rest is missing.
    #[error(
        "the service principal is incomplete: {} is missing while {} is set. Set what is missing, or remove what is set to use the \
         Azure CLI (az login)", missing.join(" and "), set.join(" and ")
    )]
    IncompletePrincipal {
        set: Vec<String>,
        missing: Vec<String>,
    },
    #[error("{attribute} cannot be used: {reason}")]
    Unusable {
        attribute: &'static str,
        reason: String,
    },
}

fn list(tried: &[RejectedMethod]) -> String {
    tried.iter().map(|t| format!("\n  - {t}")).collect()
}

impl fmt::Display for RejectedMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: missing {}", self.method, self.missing.join(", "))
    }
}

/// A method made from the settings, or what it lacks.
pub(super) type Attempt = fn(&CredentialSettings) -> Result<CredentialMethod, RejectedMethod>;

/// Picks the first complete method. Reads no file and contacts no endpoint.
///
/// # Errors
/// What each method lacks; or what a service principal lacks, unless the Azure CLI is asked for
/// (`use_cli = true`): its identity would be another one than the user began to configure.
pub fn select_method(settings: &CredentialSettings) -> Result<CredentialMethod, CredentialError> {
    let mut tried = Vec::new();
    let is_default_cli = settings.use_cli.is_none() && settings.use_msi != Some(true);
    if is_default_cli && let Some(incomplete) = incomplete_principal(settings) {
        return Err(incomplete);
    }
    for (_, method) in &ORDER {
        match method(settings) {
            Ok(method) => return Ok(method),
            // The sources of a token are one method.
            Err(lack) if tried.last() == Some(&lack) => {}
            Err(lack) => tried.push(lack),
        }
    }
    Err(CredentialError::NothingUsable(tried))
}

/// A part of a service principal without the rest. A tenant alone is none: the Azure CLI uses it.
fn incomplete_principal(settings: &CredentialSettings) -> Option<CredentialError> {
    let complete: [Attempt; 3] = [client_certificate, client_secret, oidc];
    if complete.iter().any(|method| method(settings).is_ok()) {
        return None;
    }
    let wants_oidc = is_oidc_wanted(settings);
    let client = ["client_id", "client_id_file_path"];
    let secret = ["client_secret", "client_secret_file_path"];
    let certificate = ["client_certificate", "client_certificate_path"];
    let token = ["oidc_token", "oidc_token_file_path", "oidc_request_url"];
    let has = |attribute: &str| settings.text(attribute).is_some();
    let first = |attributes: &[&'static str]| attributes.iter().find(|it| has(it)).copied();
    let mut present: Vec<&'static str> = [&client[..], &secret, &certificate]
        .into_iter()
        .filter_map(first)
        .collect();
    if present.is_empty() && !wants_oidc {
        return None;
    }
    let mut missing: Vec<&'static str> = Vec::new();
    if !has("tenant_id") {
        missing.push("tenant_id");
    }
    if first(&client).is_none() {
        missing.push("client_id");
    }
    if wants_oidc {
        present.push(match settings.use_oidc {
            Some(true) => "use_oidc",
            _ => "use_aks_workload_identity",
        });
        if first(&token).is_none() {
            missing.push("oidc_token");
        } else if first(&token) == Some("oidc_request_url") && !has("oidc_request_token") {
            missing.push("oidc_request_token");
        }
    } else if first(&secret).or(first(&certificate)).is_none() {
        missing.push("client_secret");
    }
    let named =
        |attributes: Vec<&'static str>| attributes.into_iter().map(CredentialSettings::named);
    Some(CredentialError::IncompletePrincipal {
        set: named(present).collect(),
        missing: named(missing).collect(),
    })
}

#[cfg(test)]
#[path = "select_tests.rs"]
mod tests;
