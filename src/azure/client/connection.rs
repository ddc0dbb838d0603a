//! Connections and their shared keys. What changes one passes its gateway's gate.

use super::write::Edit;
use super::{Azure, NETWORK, Ours, read_as};
use crate::azure::arm::{Call, Condition};
use crate::azure::documents::connection::{self, NewConnection};
use crate::azure::error::Error;
use crate::azure::id::ResourceId;
use crate::azure::model::Connection;
use crate::azure::operation::{Kind, settled};
use crate::azure::waits::Waits;
use crate::primitives::SharedKey;
use azure_core::http::Method;
use serde_json::Value;
use std::time::Duration;

/// A connection's health as Azure tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionStatus {
    /// `Unknown`, `Connecting`, `Connected`, `NotConnected`; Unknown while it is updating.
    pub status: String,
    /// `tunnelConnectionStatus`: tunnel and status. Of two, one is never up: AWS listens to one instance only.
    pub tunnels: Vec<(String, String)>,
}

impl Azure {
    /// # Errors
    /// As Azure refuses.
    pub async fn get_connection(&self, id: &ResourceId, waits: &Waits) -> Result<Option<Connection>, Error> {
        let found = self.get("read connection", id, waits).await?;
        found.map(|doc| read_as("read connection", id.as_str(), connection::parse(doc))).transpose()
    }

    /// Those of a group.
    ///
    /// # Errors
    /// As Azure refuses.
    pub async fn list_connections(&self, group: &str, waits: &Waits) -> Result<Vec<Connection>, Error> {
        let found = self.list_in_group("list connections", group, "connections", waits).await?;
        found.into_iter().map(|doc| read_as("list connections", group, connection::parse(doc))).collect()
    }

    /// # Errors
    /// `AlreadyExists` where one of that name is not `ours`. A connection that turned out to be there already may
    /// have another key: compare.
    pub async fn create_connection(
        &self,
        id: &ResourceId,
        new: &NewConnection,
        ours: Ours<'_>,
        waits: &Waits,
    ) -> Result<Connection, Error> {
        let passage = self.gates.enter(&new.gateway_id, waits).await?;
        let waits = &passage.waits;
        let doc = self.create("create connection", id, &new.body(), ours, waits).await?;
        read_as("create connection", id.as_str(), connection::parse(doc))
    }

    /// Edits the document in place; see `documents::connection` for edits. The shared key is not part of it.
    ///
    /// # Errors
    /// `NotFound` where it does not exist.
    pub async fn change_connection(
        &self,
        id: &ResourceId,
        gateway: &ResourceId,
        edit: Edit<'_>,
        waits: &Waits,
    ) -> Result<Connection, Error> {
        let passage = self.gates.enter(gateway, waits).await?;
        let waits = &passage.waits;
        let doc = self.change("change connection", id, edit, waits).await?;
        read_as("change connection", id.as_str(), connection::parse(doc))
    }

    /// # Errors
    /// As Azure refuses.
    pub async fn delete_connection(&self, id: &ResourceId, gateway: &ResourceId, waits: &Waits) -> Result<(), Error> {
        let passage = self.gates.enter(gateway, waits).await?;
        let waits = &passage.waits;
        self.delete("delete connection", id, NETWORK, Duration::ZERO, waits).await
    }

    /// The connection's key; None where connection or key is missing.
    ///
    /// # Errors
    /// `Denied` where this identity may not read keys.
    pub async fn get_shared_key(&self, connection: &ResourceId, waits: &Waits) -> Result<Option<SharedKey>, Error> {
        let path = format!("{connection}/sharedkey");
        let found = self.get_call(&Call::path("read shared key of", Method::Get, &path, NETWORK), waits).await?;
        Ok(found.as_ref().and_then(connection::parse_key))
    }

    /// Sets the key, and waits until the connection is provisioned again: Azure reports the write's success before.
    ///
    /// # Errors
    /// `NotFound` where the connection does not exist.
    pub async fn set_shared_key(
        &self,
        connection: &ResourceId,
        gateway: &ResourceId,
        key: &SharedKey,
        waits: &Waits,
    ) -> Result<(), Error> {
        let passage = self.gates.enter(gateway, waits).await?;
        let waits = &passage.waits;
        let path = format!("{connection}/sharedkey");
        let call = Call::path("set shared key of", Method::Put, &path, NETWORK);
        let call = call.with(connection::key_body(key), Condition::None);
        let first = self.write_idempotent(&call, waits).await?;
        self.follow(&call, Kind::Write, connection, first, waits).await?;
        settled(&self.arm, call.operation, connection, NETWORK, waits).await.map(|_| ())
    }

    /// The connection's health; None where it does not exist.
    ///
    /// # Errors
    /// As Azure refuses.
    pub async fn connection_status(
        &self,
        connection: &ResourceId,
        waits: &Waits,
    ) -> Result<Option<ConnectionStatus>, Error> {
        let word = |doc: &Value, path: &str| doc.pointer(path).and_then(Value::as_str).unwrap_or("Unknown").to_owned();
        let found = self.get("read connection", connection, waits).await?;
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
