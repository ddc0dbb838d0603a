//! Where a link's objects are created: regions with and without availability zones, gateways that
//! also serve point-to-site clients, and objects that an earlier run left in another region.

use bgp_vpn::tunnel::Instance;
use serde_json::{Value, json};
use test_support::terraform::{Ends, Groups, Link, TestEnv, slot};

const ADDRESS: &str = "awsazure_bgp_vpn.link";

fn count(env: &TestEnv, operation: &str) -> usize {
    env.calls()
        .iter()
        .filter(|call| call.operation == operation)
        .count()
}

/// Zones of the public IPs of a group.
fn zones(env: &TestEnv, group: &str) -> Vec<Vec<String>> {
    env.cloud_admin()
        .public_ips(group)
        .into_iter()
        .map(|ip| ip.zones)
        .collect()
}

#[test]
fn create_uses_no_zones_in_a_region_without_zones() {
    let Some(env) = TestEnv::new() else { return };
    let link = Link::complete("link").with("azure.location", "\"UK West\"");
    env.write(&link.to_string());
    env.apply();
    assert_eq!(zones(&env, "link"), [Vec::<String>::new(), Vec::new()]);
    assert_eq!(env.link("link")["azure"]["zones"], json!([]));
    assert_eq!(
        count(&env, "ListLocations"),
        1,
        "read once, when the public IPs are created"
    );
    assert!(env.plan_is_empty());
    assert_eq!(
        count(&env, "ListLocations"),
        1,
        "a plan of existing public IPs does not read the regions"
    );

    // Zones of existing addresses cannot change: the same value is accepted, another one is
    // rejected.
    env.write(&link.clone().with("azure.zones", "[]").to_string());
    assert!(env.plan_is_empty());
    env.write(&link.clone().with("azure.zones", "[\"1\"]").to_string());
    assert!(env.plan_fails().words().contains("azure.zones"));
    env.write(&link.to_string());
    env.destroy();
    assert!(env.world().is_empty());
}

#[test]
fn create_finds_zones_without_permission_to_read_regions() {
    let Some(env) = TestEnv::new() else { return };
    env.fault("fail call 1 of ListLocations: forever 403");
    let flat = Link::complete("flat").with("azure.location", "\"ukwest\"");
    let zonal = Link::complete("zonal")
        .with("azure.location", "\"uksouth\"")
        .with("slot", "1");
    env.write(&format!("{flat}{zonal}"));
    env.apply();
    assert_eq!(zones(&env, "flat"), [Vec::<String>::new(), Vec::new()]);
    let all = ["1", "2", "3"].map(str::to_owned).to_vec();
    assert_eq!(zones(&env, "zonal"), [all.clone(), all]);
    assert!(env.plan_is_empty());
}

#[test]
fn configured_zones_replace_those_of_the_region() {
    let Some(env) = TestEnv::new() else { return };
    env.fault("fail call 1 of ListLocations: forever refused");
    let link = Link::complete("link");
    for wrong in ["[\"zone1\"]", "[\"\"]", "[\"7\"]", "[null]"] {
        env.write(&link.clone().with("azure.zones", wrong).to_string());
        assert!(env.plan_fails().words().contains("azure.zones"), "{wrong}");
    }
    // A create that failed left public IPs in other zones. The corrected configuration succeeds at
    // once.
    env.fault("fail call 1 of PutGateway: once refused");
    env.write(&link.clone().with("azure.zones", "[\"3\"]").to_string());
    env.apply_fails();
    env.write(
        &link
            .clone()
            .with("azure.zones", "[\"2\", \"1\"]")
            .to_string(),
    );
    env.apply();
    let two = ["1", "2"].map(str::to_owned).to_vec();
    assert_eq!(
        zones(&env, "link")
            .into_iter()
            .map(sorted)
            .collect::<Vec<_>>(),
        [two.clone(), two]
    );
    assert!(env.plan_is_empty());
    env.write(&link.to_string());
    assert!(
        env.plan_is_empty(),
        "without the attribute the public IPs stay in their zones"
    );
    assert_eq!(count(&env, "ListLocations"), 0);
}

