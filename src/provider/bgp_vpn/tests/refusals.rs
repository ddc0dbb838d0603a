//! Bad input is refused at its attribute.

use super::core::Core;
use super::{VNET, nine_lines, with};
use crate::aws::model::{State, VpnGateway, VpnGatewayId};
use crate::azure::id::ResourceId;
use crate::azure::model::{ProvisioningState, Subnet, VirtualNetwork};
use bgp_vpn::preflight::Lookup;
use bgp_vpn::types::{Asn, Tags};
use terraform_plugin::Value;

async fn paths(core: &Core, config: &Value) -> Vec<String> {
    let diagnostics = core.plan(config).await.diagnostics;
    let errors = diagnostics.iter().filter(|d| d.is_error());
    errors
        .map(|d| {
            assert!(d.detail.len() > 20);
            d.path.as_ref().unwrap().to_string()
        })
        .collect()
}

#[tokio::test]
async fn reject_invalid_values_at_attribute_offline() {
    let bad: Vec<(&str, &str, Value)> = vec![
        ("azure.asn", "azure.asn", 64_512_u32.into()),
        ("azure.asn", "azure.asn", 23_456_u32.into()),
        ("aws.asn", "aws.asn", 65_515_u32.into()),
        (
            "inside_cidrs.instance0_tunnel1",
            "inside_cidrs.instance0_tunnel1",
            "169.254.21.0/29".into(),
        ),
        (
            "inside_cidrs.instance0_tunnel1",
            "inside_cidrs.instance0_tunnel1",
            "169.254.21.2/30".into(),
        ),
        (
            "inside_cidrs.instance0_tunnel1",
            "inside_cidrs.instance0_tunnel1",
            "169.254.5.0/30".into(),
        ),
        (
            "inside_cidrs.instance0_tunnel1",
            "inside_cidrs.instance0_tunnel2",
            "169.254.22.0/30".into(),
        ),
        ("slot", "slot", 32_u32.into()),
        ("azure.sku", "azure.sku", "VpnGw2".into()),
        ("azure.sku", "azure.sku", "Basic".into()),
        ("azure.generation", "azure.generation", "Generation3".into()),
        (
            "azure.gateway_subnet_prefix",
            "azure.gateway_subnet_prefix",
            "10.1.0.0/30".into(),
        ),
        ("aws.startup_action", "aws.startup_action", "add".into()),
        (
            "aws.dpd_timeout_action",
            "aws.dpd_timeout_action",
            "clear".into(),
        ),
        (
            "azure.resource_group_name",
            "azure.resource_group_name",
            "ends.".into(),
        ),
        ("name", "name", "a b".into()),
        (
            "azure.virtual_network_id",
            "azure.virtual_network_id",
            "vnet1".into(),
        ),
        (
            "azure.virtual_network_id",
            "azure.virtual_network_id",
            Value::Null,
        ),
        ("aws.vpc_id", "aws.vpc_id", Value::Null),
        (
            "aws.vpn_gateway_id",
            "aws.vpn_gateway_id",
            "tgw-0123456789abcdef0".into(),
        ),
        ("timeouts.create", "timeouts.create", "5 minutes".into()),
        (
            "ipsec_policy.dh_group",
            "ipsec_policy.dh_group",
            15_u32.into(),
        ),
        (
            "preshared_keys_wo_version",
            "preshared_keys_wo_version",
            1_u32.into(),
        ),
        (
            "preshared_keys_wo.instance0_tunnel1",
            "preshared_keys_wo",
            "longenoughkey".into(),
        ),
    ];
    for (set, at, value) in bad {
        let found = paths(&Core::new(), &with(nine_lines(), set, value.clone())).await;
        assert_eq!(found, [at], "{set} = {value:?}");
    }
    let lacks = with(
        with(nine_lines(), "azure.sku", "VpnGw1AZ"),
        "azure.generation",
        "Generation2",
    );
    assert_eq!(paths(&Core::new(), &lacks).await, ["azure.generation"]);
}

fn vnet(subnets: &[(&str, &str)]) -> VirtualNetwork {
    let id = ResourceId::parse(VNET).unwrap();
    let subnets = subnets.iter().map(|(name, prefix)| Subnet {
        id: id.child("subnets", name),
        name: (*name).to_owned(),
        prefix: Some(prefix.parse().unwrap()),
        state: ProvisioningState::Succeeded,
        security_group: None,
        ip_configurations: Vec::new(),
    });
    let subnets = subnets.collect();
    VirtualNetwork {
        resource: super::clouds::resource(id, Tags::new()),
        address_space: vec!["10.1.0.0/16".parse().unwrap()],
        transit_space: Vec::new(),
        subnets,
    }
}

