//! One link with its configuration, its state and its user, who runs terraform again after a failure.

use super::cloud_faults::stir;
use super::gateways::SharedGateway;
use super::{Sharing, simulated};
use crate::simulated::isolation_checker::IsolationChecker;
use crate::simulated::scenario_gen::{once_in, pick};
use crate::simulated::terraform_core::{Run, Stored, TerraformCore, config};
use crate::simulated::{Sim, leak_checker};
use awsazure::azure::ResourceId;
use awsazure_sandbox::rng::Rng;
use awsazure_sandbox::time::SimDuration;
use serde_json::json;
use std::net::Ipv4Addr;
use terraform_plugin::{AttributePath, Value};

/// Attempts of a user before the clouds have a good day, and before the test gives up.
const PATIENCE: (usize, usize) = (4, 8);

/// One link, its configuration and its state.
pub(super) struct Link {
    pub(super) sim: Sim,
    pub(super) name: &'static str,
    /// The first of ten slots that are this link's to use.
    pub(super) slots: u64,
    pub(super) rng: Rng,
    pub(super) config: Value,
    pub(super) stored: Stored,
    pub(super) gone: bool,
    pub(super) created: bool,
    pub(super) owns_gateways: bool,
    pub(super) story: Vec<String>,
    pub(super) failed_runs: u64,
    pub(super) rolls: u64,
}

impl Link {
    pub(super) fn new(
        sim: &Sim,
        hub: &SharedGateway,
        name: &'static str,
        slots: u64,
        shared_vgw: bool,
        mut rng: Rng,
    ) -> Self {
        let number = slots / 10;
        let aws = match shared_vgw {
            true => json!({"vpn_gateway_id": hub.vpn_gateway}),
            false => {
                json!({"vpc": {"cidr_block": format!("10.{}.0.0/16", 2 + number)}, "asn": 64512 + number})
            }
        };
        let own_group = once_in(&mut rng, 2);
        let azure = match own_group {
            true => {
                json!({"resource_group_name": format!("{name}-rg"), "create_resource_group": true, "gateway_id": hub.gateway.to_string()})
            }
            false => {
                json!({"resource_group_name": "hub-rg", "gateway_id": hub.gateway.to_string()})
            }
        };
        let slot = slots + rng.below(10);
        let config = config(&json!({"name": name, "slot": slot, "azure": azure, "aws": aws}));
        let (sim, stored, story) = (sim.of_actor(name), Stored::default(), Vec::new());
        let (gone, created, owns_gateways) = (false, false, false);
        Link {
            sim,
            name,
            slots,
            rng,
            config,
            stored,
            gone,
            created,
            owns_gateways,
            story,
            failed_runs: 0,
            rolls: 0,
        }
    }

    /// The link creates both of its gateways, in networks of its own.
    pub(super) fn own_gateways(&mut self) {
        self.owns_gateways = true;
        let azure = json!({
            "resource_group_name": format!("{}-rg", self.name), "create_resource_group": true, "location": "westeurope",
            "virtual_network": {
                "name": "vnet", "address_space": ["10.1.0.0/16"], "gateway_subnet_prefix": "10.1.1.0/24",
            },
        });
        let aws = json!({"vpc": {"cidr_block": "10.2.0.0/16"}, "asn": 64_512});
        let slot = self.slots + self.rng.below(10);
        self.config = config(&json!({"name": self.name, "slot": slot, "azure": azure, "aws": aws}));
    }

    /// The link uses gateways of another one.
    pub(super) fn attach(&mut self, other: &Link, sharing: Sharing) {
        let id = |path: &str| other.stored.state.at(&path.into()).clone();
        self.config
            .set_at(&"azure.gateway_id".into(), id("azure.gateway_id"));
        let own_group = format!("{}-rg", self.name);
        self.config
            .set_at(&"azure.resource_group_name".into(), own_group);
        self.config
            .set_at(&"azure.create_resource_group".into(), true);
        if sharing == Sharing::BothOfFirst {
            let aws = json!({"aws": {"vpn_gateway_id": id("aws.vpn_gateway_id").as_str()}});
            self.config.set("aws", config(&aws).get("aws").clone());
        }
    }

    pub(super) fn azure_gateway(&self) -> ResourceId {
        let id = self
            .stored
            .state
            .at(&"azure.gateway_id".into())
            .as_str()
            .unwrap_or_default()
            .to_owned();
        ResourceId::parse(&id).unwrap()
    }

    pub(super) async fn create(&mut self) -> Result<(), String> {
        self.pause(20).await;
        stir(&self.sim);
        self.created = true;
        self.insist(&Run::Apply, "create").await
    }

    /// Made, changed once or twice, and sometimes taken down; all of it on bad days.
    pub(super) async fn live(&mut self, checker: &IsolationChecker) -> Result<(), String> {
        if !self.created {
            self.create().await?;
        }
        for _ in 0..self.rng.below(3) {
            self.pause(30).await;
            stir(&self.sim);
            let (what, rolls) = self.change();
            let outside = self.outside();
            if rolls && self.are_up(&outside).await {
                checker.roll_begins(self.name, outside);
                self.rolls += 1;
            }
            let ended = self.insist(&Run::Apply, what).await;
            checker.roll_ends(self.name);
            ended?;
        }
        if !self.owns_gateways && once_in(&mut self.rng, 2) {
            self.pause(30).await;
            stir(&self.sim);
            self.insist(&Run::Destroy, "destroy").await?;
            self.gone = true;
        }
        Ok(())
    }

