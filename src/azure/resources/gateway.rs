//! VPN gateways, and what they tell about BGP.

use super::write::DocumentEdit;
use super::{read_as, version_of};
use crate::azure::arm::ArmRequest;
use crate::azure::client::{Azure, IsOwned};
use crate::azure::documents::bgp::{self, LearnedRoute};
use crate::azure::documents::gateway::{self, AddressEdit, NewGateway};
use crate::azure::documents::{connection, network};
use crate::azure::error::Error;
use crate::azure::id::ResourceId;
use crate::azure::lro::{LongRunningOperation, LroKind};
use crate::azure::model::{BgpPeer, Connection, Gateway, VirtualNetwork};
use crate::azure::pending_addresses::{OtherEdits, PendingEdit};
use crate::client::CallContext;
use azure_core::http::Method;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// Why a gateway with RADIUS clients is not written.
const RADIUS_REASON: &str = "the gateway authenticates point-to-site clients by RADIUS, and Azure does not return the RADIUS secret: an \
                      update without it could disconnect all clients. Change the gateway manually, enter the secret again in the same update, then apply again";

impl Azure {
    /// # Errors
    /// As Azure refuses.
    pub async fn get_gateway(
        &self,
        id: &ResourceId,
        ctx: &CallContext,
    ) -> Result<Option<Gateway>, Error> {
        let found = self.get("read gateway", id, ctx).await?;
        found
            .map(|doc| read_as("read gateway", id.as_str(), gateway::parse(doc)))
            .transpose()
    }

    /// Those of a group.
    ///
    /// # Errors
    /// As Azure refuses.
    pub async fn list_gateways(
        &self,
        group: &str,
        ctx: &CallContext,
    ) -> Result<Vec<Gateway>, Error> {
        let found = self
            .list_in_group("list gateways", group, "virtualNetworkGateways", ctx)
            .await?;
        found
            .into_iter()
            .map(|doc| read_as("list gateways", group, gateway::parse(doc)))
            .collect()
    }

    /// The gateways (VPN and ExpressRoute) that stand in a network's `GatewaySubnet`, wherever they
    /// are filed.
    ///
    /// # Errors
    /// As Azure refuses; a gateway that this identity may not read is an error too.
    pub async fn gateways_of(
        &self,
        network: &VirtualNetwork,
        ctx: &CallContext,
    ) -> Result<Vec<Gateway>, Error> {
        let mut found = Vec::new();
        for id in gateway_ids(network) {
            found.extend(self.get_gateway(&id, ctx).await?);
        }
        Ok(found)
    }

    /// Makes an active-active gateway; takes half an hour.
    ///
    /// # Errors
    /// `AlreadyExists` where one of that name is not `is_owned`; `OperationFailed` leaves a failed
    /// gateway behind, which bills, and which another create repairs.
    pub async fn create_gateway(
        &self,
        id: &ResourceId,
        new: &NewGateway,
        is_owned: IsOwned<'_>,
        ctx: &CallContext,
    ) -> Result<Gateway, Error> {
        let guard = self.gateway_locks.lock(id, ctx).await?;
        let ctx = &guard.context;
        let doc = self
            .create("create gateway", id, &new.body(id), is_owned, ctx)
            .await?;
        read_as("create gateway", id.as_str(), gateway::parse(doc))
    }

    /// Edits the document in place, merging with concurrent changes; see `documents::gateway` for
    /// edits. Returns the gateway as it was read afterwards.
    ///
    /// # Errors
    /// `NotFound` where it does not exist; `Rejected`, before anything is written, where a write
    /// would lose a RADIUS secret.
    pub async fn change_gateway(
        &self,
        id: &ResourceId,
        edit: DocumentEdit<'_>,
        ctx: &CallContext,
    ) -> Result<Gateway, Error> {
        self.change_gateway_addresses(id, edit, AddressEdit::default(), ctx)
            .await
    }

    /// Edits the document and changes addresses. Another link may write the addresses before it is
    /// this one's turn, and those of links that wait are written here.
    ///
    /// # Errors
    /// Those of `change_gateway`.
    pub async fn change_gateway_addresses(
        &self,
        id: &ResourceId,
        edit: DocumentEdit<'_>,
        addresses: AddressEdit,
        ctx: &CallContext,
    ) -> Result<Gateway, Error> {
        let pending = &self.gateway_locks.pending_addresses;
        let own = pending.announce(id, addresses);
        let guard = self.gateway_locks.lock(id, ctx).await?;
        let ctx = &guard.context;
        let others = pending.others(&own);
        let written = self.write_gateway(id, edit, &own, &others, ctx).await;
        let doc = match written {
            // It may be the others' addresses that Azure does not accept.
            Err(Error::Rejected(_) | Error::Conflict(_) | Error::OperationFailed(_))
                if !others.is_empty() =>
            {
                let none = OtherEdits::default();
                self.write_gateway(id, edit, &own, &none, ctx).await?
            }
            written => written?,
        };
        others.mark_written(&doc);
        read_as("change gateway", id.as_str(), gateway::parse(doc))
    }

