//! The resource over clouds in memory, under Terraform's own rules.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod clouds;
mod core;
mod diagnostics;
mod drift;
mod edited_state;
mod expiring_keys;
mod generated_config;
mod refusals;
mod rekeying;
mod resume;
mod walk;

use self::core::{Core, differences};
use bgp_vpn::tunnel::TunnelKey;
use std::sync::atomic::Ordering;
use terraform_plugin::{AttributePath, ImportRequest, PlanResponse, Resource, Value};

const VNET: &str =
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/vnet1";

fn nine_lines() -> Value {
    Value::object([
        ("name", Value::from("prod")),
        (
            "azure",
            Value::object([("resource_group_name", "g"), ("virtual_network_id", VNET)]),
        ),
        ("aws", Value::object([("vpc_id", "vpc-1")])),
    ])
}

fn with(mut config: Value, path: &str, value: impl Into<Value>) -> Value {
    config.set_at(&path.into(), value);
    config
}

async fn made(config: &Value) -> Core {
    let mut core = Core::new();
    let diagnostics = core.apply(config).await;
    assert!(!diagnostics.has_errors(), "{diagnostics:?}");
    core
}

#[tokio::test]
async fn minimal_link_plans_empty_without_cloud_calls() {
    let mut core = made(&nine_lines()).await;
    let tunnel = core.state.get("tunnels").get("instance1_tunnel2");
    assert_eq!(tunnel.get("azure_bgp_ip").as_str(), Some("169.254.22.6"));
    assert_eq!(
        core.state.at(&"azure.sku".into()).as_str(),
        Some("VpnGw2AZ")
    );
    assert_eq!(core.state.get("manage_gateways").as_bool(), Some(true));
    assert!(core.identity.is_some());
    core.refresh().await;
    let calls = core.clouds.calls.load(Ordering::Relaxed);
    let plan = core.plan(&nine_lines()).await;
    assert_eq!(
        differences(&plan.planned, &core.state, AttributePath::empty()),
        Vec::<String>::new()
    );
    assert!(plan.diagnostics.is_empty() && plan.requires_replace.is_empty());
    assert_eq!(core.clouds.calls.load(Ordering::Relaxed), calls);
}

#[tokio::test]
async fn plan_of_new_link_knows_tunnel_addresses() {
    let plan = Core::new().plan(&nine_lines()).await;
    let tunnel = plan.planned.get("tunnels").get("instance0_tunnel1");
    let known = [
        "azure_instance",
        "aws_tunnel",
        "inside_cidr",
        "aws_bgp_ip",
        "azure_bgp_ip",
    ];
    assert!(known.iter().all(|name| tunnel.get(name).is_set()));
    assert!(!tunnel.get("aws_outside_ip").is_known());
}

