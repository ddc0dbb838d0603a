//! A link that this provider made, lost from the state and taken into it again.

use awsazure::provider::summaries;
use serde_json::{Value, json};
use test_support::simulated::Sim;
use test_support::simulated::clock::simulated;
use test_support::simulated::terraform_core::{Run, Stored, TerraformCore, config};
use test_support::terraform::{Link, TestEnv, is_terraform_since, skip, terraform_program};

const ADDRESS: &str = "awsazure_bgp_vpn.link";

fn forgets(env: &TestEnv) {
    env.ok(&["state", "rm", ADDRESS]);
}

/// Attributes without what only configuration knows.
fn without_choices(mut attributes: Value) -> Value {
    for name in [
        "timeouts",
        "tags",
        "rotate_keys",
        "wait_for_bgp",
        "on_create_failure",
        "preshared_keys_wo_version",
    ] {
        attributes.as_object_mut().unwrap().remove(name);
    }
    attributes
}

#[test]
fn import_finds_what_create_made() {
    let Some(env) = TestEnv::new() else { return };
    let link = Link::complete("link")
        .with("tags", "{ team = \"network\" }")
        .with("azure.dpd_timeout_seconds", "60");
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
        assert_eq!(
            without_choices(found),
            without_choices(made.clone()),
            "by {id}"
        );
    }

    // Tags are what only configuration knows: an update without a call that writes.
    let writes = |env: &TestEnv| {
        env.calls()
            .iter()
            .filter(|call| !reads(&call.operation))
            .count()
    };
    let before = writes(&env);
    assert_eq!(env.plan().change(ADDRESS).actions, ["update"]);
    env.apply();
    assert_eq!(writes(&env), before);
    assert!(env.plan_is_empty());

    // Without what only configuration knows even the first plan is empty, and without any choice
    // too.
    forgets(&env);
    env.import(ADDRESS, id);
    env.write(&Link::complete("link").to_string());
    assert!(env.plan_is_empty());

    env.destroy();
    let left = env.world();
    assert!(left.is_empty(), "{left:#?}");
}

fn reads(operation: &str) -> bool {
    ["Describe", "Get", "List"]
        .iter()
        .any(|verb| operation.starts_with(verb))
}

