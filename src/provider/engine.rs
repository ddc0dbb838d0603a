//! The resource's engine and the data source's eyes: the provider block's settings turned into clients, and what the loop
//! says turned into words for the user.

use super::bgp_vpn::engine::{Engine, EngineSource, Found, Outcome, Progress};
use super::bgp_vpn::unread::unread_keys;
use super::name_taken;
use super::settings::{Configured, NotReady, Settings};
use super::status::{self, Denial, Peers, Query, StatusSource, View};
use super::summary;
use crate::aws::Aws;
use crate::aws::model::{TransitGatewayId, VpnGatewayId};
use crate::azure::{Azure, AzureSettings, Gates};
use crate::link::observed::Observed;
use crate::link::outdated::Shown;
use crate::link::search::{AwsEnd, Demolition, ImportId, Search};
use crate::link::spec::Spec;
use crate::link::step::Verb;
use crate::link::survey::{Survey, SurveyAsk};
use crate::plugin::{Cancel, Diagnostic, Diagnostics};
use crate::primitives::Tags;
use crate::reconcile::{self, Cause, Clouds, Ended, Failure, FindFault, Limits};
use async_trait::async_trait;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a read may take (`timeouts.read`).
const READ: Duration = Duration::from_secs(10 * 60);

/// Where engines come from: one for each Configure, made when it is first asked for.
#[derive(Clone)]
pub struct Engines {
    configured: Configured,
    /// Shared by all engines: operations on one Azure gateway run one at a time in the whole process.
    gates: Gates,
    made: Arc<Mutex<Option<Made>>>,
}

/// An engine, with the settings that it was made from.
type Made = (Arc<Settings>, Arc<CloudEngine>);

impl Engines {
    pub fn new(configured: Configured) -> Self {
        Engines { configured, gates: Gates::default(), made: Arc::default() }
    }

    pub fn source(&self) -> EngineSource {
        let engines = self.clone();
        Arc::new(move || Ok(engines.engine()? as Arc<dyn Engine>))
    }

    fn engine(&self) -> Result<Arc<CloudEngine>, Diagnostics> {
        let settings = self.configured.settings().map_err(|fault| Diagnostics::from(fault.diagnostic()))?;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        match made.as_ref() {
            Some((of, engine)) if Arc::ptr_eq(of, &settings) => Ok(engine.clone()),
            _ => {
                let engine = Arc::new(CloudEngine::new(settings.clone(), self.gates.clone()));
                *made = Some((settings, engine.clone()));
                Ok(engine)
            }
        }
    }
}

/// Both clouds as one provider block describes them.
pub struct CloudEngine {
    settings: Arc<Settings>,
    subscription: Option<String>,
    clouds: Result<Clouds, Diagnostics>,
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl CloudEngine {
    /// Contacts nobody.
    fn new(settings: Arc<Settings>, gates: Gates) -> Self {
        let credentials = settings.azure.clone().with_env(&variable);
        let subscription = credentials.subscription_id.clone();
        let extra_roots: Vec<PathBuf> = variable("AWS_CA_BUNDLE").map(PathBuf::from).into_iter().collect();
        let azure = AzureSettings { credentials, extra_roots, http: None, gates };
        let clouds = Azure::new(azure).map(|azure| Clouds { azure, aws: Aws::new(settings.aws.clone()) });
        let clouds = clouds.map_err(|fault| {
            Diagnostics::from(
                Diagnostic::error("Azure cannot be reached with these settings")
                    .detail(capital(&fault.to_string()))
                    .at("azure"),
            )
        });
        CloudEngine { settings, subscription, clouds }
    }

    /// Over clouds that are there already.
    pub fn over(settings: Settings, clouds: Clouds) -> Self {
        let subscription = Some(clouds.azure.subscription().to_owned());
        CloudEngine { settings: Arc::new(settings), subscription, clouds: Ok(clouds) }
    }

    fn clouds(&self) -> Result<&Clouds, Diagnostics> {
        if !self.settings.unknown.is_empty() {
            return Err(NotReady::Unknown(self.settings.unknown.clone()).diagnostic().into());
        }
        self.clouds.as_ref().map_err(Clone::clone)
    }
}

#[async_trait]
impl Engine for CloudEngine {
    async fn observe(&self, search: &Search, cancel: &Cancel) -> Result<Observed, Diagnostics> {
        let (clouds, limits) = (self.clouds()?, Limits::within(READ, cancel));
        let site = clouds.site(search.known.region.as_ref(), &limits).await.map_err(|c| unread("the link", &c))?;
        Box::pin(reconcile::observe(&site, search, &limits)).await.map_err(|cause| unread("the link", &cause))
    }

