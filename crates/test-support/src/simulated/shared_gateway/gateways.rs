//! The gateways of another team that both links can use.

use crate::simulated::clock::in_virtual_time;
use crate::simulated::{REGION, Sim};
use awsazure::aws::IdempotencyKey;
use awsazure::aws::model::Region;
use awsazure::azure::ResourceId;
use awsazure::azure::documents::gateway::{NewGateway, NewInstance};
use awsazure::azure::documents::network::NewVirtualNetwork;
use awsazure::azure::documents::public_ip::NewPublicIp;
use awsazure_sandbox::world::World;
use bgp_vpn::types::{Asn, Tags};
use std::collections::BTreeMap;

/// A gateway with its network, and a VPN gateway in a VPC, of other people's; no link on it yet.
#[derive(Clone)]
pub struct SharedGateway {
    pub world: World,
    pub gateway: ResourceId,
    pub vpn_gateway: String,
}

impl SharedGateway {
    pub fn build() -> SharedGateway {
        in_virtual_time(async {
            let sim = Sim::new(1);
            let (azure, limits) = (&sim.clouds.azure, sim.limits());
            let (ctx, location) = (limits.call_context(), "westeurope".to_owned());
            azure
                .create_group("hub-rg", &location, &Tags::new(), &ctx)
                .await
                .unwrap();
            let id = |kind: &str, name: &str| {
                ResourceId::network(&sim.subscription(), "hub-rg", kind, name)
            };
            let network = NewVirtualNetwork {
                location: location.clone(),
                address_space: vec!["10.1.0.0/16".parse().unwrap()],
                subnets: vec![("GatewaySubnet".to_owned(), "10.1.1.0/24".parse().unwrap())],
                tags: Tags::new(),
            };
            let hub = id("virtualNetworks", "hub");
            azure
                .create_virtual_network(&hub, &network, &|_| true, &ctx)
                .await
                .unwrap();
            let mut instances = Vec::new();
            for name in ["one", "two"] {
                let ip = id("publicIPAddresses", name);
                let zones = ["1", "2", "3"].map(str::to_owned).to_vec();
                let new = NewPublicIp {
                    location: location.clone(),
                    zones,
                    tags: Tags::new(),
                };
                azure
                    .create_public_ip(&ip, &new, &|_| true, &ctx)
                    .await
                    .unwrap();
                instances.push(NewInstance {
                    name: name.to_owned(),
                    public_ip_id: ip,
                    custom_bgp_ips: Vec::new(),
                });
            }
            let (sku, generation) = ("VpnGw2AZ".to_owned(), "Generation2".to_owned());
            let (asn, subnet_id, tags) = (
                Asn(65000),
                hub.child("subnets", "GatewaySubnet"),
                Tags::new(),
            );
            let gateway = id("virtualNetworkGateways", "hub");
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
                .create_gateway(&gateway, &new, &|_| true, &ctx)
                .await
                .unwrap();

            let ec2 = sim
                .clouds
                .aws
                .region(&ctx, Some(&Region(REGION.to_owned())))
                .await
                .unwrap();
            let tags = BTreeMap::from([("Name".to_owned(), "workloads".to_owned())]);
            let vpc = ec2
                .create_vpc(
                    &ctx,
                    "10.9.0.0/16".parse().unwrap(),
                    &tags,
                    IdempotencyKey::new(&tags),
                )
                .await
                .unwrap();
            ec2.wait_vpc_available(&ctx, &vpc.id).await.unwrap();
            let vgw = ec2
                .create_vpn_gateway(&ctx, Asn(64900), &tags, IdempotencyKey::new(&tags))
                .await
                .unwrap();
            ec2.wait_vpn_gateway_available(&ctx, &vgw.id).await.unwrap();
            ec2.attach_vpn_gateway(&ctx, &vgw.id, &vpc.id)
                .await
                .unwrap();
            ec2.wait_vpn_gateway_attached(&ctx, &vgw.id, &vpc.id)
                .await
                .unwrap();
            let world = sim.sandbox.world().clone();
            SharedGateway {
                world,
                gateway,
                vpn_gateway: vgw.id.0,
            }
        })
    }
}
