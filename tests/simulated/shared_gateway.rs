//! Two links on one gateway, both clouds failing at random, other people editing the gateway
//! meanwhile: a thousand seeded pairs under virtual time, looked at after every call.
//!
//! `SEEDS=10000 cargo test --test simulated run_random_pairs` lives more; `SEED=17 cargo test
//! --test simulated shared_gateway::replay -- --nocapture` lives one pair again and tells it.

use awsazure::aws::IdempotencyKey;
use awsazure::aws::model::{Region, TunnelOptions, VpnGatewayId};
use awsazure::azure::ResourceId;
use awsazure::reconcile::{OperationContext, ReconcileOutcome, converge};
use bgp_vpn::ownership_tags::LinkId;
use bgp_vpn::spec::{AwsGateway, AwsNetwork, AzureGateway, AzureNetwork, Spec};
use bgp_vpn::tunnel::TunnelKey;
use bgp_vpn::types::Tags;
use futures::future::join_all;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use terraform_plugin::{AttributePath, Value};
use test_support::simulated::clock::{in_virtual_time, on_all_cores, on_big_stack};
use test_support::simulated::isolation_checker::IsolationChecker;
use test_support::simulated::shared_gateway::{self, PairRun, SharedGateway};
use test_support::simulated::terraform_core::{Run, Stored, TerraformCore, config};
use test_support::simulated::verify::succeeded;
use test_support::simulated::{REGION, Sim};
use tokio_util::sync::CancellationToken;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Two links on one gateway stay isolated under random faults and concurrent edits.
#[test]
fn run_random_pairs_on_one_gateway() {
    let seeds: Vec<u64> = (1..=variable("SEEDS").unwrap_or(1_000)).collect();
    let (begun, hub) = (Instant::now(), on_big_stack(SharedGateway::build));
    let (mut lived, mut failed) = (PairRun::default(), Vec::new());
    let ended = on_all_cores(
        &seeds,
        || (),
        |_, seed| shared_gateway::run(&hub, *seed).map_err(|fault| (*seed, fault)),
    );
    for ended in ended {
        match ended {
            Ok(pair) => {
                lived.calls += pair.calls;
                lived.failed_runs += pair.failed_runs;
                lived.rolls += pair.rolls;
                lived.edits += pair.edits;
            }
            Err(fault) => failed.push(fault),
        }
    }
    for (seed, fault) in failed.iter().take(5) {
        println!(
            "seed {seed}: {fault}\n  again: SEED={seed} cargo test --test simulated shared_gateway::replay -- --nocapture\n"
        );
    }
    let PairRun {
        calls,
        failed_runs,
        rolls,
        edits,
        ..
    } = lived;
    println!(
        "{} pairs, {calls} calls, {failed_runs} runs of terraform that failed, {rolls} rolls and {edits} edits by others \
         in {:?}",
        seeds.len(),
        begun.elapsed()
    );
    let seeds: Vec<u64> = failed.iter().map(|(seed, _)| *seed).collect();
    assert!(seeds.is_empty(), "{} seeds failed: {seeds:?}", seeds.len());
}

#[test]
fn isolation_checker_detects_foreign_writes() {
    on_a_hub(|fixture| async move {
        let (checker, limits) = (IsolationChecker::over(&fixture.sim), fixture.sim.limits());
        let ec2 = async |actor| {
            let sim = fixture.sim.of_actor(actor);
            sim.clouds
                .aws
                .region(&limits.call_context(), Some(&Region(REGION.to_owned())))
                .await
                .unwrap()
        };
        let tags = |key: &str, value: &str| Tags::from([(key.to_owned(), value.to_owned())]);
        let (alpha, beta, own) = (
            ec2("alpha").await,
            ec2("beta").await,
            tags("awsazure:link", "of-alpha"),
        );
        let made = alpha
            .create_vpc(
                &limits.call_context(),
                "10.2.0.0/16".parse().unwrap(),
                &own,
                IdempotencyKey::new(&own),
            )
            .await
            .unwrap();
        alpha
            .wait_vpc_available(&limits.call_context(), &made.id)
            .await
            .unwrap();
        let ids = [made.id.to_string()];
        alpha
            .create_tags(&limits.call_context(), &ids, &tags("by", "its owner"))
            .await
            .unwrap();
        assert!(checker.check().is_ok());
        beta.create_tags(&limits.call_context(), &ids, &tags("by", "another"))
            .await
            .unwrap();
        let fault = checker.check().unwrap_err();
        assert!(
            fault.contains("of beta, CreateTags") && fault.contains("which is of Some(\"alpha\")"),
            "{fault}"
        );
    });
}

