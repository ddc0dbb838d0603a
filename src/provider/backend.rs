//! The clouds of the resource and the data source: clients from the settings of the provider block,
//! and diagnostics from the outcome of the reconciler.

mod health;

use super::bgp_vpn::backend::{
    ApplyOutcome, Backend, BackendFactory, ImportedLink, ProgressCallback,
};
use super::bgp_vpn::existing_link::conflict_diagnostic;
use super::bgp_vpn::unread_keys::unread_keys;
use super::name_conflict;
use super::remaining_objects;
use super::sentence::{capitalize, sentence};
use super::settings::{ProviderData, ProviderDataError, Settings};
use super::status::{self, Denial};
use super::summaries;
use crate::aws::Aws;
use crate::azure::id::ResourceId;
use crate::azure::{Azure, AzureSettings, ClientBuildError, GatewayLocks};
use crate::client::DeniedRead;
use crate::reconcile::{
    self, ActionError, ActionFailure, CloudClients, DiscoverError, OperationContext,
    ReconcileOutcome,
};
use async_trait::async_trait;
use bgp_vpn::action::Verb;
use bgp_vpn::conflict::Conflict;
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
use terraform_plugin::{Cancel, Diagnostic, Diagnostics};

/// How long a read may take (`timeouts.read`).
const READ_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// Where engines come from: one for each Configure, made when it is first asked for.
#[derive(Clone)]
pub struct BackendCache {
    provider_data: ProviderData,
    /// Shared by all engines: operations on one Azure gateway run one at a time in the process.
    gates: GatewayLocks,
    made: Arc<Mutex<Option<CachedBackend>>>,
}

/// An engine, with the settings that it was made from.
type CachedBackend = (Arc<Settings>, Arc<CloudBackend>);

impl BackendCache {
    pub fn new(provider_data: ProviderData) -> Self {
        BackendCache {
            provider_data,
            gates: GatewayLocks::default(),
            made: Arc::default(),
        }
    }

    pub fn factory(&self) -> BackendFactory {
        let engines = self.clone();
        Arc::new(move || Ok(engines.backend()? as Arc<dyn Backend>))
    }

