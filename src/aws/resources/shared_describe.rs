//! Describe calls for links that are read at the same time: the ids of all of them go into one call.

use super::Filter;
use crate::aws::client::Ec2;
use crate::aws::error::Error;
use crate::aws::model::{
    CustomerGateway, RouteTable, TransitAttachment, TransitGateway, Vpc, VpcId, VpnConnection,
    VpnGateway,
};
use crate::client::{CallContext, SharedReads};
use std::collections::BTreeSet;

/// Those of one region.
#[derive(Debug, Default)]
pub(in crate::aws) struct SharedDescribes {
    vpcs: SharedReads<Vec<Vpc>, Error>,
    route_tables: SharedReads<Vec<RouteTable>, Error>,
    vpn_gateways: SharedReads<Vec<VpnGateway>, Error>,
    transit_gateways: SharedReads<Vec<TransitGateway>, Error>,
    pub(super) transit_attachments: SharedReads<Vec<TransitAttachment>, Error>,
    customer_gateways: SharedReads<Vec<CustomerGateway>, Error>,
    vpn_connections: SharedReads<Vec<VpnConnection>, Error>,
}

macro_rules! shared {
    ($name:ident, $describe:ident, $reads:ident, $kind:ident) => {
        /// Like the describe call. Requests by id at the same time are one call; so are equal
        /// requests.
        ///
        /// # Errors
        /// See `Error`; what is missing is none.
        pub async fn $name(&self, ctx: &CallContext, filter: &Filter) -> Result<Vec<$kind>, Error> {
            let reads = &self.shared_describes().$reads;
            let Some(ids) = filter.only_ids() else {
                let describe = |_| self.$describe(ctx, filter);
                return reads
                    .read(ctx, &filter.to_string(), BTreeSet::new(), describe)
                    .await;
            };
            if ids.is_empty() {
                return Ok(Vec::new());
            }
            let describe = async |ids| self.$describe(ctx, &Filter::ids::<String>(ids)).await;
            let found = reads.read(ctx, "ids", ids.clone(), describe).await?;
            Ok(found
                .into_iter()
                .filter(|one| ids.contains(&one.id.0))
                .collect())
        }
    };
}

impl Ec2 {
    shared!(read_vpcs, describe_vpcs, vpcs, Vpc);
    shared!(
        read_vpn_gateways,
        describe_vpn_gateways,
        vpn_gateways,
        VpnGateway
    );
    shared!(
        read_transit_gateways,
        describe_transit_gateways,
        transit_gateways,
        TransitGateway
    );
    shared!(
        read_customer_gateways,
        describe_customer_gateways,
        customer_gateways,
        CustomerGateway
    );
    shared!(
        read_vpn_connections,
        describe_vpn_connections,
        vpn_connections,
        VpnConnection
    );

    /// The route tables of a VPC. Requests at the same time are one call.
    ///
    /// # Errors
    /// See `Error`; what is missing is none.
    pub async fn read_route_tables(
        &self,
        ctx: &CallContext,
        vpc: &VpcId,
    ) -> Result<Vec<RouteTable>, Error> {
        let reads = &self.shared_describes().route_tables;
        let describe = async |ids: BTreeSet<String>| {
            let vpcs = ids.into_iter().map(VpcId).collect();
            self.describe_route_tables(ctx, &Filter::vpcs(vpcs)).await
        };
        let ids = BTreeSet::from([vpc.0.clone()]);
        let found = reads.read(ctx, "route tables", ids, describe).await?;
        Ok(found
            .into_iter()
            .filter(|table| table.vpc_id == *vpc)
            .collect())
    }
}
