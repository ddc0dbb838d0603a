//! A link that this provider made, lost from the state and taken into it again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use serde_json::Value;
use support::{Link, TestEnv};

const ADDRESS: &str = "awsazure_bgp_vpn.link";

fn forgets(env: &TestEnv) {
    env.ok(&["state", "rm", ADDRESS]);
}

/// Attributes without what only configuration knows.
fn without_choices(mut attributes: Value) -> Value {
    for name in ["timeouts", "tags", "rotate_keys", "wait_for_bgp", "on_create_failure", "preshared_keys_wo_version"] {
        attributes.as_object_mut().unwrap().remove(name);
    }
    attributes
}

#[test]
fn what_import_finds_is_what_create_made() {
    let Some(env) = TestEnv::new() else { return };
    let link = Link::whole("link").with("tags", "{ team = \"network\" }").with("azure.dpd_timeout_seconds", "60");
    env.write(&link.to_string());
    env.apply();
    let made = env.resource("awsazure_bgp_vpn", "link");
    let id = made["id"].as_str().unwrap();
    let ends = format!(
        "{},{}",
        made["azure"]["gateway_id"].as_str().unwrap(),
        made["aws"]["vpn_gateway_id"].as_str().unwrap()
    );
    for id in [id, &ends] {
        forgets(&env);
        env.import(ADDRESS, id);
        let found = env.resource("awsazure_bgp_vpn", "link");
        assert_eq!(without_choices(found), without_choices(made.clone()), "by {id}");
    }

    // Tags are what only configuration knows: an update without a call that writes.
    let writes = |env: &TestEnv| env.calls().iter().filter(|call| !reads(&call.operation)).count();
    let before = writes(&env);
    assert_eq!(env.plan().change(ADDRESS).actions, ["update"]);
    env.apply();
    assert_eq!(writes(&env), before);
    assert!(env.plan_is_empty());

    // Without what only configuration knows even the first plan is empty, and without any choice too.
    forgets(&env);
    env.import(ADDRESS, id);
    env.write(&Link::whole("link").to_string());
    assert!(env.plan_is_empty());

    env.destroy();
    let left = env.world();
    assert!(left.is_empty(), "{left:#?}");
}

fn reads(operation: &str) -> bool {
    ["Describe", "Get", "List"].iter().any(|verb| operation.starts_with(verb))
}

#[test]
fn an_import_block_finds_the_link_and_its_generated_configuration_plans_empty() {
    let Some(env) = TestEnv::new() else { return };
    let whole = Link::whole("link");
    env.write(&whole.to_string());
    env.apply();
    let id = env.resource("awsazure_bgp_vpn", "link")["id"].as_str().unwrap().to_owned();
    let import = format!("import {{\n  to = {ADDRESS}\n  id = {id:?}\n}}\n");

    forgets(&env);
    env.write(&format!("{import}\n{whole}"));
    let change = env.plan().change(ADDRESS);
    assert!(change.importing);
    assert_eq!(change.actions, ["no-op"]);

    // Nobody wrote a configuration: Terraform does, from the state.
    env.write(&import);
    let out = format!("-generate-config-out={}", env.folder().join("generated.tf").display());
    env.ok(&["plan", "-no-color", &out]);
    let plan = env.plan();
    let generated = std::fs::read_to_string(env.folder().join("generated.tf")).unwrap();
    let change = plan.change(ADDRESS);
    assert_eq!(change.actions, ["no-op"], "{}\n{generated}", plan.text);
    env.apply();
    env.write("");
    assert!(env.plan_is_empty());

    env.destroy();
    let left = env.world();
    assert!(left.is_empty(), "{left:#?}");
}

#[test]
fn ids_that_name_no_link_are_answered_with_what_would() {
    let Some(env) = TestEnv::new() else { return };
    let link = Link::whole("link");
    env.write(&link.to_string());
    let refused = |id: &str| {
        let run = env.run(&["import", "-no-color", ADDRESS, id]);
        assert!(!run.succeeded());
        run.words()
    };
    let said = refused("vpn-1");
    assert!(said.contains("<Azure gateway resource id>,<inside CIDR of instance0_tunnel1>"), "{said}");
    let gateway = "/subscriptions/00000000-0000-4000-a000-00000000a2e0/resourceGroups/g/providers/Microsoft.Network/virtualNetworkGateways/w";
    let said = refused(&format!("{gateway},169.254.21.0/30"));
    assert!(said.contains("There is no Azure gateway"), "{said}");
}
