//! Networks and gateways of other teams, in both clouds, that a link may be configured with.

use super::clock::in_virtual_time;
use super::fault_sweep::create_foreign;
use super::fingerprint::fingerprint;
use super::other_team;
use super::terraform_core::Stored;
use super::{REGION, Sim};
use awsazure::aws::IdempotencyKey;
use awsazure::aws::model::Region;
use awsazure::azure::ResourceId;
use awsazure::azure::documents::gateway::{NewGateway, NewInstance};
use awsazure::azure::documents::network::NewVirtualNetwork;
use awsazure::azure::documents::public_ip::NewPublicIp;
use awsazure_sandbox::world::World;
use bgp_vpn::tunnel::TunnelKey;
use bgp_vpn::types::{Asn, Tags};
use std::collections::BTreeMap;

/// Resource group of everything in Azure.
pub const GROUP: &str = "existing-rg";
/// A second AWS region.
pub const OTHER_REGION: &str = "us-east-1";
/// ASN of both Azure gateways.
pub const AZURE_ASN: u32 = 65_020;

/// A VPC and its route tables.
#[derive(Clone, Debug)]
pub struct Vpc {
    pub id: String,
    pub main_table: String,
    pub other_table: String,
}

/// Two of each kind, so that a configuration can change from one to the other.
#[derive(Clone)]
pub struct Environment {
    pub world: World,
    /// The fingerprint of the world without a link.
    pub fingerprint: Vec<String>,
    /// VNets with a `GatewaySubnet`.
    pub networks: [String; 2],
    /// A VNet without one: 10.10.0.0/16.
    pub bare_network: String,
    /// Active-active VPN gateways. On the second one another team has a connection.
    pub azure_gateways: [String; 2],
    /// A VPN gateway with one instance.
    pub single_instance_gateway: String,
    /// VPCs without a VPN gateway.
    pub vpcs: [Vpc; 2],
    /// Of another region.
    pub far_vpc: String,
    /// VPN gateways with a VPC each.
    pub vpn_gateways: [String; 2],
    /// On the second one another team has a VPN connection.
    pub transit_gateways: [String; 2],
}

impl Environment {
    pub fn build() -> Environment {
        in_virtual_time(Box::pin(async {
            let sim = Sim::new(1);
            let azure_limits = sim.limits().call_context();
            sim.clouds
                .azure
                .create_group(GROUP, "westeurope", &Tags::new(), &azure_limits)
                .await
                .unwrap();
            let bare_network = network(&sim, "bare", "10.10", false).await;
            let networks = [
                network(&sim, "first", "10.11", true).await,
                network(&sim, "second", "10.12", true).await,
            ];
            let azure_gateways = [
                azure_gateway(&sim, "one", "10.13", false).await,
                azure_gateway(&sim, "two", "10.14", true).await,
            ];
            let of_single = network(&sim, "of-single", "10.15", true).await;
            let single_instance_gateway =
                other_team::single_instance_gateway(&sim, &of_single).await;
            let vpcs = [
                vpc(&sim, REGION, "10.20.0.0/16").await,
                vpc(&sim, REGION, "10.21.0.0/16").await,
            ];
            let far_vpc = vpc(&sim, OTHER_REGION, "10.22.0.0/16").await.id;
            let vpn_gateways = [
                vpn_gateway(&sim, "10.23.0.0/16", 64_900).await,
                vpn_gateway(&sim, "10.24.0.0/16", 64_901).await,
            ];
            let mut world = sim.sandbox.world().clone();
            let transit_gateways = [64_700, 64_701].map(|asn| {
                let options = format!("Options.AmazonSideAsn={asn}");
                create_foreign(
                    &mut world,
                    "CreateTransitGateway",
                    &options,
                    "transitGatewayId",
                )
            });
            other_team::connects_to_transit_gateway(&mut world, &transit_gateways[1]);
            let vpcs = vpcs.map(|vpc| {
                let tables = |id: &str| {
                    let of = format!("Filter.1.Name=vpc-id&Filter.1.Value.1={id}");
                    create_foreign(&mut world.clone(), "DescribeRouteTables", &of, "routeTableId")
                };
                let main_table = tables(&vpc.id);
                let tag = "TagSpecification.1.ResourceType=route-table&TagSpecification.1.Tag.1.Key=Name&TagSpecification.1.Tag.1.Value=other";
                let form = format!("VpcId={}&{tag}", vpc.id);
                Vpc { other_table: create_foreign(&mut world, "CreateRouteTable", &form, "routeTableId"), main_table, ..vpc }
            });
            let empty = Sim::of(1, world.clone());
            Environment {
                fingerprint: fingerprint(&empty, &Stored::default()),
                world,
                networks,
                bare_network,
                azure_gateways,
                single_instance_gateway,
                vpcs,
                far_vpc,
                vpn_gateways,
                transit_gateways,
            }
        }))
    }
}

