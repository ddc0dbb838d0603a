//! The built provider against a sandbox that plays the metadata of a sovereign cloud.

use serde_json::{Value, json};
use std::process::Command;
use test_support::provider_program;
use test_support::terraform::{Clouds, Link, TestEnv};

const CLOUDS: [(&str, &str, &str, &str); 2] = [
    (
        "usgovernment",
        "usgovvirginia",
        "us-gov-west-1",
        "aws-us-gov",
    ),
    ("china", "chinanorth3", "cn-north-1", "aws-cn"),
];

/// Audience, regions, zones and versions of the API are the cloud's; log groups are in its partition.
#[test]
fn apply_link_in_sovereign_clouds() {
    for (azure_cloud, location, region, partition) in CLOUDS {
        let Some(env) = TestEnv::with(Clouds {
            azure_cloud,
            ..Clouds::default()
        }) else {
            return;
        };
        let group =
            |partition: &str| format!("arn:{partition}:logs:{region}:123456789012:log-group:vpn");
        let link = |group: String| {
            Link::complete("link")
                .with("azure.location", &format!("{location:?}"))
                .with("aws.region", &format!("{region:?}"))
                .with("aws.logs", &format!("{{ log_group_arn = {group:?} }}"))
        };
        env.write(&link(group("aws")).to_string());
        let refused = env.plan_fails().words();
        assert!(refused.contains("aws.logs.log_group_arn"), "{refused}");
        env.write(&link(group(partition)).to_string());
        env.apply();
        assert_eq!(env.link("link")["aws"]["region"], json!(region));
        assert!(env.plan_is_empty());
        env.destroy();
        assert!(env.world().is_empty());
    }
}

#[test]
fn permissions_name_arns_of_the_partition() {
    for (_, location, region, partition) in CLOUDS {
        let folder = tempfile::tempdir().unwrap();
        let link = Link::between("link", "group", "vnet", "vpc-1")
            .without("aws.vpc_id")
            .with("aws.vpn_gateway_id", "\"vgw-1\"")
            .with("azure.location", &format!("{location:?}"))
            .with("aws.region", &format!("{region:?}"));
        std::fs::write(folder.path().join("main.tf"), link.to_string()).unwrap();
        let output = Command::new(provider_program())
            .arg("permissions")
            .arg(folder.path())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let _: Value = serde_json::from_str(&text).unwrap();
        let arn = format!("arn:{partition}:ec2:{region}:*:vpn-gateway/vgw-1");
        assert!(text.contains(&arn), "{text}");
    }
}
