//! Edits made outside: the next plan shows them, one apply undoes them, and the plan after that is
//! empty.

use serde_json::Value;
use test_support::terraform::{Change, Link, TestEnv};

const ADDRESS: &str = "awsazure_bgp_vpn.link";

fn repaired(env: &TestEnv) -> Change {
    let plan = env.plan();
    let change = plan.change(ADDRESS);
    assert_eq!(change.actions, ["update"], "{}", plan.text);
    env.apply();
    assert!(env.plan_is_empty());
    change
}

/// Kinds of objects whose ids the plan shows as changing. A plan that changes one object shows no
/// other ids.
fn changing_kinds(change: &Change) -> Vec<&str> {
    let unknown = &change.after_unknown["managed"];
    let kinds = unknown.as_object().expect("some of managed is known");
    kinds
        .iter()
        .filter(|(_, unknown)| **unknown == true)
        .map(|(kind, _)| kind.as_str())
        .collect()
}

#[test]
fn show_and_undo_manual_edits() {
    let Some(env) = TestEnv::new() else { return };
    env.write(&Link::complete("link").to_string());
    env.apply();
    let cloud_admin = env.cloud_admin();
    let state = || env.resource("awsazure_bgp_vpn", "link");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (gateway, vgw) = (
        text(&state()["azure"]["gateway_id"]),
        text(&state()["aws"]["vpn_gateway_id"]),
    );
    let tunnel = |key: &str| state()["tunnels"][key].clone();

    cloud_admin.delete_azure_connection(
        &text(&tunnel("instance0_tunnel2")["azure_connection_id"]),
        &gateway,
    );
    let change = repaired(&env);
    assert_eq!(
        change.after_unknown["tunnels"]["instance0_tunnel2"]["azure_connection_id"],
        true
    );
    assert_eq!(changing_kinds(&change), ["azure_connection"]);

    cloud_admin.redirect(
        &text(&tunnel("instance1_tunnel1")["azure_local_network_gateway_id"]),
        [192, 0, 2, 7].into(),
    );
    let change = repaired(&env);
    assert!(
        change.before["drift"]
            .to_string()
            .contains("instance1_tunnel1"),
        "{}",
        change.before["drift"]
    );
    assert_eq!(change.after["drift"], Value::Array(vec![]));
    assert_eq!(change.after["managed"], change.before["managed"]);

    let table = text(&state()["aws"]["main_route_table_id"]);
    cloud_admin.switch_propagation_off(&table, &vgw);
    let change = repaired(&env);
    assert_eq!(changing_kinds(&change), ["aws_route_propagation"]);
    assert!(
        change.before["drift"].to_string().contains(&table),
        "{}",
        change.before["drift"]
    );

    let lost = text(&tunnel("instance1_tunnel1")["aws_vpn_connection_id"]);
    cloud_admin.delete_vpn_connection(&lost);
    let change = repaired(&env);
    assert_eq!(
        change.after_unknown["tunnels"]["instance1_tunnel2"]["aws_vpn_connection_id"],
        true
    );
    assert_eq!(changing_kinds(&change), ["aws_vpn_connection"]);
    assert_ne!(
        text(&tunnel("instance1_tunnel1")["aws_vpn_connection_id"]),
        lost
    );

    // The link created this table. Its id is part of what was last applied, and must not outlive
    // it.
    let public = |state: Value| text(&state["managed"]["aws_route_table"][0]);
    let before = public(state());
    cloud_admin.delete_route_table(&before);
    repaired(&env);
    let tables: Vec<String> = state()["aws"]["route_table_ids"]
        .as_array()
        .unwrap()
        .iter()
        .map(text)
        .collect();
    assert!(
        tables.contains(&public(state())) && tables.contains(&table) && !tables.contains(&before),
        "{tables:?}"
    );

    env.destroy();
    let left = env.world();
    assert!(left.is_empty(), "{left:#?}");
}

#[test]
fn ignore_respelled_azure_tags() {
    let Some(env) = TestEnv::new() else { return };
    let link = Link::complete("link").with("tags", "{ Team = \"net\", Stage = \"prod\" }");
    env.write(&link.to_string());
    env.apply();
    let cloud_admin = env.cloud_admin();
    let azure = |env: &TestEnv| {
        env.world()
            .azure
            .into_iter()
            .filter(|object| object.tags.is_object())
            .collect::<Vec<_>>()
    };
    let tagged: Vec<_> = azure(&env)
        .into_iter()
        .filter(|object| object.tags.get("Team").is_some())
        .collect();
    assert!(tagged.len() > 8, "{tagged:#?}");
    // A policy spells tag names its own way, and adds some.
    for object in tagged
        .iter()
        .filter(|object| object.kind != "resourceGroups")
    {
        cloud_admin.respell_tags(&object.id, &[("POLICY", "added")]);
    }
    let spelled = azure(&env)
        .iter()
        .filter(|object| object.tags.get("TEAM").is_some())
        .count();
    assert!(spelled > 7, "set up wrongly: {spelled}");
    assert!(env.plan_is_empty());

    // A change keeps the spelling: no object has a tag twice.
    env.write(
        &Link::complete("link")
            .with("tags", "{ Team = \"ops\" }")
            .to_string(),
    );
    env.apply();
    assert!(env.plan_is_empty());
    for object in azure(&env)
        .iter()
        .filter(|object| object.tags.get("POLICY").is_some())
    {
        assert_eq!(object.tags["TEAM"], "ops", "{object:#?}");
        assert!(
            object.tags.get("STAGE").is_none() && object.tags.get("Team").is_none(),
            "{object:#?}"
        );
    }
    env.destroy();
    assert!(env.world().is_empty());
}
