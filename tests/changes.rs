//! Every change of a link that stands: what the plan calls it, that one apply makes it so, that the next plan is empty, and
//! that neither cloud keeps anything of what was before.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use serde_json::Value;
use support::{Link, TestEnv, World};

/// Objects by kind: what must stay the same through a change in place.
fn census(world: &World) -> Vec<(String, usize)> {
    let mut kinds: Vec<String> = world.aws.iter().chain(&world.azure).map(|object| object.kind.clone()).collect();
    kinds.sort();
    let count = |kind: &String| (kind.clone(), kinds.iter().filter(|other| *other == kind).count());
    let mut counts: Vec<(String, usize)> = kinds.iter().map(count).collect();
    counts.dedup();
    counts
}

fn has_warning(said: &str, summary: &str) -> bool {
    said.contains(&format!("Warning: {summary}"))
}

/// A link in its clouds, changed step by step.
struct Story {
    env: TestEnv,
    link: Link,
}

impl Story {
    fn begins() -> Option<Self> {
        let (env, link) = (TestEnv::new()?, Link::whole("link"));
        env.write(&link.to_string());
        env.apply();
        Some(Story { env, link })
    }

    fn state(&self) -> Value {
        self.env.resource("awsazure_bgp_vpn", "link")
    }

    /// Changes the configuration in place; what the plan said.
    fn changes(&mut self, change: impl FnOnce(Link) -> Link) -> String {
        self.link = change(self.link.clone());
        self.env.write(&self.link.to_string());
        let before = census(&self.env.world());
        let plan = self.env.plan();
        assert_eq!(plan.change(&self.link.address()).actions, ["update"], "{}", plan.text);
        self.env.apply();
        assert!(self.env.plan_is_empty(), "after\n{}", self.link);
        assert_eq!(census(&self.env.world()), before, "after\n{}", self.link);
        plan.text
    }

    fn ends(self) {
        self.env.destroy();
        let left = self.env.world();
        assert!(left.is_empty(), "{left:#?}");
    }
}

fn listed(story: &Story) -> Vec<String> {
    story.env.hands().listed_addresses(story.state()["azure"]["gateway_id"].as_str().unwrap())
}

#[test]
fn options_of_the_tunnels_change_in_place() {
    let Some(mut story) = Story::begins() else { return };
    let before = story.state()["tunnels"].clone();

    story.changes(|link| link.with("tags", "{ team = \"network\" }"));
    let world = story.env.world();
    // A VPC's main table and default parts are AWS's own.
    let ours = world.aws.iter().chain(&world.azure).filter(|object| !object.tags["awsazure:link"].is_null());
    let bare: Vec<_> = ours.clone().filter(|object| object.tags["team"] != "network").collect();
    assert_eq!(ours.count(), 22);
    assert!(bare.is_empty(), "{bare:#?}");

    story.changes(|link| link.with("azure.connection_mode", "\"Default\"").with("azure.dpd_timeout_seconds", "60"));
    let said = story.changes(|link| {
        link.with("aws.startup_action", "\"add\"")
            .with("aws.dpd_timeout_action", "\"clear\"")
            .with("aws.dpd_timeout_seconds", "40")
    });
    assert!(has_warning(&said, "The tunnels will be interrupted"), "{said}");
    // Back to what answers a silent loss.
    story.changes(|link| link.without("aws.startup_action").with("aws.startup_action", "\"start\""));
    let said = story.changes(|link| link.with("ipsec_policy", "{ preset = \"compatible\" }"));
    assert!(has_warning(&said, "The tunnels will be interrupted"), "{said}");
    assert_eq!(story.state()["tunnels"], before, "ids and addresses stay");
    story.ends();
}

#[test]
fn addresses_change_in_place_and_the_gateway_forgets_the_old_ones() {
    let Some(mut story) = Story::begins() else { return };
    assert_eq!(listed(&story), ["169.254.21.2", "169.254.21.6", "169.254.22.2", "169.254.22.6"]);
    let id = story.state()["id"].clone();

    story.changes(|link| link.with("slot", "3"));
    assert_eq!(listed(&story), ["169.254.21.26", "169.254.21.30", "169.254.22.26", "169.254.22.30"]);
    assert_eq!(story.state()["tunnels"]["instance1_tunnel2"]["azure_bgp_ip"], "169.254.22.30");
    assert_eq!(story.state()["id"], id, "the identity stays");

    story.changes(|link| link.with("inside_cidrs", "{ instance1_tunnel2 = \"169.254.22.40/30\" }"));
    assert_eq!(listed(&story), ["169.254.21.26", "169.254.21.30", "169.254.22.26", "169.254.22.42"]);
    assert_eq!(story.state()["slot"], 3, "as configured");
    story.ends();
}

