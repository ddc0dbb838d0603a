//! What can be in the way of a link where it is to stand, in words with a way out.

use super::claim::format_slots;
use super::tunnel::Instance;
use crate::aws::{VpnConnectionId, VpnGatewayId};
use crate::azure::id::ResourceId;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// Something seen in the clouds that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PreflightIssue {
    #[error(
        "The resource group {0:?} is not there. Set create_resource_group = true to have it created, or name one that exists."
    )]
    ResourceGroupNotFound(String),
    #[error("The virtual network {0} is not there. Correct the id, or use virtual_network to have one created.")]
    VirtualNetworkNotFound(String),
    #[error(
        "The virtual network {0} is there already and is not this link's. To use it, put its id into virtual_network_id and leave virtual_network out; otherwise choose another name."
    )]
    VirtualNetworkExists(ResourceId),
    #[error(
        "The virtual network has a VPN gateway already, and Azure allows one only. To use it, set gateway_id = \"{0}\"."
    )]
    VirtualNetworkHasGateway(ResourceId),
    #[error(
        "The virtual network has a VPN gateway already, and on it a complete link that uses {1}. For a second link set gateway_id = \"{0}\" and another slot. Only if no state manages that link, import it: terraform import ADDRESS '{0},{1}'"
    )]
    LinkExists(ResourceId, String),
    #[error("The VPC {0} is not there. Correct the id or the region, or use vpc to have one created.")]
    VpcNotFound(String),
    #[error(
        "The VPC has a virtual private gateway already, and AWS allows one only. To use it, set vpn_gateway_id = \"{0}\"."
    )]
    VpcHasGateway(VpnGatewayId),
    #[error(
        "The virtual network has no GatewaySubnet, without which it can hold no VPN gateway. Set gateway_subnet_prefix to a free /27 of it to have the subnet created."
    )]
    GatewaySubnetNotFound,
    #[error(
        "The virtual network has a subnet named {0:?}; Azure looks for GatewaySubnet in exactly that spelling. Rename it, or set gateway_subnet_prefix after removing it."
    )]
    GatewaySubnetMisspelled(String),
    #[error(
        "The virtual network has a GatewaySubnet already: {0}. Leave gateway_subnet_prefix out, or set it to that."
    )]
    OtherGatewaySubnet(Ipv4Net),
    #[error(
        "The Azure gateway {0} does not exist. Correct the id, or wait until the owner of the gateway has created it again. A new \
         link without azure.gateway_id creates a gateway of its own."
    )]
    AzureGatewayNotFound(String),
    #[error(
        "This Azure gateway cannot carry the link: {0}. The link needs an active-active, route-based VPN gateway with BGP. Change this gateway, or use another virtual network: each has one VPN gateway at most."
    )]
    UnsuitableGateway(&'static str),
    #[error(
        "This gateway authenticates point-to-site clients by RADIUS. Azure does not return the RADIUS secret, so an update of the gateway could clear it and disconnect all clients. Add these custom BGP addresses to the gateway's instances by hand, with the secret, and plan again: {0}."
    )]
    RadiusGateway(String),
    #[error(
        "The virtual network is in {0}, and Azure requires its gateway and public IPs there too. Remove location, or set it to that."
    )]
    VirtualNetworkInOtherLocation(String),
    #[error(
        "{0} is not a route table of the link's VPC. Use tables of that VPC; leave route_table_ids out for a VPC that this link creates."
    )]
    RouteTableOfOtherVpc(String),
    #[error(
        "Azure will advertise {has} prefixes, and AWS accepts {limit} over a VPN connection of this AWS gateway: above that the BGP sessions go down. Summarize the address ranges of the virtual network and of peered networks that use its gateway."
    )]
    TooManyPrefixes { has: usize, limit: usize },
    #[error(
        "The network security group {0} is associated with GatewaySubnet. Azure does not support that: the gateway may stop working. Remove the association."
    )]
    SecurityGroup(ResourceId),
    #[error("The existing gateway has another {0}: {1}. Leave this attribute out, or set it to that.")]
    GatewayMismatch(&'static str, String),
    #[error(
        "The Azure gateway carries {has} connections, and its SKU takes {limit}: there is no room for the four of this link. Use a larger SKU or another gateway."
    )]
    GatewayFull { has: usize, limit: usize },
    #[error(
        "Another connection of the Azure gateway uses {address}: {by}. Set another slot. Free slots: {}.",
        format_slots(free)
    )]
    AddressInUse { address: Ipv4Addr, by: ResourceId, free: Vec<u8> },
    #[error(
        "The Azure gateway lists {address} for {configuration}, and {needed} needs it; Azure lists an address once for each gateway. Move it to {needed} in bgpSettings of the gateway, or choose another slot or inside CIDR."
    )]
    AddressOfOtherInstance { address: Ipv4Addr, configuration: ResourceId, needed: Instance },
    #[error(
        "The VPN gateway {0} is not there. Correct the id or the region, or leave vpn_gateway_id out to have one created."
    )]
    VpnGatewayNotFound(String),
    #[error("The transit gateway {0} is not there, or not yet available. Correct the id or the region.")]
    TransitGatewayNotFound(String),
    #[error(
        "The transit gateway leaves it to you to {0} the attachments of new VPN connections: until that is done for both of this link, nothing is routed."
    )]
    ManualTransitAttachment(&'static str),
    #[error(
        "The transit gateway does not spread traffic over VPN connections (its vpn_ecmp_support is off): of the four tunnels one carries all."
    )]
    NoEcmp,
    #[error(
        "Another VPN connection of the same AWS gateway uses {cidr} inside its tunnels: {by}. Choose another slot or inside CIDR."
    )]
    InsideCidrInUse { cidr: Ipv4Net, by: VpnConnectionId },
    #[error(
        "The VPN gateway carries {has} VPN connections; unless the quota was raised, AWS takes {limit}, and this link adds two."
    )]
    VpnGatewayFull { has: usize, limit: usize },
    #[error(
        "{azure} of the virtual network and {aws} of the VPC overlap: addresses in both could be reached from neither side. Renumber one of them, or set allow_overlapping_prefixes = true if nothing in the common part has to be reached."
    )]
    OverlappingRanges { azure: Ipv4Net, aws: Ipv4Net },
    #[error(
        "The route tables of these subnets get no routes to Azure: {0}. Add their tables to route_table_ids if they should reach it."
    )]
    SubnetsWithoutRoutes(String),
    #[error(
        "The gateways cannot be claimed while others hang on them, and this link did not make {0}. Remove what is not needed any more, or leave manage_gateways false."
    )]
    SharedGateways(String),
    #[error(
        "A create does not take over existing gateways. Create the link without manage_gateways, then set it to true: from that apply on, destroy deletes the gateways."
    )]
    ClaimAtCreate,
}

