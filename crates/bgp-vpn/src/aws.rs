//! What AWS holds of a link, as plain data: no SDK type leaves this room.

use crate::types::{Asn, PreSharedKey, Tags};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )* };
}

ids! {
    /// `vpc-...`
    VpcId
    /// `subnet-...`
    SubnetId
    /// `rtb-...`
    RouteTableId
    /// `igw-...`
    InternetGatewayId
    /// `vgw-...`
    VpnGatewayId
    /// `tgw-...`
    TransitGatewayId
    /// `tgw-rtb-...`
    TransitRouteTableId
    /// `tgw-attach-...`
    TransitAttachmentId
    /// `cgw-...`
    CustomerGatewayId
    /// `vpn-...`
    VpnConnectionId
    /// `eu-west-1`
    Region
}

impl Region {
    /// A text that can be the name of a region.
    pub fn parse(text: &str) -> Option<Self> {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        (!text.is_empty() && text.contains('-') && text.bytes().all(legal))
            .then(|| Region(text.to_owned()))
    }
}

/// The partition of a region, as ARNs name it.
pub fn partition_of(region: &str) -> &'static str {
    const PREFIXES: [(&str, &str); 7] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("eusc-", "aws-eusc"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("eu-isoe-", "aws-iso-e"),
    ];
    PREFIXES
        .iter()
        .find(|(prefix, _)| region.starts_with(prefix))
        .map_or("aws", |(_, partition)| partition)
}

/// State of an object that AWS builds and takes down asynchronously. An unknown word is
/// `ConflictRetryable`: wait and look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Pending,
    Available,
    Modifying,
    Deleting,
    Deleted,
    Busy,
}

impl State {
    /// Whether the object is neither gone nor going.
    pub fn is_living(self) -> bool {
        !matches!(self, State::Deleting | State::Deleted)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vpc {
    pub id: VpcId,
    pub cidr: Ipv4Net,
    /// Secondary ranges that are associated.
    pub secondary_cidrs: Vec<Ipv4Net>,
    pub state: State,
    pub tags: Tags,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnet {
    pub id: SubnetId,
    pub vpc_id: VpcId,
    pub cidr: Ipv4Net,
    pub state: State,
    pub tags: Tags,
}

/// Something in a VPC, of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VpcOccupant {
    pub id: String,
    /// Where it is in one.
    pub subnet: Option<SubnetId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InternetGateway {
    pub id: InternetGatewayId,
    pub attached_vpcs: Vec<VpcId>,
    pub tags: Tags,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteTable {
    pub id: RouteTableId,
    pub vpc_id: VpcId,
    pub main: bool,
    /// Explicitly associated subnets with the id of the association.
    pub subnets: Vec<(SubnetId, String)>,
    /// Gateways whose routes are propagated into this table.
    pub propagating: Vec<VpnGatewayId>,
    /// Target gateway (`igw-...`, `vgw-...`) of 0.0.0.0/0, if there is such a route; `blackhole`
    /// where its target is gone.
    pub default_route: Option<String>,
    pub tags: Tags,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttachmentState {
    Attaching,
    Attached,
    Detaching,
    Detached,
    Busy,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VpnGateway {
    pub id: VpnGatewayId,
    pub asn: Asn,
    pub state: State,
    /// The VPC to which it is attached; rows that are detached do not count.
    pub attachment: Option<(VpcId, AttachmentState)>,
    pub tags: Tags,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransitGateway {
    pub id: TransitGatewayId,
    pub asn: Asn,
    pub state: State,
    /// New attachments are associated with its default route table, and propagate into it.
    pub associates: bool,
    pub propagates: bool,
    /// Traffic is spread over VPN connections with equal routes.
    pub ecmp: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransitRouteTable {
    pub id: TransitRouteTableId,
    pub gateway: TransitGatewayId,
    pub state: State,
}

/// The attachment of a VPN connection to a transit gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransitAttachment {
    pub id: TransitAttachmentId,
    pub vpn_connection: VpnConnectionId,
    pub gateway: TransitGatewayId,
    pub state: State,
    /// The route table by which its traffic is routed.
    pub association: Option<(TransitRouteTableId, AssociationState)>,
    /// The route tables into which its routes are propagated; None where they were not read.
    pub propagations: Option<BTreeSet<TransitRouteTableId>>,
    pub tags: Tags,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssociationState {
    Associating,
    Associated,
    Disassociating,
    Busy,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerGateway {
    pub id: CustomerGatewayId,
    pub ip: Ipv4Addr,
    pub asn: Asn,
    pub device_name: Option<String>,
    pub state: State,
    pub tags: Tags,
}

/// What a VPN connection ends on at the AWS side.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TargetGateway {
    VpnGateway(VpnGatewayId),
    TransitGateway(TransitGatewayId),
    /// A kind that this program does not build (a VPN concentrator, Cloud WAN), or none.
    Other,
}

impl fmt::Display for TargetGateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TargetGateway::VpnGateway(id) => write!(f, "{id}"),
            TargetGateway::TransitGateway(id) => write!(f, "{id}"),
            TargetGateway::Other => f.write_str("no VPN gateway or transit gateway"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VpnConnection {
    pub id: VpnConnectionId,
    pub state: State,
    pub customer_gateway_id: CustomerGatewayId,
    pub target: TargetGateway,
    /// In no particular order: match by inside CIDR or outside address, never by position.
    pub tunnels: Vec<Tunnel>,
    /// It exchanges routes by configuration only, for its life: `ModifyVpnConnection` cannot enable
    /// BGP.
    pub static_routes_only: bool,
    /// The traffic selectors that it proposes and accepts.
    pub networks: NetworkCidrs,
    /// Its traffic enters AWS's network at the nearest edge. Transit gateways only, and fixed for
    /// the connection's life.
    pub accelerated: bool,
    /// Of each tunnel.
    pub bandwidth: Bandwidth,
    pub tags: Tags,
}

/// One end of a tunnel as EC2 describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tunnel {
    pub outside_ip: Ipv4Addr,
    /// None only for IPv6-inside or not yet assigned tunnels.
    pub inside_cidr: Option<Ipv4Net>,
    /// None while pending, or when kept in Secrets Manager.
    pub key: Option<PreSharedKey>,
    /// None while it is unknown.
    pub key_storage: Option<KeyStorage>,
    /// Only what was set explicitly; the key, its storage and the inside CIDR are in the fields
    /// above.
    pub options: TunnelOptions,
    pub telemetry: Option<Telemetry>,
}

/// Options of one tunnel, for a create, for a change (only what is `Some` or not empty is sent),
/// and as read back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TunnelOptions {
    pub inside_cidr: Option<Ipv4Net>,
    pub key: Option<PreSharedKey>,
    /// Of a change only: a create says it once for the connection (`VpnConnectionOptions`).
    pub key_storage: Option<KeyStorage>,
    /// `start` or `add`.
    pub startup_action: Option<String>,
    /// `restart`, `clear` or `none`.
    pub dpd_timeout_action: Option<String>,
    pub dpd_timeout_seconds: Option<u32>,
    /// `ikev2`, `ikev1`.
    pub ike_versions: Vec<String>,
    pub phase1: Phase,
    pub phase2: Phase,
    pub logs: Option<Logs>,
    /// Whether an endpoint is replaced for maintenance only when the user accepts it, or at AWS's
    /// deadline.
    pub lifecycle_control: Option<bool>,
}

/// Where AWS keeps a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStorage {
    /// In the VPN service, whose answers show it.
    Standard,
    /// In a secret: no answer of EC2 shows it.
    SecretsManager,
}

impl fmt::Display for KeyStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KeyStorage::Standard => "Standard",
            KeyStorage::SecretsManager => "SecretsManager",
        })
    }
}

/// `LocalIpv4NetworkCidr` (the customer gateway's side) and `RemoteIpv4NetworkCidr` (the AWS side)
/// of a connection. The default is 0.0.0.0/0 on both sides, which BGP needs: narrower ones leave
/// the link-local addresses out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetworkCidrs {
    pub local: Ipv4Net,
    pub remote: Ipv4Net,
}

/// How much a tunnel carries: 1.25 or 5 Gbit/s. Large ones end on transit gateways only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bandwidth {
    #[default]
    Standard,
    Large,
}

