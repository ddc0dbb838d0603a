//! VPCs, subnets, route tables, tags and filters.

use super::{Bench, text};

#[test]
fn create_and_delete_public_subnet_in_order() {
    let mut bench = Bench::new();
    let vpc = text(
        &bench.call("Action=CreateVpc&CidrBlock=10.1.0.0/16&TagSpecification.1.ResourceType=vpc&TagSpecification.1.Tag.1.Key=Name&TagSpecification.1.Tag.1.Value=VPC1"),
        "vpcId",
    );
    bench.call(&format!(
        "Action=AssociateVpcCidrBlock&VpcId={vpc}&CidrBlock=100.64.0.0/16"
    ));
    assert_eq!(
        bench.refused(&format!(
            "Action=CreateSubnet&VpcId={vpc}&CidrBlock=10.2.0.0/24"
        )),
        "InvalidSubnet.Range"
    );
    let subnet = text(
        &bench.call(&format!(
            "Action=CreateSubnet&VpcId={vpc}&CidrBlock=10.1.0.0/24"
        )),
        "subnetId",
    );
    assert_eq!(
        bench.refused(&format!(
            "Action=CreateSubnet&VpcId={vpc}&CidrBlock=10.1.0.0/25"
        )),
        "InvalidSubnet.Conflict"
    );
    let igw = text(
        &bench.call("Action=CreateInternetGateway"),
        "internetGatewayId",
    );
    let table = text(
        &bench.call(&format!("Action=CreateRouteTable&VpcId={vpc}")),
        "routeTableId",
    );
    let route = format!(
        "Action=CreateRoute&RouteTableId={table}&DestinationCidrBlock=0.0.0.0/0&GatewayId={igw}"
    );
    assert_eq!(
        bench.refused(&route),
        "InvalidParameterValue",
        "not attached yet"
    );
    bench.call(&format!(
        "Action=AttachInternetGateway&VpcId={vpc}&InternetGatewayId={igw}"
    ));
    bench.call(&route);
    let association = text(
        &bench.call(&format!(
            "Action=AssociateRouteTable&SubnetId={subnet}&RouteTableId={table}"
        )),
        "associationId",
    );
    let by_subnet = format!(
        "Action=DescribeRouteTables&Filter.1.Name=association.subnet-id&Filter.1.Value.1={subnet}"
    );
    let body = bench.call(&by_subnet);
    assert_eq!(text(&body, "routeTableId"), table);
    for destination in ["10.1.0.0/16", "100.64.0.0/16", "0.0.0.0/0"] {
        assert!(
            body.contains(&format!("<destinationCidrBlock>{destination}<")),
            "{body}"
        );
    }
    let main = format!(
        "Action=DescribeRouteTables&Filter.1.Name=association.main&Filter.1.Value.1=true&Filter.2.Name=vpc-id&Filter.2.Value.1={vpc}"
    );
    assert_ne!(text(&bench.call(&main), "routeTableId"), table);

    assert_eq!(
        bench.refused(&format!("Action=DeleteVpc&VpcId={vpc}")),
        "DependencyViolation"
    );
    assert_eq!(
        bench.refused(&format!("Action=DeleteRouteTable&RouteTableId={table}")),
        "DependencyViolation"
    );
    assert_eq!(
        bench.refused(&format!(
            "Action=DeleteInternetGateway&InternetGatewayId={igw}"
        )),
        "DependencyViolation"
    );
    bench.call(&format!(
        "Action=DisassociateRouteTable&AssociationId={association}"
    ));
    bench.call(&format!("Action=DeleteRouteTable&RouteTableId={table}"));
    bench.call(&format!("Action=DeleteSubnet&SubnetId={subnet}"));
    bench.call(&format!(
        "Action=DetachInternetGateway&VpcId={vpc}&InternetGatewayId={igw}"
    ));
    bench.call(&format!(
        "Action=DeleteInternetGateway&InternetGatewayId={igw}"
    ));
    bench.call(&format!("Action=DeleteVpc&VpcId={vpc}"));
    assert!(
        bench.cloud.objects().is_empty(),
        "the main table goes with its VPC"
    );
}

#[test]
fn create_change_filter_and_list_tags() {
    let mut bench = Bench::new();
    let make = |key: &str, value: &str| {
        format!(
            "Action=CreateVpnGateway&Type=ipsec.1&TagSpecification.1.ResourceType=vpn-gateway&TagSpecification.1.Tag.1.Key={key}&TagSpecification.1.Tag.1.Value={value}"
        )
    };
    let one = text(&bench.call(&make("awsazure:link", "a")), "vpnGatewayId");
    let two = text(&bench.call(&make("awsazure:link", "b")), "vpnGatewayId");
    let find = |name: &str, value: &str| {
        format!("Action=DescribeVpnGateways&Filter.1.Name={name}&Filter.1.Value.1={value}")
    };
    assert_eq!(
        text(&bench.call(&find("tag:awsazure:link", "b")), "vpnGatewayId"),
        two
    );
    assert!(
        bench
            .call(&find("tag:awsazure:link", "c"))
            .contains("<vpnGatewaySet></vpnGatewaySet>")
    );
    assert_eq!(
        bench
            .call(&find("tag-key", "awsazure:*"))
            .matches("<vpnGatewayId>")
            .count(),
        2
    );
    bench.call(&format!(
        "Action=CreateTags&ResourceId.1={one}&ResourceId.2={two}&Tag.1.Key=team&Tag.1.Value=net"
    ));
    bench.call(&format!(
        "Action=DeleteTags&ResourceId.1={two}&Tag.1.Key=team&Tag.1.Value=other"
    ));
    assert_eq!(
        bench
            .call(&find("tag:team", "net"))
            .matches("<vpnGatewayId>")
            .count(),
        2,
        "another value: untouched"
    );
    bench.call(&format!(
        "Action=DeleteTags&ResourceId.1={two}&Tag.1.Key=team"
    ));
    let listed = bench.call("Action=DescribeTags&Filter.1.Name=key&Filter.1.Value.1=team");
    assert_eq!(text(&listed, "resourceId"), one);
    assert_eq!(text(&listed, "resourceType"), "vpn-gateway");
    assert_eq!(
        bench.refused(&format!(
            "Action=CreateTags&ResourceId.1={one}&ResourceId.2=vgw-0000&Tag.1.Key=k&Tag.1.Value=v"
        )),
        "InvalidVpnGatewayID.NotFound"
    );
    assert!(
        bench
            .call(&find("tag-key", "k"))
            .contains("<vpnGatewaySet></vpnGatewaySet>"),
        "all or none"
    );
}

#[test]
fn regions_are_isolated() {
    let mut bench = Bench::new();
    bench.call("Action=CreateVpc&CidrBlock=10.1.0.0/16");
    let mut elsewhere = super::signed("Action=DescribeVpcs&Version=2016-11-15");
    for (_, value) in &mut elsewhere.headers {
        *value = value.replace("eu-west-1", "us-gov-west-1");
    }
    let body = String::from_utf8(bench.send(&elsewhere).body).unwrap();
    assert!(body.contains("<vpcSet></vpcSet>"));
    assert_eq!(
        bench.call("Action=DescribeVpcs").matches("<vpcId>").count(),
        1
    );
}