    async fn survey(&self, ask: &SurveyAsk, cancel: &Cancel) -> Result<Survey, Diagnostics> {
        if ask.is_empty() || !self.settings.unknown.is_empty() {
            return Ok(Survey::default());
        }
        let (clouds, limits) = (self.clouds()?, Limits::within(READ, cancel));
        let seen = Box::pin(reconcile::survey(clouds, ask, &limits)).await;
        seen.map_err(|cause| unread("the surroundings of the link", &cause))
    }

    async fn converge(
        &self,
        spec: &Spec,
        search: &Search,
        timeout: Duration,
        cancel: &Cancel,
        progress: Progress<'_>,
    ) -> Outcome {
        let clouds = match self.clouds() {
            Ok(clouds) => clouds,
            Err(diagnostics) => return Outcome { diagnostics, ..Outcome::default() },
        };
        let limits = Limits::within(timeout, cancel);
        let ended = Box::pin(reconcile::converge(clouds, spec, search, &limits, progress)).await;
        let former: Vec<Ipv4Addr> = spec.former.addresses.iter().map(|(_, ip)| *ip).collect();
        left_addresses(outcome(ended, "built", timeout), &former)
    }

    async fn demolish(
        &self,
        demolition: &Demolition,
        search: &Search,
        timeout: Duration,
        cancel: &Cancel,
        progress: Progress<'_>,
    ) -> Outcome {
        let clouds = match self.clouds() {
            Ok(clouds) => clouds,
            Err(diagnostics) => return Outcome { diagnostics, ..Outcome::default() },
        };
        let limits = Limits::within(timeout, cancel);
        let ended = Box::pin(reconcile::demolish(clouds, demolition, search, &limits, progress)).await;
        left_addresses(outcome(ended, "deleted", timeout), &demolition.own_addresses)
    }

    async fn find(&self, id: &ImportId, cancel: &Cancel) -> Result<Found, Diagnostics> {
        let (clouds, limits) = (self.clouds()?, Limits::within(READ, cancel));
        let found = Box::pin(reconcile::find(clouds, id, &limits)).await;
        let found = found.map_err(|fault| not_found(&fault, &import_advice(&fault, id)))?;
        Ok(Found {
            observed: found.observed,
            link: found.link,
            name: found.name,
            inside_cidrs: found.inside_cidrs,
            region: found.region,
            known: found.known,
            shared: found.shared,
            finished: found.finished,
        })
    }

    fn drift(&self, spec: &Spec, observed: &Observed) -> Vec<String> {
        crate::link::decide::drift(spec, observed)
    }

    fn outdated(&self, before: Option<&Spec>, spec: &Spec, observed: &Observed, shown: &Shown) -> Vec<String> {
        crate::link::outdated::outdated(before, spec, observed, shown)
    }

    fn default_tags(&self) -> Tags {
        self.settings.default_tags.clone().unwrap_or_default()
    }

    fn default_region(&self) -> Option<String> {
        let named = self.settings.aws.region.clone();
        named.or_else(|| variable("AWS_REGION")).or_else(|| variable("AWS_DEFAULT_REGION"))
    }

