//! Two links on one Azure gateway, at the same time, in clouds that fail at random, while other
//! people edit that gateway.
//!
//! The gateway is another team's, or the first link creates it and the second attaches to it,
//! perhaps to its VPN gateway too. Each link has a user who runs terraform again when it failed.
//! Every call is looked at by an [`IsolationChecker`].

use super::clock::in_virtual_time;
use super::isolation_checker::{IsolationChecker, OTHERS};
use super::scenario_gen::{once_in, pick};
use super::terraform_core::{Run, Stored, TerraformCore, config};
use super::verify::{Listing, listing};
use super::{REGION, Sim, leak_checker};
use awsazure::aws::IdempotencyKey;
use awsazure::aws::model::Region;
use awsazure::azure::ResourceId;
use awsazure::azure::documents::gateway::{
    NewGateway, NewInstance, add_custom_bgp_ip, remove_custom_bgp_ip,
};
use awsazure::azure::documents::network::NewVirtualNetwork;
use awsazure::azure::documents::public_ip::NewPublicIp;
use awsazure_sandbox::rng::Rng;
use awsazure_sandbox::time::SimDuration;
use awsazure_sandbox::world::{Settings, World};
use bgp_vpn::types::{Asn, Tags};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;
use terraform_plugin::{AttributePath, Value};

/// Attempts of a user before the clouds have a good day, and before the test gives up.
const PATIENCE: (usize, usize) = (4, 8);

/// What clouds do at random: how often in ten thousand calls, and what.
const TROUBLE: [(u64, &str, &str); 16] = [
    (60, "azure *", "429"),
    (60, "azure *", "503"),
    (40, "azure *", "500"),
    (40, "azure *", "dropped"),
    (30, "azure *", "lost"),
    (20, "azure *", "truncated"),
    (10, "azure *", "hang-after"),
    (15, "azure *", "refused"),
    (10, "azure *", "403"),
    (300, "azure PutGateway", "failed"),
    (60, "aws *", "429"),
    (60, "aws *", "500"),
    (40, "aws *", "lost"),
    (20, "aws *", "malformed"),
    (10, "aws *", "hang"),
    (15, "aws *", "refused"),
];

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
            let (az, aw, location) = (limits.azure(), limits.aws(), "westeurope".to_owned());
            azure
                .create_group("hub-rg", &location, &Tags::new(), &az)
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
                .create_virtual_network(&hub, &network, &|_| true, &az)
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
                    .create_public_ip(&ip, &new, &|_| true, &az)
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
                .create_gateway(&gateway, &new, &|_| true, &az)
                .await
                .unwrap();

            let ec2 = sim
                .clouds
                .aws
                .region(&aw, Some(&Region(REGION.to_owned())))
                .await
                .unwrap();
            let tags = BTreeMap::from([("Name".to_owned(), "workloads".to_owned())]);
            let vpc = ec2
                .create_vpc(
                    &aw,
                    "10.9.0.0/16".parse().unwrap(),
                    &tags,
                    IdempotencyKey::new(&tags),
                )
                .await
                .unwrap();
            ec2.wait_vpc_available(&aw, &vpc.id).await.unwrap();
            let vgw = ec2
                .create_vpn_gateway(&aw, Asn(64900), &tags, IdempotencyKey::new(&tags))
                .await
                .unwrap();
            ec2.wait_vpn_gateway_available(&aw, &vgw.id).await.unwrap();
            ec2.attach_vpn_gateway(&aw, &vgw.id, &vpc.id).await.unwrap();
            ec2.wait_vpn_gateway_attached(&aw, &vgw.id, &vpc.id)
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

/// Whose the gateways are that the two links share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sharing {
    /// Both of another team.
    Foreign,
    /// The Azure gateway of the first link; each link has an AWS gateway of its own.
    AzureOfFirst,
    /// Both of the first link.
    BothOfFirst,
}

impl Sharing {
    /// Every second pair shares gateways of its first link.
    fn of(seed: u64) -> Sharing {
        match seed % 6 {
            0 | 3 => Sharing::AzureOfFirst,
            5 => Sharing::BothOfFirst,
            _ => Sharing::Foreign,
        }
    }
}

/// What came of it.
#[derive(Debug, Default)]
pub struct PairRun {
    pub story: Vec<String>,
    /// Every write, a line each.
    pub writes: Vec<String>,
    pub calls: u64,
    /// Runs of terraform that failed, and were repaired by the next.
    pub failed_runs: u64,
    pub rolls: u64,
    /// Changes of other people.
    pub edits: u64,
}

/// Lives two lives on this thread.
///
/// # Errors
/// Which invariant broke, and what had happened by then.
pub fn run(hub: &SharedGateway, seed: u64) -> Result<PairRun, String> {
    let lived = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        in_virtual_time(Box::pin(both(hub, seed)))
    }));
    lived.unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        let words = words.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        Err(format!("panic: {}", words.unwrap_or_default()))
    })
}

