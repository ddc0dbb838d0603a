//! A create that failed: Terraform calls the link tainted and plans a replacement, and the next
//! apply finishes it all the same.

use awsazure::provider::remaining_objects::{BILLED, CREATED};
use awsazure::provider::summaries::{RESUMED_NOT_REPLACED as FINISHED, UNABLE_TO_CREATE_LINK};
use test_support::terraform::{Clouds, Link, TestEnv};

const ADDRESS: &str = "awsazure_bgp_vpn.link";

/// An environment in which the create of a link failed at some call, with what is there by then.
fn half_built(link: &Link, fault: &str) -> Option<TestEnv> {
    let env = TestEnv::new()?;
    env.write(&link.to_string());
    env.fault(fault);
    let failed = env.apply_fails();
    assert!(failed.words().contains(CREATED), "{}", failed.text());
    assert!(
        env.state()["resources"][0]["instances"][0]["status"] == "tainted",
        "{:#?}",
        env.state()
    );
    env.sandbox().fault(&["--clear"]);
    Some(env)
}

fn deletions(env: &TestEnv) -> usize {
    env.calls()
        .iter()
        .filter(|call| call.operation.starts_with("Delete") && call.operation != "DeleteTags")
        .count()
}

fn gateway_creations(env: &TestEnv) -> usize {
    env.calls()
        .iter()
        .filter(|call| call.operation == "PutGateway" && call.status == Some(201))
        .count()
}

fn complete_and_destroy(env: &TestEnv) {
    assert!(env.plan_is_empty() && env.plan_is_empty());
    env.destroy();
    let left = env.world();
    assert!(left.is_empty(), "{left:#?}");
}

#[test]
fn next_apply_finishes_failed_create() {
    let Some(env) = half_built(
        &Link::complete("link"),
        "fail call 3 of PutConnection: forever refused",
    ) else {
        return;
    };
    let plan = env.plan();
    assert!(plan.change(ADDRESS).replaces(), "{}", plan.text);
    assert!(plan.text.contains(FINISHED), "{}", plan.text);
    env.apply();
    assert_eq!((deletions(&env), gateway_creations(&env)), (0, 1));
    complete_and_destroy(&env);
}

#[test]
fn failure_lists_created_failed_and_billed_objects() {
    let Some(env) = TestEnv::new() else { return };
    let link = Link::complete("link");
    env.write(&link.to_string());
    env.fault("fail call 1 of PutLocalGateway: forever refused");
    let created = env.apply_fails().words();
    let expected = [
        "local network gateway for instance",
        "correlation id",
        CREATED,
        BILLED,
    ];
    expected
        .iter()
        .for_each(|words| assert!(created.contains(words), "{words}: {created}"));
    env.sandbox().fault(&["--clear"]);
    env.apply();

    env.write(&link.with("aws.asn", "64600").to_string());
    env.fault("fail call 1 of CreateVpnConnection: forever refused");
    let changed = env.apply_fails().words();
    let expected = ["VPN connection to instance", "request id", CREATED];
    expected
        .iter()
        .for_each(|words| assert!(changed.contains(words), "{words}: {changed}"));
    env.sandbox().fault(&["--clear"]);
    env.apply();
    complete_and_destroy(&env);
}

/// How often a failed run lists what exists.
fn summaries(words: &str) -> usize {
    words.matches(CREATED).count()
}

#[test]
fn failure_summary_appears_once_for_several_errors() {
    let Some(env) = TestEnv::new() else { return };
    env.write(&Link::complete("link").to_string());
    env.fault("fail any call of PutLocalGateway: forever refused");
    let failed = env.apply_fails().words();
    assert_eq!(summaries(&failed), 1, "{failed}");
}

#[test]
fn failure_summary_includes_gateway_that_azure_still_creates() {
    let Some(env) = TestEnv::with(Clouds {
        time_scale: 600,
        ..Clouds::default()
    }) else {
        return;
    };
    let link = Link::complete("link");
    env.write(
        &link
            .clone()
            .with("timeouts", "{ create = \"1s\" }")
            .to_string(),
    );
    let failed = env.apply_fails().words();
    assert_eq!(env.world().of_kind("virtualNetworkGateways").len(), 1);
    let summary = failed
        .split(CREATED)
        .nth(1)
        .unwrap_or_else(|| panic!("no summary: {failed}"));
    let billed = summary.split(BILLED).nth(1).unwrap_or_default();
    assert!(billed.contains("Azure"), "{failed}");
    env.write(&link.to_string());
    env.apply();
    assert_eq!(gateway_creations(&env), 1);
    complete_and_destroy(&env);
}

#[test]
fn saved_plan_without_refresh_finishes_create() {
    let Some(env) = half_built(
        &Link::complete("link"),
        "fail call 1 of PutLocalGateway: forever refused",
    ) else {
        return;
    };
    let saved = env.ok(&["plan", "-no-color", "-refresh=false", "-out=saved"]);
    assert!(saved.text().contains(FINISHED), "{}", saved.text());
    env.ok(&["apply", "-no-color", "saved"]);
    assert_eq!((deletions(&env), gateway_creations(&env)), (0, 1));
    complete_and_destroy(&env);
}

