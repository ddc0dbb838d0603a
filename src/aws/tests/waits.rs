//! Waits, and reads and deletes that take several attempts.

use super::*;
use crate::aws::model::VpcId;

#[tokio::test(start_paused = true)]
async fn recover_from_hang_and_malformed_response() {
    let cloud = Cloud::new(|action, before| match (action, before) {
        ("DescribeVpnGateways", 0) => Reply::Hang,
        ("DescribeVpnGateways", 1) => {
            Reply::Xml(200, "<DescribeVpnGatewaysResponse><vpnGate".to_owned())
        }
        ("DescribeVpnGateways", 2) => Reply::Xml(502, "<html>bad gateway</html>".to_owned()),
        ("DescribeVpnGateways", _) => described_vgw("available"),
        other => panic!("{other:?}"),
    });
    let begun = Instant::now();
    let found = cloud
        .ec2()
        .await
        .describe_vpn_gateways(&an_hour(), &Filter::id("vgw-1"))
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    assert!(
        (30..40).contains(&begun.elapsed().as_secs()),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn tolerate_not_found_of_new_object_for_limited_time() {
    let cloud = Cloud::new(|action, before| match (action, before) {
        ("DescribeVpnGateways", 0..3) => ok(action, "<vpnGatewaySet/>"),
        ("DescribeVpnGateways", 3..6) => described_vgw("pending"),
        ("DescribeVpnGateways", 6) => described_vgw("a-new-word"),
        ("DescribeVpnGateways", 7) => described_vgw("available"),
        ("DescribeVpnGateways", _) => ok(action, "<vpnGatewaySet/>"),
        other => panic!("{other:?}"),
    });
    let (ec2, id) = (cloud.ec2().await, VpnGatewayId("vgw-1".to_owned()));
    ec2.wait_vpn_gateway_available(&an_hour(), &id)
        .await
        .unwrap();
    let begun = Instant::now();
    assert!(matches!(
        ec2.wait_vpn_gateway_available(&an_hour(), &id).await,
        Err(Error::NotFound(_))
    ));
    assert!(
        (30..40).contains(&begun.elapsed().as_secs()),
        "{:?}",
        begun.elapsed()
    );
}

/// A gateway that is being deleted is never attached; neither is one that is gone.
#[tokio::test(start_paused = true)]
async fn deletion_by_hand_ends_wait_for_attachment() {
    for gone in ["deleting", "deleted", ""] {
        let cloud = Cloud::new(move |action, before| match before {
            0 => described_vgw("available"),
            _ if gone.is_empty() => ok(action, "<vpnGatewaySet/>"),
            _ => described_vgw(gone),
        });
        let (id, vpc) = (VpnGatewayId("vgw-1".to_owned()), VpcId("vpc-9".to_owned()));
        let begun = Instant::now();
        let error = cloud
            .ec2()
            .await
            .wait_vpn_gateway_attached(&an_hour(), &id, &vpc)
            .await
            .unwrap_err();
        assert!(matches!(error, Error::NotFound(_)), "{gone}: {error}");
        let text = error.to_string();
        assert!(
            text.contains("vgw-1") && text.contains("deleted outside of Terraform"),
            "{gone}: {text}"
        );
        assert!(begun.elapsed() < Duration::from_secs(60), "{gone}");
    }
}

#[tokio::test(start_paused = true)]
async fn cancellation_ends_wait_during_hanging_call() {
    let cloud = Cloud::new(|_, before| {
        if before < 5 {
            described_vgw("pending")
        } else {
            Reply::Hang
        }
    });
    let (ec2, ctx) = (cloud.ec2().await, an_hour());
    let cancel = ctx.cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(10)).await;
        cancel.cancel();
    });
    let begun = Instant::now();
    let id = VpnGatewayId("vgw-1".to_owned());
    assert!(matches!(
        ec2.wait_vpn_gateway_available(&ctx, &id).await,
        Err(Error::Cancelled(_))
    ));
    assert_eq!(begun.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn timeout_reports_last_observed_state() {
    let cloud = Cloud::new(|_, _| described_vgw("pending"));
    let id = VpnGatewayId("vgw-1".to_owned());
    let ctx = CallContext::with_timeout(Duration::from_secs(90));
    let error = cloud
        .ec2()
        .await
        .wait_vpn_gateway_available(&ctx, &id)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::DeadlineExceeded(_)));
    assert!(error.to_string().contains("Pending"), "{error}");
}

