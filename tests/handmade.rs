//! Links that a person built by hand, untagged and freely named, taken into Terraform: what the plan then shows, what an
//! apply mends and leaves alone, and what destroy takes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use awsazure::aws::model::{Phase, TunnelOptions};
use awsazure::azure::model::{ConnectionMode, IpsecPolicy};
use awsazure::link::address::{InsideCidr, Slot};
use awsazure::link::policy::Preset;
use awsazure::link::tunnel::{PerTunnel, TunnelKey};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use support::{Ends, Groups, Link, Placeholder, TestEnv, Tunnels};

const ADDRESS: &str = "awsazure_bgp_vpn.link";

fn slot(number: u64) -> PerTunnel<InsideCidr> {
    Slot::new(number).unwrap().inside_cidrs()
}

fn one_group(group: &str) -> Groups<'_> {
    Groups { network: group, addresses: group, gateway: group }
}

/// The nine lines of a link between these networks.
fn nine_lines(label: &str, group: &str, ends: &Ends) -> Link {
    Link::between(label, group, &ends.network, &ends.vpc).with("name", "\"VNet1GW\"")
}

fn state(env: &TestEnv, label: &str) -> Value {
    env.resource("awsazure_bgp_vpn", label)
}

/// Calls that write, made since the log had that many lines.
fn writes_since(env: &TestEnv, since: usize) -> Vec<(String, String)> {
    let reads = |operation: &str| ["Describe", "Get", "List"].iter().any(|verb| operation.starts_with(verb));
    let asks = |operation: &str| operation.to_lowercase().contains("token");
    let calls = env.calls().into_iter().skip(since).filter(|call| !reads(&call.operation) && !asks(&call.operation));
    calls.map(|call| (call.operation, call.target.unwrap_or_default())).collect()
}

fn gone(env: &TestEnv, kind: &str) -> bool {
    env.world().of_kind(kind).is_empty()
}

