//! Links that a person built by hand, untagged and freely named, taken into Terraform: what the
//! plan then shows, what an apply repairs and keeps, and what destroy deletes.

use awsazure::aws::model::{Phase, TunnelOptions};
use awsazure::azure::model::IpsecPolicy;
use awsazure::provider::summaries::UNABLE_TO_FIND_LINK;
use bgp_vpn::inside_cidr::InsideCidr;
use bgp_vpn::ipsec::Preset;
use bgp_vpn::summaries::CONFLICTING_USE_OF_GATEWAYS;
use bgp_vpn::tunnel::{PerTunnel, TunnelKey};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use test_support::terraform::{Groups, Link, Placeholder, TestEnv, Tunnels, slot};

const ADDRESS: &str = "awsazure_bgp_vpn.link";

/// A manually created link imports to an empty plan in every notation, and destroy deletes its
/// tunnels only.
#[test]
fn manual_link_plans_empty_and_destroy_keeps_gateways() {
    let Some(env) = TestEnv::new() else { return };
    let cloud_admin = env.cloud_admin();
    let groups = Groups {
        network: "Networks",
        addresses: "Addresses",
        gateway: "Gateways",
    };
    let ends = cloud_admin.make_ends(&groups, &[slot(0)], true);
    let how = Tunnels {
        odd: true,
        placeholder: Placeholder::Any,
        ..Tunnels::of_slot("Tunnels", "to aws", 0)
    };
    cloud_admin.make_tunnels(&ends, &how);
    let made = env.calls().len();

    let plain = ends.minimal("link", "Gateways");
    env.write(&plain.to_string());
    env.import(
        ADDRESS,
        &format!("{},{}", ends.gateway.to_lowercase(), ends.vgw),
    );
    assert!(env.plan_is_empty());
    assert_eq!(
        env.ok(&["plan", "-refresh=false", "-detailed-exitcode", "-no-color"])
            .code,
        Some(0)
    );
    let found = env.link("link");
    assert_eq!(
        (&found["name"], &found["slot"]),
        (&json!("VNet1GW"), &json!(0))
    );
    assert_eq!(found["manage_gateways"], false);
    let tunnel = &found["tunnels"]["instance1_tunnel2"];
    assert_eq!(tunnel["azure_bgp_ip"], "169.254.22.6");
    let connection = tunnel["azure_connection_id"].as_str().unwrap();
    assert!(
        connection
            .to_lowercase()
            .ends_with("to.aws.instance1_tunnel2"),
        "{connection}"
    );
    let kinds = |managed: &Value| {
        managed
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<BTreeSet<String>>()
    };
    let tunnel_ends = [
        "aws_customer_gateway",
        "aws_vpn_connection",
        "azure_connection",
        "azure_local_network_gateway",
    ];
    assert_eq!(
        kinds(&found["managed"]),
        tunnel_ends.map(str::to_owned).into()
    );

    let by_gateways = plain
        .clone()
        .without("azure.virtual_network_id")
        .without("aws.vpc_id")
        .with(
            "azure.gateway_id",
            &format!("{:?}", ends.gateway.to_uppercase()),
        )
        .with("aws.vpn_gateway_id", &format!("{:?}", ends.vgw));
    for link in [
        by_gateways.clone(),
        by_gateways.with(
            "azure.virtual_network_id",
            &format!("{:?}", ends.network.to_uppercase()),
        ),
        plain
            .clone()
            .with("azure.resource_group_name", "\"GATEWAYS\"")
            .with("slot", "0"),
        plain
            .clone()
            .with("aws.route_table_ids", &format!("[{:?}]", ends.table)),
    ] {
        env.write(&link.to_string());
        assert!(env.plan_is_empty(), "{link}");
    }

    // No configuration exists: Terraform generates it from the state.
    env.ok(&["state", "rm", ADDRESS]);
    env.write(&format!(
        "import {{\n  to = {ADDRESS}\n  id = \"{},169.254.21.0/30\"\n}}\n",
        ends.gateway
    ));
    let out = format!(
        "-generate-config-out={}",
        env.folder().join("generated.tf").display()
    );
    env.ok(&["plan", "-no-color", &out]);
    let plan = env.plan();
    assert_eq!(plan.change(ADDRESS).actions, ["no-op"], "{}", plan.text);
    assert!(plan.change(ADDRESS).importing);
    env.apply();
    env.write("");
    assert!(env.plan_is_empty());
    env.remove_file("generated.tf");
    assert_eq!(
        env.link("link"),
        found,
        "both ways of importing find the same"
    );

    // A new name renames nothing, and what carries no tag gets none.
    env.write(&plain.clone().with("name", "\"renamed\"").to_string());
    assert_eq!(env.plan().change(ADDRESS).actions, ["update"]);
    env.apply();
    assert!(env.plan_is_empty());
    assert_eq!(env.link("link")["azure"]["names"], found["azure"]["names"]);
    assert!(
        env.writes_since(made).is_empty(),
        "{:?}",
        env.writes_since(made)
    );

    env.destroy();
    let world = env.world();
    for kind in [
        "connections",
        "localNetworkGateways",
        "vpn-connection",
        "customer-gateway",
    ] {
        assert!(world.of_kind(kind).is_empty(), "{kind}");
    }
    assert_eq!(
        cloud_admin.listed_addresses(&ends.gateway).len(),
        4,
        "the gateway stays as it was"
    );
    assert_eq!(world.of_kind("vpn-gateway").len(), 1);
    let table = world
        .of_kind("route-table")
        .into_iter()
        .find(|table| table.id == ends.table)
        .unwrap();
    assert!(
        table.more["propagating"].to_string().contains(&ends.vgw),
        "as a user set it"
    );
    let operation = |call: &String| call.split(' ').next().unwrap_or_default().to_owned();
    let touched: BTreeSet<String> = env.writes_since(made).iter().map(operation).collect();
    assert_eq!(touched.len(), 4, "{touched:?}");
}

