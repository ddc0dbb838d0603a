//! Which AWS credentials are used: the first source of [`ORDER`] that has any, and the roles that
//! are assumed with them.

mod assumed_roles;
mod expiry;
mod settings;
mod shared_files;
mod sources;

pub use expiry::ExpiringKeys;
pub use settings::{AssumeRole, AssumeRoleWithWebIdentity, Endpoints, Settings};
pub(super) use sources::search_order;
pub use sources::{ORDER, Source};

pub(super) use expiry::expiring_keys;
pub(super) use shared_files::files;

use super::error::Error;
use super::transport::truncation::TruncatedResponseGuard;
use assumed_roles::Role;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::provider_config::ProviderConfig;
use aws_config::{Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;

/// The credentials that the block and the environment describe. `sdk` contains the transport and
/// the way to STS.
///
/// # Errors
/// `Settings` for attributes that contradict each other.
pub(super) async fn provider(
    settings: &Settings,
    sdk: &SdkConfig,
    region: &Region,
) -> Result<Option<SharedCredentialsProvider>, Error> {
    let mut chain: Option<CredentialsProviderChain> = None;
    for (source, row) in &ORDER {
        if !source.applies(settings) {
            continue;
        }
        let provider = source.provider(settings, sdk, region).await?;
        chain = Some(match chain {
            None => CredentialsProviderChain::first_try(row.name, provider),
            Some(chain) => chain.or_else(row.name, provider),
        });
        if source.is_exclusive() {
            break;
        }
    }
    let mut current = chain.map(SharedCredentialsProvider::new);
    for role in &settings.assume_role {
        let sts = sts(settings, sdk, region, current);
        current = Some(SharedCredentialsProvider::new(Role {
            sts,
            role: role.clone(),
        }));
    }
    Ok(current)
}

/// Transport, time limits and endpoint variants for the SDK's credential providers.
fn context(sdk: &SdkConfig, region: &Region) -> ProviderConfig {
    let mut context = ProviderConfig::without_region()
        .with_region(Some(region.clone()))
        .with_use_fips(sdk.use_fips())
        .with_use_dual_stack(sdk.use_dual_stack());
    if let Some(retries) = sdk.retry_config() {
        context = context.with_retry_config(retries.clone());
    }
    if let Some(limits) = sdk.timeout_config() {
        context = context.with_timeout_config(limits.clone());
    }
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
