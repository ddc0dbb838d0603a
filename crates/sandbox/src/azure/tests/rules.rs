//! What Azure refuses, fills in and lets linger, kind by kind.

use super::*;

/// A document changed in one place; null takes the member away.
fn changed(mut document: Value, pointer: &str, value: Value) -> Value {
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    let parent = document
        .pointer_mut(parent)
        .unwrap_or_else(|| panic!("{pointer}"));
    match parent {
        Value::Array(items) => items[member.parse::<usize>().unwrap()] = value,
        parent if value.is_null() => drop(parent.as_object_mut().unwrap().remove(member)),
        parent => parent[member] = value,
    }
    document
}

#[test]
fn reject_invalid_gateway_with_azure_code() {
    let mut bench = Bench::ground(21);
    let pip = |zones: Value, sku: &str| json!({"location": "eastus", "sku": {"name": sku}, "zones": zones, "properties": {"publicIPAllocationMethod": "Static"}});
    bench.done(
        "PUT",
        &format!("{NET}/publicIPAddresses/flat"),
        &pip(json!([]), "Standard"),
    );
    bench.done(
        "PUT",
        &format!("{NET}/publicIPAddresses/one"),
        &pip(json!(["1"]), "Standard"),
    );
    bench.done(
        "PUT",
        &format!("{NET}/publicIPAddresses/basic"),
        &pip(json!([]), "Basic"),
    );
    let (ip, sku) = (
        "/properties/ipConfigurations/1/properties/publicIPAddress",
        "/properties/sku",
    );
    let id = |name: &str| json!({"id": format!("{NET}/publicIPAddresses/{name}")});
    let subnet = |name: &str| json!({"id": format!("{NET}/virtualNetworks/v/subnets/{name}")});
    let custom = "/properties/bgpSettings/bgpPeeringAddresses/0/customBgpIpAddresses";
    let loose = "InvalidRequestFormat";
    for (pointer, value, code) in [
        (
            sku,
            json!({"name": "VpnGw2", "tier": "VpnGw2"}),
            "NonAzSkusNotAllowedForVPNGateway",
        ),
        (
            sku,
            json!({"name": "VpnGw9AZ", "tier": "VpnGw9AZ"}),
            "InvalidGatewaySkuSpecified",
        ),
        (
            sku,
            json!({"name": "VpnGw2AZ", "tier": "VpnGw3AZ"}),
            "InvalidGatewaySkuSpecified",
        ),
        (sku, json!({"name": "VpnGw1AZ", "tier": "VpnGw1AZ"}), loose),
        (sku, json!({"name": "Basic", "tier": "Basic"}), loose),
        (ip, Value::Null, "PublicIpForGatewayIsRequired"),
        (ip, id("nowhere"), "InvalidResourceReference"),
        (
            ip,
            id("flat"),
            "VmssVpnGatewayPublicIpsMustHaveZonesConfigured",
        ),
        (
            ip,
            id("one"),
            "ActiveActiveGatewayPublicIPAddressesDiffersInSkuOrZones",
        ),
        (
            ip,
            id("basic"),
            "PublicIpWithBasicSkuNotAllowedOnVPNGateways",
        ),
        (ip, id("p0"), loose),
        (
            "/properties/ipConfigurations/0/properties/subnet",
            subnet("small"),
            loose,
        ),
        (
            "/properties/ipConfigurations/0/properties/subnet",
            subnet("none"),
            "InvalidResourceReference",
        ),
        ("/properties/bgpSettings/asn", json!(64_500), loose),
        ("/properties/activeActive", json!(false), loose),
        (custom, json!(["169.254.20.2"]), loose),
        (custom, json!(["169.254.21.6"]), loose),
        (
            "/properties/bgpSettings/bgpPeeringAddresses/0/ipconfigurationId",
            json!("/elsewhere"),
            loose,
        ),
    ] {
        let got = bench.send(
            "PUT",
            &gateway_url(),
            &changed(gateway(), pointer, value.clone()),
        );
        assert_eq!(
            (got.status, got.code()),
            (400, code),
            "{pointer} {value}: {}",
            got.body
        );
    }
    assert_eq!(bench.send("PUT", &gateway_url(), &gateway()).status, 201);
    let second = bench.send(
        "PUT",
        &format!("{NET}/virtualNetworkGateways/h"),
        &gateway(),
    );
    assert_eq!(second.status, 400, "one VPN gateway for a network");
}