    fn subscription(&self) -> Option<String> {
        self.subscription.clone()
    }
}

#[async_trait]
impl StatusSource for Engines {
    async fn view(&self, _settings: &Settings, query: &Query, cancel: Cancel) -> Result<View, Diagnostics> {
        let engine = self.engine()?;
        let end = &query.aws_gateway_id;
        let id = ImportId {
            azure_gateway: query.azure_gateway_id.clone(),
            aws_gateway: Some(if end.starts_with("tgw-") {
                AwsEnd::TransitGateway(TransitGatewayId(end.clone()))
            } else {
                AwsEnd::VpnGateway(VpnGatewayId(end.clone()))
            }),
            inside_cidr: query.inside_cidr,
            region: query.region.clone(),
        };
        let limits = Limits::within(READ, &cancel);
        let found = Box::pin(reconcile::find(engine.clouds()?, &id, &limits)).await;
        let found = found.map_err(|fault| not_found(&fault, &status_advice(&fault)))?;
        let limits = Limits::within(Duration::from_secs(120), &cancel);
        let peers = match engine.clouds()?.azure.bgp_peers(&query.azure_gateway_id, &limits.azure()).await {
            Ok(peers) => Peers::Listed(peers),
            // A gateway that is being changed answers nothing for a while: unknown, not an error.
            Err(error)
                if error.is_waitable()
                    || error.is_absent()
                    || error.is_ambiguous()
                    || matches!(error, crate::azure::Error::TimedOut(_)) =>
            {
                Peers::Busy
            }
            Err(error) if reconcile::is_denial(&error) => Peers::Denied(Denial {
                action: reconcile::BGP_PEERS,
                scope: query.azure_gateway_id.to_string(),
                reason: error.to_string(),
            }),
            Err(error) => return Err(unread("the BGP peers", &Cause::Azure(error))),
        };
        Ok(View::of(&found.observed, peers))
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn unread(what: &str, cause: &Cause) -> Diagnostics {
    Diagnostic::error(format!("Could not read {what}")).detail(capital(&cause.to_string())).into()
}

fn not_found(fault: &FindFault, advice: &str) -> Diagnostics {
    Diagnostic::error("No such link").detail(format!("{}{advice}", capital(&fault.to_string()))).into()
}

/// How to import a link that may be in another region, by each form of import.
fn import_advice(fault: &FindFault, id: &ImportId) -> String {
    let Some(regions) = fault.other_regions() else { return String::new() };
    let (lead, ids) = match regions.is_empty() {
        true => (
            "Correct the id. If the link is in another region, add that region to the id",
            vec![id.in_region("<region>")],
        ),
        false => {
            ("Tags in Azure point to another region", regions.iter().map(|region| id.in_region(&region.0)).collect())
        }
    };
    let ids: Vec<String> = ids.into_iter().map(|id| format!("'{id}'")).collect();
    format!(
        ".\n\n{lead}: {}. Use it with terraform import, or as id of an import block. An import block with identity looks in the \
         provider's region only: use id there.",
        ids.join(" or ")
    )
}

/// The same for the data source.
fn status_advice(fault: &FindFault) -> String {
    let Some(regions) = fault.other_regions() else { return String::new() };
    let named: Vec<String> = regions.iter().map(|region| format!("{:?}", region.0)).collect();
    match named.is_empty() {
        true => ". If the link is in another region, set region.".to_owned(),
        false => format!(". Tags in Azure point to another region: set region = {}.", named.join(" or ")),
    }
}

fn outcome(ended: Ended, verb: &str, timeout: Duration) -> Outcome {
    let mut diagnostics = Diagnostics::new();
    unread_keys(&ended.observed).into_iter().for_each(|warning| diagnostics.push(warning));
    if ended.resumed {
        let ids =
            if ended.adopted.is_empty() { "all of them in the state".to_owned() } else { ended.adopted.join(", ") };
        diagnostics.push(Diagnostic::warning("A half-built link was found and finished").detail(format!(
            "An earlier run did not finish this link. Its objects were taken over instead of being created again: {ids}."
        )));
    }
    if let Some(cause) = &ended.unheard {
        diagnostics.push(Diagnostic::warning("This run could not show that it was alive").detail(format!(
            "{}\n\nWhile a link is unfinished, a tag that changes every minute keeps other runs from taking it over. Where another \
             state builds this same link, look at both.",
            capital(&cause.to_string())
        )));
    }
    for denial in &ended.denied {
        let scope = denial.scope.to_string();
        let denial = Denial { action: denial.action, scope, reason: denial.reason.clone() };
        diagnostics.push(status::denied(&denial));
    }
    for failure in &ended.failures {
        let what = match &failure.step {
            Some(step) => format!("{} {}", attempt(step.verb), step.object),
            None => "Reading the link".to_owned(),
        };
        let summary = match &failure.cause {
            Cause::SessionDown { key, .. } => format!("Tunnel {key} is built but not up"),
            Cause::RoutesMissing { key, .. } => format!("Tunnel {key} lost routes"),
            Cause::Blocked { .. } => "Conflicting objects block the deletion".to_owned(),
            Cause::StaticRouting { .. } => "Unsupported static routing".to_owned(),
            Cause::OthersDown { spared, .. } => format!("{} was left alone", capital(&spared.to_string())),
            Cause::Azure(crate::azure::Error::AlreadyExists(_)) => name_taken::SUMMARY.to_owned(),
            _ => format!("{what} failed"),
        };
        let conflict = match &failure.cause {
            Cause::AlreadyBuilt { .. } => Some("Conflicting link"),
            Cause::SlotInUse { .. } | Cause::AddressInUse { .. } => Some("Conflicting slot"),
            Cause::NameInUse { .. } => Some("Conflicting names"),
            _ => None,
        };
        if let Some(summary) = conflict {
            diagnostics.push(Diagnostic::error(summary).detail(format!("{}.", capital(&failure.cause.to_string()))));
            continue;
        }
        let mut detail = vec![capital(&failure.cause.to_string())];
        detail.extend(name_taken::advice(failure));
        if failure.cause.is_timeout() {
            detail.push(format!("The whole operation may take {} (see timeouts).", minutes(timeout)));
        }
        diagnostics.push(Diagnostic::error(summary).detail(detail.join("\n\n")));
    }
    if ended.cancelled && ended.failures.is_empty() {
        let detail = format!("The operation was cancelled before the link was {verb}.");
        diagnostics.push(Diagnostic::error("Stopped").detail(detail));
    }
    if !ended.unsettled.is_empty() {
        let left: Vec<String> = ended
            .unsettled
            .iter()
            .flat_map(|step| if step.because.is_empty() { vec![step.object.to_string()] } else { step.because.clone() })
            .collect();
        let detail = format!(
            "Every call succeeded, and still the clouds show something else: {}. Somebody may be changing the same objects; apply again.",
            left.join("; ")
        );
        diagnostics.push(Diagnostic::error(format!("The link could not be {verb} as wanted")).detail(detail));
    }
    let down = |cause: &Cause| matches!(cause, Cause::SessionDown { .. } | Cause::RoutesMissing { .. });
    let broken = ended.failures.iter().any(|failure| !down(&failure.cause)) || !ended.unsettled.is_empty();
    let exists = |failure: &Failure| matches!(failure.cause, Cause::AlreadyBuilt { .. });
    let incomplete = diagnostics.has_errors() && !ended.failures.iter().any(exists);
    let remains = incomplete.then(|| summary::remains(verb, ended.creates, &ended.made));
    Outcome { observed: ended.observed, diagnostics, broken, remains }
}

/// Warns of this link's former addresses on a gateway that cannot be updated without losing its RADIUS secret.
fn left_addresses(mut outcome: Outcome, former: &[Ipv4Addr]) -> Outcome {
    let Some(gateway) = outcome.observed.azure.gateway.as_ref().filter(|gateway| gateway.hides_radius_secret) else {
        return outcome;
    };
    let left: Vec<String> =
        gateway.custom_bgp_ips().filter(|ip| former.contains(ip)).map(ToString::to_string).collect();
    if !left.is_empty() {
        let detail = format!(
            "{} still lists {}, which this link no longer uses. Azure does not return the gateway's RADIUS secret, so an update could \
             clear it. Remove these custom BGP addresses by hand if they are needed elsewhere.",
            gateway.resource.id,
            left.join(", ")
        );
        outcome.diagnostics.push(Diagnostic::warning("BGP addresses left on RADIUS gateway").detail(detail));
    }
    outcome
}

fn attempt(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "Creating",
        Verb::Change => "Changing",
        Verb::Delete => "Deleting",
        Verb::Await => "Waiting for",
    }
}

fn minutes(span: Duration) -> String {
    format!("{} minutes", span.as_secs() / 60)
}
