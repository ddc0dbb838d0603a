//! The provider's AWS half: configuration that is read when a resource first needs it, and one
//! client a region.

use super::credentials::{self, ExpiringKeys, Settings};
use super::error::{Error, call_context};
use super::model::Region;
use super::resources::SharedDescribes;
use super::shared_poll::SharedPoller;
use super::transport::response_limit::limit_responses;
use super::transport::tls;
use super::transport::truncation::TruncatedResponseGuard;
use crate::client::{Backoff, CallContext};
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, SdkConfig};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use bgp_vpn::account::Quota;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::OnceCell;
use tokio::time::Instant;

/// A call that hangs ends after this, connecting included.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Where roles are taken on when no region is known at all: any region of the partition that the
/// role is in answers.
fn fallback_region(settings: &Settings) -> &'static str {
    let identity = settings.assume_role_with_web_identity.as_ref();
    let roles = settings.assume_role.iter().map(|role| &role.role_arn);
    let role = roles
        .chain(identity.and_then(|identity| identity.role_arn.as_ref()))
        .next();
    match role.and_then(|arn| arn.split(':').nth(1)) {
        Some("aws-cn") => "cn-north-1",
        Some("aws-us-gov") => "us-gov-west-1",
        _ => "us-east-1",
    }
}

/// What tests and simulations put in the place of network, clock and randomness. The default is the
/// real thing.
#[derive(Clone, Debug, Default)]
pub struct ClientOverrides {
    pub http: Option<SharedHttpClient>,
    /// Default: tokio's, so that a paused clock is obeyed.
    pub sleep: Option<SharedAsyncSleep>,
    /// Clock of signatures and of credentials' expiry. Default: the system's. `TokioTimeSource`
    /// follows a paused clock.
    pub time: Option<SharedTimeSource>,
    /// Makes the pauses between retries repeatable.
    pub seed: Option<u64>,
}

/// A wall clock that goes as tokio's clock goes, paused and advanced time included.
#[derive(Clone, Copy, Debug)]
pub struct TokioTimeSource {
    origin: SystemTime,
    started: Instant,
}

impl TokioTimeSource {
    /// It is `origin` now.
    pub fn starting(origin: SystemTime) -> Self {
        TokioTimeSource {
            origin,
            started: Instant::now(),
        }
    }
}

impl TimeSource for TokioTimeSource {
    fn now(&self) -> SystemTime {
        self.origin + self.started.elapsed()
    }
}

/// AWS as the provider block describes it. Making one contacts nothing and reads nothing. Clones
/// share everything.
#[derive(Clone)]
pub struct Aws(Arc<Shared>);

struct Shared {
    settings: Settings,
    overrides: ClientOverrides,
    backoff: Backoff,
    loaded: OnceCell<SdkConfig>,
    account: OnceCell<()>,
    regions: Mutex<BTreeMap<Region, Ec2>>,
}

/// EC2 (and the account's identity) in one region. Clones share connections and reads.
#[derive(Clone)]
pub struct Ec2 {
    region: Region,
    client: aws_sdk_ec2::Client,
    sts: aws_sdk_sts::Client,
    /// None where an endpoint of EC2 is configured: Service Quotas may not be there.
    quotas: Option<aws_sdk_servicequotas::Client>,
    quota_cache: Arc<OnceCell<BTreeMap<Quota, u32>>>,
    backoff: Backoff,
    max_retries: Option<u32>,
    has_custom_endpoint: bool,
    shared_poller: Arc<SharedPoller>,
    shared_describes: Arc<SharedDescribes>,
}

impl Aws {
    pub fn new(settings: Settings) -> Self {
        Self::with(settings, ClientOverrides::default())
    }

    /// With other network, clock or randomness.
    pub fn with(settings: Settings, overrides: ClientOverrides) -> Self {
        let backoff = Backoff::new(overrides.seed);
        Aws(Arc::new(Shared {
            settings,
            overrides,
            backoff,
            loaded: OnceCell::new(),
            account: OnceCell::new(),
            regions: Mutex::default(),
        }))
    }

