//! Terraform's plugin protocol, version 6, for a provider process written in Rust. Knows nothing of any cloud.
//!
//! A provider implements [`Provider`], [`Resource`], [`DataSource`] and [`Function`], and its `main` calls [`serve`].
//!
//! - values: [`value`], [`number`], [`types`], [`path`]; their encodings: [`msgpack`] (MessagePack), [`json`]
//! - what a provider says: [`schema`], [`identity`], [`function`], [`diagnostics`]
//! - what it is asked: [`provider`], [`request`], [`partial_state`]
//! - the process: `command`, [`handshake`], [`tls`], [`socket`], [`listener`], [`serve`], [`shutdown`], [`parent`], [`log`]
//! - the calls: [`server`]; generated messages: [`protocol`]

mod command;
pub mod diagnostics;
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
    ApplyRequest, ApplyResponse, Cancel, ClientCapabilities, ConfigureRequest, DataRequest, DataResponse, Deferred,
    ImportRequest, ImportResponse, PlanRequest, PlanResponse, ReadRequest, ReadResponse, UpgradeRequest, Upgraded,
    ValidateRequest,
};
pub use schema::{Attribute, AttributeKind, NestedObject, Nesting, Schema};
pub use serve::serve;
pub use types::Type;
pub use value::{Refinement, Typed, Value};
