//! Checking and reading data sources.

use std::sync::Arc;

use super::dynamic_value::{decode, encode_or_diagnose};
use super::{RpcServer, deferral};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::protocol::tfplugin6 as wire;
use crate::request::{ClientCapabilities, DataRequest};

impl RpcServer {
    pub(super) async fn validate_data_resource_config(
        &self,
        request: wire::validate_data_resource_config::Request,
    ) -> wire::validate_data_resource_config::Response {
        let diagnostics = self
            .try_validate_data(request)
            .await
            .unwrap_or_else(Diagnostics::from);
        wire::validate_data_resource_config::Response {
            diagnostics: diagnostics.into_wire(),
        }
    }

    async fn try_validate_data(
        &self,
        request: wire::validate_data_resource_config::Request,
    ) -> Result<Diagnostics, Diagnostic> {
        let entry = self.registry().data_source(&request.type_name)?;
        let config = decode(&entry.ty, request.config, "the configuration")?;
        let handler = Arc::clone(&entry.handler);
        let operation = async move { handler.validate(config).await };
        self.guarded(
            "ValidateDataResourceConfig",
            &request.type_name,
            self.stop.operation(),
            operation,
        )
        .await
    }

    pub(super) async fn read_data_source(
        &self,
        request: wire::read_data_source::Request,
    ) -> wire::read_data_source::Response {
        self.try_read_data(request)
            .await
            .unwrap_or_else(|error| wire::read_data_source::Response {
                diagnostics: Diagnostics::from(error).into_wire(),
                ..Default::default()
            })
    }

    async fn try_read_data(
        &self,
        request: wire::read_data_source::Request,
    ) -> Result<wire::read_data_source::Response, Diagnostic> {
        let entry = self.registry().data_source(&request.type_name)?;
        let capabilities = ClientCapabilities::from_wire(request.client_capabilities);
        let cancel = self.stop.operation();
        let input = DataRequest {
            config: decode(&entry.ty, request.config, "the configuration")?,
            capabilities,
            cancel: cancel.clone(),
        };
        let handler = Arc::clone(&entry.handler);
        let operation = async move { handler.read(input).await };
        let mut read = self
            .guarded("ReadDataSource", &request.type_name, cancel, operation)
            .await?;
        entry.schema.null_write_only(&mut read.state);
        Ok(wire::read_data_source::Response {
            state: encode_or_diagnose(
                &entry.ty,
                &read.state,
                "what was read",
                &mut read.diagnostics,
            ),
            deferred: deferral(read.deferred, capabilities, &mut read.diagnostics),
            diagnostics: read.diagnostics.into_wire(),
        })
    }
}
