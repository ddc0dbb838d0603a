//! Attachments of VPN connections to transit gateways, and route tables of transit gateways.

use super::{Filter, ignore_not_found};
use crate::aws::client::Ec2;
use crate::aws::error::Error;
use crate::aws::model::{
    TransitAttachment, TransitAttachmentId, TransitRouteTableId, VpnConnectionId,
};
use crate::aws::retry::RetryPolicy;
use crate::client::CallContext;
use crate::client::response::MAX_PAGES;
use aws_sdk_ec2::types::TransitGatewayPropagationState;
use std::collections::BTreeSet;

impl Ec2 {
    /// The attachments of VPN connections. Requests at the same time are one call.
    ///
    /// # Errors
    /// See `Error`; what is missing is none.
    pub async fn read_transit_attachments(
        &self,
        ctx: &CallContext,
        connections: &[VpnConnectionId],
    ) -> Result<Vec<TransitAttachment>, Error> {
        if connections.is_empty() {
            return Ok(Vec::new());
        }
        let reads = &self.shared_describes().transit_attachments;
        let describe = async |ids: BTreeSet<String>| {
            self.describe_transit_gateway_attachments(ctx, &Filter::ids(ids))
                .await
        };
        let ids = connections.iter().map(|id| id.0.clone()).collect();
        let found = reads.read(ctx, "attachments", ids, describe).await?;
        Ok(found
            .into_iter()
            .filter(|one| connections.contains(&one.vpn_connection))
            .collect())
    }

    /// The route tables into which an attachment propagates its routes, those being enabled
    /// included. None where the attachment is gone.
    ///
    /// # Errors
    /// See `Error`.
    pub async fn attachment_propagations(
        &self,
        ctx: &CallContext,
        id: &TransitAttachmentId,
    ) -> Result<Option<BTreeSet<TransitRouteTableId>>, Error> {
        let operation = "GetTransitGatewayAttachmentPropagations";
        let (mut found, mut next) = (BTreeSet::new(), None::<String>);
        for _ in 0..MAX_PAGES {
            let send = || {
                self.client()
                    .get_transit_gateway_attachment_propagations()
                    .transit_gateway_attachment_id(&id.0)
                    .set_next_token(next.clone())
                    .send()
            };
            let output = match self
                .with_retry(ctx, RetryPolicy::READ, operation, &id.0, send)
                .await
            {
                Err(Error::NotFound(_)) => return Ok(None),
                other => other?,
            };
            let rows = output.transit_gateway_attachment_propagations().iter();
            found.extend(rows.filter_map(|row| {
                let is_on = matches!(
                    row.state(),
                    Some(
                        TransitGatewayPropagationState::Enabled
                            | TransitGatewayPropagationState::Enabling
                    )
                );
                let table = row.transit_gateway_route_table_id().filter(|_| is_on)?;
                Some(TransitRouteTableId(table.to_owned()))
            }));
            next = output
                .next_token()
                .filter(|token| !token.is_empty())
                .map(str::to_owned);
            if next.is_none() {
                break;
            }
        }
        Ok(Some(found))
    }

    /// Starts associating an attachment with a route table. If another table is associated or the
    /// same one is already, the caller finds out by reading.
    ///
    /// # Errors
    /// See `Error`.
    pub async fn associate_transit_route_table(
        &self,
        ctx: &CallContext,
        attachment: &TransitAttachmentId,
        table: &TransitRouteTableId,
    ) -> Result<(), Error> {
        let send = || {
            self.client()
                .associate_transit_gateway_route_table()
                .transit_gateway_attachment_id(&attachment.0)
                .transit_gateway_route_table_id(&table.0)
                .send()
        };
        let operation = "AssociateTransitGatewayRouteTable";
        let target = format!("{attachment} with {table}");
        match self
            .with_retry(ctx, RetryPolicy::CHANGE, operation, &target, send)
            .await
        {
            Err(Error::DependencyViolation(context))
                if context.code == "Resource.AlreadyAssociated" =>
            {
                Ok(())
            }
            other => other.map(drop),
        }
    }

    /// Starts ending an association; done already is done.
    ///
    /// # Errors
    /// See `Error`.
    pub async fn disassociate_transit_route_table(
        &self,
        ctx: &CallContext,
        attachment: &TransitAttachmentId,
        table: &TransitRouteTableId,
    ) -> Result<(), Error> {
        let send = || {
            self.client()
                .disassociate_transit_gateway_route_table()
                .transit_gateway_attachment_id(&attachment.0)
                .transit_gateway_route_table_id(&table.0)
                .send()
        };
        let operation = "DisassociateTransitGatewayRouteTable";
        let target = format!("{attachment} from {table}");
        // Of a repeated call after a lost response, the association is gone or ending.
        let policy = RetryPolicy {
            not_found: std::time::Duration::ZERO,
            ..RetryPolicy::CHANGE
        };
        ignore_not_found(self.with_retry(ctx, policy, operation, &target, send).await)
    }

    /// Starts propagating the routes of an attachment into a route table; done already is done.
    ///
    /// # Errors
    /// See `Error`.
    pub async fn enable_transit_propagation(
        &self,
        ctx: &CallContext,
        attachment: &TransitAttachmentId,
        table: &TransitRouteTableId,
    ) -> Result<(), Error> {
        let send = || {
            self.client()
                .enable_transit_gateway_route_table_propagation()
                .transit_gateway_attachment_id(&attachment.0)
                .transit_gateway_route_table_id(&table.0)
                .send()
        };
        let operation = "EnableTransitGatewayRouteTablePropagation";
        let target = format!("{attachment} in {table}");
        match self
            .with_retry(ctx, RetryPolicy::CHANGE, operation, &target, send)
            .await
        {
            Err(Error::Rejected(context))
                if context.code == "TransitGatewayRouteTablePropagation.Duplicate" =>
            {
                Ok(())
            }
            other => other.map(drop),
        }
    }

    /// Starts ending the propagation; done already is done, also where the table is gone.
    ///
    /// # Errors
    /// See `Error`.
    pub async fn disable_transit_propagation(
        &self,
        ctx: &CallContext,
        attachment: &TransitAttachmentId,
        table: &TransitRouteTableId,
    ) -> Result<(), Error> {
        let send = || {
            self.client()
                .disable_transit_gateway_route_table_propagation()
                .transit_gateway_attachment_id(&attachment.0)
                .transit_gateway_route_table_id(&table.0)
                .send()
        };
        let operation = "DisableTransitGatewayRouteTablePropagation";
        let target = format!("{attachment} in {table}");
        self.delete(ctx, operation, &target, send).await
    }
}
