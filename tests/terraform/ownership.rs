//! Every object has one owner: links of one configuration and of several, objects of other users,
//! and what destroy deletes.

use awsazure::provider::summaries::{
    ADOPTED_OBJECTS, CONFLICTING_AZURE_GATEWAYS, MISSING_MOVED_BLOCK,
};
use serde_json::Value;
use std::collections::BTreeSet;
use test_support::terraform::{Link, TestEnv};

/// A VNet with a gateway subnet, in a group of other users.
fn network(env: &TestEnv) -> String {
    let cloud_admin = env.cloud_admin();
    cloud_admin.make_group("hub");
    cloud_admin.make_network(
        "hub",
        "hub",
        "10.1.0.0/16",
        &[("GatewaySubnet", "10.1.255.0/26")],
    )
}

/// Everything that a link in the state calls its own.
fn managed(env: &TestEnv, label: &str) -> BTreeSet<String> {
    let managed = env.link(label)["managed"].clone();
    let ids = managed
        .as_object()
        .into_iter()
        .flatten()
        .flat_map(|(_, ids)| ids.as_array().cloned().unwrap_or_default());
    ids.filter_map(|id| id.as_str().map(str::to_owned))
        .collect()
}

/// Ids of every object of both clouds.
fn ids(env: &TestEnv) -> BTreeSet<String> {
    let world = env.world();
    world
        .aws
        .iter()
        .chain(&world.azure)
        .map(|object| object.id.clone())
        .collect()
}

fn vpn_connections(env: &TestEnv) -> usize {
    env.world().of_kind("vpn-connection").len()
}

/// A second link on the gateway of the first.
fn attached(label: &str, vpc: &str) -> Link {
    Link::between(label, "hub", "", vpc)
        .without("azure.virtual_network_id")
        .with("azure.gateway_id", "awsazure_bgp_vpn.link.azure.gateway_id")
}

#[test]
fn plan_rejects_mutually_exclusive_links() {
    let Some(env) = TestEnv::new() else { return };
    let (network, vpcs) = (
        network(&env),
        ["10.2.0.0/16", "10.3.0.0/16"].map(|cidr| env.cloud_admin().make_vpc(cidr)),
    );
    let link = |label: &str, vpc: &str| Link::between(label, "hub", &network, vpc);
    let before = ids(&env);
    let one = link("one", &vpcs[0]);
    let gateways = format!("{one}\n{}", link("two", &vpcs[1]).with("slot", "1"));
    let names = format!(
        "{one}\n{}",
        link("two", &vpcs[1])
            .with("slot", "1")
            .with("name", "\"ONE\"")
    );
    let twins = format!("{one}\n{}", link("two", &vpcs[0]).with("name", "\"one\""));
    for (blocks, summary) in [
        (gateways, CONFLICTING_AZURE_GATEWAYS),
        (names, CONFLICTING_AZURE_GATEWAYS),
    ] {
        env.write(&blocks);
        let words = env.plan_fails().words();
        assert!(words.contains(summary), "{words}");
        assert_eq!(ids(&env), before);
    }
    // Nothing tells two equal blocks apart until both are applied.
    env.write(&twins);
    env.apply_fails();
    assert_eq!(vpn_connections(&env), 2);
    let owners = ["one", "two"].map(|label| !env.link(label).is_null());
    assert_eq!(owners.iter().filter(|owns| **owns).count(), 1, "{owners:?}");
    // Which block owns the link is chance. Without a moved block, the other one would replace it.
    let moved = "moved {\n  from = awsazure_bgp_vpn.two\n  to   = awsazure_bgp_vpn.one\n}\n";
    env.write(&one.to_string());
    if owners[1] {
        let words = env.apply_fails().words();
        assert!(words.contains(MISSING_MOVED_BLOCK), "{words}");
        env.write(&format!("{one}\n{moved}"));
    }
    env.apply();
    assert!(env.plan_is_empty());
    env.destroy();
    assert_eq!(ids(&env), before);
}

#[test]
fn reject_equal_slots_on_one_gateway() {
    let Some(env) = TestEnv::new() else { return };
    let vpcs = ["10.3.0.0/16", "10.4.0.0/16"].map(|cidr| env.cloud_admin().make_vpc(cidr));
    let network = network(&env);
    let first = Link::between("link", "hub", &network, &vpcs[0]);
    let second = attached("second", &vpcs[1]);
    // The gateway is unknown at plan: the second link is rejected in the apply, before it creates
    // anything.
    env.write(&format!("{first}\n{second}"));
    let words = env.apply_fails().words().to_lowercase();
    assert!(words.contains("slot"), "{words}");
    assert_eq!(vpn_connections(&env), 2);
    assert!(env.link("second").is_null());
    let words = env.plan_fails().words().to_lowercase();
    assert!(
        words.contains("slot") && words.contains(": 1, 2"),
        "{words}"
    );
    env.write(&format!("{first}\n{}", second.with("slot", "1")));
    env.apply();
    assert!(env.plan_is_empty());
    assert!(managed(&env, "link").is_disjoint(&managed(&env, "second")));
    env.destroy();
    assert_eq!(vpn_connections(&env), 0);
}

