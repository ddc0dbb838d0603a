//! What cannot work is refused at plan: at its attribute, with a way out, and before anything is made.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use serde_json::Value;
use std::collections::BTreeMap;
use support::{Hands, Link, TestEnv};

/// One thing that terraform had to say.
#[derive(Clone, Debug)]
struct Said {
    severity: String,
    summary: String,
    detail: String,
    /// The line of configuration that it points at.
    line: String,
}

/// All that `terraform COMMAND -json` says of each resource.
fn said(env: &TestEnv, command: &[&str]) -> BTreeMap<String, Vec<Said>> {
    let run = env.run(&[command, &["-json"]].concat());
    let mut all: BTreeMap<String, Vec<Said>> = BTreeMap::new();
    for line in run.stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let told = &line["diagnostic"];
        let text = |value: &Value| value.as_str().unwrap_or_default().trim().to_owned();
        if told.is_object() {
            let of = text(&told["address"]).replace("awsazure_bgp_vpn.", "");
            all.entry(of).or_default().push(Said {
                severity: text(&told["severity"]),
                summary: text(&told["summary"]),
                detail: text(&told["detail"]),
                line: text(&told["snippet"]["code"]),
            });
        }
    }
    all
}

/// A configuration with one thing wrong, the summary and a part of the detail of what has to be said about it.
struct Case {
    link: Link,
    label: String,
    summary: &'static str,
    way_out: &'static str,
    line: &'static str,
}

struct Cases(Vec<Case>);

impl Cases {
    /// `line` is the beginning of the line of configuration that the message must point at.
    fn add(
        &mut self,
        summary: &'static str,
        way_out: &'static str,
        line: &'static str,
        link: impl FnOnce(&str) -> Link,
    ) {
        let label = format!("case{}", self.0.len());
        self.0.push(Case { link: link(&label), label, summary, way_out, line });
    }

    fn check(&self, env: &TestEnv) {
        let before = env.world();
        env.write(&self.0.iter().map(|case| case.link.to_string()).collect::<String>());
        let told = said(env, &["plan"]);
        let mut wrong = Vec::new();
        for case in &self.0 {
            let found = told.get(&case.label).cloned().unwrap_or_default();
            let fits = |said: &&Said| said.summary == case.summary && said.detail.contains(case.way_out);
            match found.iter().filter(|said| said.severity == "error").find(fits) {
                Some(said) if said.line.starts_with(case.line) => {}
                _ => wrong.push(format!("{}\n{}: {} ... {found:#?}", case.link, case.summary, case.way_out)),
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
        assert_eq!(env.world(), before, "something was made");
    }
}

#[test]
fn what_a_configuration_alone_shows_to_be_wrong_is_refused() {
    let Some(env) = TestEnv::new() else { return };
    let mut cases = Cases(Vec::new());
    let cidr = "{ instance0_tunnel1 = \"CIDR\" }";
    let mut inside = |way_out: &'static str, text: &str| {
        let value = cidr.replace("CIDR", text);
        cases.add("Wrong inside CIDR", way_out, "inside_cidrs = ", |label| {
            Link::whole(label).with("inside_cidrs", &value)
        });
    };
    inside("/30", "169.254.21.0/29");
    inside("169.254.21.0/30", "169.254.21.2/30");
    inside("169.254.2", "169.254.30.0/30");
    inside("169.254.2", "169.254.169.252/30");
    inside("instance1_tunnel1", "169.254.21.4/30");
    let mut one = |summary, way_out, path: &'static str, value: &str| {
        let line = if path.starts_with("azure.") { "azure = {" } else { "aws = {" };
        let line = if path.contains('.') { line } else { path };
        cases.add(summary, way_out, line, |label| Link::whole(label).with(path, value));
    };
    one("Number out of range", "31", "slot", "32");
    one("SKU that cannot be created", "VpnGw2AZ", "azure.sku", "\"VpnGw2\"");
    one("SKU that cannot be created", "VpnGw2AZ", "azure.sku", "\"Basic\"");
    one("Nobody starts the tunnels", "startup_action = \"start\"", "aws.startup_action", "\"add\"");
    one("Wrong ASN", "give one of them another number", "aws.asn", "65000");
    one("Wrong ASN", "Use a private one", "azure.asn", "23456");
    one("Wrong ASN", "Use 64512 to 65534", "aws.asn", "7224");
    one("Something is missing", "Set", "azure.virtual_network", "null");
    one("Something is missing", "Set", "aws.vpc", "null");
    one("Name that Azure refuses", "", "name", "\"-prod-\"");
    cases.add("Generation that the SKU lacks", "Leave generation out", "azure = {", |label| {
        Link::whole(label).with("azure.sku", "\"VpnGw1AZ\"").with("azure.generation", "\"Generation2\"")
    });
    cases.add("Address ranges overlap", "allow_overlapping_prefixes", "aws = {", |label| {
        Link::whole(label).with("aws.vpc", "{ cidr_block = \"10.1.128.0/17\" }")
    });
    cases.add("Wrong gateway subnet", "at least /29", "azure = {", |label| {
        Link::whole(label).with(
            "azure.virtual_network",
            "{ name = \"v\", address_space = [\"10.1.0.0/16\"], gateway_subnet_prefix = \"10.1.255.0/30\" }",
        )
    });
    cases.add("Wrong gateway subnet", "Use gateway_subnet_prefix", "azure = {", |label| {
        Link::whole(label).with(
            "azure.virtual_network",
            "{ name = \"v\", address_space = [\"10.1.0.0/16\"], gateway_subnet_prefix = \"10.1.255.0/27\", subnets = { gatewaysubnet = \"10.1.3.0/24\" } }",
        )
    });
    cases.add("Two attributes disagree", "Keep one", "azure = {", |label| {
        let other = "/subscriptions/00000000-0000-4000-a000-00000000a2e0/resourceGroups/x/providers/Microsoft.Network/virtualNetworks/other";
        Link::whole(label).with("azure.virtual_network_id", &format!("{other:?}"))
    });
    cases.check(&env);

