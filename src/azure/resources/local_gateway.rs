//! Local network gateways.

use super::write::{DocumentEdit, RELEASE_TIMEOUT};
use super::{read_as, version_of};
use crate::azure::client::{Azure, IsOwned};
use crate::azure::documents::local_gateway::{self, NewLocalGateway};
use crate::azure::error::Error;
use crate::azure::id::ResourceId;
use crate::azure::model::LocalGateway;
use crate::client::CallContext;

impl Azure {
    /// # Errors
    /// As Azure refuses.
    pub async fn get_local_gateway(
        &self,
        id: &ResourceId,
        ctx: &CallContext,
    ) -> Result<Option<LocalGateway>, Error> {
        let found = self.get("read local network gateway", id, ctx).await?;
        found
            .map(|doc| {
                read_as(
                    "read local network gateway",
                    id.as_str(),
                    local_gateway::parse(doc),
                )
            })
            .transpose()
    }

    /// Those of a group.
    ///
    /// # Errors
    /// As Azure refuses.
    pub async fn list_local_gateways(
        &self,
        group: &str,
        ctx: &CallContext,
    ) -> Result<Vec<LocalGateway>, Error> {
        let found = self
            .list_in_group(
                "list local network gateways",
                group,
                "localNetworkGateways",
                ctx,
            )
            .await?;
        found
            .into_iter()
            .map(|doc| {
                read_as(
                    "list local network gateways",
                    group,
                    local_gateway::parse(doc),
                )
            })
            .collect()
    }

    /// # Errors
    /// `AlreadyExists` where one of that name is not `is_owned`.
    pub async fn create_local_gateway(
        &self,
        id: &ResourceId,
        new: &NewLocalGateway,
        is_owned: IsOwned<'_>,
        ctx: &CallContext,
    ) -> Result<LocalGateway, Error> {
        let doc = self
            .create(
                "create local network gateway",
                id,
                &new.body(),
                is_owned,
                ctx,
            )
            .await?;
        read_as(
            "create local network gateway",
            id.as_str(),
            local_gateway::parse(doc),
        )
    }

    /// Edits the document in place; see `documents::local_gateway` for edits.
    ///
    /// # Errors
    /// `NotFound` where it does not exist.
    pub async fn change_local_gateway(
        &self,
        id: &ResourceId,
        edit: DocumentEdit<'_>,
        ctx: &CallContext,
    ) -> Result<LocalGateway, Error> {
        let doc = self
            .read_modify_write("change local network gateway", id, edit, ctx)
            .await?;
        read_as(
            "change local network gateway",
            id.as_str(),
            local_gateway::parse(doc),
        )
    }

    /// # Errors
    /// `DependencyViolation` where a connection still refers to it after ten minutes.
    pub async fn delete_local_gateway(
        &self,
        id: &ResourceId,
        ctx: &CallContext,
    ) -> Result<(), Error> {
        self.delete(
            "delete local network gateway",
            id,
            version_of(id),
            RELEASE_TIMEOUT,
            ctx,
        )
        .await
    }
}
