//! Networks and gateways of other teams, in both clouds, that a link may be configured with.

use super::clock::in_virtual_time;
use super::fault_sweep::create_foreign;
use super::fingerprint::fingerprint;
use super::foreign_gateways::{self, ForeignGroup, ForeignInstance};
use super::other_team;
use super::terraform_core::Stored;
use super::{REGION, Sim};
use awsazure::aws::model::VpcId;
use awsazure::azure::ResourceId;
use awsazure_sandbox::aws::Quotas;
use awsazure_sandbox::world::World;
use bgp_vpn::tunnel::TunnelKey;

/// Resource group of everything in Azure.
pub const GROUP: &str = "existing-rg";
/// A second AWS region.
pub const OTHER_REGION: &str = "us-east-1";
/// ASN of both Azure gateways.
pub const AZURE_ASN: u32 = 65_020;

/// Quotas of every region: room for the VPCs of the environment and of a link that is replaced.
pub const QUOTAS: Quotas = Quotas {
    vpcs: 20,
    customer_gateways: 50,
    vpn_gateways: 5,
    vpn_connections: 50,
    vpn_connections_per_gateway: 10,
    transit_gateways: 5,
};

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
    /// Route tables of the first one, in addition to its default one.
    pub transit_tables: [String; 2],
    /// A route table of the second one.
    pub far_transit_table: String,
}

impl Environment {
    pub fn build() -> Environment {
        in_virtual_time(Box::pin(async {
            let sim = Sim::new(1);
            group(&sim).create().await;
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
            world.aws.quotas = QUOTAS;
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
            let mut transit_table = |gateway: &str, name: &str| {
                let kind = "TagSpecifications.1.ResourceType=transit-gateway-route-table";
                let tag = format!(
                    "TagSpecifications.1.Tag.1.Key=Name&TagSpecifications.1.Tag.1.Value={name}"
                );
                let form = format!("TransitGatewayId={gateway}&{kind}&{tag}");
                let action = "CreateTransitGatewayRouteTable";
                create_foreign(&mut world, action, &form, "transitGatewayRouteTableId")
            };
            let transit_tables =
                ["one", "two"].map(|name| transit_table(&transit_gateways[0], name));
            let far_transit_table = transit_table(&transit_gateways[1], "far");
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
                transit_tables,
                far_transit_table,
            }
        }))
    }
}

fn group(sim: &Sim) -> ForeignGroup<'_> {
    ForeignGroup { sim, name: GROUP }
}

async fn network(sim: &Sim, name: &str, range: &str, with_subnet: bool) -> String {
    let subnet = with_subnet.then(|| format!("{range}.255.0/27"));
    let range = format!("{range}.0.0/16");
    let group = group(sim);
    let network = group.virtual_network(name, &range, subnet.as_deref());
    network.await.to_string()
}

async fn azure_gateway(sim: &Sim, name: &str, range: &str, is_shared: bool) -> String {
    let network = network(sim, &format!("of-{name}"), range, true).await;
    let network = ResourceId::parse(&network).unwrap();
    let names = ["a", "b"].map(str::to_owned);
    let keys = [TunnelKey::ALL[0], TunnelKey::ALL[2]];
    let taken = |key| vec![other_team::taken().get(key).azure_ip()];
    let instances = names.iter().zip(keys).map(|(number, key)| ForeignInstance {
        name: number.clone(),
        public_ip: format!("{name}-{number}"),
        custom_bgp_ips: if is_shared { taken(key) } else { Vec::new() },
    });
    let gateway = group(sim)
        .azure_gateway(name, &network, AZURE_ASN, instances.collect())
        .await;
    if is_shared {
        other_team::connects_to(sim, &gateway, &names).await;
    }
    gateway.to_string()
}

async fn vpc(sim: &Sim, region: &str, range: &str) -> Vpc {
    let name = format!("workloads {range}");
    Vpc {
        id: foreign_gateways::vpc(sim, region, range, &name).await.0,
        main_table: String::new(),
        other_table: String::new(),
    }
}

async fn vpn_gateway(sim: &Sim, range: &str, asn: u32) -> String {
    let vpc = VpcId(vpc(sim, REGION, range).await.id);
    let name = format!("workloads {asn}");
    foreign_gateways::vpn_gateway(sim, REGION, &vpc, asn, &name)
        .await
        .0
}
