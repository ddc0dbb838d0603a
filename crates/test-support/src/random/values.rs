//! Plausible and wrong values for every attribute that may be configured. An attribute without
//! values here fails the tests: a new one needs its values here.

use super::environment::{AWS_ASN, AZURE_ASN, Environment, REGION, Style};
use super::rng::Rng;
use terraform_plugin::{Number, Type, Value};

fn texts(words: &[&str]) -> Vec<Value> {
    words.iter().map(|word| Value::from(*word)).collect()
}

fn numbers(numbers: &[u32]) -> Vec<Value> {
    numbers.iter().map(|number| Value::from(*number)).collect()
}

/// What says where a link is: decided by the site and the style, not attribute by attribute. None
/// for all else.
pub fn place(path: &str, environment: &Environment, style: Style, rng: &mut Rng) -> Option<Value> {
    let made = matches!(style, Style::Made | Style::AllMade);
    let own_network = matches!(style, Style::Networks | Style::Transit);
    let either = |is: bool, value: Value| if is { value } else { Value::Null };
    let azure = Environment::azure_range(environment.number);
    Some(match path {
        "name" => rng
            .pick(&[environment.name(), format!("{}-b", environment.name())])
            .clone()
            .into(),
        "azure.resource_group_name" => match style {
            Style::AllMade => format!("Made{}", environment.number).into(),
            _ => rng
                .pick(&[
                    environment.group.to_owned(),
                    environment.group.to_lowercase(),
                ])
                .clone()
                .into(),
        },
        "azure.create_resource_group" if style == Style::AllMade => true.into(),
        "azure.create_resource_group" => rng.pick(&[Value::Null, false.into()]).clone(),
        "azure.location" if style == Style::AllMade => {
            rng.pick(&texts(&["eastus", "East US"])).clone()
        }
        "azure.location" => rng
            .pick(&[Value::Null, "eastus".into(), "East US".into()])
            .clone(),
        "azure.virtual_network_id" => either(own_network, environment.network.clone().into()),
        "azure.gateway_subnet_prefix" => either(
            own_network && !environment.has_gateway_subnet,
            format!("{azure}.0/27").into(),
        ),
        "azure.virtual_network" if !made => Value::Null,
        "azure.virtual_network.name" => format!("vnet-{}", environment.number).into(),
        "azure.virtual_network.address_space" => {
            let (start, third) = azure.rsplit_once('.').unwrap();
            Value::list([format!("{start}.{third}.0/18")])
        }
        "azure.virtual_network.gateway_subnet_prefix" => format!("{azure}.0/27").into(),
        "azure.virtual_network.subnets" => rng
            .pick(&[
                Value::Null,
                Value::map([("front", format!("{azure}.64/27"))]),
                Value::Map(Default::default()),
            ])
            .clone(),
        "azure.gateway_id" => {
            let gateway = environment
                .gateways
                .as_ref()
                .map(|(azure, _)| azure.clone());
            either(style == Style::Gateways, gateway.into())
        }
        // The region decides: a configured value is rejected where gateway_id names the gateway,
        // the link's own included.
        "azure.zones" => Value::Null,
        "aws.vpc_id" => either(style == Style::Networks, environment.vpc.clone().into()),
        "aws.vpc" if !made => Value::Null,
        "aws.vpc.cidr_block" => rng
            .pick(&texts(&["172.21.0.0/16", "172.21.0.0/16", "172.22.0.0/20"]))
            .clone(),
        "aws.vpc.public_subnet_cidr_block" => Value::Null,
        "aws.vpn_gateway_id" => {
            let gateway = environment.gateways.as_ref().map(|(_, aws)| aws.clone());
            either(style == Style::Gateways, gateway.into())
        }
        "aws.transit_gateway_id" => either(
            style == Style::Transit,
            environment.transit_gateway.clone().into(),
        ),
        "aws.region" => rng.pick(&[Value::Null, Value::Null, REGION.into()]).clone(),
        "aws.route_table_ids" => match style {
            Style::Transit => Value::Null,
            Style::Networks => rng
                .pick(&[
                    Value::Null,
                    Value::Set(Vec::new()),
                    Value::set_of([environment.main_table.clone()]),
                ])
                .clone(),
            _ => rng.pick(&[Value::Null, Value::Set(Vec::new())]).clone(),
        },
        // The environment has no route table of its transit gateway.
        "aws.transit_gateway_association_route_table_id"
        | "aws.transit_gateway_propagation_route_table_ids" => Value::Null,
        "manage_gateways" => Value::Null,
        _ => return None,
    })
}

