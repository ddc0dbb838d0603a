//! Whose credentials are used: the block's own, a web identity, a profile or the SDK's chain, and
//! the roles taken on with them.

mod settings;

pub use settings::{AssumeRole, AssumeRoleWithWebIdentity, Endpoints, Settings};

use super::error::Error;
use super::transport::truncation::TruncatedResponseGuard;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_sdk_sts::types::{PolicyDescriptorType, Tag};
use std::fmt;
use std::time::SystemTime;

const SESSION: &str = "terraform-provider-awsazure";

/// The shared files that the block names, or those of the environment and the home folder.
pub(super) fn files(settings: &Settings) -> Option<EnvConfigFiles> {
    if settings.shared_config_files.is_empty() && settings.shared_credentials_files.is_empty() {
        return None;
    }
    let mut files = EnvConfigFiles::builder()
        .include_default_config_file(settings.shared_config_files.is_empty())
        .include_default_credentials_file(settings.shared_credentials_files.is_empty());
    for path in &settings.shared_config_files {
        files = files.with_file(EnvConfigFileKind::Config, path);
    }
    for path in &settings.shared_credentials_files {
        files = files.with_file(EnvConfigFileKind::Credentials, path);
    }
    Some(files.build())
}

/// The last link of the chain that the block describes; `sdk` brings the SDK's own chain and the
/// way to STS.
///
/// # Errors
/// `Settings` where attributes contradict each other.
pub(super) fn provider(
    settings: &Settings,
    sdk: &SdkConfig,
    region: &Region,
) -> Result<Option<SharedCredentialsProvider>, Error> {
    let mut current = match (&settings.access_key, &settings.secret_key) {
        (Some(id), Some(secret)) => Some(SharedCredentialsProvider::new(Credentials::new(
            id,
            secret,
            settings.token.clone(),
            None,
            "aws.access_key",
        ))),
        (None, None) => None,
        (Some(_), None) => {
            return Err(Error::Settings(
                "aws.access_key is set without aws.secret_key".to_owned(),
            ));
        }
        (None, Some(_)) => {
            return Err(Error::Settings(
                "aws.secret_key is set without aws.access_key".to_owned(),
            ));
        }
    };
    if current.is_none()
        && let Some(identity) = &settings.assume_role_with_web_identity
    {
        let sts = sts(settings, sdk, region, None);
        current = Some(SharedCredentialsProvider::new(WebIdentity {
            sts,
            identity: identity.clone(),
        }));
    }
    if current.is_none()
        && let Some(profile) = &settings.profile
    {
        let context = context(sdk, region);
        let mut builder = ProfileFileCredentialsProvider::builder()
            .configure(&context)
            .profile_name(profile);
        if let Some(files) = files(settings) {
            builder = builder.profile_files(files);
        }
        current = Some(SharedCredentialsProvider::new(builder.build()));
    }
    let mut current = current.or_else(|| sdk.credentials_provider());
    if let (Some(endpoint), Some(chain)) = (&settings.ec2_metadata_service_endpoint, &current) {
        let client = aws_config::imds::Client::builder()
            .configure(&context(sdk, region))
            .endpoint(endpoint)
            .map_err(|error| {
                Error::Settings(format!("aws.ec2_metadata_service_endpoint: {error}"))
            })?
            .build();
        let instance = aws_config::imds::credentials::ImdsCredentialsProvider::builder()
            .imds_client(client)
            .build();
        current = Some(SharedCredentialsProvider::new(
            CredentialsProviderChain::first_try("Chain", chain.clone())
                .or_else("Instance", instance),
        ));
    }
    for role in &settings.assume_role {
        let sts = sts(settings, sdk, region, current);
        current = Some(SharedCredentialsProvider::new(Role {
            sts,
            role: role.clone(),
        }));
    }
    Ok(current)
}

/// The surroundings of credential providers that are made here: the transport with its limits above
/// all.
fn context(sdk: &SdkConfig, region: &Region) -> ProviderConfig {
    let mut context = ProviderConfig::without_region().with_region(Some(region.clone()));
    if let Some(http) = sdk.http_client() {
        context = context.with_http_client(http);
    }
    if let Some(sleep) = sdk.sleep_impl() {
        context = context.with_sleep_impl(sleep);
    }
    if let Some(time) = sdk.time_source() {
        context = context.with_time_source(time);
    }
    context
}