#[test]
fn reject_reference_to_unprovisioned_resource() {
    let mut bench = Bench::ground(22);
    bench.send("PUT", &format!("{NET}/publicIPAddresses/p0"), &public_ip());
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..12 {
        bench.now = SimTime(bench.now.0 - 80);
        let got = bench.send("PUT", &gateway_url(), &gateway());
        let inner = got.body["error"]["details"][0]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        seen.insert((got.status, got.code().to_owned(), inner));
    }
    let name = "ReferencedResourceNotProvisioned";
    let expected = [(400, name, ""), (429, "RetryableError", name)];
    assert_eq!(
        seen,
        expected
            .map(|(status, code, inner)| (status, code.to_owned(), inner.to_owned()))
            .into()
    );
}

/// Peering addresses are listed for every configuration, in no particular order.
#[test]
fn list_peering_addresses_in_any_order() {
    let mut bench = Bench::ground(23);
    let plain = changed(
        gateway(),
        "/properties/bgpSettings/bgpPeeringAddresses",
        Value::Null,
    );
    bench.done("PUT", &gateway_url(), &plain);
    let mut orders = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let got = bench.call("GET", &gateway_url());
        let entries = got.body["properties"]["bgpSettings"]["bgpPeeringAddresses"]
            .as_array()
            .unwrap()
            .clone();
        assert_eq!(entries.len(), 2);
        for entry in &entries {
            let first = entry["ipconfigurationId"].as_str().unwrap().ends_with("c0");
            assert_eq!(
                entry["defaultBgpIpAddresses"],
                json!([if first { "10.1.1.4" } else { "10.1.1.5" }])
            );
            let p = format!("{NET}/publicIPAddresses/p{}", if first { 0 } else { 1 });
            assert_eq!(
                entry["tunnelIpAddresses"],
                json!([bench.call("GET", &p).body["properties"]["ipAddress"]])
            );
            assert_eq!(entry["customBgpIpAddresses"], json!([]));
        }
        orders.insert(entries[0]["ipconfigurationId"].to_string());
    }
    assert_eq!(orders.len(), 2, "both orders are seen");
}

#[test]
fn reject_invalid_connection() {
    let mut bench = Bench::link(24);
    let policy = json!([{"saLifeTimeSeconds": 27_000, "saDataSizeKilobytes": 2_147_483_647_u64, "ipsecEncryption": "GCMAES256",
        "ipsecIntegrity": "GCMAES256", "ikeEncryption": "AES256", "ikeIntegrity": "SHA384", "dhGroup": "ECP384", "pfsGroup": "ECP384"}]);
    let with_policy = changed(connection(0), "/properties/ipsecPolicies", policy);
    let place = "/properties/ipsecPolicies/0";
    for document in [
        changed(
            connection(0),
            "/properties/virtualNetworkGateway1/id",
            json!(format!("{NET}/virtualNetworkGateways/x")),
        ),
        changed(
            connection(0),
            "/properties/localNetworkGateway2",
            Value::Null,
        ),
        changed(
            connection(0),
            "/properties/connectionProtocol",
            json!("IKEv1"),
        ),
        changed(connection(0), "/properties/connectionMode", json!("Never")),
        changed(connection(0), "/properties/dpdTimeoutSeconds", json!(8)),
        changed(
            connection(0),
            "/properties/gatewayCustomBgpIpAddresses/0/customBgpIpAddress",
            json!("169.254.21.6"),
        ),
        changed(
            with_policy.clone(),
            &format!("{place}/ipsecIntegrity"),
            json!("SHA256"),
        ),
        changed(
            with_policy.clone(),
            &format!("{place}/dhGroup"),
            json!("ECP521"),
        ),
        changed(
            with_policy.clone(),
            &format!("{place}/pfsGroup"),
            Value::Null,
        ),
    ] {
        let got = bench.send("PUT", &format!("{NET}/connections/c0"), &document);
        assert_eq!(got.status, 400, "{document}");
    }
    bench.done("PUT", &format!("{NET}/connections/c0"), &with_policy);
    let short = bench.send(
        "PUT",
        &format!("{NET}/connections/c9"),
        &changed(connection(0), "/properties/sharedKey", json!("a-b")),
    );
    assert_eq!(short.status, 400);
    let fewer = changed(
        gateway(),
        "/properties/bgpSettings/bgpPeeringAddresses/0/customBgpIpAddresses",
        json!(["169.254.22.2"]),
    );
    assert_eq!(
        bench.send("PUT", &gateway_url(), &fewer).status,
        400,
        "an address in use cannot be removed"
    );
}

