//! The configurations: every example, and more that use what the examples do not.

use super::life::Case;
use serde_json::{Value, json};
use std::path::Path;
use test_support::simulated::environment::{Environment, GROUP};

/// Sets a value at a path with dots.
fn with(configuration: &Value, changes: &[(&str, Value)]) -> Value {
    let mut changed = configuration.clone();
    for (path, value) in changes {
        let pointer = format!("/{}", path.replace('.', "/"));
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = changed.pointer_mut(parent).unwrap();
        parent[name] = value.clone();
    }
    changed
}

/// Changes that every life has: tags come and go, keys are rotated, and settings of both clouds change.
fn changes(first: Value) -> Vec<Value> {
    let mut list = vec![
        ("tags", json!({"cost": "1"})),
        ("aws.dpd_timeout_seconds", json!(40)),
        ("azure.dpd_timeout_seconds", json!(60)),
    ];
    if first["preshared_keys_wo"].is_null() {
        list.push(("rotate_keys", json!("once")));
    } else {
        list.push(("preshared_keys_wo", own_keys("other")));
        list.push(("preshared_keys_wo_version", json!(2)));
    }
    let second = with(&first, &list);
    let mut third = with(&second, &[("tags", json!({}))]);
    if first["azure"]["gateway_id"].is_null() {
        third = with(&third, &[("azure.asn", json!(65_011))]);
    }
    vec![first, second, third]
}

fn own_keys(word: &str) -> Value {
    let keys = [
        "instance0_tunnel1",
        "instance0_tunnel2",
        "instance1_tunnel1",
        "instance1_tunnel2",
    ];
    let entries = keys.map(|key| (key.to_owned(), json!(format!("{word}.key_{key}"))));
    Value::Object(entries.into_iter().collect())
}

fn created_network(name: &str) -> Value {
    json!({
        "resource_group_name": format!("{name}-rg"), "create_resource_group": true, "location": "westeurope",
        "virtual_network": {
            "name": "vnet", "address_space": ["10.1.0.0/16"], "gateway_subnet_prefix": "10.1.255.0/27",
            "subnets": {"front": "10.1.0.0/24"},
        },
    })
}

