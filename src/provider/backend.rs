//! The clouds of the resource and the data source: clients from the settings of the provider block,
//! and diagnostics from the outcome of the reconciler.

pub(super) mod diagnostics;
mod health;

pub(super) use diagnostics::{
    apply_outcome, discover_failed, import_advice, invalid_azure_settings, read_failed,
    status_advice, subscription_advice,
};
use diagnostics::{searched_subscription, warn_of_denied_reads, warn_of_remaining_addresses};

use super::bgp_vpn::backend::{
    ApplyOutcome, Backend, BackendFactory, ImportedLink, ProgressCallback,
};
use super::settings::{ProviderData, ProviderDataError, Settings};
use crate::aws::Aws;
use crate::aws::credentials::ExpiringKeys;
use crate::azure::{Azure, AzureSettings, GatewayLocks};
use crate::reconcile::{self, ActionError, CloudClients, OperationContext};
use async_trait::async_trait;
use bgp_vpn::lookup::{ImportId, InterruptedMove, LookupScope, TeardownSpec};
use bgp_vpn::observed::Observed;
use bgp_vpn::preflight::{PreflightRequest, PreflightSnapshot};
use bgp_vpn::spec::Spec;
use bgp_vpn::stale_plan::ShownPlan;
use bgp_vpn::types::Tags;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use terraform_plugin::{Cancel, Diagnostics};

/// How long a read may take (`timeouts.read`).
const READ_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// Where backends come from: one for each Configure, made when it is first asked for.
#[derive(Clone)]
pub struct BackendCache {
    provider_data: ProviderData,
    /// Shared by all backends: operations on one Azure gateway run one at a time in the process.
    gateway_locks: GatewayLocks,
    made: Arc<Mutex<Option<CachedBackend>>>,
}

/// A backend, with the settings that it was made from.
type CachedBackend = (Arc<Settings>, Arc<CloudBackend>);

impl BackendCache {
    pub fn new(provider_data: ProviderData) -> Self {
        BackendCache {
            provider_data,
            gateway_locks: GatewayLocks::default(),
            made: Arc::default(),
        }
    }

    pub fn factory(&self) -> BackendFactory {
        let backends = self.clone();
        Arc::new(move || Ok(backends.backend()? as Arc<dyn Backend>))
    }

    fn backend(&self) -> Result<Arc<CloudBackend>, Diagnostics> {
        let settings = self
            .provider_data
            .settings()
            .map_err(|fault| Diagnostics::from(fault.diagnostic()))?;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        match made.as_ref() {
            Some((of, backend)) if Arc::ptr_eq(of, &settings) => Ok(backend.clone()),
            _ => {
                let backend = Arc::new(CloudBackend::new(
                    settings.clone(),
                    self.gateway_locks.clone(),
                ));
                *made = Some((settings, backend.clone()));
                Ok(backend)
            }
        }
    }
}

/// Both clouds as one provider block describes them.
pub struct CloudBackend {
    settings: Arc<Settings>,
    subscription: Option<String>,
    clients: Result<CloudClients, Diagnostics>,
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl CloudBackend {
    /// Contacts no endpoint.
    fn new(settings: Arc<Settings>, gateway_locks: GatewayLocks) -> Self {
        let credentials = settings.azure.clone().with_env(&variable);
        let subscription = credentials.subscription_id.clone();
        let extra_roots: Vec<PathBuf> = variable("AWS_CA_BUNDLE")
            .map(PathBuf::from)
            .into_iter()
            .collect();
        let azure = AzureSettings {
            credentials,
            extra_roots,
            http: None,
            gateway_locks,
            seed: None,
        };
        let clouds = Azure::new(azure).map(|azure| CloudClients {
            azure,
            aws: Aws::new(settings.aws.clone()),
        });
        let clouds = clouds.map_err(|fault| Diagnostics::from(invalid_azure_settings(&fault)));
        CloudBackend {
            settings,
            subscription,
            clients: clouds,
        }
    }

    /// Over clouds that are there already.
    pub fn with_clients(settings: Settings, clouds: CloudClients) -> Self {
        let subscription = Some(clouds.azure.subscription().to_owned());
        CloudBackend {
            settings: Arc::new(settings),
            subscription,
            clients: Ok(clouds),
        }
    }

    /// The clients for a link in this subscription, which counts where the provider names none.
    fn clients_in(&self, subscription: Option<&str>) -> Result<CloudClients, Diagnostics> {
        let clouds = self.clients()?;
        Ok(CloudClients {
            azure: clouds
                .azure
                .in_subscription(subscription.unwrap_or_default()),
            aws: clouds.aws.clone(),
        })
    }

    /// `read_failed`, and where a subscription that Azure does not know comes from.
    fn read_failed(&self, what: &str, cause: &ActionError) -> Diagnostics {
        let mut diagnostics = read_failed(what, cause);
        let source =
            self.subscription
                .as_deref()
                .map(|id| match self.settings.azure.subscription_id {
                    Some(_) => (id, "azure.subscription_id of the provider"),
                    None => (id, "the environment variable ARM_SUBSCRIPTION_ID"),
                });
        if let Some(advice) = subscription_advice(cause, source) {
            diagnostics = diagnostics
                .into_iter()
                .map(|mut diagnostic| {
                    diagnostic.detail = format!("{}\n\n{advice}", diagnostic.detail);
                    diagnostic
                })
                .collect();
        }
        diagnostics
    }

    fn clients(&self) -> Result<&CloudClients, Diagnostics> {
        if !self.settings.unknown.is_empty() {
            return Err(ProviderDataError::Unknown(self.settings.unknown.clone())
                .diagnostic()
                .into());
        }
        self.clients.as_ref().map_err(Clone::clone)
    }
}

#[async_trait]
impl Backend for CloudBackend {
    async fn observe(
        &self,
        search: &LookupScope,
        cancel: &Cancel,
    ) -> Result<Observed, Diagnostics> {
        let (clouds, operation) = (
            self.clients_in(searched_subscription(search))?,
            OperationContext::with_timeout(READ_TIMEOUT, cancel),
        );
        let site = clouds
            .link_clients(search.known.region.as_ref(), &operation)
            .await
            .map_err(|c| self.read_failed("the link", &c))?;
        Box::pin(reconcile::observe(&site, search, &operation))
            .await
            .map_err(|cause| self.read_failed("the link", &cause))
    }

