//! What a user wrote, field by field, before anything is filled in: each field may be left out or
//! not known yet.
//!
//! This is the only place that reads attributes by name. Where each of them is in a configuration,
//! the source knows.

use super::tunnel::{PerTunnel, TunnelKey};
use crate::types::{PreSharedKey, PskError};
use std::collections::BTreeMap;

/// One field of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Attr<T> {
    /// Not configured.
    #[default]
    Null,
    /// Configured with something that only apply will know. It may be null.
    Unknown,
    Known(T),
}

impl<T> Attr<T> {
    pub fn known(&self) -> Option<&T> {
        match self {
            Attr::Known(value) => Some(value),
            _ => None,
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Attr::Null)
    }

    pub fn is_unknown(&self) -> bool {
        matches!(self, Attr::Unknown)
    }

    /// Whether there is a known value.
    pub fn is_set(&self) -> bool {
        matches!(self, Attr::Known(_))
    }

    pub fn as_ref(&self) -> Attr<&T> {
        match self {
            Attr::Null => Attr::Null,
            Attr::Unknown => Attr::Unknown,
            Attr::Known(value) => Attr::Known(value),
        }
    }

    /// An attribute of an object: null or unknown where the object is.
    pub fn and_then<U>(self, read: impl FnOnce(T) -> Attr<U>) -> Attr<U> {
        match self {
            Attr::Null => Attr::Null,
            Attr::Unknown => Attr::Unknown,
            Attr::Known(value) => read(value),
        }
    }

    /// The same with another known value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Attr<U> {
        match self {
            Attr::Null => Attr::Null,
            Attr::Unknown => Attr::Unknown,
            Attr::Known(value) => Attr::Known(change(value)),
        }
    }
}

