//! Links whose AWS end is a transit gateway: made, moved there and back, imported, and refused
//! where they cannot be.

use awsazure::provider::summaries::OBJECTS_DELETED;
use bgp_vpn::summaries::{
    CONFLICTING_ASNS, CONFLICTING_ATTRIBUTES, CONFLICTING_GATEWAY_SETTING, INVALID_ID,
    INVALID_VALUE, MANUAL_TRANSIT_ROUTING, MISSING_TRANSIT_GATEWAY, MISSING_TRANSIT_GATEWAY_ID,
    NO_ECMP,
};
use serde_json::Value;
use test_support::terraform::{Link, Scenario, TestEnv, has_warning};

const ADDRESS: &str = "awsazure_bgp_vpn.link";

const STATUS: &str = r#"
data "awsazure_bgp_vpn_status" "link" {
  azure_gateway_id = awsazure_bgp_vpn.link.azure.gateway_id
  aws_gateway_id   = awsazure_bgp_vpn.link.aws.transit_gateway_id
}
output "report" { value = [for tunnel in data.awsazure_bgp_vpn_status.link.tunnels : tunnel.diagnosis] }
output "tunnels_up" { value = data.awsazure_bgp_vpn_status.link.tunnels_up }
"#;

fn on(transit: &str) -> Link {
    Link::complete("link")
        .without("aws.vpc")
        .with("aws.transit_gateway_id", &format!("{transit:?}"))
}

fn ends(env: &TestEnv) -> [usize; 5] {
    let world = env.world();
    [
        "vpc",
        "vpn-gateway",
        "transit-gateway",
        "customer-gateway",
        "vpn-connection",
    ]
    .map(|kind| world.of_kind(kind).len())
}

/// The transit gateway itself is kept.
#[test]
fn create_import_and_destroy_on_transit_gateway() {
    let Some(mut env) = TestEnv::new() else {
        return;
    };
    let transit = env
        .cloud_admin()
        .make_transit_gateway("Options.AmazonSideAsn=64600");
    env.set("TF_VAR_transit_gateway_id", &transit);
    env.write_example("transit-gateway");
    let planned = env.plan().change(ADDRESS);
    assert_eq!(
        planned.after["aws"]["asn"], 64_600,
        "read from the transit gateway at plan"
    );
    assert_eq!(planned.after["aws"]["vpc_id"], Value::Null);
    env.apply();
    assert!(env.plan_is_empty());
    assert_eq!(
        env.ok(&["plan", "-detailed-exitcode", "-refresh=false"])
            .code,
        Some(0)
    );
    assert_eq!(ends(&env), [0, 0, 1, 2, 2]);
    let made = env.link("link");
    assert_eq!(
        (
            &made["aws"]["transit_gateway_id"],
            &made["aws"]["vpn_gateway_id"]
        ),
        (&transit.as_str().into(), &Value::Null)
    );

    env.write_file("status.tf", STATUS);
    env.apply();
    let why = env.output("report");
    assert_eq!(env.output("tunnels_up"), 4, "{why}");
    let has_no_vpc = |why: &Value| why.as_str().unwrap().contains("VPC");
    assert!(why.as_array().unwrap().iter().all(has_no_vpc), "{why}");

    let gateway = made["azure"]["gateway_id"].as_str().unwrap().to_owned();
    for id in [
        made["id"].as_str().unwrap().to_owned(),
        format!("{gateway},{transit}"),
    ] {
        env.ok(&["state", "rm", ADDRESS]);
        env.import(ADDRESS, &id);
        assert_eq!(env.link("link")["aws"], made["aws"], "by {id}");
        assert!(env.plan_is_empty());
    }

    env.destroy();
    assert_eq!(ends(&env), [0, 0, 1, 0, 0]);
    assert!(env.world().azure.is_empty());
}

#[test]
fn move_from_vpc_to_transit_gateway_and_back() {
    let Some(scenario) = Scenario::apply() else {
        return;
    };
    let (env, link) = (&scenario.env, scenario.link.clone());
    let transit = env
        .cloud_admin()
        .make_transit_gateway("Options.AmazonSideAsn=64600");
    let azure = scenario.state()["azure"]["gateway_id"].clone();
    // Acceleration cannot be changed: both are recreated. Bandwidth is not.
    let accelerated = on(&transit).with("aws.enable_acceleration", "true");
    let large = accelerated
        .clone()
        .with("aws.tunnel_bandwidth", "\"large\"");
    let recreated = awsazure::provider::summaries::AWS_SIDE_RECREATED;
    for (link, warning, asn, there) in [
        (on(&transit), recreated, 64_600, [0, 0, 1, 2, 2]),
        (
            accelerated,
            awsazure::provider::summaries::TUNNELS_INTERRUPTED,
            64_600,
            [0, 0, 1, 2, 2],
        ),
        (
            large.clone(),
            awsazure::provider::summaries::TUNNELS_INTERRUPTED,
            64_600,
            [0, 0, 1, 2, 2],
        ),
        (
            link.clone().with("aws.asn", "64512"),
            recreated,
            64_512,
            [1, 1, 1, 2, 2],
        ),
    ] {
        let connection =
            || scenario.state()["tunnels"]["instance0_tunnel1"]["aws_vpn_connection_id"].clone();
        let before = connection();
        env.write(&link.to_string());
        let plan = env.plan();
        assert_eq!(plan.change(ADDRESS).actions, ["update"], "{}", plan.text);
        assert!(has_warning(&plan.text, warning), "{}", plan.text);
        env.apply();
        assert!(env.plan_is_empty(), "{link}");
        assert_eq!(ends(env), there, "{link}");
        assert_eq!(
            connection() == before,
            link.to_string() == large.to_string(),
            "{link}"
        );
        assert_eq!(
            (
                &scenario.state()["aws"]["asn"],
                &scenario.state()["azure"]["gateway_id"]
            ),
            (&asn.into(), &azure)
        );
    }
    env.destroy();
    assert_eq!(ends(env), [0, 0, 1, 0, 0]);
}

