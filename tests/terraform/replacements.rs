//! Changes that go far: another policy and back, another VPN gateway, another Azure gateway; each
//! carried out, and nothing of what was before is left in either cloud.

use serde_json::Value;
use std::collections::BTreeSet;
use test_support::terraform::{Groups, Link, Scenario, TestEnv, census, has_warning, slot};

#[test]
fn change_policy_to_default_and_back_and_remove_tags() {
    let Some(mut scenario) = Scenario::apply() else {
        return;
    };
    let pinned = |scenario: &Scenario| {
        let id = scenario.state()["tunnels"]["instance1_tunnel2"]["azure_connection_id"]
            .as_str()
            .unwrap()
            .to_owned();
        scenario.env.cloud_admin().policy_of(&id)
    };
    let strong = pinned(&scenario);
    assert!(strong.is_some());
    scenario.changes(|link| link.with("ipsec_policy", "{ preset = \"cloud_default\" }"));
    assert_eq!(pinned(&scenario), None);
    assert_eq!(scenario.state()["ipsec_policy"]["dh_group"], Value::Null);
    // Without a line it stays as last applied.
    scenario.link = scenario.link.without("ipsec_policy");
    scenario.env.write(&scenario.link.to_string());
    assert!(scenario.env.plan_is_empty());
    scenario.changes(|link| link.with("ipsec_policy", "{ preset = \"strong\" }"));
    assert_eq!(pinned(&scenario), strong);

    let carrying = |scenario: &Scenario, key: &str| {
        let world = scenario.env.world();
        world
            .aws
            .iter()
            .chain(&world.azure)
            .filter(|object| !object.tags[key].is_null())
            .count()
    };
    scenario.changes(|link| link.with("tags", "{ team = \"network\", cost = \"7\" }"));
    assert_eq!(
        (carrying(&scenario, "team"), carrying(&scenario, "cost")),
        (22, 22)
    );
    scenario.changes(|link| link.with("tags", "{ team = \"network\" }"));
    assert_eq!(
        (carrying(&scenario, "team"), carrying(&scenario, "cost")),
        (22, 0)
    );
    scenario.changes(|link| link.without("tags"));
    assert_eq!(
        (
            carrying(&scenario, "team"),
            carrying(&scenario, "awsazure:link")
        ),
        (0, 22)
    );
    scenario.finish();
}

#[test]
fn move_to_other_vpn_gateway_and_keep_both() {
    let Some(scenario) = Scenario::apply() else {
        return;
    };
    let (env, cloud_admin) = (&scenario.env, scenario.env.cloud_admin());
    let made: Vec<(String, String)> = ["10.7.0.0/16", "10.8.0.0/16"]
        .map(|cidr| cloud_admin.make_vpc(cidr))
        .map(|vpc| (cloud_admin.make_vpn_gateway(&vpc, 64_530), vpc))
        .into();
    let azure = scenario.state()["azure"]["gateway_id"].clone();
    let plain = scenario.link.clone().without("aws.vpc");
    for (vgw, vpc) in &made {
        env.write(
            &plain
                .clone()
                .with("aws.vpn_gateway_id", &format!("{vgw:?}"))
                .to_string(),
        );
        let plan = env.plan();
        assert_eq!(
            plan.change(&plain.address()).actions,
            ["update"],
            "{}",
            plan.text
        );
        assert!(
            has_warning(
                &plan.text,
                awsazure::provider::summaries::AWS_SIDE_RECREATED
            ),
            "{}",
            plan.text
        );
        env.apply();
        assert!(env.plan_is_empty());
        let state = scenario.state();
        assert_eq!(
            (&state["aws"]["vpc_id"], &state["aws"]["asn"]),
            (&Value::from(vpc.as_str()), &Value::from(64_530))
        );
        assert_eq!(state["azure"]["gateway_id"], azure);
        let world = env.world();
        let kinds = ["vpc", "vpn-gateway", "vpn-connection", "customer-gateway"]
            .map(|kind| world.of_kind(kind).len());
        assert_eq!(kinds, [2, 2, 2, 2], "nothing of the first VPC is left");
    }
    env.destroy();
    let world = env.world();
    assert_eq!(
        (
            world.of_kind("vpn-gateway").len(),
            world.of_kind("vpn-connection").len()
        ),
        (2, 0)
    );
    assert!(world.azure.is_empty(), "{:#?}", world.azure);
    let tables = world
        .of_kind("route-table")
        .into_iter()
        .map(|table| table.more["propagating"].to_string());
    assert!(tables.into_iter().all(|on| !on.contains("vgw-")));
}

