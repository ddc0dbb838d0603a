//! Shapes of the real service for a complete active-active gateway (recorded 2022-08-18), what its
//! questions are answered with (2019-04-09) and how a resource group goes. SKU and zones are
//! today's: the recorded SKU can no longer be made.

use super::recorded::{asynchronous, same_shape};
use super::*;

fn id(rest: &str) -> String {
    format!("{NET}/{rest}")
}

/// The recorded network and addresses, and the gateway's PUT.
fn recorded_site(bench: &mut Bench) -> Value {
    bench.send("PUT", GROUP, &json!({"location": "westus"}));
    let network = json!({"location": "westus", "properties": {
        "addressSpace": {"addressPrefixes": ["10.11.0.0/16", "10.12.0.0/16"]},
        "subnets": [{"name": "GatewaySubnet", "properties": {"addressPrefix": "10.12.255.0/27"}}]}});
    bench.done("PUT", &id("virtualNetworks/vnet1"), &network);
    let mut ip = public_ip();
    ip["location"] = "westus".into();
    // West US has no availability zones.
    ip.as_object_mut().unwrap().remove("zones");
    for name in ["gwip1", "gwip2"] {
        bench.done("PUT", &id(&format!("publicIPAddresses/{name}")), &ip);
    }
    let configuration = |i: usize| {
        json!({"name": format!("vnetGatewayConfig{i}"), "properties": {"privateIPAllocationMethod": "Dynamic",
            "subnet": {"id": id("virtualNetworks/vnet1/subnets/GatewaySubnet")},
            "publicIPAddress": {"id": id(&format!("publicIPAddresses/gwip{}", i + 1))}}})
    };
    json!({"location": "westus", "tags": {"foo": "doo"}, "properties": {
        "ipConfigurations": [configuration(0), configuration(1)], "gatewayType": "Vpn", "vpnType": "RouteBased",
        "enableBgp": true, "activeActive": true, "sku": {"name": "VpnGw2AZ", "tier": "VpnGw2AZ"},
        "bgpSettings": {"asn": 65_010}, "vpnGatewayGeneration": "Generation1"}})
}

/// The order of the instances' entries is the service's own affair.
fn sorted(mut body: Value) -> Value {
    let entries = body["properties"]["bgpSettings"]["bgpPeeringAddresses"]
        .as_array_mut()
        .unwrap();
    entries.sort_by_key(|entry| entry["ipconfigurationId"].to_string());
    body
}

/// The gateway's document; what only one of the two recorded moments has is in `properties` and
/// `entry`.
fn recorded_gateway(state: &str, properties: &Value, entry: impl Fn(usize) -> Value) -> Value {
    let gateway = id("virtualNetworkGateways/gw1");
    let (mut configurations, mut entries) = (Vec::new(), Vec::new());
    for i in 0..2 {
        let own = format!("{gateway}/ipConfigurations/vnetGatewayConfig{i}");
        configurations.push(
            json!({"name": format!("vnetGatewayConfig{i}"), "id": own, "etag": "<ANY>",
            "type": "Microsoft.Network/virtualNetworkGateways/ipConfigurations",
            "properties": {"provisioningState": state, "privateIPAllocationMethod": "Dynamic",
                "publicIPAddress": {"id": id(&format!("publicIPAddresses/gwip{}", i + 1))},
                "subnet": {"id": id("virtualNetworks/vnet1/subnets/GatewaySubnet")}}}),
        );
        let mut recorded = entry(i);
        recorded["ipconfigurationId"] = own.into();
        recorded["customBgpIpAddresses"] = json!([]);
        entries.push(recorded);
    }
    let mut document = json!({"name": "gw1", "id": gateway, "etag": "<ANY>", "type": "Microsoft.Network/virtualNetworkGateways",
        "location": "westus", "tags": {"foo": "doo"}, "properties": {"provisioningState": state, "resourceGuid": "<ANY>",
            "packetCaptureDiagnosticState": "None", "enablePrivateIpAddress": false, "isMigrateToCSES": false,
            "ipConfigurations": configurations, "natRules": [], "virtualNetworkGatewayPolicyGroups": [],
            "enableBgpRouteTranslationForNat": false, "disableIPSecReplayProtection": false,
            "sku": {"name": "VpnGw2AZ", "tier": "VpnGw2AZ", "capacity": 2}, "gatewayType": "Vpn", "vpnType": "RouteBased",
            "enableBgp": true, "activeActive": true, "vpnGatewayGeneration": "Generation1",
            "bgpSettings": {"asn": 65_010, "peerWeight": 0, "bgpPeeringAddresses": entries}}});
    for (pointer, value) in properties.as_object().unwrap() {
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        document
            .pointer_mut(&format!("/properties{parent}"))
            .unwrap()[member] = value.clone();
    }
    document
}

