//! Element names held against the service model, where that file is at hand.

use super::{Bench, azure_end, text};
use serde_json::Value;
use std::collections::BTreeMap;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/specs/aws-ec2-vpn-subset.json");

/// An element: its children, or none for text.
#[derive(Debug)]
struct Element {
    name: String,
    children: Vec<Element>,
}

fn parse(xml: &str) -> Element {
    let mut open = vec![Element { name: String::new(), children: Vec::new() }];
    for tag in xml.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()).filter(|tag| !tag.starts_with('?')) {
        if tag.starts_with('/') {
            let done = open.pop().unwrap();
            assert_eq!(tag.trim_start_matches('/'), done.name);
            open.last_mut().unwrap().children.push(done);
        } else {
            let name = tag.split(' ').next().unwrap().to_owned();
            open.push(Element { name, children: Vec::new() });
        }
    }
    open.pop().unwrap().children.pop().unwrap()
}

/// Every element must be a member of its shape; gives the wrong ones.
fn check(model: &Value, shape: &str, element: &Element, path: &str, wrong: &mut Vec<String>) {
    let shape = &model["shapes"][shape];
    match shape["type"].as_str().unwrap() {
        "structure" => {
            let members: BTreeMap<&str, &str> = shape["members"]
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, member)| {
                    (member["locationName"].as_str().unwrap_or(name), member["shape"].as_str().unwrap())
                })
                .collect();
            for child in &element.children {
                let path = format!("{path}.{}", child.name);
                match members.get(child.name.as_str()) {
                    Some(shape) => check(model, shape, child, &path, wrong),
                    None => wrong.push(path),
                }
            }
        }
        "list" => {
            for child in &element.children {
                let member = &shape["member"];
                if child.name != member["locationName"].as_str().unwrap_or("member") {
                    wrong.push(format!("{path}.{}", child.name));
                }
                check(model, member["shape"].as_str().unwrap(), child, &format!("{path}[]"), wrong);
            }
        }
        _ if !element.children.is_empty() => wrong.push(format!("{path} is not text")),
        _ => {}
    }
}

#[test]
fn every_element_of_the_answers_is_in_the_service_model() {
    let Ok(text_of_model) = std::fs::read_to_string(MODEL) else {
        eprintln!("skipped: no {MODEL}");
        return;
    };
    let model: Value = serde_json::from_str(&text_of_model).unwrap();
    let mut bench = Bench::new();
    let (vpc, vgw, cgw) = bench.network();
    let (vpn, [one, two]) = bench.connection(&vgw, &cgw);
    bench.azure = vec![azure_end(&one, 0, "first_key.1"), azure_end(&two, 1, "second_key.2")];
    bench.call("Action=DescribeVpcs");
    bench.wait(120);
    let table = text(&bench.call("Action=DescribeRouteTables"), "routeTableId");
    bench.call(&format!("Action=EnableVgwRoutePropagation&GatewayId={vgw}&RouteTableId={table}"));
    bench.call(&format!("Action=CreateTags&ResourceId.1={vpn}&Tag.1.Key=a&Tag.1.Value=b"));
    let tgw = text(&bench.call("Action=CreateTransitGateway"), "transitGatewayId");
    bench.wait(200);
    let at = format!("VpnConnectionId={vpn}&VpnTunnelOutsideIpAddress={one}");
    let options = "TunnelOptions.DPDTimeoutAction=restart&TunnelOptions.IKEVersion.1.Value=ikev2&TunnelOptions.EnableTunnelLifecycleControl=true\
                   &TunnelOptions.LogOptions.CloudWatchLogOptions.LogEnabled=true&TunnelOptions.LogOptions.CloudWatchLogOptions.LogGroupArn=arn";
    let mut checked = 0;
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
        format!("Action=CreateVpnConnection&Type=ipsec.1&CustomerGatewayId={cgw}&TransitGatewayId={tgw}"),
        "Action=DescribeTransitGatewayAttachments".into(),
        format!("Action=AttachVpnGateway&VpcId={vpc}&VpnGatewayId={vgw}"),
    ] {
        let operation = form.split(['=', '&']).nth(1).unwrap().to_owned();
        let mut root = parse(&bench.call(&form));
        assert_eq!(root.name, format!("{operation}Response"));
        root.children.retain(|child| child.name != "requestId");
        let shape = model["operations"][&operation]["output"]["shape"].as_str().unwrap();
        let mut wrong = Vec::new();
        check(&model, shape, &root, &operation, &mut wrong);
        assert!(wrong.is_empty(), "{wrong:?}");
        assert!(!root.children.is_empty(), "{operation} answered nothing");
        checked += 1;
    }
    assert_eq!(checked, 15);
}
