//! What operations are given and what they return.

use super::diagnostics::{Diagnostic, Diagnostics};
use super::partial_state::PartialState;
use super::path::AttributePath;
use super::protocol::tfplugin6 as wire;
use super::value::Value;

/// Set when the user wants running operations to end soon: they return what there is, with an
/// error.
pub type Cancel = tokio_util::sync::CancellationToken;

/// What the calling Terraform understands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientCapabilities {
    /// An operation may answer that it has to wait for a later plan.
    pub deferral_allowed: bool,
    /// Write-only attributes may be used. Only sent with validation.
    pub write_only_attributes_allowed: bool,
}

impl ClientCapabilities {
    pub(crate) fn from_wire(wire: Option<wire::ClientCapabilities>) -> Self {
        wire.map_or_else(Self::default, |wire| Self {
            deferral_allowed: wire.deferral_allowed,
            write_only_attributes_allowed: wire.write_only_attributes_allowed,
        })
    }
}

/// Why an operation has to wait for a later plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deferred {
    /// The resource's configuration is not known enough.
    ResourceConfigUnknown,
    /// The provider's configuration is not known enough.
    ProviderConfigUnknown,
    /// Something that it needs does not exist yet.
    AbsentPrerequisite,
}

/// The provider block, to be used from now on.
pub struct ConfigureRequest {
    /// The provider block; values may be unknown while planning.
    pub config: Value,
    /// Version of the calling Terraform or OpenTofu, such as `1.11.4`.
    pub terraform_version: String,
    /// What the client understands.
    pub capabilities: ClientCapabilities,
    /// Set when the user stops the run.
    pub cancel: Cancel,
}

/// A resource configuration to check.
pub struct ValidateRequest {
    /// The resource block; values may be unknown.
    pub config: Value,
    /// What the client understands.
    pub capabilities: ClientCapabilities,
}

/// State of another schema version.
pub struct UpgradeRequest {
    /// The version it was stored with.
    pub version: i64,
    /// The stored state, an object of that version's attributes.
    pub state: serde_json::Value,
}

/// What became of state of another schema version.
pub enum Upgraded {
    /// State by the current schema.
    State(Value),
    /// It cannot be upgraded.
    Failed(Diagnostics),
    /// Nothing to do for this version: the current schema fits.
    Unhandled,
}

/// An object to refresh.
pub struct ReadRequest {
    /// Stored state.
    pub state: Value,
    /// Private bytes stored with it.
    pub private: Vec<u8>,
    /// Stored identity.
    pub identity: Option<Value>,
    /// What the client understands.
    pub capabilities: ClientCapabilities,
    /// Set when the user stops the run.
    pub cancel: Cancel,
}

/// A refreshed object.
#[derive(Default)]
pub struct ReadResponse {
    /// What there is; null if it is gone.
    pub state: Value,
    /// Private bytes to store.
    pub private: Vec<u8>,
    /// Identity to store.
    pub identity: Option<Value>,
    /// Set to wait for a later plan.
    pub deferred: Option<Deferred>,
    /// What to tell the user.
    pub diagnostics: Diagnostics,
}

impl ReadRequest {
    /// The answer that nothing has changed, with something to tell.
    pub fn unchanged(self, diagnostics: impl Into<Diagnostics>) -> ReadResponse {
        ReadResponse {
            state: self.state,
            private: self.private,
            identity: self.identity,
            deferred: None,
            diagnostics: diagnostics.into(),
        }
    }
}

/// A change to plan.
pub struct PlanRequest {
    /// Current state; null when there is nothing yet.
    pub prior: Value,
    /// Terraform's merge of configuration and prior state; null to destroy. May hold write-only
    /// values.
    pub proposed: Value,
    /// The resource block; null to destroy.
    pub config: Value,
    /// Private bytes stored with the prior state.
    pub private: Vec<u8>,
    /// Identity stored with the prior state.
    pub identity: Option<Value>,
    /// Whether this may be the plan that Terraform makes again right before it applies one.
    pub may_be_applying: bool,
    /// Whether Terraform keeps only the errors of this plan, and stops the destroy at them.
    pub before_destroy: bool,
    /// Addresses of resources that the user asks to replace, this one perhaps among them.
    pub replaced: Vec<String>,
    /// What the client understands.
    pub capabilities: ClientCapabilities,
    /// Set when the user stops the run.
    pub cancel: Cancel,
}

/// A planned change.
#[derive(Default)]
pub struct PlanResponse {
    /// The object as it will be, unknown where only apply can tell; null to destroy.
    pub planned: Value,
    /// Changes at these paths take a new object.
    pub requires_replace: Vec<AttributePath>,
    /// Private bytes for apply.
    pub private: Vec<u8>,
    /// Identity as it will be.
    pub identity: Option<Value>,
    /// Set to wait for a later plan.
    pub deferred: Option<Deferred>,
    /// What to tell the user.
    pub diagnostics: Diagnostics,
}

