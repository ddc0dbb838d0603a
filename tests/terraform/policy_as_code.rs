//! The policies of docs/guides/policy-as-code.md, held against real plans. OPA's language is
//! evaluated; of the Sentinel policy, the paths are compared with a plan.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use test_support::repository;
use test_support::terraform::{Link, TestEnv, python, skip};

/// An evaluator of OPA's language from the Python package index.
const REGO: [&str; 1] = ["regopy==1.5.2"];

/// Prints what a rule of a policy yields for a plan, as JSON.
const EVALUATE: &str = r#"
import sys
from regopy import Interpreter
rego = Interpreter()
rego.add_module("policy", open(sys.argv[1]).read())
rego.set_input_term(open(sys.argv[2]).read())
print(rego.query("data.terraform.awsazure.deny"))
"#;

fn policy_file(name: &str) -> PathBuf {
    repository().join("examples/policy-as-code").join(name)
}

fn policy(name: &str) -> String {
    fs::read_to_string(policy_file(name)).unwrap()
}

/// An environment with Terraform and Python's evaluator. None, noted as skipped, without one of them.
fn evaluator() -> Option<(TestEnv, PathBuf)> {
    let env = TestEnv::new()?;
    let home = python::environment("rego", &REGO, "import regopy");
    if home.is_none() {
        skip("evaluation of the Rego policy (regopy cannot be installed)");
    }
    Some((env, home?))
}

/// What the policy rejects of a plan.
fn rejected(home: &Path, plan: &Value) -> BTreeSet<String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), plan.to_string()).unwrap();
    let output = Command::new(home.join("bin/python"))
        .args(["-c", EVALUATE])
        .arg(policy_file("strong_links.rego"))
        .arg(file.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    let found: Value = serde_json::from_str(&text).unwrap();
    let messages = found["expressions"][0].as_array().unwrap().iter();
    messages
        .map(|message| message.as_str().unwrap().to_owned())
        .collect()
}

fn differs(name: &str) -> String {
    format!("awsazure_bgp_vpn.link: ipsec_policy.{name} differs from the preset strong")
}

#[test]
fn rego_policy_rejects_links_that_are_not_strong() {
    let Some((env, home)) = evaluator() else {
        return;
    };
    let strong = Link::complete("link");
    let preset = |preset: &str| {
        strong
            .clone()
            .with("ipsec_policy", &format!("{{ preset = {preset:?} }}"))
    };
    for (link, expected) in [
        (strong.clone(), vec![]),
        (preset("strong"), vec![]),
        (
            preset("compatible"),
            vec![
                "dh_group",
                "ike_integrity",
                "ipsec_encryption",
                "pfs_group",
                "preset",
            ],
        ),
        (
            strong
                .clone()
                .with("ipsec_policy", "{ preset = \"strong\", dh_group = 14 }"),
            vec!["dh_group"],
        ),
    ] {
        env.write(&link.to_string());
        let expected: BTreeSet<String> = expected.into_iter().map(differs).collect();
        assert_eq!(rejected(&home, &env.plan().json), expected, "{link}");
    }

    // A preset that the apply decides is no strong one yet.
    let unknown = strong
        .clone()
        .with("ipsec_policy", "{ preset = terraform_data.preset.output }");
    env.write(&format!(
        "resource \"terraform_data\" \"preset\" {{ input = \"strong\" }}\n{unknown}"
    ));
    let found = rejected(&home, &env.plan().json);
    assert!(found.contains(&differs("preset")), "{found:?}");
}

#[test]
fn rego_policy_covers_unchanged_links_but_no_deleted_ones() {
    let Some((env, home)) = evaluator() else {
        return;
    };
    let weak = Link::complete("link").with("ipsec_policy", "{ preset = \"compatible\" }");
    env.write(&weak.to_string());
    env.apply();
    let plan = env.plan().json;
    assert_eq!(
        plan["resource_changes"][0]["change"]["actions"],
        json!(["no-op"])
    );
    assert_eq!(rejected(&home, &plan).len(), 5);
    env.write("");
    let plan = env.plan().json;
    assert_eq!(
        plan["resource_changes"][0]["change"]["actions"],
        json!(["delete"])
    );
    assert_eq!(rejected(&home, &plan), BTreeSet::new());
}

/// Sentinel itself is not available: each path that the policy reads is in a plan, with the value
/// that the policy compares.
#[test]
fn sentinel_policy_reads_paths_of_the_plan() {
    let Some(env) = TestEnv::new() else { return };
    env.write(&Link::complete("link").to_string());
    let plan = env.plan().json;
    let text = policy("strong_links.sentinel");
    let link = &plan["resource_changes"][0];
    assert_eq!(
        (&link["mode"], &link["type"], &link["change"]["actions"]),
        (
            &json!("managed"),
            &json!("awsazure_bgp_vpn"),
            &json!(["create"])
        )
    );
    for path in [
        "tfplan.resource_changes",
        "change.mode is \"managed\"",
        "change.type is \"awsazure_bgp_vpn\"",
        "change.change.actions is not [\"delete\"]",
        "link.change.after.ipsec_policy[name]",
    ] {
        assert!(text.contains(path), "{path}");
    }
    let compared: Vec<(String, Value)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("\t\"")?.strip_suffix(','))
        .map(|line| {
            let (name, value) = line.split_once("\":").unwrap();
            (name.to_owned(), serde_json::from_str(value.trim()).unwrap())
        })
        .collect();
    assert_eq!(compared.len(), 6);
    for (name, value) in compared {
        assert_eq!(
            link["change"]["after"]["ipsec_policy"][&name], value,
            "{name}"
        );
    }
}

#[test]
fn guide_shows_the_tested_policies() {
    let guide = fs::read_to_string(repository().join("docs/guides/policy-as-code.md")).unwrap();
    for name in ["strong_links.rego", "strong_links.sentinel"] {
        assert!(guide.contains(policy(name).trim_end()), "{name}");
    }
}