    /// Up to so many simulated minutes.
    async fn pause(&mut self, minutes: u64) {
        let span = SimDuration::seconds(self.rng.below(minutes * 60));
        tokio::time::sleep(simulated(&self.sim, span)).await;
    }

    /// Runs terraform until it ends well.
    async fn insist(&mut self, run: &Run, what: &str) -> Result<(), String> {
        for attempt in 1..=PATIENCE.1 {
            let ended = self.run(run).await;
            let shown: String = ended
                .clone()
                .err()
                .unwrap_or_default()
                .chars()
                .take(600)
                .collect();
            self.story.push(format!(
                "{} s, {what}: {shown}",
                self.sim.sandbox.now().0 / 1000
            ));
            let Err(words) = ended else { return Ok(()) };
            if words.contains("rule of core broken") {
                return Err(words);
            }
            self.failed_runs += 1;
            if attempt >= PATIENCE.0 {
                self.sim.sandbox.world().faults.clear();
            }
            self.pause(3).await;
        }
        Err(format!("{what} never ended well"))
    }

    pub(super) async fn run(&mut self, run: &Run) -> Result<(), String> {
        // Sometimes the process is killed, at any point.
        let calm = self.sim.sandbox.world().faults.rules.is_empty();
        let doomed = !calm && once_in(&mut self.rng, 6);
        let (total, saved) = (
            SimDuration::seconds(self.rng.below(1_200)),
            once_in(&mut self.rng, 2),
        );
        let end = async {
            match doomed {
                true => tokio::time::sleep(simulated(&self.sim, total)).await,
                false => std::future::pending().await,
            }
        };
        let mut core = TerraformCore::new(
            &self.sim,
            self.config.clone(),
            std::mem::take(&mut self.stored),
        );
        let ended = tokio::select! {
            biased;
            ended = core.run(run) => Some(ended),
            () = end => None,
        };
        if ended.is_none() && saved {
            core.store_checkpoint();
        }
        let mut ended = ended.unwrap_or_else(|| {
            Err(format!(
                "killed, {} saved",
                if saved { "its notes" } else { "nothing" }
            ))
        });
        // Killed between the last step and the state: the error says how to take the link in.
        let import = ended
            .as_ref()
            .err()
            .and_then(|words| words.split_once("terraform import ADDRESS '"));
        if let Some(id) = import
            .and_then(|(_, rest)| rest.split('\'').next())
            .map(str::to_owned)
        {
            ended = core
                .run(&Run::Import(id))
                .await
                .and(Err("imported".to_owned()));
        }
        let said = core.messages.join("\n");
        self.stored = core.stored;
        leak_checker::no_secret(&self.sim, &[&said, &format!("{:?}", self.stored)])?;
        ended
    }

    pub(super) async fn plans_empty(&mut self) -> Result<(), String> {
        let mut core = TerraformCore::new(
            &self.sim,
            self.config.clone(),
            std::mem::take(&mut self.stored),
        );
        let ended = core.plans_empty().await;
        self.stored = core.stored;
        ended.map_err(|fault| format!("{}: {fault}", self.name))
    }

    /// Says what the user changes, and whether it goes through the link one tunnel at a time.
    fn change(&mut self) -> (&'static str, bool) {
        let mut set =
            |path: &str, value: Value| self.config.set_at(&AttributePath::from(path), value);
        match self.rng.below(6) {
            0 | 1 => {
                set("rotate_keys", self.rng.next_u64().to_string().into());
                ("rotate_keys", true)
            }
            2 => {
                let preset = pick(&mut self.rng, &["strong", "compatible"]);
                set(
                    "ipsec_policy",
                    config(&json!({"ipsec_policy": {"preset": preset}}))
                        .get("ipsec_policy")
                        .clone(),
                );
                ("policy", true)
            }
            3 => {
                set("slot", (self.slots + self.rng.below(10)).into());
                ("slot", false)
            }
            4 => {
                set(
                    "tags",
                    Value::map([("version", self.rng.below(100).to_string())]),
                );
                ("tags", false)
            }
            _ => {
                set("aws.dpd_timeout_seconds", (30 + self.rng.below(5)).into());
                ("AWS's DPD", false)
            }
        }
    }

    /// AWS's addresses of the tunnels that the state knows.
    fn outside(&self) -> Vec<Ipv4Addr> {
        let tunnels = self
            .stored
            .state
            .get("tunnels")
            .as_map()
            .into_iter()
            .flatten();
        tunnels
            .filter_map(|(_, tunnel)| tunnel.get("aws_outside_ip").as_str()?.parse().ok())
            .collect()
    }

    /// Waits a little until all four tunnels are up.
    async fn are_up(&self, outside: &[Ipv4Addr]) -> bool {
        for _ in 0..20 {
            {
                let mut world = self.sim.sandbox.world();
                world.advance(self.sim.sandbox.now());
                if outside.len() == 4
                    && outside
                        .iter()
                        .all(|ip| !world.tunnels.aws_learned(*ip).is_empty())
                {
                    return true;
                }
            }
            tokio::time::sleep(simulated(&self.sim, SimDuration::seconds(30))).await;
        }
        false
    }
}