impl PreflightIssue {
    /// Whether something that exists already is in the way, which may be the very link that is being replaced.
    pub fn is_conflict(&self) -> bool {
        matches!(
            self,
            PreflightIssue::VirtualNetworkExists(_)
                | PreflightIssue::VirtualNetworkHasGateway(_)
                | PreflightIssue::LinkExists(..)
                | PreflightIssue::VpcHasGateway(_)
                | PreflightIssue::GatewayFull { .. }
                | PreflightIssue::AddressInUse { .. }
                | PreflightIssue::InsideCidrInUse { .. }
        )
    }

    /// One line, without a full stop.
    pub fn summary(&self) -> &'static str {
        match self {
            PreflightIssue::ResourceGroupNotFound(_) => "Resource group not found",
            PreflightIssue::VirtualNetworkNotFound(_) => "Virtual network not found",
            PreflightIssue::VirtualNetworkExists(_) => "Virtual network exists",
            PreflightIssue::VirtualNetworkHasGateway(_) | PreflightIssue::LinkExists(..) => {
                "Virtual network has a VPN gateway"
            }
            PreflightIssue::VpcNotFound(_) => "VPC not found",
            PreflightIssue::VpcHasGateway(_) => "VPC has a VPN gateway",
            PreflightIssue::GatewaySubnetNotFound | PreflightIssue::GatewaySubnetMisspelled(_) => {
                "Gateway subnet missing"
            }
            PreflightIssue::OtherGatewaySubnet(_) => "Gateway subnet exists",
            PreflightIssue::AzureGatewayNotFound(_) => "Azure gateway not found",
            PreflightIssue::RouteTableOfOtherVpc(_) => "Invalid route table",
            PreflightIssue::TooManyPrefixes { .. } => "Unsupported number of prefixes",
            PreflightIssue::SecurityGroup(_) => "Unsupported network security group",
            PreflightIssue::VirtualNetworkInOtherLocation(_) => "Invalid location",
            PreflightIssue::UnsuitableGateway(_) => "Azure gateway unfit",
            PreflightIssue::RadiusGateway(_) => "Unsupported update of RADIUS gateway",
            PreflightIssue::GatewayMismatch(..) => "Existing gateway differs",
            PreflightIssue::GatewayFull { .. } | PreflightIssue::VpnGatewayFull { .. } => "Gateway is full",
            PreflightIssue::AddressInUse { .. } | PreflightIssue::InsideCidrInUse { .. } => "Inside address taken",
            PreflightIssue::AddressOfOtherInstance { .. } => "Inside address on other instance",
            PreflightIssue::TransitGatewayNotFound(_) => "Transit gateway not found",
            PreflightIssue::ManualTransitAttachment(_) => "Attachments without routes",
            PreflightIssue::NoEcmp => "One tunnel for all traffic",
            PreflightIssue::VpnGatewayNotFound(_) => "VPN gateway not found",
            PreflightIssue::OverlappingRanges { .. } => "Address ranges overlap",
            PreflightIssue::SubnetsWithoutRoutes(_) => "Subnets without routes",
            PreflightIssue::SharedGateways(_) => "Gateway is shared",
            PreflightIssue::ClaimAtCreate => "Unsupported manage_gateways",
        }
    }
}
