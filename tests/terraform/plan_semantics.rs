//! What a plan promises: values that are not known yet, plans that no longer fit the clouds, and
//! replacements in either order.

use awsazure::provider::summaries;
use serde_json::Value;
use test_support::terraform::{Link, TestEnv, text};

pub const ADDRESS: &str = "awsazure_bgp_vpn.link";

/// Applies a saved plan, which must be rejected before anything is written. A new plan then
/// completes the link.
fn reject_saved_plan_then_apply(env: &TestEnv, cause: &str) {
    let before = env.calls().len();
    let refused = env.run(&["apply", "-no-color", "saved"]);
    assert!(
        !refused.succeeded() && refused.words().contains(cause),
        "{}",
        refused.text()
    );
    assert_eq!(env.writes_since(before), Vec::<String>::new());
    env.apply();
    assert!(env.plan_is_empty());
    assert_eq!(env.link_counts(), [1, 4, 2]);
}

#[test]
fn reject_outdated_plan_before_any_write() {
    let Some(env) = TestEnv::new() else { return };
    let link = Link::complete("link");
    env.write(&link.to_string());
    env.apply();
    let cloud_admin = env.cloud_admin();
    let state = || env.link("link");
    let mut team = 0;
    let mut save = || {
        team += 1;
        env.write(
            &link
                .clone()
                .with("tags", &format!("{{ team = \"{team}\" }}"))
                .to_string(),
        );
        env.ok(&["plan", "-no-color", "-out=saved"]);
    };

    save();
    let vpn = text(&state()["tunnels"]["instance1_tunnel2"]["aws_vpn_connection_id"]);
    cloud_admin.delete_vpn_connection(&vpn);
    reject_saved_plan_then_apply(&env, "VPN connection to instance1");

    save();
    cloud_admin.resize(&text(&state()["azure"]["gateway_id"]), "VpnGw3AZ");
    reject_saved_plan_then_apply(&env, "azure.sku");

    save();
    cloud_admin.switch_propagation_off(
        &text(&state()["aws"]["main_route_table_id"]),
        &text(&state()["aws"]["vpn_gateway_id"]),
    );
    reject_saved_plan_then_apply(&env, &text(&state()["aws"]["main_route_table_id"]));

    // What the plan mentions may have been done by others meanwhile.
    env.write(&link.clone().with("azure.sku", "\"VpnGw3AZ\"").to_string());
    env.ok(&["plan", "-no-color", "-out=saved"]);
    cloud_admin.resize(&text(&state()["azure"]["gateway_id"]), "VpnGw3AZ");
    env.ok(&["apply", "-no-color", "saved"]);
    assert!(env.plan_is_empty());
}

/// The link, with values of a resource that is replaced at each step.
fn with_values_known_later(link: &Link, vnet: &str, generation: &str) -> String {
    let later = format!(
        "variable \"step\" {{ default = \"1\" }}\nresource \"terraform_data\" \"later\" {{\n  \
         input = {{ vnet = {vnet:?}, group = \"hub\", generation = {generation:?} }}\n  triggers_replace = var.step\n}}\n"
    );
    let link = link
        .clone()
        .with(
            "azure.virtual_network_id",
            "terraform_data.later.output.vnet",
        )
        .with(
            "azure.resource_group_name",
            "terraform_data.later.output.group",
        )
        .with("azure.generation", "terraform_data.later.output.generation");
    format!("{later}{link}")
}

#[test]
fn keep_or_reject_unknown_replacing_values() {
    let Some(mut env) = TestEnv::new() else {
        return;
    };
    let link = env.link_between_networks();
    let vnet = text(&Value::from(
        link.to_string()
            .split('"')
            .find(|part| part.ends_with("/vnet1"))
            .unwrap(),
    ));
    env.write(&with_values_known_later(&link, &vnet, "Generation2"));
    env.apply();

    let before = env.calls().len();
    env.set("TF_VAR_step", "2");
    assert_eq!(env.plan().change(ADDRESS).actions, ["update"]);
    env.apply();
    assert_eq!(
        env.writes_since(before),
        Vec::<String>::new(),
        "the same values"
    );
    assert!(env.plan_is_empty());

    env.write(&with_values_known_later(&link, &vnet, "Generation1"));
    env.set("TF_VAR_step", "3");
    let before = env.calls().len();
    let refused = env.apply_fails();
    assert!(
        refused
            .words()
            .contains(summaries::UNABLE_TO_REPLACE_IN_RUN),
        "{}",
        refused.text()
    );
    assert_eq!(
        env.writes_since(before),
        Vec::<String>::new(),
        "another value"
    );
    assert!(env.plan().change(ADDRESS).replaces());
    env.apply();
    assert_eq!(env.link("link")["azure"]["generation"], "Generation1");
    assert!(env.plan_is_empty());
}