    fn backend(&self) -> Result<Arc<CloudBackend>, Diagnostics> {
        let settings = self
            .provider_data
            .settings()
            .map_err(|fault| Diagnostics::from(fault.diagnostic()))?;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        match made.as_ref() {
            Some((of, engine)) if Arc::ptr_eq(of, &settings) => Ok(engine.clone()),
            _ => {
                let engine = Arc::new(CloudBackend::new(settings.clone(), self.gates.clone()));
                *made = Some((settings, engine.clone()));
                Ok(engine)
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
    fn new(settings: Arc<Settings>, gates: GatewayLocks) -> Self {
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
            gateway_locks: gates,
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
        let named = self.settings.aws.region.clone();
        named
            .or_else(|| variable("AWS_REGION"))
            .or_else(|| variable("AWS_DEFAULT_REGION"))
    }

    fn subscription(&self) -> Option<String> {
        self.subscription.clone()
    }
}

/// Adds a warning for each optional read that was rejected.
fn warn_of_denied_reads(mut outcome: ApplyOutcome, operation: &OperationContext) -> ApplyOutcome {
    let reads = operation.denied.all();
    reads
        .iter()
        .for_each(|read| outcome.diagnostics.push(denied_read(read)));
    outcome
}

/// The warning about an optional read.
pub(super) fn denied_read(read: &DeniedRead) -> Diagnostic {
    let DeniedRead {
        action,
        scope,
        consequence,
        reason,
    } = read;
    Diagnostic::warning(summaries::UNREAD_OBJECTS).detail(format!(
        "The credentials have no permission for {action} on {scope}. {consequence} Grant the permission to avoid this.\n\nReported: {reason}"
    ))
}

/// Rejects settings from which no Azure client can be created.
pub(super) fn invalid_azure_settings(fault: &ClientBuildError) -> Diagnostic {
    Diagnostic::error(summaries::UNABLE_TO_CONFIGURE_AZURE)
        .detail(sentence(&fault.to_string()))
        .at("azure")
}

/// The subscription of the objects that are looked up.
fn searched_subscription(search: &LookupScope) -> Option<&str> {
    let known = &search.known;
    let id = known.azure_gateway.as_ref().or(known.network.as_ref())?;
    Some(id.subscription())
}

/// Codes of Azure for a subscription that does not exist, or not in the tenant of the credentials.
const WRONG_SUBSCRIPTION: [&str; 3] = [
    "SubscriptionNotFound",
    "InvalidSubscriptionId",
    "InvalidAuthenticationTokenTenant",
];

/// Where to correct a subscription that Azure does not know. `configured`: that of the provider, and
/// where it is set.
pub(super) fn subscription_advice(
    cause: &ActionError,
    configured: Option<(&str, &str)>,
) -> Option<String> {
    let ActionError::Azure(error) = cause else {
        return None;
    };
    let context = error.context();
    if !WRONG_SUBSCRIPTION.contains(&context.code.as_str()) {
        return None;
    }
    let target = context.target.to_lowercase();
    let (_, rest) = target.split_once("/subscriptions/")?;
    let used = rest.split('/').next()?;
    let source = match configured {
        Some((id, source)) if id.eq_ignore_ascii_case(used) => source,
        _ => "an Azure resource ID in the configuration",
    };
    Some(format!(
        "The subscription {used} comes from {source}. Correct it there, or use credentials of the tenant that contains it."
    ))
}

/// The summary of an error whose cause is in the settings of the provider.
fn settings_summary(cause: &ActionError) -> Option<&'static str> {
    match cause {
        ActionError::Aws(crate::aws::Error::MissingCredentials(_)) => {
            Some(summaries::MISSING_AWS_CREDENTIALS)
        }
        ActionError::Aws(crate::aws::Error::InvalidRegion(_)) => Some(summaries::INVALID_REGION),
        _ => None,
    }
}

pub(super) fn read_failed(what: &str, cause: &ActionError) -> Diagnostics {
    let summary = settings_summary(cause).map(str::to_owned);
    Diagnostic::error(summary.unwrap_or_else(|| format!("Unable to read {what}")))
        .detail(sentence(&cause.to_string()))
        .into()
}

pub(super) fn discover_failed(fault: &DiscoverError, advice: &str) -> Diagnostics {
    Diagnostic::error(summaries::UNABLE_TO_FIND_LINK)
        .detail(sentence(&format!("{fault}{advice}")))
        .into()
}

/// How to import a link that may be in another region, by each form of import.
pub(super) fn import_advice(fault: &DiscoverError, id: &ImportId) -> String {
    let Some(regions) = fault.other_regions() else {
        return String::new();
    };
    let (lead, ids) = match regions.is_empty() {
        true => (
            "Correct the ID. If the link is in another region, add that region to the ID",
            vec![id.in_region("<region>")],
        ),
        false => (
            "Tags in Azure point to another region",
            regions
                .iter()
                .map(|region| id.in_region(&region.0))
                .collect(),
        ),
    };
    let ids: Vec<String> = ids.into_iter().map(|id| format!("'{id}'")).collect();
    format!(
        ".\n\n{lead}: {}. Use it with terraform import, or as id of an import block. An import block with identity searches only the \
         region of the provider: use id there.",
        ids.join(" or ")
    )
}

/// The same for the data source.
pub(super) fn status_advice(fault: &DiscoverError) -> String {
    let Some(regions) = fault.other_regions() else {
        return String::new();
    };
    let named: Vec<String> = regions
        .iter()
        .map(|region| format!("{:?}", region.0))
        .collect();
    match named.is_empty() {
        true => ". If the link is in another region, set region.".to_owned(),
        false => format!(
            ". Tags in Azure point to another region: set region = {}.",
            named.join(" or ")
        ),
    }
}

pub(super) fn apply_outcome(
    ended: ReconcileOutcome,
    verb: &str,
    timeout: Duration,
) -> ApplyOutcome {
    let mut diagnostics = Diagnostics::new();
    unread_keys(&ended.observed)
        .into_iter()
        .for_each(|warning| diagnostics.push(warning));
    if ended.resumed {
        let ids = if ended.adopted.is_empty() {
            "all of them are in the state".to_owned()
        } else {
            ended.adopted.join(", ")
        };
        diagnostics.push(Diagnostic::warning(summaries::RESUMED_CREATE).detail(format!(
            "An earlier run did not complete this link. This run adopted its objects instead of creating them again: {ids}."
        )));
    }
    if let Some(cause) = &ended.heartbeat_error {
        diagnostics.push(Diagnostic::warning(summaries::FAILED_HEARTBEAT).detail(format!(
            "{}.\n\nThis run could not update the heartbeat tag of the incomplete link. The tag changes every minute and keeps other runs \
             from taking the link over. If another state contains this link, check both.",
            capitalize(&cause.to_string())
        )));
    }
    for denial in &ended.denied {
        let scope = denial.scope.to_string();
        let denial = Denial {
            action: denial.action,
            scope,
            reason: denial.reason.clone(),
        };
        diagnostics.push(status::denied(&denial));
    }
    for failure in &ended.failures {
        let what = match &failure.action {
            Some(step) => format!("{} {}", verb_phrase(step.verb), step.target),
            None => "read the link".to_owned(),
        };
        let summary = match &failure.error {
            ActionError::BgpSessionTimeout { key, .. } => {
                format!("Unable to bring up tunnel {key}")
            }
            ActionError::RouteCountDropped { key, .. } => format!("Missing routes of tunnel {key}"),
            ActionError::Blocked { .. } => summaries::CONFLICTING_OBJECTS.to_owned(),
            ActionError::StaticRouting { .. } => summaries::UNSUPPORTED_STATIC_ROUTING.to_owned(),
            ActionError::PeersNotReady { spared, .. } => format!("Unable to update {spared}"),
            ActionError::Azure(crate::azure::Error::AlreadyExists(_)) => {
                summaries::CONFLICTING_AZURE_NAME.to_owned()
            }
            error => {
                settings_summary(error).map_or_else(|| format!("Unable to {what}"), str::to_owned)
            }
        };
        if let ActionError::Conflict(conflict) = &failure.error {
            diagnostics.push(conflict_diagnostic(conflict));
            continue;
        }
        let mut detail = vec![sentence(&failure.error.to_string())];
        detail.extend(name_conflict::advice(failure));
        if failure.error.is_timeout() {
            detail.push(format!(
                "The operation is limited to {} (see timeouts).",
                format_minutes(timeout)
            ));
        }
        diagnostics.push(Diagnostic::error(summary).detail(detail.join("\n\n")));
    }
    if ended.cancelled && ended.failures.is_empty() {
        let detail = "The operation was cancelled before it was complete. Run the command again to continue.";
        diagnostics.push(Diagnostic::error(summaries::UNABLE_TO_COMPLETE).detail(detail));
    }
    if !ended.remaining.is_empty() {
        let left: Vec<String> = ended
            .remaining
            .iter()
            .flat_map(|step| {
                if step.reasons.is_empty() {
                    vec![step.target.to_string()]
                } else {
                    step.reasons.clone()
                }
            })
            .collect();
        let detail = format!(
            "All API calls succeeded, but the objects still differ: {}. Another process may be changing them. Apply again.",
            left.join("; ")
        );
        diagnostics.push(Diagnostic::error(summaries::UNABLE_TO_CONVERGE).detail(detail));
    }
    let down = |cause: &ActionError| {
        matches!(
            cause,
            ActionError::BgpSessionTimeout { .. } | ActionError::RouteCountDropped { .. }
        )
    };
    let conflicts = ended
        .failures
        .iter()
        .any(|failure| failure.error.is_conflict());
    let broken =
        ended.failures.iter().any(|failure| !down(&failure.error)) || !ended.remaining.is_empty();
    let exists = |failure: &ActionFailure| {
        matches!(
            failure.error,
            ActionError::Conflict(Conflict::Complete { .. })
        )
    };
    let incomplete = diagnostics.has_errors() && !ended.failures.iter().any(exists);
    let remains = incomplete
        .then(|| remaining_objects::remaining_objects(verb, ended.is_create, &ended.made));
    ApplyOutcome {
        observed: ended.observed,
        diagnostics,
        failed: broken,
        conflicts,
        remains,
    }
}

/// Warns of this link's former addresses on a gateway that cannot be updated without losing its
/// RADIUS secret.
fn warn_of_remaining_addresses(mut outcome: ApplyOutcome, former: &[Ipv4Addr]) -> ApplyOutcome {
    let Some(gateway) = outcome
        .observed
        .azure
        .gateway
        .as_ref()
        .filter(|gateway| gateway.hides_radius_secret)
    else {
        return outcome;
    };
    let left: Vec<String> = gateway
        .custom_bgp_ips()
        .filter(|ip| former.contains(ip))
        .map(ToString::to_string)
        .collect();
    if !left.is_empty() {
        outcome
            .diagnostics
            .push(remaining_addresses(&gateway.resource.id, &left));
    }
    outcome
}

/// Warns of addresses that only the owner of a gateway with RADIUS clients can remove.
pub(super) fn remaining_addresses(gateway: &ResourceId, left: &[String]) -> Diagnostic {
    let detail = format!(
        "{gateway} still lists {}, which this link no longer uses. The provider did not update the gateway: Azure does not return its \
         RADIUS secret, so an update could clear the secret. Remove these custom BGP addresses manually if another connection needs them.",
        left.join(", ")
    );
    Diagnostic::warning(summaries::REMAINING_BGP_ADDRESSES).detail(detail)
}

fn verb_phrase(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "create",
        Verb::Update => "update",
        Verb::Delete => "delete",
        Verb::WaitFor => "wait for",
    }
}

fn format_minutes(span: Duration) -> String {
    format!("{} minutes", span.as_secs() / 60)
}
