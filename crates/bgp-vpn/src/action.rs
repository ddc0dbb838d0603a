//! One thing to do to one object. An action carries the decisions that depend on what was observed
//! when it was planned: which settings differ, and what happens to the pre-shared keys. Ids and
//! addresses that earlier actions produce are looked up when it runs.

use super::managed::Kind;
use super::tunnel::{Instance, TunnelKey};
use crate::aws::{RouteTableId, TunnelOptions};
use std::fmt;

/// An object of a link, by its place. The order of the variants is the order in which people read a
/// plan.
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
    /// Routes of the VPN gateway in one table; None is the public subnet's table that this link is
    /// about to make.
    RoutePropagation(Option<RouteTableId>),
    CustomerGateway(Instance),
    VpnConnection(Instance),
    /// The attachment of a VPN connection to the transit gateway: its tags and route tables.
    TransitAttachment(Instance),
    /// Options of one AWS tunnel endpoint.
    Tunnel(TunnelKey),
    LocalGateway(TunnelKey),
    Connection(TunnelKey),
    /// The shared key of an Azure connection that exists.
    SharedKey(TunnelKey),
    /// The BGP session of a tunnel.
    BgpSession(TunnelKey),
    /// The other tunnels while one is about to be interrupted.
    PeerTunnelsUp(TunnelKey),
    /// The tunnels of the other VPN connection, where all of this one is about to be interrupted.
    PeerConnectionUp(Instance),
    /// The mark that a tunnel's key was rolled.
    KeyRotationTag(TunnelKey),
    /// This link's addresses on another user's gateway.
    CustomBgpAddresses,
    /// Ownership tags that were deleted from objects of this link.
    OwnershipTags,
    /// The tags that call a link unfinished.
    IncompleteTag,
}

impl ActionTarget {
    /// The key of the `managed` attribute under which the object's id is; None for a setting, a
    /// session or a tag.
    pub fn kind(&self) -> Option<Kind> {
        Some(match self {
            ActionTarget::ResourceGroup => Kind::AzureResourceGroup,
            ActionTarget::VirtualNetwork => Kind::AzureVirtualNetwork,
            ActionTarget::GatewaySubnet | ActionTarget::Subnet(_) => Kind::AzureSubnet,
            ActionTarget::PublicIp(_) => Kind::AzurePublicIp,
            ActionTarget::Gateway => Kind::AzureGateway,
            ActionTarget::Vpc => Kind::AwsVpc,
            ActionTarget::InternetGateway => Kind::AwsInternetGateway,
            ActionTarget::PublicSubnet => Kind::AwsSubnet,
            ActionTarget::PublicRouteTable => Kind::AwsRouteTable,
            ActionTarget::VpnGateway => Kind::AwsVpnGateway,
            ActionTarget::RoutePropagation(_) => Kind::AwsRoutePropagation,
            ActionTarget::CustomerGateway(_) => Kind::AwsCustomerGateway,
            ActionTarget::VpnConnection(_) => Kind::AwsVpnConnection,
            ActionTarget::LocalGateway(_) => Kind::AzureLocalGateway,
            ActionTarget::Connection(_) => Kind::AzureConnection,
            ActionTarget::VgwAttachment
            | ActionTarget::TransitAttachment(_)
            | ActionTarget::Tunnel(_)
            | ActionTarget::SharedKey(_)
            | ActionTarget::BgpSession(_)
            | ActionTarget::PeerTunnelsUp(_)
            | ActionTarget::PeerConnectionUp(_)
            | ActionTarget::KeyRotationTag(_)
            | ActionTarget::CustomBgpAddresses
            | ActionTarget::OwnershipTags
            | ActionTarget::IncompleteTag => return None,
        })
    }
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
    /// Steps that must have ended well before this one starts. Those that are not in the list count
    /// as done.
    pub depends_on: Vec<ActionId>,
    /// What differs, in words: the plan's text and the sentences of `drift`.
    pub reasons: Vec<String>,
    pub change: Change,
}