#[test]
fn finish_create_after_repeated_failures_and_untaint() {
    let Some(env) = half_built(
        &Link::complete("link"),
        "fail call 1 of CreateVpnConnection: forever refused",
    ) else {
        return;
    };
    for fault in [
        "fail call 1 of PutLocalGateway: forever refused",
        "fail call 1 of GetResourceGroup: forever 403",
    ] {
        env.fault(fault);
        env.run(&["apply", "-auto-approve", "-no-color", "-refresh=false"]);
        env.sandbox().fault(&["--clear"]);
        assert!(
            env.state()["resources"][0]["instances"][0]["status"] == "tainted",
            "{:#?}",
            env.state()
        );
    }
    env.ok(&["untaint", "-no-color", ADDRESS]);
    assert_eq!(env.plan().change(ADDRESS).actions, ["update"]);
    env.apply();
    assert_eq!((deletions(&env), gateway_creations(&env)), (0, 1));
    complete_and_destroy(&env);
}

#[test]
fn replace_moved_or_complete_link() {
    let link = Link::complete("link");
    let Some(env) = half_built(&link, "fail call 1 of PutConnection: forever refused") else {
        return;
    };
    let moved = link.with("azure.location", "\"westeurope\"").to_string();
    env.write(&moved);
    let plan = env.plan();
    assert!(
        plan.change(ADDRESS).replaces() && !plan.text.contains(FINISHED),
        "{}",
        plan.text
    );
    env.apply();
    assert!(env.plan_is_empty());
    assert_eq!(gateway_creations(&env), 2);

    let replaced = env.ok(&["apply", "-auto-approve", "-no-color", "-replace", ADDRESS]);
    assert!(!replaced.text().contains(FINISHED), "{}", replaced.text());
    assert_eq!(gateway_creations(&env), 3);
    complete_and_destroy(&env);
}

#[test]
fn destroy_deletes_incomplete_link() {
    let Some(env) = half_built(
        &Link::complete("link"),
        "fail call 2 of CreateVpnConnection: forever refused",
    ) else {
        return;
    };
    env.destroy();
    let left = env.world();
    assert!(left.is_empty(), "{left:#?}");
}

/// A link of which Terraform makes the new one before it takes the old one down.
fn created_before_destroyed() -> String {
    let link = Link::complete("link").with("lifecycle", "LIFECYCLE");
    link.to_string().replace(
        "  lifecycle = LIFECYCLE\n",
        "  lifecycle {\n    create_before_destroy = true\n  }\n",
    )
}

#[test]
fn create_before_destroy_keeps_new_objects() {
    let Some(env) = TestEnv::new() else { return };
    env.write(&created_before_destroyed());
    env.fault("fail call 2 of PutConnection: forever refused");
    env.apply_fails();
    env.sandbox().fault(&["--clear"]);
    env.apply();
    assert_eq!((deletions(&env), gateway_creations(&env)), (0, 1));
    complete_and_destroy(&env);
}

/// The same, with a create that failed twice: the state holds the link as it is, and as it was
/// after the first try.
fn left_twice() -> Option<TestEnv> {
    let env = TestEnv::new()?;
    env.write(&created_before_destroyed());
    for fault in [
        "fail call 1 of PutLocalGateway: forever refused",
        "fail call 2 of PutConnection: forever refused",
    ] {
        env.fault(fault);
        env.apply_fails();
        env.sandbox().fault(&["--clear"]);
    }
    let instances = env.state()["resources"][0]["instances"].clone();
    let deposed = instances
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| !one["deposed"].is_null())
        .count();
    assert_eq!(
        (instances.as_array().unwrap().len(), deposed),
        (2, 1),
        "{instances:#}"
    );
    Some(env)
}

/// The delete of the former state deletes nothing of the finished link.
#[test]
fn finish_after_two_failed_creates_keeps_objects() {
    let Some(env) = left_twice() else { return };
    env.apply();
    assert_eq!((deletions(&env), gateway_creations(&env)), (0, 1));
    complete_and_destroy(&env);
}

#[test]
fn untaint_after_two_failed_creates_keeps_objects() {
    let Some(env) = left_twice() else { return };
    env.ok(&["untaint", "-no-color", ADDRESS]);
    env.apply();
    assert_eq!((deletions(&env), gateway_creations(&env)), (0, 1));
    complete_and_destroy(&env);
}

#[test]
fn destroy_after_two_failed_creates_deletes_all() {
    let Some(env) = left_twice() else { return };
    env.destroy();
    let left = env.world();
    assert!(left.is_empty(), "{left:#?}");
}

#[test]
fn rollback_deletes_failed_create_and_reports_it() {
    let Some(env) = TestEnv::new() else { return };
    env.write(
        &Link::complete("link")
            .with("on_create_failure", "\"rollback\"")
            .to_string(),
    );
    env.fault("fail call 2 of PutLocalGateway: forever refused");
    let failed = env.apply_fails();
    assert!(
        failed.words().contains(UNABLE_TO_CREATE_LINK),
        "{}",
        failed.text()
    );
    assert_eq!(
        summaries(&failed.words()),
        0,
        "what is gone is listed: {}",
        failed.text()
    );
    let left = env.world();
    assert!(left.is_empty(), "{left:#?}");
    assert!(env.resource("awsazure_bgp_vpn", "link").is_null());
    env.sandbox().fault(&["--clear"]);
    env.apply();
    complete_and_destroy(&env);
}
