//! Gateways of other users in AWS, on which a scenario puts the link.

use crate::simulated::{REGION, leak_checker};
use awsazure_sandbox::http::{Outcome, Request};
use awsazure_sandbox::time::SimDuration;
use awsazure_sandbox::world::World;

/// A user makes a transit gateway; its id once it is available.
pub fn transit_gateway(world: &mut World) -> String {
    create_foreign(
        world,
        "CreateTransitGateway",
        "Options.AmazonSideAsn=64700",
        "transitGatewayId",
    )
}

/// A user makes a VPN gateway, attaches it to a VPC and lets its routes into the main table there,
/// but not into another one; its id once that is so, and both tables.
pub(super) fn vpn_gateway(world: &mut World) -> (String, [String; 2]) {
    let marked = |kind: &str| {
        let (key, value) = leak_checker::FOREIGN_TAG;
        let tag =
            format!("TagSpecification.1.Tag.1.Key={key}&TagSpecification.1.Tag.1.Value={value}");
        format!("TagSpecification.1.ResourceType={kind}&{tag}")
    };
    let vpc = format!("CidrBlock=10.8.0.0%2F16&{}", marked("vpc"));
    let vpc = create_foreign(world, "CreateVpc", &vpc, "vpcId");
    let gateway = format!("Type=ipsec.1&AmazonSideAsn=64700&{}", marked("vpn-gateway"));
    let gateway = create_foreign(world, "CreateVpnGateway", &gateway, "vpnGatewayId");
    create_foreign(
        world,
        "AttachVpnGateway",
        &format!("VpcId={vpc}&VpnGatewayId={gateway}"),
        "state",
    );
    let of_vpc = format!("Filter.1.Name=vpc-id&Filter.1.Value.1={vpc}");
    let main = create_foreign(world, "DescribeRouteTables", &of_vpc, "routeTableId");
    let on = format!("RouteTableId={main}&GatewayId={gateway}");
    create_foreign(world, "EnableVgwRoutePropagation", &on, "return");
    let other = format!("VpcId={vpc}&{}", marked("route-table"));
    let other = create_foreign(world, "CreateRouteTable", &other, "routeTableId");
    (gateway, [main, other])
}

/// A user calls EC2; what the answer says in `element`, ten minutes later.
pub fn create_foreign(world: &mut World, action: &str, parameters: &str, element: &str) -> String {
    let caller = format!(
        "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260101/{REGION}/ec2/aws4_request, Signature=0"
    );
    let form = "application/x-www-form-urlencoded; charset=utf-8";
    let headers = [
        ("authorization", caller.as_str()),
        ("x-amz-date", "20260101T000000Z"),
        ("content-type", form),
    ];
    let request = Request {
        method: "POST".to_owned(),
        base_url: "https://ec2.sandbox".to_owned(),
        path: "/".to_owned(),
        query: String::new(),
        headers: headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        body: format!("Action={action}&Version=2016-11-15&{parameters}").into_bytes(),
    };
    let Outcome::Response(made) = world.handle(world.now(), &request).outcome else {
        panic!("no answer")
    };
    let made = String::from_utf8(made.body).unwrap();
    let (_, rest) = made
        .split_once(&format!("<{element}>"))
        .unwrap_or_else(|| panic!("{made}"));
    world.advance(world.now() + SimDuration::minutes(10));
    rest.split_once('<').unwrap().0.to_owned()
}
