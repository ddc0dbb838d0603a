//! A link from its first call to its last, and what changes do to it.

use super::{Bench, azure_end, text};

/// A link comes up, serves routes and is deleted without leaving objects.
#[test]
fn link_lifecycle_ends_with_empty_account() {
    let mut bench = Bench::new();
    let (vpc, vgw, cgw) = bench.network();
    let tables = bench.call(&format!(
        "Action=DescribeRouteTables&Filter.1.Name=vpc-id&Filter.1.Value.1={vpc}&Filter.2.Name=association.main&Filter.2.Value.1=true"
    ));
    let table = text(&tables, "routeTableId");
    bench.call(&format!(
        "Action=EnableVgwRoutePropagation&GatewayId={vgw}&RouteTableId={table}"
    ));
    let (vpn, [one, two]) = bench.connection(&vgw, &cgw);
    let describe = format!("Action=DescribeVpnConnections&VpnConnectionId.1={vpn}");
    let body = bench.call(&describe);
    assert_eq!(text(&body, "state"), "available");
    assert_eq!(
        body.matches("<statusMessage>IPSEC IS DOWN</statusMessage>")
            .count(),
        2
    );

    bench.azure = vec![
        azure_end(&one, 0, "first_key.1"),
        azure_end(&two, 1, "wrong_key.2"),
    ];
    bench.call(&describe);
    bench.wait(120);
    let body = bench.call(&describe);
    assert_eq!(body.matches("<status>UP</status>").count(), 1, "{body}");
    assert!(body.contains("<statusMessage>1 BGP ROUTES</statusMessage>"));
    let routes = bench.call(&format!(
        "Action=DescribeRouteTables&RouteTableId.1={table}"
    ));
    assert!(
        routes.contains("<origin>EnableVgwRoutePropagation</origin>")
            && routes.contains("10.0.0.0/16"),
        "{routes}"
    );
    let detail = format!("VpnConnectionId={vpn}&VpnTunnelOutsideIpAddress={one}");
    let active = bench.call(&format!("Action=GetActiveVpnTunnelStatus&{detail}"));
    assert_eq!(text(&active, "phase2EncryptionAlgorithm"), "AES256-GCM-16");

    // One tunnel is replaced: its sibling is not touched, and it comes back with the new key only.
    bench.call(&format!(
        "Action=ModifyVpnTunnelOptions&VpnConnectionId={vpn}&VpnTunnelOutsideIpAddress={two}&TunnelOptions.PreSharedKey=wrong_key.2"
    ));
    bench.wait(60);
    let body = bench.call(&describe);
    assert_eq!(text(&body, "state"), "modifying");
    assert_eq!(body.matches("<status>UP</status>").count(), 1);
    assert_eq!(
        bench.refused(&format!("Action=DeleteVpnConnection&VpnConnectionId={vpn}")),
        "InvalidVpnConnection.InvalidState"
    );
    bench.wait(300);
    bench.call(&describe);
    bench.wait(120);
    assert_eq!(
        bench.call(&describe).matches("<status>UP</status>").count(),
        2
    );

    assert_eq!(
        bench.refused(&format!(
            "Action=DeleteCustomerGateway&CustomerGatewayId={cgw}"
        )),
        "IncorrectState"
    );
    assert_eq!(
        bench.refused(&format!("Action=DeleteVpnGateway&VpnGatewayId={vgw}")),
        "IncorrectState"
    );
    bench.call(&format!("Action=DeleteVpnConnection&VpnConnectionId={vpn}"));
    assert_eq!(text(&bench.call(&describe), "state"), "deleting");
    bench.wait(120);
    let body = bench.call(&describe);
    assert_eq!(text(&body, "state"), "deleted");
    assert!(
        body.contains("<vgwTelemetry></vgwTelemetry>"),
        "clients index the empty list"
    );
    bench.call(&format!(
        "Action=DeleteCustomerGateway&CustomerGatewayId={cgw}"
    ));
    bench.call(&format!(
        "Action=DetachVpnGateway&VpcId={vpc}&VpnGatewayId={vgw}"
    ));
    assert_eq!(
        bench.refused(&format!("Action=DeleteVpc&VpcId={vpc}")),
        "DependencyViolation"
    );
    bench.wait(60);
    bench.call(&format!("Action=DeleteVpnGateway&VpnGatewayId={vgw}"));
    bench.call(&format!("Action=DeleteVpc&VpcId={vpc}"));
    bench.wait(10);
    bench.call("Action=DescribeVpcs");
    assert!(
        bench.cloud.objects().is_empty(),
        "{:?}",
        bench.cloud.objects()
    );
    assert!(bench.cloud.endpoints().is_empty());
    bench.wait(3_700);
    bench.call("Action=DescribeVpcs");
    assert_eq!(bench.refused(&describe), "InvalidVpnConnectionID.NotFound");
}

/// Describe returns explicitly set options only, and no key that is stored in a secret.
#[test]
fn describe_echoes_explicit_options_only() {
    let mut bench = Bench::new();
    let (_, vgw, cgw) = bench.network();
    let body = bench.call(&format!(
        "Action=CreateVpnConnection&Type=ipsec.1&CustomerGatewayId={cgw}&VpnGatewayId={vgw}&PreSharedKeyStorage=SecretsManager\
         &Options.TunnelOptions.1.PreSharedKey=visible_nowhere&Options.TunnelOptions.1.Phase1DHGroupNumber.1.Value=20"
    ));
    assert!(!body.contains("visible_nowhere"));
    assert!(text(&body, "preSharedKeyArn").starts_with("arn:aws:secretsmanager:eu-west-1:"));
    assert_eq!(
        body.matches("<phase1DHGroupNumberSet><item><value>20</value>")
            .count(),
        1
    );
    assert!(!body.contains("<phase1LifetimeSeconds>") && !body.contains("<startupAction>"));
    assert!(
        body.contains("&lt;pre_shared_key&gt;REDACTED"),
        "the configuration is text inside an element"
    );
    assert!(
        bench
            .cloud
            .endpoints()
            .iter()
            .any(|end| end.pre_shared_key == "visible_nowhere"),
        "the endpoint itself has it"
    );
}

