//! Settings of VPN connections on a transit gateway change one connection at a time, also when a run
//! was interrupted.

use awsazure::aws::model::{Bandwidth, TransitGatewayId, VpnConnection};
use awsazure_sandbox::world::Settings;
use bgp_vpn::action::Action;
use bgp_vpn::key_rotation::KeyRotation;
use bgp_vpn::lookup::LookupScope;
use bgp_vpn::observed::{KeyRead, Observed};
use bgp_vpn::plan::plan_actions;
use bgp_vpn::spec::{AwsGateway, AwsNetwork, Spec};
use bgp_vpn::tunnel::{Instance, TunnelKey};
use bgp_vpn::types::PreSharedKey;
use std::time::Duration;
use test_support::simulated::Sim;
use test_support::simulated::clock::{in_virtual_time, on_big_stack};
use test_support::simulated::fault_sweep::transit_gateway;
use test_support::simulated::tunnel_watch::{all_tunnels_up, least_while};
use test_support::simulated::verify::succeeded;

/// Creates a link on a transit gateway.
async fn create_on_transit(sim: &Sim) -> (Spec, Observed) {
    let transit = transit_gateway(&mut sim.sandbox.world());
    let mut spec = sim.spec("prod", 0);
    let transit = AwsGateway::TransitGateway(TransitGatewayId(transit));
    (spec.aws.network, spec.aws.gateway) = (AwsNetwork::FromGateway, transit);
    let before = sim.converge_from(&spec, &on_transit(sim, &spec)).await;
    succeeded("create", &before).unwrap();
    tokio::time::sleep(Duration::from_secs(300)).await;
    (spec, before.observed)
}

/// A link on a transit gateway before and after a change, and the least tunnels that were up
/// meanwhile.
fn least_up(seed: u64, change: fn(&mut Spec)) -> (Observed, Observed, usize) {
    least_up_in((seed, Settings::default()), change)
}

fn least_up_in(
    (seed, settings): (u64, Settings),
    change: fn(&mut Spec),
) -> (Observed, Observed, usize) {
    on_big_stack(|| {
        in_virtual_time(async {
            let sim = Sim::with(seed, settings);
            let (mut spec, before) = create_on_transit(&sim).await;
            change(&mut spec);
            let mut search = on_transit(&sim, &spec);
            search.known.record(&before);
            let (ended, least) =
                least_while(|| all_tunnels_up(&sim), sim.converge_from(&spec, &search)).await;
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
    least_up_when_killed_in((seed, Settings::default()), change, operation, seconds)
}

fn least_up_when_killed_in(
    (seed, settings): (u64, Settings),
    change: fn(&mut Spec),
    operation: &str,
    seconds: u64,
) -> (Observed, usize) {
    on_big_stack(|| {
        in_virtual_time(async {
            let sim = Sim::with(seed, settings);
            let (mut spec, before) = create_on_transit(&sim).await;
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
            let (ended, least) = least_while(|| all_tunnels_up(&sim), both).await;
            succeeded("the second run", &ended).unwrap();
            (ended.observed, least)
        })
    })
}

/// Clouds in which EC2 changes no connection's bandwidth.
fn fixed_bandwidth(seed: u64) -> (u64, Settings) {
    let settings = Settings {
        fixed_bandwidth: true,
        ..Settings::default()
    };
    (seed, settings)
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

/// Where EC2 rejects another bandwidth, one connection after the other is recreated.
#[test]
fn recreate_connections_where_bandwidth_is_fixed() {
    let change = |spec: &mut Spec| {
        spec.aws.bandwidth = Bandwidth::Large;
        spec.aws.dpd_timeout_seconds = 40;
    };
    let (before, after, least) = least_up_in(fixed_bandwidth(23), change);
    assert_eq!(least, 2);
    let (before, after) = (connections(&before), connections(&after));
    assert!(after.iter().all(|vpn| vpn.bandwidth == Bandwidth::Large));
    assert!(before.iter().zip(&after).all(|(old, new)| old.id != new.id));
}

/// A run that was killed while it recreated the connections is resumed one connection at a time.
#[test]
fn resumed_bandwidth_recreation_waits_for_new_connection() {
    for seconds in [1, 60, 300] {
        let (after, least) = least_up_when_killed_in(
            fixed_bandwidth(24),
            |spec| spec.aws.bandwidth = Bandwidth::Large,
            "CreateVpnConnection",
            seconds,
        );
        assert_eq!(
            least, 2,
            "killed {seconds} s after the first new connection"
        );
        assert!(
            connections(&after)
                .iter()
                .all(|vpn| vpn.bandwidth == Bandwidth::Large)
        );
    }
}

/// A resumed acceleration waits for the tunnels of the connection that the interrupted run created.
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
        let (spec, built) = in_virtual_time(async { create_on_transit(&Sim::new(21)).await });
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

fn on_transit(sim: &Sim, spec: &Spec) -> LookupScope {
    let mut search = sim.search(spec);
    if let AwsGateway::TransitGateway(id) = &spec.aws.gateway {
        search.known.transit_gateway = Some(id.clone());
    }
    search
}
