//! What a user wrote, field by field, before anything is filled in: each field may be left out or not known yet.

use super::fault::Field;
use super::tunnel::PerTunnel;
use std::collections::BTreeMap;

/// One field of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Given<T> {
    /// Not configured.
    #[default]
    Absent,
    /// Configured with something that only apply will know. It may turn out to be nothing.
    Unknown,
    Is(T),
}

impl<T> Given<T> {
    pub fn known(&self) -> Option<&T> {
        match self {
            Given::Is(value) => Some(value),
            _ => None,
        }
    }

    pub fn is_absent(&self) -> bool {
        matches!(self, Given::Absent)
    }
}

/// A configuration or, since it has the same fields, a planned link.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    pub name: Given<String>,
    pub group: Given<String>,
    pub create_group: Given<bool>,
    pub location: Given<String>,
    pub zones: Given<Vec<Given<String>>>,
    pub network_id: Given<String>,
    pub network: Given<NetworkWish>,
    pub gateway_subnet_prefix: Given<String>,
    pub gateway_id: Given<String>,
    pub sku: Given<String>,
    pub generation: Given<String>,
    pub azure_asn: Given<i64>,
    pub connection_mode: Given<String>,
    pub azure_dpd_seconds: Given<i64>,
    /// By attribute name.
    pub azure_names: BTreeMap<String, Given<String>>,
    /// By attribute name.
    pub aws_names: BTreeMap<String, Given<String>>,
    pub vpc_id: Given<String>,
    pub vpc: Given<VpcWish>,
    pub vpn_gateway_id: Given<String>,
    pub transit_gateway_id: Given<String>,
    pub region: Given<String>,
    pub aws_asn: Given<i64>,
    pub route_tables: Given<Vec<Given<String>>>,
    pub startup_action: Given<String>,
    pub dpd_action: Given<String>,
    pub aws_dpd_seconds: Given<i64>,
    pub key_storage: Given<String>,
    pub acceleration: Given<bool>,
    pub bandwidth: Given<String>,
    pub logs: Given<LogsWish>,
    pub slot: Given<i64>,
    pub inside_cidrs: PerTunnel<Given<String>>,
    pub policy: PolicyWish,
    pub own_keys: PerTunnel<Given<Option<crate::primitives::KeyFault>>>,
    pub own_keys_given: Given<()>,
    pub own_keys_version: Given<i64>,
    pub rotate_keys: Given<String>,
    pub on_create_failure: Given<String>,
    pub tags: Given<BTreeMap<String, Given<String>>>,
    /// By attribute name.
    pub timeouts: BTreeMap<String, Given<String>>,
    /// Numbers that are no whole numbers of 64 bits, as written. Their own fields count as unknown.
    pub not_whole: Vec<(Field, String)>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkWish {
    pub name: Given<String>,
    pub address_space: Given<Vec<Given<String>>>,
    pub gateway_subnet_prefix: Given<String>,
    pub subnets: Given<BTreeMap<String, Given<String>>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VpcWish {
    pub cidr: Given<String>,
    pub public_subnet: Given<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogsWish {
    pub group: Given<String>,
    pub format: Given<String>,
    pub bgp_group: Given<String>,
    pub bgp_format: Given<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyWish {
    pub preset: Given<String>,
    pub ike_encryption: Given<String>,
    pub ike_integrity: Given<String>,
    pub dh_group: Given<i64>,
    pub ipsec_encryption: Given<String>,
    pub ipsec_integrity: Given<String>,
    pub pfs_group: Given<i64>,
    pub ike_lifetime_seconds: Given<i64>,
    pub ipsec_lifetime_seconds: Given<i64>,
}
