//! What both clouds have of one link, as last read, each object in its place. A place is empty
//! where there is no such object.

use super::action::ActionTarget;
use super::managed::Kind;
use super::tunnel::{PerInstance, PerTunnel, TunnelKey};
use crate::aws;
use crate::azure::id::ResourceId;
use crate::azure::model as azure;
use crate::types::{Asn, PreSharedKey};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    pub azure: AzureObserved,
    pub aws: AwsObserved,
    /// AWS objects with this link's tag that are not taken over.
    pub lookalikes: Vec<Lookalike>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AzureObserved {
    pub group: Option<azure::ResourceGroup>,
    pub network: Option<azure::VirtualNetwork>,
    pub public_ips: PerInstance<Option<azure::PublicIp>>,
    pub gateway: Option<azure::Gateway>,
    pub local_gateways: PerTunnel<Option<azure::LocalGateway>>,
    pub connections: PerTunnel<Option<azure::Connection>>,
    /// The key that each connection has.
    pub keys: PerTunnel<KeyRead>,
    /// Objects under names that this link plans, and that are not this link's.
    pub foreign_objects: Vec<ResourceId>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AwsObserved {
    pub vpc: Option<aws::Vpc>,
    pub subnets: Vec<aws::Subnet>,
    pub internet_gateway: Option<aws::InternetGateway>,
    pub public_subnet: Option<aws::SubnetId>,
    pub public_route_table: Option<aws::RouteTableId>,
    /// Every route table of the VPC.
    pub route_tables: Vec<aws::RouteTable>,
    pub gateway: Option<aws::VpnGateway>,
    /// Another user's, to which the VPN connections belong instead of a VPN gateway.
    pub transit_gateway: Option<aws::TransitGateway>,
    /// This link's own. Where it has none, an equal one that the VPN connection uses takes the
    /// place.
    pub customer_gateways: PerInstance<Option<aws::CustomerGateway>>,
    /// Those that the VPN connections use: a user can set another one with `ModifyVpnConnection`.
    pub used_customer_gateways: PerInstance<Option<aws::CustomerGateway>>,
    pub vpn_connections: PerInstance<Option<aws::VpnConnection>>,
    /// Attachments of the VPN connections to the transit gateway, where they were read.
    pub transit_attachments: PerInstance<Option<aws::TransitAttachment>>,
    /// Their ids, read or known before.
    pub transit_attachment_ids: PerInstance<Option<aws::TransitAttachmentId>>,
    /// VPN connections of this link that AWS is still deleting: until they are gone their inside
    /// CIDRs are taken.
    pub deleting_vpn_connections: Vec<aws::VpnConnectionId>,
    /// Which of a connection's two endpoints is which tunnel.
    pub outside_ips: PerTunnel<Option<Ipv4Addr>>,
    /// Keys that were written to an endpoint since the last read, which may never return them.
    pub written_keys: PerTunnel<Option<PreSharedKey>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum KeyRead {
    /// Not read.
    #[default]
    NotRequested,
    /// These credentials may not read it.
    Forbidden,
    /// There is none.
    NotSet,
    Value(PreSharedKey),
}

impl KeyRead {
    pub fn key(&self) -> Option<&PreSharedKey> {
        if let KeyRead::Value(key) = self {
            Some(key)
        } else {
            None
        }
    }
}

impl Observed {
    /// The AWS endpoint of a tunnel.
    pub fn tunnel(&self, key: TunnelKey) -> Option<&aws::Tunnel> {
        let outside = (*self.aws.outside_ips.get(key))?;
        self.aws
            .vpn_connections
            .get(key.instance)
            .as_ref()?
            .tunnels
            .iter()
            .find(|t| t.outside_ip == outside)
    }

    /// Whether AWS says that a tunnel is up.
    pub fn is_up(&self, key: TunnelKey) -> bool {
        self.tunnel(key)
            .and_then(|tunnel| tunnel.telemetry.as_ref())
            .is_some_and(|telemetry| telemetry.up)
    }

    /// Ids of all that a link makes one after the other, in lower case: Azure may return another
    /// letter case at the next read.
    pub fn ids(&self) -> BTreeSet<String> {
        self.recorded_bgp_addresses()
            .into_iter()
            .map(|(_, id)| id.to_lowercase())
            .collect()
    }

    /// All that a link makes one after the other: its place in the link, and its id.
    pub fn recorded_bgp_addresses(&self) -> Vec<(ActionTarget, String)> {
        let (azure, aws) = (&self.azure, &self.aws);
        let mut all = Vec::new();
        all.extend(
            azure
                .gateway
                .iter()
                .map(|one| (ActionTarget::Gateway, one.resource.id.to_string())),
        );
        let ips = azure.public_ips.iter();
        all.extend(ips.filter_map(|(i, one)| {
            Some((
                ActionTarget::PublicIp(i),
                one.as_ref()?.resource.id.to_string(),
            ))
        }));
        let locals = azure.local_gateways.iter();
        all.extend(locals.filter_map(|(k, one)| {
            Some((
                ActionTarget::LocalGateway(k),
                one.as_ref()?.resource.id.to_string(),
            ))
        }));
        let connections = azure.connections.iter();
        all.extend(connections.filter_map(|(k, one)| {
            Some((
                ActionTarget::Connection(k),
                one.as_ref()?.resource.id.to_string(),
            ))
        }));
        all.extend(
            aws.vpc
                .iter()
                .map(|one| (ActionTarget::Vpc, one.id.0.clone())),
        );
        all.extend(
            aws.internet_gateway
                .iter()
                .map(|one| (ActionTarget::InternetGateway, one.id.0.clone())),
        );
        all.extend(
            aws.public_subnet
                .iter()
                .map(|id| (ActionTarget::PublicSubnet, id.0.clone())),
        );
        all.extend(
            aws.public_route_table
                .iter()
                .map(|id| (ActionTarget::PublicRouteTable, id.0.clone())),
        );
        all.extend(
            aws.gateway
                .iter()
                .map(|one| (ActionTarget::VpnGateway, one.id.0.clone())),
        );
        let customers = aws.customer_gateways.iter();
        all.extend(customers.filter_map(|(i, one)| {
            Some((ActionTarget::CustomerGateway(i), one.as_ref()?.id.0.clone()))
        }));
        let vpn_connections = aws.vpn_connections.iter();
        all.extend(vpn_connections.filter_map(|(i, one)| {
            Some((ActionTarget::VpnConnection(i), one.as_ref()?.id.0.clone()))
        }));
        all
    }

    /// The public address of a gateway instance, from its public IP or, failing that, from the
    /// gateway itself.
    pub fn public_ip(&self, instance: super::tunnel::Instance) -> Option<Ipv4Addr> {
        let own = self
            .azure
            .public_ips
            .get(instance)
            .as_ref()
            .and_then(|ip| ip.address);
        own.or_else(|| {
            self.azure
                .gateway_instance(instance)?
                .tunnel_ips
                .first()
                .copied()
        })
    }

    /// The Amazon-side ASN.
    pub fn amazon_asn(&self) -> Option<Asn> {
        let transit = self.aws.transit_gateway.as_ref().map(|gateway| gateway.asn);
        transit.or_else(|| self.aws.gateway.as_ref().map(|gateway| gateway.asn))
    }
}

impl AzureObserved {
    pub fn gateway_instance(
        &self,
        instance: super::tunnel::Instance,
    ) -> Option<&azure::GatewayInstance> {
        self.gateway.as_ref()?.instances.get(instance.index())
    }
}

/// An object with this link's tag that is not taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookalike {
    pub id: String,
    pub kind: Kind,
    /// Its AWS side, where the tag says it.
    pub endpoint: Option<String>,
    pub incomplete: bool,
    /// Of a VPN connection: it has one of this link's inside CIDRs.
    pub same_addresses: bool,
}
