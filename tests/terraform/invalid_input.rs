//! What cannot work is refused at plan: at its attribute, with a way out, and before anything is
//! made.

use awsazure::provider::summaries::MISSING_AWS_REGION;
use bgp_vpn::summaries;
use serde_json::Value;
use std::collections::BTreeMap;
use test_support::terraform::{CloudAdmin, Link, TestEnv};

/// One thing that terraform had to say.
#[derive(Clone, Debug)]
struct Said {
    severity: String,
    summary: String,
    detail: String,
    /// The line of configuration that it points at; the resource's own where the attribute is
    /// nested.
    line: String,
}

/// All that `terraform COMMAND -json` says of each resource.
fn said(env: &TestEnv, command: &[&str]) -> BTreeMap<String, Vec<Said>> {
    let run = env.run(&[command, &["-json"]].concat());
    let mut all: BTreeMap<String, Vec<Said>> = BTreeMap::new();
    for line in run
        .stdout
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
    {
        let reported = &line["diagnostic"];
        let text = |value: &Value| value.as_str().unwrap_or_default().trim().to_owned();
        if reported.is_object() {
            let of = text(&reported["address"]).replace("awsazure_bgp_vpn.", "");
            all.entry(of).or_default().push(Said {
                severity: text(&reported["severity"]),
                summary: text(&reported["summary"]),
                detail: text(&reported["detail"]),
                line: text(&reported["snippet"]["code"]),
            });
        }
    }
    all
}

/// A configuration with one thing wrong, and what has to be said about it.
struct Case {
    link: Link,
    label: String,
    /// The attribute at which it has to be said.
    path: &'static str,
    summary: &'static str,
    /// A part of the detail.
    way_out: &'static str,
}

impl Case {
    fn is_told_by(&self, said: &Said) -> bool {
        let nested = self.path.contains('.');
        let pointed = if nested {
            format!("{}: ", self.path)
        } else {
            String::new()
        };
        let line = if nested { "resource " } else { self.path };
        said.severity == "error"
            && said.summary == self.summary
            && said.detail.starts_with(&pointed)
            && said.detail.contains(self.way_out)
            && said.line.starts_with(line)
    }
}

struct Cases(Vec<Case>);

impl Cases {
    fn add(
        &mut self,
        path: &'static str,
        summary: &'static str,
        way_out: &'static str,
        link: impl FnOnce(&str) -> Link,
    ) {
        let label = format!("case{}", self.0.len());
        self.0.push(Case {
            link: link(&label),
            label,
            path,
            summary,
            way_out,
        });
    }

    /// Plans all cases together, and again those of which nothing was said: Terraform plans none
    /// while one is not valid.
    fn check(&self, env: &TestEnv) {
        let before = env.world();
        let mut reported: BTreeMap<String, Vec<Said>> = BTreeMap::new();
        loop {
            let left = self
                .0
                .iter()
                .filter(|case| !reported.contains_key(&case.label));
            env.write(&left.map(|case| case.link.to_string()).collect::<String>());
            let mut more = said(env, &["plan"]);
            more.retain(|label, said| {
                label.starts_with("case") && said.iter().any(|said| said.severity == "error")
            });
            if more.is_empty() {
                break;
            }
            reported.append(&mut more);
        }
        let said_of = |case: &Case| reported.get(&case.label).cloned().unwrap_or_default();
        let wrong: Vec<String> = self
            .0
            .iter()
            .filter(|case| !said_of(case).iter().any(|said| case.is_told_by(said)))
            .map(|case| {
                format!(
                    "{}\n{}: {}: {}\n{:#?}",
                    case.link,
                    case.path,
                    case.summary,
                    case.way_out,
                    said_of(case)
                )
            })
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
        assert_eq!(env.world(), before, "something was made");
    }
}

