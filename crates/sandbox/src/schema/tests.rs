//! Every violation that the validator must find is found.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::{SCHEMAS, SchemaValidator};
use crate::http::{Outcome, Request};
use crate::time::SimTime;
use crate::world::{Settings, World};
use serde_json::{Value, json};

const GROUP: &str = "/subscriptions/00000000-0000-4000-a000-00000000a2e0/resourceGroups/rg";

fn request(method: &str, path: &str, query: &str, kind: &str, body: &[u8]) -> Request {
    let signature = "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260101/eu-west-1/ec2/aws4_request, SignedHeaders=host, Signature=0";
    Request {
        method: method.into(),
        base_url: "https://sandbox".into(),
        path: path.into(),
        query: query.into(),
        headers: vec![
            ("authorization".into(), signature.into()),
            ("content-type".into(), kind.into()),
        ],
        body: body.to_vec(),
    }
}

/// What is found wrong with a request that is made of a new world.
fn of_request(request: &Request) -> Vec<String> {
    let mut world = World::new(1, Settings::default());
    assert!(matches!(
        world.handle(SimTime(0), request).outcome,
        Outcome::Response(_)
    ));
    world.validator.words
}

fn put(path: &str, body: &Value) -> Request {
    let path = format!("{GROUP}/providers/Microsoft.Network/{path}");
    request(
        "PUT",
        &path,
        "api-version=2025-01-01",
        "application/json",
        body.to_string().as_bytes(),
    )
}

fn ec2(form: &str) -> Request {
    let kind = "application/x-www-form-urlencoded; charset=utf-8";
    request(
        "POST",
        "/",
        "",
        kind,
        format!("{form}&Version=2016-11-15").as_bytes(),
    )
}

#[test]
fn find_every_violation_in_azure_request() {
    let gateway = json!({"location": "eastus", "tags": {"a": "b"}, "properties": {
        "gatewayType": "Vpn", "enableBgp": true, "bgpSettings": {"asn": 65_000, "bgpPeeringAddresses": [
            {"ipconfigurationId": "x", "customBgpIpAddresses": ["169.254.21.2"]}]}}});
    let connection = json!({"location": "eastus", "properties": {"connectionType": "IPsec",
        "virtualNetworkGateway1": {"id": "g"}, "localNetworkGateway2": {"id": "l", "properties": {}},
        "gatewayCustomBgpIpAddresses": [{"ipConfigurationId": "x", "customBgpIpAddress": "y"}]}});
    let cases: [(&str, &Value, &str, Value, &str); 9] = [
        (
            "virtualNetworkGateways/g",
            &gateway,
            "/properties/enableBGP",
            true.into(),
            "enableBGP: unknown",
        ),
        (
            "virtualNetworkGateways/g",
            &gateway,
            "/properties/enableBgp",
            "true".into(),
            "text where a boolean belongs",
        ),
        (
            "virtualNetworkGateways/g",
            &gateway,
            "/properties/bgpSettings/asn",
            1.5.into(),
            "where an integer belongs",
        ),
        (
            "virtualNetworkGateways/g",
            &gateway,
            "/properties/gatewayType",
            "VPN".into(),
            "VirtualNetworkGatewayType does not",
        ),
        (
            "virtualNetworkGateways/g",
            &gateway,
            "/tags/a",
            1.into(),
            "where text belongs",
        ),
        (
            "virtualNetworkGateways/g",
            &gateway,
            "/location",
            Value::Null,
            "location: missing",
        ),
        (
            "connections/c",
            &connection,
            "/properties/virtualNetworkGateway1",
            json!({}),
            "virtualNetworkGateway1.id: missing",
        ),
        (
            "connections/c",
            &connection,
            "/properties/ipsecPolicies",
            json!([{"dhGroup": "ECP384"}]),
            "pfsGroup: missing",
        ),
        (
            "connections/c",
            &connection,
            "/properties/gatewayCustomBgpIpAddresses/0",
            json!({"ipconfigurationId": "x", "customBgpIpAddress": "y"}),
            "ipconfigurationId: unknown",
        ),
    ];
    for (path, good, pointer, value, expected) in cases {
        assert_eq!(of_request(&put(path, good)), Vec::<String>::new());
        let mut bad = good.clone();
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        match bad.pointer_mut(parent).unwrap() {
            Value::Array(items) => items[0] = value,
            parent => parent[member] = value,
        }
        let words = of_request(&put(path, &bad)).join("\n");
        assert!(words.contains(expected), "{pointer}: {words}");
    }
    let mut odd = put("virtualNetworkGateways/g", &gateway);
    odd.query.push_str("&flavour=1");
    assert!(of_request(&odd)[0].contains("query.flavour: unknown"));
    let key = put("connections/c/sharedkey", &json!({"value": 5}));
    assert!(of_request(&key)[0].contains("PutSharedKey: request.value: a number"));
    let silent = put(
        "connections/c/sharedkey",
        &json!({"value": "secret.of.mine", "secret.too": "secret.of.mine"}),
    );
    assert!(
        !of_request(&silent).join("").contains("secret.of.mine"),
        "a value is reported"
    );
}

