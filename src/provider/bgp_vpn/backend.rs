//! What the resource needs from the clouds. The resource knows values and plans; the implementation
//! knows how to read, create, repair and delete.

use crate::aws::credentials::ExpiringKeys;
use crate::aws::model::{CustomerGatewayId, Region};
use async_trait::async_trait;
use bgp_vpn::inside_cidr::InsideCidr;
use bgp_vpn::known_ids::KnownIds;
use bgp_vpn::lookup::{ImportId, InterruptedMove, LookupScope, TeardownSpec};
use bgp_vpn::observed::Observed;
use bgp_vpn::ownership_tags::LinkId;
use bgp_vpn::preflight::{PreflightRequest, PreflightSnapshot};
use bgp_vpn::spec::Spec;
use bgp_vpn::stale_plan::ShownPlan;
use bgp_vpn::tunnel::PerTunnel;
use bgp_vpn::types::Tags;
use std::sync::Arc;
use std::time::Duration;
use terraform_plugin::{Cancel, Diagnostic, Diagnostics};

/// Called whenever something was made or deleted, with all that is there by then.
pub type ProgressCallback<'a> = &'a (dyn Fn(&Observed) + Send + Sync);

/// What exists after an operation, and its diagnostics. Errors mean that it failed.
#[derive(Debug, Default)]
pub struct ApplyOutcome {
    pub observed: Observed,
    pub diagnostics: Diagnostics,
    /// Something failed other than a tunnel that is built and not up in time.
    pub failed: bool,
    /// An object that exists already was in the way.
    pub conflicts: bool,
    /// What a failure leaves behind, unless a rollback follows.
    pub remains: Option<Diagnostic>,
}

/// A link that was found for import.
#[derive(Debug)]
pub struct ImportedLink {
    pub observed: Observed,
    /// From the tags, else composed as for a new link.
    pub link: LinkId,
    /// From the tags, else the Azure gateway's name.
    pub name: String,
    pub inside_cidrs: PerTunnel<InsideCidr>,
    pub region: Region,
    pub known: KnownIds,
    /// Customer gateways that VPN connections of others use too.
    pub shared_customer_gateways: Vec<CustomerGatewayId>,
    /// Whether nothing says that its create never ended.
    pub complete: bool,
}

/// Both clouds, as far as links are concerned.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Reads everything of the link that is there.
    ///
    /// # Errors
    /// What could not be read, ready to be shown.
    async fn observe(&self, scope: &LookupScope, cancel: &Cancel) -> Result<Observed, Diagnostics>;

    /// What moves to other AWS sides left behind that did not finish, by what was observed.
    ///
    /// # Errors
    /// What could not be read, ready to be shown.
    async fn interrupted_moves(
        &self,
        scope: &LookupScope,
        observed: &Observed,
        cancel: &Cancel,
    ) -> Result<Vec<InterruptedMove>, Diagnostics>;

    /// Reads what plan-time checks need of the surroundings. Answers `Looked::Not` where
    /// credentials are not known yet.
    ///
    /// # Errors
    /// What could not be read, ready to be shown.
    async fn preflight(
        &self,
        ask: &PreflightRequest,
        cancel: &Cancel,
    ) -> Result<PreflightSnapshot, Diagnostics>;

    /// Builds, repairs or changes the link until it is as the spec says.
    async fn converge(
        &self,
        spec: &Spec,
        scope: &LookupScope,
        timeout: Duration,
        cancel: &Cancel,
        progress: ProgressCallback<'_>,
    ) -> ApplyOutcome;

    /// Deletes what the teardown names.
    async fn teardown(
        &self,
        removal: &TeardownSpec,
        scope: &LookupScope,
        timeout: Duration,
        cancel: &Cancel,
        progress: ProgressCallback<'_>,
    ) -> ApplyOutcome;

    /// Finds a link to import.
    ///
    /// # Errors
    /// Why there is none, ready to be shown.
    async fn discover(&self, id: &ImportId, cancel: &Cancel) -> Result<ImportedLink, Diagnostics>;

    /// What differs from the spec and can be repaired, one sentence each.
    fn drift(&self, spec: &Spec, observed: &Observed) -> Vec<String>;

    /// What changed since a plan was made and its apply would undo, a sentence each.
    fn changes_since_plan(
        &self,
        before: Option<&Spec>,
        spec: &Spec,
        observed: &Observed,
        shown: &ShownPlan,
    ) -> Vec<String>;

    /// The AWS credentials, where they are not renewed and their expiry is known.
    async fn expiring_keys(&self) -> Option<ExpiringKeys> {
        None
    }

    /// Whether every setting of the provider block is known.
    fn is_configured(&self) -> bool;

    /// Whether plans check what account and subscription allow: `preflight` of the provider block.
    fn checks_account(&self) -> bool;

    /// The provider's `default_tags`.
    fn default_tags(&self) -> Tags;

    /// The provider's AWS region.
    fn default_region(&self) -> Option<String>;

    /// The provider's Azure subscription.
    fn subscription(&self) -> Option<String>;
}

/// Where the resource gets its backend from: the provider has one only once it is configured.
pub type BackendFactory = Arc<dyn Fn() -> Result<Arc<dyn Backend>, Diagnostics> + Send + Sync>;
