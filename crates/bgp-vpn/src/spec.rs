//! What is wanted: one link, every choice made. Nothing here is optional because it was not
//! configured; `provider` has filled defaults, kept what was last applied, and refused what cannot
//! be.

use super::inside_cidr::InsideCidr;
use super::ipsec::IpsecPolicy;
use super::key_rotation::KeyRotation;
use super::names::{AwsNames, AzureNames};
use super::ownership_tags::{AwsEndpoint, EndpointKind, LinkId};
use super::tunnel::{Instance, PerTunnel};
use crate::aws::{
    Bandwidth, KeyStorage, Logs, Region, RouteTableId, TransitGatewayId, TransitRouteTableId,
    VpcId, VpnGatewayId,
};
use crate::azure::id::ResourceId;
use crate::azure::model::ConnectionMode;
use crate::types::{Asn, PreSharedKey, Tags};
use ipnet::Ipv4Net;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Prefix of every name that this link gives.
    pub name: String,
    /// Value of the ownership tag.
    pub link: LinkId,
    pub azure: AzureSpec,
    pub aws: AwsSpec,
    pub inside_cidrs: PerTunnel<InsideCidr>,
    pub policy: IpsecPolicy,
    /// Tags that the user wants on every object, the provider's default tags included.
    pub tags: Tags,
    /// Keys of the user's own. A tunnel without one gets a generated one.
    pub configured_keys: PerTunnel<Option<PreSharedKey>>,
    /// Whether they take the place of keys in use, rather than only going into what is made.
    pub applies_configured_keys: bool,
    /// All four keys are to be new; with `applies_configured_keys`, the configured keys are written
    /// to endpoints that do not return theirs.
    pub rotation: Option<KeyRotation>,
    /// Whether a tunnel counts as built only when its BGP session is up.
    pub wait_for_bgp: bool,
    pub removals: Removals,
    /// Existing gateways become this link's own in this run and get its tags: only tagged ones are
    /// deleted later.
    pub claims_gateways: bool,
    /// Of this link's addresses, those that another user's Azure gateway listed before: used, never
    /// removed from it.
    pub preexisting_addresses: BTreeSet<Ipv4Addr>,
    /// Tables into which another user's VPN gateway propagated its routes before: never disabled.
    pub preexisting_propagation: BTreeSet<RouteTableId>,
    /// Objects that carried this link's ownership tags when they were last seen (`lost_tags`).
    pub owned: BTreeSet<String>,
}

impl Spec {
    /// The IPsec policy of the Azure connections; None leaves Azure its defaults.
    pub fn azure_policy(&self) -> Option<crate::azure::model::IpsecPolicy> {
        self.policy.azure(self.aws.acceleration)
    }
}

