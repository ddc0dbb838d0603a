//! States that providers with former schema versions stored, with the worlds in which they left
//! them.
//!
//! `tests/terraform/stored_states` has a folder for each version. It holds the state with its
//! private data and the sandbox's `world.json`. The provider of that version wrote them with real
//! Terraform, all for `Link::complete("link")`: a create that succeeded, a create that failed at the
//! third Azure connection, and an update of `azure.dpd_timeout_seconds` to 60 that failed there.

use awsazure::provider::bgp_vpn::schema;
use awsazure::provider::summaries::RESUMED_NOT_REPLACED;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use test_support::terraform::{Clouds, Link, TestEnv};

const ADDRESS: &str = "awsazure_bgp_vpn.link";
/// Former versions: 0 had no `status`, and `tunnels` was a map up to 1.
const VERSIONS: [i64; 2] = [0, 1];
const OUTPUT: &str = "output \"status\" {\n  value = awsazure_bgp_vpn.link.status\n}\n";

fn stored(version: i64, name: &str, file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("tests/terraform/stored_states/v{version}"))
        .join(name)
        .join(file)
}

/// The world, configuration and state that a version left.
fn left_by(version: i64, name: &str) -> Option<TestEnv> {
    let env = TestEnv::with_world(Clouds::default(), |dir| {
        fs::create_dir_all(dir).unwrap();
        fs::copy(stored(version, name, "world.json"), dir.join("world.json")).unwrap();
    })?;
    let link = Link::complete("link");
    let link = match name {
        "interrupted" => link.with("azure.dpd_timeout_seconds", "60"),
        _ => link,
    };
    env.write(&link.to_string());
    let state = env.folder().join("terraform.tfstate");
    fs::copy(stored(version, name, "state.json"), state).unwrap();
    let instance = env.state()["resources"][0]["instances"][0].clone();
    assert_eq!(instance["schema_version"], json!(version));
    let status = &instance["attributes"]["status"];
    let expected = if version == 0 {
        json!(null)
    } else {
        json!(name)
    };
    assert!(instance["private"].is_string() && *status == expected);
    Some(env)
}

fn for_each_version(name: &str, check: impl Fn(&TestEnv)) {
    VERSIONS
        .into_iter()
        .filter_map(|version| left_by(version, name))
        .for_each(|env| check(&env));
}

/// After an apply the link is complete, there once, and in no need of anything.
fn check_complete(env: &TestEnv) {
    let instance = env.state()["resources"][0]["instances"][0].clone();
    assert_eq!(
        (
            &instance["schema_version"],
            &instance["attributes"]["status"]
        ),
        (&json!(schema::VERSION), &json!("complete"))
    );
    assert!(env.plan_is_empty());
    assert_eq!(env.link_counts(), [1, 4, 2]);
    env.destroy();
    let left = env.world();
    assert!(left.is_empty(), "{left:#?}");
}

#[test]
fn complete_state_of_former_version_plans_no_changes() {
    for_each_version("complete", |env| {
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
        check_complete(env);
    });
}

/// HCL reads `tunnels` as it did when it was a map.
const READS: &str = r#"
output "by_key" { value = awsazure_bgp_vpn.link.tunnels["instance0_tunnel1"].aws_bgp_ip }
output "by_name" { value = awsazure_bgp_vpn.link.tunnels.instance0_tunnel1.aws_bgp_ip }
output "by_variable" { value = awsazure_bgp_vpn.link.tunnels[var.tunnel].aws_bgp_ip }
output "count" { value = length(awsazure_bgp_vpn.link.tunnels) }
output "keys" { value = keys(awsazure_bgp_vpn.link.tunnels) }
output "list" { value = [for tunnel in awsazure_bgp_vpn.link.tunnels : tunnel.inside_cidr] }
output "pairs" { value = { for key, tunnel in awsazure_bgp_vpn.link.tunnels : key => tunnel.aws_tunnel } }
output "values" { value = values(awsazure_bgp_vpn.link.tunnels)[*].azure_instance }
output "lookup" { value = lookup(awsazure_bgp_vpn.link.tunnels, "instance1_tunnel2", null).azure_bgp_ip }
output "map" { value = tomap(awsazure_bgp_vpn.link.tunnels)["instance1_tunnel1"].aws_bgp_ip }
output "health" { value = [for key, tunnel in data.awsazure_bgp_vpn_status.link.tunnels : key if tunnel.diagnosis == null] }
output "one" { value = data.awsazure_bgp_vpn_status.link.tunnels["instance0_tunnel1"].aws_status }
variable "tunnel" { default = "instance0_tunnel1" }
data "awsazure_bgp_vpn_status" "link" {
  azure_gateway_id = awsazure_bgp_vpn.link.azure.gateway_id
  aws_gateway_id   = awsazure_bgp_vpn.link.aws.vpn_gateway_id
}
resource "terraform_data" "each" {
  for_each = awsazure_bgp_vpn.link.tunnels
  input    = each.value.inside_cidr
}
"#;

#[test]
fn tunnels_are_read_in_hcl_as_a_map_was() {
    for_each_version("complete", |env| {
        let keys = json!([
            "instance0_tunnel1",
            "instance0_tunnel2",
            "instance1_tunnel1",
            "instance1_tunnel2"
        ]);
        env.write_file("outputs.tf", READS);
        env.apply();
        for (name, value) in [
            ("by_key", json!("169.254.21.1")),
            ("by_name", json!("169.254.21.1")),
            ("by_variable", json!("169.254.21.1")),
            ("count", json!(4)),
            ("keys", keys.clone()),
            (
                "list",
                json!([
                    "169.254.21.0/30",
                    "169.254.22.0/30",
                    "169.254.21.4/30",
                    "169.254.22.4/30"
                ]),
            ),
            (
                "pairs",
                json!({"instance0_tunnel1": 1, "instance0_tunnel2": 2, "instance1_tunnel1": 1, "instance1_tunnel2": 2}),
            ),
            ("values", json!([0, 0, 1, 1])),
            ("lookup", json!("169.254.22.6")),
            ("map", json!("169.254.21.5")),
            ("health", keys),
            ("one", json!("UP")),
        ] {
            assert_eq!(env.output(name), value, "{name}");
        }
        assert!(env.plan_is_empty());
        env.remove_file("outputs.tf");
        env.apply();
        check_complete(env);
    });
}

#[test]
fn incomplete_state_of_former_version_is_finished() {
    for_each_version("incomplete", |env| {
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
        check_complete(env);
    });
}

#[test]
fn interrupted_former_state_is_finished_without_refresh() {
    for_each_version("interrupted", |env| {
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
        check_complete(env);
    });
}

#[test]
fn interrupted_former_state_is_finished_after_refresh() {
    for_each_version("interrupted", |env| {
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
        check_complete(env);
    });
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
