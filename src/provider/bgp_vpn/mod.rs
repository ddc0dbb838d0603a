//! The resource `awsazure_bgp_vpn`: between Terraform's values and a link.
//!
//! | file | does |
//! |---|---|
//! | `attributes/` | the attribute table: one row for each attribute |
//! | `schema` | the block, made from the table |
//! | `backend` | says what is asked of the clouds |
//! | `model`, `attribute_paths` | reads a configuration, plan or state with types; says where each attribute is |
//! | `object_names` | reads the names of the cloud objects |
//! | `planned`, `defaults`, `default_options` | give every setting its effective value |
//! | `conflicting_attributes` | rejects values that contradict each other or an object that is named |
//! | `create_before_destroy` | lets conflicts of a create wait for the create itself under create_before_destroy |
//! | `replacing_attributes` | keeps drift and unknown values from replacing anything |
//! | `change_set`, `plan_validation`, `plan` | say what a plan changes, what is wrong with it, what will be new |
//! | `provenance` | says which gateways exist already, and which of their settings are not the link's |
//! | `expand` | makes a spec, or a place to search, of effective values |
//! | `static_routing` | rejects VPN connections that AWS cannot change to BGP |
//! | `flatten`, `refresh` | put what was observed into a state |
//! | `stale_plan` | rejects an apply whose plan no longer fits the clouds |
//! | `public_subnet` | changes the public subnet of a created VPC |
//! | `kept` | says which networks a replacement leaves in place |
//! | `plan_conflicts` | what a plan has in common with other links and with the account |
//! | `other_links` | warns of links of others on a gateway that a plan changes |
//! | `teardown` | says what an apply takes down, for the apply and for the plan that announces it |
//! | `private_state` | remembers what was last applied |
//! | `claims` | rejects links of one run that take the same gateway, addresses or names |
//! | `missing_settings` | rejects a create without Azure subscription or AWS region |
//! | `existing_link` | finds what a create would adopt or collide with |
//! | `link_status` | says whether the last run on a link finished |
//! | `upgrade` | gives states of former versions their `status` |
//! | `resume` | remembers states, so that a link whose create never ended is finished |
//! | `replaced` | knows the link that a plan without a prior state takes the place of |
//! | `lookup_ids` | names the ids by which an apply looks for the planned AWS side |
//! | `apply`, `read`, `import` | carry it out |

mod account_request;
mod apply;
mod apply_plan;
mod attribute_paths;
mod attributes;
pub mod backend;
mod change_set;
mod claims;
mod conflicting_attributes;
mod create_before_destroy;
mod default_options;
mod defaults;
mod destroy;
pub mod existing_link;
mod expand;
mod expiring_keys;
mod flatten;
mod generated_config;
mod import;
mod kept;
mod link_status;
mod lookup_ids;
mod lost_private_state;
mod missing_settings;
mod model;
mod object_names;
mod other_links;
mod plan;
pub mod plan_conflicts;
mod plan_validation;
mod planned;
mod planned_id;
mod preflight_request;
mod private_state;
mod provenance;
mod public_subnet;
mod read;
mod refresh;
mod replaced;
mod replacing_attributes;
mod resolve_plan;
mod resume;
pub mod schema;
mod stale_plan;
mod static_routing;
mod teardown;
mod timeouts;
mod unknown_values;
pub(super) mod unread_keys;
mod upgrade;

#[cfg(test)]
mod tests;

use async_trait::async_trait;
pub use attributes::default_of_created_gateway;
use backend::BackendFactory;
use claims::Claims;
use model::Model;
pub use model::read_config;
use resume::ResumeCache;
use std::sync::{Arc, Mutex, PoisonError};
use terraform_plugin::{
    ApplyRequest, ApplyResponse, Diagnostics, IdentitySchema, ImportRequest, ImportResponse,
    PlanRequest, PlanResponse, ReadRequest, ReadResponse, Resource, Schema, UpgradeRequest,
    Upgraded, ValidateRequest, Value,
};

