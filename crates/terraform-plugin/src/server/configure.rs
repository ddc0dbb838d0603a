//! The provider block, and the end of running operations.

use std::sync::Arc;

use super::RpcServer;
use super::dynamic_value::decode;
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::protocol::tfplugin6 as wire;
use crate::request::{ClientCapabilities, ConfigureRequest};

const CONFIG: &str = "the provider's configuration";

impl RpcServer {
    pub(super) async fn validate_provider_config(
        &self,
        request: wire::validate_provider_config::Request,
    ) -> wire::validate_provider_config::Response {
        let diagnostics = self
            .try_validate_provider(request)
            .await
            .unwrap_or_else(Diagnostics::from);
        wire::validate_provider_config::Response {
            diagnostics: diagnostics.into_wire(),
        }
    }

    async fn try_validate_provider(
        &self,
        request: wire::validate_provider_config::Request,
    ) -> Result<Diagnostics, Diagnostic> {
        let config = decode(&self.registry().provider_type, request.config, CONFIG)?;
        let provider = Arc::clone(&self.provider);
        let cancel = self.stop.operation();
        self.guarded("ValidateProviderConfig", "", cancel, async move {
            provider.validate(config).await
        })
        .await
    }

    pub(super) async fn configure_provider(
        &self,
        request: wire::configure_provider::Request,
    ) -> wire::configure_provider::Response {
        let diagnostics = self
            .try_configure(request)
            .await
            .unwrap_or_else(Diagnostics::from);
        wire::configure_provider::Response {
            diagnostics: diagnostics.into_wire(),
        }
    }

    async fn try_configure(
        &self,
        request: wire::configure_provider::Request,
    ) -> Result<Diagnostics, Diagnostic> {
        let cancel = self.stop.operation();
        let request = ConfigureRequest {
            config: decode(&self.registry().provider_type, request.config, CONFIG)?,
            terraform_version: request.terraform_version,
            capabilities: ClientCapabilities::from_wire(request.client_capabilities),
            cancel: cancel.clone(),
        };
        let provider = Arc::clone(&self.provider);
        self.guarded("ConfigureProvider", "", cancel, async move {
            provider.configure(request).await
        })
        .await
    }

    pub(super) async fn stop_provider(
        &self,
        _: wire::stop_provider::Request,
    ) -> wire::stop_provider::Response {
        tracing::info!("asked to stop running operations");
        self.stop.stop_operations();
        wire::stop_provider::Response::default()
    }
}
