//! What a provider written on this layer implements. Values arrive decoded and leave to be encoded
//! by schema; how [`Provider::configure`] hands its result to resources is the provider's own
//! affair.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use super::diagnostics::Diagnostics;
use super::function::Function;
use super::identity::IdentitySchema;
use super::request::{
    ApplyRequest, ApplyResponse, ConfigureRequest, DataRequest, DataResponse, ImportRequest,
    ImportResponse, PlanRequest, PlanResponse, ReadRequest, ReadResponse, UpgradeRequest, Upgraded,
    ValidateRequest,
};
use super::schema::Schema;
use super::value::Value;

/// A provider: its own block and all that it offers. The layer asks for the tables once and keeps
/// them.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// Where it is published, such as `registry.terraform.io/hashicorp/null`.
    fn address(&self) -> &str;

    /// The provider block.
    fn schema(&self) -> Schema;

    /// Checks the provider block; values may be unknown.
    async fn validate(&self, _config: Value) -> Diagnostics {
        Diagnostics::new()
    }

    /// Takes the provider block; values may be unknown while planning.
    async fn configure(&self, request: ConfigureRequest) -> Diagnostics;

    /// Resources by type name.
    fn resources(&self) -> BTreeMap<String, Arc<dyn Resource>> {
        BTreeMap::new()
    }

    /// Data sources by type name.
    fn data_sources(&self) -> BTreeMap<String, Arc<dyn DataSource>> {
        BTreeMap::new()
    }

    /// Functions by name.
    fn functions(&self) -> BTreeMap<String, Arc<dyn Function>> {
        BTreeMap::new()
    }
}

/// A resource type. Every method may run for several objects at the same time.
///
/// Write-only attributes can be read from `config` only; the layer nulls them in all results.
#[async_trait]
pub trait Resource: Send + Sync + 'static {
    /// The resource block.
    fn schema(&self) -> Schema;

    /// The identity, if it has one.
    fn identity_schema(&self) -> Option<IdentitySchema> {
        None
    }

    /// Checks the configuration, offline; values may be unknown.
    async fn validate(&self, _request: ValidateRequest) -> Diagnostics {
        Diagnostics::new()
    }

    /// Brings state of another schema version to the current one. [`Upgraded::Unhandled`] lets the
    /// layer read it by the current schema, which refuses attributes that it does not know.
    async fn upgrade(&self, _request: UpgradeRequest) -> Upgraded {
        Upgraded::Unhandled
    }

    /// Called first, with every stored object that Terraform is about to process, in the current
    /// schema.
    fn on_stored_state(&self, _state: &Value) {}

    /// Refreshes an object.
    async fn read(&self, request: ReadRequest) -> ReadResponse;

    /// Decides what apply will do.
    async fn plan(&self, request: PlanRequest) -> PlanResponse;

    /// Does what was planned: create, update or destroy.
    async fn apply(&self, request: ApplyRequest) -> ApplyResponse;

    /// Finds an existing object by id or identity.
    async fn import(&self, request: ImportRequest) -> ImportResponse;

    /// The configuration that Terraform 1.14 and newer write for an imported object without one.
    /// Its plan must change nothing.
    fn generate_config(&self, state: &Value) -> Value {
        self.schema().configurable(state)
    }
}

/// A data source type.
#[async_trait]
pub trait DataSource: Send + Sync + 'static {
    /// The data block.
    fn schema(&self) -> Schema;

    /// Checks the configuration, offline; values may be unknown.
    async fn validate(&self, _config: Value) -> Diagnostics {
        Diagnostics::new()
    }

    /// Reads it; the configuration is wholly known.
    async fn read(&self, request: DataRequest) -> DataResponse;
}
