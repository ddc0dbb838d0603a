//! Counts the tunnels that are up while something is done to a link.

use super::Sim;
use super::verify::succeeded;
use awsazure::reconcile::ReconcileOutcome;
use bgp_vpn::observed::Observed;
use bgp_vpn::spec::Spec;
use bgp_vpn::tunnel::TunnelKey;
use std::time::Duration;

/// Creates a link and waits until its BGP sessions have advertised all their routes.
pub async fn create_link(sim: &Sim, spec: &Spec) -> Observed {
    let created = sim.converge(spec).await;
    succeeded("create", &created).unwrap();
    tokio::time::sleep(Duration::from_secs(300)).await;
    observe(sim, spec, &created.observed).await
}

/// Reads a link again, by the ids of the last observation.
pub async fn observe(sim: &Sim, spec: &Spec, last: &Observed) -> Observed {
    let site = sim
        .clouds
        .link_clients(Some(&spec.aws.region), &sim.limits())
        .await
        .unwrap();
    awsazure::reconcile::observe(&site, &sim.search_after(spec, last), &sim.limits())
        .await
        .unwrap()
}

/// How many tunnels of a link are up, at the outside addresses that were observed.
pub fn tunnels_up(sim: &Sim, observed: &Observed) -> usize {
    let mut world = sim.sandbox.world();
    let now = sim.sandbox.now();
    world.advance(now);
    let up = |key: &TunnelKey| {
        world
            .tunnels
            .aws_telemetry(observed.tunnel(*key).unwrap().outside_ip)
            .up
    };
    TunnelKey::ALL.iter().filter(|key| up(key)).count()
}

/// How many tunnels of all links are up, at any outside address.
pub fn all_tunnels_up(sim: &Sim) -> usize {
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

/// The result of `work`, and the least that `count` returned in any second of it.
pub async fn least_while<T>(
    count: impl Fn() -> usize,
    work: impl Future<Output = T>,
) -> (T, usize) {
    let mut least = usize::MAX;
    let watch = async {
        loop {
            least = least.min(count());
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let ended = tokio::select! {
        ended = work => ended,
        () = watch => unreachable!(),
    };
    (ended, least)
}

/// Converges, and returns the least tunnels that were up meanwhile.
pub async fn converge_watched(
    sim: &Sim,
    spec: &Spec,
    last: &Observed,
) -> (ReconcileOutcome, usize) {
    let search = sim.search_after(spec, last);
    let work = sim.converge_from(spec, &search);
    least_while(|| tunnels_up(sim, last), work).await
}
