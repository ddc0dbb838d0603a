//! Local network gateways.

use super::write::{Edit, LINGERING};
use super::{Azure, NETWORK, Ours, read_as};
use crate::azure::documents::local_gateway::{self, NewLocalGateway};
use crate::azure::error::Error;
use crate::azure::id::ResourceId;
use crate::azure::model::LocalGateway;
use crate::azure::waits::Waits;

impl Azure {
    /// # Errors
    /// As Azure refuses.
    pub async fn get_local_gateway(&self, id: &ResourceId, waits: &Waits) -> Result<Option<LocalGateway>, Error> {
        let found = self.get("read local network gateway", id, waits).await?;
        found.map(|doc| read_as("read local network gateway", id.as_str(), local_gateway::parse(doc))).transpose()
    }

    /// Those of a group.
    ///
    /// # Errors
    /// As Azure refuses.
    pub async fn list_local_gateways(&self, group: &str, waits: &Waits) -> Result<Vec<LocalGateway>, Error> {
        let found = self.list_in_group("list local network gateways", group, "localNetworkGateways", waits).await?;
        found.into_iter().map(|doc| read_as("list local network gateways", group, local_gateway::parse(doc))).collect()
    }

    /// # Errors
    /// `AlreadyExists` where one of that name is not `ours`.
    pub async fn create_local_gateway(
        &self,
        id: &ResourceId,
        new: &NewLocalGateway,
        ours: Ours<'_>,
        waits: &Waits,
    ) -> Result<LocalGateway, Error> {
        let doc = self.create("create local network gateway", id, &new.body(), ours, waits).await?;
        read_as("create local network gateway", id.as_str(), local_gateway::parse(doc))
    }

    /// Edits the document in place; see `documents::local_gateway` for edits.
    ///
    /// # Errors
    /// `NotFound` where it does not exist.
    pub async fn change_local_gateway(
        &self,
        id: &ResourceId,
        edit: Edit<'_>,
        waits: &Waits,
    ) -> Result<LocalGateway, Error> {
        let doc = self.change("change local network gateway", id, edit, waits).await?;
        read_as("change local network gateway", id.as_str(), local_gateway::parse(doc))
    }

    /// # Errors
    /// `InUse` where a connection still refers to it after ten minutes.
    pub async fn delete_local_gateway(&self, id: &ResourceId, waits: &Waits) -> Result<(), Error> {
        self.delete("delete local network gateway", id, NETWORK, LINGERING, waits).await
    }
}