    async fn interrupted_moves(
        &self,
        search: &LookupScope,
        observed: &Observed,
        cancel: &Cancel,
    ) -> Result<Vec<InterruptedMove>, Diagnostics> {
        let (clouds, operation) = (
            self.clients_in(searched_subscription(search))?,
            OperationContext::with_timeout(READ_TIMEOUT, cancel),
        );
        Box::pin(reconcile::interrupted_moves(
            &clouds, search, observed, &operation,
        ))
        .await
        .map_err(|cause| self.read_failed("what an interrupted move left behind", &cause))
    }

    async fn preflight(
        &self,
        ask: &PreflightRequest,
        cancel: &Cancel,
    ) -> Result<PreflightSnapshot, Diagnostics> {
        if ask.is_empty() || !self.settings.unknown.is_empty() {
            return Ok(PreflightSnapshot::default());
        }
        let (clouds, operation) = (
            self.clients_in(ask.subscription.as_deref())?,
            OperationContext::with_timeout(READ_TIMEOUT, cancel),
        );
        let seen = Box::pin(reconcile::preflight(&clouds, ask, &operation)).await;
        seen.map_err(|cause| self.read_failed("the networks of the link", &cause))
    }

    async fn converge(
        &self,
        spec: &Spec,
        search: &LookupScope,
        timeout: Duration,
        cancel: &Cancel,
        progress: ProgressCallback<'_>,
    ) -> ApplyOutcome {
        let clouds = match self.clients_in(Some(&spec.azure.subscription)) {
            Ok(clouds) => clouds,
            Err(diagnostics) => {
                return ApplyOutcome {
                    diagnostics,
                    ..ApplyOutcome::default()
                };
            }
        };
        let operation = OperationContext::with_timeout(timeout, cancel);
        let ended = Box::pin(reconcile::converge(
            &clouds, spec, search, &operation, progress,
        ))
        .await;
        let former: Vec<Ipv4Addr> = spec.removals.addresses.iter().map(|(_, ip)| *ip).collect();
        warn_of_denied_reads(
            warn_of_remaining_addresses(apply_outcome(ended, "built", timeout), &former),
            &operation,
        )
    }

    async fn teardown(
        &self,
        removal: &TeardownSpec,
        search: &LookupScope,
        timeout: Duration,
        cancel: &Cancel,
        progress: ProgressCallback<'_>,
    ) -> ApplyOutcome {
        let clouds = match self.clients_in(Some(&removal.subscription)) {
            Ok(clouds) => clouds,
            Err(diagnostics) => {
                return ApplyOutcome {
                    diagnostics,
                    ..ApplyOutcome::default()
                };
            }
        };
        let operation = OperationContext::with_timeout(timeout, cancel);
        let ended = Box::pin(reconcile::teardown(
            &clouds, removal, search, &operation, progress,
        ))
        .await;
        warn_of_denied_reads(
            warn_of_remaining_addresses(
                apply_outcome(ended, "deleted", timeout),
                &removal.own_bgp_addresses,
            ),
            &operation,
        )
    }

    async fn discover(&self, id: &ImportId, cancel: &Cancel) -> Result<ImportedLink, Diagnostics> {
        let (clouds, operation) = (
            self.clients_in(Some(id.azure_gateway.subscription()))?,
            OperationContext::with_timeout(READ_TIMEOUT, cancel),
        );
        let found = Box::pin(reconcile::discover(&clouds, id, &operation)).await;
        let found = found.map_err(|fault| discover_failed(&fault, &import_advice(&fault, id)))?;
        Ok(ImportedLink {
            observed: found.observed,
            link: found.link,
            name: found.name,
            inside_cidrs: found.inside_cidrs,
            region: found.region,
            known: found.known,
            shared_customer_gateways: found.shared_customer_gateways,
            complete: found.complete,
        })
    }

    fn drift(&self, spec: &Spec, observed: &Observed) -> Vec<String> {
        bgp_vpn::plan::describe_drift(spec, observed)
    }

    fn changes_since_plan(
        &self,
        before: Option<&Spec>,
        spec: &Spec,
        observed: &Observed,
        shown: &ShownPlan,
    ) -> Vec<String> {
        bgp_vpn::stale_plan::changes_since_plan(before, spec, observed, shown)
    }

    async fn expiring_keys(&self) -> Option<ExpiringKeys> {
        self.clients().ok()?.aws.expiring_keys().await
    }

    fn is_configured(&self) -> bool {
        self.settings.unknown.is_empty()
    }

    fn checks_account(&self) -> bool {
        self.settings.preflight
    }

    fn default_tags(&self) -> Tags {
        self.settings.default_tags.clone().unwrap_or_default()
    }

    fn default_region(&self) -> Option<String> {
        self.settings.aws.region.clone()
    }

    fn subscription(&self) -> Option<String> {
        self.subscription.clone()
    }
}