#[test]
fn reject_empty_zones_before_creating_address() {
    let Some(env) = TestEnv::new() else { return };
    let link = Link::complete("link");
    env.write(&link.clone().with("azure.zones", "[]").to_string());
    assert!(env.apply_fails().words().contains("azure.zones"));
    assert!(env.has_none_of(&["publicIPAddresses"]));
    env.write(&link.to_string());
    env.apply();
    assert!(env.plan_is_empty());
}

fn sorted(mut zones: Vec<String>) -> Vec<String> {
    zones.sort();
    zones
}

#[test]
fn recreated_public_ip_takes_the_zones_of_the_other() {
    let Some(env) = TestEnv::new() else { return };
    let link = Link::complete("link").with("azure.zones", "[\"1\"]");
    env.write(&link.to_string());
    env.fault("fail call 2 of PutPublicIp: forever refused");
    env.apply_fails();
    env.sandbox().fault(&["--clear"]);
    env.write(&link.without("azure.zones").to_string());
    env.apply();
    assert_eq!(
        zones(&env, "link"),
        [vec!["1".to_owned()], vec!["1".to_owned()]]
    );
    assert!(env.plan_is_empty());
}

#[test]
fn require_location_of_existing_network() {
    let Some(env) = TestEnv::new() else { return };
    let cloud_admin = env.cloud_admin();
    cloud_admin.make_group("net");
    let network = cloud_admin.make_network(
        "net",
        "VNet1",
        "10.1.0.0/16",
        &[("GatewaySubnet", "10.1.255.0/27")],
    );
    let vpc = cloud_admin.make_vpc("10.2.0.0/16");
    let link = Link::between("link", "net", &network, &vpc);
    env.write(
        &link
            .clone()
            .with("azure.location", "\"westeurope\"")
            .to_string(),
    );
    assert!(env.plan_fails().words().contains("azure.location"));

    // Public IPs that an earlier run left in the wrong region: one apply recreates them.
    cloud_admin.leave_public_ips("net", "link", "westeurope", &network);
    env.write(&link.with("azure.location", "\"East US\"").to_string());
    env.apply();
    let places: Vec<String> = cloud_admin
        .public_ips("net")
        .into_iter()
        .map(|ip| ip.resource.location)
        .collect();
    assert_eq!(places, ["eastus", "eastus"]);
    assert!(env.plan_is_empty());
    env.destroy();
    assert!(env.has_none_of(&["publicIPAddresses", "virtualNetworkGateways"]));
}

#[test]
fn apply_corrected_location_after_failed_create() {
    let Some(env) = TestEnv::new() else { return };
    env.fault("fail call 1 of PutGateway: forever refused");
    env.write(
        &Link::complete("link")
            .with("azure.location", "\"westeurope\"")
            .to_string(),
    );
    env.apply_fails();
    env.sandbox().fault(&["--clear"]);
    env.write(&Link::complete("link").to_string());
    env.apply();
    assert_eq!(env.link("link")["azure"]["location"], "eastus");
    assert!(env.plan_is_empty());
    env.destroy();
    assert!(env.world().is_empty());
}

/// A gateway by hand, whose third configuration serves point-to-site clients.
fn gateway_with_clients(env: &TestEnv, clients: &Value) -> Ends {
    let ends = env.cloud_admin().make_ends(&Groups::one("hub"), &[], false);
    env.cloud_admin().add_clients("hub", &ends.gateway, clients);
    ends
}

fn radius() -> Value {
    json!({"vpnClientAddressPool": {"addressPrefixes": ["172.16.0.0/24"]}, "vpnClientProtocols": ["OpenVPN"],
        "vpnAuthenticationTypes": ["Radius"], "radiusServerAddress": "10.1.0.4", "radiusServerSecret": "not-shown"})
}

fn attached(ends: &Ends) -> Link {
    Link::between("link", "hub", &ends.network, &ends.vpc)
        .without("azure.virtual_network_id")
        .with("azure.gateway_id", &format!("{:?}", ends.gateway))
        .without("aws.vpc_id")
        .with("aws.vpn_gateway_id", &format!("{:?}", ends.vgw))
}