#[test]
fn local_gateway_requires_prefixes_or_peer() {
    let mut bench = Bench::ground(25);
    let url = format!("{NET}/localNetworkGateways/l0");
    let bare = bench.send(
        "PUT",
        &url,
        &changed(local_gateway(0), "/properties/bgpSettings", Value::Null),
    );
    assert_eq!(
        bare.code(),
        "LocalNetworkGatewayCannotHaveEmptyAddressPrefixAndBgpSettings"
    );
    for (pointer, value) in [
        ("/properties/bgpSettings/asn", json!(65_515)),
        (
            "/properties/bgpSettings/bgpPeeringAddress",
            json!("52.0.0.1"),
        ),
        ("/properties/gatewayIpAddress", json!("nowhere")),
    ] {
        assert_eq!(
            bench
                .send("PUT", &url, &changed(local_gateway(0), pointer, value))
                .status,
            400,
            "{pointer}"
        );
    }
    assert_eq!(bench.send("PUT", &url, &local_gateway(0)).status, 201);
}

/// A public IP and a subnet stay in use for some time after their gateway is gone.
#[test]
fn reject_delete_while_in_use() {
    let mut bench = Bench::link(26);
    let (pip, subnet) = (
        format!("{NET}/publicIPAddresses/p0"),
        format!("{NET}/virtualNetworks/v/subnets/GatewaySubnet"),
    );
    assert_eq!(
        bench.call("DELETE", &gateway_url()).code(),
        "VirtualNetworkGatewayCannotBeDeleted"
    );
    assert_eq!(
        bench
            .call("DELETE", &format!("{NET}/localNetworkGateways/l0"))
            .status,
        400
    );
    for k in 0..2 {
        let gone = bench.call("DELETE", &format!("{NET}/connections/c{k}"));
        assert_eq!((gone.status, gone.header("Retry-After")), (202, Some("10")));
        bench.wait(&gone);
    }
    let gone = bench.call("DELETE", &gateway_url());
    assert_eq!(bench.call("GET", &gateway_url()).state(), "Deleting");
    assert_eq!(bench.call("DELETE", &gateway_url()).status, 202);
    bench.wait(&gone);
    bench.log_in();
    assert_eq!(bench.call("GET", &gateway_url()).status, 404);
    assert_eq!(bench.call("DELETE", &gateway_url()).status, 204);
    assert_eq!(
        bench.call("DELETE", &pip).code(),
        "PublicIPAddressCannotBeDeleted"
    );
    assert_eq!(
        bench.call("DELETE", &subnet).code(),
        "InUseSubnetCannotBeDeleted"
    );
    bench.pass(SimDuration::minutes(4));
    for url in [pip, subnet] {
        let gone = bench.call("DELETE", &url);
        bench.wait(&gone);
        assert_eq!(bench.call("GET", &url).status, 404);
    }
}

