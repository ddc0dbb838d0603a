//! The tags by which a link recognizes its objects, independently of the state file.

use super::inside_cidr::InsideCidr;
use super::tunnel::{Instance, TunnelKey};
use crate::aws::{Region, TransitGatewayId, VpcId, VpnGatewayId};
use crate::azure::id::ResourceId;
use crate::azure::model::Connection;
use crate::types::Tags;
use ipnet::Ipv4Net;
use std::fmt;
use std::fmt::Display;
use std::net::Ipv4Addr;

/// On every object of both clouds: which link it belongs to.
pub const TAG_LINK: &str = "awsazure:link";
/// On every AWS object from its creation until the create's last step takes it off everywhere in
/// one call.
pub const TAG_INCOMPLETE: &str = "awsazure:unfinished";
/// On a customer gateway of an unfinished link: how many minutes its run has been at it. It changes
/// while that run lives.
pub const TAG_HEARTBEAT: &str = "awsazure:pulse";
/// Which part of the link an object is, such as `instance0_tunnel1`.
pub const TAG_ROLE: &str = "awsazure:part";
/// On every object of both clouds: the AWS side of its link. Links with equal addresses on one
/// Azure gateway have the same [`TAG_LINK`]; this tells them apart.
pub const TAG_AWS_ENDPOINT: &str = "awsazure:aws-end";
/// The link's name, so that an import can give it back.
pub const TAG_NAME: &str = "awsazure:name";
/// On the local network gateways of a link: the AWS side that the last move of the link builds or
/// has built. It is written before the move deletes anything. A run that is killed writes no state,
/// so this is how a later run finds the objects of an AWS side that is neither in the state nor in
/// the configuration.
pub const TAG_MOVE_TARGET: &str = "awsazure:move-target";
/// On customer gateways, where the Azure gateway is another user's: the addresses that this link
/// lists there. Written before they are listed and after they are taken off, so that a run which is
/// killed in between leaves no untracked address.
pub const TAG_CUSTOM_BGP_ADDRESSES: &str = "awsazure:placed";

/// The addresses that the tags of a customer gateway say its link lists on the Azure gateway.
pub fn recorded_bgp_addresses(tags: &Tags) -> impl Iterator<Item = Ipv4Addr> {
    tags.get(TAG_CUSTOM_BGP_ADDRESSES)
        .into_iter()
        .flat_map(|ips| ips.split(' '))
        .filter_map(|ip| ip.parse().ok())
}

/// A key that begins like this and ends in a route table's id, with the VPN gateway's id, for each
/// table in which this link enabled propagation. It is written before propagation is enabled: on
/// the VPN gateway that the link created, or on the customer gateways where the VPN gateway is an
/// existing one. On an attachment to a transit gateway, the tag has the id of the attachment.
const TAG_ROUTE_PROPAGATION_PREFIX: &str = "awsazure:propagates/";

/// Tags of a customer gateway from which on no route table is recorded there. EC2 allows 50, and
/// the user's come first.
pub const MAX_TAGS_BEFORE_RECORD: usize = 40;

/// The tag of a route table.
pub fn propagation_tag(table: &str, gateway: &str) -> (String, String) {
    (
        format!("{TAG_ROUTE_PROPAGATION_PREFIX}{table}"),
        gateway.to_owned(),
    )
}

/// What the tags of a VPN gateway or customer gateway say that its link enabled, each as
/// `rtb-.../vgw-...`, which is how `managed` has it.
pub fn recorded_propagations(tags: &Tags) -> impl Iterator<Item = String> {
    tags.iter().filter_map(|(key, gateway)| {
        Some(format!(
            "{}/{gateway}",
            key.strip_prefix(TAG_ROUTE_PROPAGATION_PREFIX)?
        ))
    })
}

/// The route tables for which the tags of an object say that its link enabled propagation.
pub fn propagating_tables<'a>(
    tags: &'a Tags,
    object: &'a str,
) -> impl Iterator<Item = String> + 'a {
    tags.iter()
        .filter(move |(_, value)| *value == object)
        .filter_map(|(key, _)| key.strip_prefix(TAG_ROUTE_PROPAGATION_PREFIX))
        .map(str::to_owned)
}

/// Keys of these tags.
pub fn propagation_keys(tags: &Tags) -> impl Iterator<Item = String> {
    tags.keys()
        .filter(|key| key.starts_with(TAG_ROUTE_PROPAGATION_PREFIX))
        .cloned()
}

/// On public IPs of a gateway whose subnet this link creates in an existing network: the prefix of
/// that subnet, which has no tags of its own. Written before the subnet is created, so that a
/// killed run leaves none behind.
pub const TAG_GATEWAY_SUBNET: &str = "awsazure:gateway-subnet";

/// The gateway subnet that the tags of a public IP record.
pub fn created_gateway_subnet(tags: &Tags) -> Option<Ipv4Net> {
    tags.get(TAG_GATEWAY_SUBNET)?.parse().ok()
}

/// Names of the parts that are not a tunnel's or an instance's, as the ownership tag has them.
pub mod role {
    pub const RESOURCE_GROUP: &str = "resource-group";
    pub const VIRTUAL_NETWORK: &str = "virtual-network";
    pub const AZURE_GATEWAY: &str = "azure-gateway";
    pub const VPC: &str = "vpc";
    pub const INTERNET_GATEWAY: &str = "internet-gateway";
    pub const PUBLIC_SUBNET: &str = "public-subnet";
    pub const PUBLIC_ROUTE_TABLE: &str = "public-route-table";
    pub const VPN_GATEWAY: &str = "vpn-gateway";
}

