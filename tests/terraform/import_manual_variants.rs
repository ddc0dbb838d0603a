//! The tutorial followed loosely: such a link imports too, the plan lists what differs from what is
//! configured or needed, and one apply repairs that and changes nothing else.

use awsazure::azure::model::ConnectionMode;
use awsazure::provider::summaries::INCOMPLETE_IMPORT;
use bgp_vpn::tunnel::{PerTunnel, TunnelKey};
use serde_json::json;
use test_support::terraform::{Change, Groups, TestEnv, Tunnels, slot};

const ADDRESS: &str = "awsazure_bgp_vpn.link";

fn key(name: &str) -> TunnelKey {
    name.parse().unwrap()
}

/// The drift that a change takes away, in order.
fn sentences(change: &Change) -> Vec<String> {
    assert_eq!(change.actions, ["update"]);
    let mut drift: Vec<String> = serde_json::from_value(change.before["drift"].clone()).unwrap();
    drift.sort();
    drift
}

/// The differences of a manually created link appear in the plan, and one apply repairs only those.
#[test]
fn one_apply_repairs_only_listed_differences() {
    let Some(env) = TestEnv::new() else { return };
    let cloud_admin = env.cloud_admin();
    let ends = cloud_admin.make_ends(&Groups::one("TestRG1"), &[slot(0)], false);
    let mut how = Tunnels::of_slot("Elsewhere", "t", 0);
    *how.modes.get_mut(key("instance0_tunnel2")) = ConnectionMode::Default;
    how.unconnected = Some(key("instance1_tunnel1"));
    how.mistyped = Some(key("instance1_tunnel2"));
    cloud_admin.make_tunnels(&ends, &how);

    env.write(&ends.minimal("link", "TestRG1").to_string());
    let said = env.import(ADDRESS, &ends.id()).words();
    assert!(said.contains(INCOMPLETE_IMPORT), "{said}");
    let plan = env.plan();
    let change = plan.change(ADDRESS);
    assert_eq!(change.actions, ["update"]);
    let drift = sentences(&change);
    let expected = [
        "the Azure connection for instance1_tunnel1 is missing".to_owned(),
        format!("route propagation into {} is switched off", ends.table),
        "the mode of the Azure connection for instance0_tunnel2 is Default, not ResponderOnly"
            .to_owned(),
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
    assert_eq!(
        unknown,
        [r#"instance1_tunnel1 {"azure_connection_id":true}"#]
    );

    let calls = env.calls().len();
    env.apply();
    let writes = env.writes_since(calls);
    assert_eq!(writes.len(), 4, "{writes:#?}");
    for name in [
        "t.instance0_tunnel2",
        "VNet1GW-to-aws-instance1-tunnel1",
        "t.instance1_tunnel2",
    ] {
        assert_eq!(
            writes.iter().filter(|call| call.contains(name)).count(),
            1,
            "{name} in {writes:#?}"
        );
    }
    assert!(env.plan_is_empty());
    assert!(env.plan_is_empty());
    assert_eq!(
        env.world().of_kind("localNetworkGateways").len(),
        4,
        "the one that waited was used"
    );
    let managed = env.link("link")["managed"].clone();
    // Nothing of an imported link carries a tag that could record who enabled it, so it stays
    // enabled.
    assert!(managed["aws_route_propagation"].is_null(), "{managed}");
    env.destroy();
    assert!(env.has_none_of(&["connections", "customer-gateway"]));
    assert_eq!(env.world().of_kind("vpn-gateway").len(), 1);
}

/// A lost VPN connection and an inside CIDR chosen by AWS are repaired; all other objects are kept.
#[test]
fn repair_lost_connection_and_inside_cidr() {
    let Some(env) = TestEnv::new() else { return };
    let cloud_admin = env.cloud_admin();
    let ends = cloud_admin.make_ends(&Groups::one("TestRG1"), &[slot(0)], true);
    let how = Tunnels {
        unnumbered: Some(key("instance0_tunnel1")),
        ..Tunnels::of_slot("Elsewhere", "t", 0)
    };
    cloud_admin.make_tunnels(&ends, &how);
    let vpns: Vec<String> = env
        .world()
        .of_kind("vpn-connection")
        .iter()
        .map(|vpn| vpn.id.clone())
        .collect();
    let of_one = |id: &&String| {
        cloud_admin.vpn(id).tunnels.iter().all(|t| {
            t.inside_cidr
                .is_some_and(|c| c.to_string().ends_with(".4/30"))
        })
    };
    cloud_admin.delete_vpn_connection(vpns.iter().find(of_one).unwrap());

    env.write(&ends.minimal("link", "TestRG1").to_string());
    let said = env.import(ADDRESS, &ends.id()).words();
    assert!(said.contains(INCOMPLETE_IMPORT), "{said}");
    let change = env.plan().change(ADDRESS);
    let drift = sentences(&change);
    assert!(
        drift
            .iter()
            .any(|said| said.contains("VPN") && said.contains("missing")),
        "{drift:#?}"
    );
    assert!(
        drift
            .iter()
            .any(|said| said.contains("instance0_tunnel1") && said.contains("CIDR")),
        "{drift:#?}"
    );
    assert!(
        !drift.iter().any(|said| said.contains("instance0_tunnel2")
            || said.contains("missing") && said.contains("Azure")),
        "{drift:#?}"
    );
    let tunnels = &change.after_unknown["tunnels"];
    assert_eq!(
        tunnels["instance1_tunnel1"],
        json!({ "aws_outside_ip": true, "aws_vpn_connection_id": true })
    );
    assert_eq!(tunnels["instance0_tunnel1"], json!({}));

    env.apply();
    assert!(env.plan_is_empty());
    let world = env.world();
    assert_eq!(
        (
            world.of_kind("connections").len(),
            world.of_kind("localNetworkGateways").len()
        ),
        (4, 4)
    );
    assert_eq!(world.of_kind("vpn-connection").len(), 2);
    env.destroy();
    assert!(env.has_none_of(&[
        "connections",
        "localNetworkGateways",
        "vpn-connection",
        "customer-gateway"
    ]));
}

#[test]
fn keep_connection_mode_until_configured() {
    let Some(env) = TestEnv::new() else { return };
    let cloud_admin = env.cloud_admin();
    let ends = cloud_admin.make_ends(&Groups::one("TestRG1"), &[slot(2)], true);
    let modes = PerTunnel::from_fn(|_| ConnectionMode::Default);
    cloud_admin.make_tunnels(
        &ends,
        &Tunnels {
            modes,
            ..Tunnels::of_slot("TestRG1", "t", 2)
        },
    );
    let plain = ends.minimal("link", "TestRG1");
    env.write(&plain.to_string());
    env.import(ADDRESS, &ends.id());
    assert!(env.plan_is_empty());

    let wanted = plain
        .with("azure.connection_mode", "\"ResponderOnly\"")
        .with("slot", "2");
    let wanted = wanted.with("aws.dpd_timeout_action", "\"restart\"");
    env.write(&wanted.to_string());
    let change = env.plan().change(ADDRESS);
    assert_eq!(sentences(&change), [] as [&str; 0]);
    assert_eq!(change.before["azure"]["connection_mode"], "Default");
    assert_eq!(change.after["azure"]["connection_mode"], "ResponderOnly");
    let calls = env.calls().len();
    env.apply();
    assert!(env.plan_is_empty());
    let writes = env.writes_since(calls);
    let count = |operation: &str| {
        writes
            .iter()
            .filter(|call| call.starts_with(operation))
            .count()
    };
    assert_eq!(
        (
            count("PutConnection "),
            count("ModifyVpnTunnelOptions "),
            writes.len()
        ),
        (4, 4, 8),
        "{writes:#?}"
    );
    // Tags go onto what is the link's, and off again.
    env.write(
        &wanted
            .clone()
            .with("tags", "{ team = \"network\" }")
            .to_string(),
    );
    env.apply();
    assert!(env.plan_is_empty());
    let tagged = |env: &TestEnv| {
        let world = env.world();
        let all = world
            .aws
            .iter()
            .chain(&world.azure)
            .filter(|object| object.tags["team"] == "network");
        all.map(|object| object.kind.clone()).collect::<Vec<_>>()
    };
    assert_eq!(tagged(&env).len(), 12, "{:?}", tagged(&env));
    env.destroy();
    assert!(tagged(&env).is_empty());
}

#[test]
fn import_link_of_region_named_in_id() {
    let Some(env) = TestEnv::new() else { return };
    let cloud_admin =
        test_support::terraform::CloudAdmin::in_region(env.sandbox(), Some("eu-west-1"));
    let ends = cloud_admin.make_ends(&Groups::one("TestRG1"), &[slot(0)], true);
    cloud_admin.make_tunnels(&ends, &Tunnels::of_slot("TestRG1", "t", 0));
    let plain = ends.minimal("link", "TestRG1");
    env.write(&plain.to_string());
    env.import(ADDRESS, &format!("{}@eu-west-1", ends.id()));
    assert_eq!(env.link("link")["aws"]["region"], "eu-west-1");
    assert!(env.plan_is_empty());
    env.write(&plain.with("aws.region", "\"eu-west-1\"").to_string());
    assert!(env.plan_is_empty());
    env.ok(&["state", "rm", ADDRESS]);
    env.import(
        ADDRESS,
        &format!("{},169.254.21.0/30@eu-west-1", ends.gateway),
    );
    assert!(env.plan_is_empty());
    env.destroy();
    assert!(env.has_none_of(&["connections", "vpn-connection"]));
    assert_eq!(env.world().of_kind("vpn-gateway").len(), 1);
}