#[tokio::test]
async fn only_azure_gateway_changes_replace() {
    let core = made(&with(nine_lines(), "azure.location", "westeurope")).await;
    let replaced = |plan: &PlanResponse| {
        plan.requires_replace
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    let gateway = VNET.replace("virtualNetworks/vnet1", "virtualNetworkGateways/other");
    for (path, value) in [
        (
            "azure.virtual_network_id",
            Value::from(VNET.replace("vnet1", "vnet2")),
        ),
        ("azure.resource_group_name", "other".into()),
        ("azure.location", "northeurope".into()),
        ("azure.generation", "Generation1".into()),
        ("azure.gateway_id", gateway.into()),
    ] {
        let plan = core.plan(&with(nine_lines(), path, value)).await;
        assert_eq!(replaced(&plan), [path], "{:?}", plan.diagnostics);
        assert!(!plan.diagnostics.is_empty(), "{path}: no warning");
    }
    for (path, value) in [
        ("azure.asn", Value::from(65_010_u32)),
        ("aws.asn", 64_600_u32.into()),
        ("aws.vpc_id", "vpc-2".into()),
        ("aws.region", "us-east-1".into()),
        ("azure.sku", "VpnGw3AZ".into()),
        ("slot", 3_u32.into()),
        ("ipsec_policy.preset", "compatible".into()),
    ] {
        let plan = core.plan(&with(nine_lines(), path, value)).await;
        assert!(replaced(&plan).is_empty(), "{path}");
        assert!(
            !plan.diagnostics.is_empty() && !plan.diagnostics.has_errors(),
            "{path}: {:?}",
            plan.diagnostics
        );
    }
}

#[tokio::test]
async fn ignore_casing_of_ids_and_own_ids() {
    let core = made(&nine_lines()).await;
    let own = |path: &str| core.state.at(&path.into()).clone();
    let mut config = with(
        nine_lines(),
        "azure.virtual_network_id",
        VNET.to_uppercase()
            .replace("/SUBSCRIPTIONS", "/subscriptions"),
    );
    config = with(
        config,
        "azure.gateway_id",
        own("azure.gateway_id").as_str().unwrap().to_lowercase(),
    );
    config = with(config, "aws.vpn_gateway_id", own("aws.vpn_gateway_id"));
    let plan = core.plan(&config).await;
    assert_eq!(
        differences(&plan.planned, &core.state, AttributePath::empty()),
        Vec::<String>::new()
    );
    assert!(plan.requires_replace.is_empty());
}

#[tokio::test]
async fn every_update_in_place_ends_in_empty_plan() {
    for (path, value) in [
        ("azure.asn", Value::from(65_010_u32)),
        ("aws.asn", 64_600_u32.into()),
        ("aws.vpc_id", "vpc-2".into()),
        ("aws.region", "us-east-1".into()),
        ("slot", 3_u32.into()),
        ("azure.connection_mode", "Default".into()),
        ("ipsec_policy.dh_group", 19_u32.into()),
        ("tags", Value::map([("team", "net")])),
        ("name", "renamed".into()),
        ("timeouts.create", "3h".into()),
        ("azure.resource_group_name", "other".into()),
        (
            "azure.virtual_network_id",
            VNET.replace("vnet1", "vnet2").into(),
        ),
    ] {
        let mut core = made(&nine_lines()).await;
        let config = with(nine_lines(), path, value);
        let diagnostics = core.apply(&config).await;
        assert!(!diagnostics.has_errors(), "{path}: {diagnostics:?}");
        core.refresh().await;
        assert_eq!(
            differences(
                &core.plan(&config).await.planned,
                &core.state,
                AttributePath::empty()
            ),
            Vec::<String>::new()
        );
    }
}

#[tokio::test]
async fn show_and_undo_manual_edit() {
    let mut core = made(&nine_lines()).await;
    for key in TunnelKey::ALL {
        let mut there = core.clouds.there.lock().unwrap();
        there.azure.connections.get_mut(key).as_mut().unwrap().mode =
            crate::azure::model::ConnectionMode::Default;
    }
    core.refresh().await;
    let mode = AttributePath::from("azure.connection_mode");
    assert_eq!(core.state.at(&mode).as_str(), Some("Default"));
    assert_eq!(
        core.plan(&nine_lines()).await.planned.at(&mode).as_str(),
        Some("ResponderOnly")
    );
}

#[tokio::test]
async fn plan_recreate_of_missing_child() {
    let mut core = made(&nine_lines()).await;
    let key = "instance0_tunnel2".parse().unwrap();
    *core
        .clouds
        .there
        .lock()
        .unwrap()
        .azure
        .connections
        .get_mut(key) = None;
    core.refresh().await;
    let path = AttributePath::root("tunnels")
        .attr("instance0_tunnel2")
        .attr("azure_connection_id");
    assert!(core.state.at(&path).is_null());
    assert!(!core.plan(&nine_lines()).await.planned.at(&path).is_known());
    core.apply(&nine_lines()).await;
    assert!(core.state.at(&path).is_set());
}

#[tokio::test]
async fn failed_create_keeps_created_objects() {
    let mut core = Core::new();
    *core.clouds.fails.lock().unwrap() = true;
    let diagnostics = core.apply(&nine_lines()).await;
    assert!(diagnostics.has_errors());
    assert!(
        core.state
            .at(&"tunnels.instance0_tunnel1.aws_vpn_connection_id".into())
            .is_set()
    );
    assert!(core.state.at(&"azure.gateway_id".into()).is_null() && core.identity.is_some());
    *core.clouds.fails.lock().unwrap() = false;
    let diagnostics = core.apply(&nine_lines()).await;
    assert!(!diagnostics.has_errors(), "{diagnostics:?}");
    assert_eq!(core.plan(&nine_lines()).await.planned, core.state);
}

#[tokio::test]
async fn destroy_deletes_all_and_read_drops_absent_link() {
    let mut core = made(&nine_lines()).await;
    let plan = core
        .plan_from(&core.state, &Value::Null, core.private.clone())
        .await;
    let done = core
        .apply_plan(core.state.clone(), &Value::Null, plan)
        .await;
    assert!(done.new_state.is_null() && done.diagnostics.is_empty());
    let mut core = made(&nine_lines()).await;
    *core.clouds.there.lock().unwrap() = Default::default();
    core.refresh().await;
    assert!(core.state.is_null());
}

#[tokio::test]
async fn import_restores_state_of_create() {
    let network = Value::object([
        ("name", Value::from("new")),
        ("address_space", Value::list(["10.1.0.0/16"])),
        ("gateway_subnet_prefix", "10.1.1.0/27".into()),
    ]);
    let created = Value::object([
        ("name", Value::from("prod")),
        (
            "azure",
            Value::object([
                ("resource_group_name", Value::from("g")),
                ("virtual_network", network),
            ]),
        ),
        (
            "aws",
            Value::object([("vpc", Value::object([("cidr_block", "10.2.0.0/16")]))]),
        ),
    ]);
    for config in [nine_lines(), created] {
        let mut core = made(&config).await;
        core.refresh().await;
        let before = core.state.clone();
        let id = before.get("id").as_str().unwrap().to_owned();
        let request = ImportRequest {
            id,
            identity: None,
            capabilities: Default::default(),
            cancel: Default::default(),
        };
        let import = core.resource.import(request).await;
        // Its objects carry the provider's tags, so another state may have it.
        let warnings: Vec<String> = import
            .diagnostics
            .iter()
            .map(|said| said.summary.clone())
            .collect();
        assert_eq!(warnings, [crate::provider::summaries::SHARED_LINK]);
        (core.state, core.private, core.identity) = (
            self::core::wire(&import.state),
            import.private,
            import.identity,
        );
        core.refresh().await;
        let differs = |name: &&String| before.get(name) != core.state.get(name);
        let names: Vec<&String> = before.as_map().unwrap().keys().filter(differs).collect();
        assert!(
            names.is_empty(),
            "{names:?}\n{:?}\n{:?}",
            before.get("azure"),
            core.state.get("azure")
        );
        assert_eq!(
            differences(
                &core.plan(&config).await.planned,
                &core.state,
                AttributePath::empty()
            ),
            Vec::<String>::new()
        );
        // `-generate-config-out` writes all that may be configured.
        let generated = configurable(&core.state);
        assert_eq!(
            differences(
                &core.plan(&generated).await.planned,
                &core.state,
                AttributePath::empty()
            ),
            Vec::<String>::new()
        );
    }
}

fn configurable(state: &Value) -> Value {
    let mut config = state.clone();
    for name in [
        "id",
        "tunnels",
        "managed",
        "drift",
        "status",
        "azure.subnet_ids",
        "azure.public_ip_addresses",
        "aws.public_subnet_id",
        "aws.main_route_table_id",
    ] {
        config.set_at(&name.into(), Value::Null);
    }
    config
}

#[tokio::test]
async fn existing_gateway_is_read_only() {
    let id = VNET.replace("virtualNetworks/vnet1", "virtualNetworkGateways/hub");
    let mut core = Core::new();
    let parsed = crate::azure::id::ResourceId::parse(&id).unwrap();
    let there = clouds::gateway(
        parsed,
        "VpnGw2AZ",
        "Generation2",
        bgp_vpn::types::Asn(65_515),
        Default::default(),
    );
    core.clouds.survey.lock().unwrap().gateway = bgp_vpn::preflight::Lookup::Found(there);
    let mut config = with(nine_lines(), "azure.gateway_id", id);
    config.set_at(&"azure.virtual_network_id".into(), Value::Null);
    let diagnostics = core.apply(&config).await;
    assert!(!diagnostics.has_errors(), "{diagnostics:?}");
    assert_eq!(core.state.at(&"azure.asn".into()).as_u64(), Some(65_515));
    assert!(
        core.state
            .get("managed")
            .get("azure_virtual_network_gateway")
            .is_null()
    );
    core.refresh().await;
    assert_eq!(
        differences(
            &core.plan(&config).await.planned,
            &core.state,
            AttributePath::empty()
        ),
        Vec::<String>::new()
    );
    let plan = core.plan(&with(config, "azure.asn", 65_000_u32)).await;
    assert!(plan.diagnostics.has_errors());
}