const CREATE_FIRST: &str = "  lifecycle {\n    create_before_destroy = true\n  }\n";

/// A link with a line that is no attribute.
pub fn with_line(link: &Link, line: &str) -> String {
    link.clone()
        .with("lifecycle", "LINE")
        .to_string()
        .replace("  lifecycle = LINE\n", line)
}

#[test]
fn reject_create_before_destroy_and_keep_link() {
    let Some(env) = TestEnv::new() else { return };
    let link = env.link_between_networks();
    let dependent =
        "resource \"terraform_data\" \"after\" {\n  input = awsazure_bgp_vpn.link.azure.resource_group_name\n  \
                     triggers_replace = awsazure_bgp_vpn.link.id\n"
            .to_owned();
    let imposed = format!("{link}{dependent}{CREATE_FIRST}}}\n");
    for configuration in [with_line(&link, CREATE_FIRST), imposed] {
        env.write(&configuration);
        env.apply();
        let before = env.calls().len();
        let refused = env.run(&["apply", "-auto-approve", "-no-color", "-replace", ADDRESS]);
        assert!(
            !refused.succeeded() && refused.words().contains("create_before_destroy"),
            "{}",
            refused.text()
        );
        assert_eq!(env.writes_since(before), Vec::<String>::new());
        let instances = env.state()["resources"]
            .as_array()
            .unwrap()
            .iter()
            .find(|r| r["type"] == "awsazure_bgp_vpn")
            .unwrap()["instances"]
            .clone();
        assert_eq!(instances.as_array().unwrap().len(), 1, "{instances:#}");
        assert!(instances[0]["deposed"].is_null(), "{instances:#}");
        assert!(env.plan_is_empty());
    }
}

#[test]
fn keep_link_on_network_change_with_create_before_destroy() {
    let Some(env) = TestEnv::new() else { return };
    let (link, cloud_admin) = (env.link_between_networks(), env.cloud_admin());
    let other = cloud_admin.make_hub_network("vnet2", 3);
    env.write(&with_line(&link, CREATE_FIRST));
    env.apply();
    // The VPC has the VPN gateway of the old link.
    env.write(&with_line(
        &link
            .clone()
            .with("azure.virtual_network_id", &format!("{other:?}")),
        CREATE_FIRST,
    ));
    let before = env.calls().len();
    let refused = env.apply_fails();
    assert!(
        refused.words().contains("create_before_destroy"),
        "{}",
        refused.text()
    );
    assert_eq!(env.writes_since(before), Vec::<String>::new());
    env.write(
        &link
            .with("azure.virtual_network_id", &format!("{other:?}"))
            .to_string(),
    );
    env.apply();
    assert!(env.plan_is_empty());
    assert_eq!(env.link_counts(), [1, 4, 2]);
}

#[test]
fn replacement_ignores_addresses_of_replaced_link() {
    let Some(env) = TestEnv::new() else { return };
    let (link, cloud_admin) = (env.link_between_networks(), env.cloud_admin());
    let end = cloud_admin.make_transit_gateway("Options.AmazonSideAsn=64600");
    let link = link
        .without("aws.vpc_id")
        .with("aws.transit_gateway_id", &format!("{end:?}"));
    env.write(&link.to_string());
    env.apply();
    let other = cloud_admin.make_hub_network("vnet2", 3);
    env.write(
        &link
            .with("azure.virtual_network_id", &format!("{other:?}"))
            .to_string(),
    );
    assert!(env.plan().change(ADDRESS).replaces());
    env.apply();
    assert!(env.plan_is_empty());
    assert_eq!(env.link_counts(), [1, 4, 2]);
    env.destroy();
}