/// No key is shown.
#[tokio::test(start_paused = true)]
async fn match_telemetry_by_address_in_any_order() {
    let cloud =
        Cloud::new(|_, before| connection(if before < 3 { "pending" } else { "available" }));
    let id = VpnConnectionId("vpn-1".to_owned());
    let found = cloud
        .ec2()
        .await
        .wait_vpn_connection_available(&an_hour(), &id, true)
        .await
        .unwrap();
    let first = found
        .tunnels
        .iter()
        .find(|one| one.inside_cidr == "169.254.21.0/30".parse().ok())
        .unwrap();
    assert_eq!(first.outside_ip.to_string(), "9.9.9.9");
    assert_eq!(first.key, Some(PreSharedKey::from_cloud(KEY)));
    let telemetry = first.telemetry.as_ref().unwrap();
    assert!(telemetry.up && telemetry.accepted_routes == 2);
    assert_eq!(first.options.dpd_timeout_seconds, None);
    assert!(!format!("{found:?}").contains(KEY));
}

/// Key storage is derived from what EC2 returns of the key, not from the secret alone.
#[tokio::test(start_paused = true)]
async fn detect_key_storage_by_visible_key() {
    let secret =
        "<preSharedKeyArn>arn:aws:secretsmanager:eu-west-1:1:secret:s</preSharedKeyArn><options>";
    let group = "<logGroupArn>arn:aws:logs:eu-west-1:1:log-group:vpn:*</logGroupArn>";
    let cloud = Cloud::new(move |_, _| {
        let Reply::Xml(status, body) = connection("available") else {
            unreachable!()
        };
        let logs = format!(
            "<logOptions><cloudWatchLogOptions><logEnabled>true</logEnabled>{group}<bgpLogEnabled>false</bgpLogEnabled>\
             <bgpLogGroupArn>x</bgpLogGroupArn></cloudWatchLogOptions></logOptions><startupAction>"
        );
        let body = body
            .replace("<options>", secret)
            .replace(KEY, "REDACTED")
            .replacen("<startupAction>", &logs, 1);
        Reply::Xml(status, body)
    });
    let id = VpnConnectionId("vpn-1".to_owned());
    let begun = Instant::now();
    let found = cloud
        .ec2()
        .await
        .wait_vpn_connection_available(&an_hour(), &id, true)
        .await
        .unwrap();
    assert_eq!(
        begun.elapsed(),
        Duration::ZERO,
        "a key that Secrets Manager has will never be shown"
    );
    let [other, first] = found.tunnels.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(
        (first.key.as_ref(), first.key_storage),
        (None, Some(KeyStorage::SecretsManager))
    );
    assert_eq!(other.key_storage, Some(KeyStorage::Standard));
    let arn = "arn:aws:logs:eu-west-1:1:log-group:vpn".to_owned();
    let logs = Logs {
        tunnel: Some(LogGroup {
            arn,
            format: "json".to_owned(),
        }),
        bgp: None,
    };
    assert_eq!(
        (&other.options.logs, &first.options.logs),
        (&Some(logs), &None)
    );
}

/// Deleting an absent object succeeds; one in use is reported after some retries.
#[tokio::test(start_paused = true)]
async fn delete_succeeds_if_absent_and_reports_in_use() {
    let cloud = Cloud::new(|action, _| match action {
        "DeleteVpnGateway" => fault(400, "InvalidVpnGatewayID.NotFound", "no such gateway"),
        _ => fault(400, "DependencyViolation", "has dependencies"),
    });
    let (ec2, ctx) = (cloud.ec2().await, an_hour());
    ec2.delete_vpn_gateway(&ctx, &VpnGatewayId("vgw-1".to_owned()))
        .await
        .unwrap();
    let begun = Instant::now();
    let kept = ec2
        .delete_vpc(&ctx, &crate::aws::model::VpcId("vpc-1".to_owned()))
        .await;
    assert!(matches!(kept, Err(Error::DependencyViolation(_))));
    assert!(
        (120..150).contains(&begun.elapsed().as_secs()),
        "{:?}",
        begun.elapsed()
    );
}
