//! Documents and what they permit.
#![allow(clippy::unwrap_used)]

use super::pattern::matches;
use super::{AccessRequest, DocumentError, Policy, Role};

fn request(action: &str, resource: &str, tags: &[(&str, &str)]) -> AccessRequest {
    let mut request = AccessRequest::new(action, resource.to_owned());
    for (key, value) in tags {
        request.add(key, value);
    }
    request
}

#[test]
fn match_wildcards_at_every_place() {
    for (pattern, text, fits) in [
        ("*", "", true),
        ("ec2:Describe*", "ec2:DescribeVpcs", true),
        ("ec2:Describe*", "ec2:CreateVpc", false),
        (
            "arn:aws:ec2:*:*:vpc/*",
            "arn:aws:ec2:eu-west-1:1:vpc/vpc-1",
            true,
        ),
        (
            "arn:aws:ec2:*:*:vpc/*",
            "arn:aws:ec2:eu-west-1:1:subnet/s-1",
            false,
        ),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("*b*b", "abab", true),
        ("*b*c", "abab", false),
    ] {
        assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
    }
}

/// Only with the tag, only on that resource type, and never where a statement denies it.
#[test]
fn allow_by_action_resource_and_condition() {
    let policy = Policy::parse(
        r#"{"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "ec2:DeleteVpc", "Resource": "arn:aws:ec2:*:*:vpc/*",
             "Condition": {"Null": {"aws:ResourceTag/awsazure:link": "false"}}},
            {"Effect": "Allow", "Action": ["ec2:CreateTags"], "Resource": "*",
             "Condition": {"StringEquals": {"ec2:CreateAction": ["CreateVpc", "CreateSubnet"]}}},
            {"Effect": "Deny", "Action": "ec2:DeleteVpc", "Resource": "arn:aws:ec2:*:*:vpc/vpc-9"}]}"#,
    )
    .unwrap();
    let tag = [("aws:ResourceTag/awsazure:link", "1")];
    let vpc = "arn:aws:ec2:eu-west-1:1:vpc/vpc-1";
    assert!(policy.allows(&request("ec2:deletevpc", vpc, &tag)));
    assert!(!policy.allows(&request("ec2:DeleteVpc", vpc, &[])));
    assert!(!policy.allows(&request(
        "ec2:DeleteVpc",
        "arn:aws:ec2:eu-west-1:1:vpc/vpc-9",
        &tag
    )));
    assert!(!policy.allows(&request("ec2:DeleteSubnet", vpc, &tag)));
    let missing = AccessRequest {
        is_missing: true,
        ..request("ec2:DeleteVpc", vpc, &[])
    };
    assert!(policy.allows(&missing));
    let on_create = [("ec2:CreateAction", "CreateSubnet")];
    assert!(policy.allows(&request("ec2:CreateTags", vpc, &on_create)));
    assert!(!policy.allows(&request(
        "ec2:CreateTags",
        vpc,
        &[("ec2:CreateAction", "RunInstances")]
    )));
    assert!(!policy.allows(&request("ec2:CreateTags", vpc, &[])));
}

#[test]
fn reject_elements_that_are_not_evaluated() {
    let with = |statement: &str| Policy::parse(&format!(r#"{{"Statement": [{statement}]}}"#));
    assert_eq!(
        with(r#"{"Effect": "Allow", "NotAction": "*", "Resource": "*"}"#),
        Err(DocumentError::Unsupported("NotAction".to_owned()))
    );
    assert_eq!(
        with(
            r#"{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "::1"}}}"#
        ),
        Err(DocumentError::Unsupported("IpAddress".to_owned()))
    );
    assert!(with(r#"{"Effect": "Allow", "Action": "*"}"#).is_err());
}

#[test]
fn role_permits_its_actions_at_its_scopes() {
    let role = Role::parse(
        r#"{"Name": "n", "Actions": ["Microsoft.Network/*/read", "Microsoft.Network/connections/write"],
            "NotActions": ["Microsoft.Network/publicIPAddresses/read"], "AssignableScopes": ["/subscriptions/S"]}"#,
    )
    .unwrap();
    assert!(role.allows(
        "microsoft.network/connections/WRITE",
        "/subscriptions/s/resourceGroups/g"
    ));
    assert!(role.allows(
        "Microsoft.Network/virtualNetworks/subnets/read",
        "/subscriptions/s"
    ));
    assert!(!role.allows(
        "Microsoft.Network/publicIPAddresses/read",
        "/subscriptions/s"
    ));
    assert!(!role.allows("Microsoft.Network/connections/delete", "/subscriptions/s"));
    assert!(!role.allows("Microsoft.Network/connections/write", "/subscriptions/s2"));
}