/// STS with these credentials; None for calls that carry their own proof.
pub(super) fn sts(
    settings: &Settings,
    sdk: &SdkConfig,
    region: &Region,
    credentials: Option<SharedCredentialsProvider>,
) -> aws_sdk_sts::Client {
    let mut config = aws_sdk_sts::config::Builder::from(sdk)
        .region(region.clone())
        .interceptor(TruncatedResponseGuard);
    config.set_credentials_provider(credentials);
    if let Some(endpoint) = &settings.endpoints.sts {
        config.set_endpoint_url(Some(endpoint.clone()));
    }
    aws_sdk_sts::Client::from_conf(config.build())
}

struct Role {
    sts: aws_sdk_sts::Client,
    role: AssumeRole,
}

impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Role").field(&self.role.role_arn).finish()
    }
}

impl ProvideCredentials for Role {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.assume())
    }
}

impl Role {
    async fn assume(&self) -> provider::Result {
        let role = &self.role;
        let tags = role
            .tags
            .iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build());
        let tags = tags
            .collect::<Result<Vec<_>, _>>()
            .map_err(CredentialsError::invalid_configuration)?;
        let answer = self
            .sts
            .assume_role()
            .role_arn(&role.role_arn)
            .role_session_name(role.session_name.as_deref().unwrap_or(SESSION))
            .set_external_id(role.external_id.clone())
            .set_duration_seconds(
                role.duration
                    .and_then(|time| i32::try_from(time.as_secs()).ok()),
            )
            .set_policy(role.policy.clone())
            .set_policy_arns(arns(&role.policy_arns))
            .set_tags((!tags.is_empty()).then_some(tags))
            .set_transitive_tag_keys(
                (!role.transitive_tag_keys.is_empty()).then(|| role.transitive_tag_keys.clone()),
            )
            .set_source_identity(role.source_identity.clone())
            .send()
            .await
            .map_err(CredentialsError::provider_error)?;
        credentials(answer.credentials, "aws.assume_role")
    }
}

struct WebIdentity {
    sts: aws_sdk_sts::Client,
    identity: AssumeRoleWithWebIdentity,
}

impl fmt::Debug for WebIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.identity.fmt(f)
    }
}

impl ProvideCredentials for WebIdentity {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.assume())
    }
}

impl WebIdentity {
    async fn assume(&self) -> provider::Result {
        let identity = &self.identity;
        let wanting = |what: &str, variable: &str| {
            CredentialsError::invalid_configuration(format!(
                "aws.assume_role_with_web_identity needs {what} (or {variable})"
            ))
        };
        let role = either(&identity.role_arn, "AWS_ROLE_ARN")
            .ok_or_else(|| wanting("role_arn", "AWS_ROLE_ARN"))?;
        let token = match &identity.web_identity_token {
            Some(token) => token.clone(),
            None => {
                let path = either(
                    &identity.web_identity_token_file,
                    "AWS_WEB_IDENTITY_TOKEN_FILE",
                )
                .ok_or_else(|| wanting("web_identity_token_file", "AWS_WEB_IDENTITY_TOKEN_FILE"))?;
                let token = tokio::fs::read_to_string(&path).await;
                token.map_err(|error| {
                    CredentialsError::invalid_configuration(format!("{path}: {error}"))
                })?
            }
        };
        let session = either(&identity.session_name, "AWS_ROLE_SESSION_NAME");
        let answer = self
            .sts
            .assume_role_with_web_identity()
            .role_arn(role)
            .role_session_name(session.as_deref().unwrap_or(SESSION))
            .web_identity_token(token.trim())
            .set_duration_seconds(
                identity
                    .duration
                    .and_then(|time| i32::try_from(time.as_secs()).ok()),
            )
            .set_policy(identity.policy.clone())
            .set_policy_arns(arns(&identity.policy_arns))
            .send()
            .await
            .map_err(CredentialsError::provider_error)?;
        credentials(answer.credentials, "aws.assume_role_with_web_identity")
    }
}

fn either(attribute: &Option<String>, variable: &str) -> Option<String> {
    attribute
        .clone()
        .or_else(|| std::env::var(variable).ok())
        .filter(|text| !text.is_empty())
}

fn arns(arns: &[String]) -> Option<Vec<PolicyDescriptorType>> {
    let list = || {
        arns.iter()
            .map(|arn| PolicyDescriptorType::builder().arn(arn).build())
            .collect()
    };
    (!arns.is_empty()).then(list)
}

fn credentials(
    found: Option<aws_sdk_sts::types::Credentials>,
    source: &'static str,
) -> provider::Result {
    let found =
        found.ok_or_else(|| CredentialsError::unhandled("STS answered without credentials"))?;
    let until = SystemTime::try_from(found.expiration)
        .map_err(|_| CredentialsError::unhandled("STS answered with an impossible expiration"))?;
    Ok(Credentials::new(
        found.access_key_id,
        found.secret_access_key,
        Some(found.session_token),
        Some(until),
        source,
    ))
}
