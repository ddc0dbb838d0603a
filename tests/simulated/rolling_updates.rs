//! Keys and policies roll through a link one tunnel at a time, under virtual time, with an eye on
//! the tunnels all the while.

use awsazure::aws::model::{Bandwidth, KeyStorage, TransitGatewayId, TunnelOptions, VpnConnection};
use awsazure::reconcile::{ActionError, ReconcileOutcome};
use bgp_vpn::action::Action;
use bgp_vpn::ipsec::Preset;
use bgp_vpn::key_rotation::KeyRotation;
use bgp_vpn::lookup::LookupScope;
use bgp_vpn::observed::{KeyRead, Observed};
use bgp_vpn::plan::plan_actions;
use bgp_vpn::spec::{AwsGateway, AwsNetwork, AzureNetwork, Spec};
use bgp_vpn::tunnel::{Instance, PerTunnel, TunnelKey};
use bgp_vpn::types::PreSharedKey;
use serde_json::json;
use std::time::Duration;
use test_support::simulated::Sim;
use test_support::simulated::clock::{in_virtual_time, on_big_stack, simulated};
use test_support::simulated::fault_sweep::transit_gateway;
use test_support::simulated::verify::succeeded;

pub async fn built(sim: &Sim, spec: &Spec) -> Observed {
    let built = sim.converge(spec).await;
    succeeded("create", &built).unwrap();
    // A session that just came up may not have advertised all its routes yet.
    tokio::time::sleep(Duration::from_secs(300)).await;
    seen(sim, spec, &built.observed).await
}

pub async fn seen(sim: &Sim, spec: &Spec, last: &Observed) -> Observed {
    let site = sim
        .clouds
        .link_clients(Some(&spec.aws.region), &sim.limits())
        .await
        .unwrap();
    awsazure::reconcile::observe(&site, &sim.search_after(spec, last), &sim.limits())
        .await
        .unwrap()
}

fn keys(seen: &Observed) -> PerTunnel<PreSharedKey> {
    PerTunnel::from_fn(|key| seen.tunnel(key).unwrap().key.clone().unwrap())
}

fn up(sim: &Sim, seen: &Observed) -> usize {
    let mut world = sim.sandbox.world();
    let now = sim.sandbox.now();
    world.advance(now);
    let up = |key: &TunnelKey| {
        world
            .tunnels
            .aws_telemetry(seen.tunnel(*key).unwrap().outside_ip)
            .up
    };
    TunnelKey::ALL.iter().filter(|key| up(key)).count()
}

