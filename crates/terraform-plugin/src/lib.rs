//! Terraform's plugin protocol, version 6, for a provider process written in Rust.
//!
//! A provider implements [`Provider`] and what it offers: [`Resource`], [`DataSource`],
//! [`Function`]. Its `main` calls [`serve`], which speaks go-plugin's handshake and gRPC over
//! mutual TLS. Values arrive decoded and leave to be encoded by schema.
//!
//! A provider with one resource, which keeps what it is given:
//!
//! ```
//! use async_trait::async_trait;
//! use std::collections::BTreeMap;
//! use std::sync::Arc;
//! use terraform_plugin::*;
//!
//! struct Example;
//!
//! #[async_trait]
//! impl Provider for Example {
//!     fn address(&self) -> &str {
//!         "registry.terraform.io/example/example"
//!     }
//!
//!     fn schema(&self) -> Schema {
//!         Schema::new(0)
//!     }
//!
//!     async fn configure(&self, _: ConfigureRequest) -> Diagnostics {
//!         Diagnostics::new()
//!     }
//!
//!     fn resources(&self) -> BTreeMap<String, Arc<dyn Resource>> {
//!         BTreeMap::from([("example_note".to_owned(), Arc::new(Note) as Arc<dyn Resource>)])
//!     }
//! }
//!
//! struct Note;
//!
//! #[async_trait]
//! impl Resource for Note {
//!     fn schema(&self) -> Schema {
//!         Schema::new(0)
//!             .attribute("text", Attribute::string().required().description("What to keep."))
//!             .attribute("id", Attribute::string().computed())
//!     }
//!
//!     async fn read(&self, request: ReadRequest) -> ReadResponse {
//!         request.unchanged(Diagnostics::new())
//!     }
//!
//!     async fn plan(&self, request: PlanRequest) -> PlanResponse {
//!         let mut planned = request.proposed.clone();
//!         if request.is_create() {
//!             planned.set("id", Value::unknown());
//!         }
//!         PlanResponse::new(planned)
//!     }
//!
//!     async fn apply(&self, request: ApplyRequest) -> ApplyResponse {
//!         let mut state = request.planned;
//!         if request.prior.is_null() {
//!             state.set("id", "note-1");
//!         }
//!         ApplyResponse { new_state: state, ..ApplyResponse::default() }
//!     }
//!
//!     async fn import(&self, request: ImportRequest) -> ImportResponse {
//!         Diagnostic::error("Import not supported").detail(format!("{} cannot be imported.", request.id)).into()
//!     }
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     # if true { return std::process::ExitCode::SUCCESS }
//!     terraform_plugin::serve(Arc::new(Example), env!("CARGO_PKG_VERSION"), &[])
//! }
//! ```
//!
//! Modules:
//!
//! - values: [`value`], [`number`], [`types`], [`path`]; their encodings: [`msgpack`]
//!   (MessagePack), [`json`]
//! - what a provider says: [`schema`], [`identity`], [`function`], [`diagnostics`]
//! - what it is asked: [`provider`], [`request`], [`partial_state`]
//! - the process: `command`, [`handshake`], [`tls`], [`socket`], [`listener`], [`mod@serve`],
//!   [`shutdown`], [`parent`], [`log`]
//! - the calls: [`server`]; generated messages: [`protocol`]

mod command;
pub mod diagnostics;
pub mod errors;
pub mod function;
pub mod handshake;
pub mod identity;
pub mod json;
pub mod listener;
pub mod log;
pub mod msgpack;
pub mod number;
pub mod parent;
pub mod partial_state;
pub mod path;
pub mod protocol;
pub mod provider;
pub mod request;
pub mod schema;
pub mod serve;
pub mod server;
pub mod shutdown;
pub mod socket;
pub mod tls;
pub mod types;
pub mod value;

pub use diagnostics::{Diagnostic, Diagnostics, Severity};
pub use function::{Function, FunctionError, Parameter, Signature};
pub use identity::{IdentityAttribute, IdentitySchema};
pub use number::Number;
pub use partial_state::PartialState;
pub use path::{AttributePath, Step};
pub use provider::{DataSource, Provider, Resource};
pub use request::{
    ApplyRequest, ApplyResponse, Cancel, ClientCapabilities, ConfigureRequest, DataRequest,
    DataResponse, Deferred, ImportRequest, ImportResponse, PlanRequest, PlanResponse, ReadRequest,
    ReadResponse, UpgradeRequest, Upgraded, ValidateRequest,
};
pub use schema::{Attribute, AttributeKind, NestedObject, Nesting, Schema};
pub use serve::serve;
pub use types::Type;
pub use value::{Refinement, Typed, Value};
