//! Two links on one Azure gateway: each adds and takes away its own addresses only.

use test_support::terraform::{Link, TestEnv};

fn second(slot: u8) -> Link {
    Link::complete("second")
        .without("azure.create_resource_group")
        .without("azure.location")
        .without("azure.virtual_network")
        .with("azure.resource_group_name", "\"first\"")
        .with("azure.gateway_id", "awsazure_bgp_vpn.first.azure.gateway_id")
        .with("aws.vpc", "{ cidr_block = \"10.3.0.0/16\" }")
        .with("aws.asn", "64513")
        .with("slot", &slot.to_string())
}

#[test]
fn second_link_removes_only_its_own_addresses() {
    let Some(env) = TestEnv::new() else { return };
    let first = Link::complete("first");
    env.write(&first.to_string());
    env.apply();
    let cloud_admin = env.cloud_admin();
    let gateway = env.resource("awsazure_bgp_vpn", "first")["azure"]["gateway_id"].as_str().unwrap().to_owned();
    let own: Vec<String> = cloud_admin.listed_addresses(&gateway);
    assert_eq!(own.len(), 4);
    // Somebody listed one of the second link's addresses before there was a second link.
    cloud_admin.list_address(&gateway, 0, [169, 254, 21, 10].into());
    assert!(env.plan_is_empty(), "foreign addresses are nothing to the first link");

    env.write(&format!("{first}\n{}", second(1)));
    env.apply();
    assert!(env.plan_is_empty());
    assert_eq!(cloud_admin.listed_addresses(&gateway).len(), 8);

    // It moves on, and leaves behind what it found.
    env.write(&format!("{first}\n{}", second(2)));
    env.apply();
    assert!(env.plan_is_empty());
    let listed = cloud_admin.listed_addresses(&gateway);
    assert!(
        listed.contains(&"169.254.21.10".to_owned()) && !listed.contains(&"169.254.22.10".to_owned()),
        "{listed:?}"
    );
    assert_eq!(listed.len(), 9);

    env.write(&format!("{first}\n{}", second(1)));
    env.apply();
    env.write(&first.to_string());
    env.apply();
    let mut left = own;
    left.push("169.254.21.10".to_owned());
    left.sort();
    assert_eq!(cloud_admin.listed_addresses(&gateway), left);
    assert!(env.plan_is_empty());
    assert_eq!(env.world().of_kind("connections").len(), 4);

    env.destroy();
    let left = env.world();
    assert!(left.is_empty(), "{left:#?}");
}
