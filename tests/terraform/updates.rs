//! Every change of a link that stands: what the plan calls it, that one apply makes it so, that the
//! next plan is empty, and that neither cloud keeps anything of what was before.

use awsazure::aws::model::TunnelOptions;
use test_support::terraform::{Link, Scenario, TestEnv, has_warning};

#[test]
fn update_tunnel_options_in_place() {
    let Some(mut scenario) = Scenario::apply() else {
        return;
    };
    let before = scenario.state()["tunnels"].clone();

    scenario.changes(|link| link.with("tags", "{ team = \"network\" }"));
    let world = scenario.env.world();
    // A VPC's main table and default parts are AWS's own.
    let ours = world
        .aws
        .iter()
        .chain(&world.azure)
        .filter(|object| !object.tags["awsazure:link"].is_null());
    let bare: Vec<_> = ours
        .clone()
        .filter(|object| object.tags["team"] != "network")
        .collect();
    assert_eq!(ours.count(), 22);
    assert!(bare.is_empty(), "{bare:#?}");

    scenario.changes(|link| {
        link.with("azure.connection_mode", "\"Default\"")
            .with("azure.dpd_timeout_seconds", "60")
    });
    let said = scenario.changes(|link| {
        link.with("aws.startup_action", "\"add\"")
            .with("aws.dpd_timeout_action", "\"clear\"")
            .with("aws.dpd_timeout_seconds", "40")
    });
    assert!(
        has_warning(&said, awsazure::provider::summaries::TUNNELS_INTERRUPTED),
        "{said}"
    );
    // Back to what answers a silent loss.
    scenario.changes(|link| {
        link.without("aws.startup_action")
            .with("aws.startup_action", "\"start\"")
    });
    let said = scenario.changes(|link| link.with("ipsec_policy", "{ preset = \"compatible\" }"));
    assert!(
        has_warning(&said, awsazure::provider::summaries::TUNNELS_INTERRUPTED),
        "{said}"
    );
    assert_eq!(
        scenario.state()["tunnels"],
        before,
        "ids and addresses stay"
    );
    scenario.finish();
}

/// Lifecycle control is switched on and off, repaired and imported, and no plan of it warns of an
/// interruption.
#[test]
fn update_lifecycle_control_without_warning() {
    let Some(mut scenario) = Scenario::apply() else {
        return;
    };
    let path = "aws.tunnel_lifecycle_control";
    let connections = |scenario: &Scenario| {
        let world = scenario.env.world();
        world
            .of_kind("vpn-connection")
            .iter()
            .map(|vpn| vpn.id.clone())
            .collect::<Vec<_>>()
    };
    let controlled = |scenario: &Scenario| {
        let admin = scenario.env.cloud_admin();
        let tunnels = connections(scenario)
            .into_iter()
            .flat_map(|id| admin.vpn(&id).tunnels);
        tunnels
            .map(|tunnel| tunnel.options.lifecycle_control.unwrap_or(false))
            .collect::<Vec<_>>()
    };
    let (before, plain) = (scenario.state()["tunnels"].clone(), scenario.link.clone());
    assert_eq!(
        (
            &scenario.state()["aws"]["tunnel_lifecycle_control"],
            controlled(&scenario)
        ),
        (&false.into(), vec![false; 4])
    );

    let said = scenario.changes(|link| link.with(path, "true"));
    assert!(
        !has_warning(&said, awsazure::provider::summaries::TUNNELS_INTERRUPTED),
        "{said}"
    );
    assert_eq!(
        (controlled(&scenario), &scenario.state()["tunnels"]),
        (vec![true; 4], &before)
    );
    scenario.env.write(&plain.to_string());
    assert!(
        scenario.env.plan_is_empty(),
        "left out, it stays as last applied"
    );

    // Someone switches it off, which is shown and undone.
    let off = TunnelOptions {
        lifecycle_control: Some(false),
        ..TunnelOptions::default()
    };
    connections(&scenario)
        .iter()
        .for_each(|id| scenario.env.cloud_admin().change_tunnels(id, &off));
    let plan = scenario.env.plan();
    assert_eq!(
        plan.change(&plain.address()).before["aws"]["tunnel_lifecycle_control"],
        false,
        "{}",
        plan.text
    );
    scenario.env.apply();
    assert_eq!(controlled(&scenario), vec![true; 4]);
    assert!(scenario.env.plan_is_empty());

    let id = scenario.state()["id"].as_str().unwrap().to_owned();
    scenario.env.ok(&["state", "rm", &plain.address()]);
    scenario.env.import(&plain.address(), &id);
    assert_eq!(scenario.state()["aws"]["tunnel_lifecycle_control"], true);
    assert!(scenario.env.plan_is_empty());

    scenario.changes(|link| link.with(path, "false"));
    assert_eq!(
        (controlled(&scenario), &scenario.state()["tunnels"]),
        (vec![false; 4], &before)
    );
    scenario.finish();
}