    let legal = Link::whole("legal").with("azure.asn", "65515");
    env.write(&legal.to_string());
    assert_eq!(env.plan().change(&legal.address()).actions, ["create"]);
}

/// Networks of every sort that a link cannot stand in, and two that it can.
struct Ground {
    network: String,
    vpc: String,
    overlapping: String,
}

impl Ground {
    fn laid(hands: &Hands) -> Self {
        hands.make_group("net");
        let network = hands.make_network("net", "good", "10.1.0.0/16", &[("GatewaySubnet", "10.1.255.0/27")]);
        Ground { network, vpc: hands.make_vpc("10.2.0.0/16"), overlapping: hands.make_vpc("10.1.0.0/20") }
    }
}

#[test]
fn what_the_clouds_show_to_be_wrong_is_refused() {
    let Some(env) = TestEnv::new() else { return };
    let hands = env.hands();
    let ground = Ground::laid(&hands);
    let bare = hands.make_network("net", "bare", "10.3.0.0/16", &[("FrontEnd", "10.3.0.0/24")]);
    let misspelled = hands.make_network("net", "misspelled", "10.4.0.0/16", &[("gatewaySubnet", "10.4.0.0/27")]);
    let taken = hands.make_vpc("10.6.0.0/16");
    hands.make_vpn_gateway(&taken, 64512);
    let between = |label: &str, network: &str, vpc: &str| Link::between(label, "net", network, vpc);
    let mut cases = Cases(Vec::new());
    let nobody = ground.network.replace("/good", "/nobody");
    cases.add("Address ranges overlap", "allow_overlapping_prefixes = true", "aws = {", |label| {
        between(label, &ground.network, &ground.overlapping)
    });
    cases.add("VPC has a VPN gateway", "set vpn_gateway_id = \"vgw-", "aws = {", |l| {
        between(l, &ground.network, &taken)
    });
    cases.add("Gateway subnet missing", "Set gateway_subnet_prefix", "azure = {", |l| between(l, &bare, &ground.vpc));
    cases.add("Gateway subnet missing", "Rename it", "azure = {", |l| between(l, &misspelled, &ground.vpc));
    cases.add("Virtual network not found", "Correct the id", "azure = {", |l| between(l, &nobody, &ground.vpc));
    cases.add("VPC not found", "Correct the id or the region", "aws = {", |l| {
        between(l, &ground.network, "vpc-0123456789abcdef0")
    });
    cases.add("Resource group not found", "create_resource_group = true", "azure = {", |label| {
        Link::between(label, "nowhere", &ground.network, &ground.vpc)
    });
    cases.add("Virtual network exists", "virtual_network_id", "azure = {", |label| {
        Link::whole(label).without("azure.create_resource_group").with("azure.resource_group_name", "\"net\"").with(
            "azure.virtual_network",
            "{ name = \"good\", address_space = [\"10.1.0.0/16\"], gateway_subnet_prefix = \"10.1.255.0/27\" }",
        )
    });
    cases.check(&env);

    // A gateway that stands is named with the way to use it; one that is small is let be with a word.
    let standing = between("standing", &bare, &ground.vpc).with("azure.gateway_subnet_prefix", "\"10.3.255.0/28\"");
    env.write(&standing.to_string());
    let told = said(&env, &["apply", "-auto-approve"]);
    assert!(told["standing"].iter().any(|said| said.severity == "warning" && said.detail.contains("/27")), "{told:?}");
    let gateway = env.resource("awsazure_bgp_vpn", "standing")["azure"]["gateway_id"].as_str().unwrap().to_owned();
    assert!(env.plan_is_empty());
    let before = env.world();
    let second = between("second", &bare, &hands.make_vpc("10.9.0.0/16"));
    env.write(&format!("{standing}{second}"));
    let told = said(&env, &["plan"]);
    assert_eq!(told["second"][0].summary, "Virtual network has a VPN gateway");
    assert_eq!(
        told["second"][0].detail,
        format!(
            "The virtual network has a VPN gateway already, and Azure allows one only. To use it, set gateway_id = \"{gateway}\"."
        )
    );
    assert_eq!(env.world().azure, before.azure);
}

#[test]
fn what_plan_cannot_know_is_refused_by_apply_before_anything_is_made() {
    let Some(env) = TestEnv::new() else { return };
    let hands = env.hands();
    let ground = Ground::laid(&hands);
    let link =
        Link::between("link", "net", &ground.network, &ground.vpc).with("aws.vpc_id", "terraform_data.vpc.output");
    let of = |vpc: &str| format!("resource \"terraform_data\" \"vpc\" {{\n  input = {vpc:?}\n}}\n\n{link}");
    env.write(&of(&ground.overlapping));
    env.plan();
    let before = env.world();
    let run = env.apply_fails();
    assert!(run.words().contains("Address ranges overlap"), "{}", run.text());
    assert_eq!(env.world(), before);

    env.write(&of(&ground.vpc));
    env.apply();
    assert!(env.plan_is_empty());
    env.destroy();
    assert_eq!(env.world(), before, "all that was there before, and nothing else");
}
