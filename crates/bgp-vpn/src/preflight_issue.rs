//! What in the clouds conflicts with a planned link, and what to do about it.

use super::claim::format_slots;
use super::summaries;
use super::tunnel::Instance;
use crate::aws::{VpnConnectionId, VpnGatewayId};
use crate::azure::id::ResourceId;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// A conflict between the planned link and the clouds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PreflightIssue {
    #[error(
        "The resource group {0:?} does not exist. Set azure.create_resource_group = true to create it, or name an existing one."
    )]
    ResourceGroupNotFound(String),
    #[error(
        "The virtual network {0} does not exist. Correct the ID, or set azure.virtual_network to create one."
    )]
    VirtualNetworkNotFound(String),
    #[error(
        "The virtual network {id} already exists and was not created by this link. To use it, set azure.virtual_network_id to its ID and remove azure.virtual_network. Otherwise, use another name.{}",
        left_by(link)
    )]
    VirtualNetworkExists {
        id: ResourceId,
        /// Name of the link whose tags it carries.
        link: Option<String>,
    },
    #[error(
        "The virtual network already has a VPN gateway, and Azure allows only one. To use it, set azure.gateway_id = \"{id}\".{}",
        left_by(link)
    )]
    VirtualNetworkHasGateway {
        id: ResourceId,
        /// Name of the link whose tags it carries.
        link: Option<String>,
    },
    #[error(
        "The virtual network already has a VPN gateway with a complete link that uses {1}. For a second link, set azure.gateway_id = \"{0}\" and another slot. Only if no state manages that link, import it: terraform import ADDRESS '{0},{1}'"
    )]
    LinkExists(ResourceId, String),
    #[error(
        "The VPC {id} does not exist in {region}. Correct the ID or aws.region, or set aws.vpc to create one."
    )]
    VpcNotFound { id: String, region: String },
    #[error(
        "The VPC already has a virtual private gateway, and AWS allows only one. To use it, set aws.vpn_gateway_id = \"{0}\"."
    )]
    VpcHasGateway(VpnGatewayId),
    #[error(
        "{id} was left by a create of a link named {name:?} that did not complete. If it was a create or a replacement of this link, restore its settings in the configuration (name, slot, networks) and apply: that completes the link, and later applies can change it. Otherwise, make sure that no run uses these objects, then delete all objects of that link, which have the same value in the tag awsazure:link."
    )]
    LeftByIncompleteCreate { id: String, name: String },
    #[error(
        "The virtual network has no GatewaySubnet, which a VPN gateway requires. Set azure.gateway_subnet_prefix to a free /27 of the virtual network to create it."
    )]
    GatewaySubnetNotFound,
    #[error(
        "The virtual network has a subnet named {0:?}. The subnet of a VPN gateway must be named exactly GatewaySubnet, with these capitals. Delete the subnet, then set azure.gateway_subnet_prefix to create one with the correct name."
    )]
    GatewaySubnetMisspelled(String),
    #[error(
        "The virtual network already has a GatewaySubnet with prefix {0}. Remove azure.gateway_subnet_prefix, or set it to {0}."
    )]
    OtherGatewaySubnet(Ipv4Net),
    #[error(
        "The GatewaySubnet of this link has the prefix {has}, not {wanted}. A VPN gateway uses it, and Azure cannot change the prefix while it does. Set azure.virtual_network.gateway_subnet_prefix back to {has} and apply. To use another prefix, change it after that apply, which then replaces the link."
    )]
    UsedGatewaySubnet { has: Ipv4Net, wanted: Ipv4Net },
    #[error(
        "The Azure gateway {0} does not exist. Correct the ID, or wait until the owner of the gateway has created it again. To \
         have the link create its own gateway, remove azure.gateway_id: that replaces an existing link."
    )]
    AzureGatewayNotFound(String),
    #[error(
        "This Azure gateway cannot be used: {0}. The link needs an active-active, route-based VPN gateway with BGP. Change this gateway, or use another virtual network. A virtual network has at most one VPN gateway."
    )]
    UnsuitableGateway(&'static str),
    #[error(
        "This gateway authenticates point-to-site clients by RADIUS. Azure does not return the RADIUS secret, so an update of the gateway could clear it and disconnect all clients. Add these custom BGP addresses to the gateway manually, enter the RADIUS secret again in the same update, then plan again: {0}."
    )]
    RadiusGateway(String),
    #[error(
        "The virtual network is in {0}, and Azure requires its gateway and public IPs in the same location. Remove azure.location, or set it to {0}."
    )]
    VirtualNetworkInOtherLocation(String),
    #[error(
        "{0} is not a route table of the VPC of this link. Use route tables of that VPC. Remove aws.route_table_ids if this link creates the VPC."
    )]
    RouteTableOfOtherVpc(String),
    #[error(
        "Azure will advertise {has} prefixes, but AWS accepts at most {limit} over a VPN connection of this AWS gateway and closes the BGP sessions above that. Summarize the address ranges of the virtual network and of peered networks that use its gateway."
    )]
    TooManyPrefixes { has: usize, limit: usize },
    #[error(
        "The network security group {0} is associated with GatewaySubnet. Azure does not support this, and the gateway may stop working. Remove the association."
    )]
    SecurityGroup(ResourceId),
    #[error(
        "The {0} of the existing gateway is {1}. Remove this attribute, or set it to that value."
    )]
    GatewayMismatch(&'static str, String),
    #[error(
        "The Azure gateway has {has} connections, and its SKU supports {limit}. This link needs 4. Use a larger SKU or another gateway."
    )]
    GatewayFull { has: usize, limit: usize },
    #[error(
        "The connection {by} of the Azure gateway already uses {address}. Set another slot. Free slots: {}.",
        format_slots(free)
    )]
    AddressInUse {
        address: Ipv4Addr,
        by: ResourceId,
        free: Vec<u8>,
    },
    #[error(
        "The Azure gateway lists {address} for {configuration}, but {needed} needs it. Azure allows an address only once in a gateway. Move it to {needed} in bgpSettings of the gateway, or use another slot or inside CIDR."
    )]
    AddressOfOtherInstance {
        address: Ipv4Addr,
        configuration: ResourceId,
        needed: Instance,
    },
    #[error(
        "The virtual private gateway {id} does not exist in {region}. Correct the ID or aws.region, or remove aws.vpn_gateway_id to create one."
    )]
    VpnGatewayNotFound { id: String, region: String },
    #[error(
        "The transit gateway {id} does not exist in {region} or is not available yet. Correct the ID or aws.region, or wait until it is available."
    )]
    TransitGatewayNotFound { id: String, region: String },
    #[error(
        "The route table {id} does not exist in {region}. Use a route table of the transit gateway of this link (tgw-rtb-...)."
    )]
    TransitRouteTableNotFound { id: String, region: String },
    #[error(
        "The route table {id} belongs to the transit gateway {has}, and this link is on {needs}. Use a route table of {needs}, or correct aws.transit_gateway_id."
    )]
    RouteTableOfOtherTransitGateway {
        id: String,
        has: String,
        needs: String,
    },
    #[error(
        "The transit gateway does not automatically {0} new VPN attachments. Set aws.transit_gateway_association_route_table_id and aws.transit_gateway_propagation_route_table_ids, or configure both attachments of this link after the apply: no traffic is routed before."
    )]
    ManualTransitAttachment(&'static str),
    #[error(
        "vpn_ecmp_support of the transit gateway is disabled. It sends all traffic over one of the four tunnels. Enable vpn_ecmp_support to use all of them."
    )]
    NoEcmp,
    #[error(
        "The VPN connection {by} of the same AWS gateway already uses the inside CIDR {cidr}. Use another slot or inside CIDR."
    )]
    InsideCidrInUse { cidr: Ipv4Net, by: VpnConnectionId },
    #[error(
        "The virtual private gateway has {has} VPN connections, and this link adds 2. The default quota of AWS is {limit}. Check that the quota of the account is higher, or request an increase."
    )]
    VpnGatewayFull { has: usize, limit: usize },
    #[error(
        "{azure} of the virtual network and {aws} of the VPC overlap. Hosts in the overlapping range cannot be reached across the VPN. Change one of the ranges, or set allow_overlapping_prefixes = true if that is acceptable."
    )]
    OverlappingRanges { azure: Ipv4Net, aws: Ipv4Net },
    #[error(
        "The route tables of these subnets will have no routes to Azure: {0}. Add the tables to aws.route_table_ids if the subnets should reach Azure."
    )]
    SubnetsWithoutRoutes(String),
    #[error(
        "manage_gateways = true makes destroy delete the gateways, but objects that this link did not create use them: {0}. Remove these objects, or set manage_gateways = false."
    )]
    SharedGateways(String),
    #[error(
        "manage_gateways = true is not supported when a link on existing gateways is created. Create the link without it, then set it to true: after that apply, destroy deletes the gateways."
    )]
    ClaimAtCreate,
}

