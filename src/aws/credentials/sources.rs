//! The sources of AWS credentials in the order of the AWS provider: aws-sdk-go-base as of 2026-07,
//! on top of the chain of the AWS SDK for Go. The SDK for Rust tries profiles before the web identity
//! of the environment, which is another identity in an EKS pod with a default profile.

use super::assumed_roles::WebIdentity;
use super::shared_files::{files, profiles};
use super::{Settings, context, sts};
use crate::aws::error::Error;
use crate::client::CredentialSource;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};

/// A source of AWS credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Keys,
    WebIdentity,
    NamedProfile,
    EnvironmentKeys,
    EnvironmentWebIdentity,
    Profile,
    Container,
    Instance,
}

const PROFILE_RENEWAL: &str = "SSO, `aws login`, `credential_process` and roles: requested again before they expire, \
     while the session behind them is valid. Keys: not renewed. The plan warns where `x_security_token_expires` is too soon";

/// All sources. The first that has credentials is used.
pub const ORDER: [(Source, CredentialSource); 8] = [
    (
        Source::Keys,
        CredentialSource {
            name: "keys",
            attributes: &["access_key", "secret_key", "token"],
            variables: &[],
            renewal: "not renewed; the expiry of a token is not known",
        },
    ),
    (
        Source::WebIdentity,
        CredentialSource {
            name: "web identity",
            attributes: &["assume_role_with_web_identity"],
            variables: &[],
            renewal: "the token file is read again for each session; a token in the configuration is not renewed",
        },
    ),
    (
        Source::NamedProfile,
        CredentialSource {
            name: "named profile",
            attributes: &["profile", "shared_config_files", "shared_credentials_files"],
            variables: &[],
            renewal: PROFILE_RENEWAL,
        },
    ),
    (
        Source::EnvironmentKeys,
        CredentialSource {
            name: "keys of the environment",
            attributes: &[],
            variables: &[
                "AWS_ACCESS_KEY_ID",
                "AWS_SECRET_ACCESS_KEY",
                "AWS_SESSION_TOKEN",
            ],
            renewal: "not renewed. The plan warns where `AWS_CREDENTIAL_EXPIRATION` is too soon",
        },
    ),
    (
        Source::EnvironmentWebIdentity,
        CredentialSource {
            name: "web identity of the environment",
            attributes: &[],
            variables: &[
                "AWS_WEB_IDENTITY_TOKEN_FILE",
                "AWS_ROLE_ARN",
                "AWS_ROLE_SESSION_NAME",
            ],
            renewal: "the token file is read again for each session",
        },
    ),
    (
        Source::Profile,
        CredentialSource {
            name: "profile",
            attributes: &["shared_config_files", "shared_credentials_files"],
            variables: &[
                "AWS_PROFILE",
                "AWS_DEFAULT_PROFILE",
                "AWS_CONFIG_FILE",
                "AWS_SHARED_CREDENTIALS_FILE",
            ],
            renewal: PROFILE_RENEWAL,
        },
    ),
    (
        Source::Container,
        CredentialSource {
            name: "container (ECS, EKS Pod Identity)",
            attributes: &[],
            variables: &[
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            ],
            renewal: "requested again before they expire",
        },
    ),
    (
        Source::Instance,
        CredentialSource {
            name: "instance (EC2, IMDSv2)",
            attributes: &["ec2_metadata_service_endpoint"],
            variables: &[
                "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                "AWS_EC2_METADATA_DISABLED",
            ],
            renewal: "requested again before they expire",
        },
    ),
];

/// All sources in a sentence, for errors.
pub(in crate::aws) fn search_order() -> String {
    let text = |row: &CredentialSource| {
        let attributes = row.attributes.iter().map(|name| format!("aws.{name}"));
        let variables = row.variables.iter().map(|name| (*name).to_owned());
        let places: Vec<String> = attributes.chain(variables).collect();
        format!("{} ({})", row.name, places.join(", "))
    };
    let rows: Vec<String> = ORDER.iter().map(|(_, row)| text(row)).collect();
    rows.join("; ")
}

impl Source {
    /// Whether the source is tried at all.
    pub(super) fn applies(self, settings: &Settings) -> bool {
        match self {
            Source::Keys => [&settings.access_key, &settings.secret_key, &settings.token]
                .iter()
                .any(|key| key.is_some()),
            Source::WebIdentity => settings.assume_role_with_web_identity.is_some(),
            Source::NamedProfile => settings.profile.is_some(),
            Source::EnvironmentKeys | Source::Profile => settings.profile.is_none(),
            Source::EnvironmentWebIdentity => {
                settings.profile.is_none()
                    && std::env::var("AWS_WEB_IDENTITY_TOKEN_FILE")
                        .is_ok_and(|path| !path.is_empty())
            }
            Source::Container | Source::Instance => true,
        }
    }

