//! Only a change of the configuration replaces the link or its AWS half, for every attribute that
//! can.

use super::super::attributes::{Effect, paths_with};
use super::core::{Core, differences};
use super::{VNET, made, nine_lines, with};
use std::collections::BTreeSet;
use terraform_plugin::{AttributePath, PlanResponse, Value};

/// An attribute, a configured value, and another one.
fn table() -> Vec<(&'static str, Value, Value)> {
    let gateway = VNET.replace("virtualNetworks/vnet1", "virtualNetworkGateways/one");
    let text = |one: &str, other: &str| (Value::from(one), Value::from(other));
    let row = |path: &'static str, (one, other): (Value, Value)| (path, one, other);
    vec![
        row("azure.resource_group_name", text("g", "h")),
        row("azure.location", text("westeurope", "northeurope")),
        row(
            "azure.virtual_network_id",
            text(VNET, &VNET.replace("vnet1", "vnet2")),
        ),
        row(
            "azure.virtual_network.gateway_subnet_prefix",
            text("10.1.1.0/27", "10.1.2.0/27"),
        ),
        row("azure.generation", text("Generation2", "Generation1")),
        row(
            "azure.gateway_id",
            text(&gateway, &gateway.replace("/one", "/two")),
        ),
        row("aws.region", text("eu-west-1", "us-east-1")),
        row("aws.vpc_id", text("vpc-1", "vpc-2")),
        row("aws.vpn_gateway_id", text("vgw-1", "vgw-2")),
        row("aws.transit_gateway_id", text("tgw-1", "tgw-2")),
        row("aws.asn", (64_512_u32.into(), 64_600_u32.into())),
    ]
}

/// A configuration with a value for the attribute, and without what excludes it.
fn configured(path: &str, value: &Value) -> Value {
    let mut config = nine_lines();
    if path.starts_with("azure.virtual_network.") {
        config = with(config, "azure.virtual_network_id", Value::Null);
        config = with(config, "azure.virtual_network.name", "new");
        config = with(
            config,
            "azure.virtual_network.address_space",
            Value::list(["10.1.0.0/16"]),
        );
        config = with(config, "azure.location", "westeurope");
    }
    if path == "aws.vpn_gateway_id" || path == "aws.transit_gateway_id" {
        config = with(config, "aws.vpc_id", Value::Null);
    }
    with(config, path, value.clone())
}

/// A link that was made, and read, with a cloud that has another value by now.
async fn drifted(config: &Value, path: &str, now: &Value) -> Core {
    let mut core = made(config).await;
    core.state.set_at(&path.into(), now.clone());
    core
}

