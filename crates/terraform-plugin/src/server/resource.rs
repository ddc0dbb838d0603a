//! Checking, reading, planning and importing resources.

use crate::errors;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::dynamic_value::{decode, decode_identity, encode_identity, encode_or_diagnose};
use super::{RpcServer, deferral};
use crate::command::{is_destroying, may_be_applying, replaced_addresses};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::path::AttributePath;
use crate::protocol::tfplugin6 as wire;
use crate::request::{
    ClientCapabilities, ImportRequest, PlanRequest, ReadRequest, ValidateRequest,
};
use crate::value::Value;

impl RpcServer {
    pub(super) async fn validate_resource_config(
        &self,
        request: wire::validate_resource_config::Request,
    ) -> wire::validate_resource_config::Response {
        let diagnostics = self
            .try_validate_resource(request)
            .await
            .unwrap_or_else(Diagnostics::from);
        wire::validate_resource_config::Response {
            diagnostics: diagnostics.into_wire(),
        }
    }

    async fn try_validate_resource(
        &self,
        request: wire::validate_resource_config::Request,
    ) -> Result<Diagnostics, Diagnostic> {
        let entry = self.registry().resource(&request.type_name)?;
        let config = decode(&entry.ty, request.config, "the configuration")?;
        let capabilities = ClientCapabilities::from_wire(request.client_capabilities);
        let mut diagnostics = Diagnostics::new();
        if !capabilities.write_only_attributes_allowed {
            diagnostics.append(entry.schema.refuse_write_only(&config));
        }
        let handler = Arc::clone(&entry.handler);
        let operation = async move {
            handler
                .validate(ValidateRequest {
                    config,
                    capabilities,
                })
                .await
        };
        let cancel = self.stop.operation();
        diagnostics.append(
            self.guarded(
                "ValidateResourceConfig",
                &request.type_name,
                cancel,
                operation,
            )
            .await?,
        );
        Ok(diagnostics)
    }

    pub(super) async fn read_resource(
        &self,
        request: wire::read_resource::Request,
    ) -> wire::read_resource::Response {
        self.try_read_resource(request)
            .await
            .unwrap_or_else(|error| wire::read_resource::Response {
                diagnostics: Diagnostics::from(error).into_wire(),
                ..Default::default()
            })
    }

    async fn try_read_resource(
        &self,
        request: wire::read_resource::Request,
    ) -> Result<wire::read_resource::Response, Diagnostic> {
        self.has_read_resource.store(true, Ordering::Relaxed);
        let entry = self.registry().resource(&request.type_name)?;
        let capabilities = ClientCapabilities::from_wire(request.client_capabilities);
        let cancel = self.stop.operation();
        let input = ReadRequest {
            state: decode(&entry.ty, request.current_state, "the stored state")?,
            private: request.private,
            identity: decode_identity(&entry.identity, request.current_identity)?,
            capabilities,
            cancel: cancel.clone(),
        };
        let handler = Arc::clone(&entry.handler);
        let operation = async move { handler.read(input).await };
        let mut read = self
            .guarded("ReadResource", &request.type_name, cancel, operation)
            .await?;
        let mut diagnostics = std::mem::take(&mut read.diagnostics);
        entry.schema.null_write_only(&mut read.state);
        Ok(wire::read_resource::Response {
            new_state: encode_or_diagnose(
                &entry.ty,
                &read.state,
                "what was read",
                &mut diagnostics,
            ),
            private: read.private,
            deferred: deferral(read.deferred, capabilities, &mut diagnostics),
            new_identity: encode_identity(
                &entry.identity,
                read.identity.as_ref(),
                &mut diagnostics,
            ),
            diagnostics: diagnostics.into_wire(),
        })
    }

    pub(super) async fn plan_resource_change(
        &self,
        request: wire::plan_resource_change::Request,
    ) -> wire::plan_resource_change::Response {
        self.try_plan(request)
            .await
            .unwrap_or_else(|error| wire::plan_resource_change::Response {
                diagnostics: Diagnostics::from(error).into_wire(),
                ..Default::default()
            })
    }