    /// The client of a region, or of the provider's region. The first call reads files and
    /// environment, and asks for the account where the block restricts accounts.
    ///
    /// # Errors
    /// `Settings` without a region, for contradicting attributes, or for an account that is not
    /// allowed; `Cancelled`, `DeadlineExceeded`; what `caller_identity` answers.
    pub async fn region(&self, ctx: &CallContext, region: Option<&Region>) -> Result<Ec2, Error> {
        let shared = &self.0;
        let load = shared.loaded.get_or_try_init(|| shared.load(region));
        let context = call_context("configuration", "the provider");
        let sdk = ctx.run(Duration::ZERO, &context, load).await??;
        let region =
            region.cloned().or_else(|| sdk.region().map(|region| Region(region.to_string()))).ok_or_else(|| {
                Error::Settings(
                    "no AWS region: set aws.region in the resource or in the provider block, AWS_REGION or \
                AWS_DEFAULT_REGION, or a region in the profile"
                        .to_owned(),
                )
            })?;
        let ec2 = {
            let mut regions = shared
                .regions
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            regions
                .entry(region.clone())
                .or_insert_with(|| shared.client(sdk, region))
                .clone()
        };
        shared
            .account
            .get_or_try_init(|| shared.check_account(ctx, &ec2))
            .await?;
        // Links share connections and reads of ids, but polls that hang hold up their own link only.
        Ok(Ec2 {
            shared_poller: Arc::default(),
            ..ec2
        })
    }

    /// How long the credentials are still valid, where they are not renewed and their expiry is
    /// known. Contacts no endpoint.
    pub async fn expiring_keys(&self) -> Option<ExpiringKeys> {
        let clock = self.0.overrides.time.as_ref();
        let now = clock.map_or_else(SystemTime::now, TimeSource::now);
        let variable = |name: &str| std::env::var(name).ok();
        credentials::expiring_keys(&self.0.settings, &variable, now).await
    }
}