#[test]
fn gateway_name_tables_and_waiting_change_in_place() {
    let Some(mut story) = Story::begins() else { return };
    let said = story.changes(|link| link.with("azure.sku", "\"VpnGw3AZ\""));
    assert!(has_warning(&said, "The Azure gateway will change its size"), "{said}");

    let before = story.state()["tunnels"].clone();
    story.changes(|link| link.with("name", "\"renamed\""));
    assert_eq!(story.state()["tunnels"], before, "a new name renames nothing");
    let named = |story: &Story, kind: &str| story.env.world().of_kind(kind)[0].tags["awsazure:name"].clone();
    assert_eq!(named(&story, "vpn-connection"), "renamed");
    assert_eq!(named(&story, "connections"), "renamed");

    let calls = story.env.calls().len();
    story.changes(|link| link.with("wait_for_bgp", "false"));
    let writes = story.env.calls().into_iter().skip(calls).filter(|call| !is_read(&call.operation)).count();
    assert_eq!(writes, 0, "no cloud has to hear of it");

    let main = story.state()["aws"]["main_route_table_id"].as_str().unwrap().to_owned();
    let propagating = |story: &Story| {
        let on = |table: &&support::Object| table.more["propagating"].to_string().contains("vgw-");
        let world = story.env.world();
        let mut ids: Vec<String> =
            world.of_kind("route-table").into_iter().filter(on).map(|table| table.id.clone()).collect();
        ids.sort();
        ids
    };
    assert_eq!(propagating(&story).len(), 2);
    story.changes(|link| link.with("aws.route_table_ids", &format!("[{main:?}]")));
    assert_eq!(propagating(&story), [main.clone()]);
    story.changes(|link| link.with("aws.route_table_ids", "[]"));
    assert_eq!(propagating(&story), [main], "hands off");
    assert_eq!(story.state()["managed"].get("aws_route_propagation"), None);
    story.ends();
}

fn is_read(operation: &str) -> bool {
    ["Describe", "Get", "List"].iter().any(|verb| operation.starts_with(verb))
}

#[test]
fn asns_region_and_vpc_change_within_an_update_and_say_what_it_costs() {
    let Some(mut story) = Story::begins() else { return };
    let gateway = |story: &Story| story.state()["azure"]["gateway_id"].clone();
    let first = gateway(&story);

    let said = story.changes(|link| link.with("azure.asn", "65010"));
    assert!(has_warning(&said, "All tunnels will be interrupted"), "{said}");

    let vgw = story.state()["aws"]["vpn_gateway_id"].clone();
    let said = story.changes(|link| link.with("aws.asn", "64520"));
    assert!(has_warning(&said, "The AWS half of the link will be built anew"), "{said}");
    assert_ne!(story.state()["aws"]["vpn_gateway_id"], vgw);

    let vpc = story.state()["aws"]["vpc_id"].clone();
    let said = story.changes(|link| {
        link.with("aws.vpc", "{ cidr_block = \"10.9.0.0/16\", public_subnet_cidr_block = \"10.9.1.0/24\" }")
    });
    assert!(has_warning(&said, "The AWS half of the link will be built anew"), "{said}");
    assert_ne!(story.state()["aws"]["vpc_id"], vpc);

    let said = story.changes(|link| link.with("aws.region", "\"eu-west-1\""));
    assert!(has_warning(&said, "The AWS half of the link will be built anew"), "{said}");
    assert_eq!(gateway(&story), first, "the Azure gateway stays through all of it");
    story.ends();
}

