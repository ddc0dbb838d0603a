//! The methods to authenticate to Azure in the order of the azurerm provider (go-azure-sdk,
//! `sdk/auth/auth.go`, read 2026-11).

use super::select::{Attempt, CredentialMethod, OidcSource, RejectedMethod};
use super::settings::{CredentialSettings, SecretString, ValueSource};
use crate::client::CredentialSource;

const ASSERTION: &str = "a new token is requested with a new assertion before the old one expires";

/// All methods. The first that is complete is used.
pub const ORDER: [(CredentialSource, Attempt); 9] = [
    (
        CredentialSource {
            name: "client certificate",
            attributes: &[
                "client_certificate",
                "client_certificate_path",
                "client_certificate_password",
            ],
            variables: &[
                "ARM_CLIENT_CERTIFICATE",
                "ARM_CLIENT_CERTIFICATE_PATH",
                "ARM_CLIENT_CERTIFICATE_PASSWORD",
            ],
            renewal: ASSERTION,
        },
        client_certificate,
    ),
    (
        CredentialSource {
            name: "client secret",
            attributes: &["client_secret", "client_secret_file_path"],
            variables: &["ARM_CLIENT_SECRET", "ARM_CLIENT_SECRET_FILE_PATH"],
            renewal: "a new token is requested before the old one expires",
        },
        client_secret,
    ),
    (
        CredentialSource {
            name: "OIDC: token",
            attributes: &["use_oidc", "oidc_token"],
            variables: &["ARM_USE_OIDC", "ARM_OIDC_TOKEN"],
            renewal: "not renewed: the assertion is valid for minutes, the access token from it for about an hour",
        },
        |settings| with_token(settings, &[given_token]),
    ),
    (
        CredentialSource {
            name: "OIDC: token file",
            attributes: &["use_oidc", "oidc_token_file_path"],
            variables: &["ARM_USE_OIDC", "ARM_OIDC_TOKEN_FILE_PATH"],
            renewal: "the file is read again for each token",
        },
        |settings| with_token(settings, &[token_file]),
    ),
    (
        CredentialSource {
            name: "OIDC: AKS workload identity",
            attributes: &["use_aks_workload_identity"],
            variables: &[
                "ARM_USE_AKS_WORKLOAD_IDENTITY",
                "AZURE_CLIENT_ID",
                "AZURE_TENANT_ID",
                "AZURE_FEDERATED_TOKEN_FILE",
            ],
            renewal: "the file is read again for each token",
        },
        |settings| with_token(settings, &[workload_identity]),
    ),
    (
        CredentialSource {
            name: "OIDC: Azure Pipelines",
            attributes: &[
                "use_oidc",
                "ado_pipeline_service_connection_id",
                "oidc_request_url",
                "oidc_request_token",
            ],
            variables: &[
                "ARM_USE_OIDC",
                "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID",
                "ARM_OIDC_AZURE_SERVICE_CONNECTION_ID",
                "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
                "ARM_OIDC_REQUEST_URL",
                "SYSTEM_OIDCREQUESTURI",
                "ARM_OIDC_REQUEST_TOKEN",
                "SYSTEM_ACCESSTOKEN",
            ],
            renewal: ASSERTION,
        },
        |settings| with_token(settings, &[pipelines]),
    ),
    (
        CredentialSource {
            name: "OIDC: token request (GitHub Actions)",
            attributes: &["use_oidc", "oidc_request_url", "oidc_request_token"],
            variables: &[
                "ARM_USE_OIDC",
                "ARM_OIDC_REQUEST_URL",
                "ACTIONS_ID_TOKEN_REQUEST_URL",
                "ARM_OIDC_REQUEST_TOKEN",
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
            ],
            renewal: ASSERTION,
        },
        |settings| with_token(settings, &[token_request]),
    ),
    (
        CredentialSource {
            name: "managed identity",
            attributes: &["use_msi", "msi_endpoint", "msi_api_version"],
            variables: &["ARM_USE_MSI", "ARM_MSI_ENDPOINT", "ARM_MSI_API_VERSION"],
            renewal: "a new token is requested before the old one expires",
        },
        managed_identity,
    ),
    (
        CredentialSource {
            name: "Azure CLI",
            attributes: &["use_cli"],
            variables: &["ARM_USE_CLI"],
            renewal: "`az account get-access-token` runs again before the token expires, while the login of `az` is valid",
        },
        cli,
    ),
];

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

pub(super) fn client_secret(
    settings: &CredentialSettings,
) -> Result<CredentialMethod, RejectedMethod> {
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

pub(super) fn client_certificate(
    settings: &CredentialSettings,
) -> Result<CredentialMethod, RejectedMethod> {
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

pub(super) fn is_oidc_wanted(settings: &CredentialSettings) -> bool {
    settings.use_oidc == Some(true) || settings.use_aks_workload_identity == Some(true)
}

/// Where a token comes from, or None where the settings do not describe this source.
type TokenSource = fn(&CredentialSettings) -> Option<OidcSource>;

/// The sources of a token in the order of [`ORDER`].
const TOKEN_SOURCES: [TokenSource; 5] = [
    given_token,
    token_file,
    workload_identity,
    pipelines,
    token_request,
];

fn given_token(settings: &CredentialSettings) -> Option<OidcSource> {
    set(&settings.oidc_token).map(|token| OidcSource::Token(SecretString::new(token)))
}

fn token_file(settings: &CredentialSettings) -> Option<OidcSource> {
    set(&settings.oidc_token_file_path)
        .filter(|_| settings.use_oidc == Some(true))
        .map(OidcSource::TokenFile)
}

/// `CredentialSettings::with_env` takes the file from the variables of the pod.
fn workload_identity(settings: &CredentialSettings) -> Option<OidcSource> {
    set(&settings.oidc_token_file_path)
        .filter(|_| settings.use_aks_workload_identity == Some(true))
        .map(OidcSource::TokenFile)
}

fn request(settings: &CredentialSettings) -> Option<(String, SecretString)> {
    set(&settings.oidc_request_url).zip(set(&settings.oidc_request_token).map(SecretString::new))
}

fn pipelines(settings: &CredentialSettings) -> Option<OidcSource> {
    let service_connection_id = set(&settings.ado_pipeline_service_connection_id)?;
    request(settings).map(|(url, token)| OidcSource::Pipelines {
        url,
        token,
        service_connection_id,
    })
}

fn token_request(settings: &CredentialSettings) -> Option<OidcSource> {
    request(settings).map(|(url, token)| OidcSource::Request { url, token })
}

/// OIDC with the first source of a token that is there.
pub(super) fn oidc(settings: &CredentialSettings) -> Result<CredentialMethod, RejectedMethod> {
    with_token(settings, &TOKEN_SOURCES)
}

fn with_token(
    settings: &CredentialSettings,
    sources: &[TokenSource],
) -> Result<CredentialMethod, RejectedMethod> {
    let mut needs = Requirements::of("OIDC");
    let wanted = is_oidc_wanted(settings);
    needs.require(
        wanted.then_some(()),
        &["use_oidc", "use_aks_workload_identity"],
    );
    let (tenant, client) = principal(settings, &mut needs);
    let first = |sources: &[TokenSource]| sources.iter().find_map(|source| source(settings));
    if first(&TOKEN_SOURCES).is_none() {
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
    match (wanted, tenant, client, first(sources)) {
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
            api_version: set(&settings.msi_api_version),
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
