//! Clients that nobody here wrote walk the tutorial against the sandbox: boto3 and the Azure SDK for Python, at pinned versions, in a
//! virtual environment that this test makes. Then the link that they built is imported.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use support::{TestEnv, skip};

const PACKAGES: [&str; 4] =
    ["boto3==1.44.5", "azure-identity==1.27.0", "azure-mgmt-network==33.1.0", "azure-mgmt-resource==26.0.0"];

/// A Python with the SDKs, kept beside the build so that the next run has it already. None where it cannot be made.
fn python() -> Option<PathBuf> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("strangers");
    let python = home.join("bin/python");
    let has_all = |python: &Path| {
        let look = "import boto3, azure.identity, azure.mgmt.network, azure.mgmt.resource.resources";
        Command::new(python).args(["-c", look]).output().is_ok_and(|done| done.status.success())
    };
    if has_all(&python) {
        return Some(python);
    }
    let made = Command::new("python3").args(["-m", "venv"]).arg(&home).output().ok()?;
    let install = Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(PACKAGES).output();
    (made.status.success() && install.is_ok_and(|done| done.status.success()) && has_all(&python)).then_some(python)
}

fn walk(env: &TestEnv, python: &Path, keep: bool) {
    let mut walk = Command::new(python);
    walk.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/strangers/walk.py"));
    walk.args(keep.then_some("--keep")).envs(env.sandbox().environment());
    let done = walk.output().unwrap();
    let words = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{words}");
}

#[test]
fn the_official_sdks_walk_the_tutorial_and_what_they_built_imports_to_an_empty_plan() {
    let Some(python) = python() else {
        return skip("the SDK walk (python3 with venv, or the package index, is not there)");
    };
    let Some(env) = TestEnv::new() else { return };
    walk(&env, &python, false);
    assert!(env.world().is_empty(), "the walk left something behind");

    walk(&env, &python, true);
    let id_of = |kind: &str| env.world().of_kind(kind).first().unwrap().id.clone();
    let (gateway, vgw) = (id_of("virtualNetworkGateways"), id_of("vpn-gateway"));
    env.write(&format!(
        r#"
        resource "awsazure_bgp_vpn" "link" {{
          name = "VNet1GW"
          azure = {{
            resource_group_name = "TestRG1"
            virtual_network_id  = "{}"
          }}
          aws = {{ vpc_id = "{}" }}
        }}
        "#,
        id_of("virtualNetworks"),
        id_of("vpc"),
    ));
    env.import("awsazure_bgp_vpn.link", &format!("{gateway},{vgw}"));
    assert!(env.plan_is_empty(), "{}", env.run(&["plan", "-no-color"]).text());
}