#[test]
fn plan_rejects_link_that_exists_outside_state() {
    let Some(env) = TestEnv::new() else { return };
    let vpcs =
        ["10.3.0.0/16", "10.4.0.0/16", "10.5.0.0/16"].map(|cidr| env.cloud_admin().make_vpc(cidr));
    let network = network(&env);
    let first = Link::between("link", "hub", &network, &vpcs[0]);
    let second = attached("second", &vpcs[1]).with("slot", "1");
    env.write(&format!("{first}\n{second}"));
    env.apply();
    let gateway = format!(
        "{:?}",
        env.link("link")["azure"]["gateway_id"].as_str().unwrap()
    );
    let calls = env.calls().len();
    env.ok(&["state", "rm", "awsazure_bgp_vpn.second"]);
    // The same link again, and another AWS side in the same slot.
    let again = second.clone().with("azure.gateway_id", &gateway);
    for link in [
        again.clone(),
        again.clone().with("aws.vpc_id", &format!("{:?}", vpcs[2])),
    ] {
        env.write(&format!("{first}\n{link}"));
        let words = env.plan_fails().words();
        assert!(words.contains("slot") && words.contains("vpn-"), "{words}");
    }
    assert_eq!(env.writes_since(calls), Vec::<String>::new());
    env.write(&format!(
        "{first}\n{}",
        again
            .with("slot", "2")
            .with("aws.vpc_id", &format!("{:?}", vpcs[2]))
            .with("name", "\"third\"")
    ));
    env.apply();
    assert!(env.plan_is_empty());
}

#[test]
fn copied_block_works_with_gateway_id() {
    let Some(env) = TestEnv::new() else { return };
    let vpcs = ["10.2.0.0/16", "10.3.0.0/16"].map(|cidr| env.cloud_admin().make_vpc(cidr));
    let network = network(&env);
    let first = Link::between("link", "hub", &network, &vpcs[0]);
    env.write(&format!(
        "{first}\n{}",
        Link::between("second", "hub", &network, &vpcs[1]).with("slot", "1")
    ));
    env.apply_fails();
    assert_eq!(vpn_connections(&env), 0);
    env.write(&format!(
        "{first}\n{}",
        attached("second", &vpcs[1]).with("slot", "1")
    ));
    env.apply();
    assert!(env.plan_is_empty());
    assert_eq!(vpn_connections(&env), 4);
}

#[test]
fn keep_propagation_enabled_by_another_state() {
    let Some(env) = TestEnv::new() else { return };
    let cloud_admin = env.cloud_admin();
    let (network, vpc) = (network(&env), cloud_admin.make_vpc("10.2.0.0/16"));
    let [own, theirs] = [(); 2].map(|()| cloud_admin.make_route_table(&vpc));
    let link = |tables: &[&String]| {
        Link::between("link", "hub", &network, &vpc)
            .with("aws.route_table_ids", &format!("{tables:?}"))
            .to_string()
    };
    env.write(&link(&[&own]));
    env.apply();
    let gateway = env.link("link")["aws"]["vpn_gateway_id"]
        .as_str()
        .unwrap()
        .to_owned();
    cloud_admin.switch_propagation_on(&theirs, &gateway);
    env.write(&link(&[&own, &theirs]));
    env.apply();
    assert!(env.plan_is_empty());
    assert!(!managed(&env, "link").contains(&format!("{theirs}/{gateway}")));
    assert!(managed(&env, "link").contains(&format!("{own}/{gateway}")));
    env.write(&link(&[]).replace("[]", &format!("[{own:?}]")));
    env.apply();
    assert!(cloud_admin.propagates(&theirs, &gateway) && cloud_admin.propagates(&own, &gateway));
    env.write(&link(&[&theirs]));
    env.apply();
    assert!(cloud_admin.propagates(&theirs, &gateway) && !cloud_admin.propagates(&own, &gateway));
    env.destroy();
}