#[test]
fn reject_invalid_configuration_offline() {
    let Some(env) = TestEnv::new() else { return };
    let mut cases = Cases(Vec::new());
    let mut inside = |way_out, text: &str| {
        let cidrs = format!("{{ instance0_tunnel1 = {text:?} }}");
        let path = "inside_cidrs.instance0_tunnel1";
        cases.add(path, summaries::INVALID_INSIDE_CIDR, way_out, |label| {
            Link::complete(label).with("inside_cidrs", &cidrs)
        });
    };
    inside("169.254.21.0/29", "169.254.21.0/29");
    inside("169.254.21.0/30", "169.254.21.2/30");
    inside("169.254.21.0-169.254.22.255", "169.254.30.0/30");
    inside("169.254.169.252/30", "169.254.169.252/30");
    let twice = summaries::CONFLICTING_INSIDE_CIDRS;
    cases.add(
        "inside_cidrs.instance1_tunnel1",
        twice,
        "instance0_tunnel1",
        |label| {
            Link::complete(label).with(
                "inside_cidrs",
                "{ instance0_tunnel1 = \"169.254.21.4/30\" }",
            )
        },
    );
    let mut one = |path, summary, way_out, value: &str| {
        cases.add(path, summary, way_out, |label| {
            Link::complete(label).with(path, value)
        });
    };
    one("slot", summaries::INVALID_NUMBER, "31", "32");
    one(
        "azure.sku",
        summaries::UNSUPPORTED_SKU,
        "VpnGw2AZ",
        "\"VpnGw2\"",
    );
    one(
        "azure.sku",
        summaries::UNSUPPORTED_SKU,
        "VpnGw2AZ",
        "\"Basic\"",
    );
    one(
        "aws.startup_action",
        summaries::MISSING_INITIATOR,
        "azure.connection_mode",
        "\"add\"",
    );
    one("aws.asn", summaries::CONFLICTING_ASNS, "azure.asn", "65000");
    one("azure.asn", summaries::INVALID_AZURE_ASN, "65515", "23456");
    one("aws.asn", summaries::INVALID_AWS_ASN, "64512-65514", "7224");
    one(
        "name",
        summaries::INVALID_AZURE_NAME,
        "-prod-",
        "\"-prod-\"",
    );
    one(
        "aws.preshared_key_storage",
        summaries::INVALID_VALUE,
        "SecretsManager",
        "\"secretsmanager\"",
    );
    let mut bad = |path, summary, way_out, key: &str, value: &str| {
        cases.add(path, summary, way_out, |label| {
            Link::complete(label).with(key, value)
        });
    };
    let missing = summaries::MISSING_REQUIRED_ARGUMENT;
    bad(
        "azure.virtual_network_id",
        missing,
        "azure.gateway_id",
        "azure.virtual_network",
        "null",
    );
    bad(
        "aws.vpc_id",
        missing,
        "aws.transit_gateway_id",
        "aws.vpc",
        "null",
    );
    let group = "arn:aws:logs:eu-west-1:123456789012:log-group:vpn";
    let streams = format!("{{ log_group_arn = \"{group}:*\" }}");
    let invalid = summaries::INVALID_LOG_GROUP;
    bad(
        "aws.logs.log_group_arn",
        invalid,
        ":*",
        "aws.logs",
        &streams,
    );
    bad(
        "aws.logs.bgp_log_group_arn",
        invalid,
        "arn:aws:logs:",
        "aws.logs",
        "{ bgp_log_group_arn = \"vpn\" }",
    );
    bad(
        "aws.logs.log_group_arn",
        invalid,
        "us-east-1",
        "aws.logs",
        &format!("{{ log_group_arn = \"{group}\" }}"),
    );
    let odd = format!("{{ log_group_arn = {group:?}, format = \"xml\" }}");
    bad(
        "aws.logs.format",
        summaries::INVALID_VALUE,
        "json",
        "aws.logs",
        &odd,
    );
    let alone = format!("{{ log_group_arn = {group:?}, bgp_format = \"json\" }}");
    bad(
        "aws.logs.bgp_format",
        summaries::MISSING_LOG_GROUP,
        "bgp_log_group_arn",
        "aws.logs",
        &alone,
    );
    let network = |subnet: &str, more: &str| {
        format!(
            "{{ name = \"v\", address_space = [\"10.1.0.0/16\"], gateway_subnet_prefix = {subnet:?}{more} }}"
        )
    };
    bad(
        "azure.virtual_network.gateway_subnet_prefix",
        summaries::INVALID_GATEWAY_SUBNET,
        "/29",
        "azure.virtual_network",
        &network("10.1.255.0/30", ""),
    );
    bad(
        "azure.virtual_network.subnets[\"gatewaysubnet\"]",
        summaries::INVALID_GATEWAY_SUBNET,
        "gateway_subnet_prefix",
        "azure.virtual_network",
        &network(
            "10.1.255.0/27",
            ", subnets = { gatewaysubnet = \"10.1.3.0/24\" }",
        ),
    );
    bad(
        "aws.vpc.cidr_block",
        summaries::CONFLICTING_ADDRESS_RANGES,
        "allow_overlapping_prefixes",
        "aws.vpc",
        "{ cidr_block = \"10.1.128.0/17\" }",
    );
    cases.add(
        "azure.generation",
        summaries::UNSUPPORTED_GENERATION,
        "Generation1",
        |label| {
            Link::complete(label)
                .with("azure.sku", "\"VpnGw1AZ\"")
                .with("azure.generation", "\"Generation2\"")
        },
    );
    cases.add("azure.virtual_network_id", summaries::CONFLICTING_ATTRIBUTES, "virtualNetworks/other", |label| {
        let other = "/subscriptions/00000000-0000-4000-a000-00000000a2e0/resourceGroups/x/providers/Microsoft.Network/virtualNetworks/other";
        Link::complete(label).with("azure.virtual_network_id", &format!("{other:?}"))
    });
    cases.check(&env);

    let legal = Link::complete("legal").with("azure.asn", "65515");
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
    fn laid(cloud_admin: &CloudAdmin) -> Self {
        cloud_admin.make_group("net");
        let network = cloud_admin.make_network(
            "net",
            "good",
            "10.1.0.0/16",
            &[("GatewaySubnet", "10.1.255.0/27")],
        );
        Ground {
            network,
            vpc: cloud_admin.make_vpc("10.2.0.0/16"),
            overlapping: cloud_admin.make_vpc("10.1.0.0/20"),
        }
    }
}