#[test]
fn find_every_violation_in_ec2_request() {
    let good = "Action=CreateVpnConnection&Type=ipsec.1&CustomerGatewayId=cgw-1&VpnGatewayId=vgw-1\
                &Options.StaticRoutesOnly=false&Options.TunnelOptions.1.Phase1DHGroupNumber.1.Value=20\
                &Options.TunnelOptions.2.StartupAction=start\
                &TagSpecification.1.ResourceType=vpn-connection&TagSpecification.1.Tag.1.Key=a&TagSpecification.1.Tag.1.Value=b";
    assert_eq!(of_request(&ec2(good)), Vec::<String>::new());
    for (from, to, expected) in [
        ("Type=ipsec.1&", "", "request.Type: missing"),
        (
            "Phase1DHGroupNumber",
            "Phase1DHGroupNumbers",
            "Phase1DHGroupNumbers: unknown",
        ),
        (".Value=20", ".Value=twenty", "Value: no 32-bit integer"),
        (
            "StaticRoutesOnly=false",
            "StaticRoutesOnly=0",
            "neither true nor false",
        ),
        (
            "TunnelOptions.2",
            "TunnelOptions.3",
            "numbered from 1 without gaps",
        ),
        ("=vpn-connection", "=vpn", "ResourceType does not have"),
        (
            "VpnGatewayId=",
            "VpnGatewayId.1=",
            "a structure where a plain value belongs",
        ),
        (
            "Tag.1.Key=a&",
            "Tag.1.Key.Name=a&",
            "a structure where a plain value belongs",
        ),
    ] {
        let bad = good.replacen(from, to, if from.starts_with("Type") { 1 } else { 9 });
        assert_ne!(bad, good);
        let words = of_request(&ec2(&bad)).join("\n");
        assert!(words.contains(expected), "{to}: {words}");
    }
    assert!(of_request(&ec2("Action=LaunchRocket"))[0].contains("no schema"));
    assert!(
        of_request(&request("GET", "/favicon.ico", "", "", b""))[0].contains("neither cloud has")
    );
}

#[test]
fn find_every_violation_in_response() {
    let mut world = World::new(1, Settings::default());
    let create = ec2("Action=CreateVpnGateway&Type=ipsec.1");
    let Outcome::Response(complete) = world.handle(SimTime(0), &create).outcome else {
        panic!("no answer")
    };
    let text = String::from_utf8(complete.body.clone()).unwrap();
    let call = crate::aws::AwsService::classify(&create).unwrap();
    for (from, to, expected) in [
        ("<state>pending", "<state>waiting", "VpnState does not have"),
        ("<amazonSideAsn>64512", "<amazonSideAsn>many", "no integer"),
        (
            "<amazonSideAsn>64512</amazonSideAsn>",
            "",
            "amazonSideAsn: missing",
        ),
        ("<state>", "<colour>red</colour><state>", "colour: unknown"),
        ("</state>", "</state><state>pending</state>", "there twice"),
        (
            "<type>ipsec.1</type>",
            "<type><item>ipsec.1</item></type>",
            "an element where text belongs",
        ),
        (
            "</attachments>",
            "<member></member></attachments>",
            "not what items of a list are called",
        ),
        (
            "CreateVpnGatewayResponse",
            "CreateVpnGatewayResult",
            "not what the answer is called",
        ),
        ("</vpnGateway>", "", "an element where text belongs"),
    ] {
        let bad = text.replace(from, to);
        assert_ne!(bad, text, "{from} is not in {text}");
        let (mut validator, mut answer) = (SchemaValidator::default(), complete.clone());
        answer.body = bad.into_bytes();
        validator.aws(&call, &create, Some(&answer));
        assert!(
            validator.words.join("\n").contains(expected),
            "{to}: {:?}",
            validator.words
        );
    }

    let ask = put("localNetworkGateways/l", &json!({}));
    let good = json!({"error": {"code": "A", "message": "b", "details": []}});
    let answer = |status: u16, body: &Value| {
        let mut validator = SchemaValidator::default();
        let response =
            crate::http::Response::new(status).with_body("application/json", body.to_string());
        validator.azure("PutLocalGateway", &ask, Some(&response));
        validator.words.join("\n")
    };
    assert!(
        !answer(400, &good).contains("answer."),
        "{}",
        answer(400, &good)
    );
    assert!(answer(400, &json!({"error": {"message": "b"}})).contains("code: missing"));
    assert!(answer(400, &good).contains("header x-ms-request-id is missing"));
    let words = answer(
        201,
        &json!({"name": "l", "etag": null, "properties": {"provisioningState": "Done"}}),
    );
    for expected in [
        "answer.id: missing",
        "answer.etag: null where text belongs",
        "ProvisioningState does not have",
        "properties.resourceGuid: missing",
        "header Azure-AsyncOperation is missing with status 201",
    ] {
        assert!(words.contains(expected), "{expected}: {words}");
    }
    assert!(answer(204, &good).contains("status 204, which this operation does not have"));
}

#[test]
fn parse_embedded_schemas() {
    assert!(SCHEMAS.is_ok(), "{:?}", SCHEMAS.as_ref().err());
}