#[test]
fn destroy_keeps_foreign_vpc_named_in_state() {
    let Some(env) = TestEnv::new() else { return };
    let cloud_admin = env.cloud_admin();
    env.write(&Link::complete("link").to_string());
    env.apply();
    let (own, theirs) = (
        env.link("link")["aws"]["vpc_id"]
            .as_str()
            .unwrap()
            .to_owned(),
        cloud_admin.make_vpc("10.99.0.0/16"),
    );
    let mut state = env.state();
    let text = state.to_string().replace(&own, &theirs);
    state = serde_json::from_str::<Value>(&text).unwrap();
    state["serial"] = (state["serial"].as_u64().unwrap() + 1).into();
    env.write_file("terraform.tfstate", &state.to_string());
    let run = env.run(&["destroy", "-auto-approve", "-no-color"]);
    assert!(
        !run.succeeded() && run.words().contains(&theirs),
        "{}",
        run.text()
    );
    let vpcs: BTreeSet<String> = env
        .world()
        .of_kind("vpc")
        .iter()
        .map(|vpc| vpc.id.clone())
        .collect();
    assert!(vpcs.contains(&theirs), "{vpcs:?}");
}

#[test]
fn plan_lists_objects_that_create_will_adopt() {
    let Some(env) = TestEnv::new() else { return };
    env.write(&Link::complete("link").to_string());
    env.fault("fail call 1 of PutConnection: forever refused");
    env.apply_fails();
    env.sandbox().fault(&["--clear"]);
    let vpc = env.link("link")["aws"]["vpc_id"]
        .as_str()
        .unwrap()
        .to_owned();
    env.ok(&["state", "rm", "awsazure_bgp_vpn.link"]);
    let plan = env.plan();
    assert!(plan.text.contains(&vpc), "{}", plan.text);
    // With another AWS side it is another link, in the slot of the half-built one.
    let other = Link::complete("link").with("aws.vpc", "{ cidr_block = \"10.8.0.0/16\" }");
    env.write(&other.to_string());
    let words = env.plan_fails().words();
    assert!(words.contains("slot") && words.contains(&vpc), "{words}");
}

/// A link that moved keeps its ownership tag. A link in its former slot gets another one, adopts
/// nothing, and either can go.
#[test]
fn link_in_former_slot_is_independent_of_gateway_owner() {
    let Some(env) = TestEnv::new() else { return };
    let vpc = env.cloud_admin().make_vpc("10.9.0.0/16");
    let owner = Link::complete("link");
    env.write(&owner.to_string());
    env.apply();
    let azure = env.link("link")["azure"].clone();
    let group = azure["resource_group_name"].as_str().unwrap().to_owned();
    let moved = owner.with("slot", "9");
    let attached = |label: &str| {
        Link::between(label, &group, "", &vpc)
            .without("azure.virtual_network_id")
            .with("azure.gateway_id", &azure["gateway_id"].to_string())
    };
    let second = attached("second");

    // The slot of the owner is a conflict at plan.
    env.write(&format!("{}\n{second}", moved.clone().with("slot", "0")));
    assert!(env.plan_fails().words().contains("slot"));

    env.write(&moved.to_string());
    env.apply();
    let tagged = || {
        let world = env.world();
        let kinds = [
            "resourceGroups",
            "virtualNetworks",
            "publicIPAddresses",
            "virtualNetworkGateways",
        ];
        let objects = kinds.iter().flat_map(|kind| {
            world
                .of_kind(kind)
                .into_iter()
                .map(|it| it.tags.to_string())
        });
        objects.collect::<Vec<_>>()
    };
    let before = tagged();
    env.write(&format!("{moved}\n{second}"));
    let run = env.apply();
    assert!(!run.text().contains(ADOPTED_OBJECTS), "{}", run.text());
    assert_eq!(tagged(), before, "{}", run.text());
    assert!(env.plan_is_empty());
    let tags = |label: &str| {
        let link = env.link(label);
        let id = link["tunnels"]["instance0_tunnel1"]["azure_connection_id"]
            .as_str()
            .unwrap()
            .to_owned();
        let world = env.world();
        let connections = world.of_kind("connections");
        connections.iter().find(|it| it.id == id).unwrap().tags["awsazure:link"].clone()
    };
    assert_ne!(tags("link"), tags("second"));
    let kinds = env.link("second")["managed"]
        .as_object()
        .map(|kinds| kinds.keys().cloned().collect::<Vec<_>>());
    let foreign = [
        "azure_resource_group",
        "azure_virtual_network",
        "azure_public_ip",
        "azure_virtual_network_gateway",
    ];
    assert!(
        kinds
            .iter()
            .flatten()
            .all(|kind| !foreign.contains(&kind.as_str())),
        "{kinds:?}"
    );
    // The plan of a further link names either of the two as the user of its slot.
    env.write(&format!(
        "{moved}\n{second}\n{}",
        attached("third").with("slot", "9")
    ));
    assert!(env.plan_fails().words().contains("slot"));
    env.write(&moved.to_string());
    env.apply();
    assert!(env.plan_is_empty());
    assert_eq!(tagged(), before);
}
