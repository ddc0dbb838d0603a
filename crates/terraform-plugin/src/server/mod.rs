//! The calls of the protocol: each finds its resource, decodes, lets the provider work behind a
//! guard against panics, and encodes. Failures are diagnostics; gRPC errors are for calls that are
//! not served at all.

mod apply;
mod configure;
mod data_source;
mod dynamic_value;
mod function;
mod go_plugin;
pub mod panic_guard;
mod registry;
mod resource;
mod upgrade;

use crate::errors;
use std::future::Future;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use tonic::{Request, Response, Status};
use tracing::Instrument;

pub use go_plugin::GoPluginServices;
use registry::Registry;

use super::diagnostics::{Diagnostic, Diagnostics};
use super::protocol::tfplugin6 as wire;
use super::provider::Provider;
use super::request::{Cancel, ClientCapabilities, Deferred};
use super::shutdown::Shutdown;

/// Answers the calls for one provider.
pub struct RpcServer {
    provider: Arc<dyn Provider>,
    registry: OnceLock<Registry>,
    stop: Arc<Shutdown>,
    /// Terraform reads resources before it plans for the user, and in another process than the one
    /// that applies.
    has_read_resource: AtomicBool,
}

impl RpcServer {
    /// Handlers whose operations end with `stop`.
    pub fn new(provider: Arc<dyn Provider>, stop: Arc<Shutdown>) -> Self {
        Self {
            provider,
            registry: OnceLock::new(),
            stop,
            has_read_resource: AtomicBool::new(false),
        }
    }

    fn registry(&self) -> &Registry {
        self.registry
            .get_or_init(|| Registry::of(self.provider.as_ref()))
    }

    /// Runs an operation on a task of its own: a call that goes away asks it to stop, but does not
    /// cut it off.
    async fn guarded<T: Send + 'static>(
        &self,
        call: &'static str,
        type_name: &str,
        cancel: Cancel,
        operation: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Diagnostic> {
        let span = tracing::error_span!("operation", tf_rpc = call, tf_resource_type = type_name);
        let gone = cancel.drop_guard();
        let result = tokio::spawn(panic_guard::catch_panic(operation).instrument(span)).await;
        drop(gone.disarm());
        match result {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(panic)) => Err(panic.diagnostic(call)),
            Err(_) => Err(errors::interrupted(call)),
        }
    }
}

/// The wire form of a deferral, or an error where the client does not allow it.
fn deferral(
    deferred: Option<Deferred>,
    capabilities: ClientCapabilities,
    diagnostics: &mut Diagnostics,
) -> Option<wire::Deferred> {
    use wire::deferred::Reason;
    let reason = match deferred? {
        Deferred::ResourceConfigUnknown => Reason::ResourceConfigUnknown,
        Deferred::ProviderConfigUnknown => Reason::ProviderConfigUnknown,
        Deferred::AbsentPrerequisite => Reason::AbsentPrereq,
    };
    if !capabilities.deferral_allowed {
        diagnostics.push(errors::unsupported_deferral());
        return None;
    }
    Some(wire::Deferred {
        reason: reason.into(),
    })
}

type Answer<T> = Result<Response<T>, Status>;

macro_rules! calls {
    ($($call:ident)*) => {
        #[tonic::async_trait]
        impl wire::provider_server::Provider for RpcServer {$(
            async fn $call(
                &self,
                request: Request<wire::$call::Request>,
            ) -> Answer<wire::$call::Response> {
                Ok(Response::new(self.$call(request.into_inner()).await))
            }
        )*}
    };
}

calls! {
    get_metadata
    get_provider_schema
    validate_provider_config
    validate_resource_config
    validate_data_resource_config
    upgrade_resource_state
    get_resource_identity_schemas
    upgrade_resource_identity
    configure_provider
    read_resource
    plan_resource_change
    apply_resource_change
    import_resource_state
    move_resource_state
    generate_resource_config
    read_data_source
    get_functions
    call_function
    stop_provider
}