#[test]
fn reject_configuration_that_conflicts_with_clouds() {
    let Some(env) = TestEnv::new() else { return };
    let cloud_admin = env.cloud_admin();
    let ground = Ground::laid(&cloud_admin);
    let bare =
        cloud_admin.make_network("net", "bare", "10.3.0.0/16", &[("FrontEnd", "10.3.0.0/24")]);
    let misspelled = cloud_admin.make_network(
        "net",
        "misspelled",
        "10.4.0.0/16",
        &[("gatewaySubnet", "10.4.0.0/27")],
    );
    let taken = cloud_admin.make_vpc("10.6.0.0/16");
    cloud_admin.make_vpn_gateway(&taken, 64512);
    let between = |label: &str, network: &str, vpc: &str| Link::between(label, "net", network, vpc);
    let mut cases = Cases(Vec::new());
    let absent = ground.network.replace("/good", "/absent");
    let mut pair = |path, summary, way_out, group: &str, network: &str, vpc: &str| {
        cases.add(path, summary, way_out, |label| {
            Link::between(label, group, network, vpc)
        });
    };
    let (good, vpc) = (ground.network.as_str(), ground.vpc.as_str());
    let overlap = "allow_overlapping_prefixes";
    pair(
        "aws.vpc_id",
        summaries::CONFLICTING_ADDRESS_RANGES,
        overlap,
        "net",
        good,
        &ground.overlapping,
    );
    pair(
        "aws.vpn_gateway_id",
        summaries::CONFLICTING_VPN_GATEWAY,
        "vgw-",
        "net",
        good,
        &taken,
    );
    pair(
        "aws.vpc_id",
        summaries::MISSING_VPC,
        "vpc-0123456789abcdef0",
        "net",
        good,
        "vpc-0123456789abcdef0",
    );
    cases.add(
        "aws.route_table_ids",
        summaries::INVALID_ROUTE_TABLE,
        "rtb-0123456789abcdef0",
        |label| {
            Link::between(label, "net", good, vpc)
                .with("aws.route_table_ids", "[\"rtb-0123456789abcdef0\"]")
        },
    );
    let mut pair = |path, summary, way_out, group: &str, network: &str, vpc: &str| {
        cases.add(path, summary, way_out, |label| {
            Link::between(label, group, network, vpc)
        });
    };
    pair(
        "azure.gateway_subnet_prefix",
        summaries::MISSING_GATEWAY_SUBNET,
        "/27",
        "net",
        &bare,
        vpc,
    );
    pair(
        "azure.virtual_network_id",
        summaries::INVALID_GATEWAY_SUBNET,
        "gatewaySubnet",
        "net",
        &misspelled,
        vpc,
    );
    pair(
        "azure.virtual_network_id",
        summaries::MISSING_VIRTUAL_NETWORK,
        "/absent",
        "net",
        &absent,
        vpc,
    );
    let create = "azure.create_resource_group";
    pair(
        "azure.resource_group_name",
        summaries::MISSING_RESOURCE_GROUP,
        create,
        "nowhere",
        good,
        vpc,
    );
    cases.add("azure.virtual_network", summaries::CONFLICTING_VIRTUAL_NETWORK, "virtual_network_id", |label| {
        Link::complete(label).without("azure.create_resource_group").with("azure.resource_group_name", "\"net\"").with(
            "azure.virtual_network",
            "{ name = \"good\", address_space = [\"10.1.0.0/16\"], gateway_subnet_prefix = \"10.1.255.0/27\" }",
        )
    });
    cases.check(&env);

    // A gateway that stands is named with the way to use it; one that is small is let be with a
    // word.
    let standing = between("standing", &bare, &ground.vpc)
        .with("azure.gateway_subnet_prefix", "\"10.3.255.0/28\"");
    env.write(&standing.to_string());
    let reported = said(&env, &["apply", "-auto-approve"]);
    assert!(
        reported["standing"]
            .iter()
            .any(|said| said.severity == "warning" && said.detail.contains("/27")),
        "{reported:?}"
    );
    let gateway = env.resource("awsazure_bgp_vpn", "standing")["azure"]["gateway_id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(env.plan_is_empty());
    let before = env.world();
    let third = cloud_admin.make_vpc("10.9.0.0/16");
    let second = between("second", &bare, &third);
    let another = between("another", &bare, &third).with("slot", "1");
    env.write(&format!("{standing}{second}{another}"));
    let reported = said(&env, &["plan"]);
    let refused = |label: &str| {
        reported[label]
            .iter()
            .find(|said| said.severity == "error")
            .unwrap()
            .detail
            .clone()
    };
    let another = refused("another");
    assert!(
        another.starts_with("azure.gateway_id: ") && another.contains(&format!("{gateway:?}")),
        "{another}"
    );
    // It excludes each of the two others. In which order its errors name them depends on the order
    // of the plans.
    let second = reported["second"]
        .iter()
        .filter(|said| said.severity == "error");
    let of_slot = second
        .clone()
        .filter(|said| said.summary == summaries::CONFLICTING_SLOT);
    assert_eq!(
        of_slot.count(),
        1,
        "a slot in use is one error: {reported:?}"
    );
    assert!(second.clone().count() > 0, "{reported:?}");
    assert!(
        second
            .clone()
            .all(|said| said.detail.contains("slot") || said.detail.contains("gateway_id")),
        "{reported:?}"
    );
    assert_eq!(env.world().azure, before.azure);
}

/// What plan cannot know is rejected by apply before any object is created.
#[test]
fn apply_rejects_unplannable_errors_before_create() {
    let Some(env) = TestEnv::new() else { return };
    let cloud_admin = env.cloud_admin();
    let ground = Ground::laid(&cloud_admin);
    let link = Link::between("link", "net", &ground.network, &ground.vpc)
        .with("aws.vpc_id", "terraform_data.vpc.output");
    let of = |vpc: &str| {
        format!("resource \"terraform_data\" \"vpc\" {{\n  input = {vpc:?}\n}}\n\n{link}")
    };
    env.write(&of(&ground.overlapping));
    env.plan();
    let before = env.world();
    let run = env.apply_fails();
    assert!(
        run.words().contains(summaries::CONFLICTING_ADDRESS_RANGES),
        "{}",
        run.text()
    );
    assert_eq!(env.world(), before);

    env.write(&of(&ground.vpc));
    env.apply();
    assert!(env.plan_is_empty());
    env.destroy();
    assert_eq!(
        env.world(),
        before,
        "all that was there before, and nothing else"
    );
}

/// A missing AWS region is an error of the plan. The region of a profile counts.
#[test]
fn region_comes_from_environment_or_profile() {
    let Some(mut env) = TestEnv::new() else {
        return;
    };
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        env.set(name, "");
    }
    env.write(&Link::complete("link").to_string());
    let run = env.plan_fails();
    assert!(run.text().contains(MISSING_AWS_REGION), "{}", run.text());

    env.write_file("aws-config", "[default]\nregion = eu-west-1\n");
    let file = env.folder().join("aws-config");
    env.set("AWS_CONFIG_FILE", file.to_str().unwrap());
    let planned = env.plan().change("awsazure_bgp_vpn.link");
    assert_eq!(planned.after["aws"]["region"], "eu-west-1");
}
