//! Virtual networks, subnets, public IP addresses.

use super::write::{Claim, DocumentEdit, RELEASE_TIMEOUT};
use super::{read_as, version_of};
use crate::azure::client::{Azure, IsOwned};
use crate::azure::documents::network::{self, NewVirtualNetwork};
use crate::azure::documents::public_ip::{self, NewPublicIp};
use crate::azure::error::Error;
use crate::azure::id::ResourceId;
use crate::azure::model::{PublicIp, Subnet, VirtualNetwork};
use crate::client::CallContext;
use ipnet::Ipv4Net;
use serde_json::Value;

impl Azure {
    /// # Errors
    /// As Azure refuses.
    pub async fn get_virtual_network(
        &self,
        id: &ResourceId,
        ctx: &CallContext,
    ) -> Result<Option<VirtualNetwork>, Error> {
        let found = self.get("read virtual network", id, ctx).await?;
        found
            .map(|doc| read_as("read virtual network", id.as_str(), network::parse(doc)))
            .transpose()
    }

    /// # Errors
    /// `AlreadyExists` where one of that name is not `is_owned`.
    pub async fn create_virtual_network(
        &self,
        id: &ResourceId,
        new: &NewVirtualNetwork,
        is_owned: IsOwned<'_>,
        ctx: &CallContext,
    ) -> Result<VirtualNetwork, Error> {
        let doc = self
            .create("create virtual network", id, &new.body(), is_owned, ctx)
            .await?;
        read_as("create virtual network", id.as_str(), network::parse(doc))
    }

    /// Edits the document in place; see `documents::network` for edits.
    ///
    /// # Errors
    /// `NotFound` where it does not exist.
    pub async fn change_virtual_network(
        &self,
        id: &ResourceId,
        edit: DocumentEdit<'_>,
        ctx: &CallContext,
    ) -> Result<VirtualNetwork, Error> {
        let doc = self
            .read_modify_write("change virtual network", id, edit, ctx)
            .await?;
        read_as("change virtual network", id.as_str(), network::parse(doc))
    }

    /// # Errors
    /// `DependencyViolation` where something still stands in it after ten minutes.
    pub async fn delete_virtual_network(
        &self,
        id: &ResourceId,
        ctx: &CallContext,
    ) -> Result<(), Error> {
        self.delete(
            "delete virtual network",
            id,
            version_of(id),
            RELEASE_TIMEOUT,
            ctx,
        )
        .await
    }

    /// Creates a subnet. Subnets have no tags: one of that name and prefix counts as created after
    /// a lost answer only.
    ///
    /// # Errors
    /// `AlreadyExists` where one of that name exists.
    pub async fn create_subnet(
        &self,
        id: &ResourceId,
        prefix: Ipv4Net,
        ctx: &CallContext,
    ) -> Result<Subnet, Error> {
        let mine = |doc: &Value| {
            network::parse_subnet(doc).is_ok_and(|subnet| subnet.prefix == Some(prefix))
        };
        let doc = self
            .create_unless_exists(
                "create subnet",
                id,
                &network::subnet_body(prefix),
                Claim::Written(&mine),
                ctx,
            )
            .await?;
        read_as("create subnet", id.as_str(), network::parse_subnet(&doc))
    }

    /// # Errors
    /// `NotFound` where it does not exist; what stands in it may forbid the change.
    pub async fn change_subnet(
        &self,
        id: &ResourceId,
        prefix: Ipv4Net,
        ctx: &CallContext,
    ) -> Result<(), Error> {
        self.read_modify_write(
            "change subnet",
            id,
            &|doc| network::set_prefix(doc, prefix),
            ctx,
        )
        .await
        .map(drop)
    }

    /// # Errors
    /// `DependencyViolation` where something still stands in it after ten minutes.
    pub async fn delete_subnet(&self, id: &ResourceId, ctx: &CallContext) -> Result<(), Error> {
        self.delete("delete subnet", id, version_of(id), RELEASE_TIMEOUT, ctx)
            .await
    }

    /// # Errors
    /// As Azure refuses.
    pub async fn get_public_ip(
        &self,
        id: &ResourceId,
        ctx: &CallContext,
    ) -> Result<Option<PublicIp>, Error> {
        let found = self.get("read public IP address", id, ctx).await?;
        found
            .map(|doc| read_as("read public IP address", id.as_str(), public_ip::parse(doc)))
            .transpose()
    }

    /// Those of a group.
    ///
    /// # Errors
    /// As Azure refuses.
    pub async fn list_public_ips(
        &self,
        group: &str,
        ctx: &CallContext,
    ) -> Result<Vec<PublicIp>, Error> {
        let found = self
            .list_in_group("list public IP addresses", group, "publicIPAddresses", ctx)
            .await?;
        found
            .into_iter()
            .map(|doc| read_as("list public IP addresses", group, public_ip::parse(doc)))
            .collect()
    }

    /// # Errors
    /// `AlreadyExists` where one of that name is not `is_owned`.
    pub async fn create_public_ip(
        &self,
        id: &ResourceId,
        new: &NewPublicIp,
        is_owned: IsOwned<'_>,
        ctx: &CallContext,
    ) -> Result<PublicIp, Error> {
        let doc = self
            .create("create public IP address", id, &new.body(), is_owned, ctx)
            .await?;
        read_as(
            "create public IP address",
            id.as_str(),
            public_ip::parse(doc),
        )
    }

    /// Edits the document in place.
    ///
    /// # Errors
    /// `NotFound` where it does not exist.
    pub async fn change_public_ip(
        &self,
        id: &ResourceId,
        edit: DocumentEdit<'_>,
        ctx: &CallContext,
    ) -> Result<PublicIp, Error> {
        let doc = self
            .read_modify_write("change public IP address", id, edit, ctx)
            .await?;
        read_as(
            "change public IP address",
            id.as_str(),
            public_ip::parse(doc),
        )
    }

    /// # Errors
    /// `DependencyViolation` where a gateway still holds it after ten minutes.
    pub async fn delete_public_ip(&self, id: &ResourceId, ctx: &CallContext) -> Result<(), Error> {
        self.delete(
            "delete public IP address",
            id,
            version_of(id),
            RELEASE_TIMEOUT,
            ctx,
        )
        .await
    }
}