/// Propagation from an existing VPN gateway is recorded in tags, which an import reads and a
/// destroy removes.
#[test]
fn tag_propagation_on_existing_vpn_gateway() {
    let Some(env) = TestEnv::new() else { return };
    let cloud_admin = env.cloud_admin();
    let vpc = cloud_admin.make_vpc("10.7.0.0/16");
    let main = env.world().of_kind("route-table")[0].id.clone();
    let (vgw, other) = (
        cloud_admin.make_vpn_gateway(&vpc, 64_530),
        cloud_admin.make_route_table(&vpc),
    );
    let open_before = cloud_admin.make_route_table(&vpc);
    cloud_admin.switch_propagation_on(&open_before, &vgw);
    let plain = Link::complete("link")
        .without("aws.vpc")
        .with("aws.vpn_gateway_id", &format!("{vgw:?}"));
    let on = |table: &str| {
        let world = env.world();
        let tables = world.of_kind("route-table").into_iter();
        tables
            .filter(|one| one.id == table)
            .any(|one| one.more["propagating"].to_string().contains(&vgw))
    };
    let marks = || {
        let world = env.world();
        let tags = world
            .of_kind("customer-gateway")
            .into_iter()
            .filter_map(|one| one.tags.as_object().cloned());
        let keys: BTreeSet<String> = tags.flatten().map(|(key, _)| key).collect();
        keys.into_iter()
            .filter_map(|key| Some(key.strip_prefix("awsazure:propagates/")?.to_owned()))
            .collect::<Vec<_>>()
    };
    let becomes = |tables: &[&String]| {
        env.write(
            &plain
                .clone()
                .with("aws.route_table_ids", &format!("{tables:?}"))
                .to_string(),
        );
        env.apply();
        assert!(env.plan_is_empty());
    };

    becomes(&[&main, &other, &open_before]);
    assert_eq!((marks().len(), on(&main), on(&other)), (2, true, true));
    cloud_admin.switch_propagation_off(&open_before, &vgw);
    becomes(&[&main, &other, &open_before]);
    assert_eq!(
        (marks().len(), on(&open_before)),
        (2, true),
        "propagated again, and still another user's"
    );
    becomes(&[&main]);
    assert_eq!(
        (marks(), on(&other), on(&open_before)),
        (vec![main.clone()], false, true)
    );
    cloud_admin.switch_propagation_off(&open_before, &vgw);

    let id = env.link("link")["id"].as_str().unwrap().to_owned();
    env.ok(&["state", "rm", &plain.address()]);
    env.import(&plain.address(), &id);
    assert!(env.plan_is_empty());
    let managed = |env: &TestEnv| env.link("link")["managed"]["aws_route_propagation"].clone();
    assert_eq!(managed(&env), serde_json::json!([format!("{main}/{vgw}")]));

    // From here on it is another user's.
    becomes(&[]);
    assert_eq!(
        (marks().len(), on(&main), managed(&env)),
        (0, true, Value::Null)
    );
    env.ok(&["state", "rm", &plain.address()]);
    env.import(&plain.address(), &id);
    assert_eq!(managed(&env), Value::Null);
    env.destroy();
    assert!(on(&main) && env.has_none_of(&["connections", "vpn-connection", "customer-gateway"]));
}

#[test]
fn objects_get_configured_names() {
    let Some(env) = TestEnv::new() else { return };
    let link = Link::complete("link")
        .with(
            "azure.names",
            "{ gateway = \"gw-corp\", public_ip_instance0 = \"pip-corp\", connection_instance0_tunnel1 = \"cn-corp\" }",
        )
        .with("aws.names", "{ vpn_gateway = \"vgw corp\", vpn_connection_instance1 = \"vpn corp\" }");
    env.write(&link.to_string());
    env.apply();
    assert!(env.plan_is_empty());
    let world = env.world();
    let names: Vec<String> = world
        .azure
        .iter()
        .filter_map(|object| object.name.clone())
        .collect();
    for name in [
        "gw-corp",
        "pip-corp",
        "cn-corp",
        "link-to-aws-instance0-tunnel2",
    ] {
        assert!(names.iter().any(|have| have == name), "{name} in {names:?}");
    }
    assert_eq!(world.of_kind("vpn-gateway")[0].tags["Name"], "vgw corp");
    assert!(
        world
            .of_kind("vpn-connection")
            .iter()
            .any(|vpn| vpn.tags["Name"] == "vpn corp")
    );
    let id = env.link("link")["id"].as_str().unwrap().to_owned();
    env.ok(&["state", "rm", &link.address()]);
    env.import(&link.address(), &id);
    assert!(env.plan_is_empty());
    env.destroy();
    assert!(env.world().is_empty());
}

#[test]
fn gateway_replacements_leave_nothing_behind() {
    let Some(mut scenario) = Scenario::apply() else {
        return;
    };
    let shape = census(&scenario.env.world());
    let replaces = |scenario: &mut Scenario, change: fn(Link) -> Link| {
        scenario.link = change(scenario.link.clone());
        scenario.env.write(&scenario.link.to_string());
        let plan = scenario.env.plan();
        assert!(
            plan.change(&scenario.link.address()).replaces(),
            "{}",
            plan.text
        );
        scenario.env.apply();
        assert!(scenario.env.plan_is_empty(), "after\n{}", scenario.link);
    };
    let steps: [fn(Link) -> Link; 3] = [
        |link| link.with("azure.generation", "\"Generation1\""),
        |link| link.with("azure.location", "\"westeurope\""),
        |link| link.with("azure.resource_group_name", "\"another\""),
    ];
    for step in steps {
        replaces(&mut scenario, step);
        assert_eq!(
            census(&scenario.env.world()),
            shape,
            "after\n{}",
            scenario.link
        );
    }
    // To a gateway of another user, in another group.
    let cloud_admin = scenario.env.cloud_admin();
    let ends = cloud_admin.make_ends(&Groups::one("foreign"), &[slot(5)], false);
    let lent = scenario
        .link
        .clone()
        .without("azure.virtual_network")
        .without("azure.generation")
        .without("azure.location");
    let lent = lent
        .without("azure.create_resource_group")
        .with("azure.resource_group_name", "\"foreign\"");
    scenario.link = lent.with("azure.gateway_id", &format!("{:?}", ends.gateway));
    replaces(&mut scenario, |link| link);
    assert_eq!(
        scenario.env.world().of_kind("virtualNetworkGateways").len(),
        1
    );
    assert_eq!(scenario.listed().len(), 8);
    scenario.env.destroy();
    assert_eq!(cloud_admin.listed_addresses(&ends.gateway).len(), 4);
    assert!(scenario.env.has_none_of(&[
        "connections",
        "vpn-connection",
        "localNetworkGateways",
        "customer-gateway"
    ]));
}
