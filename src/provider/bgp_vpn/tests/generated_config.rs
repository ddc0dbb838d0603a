//! Configurations that Terraform writes for imported links.

use super::super::attributes::{Shape, table};
use super::{VNET, differences, made, nine_lines, with};
use terraform_plugin::{AttributePath, Resource, Value};

/// Paths of the values that are configured.
fn configured(config: &Value) -> Vec<&'static str> {
    table()
        .iter()
        .filter(|row| row.shape != Shape::Object && config.at(&row.path.as_str().into()).is_set())
        .map(|row| row.path.as_str())
        .collect()
}

/// What identifies the link and its owner: an import has `manage_gateways = false`, which is omitted.
const ENDS: [&str; 5] = [
    "name",
    "manage_gateways",
    "azure.resource_group_name",
    "azure.gateway_id",
    "aws.vpn_gateway_id",
];

#[tokio::test]
async fn generated_configuration_omits_defaults() {
    let core = made(&nine_lines()).await;
    let config = core.resource.generate_config(&core.state);
    let found = configured(&config);
    assert!(ENDS.iter().all(|path| found.contains(path)), "{found:?}");
    assert_eq!(found.len(), ENDS.len(), "{found:?}");
    assert!(config.get("inside_cidrs").is_null() && config.get("ipsec_policy").is_null());
}

#[tokio::test]
async fn generated_configuration_keeps_settings_and_plans_empty() {
    for (path, value) in [
        ("name", Value::from("other")),
        ("slot", 3_u32.into()),
        ("tags", Value::map([("team", "net")])),
        ("ipsec_policy.dh_group", 19_u32.into()),
        ("azure.connection_mode", "Default".into()),
        ("azure.resource_group_name", "other".into()),
        (
            "azure.virtual_network_id",
            VNET.replace("vnet1", "vnet2").into(),
        ),
        ("aws.region", "us-east-1".into()),
        ("azure.asn", 65_010_u32.into()),
    ] {
        let mut core = made(&with(nine_lines(), path, value.clone())).await;
        core.refresh().await;
        let config = core.resource.generate_config(&core.state);
        let plan = core.plan(&config).await;
        assert!(plan.requires_replace.is_empty(), "{path}");
        assert_eq!(
            differences(&plan.planned, &core.state, AttributePath::empty()),
            Vec::<String>::new(),
            "{path}: {:?}",
            plan.diagnostics
        );
        let of_gateway = ["azure.virtual_network_id", "azure.asn"].contains(&path);
        assert_eq!(config.at(&path.into()).is_set(), !of_gateway, "{path}");
    }
}