    /// Whether no other source is tried after this one.
    pub(super) fn is_exclusive(self) -> bool {
        matches!(
            self,
            Source::Keys | Source::WebIdentity | Source::EnvironmentWebIdentity
        )
    }

    /// The credentials of this source.
    ///
    /// # Errors
    /// `Settings` for keys that are incomplete, a profile that does not exist, or an invalid URL.
    pub(super) async fn provider(
        self,
        settings: &Settings,
        sdk: &SdkConfig,
        region: &Region,
    ) -> Result<SharedCredentialsProvider, Error> {
        Ok(match self {
            Source::Keys => SharedCredentialsProvider::new(keys(settings)?),
            Source::WebIdentity | Source::EnvironmentWebIdentity => {
                let block = settings.assume_role_with_web_identity.clone();
                let identity = block
                    .filter(|_| self == Source::WebIdentity)
                    .unwrap_or_default();
                let sts = sts(settings, sdk, region, None);
                SharedCredentialsProvider::new(WebIdentity { sts, identity })
            }
            Source::NamedProfile | Source::Profile => profile(settings, sdk, region).await?,
            Source::EnvironmentKeys => {
                SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new())
            }
            Source::Container => SharedCredentialsProvider::new(
                EcsCredentialsProvider::builder()
                    .configure(&context(sdk, region))
                    .build(),
            ),
            Source::Instance => instance(settings, sdk, region)?,
        })
    }
}

fn keys(settings: &Settings) -> Result<Credentials, Error> {
    let missing = |set: &str, missing: &str| {
        Error::Settings(format!("aws.{set} is set without aws.{missing}"))
    };
    match (&settings.access_key, &settings.secret_key) {
        (Some(id), Some(secret)) => Ok(Credentials::new(
            id,
            secret,
            settings.token.clone(),
            None,
            "aws.access_key",
        )),
        (Some(_), None) => Err(missing("access_key", "secret_key")),
        (None, Some(_)) => Err(missing("secret_key", "access_key")),
        (None, None) => Err(missing("token", "access_key and aws.secret_key")),
    }
}

/// A profile that is named must exist, or the identity of a container or an instance would be used
/// in its place.
async fn profile(
    settings: &Settings,
    sdk: &SdkConfig,
    region: &Region,
) -> Result<SharedCredentialsProvider, Error> {
    let mut builder = ProfileFileCredentialsProvider::builder().configure(&context(sdk, region));
    if let Some(files) = files(settings) {
        builder = builder.profile_files(files);
    }
    if let Some(name) = settings.profile_name() {
        let profiles = profiles(settings).await;
        if profiles.is_some_and(|all| all.get_profile(&name).is_none()) {
            return missing_profile(settings, &name);
        }
        builder = builder.profile_name(name);
    }
    Ok(SharedCredentialsProvider::new(builder.build()))
}

/// A variable matters only where the sources before it have no credentials.
fn missing_profile(settings: &Settings, name: &str) -> Result<SharedCredentialsProvider, Error> {
    let fault = format!("the shared files contain no profile {name:?}");
    if settings.profile.is_some() {
        return Err(Error::Settings(format!("aws.profile: {fault}")));
    }
    Ok(SharedCredentialsProvider::new(Unusable(format!(
        "AWS_PROFILE: {fault}"
    ))))
}

/// A source that ends the search with an error.
#[derive(Debug)]
struct Unusable(String);

impl ProvideCredentials for Unusable {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let fault = CredentialsError::invalid_configuration(self.0.clone());
        future::ProvideCredentials::ready(Err(fault))
    }
}

fn instance(
    settings: &Settings,
    sdk: &SdkConfig,
    region: &Region,
) -> Result<SharedCredentialsProvider, Error> {
    let context = context(sdk, region);
    let mut builder = imds::credentials::ImdsCredentialsProvider::builder().configure(&context);
    if let Some(endpoint) = &settings.ec2_metadata_service_endpoint {
        let client = imds::Client::builder()
            .configure(&context)
            .endpoint(endpoint)
            .map_err(|error| {
                Error::Settings(format!("aws.ec2_metadata_service_endpoint: {error}"))
            })?;
        builder = builder.imds_client(client.build());
    }
    Ok(SharedCredentialsProvider::new(builder.build()))
}
