//! Two links on one Azure gateway: each adds and takes away its own addresses only.

use awsazure::provider::summaries::{OBJECTS_DELETED, OTHER_LINKS_INTERRUPTED};
use bgp_vpn::summaries::MISSING_AZURE_GATEWAY;
use test_support::terraform::{Link, TestEnv, has_warning, text};

fn second(slot: u8) -> Link {
    Link::complete("second")
        .without("azure.create_resource_group")
        .without("azure.location")
        .without("azure.virtual_network")
        .with("azure.resource_group_name", "\"first\"")
        .with(
            "azure.gateway_id",
            "awsazure_bgp_vpn.first.azure.gateway_id",
        )
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
    let gateway = env.resource("awsazure_bgp_vpn", "first")["azure"]["gateway_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let own: Vec<String> = cloud_admin.listed_addresses(&gateway);
    assert_eq!(own.len(), 4);
    // A user listed one of the addresses of the second link before the link existed.
    cloud_admin.list_address(&gateway, 0, [169, 254, 21, 10].into());
    assert!(
        env.plan_is_empty(),
        "foreign addresses are nothing to the first link"
    );

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
        listed.contains(&"169.254.21.10".to_owned())
            && !listed.contains(&"169.254.22.10".to_owned()),
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

/// The owner deletes the gateway and creates it again under its name. In between, an apply of the
/// other link fails and changes nothing; afterwards one apply repairs the link, and the gateway
/// still is the owner's.
#[test]
fn attached_link_survives_absence_of_shared_gateway() {
    let Some(env) = TestEnv::new() else { return };
    let first = Link::complete("first");
    env.write(&first.to_string());
    env.apply();
    let gateway = env.link("first")["azure"]["gateway_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let both = format!(
        "{first}\n{}",
        second(1).with("azure.gateway_id", &format!("{gateway:?}"))
    );
    env.write(&both);
    env.apply();
    let cloud_admin = env.cloud_admin();
    for connection in env.world().of_kind("connections") {
        cloud_admin.delete_azure_connection(&connection.id, &gateway);
    }
    cloud_admin.delete_azure_gateway(&gateway);

    let alone = "-target=awsazure_bgp_vpn.second";
    for run in [
        &["apply", "-auto-approve", "-no-color", alone][..],
        &["apply", "-refresh-only", "-auto-approve", alone],
    ] {
        env.run(run);
    }
    let run = env.run(&["plan", "-no-color", alone]);
    assert!(run.text().contains(MISSING_AZURE_GATEWAY), "{}", run.text());

    let run = env.run(&[
        "apply",
        "-auto-approve",
        "-no-color",
        "-target=awsazure_bgp_vpn.first",
    ]);
    assert!(run.succeeded(), "{}", run.text());
    env.apply();
    assert!(env.plan_is_empty());
    let managed = env.link("second")["managed"].clone();
    assert!(
        managed.get("azure_virtual_network_gateway").is_none(),
        "{managed}"
    );
    assert_eq!(env.link("second")["azure"]["gateway_id"], gateway.as_str());
    env.write(&first.to_string());
    env.apply();
    assert!(env.plan_is_empty());
}

/// Others use the gateway that the first link created. With `manage_gateways = false` it can go all
/// the same, and leaves the gateways, their networks and the other link as they are.
#[test]
fn creator_of_shared_gateway_can_leave() {
    let Some(env) = TestEnv::new() else { return };
    let first = Link::complete("first");
    env.write(&first.to_string());
    env.apply();
    let gateway = env.link("first")["azure"]["gateway_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let second = second(1).with("azure.gateway_id", &format!("{gateway:?}"));
    env.write(&format!("{first}\n{second}"));
    env.apply();

    env.write(&second.to_string());
    let refused = env.apply_fails();
    assert!(
        refused.words().contains("manage_gateways"),
        "{}",
        refused.text()
    );
    assert_eq!(
        env.world().of_kind("connections").len(),
        8,
        "nothing was deleted"
    );

    env.write(&format!(
        "{}\n{second}",
        first.with("manage_gateways", "false")
    ));
    env.apply();
    assert!(env.plan_is_empty());
    env.write(&second.to_string());
    env.apply();
    assert!(env.plan_is_empty());
    let left = env.world();
    assert_eq!(left.of_kind("connections").len(), 4);
    assert_eq!(left.of_kind("virtualNetworkGateways").len(), 1);
    assert_eq!(left.of_kind("virtualNetworks").len(), 1);
    assert_eq!(env.cloud_admin().listed_addresses(&gateway).len(), 4);
    let text = format!("{:?}", left.aws);
    assert_eq!(left.of_kind("vpc").len(), 2, "{text}");
}

/// The plan of the owner names the links that a new ASN or SKU of the gateway interrupts.
#[test]
fn owner_is_warned_of_other_links() {
    let Some(env) = TestEnv::new() else { return };
    let first = Link::complete("first");
    env.write(&format!("{first}\n{}", second(1)));
    env.apply();
    for (path, value) in [("azure.asn", "65010"), ("azure.sku", "\"VpnGw3AZ\"")] {
        env.write(&format!(
            "{}\n{}",
            first.clone().with(path, value),
            second(1)
        ));
        let plan = env.run(&["plan", "-no-color"]);
        let words = plan.words();
        assert!(has_warning(&words, OTHER_LINKS_INTERRUPTED), "{words}");
        assert!(words.contains("link \"second\""), "{words}");
    }
    env.write(&format!("{first}\n{}", second(1)));
    env.destroy();
}

/// A link whose gateway was deleted by its owner moves to another one as a replacement: the plan
/// announces the deletions, and the former gateway can be used by others in the same slot.
#[test]
fn redirect_from_deleted_gateway_is_replacement() {
    let Some(env) = TestEnv::new() else { return };
    let owner = |label: &str, number: u8| {
        Link::complete(label)
            .with(
                "azure.virtual_network",
                &format!(
                    "{{ name = \"VNet1\", address_space = [\"10.{number}.0.0/16\"], gateway_subnet_prefix = \"10.{number}.255.0/27\" }}"
                ),
            )
            .with("aws.vpc", &format!("{{ cidr_block = \"10.{}.0.0/16\" }}", number + 1))
    };
    let (first, other) = (owner("first", 20), owner("other", 30));
    let owners = format!("{first}\n{other}");
    env.write(&owners);
    env.apply();
    let gateway = |label: &str| text(&env.link(label)["azure"]["gateway_id"]).to_owned();
    let gateways = ["first", "other"].map(gateway);
    let guest = |gateway: &str| second(1).with("azure.gateway_id", &format!("{gateway:?}"));
    env.write(&format!("{owners}\n{}", guest(&gateways[0])));
    env.apply();
    let cloud_admin = env.cloud_admin();
    for connection in env.world().of_kind("connections") {
        if connection.id.contains("/resourceGroups/first/") {
            cloud_admin.delete_azure_connection(&connection.id, &gateways[0]);
        }
    }
    cloud_admin.delete_azure_gateway(&gateways[0]);
    let alone = "-target=awsazure_bgp_vpn.second";
    env.write(&format!("{owners}\n{}", guest(&gateways[1])));
    let plan = env.run(&["plan", "-no-color", alone]).words();
    assert!(plan.contains("must be replaced"), "{plan}");
    assert!(plan.contains(OBJECTS_DELETED), "{plan}");
    let run = env.run(&["apply", "-auto-approve", "-no-color", alone]);
    assert!(run.succeeded(), "{}", run.text());
    let id = text(&env.link("second")["id"]).to_lowercase();
    assert!(id.starts_with(&gateways[1].to_lowercase()), "{id}");
}
