//! Shapes of the real service, condensed from public recordings of azure-cli and azure-powershell
//! tests (2019-2022).

use super::*;

/// Every member of `recorded` is in `body` with a value of the same type, or, where the recording
/// has text in capitals between angle brackets, any; members of the recording's closed objects
/// (`_only`) are the only ones.
pub(super) fn same_shape(body: &Value, recorded: &Value, path: &str) {
    match recorded {
        Value::Object(members) => {
            let got = body.as_object().unwrap_or_else(|| panic!("{path}: {body}"));
            for (name, value) in members {
                let found = got
                    .get(name)
                    .unwrap_or_else(|| panic!("{path}/{name} is missing in {body}"));
                same_shape(found, value, &format!("{path}/{name}"));
            }
            let extra: Vec<_> = got
                .keys()
                .filter(|name| !members.contains_key(*name))
                .collect();
            assert!(extra.is_empty(), "{path}: not recorded: {extra:?}");
        }
        Value::Array(items) => {
            let got = body.as_array().unwrap_or_else(|| panic!("{path}: {body}"));
            assert_eq!(got.len(), items.len(), "{path}");
            for (i, (got, item)) in got.iter().zip(items).enumerate() {
                same_shape(got, item, &format!("{path}/{i}"));
            }
        }
        Value::String(text) if text == "<ANY>" => assert!(body.is_string(), "{path}"),
        Value::String(text) if text.starts_with('~') => {
            assert!(
                body.as_str().unwrap().ends_with(&text[1..]),
                "{path}: {body}"
            );
        }
        exact => assert_eq!(body, exact, "{path}"),
    }
}

pub(super) fn asynchronous(got: &Got) {
    for (name, value) in [
        ("Cache-Control", "no-cache"),
        ("Pragma", "no-cache"),
        ("Expires", "-1"),
        ("Content-Type", "application/json; charset=utf-8"),
        ("Server", "Microsoft-HTTPAPI/2.0"),
        (
            "Strict-Transport-Security",
            "max-age=31536000; includeSubDomains",
        ),
        ("X-Content-Type-Options", "nosniff"),
        ("Azure-AsyncNotification", "Enabled"),
        ("Retry-After", "10"),
    ] {
        assert_eq!(got.header(name), Some(value), "{name}");
    }
    for name in [
        "Azure-AsyncOperation",
        "x-ms-correlation-request-id",
        "x-ms-arm-service-request-id",
        "x-ms-routing-request-id",
    ] {
        assert!(got.header(name).is_some(), "{name}");
    }
    assert_eq!(got.header("etag"), None);
}

#[test]
fn virtual_network_matches_recording() {
    let mut bench = Bench::new(31);
    bench.send("PUT", GROUP, &json!({"location": "westus"}));
    let got = bench.send(
        "PUT",
        &format!("{NET}/virtualNetworks/vnet1"),
        &json!({"location": "westus", "tags": {}, "properties": {
            "addressSpace": {"addressPrefixes": ["10.11.0.0/16", "10.12.0.0/16"]}, "dhcpOptions": {},
            "subnets": [{"name": "GatewaySubnet", "properties": {"addressPrefix": "10.12.255.0/27",
                "privateEndpointNetworkPolicies": "Disabled", "privateLinkServiceNetworkPolicies": "Enabled"}}]}}),
    );
    assert_eq!(got.status, 201);
    asynchronous(&got);
    let recorded = json!({
        "name": "vnet1", "id": format!("{NET}/virtualNetworks/vnet1"), "etag": "<ANY>",
        "type": "Microsoft.Network/virtualNetworks", "location": "westus", "tags": {},
        "properties": {"provisioningState": "Updating", "resourceGuid": "<ANY>",
            "addressSpace": {"addressPrefixes": ["10.11.0.0/16", "10.12.0.0/16"]}, "dhcpOptions": {"dnsServers": []},
            "subnets": [{"name": "GatewaySubnet", "id": "~/virtualNetworks/vnet1/subnets/GatewaySubnet",
                "etag": got.body["etag"], "properties": {"provisioningState": "Updating", "addressPrefix": "10.12.255.0/27",
                    "delegations": [], "privateEndpointNetworkPolicies": "Disabled", "privateLinkServiceNetworkPolicies": "Enabled"},
                "type": "Microsoft.Network/virtualNetworks/subnets"}],
            "virtualNetworkPeerings": [], "enableDdosProtection": false}});
    same_shape(&got.body, &recorded, "");
    bench.wait(&got);
    let after = bench.call("GET", &format!("{NET}/virtualNetworks/vnet1"));
    assert_ne!(after.body["etag"], got.body["etag"]);
    assert_eq!(
        after.body["properties"]["subnets"][0]["properties"]["provisioningState"],
        "Succeeded"
    );
}

#[test]
fn dynamic_public_ip_matches_recording() {
    let mut bench = Bench::new(32);
    bench.send("PUT", GROUP, &json!({"location": "westus"}));
    let url = format!("{NET}/publicIPAddresses/gwip1");
    let got = bench.send(
        "PUT",
        &url,
        &json!({"location": "westus", "properties": {"publicIPAllocationMethod": "Dynamic",
        "publicIPAddressVersion": "IPv4", "idleTimeoutInMinutes": 4}}),
    );
    assert_eq!(got.status, 201);
    asynchronous(&got);
    let recorded = json!({"name": "gwip1", "id": url, "etag": "<ANY>", "location": "westus",
        "properties": {"provisioningState": "Updating", "resourceGuid": "<ANY>", "publicIPAddressVersion": "IPv4",
            "publicIPAllocationMethod": "Dynamic", "idleTimeoutInMinutes": 4, "ipTags": []},
        "type": "Microsoft.Network/publicIPAddresses", "sku": {"name": "Basic", "tier": "Regional"}});
    same_shape(&got.body, &recorded, "");
    bench.wait(&got);
    assert!(
        bench.call("GET", &url).body["properties"]
            .get("ipAddress")
            .is_none()
    );
}

