//! Where to look: every id that the state already holds, so that reading a link asks for its
//! objects and nothing else.

use super::observed::Observed;
use super::tunnel::{Instance, PerInstance, PerTunnel, TunnelKey};
use crate::aws::{
    CustomerGatewayId, InternetGatewayId, Region, RouteTableId, SubnetId, TransitAttachmentId,
    TransitGatewayId, VpcId, VpnConnectionId, VpnGatewayId,
};
use crate::azure::id::ResourceId;
use std::net::Ipv4Addr;

/// Ids of a link's objects as last known. All of them may be missing: before a create nothing is
/// known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownIds {
    pub region: Option<Region>,
    pub resource_group: Option<String>,
    pub network: Option<ResourceId>,
    pub azure_gateway: Option<ResourceId>,
    /// Public IPs that destroy is to take, and each instance's address: by both they are known
    /// without a gateway that names them.
    pub public_ips: Vec<ResourceId>,
    pub public_addresses: PerInstance<Option<Ipv4Addr>>,
    pub local_gateways: PerTunnel<Option<ResourceId>>,
    pub connections: PerTunnel<Option<ResourceId>>,
    pub vpc: Option<VpcId>,
    /// Internet gateway and public subnet of a VPC that this link made: a route table that shows
    /// both spares two reads.
    pub internet_gateway: Option<InternetGatewayId>,
    pub public_subnet: Option<SubnetId>,
    /// Route tables that this link created, with any tags.
    pub route_tables: Vec<RouteTableId>,
    pub public_route_table: Option<RouteTableId>,
    pub vpn_gateway: Option<VpnGatewayId>,
    pub transit_gateway: Option<TransitGatewayId>,
    pub customer_gateways: PerInstance<Option<CustomerGatewayId>>,
    pub vpn_connections: PerInstance<Option<VpnConnectionId>>,
    /// Of those VPN connections, where they are on a transit gateway.
    pub transit_attachments: PerInstance<Option<TransitAttachmentId>>,
    pub outside_ips: PerTunnel<Option<Ipv4Addr>>,
}

impl KnownIds {
    /// Takes over the ids of what was observed, so that the next look asks for it by name.
    pub fn record(&mut self, observed: &Observed) {
        for key in TunnelKey::ALL {
            if let Some(local) = observed.azure.local_gateways.get(key) {
                *self.local_gateways.get_mut(key) = Some(local.resource.id.clone());
            }
            if let Some(connection) = observed.azure.connections.get(key) {
                *self.connections.get_mut(key) = Some(connection.resource.id.clone());
            }
            *self.outside_ips.get_mut(key) = *observed.aws.outside_ips.get(key);
        }
        for instance in Instance::ALL {
            *self.vpn_connections.get_mut(instance) = observed
                .aws
                .vpn_connections
                .get(instance)
                .as_ref()
                .map(|v| v.id.clone());
            let attachment = observed.aws.transit_attachment_ids.get(instance);
            (*self.transit_attachments.get_mut(instance)).clone_from(attachment);
            let customer = observed.aws.customer_gateways.get(instance).as_ref();
            *self.customer_gateways.get_mut(instance) = customer.map(|c| c.id.clone());
        }
        if let Some(gateway) = &observed.aws.gateway {
            self.vpn_gateway = Some(gateway.id.clone());
        }
        if let Some(vpc) = &observed.aws.vpc {
            self.vpc = Some(vpc.id.clone());
        }
        let aws = &observed.aws;
        // Their incomplete tag is gone once the link is complete: from then on they are known by id
        // alone.
        self.internet_gateway = aws
            .internet_gateway
            .as_ref()
            .map(|gateway| gateway.id.clone())
            .or(self.internet_gateway.take());
        self.public_subnet = aws.public_subnet.clone().or(self.public_subnet.take());
        self.public_route_table = aws
            .public_route_table
            .clone()
            .or(self.public_route_table.take());
    }
}