impl Shared {
    async fn load(&self, first: Option<&Region>) -> Result<SdkConfig, Error> {
        let settings = &self.settings;
        let http = match &self.overrides.http {
            Some(http) => http.clone(),
            None => tls::https(settings)?,
        };
        let http = limit_responses(http);
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .sleep_impl(
                self.overrides
                    .sleep
                    .clone()
                    .unwrap_or_else(|| SharedAsyncSleep::new(TokioSleep::new())),
            )
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT_TIMEOUT)
                    .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                    .build(),
            )
            // The attempt's own limit ends a hang; this would only add a second clock.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            // For the credentials' sake: EC2's own calls are retried by us (see `retry`).
            .retry_config(RetryConfig::standard())
            // The order of the SDK's own chain differs from the AWS provider's (see `credentials`).
            .no_credentials();
        if let Some(time) = &self.overrides.time {
            loader = loader.time_source(time.clone());
        }
        if let Ok(name) = AppName::new(concat!(
            "terraform-provider-awsazure-",
            env!("CARGO_PKG_VERSION")
        )) {
            loader = loader.app_name(name);
        }
        if let Some(region) = &settings.region {
            loader = loader.region(aws_config::Region::new(region.clone()));
        }
        if let Some(profile) = settings.profile_name() {
            loader = loader.profile_name(profile);
        }
        if let Some(files) = credentials::files(settings) {
            loader = loader.profile_files(files);
        }
        if let Some(fips) = settings.use_fips_endpoint {
            loader = loader.use_fips(fips);
        }
        if let Some(dual) = settings.use_dualstack_endpoint {
            loader = loader.use_dual_stack(dual);
        }
        let sdk = loader.load().await;
        let region = sdk.region().cloned().unwrap_or_else(|| {
            aws_config::Region::new(first.map_or_else(
                || fallback_region(settings).to_owned(),
                |region| region.0.clone(),
            ))
        });
        let mut with = sdk.clone().into_builder();
        with.set_credentials_provider(credentials::provider(settings, &sdk, &region).await?);
        Ok(with.build())
    }

    fn client(&self, sdk: &SdkConfig, region: Region) -> Ec2 {
        let place = aws_config::Region::new(region.0.clone());
        let mut config = aws_sdk_ec2::config::Builder::from(sdk)
            .region(place.clone())
            .interceptor(TruncatedResponseGuard);
        config.set_retry_config(Some(RetryConfig::disabled()));
        let endpoint = &self.settings.endpoints.ec2;
        if let Some(endpoint) = endpoint {
            config.set_endpoint_url(Some(endpoint.clone()));
        }
        let quotas = endpoint.is_none().then(|| {
            let mut config =
                aws_sdk_servicequotas::config::Builder::from(sdk).region(place.clone());
            config.set_retry_config(Some(RetryConfig::disabled()));
            aws_sdk_servicequotas::Client::from_conf(config.build())
        });
        Ec2 {
            quotas,
            quota_cache: Arc::default(),
            region,
            client: aws_sdk_ec2::Client::from_conf(config.build()),
            sts: credentials::sts(&self.settings, sdk, &place, sdk.credentials_provider()),
            backoff: self.backoff,
            max_retries: self.settings.max_retries,
            has_custom_endpoint: self.settings.endpoints.ec2.is_some(),
            shared_poller: Arc::default(),
            shared_describes: Arc::default(),
        }
    }

    async fn check_account(&self, ctx: &CallContext, ec2: &Ec2) -> Result<(), Error> {
        let Settings {
            allowed_account_ids: allowed,
            forbidden_account_ids: forbidden,
            ..
        } = &self.settings;
        if allowed.is_empty() && forbidden.is_empty() {
            return Ok(());
        }
        let account = ec2.caller_identity(ctx).await?.account;
        if !allowed.is_empty() && !allowed.contains(&account) {
            return Err(Error::Settings(format!(
                "AWS account {account} is not in aws.allowed_account_ids"
            )));
        }
        if forbidden.contains(&account) {
            return Err(Error::Settings(format!(
                "AWS account {account} is in aws.forbidden_account_ids"
            )));
        }
        Ok(())
    }
}

impl Ec2 {
    pub fn region(&self) -> &Region {
        &self.region
    }

    pub(super) fn client(&self) -> &aws_sdk_ec2::Client {
        &self.client
    }

    pub(super) fn sts(&self) -> &aws_sdk_sts::Client {
        &self.sts
    }

    pub(super) fn quotas(&self) -> Option<&aws_sdk_servicequotas::Client> {
        self.quotas.as_ref()
    }

    pub(super) fn quota_cache(&self) -> &OnceCell<BTreeMap<Quota, u32>> {
        &self.quota_cache
    }

    /// Whether the host of EC2 does not depend on the region.
    pub(super) fn has_custom_endpoint(&self) -> bool {
        self.has_custom_endpoint
    }

    pub(super) fn shared_describes(&self) -> &SharedDescribes {
        &self.shared_describes
    }

    pub(super) fn shared_poller(&self) -> &SharedPoller {
        &self.shared_poller
    }

    pub(super) fn backoff(&self) -> Backoff {
        self.backoff
    }

    pub(super) fn max_retries(&self) -> Option<u32> {
        self.max_retries
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::credentials::AssumeRole;

    #[test]
    fn take_on_role_in_its_partition() {
        for (partition, region) in [
            ("aws", "us-east-1"),
            ("aws-us-gov", "us-gov-west-1"),
            ("aws-cn", "cn-north-1"),
        ] {
            let role = AssumeRole {
                role_arn: format!("arn:{partition}:iam::123456789012:role/network"),
                ..AssumeRole::default()
            };
            let settings = Settings {
                assume_role: vec![role],
                ..Settings::default()
            };
            assert_eq!(fallback_region(&settings), region);
        }
        assert_eq!(fallback_region(&Settings::default()), "us-east-1");
    }
}
