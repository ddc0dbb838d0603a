//! What the resource asks of the clouds. The resource knows values and plans; whoever implements this knows how to look,
//! build, mend and take down.

use crate::aws::model::{CustomerGatewayId, Region};
use crate::link::address::InsideCidr;
use crate::link::known::Known;
use crate::link::observed::Observed;
use crate::link::outdated::Shown;
use crate::link::ownership::LinkId;
use crate::link::search::{Demolition, ImportId, Search};
use crate::link::spec::Spec;
use crate::link::survey::{Survey, SurveyAsk};
use crate::link::tunnel::PerTunnel;
use crate::plugin::{Cancel, Diagnostic, Diagnostics};
use crate::primitives::Tags;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;

/// Called whenever something was made or deleted, with all that is there by then.
pub type Progress<'a> = &'a (dyn Fn(&Observed) + Send + Sync);

/// What there is after an operation, and what is to be told. Errors mean that it did not end well.
#[derive(Debug, Default)]
pub struct Outcome {
    pub observed: Observed,
    pub diagnostics: Diagnostics,
    /// Something failed other than a tunnel that is built and not up in time.
    pub broken: bool,
    /// What a failure leaves behind, unless a rollback follows.
    pub remains: Option<Diagnostic>,
}

/// A link that was found for import.
#[derive(Debug)]
pub struct Found {
    pub observed: Observed,
    /// From the tags, else composed as for a new link.
    pub link: LinkId,
    /// From the tags, else the Azure gateway's name.
    pub name: String,
    pub inside_cidrs: PerTunnel<InsideCidr>,
    pub region: Region,
    pub known: Known,
    /// Customer gateways that VPN connections of others use too.
    pub shared: Vec<CustomerGatewayId>,
    /// Whether nothing says that its create never ended.
    pub finished: bool,
}

/// Both clouds, as far as links are concerned.
#[async_trait]
pub trait Engine: Send + Sync {
    /// Reads everything of the link that is there.
    ///
    /// # Errors
    /// What could not be read, ready to be shown.
    async fn observe(&self, search: &Search, cancel: &Cancel) -> Result<Observed, Diagnostics>;

    /// Reads what plan-time checks need of the surroundings. Answers `Looked::Not` where credentials are not known yet.
    ///
    /// # Errors
    /// What could not be read, ready to be shown.
    async fn survey(&self, ask: &SurveyAsk, cancel: &Cancel) -> Result<Survey, Diagnostics>;

    /// Builds, repairs or changes the link until it is as the spec says.
    async fn converge(
        &self,
        spec: &Spec,
        search: &Search,
        timeout: Duration,
        cancel: &Cancel,
        progress: Progress<'_>,
    ) -> Outcome;

    /// Deletes what the demolition names.
    async fn demolish(
        &self,
        demolition: &Demolition,
        search: &Search,
        timeout: Duration,
        cancel: &Cancel,
        progress: Progress<'_>,
    ) -> Outcome;

    /// Finds a link to import.
    ///
    /// # Errors
    /// Why there is none, ready to be shown.
    async fn find(&self, id: &ImportId, cancel: &Cancel) -> Result<Found, Diagnostics>;

    /// What differs from the spec and can be mended, a sentence each.
    fn drift(&self, spec: &Spec, observed: &Observed) -> Vec<String>;

    /// What changed since a plan was made and its apply would undo, a sentence each.
    fn outdated(&self, before: Option<&Spec>, spec: &Spec, observed: &Observed, shown: &Shown) -> Vec<String>;

    /// The provider's `default_tags`.
    fn default_tags(&self) -> Tags;

    /// The provider's AWS region.
    fn default_region(&self) -> Option<String>;

    /// The provider's Azure subscription.
    fn subscription(&self) -> Option<String>;
}

/// Where the resource gets its engine from: the provider has one only once it is configured.
pub type EngineSource = Arc<dyn Fn() -> Result<Arc<dyn Engine>, Diagnostics> + Send + Sync>;