#[test]
fn keep_vpc_on_move_to_transit_gateway_until_removed() {
    let Some(scenario) = Scenario::apply() else {
        return;
    };
    let (env, link) = (&scenario.env, scenario.link.clone());
    let transit = env
        .cloud_admin()
        .make_transit_gateway("Options.AmazonSideAsn=64600");
    let vpc = || scenario.state()["aws"]["vpc_id"].clone();
    let (first, connection) = (vpc(), || {
        scenario.state()["tunnels"]["instance0_tunnel1"]["aws_vpn_connection_id"].clone()
    });
    let both = link
        .clone()
        .with("aws.transit_gateway_id", &format!("{transit:?}"));
    let redrawn = both
        .clone()
        .with("aws.vpc", "{ cidr_block = \"10.9.0.0/16\" }");
    let steps = [
        (&both, [1, 0, 1, 2, 2], true, true),
        (&redrawn, [1, 0, 1, 2, 2], false, false),
        (&on(&transit), [0, 0, 1, 2, 2], false, false),
        (&both, [1, 0, 1, 2, 2], false, false),
    ];
    for (link, there, same_vpc, other_connections) in steps {
        let (before, deleted) = (connection(), vpc());
        env.write(&link.to_string());
        let plan = env.plan();
        assert_eq!(plan.change(ADDRESS).actions, ["update"], "{}", plan.text);
        let announces = has_warning(&plan.text, OBJECTS_DELETED);
        let gone = !same_vpc && deleted.is_string();
        assert_eq!(announces, gone || other_connections, "{}", plan.text);
        let named = deleted
            .as_str()
            .is_some_and(|id| plan.text.contains(&format!("aws_vpc: {id}")));
        assert_eq!(named, gone, "{}", plan.text);
        env.apply();
        assert!(env.plan_is_empty(), "{link}");
        assert_eq!(ends(env), there, "{link}");
        assert_eq!(
            (vpc() == first, connection() != before),
            (same_vpc, other_connections),
            "{link}"
        );
    }
    // Back to a VPN gateway in the VPC that is there.
    let vpc_before = vpc();
    env.write(&link.to_string());
    env.apply();
    assert!(env.plan_is_empty());
    assert_eq!(vpc(), vpc_before);
    env.destroy();
    assert_eq!(ends(env), [0, 0, 1, 0, 0]);
}

#[test]
fn plan_rejects_unsuitable_transit_gateway() {
    let Some(env) = TestEnv::new() else { return };
    let refused = |link: Link, summary: &str, detail: &str| {
        env.write(&link.to_string());
        let run = env.run(&["plan", "-no-color"]);
        let words = run.words();
        assert!(
            !run.succeeded() && words.contains(summary) && words.contains(detail),
            "{words}"
        );
    };
    let transit = env
        .cloud_admin()
        .make_transit_gateway("Options.AmazonSideAsn=64600");
    refused(
        on("tgw-0123456789abcdef0"),
        MISSING_TRANSIT_GATEWAY,
        "tgw-0123456789abcdef0",
    );
    refused(on("vgw-1"), INVALID_ID, "aws.transit_gateway_id");
    refused(
        on(&transit).with("aws.asn", "64999"),
        CONFLICTING_GATEWAY_SETTING,
        "64600",
    );
    refused(
        on(&transit).with("aws.vpc_id", "\"vpc-1\""),
        CONFLICTING_ATTRIBUTES,
        "aws.vpc_id",
    );
    let complete = Link::complete("link");
    let accelerated = complete.clone().with("aws.enable_acceleration", "true");
    refused(
        accelerated,
        MISSING_TRANSIT_GATEWAY_ID,
        "aws.enable_acceleration",
    );
    let large = complete.with("aws.tunnel_bandwidth", "\"large\"");
    refused(large, MISSING_TRANSIT_GATEWAY_ID, "aws.tunnel_bandwidth");
    refused(
        on(&transit).with("aws.tunnel_bandwidth", "\"huge\""),
        INVALID_VALUE,
        "standard, large",
    );
    refused(
        on(&transit).with("azure.asn", "64600"),
        CONFLICTING_ASNS,
        "64600",
    );

    let by_hand = env.cloud_admin().make_transit_gateway(
        "Options.AmazonSideAsn=64601&Options.DefaultRouteTableAssociation=disable&Options.VpnEcmpSupport=disable",
    );
    env.write(&on(&by_hand).to_string());
    let said = env.plan().text;
    assert!(
        has_warning(&said, MANUAL_TRANSIT_ROUTING) && has_warning(&said, NO_ECMP),
        "{said}"
    );
}