impl Bandwidth {
    /// EC2's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Bandwidth::Standard => "standard",
            Bandwidth::Large => "large",
        }
    }

    /// Of no word, and of one that is not known, it is what a connection has that says nothing.
    pub fn read(word: Option<&str>) -> Self {
        if word == Some("large") {
            Bandwidth::Large
        } else {
            Bandwidth::Standard
        }
    }
}

/// A text that names no storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseKeyStorageError;

impl FromStr for KeyStorage {
    type Err = ParseKeyStorageError;

    fn from_str(text: &str) -> Result<Self, ParseKeyStorageError> {
        let all = [KeyStorage::Standard, KeyStorage::SecretsManager];
        all.into_iter()
            .find(|storage| storage.to_string() == text)
            .ok_or(ParseKeyStorageError)
    }
}

/// What a tunnel writes to CloudWatch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logs {
    /// Of IKE and IPsec.
    pub tunnel: Option<LogGroup>,
    pub bgp: Option<LogGroup>,
}

/// EC2's log format where none was asked for.
pub const LOG_FORMAT: &str = "json";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogGroup {
    pub arn: String,
    /// `json` or `text`.
    pub format: String,
}

impl fmt::Display for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |group: &Option<LogGroup>| match group {
            Some(group) => format!("{} ({})", group.arn, group.format),
            None => "nowhere".to_owned(),
        };
        match self {
            Logs {
                tunnel: None,
                bgp: None,
            } => f.write_str("off"),
            Logs { tunnel, bgp: None } => f.write_str(&place(tunnel)),
            Logs { tunnel, bgp } => write!(f, "{}, of BGP {}", place(tunnel), place(bgp)),
        }
    }
}

/// Algorithms and lifetime of IKE (phase 1) or IPsec (phase 2), in EC2's words. An empty list
/// leaves it to AWS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Phase {
    pub encryption: Vec<String>,
    pub integrity: Vec<String>,
    pub dh_groups: Vec<u32>,
    pub lifetime_seconds: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telemetry {
    pub up: bool,
    pub message: String,
    pub accepted_routes: u32,
}
