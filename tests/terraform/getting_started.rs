//! The guide for newcomers: its configuration and commands in their order, in the sandbox.

use std::process::Command;
use test_support::provider_program;
use test_support::terraform::{Guide, TestEnv};

const NETWORK: &str = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/TestRG1/providers/Microsoft.Network/virtualNetworks/VNet1";
const VPC: &str = "vpc-0123456789abcdef0";

/// Runs a command of the guide, which must be in it.
fn run(env: &TestEnv, guide: &Guide, command: &str) -> String {
    assert!(
        guide
            .blocks
            .iter()
            .any(|block| block.language == "sh" && block.text.contains(command)),
        "{command}"
    );
    let mut arguments: Vec<&str> = command.split(' ').skip(1).collect();
    if ["apply", "destroy"].contains(&arguments[0]) {
        arguments.push("-auto-approve");
    }
    arguments.insert(1, "-no-color");
    env.ok(&arguments).stdout
}

#[test]
fn newcomer_follows_the_guide() {
    let Some(env) = TestEnv::new() else { return };
    let admin = env.cloud_admin();
    admin.make_group("TestRG1");
    let subnets = [("FrontEnd", "10.1.0.0/24")];
    let network = admin.make_network("TestRG1", "VNet1", "10.1.0.0/16", &subnets);
    let vpc = admin.make_vpc("10.2.0.0/16");
    let before = env.world().azure.len();
    let guide = Guide::read("getting-started.md");
    let configuration = guide.block("terraform", "resource \"awsazure_bgp_vpn\"");
    env.write_file(
        "main.tf",
        &configuration.replace(NETWORK, &network).replace(VPC, &vpc),
    );

    let permissions = Command::new(provider_program())
        .args(["permissions", "main.tf"])
        .current_dir(env.folder())
        .output()
        .unwrap();
    let printed = String::from_utf8(permissions.stdout).unwrap();
    assert!(permissions.status.success() && printed.contains("ec2:CreateVpnConnection"));

    let planned = run(&env, &guide, "terraform plan");
    assert!(
        planned.contains("1 to add") && planned.contains("169.254.21.2"),
        "{planned}"
    );
    run(&env, &guide, "terraform apply");
    assert_eq!(run(&env, &guide, "terraform output tunnels_up").trim(), "4");
    let diagnosis = run(&env, &guide, "terraform output diagnosis");
    assert_eq!(
        diagnosis.matches("tostring(null)").count(),
        4,
        "{diagnosis}"
    );
    let again = run(&env, &guide, "terraform plan");
    assert!(again.contains("No changes."), "{again}");
    run(&env, &guide, "terraform destroy");
    assert_eq!(env.world().azure.len(), before);
}
