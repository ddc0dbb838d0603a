//! One thing to do to one object. Steps carry no parameters: whoever runs one works them out from the spec and from what
//! has been observed by then, so that a step of a resumed create is the same step.

use super::tunnel::{Instance, TunnelKey};
use crate::aws::RouteTableId;
use std::fmt;

/// An object of a link, by its place. The order of the variants is the order in which people read a plan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActionTarget {
    ResourceGroup,
    VirtualNetwork,
    GatewaySubnet,
    /// Another subnet of a VNet that this link makes, by name.
    Subnet(String),
    PublicIp(Instance),
    Gateway,
    Vpc,
    InternetGateway,
    PublicSubnet,
    PublicRouteTable,
    VpnGateway,
    VgwAttachment,
    /// Routes of the VPN gateway in one table; None is the public subnet's table that this link is about to make.
    RoutePropagation(Option<RouteTableId>),
    CustomerGateway(Instance),
    VpnConnection(Instance),
    /// Options of one AWS tunnel endpoint.
    Tunnel(TunnelKey),
    LocalGateway(TunnelKey),
    Connection(TunnelKey),
    /// The shared key of an Azure connection that exists.
    SharedKey(TunnelKey),
    /// The BGP session of a tunnel.
    BgpSession(TunnelKey),
    /// The tunnels beside one that is about to be interrupted.
    PeerTunnelsUp(TunnelKey),
    /// The tunnels of the other VPN connection, where all of this one is about to be interrupted.
    PeerConnectionUp(Instance),
    /// The mark that a tunnel's key was rolled.
    KeyRotationTag(TunnelKey),
    /// This link's addresses on a gateway that somebody else keeps.
    CustomBgpAddresses,
    /// Ownership tags that were deleted from objects of this link.
    OwnershipTags,
    /// The tags that call a link unfinished.
    IncompleteTag,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    Delete,
    Create,
    Update,
    /// Nothing is written; the object has to come up.
    WaitFor,
}

/// A step's name: no object has two steps with the same verb.
pub type ActionId = (ActionTarget, Verb);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    pub target: ActionTarget,
    pub verb: Verb,
    /// Steps that must have ended well before this one starts. Those that are not in the list count as done.
    pub depends_on: Vec<ActionId>,
    /// What differs, in words: the plan's text and the sentences of `drift`.
    pub reasons: Vec<String>,
}

impl Action {
    pub fn id(&self) -> ActionId {
        (self.target.clone(), self.verb)
    }
}

impl fmt::Display for ActionTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ActionTarget::ResourceGroup => f.write_str("the resource group"),
            ActionTarget::VirtualNetwork => f.write_str("the virtual network"),
            ActionTarget::GatewaySubnet => f.write_str("the gateway subnet"),
            ActionTarget::Subnet(name) => write!(f, "the subnet {name}"),
            ActionTarget::PublicIp(i) => write!(f, "the public IP of {i}"),
            ActionTarget::Gateway => f.write_str("the Azure gateway"),
            ActionTarget::Vpc => f.write_str("the VPC"),
            ActionTarget::InternetGateway => f.write_str("the internet gateway"),
            ActionTarget::PublicSubnet => f.write_str("the public subnet"),
            ActionTarget::PublicRouteTable => f.write_str("the public route table"),
            ActionTarget::VpnGateway => f.write_str("the VPN gateway"),
            ActionTarget::VgwAttachment => f.write_str("the VPN gateway's attachment to the VPC"),
            ActionTarget::RoutePropagation(Some(table)) => write!(f, "route propagation into {table}"),
            ActionTarget::RoutePropagation(None) => f.write_str("route propagation into the public route table"),
            ActionTarget::CustomerGateway(i) => write!(f, "the customer gateway for {i}"),
            ActionTarget::VpnConnection(i) => write!(f, "the VPN connection to {i}"),
            ActionTarget::Tunnel(k) => write!(f, "the AWS tunnel {k}"),
            ActionTarget::LocalGateway(k) => write!(f, "the local network gateway for {k}"),
            ActionTarget::Connection(k) => write!(f, "the Azure connection for {k}"),
            ActionTarget::SharedKey(k) => write!(f, "the shared key of {k}"),
            ActionTarget::BgpSession(k) => write!(f, "the BGP session of {k}"),
            ActionTarget::PeerTunnelsUp(k) => write!(f, "the tunnels beside {k}"),
            ActionTarget::PeerConnectionUp(i) => write!(f, "the tunnels beside those to {i}"),
            ActionTarget::KeyRotationTag(k) => write!(f, "the mark that the key of {k} was rolled"),
            ActionTarget::CustomBgpAddresses => f.write_str("this link's addresses on the Azure gateway"),
            ActionTarget::OwnershipTags => f.write_str("the ownership tags"),
            ActionTarget::IncompleteTag => f.write_str("the mark that this link is unfinished"),
        }
    }
}