#[test]
fn move_key_into_secret_and_back_per_tunnel() {
    let mut bench = Bench::new();
    let (_, vgw, cgw) = bench.network();
    let (vpn, [one, two]) = bench.connection(&vgw, &cgw);
    let mut moved = |ip: &str, storage: &str| {
        let at = format!(
            "VpnConnectionId={vpn}&VpnTunnelOutsideIpAddress={ip}&TunnelOptions.DPDTimeoutSeconds=30"
        );
        bench.call(&format!(
            "Action=ModifyVpnTunnelOptions&{at}&PreSharedKeyStorage={storage}"
        ));
        bench.wait(400);
        let body = bench.call(&format!(
            "Action=DescribeVpnConnections&VpnConnectionId.1={vpn}"
        ));
        let shown = ["first_key.1", "second_key.2"]
            .map(|key| body.contains(&format!("<preSharedKey>{key}<")));
        (shown, body.contains("<preSharedKeyArn>"))
    };
    assert_eq!(moved(&one, "SecretsManager"), ([false, true], true));
    assert_eq!(moved(&two, "SecretsManager"), ([false, false], true));
    assert_eq!(moved(&one, "Standard"), ([true, false], true));
    assert_eq!(
        moved(&two, "Standard"),
        ([true, true], true),
        "the name of the secret stays"
    );
    let at = format!(
        "Action=ModifyVpnTunnelOptions&VpnConnectionId={vpn}&VpnTunnelOutsideIpAddress={one}"
    );
    assert_eq!(
        bench.refused(&format!("{at}&PreSharedKeyStorage=SecretsManager")),
        "MissingParameter"
    );
    let some = "TunnelOptions.DPDTimeoutSeconds=30";
    assert_eq!(
        bench.refused(&format!("{at}&{some}&PreSharedKeyStorage=Nowhere")),
        "InvalidParameterValue"
    );
}

#[test]
fn store_log_options_and_reject_invalid_ones() {
    let mut bench = Bench::new();
    let (_, vgw, cgw) = bench.network();
    let (vpn, [one, _]) = bench.connection(&vgw, &cgw);
    let logs = "TunnelOptions.LogOptions.CloudWatchLogOptions";
    let group = "arn:aws:logs:eu-west-1:123456789012:log-group:vpn";
    let at = format!(
        "Action=ModifyVpnTunnelOptions&VpnConnectionId={vpn}&VpnTunnelOutsideIpAddress={one}"
    );
    let code = |bench: &mut Bench, what: &str| bench.refused(&format!("{at}&{what}"));
    assert_eq!(
        code(&mut bench, &format!("{logs}.LogEnabled=true")),
        "MissingParameter"
    );
    assert_eq!(
        code(&mut bench, &format!("{logs}.LogEnabled=yes")),
        "InvalidParameterValue"
    );
    assert_eq!(
        code(&mut bench, &format!("{logs}.BgpLogGroupArn=vpn")),
        "InvalidParameterValue"
    );
    assert_eq!(
        code(&mut bench, &format!("{logs}.LogOutputFormat=xml")),
        "InvalidParameterValue"
    );
    bench.call(&format!(
        "{at}&{logs}.LogEnabled=True&{logs}.LogGroupArn={group}&{logs}.LogOutputFormat=text"
    ));
    bench.wait(400);
    let describe = format!("Action=DescribeVpnConnections&VpnConnectionId.1={vpn}");
    let body = bench.call(&describe);
    assert!(
        body.contains("<logEnabled>true</logEnabled>")
            && body.contains(&format!("<logGroupArn>{group}<")),
        "{body}"
    );
    bench.call(&format!("{at}&{logs}.LogEnabled=false"));
    assert!(
        bench
            .call(&describe)
            .contains("<logEnabled>false</logEnabled>")
    );
}

#[test]
fn same_seed_and_calls_give_same_world() {
    let run = || {
        let mut bench = Bench::new();
        let (_, vgw, cgw) = bench.network();
        let (_, [one, _]) = bench.connection(&vgw, &cgw);
        bench.azure = vec![azure_end(&one, 0, "first_key.1")];
        bench.call("Action=DescribeVpnConnections");
        bench.wait(100);
        (
            bench.call("Action=DescribeVpnConnections"),
            serde_json::to_string(&(&bench.cloud, &bench.tunnels)).unwrap(),
        )
    };
    let (first, second) = (run(), run());
    assert_eq!(first, second);
    let (cloud, _): (super::AwsService, crate::dataplane::Tunnels) =
        serde_json::from_str(&first.1).unwrap();
    assert_eq!(cloud.endpoints().len(), 2, "a saved world continues");
}

#[test]
fn new_object_is_sometimes_not_found_briefly() {
    let mut bench = Bench::new();
    bench.settings.throttling = false;
    bench.cloud.quotas.vpn_gateways = 200;
    let late = (0..100)
        .filter(|_| {
            let (_, body) = bench.raw("Action=CreateVpnGateway&Type=ipsec.1");
            let describe = format!(
                "Action=DescribeVpnGateways&VpnGatewayId.1={}",
                text(&body, "vpnGatewayId")
            );
            let early = bench.raw(&describe).0;
            bench.wait(3);
            assert_eq!(bench.raw(&describe).0, 200);
            early == 400
        })
        .count();
    assert!((10..50).contains(&late), "{late} of 100");
}
