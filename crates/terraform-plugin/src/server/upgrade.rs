//! State and identities stored by other versions, and state of other resource types.

use crate::errors;
use std::sync::Arc;

use super::RpcServer;
use super::dynamic_value::{encode, encode_identity};
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::json;
use crate::protocol::tfplugin6 as wire;
use crate::request::{UpgradeRequest, Upgraded};
use crate::value::Value;

const STATE: &str = "the stored state";

impl RpcServer {
    pub(super) async fn upgrade_resource_state(
        &self,
        request: wire::upgrade_resource_state::Request,
    ) -> wire::upgrade_resource_state::Response {
        match self.try_upgrade(request).await {
            Ok(state) => wire::upgrade_resource_state::Response {
                upgraded_state: Some(state),
                diagnostics: Vec::new(),
            },
            Err(diagnostics) => wire::upgrade_resource_state::Response {
                upgraded_state: None,
                diagnostics: diagnostics.into_wire(),
            },
        }
    }

    async fn try_upgrade(
        &self,
        request: wire::upgrade_resource_state::Request,
    ) -> Result<wire::DynamicValue, Diagnostics> {
        let entry = self.registry().resource(&request.type_name)?;
        let json = stored(request.raw_state)?;
        let upgraded = if request.version == entry.schema.version {
            Upgraded::Unhandled
        } else {
            let state = serde_json::from_slice(&json).map_err(|_| errors::state_not_json())?;
            let handler = Arc::clone(&entry.handler);
            let operation = async move {
                handler
                    .upgrade(UpgradeRequest {
                        version: request.version,
                        state,
                    })
                    .await
            };
            let cancel = self.stop.operation();
            self.guarded(
                "UpgradeResourceState",
                &request.type_name,
                cancel,
                operation,
            )
            .await?
        };
        let mut state = match upgraded {
            Upgraded::State(state) => state,
            Upgraded::Failed(diagnostics) => return Err(diagnostics),
            Upgraded::Unhandled => json::decode(&entry.ty, &json).map_err(|error| {
                let mut diagnostic = error.diagnostic(STATE);
                diagnostic.detail =
                    errors::other_schema_version(&error, request.version, entry.schema.version);
                diagnostic
            })?,
        };
        entry.schema.null_write_only(&mut state);
        entry.handler.on_stored_state(&state);
        Ok(encode(&entry.ty, &state, STATE)?)
    }

    pub(super) async fn upgrade_resource_identity(
        &self,
        request: wire::upgrade_resource_identity::Request,
    ) -> wire::upgrade_resource_identity::Response {
        let mut diagnostics = Diagnostics::new();
        let upgraded_identity = match self.stored_identity(&request.type_name, request.raw_identity)
        {
            Ok(value) => {
                let identity = self
                    .registry()
                    .resource(&request.type_name)
                    .ok()
                    .map(|entry| &entry.identity);
                identity
                    .and_then(|identity| encode_identity(identity, Some(&value), &mut diagnostics))
            }
            Err(error) => {
                diagnostics.push(error);
                None
            }
        };
        wire::upgrade_resource_identity::Response {
            upgraded_identity,
            diagnostics: diagnostics.into_wire(),
        }
    }

    fn stored_identity(
        &self,
        type_name: &str,
        raw: Option<wire::RawState>,
    ) -> Result<Value, Diagnostic> {
        let entry = self.registry().resource(type_name)?;
        let Some((_, ty)) = &entry.identity else {
            return Err(errors::missing_identity(type_name));
        };
        json::decode(ty, &stored(raw)?).map_err(|error| error.diagnostic("the stored identity"))
    }

    pub(super) async fn move_resource_state(
        &self,
        request: wire::move_resource_state::Request,
    ) -> wire::move_resource_state::Response {
        let (source, target) = (&request.source_type_name, &request.target_type_name);
        let refusal = match self.registry().resource(target) {
            Err(absent) => absent,
            Ok(_) => errors::unsupported_move(source, target),
        };
        wire::move_resource_state::Response {
            diagnostics: Diagnostics::from(refusal).into_wire(),
            ..Default::default()
        }
    }
}

fn stored(raw: Option<wire::RawState>) -> Result<Vec<u8>, Diagnostic> {
    let raw = raw.unwrap_or_default();
    if raw.json.is_empty() {
        return Err(errors::state_too_old());
    }
    Ok(raw.json)
}
