//! Roles, and accounts that are not allowed.

use super::*;

fn in_two_roles() -> Settings {
    let role = |name: &str| AssumeRole {
        role_arn: format!("arn:aws:iam::1:role/{name}"),
        ..AssumeRole::default()
    };
    Settings {
        access_key: Some("AKIATEST".to_owned()),
        secret_key: Some("secret".to_owned()),
        region: Some("eu-west-1".to_owned()),
        assume_role: vec![role("hub"), role("spoke")],
        ..Settings::default()
    }
}

#[tokio::test(start_paused = true)]
async fn assume_roles_in_sequence_once() {
    let cloud = Cloud::new(|action, before| match action {
        "AssumeRole" => Reply::Xml(
            200,
            format!(
                "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
                 <AccessKeyId>ASIA{before}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
                 <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
            ),
        ),
        _ => described_vgw("available"),
    });
    let ec2 = cloud.ec2_with(in_two_roles()).await.unwrap();
    for _ in 0..3 {
        ec2.describe_vpn_gateways(&an_hour(), &Filter::default())
            .await
            .unwrap();
    }
    assert_eq!(cloud.count("AssumeRole"), 2);
    let calls = cloud.calls.lock().unwrap();
    assert!(
        calls[0].1.contains("role%2Fhub") && calls[1].1.contains("role%2Fspoke"),
        "{calls:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn report_rejected_role_with_attempted_sources() {
    let cloud = Cloud::new(|_, _| {
        Reply::Xml(
            403,
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
             <Code>AccessDenied</Code><Message>not allowed to assume hub</Message></Error></ErrorResponse>"
                .to_owned(),
        )
    });
    let ec2 = cloud.ec2_with(in_two_roles()).await.unwrap();
    let error = ec2
        .describe_vpn_gateways(&an_hour(), &Filter::default())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NoCredentials(_)), "{error:?}");
    let words = error.to_string();
    assert!(
        words.contains("AccessDenied") && words.contains("AWS_PROFILE"),
        "{words}"
    );
    assert_eq!(cloud.count("DescribeVpnGateways"), 0);
}

#[tokio::test(start_paused = true)]
async fn reject_disallowed_account_first() {
    let cloud = Cloud::new(|action, _| {
        assert_eq!(action, "GetCallerIdentity");
        Reply::Xml(
            200,
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111111111111</Account>\
             </GetCallerIdentityResult></GetCallerIdentityResponse>"
                .to_owned(),
        )
    });
    let allowed_account_ids = vec!["222222222222".to_owned()];
    let settings = Settings {
        allowed_account_ids,
        assume_role: Vec::new(),
        ..in_two_roles()
    };
    let error = cloud.ec2_with(settings).await.err().unwrap();
    assert!(
        error.to_string().contains("aws.allowed_account_ids"),
        "{error}"
    );
}
