//! What a preflight reads, and what it found: the request, and the snapshot that answers it.

use crate::account::{AccountRequest, AccountSnapshot};
use crate::aws;
use crate::azure::id::ResourceId;
use crate::azure::model as azure;
use crate::inside_cidr::InsideCidr;
use crate::ownership_tags::LinkId;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// What to look at. None: not known yet, or not needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PreflightRequest {
    /// Whether to use the AWS credentials once, where nothing else of the request needs them.
    pub checks_aws_credentials: bool,
    pub subscription: Option<String>,
    pub resource_group: Option<String>,
    /// The VNet, existing or to be created, with its VPN gateway.
    pub network: Option<ResourceId>,
    /// Public IPs under the planned names, where the link creates the gateway subnet of an existing
    /// VNet: those of a killed create record its prefix.
    pub public_ips: Vec<ResourceId>,
    /// An existing Azure gateway, with its connections.
    pub gateway: Option<ResourceId>,
    /// First inside CIDR of a link that is to be created on another user's gateway: an earlier try
    /// of it may have left marks.
    pub first_cidr: Option<InsideCidr>,
    /// The same, of a link that is to be moved to another user's VPN gateway.
    pub link: Option<LinkId>,
    pub region: Option<aws::Region>,
    /// The VPC with its subnets, route tables and attached VPN gateway.
    pub vpc: Option<aws::VpcId>,
    /// An existing VPN gateway, with its VPN connections, and its VPC as above.
    pub vpn_gateway: Option<aws::VpnGatewayId>,
    /// An existing transit gateway, with its VPN connections.
    pub transit_gateway: Option<aws::TransitGatewayId>,
    /// Route tables of transit gateways.
    pub transit_route_tables: BTreeSet<aws::TransitRouteTableId>,
    /// This link's own VPN gateway, for its VPN connections: other users may have set some on it.
    pub own_vpn_gateway: Option<aws::VpnGatewayId>,
    /// What account and subscription allow, where the plan creates objects.
    pub account: Option<AccountRequest>,
}

impl PreflightRequest {
    pub fn is_empty(&self) -> bool {
        let context = self.clone();
        let (subscription, region) = (context.subscription, context.region);
        let (first_cidr, link) = (context.first_cidr, context.link);
        *self
            == PreflightRequest {
                subscription,
                region,
                first_cidr,
                link,
                ..Self::default()
            }
    }
}

/// What became of looking at one thing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Lookup<T> {
    /// Not read.
    #[default]
    Skipped,
    NotFound,
    Found(T),
}

impl<T> Lookup<T> {
    pub fn found(&self) -> Option<&T> {
        if let Lookup::Found(value) = self {
            Some(value)
        } else {
            None
        }
    }
}

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PreflightSnapshot {
    pub group: Lookup<azure::ResourceGroup>,
    pub network: Lookup<azure::VirtualNetwork>,
    /// Public IPs under the planned names.
    pub public_ips: Vec<azure::PublicIp>,
    /// The VPN gateway in that VNet.
    pub network_gateway: Lookup<azure::Gateway>,
    /// Connections of that gateway.
    pub network_connections: Vec<azure::Connection>,
    /// Of the links on it, by their ownership tags, those whose AWS half says that their create
    /// never ended.
    pub incomplete_links: BTreeSet<String>,
    /// The existing Azure gateway.
    pub gateway: Lookup<azure::Gateway>,
    /// The VNet of the existing Azure gateway.
    pub gateway_network: Lookup<azure::VirtualNetwork>,
    /// Connections of the existing Azure gateway.
    pub connections: Vec<azure::Connection>,
    /// Where an earlier try of the link left customer gateways: the addresses that it put on the
    /// given gateway.
    pub recorded_bgp_addresses: Option<BTreeSet<Ipv4Addr>>,
    /// Propagation of the existing VPN gateway's routes that an earlier try switched on, each as
    /// `rtb-.../vgw-...`.
    pub propagations: BTreeSet<String>,
    pub vpc: Lookup<aws::Vpc>,
    /// The VPN gateway that is attached to the VPC.
    pub vpc_gateway: Lookup<aws::VpnGateway>,
    pub subnets: Vec<aws::Subnet>,
    pub route_tables: Vec<aws::RouteTable>,
    /// The existing VPN gateway.
    pub vpn_gateway: Lookup<aws::VpnGateway>,
    /// The existing transit gateway.
    pub transit_gateway: Lookup<aws::TransitGateway>,
    /// The route tables of transit gateways that were found.
    pub transit_route_tables: Lookup<Vec<aws::TransitRouteTable>>,
    /// VPN connections of the existing VPN gateway or transit gateway.
    pub vpn_connections: Vec<aws::VpnConnection>,
    /// VPN connections of this link's own VPN gateway.
    pub own_vpn_connections: Vec<aws::VpnConnection>,
    pub account: AccountSnapshot,
}

impl PreflightSnapshot {
    /// Whether everything that was requested was read.
    pub fn covers(&self, ask: &PreflightRequest) -> bool {
        !(ask.resource_group.is_some() && self.group == Lookup::Skipped
            || ask.network.is_some() && self.network == Lookup::Skipped
            || ask.gateway.is_some() && self.gateway == Lookup::Skipped
            || ask.vpc.is_some() && self.vpc == Lookup::Skipped
            || ask.vpn_gateway.is_some() && self.vpn_gateway == Lookup::Skipped
            || ask.transit_gateway.is_some() && self.transit_gateway == Lookup::Skipped)
    }
}
