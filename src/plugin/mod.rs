//! Terraform's plugin protocol, version 6, for a provider process written in Rust. Knows nothing of any cloud.
//!
//! A provider implements [`Provider`], [`Resource`], [`DataSource`] and [`Function`], and its `main` calls [`serve`].
//!
//! - values: [`value`], [`number`], [`types`], [`path`]; their encodings: [`codec`] (MessagePack), [`json`]
//! - what a provider says: [`schema`], [`identity`], [`function`], [`diagnostics`]
//! - what it is asked: [`provider`], [`request`], [`checkpoint`]
//! - the process: `command`, [`handshake`], [`tls`], [`socket`], [`connection`], [`session`], [`stop`], [`parent`], [`log`]
//! - the calls: [`server`]; generated messages: [`protocol`]

pub mod checkpoint;
pub mod codec;
mod command;
pub mod connection;
pub mod diagnostics;
pub mod function;
pub mod handshake;
pub mod identity;
pub mod json;
pub mod log;
pub mod number;
pub mod parent;
pub mod path;
pub mod protocol;
pub mod provider;
pub mod request;
pub mod schema;
pub mod server;
pub mod session;
pub mod socket;
pub mod stop;
pub mod tls;
pub mod types;
pub mod value;

pub use checkpoint::Checkpoint;
pub use diagnostics::{Diagnostic, Diagnostics, Severity};
pub use function::{Function, FunctionError, Parameter, Signature};
pub use identity::{IdentityAttribute, IdentitySchema};
pub use number::Number;
pub use path::{AttributePath, Step};
pub use provider::{DataSource, Provider, Resource};
pub use request::{
    ApplyRequest, ApplyResponse, Cancel, ClientCapabilities, ConfigureRequest, DataRequest, DataResponse, Deferred,
    ImportRequest, ImportResponse, PlanRequest, PlanResponse, ReadRequest, ReadResponse, UpgradeRequest, Upgraded,
    ValidateRequest,
};
pub use schema::{Attribute, AttributeKind, NestedObject, Nesting, Schema};
pub use session::serve;
pub use types::Type;
pub use value::{Refinement, Typed, Value};