#[test]
fn gateway_create_and_update_match_recording() {
    let mut bench = Bench::new(36);
    let mut body = recorded_site(&mut bench);
    let url = id("virtualNetworkGateways/gw1");
    let made = bench.send("PUT", &url, &body);
    assert_eq!(made.status, 201);
    asynchronous(&made);
    let clients = json!({"vpnClientProtocols": ["OpenVPN", "IkeV2"], "vpnAuthenticationTypes": [],
        "vpnClientRootCertificates": [], "vpnClientRevokedCertificates": [], "vngClientConnectionConfigurations": [],
        "radiusServers": [], "vpnClientIpsecPolicies": []});
    let young = json!({"/vpnClientConfiguration": clients});
    let recorded = recorded_gateway("Updating", &young, |_| json!({"defaultBgpIpAddresses": []}));
    same_shape(&sorted(made.body.clone()), &recorded, "");

    let first = bench.call("GET", made.header("Azure-AsyncOperation").unwrap());
    assert_eq!(
        (first.status, &first.body),
        (200, &json!({"status": "InProgress"}))
    );
    assert_eq!(first.header("Retry-After"), Some("10"));
    assert_eq!(bench.wait(&made), json!({"status": "Succeeded"}));
    let last = bench.call("GET", made.header("Azure-AsyncOperation").unwrap());
    assert_eq!(last.header("Retry-After"), None);

    let got = bench.call("GET", &url);
    assert_eq!((got.status, got.header("ETag")), (200, None));
    assert_ne!(got.body["etag"], made.body["etag"]);
    let address = |i: usize| format!("10.12.255.{}", 4 + i);
    let entry = |i| json!({"defaultBgpIpAddresses": [address(i)], "tunnelIpAddresses": ["<ANY>"]});
    let grown = json!({"/bgpSettings/bgpPeeringAddress": format!("{},{}", address(0), address(1))});
    same_shape(
        &sorted(got.body.clone()),
        &recorded_gateway("Succeeded", &grown, entry),
        "",
    );

    body["properties"]["ipConfigurations"]
        .as_array_mut()
        .unwrap()
        .pop();
    body["properties"]["activeActive"] = false.into();
    let updated = bench.send("PUT", &url, &body);
    assert_eq!(
        (updated.status, updated.state()),
        (200, "Updating"),
        "{}",
        updated.body
    );
    asynchronous(&updated);
}

/// The fields that a recorded deployment shows of a connection appear once it has succeeded.
#[test]
fn connection_fields_appear_after_success() {
    let mut bench = Bench::link(37);
    let body = bench.call("GET", &id("connections/c0")).body;
    let shown = json!({"provisioningState": "Succeeded", "resourceGuid": "<ANY>",
        "virtualNetworkGateway1": {"id": gateway_url()}, "localNetworkGateway2": {"id": id("localNetworkGateways/l0")},
        "connectionType": "IPsec", "connectionProtocol": "IKEv2", "routingWeight": 0, "enableBgp": true,
        "useLocalAzureIpAddress": false, "trafficSelectorPolicies": [], "connectionStatus": "<ANY>",
        "ingressBytesTransferred": 0, "egressBytesTransferred": 0, "dpdTimeoutSeconds": 0, "connectionMode": "ResponderOnly"});
    for (name, value) in shown.as_object().unwrap() {
        same_shape(&body["properties"][name], value, name);
    }
    assert_eq!(
        body["properties"].get("sharedKey"),
        None,
        "api-versions since then keep it to themselves"
    );
}

#[test]
fn peers_and_routes_match_recorded_fields() {
    let mut bench = Bench::link(38);
    let peer = [
        "localAddress",
        "neighbor",
        "asn",
        "state",
        "routesReceived",
        "messagesSent",
        "messagesReceived",
    ];
    let own_network = [
        "localAddress",
        "network",
        "sourcePeer",
        "origin",
        "asPath",
        "weight",
    ];
    for (question, fields) in [
        ("getBgpPeerStatus", &peer[..]),
        ("getLearnedRoutes", &own_network[..]),
    ] {
        let asked = bench.call("POST", &format!("{}/{question}", gateway_url()));
        let location = asked.header("Location").unwrap().to_owned();
        assert_eq!(
            asked.header("x-ms-request-id"),
            location.split(['/', '?']).rev().nth(1),
            "equals the record's name"
        );
        bench.pass(SimDuration::seconds(10));
        let rows = bench.call("GET", &location).body["value"]
            .as_array()
            .unwrap()
            .clone();
        assert!(!rows.is_empty(), "{question}");
        for row in rows {
            let mut names: Vec<&str> = row
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            let mut recorded = fields.to_vec();
            names.sort_unstable();
            recorded.sort_unstable();
            assert_eq!(names, recorded, "{question}: {row}");
            assert!(
                question != "getBgpPeerStatus" || row["state"] == "Connecting",
                "{row}"
            );
        }
    }
}

#[test]
fn resource_group_delete_matches_recording() {
    let mut bench = Bench::ground(39);
    let gone = bench.call("DELETE", GROUP);
    assert_eq!(
        (
            gone.status,
            gone.response.body.len(),
            gone.header("Retry-After")
        ),
        (202, 0, Some("15"))
    );
    let location = gone.header("Location").unwrap().to_owned();
    assert!(
        location.to_lowercase().contains("/operationresults/"),
        "{location}"
    );
    assert_eq!(gone.header("Azure-AsyncOperation"), None);
    let poll = bench.call("GET", &location);
    assert_eq!((poll.status, poll.header("Retry-After")), (202, Some("15")));
}
