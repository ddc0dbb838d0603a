//! Answers that no other test asks for. The bench holds every answer against the service model.

use super::{Bench, azure_end, text};

/// Responses about tunnels that are up, have logs or are being replaced conform to the service
/// model.
#[test]
fn responses_match_service_model() {
    let mut bench = Bench::new();
    let (vpc, vgw, cgw) = bench.network();
    let (vpn, [one, two]) = bench.connection(&vgw, &cgw);
    bench.azure = vec![
        azure_end(&one, 0, "first_key.1"),
        azure_end(&two, 1, "second_key.2"),
    ];
    bench.call("Action=DescribeVpcs");
    bench.wait(120);
    let table = text(&bench.call("Action=DescribeRouteTables"), "routeTableId");
    bench.call(&format!(
        "Action=EnableVgwRoutePropagation&GatewayId={vgw}&RouteTableId={table}"
    ));
    bench.call(&format!(
        "Action=CreateTags&ResourceId.1={vpn}&Tag.1.Key=a&Tag.1.Value=b"
    ));
    let tgw = text(
        &bench.call("Action=CreateTransitGateway"),
        "transitGatewayId",
    );
    bench.wait(200);
    let at = format!("VpnConnectionId={vpn}&VpnTunnelOutsideIpAddress={one}");
    let options = "TunnelOptions.DPDTimeoutAction=restart&TunnelOptions.IKEVersion.1.Value=ikev2&TunnelOptions.EnableTunnelLifecycleControl=true\
                   &TunnelOptions.LogOptions.CloudWatchLogOptions.LogEnabled=true&TunnelOptions.LogOptions.CloudWatchLogOptions.LogGroupArn=arn:aws:logs:eu-west-1:123456789012:log-group:vpn";
    for form in [
        "Action=DescribeVpcs".to_owned(),
        "Action=DescribeVpnGateways".into(),
        "Action=DescribeCustomerGateways".into(),
        "Action=DescribeVpnConnections".into(),
        "Action=DescribeRouteTables".into(),
        "Action=DescribeTags".into(),
        "Action=DescribeTransitGateways".into(),
        format!("Action=GetActiveVpnTunnelStatus&{at}"),
        format!("Action=GetVpnTunnelReplacementStatus&{at}"),
        format!("Action=ModifyVpnTunnelOptions&{at}&{options}"),
        "Action=CreateVpnGateway&Type=ipsec.1".into(),
        "Action=CreateCustomerGateway&Type=ipsec.1&IpAddress=20.0.0.77&DeviceName=x".into(),
        format!(
            "Action=CreateVpnConnection&Type=ipsec.1&CustomerGatewayId={cgw}&TransitGatewayId={tgw}"
        ),
        "Action=DescribeTransitGatewayAttachments".into(),
        format!("Action=AttachVpnGateway&VpcId={vpc}&VpnGatewayId={vgw}"),
    ] {
        assert!(
            bench.call(&form).matches('<').count() > 6,
            "{form} answered nothing"
        );
    }
}