/// An attribute, independent of its name in a configuration. Violations are about one of these.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AttributeId {
    Name,
    ResourceGroup,
    CreateGroup,
    Location,
    Zones,
    NetworkId,
    /// The VNet to be created, with all that is said of it.
    Network,
    NetworkName,
    AddressSpace,
    /// Of the VNet to be created.
    NetworkGatewaySubnet,
    /// Of an existing VNet.
    GatewaySubnet,
    /// The further subnets.
    Subnets,
    /// A further subnet, by name.
    Subnet(String),
    AzureGateway,
    Sku,
    Generation,
    AzureAsn,
    ConnectionMode,
    AzureDpdSeconds,
    AzureNames,
    AzureName(String),
    AwsNames,
    AwsName(String),
    VpcId,
    /// The VPC to be created, with all that is said of it.
    Vpc,
    VpcCidr,
    PublicSubnet,
    VpnGateway,
    TransitGateway,
    TransitAssociation,
    TransitPropagations,
    Region,
    AwsAsn,
    RouteTables,
    StartupAction,
    DpdAction,
    AwsDpdSeconds,
    KeyStorage,
    LifecycleControl,
    Acceleration,
    Bandwidth,
    TunnelLogs,
    Logs(&'static str),
    Slot,
    InsideCidr(TunnelKey),
    /// The IPsec policy, with all that is said of it.
    IpsecPolicy,
    Policy(&'static str),
    PresharedKey(TunnelKey),
    PresharedKeys,
    PresharedKeysVersion,
    WaitForBgp,
    RotateKeys,
    OnCreateFailure,
    Tag(String),
    Tags,
    Timeouts,
    Timeout(String),
    ManageGateways,
    AllowOverlap,
}

/// Where the values of attributes are: a configuration, a plan or a state.
pub trait AttributeSource {
    /// A text, as something else.
    fn parse<T>(&self, attribute: &AttributeId, parse: impl FnOnce(&str) -> T) -> Attr<T>;
    /// A 64-bit integer. Any other number counts as unknown.
    fn number(&self, attribute: &AttributeId) -> Attr<i64>;
    fn flag(&self, attribute: &AttributeId) -> Attr<bool>;
    fn texts(&self, attribute: &AttributeId) -> Attr<Vec<Attr<String>>>;
    /// Texts by key, or by the name of an attribute.
    fn text_map(&self, attribute: &AttributeId) -> Attr<BTreeMap<String, Attr<String>>>;
    /// Whether an object is there.
    fn object(&self, attribute: &AttributeId) -> Attr<()>;
    /// A number that is not a 64-bit integer, as written.
    fn non_integer(&self, attribute: &AttributeId) -> Option<String>;

    fn text(&self, attribute: &AttributeId) -> Attr<String> {
        self.parse(attribute, str::to_owned)
    }
}

/// A configuration or, since it has the same fields, a planned link.
#[derive(Clone, Debug, Default)]
pub struct Config {
    pub name: Attr<String>,
    pub group: Attr<String>,
    pub create_group: Attr<bool>,
    pub location: Attr<String>,
    pub zones: Attr<Vec<Attr<String>>>,
    pub network_id: Attr<String>,
    pub network: Attr<VirtualNetworkConfig>,
    pub gateway_subnet_prefix: Attr<String>,
    pub gateway_id: Attr<String>,
    pub sku: Attr<String>,
    pub generation: Attr<String>,
    pub azure_asn: Attr<i64>,
    pub connection_mode: Attr<String>,
    pub azure_dpd_seconds: Attr<i64>,
    /// By attribute name.
    pub azure_names: BTreeMap<String, Attr<String>>,
    /// By attribute name.
    pub aws_names: BTreeMap<String, Attr<String>>,
    pub vpc_id: Attr<String>,
    pub vpc: Attr<VpcConfig>,
    pub vpn_gateway_id: Attr<String>,
    pub transit_gateway_id: Attr<String>,
    pub transit_association: Attr<String>,
    pub transit_propagations: Attr<Vec<Attr<String>>>,
    pub region: Attr<String>,
    pub aws_asn: Attr<i64>,
    pub route_tables: Attr<Vec<Attr<String>>>,
    pub startup_action: Attr<String>,
    pub dpd_action: Attr<String>,
    pub aws_dpd_seconds: Attr<i64>,
    pub key_storage: Attr<String>,
    pub tunnel_lifecycle_control: Attr<bool>,
    pub acceleration: Attr<bool>,
    pub bandwidth: Attr<String>,
    pub logs: Attr<TunnelLogsConfig>,
    pub slot: Attr<i64>,
    pub inside_cidrs: PerTunnel<Attr<String>>,
    pub policy: Attr<IpsecPolicyConfig>,
    pub preshared_keys: PerTunnel<Attr<Option<PskError>>>,
    pub preshared_keys_set: Attr<()>,
    pub preshared_keys_version: Attr<i64>,
    pub wait_for_bgp: Attr<bool>,
    pub rotate_keys: Attr<String>,
    pub on_create_failure: Attr<String>,
    pub tags: Attr<BTreeMap<String, Attr<String>>>,
    pub manage_gateways: Attr<bool>,
    pub allow_overlapping_prefixes: Attr<bool>,
    /// By attribute name.
    pub timeouts: BTreeMap<String, Attr<String>>,
    /// Numbers that are not 64-bit integers, as written. Their own fields count as unknown.
    pub non_integers: Vec<(AttributeId, String)>,
}

/// Attributes that hold integers.
const INTEGERS: [AttributeId; 10] = [
    AttributeId::AzureAsn,
    AttributeId::AzureDpdSeconds,
    AttributeId::AwsAsn,
    AttributeId::AwsDpdSeconds,
    AttributeId::Slot,
    AttributeId::PresharedKeysVersion,
    AttributeId::Policy("dh_group"),
    AttributeId::Policy("pfs_group"),
    AttributeId::Policy("ike_lifetime_seconds"),
    AttributeId::Policy("ipsec_lifetime_seconds"),
];

impl Config {
    /// Reads every field.
    pub fn read(source: &impl AttributeSource) -> Self {
        use AttributeId as Id;
        let text = |attribute: Id| source.text(&attribute);
        let number = |attribute: Id| source.number(&attribute);
        let flag = |attribute: Id| source.flag(&attribute);
        let texts = |attribute: Id| source.texts(&attribute);
        let by_name = |attribute: Id| {
            source
                .text_map(&attribute)
                .known()
                .cloned()
                .unwrap_or_default()
        };
        let own_key = |key: TunnelKey| {
            source.parse(&Id::PresharedKey(key), |text| {
                PreSharedKey::parse(text).err()
            })
        };
        let non_integer = |attribute: Id| {
            source
                .non_integer(&attribute)
                .map(|written| (attribute, written))
        };
        Config {
            name: text(Id::Name),
            group: text(Id::ResourceGroup),
            create_group: flag(Id::CreateGroup),
            location: text(Id::Location),
            zones: texts(Id::Zones),
            network_id: text(Id::NetworkId),
            network: source
                .object(&Id::Network)
                .map(|()| VirtualNetworkConfig::read(source)),
            gateway_subnet_prefix: text(Id::GatewaySubnet),
            gateway_id: text(Id::AzureGateway),
            sku: text(Id::Sku),
            generation: text(Id::Generation),
            azure_asn: number(Id::AzureAsn),
            connection_mode: text(Id::ConnectionMode),
            azure_dpd_seconds: number(Id::AzureDpdSeconds),
            azure_names: by_name(Id::AzureNames),
            aws_names: by_name(Id::AwsNames),
            vpc_id: text(Id::VpcId),
            vpc: source.object(&Id::Vpc).map(|()| VpcConfig {
                cidr: text(Id::VpcCidr),
                public_subnet: text(Id::PublicSubnet),
            }),
            vpn_gateway_id: text(Id::VpnGateway),
            transit_gateway_id: text(Id::TransitGateway),
            transit_association: text(Id::TransitAssociation),
            transit_propagations: texts(Id::TransitPropagations),
            region: text(Id::Region),
            aws_asn: number(Id::AwsAsn),
            route_tables: texts(Id::RouteTables),
            startup_action: text(Id::StartupAction),
            dpd_action: text(Id::DpdAction),
            aws_dpd_seconds: number(Id::AwsDpdSeconds),
            key_storage: text(Id::KeyStorage),
            tunnel_lifecycle_control: flag(Id::LifecycleControl),
            acceleration: flag(Id::Acceleration),
            bandwidth: text(Id::Bandwidth),
            logs: source.object(&Id::TunnelLogs).map(|()| TunnelLogsConfig {
                group: text(Id::Logs("log_group_arn")),
                format: text(Id::Logs("format")),
                bgp_group: text(Id::Logs("bgp_log_group_arn")),
                bgp_format: text(Id::Logs("bgp_format")),
            }),
            slot: number(Id::Slot),
            inside_cidrs: PerTunnel::from_fn(|key| text(Id::InsideCidr(key))),
            policy: source.object(&Id::IpsecPolicy).map(|()| IpsecPolicyConfig {
                preset: text(Id::Policy("preset")),
                ike_encryption: text(Id::Policy("ike_encryption")),
                ike_integrity: text(Id::Policy("ike_integrity")),
                dh_group: number(Id::Policy("dh_group")),
                ipsec_encryption: text(Id::Policy("ipsec_encryption")),
                ipsec_integrity: text(Id::Policy("ipsec_integrity")),
                pfs_group: number(Id::Policy("pfs_group")),
                ike_lifetime_seconds: number(Id::Policy("ike_lifetime_seconds")),
                ipsec_lifetime_seconds: number(Id::Policy("ipsec_lifetime_seconds")),
            }),
            preshared_keys: PerTunnel::from_fn(own_key),
            preshared_keys_set: source.object(&Id::PresharedKeys),
            preshared_keys_version: number(Id::PresharedKeysVersion),
            wait_for_bgp: flag(Id::WaitForBgp),
            rotate_keys: text(Id::RotateKeys),
            on_create_failure: text(Id::OnCreateFailure),
            tags: source.text_map(&Id::Tags),
            manage_gateways: flag(Id::ManageGateways),
            allow_overlapping_prefixes: flag(Id::AllowOverlap),
            timeouts: by_name(Id::Timeouts),
            non_integers: INTEGERS.into_iter().filter_map(non_integer).collect(),
        }
    }
}

impl Config {
    /// The range of the VPC to create.
    pub fn vpc_cidr(&self) -> Attr<&String> {
        self.vpc.as_ref().and_then(|vpc| vpc.cidr.as_ref())
    }

    /// The range of the public subnet to create.
    pub fn public_subnet(&self) -> Attr<&String> {
        self.vpc.as_ref().and_then(|vpc| vpc.public_subnet.as_ref())
    }

    /// The name of the VNet to create.
    pub fn network_name(&self) -> Attr<&String> {
        self.network
            .as_ref()
            .and_then(|network| network.name.as_ref())
    }
}

impl VirtualNetworkConfig {
    fn read(source: &impl AttributeSource) -> Self {
        VirtualNetworkConfig {
            name: source.text(&AttributeId::NetworkName),
            address_space: source.texts(&AttributeId::AddressSpace),
            gateway_subnet_prefix: source.text(&AttributeId::NetworkGatewaySubnet),
            subnets: source.text_map(&AttributeId::Subnets),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VirtualNetworkConfig {
    pub name: Attr<String>,
    pub address_space: Attr<Vec<Attr<String>>>,
    pub gateway_subnet_prefix: Attr<String>,
    pub subnets: Attr<BTreeMap<String, Attr<String>>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VpcConfig {
    pub cidr: Attr<String>,
    pub public_subnet: Attr<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TunnelLogsConfig {
    pub group: Attr<String>,
    pub format: Attr<String>,
    pub bgp_group: Attr<String>,
    pub bgp_format: Attr<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IpsecPolicyConfig {
    pub preset: Attr<String>,
    pub ike_encryption: Attr<String>,
    pub ike_integrity: Attr<String>,
    pub dh_group: Attr<i64>,
    pub ipsec_encryption: Attr<String>,
    pub ipsec_integrity: Attr<String>,
    pub pfs_group: Attr<i64>,
    pub ike_lifetime_seconds: Attr<i64>,
    pub ipsec_lifetime_seconds: Attr<i64>,
}

impl IpsecPolicyConfig {
    /// Whether it is that of an imported link which cannot be written as one policy: nothing is set.
    pub fn is_unmanaged(&self) -> bool {
        self.preset.is_null() && self.has_no_parameters()
    }

    /// Whether only the preset is set, or nothing.
    pub fn has_no_parameters(&self) -> bool {
        let texts = [
            &self.ike_encryption,
            &self.ike_integrity,
            &self.ipsec_encryption,
            &self.ipsec_integrity,
        ];
        let numbers = [
            &self.dh_group,
            &self.pfs_group,
            &self.ike_lifetime_seconds,
            &self.ipsec_lifetime_seconds,
        ];
        texts.into_iter().all(Attr::is_null) && numbers.into_iter().all(Attr::is_null)
    }
}
