//! A simulated link, and what a user does to it.

use awsazure::aws::model::{CustomerGateway, Region, VpnConnection};
use awsazure::aws::{ConnectionEndpoints, Ec2};
use awsazure::azure::Azure;
use awsazure::reconcile::{ReconcileOutcome, observe};
use awsazure_sandbox::world::World;
use bgp_vpn::observed::Observed;
use bgp_vpn::plan::describe_drift;
use bgp_vpn::spec::Spec;
use bgp_vpn::tunnel::Instance;
use bgp_vpn::types::{Asn, Tags};
use serde_json::json;
use std::net::Ipv4Addr;
use std::time::Duration;
use terraform_plugin::{AttributePath, Value};
use test_support::simulated::availability::AvailabilityMonitor;
use test_support::simulated::clock::{in_virtual_time, on_big_stack};
use test_support::simulated::terraform_core::{Run, Stored, TerraformCore, config};
use test_support::simulated::verify::succeeded;
use test_support::simulated::{REGION, Sim};

/// A link whose four tunnels carry routes.
pub struct Fixture {
    pub sim: Sim,
    pub spec: Spec,
    pub before: Observed,
}

impl Fixture {
    pub async fn new(seed: u64) -> Self {
        let sim = Sim::new(seed);
        let spec = sim.spec("prod", 0);
        let built = sim.converge(&spec).await;
        succeeded("create", &built).unwrap();
        let fixture = Fixture {
            sim,
            spec,
            before: built.observed,
        };
        fixture.wait_for_sessions().await;
        fixture
    }

    /// Sessions come up, and both clouds report it.
    pub async fn wait_for_sessions(&self) {
        tokio::time::sleep(Duration::from_secs(300)).await;
        let now = self.sim.sandbox.now();
        self.sim.sandbox.world().advance(now);
    }

    pub async fn ec2(&self) -> Ec2 {
        self.sim
            .clouds
            .link_clients(Some(&self.spec.aws.region), &self.sim.limits())
            .await
            .unwrap()
            .ec2
            .clone()
    }

    pub async fn seen(&self) -> Observed {
        let site = self
            .sim
            .clouds
            .link_clients(Some(&self.spec.aws.region), &self.sim.limits())
            .await
            .unwrap();
        observe(
            &site,
            &self.sim.search_after(&self.spec, &self.before),
            &self.sim.limits(),
        )
        .await
        .unwrap()
    }

    pub async fn drift(&self) -> Vec<String> {
        describe_drift(&self.spec, &self.seen().await)
    }

    pub fn vpn(&self, instance: Instance) -> VpnConnection {
        self.before
            .aws
            .vpn_connections
            .get(instance)
            .clone()
            .unwrap()
    }

    pub fn calls(&self, operation: &str) -> usize {
        self.sim
            .sandbox
            .calls()
            .iter()
            .filter(|call| call.operation == operation)
            .count()
    }

    pub async fn converge(&self) -> ReconcileOutcome {
        self.sim
            .converge_from(&self.spec, &self.sim.search_after(&self.spec, &self.before))
            .await
    }

    /// One apply, with at least so many tunnels up at any moment; then nothing differs any more.
    pub async fn repair(&self, least: usize) -> Observed {
        let availability = AvailabilityMonitor::over(&self.sim).unwrap();
        let ended = self.converge().await;
        succeeded("the repair", &ended).unwrap();
        availability.check_at_least(least).unwrap();
        self.wait_for_sessions().await;
        assert_eq!(self.drift().await, Vec::<String>::new());
        let after = self.seen().await;
        let ids = |seen: &Observed| {
            seen.aws
                .vpn_connections
                .clone()
                .iter()
                .map(|(_, v)| v.clone().unwrap().id)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            ids(&after),
            ids(&self.before),
            "no VPN connection was recreated"
        );
        assert_eq!(
            (
                self.calls("DeleteVpnConnection"),
                self.calls("DeleteCustomerGateway")
            ),
            (0, 0)
        );
        AvailabilityMonitor::over(&self.sim).unwrap();
        after
    }

