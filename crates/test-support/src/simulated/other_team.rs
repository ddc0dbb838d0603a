//! What another team has on gateways that links may share, and what it deletes of a link by hand.

use super::environment::GROUP;
use super::fault_sweep::create_foreign;
use super::scenario_gen::pick;
use super::{REGION, Sim};
use awsazure::aws::Filter;
use awsazure::aws::model::Region;
use awsazure::azure::ResourceId;
use awsazure::azure::documents::gateway::add_custom_bgp_ip;
use awsazure_sandbox::rng::Rng;
use awsazure_sandbox::world::World;
use bgp_vpn::inside_cidr::{InsideCidr, Slot};
use bgp_vpn::managed::Kind;
use bgp_vpn::tunnel::{PerTunnel, TunnelKey};
use serde_json::{Value as Json, json};
use std::net::Ipv4Addr;
use terraform_plugin::Value;

/// The slot whose inside addresses the other team uses.
pub const TAKEN_SLOT: u64 = 3;

/// Address of the other team's router, to which the VPN connection of its transit gateway leads.
pub const PUBLIC_IP: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);

/// Addresses that the other team uses.
pub fn taken() -> PerTunnel<InsideCidr> {
    Slot::new(TAKEN_SLOT).unwrap().inside_cidrs()
}

async fn put(sim: &Sim, id: &ResourceId, body: Json) {
    let (status, answer) = sim.say_to_azure("PUT", id.as_str(), body).await;
    assert!(status < 300, "{id}: {answer}");
    tokio::time::sleep(std::time::Duration::from_secs(3_600)).await;
}

/// A connection over the Azure gateway, with the address of each instance's first tunnel.
pub async fn connects_to(sim: &Sim, gateway: &ResourceId, instances: &[String; 2]) {
    let id = |kind: &str| ResourceId::network(&sim.subscription(), GROUP, kind, "other-team");
    let local = id("localNetworkGateways");
    let peer = json!({"asn": 65_200, "bgpPeeringAddress": taken().get(TunnelKey::ALL[0]).aws_ip()});
    let properties = json!({"gatewayIpAddress": "198.51.100.9", "bgpSettings": peer});
    put(
        sim,
        &local,
        json!({"location": "westeurope", "properties": properties}),
    )
    .await;
    let address = |(name, key): (&String, TunnelKey)| {
        json!({
            "ipConfigurationId": gateway.child("ipConfigurations", name),
            "customBgpIpAddress": taken().get(key).azure_ip(),
        })
    };
    let addresses: Vec<Json> = instances
        .iter()
        .zip([TunnelKey::ALL[0], TunnelKey::ALL[2]])
        .map(address)
        .collect();
    let properties = json!({
        "connectionType": "IPsec", "connectionProtocol": "IKEv2", "enableBgp": true, "sharedKey": "another.teams.key",
        "virtualNetworkGateway1": {"id": gateway, "properties": {}},
        "localNetworkGateway2": {"id": local, "properties": {}},
        "gatewayCustomBgpIpAddresses": addresses,
    });
    put(
        sim,
        &id("connections"),
        json!({"location": "westeurope", "properties": properties}),
    )
    .await;
}

/// A VPN connection to the transit gateway, with the inside CIDRs of one instance.
pub fn connects_to_transit_gateway(world: &mut World, gateway: &str) {
    let form = format!("Type=ipsec.1&IpAddress={PUBLIC_IP}&BgpAsn=65200");
    let customer = create_foreign(world, "CreateCustomerGateway", &form, "customerGatewayId");
    let cidrs = [TunnelKey::ALL[0], TunnelKey::ALL[1]]
        .map(|key| taken().get(key).to_string().replace('/', "%2F"));
    let tunnels = format!(
        "Options.TunnelOptions.1.TunnelInsideCidr={}&Options.TunnelOptions.2.TunnelInsideCidr={}",
        cidrs[0], cidrs[1]
    );
    let form =
        format!("Type=ipsec.1&CustomerGatewayId={customer}&TransitGatewayId={gateway}&{tunnels}");
    create_foreign(world, "CreateVpnConnection", &form, "vpnConnectionId");
}