#[test]
fn another_azure_gateway_takes_a_new_link() {
    let Some(story) = Story::begins() else { return };
    let hands = story.env.hands();
    hands.make_group("elsewhere");
    let network = hands.make_network("elsewhere", "other", "10.7.0.0/16", &[("GatewaySubnet", "10.7.255.0/27")]);
    let with = |path: &str, value: &str| story.link.clone().with(path, value);
    let elsewhere = story.link.clone().without("azure.virtual_network").without("azure.location");
    let gateway = story.state()["azure"]["gateway_id"].as_str().unwrap().replace("link-gateway", "another");
    let replacing = [
        (with("azure.location", "\"westeurope\""), "location"),
        (with("azure.generation", "\"Generation1\""), "generation"),
        (with("azure.resource_group_name", "\"elsewhere\""), "resource_group_name"),
        (elsewhere.with("azure.virtual_network_id", &format!("{network:?}")), "virtual_network_id"),
        (with("azure.gateway_id", &format!("{gateway:?}")), "gateway_id"),
    ];
    for (link, path) in &replacing {
        story.env.write(&link.to_string());
        if *path == "gateway_id" {
            let run = story.env.plan_fails();
            assert!(run.words().contains("Azure gateway not found"), "{}", run.text());
            continue;
        }
        let plan = story.env.plan();
        let change = plan.change(&link.address());
        assert!(change.replaces(), "{path}: {:?}\n{}", change.actions, plan.text);
        assert!(change.replace_paths.to_string().contains(path), "{}", change.replace_paths);
        assert!(has_warning(&plan.text, "The link will be built anew"), "{}", plan.text);
    }

    story.env.write(&replacing[3].0.to_string());
    story.env.apply();
    assert!(story.env.plan_is_empty());
    let world = story.env.world();
    assert_eq!(world.of_kind("virtualNetworkGateways").len(), 1);
    let state = story.state();
    assert_eq!(state["azure"]["virtual_network_id"], network.as_str());
}

#[test]
fn a_policy_changes_to_the_clouds_own_and_back_and_taken_back_tags_go() {
    let Some(mut story) = Story::begins() else { return };
    let pinned = |story: &Story| {
        let id = story.state()["tunnels"]["instance1_tunnel2"]["azure_connection_id"].as_str().unwrap().to_owned();
        story.env.hands().policy_of(&id)
    };
    let strong = pinned(&story);
    assert!(strong.is_some());
    story.changes(|link| link.with("ipsec_policy", "{ preset = \"cloud_default\" }"));
    assert_eq!(pinned(&story), None);
    assert_eq!(story.state()["ipsec_policy"]["dh_group"], Value::Null);
    // Without a line it stays as last applied.
    story.link = story.link.without("ipsec_policy");
    story.env.write(&story.link.to_string());
    assert!(story.env.plan_is_empty());
    story.changes(|link| link.with("ipsec_policy", "{ preset = \"strong\" }"));
    assert_eq!(pinned(&story), strong);

    let carrying = |story: &Story, key: &str| {
        let world = story.env.world();
        world.aws.iter().chain(&world.azure).filter(|object| !object.tags[key].is_null()).count()
    };
    story.changes(|link| link.with("tags", "{ team = \"network\", cost = \"7\" }"));
    assert_eq!((carrying(&story, "team"), carrying(&story, "cost")), (22, 22));
    story.changes(|link| link.with("tags", "{ team = \"network\" }"));
    assert_eq!((carrying(&story, "team"), carrying(&story, "cost")), (22, 0));
    story.changes(|link| link.without("tags"));
    assert_eq!((carrying(&story, "team"), carrying(&story, "awsazure:link")), (0, 22));
    story.ends();
}

