//! One thing to do to one object. Steps carry no parameters: whoever runs one works them out from the spec and from what
//! has been observed by then, so that a step of a resumed create is the same step.

use super::tunnel::{Instance, TunnelKey};
use crate::aws::model::RouteTableId;
use std::fmt;

/// An object of a link, by its place. The order of the variants is the order in which people read a plan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Object {
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
    Attachment,
    /// Routes of the VPN gateway in one table; None is the public subnet's table that this link is about to make.
    Propagation(Option<RouteTableId>),
    CustomerGateway(Instance),
    VpnConnection(Instance),
    /// Options of one AWS tunnel endpoint.
    Tunnel(TunnelKey),
    LocalGateway(TunnelKey),
    Connection(TunnelKey),
    /// The shared key of an Azure connection that exists.
    SharedKey(TunnelKey),
    /// The BGP session of a tunnel.
    Session(TunnelKey),
    /// The tunnels beside one that is about to be interrupted.
    OtherTunnels(TunnelKey),
    /// The tunnels of the other VPN connection, where all of this one is about to be interrupted.
    OtherConnection(Instance),
    /// The mark that a tunnel's key was rolled.
    RolledMark(TunnelKey),
    /// This link's addresses on a gateway that somebody else keeps.
    OwnAddresses,
    /// Ownership tags that were deleted from objects of this link.
    OwnershipTags,
    /// The tags that call a link unfinished.
    UnfinishedMark,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    Delete,
    Create,
    Change,
    /// Nothing is written; the object has to come up.
    Await,
}

/// A step's name: no object has two steps with the same verb.
pub type StepId = (Object, Verb);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub object: Object,
    pub verb: Verb,
    /// Steps that must have ended well before this one starts. Those that are not in the list count as done.
    pub after: Vec<StepId>,
    /// What differs, in words: the plan's text and the sentences of `drift`.
    pub because: Vec<String>,
}

impl Step {
    pub fn id(&self) -> StepId {
        (self.object.clone(), self.verb)
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Object::ResourceGroup => f.write_str("the resource group"),
            Object::VirtualNetwork => f.write_str("the virtual network"),
            Object::GatewaySubnet => f.write_str("the gateway subnet"),
            Object::Subnet(name) => write!(f, "the subnet {name}"),
            Object::PublicIp(i) => write!(f, "the public IP of {i}"),
            Object::Gateway => f.write_str("the Azure gateway"),
            Object::Vpc => f.write_str("the VPC"),
            Object::InternetGateway => f.write_str("the internet gateway"),
            Object::PublicSubnet => f.write_str("the public subnet"),
            Object::PublicRouteTable => f.write_str("the public route table"),
            Object::VpnGateway => f.write_str("the VPN gateway"),
            Object::Attachment => f.write_str("the VPN gateway's attachment to the VPC"),
            Object::Propagation(Some(table)) => write!(f, "route propagation into {table}"),
            Object::Propagation(None) => f.write_str("route propagation into the public route table"),
            Object::CustomerGateway(i) => write!(f, "the customer gateway for {i}"),
            Object::VpnConnection(i) => write!(f, "the VPN connection to {i}"),
            Object::Tunnel(k) => write!(f, "the AWS tunnel {k}"),
            Object::LocalGateway(k) => write!(f, "the local network gateway for {k}"),
            Object::Connection(k) => write!(f, "the Azure connection for {k}"),
            Object::SharedKey(k) => write!(f, "the shared key of {k}"),
            Object::Session(k) => write!(f, "the BGP session of {k}"),
            Object::OtherTunnels(k) => write!(f, "the tunnels beside {k}"),
            Object::OtherConnection(i) => write!(f, "the tunnels beside those to {i}"),
            Object::RolledMark(k) => write!(f, "the mark that the key of {k} was rolled"),
            Object::OwnAddresses => f.write_str("this link's addresses on the Azure gateway"),
            Object::OwnershipTags => f.write_str("the ownership tags"),
            Object::UnfinishedMark => f.write_str("the mark that this link is unfinished"),
        }
    }
}