#[tokio::test]
async fn reject_conflicting_environment_naming_id() {
    let core = Core::new();
    let refused = async |at: &str, says: &str| {
        let diagnostics = core.plan(&nine_lines()).await.diagnostics;
        let hit = diagnostics
            .iter()
            .find(|d| d.is_error() && d.path.as_ref().is_some_and(|p| p.to_string() == at));
        let hit = hit.unwrap_or_else(|| panic!("{at}: {diagnostics:?}"));
        assert!(hit.detail.contains(says), "{}", hit.detail);
        *core.clouds.survey.lock().unwrap() = Default::default();
    };
    let look = || core.clouds.survey.lock().unwrap();
    look().network = Lookup::NotFound;
    refused("azure.virtual_network_id", VNET).await;
    look().group = Lookup::NotFound;
    refused("azure.resource_group_name", "create_resource_group").await;
    look().vpc = Lookup::NotFound;
    refused("aws.vpc_id", "vpc-").await;
    look().network = Lookup::Found(vnet(&[]));
    refused("azure.gateway_subnet_prefix", "GatewaySubnet").await;
    look().network = Lookup::Found(vnet(&[("gatewaysubnet", "10.1.1.0/27")]));
    refused("azure.virtual_network_id", "gatewaysubnet").await;
    look().network = Lookup::Found(vnet(&[("GatewaySubnet", "10.1.1.0/30")]));
    refused("azure.virtual_network_id", "10.1.1.0/30").await;
    look().network = Lookup::Found(vnet(&[("GatewaySubnet", "10.1.1.0/27")]));
    look().vpc = Lookup::Found(super::clouds::vpc("vpc-1", "10.1.128.0/17", Tags::new()));
    refused("aws.vpc_id", "allow_overlapping_prefixes").await;
    let id =
        ResourceId::parse(&VNET.replace("virtualNetworks/vnet1", "virtualNetworkGateways/hub"))
            .unwrap();
    look().network_gateway = Lookup::Found(super::clouds::gateway(
        id,
        "VpnGw2AZ",
        "Generation2",
        Asn(65_515),
        Tags::new(),
    ));
    refused("azure.gateway_id", "virtualNetworkGateways/hub").await;
    let gateway = VpnGateway {
        id: VpnGatewayId("vgw-9".into()),
        asn: Asn(64_512),
        state: State::Available,
        attachment: None,
        tags: Tags::new(),
    };
    look().vpc_gateway = Lookup::Found(gateway);
    refused("aws.vpn_gateway_id", "vgw-9").await;
}

#[tokio::test]
async fn warn_about_secondary_and_allowed_overlaps() {
    let mut core = Core::new();
    core.clouds.survey.lock().unwrap().network =
        Lookup::Found(vnet(&[("GatewaySubnet", "10.1.1.0/27")]));
    let mut vpc = super::clouds::vpc("vpc-1", "10.2.0.0/16", Tags::new());
    vpc.secondary_cidrs = vec!["10.1.0.0/20".parse().unwrap()];
    core.clouds.survey.lock().unwrap().vpc = Lookup::Found(vpc.clone());
    let diagnostics = core.plan(&nine_lines()).await.diagnostics;
    assert!(
        !diagnostics.has_errors() && diagnostics.len() == 1,
        "{diagnostics:?}"
    );
    vpc.cidr = "10.1.0.0/16".parse().unwrap();
    core.clouds.survey.lock().unwrap().vpc = Lookup::Found(vpc);
    core.forgets();
    let diagnostics = core
        .plan(&with(nine_lines(), "allow_overlapping_prefixes", true))
        .await
        .diagnostics;
    assert!(
        !diagnostics.has_errors() && !diagnostics.is_empty(),
        "{diagnostics:?}"
    );
}

