//! The gateways of another team that both links can use.

use crate::simulated::clock::in_virtual_time;
use crate::simulated::foreign_gateways::{ForeignGroup, ForeignInstance, vpc, vpn_gateway};
use crate::simulated::{REGION, Sim};
use awsazure::azure::ResourceId;
use awsazure_sandbox::world::World;

/// A gateway with its network, and a VPN gateway in a VPC, of other teams. No link uses them yet.
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
            let group = ForeignGroup {
                sim: &sim,
                name: "hub-rg",
            };
            group.create().await;
            let network = group
                .virtual_network("hub", "10.1.0.0/16", Some("10.1.1.0/24"))
                .await;
            let instances = ["one", "two"].map(|name| ForeignInstance {
                name: name.to_owned(),
                public_ip: name.to_owned(),
                custom_bgp_ips: Vec::new(),
            });
            let gateway = group
                .azure_gateway("hub", &network, 65_000, instances.into())
                .await;
            let vpc = vpc(&sim, REGION, "10.9.0.0/16", "workloads").await;
            let vpn_gateway = vpn_gateway(&sim, REGION, &vpc, 64_900, "workloads").await;
            SharedGateway {
                world: sim.sandbox.world().clone(),
                gateway,
                vpn_gateway: vpn_gateway.0,
            }
        })
    }
}