fn replaced(plan: &PlanResponse) -> Vec<String> {
    plan.requires_replace
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn has_warning(plan: &PlanResponse, path: &str) -> bool {
    plan.diagnostics
        .iter()
        .any(|found| !found.is_error() && found.path == Some(path.into()))
}

/// Whether a plan recreates VPN connections.
fn rebuilds_aws(plan: &PlanResponse) -> bool {
    !plan
        .planned
        .get("tunnels")
        .get("instance0_tunnel1")
        .get("aws_vpn_connection_id")
        .is_known()
}

#[test]
fn table_has_every_fixed_attribute() {
    let listed: BTreeSet<&str> = table().into_iter().map(|(path, _, _)| path).collect();
    let fixed = paths_with(Effect::ReplacesLink).chain(paths_with(Effect::RecreatesAwsSide));
    assert_eq!(listed, fixed.collect());
}

#[tokio::test]
async fn drift_of_a_configured_value_only_warns() {
    for (path, one, other) in table() {
        let config = configured(path, &one);
        let mut core = drifted(&config, path, &other).await;
        for round in 0..2 {
            let plan = core.plan(&config).await;
            assert!(
                !plan.diagnostics.has_errors(),
                "{path}: {:?}",
                plan.diagnostics
            );
            assert!(
                replaced(&plan).is_empty() && !rebuilds_aws(&plan),
                "{path}, round {round}: {:?}",
                replaced(&plan)
            );
            assert_eq!(plan.planned.at(&path.into()), &other, "{path}");
            assert!(has_warning(&plan, path), "{path}: {:?}", plan.diagnostics);
            // An apply of something else does not take the value of the cloud for the configured
            // one.
            let diagnostics = core
                .apply(&with(config.clone(), "wait_for_bgp", round == 1))
                .await;
            assert!(!diagnostics.has_errors(), "{path}: {diagnostics:?}");
        }
    }
}

#[tokio::test]
async fn drift_of_an_unconfigured_value_is_adopted() {
    for (path, _, other) in table() {
        let excluded =
            path.starts_with("azure.virtual_network.") || path == "azure.resource_group_name";
        let parents = [
            "azure.virtual_network_id",
            "aws.vpc_id",
            "aws.transit_gateway_id",
        ];
        if excluded || parents.contains(&path) {
            continue;
        }
        let core = drifted(&nine_lines(), path, &other).await;
        let plan = core.plan(&nine_lines()).await;
        assert!(replaced(&plan).is_empty(), "{path}: {:?}", replaced(&plan));
        assert_eq!(
            differences(&plan.planned, &core.state, AttributePath::empty()),
            Vec::<String>::new(),
            "{path}"
        );
    }
}

#[tokio::test]
async fn keep_generation_changed_by_azure_on_sku_update() {
    let config = with(nine_lines(), "azure.sku", "VpnGw1AZ");
    let mut core = made(&config).await;
    core.state.set_at(&"azure.generation".into(), "Generation2");
    let plan = core.plan(&config).await;
    assert!(
        replaced(&plan).is_empty() && plan.planned == core.state,
        "{:?}",
        replaced(&plan)
    );
    let diagnostics = core
        .apply(&with(config.clone(), "wait_for_bgp", false))
        .await;
    assert!(!diagnostics.has_errors(), "{diagnostics:?}");
    assert!(replaced(&core.plan(&config).await).is_empty());
    // Another SKU is a change of the configuration.
    let plan = core.plan(&with(config, "azure.sku", "VpnGw3AZ")).await;
    assert!(
        replaced(&plan).is_empty(),
        "VpnGw3AZ exists in both generations"
    );
}

#[tokio::test]
async fn configuration_change_after_drift_takes_effect() {
    for (path, one, other) in table()
        .into_iter()
        .filter(|(path, _, _)| !path.contains("virtual_network."))
    {
        let core = made(&configured(path, &one)).await;
        let plan = core.plan(&configured(path, &other)).await;
        let takes_effect =
            replaced(&plan) == [path] || rebuilds_aws(&plan) || plan.diagnostics.has_errors();
        assert!(takes_effect, "{path}: {:?}", plan.diagnostics);
    }
}

#[tokio::test]
async fn unknown_replacing_value_plans_only_its_update() {
    for (path, one, other) in table()
        .into_iter()
        .filter(|(path, _, _)| paths_with(Effect::ReplacesLink).any(|it| it == *path))
    {
        let config = configured(path, &one);
        let mut core = made(&config).await;
        core.refresh().await;
        let plan = core.plan(&configured(path, &Value::unknown())).await;
        assert!(
            !plan.diagnostics.has_errors(),
            "{path}: {:?}",
            plan.diagnostics
        );
        assert!(replaced(&plan).is_empty(), "{path}");
        assert!(!plan.planned.at(&path.into()).is_known(), "{path}");
        let mut rest = plan.planned.clone();
        rest.set_at(&path.into(), core.state.at(&path.into()).clone());
        assert_eq!(
            differences(&rest, &core.state, AttributePath::empty()),
            Vec::<String>::new(),
            "{path}"
        );

        // Terraform plans again in another process, with the value known and nothing read.
        core.forgets();
        core.may_be_applying = true;
        let same = core.plan(&config).await;
        assert!(
            same.planned == core.state && !same.diagnostics.has_errors(),
            "{path}: {:?}",
            same.diagnostics
        );
        let differs = core.plan(&configured(path, &other)).await;
        let errors: Vec<_> = differs
            .diagnostics
            .iter()
            .filter(|found| found.is_error())
            .collect();
        assert!(
            errors.iter().any(|error| error.path == Some(path.into())),
            "{path}: {errors:?}"
        );
        core.refresh().await;
        let shown = core.plan(&configured(path, &other)).await;
        assert_eq!(replaced(&shown), [path], "{path}: {:?}", shown.diagnostics);
    }
}

#[tokio::test]
async fn unknown_aws_value_left_unchanged_recreates_nothing() {
    for (path, one, _) in table()
        .into_iter()
        .filter(|(path, _, _)| paths_with(Effect::RecreatesAwsSide).any(|it| it == *path))
    {
        let config = configured(path, &one);
        let mut core = made(&config).await;
        core.refresh().await;
        let before = core.state.get("tunnels").clone();
        let diagnostics = core
            .apply_with(&configured(path, &Value::unknown()), &config)
            .await;
        assert!(!diagnostics.has_errors(), "{path}: {diagnostics:?}");
        assert_eq!(core.state.get("tunnels"), &before, "{path}");
    }
}