#[test]
fn destroy_claimed_gateways_unless_used_by_others() {
    let Some(env) = TestEnv::new() else { return };
    let cloud_admin = env.cloud_admin();
    let groups = Groups {
        network: "Networks",
        addresses: "Addresses",
        gateway: "Gateways",
    };
    let ends = cloud_admin.make_ends(&groups, &[slot(0), slot(1)], true);
    cloud_admin.make_tunnels(&ends, &Tunnels::of_slot("Gateways", "one", 0));
    cloud_admin.make_tunnels(&ends, &Tunnels::of_slot("Gateways", "two", 1));
    // Another user's office is attached to the VPN gateway too.
    let office = [28, 32].map(|last| TunnelOptions {
        inside_cidr: Some(format!("169.254.99.{last}/30").parse().unwrap()),
        ..TunnelOptions::default()
    });
    let office = cloud_admin.make_vpn(&ends.vgw, [198, 51, 100, 7].into(), &office);

    // Both ends alone name two links.
    let two = "awsazure_bgp_vpn.two";
    let (first, second) = (
        ends.minimal("link", "Gateways"),
        ends.minimal("two", "Gateways"),
    );
    env.write(&format!("{first}\n{second}"));
    let refused = env.run(&["import", "-no-color", ADDRESS, &ends.id()]);
    assert!(
        refused.words().contains("169.254.22.4/30"),
        "{}",
        refused.text()
    );
    env.import(
        ADDRESS,
        &format!("{},{},169.254.22.4/30", ends.gateway, ends.vgw),
    );
    env.import(two, &format!("{},169.254.21.8/30", ends.gateway));
    assert!(env.plan_is_empty());
    let (one, other) = (env.link("link"), env.link("two"));
    assert_eq!((&one["slot"], &other["slot"]), (&json!(0), &json!(1)));
    assert!(
        one["managed"]["aws_customer_gateway"].is_null(),
        "both links use them: {}",
        one["managed"]
    );
    assert_eq!(
        one["tunnels"]["instance0_tunnel1"]["aws_customer_gateway_id"],
        other["tunnels"]["instance0_tunnel1"]["aws_customer_gateway_id"]
    );

    let claims = |link: &Link| link.clone().with("manage_gateways", "true");
    env.write(&format!("{}\n{second}", claims(&first)));
    let said = env.plan_fails().words();
    assert!(
        said.contains(CONFLICTING_USE_OF_GATEWAYS)
            && said.contains(&office)
            && said.contains("two.instance0_tunnel1"),
        "{said}"
    );

    // The second link is deleted and the first stays complete; the office still conflicts.
    env.write(&first.to_string());
    env.apply();
    assert!(env.plan_is_empty());
    assert_eq!(cloud_admin.listed_addresses(&ends.gateway).len(), 8);
    env.write(&claims(&first).to_string());
    let said = env.plan_fails().words();
    assert!(
        said.contains(&office) && !said.contains("two.instance0"),
        "{said}"
    );
    cloud_admin.delete_vpn_connection(&office);

    let calls = env.calls().len();
    let plan = env.plan();
    let change = plan.change(ADDRESS);
    assert_eq!(change.actions, ["update"]);
    assert_eq!(
        (
            &change.before["manage_gateways"],
            &change.after["manage_gateways"]
        ),
        (&json!(false), &json!(true))
    );
    assert_eq!(change.after_unknown["managed"], true);
    let words = plan.text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains(&ends.vgw), "{}", plan.text);
    env.apply();
    assert!(env.plan_is_empty());
    let writes = env.writes_since(calls);
    assert!(
        !writes.is_empty()
            && !writes
                .iter()
                .any(|call| call.contains("onnection") || call.contains("Delete")),
        "{writes:?}"
    );
    let managed = env.link("link")["managed"].clone();
    assert_eq!(
        managed["azure_virtual_network_gateway"]
            .as_array()
            .unwrap()
            .len(),
        1,
        "{managed}"
    );
    assert_eq!(
        managed["azure_public_ip"].as_array().unwrap().len(),
        2,
        "{managed}"
    );
    assert_eq!(managed["aws_vpn_gateway"], json!([ends.vgw]));
    let named = claims(&first).with("azure.gateway_id", &format!("{:?}", ends.gateway));
    env.write(
        &named
            .with("aws.vpn_gateway_id", &format!("{:?}", ends.vgw))
            .to_string(),
    );
    assert!(env.plan_is_empty(), "naming them by id changes nothing");

    // Objects that are attached to the VPN gateway later keep it.
    let late = cloud_admin.make_vpn(&ends.vgw, [198, 51, 100, 8].into(), &Default::default());
    let before = env.world();
    let failed = env.run(&["destroy", "-auto-approve", "-no-color"]);
    assert!(
        !failed.succeeded() && failed.words().contains(&late),
        "{}",
        failed.text()
    );
    assert_eq!(
        env.world().azure,
        before.azure,
        "nothing is deleted before the check"
    );
    assert_eq!(
        env.world().of_kind("vpn-connection").len(),
        before.of_kind("vpn-connection").len()
    );
    cloud_admin.delete_vpn_connection(&late);
    env.fault("fail any call of DeletePublicIp: once refused");
    let failed = env.run(&["destroy", "-auto-approve", "-no-color"]);
    assert!(!failed.succeeded(), "{}", failed.text());
    // What that destroy left behind is still known to the next.
    assert!(
        env.has_none_of(&["virtualNetworkGateways"]),
        "{}",
        failed.text()
    );
    assert!(
        !env.has_none_of(&["publicIPAddresses"]),
        "{}",
        failed.text()
    );
    // The VPN gateway that the configuration names is deleted by now.
    env.write(&claims(&first).to_string());
    env.destroy();
    for kind in [
        "virtualNetworkGateways",
        "publicIPAddresses",
        "vpn-gateway",
        "connections",
        "vpn-connection",
    ] {
        assert!(env.has_none_of(&[kind]), "{kind}");
    }
    assert_eq!(env.world().of_kind("virtualNetworks").len(), 1);
    assert_eq!(env.world().of_kind("vpc").len(), 1);
}