#[test]
fn create_with_lifecycle_control_plans_empty() {
    let Some(env) = TestEnv::new() else { return };
    env.write(
        &Link::complete("link")
            .with("aws.tunnel_lifecycle_control", "true")
            .to_string(),
    );
    env.apply();
    assert_eq!(env.link("link")["aws"]["tunnel_lifecycle_control"], true);
    assert!(env.plan_is_empty());
}

#[test]
fn update_addresses_in_place_and_remove_old_ones() {
    let Some(mut scenario) = Scenario::apply() else {
        return;
    };
    assert_eq!(
        scenario.listed(),
        [
            "169.254.21.2",
            "169.254.21.6",
            "169.254.22.2",
            "169.254.22.6"
        ]
    );
    let id = scenario.state()["id"].clone();

    scenario.changes(|link| link.with("slot", "3"));
    assert_eq!(
        scenario.listed(),
        [
            "169.254.21.26",
            "169.254.21.30",
            "169.254.22.26",
            "169.254.22.30"
        ]
    );
    assert_eq!(
        scenario.state()["tunnels"]["instance1_tunnel2"]["azure_bgp_ip"],
        "169.254.22.30"
    );
    assert_eq!(scenario.state()["id"], id, "the identity stays");

    scenario.changes(|link| {
        link.with(
            "inside_cidrs",
            "{ instance1_tunnel2 = \"169.254.22.40/30\" }",
        )
    });
    assert_eq!(
        scenario.listed(),
        [
            "169.254.21.26",
            "169.254.21.30",
            "169.254.22.26",
            "169.254.22.42"
        ]
    );
    assert_eq!(scenario.state()["slot"], 3, "as configured");
    scenario.finish();
}

#[test]
fn update_sku_name_waiting_and_route_tables_in_place() {
    let Some(mut scenario) = Scenario::apply() else {
        return;
    };
    let said = scenario.changes(|link| link.with("azure.sku", "\"VpnGw3AZ\""));
    assert!(
        has_warning(&said, awsazure::provider::summaries::AZURE_GATEWAY_RESIZED),
        "{said}"
    );

    let before = scenario.state()["tunnels"].clone();
    scenario.changes(|link| link.with("name", "\"renamed\""));
    assert_eq!(
        scenario.state()["tunnels"],
        before,
        "a new name renames nothing"
    );
    let named = |scenario: &Scenario, kind: &str| {
        scenario.env.world().of_kind(kind)[0].tags["awsazure:name"].clone()
    };
    assert_eq!(named(&scenario, "vpn-connection"), "renamed");
    assert_eq!(named(&scenario, "connections"), "renamed");

    let calls = scenario.env.calls().len();
    scenario.changes(|link| link.with("wait_for_bgp", "false"));
    let writes = scenario
        .env
        .calls()
        .into_iter()
        .skip(calls)
        .filter(|call| !is_read(&call.operation))
        .count();
    assert_eq!(writes, 0, "no cloud has to hear of it");

    let main = scenario.state()["aws"]["main_route_table_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let propagating = |scenario: &Scenario| {
        let on = |table: &&test_support::terraform::Object| {
            table.more["propagating"].to_string().contains("vgw-")
        };
        let world = scenario.env.world();
        let mut ids: Vec<String> = world
            .of_kind("route-table")
            .into_iter()
            .filter(on)
            .map(|table| table.id.clone())
            .collect();
        ids.sort();
        ids
    };
    assert_eq!(propagating(&scenario).len(), 2);
    scenario.changes(|link| link.with("aws.route_table_ids", &format!("[{main:?}]")));
    assert_eq!(propagating(&scenario), std::slice::from_ref(&main));
    scenario.changes(|link| link.with("aws.route_table_ids", "[]"));
    assert_eq!(propagating(&scenario), [main], "hands off");
    assert_eq!(
        scenario.state()["managed"].get("aws_route_propagation"),
        None
    );
    scenario.finish();
}

fn is_read(operation: &str) -> bool {
    ["Describe", "Get", "List"]
        .iter()
        .any(|verb| operation.starts_with(verb))
}

/// The plan warns about what the update interrupts.
#[test]
fn update_asns_region_and_vpc_with_warning() {
    let Some(mut scenario) = Scenario::apply() else {
        return;
    };
    let gateway = |scenario: &Scenario| scenario.state()["azure"]["gateway_id"].clone();
    let first = gateway(&scenario);

    let said = scenario.changes(|link| link.with("azure.asn", "65010"));
    assert!(
        has_warning(
            &said,
            awsazure::provider::summaries::ALL_TUNNELS_INTERRUPTED
        ),
        "{said}"
    );

    let vgw = scenario.state()["aws"]["vpn_gateway_id"].clone();
    let said = scenario.changes(|link| link.with("aws.asn", "64520"));
    assert!(
        has_warning(&said, awsazure::provider::summaries::AWS_SIDE_RECREATED),
        "{said}"
    );
    assert_ne!(scenario.state()["aws"]["vpn_gateway_id"], vgw);

    let vpc = scenario.state()["aws"]["vpc_id"].clone();
    let said = scenario.changes(|link| {
        link.with(
            "aws.vpc",
            "{ cidr_block = \"10.9.0.0/16\", public_subnet_cidr_block = \"10.9.1.0/24\" }",
        )
    });
    assert!(
        has_warning(&said, awsazure::provider::summaries::AWS_SIDE_RECREATED),
        "{said}"
    );
    assert_ne!(scenario.state()["aws"]["vpc_id"], vpc);

    let said = scenario.changes(|link| link.with("aws.region", "\"eu-west-1\""));
    assert!(
        has_warning(&said, awsazure::provider::summaries::AWS_SIDE_RECREATED),
        "{said}"
    );
    assert_eq!(
        gateway(&scenario),
        first,
        "the Azure gateway stays through all of it"
    );
    scenario.finish();
}

