//! Waiting for attachments to transit gateways, their associations and propagations.

use super::{AVAILABLE, PROPAGATION, WaiterState, wait_for_one, wait_for_state};
use crate::aws::client::Ec2;
use crate::aws::error::Error;
use crate::aws::model::{
    AssociationState, State, TransitAttachment, TransitAttachmentId, TransitGatewayId,
    TransitRouteTableId, VpnConnectionId,
};
use crate::aws::resources::Filter;
use crate::client::CallContext;
use std::time::Duration;

impl Ec2 {
    /// Until a VPN connection has its attachment to a transit gateway. With `available`, the
    /// attachment must also be ready to be associated.
    ///
    /// # Errors
    /// `NotFound`, `Cancelled`, `DeadlineExceeded`; what describing answers.
    pub async fn wait_transit_attachment(
        &self,
        ctx: &CallContext,
        connection: &VpnConnectionId,
        gateway: &TransitGatewayId,
        available: bool,
    ) -> Result<TransitAttachment, Error> {
        let state = |found: Option<TransitAttachment>| match found {
            Some(one) if !available || one.state == State::Available => WaiterState::Success(one),
            Some(one) => WaiterState::Retry(format!("state is {:?}", one.state)),
            None => WaiterState::NotFound,
        };
        self.wait_attachment(ctx, AVAILABLE, connection, gateway, state)
            .await
    }

    /// Until an attachment is associated with this route table, or with none.
    ///
    /// # Errors
    /// As `wait_transit_attachment`.
    pub async fn wait_transit_association(
        &self,
        ctx: &CallContext,
        connection: &VpnConnectionId,
        gateway: &TransitGatewayId,
        table: Option<&TransitRouteTableId>,
    ) -> Result<(), Error> {
        let state = |found: Option<TransitAttachment>| {
            let Some(found) = found else {
                return WaiterState::NotFound;
            };
            let done = match (&found.association, table) {
                (None, None) => true,
                (Some((has, AssociationState::Associated)), Some(table)) => has == table,
                _ => false,
            };
            match done {
                true => WaiterState::Success(()),
                false => WaiterState::Retry(format!("association is {:?}", found.association)),
            }
        };
        let operation = "waiting for the route table";
        self.wait_attachment(ctx, operation, connection, gateway, state)
            .await
    }

    async fn wait_attachment<T>(
        &self,
        ctx: &CallContext,
        operation: &str,
        connection: &VpnConnectionId,
        gateway: &TransitGatewayId,
        state: impl Fn(Option<TransitAttachment>) -> WaiterState<T>,
    ) -> Result<T, Error> {
        let of_it = Filter::id(connection);
        // After a move between gateways, the former attachment may still be listed.
        let read = || async {
            let mut found = self
                .describe_transit_gateway_attachments(ctx, &of_it)
                .await?;
            found.retain(|one| one.gateway == *gateway);
            Ok(found)
        };
        wait_for_one(ctx, operation, connection, read, state).await
    }

    /// Until an attachment propagates its routes into a table, or no longer does.
    ///
    /// # Errors
    /// As `wait_transit_attachment`.
    pub async fn wait_transit_propagation(
        &self,
        ctx: &CallContext,
        attachment: &TransitAttachmentId,
        table: &TransitRouteTableId,
        on: bool,
    ) -> Result<(), Error> {
        let read = || self.attachment_propagations(ctx, attachment);
        let state = |found: Option<_>, _: Duration| match found {
            None if !on => WaiterState::Success(()),
            None => WaiterState::NotFound,
            Some(tables) if std::collections::BTreeSet::contains(&tables, table) == on => {
                WaiterState::Success(())
            }
            Some(_) => WaiterState::Retry(format!(
                "propagation into {table} is {}",
                if on { "off" } else { "on" }
            )),
        };
        wait_for_state(ctx, PROPAGATION, attachment, read, state).await
    }
}
