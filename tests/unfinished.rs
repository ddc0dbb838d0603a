//! A create that failed: Terraform calls the link tainted and plans a replacement, and the next apply finishes it all the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use support::{Link, TestEnv};

const ADDRESS: &str = "awsazure_bgp_vpn.link";
const FINISHED: &str = "will be finished, not replaced";

/// An environment in which the create of a link failed at some call, with what is there by then.
fn half_built(link: &Link, fault: &str) -> Option<TestEnv> {
    let env = TestEnv::new()?;
    env.write(&link.to_string());
    env.fault(fault);
    let failed = env.apply_fails();
    assert!(failed.words().contains("The next apply goes on from there"), "{}", failed.text());
    assert!(env.state()["resources"][0]["instances"][0]["status"] == "tainted", "{:#?}", env.state());
    env.sandbox().fault(&["--clear"]);
    Some(env)
}

fn deletions(env: &TestEnv) -> usize {
    env.calls().iter().filter(|call| call.operation.starts_with("Delete") && call.operation != "DeleteTags").count()
}

fn gateway_creations(env: &TestEnv) -> usize {
    env.calls().iter().filter(|call| call.operation == "PutGateway" && call.status == Some(201)).count()
}

fn whole_and_gone(env: &TestEnv) {
    assert!(env.plan_is_empty() && env.plan_is_empty());
    env.destroy();
    let left = env.world();
    assert!(left.is_empty(), "{left:#?}");
}

#[test]
fn a_failed_create_is_finished_by_the_next_apply() {
    let Some(env) = half_built(&Link::whole("link"), "fail call 3 of PutConnection: forever refused") else { return };
    let plan = env.plan();
    assert!(plan.change(ADDRESS).replaces(), "{}", plan.text);
    assert!(plan.text.contains(FINISHED), "{}", plan.text);
    env.apply();
    assert_eq!((deletions(&env), gateway_creations(&env)), (0, 1));
    whole_and_gone(&env);
}

#[test]
fn a_saved_plan_made_without_refresh_finishes_it_too() {
    let Some(env) = half_built(&Link::whole("link"), "fail call 1 of PutLocalGateway: forever refused") else { return };
    let saved = env.ok(&["plan", "-no-color", "-refresh=false", "-out=saved"]);
    assert!(saved.text().contains(FINISHED), "{}", saved.text());
    env.ok(&["apply", "-no-color", "saved"]);
    assert_eq!((deletions(&env), gateway_creations(&env)), (0, 1));
    whole_and_gone(&env);
}

#[test]
fn it_is_finished_however_often_that_fails_and_after_untaint_as_well() {
    let Some(env) = half_built(&Link::whole("link"), "fail call 1 of CreateVpnConnection: forever refused") else {
        return;
    };
    for fault in ["fail call 1 of PutLocalGateway: forever refused", "fail call 1 of GetResourceGroup: forever 403"] {
        env.fault(fault);
        env.run(&["apply", "-auto-approve", "-no-color", "-refresh=false"]);
        env.sandbox().fault(&["--clear"]);
        assert!(env.state()["resources"][0]["instances"][0]["status"] == "tainted", "{:#?}", env.state());
    }
    env.ok(&["untaint", "-no-color", ADDRESS]);
    assert_eq!(env.plan().change(ADDRESS).actions, ["update"]);
    env.apply();
    assert_eq!((deletions(&env), gateway_creations(&env)), (0, 1));
    whole_and_gone(&env);
}

#[test]
fn another_place_or_a_finished_link_is_replaced_as_asked_for() {
    let link = Link::whole("link");
    let Some(env) = half_built(&link, "fail call 1 of PutConnection: forever refused") else { return };
    let moved = link.with("azure.location", "\"westeurope\"").to_string();
    env.write(&moved);
    let plan = env.plan();
    assert!(plan.change(ADDRESS).replaces() && !plan.text.contains(FINISHED), "{}", plan.text);
    env.apply();
    assert!(env.plan_is_empty());
    assert_eq!(gateway_creations(&env), 2);

    let replaced = env.ok(&["apply", "-auto-approve", "-no-color", "-replace", ADDRESS]);
    assert!(!replaced.text().contains(FINISHED), "{}", replaced.text());
    assert_eq!(gateway_creations(&env), 3);
    whole_and_gone(&env);
}

#[test]
fn a_destroy_takes_down_what_there_is_of_it() {
    let Some(env) = half_built(&Link::whole("link"), "fail call 2 of CreateVpnConnection: forever refused") else {
        return;
    };
    env.destroy();
    let left = env.world();
    assert!(left.is_empty(), "{left:#?}");
}

#[test]
fn where_the_new_one_comes_first_the_old_one_takes_nothing_with_it() {
    let link = Link::whole("link").with("lifecycle", "LIFECYCLE");
    let text =
        link.to_string().replace("  lifecycle = LIFECYCLE\n", "  lifecycle {\n    create_before_destroy = true\n  }\n");
    let Some(env) = TestEnv::new() else { return };
    env.write(&text);
    env.fault("fail call 2 of PutConnection: forever refused");
    env.apply_fails();
    env.sandbox().fault(&["--clear"]);
    env.apply();
    assert_eq!((deletions(&env), gateway_creations(&env)), (0, 1));
    whole_and_gone(&env);
}
