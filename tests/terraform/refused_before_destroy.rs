//! Replacements and renames whose create must fail: `terraform apply` stops before it deletes
//! anything, as `terraform plan` does.

use awsazure::provider::summaries::{
    CONFLICTING_NAMES, DIFFERENT_CONFIGURATION, MISSING_MOVED_BLOCK,
};
use bgp_vpn::summaries::CONFLICTING_SLOT;
use test_support::terraform::{Link, TestEnv, text};

/// A link with gateways of its own, in the network 10.`number`.0.0/16.
fn owner(label: &str, number: u8, slot: u8) -> Link {
    Link::complete(label)
        .with("slot", &slot.to_string())
        .with(
            "azure.virtual_network",
            &format!(
                "{{ name = \"{label}\", address_space = [\"10.{number}.0.0/16\"], gateway_subnet_prefix = \"10.{number}.255.0/27\" }}"
            ),
        )
        .with("aws.vpc", &format!("{{ cidr_block = \"10.{}.0.0/16\" }}", number + 1))
}

/// A link on the gateway of another one.
fn guest(group: &str, gateway: &str, slot: u8) -> Link {
    Link::complete("guest")
        .without("azure.create_resource_group")
        .without("azure.location")
        .without("azure.virtual_network")
        .with("azure.resource_group_name", &format!("{group:?}"))
        .with("azure.gateway_id", &format!("{gateway:?}"))
        .with("aws.vpc", "{ cidr_block = \"10.30.0.0/16\" }")
        .with("slot", &slot.to_string())
}

fn gateway_of(env: &TestEnv, label: &str) -> String {
    text(&env.link(label)["azure"]["gateway_id"]).to_owned()
}

/// The inside CIDRs or the names of objects belong to another link on the new gateway.
#[test]
fn replacement_stops_before_destroy_if_place_is_taken() {
    let Some(env) = TestEnv::new() else { return };
    let owners = format!("{}\n{}", owner("first", 1, 0), owner("second", 11, 1));
    env.write(&owners);
    env.apply();
    let gateways = ["first", "second"].map(|label| gateway_of(&env, label));
    env.write(&format!("{owners}\n{}", guest("first", &gateways[0], 1)));
    env.apply();
    let before = env.world();

    let same_slot = guest("second", &gateways[1], 1);
    let same_names = guest("second", &gateways[1], 2).with("name", "\"second\"");
    for (link, summary) in [
        (&same_slot, CONFLICTING_SLOT),
        (&same_names, CONFLICTING_NAMES),
    ] {
        env.write(&format!("{owners}\n{link}"));
        for run in [env.plan_fails(), env.apply_fails()] {
            assert!(run.text().contains(summary), "{}", run.text());
        }
        assert_eq!(env.world(), before);
    }
    env.write(&format!("{owners}\n{}", guest("second", &gateways[1], 2)));
    env.apply();
    assert!(env.plan_is_empty());
    env.write(&owners);
    env.apply();
    env.destroy();
    assert!(env.world().is_empty());
}

/// Terraform would destroy and create the link at the same time.
#[test]
fn renamed_block_needs_moved_block() {
    let Some(env) = TestEnv::new() else { return };
    let link = Link::complete("link");
    env.write(&link.to_string());
    env.apply();
    let before = env.world();
    let renamed = link.to_string().replacen(
        "\"awsazure_bgp_vpn\" \"link\"",
        "\"awsazure_bgp_vpn\" \"renamed\"",
        1,
    );
    env.write(&renamed);
    for run in [env.plan_fails(), env.apply_fails()] {
        assert!(run.text().contains(MISSING_MOVED_BLOCK), "{}", run.text());
    }
    assert_eq!(env.world(), before);
    let moved = "moved {\n  from = awsazure_bgp_vpn.link\n  to = awsazure_bgp_vpn.renamed\n}\n";
    env.write(&format!("{renamed}\n{moved}"));
    env.apply();
    assert!(env.plan_is_empty());
    assert_eq!(env.world(), before);
    env.destroy();
}

/// The hidden change is planned when `ignore_changes` is removed, although runs came in between.
#[test]
fn change_under_ignore_changes_is_planned_later() {
    let Some(env) = TestEnv::new() else { return };
    let cloud_admin = env.cloud_admin();
    let vpcs = ["10.3.0.0/16", "10.4.0.0/16"].map(|cidr| cloud_admin.make_vpc(cidr));
    let link = |vpc: &str, slot: u8| {
        Link::complete("link")
            .without("aws.vpc")
            .with("aws.vpc_id", &format!("{vpc:?}"))
            .with("slot", &slot.to_string())
            .to_string()
    };
    let ignoring = |text: String| {
        let block = "  lifecycle {\n    ignore_changes = [aws]\n  }\n}\n";
        format!("{}{block}", text.trim_end().strip_suffix('}').unwrap())
    };
    env.write(&link(&vpcs[0], 0));
    env.apply();
    env.write(&ignoring(link(&vpcs[1], 1)));
    env.apply();
    assert!(env.plan_is_empty());
    env.write(&link(&vpcs[1], 1));
    let run = env.apply();
    assert!(
        !run.text().contains(DIFFERENT_CONFIGURATION),
        "{}",
        run.text()
    );
    assert_eq!(text(&env.link("link")["aws"]["vpc_id"]), vpcs[1]);
    assert!(env.plan_is_empty());
    env.destroy();
}
