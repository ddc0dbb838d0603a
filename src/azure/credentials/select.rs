//! The choice of a method: client secret, client certificate, OIDC, managed identity, CLI; the
//! first that is complete.

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
type Attempt = fn(&CredentialSettings) -> Result<CredentialMethod, RejectedMethod>;

/// Picks the first complete method. Reads no file and contacts no endpoint.
///
/// # Errors
/// What each method lacks; or what a service principal lacks, unless the Azure CLI is asked for
/// (`use_cli = true`): its identity would be another one than the user began to configure.
pub fn select_method(settings: &CredentialSettings) -> Result<CredentialMethod, CredentialError> {
    let methods: [Attempt; 5] = [
        client_secret,
        client_certificate,
        oidc,
        managed_identity,
        cli,
    ];
    let mut tried = Vec::new();
    let is_default_cli = settings.use_cli.is_none() && settings.use_msi != Some(true);
    if is_default_cli && let Some(incomplete) = incomplete_principal(settings) {
        return Err(incomplete);
    }
    for method in methods {
        match method(settings) {
            Ok(method) => return Ok(method),
            Err(lack) => tried.push(lack),
        }
    }
    Err(CredentialError::NothingUsable(tried))
}

/// A part of a service principal without the rest. A tenant alone is none: the Azure CLI uses it.
fn incomplete_principal(settings: &CredentialSettings) -> Option<CredentialError> {
    let complete: [Attempt; 3] = [client_secret, client_certificate, oidc];
    if complete.iter().any(|method| method(settings).is_ok()) {
        return None;
    }
    let wants_oidc =
        settings.use_oidc == Some(true) || settings.use_aks_workload_identity == Some(true);
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

fn set(text: &Option<String>) -> Option<String> {
    text.clone().filter(|t| !t.is_empty())
}

fn source(value: &Option<String>, file: &Option<String>) -> Option<ValueSource> {
    set(value)
        .map(|v| ValueSource::Value(SecretString::new(v)))
        .or_else(|| set(file).map(ValueSource::File))
}

fn one_of(attributes: &[&str]) -> String {
    attributes
        .iter()
        .map(|a| CredentialSettings::named(a))
        .collect::<Vec<_>>()
        .join(" or ")
}

/// Collects what is absent, so that a message names all of it at once.
struct Requirements {
    method: &'static str,
    missing: Vec<String>,
}

impl Requirements {
    fn of(method: &'static str) -> Self {
        Requirements {
            method,
            missing: Vec::new(),
        }
    }

    fn require<T>(&mut self, value: Option<T>, attributes: &[&str]) -> Option<T> {
        if value.is_none() {
            self.missing.push(one_of(attributes));
        }
        value
    }

    fn rejected(self) -> RejectedMethod {
        RejectedMethod {
            method: self.method,
            missing: self.missing,
        }
    }
}

/// Tenant and client, which every method of a service principal needs.
fn principal(
    settings: &CredentialSettings,
    needs: &mut Requirements,
) -> (Option<String>, Option<ValueSource>) {
    let client = source(&settings.client_id, &settings.client_id_file_path);
    (
        needs.require(set(&settings.tenant_id), &["tenant_id"]),
        needs.require(client, &["client_id", "client_id_file_path"]),
    )
}

fn client_secret(settings: &CredentialSettings) -> Result<CredentialMethod, RejectedMethod> {
    let mut needs = Requirements::of("client secret");
    let (tenant, client) = principal(settings, &mut needs);
    let secret = source(&settings.client_secret, &settings.client_secret_file_path);
    match (
        tenant,
        client,
        needs.require(secret, &["client_secret", "client_secret_file_path"]),
    ) {
        (Some(tenant_id), Some(client_id), Some(secret)) => Ok(CredentialMethod::ClientSecret {
            tenant_id,
            client_id,
            secret,
        }),
        _ => Err(needs.rejected()),
    }
}

fn client_certificate(settings: &CredentialSettings) -> Result<CredentialMethod, RejectedMethod> {
    let mut needs = Requirements::of("client certificate");
    let (tenant, client) = principal(settings, &mut needs);
    let certificate = source(
        &settings.client_certificate,
        &settings.client_certificate_path,
    );
    match (
        tenant,
        client,
        needs.require(
            certificate,
            &["client_certificate", "client_certificate_path"],
        ),
    ) {
        (Some(tenant_id), Some(client_id), Some(certificate)) => {
            Ok(CredentialMethod::ClientCertificate {
                tenant_id,
                client_id,
                certificate,
                password: set(&settings.client_certificate_password).map(SecretString::new),
            })
        }
        _ => Err(needs.rejected()),
    }
}

fn oidc(settings: &CredentialSettings) -> Result<CredentialMethod, RejectedMethod> {
    let mut needs = Requirements::of("OIDC");
    let wanted =
        settings.use_oidc == Some(true) || settings.use_aks_workload_identity == Some(true);
    needs.require(
        wanted.then_some(()),
        &["use_oidc", "use_aks_workload_identity"],
    );
    let (tenant, client) = principal(settings, &mut needs);
    let request = set(&settings.oidc_request_url)
        .zip(set(&settings.oidc_request_token).map(SecretString::new))
        .map(
            |(url, token)| match set(&settings.ado_pipeline_service_connection_id) {
                Some(service_connection_id) => OidcSource::Pipelines {
                    url,
                    token,
                    service_connection_id,
                },
                None => OidcSource::Request { url, token },
            },
        );
    let from = set(&settings.oidc_token)
        .map(|token| OidcSource::Token(SecretString::new(token)))
        .or_else(|| set(&settings.oidc_token_file_path).map(OidcSource::TokenFile))
        .or(request);
    if from.is_none() {
        let request = format!(
            "{} with {}",
            one_of(&["oidc_request_url"]),
            one_of(&["oidc_request_token"])
        );
        needs.missing.push(format!(
            "{} or {request}",
            one_of(&["oidc_token", "oidc_token_file_path"])
        ));
    }
    match (wanted, tenant, client, from) {
        (true, Some(tenant_id), Some(client_id), Some(from)) => Ok(CredentialMethod::Oidc {
            tenant_id,
            client_id,
            from,
        }),
        _ => Err(needs.rejected()),
    }
}

fn managed_identity(settings: &CredentialSettings) -> Result<CredentialMethod, RejectedMethod> {
    let mut needs = Requirements::of("managed identity");
    match needs.require(settings.use_msi.filter(|on| *on), &["use_msi"]) {
        Some(_) => Ok(CredentialMethod::ManagedIdentity {
            client_id: source(&settings.client_id, &settings.client_id_file_path),
            endpoint: set(&settings.msi_endpoint),
        }),
        None => Err(needs.rejected()),
    }
}

/// On unless switched off, as in azurerm.
fn cli(settings: &CredentialSettings) -> Result<CredentialMethod, RejectedMethod> {
    let mut needs = Requirements::of("Azure CLI");
    match needs.require(
        settings.use_cli.or(Some(true)).filter(|on| *on),
        &["use_cli"],
    ) {
        Some(_) => Ok(CredentialMethod::Cli {
            tenant_id: set(&settings.tenant_id),
            subscription_id: set(&settings.subscription_id),
        }),
        None => Err(needs.rejected()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn env(pairs: &'static [(&'static str, &'static str)]) -> CredentialSettings {
        CredentialSettings::from_env(&|name| {
            pairs
                .iter()
                .find(|(k, _)| *k == name)
                .map(|(_, v)| (*v).to_owned())
        })
    }

    #[test]
    fn prefer_secret_and_block_over_environment() {
        let block = CredentialSettings {
            client_id: Some("block".into()),
            ..Default::default()
        };
        let all = block.with_env(&|name| match name {
            "ARM_CLIENT_ID" => Some("env".into()),
            "ARM_TENANT_ID" => Some("tenant".into()),
            "ARM_CLIENT_SECRET" => Some("geheim".into()),
            "ARM_USE_OIDC" | "ARM_USE_MSI" => Some("true".into()),
            "ARM_OIDC_TOKEN" => Some("jwt".into()),
            _ => None,
        });
        let CredentialMethod::ClientSecret { client_id, .. } = select_method(&all).unwrap() else {
            panic!("not a secret")
        };
        assert_eq!(client_id, ValueSource::Value(SecretString::new("block")));
        assert!(!format!("{all:?}{:?}", select_method(&all)).contains("geheim"));
    }

    /// Recognises GitHub Actions, Azure Pipelines, Kubernetes and HCP Terraform.
    #[test]
    fn detect_workload_identity_environments() {
        let from = |settings: &CredentialSettings| match select_method(settings).unwrap() {
            CredentialMethod::Oidc { from, .. } => from,
            other => panic!("{other:?}"),
        };
        let github = env(&[
            ("ARM_USE_OIDC", "1"),
            ("ARM_CLIENT_ID", "c"),
            ("ARM_TENANT_ID", "t"),
            ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://x"),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "r"),
        ]);
        assert!(matches!(from(&github), OidcSource::Request { .. }));
        let pipeline = env(&[
            ("ARM_USE_OIDC", "true"),
            ("ARM_CLIENT_ID", "c"),
            ("ARM_TENANT_ID", "t"),
            ("SYSTEM_OIDCREQUESTURI", "https://x"),
            ("SYSTEM_ACCESSTOKEN", "r"),
            ("ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID", "s"),
        ]);
        assert!(matches!(from(&pipeline), OidcSource::Pipelines { .. }));
        let cluster = env(&[
            ("ARM_USE_AKS_WORKLOAD_IDENTITY", "true"),
            ("AZURE_CLIENT_ID", "c"),
            ("AZURE_TENANT_ID", "t"),
            ("AZURE_FEDERATED_TOKEN_FILE", "/f"),
        ]);
        assert_eq!(from(&cluster), OidcSource::TokenFile("/f".into()));
        let hcp = env(&[
            ("ARM_USE_OIDC", "true"),
            ("ARM_CLIENT_ID", "c"),
            ("ARM_TENANT_ID", "t"),
            ("ARM_OIDC_TOKEN_FILE_PATH", "/t"),
        ]);
        assert_eq!(from(&hcp), OidcSource::TokenFile("/t".into()));
    }

    #[test]
    fn fall_back_to_azure_cli() {
        assert!(matches!(
            select_method(&CredentialSettings::default()),
            Ok(CredentialMethod::Cli { .. })
        ));
    }

    #[test]
    fn incomplete_service_principal_names_missing_variable() {
        let cases = [
            (
                &[("ARM_CLIENT_ID", "c"), ("ARM_TENANT_ID", "t")][..],
                "client_secret (ARM_CLIENT_SECRET) is missing while client_id (ARM_CLIENT_ID) is set",
            ),
            (
                &[("ARM_CLIENT_SECRET", "s"), ("ARM_TENANT_ID", "t")],
                "client_id (ARM_CLIENT_ID) is missing while client_secret (ARM_CLIENT_SECRET) is set",
            ),
            (
                &[("ARM_CLIENT_ID", "c"), ("ARM_CLIENT_SECRET", "s")],
                "tenant_id (ARM_TENANT_ID) is missing while",
            ),
            (
                &[
                    ("ARM_USE_OIDC", "true"),
                    ("ARM_CLIENT_ID", "c"),
                    ("ARM_TENANT_ID", "t"),
                ],
                "oidc_token (ARM_OIDC_TOKEN) is missing while",
            ),
        ];
        for (variables, expected) in cases {
            let text = select_method(&env(variables)).unwrap_err().to_string();
            assert!(text.contains(expected), "{variables:?}: {text}");
        }
        // The CLI was asked for, or only a tenant for it is set.
        for variables in [
            &[("ARM_CLIENT_ID", "c"), ("ARM_USE_CLI", "true")][..],
            &[("ARM_TENANT_ID", "t")],
        ] {
            let method = select_method(&env(variables));
            assert!(
                matches!(method, Ok(CredentialMethod::Cli { .. })),
                "{method:?}"
            );
        }
    }

    #[test]
    fn error_names_every_missing_attribute_and_variable() {
        let text = select_method(&env(&[("ARM_USE_CLI", "false"), ("ARM_CLIENT_ID", "c")]))
            .unwrap_err()
            .to_string();
        for part in [
            "client secret: missing tenant_id (ARM_TENANT_ID), client_secret (ARM_CLIENT_SECRET) or client_secret_file_path (ARM_CLIENT_SECRET_FILE_PATH)",
            "client certificate",
            "use_oidc (ARM_USE_OIDC)",
            "oidc_request_url (ARM_OIDC_REQUEST_URL) with oidc_request_token (ARM_OIDC_REQUEST_TOKEN)",
            "use_msi (ARM_USE_MSI)",
            "use_cli (ARM_USE_CLI)",
        ] {
            assert!(text.contains(part), "{part:?} is missing in {text}");
        }
    }
}