#[test]
fn generated_configuration_of_import_block_plans_empty() {
    let Some(env) = TestEnv::new() else { return };
    let link = Link::complete("link");
    env.write(&link.to_string());
    env.apply();
    let id = env.resource("awsazure_bgp_vpn", "link")["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let import = format!("import {{\n  to = {ADDRESS}\n  id = {id:?}\n}}\n");

    forgets(&env);
    env.write(&format!("{import}\n{link}"));
    let change = env.plan().change(ADDRESS);
    assert!(change.importing);
    assert_eq!(change.actions, ["no-op"]);

    if !is_terraform_since(&terraform_program().unwrap(), 11) {
        return skip("generated configuration (Terraform 1.11 or newer)");
    }
    // No configuration exists: Terraform generates it from the state.
    env.write(&import);
    let out = format!(
        "-generate-config-out={}",
        env.folder().join("generated.tf").display()
    );
    env.ok(&["plan", "-no-color", &out]);
    let plan = env.plan();
    let generated = std::fs::read_to_string(env.folder().join("generated.tf")).unwrap();
    let change = plan.change(ADDRESS);
    assert_eq!(change.actions, ["no-op"], "{}\n{generated}", plan.text);
    if is_terraform_since(&terraform_program().unwrap(), 14) {
        let is_set =
            |line: &&str| line.contains(" = ") && !line.ends_with("= null") && !line.ends_with('{');
        let set = generated.lines().filter(is_set).count();
        assert!(set <= 13, "{set} values in\n{generated}");
    }
    env.apply();
    env.write("");
    assert!(env.plan_is_empty());

    env.destroy();
    let left = env.world();
    assert!(left.is_empty(), "{left:#?}");
}

#[test]
fn import_of_wrong_ids_suggests_candidates() {
    let Some(env) = TestEnv::new() else { return };
    let link = Link::complete("link");
    env.write(&link.to_string());
    let refused = |id: &str| {
        let run = env.run(&["import", "-no-color", ADDRESS, id]);
        assert!(!run.succeeded());
        run.words()
    };
    let said = refused("vpn-1");
    assert!(
        said.contains(summaries::INVALID_IMPORT_ID) && said.contains("vpn-1"),
        "{said}"
    );
    let gateway = "/subscriptions/00000000-0000-4000-a000-00000000a2e0/resourceGroups/g/providers/Microsoft.Network/virtualNetworkGateways/w";
    let said = refused(&format!("{gateway},169.254.21.0/30"));
    assert!(
        said.contains(summaries::UNABLE_TO_FIND_LINK) && said.contains(gateway),
        "{said}"
    );
}

/// What the failed import by an id says, by command and by block.
fn not_found(env: &TestEnv, id: &str, link: &Link) -> [String; 2] {
    env.write(&link.to_string());
    let by_command = env.run(&["import", "-no-color", ADDRESS, id]);
    env.write(&format!(
        "import {{\n  to = {ADDRESS}\n  id = {id:?}\n}}\n{link}"
    ));
    let by_block = env.run(&["plan", "-no-color"]);
    env.write(&link.to_string());
    [by_command, by_block].map(|run| {
        assert!(!run.succeeded(), "{}", run.text());
        // Terraform breaks lines at spaces.
        run.words()
    })
}

#[test]
fn import_in_another_region_names_the_working_id() {
    let Some(env) = TestEnv::new() else { return };
    let link = Link::complete("link").with("aws.region", "\"eu-west-1\"");
    env.write(&link.to_string());
    env.apply();
    let state = env.link("link");
    let id = state["id"].as_str().unwrap().to_owned();
    let (gateway, cidr) = id.rsplit_once(',').unwrap();
    let ends = format!(
        "{gateway},{}",
        state["aws"]["vpn_gateway_id"].as_str().unwrap()
    );
    let wrong = format!("{gateway},{cidr}@eu-central-1");
    // A second link of the gateway, in the provider's region: something is found there.
    let vpc = env.cloud_admin().make_vpc("10.4.0.0/16");
    let near = Link::between(
        "near",
        "link",
        state["azure"]["virtual_network_id"].as_str().unwrap(),
        &vpc,
    )
    .with("azure.gateway_id", &format!("{gateway:?}"))
    .with("slot", "1");
    for near in [None, Some(near)] {
        if let Some(near) = &near {
            env.write(&format!("{link}{near}"));
            env.apply();
            env.ok(&["state", "rm", "awsazure_bgp_vpn.near"]);
        }
        forgets(&env);
        for (asked, right) in [(&id, &id), (&ends, &ends), (&wrong, &id)] {
            for said in not_found(&env, asked, &link) {
                assert!(said.contains(&format!("'{right}@eu-west-1'")), "{said}");
            }
        }
        env.import(ADDRESS, &format!("{id}@eu-west-1"));
        assert!(env.plan_is_empty());
    }

    // Without tags it is left to the user.
    let cloud_admin = env.cloud_admin();
    for key in [
        "instance0_tunnel1",
        "instance0_tunnel2",
        "instance1_tunnel1",
        "instance1_tunnel2",
    ] {
        cloud_admin.untag(
            state["tunnels"][key]["azure_connection_id"]
                .as_str()
                .unwrap(),
            &[],
        );
    }
    forgets(&env);
    for said in not_found(&env, &ends, &link) {
        assert!(said.contains(&format!("'{ends}@<region>'")), "{said}");
    }
}

#[test]
fn import_by_identity_in_another_region_refers_to_id() {
    simulated(|| async {
        let sim = Sim::new(91);
        let wanted = json!({
            "name": "prod",
            "azure": {
                "resource_group_name": "prod-rg", "create_resource_group": true, "location": "westeurope",
                "virtual_network": {"name": "vnet", "address_space": ["10.1.0.0/16"], "gateway_subnet_prefix": "10.1.255.0/27"},
            },
            "aws": {"region": "us-east-1", "vpc": {"cidr_block": "10.2.0.0/16"}},
        });
        let mut core = TerraformCore::new(&sim, config(&wanted), Stored::default());
        core.run(&Run::Apply).await.unwrap();
        let (id, identity) = (
            core.stored.state.get("id").as_str().unwrap().to_owned(),
            core.stored.identity.clone(),
        );
        let mut core = TerraformCore::new(&sim, config(&wanted), Stored::default());
        let said = core.import_by("", identity).await.unwrap_err();
        assert!(said.contains(&format!("'{id}@us-east-1'")), "{said}");
        core.run(&Run::Import(format!("{id}@us-east-1")))
            .await
            .unwrap();
        core.plans_empty().await.unwrap();
    });
}
