//! What EC2 and STS refuse, by code.

use super::{Bench, request, signed, text};

#[test]
fn reject_tunnel_options_out_of_range() {
    let mut bench = Bench::new();
    let (_, vgw, cgw) = bench.network();
    let base = format!(
        "Action=CreateVpnConnection&Type=ipsec.1&CustomerGatewayId={cgw}&VpnGatewayId={vgw}"
    );
    for (option, code) in [
        ("TunnelInsideCidr=169.254.5.0/30", "InvalidParameterValue"),
        (
            "TunnelInsideCidr=169.254.169.252/30",
            "InvalidParameterValue",
        ),
        ("TunnelInsideCidr=169.254.21.1/30", "InvalidParameterValue"),
        ("TunnelInsideCidr=10.0.0.0/30", "InvalidParameterValue"),
        ("PreSharedKey=short", "InvalidParameterValue"),
        ("PreSharedKey=0leading_zero", "InvalidParameterValue"),
        ("PreSharedKey=with-hyphen-in-it", "InvalidParameterValue"),
        ("Phase1LifetimeSeconds=899", "InvalidParameterValue"),
        ("Phase2LifetimeSeconds=3601", "InvalidParameterValue"),
        ("RekeyMarginTimeSeconds=1801", "InvalidParameterValue"),
        ("DPDTimeoutSeconds=29", "InvalidParameterValue"),
        ("DPDTimeoutAction=reboot", "InvalidParameterValue"),
        (
            "Phase1EncryptionAlgorithm.1.Value=AES192",
            "InvalidParameterValue",
        ),
        ("Phase1DHGroupNumber.1.Value=5", "InvalidParameterValue"),
        (
            "StartupAction=start&Options.TunnelOptions.1.IKEVersion.1.Value=ikev1",
            "InvalidParameterCombination",
        ),
    ] {
        assert_eq!(
            bench.refused(&format!("{base}&Options.TunnelOptions.1.{option}")),
            code,
            "{option}"
        );
    }
    assert_eq!(
        bench.refused(&format!("{base}&Options.EnableAcceleration=true")),
        "InvalidParameterCombination"
    );
    let twice = "&Options.TunnelOptions.1.TunnelInsideCidr=169.254.21.0/30&Options.TunnelOptions.2.TunnelInsideCidr=169.254.21.0/30";
    assert_eq!(
        bench.refused(&format!("{base}{twice}")),
        "InvalidParameterValue"
    );
    assert!(
        bench.cloud.endpoints().is_empty(),
        "a refused create leaves nothing"
    );
    bench.connection(&vgw, &cgw);
    let used = format!("{base}&Options.TunnelOptions.1.TunnelInsideCidr=169.254.22.0/30");
    assert_eq!(
        bench.refused(&used),
        "InvalidParameterValue",
        "unique on the gateway"
    );
}

/// An identical customer gateway is returned instead of created; a second one needs a device name.
#[test]
fn return_existing_identical_customer_gateway() {
    let mut bench = Bench::new();
    let create = "Action=CreateCustomerGateway&Type=ipsec.1&IpAddress=20.0.0.9&BgpAsn=65000";
    let first = text(&bench.call(create), "customerGatewayId");
    assert_eq!(text(&bench.call(create), "customerGatewayId"), first);
    let other = create.replace("65000", "65001");
    assert_eq!(
        bench.refused(&other),
        "InvalidCustomerGateway.DuplicateIpAddress"
    );
    let named = text(
        &bench.call(&format!("{create}&DeviceName=mine")),
        "customerGatewayId",
    );
    assert_ne!(named, first);
    let body = bench.call(
        "Action=CreateCustomerGateway&Type=ipsec.1&IpAddress=20.0.0.10&BgpAsnExtended=4200000000",
    );
    assert_eq!(text(&body, "bgpAsnExtended"), "4200000000");
    assert!(!body.contains("<bgpAsn>"));
    let same = text(
        &bench.call("Action=CreateVpnGateway&Type=ipsec.1&AmazonSideAsn=65000"),
        "vpnGatewayId",
    );
    bench.wait(10);
    let vpn = format!(
        "Action=CreateVpnConnection&Type=ipsec.1&CustomerGatewayId={first}&VpnGatewayId={same}"
    );
    assert_eq!(bench.refused(&vpn), "AsnConflict");
}