/// What to do if an interrupted create left an object.
fn left_by(link: &Option<String>) -> String {
    match link {
        Some(name) => format!(
            " It carries the tags of a link named {name:?}. If an interrupted create of this link with another name, slot or resource group \
             left it, restore these settings instead and apply: that completes the link, and later applies can change them."
        ),
        None => String::new(),
    }
}

impl PreflightIssue {
    /// Whether an existing object conflicts. It may belong to the link that is being replaced.
    pub fn is_conflict(&self) -> bool {
        matches!(
            self,
            PreflightIssue::VirtualNetworkExists { .. }
                | PreflightIssue::VirtualNetworkHasGateway { .. }
                | PreflightIssue::LinkExists(..)
                | PreflightIssue::VpcHasGateway(_)
                | PreflightIssue::LeftByIncompleteCreate { .. }
                | PreflightIssue::GatewayFull { .. }
                | PreflightIssue::AddressInUse { .. }
                | PreflightIssue::InsideCidrInUse { .. }
        )
    }

    /// One line, without a full stop.
    pub fn summary(&self) -> &'static str {
        match self {
            PreflightIssue::ResourceGroupNotFound(_) => summaries::MISSING_RESOURCE_GROUP,
            PreflightIssue::VirtualNetworkNotFound(_) => summaries::MISSING_VIRTUAL_NETWORK,
            PreflightIssue::VirtualNetworkExists { .. } => summaries::CONFLICTING_VIRTUAL_NETWORK,
            PreflightIssue::VirtualNetworkHasGateway { .. } | PreflightIssue::LinkExists(..) => {
                summaries::CONFLICTING_AZURE_GATEWAY
            }
            PreflightIssue::VpcNotFound { .. } => summaries::MISSING_VPC,
            PreflightIssue::LeftByIncompleteCreate { .. } => summaries::CONFLICTING_INCOMPLETE_LINK,
            PreflightIssue::VpcHasGateway(_) => summaries::CONFLICTING_VPN_GATEWAY,
            PreflightIssue::GatewaySubnetNotFound => summaries::MISSING_GATEWAY_SUBNET,
            PreflightIssue::GatewaySubnetMisspelled(_) => summaries::INVALID_GATEWAY_SUBNET,
            PreflightIssue::OtherGatewaySubnet(_) | PreflightIssue::UsedGatewaySubnet { .. } => {
                summaries::CONFLICTING_GATEWAY_SUBNET
            }
            PreflightIssue::AzureGatewayNotFound(_) => summaries::MISSING_AZURE_GATEWAY,
            PreflightIssue::RouteTableOfOtherVpc(_)
            | PreflightIssue::TransitRouteTableNotFound { .. }
            | PreflightIssue::RouteTableOfOtherTransitGateway { .. } => {
                summaries::INVALID_ROUTE_TABLE
            }
            PreflightIssue::TooManyPrefixes { .. } => summaries::UNSUPPORTED_NUMBER_OF_PREFIXES,
            PreflightIssue::SecurityGroup(_) => summaries::UNSUPPORTED_SECURITY_GROUP,
            PreflightIssue::VirtualNetworkInOtherLocation(_) => summaries::INVALID_LOCATION,
            PreflightIssue::UnsuitableGateway(_) => summaries::UNSUPPORTED_AZURE_GATEWAY,
            PreflightIssue::RadiusGateway(_) => summaries::UNSUPPORTED_UPDATE_OF_RADIUS_GATEWAY,
            PreflightIssue::GatewayMismatch(..) => summaries::CONFLICTING_GATEWAY_SETTING,
            PreflightIssue::GatewayFull { .. } => summaries::UNSUPPORTED_NUMBER_OF_CONNECTIONS,
            PreflightIssue::VpnGatewayFull { .. } => summaries::VPN_CONNECTION_QUOTA,
            PreflightIssue::AddressInUse { .. } | PreflightIssue::InsideCidrInUse { .. } => {
                summaries::CONFLICTING_INSIDE_CIDRS
            }
            PreflightIssue::AddressOfOtherInstance { .. } => summaries::CONFLICTING_BGP_ADDRESS,
            PreflightIssue::TransitGatewayNotFound { .. } => summaries::MISSING_TRANSIT_GATEWAY,
            PreflightIssue::ManualTransitAttachment(_) => summaries::MANUAL_TRANSIT_ROUTING,
            PreflightIssue::NoEcmp => summaries::NO_ECMP,
            PreflightIssue::VpnGatewayNotFound { .. } => summaries::MISSING_VPN_GATEWAY,
            PreflightIssue::OverlappingRanges { .. } => summaries::CONFLICTING_ADDRESS_RANGES,
            PreflightIssue::SubnetsWithoutRoutes(_) => summaries::SUBNETS_WITHOUT_ROUTES,
            PreflightIssue::SharedGateways(_) => summaries::CONFLICTING_USE_OF_GATEWAYS,
            PreflightIssue::ClaimAtCreate => summaries::UNSUPPORTED_MANAGE_GATEWAYS,
        }
    }
}
