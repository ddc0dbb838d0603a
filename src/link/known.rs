//! Where to look: every id that the state already holds, so that reading a link asks for its objects and nothing else.

use super::tunnel::{PerInstance, PerTunnel};
use crate::aws::model::{
    CustomerGatewayId, InternetGatewayId, Region, SubnetId, TransitGatewayId, VpcId, VpnConnectionId, VpnGatewayId,
};
use crate::azure::id::ResourceId;
use std::net::Ipv4Addr;

/// Ids of a link's objects as last known. All of them may be missing: before a create nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    pub region: Option<Region>,
    pub resource_group: Option<String>,
    pub network: Option<ResourceId>,
    pub azure_gateway: Option<ResourceId>,
    pub local_gateways: PerTunnel<Option<ResourceId>>,
    pub connections: PerTunnel<Option<ResourceId>>,
    pub vpc: Option<VpcId>,
    /// Internet gateway and public subnet of a VPC that this link made: a route table that shows both spares two reads.
    pub internet_gateway: Option<InternetGatewayId>,
    pub public_subnet: Option<SubnetId>,
    pub vpn_gateway: Option<VpnGatewayId>,
    pub transit_gateway: Option<TransitGatewayId>,
    pub customer_gateways: PerInstance<Option<CustomerGatewayId>>,
    pub vpns: PerInstance<Option<VpnConnectionId>>,
    pub outside_ips: PerTunnel<Option<Ipv4Addr>>,
}