fn gateway_row(env: &TestEnv) -> Value {
    let world = env.world();
    let row = world.of_kind("virtualNetworkGateways")[0].clone();
    json!({"listed": row.more["custom_bgp_addresses"], "secrets": row.more["radius_secrets"]})
}

#[test]
fn attach_radius_gateway_after_addresses_are_listed() {
    let Some(env) = TestEnv::new() else { return };
    let ends = gateway_with_clients(&env, &radius());
    let before = gateway_row(&env);
    assert_eq!(before["secrets"], true);
    let link = attached(&ends);
    env.write(&link.to_string());
    let refused = env.plan_fails().words();
    for (key, cidr) in slot(0).iter() {
        assert!(
            refused.contains(&cidr.azure_ip().to_string()),
            "{key}: {refused}"
        );
    }
    assert_eq!(gateway_row(&env), before);

    // With the addresses on it nothing has to be written, neither now nor by destroy.
    env.cloud_admin()
        .list_addresses_with_secret(&ends.gateway, &slot(0), "not-shown");
    let listed = gateway_row(&env);
    assert_eq!(listed["secrets"], true, "set up wrongly");
    let since = env.calls().len();
    env.apply();
    assert!(env.plan_is_empty());
    let ip = |instance: Instance| {
        env.link("link")["azure"]["public_ip_addresses"][instance.to_string()].clone()
    };
    assert_eq!(Instance::ALL.map(ip), ends.addresses.map(|ip| json!(ip)));
    env.write(&link.clone().with("slot", "1").to_string());
    assert!(
        env.plan_fails().words().contains("169.254.21.10"),
        "another slot needs a write too"
    );
    env.write(&link.to_string());
    env.destroy();
    let writes = env.writes_since(since);
    assert!(
        !writes.iter().any(|call| call.starts_with("PutGateway ")),
        "{writes:?}"
    );
    assert_eq!(gateway_row(&env)["secrets"], true);
}

#[test]
fn destroy_keeps_addresses_on_gateway_with_radius() {
    let Some(env) = TestEnv::new() else { return };
    let ends = env.cloud_admin().make_ends(&Groups::one("hub"), &[], false);
    env.write(&attached(&ends).to_string());
    env.apply();
    env.cloud_admin()
        .add_clients("hub", &ends.gateway, &radius());
    assert!(
        env.plan_is_empty(),
        "what others set on the gateway is no drift of the link"
    );
    let output = env.destroy().words();
    assert_eq!(gateway_row(&env)["secrets"], true);
    assert!(
        output.contains(
            &slot(0)
                .get("instance0_tunnel1".parse().unwrap())
                .azure_ip()
                .to_string()
        ),
        "{output}"
    );
    assert!(env.link("link").is_null());
}

#[test]
fn three_configurations_survive_apply_and_destroy() {
    let Some(env) = TestEnv::new() else { return };
    let clients = json!({"vpnClientAddressPool": {"addressPrefixes": ["172.16.0.0/24"]}, "vpnClientProtocols": ["OpenVPN"],
        "vpnAuthenticationTypes": ["AAD"], "aadTenant": "https://login.microsoftonline.com/t", "aadAudience": "a",
        "aadIssuer": "https://sts.windows.net/t/"});
    let ends = gateway_with_clients(&env, &clients);
    let settings = || {
        let doc = env.cloud_admin().gateway_document(&ends.gateway);
        ["vpnClientConfiguration", "customRoutes", "sku"]
            .map(|name| doc["properties"][name].clone())
    };
    let configurations = || {
        let doc = env.cloud_admin().gateway_document(&ends.gateway);
        doc["properties"]["ipConfigurations"]
            .as_array()
            .unwrap()
            .len()
    };
    let before = settings();
    assert!(before[0].is_object() && before[1].is_object() && configurations() == 3);
    env.write(&attached(&ends).to_string());
    env.apply();
    assert!(env.plan_is_empty());
    assert_eq!((settings(), configurations()), (before.clone(), 3));
    let plan = env.plan();
    assert_eq!(plan.change(ADDRESS).actions, ["no-op"]);
    env.destroy();
    assert_eq!((settings(), configurations()), (before, 3));
    assert_eq!(
        env.cloud_admin().listed_addresses(&ends.gateway),
        Vec::<String>::new()
    );
}