    pub async fn customer_gateway(&self, ip: Ipv4Addr, asn: u32, device: &str) -> CustomerGateway {
        let (ec2, ctx) = (self.ec2().await, self.sim.limits().call_context());
        let made = ec2
            .create_customer_gateway(&ctx, ip, Asn(asn), device, &Tags::new())
            .await
            .unwrap();
        ec2.wait_customer_gateway_available(&ctx, &made.id)
            .await
            .unwrap()
    }

    pub async fn use_customer_gateway(&self, instance: Instance, customer: &CustomerGateway) {
        let ends = ConnectionEndpoints {
            customer_gateway: Some(customer.id.clone()),
            target: None,
        };
        let id = self.vpn(instance).id;
        self.ec2()
            .await
            .change_connection_endpoints(&self.sim.limits().call_context(), &id, &ends)
            .await
            .unwrap();
    }
}

/// The seed of every link that a simulated Terraform made.
pub const SEED: u64 = 7;

/// A link that a simulated Terraform made, its tunnels up: what each scenario starts from.
pub struct Link {
    pub world: World,
    pub stored: Stored,
    pub config: Value,
}

impl Link {
    pub fn new() -> Self {
        let config = config(&json!({
            "name": "prod",
            "azure": {
                "resource_group_name": "prod-rg", "create_resource_group": true, "location": "westeurope",
                "virtual_network": {
                    "name": "vnet", "address_space": ["10.1.0.0/16"], "gateway_subnet_prefix": "10.1.1.0/24",
                },
            },
            "aws": {"vpc": {"cidr_block": "10.2.0.0/16"}},
        }));
        let made = config.clone();
        let (world, stored) = on_big_stack(move || {
            in_virtual_time(async {
                let sim = Sim::new(SEED);
                let mut core = TerraformCore::new(&sim, made, Stored::default());
                core.run(&Run::Apply).await.unwrap();
                wait_for_sessions(&sim).await;
                (sim.sandbox.world().clone(), core.stored)
            })
        });
        Link {
            world,
            stored,
            config,
        }
    }

    pub fn sim(&self) -> Sim {
        Sim::of(SEED, self.world.clone())
    }

    pub fn core<'a>(&self, sim: &'a Sim) -> TerraformCore<'a> {
        TerraformCore::new(sim, self.config.clone(), self.stored.clone())
    }

    /// An attribute of the state.
    pub fn text(&self, path: &str) -> String {
        self.stored
            .state
            .at(&AttributePath::from(path))
            .as_str()
            .unwrap()
            .to_owned()
    }
}

/// Sessions come up, and both clouds report it.
pub async fn wait_for_sessions(sim: &Sim) {
    tokio::time::sleep(Duration::from_secs(300)).await;
    let now = sim.sandbox.now();
    sim.sandbox.world().advance(now);
}

/// Calls that change something in a cloud.
pub fn writes(sim: &Sim) -> Vec<String> {
    let reads = |operation: &str| {
        ["Describe", "Get", "List", "Post"]
            .iter()
            .any(|verb| operation.starts_with(verb))
    };
    let calls = sim
        .sandbox
        .calls()
        .into_iter()
        .filter(|call| call.cloud != "login" && !reads(&call.operation));
    calls
        .map(|call| format!("{} {}", call.operation, call.target))
        .collect()
}

/// The limits of a call to Azure or AWS.
pub fn clients(sim: &Sim) -> (&Azure, awsazure::client::CallContext) {
    (&sim.clouds.azure, sim.limits().call_context())
}

/// EC2 in the links' region.
pub async fn ec2(sim: &Sim) -> Ec2 {
    sim.clouds
        .link_clients(Some(&Region(REGION.to_owned())), &sim.limits())
        .await
        .unwrap()
        .ec2
        .clone()
}
