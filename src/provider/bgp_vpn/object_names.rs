//! Names of the cloud objects: the attributes of `azure.names` and `aws.names`, and the names behind
//! them.

use super::schema::{AWS_NAMES, AZURE_NAMES};
use bgp_vpn::config::{Attr, Config};
use bgp_vpn::names::{AwsNames, AzureNames};
use bgp_vpn::tunnel::PerInstance;

/// Azure's names of a plan or state; those of the link's name where there are none.
pub fn azure_names(state: &Config, link: &str) -> AzureNames {
    let mut names = AzureNames::of(link);
    let given = &state.azure_names;
    let name = |attribute: String, default: &String| {
        let name = given.get(&attribute).and_then(Attr::known);
        name.unwrap_or(default).clone()
    };
    names.gateway = name("gateway".into(), &names.gateway);
    names.public_ips =
        PerInstance::from_fn(|i| name(format!("public_ip_{i}"), names.public_ips.get(i)));
    names.local_gateways = names
        .local_gateways
        .map(|key, default| name(format!("local_gateway_{key}"), default));
    names.connections = names
        .connections
        .map(|key, default| name(format!("connection_{key}"), default));
    debug_assert!(
        AZURE_NAMES
            .iter()
            .all(|(attribute, _)| azure_name(&names, attribute).is_some())
    );
    names
}

pub fn aws_names(state: &Config, link: &str) -> AwsNames {
    let default = AwsNames::of(link);
    let given = &state.aws_names;
    let name = |attribute: String, default: &String| {
        let name = given.get(&attribute).and_then(Attr::known);
        name.unwrap_or(default).clone()
    };
    debug_assert!(
        AWS_NAMES
            .iter()
            .all(|(attribute, _)| aws_name(&default, attribute).is_some())
    );
    AwsNames {
        vpn_gateway: name("vpn_gateway".into(), &default.vpn_gateway),
        customer_gateways: PerInstance::from_fn(|i| {
            name(
                format!("customer_gateway_{i}"),
                default.customer_gateways.get(i),
            )
        }),
        vpn_connections: PerInstance::from_fn(|i| {
            name(
                format!("vpn_connection_{i}"),
                default.vpn_connections.get(i),
            )
        }),
        vpc: name("vpc".into(), &default.vpc),
        internet_gateway: name("internet_gateway".into(), &default.internet_gateway),
        public_subnet: name("public_subnet".into(), &default.public_subnet),
        public_route_table: name("public_route_table".into(), &default.public_route_table),
    }
}

/// The name behind an attribute of `azure.names`.
pub fn azure_name<'a>(names: &'a AzureNames, attribute: &str) -> Option<&'a String> {
    if attribute == "gateway" {
        return Some(&names.gateway);
    }
    let tables = [
        ("local_gateway_", &names.local_gateways),
        ("connection_", &names.connections),
    ];
    for (prefix, table) in tables {
        if let Some(key) = attribute.strip_prefix(prefix) {
            return key.parse().ok().map(|key| table.get(key));
        }
    }
    let instance = attribute.strip_prefix("public_ip_")?;
    names
        .public_ips
        .iter()
        .find(|(i, _)| i.to_string() == instance)
        .map(|(_, name)| name)
}

/// The name behind an attribute of `aws.names`.
pub fn aws_name<'a>(names: &'a AwsNames, attribute: &str) -> Option<&'a String> {
    let single = match attribute {
        "vpn_gateway" => Some(&names.vpn_gateway),
        "vpc" => Some(&names.vpc),
        "internet_gateway" => Some(&names.internet_gateway),
        "public_subnet" => Some(&names.public_subnet),
        "public_route_table" => Some(&names.public_route_table),
        _ => None,
    };
    let tables = [
        ("customer_gateway_", &names.customer_gateways),
        ("vpn_connection_", &names.vpn_connections),
    ];
    single.or_else(|| {
        let (instance, table) = tables
            .iter()
            .find_map(|(prefix, table)| Some((attribute.strip_prefix(prefix)?, table)))?;
        table
            .iter()
            .find(|(i, _)| i.to_string() == instance)
            .map(|(_, name)| name)
    })
}