/// Type name of the resource.
pub const TYPE_NAME: &str = "awsazure_bgp_vpn";

/// The resource type.
pub struct BgpVpn {
    backend: BackendFactory,
    resume_cache: ResumeCache,
    claims: Mutex<Configuration>,
}

/// What the links of one Configure take. A debugged provider serves several runs of Terraform with
/// one process.
#[derive(Default)]
struct Configuration {
    backend: Option<Arc<dyn backend::Backend>>,
    claims: Arc<Claims>,
}

impl BgpVpn {
    /// The resource over a backend that is asked for at each call, since the provider has one only
    /// once it is configured.
    pub fn new(backend: BackendFactory) -> Self {
        BgpVpn {
            backend,
            resume_cache: ResumeCache::default(),
            claims: Mutex::default(),
        }
    }

    fn claims(&self, backend: &Arc<dyn backend::Backend>) -> Arc<Claims> {
        let mut current = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        if !current
            .backend
            .as_ref()
            .is_some_and(|known| Arc::ptr_eq(known, backend))
        {
            *current = Configuration {
                backend: Some(backend.clone()),
                claims: Arc::default(),
            };
        }
        current.claims.clone()
    }
}

#[async_trait]
impl Resource for BgpVpn {
    fn schema(&self) -> Schema {
        schema::resource()
    }

    fn identity_schema(&self) -> Option<IdentitySchema> {
        Some(schema::identity())
    }

    async fn validate(&self, request: ValidateRequest) -> Diagnostics {
        plan::validate(&request.config)
    }

    async fn upgrade(&self, request: UpgradeRequest) -> Upgraded {
        upgrade::upgrade(&request)
    }

    fn on_stored_state(&self, state: &Value) {
        let state = Model::read(state);
        self.resume_cache.store(
            &state,
            planned_id::link_of(&state, &private_state::PrivateState::default(), None),
            None,
        );
    }

    async fn read(&self, request: ReadRequest) -> ReadResponse {
        match (self.backend)() {
            Ok(backend) => {
                let (claims, before) = (self.claims(&backend), Model::read(&request.state));
                let link = private_state::PrivateState::read(&request.private).link;
                let read = read::read(backend.as_ref(), &self.resume_cache, &before, request).await;
                if read.state.is_null() {
                    claims.release(&before, link.as_ref());
                }
                read
            }
            Err(diagnostics) => request.unchanged(diagnostics),
        }
    }

    async fn plan(&self, request: PlanRequest) -> PlanResponse {
        match (self.backend)() {
            Ok(backend) => {
                plan::plan(
                    backend.as_ref(),
                    &self.resume_cache,
                    &self.claims(&backend),
                    request,
                )
                .await
            }
            Err(diagnostics) => diagnostics.into(),
        }
    }

    async fn apply(&self, request: ApplyRequest) -> ApplyResponse {
        match (self.backend)() {
            Err(diagnostics) => request.failed(diagnostics),
            Ok(backend) if request.is_destroy() => {
                let link = private_state::PrivateState::read(&request.planned_private)
                    .of_state()
                    .link;
                let prior = Model::read(&request.prior);
                self.claims(&backend).release(&prior, link.as_ref());
                destroy::destroy(backend.as_ref(), &self.resume_cache, &prior, request).await
            }
            Ok(backend) => {
                apply::apply(
                    backend.as_ref(),
                    &self.resume_cache,
                    &self.claims(&backend),
                    request,
                )
                .await
            }
        }
    }

    async fn import(&self, request: ImportRequest) -> ImportResponse {
        match (self.backend)() {
            Ok(backend) => import::import(backend.as_ref(), request).await,
            Err(diagnostics) => diagnostics.into(),
        }
    }

    fn generate_config(&self, state: &Value) -> Value {
        let backend = (self.backend)().ok();
        let default_region = backend.and_then(|backend| backend.default_region());
        generated_config::generated_config(state, default_region)
    }
}
