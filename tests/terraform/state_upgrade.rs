//! States that a provider with schema version 0 stored, with the worlds in which it left them.
//!
//! `tests/terraform/stored_states/v0` holds the state with its private data and the sandbox's
//! `world.json` for each. That provider wrote them with real Terraform, all for
//! `Link::complete("link")`: a create that succeeded, a create that failed at the third Azure
//! connection, and an update of `azure.dpd_timeout_seconds` to 60 that failed there.

use awsazure::provider::summaries::RESUMED_NOT_REPLACED;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use test_support::terraform::{Clouds, Link, TestEnv};

const ADDRESS: &str = "awsazure_bgp_vpn.link";
const OUTPUT: &str = "output \"status\" {\n  value = awsazure_bgp_vpn.link.status\n}\n";

fn stored(name: &str, file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/terraform/stored_states/v0")
        .join(name)
        .join(file)
}

/// The world, configuration and state that version 0 left.
fn version_0(name: &str) -> Option<TestEnv> {
    let env = TestEnv::with_world(Clouds::default(), |dir| {
        fs::create_dir_all(dir).unwrap();
        fs::copy(stored(name, "world.json"), dir.join("world.json")).unwrap();
    })?;
    let link = Link::complete("link");
    let link = match name {
        "interrupted" => link.with("azure.dpd_timeout_seconds", "60"),
        _ => link,
    };
    env.write(&link.to_string());
    let state = env.folder().join("terraform.tfstate");
    fs::copy(stored(name, "state.json"), state).unwrap();
    let instance = env.state()["resources"][0]["instances"][0].clone();
    assert_eq!(instance["schema_version"], json!(0));
    assert!(instance["private"].is_string() && instance["attributes"]["status"].is_null());
    Some(env)
}

/// After an apply the link is complete, there once, and in no need of anything.
fn check_complete(env: &TestEnv) {
    let instance = env.state()["resources"][0]["instances"][0].clone();
    assert_eq!(
        (
            &instance["schema_version"],
            &instance["attributes"]["status"]
        ),
        (&json!(1), &json!("complete"))
    );
    assert!(env.plan_is_empty());
    assert_eq!(env.link_counts(), [1, 4, 2]);
    env.destroy();
    let left = env.world();
    assert!(left.is_empty(), "{left:#?}");
}

#[test]
fn complete_state_of_version_0_plans_no_changes() {
    let Some(env) = version_0("complete") else {
        return;
    };
    for args in [
        &["plan", "-no-color", "-detailed-exitcode"][..],
        &["plan", "-no-color", "-detailed-exitcode", "-refresh=false"],
    ] {
        let plan = env.ok(args);
        assert!(
            plan.code == Some(0) && plan.stdout.contains("No changes."),
            "{}",
            plan.text()
        );
        assert!(!plan.stdout.contains("changed outside"), "{}", plan.text());
    }
    let before = env.calls().len();
    env.write_file("outputs.tf", OUTPUT);
    env.apply();
    assert_eq!(env.writes_since(before), Vec::<String>::new());
    assert_eq!(env.output("status"), json!("complete"));
    check_complete(&env);
}

#[test]
fn incomplete_state_of_version_0_is_finished() {
    let Some(env) = version_0("incomplete") else {
        return;
    };
    for args in [
        &["plan", "-no-color"][..],
        &["plan", "-no-color", "-refresh=false"],
    ] {
        let plan = env.ok(args).words();
        assert!(plan.contains(RESUMED_NOT_REPLACED), "{plan}");
    }
    let change = env.plan().change(ADDRESS);
    assert!(change.replaces());
    let status = |value: &Value| value["status"].clone();
    assert_eq!(
        (status(&change.before), status(&change.after)),
        (json!("incomplete"), json!("complete"))
    );
    let before = env.calls().len();
    env.apply();
    let writes = env.writes_since(before);
    assert!(
        !writes
            .iter()
            .any(|call| call.starts_with("Delete") && !call.starts_with("DeleteTags")),
        "{writes:?}"
    );
    check_complete(&env);
}

#[test]
fn interrupted_state_of_version_0_is_finished_without_refresh() {
    let Some(env) = version_0("interrupted") else {
        return;
    };
    env.write_file("outputs.tf", OUTPUT);
    let plan = env.ok(&["plan", "-no-color", "-refresh=false"]);
    assert!(
        plan.words()
            .contains("~ status = \"interrupted\" -> \"complete\""),
        "{}",
        plan.text()
    );
    env.ok(&["apply", "-auto-approve", "-no-color", "-refresh=false"]);
    assert_eq!(env.output("status"), json!("complete"));
    check_complete(&env);
}

#[test]
fn interrupted_state_of_version_0_is_finished_after_refresh() {
    let Some(env) = version_0("interrupted") else {
        return;
    };
    let change = env.plan().change(ADDRESS);
    assert_eq!(change.actions, ["update"]);
    // A refresh shows what differs, and the status of what was read.
    assert_eq!(
        (
            change.before["status"].clone(),
            change.after["status"].clone()
        ),
        (json!("complete"), json!("complete"))
    );
    assert_eq!(
        change.before["drift"].as_array().unwrap().len(),
        2,
        "{}",
        change.before["drift"]
    );
    env.apply();
    check_complete(&env);
}

#[test]
fn failed_runs_store_their_status() {
    let Some(env) = TestEnv::new() else { return };
    let link = Link::complete("link");
    let status = |env: &TestEnv| env.link("link")["status"].clone();
    env.write(&format!("{link}{OUTPUT}"));
    env.fault("fail call 3 of PutConnection: forever refused");
    env.apply_fails();
    assert_eq!(status(&env), json!("incomplete"));
    env.ok(&["refresh", "-no-color"]);
    assert_eq!(status(&env), json!("incomplete"));
    env.sandbox().fault(&["--clear"]);
    env.apply();
    assert_eq!(
        (status(&env), env.output("status")),
        (json!("complete"), json!("complete"))
    );

    env.write(&format!(
        "{}{OUTPUT}",
        link.with("azure.dpd_timeout_seconds", "60")
    ));
    env.fault("fail call 3 of PutConnection: forever refused");
    env.apply_fails();
    assert_eq!(status(&env), json!("interrupted"));
    env.sandbox().fault(&["--clear"]);
    env.apply();
    assert_eq!(status(&env), json!("complete"));

    env.fault("fail call 2 of DeleteConnection: forever refused");
    let failed = env.run(&["destroy", "-auto-approve", "-no-color"]);
    assert!(!failed.succeeded());
    assert_eq!(status(&env), json!("interrupted"));
    env.sandbox().fault(&["--clear"]);
    env.apply();
    check_complete(&env);
}

#[test]
fn import_reads_status_from_the_clouds() {
    let Some(env) = TestEnv::new() else { return };
    let link = Link::complete("link");
    env.write(&link.to_string());
    for (fault, expected) in [
        (
            Some("fail call 3 of PutConnection: forever refused"),
            "incomplete",
        ),
        (None, "complete"),
    ] {
        match fault {
            Some(fault) => {
                env.fault(fault);
                env.apply_fails();
                env.sandbox().fault(&["--clear"]);
            }
            None => drop(env.apply()),
        }
        let id = env.link("link")["id"].as_str().unwrap().to_owned();
        env.ok(&["state", "rm", ADDRESS]);
        env.import(ADDRESS, &id);
        assert_eq!(env.link("link")["status"], json!(expected));
    }
    check_complete(&env);
}
