//! What the provider offers, asked once.

use crate::errors;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostics::Diagnostic;
use crate::function::{Function, Signature};
use crate::identity::IdentitySchema;
use crate::protocol::tfplugin6 as wire;
use crate::provider::{DataSource, Provider, Resource};
use crate::schema::Schema;
use crate::types::Type;

/// Everything on offer, by name.
pub(super) struct Registry {
    pub provider: Schema,
    pub provider_type: Type,
    pub resources: BTreeMap<String, RegisteredResource>,
    pub data_sources: BTreeMap<String, RegisteredDataSource>,
    pub functions: BTreeMap<String, RegisteredFunction>,
}

pub(super) struct RegisteredResource {
    pub handler: Arc<dyn Resource>,
    pub schema: Schema,
    pub ty: Type,
    pub identity: Option<(IdentitySchema, Type)>,
}

pub(super) struct RegisteredDataSource {
    pub handler: Arc<dyn DataSource>,
    pub schema: Schema,
    pub ty: Type,
}

pub(super) struct RegisteredFunction {
    pub handler: Arc<dyn Function>,
    pub signature: Signature,
}

impl Registry {
    pub fn of(provider: &dyn Provider) -> Self {
        let resource = |(name, handler): (String, Arc<dyn Resource>)| {
            let schema = handler.schema();
            let ty = schema.type_();
            let identity = handler.identity_schema().map(|schema| {
                let ty = schema.type_();
                (schema, ty)
            });
            (
                name,
                RegisteredResource {
                    handler,
                    schema,
                    ty,
                    identity,
                },
            )
        };
        let data_source = |(name, handler): (String, Arc<dyn DataSource>)| {
            let schema = handler.schema();
            let ty = schema.type_();
            (
                name,
                RegisteredDataSource {
                    handler,
                    schema,
                    ty,
                },
            )
        };
        let function = |(name, handler): (String, Arc<dyn Function>)| {
            let signature = handler.signature();
            (name, RegisteredFunction { handler, signature })
        };
        let schema = provider.schema();
        Self {
            provider_type: schema.type_(),
            provider: schema,
            resources: provider.resources().into_iter().map(resource).collect(),
            data_sources: provider
                .data_sources()
                .into_iter()
                .map(data_source)
                .collect(),
            functions: provider.functions().into_iter().map(function).collect(),
        }
    }

    pub fn resource(&self, name: &str) -> Result<&RegisteredResource, Diagnostic> {
        self.resources
            .get(name)
            .ok_or_else(|| errors::unsupported_type("resource", name, self.resources.keys()))
    }

    pub fn data_source(&self, name: &str) -> Result<&RegisteredDataSource, Diagnostic> {
        self.data_sources
            .get(name)
            .ok_or_else(|| errors::unsupported_type("data source", name, self.data_sources.keys()))
    }
}

fn capabilities() -> Option<wire::ServerCapabilities> {
    Some(wire::ServerCapabilities {
        // Destroying is planned too, so that the provider can warn and leave private bytes for
        // apply.
        plan_destroy: true,
        get_provider_schema_optional: true,
        move_resource_state: false,
        generate_resource_config: true,
    })
}

impl super::RpcServer {
    pub(super) async fn get_metadata(
        &self,
        _: wire::get_metadata::Request,
    ) -> wire::get_metadata::Response {
        use wire::get_metadata::{DataSourceMetadata, FunctionMetadata, ResourceMetadata};
        let tables = self.registry();
        wire::get_metadata::Response {
            server_capabilities: capabilities(),
            resources: tables
                .resources
                .keys()
                .cloned()
                .map(|type_name| ResourceMetadata { type_name })
                .collect(),
            data_sources: tables
                .data_sources
                .keys()
                .cloned()
                .map(|type_name| DataSourceMetadata { type_name })
                .collect(),
            functions: tables
                .functions
                .keys()
                .cloned()
                .map(|name| FunctionMetadata { name })
                .collect(),
            ..Default::default()
        }
    }

    pub(super) async fn get_provider_schema(
        &self,
        _: wire::get_provider_schema::Request,
    ) -> wire::get_provider_schema::Response {
        let tables = self.registry();
        wire::get_provider_schema::Response {
            provider: Some(tables.provider.to_wire()),
            resource_schemas: tables
                .resources
                .iter()
                .map(|(n, entry)| (n.clone(), entry.schema.to_wire()))
                .collect(),
            data_source_schemas: tables
                .data_sources
                .iter()
                .map(|(name, entry)| (name.clone(), entry.schema.to_wire()))
                .collect(),
            functions: tables
                .functions
                .iter()
                .map(|(n, entry)| (n.clone(), entry.signature.to_wire()))
                .collect(),
            server_capabilities: capabilities(),
            ..Default::default()
        }
    }

    pub(super) async fn get_resource_identity_schemas(
        &self,
        _: wire::get_resource_identity_schemas::Request,
    ) -> wire::get_resource_identity_schemas::Response {
        let identity = |(name, entry): (&String, &RegisteredResource)| {
            entry
                .identity
                .as_ref()
                .map(|(schema, _)| (name.clone(), schema.to_wire()))
        };
        wire::get_resource_identity_schemas::Response {
            identity_schemas: self
                .registry()
                .resources
                .iter()
                .filter_map(identity)
                .collect(),
            diagnostics: Vec::new(),
        }
    }

    pub(super) async fn get_functions(
        &self,
        _: wire::get_functions::Request,
    ) -> wire::get_functions::Response {
        let functions = &self.registry().functions;
        wire::get_functions::Response {
            functions: functions
                .iter()
                .map(|(name, entry)| (name.clone(), entry.signature.to_wire()))
                .collect(),
            diagnostics: Vec::new(),
        }
    }
}
