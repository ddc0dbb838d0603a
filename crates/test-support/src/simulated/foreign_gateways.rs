//! Networks and gateways that other teams create, for the worlds that a test starts with.

use super::Sim;
use awsazure::aws::model::{Region, VpcId, VpnGatewayId};
use awsazure::aws::{Ec2, IdempotencyKey};
use awsazure::azure::ResourceId;
use awsazure::azure::documents::gateway::{NewGateway, NewInstance};
use awsazure::azure::documents::network::NewVirtualNetwork;
use awsazure::azure::documents::public_ip::NewPublicIp;
use bgp_vpn::types::{Asn, Tags};
use std::net::Ipv4Addr;

const LOCATION: &str = "westeurope";

/// Objects of other teams in one resource group.
pub struct ForeignGroup<'a> {
    pub sim: &'a Sim,
    pub name: &'static str,
}

/// An instance of an Azure gateway.
pub struct ForeignInstance {
    pub name: String,
    /// Name of its public IP.
    pub public_ip: String,
    pub custom_bgp_ips: Vec<Ipv4Addr>,
}

impl ForeignGroup<'_> {
    pub async fn create(&self) {
        self.sim
            .clouds
            .azure
            .create_group(
                self.name,
                LOCATION,
                &Tags::new(),
                &self.sim.limits().call_context(),
            )
            .await
            .unwrap();
    }

    pub fn id(&self, kind: &str, name: &str) -> ResourceId {
        ResourceId::network(&self.sim.subscription(), self.name, kind, name)
    }

    /// Creates a virtual network, with a gateway subnet where one is named.
    pub async fn virtual_network(
        &self,
        name: &str,
        range: &str,
        gateway_subnet: Option<&str>,
    ) -> ResourceId {
        let subnet = |range: &str| ("GatewaySubnet".to_owned(), range.parse().unwrap());
        let network = NewVirtualNetwork {
            location: LOCATION.to_owned(),
            address_space: vec![range.parse().unwrap()],
            subnets: gateway_subnet.map(subnet).into_iter().collect(),
            tags: Tags::new(),
        };
        let id = self.id("virtualNetworks", name);
        self.sim
            .clouds
            .azure
            .create_virtual_network(&id, &network, &|_| true, &self.sim.limits().call_context())
            .await
            .unwrap();
        id
    }

    /// Creates a VPN gateway in a virtual network, with its public IPs.
    pub async fn azure_gateway(
        &self,
        name: &str,
        network: &ResourceId,
        asn: u32,
        instances: Vec<ForeignInstance>,
    ) -> ResourceId {
        let (azure, ctx) = (&self.sim.clouds.azure, self.sim.limits().call_context());
        let mut created = Vec::new();
        for instance in instances {
            let public_ip_id = self.id("publicIPAddresses", &instance.public_ip);
            let public_ip = NewPublicIp {
                location: LOCATION.to_owned(),
                zones: ["1", "2", "3"].map(str::to_owned).to_vec(),
                tags: Tags::new(),
            };
            azure
                .create_public_ip(&public_ip_id, &public_ip, &|_| true, &ctx)
                .await
                .unwrap();
            created.push(NewInstance {
                name: instance.name,
                public_ip_id,
                custom_bgp_ips: instance.custom_bgp_ips,
            });
        }
        let gateway = NewGateway {
            location: LOCATION.to_owned(),
            sku: "VpnGw2AZ".to_owned(),
            generation: "Generation2".to_owned(),
            asn: Asn(asn),
            subnet_id: network.child("subnets", "GatewaySubnet"),
            instances: created,
            tags: Tags::new(),
        };
        let id = self.id("virtualNetworkGateways", name);
        azure
            .create_gateway(&id, &gateway, &|_| true, &ctx)
            .await
            .unwrap();
        id
    }
}

async fn region_client(sim: &Sim, region: &str) -> Ec2 {
    sim.clouds
        .aws
        .region(
            &sim.limits().call_context(),
            Some(&Region(region.to_owned())),
        )
        .await
        .unwrap()
}

fn named(name: &str) -> Tags {
    Tags::from([("Name".to_owned(), name.to_owned())])
}

/// Creates a VPC.
pub async fn vpc(sim: &Sim, region: &str, range: &str, name: &str) -> VpcId {
    let (ec2, ctx) = (
        region_client(sim, region).await,
        sim.limits().call_context(),
    );
    let tags = named(name);
    let vpc = ec2
        .create_vpc(
            &ctx,
            range.parse().unwrap(),
            &tags,
            IdempotencyKey::new(&tags),
        )
        .await
        .unwrap();
    ec2.wait_vpc_available(&ctx, &vpc.id).await.unwrap();
    vpc.id
}

/// Creates a VPN gateway and attaches it to a VPC.
pub async fn vpn_gateway(
    sim: &Sim,
    region: &str,
    vpc: &VpcId,
    asn: u32,
    name: &str,
) -> VpnGatewayId {
    let (ec2, ctx) = (
        region_client(sim, region).await,
        sim.limits().call_context(),
    );
    let tags = named(name);
    let gateway = ec2
        .create_vpn_gateway(&ctx, Asn(asn), &tags, IdempotencyKey::new(&tags))
        .await
        .unwrap();
    ec2.wait_vpn_gateway_available(&ctx, &gateway.id)
        .await
        .unwrap();
    ec2.attach_vpn_gateway(&ctx, &gateway.id, vpc)
        .await
        .unwrap();
    ec2.wait_vpn_gateway_attached(&ctx, &gateway.id, vpc)
        .await
        .unwrap();
    gateway.id
}
