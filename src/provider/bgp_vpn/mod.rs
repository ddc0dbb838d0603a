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
//! | `spec` | makes a spec, or a place to search, of settled values |
//! | `static_routing` | rejects VPN connections that AWS cannot change to BGP |
//! | `state`, `follow` | put what was observed into a state |
//! | `outdated` | rejects an apply whose plan no longer fits the clouds |
//! | `public_subnet` | changes the public subnet of a created VPC |
//! | `teardown` | says what an apply takes down, for the apply and for the plan that announces it |
//! | `private` | remembers what was last applied |
//! | `recall` | remembers states, so that a link whose create never ended is finished |
//! | `apply`, `read`, `import` | carry it out |

mod apply;
mod changes;
mod create_first;
mod draft;
pub mod engine;
mod fixed;
mod follow;
mod import;
mod outdated;
mod paths;
mod plan;
mod private;
mod public_subnet;
mod read;
mod recall;
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
use engine::EngineSource;
use recall::Recall;

/// Type name of the resource.
pub const TYPE_NAME: &str = "awsazure_bgp_vpn";

/// The resource type.
pub struct BgpVpn {
    engine: EngineSource,
    recall: Recall,
}

impl BgpVpn {
    /// The resource over an engine that is asked for at each call, since the provider has one only once it is configured.
    pub fn new(engine: EngineSource) -> Self {
        BgpVpn { engine, recall: Recall::default() }
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
            Ok(engine) => read::read(engine.as_ref(), &self.recall, request).await,
            Err(diagnostics) => request.unchanged(diagnostics),
        }
    }

    async fn plan(&self, request: PlanRequest) -> PlanResponse {
        match (self.engine)() {
            Ok(engine) => plan::plan(engine.as_ref(), &self.recall, request).await,
            Err(diagnostics) => diagnostics.into(),
        }
    }

    async fn apply(&self, request: ApplyRequest) -> ApplyResponse {
        match (self.engine)() {
            Err(diagnostics) => request.failed(diagnostics),
            Ok(engine) if request.is_destroy() => apply::destroy(engine.as_ref(), &self.recall, request).await,
            Ok(engine) => apply::apply(engine.as_ref(), &self.recall, request).await,
        }
    }

    async fn import(&self, request: ImportRequest) -> ImportResponse {
        match (self.engine)() {
            Ok(engine) => import::import(engine.as_ref(), request).await,
            Err(diagnostics) => diagnostics.into(),
        }
    }
}