#[test]
fn a_link_moves_to_another_vpn_gateway_and_leaves_both_alone_in_the_end() {
    let Some(story) = Story::begins() else { return };
    let (env, hands) = (&story.env, story.env.hands());
    let made: Vec<(String, String)> = ["10.7.0.0/16", "10.8.0.0/16"]
        .map(|cidr| hands.make_vpc(cidr))
        .map(|vpc| (hands.make_vpn_gateway(&vpc, 64_530), vpc))
        .into();
    let azure = story.state()["azure"]["gateway_id"].clone();
    let plain = story.link.clone().without("aws.vpc");
    for (vgw, vpc) in &made {
        env.write(&plain.clone().with("aws.vpn_gateway_id", &format!("{vgw:?}")).to_string());
        let plan = env.plan();
        assert_eq!(plan.change(&plain.address()).actions, ["update"], "{}", plan.text);
        assert!(has_warning(&plan.text, "The AWS half of the link will be built anew"), "{}", plan.text);
        env.apply();
        assert!(env.plan_is_empty());
        let state = story.state();
        assert_eq!((&state["aws"]["vpc_id"], &state["aws"]["asn"]), (&Value::from(vpc.as_str()), &Value::from(64_530)));
        assert_eq!(state["azure"]["gateway_id"], azure);
        let world = env.world();
        let kinds = ["vpc", "vpn-gateway", "vpn-connection", "customer-gateway"].map(|kind| world.of_kind(kind).len());
        assert_eq!(kinds, [2, 2, 2, 2], "nothing of the first VPC is left");
    }
    env.destroy();
    let world = env.world();
    assert_eq!((world.of_kind("vpn-gateway").len(), world.of_kind("vpn-connection").len()), (2, 0));
    assert!(world.azure.is_empty(), "{:#?}", world.azure);
    let tables = world.of_kind("route-table").into_iter().map(|table| table.more["propagating"].to_string());
    assert!(tables.into_iter().all(|on| !on.contains("vgw-")));
}

#[test]
fn objects_get_the_names_that_are_given() {
    let Some(env) = TestEnv::new() else { return };
    let link = Link::whole("link")
        .with(
            "azure.names",
            "{ gateway = \"gw-corp\", public_ip_instance0 = \"pip-corp\", connection_instance0_tunnel1 = \"cn-corp\" }",
        )
        .with("aws.names", "{ vpn_gateway = \"vgw corp\", vpn_connection_instance1 = \"vpn corp\" }");
    env.write(&link.to_string());
    env.apply();
    assert!(env.plan_is_empty());
    let world = env.world();
    let names: Vec<String> = world.azure.iter().filter_map(|object| object.name.clone()).collect();
    for name in ["gw-corp", "pip-corp", "cn-corp", "link-to-aws-instance0-tunnel2"] {
        assert!(names.iter().any(|have| have == name), "{name} in {names:?}");
    }
    assert_eq!(world.of_kind("vpn-gateway")[0].tags["Name"], "vgw corp");
    assert!(world.of_kind("vpn-connection").iter().any(|vpn| vpn.tags["Name"] == "vpn corp"));
    let id = env.link("link")["id"].as_str().unwrap().to_owned();
    env.ok(&["state", "rm", &link.address()]);
    env.import(&link.address(), &id);
    assert!(env.plan_is_empty());
    env.destroy();
    assert!(env.world().is_empty());
}

#[test]
fn every_change_that_takes_another_gateway_is_carried_out_and_leaves_nothing_behind() {
    let Some(mut story) = Story::begins() else { return };
    let shape = census(&story.env.world());
    let replaces = |story: &mut Story, change: fn(Link) -> Link| {
        story.link = change(story.link.clone());
        story.env.write(&story.link.to_string());
        let plan = story.env.plan();
        assert!(plan.change(&story.link.address()).replaces(), "{}", plan.text);
        story.env.apply();
        assert!(story.env.plan_is_empty(), "after\n{}", story.link);
    };
    let steps: [fn(Link) -> Link; 3] = [
        |link| link.with("azure.generation", "\"Generation1\""),
        |link| link.with("azure.location", "\"westeurope\""),
        |link| link.with("azure.resource_group_name", "\"another\""),
    ];
    for step in steps {
        replaces(&mut story, step);
        assert_eq!(census(&story.env.world()), shape, "after\n{}", story.link);
    }
    // Onto a gateway that somebody else made, in a group of its own.
    let hands = story.env.hands();
    let ends = hands.make_ends(&support::Groups::one("foreign"), &[support::slot(5)], false);
    let lent =
        story.link.clone().without("azure.virtual_network").without("azure.generation").without("azure.location");
    let lent = lent.without("azure.create_resource_group").with("azure.resource_group_name", "\"foreign\"");
    story.link = lent.with("azure.gateway_id", &format!("{:?}", ends.gateway));
    replaces(&mut story, |link| link);
    assert_eq!(story.env.world().of_kind("virtualNetworkGateways").len(), 1);
    assert_eq!(listed(&story).len(), 8);
    story.env.destroy();
    assert_eq!(hands.listed_addresses(&ends.gateway).len(), 4);
    assert!(story.env.has_none_of(&["connections", "vpn-connection", "localNetworkGateways", "customer-gateway"]));
}