/// What this link once put somewhere and no longer wants there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removals {
    /// APIPA addresses that it added to the gateway, by instance.
    pub addresses: BTreeSet<(Instance, Ipv4Addr)>,
    /// Tables into which it switched propagation on.
    pub route_tables: BTreeSet<RouteTableId>,
    /// Keys of tags that the user took back, and of marks that no longer hold.
    pub tags: BTreeSet<String>,
    /// Ranges and subnets of the VNet that it made.
    pub address_space: BTreeSet<Ipv4Net>,
    pub subnets: BTreeSet<String>,
    /// The public subnet of the VPC that it made, of another range.
    pub public_subnet: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AzureSpec {
    pub subscription: String,
    pub resource_group: String,
    pub create_resource_group: bool,
    pub location: String,
    /// Availability zones of public IPs to be created. None: all that the region has.
    pub zones: Option<BTreeSet<String>>,
    pub network: AzureNetwork,
    pub gateway: AzureGateway,
    pub connection_mode: ConnectionMode,
    pub dpd_timeout_seconds: u32,
    pub names: AzureNames,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AzureNetwork {
    /// A VNet that is there. With a prefix, its missing `GatewaySubnet` is created.
    Existing {
        id: ResourceId,
        gateway_subnet_prefix: Option<Ipv4Net>,
    },
    /// A VNet that this link makes.
    Create {
        id: ResourceId,
        address_space: Vec<Ipv4Net>,
        gateway_subnet_prefix: Ipv4Net,
        /// Further subnets by name.
        subnets: BTreeMap<String, Ipv4Net>,
    },
}

impl AzureNetwork {
    pub fn id(&self) -> &ResourceId {
        match self {
            AzureNetwork::Existing { id, .. } | AzureNetwork::Create { id, .. } => id,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AzureGateway {
    /// Another user's gateway, to which only this link's APIPA addresses are added.
    Existing(ResourceId),
    /// A gateway that this link makes and keeps.
    Managed {
        id: ResourceId,
        sku: String,
        generation: String,
        asn: Asn,
    },
}

impl AzureGateway {
    pub fn id(&self) -> &ResourceId {
        match self {
            AzureGateway::Existing(id) | AzureGateway::Managed { id, .. } => id,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsSpec {
    pub region: Region,
    pub network: AwsNetwork,
    pub gateway: AwsGateway,
    pub route_tables: PropagationTargets,
    pub transit_routing: TransitRouting,
    /// `start` or `add`.
    pub startup_action: String,
    /// `restart`, `clear` or `none`.
    pub dpd_timeout_action: String,
    pub dpd_timeout_seconds: u32,
    pub key_storage: KeyStorage,
    /// Whether AWS waits for the user before it replaces an endpoint of a tunnel for maintenance.
    pub tunnel_lifecycle_control: bool,
    /// Of both VPN connections; on a transit gateway only.
    pub acceleration: bool,
    /// Of every tunnel; large on a transit gateway only.
    pub bandwidth: Bandwidth,
    /// Another bandwidth needs another connection: EC2 rejected the change in place.
    pub recreates_for_bandwidth: bool,
    pub logs: Logs,
    pub names: AwsNames,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AwsNetwork {
    Existing(VpcId),
    /// A VPC as the console's wizard makes it: one public subnet, an internet gateway, and the
    /// subnet's route table.
    Create {
        cidr: Ipv4Net,
        public_subnet: Option<Ipv4Net>,
    },
    /// The VPC of the existing gateway, if any.
    FromGateway,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AwsGateway {
    /// Another user's virtual private gateway.
    ExistingVgw(VpnGatewayId),
    /// One that this link makes and attaches.
    ManagedVgw {
        asn: Asn,
    },
    TransitGateway(TransitGatewayId),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PropagationTargets {
    /// The VPC's main table, and the public subnet's where this link made it.
    Default,
    /// Exactly these; an empty set means hands off.
    Explicit(BTreeSet<RouteTableId>),
    /// As last applied, where nothing is configured. The public subnet's table replaces one that no
    /// longer exists.
    LastApplied(BTreeSet<RouteTableId>),
}

/// Route tables of the transit gateway for the attachments of both VPN connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransitRouting {
    /// None leaves the association as it is.
    pub association: Option<TransitRouteTableId>,
    pub propagations: BTreeSet<TransitRouteTableId>,
}

impl AwsEndpoint {
    /// The AWS side of what is wanted. None where it is known by the VPN gateway only.
    pub fn of(aws: &AwsSpec) -> Option<Self> {
        let end = match (&aws.gateway, &aws.network) {
            (AwsGateway::TransitGateway(id), _) => EndpointKind::TransitGateway(id.clone()),
            (AwsGateway::ExistingVgw(id), _) => EndpointKind::VpnGateway(id.clone()),
            (AwsGateway::ManagedVgw { .. }, AwsNetwork::Existing(id)) => {
                EndpointKind::Vpc(id.clone())
            }
            (AwsGateway::ManagedVgw { .. }, AwsNetwork::Create { cidr, .. }) => {
                EndpointKind::NewVpc(*cidr)
            }
            (AwsGateway::ManagedVgw { .. }, AwsNetwork::FromGateway) => return None,
        };
        Some(AwsEndpoint {
            region: aws.region.clone(),
            end,
        })
    }
}