#[test]
fn another_azure_gateway_replaces_link() {
    let Some(scenario) = Scenario::apply() else {
        return;
    };
    let cloud_admin = scenario.env.cloud_admin();
    cloud_admin.make_group("elsewhere");
    let network = cloud_admin.make_network(
        "elsewhere",
        "other",
        "10.7.0.0/16",
        &[("GatewaySubnet", "10.7.255.0/27")],
    );
    let with = |path: &str, value: &str| scenario.link.clone().with(path, value);
    let elsewhere = scenario
        .link
        .clone()
        .without("azure.virtual_network")
        .without("azure.location");
    let gateway = scenario.state()["azure"]["gateway_id"]
        .as_str()
        .unwrap()
        .replace("link-gateway", "another");
    let replacing = [
        (with("azure.location", "\"westeurope\""), "location"),
        (with("azure.generation", "\"Generation1\""), "generation"),
        (
            with("azure.resource_group_name", "\"elsewhere\""),
            "resource_group_name",
        ),
        (
            elsewhere.with("azure.virtual_network_id", &format!("{network:?}")),
            "virtual_network_id",
        ),
        (
            with("azure.gateway_id", &format!("{gateway:?}")),
            "gateway_id",
        ),
    ];
    for (link, path) in &replacing {
        scenario.env.write(&link.to_string());
        if *path == "gateway_id" {
            let run = scenario.env.plan_fails();
            assert!(
                run.words()
                    .contains(bgp_vpn::summaries::MISSING_AZURE_GATEWAY),
                "{}",
                run.text()
            );
            continue;
        }
        let plan = scenario.env.plan();
        let change = plan.change(&link.address());
        assert!(
            change.replaces(),
            "{path}: {:?}\n{}",
            change.actions,
            plan.text
        );
        assert!(
            change.replace_paths.to_string().contains(path),
            "{}",
            change.replace_paths
        );
        assert!(
            has_warning(&plan.text, awsazure::provider::summaries::LINK_REPLACED),
            "{}",
            plan.text
        );
    }

    scenario.env.write(&replacing[3].0.to_string());
    scenario.env.apply();
    assert!(scenario.env.plan_is_empty());
    let world = scenario.env.world();
    assert_eq!(world.of_kind("virtualNetworkGateways").len(), 1);
    let state = scenario.state();
    assert_eq!(state["azure"]["virtual_network_id"], network.as_str());
}

#[test]
fn update_own_network_ranges_and_subnets_in_place() {
    let Some(scenario) = Scenario::apply() else {
        return;
    };
    let network = |ranges: &str, subnets: &str| {
        let made = format!(
            "{{ name = \"VNet1\", address_space = [{ranges}], gateway_subnet_prefix = \"10.1.255.0/27\", subnets = {{ {subnets} }} }}"
        );
        scenario
            .link
            .clone()
            .with("azure.virtual_network", &made)
            .to_string()
    };
    let subnets = |scenario: &Scenario| {
        let ids = scenario.state()["azure"]["subnet_ids"].clone();
        ids.as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    let apply = |config: &str| {
        scenario.env.write(config);
        assert_eq!(
            scenario.env.plan().change(&scenario.link.address()).actions,
            ["update"]
        );
        scenario.env.apply();
        assert!(scenario.env.plan_is_empty(), "after\n{config}");
    };
    apply(&network(
        "\"10.1.0.0/16\", \"10.9.0.0/16\"",
        "FrontEnd = \"10.1.0.0/24\", Back = \"10.9.1.0/24\"",
    ));
    assert_eq!(subnets(&scenario), ["Back", "FrontEnd", "GatewaySubnet"]);
    apply(&network("\"10.1.0.0/16\"", "FrontEnd = \"10.1.2.0/24\""));
    assert_eq!(subnets(&scenario), ["FrontEnd", "GatewaySubnet"]);
    let puts = scenario
        .env
        .calls()
        .iter()
        .filter(|call| call.operation == "PutGateway")
        .count();
    assert_eq!(puts, 1, "the gateway is not touched");

    scenario.env.write(
        &network("\"10.1.0.0/16\"", "FrontEnd = \"10.1.2.0/24\"")
            .replace("10.1.255.0/27", "10.1.254.0/27"),
    );
    let plan = scenario.env.plan();
    assert!(
        plan.change(&scenario.link.address()).replaces(),
        "a gateway does not move:\n{}",
        plan.text
    );
    scenario.finish();
}