/// Further configurations.
pub fn further(environment: &Environment) -> Vec<Case> {
    let vpc = &environment.vpcs[0];
    let (network, group) = (&environment.networks[0], GROUP);
    let given_network = json!({"resource_group_name": group, "virtual_network_id": network});
    let log_group = "arn:aws:logs:eu-west-1:123456789012:log-group:vpn";
    let case = |name, azure: Value, aws: Value| Case {
        name,
        steps: changes(json!({"name": "prod", "azure": azure, "aws": aws})),
        is_move: false,
    };
    let mut created = case(
        "created network",
        created_network("prod"),
        json!({"vpc": {"cidr_block": "10.2.0.0/16", "public_subnet_cidr_block": "10.2.0.0/24"}}),
    );
    let last = created.steps.last().unwrap().clone();
    created.steps.push(with(
        &last,
        &[
            ("azure.asn", json!(65_010)),
            (
                "azure.virtual_network.subnets",
                json!({"back": "10.1.1.0/24"}),
            ),
        ],
    ));
    let mut tables = case(
        "existing VPC and route tables",
        given_network.clone(),
        json!({"vpc_id": vpc.id, "route_table_ids": [vpc.main_table, vpc.other_table]}),
    );
    let last = tables.steps.last().unwrap().clone();
    tables.steps.push(with(
        &last,
        &[("aws.route_table_ids", json!([vpc.main_table]))],
    ));
    let mut transit = case(
        "transit gateway",
        given_network.clone(),
        json!({"transit_gateway_id": environment.transit_gateways[0]}),
    );
    let last = transit.steps.last().unwrap().clone();
    transit
        .steps
        .push(with(&last, &[("aws.tunnel_bandwidth", json!("large"))]));
    let transit_tables = &environment.transit_tables;
    let mut routing = case(
        "route tables of a transit gateway",
        given_network.clone(),
        json!({
            "transit_gateway_id": environment.transit_gateways[0],
            "transit_gateway_association_route_table_id": transit_tables[0],
            "transit_gateway_propagation_route_table_ids": transit_tables,
        }),
    );
    let last = routing.steps.last().unwrap().clone();
    routing.steps.push(with(
        &last,
        &[(
            "aws.transit_gateway_propagation_route_table_ids",
            json!([transit_tables[0]]),
        )],
    ));
    let everything = case(
        "everything",
        created_network("all"),
        json!({
            "vpc": {"cidr_block": "10.2.0.0/16", "public_subnet_cidr_block": "10.2.0.0/24"},
            "preshared_key_storage": "SecretsManager",
            "logs": {"log_group_arn": log_group, "bgp_log_group_arn": log_group},
            "tunnel_lifecycle_control": true,
        }),
    );
    let sides = [
        json!({"vpc_id": vpc.id}),
        json!({"transit_gateway_id": environment.transit_gateways[0]}),
        json!({"vpc": {"cidr_block": "10.2.0.0/16", "public_subnet_cidr_block": "10.2.0.0/24"}}),
    ];
    let of_side = |aws: &Value| json!({"name": "prod", "azure": given_network, "aws": aws});
    let moves = Case {
        name: "move to a transit gateway and a new VPC",
        steps: sides.iter().map(of_side).collect(),
        is_move: true,
    };
    vec![
        moves,
        created,
        tables,
        transit,
        routing,
        case(
            "existing Azure gateway",
            json!({"resource_group_name": group, "gateway_id": environment.azure_gateways[0]}),
            json!({"vpc_id": vpc.id}),
        ),
        case(
            "existing VPN gateway",
            given_network.clone(),
            json!({"vpn_gateway_id": environment.vpn_gateways[0]}),
        ),
        case(
            "secrets and logs",
            given_network.clone(),
            json!({
                "vpc_id": vpc.id, "preshared_key_storage": "SecretsManager",
                "logs": {"log_group_arn": log_group},
            }),
        ),
        case(
            "gateway subnet in existing network",
            json!({
                "resource_group_name": group, "virtual_network_id": environment.bare_network,
                "gateway_subnet_prefix": "10.10.255.0/27",
            }),
            json!({"vpc": {"cidr_block": "10.2.0.0/16"}}),
        ),
        everything,
    ]
}

/// The first link of every example. References are ids of the environment.
pub fn examples(environment: &Environment) -> Vec<(String, Value)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut found = Vec::new();
    for folder in [
        "custom-policy",
        "health-check",
        "own-keys",
        "quickstart",
        "shared-gateway",
        "transit-gateway",
    ] {
        let text = std::fs::read_to_string(root.join(folder).join("main.tf")).unwrap();
        found.push((folder.to_owned(), text));
    }
    let text =
        std::fs::read_to_string(root.join("resources/awsazure_bgp_vpn/resource.tf")).unwrap();
    found.push(("resource".to_owned(), text));
    let known = |reference: &str| -> Option<Value> {
        Some(match reference {
            "var.transit_gateway_id" => json!(environment.transit_gateways[0]),
            "var.preshared_keys" => own_keys("own"),
            "azurerm_virtual_network.vnet1.id" => json!(environment.networks[0]),
            "aws_vpc.vpc1.id" => json!(environment.vpcs[0].id),
            _ => return None,
        })
    };
    found
        .into_iter()
        .map(|(name, text)| {
            let mut link = super::hcl::first_link(&text, &known);
            if name == "resource" {
                link["azure"]["resource_group_name"] = json!(GROUP);
            }
            (name, link)
        })
        .collect()
}

/// The examples with the changes of a life.
pub fn example_cases(environment: &Environment) -> Vec<Case> {
    examples(environment)
        .into_iter()
        .map(|(name, link)| Case {
            name: Box::leak(name.into_boxed_str()),
            steps: changes(link),
            is_move: false,
        })
        .collect()
}