impl PlanRequest {
    /// Whether an object is to be made.
    pub fn is_create(&self) -> bool {
        self.prior.is_null() && !self.proposed.is_null()
    }

    /// Whether an object is to be changed.
    pub fn is_update(&self) -> bool {
        !self.prior.is_null() && !self.proposed.is_null()
    }

    /// Whether an object is to be removed.
    pub fn is_destroy(&self) -> bool {
        self.proposed.is_null()
    }
}

impl PlanResponse {
    /// A plan without more to say.
    pub fn new(planned: Value) -> Self {
        Self {
            planned,
            ..Self::default()
        }
    }
}

impl From<Diagnostics> for PlanResponse {
    /// A plan that failed.
    fn from(diagnostics: Diagnostics) -> Self {
        Self {
            diagnostics,
            ..Self::default()
        }
    }
}

/// A planned change to carry out.
pub struct ApplyRequest {
    /// Current state; null to create.
    pub prior: Value,
    /// The object as planned; null to destroy.
    pub planned: Value,
    /// The resource block, write-only values included; null to destroy.
    pub config: Value,
    /// Private bytes from plan.
    pub planned_private: Vec<u8>,
    /// Identity from plan.
    pub planned_identity: Option<Value>,
    /// What was made so far, should the operation end badly.
    pub checkpoint: PartialState,
    /// Set when the user stops the run.
    pub cancel: Cancel,
}

/// A change carried out, wholly or in part.
#[derive(Default)]
pub struct ApplyResponse {
    /// What there is now, also when diagnostics hold errors; null when nothing is left.
    pub new_state: Value,
    /// Private bytes to store.
    pub private: Vec<u8>,
    /// Identity to store.
    pub identity: Option<Value>,
    /// What to tell the user.
    pub diagnostics: Diagnostics,
}

impl ApplyRequest {
    /// Whether an object is to be made.
    pub fn is_create(&self) -> bool {
        self.prior.is_null() && !self.planned.is_null()
    }

    /// Whether an object is to be changed.
    pub fn is_update(&self) -> bool {
        !self.prior.is_null() && !self.planned.is_null()
    }

    /// Whether an object is to be removed.
    pub fn is_destroy(&self) -> bool {
        self.planned.is_null()
    }

    /// The answer that it failed: what was saved last at the checkpoint, else the prior state.
    pub fn failed(&self, diagnostics: impl Into<Diagnostics>) -> ApplyResponse {
        self.checkpoint.response(diagnostics.into())
    }
}

/// An object to find.
pub struct ImportRequest {
    /// By id; empty when `identity` is given instead.
    pub id: String,
    /// By identity.
    pub identity: Option<Value>,
    /// What the client understands.
    pub capabilities: ClientCapabilities,
    /// Set when the user stops the run.
    pub cancel: Cancel,
}

/// A found object. Terraform reads it right after.
#[derive(Default)]
pub struct ImportResponse {
    /// What read needs to go on from; null with an error when it was not found.
    pub state: Value,
    /// Private bytes to store.
    pub private: Vec<u8>,
    /// Identity to store.
    pub identity: Option<Value>,
    /// Set to wait for a later plan.
    pub deferred: Option<Deferred>,
    /// What to tell the user.
    pub diagnostics: Diagnostics,
}

impl From<Diagnostics> for ImportResponse {
    /// An import that failed.
    fn from(diagnostics: Diagnostics) -> Self {
        Self {
            diagnostics,
            ..Self::default()
        }
    }
}

/// A data source to read.
pub struct DataRequest {
    /// The data block.
    pub config: Value,
    /// What the client understands.
    pub capabilities: ClientCapabilities,
    /// Set when the user stops the run.
    pub cancel: Cancel,
}

/// What a data source holds.
#[derive(Default)]
pub struct DataResponse {
    /// The configuration with all computed attributes set.
    pub state: Value,
    /// Set to wait for a later plan.
    pub deferred: Option<Deferred>,
    /// What to tell the user.
    pub diagnostics: Diagnostics,
}

impl From<Diagnostics> for DataResponse {
    /// A read that failed.
    fn from(diagnostics: Diagnostics) -> Self {
        Self {
            diagnostics,
            ..Self::default()
        }
    }
}

macro_rules! from_one_diagnostic {
    ($($response:ty),*) => {$(
        impl From<Diagnostic> for $response {
            fn from(diagnostic: Diagnostic) -> Self {
                Diagnostics::from(diagnostic).into()
            }
        }
    )*};
}

from_one_diagnostic!(PlanResponse, ImportResponse, DataResponse);