#[test]
fn replay() {
    let Some(seed) = variable("SEED") else { return };
    let lived = on_big_stack(|| shared_gateway::run(&SharedGateway::build(), seed));
    match lived {
        Ok(total) => println!("{total:#?}"),
        Err(fault) => panic!("seed {seed}: {fault}"),
    }
}

/// Pairs of which a destroy was killed while Azure deleted a connection, and the next one left its
/// address on the gateway.
#[test]
fn destroy_waits_for_earlier_connection_deletes() {
    let hub = on_big_stack(SharedGateway::build);
    for ended in on_all_cores(
        &[3601, 4033, 4472, 6295, 6718],
        || (),
        |_, seed| shared_gateway::run(&hub, *seed),
    ) {
        assert!(ended.is_ok(), "{:?}", ended.err());
    }
}

/// One link on the hub's gateway, and other users' objects.
struct Fixture {
    hub: SharedGateway,
    sim: Sim,
    config: Value,
    stored: Stored,
}

/// Runs a scenario in a world of its own, under virtual time.
fn on_a_hub<F: Future<Output = ()>>(scenario: impl FnOnce(Fixture) -> F + Send) {
    on_big_stack(|| {
        let hub = SharedGateway::build();
        in_virtual_time(async {
            let sim = Sim::of(1, hub.world.clone());
            let config = config(&json!({
                "name": "alpha",
                "azure": {"resource_group_name": "alpha-rg", "create_resource_group": true, "gateway_id": hub.gateway.to_string()},
                "aws": {"vpc": {"cidr_block": "10.2.0.0/16"}},
            }));
            Box::pin(scenario(Fixture {
                hub,
                sim,
                config,
                stored: Stored::default(),
            }))
            .await;
        });
    });
}

impl Fixture {
    async fn run(&mut self, run: Run) -> Result<(), String> {
        let mut core = TerraformCore::new(
            &self.sim,
            self.config.clone(),
            std::mem::take(&mut self.stored),
        );
        let ended = Box::pin(core.run(&run)).await;
        self.stored = core.stored;
        ended
    }

    /// A run that is killed at the first call which a rule leaves without an answer. Terraform
    /// stores nothing of it.
    async fn killed(&mut self, run: Run, rule: &str) {
        self.sim.sandbox.world().faults.add(rule.parse().unwrap());
        let grave = self.sim.wire.deadly();
        let mut core = TerraformCore::new(&self.sim, self.config.clone(), self.stored.clone());
        tokio::select! {
            ended = Box::pin(core.run(&run)) => panic!("it was not killed: {ended:?}"),
            () = grave.cancelled() => {}
        }
        self.sim.wire.calm();
        self.sim.sandbox.world().faults.clear();
        // Half an hour later.
        tokio::time::sleep(Duration::from_secs(1_800)).await;
    }

    async fn plans_empty(&mut self) {
        let mut core = TerraformCore::new(&self.sim, self.config.clone(), self.stored.clone());
        assert_eq!(Box::pin(core.plans_empty()).await, Ok(()));
    }

    /// A user sets a tag on the gateway, which is busy with that for minutes.
    async fn tags_the_gateway(&self) {
        let (others, ctx) = (
            self.sim.of_actor("others"),
            self.sim.limits().call_context(),
        );
        let edit = |doc: &mut serde_json::Value| doc["tags"]["reviewed"] = json!("yes");
        others
            .clouds
            .azure
            .change_gateway(&self.hub.gateway, &edit, &ctx)
            .await
            .unwrap();
    }

    fn listed(&self) -> BTreeSet<String> {
        let rows = self.sim.sandbox.world().azure.objects();
        let gateway = rows
            .iter()
            .find(|row| row["kind"] == "virtualNetworkGateways")
            .unwrap();
        serde_json::from_value(gateway["custom_bgp_addresses"].clone()).unwrap()
    }

    fn set(&mut self, path: &str, value: impl Into<Value>) {
        self.config.set_at(&AttributePath::from(path), value.into());
    }
}

/// A second later, so that the gateway is busy by then.
async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::sleep(Duration::from_secs(1)).await;
    work.await
}

#[test]
fn create_adds_addresses_during_concurrent_change() {
    on_a_hub(|mut fixture| async move {
        let other_user = Fixture {
            hub: fixture.hub.clone(),
            sim: fixture.sim.of_actor("others"),
            config: Value::Null,
            stored: Stored::default(),
        };
        let (created, ()) =
            tokio::join!(soon(fixture.run(Run::Apply)), other_user.tags_the_gateway());
        assert_eq!(created, Ok(()));
        assert_eq!(fixture.listed().len(), 4);
    });
}

