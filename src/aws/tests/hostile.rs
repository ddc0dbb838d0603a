//! Answers that AWS does not send: from proxies and portals, or from an attacker.
use super::*;
use crate::aws::credentials::Endpoints;
use crate::client::response::{MAX_ATTEMPTS, MAX_BYTES, self_signed_server};

const PAGE: &str =
    "<!DOCTYPE html><html><head><title>Hotel Wi-Fi</title></head><body>Log in</body></html>";

/// A read that meets the same at each try.
async fn read(reply: fn(&str) -> Reply) -> (Error, usize) {
    let cloud = Cloud::new(move |action, _| reply(action));
    let begun = Instant::now();
    let error = cloud
        .ec2()
        .await
        .describe_vpcs(&an_hour(), &Filter::id("vpc-1"))
        .await
        .unwrap_err();
    assert!(
        begun.elapsed() < Duration::from_secs(60),
        "{:?}",
        begun.elapsed()
    );
    (error, cloud.count("DescribeVpcs"))
}

#[tokio::test(start_paused = true)]
async fn give_up_on_responses_that_are_not_aws() {
    let replies: [fn(&str) -> Reply; 6] = [
        |_| Reply::Xml(200, PAGE.to_owned()),
        |_| Reply::Xml(200, "please log in".to_owned()),
        |_| Reply::Xml(200, "{}".to_owned()),
        |_| Reply::Xml(200, " ".repeat(MAX_BYTES + 1)),
        |_| {
            Reply::Xml(
                200,
                format!(
                    "<DescribeVpcsResponse>{}</DescribeVpcsResponse>",
                    "<item/>".repeat(150_000)
                ),
            )
        },
        |_| Reply::Xml(404, PAGE.to_owned()),
    ];
    for (number, reply) in replies.into_iter().enumerate() {
        let (error, tries) = read(reply).await;
        assert!(matches!(error, Error::Malformed(_)), "{number}: {error}");
        assert!(
            tries <= usize::try_from(MAX_ATTEMPTS).unwrap(),
            "{number}: {tries} tries"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn report_page_with_host_and_title() {
    for reply in [
        |_: &str| Reply::Xml(200, PAGE.to_owned()),
        |_: &str| Reply::Xml(403, PAGE.to_owned()),
    ] {
        let (error, _) = read(reply).await;
        assert!(error.to_string().contains("Hotel Wi-Fi"), "{error}");
    }
    let (error, _) = read(|_| Reply::Xml(200, "please log in".to_owned())).await;
    assert!(
        error.to_string().contains("ec2.eu-west-1.amazonaws.com"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn report_page_of_sts() {
    let cloud = Cloud::new(|_, _| Reply::Xml(200, PAGE.to_owned()));
    let error = cloud
        .ec2()
        .await
        .caller_identity(&an_hour())
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Malformed(_)) && error.to_string().contains("Hotel Wi-Fi"),
        "{error}"
    );
    let role = AssumeRole {
        role_arn: "arn:aws:iam::111122223333:role/x".to_owned(),
        ..AssumeRole::default()
    };
    let settings = Settings {
        access_key: Some("AKIATEST".to_owned()),
        secret_key: Some("secret".to_owned()),
        region: Some("eu-west-1".to_owned()),
        assume_role: vec![role],
        ..Settings::default()
    };
    let ec2 = cloud.ec2_with(settings).await.unwrap();
    let error = ec2
        .describe_vpcs(&an_hour(), &Filter::id("vpc-1"))
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::NoCredentials(_)) && error.to_string().contains("Hotel Wi-Fi"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn end_list_that_repeats_a_page() {
    let cloud = Cloud::new(|action, before| {
        let token = ["a", "b", "a"].get(before).copied().unwrap_or("a");
        ok(action, &format!("<vpcSet/><nextToken>{token}</nextToken>"))
    });
    let found = cloud
        .ec2()
        .await
        .describe_vpcs(&an_hour(), &Filter::id("vpc-1"))
        .await;
    assert!(matches!(found, Err(Error::Malformed(_))), "{found:?}");
    assert_eq!(cloud.count("DescribeVpcs"), 3);
}

#[tokio::test(start_paused = true)]
async fn sanitize_error_text_on_receipt() {
    let cloud = Cloud::new(|_, _| {
        fault(
            400,
            "InvalidParameterValue",
            "\u{9b}2JValue (Open.Sesame_1) for parameter preSharedKey is invalid. AKIAIOSFODNN7EXAMPLE",
        )
    });
    let error = cloud
        .ec2()
        .await
        .describe_vpcs(&an_hour(), &Filter::id("vpc-1"))
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(
        !text.contains("Sesame") && !text.contains("AKIA") && !text.contains('\u{9b}'),
        "{text:?}"
    );
    assert!(text.contains("preSharedKey"), "{text:?}");
}

#[tokio::test]
async fn reject_untrusted_certificate_at_once() {
    let port = self_signed_server().await;
    let settings = Settings {
        access_key: Some("AKIATEST".to_owned()),
        secret_key: Some("secret".to_owned()),
        region: Some("eu-west-1".to_owned()),
        endpoints: Endpoints {
            ec2: Some(format!("https://localhost:{port}")),
            sts: None,
        },
        ..Settings::default()
    };
    let (ec2, begun) = (
        Aws::new(settings).region(&an_hour(), None).await.unwrap(),
        Instant::now(),
    );
    let error = ec2
        .describe_vpcs(&an_hour(), &Filter::id("vpc-1"))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Untrusted(_)), "{error:?}");
    assert!(
        error.to_string().contains("AWS_CA_BUNDLE") && error.to_string().contains("localhost"),
        "{error}"
    );
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
}
