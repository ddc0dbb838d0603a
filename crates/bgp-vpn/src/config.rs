//! What a user wrote, field by field, before anything is filled in: each field may be left out or not known yet.

use super::tunnel::PerTunnel;
use super::violation::AttributeId;
use std::collections::BTreeMap;

/// One field of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Attr<T> {
    /// Not configured.
    #[default]
    Null,
    /// Configured with something that only apply will know. It may turn out to be nothing.
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
    pub region: Attr<String>,
    pub aws_asn: Attr<i64>,
    pub route_tables: Attr<Vec<Attr<String>>>,
    pub startup_action: Attr<String>,
    pub dpd_action: Attr<String>,
    pub aws_dpd_seconds: Attr<i64>,
    pub key_storage: Attr<String>,
    pub acceleration: Attr<bool>,
    pub bandwidth: Attr<String>,
    pub logs: Attr<TunnelLogsConfig>,
    pub slot: Attr<i64>,
    pub inside_cidrs: PerTunnel<Attr<String>>,
    pub policy: IpsecPolicyConfig,
    pub preshared_keys: PerTunnel<Attr<Option<crate::types::PskError>>>,
    pub preshared_keys_set: Attr<()>,
    pub preshared_keys_version: Attr<i64>,
    pub rotate_keys: Attr<String>,
    pub on_create_failure: Attr<String>,
    pub tags: Attr<BTreeMap<String, Attr<String>>>,
    /// By attribute name.
    pub timeouts: BTreeMap<String, Attr<String>>,
    /// Numbers that are no whole numbers of 64 bits, as written. Their own fields count as unknown.
    pub non_integers: Vec<(AttributeId, String)>,
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
