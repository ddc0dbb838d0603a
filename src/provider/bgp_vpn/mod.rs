//! The resource `awsazure_bgp_vpn`: between Terraform's values and a link.
//!
//! | file | does |
//! |---|---|
//! | `schema/` | says which attributes there are |
//! | `engine` | says what is asked of the clouds |
//! | `wish`, `paths` | reads a configuration as the domain's wish; puts faults at their attributes |
//! | `draft`, `settle`, `settle_options` | give every setting its effective value |
//! | `create_first` | lets conflicts of a create wait for the create itself under create_before_destroy |
//! | `fixed` | keeps drift and unknown values from replacing anything |
//! | `changes`, `plan` | say what a plan changes, what is wrong with it, what will be new |
//! | `origin` | says which gateways are given, and what is there that is not the link's |
//! | `spec` | makes a spec, or a place to search, of settled values |
//! | `static_routing` | rejects VPN connections that AWS cannot change to BGP |
//! | `state`, `follow` | put what was observed into a state |
//! | `outdated` | rejects an apply whose plan no longer fits the clouds |
//! | `public_subnet` | changes the public subnet of a created VPC |
//! | `kept` | says which networks a replacement leaves in place |
//! | `teardown` | says what an apply takes down, for the apply and for the plan that announces it |
//! | `private` | remembers what was last applied |
//! | `claims` | rejects links of one run that take the same gateway, addresses or names |
//! | `existing` | finds what a create would adopt or collide with |
//! | `recall` | remembers states, so that a link whose create never ended is finished |
//! | `replaced` | knows the link that a plan without a prior state takes the place of |
//! | `apply`, `read`, `import` | carry it out |

mod apply;
mod changes;
mod claims;
mod create_first;
mod draft;
pub mod engine;
mod existing;
mod fixed;
mod follow;
mod import;
mod kept;
mod origin;
mod outdated;
mod paths;
mod plan;
mod private;
mod public_subnet;
mod read;
mod recall;
mod replaced;
pub mod schema;
mod settle;
mod settle_options;
mod spec;
mod state;
mod static_routing;
mod teardown;
pub(super) mod unread;
mod wish;

#[cfg(test)]
mod tests;

use crate::plugin::{
    ApplyRequest, ApplyResponse, Diagnostics, IdentitySchema, ImportRequest, ImportResponse, PlanRequest, PlanResponse,
    ReadRequest, ReadResponse, Resource, Schema, UpgradeRequest, Upgraded, ValidateRequest, Value,
};
use async_trait::async_trait;
use claims::Claims;
use engine::EngineSource;
use recall::Recall;
use std::sync::{Arc, Mutex, PoisonError};

/// Type name of the resource.
pub const TYPE_NAME: &str = "awsazure_bgp_vpn";

/// The resource type.
pub struct BgpVpn {
    engine: EngineSource,
    recall: Recall,
    claims: Mutex<Configuration>,
}

/// What the links of one Configure take. A debugged provider serves several runs of Terraform with one process.
#[derive(Default)]
struct Configuration {
    engine: Option<Arc<dyn engine::Engine>>,
    claims: Arc<Claims>,
}

impl BgpVpn {
    /// The resource over an engine that is asked for at each call, since the provider has one only once it is configured.
    pub fn new(engine: EngineSource) -> Self {
        BgpVpn { engine, recall: Recall::default(), claims: Mutex::default() }
    }

    fn claims(&self, engine: &Arc<dyn engine::Engine>) -> Arc<Claims> {
        let mut current = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        if !current.engine.as_ref().is_some_and(|known| Arc::ptr_eq(known, engine)) {
            *current = Configuration { engine: Some(engine.clone()), claims: Arc::default() };
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

    async fn upgrade(&self, _request: UpgradeRequest) -> Upgraded {
        Upgraded::Unhandled
    }

    fn recall(&self, state: &Value) {
        self.recall.note(state, plan::link_of(state, &private::Private::default(), None), None);
    }

    async fn read(&self, request: ReadRequest) -> ReadResponse {
        match (self.engine)() {
            Ok(engine) => {
                let (claims, before) = (self.claims(&engine), request.state.clone());
                let read = read::read(engine.as_ref(), &self.recall, request).await;
                if read.state.is_null() {
                    claims.release(&before);
                }
                read
            }
            Err(diagnostics) => request.unchanged(diagnostics),
        }
    }

    async fn plan(&self, request: PlanRequest) -> PlanResponse {
        match (self.engine)() {
            Ok(engine) => plan::plan(engine.as_ref(), &self.recall, &self.claims(&engine), request).await,
            Err(diagnostics) => diagnostics.into(),
        }
    }

    async fn apply(&self, request: ApplyRequest) -> ApplyResponse {
        match (self.engine)() {
            Err(diagnostics) => request.failed(diagnostics),
            Ok(engine) if request.is_destroy() => {
                self.claims(&engine).release(&request.prior);
                apply::destroy(engine.as_ref(), &self.recall, request).await
            }
            Ok(engine) => apply::apply(engine.as_ref(), &self.recall, &self.claims(&engine), request).await,
        }
    }

    async fn import(&self, request: ImportRequest) -> ImportResponse {
        match (self.engine)() {
            Ok(engine) => import::import(engine.as_ref(), request).await,
            Err(diagnostics) => diagnostics.into(),
        }
    }
}