#[test]
fn destroy_removes_addresses_during_concurrent_change() {
    on_a_hub(|mut fixture| async move {
        fixture.run(Run::Apply).await.unwrap();
        let other_user = Fixture {
            hub: fixture.hub.clone(),
            sim: fixture.sim.of_actor("others"),
            config: Value::Null,
            stored: Stored::default(),
        };
        let (gone, ()) = tokio::join!(
            soon(fixture.run(Run::Destroy)),
            other_user.tags_the_gateway()
        );
        assert_eq!(gone, Ok(()));
        assert_eq!(fixture.listed(), BTreeSet::new());
    });
}

#[test]
fn failed_destroy_at_gateway_is_retried() {
    on_a_hub(|mut fixture| async move {
        fixture.run(Run::Apply).await.unwrap();
        fixture.sim.sandbox.world().faults.add(
            "fail call 1 of azure PutGateway: once refused"
                .parse()
                .unwrap(),
        );
        assert!(fixture.run(Run::Destroy).await.is_err());
        assert_eq!(fixture.listed().len(), 4);
        assert_eq!(fixture.run(Run::Destroy).await, Ok(()));
        assert_eq!(fixture.listed(), BTreeSet::new());
    });
}

#[test]
fn own_addresses_added_by_killed_create() {
    on_a_hub(|mut fixture| async move {
        fixture
            .killed(
                Run::Apply,
                "fail call 1 of azure PutGateway: once hang-after",
            )
            .await;
        assert_eq!(fixture.listed().len(), 4);
        fixture.run(Run::Apply).await.unwrap();
        fixture.plans_empty().await;
        fixture.run(Run::Destroy).await.unwrap();
        assert_eq!(fixture.listed(), BTreeSet::new());
    });
}

#[test]
fn destroy_removes_addresses_of_killed_update() {
    on_a_hub(|mut fixture| async move {
        fixture.run(Run::Apply).await.unwrap();
        fixture.set("slot", 5_u8);
        fixture
            .killed(
                Run::Apply,
                "fail call 1 of azure PutGateway: once hang-after",
            )
            .await;
        assert_eq!(fixture.listed().len(), 8);
        fixture.run(Run::Destroy).await.unwrap();
        assert_eq!(fixture.listed(), BTreeSet::new());
    });
}

/// A killed update's addresses are removed when the user reverts the change.
#[test]
fn revert_removes_addresses_of_killed_update() {
    on_a_hub(|mut fixture| async move {
        fixture.run(Run::Apply).await.unwrap();
        let before = fixture.listed();
        fixture.set("slot", 5_u8);
        fixture
            .killed(
                Run::Apply,
                "fail call 1 of azure PutGateway: once hang-after",
            )
            .await;
        fixture.set("slot", 0_u8);
        fixture.run(Run::Apply).await.unwrap();
        fixture.plans_empty().await;
        assert_eq!(fixture.listed(), before);
    });
}

#[test]
fn keep_preexisting_addresses() {
    on_a_hub(|mut fixture| async move {
        let (others, ctx) = (
            fixture.sim.of_actor("others"),
            fixture.sim.limits().call_context(),
        );
        let at = fixture.hub.gateway.child("ipConfigurations", "one");
        let edit = |doc: &mut serde_json::Value| {
            awsazure::azure::documents::gateway::add_custom_bgp_ip(
                doc,
                &at,
                [169, 254, 21, 2].into(),
            );
        };
        others
            .clouds
            .azure
            .change_gateway(&fixture.hub.gateway, &edit, &ctx)
            .await
            .unwrap();
        fixture
            .killed(
                Run::Apply,
                "fail call 1 of azure PutGateway: once hang-after",
            )
            .await;
        fixture.run(Run::Apply).await.unwrap();
        fixture.run(Run::Destroy).await.unwrap();
        assert_eq!(
            fixture.listed(),
            BTreeSet::from(["169.254.21.2".to_owned()])
        );
    });
}

#[test]
fn import_link_in_other_group_than_gateway() {
    on_a_hub(|mut fixture| async move {
        fixture.run(Run::Apply).await.unwrap();
        let id = fixture.stored.state.get("id").as_str().unwrap().to_owned();
        fixture.stored = Stored::default();
        fixture.run(Run::Import(id)).await.unwrap();
        fixture.plans_empty().await;
        fixture.run(Run::Destroy).await.unwrap();
        assert_eq!(fixture.listed(), BTreeSet::new());
    });
}