#[test]
fn local_gateway_matches_recording() {
    let mut bench = Bench::new(33);
    bench.send("PUT", GROUP, &json!({"location": "eastus"}));
    let url = format!("{NET}/localNetworkGateways/lgw2");
    let space = json!({"addressPrefixes": ["10.52.255.253/32"]});
    let got = bench.send(
        "PUT",
        &url,
        &json!({"location": "eastus", "properties": {
        "bgpSettings": {"asn": 65_050, "bgpPeeringAddress": "10.52.255.253"}, "gatewayIpAddress": "131.107.72.22",
        "localNetworkAddressSpace": space}}),
    );
    assert_eq!(got.status, 201);
    asynchronous(&got);
    let recorded = json!({"name": "lgw2", "id": url, "etag": "<ANY>", "type": "Microsoft.Network/localNetworkGateways",
        "location": "eastus", "properties": {"provisioningState": "Updating", "resourceGuid": "<ANY>",
            "localNetworkAddressSpace": space, "gatewayIpAddress": "131.107.72.22",
            "bgpSettings": {"asn": 65_050, "bgpPeeringAddress": "10.52.255.253", "peerWeight": 0}}});
    same_shape(&got.body, &recorded, "");
}

#[test]
fn connection_and_its_delete_match_recording() {
    let mut bench = Bench::link(34);
    let url = format!("{NET}/connections/c");
    let missing = bench.call("GET", &url);
    assert_eq!(
        (missing.status, missing.header("x-ms-failure-cause")),
        (404, Some("gateway"))
    );
    let message =
        "The Resource 'Microsoft.Network/connections/c' under resource group 'rg' was not found.";
    assert_eq!(
        missing.body,
        json!({"error": {"code": "ResourceNotFound", "message": message}})
    );

    let mut body = connection(1);
    body["location"] = "East US".into();
    body["properties"]["virtualNetworkGateway1"] = bench.call("GET", &gateway_url()).body;
    let got = bench.send("PUT", &url, &body);
    assert_eq!(got.status, 201);
    asynchronous(&got);
    let mut recorded = json!({"name": "c", "id": url, "etag": "<ANY>", "type": "Microsoft.Network/connections",
        "location": "eastus", "properties": {"provisioningState": "Updating", "resourceGuid": "<ANY>",
            "packetCaptureDiagnosticState": "None", "virtualNetworkGateway1": {"id": gateway_url()},
            "localNetworkGateway2": {"id": format!("{NET}/localNetworkGateways/l1")}, "connectionType": "IPsec",
            "connectionProtocol": "IKEv2", "routingWeight": 0, "enableBgp": true, "usePolicyBasedTrafficSelectors": false,
            "ipsecPolicies": [], "trafficSelectorPolicies": [], "ingressBytesTransferred": 0, "egressBytesTransferred": 0,
            "expressRouteGatewayBypass": false, "useLocalAzureIpAddress": false, "dpdTimeoutSeconds": 0,
            "connectionMode": "ResponderOnly"}});
    recorded["properties"]["gatewayCustomBgpIpAddresses"] =
        body["properties"]["gatewayCustomBgpIpAddresses"].clone();
    same_shape(&got.body, &recorded, "");
    bench.wait(&got);
    let status = bench.call("GET", &url).body["properties"]["connectionStatus"].clone();
    assert!(status == "Unknown" || status == "NotConnected", "{status}");

    let gone = bench.call("DELETE", &url);
    assert_eq!((gone.status, gone.response.body.len()), (202, 0));
    let location = gone.header("Location").unwrap().to_owned();
    assert!(
        location.contains("/operationResults/") && gone.header("Azure-AsyncOperation").is_some()
    );
    assert_eq!(bench.call("GET", &location).status, 202);
    assert_eq!(bench.wait(&gone), json!({"status": "Succeeded"}));
    let end = bench.call("GET", &location);
    assert_eq!(
        (end.status, end.header("Location")),
        (204, Some(location.as_str()))
    );
}

/// The result of a gateway query is returned at its location as often as it is requested.
#[test]
fn gateway_query_result_can_be_read_repeatedly() {
    let mut bench = Bench::link(35);
    for question in [
        "getBgpPeerStatus",
        "getLearnedRoutes",
        "getAdvertisedRoutes?peer=169.254.21.1",
    ] {
        let (action, query) = question.split_once('?').unwrap_or((question, "x="));
        let got = bench.call(
            "POST",
            &format!("{}/{action}?{VERSION}&{query}", gateway_url()),
        );
        assert_eq!(
            (got.status, got.response.body.as_slice()),
            (202, b"null".as_slice())
        );
        assert_eq!(
            (
                got.header("Azure-AsyncOperation"),
                got.header("Retry-After")
            ),
            (None, Some("10"))
        );
        let location = got.header("Location").unwrap().to_owned();
        assert_eq!(bench.call("GET", &location).status, 202);
        bench.pass(SimDuration::seconds(10));
        let first = bench.call("GET", &location);
        assert!(
            first.status == 200 && first.body["value"].is_array(),
            "{question}: {}",
            first.body
        );
        assert_eq!(bench.call("GET", &location).body, first.body);
    }
    assert_eq!(
        bench
            .call("POST", &format!("{}/getAdvertisedRoutes", gateway_url()))
            .status,
        400
    );
}