/// Deleting a group deletes its resources, unless a resource of another group uses one of them.
#[test]
fn delete_group_unless_used_from_outside() {
    let mut bench = Bench::link(27);
    let other = GROUP.replace("/rg", "/other");
    bench.send("PUT", &other, &json!({"location": "eastus"}));
    let outside = format!("{other}/providers/Microsoft.Network/connections/c7");
    bench.done("PUT", &outside, &connection(0));
    let end = |bench: &mut Bench| {
        let gone = bench.call("DELETE", GROUP);
        assert_eq!(
            (gone.status, gone.header("Azure-AsyncOperation")),
            (202, None)
        );
        let url = gone.header("Location").unwrap().to_owned();
        loop {
            let poll = bench.call("GET", &url);
            if poll.status != 202 {
                return poll.status;
            }
            bench.log_in();
            bench.pass(SimDuration::seconds(15));
        }
    };
    assert_eq!(end(&mut bench), 409);
    assert_eq!(bench.call("GET", &gateway_url()).state(), "Succeeded");
    let gone = bench.call("DELETE", &outside);
    bench.wait(&gone);
    assert_eq!(end(&mut bench), 204);
    assert_eq!(bench.call("HEAD", GROUP).status, 404);
    let left = bench.world.objects();
    assert_eq!(left["azure"].as_array().unwrap().len(), 1, "{left}");
}

#[test]
fn keep_unknown_properties_and_tags_on_put() {
    let mut bench = Bench::ground(28);
    let mut odd = gateway();
    odd["properties"]["brandNew"] = json!({"deep": [1, 2]});
    odd["extendedLocation"] = json!({"name": "edge"});
    odd["tags"] = json!({"owner": "someone"});
    bench.done("PUT", &gateway_url(), &odd);
    let mut read = bench.call("GET", &gateway_url()).body;
    assert_eq!(
        read["properties"]["brandNew"],
        odd["properties"]["brandNew"]
    );
    read["properties"]["bgpSettings"]["asn"] = 65_001.into();
    bench.done("PUT", &gateway_url(), &read);
    let after = bench.call("GET", &gateway_url()).body;
    assert_eq!(
        (&after["properties"]["brandNew"], &after["tags"]),
        (&odd["properties"]["brandNew"], &odd["tags"])
    );
    assert_eq!(after["extendedLocation"], odd["extendedLocation"]);
    let patched = bench.send("PATCH", &gateway_url(), &json!({"tags": {"a": "b"}}));
    assert_eq!(
        (patched.state(), &patched.body["tags"]),
        ("Updating", &json!({"a": "b"}))
    );
    bench.wait(&patched);
    let at_once = bench.send(
        "PATCH",
        &format!("{NET}/publicIPAddresses/p0"),
        &json!({"tags": {"a": "b"}}),
    );
    assert_eq!((at_once.status, at_once.state()), (200, "Succeeded"));
    let filter = "$filter=tagName%20eq%20'a'%20and%20tagValue%20eq%20'b'";
    let found = bench.call("GET", &format!("{GROUP}/resources?{VERSION}&{filter}"));
    assert_eq!(found.body["value"].as_array().unwrap().len(), 2);
}

/// Each endpoint uses the custom BGP address that the connection configures for its instance.
#[test]
fn connection_has_endpoint_on_each_instance() {
    let mut bench = Bench::link(29);
    let endpoints = bench.world.azure.endpoints();
    let seen: Vec<_> = endpoints
        .iter()
        .map(|e| (e.instance, e.bgp_ip.unwrap().to_string(), e.serving, e.asn))
        .collect();
    let expected = [
        (0, "169.254.21.2"),
        (1, "169.254.21.6"),
        (0, "169.254.22.2"),
        (1, "169.254.22.6"),
    ];
    assert_eq!(
        seen,
        expected.map(|(instance, ip)| (instance, ip.to_owned(), true, 65_000))
    );
    assert_eq!(
        (endpoints[0].shared_key.as_str(), endpoints[0].peer_asn),
        ("first.Key_1", Some(64_512))
    );
    let plain = changed(
        connection(1),
        "/properties/gatewayCustomBgpIpAddresses",
        Value::Null,
    );
    bench.done("PUT", &format!("{NET}/connections/c1"), &plain);
    let first = bench.world.azure.endpoints()[2].bgp_ip.unwrap().to_string();
    assert_eq!(
        first, "169.254.21.2",
        "without a word of its own a connection speaks from the first custom address"
    );
}