/// Invariant: a value that a cloud would reject is an error of the plan, at its attribute, before
/// anything is created.
#[tokio::test]
async fn plan_rejects_values_that_apply_would_reject() {
    let core = Core::new();
    let number = |text: &str| Value::Number(terraform_plugin::Number::parse(text).unwrap());
    let tags = |key: &str, value: &str| Value::map([(key, value)]);
    let many = Value::map((0..41).map(|n| (format!("k{n}"), "v")));
    let network = |space: &[&str], name: &str, subnets: &[(&str, &str)]| {
        Value::object([
            ("name", Value::from(name)),
            ("address_space", Value::list(space.iter().copied())),
            ("gateway_subnet_prefix", "10.1.255.0/27".into()),
            ("subnets", Value::map(subnets.iter().copied())),
        ])
    };
    let vpc = |cidr: &str| Value::object([("cidr_block", cidr)]);
    let long = "v".repeat(257);
    let cases: Vec<(&str, Value, &str)> = vec![
        ("slot", number("1.5"), "slot"),
        ("slot", number("1e30"), "slot"),
        ("slot", number("-1"), "slot"),
        ("aws.asn", number("64512.5"), "aws.asn"),
        ("azure.asn", number("1e30"), "azure.asn"),
        (
            "azure.dpd_timeout_seconds",
            number("45.5"),
            "azure.dpd_timeout_seconds",
        ),
        (
            "aws.dpd_timeout_seconds",
            number("1e99"),
            "aws.dpd_timeout_seconds",
        ),
        (
            "ipsec_policy.dh_group",
            number("14.5"),
            "ipsec_policy.dh_group",
        ),
        (
            "ipsec_policy.ike_lifetime_seconds",
            number("1e19"),
            "ipsec_policy.ike_lifetime_seconds",
        ),
        (
            "timeouts.create",
            "99999999999999999999h".into(),
            "timeouts.create",
        ),
        ("timeouts.create", "1d".into(), "timeouts.create"),
        ("timeouts.create", "-5m".into(), "timeouts.create"),
        ("timeouts.update", "1ns".into(), "timeouts.update"),
        ("timeouts.delete", "100000h".into(), "timeouts.delete"),
        ("tags", tags("aws:team", "v"), "tags[\"aws:team\"]"),
        ("tags", tags("AWS:team", "v"), "tags[\"AWS:team\"]"),
        ("tags", tags("", "v"), "tags[\"\"]"),
        ("tags", tags("a<b", "v"), "tags[\"a<b\"]"),
        ("tags", tags("team", "a\u{1b}[0m"), "tags[\"team\"]"),
        ("tags", tags("team", &long), "tags[\"team\"]"),
        (
            "tags",
            tags("awsAzure:link", "v"),
            "tags[\"awsAzure:link\"]",
        ),
        ("tags", Value::map([("Team", "v"), ("team", "v")]), "tags"),
        ("tags", many, "tags"),
        ("name", "a..b".into(), "name"),
        ("name", "prod.".into(), "name"),
        (
            "azure.resource_group_name",
            "a..b".into(),
            "azure.resource_group_name",
        ),
        (
            "azure.resource_group_name",
            "rg.".into(),
            "azure.resource_group_name",
        ),
        (
            "azure.virtual_network_id",
            VNET.replace("/g/", "/../").into(),
            "azure.virtual_network_id",
        ),
        ("azure.location", "west/europe".into(), "azure.location"),
        ("azure.zones", Value::set_of(["1", "10"]), "azure.zones"),
        (
            "azure.names",
            Value::object([("gateway", "gw..1")]),
            "azure.names.gateway",
        ),
        (
            "azure.virtual_network",
            network(&["0.0.0.0/0"], "n2", &[]),
            "azure.virtual_network.address_space",
        ),
        (
            "azure.virtual_network",
            network(&["10.1.0.0/16", "10.1.0.0/24"], "n2", &[]),
            "azure.virtual_network.address_space",
        ),
        (
            "azure.virtual_network",
            network(&["10.1.0.0/16"], "n2", &[("a", "10.1.0.0/30")]),
            "azure.virtual_network.subnets[\"a\"]",
        ),
        (
            "azure.virtual_network",
            network(
                &["10.1.0.0/16"],
                "n2",
                &[("A", "10.1.0.0/24"), ("a", "10.1.1.0/24")],
            ),
            "azure.virtual_network.subnets[\"a\"]",
        ),
        (
            "azure.virtual_network",
            with(
                network(&["10.1.0.0/16"], "n2", &[]),
                "subnets",
                Value::map([("a", Value::Null)]),
            ),
            "azure.virtual_network.subnets[\"a\"]",
        ),
        ("azure.zones", Value::Set(vec![Value::Null]), "azure.zones"),
        (
            "aws.route_table_ids",
            Value::Set(vec![Value::Null]),
            "aws.route_table_ids",
        ),
        (
            "aws.names",
            Value::object([("vpn_gateway", long.as_str())]),
            "aws.names.vpn_gateway",
        ),
        ("aws.vpc", vpc("169.254.0.0/16"), "aws.vpc.cidr_block"),
        ("aws.vpc_id", "vpc-*".into(), "aws.vpc_id"),
        ("aws.vpc_id", "vpc-1,vpc-2".into(), "aws.vpc_id"),
        ("aws.region", "eu-west".into(), "aws.region"),
        ("aws.region", "-".into(), "aws.region"),
        (
            "aws.route_table_ids",
            Value::set_of(["rtb-"]),
            "aws.route_table_ids",
        ),
    ];
    for (path, value, at) in cases {
        let mut config = with(nine_lines(), path, value.clone());
        for (new, old) in [
            ("azure.virtual_network", "azure.virtual_network_id"),
            ("aws.vpc", "aws.vpc_id"),
        ] {
            if path == new {
                config = with(config, old, Value::Null);
            }
        }
        let diagnostics = core.plan(&config).await.diagnostics;
        let hit = diagnostics
            .iter()
            .any(|d| d.is_error() && d.path.as_ref().is_some_and(|p| p.to_string() == at));
        assert!(hit, "{path} = {value:?}: {diagnostics:?}");
    }
    for (path, value) in [
        ("timeouts.create", Value::from("1.5h")),
        ("tags", tags("cost center", "a/b?c")),
        ("azure.location", "West Europe".into()),
        ("aws.region", "us-gov-east-1".into()),
        ("name", "prod.eu_1".into()),
    ] {
        let diagnostics = Core::new()
            .plan(&with(nine_lines(), path, value.clone()))
            .await
            .diagnostics;
        assert!(
            !diagnostics.has_errors(),
            "{path} = {value:?}: {diagnostics:?}"
        );
    }
}

