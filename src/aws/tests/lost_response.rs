//! Creates and changes whose response was lost, or that were throttled.

use super::*;

/// A create whose response was lost is looked up and not sent again.
#[tokio::test(start_paused = true)]
async fn find_created_object_after_lost_response() {
    let cloud = Cloud::new(|action, before| match (action, before) {
        ("CreateVpnGateway", 0) => Reply::Lost,
        // Eventual consistency: unknown at first.
        ("DescribeVpnGateways", 0 | 1) => ok(action, "<vpnGatewaySet/>"),
        ("DescribeVpnGateways", _) => described_vgw("pending"),
        other => panic!("{other:?}"),
    });
    assert_eq!(
        create_vgw(&cloud).await.unwrap().id,
        VpnGatewayId("vgw-1".to_owned())
    );
    assert_eq!(cloud.count("CreateVpnGateway"), 1);
    let calls = cloud.calls.lock().unwrap();
    assert!(
        calls[1].1.contains("Filter.1.Name=tag%3Aawsazure%3Alink"),
        "{}",
        calls[1].1
    );
}

/// A create without effect is sent again, after lookups during ten seconds found no object.
#[tokio::test(start_paused = true)]
async fn resend_create_after_ten_seconds_of_lookup() {
    let cloud = Cloud::new(|action, before| match (action, before) {
        ("CreateVpnGateway", 0) => fault(500, "InternalError", "An internal error has occurred"),
        ("CreateVpnGateway", 1) => made_vgw(),
        ("DescribeVpnGateways", _) => ok(action, "<vpnGatewaySet/>"),
        other => panic!("{other:?}"),
    });
    let begun = Instant::now();
    create_vgw(&cloud).await.unwrap();
    assert_eq!(
        (
            cloud.count("CreateVpnGateway"),
            cloud.count("DescribeVpnGateways")
        ),
        (2, 5)
    );
    assert!(
        begun.elapsed() >= Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn ignore_older_object_with_same_tags() {
    let cloud = Cloud::new(|action, before| match (action, before) {
        ("CreateVpnGateway", 0) => Reply::Lost,
        ("CreateVpnGateway", 1) => ok(
            action,
            "<vpnGateway><vpnGatewayId>vgw-2</vpnGatewayId></vpnGateway>",
        ),
        ("DescribeVpnGateways", _) => described_vgw("available"),
        other => panic!("{other:?}"),
    });
    let (tags, known) = (link(), ["vgw-1".to_owned()]);
    let own = IdempotencyKey {
        tags: &tags,
        known_ids: &known,
    };
    let made = cloud
        .ec2()
        .await
        .create_vpn_gateway(&an_hour(), Asn(64512), &tags, own)
        .await
        .unwrap();
    assert_eq!(made.id.0, "vgw-2");
}

/// A throttled create is retried without a lookup; a rejected one is not retried.
#[tokio::test(start_paused = true)]
async fn retry_throttled_create_without_lookup() {
    let cloud = Cloud::new(|action, before| match (action, before) {
        ("CreateVpnGateway", 0..3) => fault(503, "RequestLimitExceeded", "Request limit exceeded."),
        ("CreateVpnGateway", 3) => made_vgw(),
        ("CreateVpnGateway", _) => fault(
            400,
            "VpnGatewayLimitExceeded",
            "The maximum number is reached",
        ),
        other => panic!("{other:?}"),
    });
    create_vgw(&cloud).await.unwrap();
    assert_eq!(cloud.count("CreateVpnGateway"), 4);
    let error = create_vgw(&cloud).await.unwrap_err();
    assert!(
        matches!(&error, Error::Quota(context) if context.request_id.as_deref() == Some("req-77")),
        "{error}"
    );
    assert_eq!(cloud.count("CreateVpnGateway"), 5);
}

#[tokio::test(start_paused = true)]
async fn resend_hidden_key_after_lost_response() {
    let cloud = Cloud::new(|action, before| match action {
        "ModifyVpnTunnelOptions" if before == 0 => Reply::Lost,
        "ModifyVpnTunnelOptions" => ok("ModifyVpnTunnelOptions", ""),
        _ => {
            let Reply::Xml(status, body) = connection("available") else {
                unreachable!()
            };
            Reply::Xml(status, body.replace(KEY, "REDACTED"))
        }
    });
    let (id, ip) = (
        VpnConnectionId("vpn-1".to_owned()),
        "9.9.9.9".parse().unwrap(),
    );
    let wanted = TunnelOptions {
        key: Some(PreSharedKey::from_cloud(KEY)),
        key_storage: Some(KeyStorage::SecretsManager),
        ..TunnelOptions::default()
    };
    let ec2 = cloud.ec2().await;
    ec2.modify_tunnel(&an_hour(), &id, ip, &wanted)
        .await
        .unwrap();
    let sent = |call: &&(String, String)| {
        call.0 == "ModifyVpnTunnelOptions" && call.1.contains("SecretsManager")
    };
    assert_eq!(cloud.calls.lock().unwrap().iter().filter(sent).count(), 2);
    let begun = Instant::now();
    ec2.wait_tunnel_modified(&an_hour(), &id, ip, &wanted)
        .await
        .unwrap();
    assert!(
        begun.elapsed() >= Duration::from_secs(5),
        "it may still be on its way"
    );
}

#[tokio::test(start_paused = true)]
async fn do_not_repeat_tunnel_change_after_lost_response() {
    let cloud = Cloud::new(|action, before| match (action, before) {
        ("ModifyVpnTunnelOptions", 0) => Reply::Lost,
        ("DescribeVpnConnections", 0) => connection("available"),
        ("DescribeVpnConnections", 1) => connection("modifying"),
        other => panic!("{other:?}"),
    });
    let wanted = TunnelOptions {
        startup_action: Some("add".to_owned()),
        ..TunnelOptions::default()
    };
    let (ec2, id) = (cloud.ec2().await, VpnConnectionId("vpn-1".to_owned()));
    ec2.modify_tunnel(&an_hour(), &id, "9.9.9.9".parse().unwrap(), &wanted)
        .await
        .unwrap();
    assert_eq!(cloud.count("ModifyVpnTunnelOptions"), 1);
}