async fn both(hub: &SharedGateway, seed: u64) -> Result<PairRun, String> {
    let mut rng = Rng::seeded(seed.wrapping_mul(0x5851_F42D_4C95_7F2D));
    let mut world = hub.world.clone();
    world.reseed(seed);
    world.settings = Settings {
        time_scale: pick(&mut rng, &[5, 10, 30]),
        latency: SimDuration(20 + rng.below(400)),
        growing_retry_after: once_in(&mut rng, 2),
        ..world.settings
    };
    let sim = Sim::of(seed, world);
    let (before, checker) = (listing(&sim), IsolationChecker::over(&sim));
    let (shared_vgw, sharing) = (once_in(&mut rng, 3), Sharing::of(seed));
    let mut alpha = Link::new(
        &sim,
        hub,
        "alpha",
        0,
        shared_vgw,
        Rng::seeded(rng.next_u64()),
    );
    let mut beta = Link::new(
        &sim,
        hub,
        "beta",
        10,
        shared_vgw,
        Rng::seeded(rng.next_u64()),
    );
    let mut gateway = (hub.gateway.clone(), ["one", "two"]);
    if sharing != Sharing::Foreign {
        alpha.own_gateways();
        let created = alpha.create().await;
        if let Err(fault) = checker.check().and(created) {
            return Err(format!("{fault}\nbefore that: {:#?}", alpha.story));
        }
        gateway = (alpha.azure_gateway(), ["instance0", "instance1"]);
        beta.attach(&alpha, sharing);
    }
    let (actor, edits_by) = (sim.of_actor(OTHERS), Rng::seeded(rng.next_u64()));
    let mut others = Others {
        sim: actor,
        gateway,
        rng: edits_by,
        own: BTreeSet::new(),
        edits: 0,
    };
    let ended = tokio::select! {
        biased;
        ended = async { tokio::try_join!(Box::pin(alpha.live(&checker)), Box::pin(beta.live(&checker))) } => ended.map(drop),
        never = Box::pin(others.edit()) => never,
    };
    let mut total = PairRun {
        edits: others.edits,
        writes: checker.writes(),
        ..PairRun::default()
    };
    for link in [&alpha, &beta] {
        total.story.extend(
            link.story
                .iter()
                .map(|line| format!("{}: {line}", link.name)),
        );
        total.failed_runs += link.failed_runs;
        total.rolls += link.rolls;
    }
    let ended = match ended {
        Ok(()) => Box::pin(in_the_end(&sim, &before, [&mut alpha, &mut beta], hub)).await,
        Err(fault) => Err(fault),
    };
    match checker.check().and_then(|calls| ended.map(|()| calls)) {
        Ok(calls) => Ok(PairRun { calls, ..total }),
        Err(fault) => Err(format!("{fault}\nbefore that: {:#?}", total.story)),
    }
}

/// On a quiet day both links are complete, and when they are gone all is as other people left it.
async fn in_the_end(
    sim: &Sim,
    before: &Listing,
    links: [&mut Link; 2],
    hub: &SharedGateway,
) -> Result<(), String> {
    sim.sandbox.world().faults.clear();
    leak_checker::wait_until_idle(sim, simulated(sim, SimDuration::seconds(10))).await;
    let mut links = links;
    for link in links.iter_mut().filter(|link| !link.gone) {
        link.run(&Run::Apply)
            .await
            .map_err(|words| format!("{}, the last apply: {words}", link.name))?;
        link.plans_empty().await?;
    }
    // Sessions come up within minutes after the last change.
    tokio::time::sleep(simulated(sim, SimDuration::minutes(5))).await;
    all_up(sim)?;
    let [alpha, beta] = &mut links;
    if alpha.owns_gateways && !beta.gone {
        // The second link keeps the first one's gateway, and both of them complete.
        if alpha.run(&Run::Destroy).await.is_ok() {
            return Err("a gateway that another link uses was destroyed".to_owned());
        }
        alpha.plans_empty().await?;
        beta.plans_empty().await?;
        all_up(sim)?;
    }
    for link in links.iter_mut().rev().filter(|link| !link.gone) {
        link.run(&Run::Destroy)
            .await
            .map_err(|words| format!("{}, the last destroy: {words}", link.name))?;
    }
    leak_checker::wait_until_idle(sim, simulated(sim, SimDuration::seconds(10))).await;
    let now = listing(sim);
    if now.keys().ne(before.keys()) {
        let differ: Vec<_> = now
            .iter()
            .filter(|(id, _)| !before.contains_key(*id))
            .collect();
        return Err(format!("left behind: {differ:#?}"));
    }
    let listed = &now[&hub.gateway.to_string().to_lowercase()]["custom_bgp_addresses"];
    let listed: BTreeSet<Ipv4Addr> = serde_json::from_value(listed.clone()).unwrap();
    match listed.iter().find(|ip| !of_others(**ip)) {
        None => Ok(()),
        Some(ip) => Err(format!("the gateway still lists {ip}")),
    }
}