#[test]
fn import_any_policy_and_addresses_to_empty_plan() {
    let Some(env) = TestEnv::new() else { return };
    let cloud_admin = env.cloud_admin();
    // Azure pinned by hand, AWS left at its defaults: no one policy says that.
    let custom = PerTunnel::from_fn(|key: TunnelKey| {
        let last = 4 * (2 * key.instance.index() + usize::from(key.number)) + 100;
        InsideCidr::parse(&format!("169.254.22.{last}/30")).unwrap()
    });
    let ends = cloud_admin.make_ends(
        &Groups::one("TestRG1"),
        &[slot(0), slot(7), custom.clone()],
        true,
    );
    let strong = Preset::Strong.policy();
    let pinned = strong.azure(false).unwrap();
    let mixed = Tunnels {
        azure_policy: Some(IpsecPolicy {
            sa_life_time_seconds: 3_600,
            ..pinned.clone()
        }),
        cidrs: custom,
        placeholder: Placeholder::Absent,
        ..Tunnels::of_slot("TestRG1", "mixed", 0)
    };
    cloud_admin.make_tunnels(&ends, &mixed);
    // The strong one, except for the lifetime of Azure, which is not compared.
    let same = Tunnels {
        azure_policy: Some(IpsecPolicy {
            sa_life_time_seconds: 14_400,
            ..pinned
        }),
        aws_policy: strong.aws(),
        ..Tunnels::of_slot("TestRG1", "same", 7)
    };
    cloud_admin.make_tunnels(&ends, &same);
    let two = Phase {
        encryption: vec!["AES256".into(), "AES128".into()],
        ..Phase::default()
    };
    let several = Tunnels {
        aws_policy: (two, Phase::default()),
        ..Tunnels::of_slot("TestRG1", "several", 0)
    };
    cloud_admin.make_tunnels(&ends, &several);

    let labels = ["mixed", "same", "several"];
    let config: Vec<String> = labels
        .iter()
        .map(|label| ends.minimal(label, "TestRG1").to_string())
        .collect();
    env.write(&config.join("\n"));
    for (label, cidr) in
        labels
            .iter()
            .zip(["169.254.22.104/30", "169.254.21.56/30", "169.254.21.0/30"])
    {
        env.import(
            &format!("awsazure_bgp_vpn.{label}"),
            &format!("{},{cidr}", ends.gateway),
        );
    }
    assert!(env.plan_is_empty());
    assert_eq!(env.link("same")["ipsec_policy"]["preset"], "strong");
    assert_eq!(env.link("same")["slot"], 7);
    for label in ["mixed", "several"] {
        assert_eq!(env.link(label)["ipsec_policy"]["preset"], Value::Null);
        assert_eq!(env.link(label)["ipsec_policy"]["dh_group"], Value::Null);
    }
    assert_eq!(env.link("mixed")["slot"], Value::Null);

    // An update of something else leaves such a policy alone; asked for, it changes.
    let quieter = ends
        .minimal("mixed", "TestRG1")
        .with("azure.dpd_timeout_seconds", "60");
    let calls = env.calls().len();
    env.write(&format!("{quieter}\n{}\n{}", config[1], config[2]));
    env.apply();
    assert!(env.plan_is_empty());
    let writes = env.writes_since(calls);
    let pinned = |id: &str| cloud_admin.policy_of(id).is_some();
    let connection =
        env.link("mixed")["tunnels"]["instance0_tunnel1"]["azure_connection_id"].clone();
    assert!(
        pinned(connection.as_str().unwrap()),
        "Azure's policy is as it was"
    );
    assert!(
        writes.len() == 4 && writes.iter().all(|call| call.contains("mixed")),
        "{writes:?}"
    );
    let strong = quieter.with("ipsec_policy", "{ preset = \"strong\" }");
    env.write(&format!("{strong}\n{}\n{}", config[1], config[2]));
    env.apply();
    assert!(env.plan_is_empty());
    assert_eq!(env.link("mixed")["ipsec_policy"]["dh_group"], 20);
    env.destroy();
    assert!(env.has_none_of(&["vpn-connection", "connections"]));
}

