//! Two links on one Azure gateway, at the same time, in clouds that fail at random, while other
//! people edit that gateway.
//!
//! The gateway is another team's, or the first link creates it and the second attaches to it,
//! perhaps to its VPN gateway too. Each link has a user who runs terraform again when it failed.
//! Every call is looked at by an [`IsolationChecker`].

mod cloud_faults;
mod gateways;
mod link;
mod other_users;

pub use gateways::SharedGateway;

use crate::simulated::clock::in_virtual_time;
use crate::simulated::isolation_checker::{IsolationChecker, OTHERS};
use crate::simulated::scenario_gen::{once_in, pick};
use crate::simulated::terraform_core::Run;
use crate::simulated::verify::{Listing, listing};
use crate::simulated::{Sim, leak_checker};
use awsazure_sandbox::rng::Rng;
use awsazure_sandbox::time::SimDuration;
use awsazure_sandbox::world::Settings;
use link::Link;
use other_users::{Others, of_others};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

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

fn simulated(sim: &Sim, span: SimDuration) -> Duration {
    Duration::from_millis(
        span.0
            .div_ceil(sim.sandbox.world().settings.time_scale.max(1)),
    )
}