/// A VPN gateway with one instance, on which no link can end.
pub async fn single_instance_gateway(sim: &Sim, network: &str) -> String {
    let id = |kind: &str| ResourceId::network(&sim.subscription(), GROUP, kind, "single");
    let address = json!({
        "location": "westeurope", "sku": {"name": "Standard"}, "zones": ["1", "2", "3"],
        "properties": {"publicIPAllocationMethod": "Static"},
    });
    put(sim, &id("publicIPAddresses"), address).await;
    let configuration = json!({"name": "default", "properties": {
        "privateIPAllocationMethod": "Dynamic",
        "subnet": {"id": format!("{network}/subnets/GatewaySubnet")},
        "publicIPAddress": {"id": id("publicIPAddresses")},
    }});
    let properties = json!({
        "gatewayType": "Vpn", "vpnType": "RouteBased", "vpnGatewayGeneration": "Generation2", "enableBgp": true,
        "activeActive": false, "sku": {"name": "VpnGw2AZ", "tier": "VpnGw2AZ"}, "bgpSettings": {"asn": 65_030},
        "ipConfigurations": [configuration],
    });
    put(
        sim,
        &id("virtualNetworkGateways"),
        json!({"location": "westeurope", "properties": properties}),
    )
    .await;
    id("virtualNetworkGateways").to_string()
}

/// Deletes something that a state names, unless it is in use; says what.
pub async fn deletes_by_hand(sim: &Sim, rng: &mut Rng, state: &Value) -> Option<String> {
    let kinds = [
        Kind::AzureConnection,
        Kind::AzureLocalGateway,
        Kind::AwsVpnConnection,
        Kind::AwsCustomerGateway,
    ];
    let kind = pick(rng, &kinds);
    let ids: Vec<String> = state
        .get("managed")
        .get(kind.as_str())
        .as_list()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    if ids.is_empty() {
        return None;
    }
    let id = pick(rng, &ids);
    let done = match kind {
        Kind::AwsVpnConnection => {
            sim.say_to_ec2(&format!("DeleteVpnConnection&VpnConnectionId={id}"))
                .await
        }
        Kind::AwsCustomerGateway => {
            sim.say_to_ec2(&format!("DeleteCustomerGateway&CustomerGatewayId={id}"))
                .await
        }
        _ => sim
            .say_to_azure("DELETE", &id, Json::Null)
            .await
            .0
            .to_string(),
    };
    let done: String = done
        .lines()
        .last()
        .unwrap_or_default()
        .chars()
        .take(60)
        .collect();
    Some(format!("{kind} {id} deleted by hand: {done}"))
}

/// Adds an address to the first instance of an Azure gateway.
pub async fn lists_bgp_address(sim: &Sim, gateway: &str, address: Ipv4Addr) {
    let gateway = ResourceId::parse(gateway).unwrap();
    let limits = sim.limits().call_context();
    let found = sim.clouds.azure.get_gateway(&gateway, &limits).await;
    let instance = found.unwrap().unwrap().instances[0]
        .ip_configuration_id
        .clone();
    let edit = |doc: &mut Json| add_custom_bgp_ip(doc, &instance, address);
    let changed = sim.clouds.azure.change_gateway(&gateway, &edit, &limits);
    changed.await.unwrap();
}

/// Propagates the routes of a VPN gateway into all route tables of its VPC.
pub async fn propagates_routes(sim: &Sim, gateway: &str) {
    let limits = sim.limits().call_context();
    let region = Region(REGION.to_owned());
    let ec2 = sim.clouds.aws.region(&limits, Some(&region)).await.unwrap();
    let filter = Filter::id(gateway);
    let gateways = ec2.describe_vpn_gateways(&limits, &filter).await;
    let gateway = gateways.unwrap().remove(0);
    let (vpc, _) = gateway.attachment.unwrap();
    let tables = ec2.describe_route_tables(&limits, &Filter::vpc(&vpc)).await;
    for table in tables.unwrap() {
        ec2.enable_propagation(&limits, &table.id, &gateway.id)
            .await
            .unwrap();
    }
}