fn kinds(managed: &Value) -> BTreeSet<String> {
    managed.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn a_link_made_by_hand_plans_empty_however_it_is_written_and_destroy_takes_its_tunnels_only() {
    let Some(env) = TestEnv::new() else { return };
    let hands = env.hands();
    let groups = Groups { network: "Networks", addresses: "Addresses", gateway: "Gateways" };
    let ends = hands.make_ends(&groups, &[slot(0)], true);
    let how = Tunnels { odd: true, placeholder: Placeholder::Any, ..Tunnels::of_slot("Tunnels", "to aws", 0) };
    hands.make_tunnels(&ends, &how);
    let made = env.calls().len();

    let plain = nine_lines("link", "Gateways", &ends);
    env.write(&plain.to_string());
    env.import(ADDRESS, &format!("{},{}", ends.gateway.to_lowercase(), ends.vgw));
    assert!(env.plan_is_empty());
    assert_eq!(env.ok(&["plan", "-refresh=false", "-detailed-exitcode", "-no-color"]).code, Some(0));
    let found = state(&env, "link");
    assert_eq!((&found["name"], &found["slot"]), (&json!("VNet1GW"), &json!(0)));
    assert_eq!(found["manage_gateways"], false);
    let tunnel = &found["tunnels"]["instance1_tunnel2"];
    assert_eq!(tunnel["azure_bgp_ip"], "169.254.22.6");
    let connection = tunnel["azure_connection_id"].as_str().unwrap();
    assert!(connection.to_lowercase().ends_with("to.aws.instance1_tunnel2"), "{connection}");
    let tunnel_ends = ["aws_customer_gateway", "aws_vpn_connection", "azure_connection", "azure_local_network_gateway"];
    assert_eq!(kinds(&found["managed"]), tunnel_ends.map(str::to_owned).into());

    let by_gateways = plain
        .clone()
        .without("azure.virtual_network_id")
        .without("aws.vpc_id")
        .with("azure.gateway_id", &format!("{:?}", ends.gateway.to_uppercase()))
        .with("aws.vpn_gateway_id", &format!("{:?}", ends.vgw));
    for link in [
        by_gateways.clone(),
        by_gateways.with("azure.virtual_network_id", &format!("{:?}", ends.network.to_uppercase())),
        plain.clone().with("azure.resource_group_name", "\"GATEWAYS\"").with("slot", "0"),
        plain.clone().with("aws.route_table_ids", &format!("[{:?}]", ends.table)),
    ] {
        env.write(&link.to_string());
        assert!(env.plan_is_empty(), "{link}");
    }

    // Nobody wrote a configuration: Terraform does, from the state.
    env.ok(&["state", "rm", ADDRESS]);
    env.write(&format!("import {{\n  to = {ADDRESS}\n  id = \"{},169.254.21.0/30\"\n}}\n", ends.gateway));
    let out = format!("-generate-config-out={}", env.folder().join("generated.tf").display());
    env.ok(&["plan", "-no-color", &out]);
    let plan = env.plan();
    assert_eq!(plan.change(ADDRESS).actions, ["no-op"], "{}", plan.text);
    assert!(plan.change(ADDRESS).importing);
    env.apply();
    env.write("");
    assert!(env.plan_is_empty());
    env.remove_file("generated.tf");
    assert_eq!(state(&env, "link"), found, "both ways of importing find the same");

    // A new name renames nothing, and what carries no tag gets none.
    env.write(&plain.clone().with("name", "\"renamed\"").to_string());
    assert_eq!(env.plan().change(ADDRESS).actions, ["update"]);
    env.apply();
    assert!(env.plan_is_empty());
    assert_eq!(state(&env, "link")["azure"]["names"], found["azure"]["names"]);
    assert_eq!(writes_since(&env, made), []);

    env.destroy();
    let world = env.world();
    for kind in ["connections", "localNetworkGateways", "vpn-connection", "customer-gateway"] {
        assert!(world.of_kind(kind).is_empty(), "{kind}");
    }
    assert_eq!(hands.listed_addresses(&ends.gateway).len(), 4, "the gateway stays as it was");
    assert_eq!(world.of_kind("vpn-gateway").len(), 1);
    let table = world.of_kind("route-table").into_iter().find(|table| table.id == ends.table).unwrap();
    assert!(table.more["propagating"].to_string().contains(&ends.vgw), "as somebody set it");
    let touched: BTreeSet<String> = writes_since(&env, made).into_iter().map(|(operation, _)| operation).collect();
    assert_eq!(touched.len(), 4, "{touched:?}");
}

#[test]
fn claimed_gateways_go_with_the_link_but_not_while_others_hang_on_them() {
    let Some(env) = TestEnv::new() else { return };
    let hands = env.hands();
    let groups = Groups { network: "Networks", addresses: "Addresses", gateway: "Gateways" };
    let ends = hands.make_ends(&groups, &[slot(0), slot(1)], true);
    hands.make_tunnels(&ends, &Tunnels::of_slot("Gateways", "one", 0));
    hands.make_tunnels(&ends, &Tunnels::of_slot("Gateways", "two", 1));
    // Somebody's office hangs on the VPN gateway too.
    let office = [28, 32].map(|last| TunnelOptions {
        inside_cidr: Some(format!("169.254.99.{last}/30").parse().unwrap()),
        ..TunnelOptions::default()
    });
    let office = hands.make_vpn(&ends.vgw, [198, 51, 100, 7].into(), &office);

    // Both ends alone name two links.
    let two = "awsazure_bgp_vpn.two";
    let (first, second) = (nine_lines("link", "Gateways", &ends), nine_lines("two", "Gateways", &ends));
    env.write(&format!("{first}\n{second}"));
    let refused = env.run(&["import", "-no-color", ADDRESS, &format!("{},{}", ends.gateway, ends.vgw)]);
    assert!(refused.words().contains("add the inside CIDR of one of its tunnels to the id"), "{}", refused.text());
    env.import(ADDRESS, &format!("{},{},169.254.22.4/30", ends.gateway, ends.vgw));
    env.import(two, &format!("{},169.254.21.8/30", ends.gateway));
    assert!(env.plan_is_empty());
    let (one, other) = (state(&env, "link"), state(&env, "two"));
    assert_eq!((&one["slot"], &other["slot"]), (&json!(0), &json!(1)));
    assert!(one["managed"]["aws_customer_gateway"].is_null(), "both links use them: {}", one["managed"]);
    assert_eq!(
        one["tunnels"]["instance0_tunnel1"]["aws_customer_gateway_id"],
        other["tunnels"]["instance0_tunnel1"]["aws_customer_gateway_id"]
    );

    let claims = |link: &Link| link.clone().with("manage_gateways", "true");
    env.write(&format!("{}\n{second}", claims(&first)));
    let said = env.plan_fails().words();
    assert!(
        said.contains("cannot be claimed") && said.contains(&office) && said.contains("two.instance0_tunnel1"),
        "{said}"
    );

    // The second link goes and leaves the first whole; the office still is in the way.
    env.write(&first.to_string());
    env.apply();
    assert!(env.plan_is_empty());
    assert_eq!(hands.listed_addresses(&ends.gateway).len(), 8);
    env.write(&claims(&first).to_string());
    let said = env.plan_fails().words();
    assert!(said.contains(&office) && !said.contains("two.instance0"), "{said}");
    hands.delete_vpn_connection(&office);

    let calls = env.calls().len();
    let plan = env.plan();
    let change = plan.change(ADDRESS);
    assert_eq!(change.actions, ["update"]);
    assert_eq!((&change.before["manage_gateways"], &change.after["manage_gateways"]), (&json!(false), &json!(true)));
    assert_eq!(change.after_unknown["managed"], true);
    let words = plan.text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("The gateways become this link's own") && words.contains(&ends.vgw), "{}", plan.text);
    env.apply();
    assert!(env.plan_is_empty());
    assert_eq!(writes_since(&env, calls), [], "claiming writes nothing");
    let managed = state(&env, "link")["managed"].clone();
    assert_eq!(managed["azure_virtual_network_gateway"].as_array().unwrap().len(), 1, "{managed}");
    assert_eq!(managed["azure_public_ip"].as_array().unwrap().len(), 2, "{managed}");
    assert_eq!(managed["aws_vpn_gateway"], json!([ends.vgw]));

    // Whoever comes to hang on the VPN gateway later keeps it.
    let late = hands.make_vpn(&ends.vgw, [198, 51, 100, 8].into(), &Default::default());
    let failed = env.run(&["destroy", "-auto-approve", "-no-color"]);
    assert!(!failed.succeeded() && failed.words().contains(&late), "{}", failed.text());
    let world = env.world();
    assert!(world.of_kind("vpn-gateway")[0].more.values().any(|v| v.to_string().contains(&ends.vpc)), "still attached");
    hands.delete_vpn_connection(&late);

    env.destroy();
    for kind in ["virtualNetworkGateways", "publicIPAddresses", "vpn-gateway", "connections", "vpn-connection"] {
        assert!(gone(&env, kind), "{kind}");
    }
    assert_eq!(env.world().of_kind("virtualNetworks").len(), 1);
    assert_eq!(env.world().of_kind("vpc").len(), 1);
}

