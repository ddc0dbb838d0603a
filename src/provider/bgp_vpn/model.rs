//! A configuration, or a planned state, as a wish of the domain.

use super::attribute_paths::attribute_path;
use crate::link::config::{Attr, Config, IpsecPolicyConfig, TunnelLogsConfig, VirtualNetworkConfig, VpcConfig};
use crate::link::tunnel::PerTunnel;
use crate::link::violation::AttributeId;
use crate::plugin::{Number, Value};
use crate::types::PreSharedKey;
use std::collections::BTreeMap;

/// Reads every field.
pub fn read_config(value: &Value) -> Config {
    let (azure, aws, policy) = (value.get("azure"), value.get("aws"), value.get("ipsec_policy"));
    let own_keys = value.get("preshared_keys_wo");
    Config {
        name: text(value.get("name")),
        group: text(azure.get("resource_group_name")),
        create_group: attr(azure.get("create_resource_group"), Value::as_bool),
        location: text(azure.get("location")),
        zones: list(azure.get("zones")),
        network_id: text(azure.get("virtual_network_id")),
        network: attr(azure.get("virtual_network"), |v| Some(read_virtual_network(v))),
        gateway_subnet_prefix: text(azure.get("gateway_subnet_prefix")),
        gateway_id: text(azure.get("gateway_id")),
        sku: text(azure.get("sku")),
        generation: text(azure.get("generation")),
        azure_asn: number(azure.get("asn")),
        connection_mode: text(azure.get("connection_mode")),
        azure_dpd_seconds: number(azure.get("dpd_timeout_seconds")),
        azure_names: texts(azure.get("names")),
        aws_names: texts(aws.get("names")),
        vpc_id: text(aws.get("vpc_id")),
        vpc: attr(aws.get("vpc"), |v| {
            Some(VpcConfig { cidr: text(v.get("cidr_block")), public_subnet: text(v.get("public_subnet_cidr_block")) })
        }),
        vpn_gateway_id: text(aws.get("vpn_gateway_id")),
        transit_gateway_id: text(aws.get("transit_gateway_id")),
        region: text(aws.get("region")),
        aws_asn: number(aws.get("asn")),
        route_tables: list(aws.get("route_table_ids")),
        startup_action: text(aws.get("startup_action")),
        dpd_action: text(aws.get("dpd_timeout_action")),
        aws_dpd_seconds: number(aws.get("dpd_timeout_seconds")),
        acceleration: attr(aws.get("enable_acceleration"), Value::as_bool),
        bandwidth: text(aws.get("tunnel_bandwidth")),
        key_storage: text(aws.get("preshared_key_storage")),
        logs: attr(aws.get("logs"), |v| {
            Some(TunnelLogsConfig {
                group: text(v.get("log_group_arn")),
                format: text(v.get("format")),
                bgp_group: text(v.get("bgp_log_group_arn")),
                bgp_format: text(v.get("bgp_format")),
            })
        }),
        slot: number(value.get("slot")),
        inside_cidrs: PerTunnel::from_fn(|key| text(value.get("inside_cidrs").get(&key.to_string()))),
        policy: IpsecPolicyConfig {
            preset: text(policy.get("preset")),
            ike_encryption: text(policy.get("ike_encryption")),
            ike_integrity: text(policy.get("ike_integrity")),
            dh_group: number(policy.get("dh_group")),
            ipsec_encryption: text(policy.get("ipsec_encryption")),
            ipsec_integrity: text(policy.get("ipsec_integrity")),
            pfs_group: number(policy.get("pfs_group")),
            ike_lifetime_seconds: number(policy.get("ike_lifetime_seconds")),
            ipsec_lifetime_seconds: number(policy.get("ipsec_lifetime_seconds")),
        },
        preshared_keys: PerTunnel::from_fn(|key| {
            attr(own_keys.get(&key.to_string()), |v| Some(PreSharedKey::parse(v.as_str().unwrap_or_default()).err()))
        }),
        preshared_keys_set: attr(own_keys, |_| Some(())),
        preshared_keys_version: number(value.get("preshared_keys_wo_version")),
        rotate_keys: text(value.get("rotate_keys")),
        on_create_failure: text(value.get("on_create_failure")),
        tags: attr(value.get("tags"), |v| Some(texts(v))),
        timeouts: texts(value.get("timeouts")),
        non_integers: non_integers(value),
    }
}

/// Numbers that no field can hold, with the fields.
fn non_integers(value: &Value) -> Vec<(AttributeId, String)> {
    let fields = [
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
    let read = |field: AttributeId| {
        let number = value.at(&attribute_path(&field)).as_number()?;
        number.as_i64().is_none().then(|| (field, number.to_string()))
    };
    fields.into_iter().filter_map(read).collect()
}

fn read_virtual_network(value: &Value) -> VirtualNetworkConfig {
    VirtualNetworkConfig {
        name: text(value.get("name")),
        address_space: list(value.get("address_space")),
        gateway_subnet_prefix: text(value.get("gateway_subnet_prefix")),
        subnets: attr(value.get("subnets"), |v| Some(texts(v))),
    }
}

fn attr<T>(value: &Value, read: impl FnOnce(&Value) -> Option<T>) -> Attr<T> {
    if !value.is_known() {
        return Attr::Unknown;
    }
    if value.is_null() {
        return Attr::Null;
    }
    read(value).map_or(Attr::Null, Attr::Known)
}

fn text(value: &Value) -> Attr<String> {
    attr(value, |v| v.as_str().map(str::to_owned))
}

fn number(value: &Value) -> Attr<i64> {
    match value.as_number().map(Number::as_i64) {
        Some(None) => Attr::Unknown,
        _ => attr(value, Value::as_i64),
    }
}

fn list(value: &Value) -> Attr<Vec<Attr<String>>> {
    attr(value, |v| Some(v.as_list()?.iter().map(text).collect()))
}

fn texts(value: &Value) -> BTreeMap<String, Attr<String>> {
    let entries = value.as_map().into_iter().flatten();
    entries.map(|(name, value)| (name.clone(), text(value))).collect()
}