#[test]
fn retry_tunnel_change_after_lost_rejection() {
    on_a_hub(|mut fixture| async move {
        fixture.run(Run::Apply).await.unwrap();
        fixture.set("rotate_keys", "once");
        let limits = fixture.sim.limits();
        let ec2 = fixture
            .sim
            .clouds
            .aws
            .region(&limits.call_context(), Some(&Region(REGION.to_owned())))
            .await
            .unwrap();
        let tunnel =
            fixture.stored.state.at(&"tunnels".into()).as_map().unwrap()["instance0_tunnel1"]
                .clone();
        let text = |name: &str| tunnel.get(name).as_str().unwrap().to_owned();
        let vpn = awsazure::aws::model::VpnConnectionId(text("aws_vpn_connection_id"));
        let change = TunnelOptions {
            dpd_timeout_seconds: Some(30),
            startup_action: Some("start".to_owned()),
            ..TunnelOptions::default()
        };
        ec2.modify_tunnel(
            &limits.call_context(),
            &vpn,
            text("aws_outside_ip").parse().unwrap(),
            &change,
        )
        .await
        .unwrap();
        fixture.sim.sandbox.world().faults.add(
            "fail call 1 of aws ModifyVpnTunnelOptions: once lost"
                .parse()
                .unwrap(),
        );
        assert_eq!(fixture.run(Run::Apply).await, Ok(()));
        fixture.plans_empty().await;
    });
}

/// A link on the hub's Azure gateway, with a group of its own.
fn link_on(hub: &SharedGateway, sim: &Sim, slot: u64) -> Spec {
    let mut spec = sim.spec(&format!("link{slot}"), slot);
    let network = ResourceId::network(&sim.subscription(), "hub-rg", "virtualNetworks", "hub");
    spec.link = LinkId::new(&network, *spec.inside_cidrs.get(TunnelKey::ALL[0]));
    spec.azure.network = AzureNetwork::Existing {
        id: network,
        gateway_subnet_prefix: None,
    };
    spec.azure.gateway = AzureGateway::Existing(hub.gateway.clone());
    // An account has five VPN gateways by default, one of which is the hub's.
    if slot % 2 == 1 {
        spec.aws.network = AwsNetwork::FromGateway;
        spec.aws.gateway = AwsGateway::ExistingVgw(VpnGatewayId(hub.vpn_gateway.clone()));
    }
    spec
}

/// How the create of a link ended, the time of its own that it took, and all the time that passed.
struct Created {
    ended: ReconcileOutcome,
    own: Duration,
    passed: Duration,
}

/// Creates links of one process on the hub's gateway at the same time.
async fn created_together(
    hub: &SharedGateway,
    seed: u64,
    links: u64,
    limit: Duration,
) -> Vec<Created> {
    let mut world = hub.world.clone();
    world.reseed(seed);
    let sim = Sim::of(seed, world);
    let specs: Vec<Spec> = (0..links).map(|slot| link_on(hub, &sim, slot)).collect();
    let begun = tokio::time::Instant::now();
    let created = specs.iter().map(|spec| async {
        let limits = OperationContext::with_timeout(limit, &CancellationToken::new());
        let ended = converge(&sim.clouds, spec, &sim.search(spec), &limits, &|_| {}).await;
        let passed = begun.elapsed();
        let left = (0..limit.as_secs())
            .take_while(|second| !limits.deadline.is_over_after(Duration::from_secs(*second)));
        Created {
            ended,
            own: limit - Duration::from_secs(left.count() as u64),
            passed,
        }
    });
    join_all(created.map(Box::pin)).await
}

/// Each may take three tenths more time than the slowest of eight that were alone. The queue, which
/// is several times as long, does not count.
#[test]
fn five_links_waiting_for_one_gateway_have_enough_time() {
    let hub = on_big_stack(SharedGateway::build);
    let worlds: Vec<u64> = (1..=variable("QUEUES").unwrap_or(8)).collect();
    let alone = on_all_cores(
        &worlds,
        || (),
        |_, seed| {
            let day = Duration::from_secs(24 * 3_600);
            let one = in_virtual_time(created_together(&hub, *seed, 1, day)).remove(0);
            succeeded("one alone", &one.ended).unwrap();
            assert!(
                one.passed.abs_diff(one.own) < Duration::from_secs(2),
                "alone it does not queue"
            );
            one.own
        },
    );
    let limit = alone.iter().max().unwrap().mul_f64(1.3);
    let created = on_all_cores(
        &worlds,
        || (),
        |_, seed| in_virtual_time(created_together(&hub, *seed, 5, limit)),
    );
    for (seed, created) in worlds.iter().zip(&created) {
        let times: Vec<_> = created.iter().map(|one| (one.own, one.passed)).collect();
        println!(
            "world {seed}: own time and all time of five links, within {limit:?} each: {times:.0?}"
        );
    }
    for (seed, created) in worlds.iter().zip(created) {
        for (slot, one) in created.iter().enumerate() {
            succeeded(&format!("world {seed}, link {slot}"), &one.ended).unwrap();
        }
        let longest = created.iter().map(|one| one.passed).max().unwrap();
        assert!(
            longest > limit.mul_f64(1.5),
            "world {seed}: they do not queue: {longest:?} within {limit:?}"
        );
    }
}