/// Good values of an attribute.
pub fn good(path: &str, environment: &Environment, style: Style) -> Vec<Value> {
    let (given, transit) = (style == Style::Gateways, style == Style::Transit);
    let tunnel = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
    match path {
        "azure.sku" if given => texts(&["VpnGw2AZ"]),
        "azure.sku" => texts(&["VpnGw2AZ", "VpnGw3AZ"]),
        "azure.generation" => texts(&["Generation2"]),
        "azure.asn" if given => numbers(&[AZURE_ASN]),
        "azure.asn" => numbers(&[65_000, 65_010, 65_515, 4_200_000_001]),
        "azure.connection_mode" => texts(&["Default", "ResponderOnly", "InitiatorOnly"]),
        "azure.dpd_timeout_seconds" => numbers(&[45, 9, 60, 3_600]),
        "aws.asn" if given || transit => numbers(&[AWS_ASN]),
        "aws.asn" => numbers(&[64_512, 64_600, 4_200_000_100]),
        "aws.startup_action" => texts(&["start"]),
        "aws.dpd_timeout_action" => texts(&["restart"]),
        "aws.dpd_timeout_seconds" => numbers(&[30, 40, 600]),
        "aws.tunnel_lifecycle_control" => vec![false.into(), true.into()],
        "aws.enable_acceleration" => vec![false.into(), transit.into()],
        "aws.tunnel_bandwidth" => texts(&["standard", if transit { "large" } else { "standard" }]),
        "aws.preshared_key_storage" => texts(&["Standard", "SecretsManager"]),
        "aws.logs.log_group_arn" | "aws.logs.bgp_log_group_arn" => texts(&[
            "arn:aws:logs:us-east-1:123456789012:log-group:vpn",
            "arn:aws:logs:us-east-1:123456789012:log-group:/vpn/link-1",
        ]),
        "aws.logs.format" | "aws.logs.bgp_format" => texts(&["json", "text"]),
        "slot" => numbers(&[0, 0, 1, 7, 20]),
        "inside_cidrs.instance0_tunnel1" => texts(&["169.254.21.240/30", "169.254.22.248/30"]),
        "inside_cidrs.instance0_tunnel2" => texts(&["169.254.22.240/30"]),
        "inside_cidrs.instance1_tunnel1" => texts(&["169.254.21.244/30"]),
        "inside_cidrs.instance1_tunnel2" => texts(&["169.254.22.244/30", "169.254.21.252/30"]),
        "ipsec_policy.preset" => texts(&["strong", "compatible", "cloud_default"]),
        "ipsec_policy.ike_encryption" => {
            texts(&["AES128", "AES256", "AES128-GCM-16", "AES256-GCM-16"])
        }
        "ipsec_policy.ike_integrity" => texts(&["SHA1", "SHA2-256", "SHA2-384"]),
        "ipsec_policy.ipsec_encryption" => texts(&["AES256", "AES128-GCM-16", "AES256-GCM-16"]),
        "ipsec_policy.ipsec_integrity" => texts(&["SHA1", "SHA2-256"]),
        "ipsec_policy.dh_group" | "ipsec_policy.pfs_group" => numbers(&[14, 19, 20, 24]),
        "ipsec_policy.ike_lifetime_seconds" => numbers(&[28_800, 7_200]),
        "ipsec_policy.ipsec_lifetime_seconds" => numbers(&[3_600, 900]),
        "preshared_keys_wo_version" => numbers(&[1, 2]),
        "wait_for_bgp" | "allow_overlapping_prefixes" => vec![true.into(), false.into()],
        "rotate_keys" => texts(&["2026-10", "2026-11"]),
        "on_create_failure" => texts(&["keep", "rollback"]),
        "tags" => {
            vec![
                Value::map([("team", "net"), ("cost center", "Größe 1")]),
                Value::map([("a", "")]),
                Value::Map(Default::default()),
            ]
        }
        path if path.starts_with("timeouts.") => texts(&["90m", "2h30m"]),
        path if path.starts_with("preshared_keys_wo.") => {
            texts(&["Qd3k_Zr7.Wm2x_Pt9", "abcdefgh.1234_5678"])
        }
        path if path.starts_with("azure.names.") || path.starts_with("aws.names.") => {
            vec![format!("{}-{}", environment.name(), tunnel(path).replace('_', ".")).into()]
        }
        // Decided by the site, or right where it is.
        _ => panic!("no values for the attribute {path}: add some to random/values.rs"),
    }
}

/// Wrong or odd values of a type.
pub fn wrong(ty: &Type, rng: &mut Rng) -> Value {
    let number = |text: &str| Value::Number(Number::parse(text).unwrap());
    match ty {
        Type::String => {
            let long = "x".repeat(300);
            rng.pick(&[
                "",
                "none of these",
                "/",
                "vpc-",
                "10.0.0.0/33",
                "10.0.0.1/16",
                "0",
                long.as_str(),
                "äöü\u{0}",
            ])
            .to_string()
            .into()
        }
        Type::Number => {
            let texts = [
                "-1",
                "0",
                "0.5",
                "65535",
                "4294967295",
                "4294967296",
                "1e30",
                "-9223372036854775809",
            ];
            number(texts[rng.below(texts.len())])
        }
        Type::Bool => Value::Bool(rng.once_in(2)),
        Type::List(_) => rng
            .pick(&[
                Value::List(Vec::new()),
                Value::list(["", ""]),
                Value::list(["10.0.0.0/8"; 20]),
            ])
            .clone(),
        Type::Set(_) => rng
            .pick(&[Value::set_of([""]), Value::set_of(["rtb-0", "rtb-1"])])
            .clone(),
        Type::Map(_) => rng
            .pick(&[
                Value::map([("", "")]),
                Value::map([("awsazure:link", "x")]),
                Value::map([("GatewaySubnet", "10.0.0.0/24")]),
            ])
            .clone(),
        other => panic!("no wrong values of {other:?}"),
    }
}