fn all_up(sim: &Sim) -> Result<(), String> {
    let mut world = sim.sandbox.world();
    world.advance(sim.sandbox.now());
    let down = world
        .aws
        .endpoints()
        .into_iter()
        .find(|end| world.tunnels.aws_learned(end.outside_ip).is_empty());
    match down {
        Some(end) => Err(format!(
            "{} is down: {:?}",
            end.outside_ip,
            world.tunnels.negotiation(end.outside_ip)
        )),
        None => Ok(()),
    }
}

/// No link's slot reaches up there.
fn of_others(ip: Ipv4Addr) -> bool {
    ip.octets()[2] == 21 && ip.octets()[3] >= 200
}

fn simulated(sim: &Sim, span: SimDuration) -> Duration {
    Duration::from_millis(
        span.0
            .div_ceil(sim.sandbox.world().settings.time_scale.max(1)),
    )
}

/// The clouds have bad days again.
fn stir(sim: &Sim) {
    let mut world = sim.sandbox.world();
    if world.faults.rules.is_empty() {
        for (often, operation, kind) in TROUBLE {
            world.faults.add(
                format!("fail {often} in 10000 of {operation}: {kind}")
                    .parse()
                    .unwrap(),
            );
        }
    }
}

/// One link, its configuration and its state.
struct Link {
    sim: Sim,
    name: &'static str,
    /// The first of ten slots that are this link's to use.
    slots: u64,
    rng: Rng,
    config: Value,
    stored: Stored,
    gone: bool,
    created: bool,
    owns_gateways: bool,
    story: Vec<String>,
    failed_runs: u64,
    rolls: u64,
}

impl Link {
    fn new(
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
    fn own_gateways(&mut self) {
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
    fn attach(&mut self, other: &Link, sharing: Sharing) {
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

    fn azure_gateway(&self) -> ResourceId {
        let id = self
            .stored
            .state
            .at(&"azure.gateway_id".into())
            .as_str()
            .unwrap_or_default()
            .to_owned();
        ResourceId::parse(&id).unwrap()
    }

    async fn create(&mut self) -> Result<(), String> {
        self.pause(20).await;
        stir(&self.sim);
        self.created = true;
        self.insist(&Run::Apply, "create").await
    }

    /// Made, changed once or twice, and sometimes taken down; all of it on bad days.
    async fn live(&mut self, checker: &IsolationChecker) -> Result<(), String> {
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

    async fn run(&mut self, run: &Run) -> Result<(), String> {
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

    async fn plans_empty(&mut self) -> Result<(), String> {
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

/// People who know nothing of the links and have business of their own with the gateway.
struct Others {
    sim: Sim,
    /// The gateway and the names of its two IP configurations.
    gateway: (ResourceId, [&'static str; 2]),
    rng: Rng,
    /// Addresses that they have on it.
    own: BTreeSet<Ipv4Addr>,
    edits: u64,
}

impl Others {
    /// Edits at random moments until the caller drops the future.
    async fn edit(&mut self) -> Result<(), String> {
        loop {
            let pause = SimDuration::seconds(30 + self.rng.below(900));
            tokio::time::sleep(simulated(&self.sim, pause)).await;
            self.once().await?;
        }
    }

    /// Another address, one address less, or another tag. They look whether it worked.
    async fn once(&mut self) -> Result<(), String> {
        let ((gateway, names), limits) = (self.gateway.clone(), self.sim.limits());
        let gateway = &gateway;
        let ip = Ipv4Addr::new(169, 254, 21, 200 + 4 * self.rng.below(10) as u8 + 2);
        let name = pick(&mut self.rng, &names);
        let version = self.rng.below(1000).to_string();
        let remove = self.own.contains(&ip);
        let (kind, of) = (
            self.rng.below(3),
            names.map(|name| gateway.child("ipConfigurations", name)),
        );
        let edit = |doc: &mut serde_json::Value| match (kind, remove) {
            (0, _) => doc["tags"]["reviewed"] = json!(version),
            (_, true) => of.iter().for_each(|of| remove_custom_bgp_ip(doc, of, ip)),
            (_, false) => add_custom_bgp_ip(doc, &gateway.child("ipConfigurations", name), ip),
        };
        let done = self
            .sim
            .clouds
            .azure
            .change_gateway(gateway, &edit, &limits.azure())
            .await;
        self.edits += u64::from(done.is_ok());
        let world = self.sim.sandbox.world();
        let rows = world.azure.objects();
        let row = rows.iter().find(|row| {
            gateway
                .to_string()
                .eq_ignore_ascii_case(row["id"].as_str().unwrap_or_default())
        });
        let listed: BTreeSet<Ipv4Addr> = row
            .and_then(|row| serde_json::from_value(row["custom_bgp_addresses"].clone()).ok())
            .ok_or("the gateway is gone")?;
        self.own = listed.into_iter().filter(|ip| of_others(*ip)).collect();
        Ok(())
    }
}