#[test]
fn import_of_unknown_ids_suggests_valid_ones() {
    let Some(env) = TestEnv::new() else { return };
    let cloud_admin = env.cloud_admin();
    let ends = cloud_admin.make_ends(&Groups::one("TestRG1"), &[slot(0)], true);
    env.write(&ends.minimal("link", "TestRG1").to_string());
    let refused = |id: &str| {
        let run = env.run(&["import", "-no-color", ADDRESS, id]);
        assert!(!run.succeeded(), "{id}");
        run.words()
    };
    let said = refused(&ends.id());
    assert!(
        said.contains(UNABLE_TO_FIND_LINK) && said.contains(&ends.addresses[1].to_string()),
        "{said}"
    );
    cloud_admin.make_tunnels(&ends, &Tunnels::of_slot("TestRG1", "t", 0));

    let said = refused(&format!("{}X,{}", ends.gateway, ends.vgw));
    assert!(
        said.contains(UNABLE_TO_FIND_LINK) && said.contains("VNet1GWX"),
        "{said}"
    );
    let said = refused(&format!("{},vgw-00000000000000001", ends.gateway));
    assert!(
        said.contains("vgw-00000000000000001") && said.contains("us-east-1"),
        "{said}"
    );
    assert!(said.contains("@<region>"), "{said}");
    let said = refused(&format!("{},{}@eu-west-1", ends.gateway, ends.vgw));
    assert!(
        said.contains(&ends.vgw) && said.contains("eu-west-1"),
        "{said}"
    );
    let other = cloud_admin.make_vpn_gateway(&cloud_admin.make_vpc("10.7.0.0/16"), 64_520);
    let said = refused(&format!("{},{other}", ends.gateway));
    assert!(said.contains(&other) && said.contains(&ends.vgw), "{said}");
    let said = refused(&format!("{},169.254.21.16/30", ends.gateway));
    assert!(
        said.contains("169.254.21.16/30") && said.contains("169.254.22.4/30"),
        "{said}"
    );
    let said = refused(&format!("{},{},169.254.21.16/30", ends.gateway, ends.vgw));
    assert!(said.contains("169.254.21.16/30"), "{said}");
}

#[test]
fn import_reports_gateway_without_bgp() {
    let Some(env) = TestEnv::new() else { return };
    let cloud_admin = env.cloud_admin();
    let ends = cloud_admin.make_ends(&Groups::one("TestRG1"), &[slot(0)], true);
    env.write(&ends.minimal("link", "TestRG1").to_string());
    cloud_admin.switch_bgp(&ends.gateway, false);
    let run = env.run(&["import", "-no-color", ADDRESS, &ends.id()]);
    assert!(!run.succeeded());
    let said = run.words();
    assert!(
        said.contains(UNABLE_TO_FIND_LINK) && said.contains("BGP"),
        "{said}"
    );
}
