//! Connections and their shared keys. What changes one passes its gateway's gate.

use super::write::DocumentEdit;
use super::{read_as, version_of};
use crate::azure::arm::{ArmRequest, Precondition};
use crate::azure::client::{Azure, IsOwned};
use crate::azure::documents::connection::{self, NewConnection};
use crate::azure::error::Error;
use crate::azure::id::ResourceId;
use crate::azure::lro::{LroKind, wait_succeeded};
use crate::azure::model::Connection;
use crate::client::CallContext;
use azure_core::http::Method;
use bgp_vpn::types::PreSharedKey;
use serde_json::Value;
use std::time::Duration;

/// The health of a connection that Azure reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionStatus {
    /// `Unknown`, `Connecting`, `Connected`, `NotConnected`; Unknown while it is updating.
    pub status: String,
    /// `tunnelConnectionStatus`: tunnel and status. Of two, one is never up: AWS listens to one
    /// instance only.
    pub tunnels: Vec<(String, String)>,
}

impl Azure {
    /// # Errors
    /// As Azure refuses.
    pub async fn get_connection(
        &self,
        id: &ResourceId,
        ctx: &CallContext,
    ) -> Result<Option<Connection>, Error> {
        let found = self.get("read connection", id, ctx).await?;
        found
            .map(|doc| read_as("read connection", id.as_str(), connection::parse(doc)))
            .transpose()
    }

    /// Those of a group.
    ///
    /// # Errors
    /// As Azure refuses.
    pub async fn list_connections(
        &self,
        group: &str,
        ctx: &CallContext,
    ) -> Result<Vec<Connection>, Error> {
        let found = self
            .list_in_group("list connections", group, "connections", ctx)
            .await?;
        found
            .into_iter()
            .map(|doc| read_as("list connections", group, connection::parse(doc)))
            .collect()
    }

    /// # Errors
    /// `AlreadyExists` where one of that name is not `is_owned`. A connection that turned out to be
    /// there already may have another key: compare.
    pub async fn create_connection(
        &self,
        id: &ResourceId,
        new: &NewConnection,
        is_owned: IsOwned<'_>,
        ctx: &CallContext,
    ) -> Result<Connection, Error> {
        let guard = self.gateway_locks.lock(&new.gateway_id, ctx).await?;
        let ctx = &guard.context;
        let doc = self
            .create("create connection", id, &new.body(), is_owned, ctx)
            .await?;
        read_as("create connection", id.as_str(), connection::parse(doc))
    }

    /// Edits the document in place; see `documents::connection` for edits. The shared key is not
    /// part of it.
    ///
    /// # Errors
    /// `NotFound` where it does not exist.
    pub async fn change_connection(
        &self,
        id: &ResourceId,
        gateway: &ResourceId,
        edit: DocumentEdit<'_>,
        ctx: &CallContext,
    ) -> Result<Connection, Error> {
        let guard = self.gateway_locks.lock(gateway, ctx).await?;
        let ctx = &guard.context;
        let doc = self
            .read_modify_write("change connection", id, edit, ctx)
            .await?;
        read_as("change connection", id.as_str(), connection::parse(doc))
    }

    /// # Errors
    /// As Azure refuses.
    pub async fn delete_connection(
        &self,
        id: &ResourceId,
        gateway: &ResourceId,
        ctx: &CallContext,
    ) -> Result<(), Error> {
        let guard = self.gateway_locks.lock(gateway, ctx).await?;
        let ctx = &guard.context;
        self.delete("delete connection", id, version_of(id), Duration::ZERO, ctx)
            .await
    }

    /// The connection's key; None where connection or key is missing.
    ///
    /// # Errors
    /// `Forbidden` where this identity may not read keys.
    pub async fn get_shared_key(
        &self,
        connection: &ResourceId,
        ctx: &CallContext,
    ) -> Result<Option<PreSharedKey>, Error> {
        let path = format!("{connection}/sharedkey");
        let found = self
            .get_call(
                &ArmRequest::path("read shared key of", Method::Get, &path, version_of(&path)),
                ctx,
            )
            .await?;
        Ok(found.as_ref().and_then(connection::parse_key))
    }

    /// Sets the key, and waits until the connection is provisioned again: Azure reports the write's
    /// success before.
    ///
    /// # Errors
    /// `NotFound` where the connection does not exist.
    pub async fn set_shared_key(
        &self,
        connection: &ResourceId,
        gateway: &ResourceId,
        key: &PreSharedKey,
        ctx: &CallContext,
    ) -> Result<(), Error> {
        let guard = self.gateway_locks.lock(gateway, ctx).await?;
        let ctx = &guard.context;
        let path = format!("{connection}/sharedkey");
        let request = ArmRequest::path("set shared key of", Method::Put, &path, version_of(&path));
        let request = request.with(connection::key_body(key), Precondition::None);
        let first = self.put_idempotent(&request, ctx).await?;
        self.wait_operation(&request, LroKind::Write, connection, first, ctx)
            .await?;
        wait_succeeded(
            &self.arm,
            request.operation,
            connection,
            version_of(connection),
            ctx,
        )
        .await
        .map(|_| ())
    }

    /// The connection's health; None where it does not exist.
    ///
    /// # Errors
    /// As Azure refuses.
    pub async fn connection_status(
        &self,
        connection: &ResourceId,
        ctx: &CallContext,
    ) -> Result<Option<ConnectionStatus>, Error> {
        let word = |doc: &Value, path: &str| {
            doc.pointer(path)
                .and_then(Value::as_str)
                .unwrap_or("Unknown")
                .to_owned()
        };
        let found = self.get("read connection", connection, ctx).await?;
        Ok(found.map(|doc| ConnectionStatus {
            status: word(&doc, "/properties/connectionStatus"),
            tunnels: doc
                .pointer("/properties/tunnelConnectionStatus")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .map(|tunnel| (word(tunnel, "/tunnel"), word(tunnel, "/connectionStatus")))
                .collect(),
        }))
    }
}
