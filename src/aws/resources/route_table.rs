//! Route tables: subnets, the default route, and the propagation of a VPN gateway's routes.

use super::{Filter, IdempotencyKey, find_new, tag_specification};
use crate::aws::client::Ec2;
use crate::aws::error::Error;
use crate::aws::from_sdk;
use crate::aws::model::{
    InternetGatewayId, RouteTable, RouteTableId, SubnetId, VpcId, VpnGatewayId,
};
use crate::aws::retry::{RetryPolicy, unreadable};
use crate::client::CallContext;
use aws_sdk_ec2::types::ResourceType;
use bgp_vpn::types::Tags;

const EVERYWHERE: &str = "0.0.0.0/0";

impl Ec2 {
    /// The table of all subnets of a VPC that have none of their own. None where the VPC is gone.
    ///
    /// # Errors
    /// See `Error`.
    pub async fn main_route_table(
        &self,
        ctx: &CallContext,
        vpc: &VpcId,
    ) -> Result<Option<RouteTable>, Error> {
        let tables = self.describe_route_tables(ctx, &Filter::vpc(vpc)).await?;
        Ok(tables.into_iter().find(|table| table.main))
    }

    /// # Errors
    /// See `Error`.
    pub async fn create_route_table(
        &self,
        ctx: &CallContext,
        vpc: &VpcId,
        tags: &Tags,
        own: IdempotencyKey<'_>,
    ) -> Result<RouteTable, Error> {
        let spec = tag_specification(ResourceType::RouteTable, tags);
        let send = || {
            self.client()
                .create_route_table()
                .vpc_id(&vpc.0)
                .set_tag_specifications(spec.clone())
                .send()
        };
        let look = || async {
            let filter = Filter::tags(own.tags).in_vpc(vpc);
            Ok(find_new(
                self.describe_route_tables(ctx, &filter).await?,
                own,
                |table| &table.id.0,
            ))
        };
        let read = |o: &aws_sdk_ec2::operation::create_route_table::CreateRouteTableOutput| {
            o.route_table().and_then(from_sdk::route_table)
        };
        self.create_once(
            ctx,
            RetryPolicy::CREATE,
            ("CreateRouteTable", &vpc.0),
            send,
            read,
            look,
        )
        .await
    }

    /// # Errors
    /// `DependencyViolation` while subnets are associated; see `Error`.
    pub async fn delete_route_table(
        &self,
        ctx: &CallContext,
        id: &RouteTableId,
    ) -> Result<(), Error> {
        let send = || {
            self.client()
                .delete_route_table()
                .route_table_id(&id.0)
                .send()
        };
        self.delete(ctx, "DeleteRouteTable", &id.0, send).await
    }

    /// Gives a subnet its own table; answers the id of the association (`rtbassoc-...`). Done
    /// already is done.
    ///
    /// # Errors
    /// `DependencyViolation` where the subnet has another table of its own; see `Error`.
    pub async fn associate_route_table(
        &self,
        ctx: &CallContext,
        table: &RouteTableId,
        subnet: &SubnetId,
    ) -> Result<String, Error> {
        let operation = "AssociateRouteTable";
        let send = || {
            self.client()
                .associate_route_table()
                .route_table_id(&table.0)
                .subnet_id(&subnet.0)
                .send()
        };
        match self
            .with_retry(ctx, RetryPolicy::CHANGE, operation, &table.0, send)
            .await
        {
            Ok(output) => output
                .association_id()
                .map(str::to_owned)
                .ok_or_else(|| unreadable(operation, &table.0)),
            Err(Error::DependencyViolation(taken)) => {
                let tables = self.describe_route_tables(ctx, &Filter::id(table)).await?;
                let mut associations = tables.into_iter().flat_map(|table| table.subnets);
                let own = associations.find(|(one, _)| one == subnet);
                own.map(|(_, association)| association)
                    .ok_or(Error::DependencyViolation(taken))
            }
            Err(error) => Err(error),
        }
    }

    /// Takes back what `associate_route_table` gave.
    ///
    /// # Errors
    /// See `Error`.
    pub async fn disassociate_route_table(
        &self,
        ctx: &CallContext,
        association: &str,
    ) -> Result<(), Error> {
        let send = || {
            self.client()
                .disassociate_route_table()
                .association_id(association)
                .send()
        };
        self.delete(ctx, "DisassociateRouteTable", association, send)
            .await
    }

    /// Routes 0.0.0.0/0 to the internet gateway; done already is done.
    ///
    /// # Errors
    /// `Rejected` (`RouteAlreadyExists`) where it goes elsewhere; see `Error`.
    pub async fn create_default_route(
        &self,
        ctx: &CallContext,
        table: &RouteTableId,
        gateway: &InternetGatewayId,
    ) -> Result<(), Error> {
        let send = || {
            let call = self
                .client()
                .create_route()
                .route_table_id(&table.0)
                .gateway_id(&gateway.0);
            call.destination_cidr_block(EVERYWHERE).send()
        };
        match self
            .with_retry(ctx, RetryPolicy::CHANGE, "CreateRoute", &table.0, send)
            .await
        {
            Err(Error::Rejected(context)) if context.code == "RouteAlreadyExists" => {
                let tables = self.describe_route_tables(ctx, &Filter::id(table)).await?;
                let done = tables
                    .iter()
                    .any(|table| table.default_route.as_ref() == Some(&gateway.0));
                if done {
                    Ok(())
                } else {
                    Err(Error::Rejected(context))
                }
            }
            other => other.map(drop),
        }
    }

    /// Removes the route to 0.0.0.0/0; done already is done.
    ///
    /// # Errors
    /// See `Error`.
    pub async fn delete_default_route(
        &self,
        ctx: &CallContext,
        table: &RouteTableId,
    ) -> Result<(), Error> {
        let send = || {
            self.client()
                .delete_route()
                .route_table_id(&table.0)
                .destination_cidr_block(EVERYWHERE)
                .send()
        };
        self.delete(ctx, "DeleteRoute", &table.0, send).await
    }

    /// Lets the gateway's learned routes into the table; done already is done. The gateway must be
    /// attached to its VPC.
    ///
    /// # Errors
    /// See `Error`; `ConflictRetryable` where the gateway stays unattached for two minutes.
    pub async fn enable_propagation(
        &self,
        ctx: &CallContext,
        table: &RouteTableId,
        gateway: &VpnGatewayId,
    ) -> Result<(), Error> {
        let send = || {
            self.client()
                .enable_vgw_route_propagation()
                .route_table_id(&table.0)
                .gateway_id(&gateway.0)
                .send()
        };
        self.with_retry(
            ctx,
            RetryPolicy::CHANGE,
            "EnableVgwRoutePropagation",
            &table.0,
            send,
        )
        .await
        .map(drop)
    }

    /// Takes them out again; done already is done, also where table or gateway is gone.
    ///
    /// # Errors
    /// See `Error`.
    pub async fn disable_propagation(
        &self,
        ctx: &CallContext,
        table: &RouteTableId,
        gateway: &VpnGatewayId,
    ) -> Result<(), Error> {
        let send = || {
            self.client()
                .disable_vgw_route_propagation()
                .route_table_id(&table.0)
                .gateway_id(&gateway.0)
                .send()
        };
        self.detach(ctx, "DisableVgwRoutePropagation", &table.0, send)
            .await
    }
}
