//! The tables are complete, and the documents have the right conditions.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::advice;
use super::features::Features;
use super::{Permissions, Phase, aws, azure, calls, of_features, required};
use crate::config::{Attr, Config, VpcConfig};
use serde_json::{Value, json};

fn everything() -> Features {
    Features {
        creates_group: true,
        creates_network: true,
        creates_gateway_subnet: true,
        creates_azure_gateway: true,
        uses_azure_gateway: true,
        reads_zones: true,
        creates_vpc: true,
        creates_public_subnet: true,
        uses_vpc: true,
        creates_vpn_gateway: true,
        uses_vpn_gateway: true,
        uses_transit_gateway: true,
        propagates_routes: true,
        writes_logs: true,
        claims_gateways: true,
        ..Features::default()
    }
}

fn statement<'a>(policy: &'a Value, sid: &str) -> &'a Value {
    let all = policy["Statement"].as_array().unwrap();
    all.iter().find(|one| one["Sid"] == sid).unwrap()
}

fn size(permissions: &Permissions) -> usize {
    permissions.aws_policy().to_string().len()
}

#[test]
fn every_call_has_a_row() {
    let all = everything();
    for call in calls::aws(&all, Phase::Apply)
        .iter()
        .chain(&calls::aws_status())
    {
        assert!(aws::knows(call), "{call}");
    }
    for call in calls::azure(&all, Phase::Apply)
        .iter()
        .chain(&calls::azure_status())
    {
        assert!(azure::knows(call), "{call}");
    }
}

/// A managed policy has at most 6,144 characters, spaces not counted.
#[test]
fn policy_of_everything_fits_into_a_managed_policy() {
    assert!(size(&of_features(&everything(), Phase::Apply)) <= 6144);
}

#[test]
fn plan_has_reads_only() {
    let plan = of_features(&everything(), Phase::Plan);
    for action in plan.aws_actions() {
        let reads = action.starts_with("ec2:Describe") || action.starts_with("servicequotas:Get");
        assert!(reads, "{action}");
    }
    for action in &plan.azure {
        let reads = action.ends_with("/read") || action.ends_with("sharedKey/action");
        assert!(reads, "{action}");
    }
}

#[test]
fn existing_objects_are_named_by_arn() {
    let config = Config {
        gateway_id: Attr::Known("/subscriptions/s1/resourceGroups/g/providers/Microsoft.Network/virtualNetworkGateways/w".into()),
        vpn_gateway_id: Attr::Known("vgw-1".into()),
        region: Attr::Known("us-gov-west-1".into()),
        ..Config::default()
    };
    let permissions = required(&config, Phase::Apply);
    let policy = permissions.aws_policy();
    let named = statement(&policy, "UseNamed")["Resource"]
        .as_array()
        .unwrap();
    assert!(named.contains(&json!(
        "arn:aws-us-gov:ec2:us-gov-west-1:*:vpn-gateway/vgw-1"
    )));
    assert!(!permissions.aws_actions().contains("ec2:CreateVpnGateway"));
    assert!(
        !permissions
            .azure
            .contains("Microsoft.Network/virtualNetworkGateways/delete")
    );
    let role = permissions.azure_role(Phase::Apply);
    assert_eq!(role["AssignableScopes"], json!(["/subscriptions/s1"]));
}

#[test]
fn arns_are_in_partition_of_region() {
    for (region, partition) in [
        ("eu-west-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("eusc-de-east-1", "aws-eusc"),
    ] {
        let config = Config {
            vpn_gateway_id: Attr::Known("vgw-1".into()),
            region: Attr::Known(region.into()),
            ..Config::default()
        };
        let policy = required(&config, Phase::Apply).aws_policy();
        let arn = format!("arn:{partition}:ec2:{region}:*:vpn-gateway/vgw-1");
        let named = &statement(&policy, "UseNamed")["Resource"];
        assert!(named.as_array().unwrap().contains(&json!(arn)), "{named}");
    }
}

/// Without a value, both variants are covered.
#[test]
fn unknown_values_get_both_variants() {
    let known = Config {
        create_group: Attr::Known(false),
        vpc: Attr::Known(VpcConfig::default()),
        ..Config::default()
    };
    let unknown = Config {
        create_group: Attr::Unknown,
        vpc: Attr::Unknown,
        logs: Attr::Unknown,
        ..Config::default()
    };
    let (known, unknown) = (
        required(&known, Phase::Apply),
        required(&unknown, Phase::Apply),
    );
    assert!(unknown.azure.is_superset(&known.azure));
    assert!(unknown.aws.is_superset(&known.aws));
    assert!(
        !known
            .azure
            .contains("Microsoft.Resources/subscriptions/resourceGroups/write")
    );
    assert!(
        unknown
            .azure
            .contains("Microsoft.Resources/subscriptions/resourceGroups/write")
    );
    assert!(!known.aws_actions().contains("ec2:CreateSubnet"));
    assert!(unknown.aws_actions().contains("ec2:CreateSubnet"));
    assert!(unknown.aws_actions().contains("logs:CreateLogDelivery"));
}

#[test]
fn own_objects_are_restricted_by_tag() {
    let policy = of_features(&everything(), Phase::Apply).aws_policy();
    assert_eq!(
        statement(&policy, "ChangeTagged")["Condition"],
        json!({"Null": {"aws:ResourceTag/awsazure:link": "false"}})
    );
    let on_create = &statement(&policy, "TagOnCreate")["Condition"];
    assert_eq!(
        on_create["Null"],
        json!({"aws:RequestTag/awsazure:link": "false"})
    );
    let creations = on_create["StringEquals"]["ec2:CreateAction"]
        .as_array()
        .unwrap();
    assert!(creations.contains(&json!("CreateVpnConnection")) && creations.len() == 7);
}

#[test]
fn advice_names_what_the_clouds_checked() {
    let message = "You are not authorized to perform this operation. User: arn:aws:iam::1:user/u is not authorized to perform: \
                   ec2:DeleteVpc on resource: arn:aws:ec2:eu-west-1:1:vpc/vpc-1 because no identity-based policy allows the \
                   ec2:DeleteVpc action. Encoded authorization failure message: x";
    let missing = advice::aws("ec2", "DeleteVpc", message);
    assert_eq!(
        (missing.action.as_str(), missing.scope.as_str()),
        ("ec2:DeleteVpc", "arn:aws:ec2:eu-west-1:1:vpc/vpc-1")
    );
    assert!(
        missing.addition.contains("aws:ResourceTag/awsazure:link"),
        "{missing}"
    );
    let bare = advice::aws(
        "ec2",
        "DescribeVpcs",
        "You are not authorized to perform this operation.",
    );
    assert_eq!(
        (bare.action.as_str(), bare.scope.as_str()),
        ("ec2:DescribeVpcs", "*")
    );
    let linked = "The client 'c' with object id 'o' has permission to perform action 'Microsoft.Network/virtualNetworkGateways/write' \
                  on scope '/g'; however, it does not have permission to perform action \
                  'Microsoft.Network/virtualNetworks/subnets/join/action' on the linked scope(s) '/s' or the linked scope(s) are invalid.";
    let missing = advice::azure(linked).unwrap();
    assert_eq!(
        (missing.action.as_str(), missing.scope.as_str()),
        (
            "Microsoft.Network/virtualNetworks/subnets/join/action",
            "/s"
        )
    );
    assert_eq!(
        advice::azure("Resource 'x' was disallowed by policy."),
        None
    );
}
