//! What Azure holds of a link, as plain data. Documents that are changed in place keep their raw
//! form in addition to the typed view, so that properties which this program does not know survive
//! a write.

use super::id::ResourceId;
use crate::types::{Asn, Tags};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::net::Ipv4Addr;

/// `provisioningState`. An unknown word is `Updating`: wait and look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProvisioningState {
    Succeeded,
    Creating,
    Updating,
    Deleting,
    Failed,
    Canceled,
}

impl ProvisioningState {
    /// Whether an operation is under way.
    pub fn is_busy(self) -> bool {
        matches!(
            self,
            ProvisioningState::Creating | ProvisioningState::Updating | ProvisioningState::Deleting
        )
    }

    /// Whether Azure ended the last operation without doing it. A PUT of the same body
    /// repairs the object (2026-11).
    pub fn is_given_up(self) -> bool {
        matches!(
            self,
            ProvisioningState::Failed | ProvisioningState::Canceled
        )
    }
}

/// What every ARM resource has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    pub id: ResourceId,
    pub location: String,
    pub tags: Tags,
    pub etag: Option<String>,
    pub state: ProvisioningState,
    /// The document as it was read.
    pub raw: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceGroup {
    pub name: String,
    pub location: String,
    pub tags: Tags,
}

/// A management lock: no object at its scope, or below, can be deleted, and none above.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    pub id: String,
    /// The id of what it is on.
    pub scope: String,
    /// Nothing can be changed either.
    pub read_only: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualNetwork {
    pub resource: Resource,
    pub address_space: Vec<Ipv4Net>,
    /// Address ranges of peered networks that may use this network's gateway.
    pub transit_space: Vec<Ipv4Net>,
    pub subnets: Vec<Subnet>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnet {
    pub id: ResourceId,
    pub name: String,
    pub prefix: Option<Ipv4Net>,
    pub security_group: Option<ResourceId>,
    pub state: ProvisioningState,
    /// Ids of what sits in it: `.../virtualNetworkGateways/NAME/ipConfigurations/...` shows a
    /// gateway.
    pub ip_configurations: Vec<ResourceId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicIp {
    pub resource: Resource,
    pub address: Option<Ipv4Addr>,
    pub sku: String,
    pub zones: Vec<String>,
    /// The ipConfiguration that uses it.
    pub used_by: Option<ResourceId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    pub resource: Resource,
    /// `Vpn` or `ExpressRoute`.
    pub gateway_type: String,
    pub sku: String,
    /// `Generation1` or `Generation2`.
    pub generation: String,
    pub active_active: bool,
    pub enable_bgp: bool,
    pub asn: Asn,
    /// In the document's order: position 0 is instance 0. A third ipConfiguration, which Azure
    /// demands of an active-active gateway with point-to-site clients, is none.
    pub instances: Vec<GatewayInstance>,
    /// Point-to-site clients are authenticated by a RADIUS server, whose secret a read does not
    /// return.
    pub hides_radius_secret: bool,
}

impl Gateway {
    /// The custom BGP addresses of all instances; none are shown while the gateway is busy.
    pub fn custom_bgp_ips(&self) -> impl Iterator<Item = &Ipv4Addr> {
        self.instances
            .iter()
            .flat_map(|instance| &instance.custom_bgp_ips)
    }
}

/// One ipConfiguration joined, by id, with its element of `bgpPeeringAddresses`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayInstance {
    pub ip_configuration_id: ResourceId,
    pub subnet_id: Option<ResourceId>,
    pub public_ip_id: Option<ResourceId>,
    pub custom_bgp_ips: Vec<Ipv4Addr>,
    pub default_bgp_ips: Vec<Ipv4Addr>,
    /// Public addresses as the gateway reports them.
    pub tunnel_ips: Vec<Ipv4Addr>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalGateway {
    pub resource: Resource,
    /// None where a host name stands instead.
    pub gateway_ip: Option<Ipv4Addr>,
    pub bgp: Option<(Asn, Ipv4Addr)>,
    pub address_prefixes: Vec<Ipv4Net>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    pub resource: Resource,
    pub gateway_id: Option<ResourceId>,
    pub local_gateway_id: Option<ResourceId>,
    /// `IPsec`, `Vnet2Vnet`, `ExpressRoute`.
    pub connection_type: String,
    pub protocol: Option<String>,
    pub enable_bgp: bool,
    pub mode: ConnectionMode,
    pub dpd_timeout_seconds: u32,
    /// ipConfiguration id with the custom BGP address that this connection uses there.
    pub custom_bgp_ips: Vec<(ResourceId, Ipv4Addr)>,
    /// None: Azure's defaults.
    pub policy: Option<IpsecPolicy>,
    /// `usePolicyBasedTrafficSelectors`: selectors are made from address ranges, which leave the
    /// BGP addresses out.
    pub policy_based_selectors: bool,
    /// How many `trafficSelectorPolicies` it has. BGP needs none: without any the selectors are
    /// 0.0.0.0/0.
    pub traffic_selectors: usize,
    pub status: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ConnectionMode {
    Default,
    InitiatorOnly,
    ResponderOnly,
}

impl ConnectionMode {
    const ALL: [ConnectionMode; 3] = [
        ConnectionMode::Default,
        ConnectionMode::InitiatorOnly,
        ConnectionMode::ResponderOnly,
    ];

    /// Azure's word.
    pub fn as_str(self) -> &'static str {
        match self {
            ConnectionMode::Default => "Default",
            ConnectionMode::InitiatorOnly => "InitiatorOnly",
            ConnectionMode::ResponderOnly => "ResponderOnly",
        }
    }

    /// The mode of a word; None where Azure has no such mode.
    pub fn parse(word: &str) -> Option<Self> {
        ConnectionMode::ALL
            .into_iter()
            .find(|mode| mode.as_str() == word)
    }
}

/// The eight fields of `ipsecPolicies[0]`, in Azure's words; all are required.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IpsecPolicy {
    pub sa_life_time_seconds: u32,
    pub sa_data_size_kilobytes: u32,
    pub ipsec_encryption: String,
    pub ipsec_integrity: String,
    pub ike_encryption: String,
    pub ike_integrity: String,
    pub dh_group: String,
    pub pfs_group: String,
}

/// A row of `getBgpPeerStatus`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BgpPeer {
    pub local: Option<Ipv4Addr>,
    pub neighbor: Option<Ipv4Addr>,
    pub asn: Option<Asn>,
    /// `Unknown`, `Stopped`, `Idle`, `Connecting`, `Connected`.
    pub state: String,
    pub routes_received: u64,
}

impl BgpPeer {
    pub fn is_connected(&self) -> bool {
        self.state.eq_ignore_ascii_case("Connected")
    }
}
