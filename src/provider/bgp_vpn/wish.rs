//! A configuration, or a planned state, as a wish of the domain.

use super::paths::path;
use crate::link::fault::Field;
use crate::link::tunnel::PerTunnel;
use crate::link::wish::{Given, LogsWish, NetworkWish, PolicyWish, VpcWish, Wish};
use crate::plugin::{Number, Value};
use crate::primitives::SharedKey;
use std::collections::BTreeMap;

/// Reads every field.
pub fn wish(value: &Value) -> Wish {
    let (azure, aws, policy) = (value.get("azure"), value.get("aws"), value.get("ipsec_policy"));
    let own_keys = value.get("preshared_keys_wo");
    Wish {
        name: text(value.get("name")),
        group: text(azure.get("resource_group_name")),
        create_group: given(azure.get("create_resource_group"), Value::as_bool),
        location: text(azure.get("location")),
        zones: list(azure.get("zones")),
        network_id: text(azure.get("virtual_network_id")),
        network: given(azure.get("virtual_network"), |v| Some(network(v))),
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
        vpc: given(aws.get("vpc"), |v| {
            Some(VpcWish { cidr: text(v.get("cidr_block")), public_subnet: text(v.get("public_subnet_cidr_block")) })
        }),
        vpn_gateway_id: text(aws.get("vpn_gateway_id")),
        transit_gateway_id: text(aws.get("transit_gateway_id")),
        region: text(aws.get("region")),
        aws_asn: number(aws.get("asn")),
        route_tables: list(aws.get("route_table_ids")),
        startup_action: text(aws.get("startup_action")),
        dpd_action: text(aws.get("dpd_timeout_action")),
        aws_dpd_seconds: number(aws.get("dpd_timeout_seconds")),
        acceleration: given(aws.get("enable_acceleration"), Value::as_bool),
        bandwidth: text(aws.get("tunnel_bandwidth")),
        key_storage: text(aws.get("preshared_key_storage")),
        logs: given(aws.get("logs"), |v| {
            Some(LogsWish {
                group: text(v.get("log_group_arn")),
                format: text(v.get("format")),
                bgp_group: text(v.get("bgp_log_group_arn")),
                bgp_format: text(v.get("bgp_format")),
            })
        }),
        slot: number(value.get("slot")),
        inside_cidrs: PerTunnel::from_fn(|key| text(value.get("inside_cidrs").get(&key.to_string()))),
        policy: PolicyWish {
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
        own_keys: PerTunnel::from_fn(|key| {
            given(own_keys.get(&key.to_string()), |v| Some(SharedKey::parse(v.as_str().unwrap_or_default()).err()))
        }),
        own_keys_given: given(own_keys, |_| Some(())),
        own_keys_version: number(value.get("preshared_keys_wo_version")),
        rotate_keys: text(value.get("rotate_keys")),
        on_create_failure: text(value.get("on_create_failure")),
        tags: given(value.get("tags"), |v| Some(texts(v))),
        timeouts: texts(value.get("timeouts")),
        not_whole: not_whole(value),
    }
}

/// Numbers that no field can hold, with the fields.
fn not_whole(value: &Value) -> Vec<(Field, String)> {
    let fields = [
        Field::AzureAsn,
        Field::AzureDpdSeconds,
        Field::AwsAsn,
        Field::AwsDpdSeconds,
        Field::Slot,
        Field::OwnKeysVersion,
        Field::Policy("dh_group"),
        Field::Policy("pfs_group"),
        Field::Policy("ike_lifetime_seconds"),
        Field::Policy("ipsec_lifetime_seconds"),
    ];
    let read = |field: Field| {
        let number = value.at(&path(&field)).as_number()?;
        number.as_i64().is_none().then(|| (field, number.to_string()))
    };
    fields.into_iter().filter_map(read).collect()
}

fn network(value: &Value) -> NetworkWish {
    NetworkWish {
        name: text(value.get("name")),
        address_space: list(value.get("address_space")),
        gateway_subnet_prefix: text(value.get("gateway_subnet_prefix")),
        subnets: given(value.get("subnets"), |v| Some(texts(v))),
    }
}

fn given<T>(value: &Value, read: impl FnOnce(&Value) -> Option<T>) -> Given<T> {
    if !value.is_known() {
        return Given::Unknown;
    }
    if value.is_null() {
        return Given::Absent;
    }
    read(value).map_or(Given::Absent, Given::Is)
}

fn text(value: &Value) -> Given<String> {
    given(value, |v| v.as_str().map(str::to_owned))
}

fn number(value: &Value) -> Given<i64> {
    match value.as_number().map(Number::as_i64) {
        Some(None) => Given::Unknown,
        _ => given(value, Value::as_i64),
    }
}

fn list(value: &Value) -> Given<Vec<Given<String>>> {
    given(value, |v| Some(v.as_list()?.iter().map(text).collect()))
}

fn texts(value: &Value) -> BTreeMap<String, Given<String>> {
    let entries = value.as_map().into_iter().flatten();
    entries.map(|(name, value)| (name.clone(), text(value))).collect()
}