/// The object on which the AWS side of a link ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EndpointKind {
    /// A VPN gateway that the link creates in this VPC.
    Vpc(VpcId),
    /// A VPC that the link creates, with its VPN gateway.
    NewVpc(Ipv4Net),
    /// An existing VPN gateway.
    VpnGateway(VpnGatewayId),
    TransitGateway(TransitGatewayId),
}

/// The AWS side of a link, as far as it identifies the link.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AwsEndpoint {
    pub region: Region,
    pub end: EndpointKind,
}

impl AwsEndpoint {
    /// The region that the tags of an object name.
    pub fn region_of(tags: &Tags) -> Option<Region> {
        Region::parse(tags.get(TAG_AWS_ENDPOINT)?.split(' ').next()?)
    }

    /// An AWS side as a tag has it: the region, and what the AWS side ends on. None for any other
    /// text.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let region = Region::parse(words.next()?)?;
        let end = match (words.next()?, words.next()) {
            ("new-vpc", Some(cidr)) => EndpointKind::NewVpc(cidr.parse().ok()?),
            (id, None) if id.starts_with("vpc-") => EndpointKind::Vpc(VpcId(id.to_owned())),
            (id, None) if id.starts_with("vgw-") => {
                EndpointKind::VpnGateway(VpnGatewayId(id.to_owned()))
            }
            (id, None) if id.starts_with("tgw-") => {
                EndpointKind::TransitGateway(TransitGatewayId(id.to_owned()))
            }
            _ => return None,
        };
        words
            .next()
            .is_none()
            .then_some(AwsEndpoint { region, end })
    }

    /// The tag of every object.
    pub fn tag(&self) -> (String, String) {
        (TAG_AWS_ENDPOINT.to_owned(), self.to_string())
    }
}

impl Display for AwsEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let region = &self.region;
        match &self.end {
            EndpointKind::Vpc(id) => write!(f, "{region} {id}"),
            EndpointKind::NewVpc(cidr) => write!(f, "{region} new-vpc {cidr}"),
            EndpointKind::VpnGateway(id) => write!(f, "{region} {id}"),
            EndpointKind::TransitGateway(id) => write!(f, "{region} {id}"),
        }
    }
}

/// Value of the ownership tag: computed from the VNet and the first tunnel's inside CIDR at create,
/// then fixed. No two links on a gateway share that CIDR, and a VNet has at most one VPN gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkId(String);

impl LinkId {
    pub fn new(virtual_network: &ResourceId, first: InsideCidr) -> Self {
        Self::hash(&format!(
            "{}|{first}",
            virtual_network.as_str().to_ascii_lowercase()
        ))
    }

    /// The id of a link that is to be created. A link that moved to another slot keeps its id, so
    /// the id that belongs to its former slot may be in use: the first free one in a fixed order is
    /// taken. A create that was killed finds the same id again, because its own connections do not
    /// count as use by another link.
    ///
    /// `connections`: all connections of the Azure gateway, without those that are deleted before
    /// the create.
    pub fn for_create<'a>(
        virtual_network: &ResourceId,
        first: InsideCidr,
        connections: impl Iterator<Item = &'a Connection> + Clone,
    ) -> Self {
        let mut link = Self::new(virtual_network, first);
        let mut number = 1;
        while connections
            .clone()
            .any(|connection| link.moved_away(connection, first))
        {
            link = Self::hash(&format!(
                "{}|{first}|{number}",
                virtual_network.as_str().to_ascii_lowercase()
            ));
            number += 1;
        }
        link
    }

    /// Whether this is the first connection of a link with this id that uses another inside CIDR by
    /// now.
    fn moved_away(&self, connection: &Connection, first: InsideCidr) -> bool {
        let tags = &connection.resource.tags;
        let is_first = tags
            .get(TAG_ROLE)
            .is_some_and(|role| *role == TunnelKey::ALL[0].to_string());
        let addresses = &connection.custom_bgp_ips;
        self.is_on(tags)
            && is_first
            && !addresses.is_empty()
            && addresses
                .iter()
                .all(|(_, address)| *address != first.azure_ip())
    }

    fn hash(text: &str) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
        LinkId(
            digest
                .as_ref()
                .iter()
                .take(16)
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        )
    }

    /// A value read back from a tag.
    pub fn from_tag(text: &str) -> Self {
        LinkId(text.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The ownership tags of one part.
    pub fn tags(&self, part: impl Display) -> Tags {
        Tags::from([
            (TAG_LINK.to_owned(), self.0.clone()),
            (TAG_ROLE.to_owned(), part.to_string()),
        ])
    }

    /// Device name of a customer gateway. EC2 returns an existing customer gateway for an equal
    /// address, ASN and device name, so a name of its own keeps it from returning one of another
    /// user.
    pub fn device(&self, instance: Instance) -> String {
        format!("awsazure-{}-{instance}", self.0)
    }

    pub fn is_on(&self, tags: &Tags) -> bool {
        tags.get(TAG_LINK).is_some_and(|value| *value == self.0)
    }
}

impl Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::AwsEndpoint;

    #[test]
    fn aws_endpoint_round_trips_through_its_tag() {
        for text in [
            "eu-west-1 vpc-1",
            "eu-west-1 new-vpc 10.0.0.0/16",
            "us-gov-west-1 vgw-1",
            "us-east-1 tgw-1",
        ] {
            assert_eq!(
                AwsEndpoint::parse(text)
                    .map(|end| end.to_string())
                    .as_deref(),
                Some(text)
            );
        }
        for text in [
            "",
            "eu-west-1",
            "eu-west-1 igw-1",
            "eu-west-1 vpc-1 x",
            "eu-west-1 new-vpc",
        ] {
            assert_eq!(AwsEndpoint::parse(text), None, "{text:?}");
        }
    }
}