#[tokio::test]
async fn plan_warns_about_prefix_count_and_nsg() {
    let core = Core::new();
    let range = |n: usize| {
        format!("10.{}.{}.0/24", 10 + n / 250, n % 250)
            .parse()
            .unwrap()
    };
    let warned = async |edit: &dyn Fn(&mut VirtualNetwork)| {
        let mut network = vnet(&[("GatewaySubnet", "10.1.1.0/27")]);
        edit(&mut network);
        core.clouds.survey.lock().unwrap().network = Lookup::Found(network);
        let diagnostics = core.plan(&nine_lines()).await.diagnostics;
        assert!(!diagnostics.has_errors(), "{diagnostics:?}");
        diagnostics
            .iter()
            .filter(|d| {
                d.path
                    .as_ref()
                    .is_some_and(|p| p.to_string() == "azure.virtual_network_id")
            })
            .count()
    };
    assert_eq!(warned(&|_| {}).await, 0);
    assert_eq!(
        warned(&|network| network.address_space = (0..100).map(range).collect()).await,
        0
    );
    assert_eq!(
        warned(&|network| network.address_space = (0..101).map(range).collect()).await,
        1
    );
    assert_eq!(
        warned(&|network| network.transit_space = (0..100).map(range).collect()).await,
        1
    );
    let group = ResourceId::network("s", "g", "networkSecurityGroups", "nsg");
    assert_eq!(
        warned(&|network| network.subnets[0].security_group = Some(group.clone())).await,
        1
    );
}

#[tokio::test]
async fn warn_about_small_gateway_subnet_on_create_only() {
    let mut core = Core::new();
    core.clouds.survey.lock().unwrap().network =
        Lookup::Found(vnet(&[("GatewaySubnet", "10.1.1.0/28")]));
    let diagnostics = core.plan(&nine_lines()).await.diagnostics;
    assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
    let diagnostics = core.apply(&nine_lines()).await;
    assert!(!diagnostics.has_errors(), "{diagnostics:?}");
    core.refresh().await;
    let diagnostics = core
        .plan(&with(
            nine_lines(),
            "aws.route_table_ids",
            Value::set_of(["rtb-1"]),
        ))
        .await
        .diagnostics;
    let about = |d: &&terraform_plugin::Diagnostic| d.detail.contains("/28");
    assert_eq!(
        diagnostics.iter().filter(about).count(),
        0,
        "{diagnostics:?}"
    );
}