#[test]
fn reject_attach_and_propagation_before_ready() {
    let mut bench = Bench::new();
    let vpc = text(
        &bench.call("Action=CreateVpc&CidrBlock=10.1.0.0/16"),
        "vpcId",
    );
    let other = text(
        &bench.call("Action=CreateVpc&CidrBlock=10.2.0.0/16"),
        "vpcId",
    );
    let table = text(
        &bench.call(&format!(
            "Action=DescribeRouteTables&Filter.1.Name=vpc-id&Filter.1.Value.1={vpc}"
        )),
        "routeTableId",
    );
    let vgw = text(
        &bench.call("Action=CreateVpnGateway&Type=ipsec.1"),
        "vpnGatewayId",
    );
    let second = text(
        &bench.call("Action=CreateVpnGateway&Type=ipsec.1"),
        "vpnGatewayId",
    );
    bench.wait(10);
    let attach =
        |vpc: &str, vgw: &str| format!("Action=AttachVpnGateway&VpcId={vpc}&VpnGatewayId={vgw}");
    assert_eq!(text(&bench.call(&attach(&vpc, &vgw)), "state"), "attaching");
    let propagate =
        format!("Action=EnableVgwRoutePropagation&GatewayId={vgw}&RouteTableId={table}");
    assert_eq!(bench.refused(&propagate), "Gateway.NotAttached");
    assert_eq!(
        bench.refused(&attach(&other, &vgw)),
        "VpnGatewayAttachmentLimitExceeded"
    );
    assert_eq!(bench.refused(&attach(&vpc, &second)), "InvalidVpcState");
    bench.wait(60);
    bench.call(&propagate);
    let cgw = bench.customer("20.0.0.4");
    bench.call(&format!(
        "Action=CreateVpnConnection&Type=ipsec.1&CustomerGatewayId={cgw}&VpnGatewayId={vgw}"
    ));
    let detach = format!("Action=DetachVpnGateway&VpcId={vpc}&VpnGatewayId={vgw}");
    assert_eq!(
        bench.refused(&detach),
        "InvalidParameterValue",
        "while the connection is pending"
    );
    bench.wait(300);
    bench.call(&detach);
    bench.wait(60);
    let tables = bench.call(&format!(
        "Action=DescribeRouteTables&RouteTableId.1={table}"
    ));
    assert!(
        tables.contains("<propagatingVgwSet></propagatingVgwSet>"),
        "a detached gateway propagates nowhere"
    );
}

/// Quotas, dry runs, throttling and unknown actions each return their own error code.
#[test]
fn return_documented_error_codes() {
    let mut bench = Bench::new();
    assert_eq!(
        bench.refused("Action=CreateVpnGateway&Type=ipsec.1&AmazonSideAsn=7224"),
        "InvalidParameterValue"
    );
    assert_eq!(
        bench
            .raw("Action=CreateVpnGateway&Type=ipsec.1&DryRun=true")
            .0,
        412
    );
    for _ in 0..5 {
        bench.call("Action=CreateVpnGateway&Type=ipsec.1");
    }
    assert_eq!(
        bench.refused("Action=CreateVpnGateway&Type=ipsec.1"),
        "VpnGatewayLimitExceeded"
    );
    assert_eq!(bench.refused("Action=LaunchRocket"), "InvalidAction");
    assert_eq!(bench.refused("Action=DescribeVpnGateways&Filter.1.Name=state&Filter.1.Value.1=none&Filter.2.Name=colour&Filter.2.Value.1=red"), "InvalidParameterValue");
    assert_eq!(
        bench.refused("Action=DeleteVpc&VpcId=vgw-0123"),
        "InvalidVpcID.Malformed"
    );
    let statuses: Vec<u16> = (0..120)
        .map(|_| bench.raw("Action=DescribeRegions").0)
        .collect();
    assert_eq!(statuses.iter().filter(|status| **status == 503).count(), 20);
    bench.wait(1);
    assert_eq!(bench.raw("Action=DescribeRegions").0, 200);
}

#[test]
fn sts_sessions_expire_by_client_clock() {
    let mut bench = Bench::new();
    let unsigned = bench.send(&request("Action=DescribeVpcs&Version=2016-11-15", &[]));
    assert_eq!(unsigned.status, 401);
    let assume = "Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::210987654321:role/network/admin&RoleSessionName=s&DurationSeconds=900";
    let answer = bench.send(&signed(assume));
    assert_eq!(answer.status, 200);
    let body = String::from_utf8(answer.body).unwrap();
    assert_eq!(text(&body, "Expiration"), "2026-01-01T00:15:00Z");
    let token = text(&body, "SessionToken");
    let mut who = signed("Action=GetCallerIdentity&Version=2011-06-15");
    who.headers
        .push(("x-amz-security-token".into(), token.clone()));
    let body = String::from_utf8(bench.send(&who).body).unwrap();
    assert_eq!(
        text(&body, "Arn"),
        "arn:aws:sts::210987654321:assumed-role/network/admin/s"
    );
    let mut late = signed("Action=DescribeVpcs&Version=2016-11-15");
    late.headers.retain(|(name, _)| name != "x-amz-date");
    late.headers
        .push(("x-amz-date".into(), "20260101T001500Z".into()));
    late.headers.push(("x-amz-security-token".into(), token));
    let body = String::from_utf8(bench.send(&late).body).unwrap();
    assert_eq!(text(&body, "Code"), "RequestExpired");
    let web = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn:aws:iam::1:role/r&RoleSessionName=s&WebIdentityToken=t";
    assert_eq!(
        bench.send(&request(web, &[])).status,
        200,
        "web identity is not signed"
    );
}