#[test]
fn change_remove_and_add_public_subnet_in_place() {
    let Some(env) = TestEnv::new() else { return };
    let link = Link::complete("link").with(
        "aws.vpc",
        "{ cidr_block = \"10.2.0.0/16\", public_subnet_cidr_block = \"10.2.1.0/24\" }",
    );
    env.write(&link.to_string());
    env.apply();
    let ours = |kind: &str| {
        let world = env.world();
        world
            .of_kind(kind)
            .into_iter()
            .filter(|object| !object.tags["awsazure:link"].is_null())
            .count()
    };
    let parts = || ["vpc", "subnet", "internet-gateway", "route-table"].map(ours);
    let vpn = env.link("link")["tunnels"].clone();
    let ranges = [Some("10.2.2.0/24"), None, Some("10.2.3.0/24")];
    for range in ranges {
        let range_hcl = range.map_or_else(|| "null".to_owned(), |range| format!("{range:?}"));
        let vpc =
            format!("{{ cidr_block = \"10.2.0.0/16\", public_subnet_cidr_block = {range_hcl} }}");
        env.write(&link.clone().with("aws.vpc", &vpc).to_string());
        assert_eq!(env.plan().change(ADDRESS).actions, ["update"]);
        env.apply();
        assert!(env.plan_is_empty(), "{range:?}");
        assert_eq!(
            parts(),
            if range.is_some() {
                [1, 1, 1, 1]
            } else {
                [1, 0, 0, 0]
            },
            "{range:?}"
        );
        let world = env.world();
        let subnets: Vec<String> = world
            .of_kind("subnet")
            .iter()
            .map(|subnet| format!("{:?}", subnet.more))
            .collect();
        assert!(
            subnets.iter().all(|subnet| subnet.contains(range.unwrap())),
            "{subnets:?}"
        );
        let state = env.link("link");
        assert_eq!(state["aws"]["public_subnet_id"].is_null(), range.is_none());
        assert_eq!(
            state["aws"]["route_table_ids"].as_array().unwrap().len(),
            if range.is_some() { 2 } else { 1 }
        );
        assert_eq!(state["tunnels"], vpn, "no tunnel is touched");
    }
    let spelled = link
        .to_string()
        .replace("VNet1", "vnet1")
        .replace("FrontEnd", "frontend")
        .replace("10.2.1.0", "10.2.3.0");
    env.write(&spelled);
    assert!(env.plan_is_empty(), "names in another casing");
    env.destroy();
    let left = env.world();
    assert!(left.is_empty(), "{left:#?}");
}

#[test]
fn destroy_ignores_missing_configured_objects() {
    let Some(env) = TestEnv::new() else { return };
    let (link, cloud_admin) = (env.link_between_networks(), env.cloud_admin());
    let vpc = cloud_admin.make_vpc("10.4.0.0/16");
    let gateway = cloud_admin.make_vpn_gateway(&vpc, 64_900);
    let given = |id: &str| {
        link.clone()
            .without("aws.vpc_id")
            .with("aws.vpn_gateway_id", &format!("{id:?}"))
    };
    let ways: [(&[&str], bool); 3] = [
        (&["destroy", "-auto-approve"], true),
        (&["apply", "-destroy", "-auto-approve"], false),
        (&["destroy"], false),
    ];
    env.write(&given(&gateway).to_string());
    for (way, (args, deleted)) in ways.into_iter().enumerate().rev() {
        env.apply();
        if deleted {
            let tunnels = env.link("link")["tunnels"].clone();
            for key in ["instance0_tunnel1", "instance1_tunnel1"] {
                cloud_admin.delete_vpn_connection(&text(&tunnels[key]["aws_vpn_connection_id"]));
            }
            cloud_admin.delete_vpn_gateway(&gateway, &vpc);
            // The plan of a change names what is missing.
            assert!(env.plan_fails().words().contains(&gateway), "{way}");
        } else {
            env.write(&given("vgw-0123456789abcdef0").to_string());
            assert!(
                env.plan_fails().words().contains("vgw-0123456789abcdef0"),
                "{way}"
            );
        }
        env.ok(&["plan", "-destroy", "-no-color"]);
        let confirmed = if args.len() == 1 {
            &["-auto-approve", "-no-color"][..]
        } else {
            &["-no-color"]
        };
        env.ok(&[args, confirmed].concat());
        assert!(env.has_none_of(&[
            "virtualNetworkGateways",
            "connections",
            "vpn-connection",
            "customer-gateway"
        ]));
        env.write(&given(&gateway).to_string());
    }
}