/// What was decided about an action when it was planned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "one per action, and there are some forty actions in a run"
)]
pub enum Change {
    /// Target and verb say all.
    #[default]
    Unspecified,
    /// Of [`ActionTarget::VpnConnection`] to be created: its two tunnels.
    NewVpnConnection([NewTunnel; 2]),
    /// Of [`ActionTarget::VpnConnection`] that exists.
    VpnConnection {
        settings: ConnectionDiff,
        /// Its tags differ too.
        tags: bool,
    },
    /// Of [`ActionTarget::TransitAttachment`]: whether another route table is associated, which
    /// interrupts its routes.
    TransitAttachment { association: bool },
    /// Of [`ActionTarget::Tunnel`]: options that differ, and its key.
    Tunnel {
        options: TunnelOptions,
        key: KeyAction,
    },
}

/// What a run does about the key of one tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAction {
    /// Both ends keep their key.
    Keep,
    /// The Azure connection gets the key of the AWS endpoint.
    CopyToAzure,
    /// A new AWS endpoint, whose key EC2 will not return, gets the key of the Azure connection that
    /// exists.
    CopyToAws,
    /// The AWS endpoint gets the configured key, then the Azure connection.
    UseConfigured,
    /// The AWS endpoint gets a new random key, then the Azure connection.
    Generate,
    /// EC2 stores the key of the endpoint elsewhere. The call repeats the key that both ends are to
    /// have.
    MoveStorage,
}

/// Which settings of a connection differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionDiff {
    /// It uses a customer gateway with another address or ASN. One with the same is as good as the
    /// link's own.
    pub customer_gateway: bool,
    /// It ends on another gateway at AWS.
    pub target: bool,
    /// `LocalIpv4NetworkCidr` or `RemoteIpv4NetworkCidr` is narrowed.
    pub networks: bool,
    pub bandwidth: bool,
}

impl ConnectionDiff {
    pub fn any(self) -> bool {
        self != ConnectionDiff::default()
    }

    /// Whether an end of the connection becomes another one (`ModifyVpnConnection`).
    pub fn changes_endpoint(self) -> bool {
        self.customer_gateway || self.target
    }
}

/// A tunnel of a VPN connection to be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewTunnel {
    pub key: KeyAction,
    /// The connection has the rotation tag of this tunnel from the start.
    pub has_rotation_tag: bool,
}

impl Action {
    /// An action that target and verb describe. Every reason names its object, because `drift`
    /// shows reasons without the action.
    pub fn new(target: ActionTarget, verb: Verb, reasons: Vec<String>) -> Self {
        let name = target.to_string();
        let named = |reason: String| {
            if reason.contains(&name) {
                reason
            } else {
                format!("{name}: {reason}")
            }
        };
        let reasons = reasons.into_iter().map(named).collect();
        Action {
            target,
            verb,
            depends_on: Vec::new(),
            reasons,
            change: Change::Unspecified,
        }
    }

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
            ActionTarget::VgwAttachment => {
                f.write_str("the attachment of the VPN gateway to the VPC")
            }
            ActionTarget::RoutePropagation(Some(table)) => {
                write!(f, "route propagation into {table}")
            }
            ActionTarget::RoutePropagation(None) => {
                f.write_str("route propagation into the public route table")
            }
            ActionTarget::CustomerGateway(i) => write!(f, "the customer gateway for {i}"),
            ActionTarget::VpnConnection(i) => write!(f, "the VPN connection to {i}"),
            ActionTarget::TransitAttachment(i) => {
                write!(
                    f,
                    "the transit gateway attachment of the VPN connection to {i}"
                )
            }
            ActionTarget::Tunnel(k) => write!(f, "the AWS tunnel {k}"),
            ActionTarget::LocalGateway(k) => write!(f, "the local network gateway for {k}"),
            ActionTarget::Connection(k) => write!(f, "the Azure connection for {k}"),
            ActionTarget::SharedKey(k) => write!(f, "the shared key of {k}"),
            ActionTarget::BgpSession(k) => write!(f, "the BGP session of {k}"),
            ActionTarget::PeerTunnelsUp(k) => write!(f, "the other tunnels while {k} is updated"),
            ActionTarget::PeerConnectionUp(i) => {
                write!(
                    f,
                    "the tunnels of the other VPN connection while that to {i} is updated"
                )
            }
            ActionTarget::KeyRotationTag(k) => write!(f, "the rotation tag of {k}"),
            ActionTarget::CustomBgpAddresses => {
                f.write_str("the BGP addresses of this link on the Azure gateway")
            }
            ActionTarget::OwnershipTags => f.write_str("the ownership tags"),
            ActionTarget::IncompleteTag => f.write_str("the tag of the incomplete link"),
        }
    }
}