#[test]
fn what_was_made_loosely_shows_in_the_plan_and_one_apply_mends_just_that() {
    let Some(env) = TestEnv::new() else { return };
    let hands = env.hands();
    let ends = hands.make_ends(&one_group("TestRG1"), &[slot(0)], false);
    let key = |name: &str| name.parse::<TunnelKey>().unwrap();
    let mut how = Tunnels::of_slot("Elsewhere", "t", 0);
    *how.modes.get_mut(key("instance0_tunnel2")) = ConnectionMode::Default;
    how.unconnected = Some(key("instance1_tunnel1"));
    how.mistyped = Some(key("instance1_tunnel2"));
    hands.make_tunnels(&ends, &how);

    env.write(&nine_lines("link", "TestRG1", &ends).to_string());
    let said = env.import(ADDRESS, &format!("{},{}", ends.gateway, ends.vgw)).words();
    assert!(said.contains("This link is not whole"), "{said}");
    let plan = env.plan();
    let change = plan.change(ADDRESS);
    assert_eq!(change.actions, ["update"]);
    let mut drift: Vec<String> = serde_json::from_value(change.before["drift"].clone()).unwrap();
    drift.sort();
    let expected = [
        "the Azure connection for instance1_tunnel1 is missing".to_owned(),
        format!("route propagation into {} is switched off", ends.table),
        "the mode of the Azure connection for instance0_tunnel2 is Default, not ResponderOnly".to_owned(),
        "the shared key of instance1_tunnel2 differs between the two clouds".to_owned(),
    ];
    let mut expected = expected.to_vec();
    expected.sort();
    assert_eq!(drift, expected);
    let unknown: Vec<String> = change.after_unknown["tunnels"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, fields)| fields.as_object().is_some_and(|fields| !fields.is_empty()))
        .map(|(key, fields)| format!("{key} {fields}"))
        .collect();
    assert_eq!(unknown, [r#"instance1_tunnel1 {"azure_connection_id":true}"#]);

    let calls = env.calls().len();
    env.apply();
    let mut writes = writes_since(&env, calls);
    writes.sort();
    let told: Vec<String> = writes.iter().map(|(operation, target)| format!("{operation} {target}")).collect();
    assert_eq!(writes.len(), 4, "{told:#?}");
    for name in ["t.instance0_tunnel2", "VNet1GW-to-aws-instance1-tunnel1", "t.instance1_tunnel2"] {
        assert_eq!(told.iter().filter(|call| call.contains(name)).count(), 1, "{name} in {told:#?}");
    }
    assert!(env.plan_is_empty());
    assert!(env.plan_is_empty());
    assert_eq!(env.world().of_kind("localNetworkGateways").len(), 4, "the one that waited was used");
    let managed = state(&env, "link")["managed"].clone();
    assert_eq!(managed["aws_route_propagation"], json!([format!("{}/{}", ends.table, ends.vgw)]));
    env.destroy();
    assert!(gone(&env, "connections") && gone(&env, "customer-gateway"));
    assert_eq!(env.world().of_kind("vpn-gateway").len(), 1);
}

#[test]
fn any_policy_and_any_addresses_import_to_an_empty_plan() {
    let Some(env) = TestEnv::new() else { return };
    let hands = env.hands();
    // Azure pinned by hand, AWS left at its defaults: no one policy says that.
    let custom = PerTunnel::from_fn(|key: TunnelKey| {
        let last = 4 * (2 * key.instance.index() + usize::from(key.number)) + 100;
        InsideCidr::parse(&format!("169.254.22.{last}/30")).unwrap()
    });
    let ends = hands.make_ends(&one_group("TestRG1"), &[slot(0), slot(7), custom.clone()], true);
    let strong = Preset::Strong.policy();
    let pinned = strong.azure().unwrap();
    let mixed = Tunnels {
        azure_policy: Some(IpsecPolicy { sa_life_time_seconds: 3_600, ..pinned.clone() }),
        cidrs: custom,
        placeholder: Placeholder::Absent,
        ..Tunnels::of_slot("TestRG1", "mixed", 0)
    };
    hands.make_tunnels(&ends, &mixed);
    // The strong one, but for Azure's own lifetime, which is nobody else's business.
    let same = Tunnels {
        azure_policy: Some(IpsecPolicy { sa_life_time_seconds: 14_400, ..pinned }),
        aws_policy: strong.aws(),
        ..Tunnels::of_slot("TestRG1", "same", 7)
    };
    hands.make_tunnels(&ends, &same);
    let two = Phase { encryption: vec!["AES256".into(), "AES128".into()], ..Phase::default() };
    let several = Tunnels { aws_policy: (two, Phase::default()), ..Tunnels::of_slot("TestRG1", "several", 0) };
    hands.make_tunnels(&ends, &several);

    let labels = ["mixed", "same", "several"];
    let config: Vec<String> = labels.iter().map(|label| nine_lines(label, "TestRG1", &ends).to_string()).collect();
    env.write(&config.join("\n"));
    for (label, cidr) in labels.iter().zip(["169.254.22.104/30", "169.254.21.56/30", "169.254.21.0/30"]) {
        env.import(&format!("awsazure_bgp_vpn.{label}"), &format!("{},{cidr}", ends.gateway));
    }
    assert!(env.plan_is_empty());
    assert_eq!(state(&env, "same")["ipsec_policy"]["preset"], "strong");
    assert_eq!(state(&env, "same")["slot"], 7);
    for label in ["mixed", "several"] {
        assert_eq!(state(&env, label)["ipsec_policy"]["preset"], Value::Null);
        assert_eq!(state(&env, label)["ipsec_policy"]["dh_group"], Value::Null);
    }
    assert_eq!(state(&env, "mixed")["slot"], Value::Null);

    // An update of something else leaves such a policy alone; asked for, it changes.
    let quieter = nine_lines("mixed", "TestRG1", &ends).with("azure.dpd_timeout_seconds", "60");
    let calls = env.calls().len();
    env.write(&format!("{quieter}\n{}\n{}", config[1], config[2]));
    env.apply();
    assert!(env.plan_is_empty());
    let writes = writes_since(&env, calls);
    assert!(writes.len() == 4 && writes.iter().all(|(_, target)| target.contains("mixed")), "{writes:?}");
    let strong = quieter.with("ipsec_policy", "{ preset = \"strong\" }");
    env.write(&format!("{strong}\n{}\n{}", config[1], config[2]));
    env.apply();
    assert!(env.plan_is_empty());
    assert_eq!(state(&env, "mixed")["ipsec_policy"]["dh_group"], 20);
    env.destroy();
    assert!(gone(&env, "vpn-connection") && gone(&env, "connections"));
}

#[test]
fn ids_that_name_nothing_are_answered_with_the_way_out() {
    let Some(env) = TestEnv::new() else { return };
    let hands = env.hands();
    let ends = hands.make_ends(&one_group("TestRG1"), &[slot(0)], true);
    env.write(&nine_lines("link", "TestRG1", &ends).to_string());
    let refused = |id: &str| {
        let run = env.run(&["import", "-no-color", ADDRESS, id]);
        assert!(!run.succeeded(), "{id}");
        run.words()
    };
    let said = refused(&format!("{},{}", ends.gateway, ends.vgw));
    assert!(said.contains("no VPN connection ends on") && said.contains(&ends.addresses[1].to_string()), "{said}");
    hands.make_tunnels(&ends, &Tunnels::of_slot("TestRG1", "t", 0));

    let said = refused(&format!("{}X,{}", ends.gateway, ends.vgw));
    assert!(
        said.contains("There is no Azure gateway") && said.contains("VNet1GWX") && said.contains("correct"),
        "{said}"
    );
    let said = refused(&format!("{},vgw-00000000000000001", ends.gateway));
    assert!(said.contains("there is no virtual private gateway vgw-00000000000000001"), "{said}");
    assert!(said.contains("@<region>"), "{said}");
    let said = refused(&format!("{},{}@eu-west-1", ends.gateway, ends.vgw));
    assert!(said.contains("In eu-west-1 there is no virtual private gateway"), "{said}");
    let other = hands.make_vpn_gateway(&hands.make_vpc("10.7.0.0/16"), 64_520);
    let said = refused(&format!("{},{other}", ends.gateway));
    assert!(said.contains(&format!("Those that have one end on {}", ends.vgw)), "{said}");
    let said = refused(&format!("{},169.254.21.16/30", ends.gateway));
    assert!(said.contains("has the inside CIDR 169.254.21.16/30") && said.contains("169.254.22.4/30"), "{said}");
    let said = refused(&format!("{},{},169.254.21.16/30", ends.gateway, ends.vgw));
    assert!(said.contains("has the inside CIDR 169.254.21.16/30"), "{said}");
}

#[test]
fn a_gateway_without_bgp_is_named_as_such() {
    let Some(env) = TestEnv::new() else { return };
    let hands = env.hands();
    let ends = hands.make_ends(&one_group("TestRG1"), &[slot(0)], true);
    env.write(&nine_lines("link", "TestRG1", &ends).to_string());
    hands.switch_bgp(&ends.gateway, false);
    let run = env.run(&["import", "-no-color", ADDRESS, &format!("{},{}", ends.gateway, ends.vgw)]);
    assert!(!run.succeeded());
    let said = run.words();
    assert!(said.contains("has BGP switched off") && said.contains("change the gateway first"), "{said}");
}