    async fn try_plan(
        &self,
        request: wire::plan_resource_change::Request,
    ) -> Result<wire::plan_resource_change::Response, Diagnostic> {
        let entry = self.registry().resource(&request.type_name)?;
        let capabilities = ClientCapabilities::from_wire(request.client_capabilities);
        let cancel = self.stop.operation();
        let input = PlanRequest {
            prior: decode(&entry.ty, request.prior_state, "the stored state")?,
            proposed: decode(&entry.ty, request.proposed_new_state, "the proposed state")?,
            config: decode(&entry.ty, request.config, "the configuration")?,
            private: request.prior_private,
            identity: decode_identity(&entry.identity, request.prior_identity)?,
            may_be_applying: may_be_applying() && !self.has_read_resource.load(Ordering::Relaxed),
            before_destroy: is_destroying(),
            replaced: replaced_addresses(),
            capabilities,
            cancel: cancel.clone(),
        };
        let destroy = input.is_destroy();
        let handler = Arc::clone(&entry.handler);
        let operation = async move { handler.plan(input).await };
        let mut plan = self
            .guarded("PlanResourceChange", &request.type_name, cancel, operation)
            .await?;
        let mut diagnostics = std::mem::take(&mut plan.diagnostics);
        if destroy {
            plan.planned = Value::Null;
        }
        entry.schema.null_write_only(&mut plan.planned);
        Ok(wire::plan_resource_change::Response {
            planned_state: encode_or_diagnose(
                &entry.ty,
                &plan.planned,
                "the planned state",
                &mut diagnostics,
            ),
            requires_replace: plan
                .requires_replace
                .iter()
                .map(AttributePath::to_wire)
                .collect(),
            planned_private: plan.private,
            legacy_type_system: false,
            deferred: deferral(plan.deferred, capabilities, &mut diagnostics),
            planned_identity: encode_identity(
                &entry.identity,
                plan.identity.as_ref(),
                &mut diagnostics,
            ),
            diagnostics: diagnostics.into_wire(),
        })
    }

    pub(super) async fn generate_resource_config(
        &self,
        request: wire::generate_resource_config::Request,
    ) -> wire::generate_resource_config::Response {
        self.try_generate_config(request)
            .await
            .unwrap_or_else(|error| wire::generate_resource_config::Response {
                diagnostics: Diagnostics::from(error).into_wire(),
                ..Default::default()
            })
    }

    async fn try_generate_config(
        &self,
        request: wire::generate_resource_config::Request,
    ) -> Result<wire::generate_resource_config::Response, Diagnostic> {
        let entry = self.registry().resource(&request.type_name)?;
        let state = decode(&entry.ty, request.state, "the imported state")?;
        let handler = Arc::clone(&entry.handler);
        let operation = async move { handler.generate_config(&state) };
        let cancel = self.stop.operation();
        let config = self
            .guarded(
                "GenerateResourceConfig",
                &request.type_name,
                cancel,
                operation,
            )
            .await?;
        let mut diagnostics = Diagnostics::new();
        Ok(wire::generate_resource_config::Response {
            config: encode_or_diagnose(
                &entry.ty,
                &config,
                "the generated configuration",
                &mut diagnostics,
            ),
            diagnostics: diagnostics.into_wire(),
        })
    }

    pub(super) async fn import_resource_state(
        &self,
        request: wire::import_resource_state::Request,
    ) -> wire::import_resource_state::Response {
        self.try_import(request).await.unwrap_or_else(|error| {
            wire::import_resource_state::Response {
                diagnostics: Diagnostics::from(error).into_wire(),
                ..Default::default()
            }
        })
    }

    async fn try_import(
        &self,
        request: wire::import_resource_state::Request,
    ) -> Result<wire::import_resource_state::Response, Diagnostic> {
        let entry = self.registry().resource(&request.type_name)?;
        let capabilities = ClientCapabilities::from_wire(request.client_capabilities);
        let cancel = self.stop.operation();
        let input = ImportRequest {
            id: request.id,
            identity: decode_identity(&entry.identity, request.identity)?,
            capabilities,
            cancel: cancel.clone(),
        };
        let handler = Arc::clone(&entry.handler);
        let operation = async move { handler.import(input).await };
        let mut found = self
            .guarded("ImportResourceState", &request.type_name, cancel, operation)
            .await?;
        let mut diagnostics = std::mem::take(&mut found.diagnostics);
        let deferred = deferral(found.deferred, capabilities, &mut diagnostics);
        if found.state.is_null() && deferred.is_none() && !diagnostics.has_errors() {
            diagnostics.push(errors::nothing_imported());
        }
        entry.schema.null_write_only(&mut found.state);
        let state = encode_or_diagnose(
            &entry.ty,
            &found.state,
            "what was imported",
            &mut diagnostics,
        );
        let identity = encode_identity(&entry.identity, found.identity.as_ref(), &mut diagnostics);
        let imported =
            (!diagnostics.has_errors()).then_some(wire::import_resource_state::ImportedResource {
                type_name: request.type_name,
                state,
                private: found.private,
                identity,
            });
        Ok(wire::import_resource_state::Response {
            imported_resources: imported.into_iter().collect(),
            diagnostics: diagnostics.into_wire(),
            deferred,
        })
    }
}
