//! Applies a planned change. After any failure, the response contains the state that is closest to
//! the clouds.

use std::sync::Arc;

use super::RpcServer;
use super::dynamic_value::{decode, decode_identity, encode, encode_identity};
use super::registry::RegisteredResource;
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::partial_state::PartialState;
use crate::protocol::tfplugin6 as wire;
use crate::request::{ApplyRequest, ApplyResponse};
use crate::value::Value;

impl RpcServer {
    pub(super) async fn apply_resource_change(
        &self,
        request: wire::apply_resource_change::Request,
    ) -> wire::apply_resource_change::Response {
        // Should the request not even be understood, what was stored goes back as it came.
        let (prior, private) = (request.prior_state.clone(), request.planned_private.clone());
        let identity = request.planned_identity.clone();
        self.try_apply(request).await.unwrap_or_else(|error| {
            wire::apply_resource_change::Response {
                new_state: prior,
                private,
                new_identity: identity,
                diagnostics: Diagnostics::from(error).into_wire(),
                legacy_type_system: false,
            }
        })
    }

    async fn try_apply(
        &self,
        request: wire::apply_resource_change::Request,
    ) -> Result<wire::apply_resource_change::Response, Diagnostic> {
        let entry = self.registry().resource(&request.type_name)?;
        let cancel = self.stop.operation();
        let prior = decode(&entry.ty, request.prior_state, "the stored state")?;
        let planned_identity = decode_identity(&entry.identity, request.planned_identity)?;
        let before = match prior {
            // Nothing exists, so nothing is stored for it.
            Value::Null => PartialState::new(Value::Null, Vec::new(), None),
            _ => PartialState::new(
                prior.clone(),
                request.planned_private.clone(),
                planned_identity.clone(),
            ),
        };
        let input = ApplyRequest {
            prior,
            planned: decode(&entry.ty, request.planned_state, "the planned state")?,
            config: decode(&entry.ty, request.config, "the configuration")?,
            planned_private: request.planned_private,
            planned_identity,
            checkpoint: before.clone(),
            cancel: cancel.clone(),
        };
        let handler = Arc::clone(&entry.handler);
        let operation = async move { handler.apply(input).await };
        let applied = match self
            .guarded("ApplyResourceChange", &request.type_name, cancel, operation)
            .await
        {
            Ok(applied) => applied,
            Err(error) => before.response(error.into()),
        };
        Ok(entry.applied(applied, &before))
    }
}

impl RegisteredResource {
    /// The answer; a state that does not fit the schema gives way to the checkpoint.
    fn applied(
        &self,
        mut applied: ApplyResponse,
        checkpoint: &PartialState,
    ) -> wire::apply_resource_change::Response {
        if applied.diagnostics.has_errors() {
            applied.new_state = applied.new_state.unknown_as_null();
        }
        self.schema.null_write_only(&mut applied.new_state);
        let new_state = match encode(&self.ty, &applied.new_state, "the new state") {
            Ok(encoded) => Some(encoded),
            Err(error) => {
                let mut diagnostics = std::mem::take(&mut applied.diagnostics);
                diagnostics.push(error);
                applied = checkpoint.response(diagnostics);
                self.schema.null_write_only(&mut applied.new_state);
                encode(&self.ty, &applied.new_state, "the new state")
                    .map_err(|error| applied.diagnostics.push(error))
                    .ok()
            }
        };
        let new_identity = encode_identity(
            &self.identity,
            applied.identity.as_ref(),
            &mut applied.diagnostics,
        );
        wire::apply_resource_change::Response {
            new_state,
            private: applied.private,
            diagnostics: applied.diagnostics.into_wire(),
            legacy_type_system: false,
            new_identity,
        }
    }
}
