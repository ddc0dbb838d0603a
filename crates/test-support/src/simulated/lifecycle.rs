//! The life of one link, from nothing to nothing, as its seed has it.

use super::clock::in_virtual_time;
use super::scenario_gen::{alone, change, cloud_settings, on_gateways_of, once_in};
use super::verify::{
    Listing, foreign_objects_unchanged, listing, managed, no_key_in_output,
    only_preexisting_objects_left, succeeded, tunnels_agree, writes_were_serialized,
};
use super::{Sim, external_changes};
use awsazure_sandbox::call_log::CallRecord;
use awsazure_sandbox::rng::Rng;
use bgp_vpn::observed::Observed;
use bgp_vpn::spec::{Removals, Spec};

/// What came of it.
#[derive(Debug, Default)]
pub struct LifecycleRun {
    /// What happened, a line an event.
    pub story: Vec<String>,
    pub calls: Vec<CallRecord>,
    pub simulated_seconds: u64,
    /// Requests and answers held against the clouds' schemas.
    pub checked: u64,
}

/// Lives one life on this thread, under a clock of its own that jumps from event to event.
///
/// # Errors
/// Which invariant broke, and what had happened by then.
pub fn run(seed: u64) -> Result<LifecycleRun, String> {
    let lived = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        in_virtual_time(async {
            let mut rng = Rng::seeded(seed.wrapping_mul(0x5851_F42D_4C95_7F2D));
            let sim = Sim::with(seed, cloud_settings(&mut rng));
            let mut life = LifecycleRun::default();
            let ended = one(&sim, &mut rng, &mut life.story).await;
            life.calls = sim.sandbox.calls();
            life.simulated_seconds = sim.sandbox.now().0 / 1000;
            let judge = sim.sandbox.world().validator.clone();
            life.checked = judge.requests + judge.answers;
            match ended {
                Ok(()) if judge.violations > 0 => Err(format!(
                    "the clouds' schemas were broken:\n{}",
                    judge.report()
                )),
                Ok(()) => Ok(life),
                Err(fault) => Err(format!("{fault}\nbefore that: {:#?}", life.story)),
            }
        })
    }));
    lived.unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        let words = words.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        Err(format!("panic: {}", words.unwrap_or_default()))
    })
}

async fn one(sim: &Sim, rng: &mut Rng, story: &mut Vec<String>) -> Result<(), String> {
    if once_in(rng, 8) {
        let neighbour = alone(sim, rng).await;
        let built = sim.converge(&neighbour).await;
        succeeded("the neighbour's create", &built)?;
        story.push(format!("neighbour {}", neighbour.name));
        let spec = on_gateways_of(sim, rng, &neighbour, &built.observed);
        link(sim, rng, spec, story).await?;
        let still = sim
            .converge_from(&neighbour, &sim.search_after(&neighbour, &built.observed))
            .await;
        succeeded("the neighbour's look", &still)?;
        if !still.done.is_empty() {
            return Err(format!("the neighbour was harmed: {:?}", still.done));
        }
        let before = Listing::new();
        let gone = sim.demolish(&neighbour, &still.observed).await;
        succeeded("the neighbour's destroy", &gone)?;
        let left = listing(sim);
        let theirs = |id: &str| id.contains("hub-rg") || left[id]["tags"]["Name"] == "workloads";
        let foreign: Vec<String> = left.keys().filter(|id| theirs(id)).cloned().collect();
        let rest = left.into_iter().filter(|(id, object)| {
            let of_vpc = |name: &str| {
                object[name]
                    .as_str()
                    .is_some_and(|vpc| foreign.iter().any(|id| id == vpc))
            };
            !foreign.contains(id) && !of_vpc("vpc_id")
        });
        only_preexisting_objects_left(&before, &rest.collect())?;
    } else {
        let spec = alone(sim, rng).await;
        link(sim, rng, spec, story).await?;
    }
    writes_were_serialized(sim)
}

/// Create, change, repair and destroy, each looked at from all sides.
async fn link(
    sim: &Sim,
    rng: &mut Rng,
    mut spec: Spec,
    story: &mut Vec<String>,
) -> Result<(), String> {
    let before = listing(sim);
    story.push(format!("{spec:?}"));
    story.push(format!(
        "trouble while creating: {:?}",
        external_changes::trouble(sim, rng)
    ));
    let search = sim.search(&spec);
    let built = sim.converge_from(&spec, &search).await;
    succeeded("create", &built)?;
    let mut seen = check_complete(sim, &spec, &built.observed, &before, "create").await?;

    if !once_in(rng, 4) {
        let prior = sim.search_after(&spec, &seen);
        let what = change(rng, &mut spec, &seen);
        story.push(format!(
            "changed {what:?} under {:?}",
            external_changes::trouble(sim, rng)
        ));
        let changed = sim.converge_from(&spec, &prior).await;
        succeeded("change", &changed)?;
        spec.removals = Removals::default();
        seen = check_complete(sim, &spec, &changed.observed, &before, "change").await?;
    }
    if once_in(rng, 2) {
        sim.sandbox.world().faults.clear();
        let what = external_changes::change_externally(sim, rng, &spec, &seen).await?;
        story.push(format!(
            "meddled: {what}; under {:?}",
            external_changes::trouble(sim, rng)
        ));
        let repaired = sim
            .converge_from(&spec, &sim.search_after(&spec, &seen))
            .await;
        succeeded("repair", &repaired)?;
        seen = check_complete(sim, &spec, &repaired.observed, &before, "repair").await?;
    }
    story.push(format!(
        "destroyed under {:?}",
        external_changes::trouble(sim, rng)
    ));
    if managed(&spec, &seen).is_empty() {
        return Err("nothing to destroy".to_owned());
    }
    let gone = sim.demolish(&spec, &seen).await;
    succeeded("destroy", &gone)?;
    only_preexisting_objects_left(&before, &listing(sim))
}

/// The link is complete, a second look finds nothing to do, the tunnels agree, no other user was
/// affected, no key shows.
async fn check_complete(
    sim: &Sim,
    spec: &Spec,
    built: &Observed,
    before: &Listing,
    after: &str,
) -> Result<Observed, String> {
    let again = sim
        .converge_from(spec, &sim.search_after(spec, built))
        .await;
    succeeded(&format!("the look after {after}"), &again)?;
    if !again.done.is_empty() {
        return Err(format!(
            "after {after} there still was something to do: {:?}",
            again.done
        ));
    }
    tunnels_agree(sim, &again.observed).map_err(|fault| format!("after {after}: {fault}"))?;
    no_key_in_output(sim, &again.observed, spec)?;
    foreign_objects_unchanged(before, &listing(sim))
        .map_err(|fault| format!("after {after}: {fault}"))?;
    Ok(again.observed)
}