/// Converges, and counts the live tunnels every second; gives the least.
pub async fn watched(sim: &Sim, spec: &Spec, last: &Observed) -> (ReconcileOutcome, usize) {
    let search = sim.search_after(spec, last);
    let mut least = 4;
    let eye = async {
        loop {
            least = least.min(up(sim, last));
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let work = sim.converge_from(spec, &search);
    let ended = tokio::select! {
        ended = work => ended,
        () = eye => unreachable!(),
    };
    (ended, least)
}

/// Whether a run left a tunnel alone, for a reason that names this.
fn spares(ended: &ReconcileOutcome, tunnel: &str, reason: &str) -> bool {
    ended.failures.iter().any(|failure| match &failure.error {
        ActionError::PeersNotReady { spared, why } => {
            spared.to_string().contains(tunnel) && why.iter().any(|why| why.contains(reason))
        }
        _ => false,
    })
}

#[test]
fn rotate_keys_with_three_tunnels_up() {
    simulated(|| async {
        let sim = Sim::new(11);
        let mut spec = sim.spec("prod", 0);
        let before = built(&sim, &spec).await;
        spec.rotation = Some(KeyRotation::new(&spec.link, "2026-11"));
        let (ended, least) = watched(&sim, &spec, &before).await;
        succeeded("the roll", &ended).unwrap();
        assert_eq!(least, 3, "one tunnel at a time is down, and never two");
        let after = seen(&sim, &spec, &ended.observed).await;
        for key in TunnelKey::ALL {
            assert_ne!(keys(&before).get(key), keys(&after).get(key), "{key}");
        }
        assert_eq!(up(&sim, &after), 4);

        let again = sim
            .converge_from(&spec, &sim.search_after(&spec, &after))
            .await;
        assert!(
            again.done.is_empty() && again.failures.is_empty(),
            "the same trigger rolls once: {:?}",
            again.done
        );
    });
}

#[test]
fn move_and_rotate_hidden_keys_with_three_tunnels_up() {
    simulated(|| async {
        let sim = Sim::new(16);
        let mut spec = sim.spec("prod", 0);
        let before = built(&sim, &spec).await;
        spec.aws.key_storage = KeyStorage::SecretsManager;
        let (ended, least) = watched(&sim, &spec, &before).await;
        succeeded("the move", &ended).unwrap();
        assert_eq!((least, up(&sim, &ended.observed)), (3, 4));
        let hidden = seen(&sim, &spec, &ended.observed).await;
        assert!(
            TunnelKey::ALL
                .iter()
                .all(|key| hidden.tunnel(*key).unwrap().key.is_none())
        );
        let azure = |seen: &Observed| seen.azure.keys.clone();
        assert_eq!(
            azure(&hidden),
            keys(&before).map(|_, key| KeyRead::Value(key.clone())),
            "the same keys as before"
        );

        spec.rotation = Some(KeyRotation::new(&spec.link, "2026-11"));
        let (ended, least) = watched(&sim, &spec, &hidden).await;
        succeeded("the roll", &ended).unwrap();
        assert_eq!((least, up(&sim, &ended.observed)), (3, 4));
        let rolled = seen(&sim, &spec, &ended.observed).await;
        assert!(
            TunnelKey::ALL
                .iter()
                .all(|key| azure(&rolled).get(*key) != azure(&hidden).get(*key))
        );

        spec.aws.key_storage = KeyStorage::Standard;
        let (ended, least) = watched(&sim, &spec, &rolled).await;
        succeeded("the move back", &ended).unwrap();
        assert_eq!((least, up(&sim, &ended.observed)), (3, 4));
        let shown = seen(&sim, &spec, &ended.observed).await;
        assert_eq!(
            azure(&shown),
            keys(&shown).map(|_, key| KeyRead::Value(key.clone()))
        );
        assert_eq!(azure(&shown), azure(&rolled));
    });
}

#[test]
fn interrupted_rotation_resumes() {
    simulated(|| async {
        let sim = Sim::new(12);
        let mut spec = sim.spec("prod", 0);
        let before = built(&sim, &spec).await;
        spec.rotation = Some(KeyRotation::new(&spec.link, "2026-11"));
        sim.sandbox.world().faults.add(
            "fail call 3 of ModifyVpnTunnelOptions: forever refused"
                .parse()
                .unwrap(),
        );
        let (ended, least) = watched(&sim, &spec, &before).await;
        assert!(
            least >= 3 && ended.failures.len() == 1,
            "{:#?}",
            ended.failures
        );
        sim.sandbox.world().faults.clear();
        let half = seen(&sim, &spec, &ended.observed).await;
        let [one, two, three, four] = TunnelKey::ALL;
        assert!(
            keys(&before).get(one) != keys(&half).get(one)
                && keys(&before).get(two) != keys(&half).get(two)
        );
        assert!(
            keys(&before).get(three) == keys(&half).get(three)
                && keys(&before).get(four) == keys(&half).get(four)
        );

        let (ended, least) = watched(&sim, &spec, &half).await;
        succeeded("the rest of the roll", &ended).unwrap();
        assert!(least >= 3);
        let after = seen(&sim, &spec, &ended.observed).await;
        assert!(
            keys(&half).get(one) == keys(&after).get(one)
                && keys(&half).get(two) == keys(&after).get(two)
        );
        assert!(
            keys(&half).get(three) != keys(&after).get(three)
                && keys(&half).get(four) != keys(&after).get(four)
        );
    });
}

#[test]
fn policy_update_starts_with_tunnel_that_is_down() {
    simulated(|| async {
        let sim = Sim::new(13);
        let mut spec = sim.spec("prod", 0);
        let before = built(&sim, &spec).await;
        let broken = before
            .azure
            .connections
            .get(TunnelKey::ALL[3])
            .as_ref()
            .unwrap()
            .resource
            .id
            .clone();
        let wrong = PreSharedKey::from_cloud("a_key_that_nobody_else_has");
        let limits = sim.limits().azure();
        sim.clouds
            .azure
            .set_shared_key(&broken, spec.azure.gateway.id(), &wrong, &limits)
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_secs(120)).await;
        assert_eq!(up(&sim, &before), 3);
        spec.policy = Preset::Compatible.policy();
        let (ended, least) = watched(&sim, &spec, &before).await;
        succeeded("the roll", &ended).unwrap();
        assert_eq!(
            least, 3,
            "the broken one is repaired before another is changed"
        );
        assert_eq!(up(&sim, &ended.observed), 4);
    });
}

#[test]
fn rotation_stops_when_another_tunnel_goes_down() {
    simulated(|| async {
        let sim = Sim::new(14);
        let mut spec = sim.spec("prod", 0);
        let before = built(&sim, &spec).await;
        spec.rotation = Some(KeyRotation::new(&spec.link, "2026-11"));
        let search = sim.search_after(&spec, &before);
        let last = TunnelKey::ALL[3];
        let somebody = async {
            // While the first tunnel is changing, a user gives the last one a policy that its peer
            // rejects.
            while !sim
                .sandbox
                .calls()
                .iter()
                .any(|call| call.operation == "ModifyVpnTunnelOptions")
            {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            let site = sim
                .clouds
                .link_clients(Some(&spec.aws.region), &sim.limits())
                .await
                .unwrap();
            let (vpn, endpoint) = (
                before
                    .aws
                    .vpn_connections
                    .get(last.instance)
                    .as_ref()
                    .unwrap(),
                before.tunnel(last).unwrap(),
            );
            let odd = TunnelOptions {
                ike_versions: vec!["ikev1".to_owned()],
                startup_action: Some("add".to_owned()),
                ..TunnelOptions::default()
            };
            site.ec2
                .modify_tunnel(&sim.limits().aws(), &vpn.id, endpoint.outside_ip, &odd)
                .await
                .unwrap();
        };
        let (ended, ()) = tokio::join!(sim.converge_from(&spec, &search), somebody);
        assert!(
            spares(&ended, "instance0_tunnel2", "instance1_tunnel2"),
            "{:#?}",
            ended.failures
        );
        assert_eq!(up(&sim, &before), 3);

        // The next apply repairs what is down first, and then completes the rotation.
        let (ended, least) = watched(&sim, &spec, &before).await;
        succeeded("the rest of the roll", &ended).unwrap();
        assert_eq!(least, 3);
        for key in TunnelKey::ALL {
            assert_ne!(
                keys(&before).get(key),
                keys(&ended.observed).get(key),
                "{key}"
            );
        }
    });
}

#[test]
fn rotation_does_not_start_without_azure_status() {
    simulated(|| async {
        let sim = Sim::new(23);
        let mut spec = sim.spec("prod", 0);
        let before = built(&sim, &spec).await;
        spec.rotation = Some(KeyRotation::new(&spec.link, "2026-11"));
        let silent = "fail call 1 of azure GetBgpPeerStatus: forever lost";
        sim.sandbox.world().faults.add(silent.parse().unwrap());
        let ended = sim
            .converge_from(&spec, &sim.search_after(&spec, &before))
            .await;
        assert!(
            spares(&ended, "instance0_tunnel1", "Azure"),
            "{:#?}",
            ended.failures
        );
        assert_eq!(changes(&sim).len(), 0);
    });
}

#[test]
fn configured_keys_apply_only_with_new_version() {
    simulated(|| async {
        let sim = Sim::new(15);
        let mut spec = sim.spec("prod", 0);
        let before = built(&sim, &spec).await;
        let own = PreSharedKey::parse("Qd3k_Zr7.Wm2x_Pt9").unwrap();
        *spec.configured_keys.get_mut(TunnelKey::ALL[1]) = Some(own.clone());
        let ended = sim
            .converge_from(&spec, &sim.search_after(&spec, &before))
            .await;
        assert!(ended.done.is_empty(), "{:?}", ended.done);
        spec.applies_configured_keys = true;
        let (ended, least) = watched(&sim, &spec, &before).await;
        succeeded("the raise", &ended).unwrap();
        assert_eq!((least, up(&sim, &ended.observed)), (3, 4));
        assert_eq!(*keys(&ended.observed).get(TunnelKey::ALL[1]), own);
    });
}

const RANGES: [&str; 2] = ["10.1.0.0/16", "10.9.0.0/16"];

/// A link whose VNet has two ranges: AWS learns a route for each.
fn with_two_ranges(sim: &Sim) -> Spec {
    let mut spec = sim.spec("prod", 0);
    ranges(&mut spec, &RANGES);
    spec
}

fn ranges(spec: &mut Spec, ranges: &[&str]) {
    let AzureNetwork::Create { address_space, .. } = &mut spec.azure.network else {
        unreachable!()
    };
    *address_space = ranges.iter().map(|range| range.parse().unwrap()).collect();
}

/// A user sets the ranges of the VNet.
async fn announce(sim: &Sim, spec: &Spec, ranges: &[&str]) {
    let edit = |doc: &mut serde_json::Value| {
        doc["properties"]["addressSpace"]["addressPrefixes"] = json!(ranges)
    };
    sim.clouds
        .azure
        .change_virtual_network(spec.azure.network.id(), &edit, &sim.limits().azure())
        .await
        .unwrap();
}

/// When each tunnel began to be changed, in milliseconds.
fn changes(sim: &Sim) -> Vec<u64> {
    let calls = sim.sandbox.calls().into_iter();
    calls
        .filter(|call| call.operation == "ModifyVpnTunnelOptions")
        .map(|call| call.start_ms)
        .collect()
}

async fn first_tunnel_is_changing(sim: &Sim) {
    while changes(sim).is_empty() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[test]
fn rotation_stops_if_tunnel_returns_with_fewer_routes() {
    simulated(|| async {
        let sim = Sim::new(16);
        let mut spec = with_two_ranges(&sim);
        let before = built(&sim, &spec).await;
        spec.rotation = Some(KeyRotation::new(&spec.link, "2026-11"));
        let search = sim.search_after(&spec, &before);
        let somebody = async {
            first_tunnel_is_changing(&sim).await;
            announce(&sim, &spec, &RANGES[..1]).await;
        };
        let (ended, ()) = tokio::join!(sim.converge_from(&spec, &search), somebody);
        let [failure] = ended.failures.as_slice() else {
            panic!("{:#?}", ended.failures)
        };
        assert!(
            matches!(
                failure.error,
                ActionError::RouteCountDropped { had: 2, has: 1, .. }
            ),
            "{}",
            failure.error
        );
        assert_eq!(
            (changes(&sim).len(), up(&sim, &before)),
            (1, 4),
            "the tunnels after it are as they were"
        );
    });
}

#[test]
fn next_tunnel_waits_for_all_routes_of_previous() {
    simulated(|| async {
        let sim = Sim::new(17);
        let mut spec = with_two_ranges(&sim);
        let before = built(&sim, &spec).await;
        spec.rotation = Some(KeyRotation::new(&spec.link, "2026-11"));
        let search = sim.search_after(&spec, &before);
        let somebody = async {
            first_tunnel_is_changing(&sim).await;
            announce(&sim, &spec, &RANGES[..1]).await;
            tokio::time::sleep(Duration::from_secs(12 * 60)).await;
            announce(&sim, &spec, &RANGES).await;
            sim.sandbox.elapsed_ms()
        };
        let (ended, whole_again) = tokio::join!(sim.converge_from(&spec, &search), somebody);
        succeeded("the roll", &ended).unwrap();
        assert!(
            changes(&sim)[1] > whole_again - 60_000,
            "{:?} {whole_again}",
            changes(&sim)
        );
        assert_eq!(changes(&sim).len(), 4);
    });
}

#[test]
fn ignore_routes_removed_by_same_update() {
    simulated(|| async {
        let sim = Sim::new(18);
        let mut spec = with_two_ranges(&sim);
        let before = built(&sim, &spec).await;
        ranges(&mut spec, &RANGES[..1]);
        spec.removals
            .address_space
            .insert(RANGES[1].parse().unwrap());
        spec.rotation = Some(KeyRotation::new(&spec.link, "2026-11"));
        let (ended, least) = watched(&sim, &spec, &before).await;
        succeeded("the roll", &ended).unwrap();
        assert_eq!((least, changes(&sim).len()), (3, 4));
        assert!(
            ended
                .observed
                .tunnel(TunnelKey::ALL[3])
                .unwrap()
                .telemetry
                .as_ref()
                .unwrap()
                .accepted_routes
                == 1
        );
    });
}

#[test]
fn check_other_tunnels_with_one_read() {
    simulated(|| async {
        let sim = Sim::new(11);
        let mut spec = sim.spec("prod", 0);
        let before = built(&sim, &spec).await;
        spec.rotation = Some(KeyRotation::new(&spec.link, "2026-11"));
        let earlier = sim.sandbox.calls().len();
        let ended = sim
            .converge_from(&spec, &sim.search_after(&spec, &before))
            .await;
        succeeded("the roll", &ended).unwrap();
        let calls: Vec<String> = sim
            .sandbox
            .calls()
            .into_iter()
            .skip(earlier)
            .map(|call| call.operation)
            .collect();
        // Azure is asked too, before even the first one, for which no session was waited.
        let until_first = calls
            .iter()
            .take_while(|one| *one != "ModifyVpnTunnelOptions");
        assert_eq!(
            until_first.filter(|one| *one == "GetBgpPeerStatus").count(),
            1
        );
        let interrupted = (0..calls.len()).filter(|at| calls[*at] == "ModifyVpnTunnelOptions");
        let looks = interrupted.map(|at| {
            calls[..at]
                .iter()
                .rev()
                .take_while(|one| *one == "DescribeVpnConnections")
                .count()
        });
        assert_eq!(looks.collect::<Vec<_>>(), [1; 4]);
    });
}

/// A link on a transit gateway.
async fn built_on_transit(sim: &Sim) -> (Spec, Observed) {
    let transit = transit_gateway(&mut sim.sandbox.world());
    let mut spec = sim.spec("prod", 0);
    let transit = AwsGateway::TransitGateway(TransitGatewayId(transit));
    (spec.aws.network, spec.aws.gateway) = (AwsNetwork::FromGateway, transit);
    let before = sim.converge_from(&spec, &on_transit(sim, &spec)).await;
    succeeded("create", &before).unwrap();
    tokio::time::sleep(Duration::from_secs(300)).await;
    (spec, before.observed)
}

/// The least tunnels that are up while `work` goes on, and what came of it.
async fn with_an_eye<T>(sim: &Sim, work: impl Future<Output = T>) -> (T, usize) {
    let mut least = 4;
    let eye = async {
        loop {
            least = least.min(all_up(sim));
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let ended = tokio::select! {
        ended = work => ended,
        () = eye => unreachable!(),
    };
    (ended, least)
}

/// A link on a transit gateway before and after a change, and the least tunnels that were up
/// meanwhile.
fn least_up(seed: u64, change: fn(&mut Spec)) -> (Observed, Observed, usize) {
    on_big_stack(|| {
        in_virtual_time(async {
            let sim = Sim::new(seed);
            let (mut spec, before) = built_on_transit(&sim).await;
            change(&mut spec);
            let mut search = on_transit(&sim, &spec);
            search.known.record(&before);
            let (ended, least) = with_an_eye(&sim, sim.converge_from(&spec, &search)).await;
            succeeded("the change", &ended).unwrap();
            (before, ended.observed, least)
        })
    })
}

/// As `least_up`, but the run is killed some seconds after a call, and another one takes it up with
/// what the first one knew when it began.
fn least_up_when_killed(
    seed: u64,
    change: fn(&mut Spec),
    operation: &str,
    seconds: u64,
) -> (Observed, usize) {
    on_big_stack(|| {
        in_virtual_time(async {
            let sim = Sim::new(seed);
            let (mut spec, before) = built_on_transit(&sim).await;
            let calls = || {
                sim.sandbox
                    .calls()
                    .into_iter()
                    .filter(|call| call.operation == operation)
                    .count()
            };
            let earlier = calls();
            change(&mut spec);
            let mut search = on_transit(&sim, &spec);
            search.known.record(&before);
            let death = async {
                while calls() == earlier {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                tokio::time::sleep(Duration::from_secs(seconds)).await;
            };
            let both = async {
                tokio::select! {
                    ended = sim.converge_from(&spec, &search) => panic!("ended before it was killed: {:#?}", ended.done),
                    () = death => {}
                }
                // Running terraform again takes a moment.
                tokio::time::sleep(Duration::from_secs(5)).await;
                sim.converge_from(&spec, &search).await
            };
            let (ended, least) = with_an_eye(&sim, both).await;
            succeeded("the second run", &ended).unwrap();
            (ended.observed, least)
        })
    })
}

fn connections(seen: &Observed) -> Vec<VpnConnection> {
    seen.aws
        .vpn_connections
        .iter()
        .filter_map(|(_, vpn)| vpn.clone())
        .collect()
}

/// Two tunnels stay up at any time.
#[test]
fn accelerate_one_connection_at_a_time() {
    let (_, after, least) = least_up(17, |spec| spec.aws.acceleration = true);
    assert_eq!(least, 2);
    assert!(connections(&after).iter().all(|vpn| vpn.accelerated));
}

/// Bandwidth changes in place with two tunnels up at any time.
#[test]
fn change_bandwidth_one_connection_at_a_time() {
    let (before, after, least) = least_up(18, |spec| {
        spec.aws.bandwidth = Bandwidth::Large;
        // And something that changes the link one tunnel at a time.
        spec.aws.dpd_timeout_seconds = 40;
    });
    assert_eq!(least, 2);
    assert!(
        connections(&after)
            .iter()
            .all(|vpn| vpn.bandwidth == Bandwidth::Large)
    );
    let ids = |seen: &Observed| {
        connections(seen)
            .into_iter()
            .map(|vpn| vpn.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&before), ids(&after));
}

/// Lifecycle control is switched on, repaired and switched off with all tunnels up, on one tunnel
/// of a connection at a time.
#[test]
fn resumed_acceleration_waits_for_new_connection() {
    for seconds in [1, 60, 200, 300, 420] {
        let (after, least) = least_up_when_killed(
            19,
            |spec| spec.aws.acceleration = true,
            "CreateVpnConnection",
            seconds,
        );
        assert_eq!(
            least, 2,
            "killed {seconds} s after the first new connection"
        );
        assert!(connections(&after).iter().all(|vpn| vpn.accelerated));
    }
}

/// A resumed bandwidth change waits for the tunnels that the interrupted run took down.
#[test]
fn resumed_bandwidth_change_waits_for_tunnels() {
    let change = |spec: &mut Spec| {
        spec.aws.bandwidth = Bandwidth::Large;
        spec.aws.dpd_timeout_seconds = 40;
    };
    for seconds in [1, 60, 200, 300] {
        let (after, least) =
            least_up_when_killed(20, change, "ModifyVpnConnectionOptions", seconds);
        assert_eq!(least, 2, "killed {seconds} s after the first change");
        assert!(
            connections(&after)
                .iter()
                .all(|vpn| vpn.bandwidth == Bandwidth::Large)
        );
    }
}

#[test]
fn resumed_rotation_waits_for_interrupted_tunnel() {
    for seconds in [1, 60, 200] {
        let (_, least) = least_up_when_killed(
            22,
            |spec| spec.aws.dpd_timeout_seconds = 40,
            "ModifyVpnTunnelOptions",
            seconds,
        );
        assert_eq!(least, 3, "killed {seconds} s after the first change");
    }
}

/// Every mixture of tunnels that are up, connections to recreate, to get another bandwidth, and
/// tunnels to change.
#[test]
fn actions_never_depend_on_each_other() {
    on_big_stack(|| {
        let (spec, built) = in_virtual_time(async { built_on_transit(&Sim::new(21)).await });
        let mut lists = 0;
        for mix in 0..1_u32 << 12 {
            let is = |bit: u32| mix >> bit & 1 == 1;
            let (mut spec, mut seen) = (spec.clone(), built.clone());
            spec.wait_for_bgp = is(0);
            spec.aws.dpd_timeout_seconds = if is(1) {
                40
            } else {
                spec.aws.dpd_timeout_seconds
            };
            spec.rotation = is(2).then(|| KeyRotation::new(&spec.link, "2026-11"));
            for (at, instance) in Instance::ALL.into_iter().enumerate() {
                let bit = 3 + 4 * at as u32;
                let vpn = seen.aws.vpn_connections.get_mut(instance).as_mut().unwrap();
                (vpn.accelerated, vpn.bandwidth) = (
                    is(bit),
                    if is(bit + 1) {
                        Bandwidth::Large
                    } else {
                        vpn.bandwidth
                    },
                );
                for (tunnel, bit) in vpn.tunnels.iter_mut().zip([bit + 2, bit + 3]) {
                    tunnel.telemetry.as_mut().unwrap().up = is(bit);
                }
            }
            if is(11) {
                *seen.azure.keys.get_mut(TunnelKey::ALL[1]) =
                    KeyRead::Value(PreSharedKey::from_cloud("not_the_key_of_aws"));
            }
            let mut waiting = plan_actions(&spec, &seen);
            lists += usize::from(!waiting.is_empty());
            loop {
                let left: Vec<_> = waiting.iter().map(Action::id).collect();
                let (ready, rest): (Vec<_>, Vec<_>) = waiting
                    .into_iter()
                    .partition(|step| !step.depends_on.iter().any(|id| left.contains(id)));
                assert!(
                    !ready.is_empty() || rest.is_empty(),
                    "mix {mix:#b}: {rest:#?}"
                );
                waiting = rest;
                if waiting.is_empty() {
                    break;
                }
            }
        }
        assert!(lists > 3_900, "{lists}");
    });
}

/// Live tunnels, with any addresses.
fn all_up(sim: &Sim) -> usize {
    let mut world = sim.sandbox.world();
    let now = sim.sandbox.now();
    world.advance(now);
    world
        .aws
        .endpoints()
        .iter()
        .filter(|end| world.tunnels.aws_telemetry(end.outside_ip).up)
        .count()
}

fn on_transit(sim: &Sim, spec: &Spec) -> LookupScope {
    let mut search = sim.search(spec);
    if let AwsGateway::TransitGateway(id) = &spec.aws.gateway {
        search.known.transit_gateway = Some(id.clone());
    }
    search
}