fn id(sim: &Sim, kind: &str, name: &str) -> ResourceId {
    ResourceId::network(&sim.subscription(), GROUP, kind, name)
}

async fn network(sim: &Sim, name: &str, range: &str, with_subnet: bool) -> String {
    let gateway_subnet = (
        "GatewaySubnet".to_owned(),
        format!("{range}.255.0/27").parse().unwrap(),
    );
    let network = NewVirtualNetwork {
        location: "westeurope".to_owned(),
        address_space: vec![format!("{range}.0.0/16").parse().unwrap()],
        subnets: with_subnet.then_some(gateway_subnet).into_iter().collect(),
        tags: Tags::new(),
    };
    let id = id(sim, "virtualNetworks", name);
    sim.clouds
        .azure
        .create_virtual_network(&id, &network, &|_| true, &sim.limits().call_context())
        .await
        .unwrap();
    id.to_string()
}

async fn azure_gateway(sim: &Sim, name: &str, range: &str, is_shared: bool) -> String {
    let network = network(sim, &format!("of-{name}"), range, true).await;
    let (azure, limits, location) = (
        &sim.clouds.azure,
        sim.limits().call_context(),
        "westeurope".to_owned(),
    );
    let mut instances = Vec::new();
    let names = ["a", "b"].map(str::to_owned);
    for (number, key) in names.iter().zip([TunnelKey::ALL[0], TunnelKey::ALL[2]]) {
        let ip = id(sim, "publicIPAddresses", &format!("{name}-{number}"));
        let zones = ["1", "2", "3"].map(str::to_owned).to_vec();
        let new = NewPublicIp {
            location: location.clone(),
            zones,
            tags: Tags::new(),
        };
        azure
            .create_public_ip(&ip, &new, &|_| true, &limits)
            .await
            .unwrap();
        let custom_bgp_ips = if is_shared {
            vec![other_team::taken().get(key).azure_ip()]
        } else {
            Vec::new()
        };
        instances.push(NewInstance {
            name: number.clone(),
            public_ip_id: ip,
            custom_bgp_ips,
        });
    }
    let (sku, generation) = ("VpnGw2AZ".to_owned(), "Generation2".to_owned());
    let subnet_id = ResourceId::parse(&network)
        .unwrap()
        .child("subnets", "GatewaySubnet");
    let gateway = id(sim, "virtualNetworkGateways", name);
    let (asn, tags) = (Asn(AZURE_ASN), Tags::new());
    let new = NewGateway {
        location,
        sku,
        generation,
        asn,
        subnet_id,
        instances,
        tags,
    };
    azure
        .create_gateway(&gateway, &new, &|_| true, &limits)
        .await
        .unwrap();
    if is_shared {
        other_team::connects_to(sim, &gateway, &names).await;
    }
    gateway.to_string()
}

async fn vpc(sim: &Sim, region: &str, range: &str) -> Vpc {
    let limits = sim.limits().call_context();
    let ec2 = sim
        .clouds
        .aws
        .region(&limits, Some(&Region(region.to_owned())))
        .await
        .unwrap();
    let tags = BTreeMap::from([("Name".to_owned(), format!("workloads {range}"))]);
    let made = ec2
        .create_vpc(
            &limits,
            range.parse().unwrap(),
            &tags,
            IdempotencyKey::new(&tags),
        )
        .await
        .unwrap();
    ec2.wait_vpc_available(&limits, &made.id).await.unwrap();
    Vpc {
        id: made.id.0,
        main_table: String::new(),
        other_table: String::new(),
    }
}

async fn vpn_gateway(sim: &Sim, range: &str, asn: u32) -> String {
    let limits = sim.limits().call_context();
    let ec2 = sim
        .clouds
        .aws
        .region(&limits, Some(&Region(REGION.to_owned())))
        .await
        .unwrap();
    let tags = BTreeMap::from([("Name".to_owned(), format!("workloads {asn}"))]);
    let vpc = awsazure::aws::model::VpcId(vpc(sim, REGION, range).await.id);
    let made = ec2
        .create_vpn_gateway(&limits, Asn(asn), &tags, IdempotencyKey::new(&tags))
        .await
        .unwrap();
    ec2.wait_vpn_gateway_available(&limits, &made.id)
        .await
        .unwrap();
    ec2.attach_vpn_gateway(&limits, &made.id, &vpc)
        .await
        .unwrap();
    ec2.wait_vpn_gateway_attached(&limits, &made.id, &vpc)
        .await
        .unwrap();
    made.id.0
}