    async fn write_gateway(
        &self,
        id: &ResourceId,
        edit: DocumentEdit<'_>,
        own: &PendingEdit,
        others: &OtherEdits,
        ctx: &CallContext,
    ) -> Result<Value, Error> {
        let refuses =
            |doc: &Value| gateway::hides_radius_secret(doc).then(|| RADIUS_REASON.to_owned());
        let edit_all = |doc: &mut Value| {
            edit(doc);
            others.apply(doc);
            own.apply(doc);
        };
        self.read_modify_write_unless("change gateway", id, &edit_all, &refuses, ctx)
            .await
    }

    /// # Errors
    /// `DependencyViolation` at once where connections refer to it.
    pub async fn delete_gateway(&self, id: &ResourceId, ctx: &CallContext) -> Result<(), Error> {
        let guard = self.gateway_locks.lock(id, ctx).await?;
        let ctx = &guard.context;
        self.delete("delete gateway", id, version_of(id), Duration::ZERO, ctx)
            .await
    }

    /// All connections of a gateway, in any group. Azure shows less of each here than
    /// `get_connection` does.
    ///
    /// # Errors
    /// As Azure refuses.
    pub async fn gateway_connections(
        &self,
        gateway: &ResourceId,
        ctx: &CallContext,
    ) -> Result<Vec<Connection>, Error> {
        let path = format!("{gateway}/connections");
        let found = self
            .list(
                &ArmRequest::path("list connections of", Method::Get, &path, version_of(&path)),
                ctx,
            )
            .await?;
        found
            .into_iter()
            .map(|doc| {
                read_as(
                    "list connections of",
                    gateway.as_str(),
                    connection::parse(doc),
                )
            })
            .collect()
    }

    /// The gateway's BGP sessions. Azure has two rows for each connection; the one of the instance
    /// that the connection does not use never connects.
    ///
    /// # Errors
    /// `ConflictRetryable` while the gateway is updating.
    pub async fn bgp_peers(
        &self,
        gateway: &ResourceId,
        ctx: &CallContext,
    ) -> Result<Vec<BgpPeer>, Error> {
        let doc = self
            .post_query("read BGP peers of", gateway, "getBgpPeerStatus", ctx)
            .await?;
        read_as("read BGP peers of", gateway.as_str(), bgp::peers(&doc))
    }

    /// The routes that the gateway learned.
    ///
    /// # Errors
    /// `ConflictRetryable` while the gateway is updating.
    pub async fn learned_routes(
        &self,
        gateway: &ResourceId,
        ctx: &CallContext,
    ) -> Result<Vec<LearnedRoute>, Error> {
        let doc = self
            .post_query("read learned routes of", gateway, "getLearnedRoutes", ctx)
            .await?;
        read_as(
            "read learned routes of",
            gateway.as_str(),
            bgp::learned_routes(&doc),
        )
    }

    /// A question in the form of a POST, which changes nothing.
    async fn post_query(
        &self,
        words: &'static str,
        id: &ResourceId,
        action: &str,
        ctx: &CallContext,
    ) -> Result<Value, Error> {
        let request = ArmRequest::path(
            words,
            Method::Post,
            &format!("{id}/{action}"),
            version_of(id),
        );
        let first = self.arm.read(&request, ctx).await?;
        let operation = LongRunningOperation {
            arm: &self.arm,
            request: &request,
            kind: LroKind::Action,
            resource: None,
        };
        operation.poll_to_completion(first, ctx).await
    }
}

/// The gateways whose ipConfigurations stand in the network's gateway subnet.
fn gateway_ids(network: &VirtualNetwork) -> BTreeSet<ResourceId> {
    let subnets = network
        .subnets
        .iter()
        .filter(|s| s.name.eq_ignore_ascii_case(network::GATEWAY_SUBNET));
    let users = subnets
        .flat_map(|subnet| &subnet.ip_configurations)
        .filter_map(ResourceId::parent);
    users
        .filter(|id| id.kind().eq_ignore_ascii_case("virtualNetworkGateways"))
        .collect()
}
