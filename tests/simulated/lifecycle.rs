//! The life of one link, from nothing to nothing, as its seed has it.

use super::clock::in_virtual_time;
use super::variety::{alone, beside, change, once_in, temper};
use super::verify::{
    Listing, ended_well, listing, managed, no_key_shows, nothing_foreign_changed, one_at_a_time, only_what_was_there,
    tunnels_agree,
};
use super::{Sim, meddling};
use awsazure::link::observed::Observed;
use awsazure::link::spec::{Removals, Spec};
use awsazure_sandbox::call_log::CallRecord;
use awsazure_sandbox::rng::Rng;

/// What came of it.
#[derive(Debug, Default)]
pub struct Life {
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
pub fn live(seed: u64) -> Result<Life, String> {
    let lived = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        in_virtual_time(async {
            let mut rng = Rng::seeded(seed.wrapping_mul(0x5851_F42D_4C95_7F2D));
            let sim = Sim::with(seed, temper(&mut rng));
            let mut life = Life::default();
            let ended = one(&sim, &mut rng, &mut life.story).await;
            life.calls = sim.sandbox.calls();
            life.simulated_seconds = sim.sandbox.now().0 / 1000;
            let judge = sim.sandbox.world().validator.clone();
            life.checked = judge.requests + judge.answers;
            match ended {
                Ok(()) if judge.violations > 0 => Err(format!("the clouds' schemas were broken:\n{}", judge.report())),
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
        ended_well("the neighbour's create", &built)?;
        story.push(format!("neighbour {}", neighbour.name));
        let spec = beside(sim, rng, &neighbour, &built.observed);
        link(sim, rng, spec, story).await?;
        let still = sim.converge_from(&neighbour, &sim.search_after(&neighbour, &built.observed)).await;
        ended_well("the neighbour's look", &still)?;
        if !still.done.is_empty() {
            return Err(format!("the neighbour was harmed: {:?}", still.done));
        }
        let before = Listing::new();
        let gone = sim.demolish(&neighbour, &still.observed).await;
        ended_well("the neighbour's destroy", &gone)?;
        let left = listing(sim);
        let theirs = |id: &str| id.contains("hub-rg") || left[id]["tags"]["Name"] == "workloads";
        let foreign: Vec<String> = left.keys().filter(|id| theirs(id)).cloned().collect();
        let rest = left.into_iter().filter(|(id, object)| {
            let of_vpc = |name: &str| object[name].as_str().is_some_and(|vpc| foreign.iter().any(|id| id == vpc));
            !foreign.contains(id) && !of_vpc("vpc_id")
        });
        only_what_was_there(&before, &rest.collect())?;
    } else {
        let spec = alone(sim, rng).await;
        link(sim, rng, spec, story).await?;
    }
    one_at_a_time(sim)
}

/// Create, change, repair and destroy, each looked at from all sides.
async fn link(sim: &Sim, rng: &mut Rng, mut spec: Spec, story: &mut Vec<String>) -> Result<(), String> {
    let before = listing(sim);
    story.push(format!("{spec:?}"));
    story.push(format!("trouble while creating: {:?}", meddling::trouble(sim, rng)));
    let search = sim.search(&spec);
    let built = sim.converge_from(&spec, &search).await;
    ended_well("create", &built)?;
    let mut seen = whole(sim, &spec, &built.observed, &before, "create").await?;

    if !once_in(rng, 4) {
        let prior = sim.search_after(&spec, &seen);
        let what = change(rng, &mut spec, &seen);
        story.push(format!("changed {what:?} under {:?}", meddling::trouble(sim, rng)));
        let changed = sim.converge_from(&spec, &prior).await;
        ended_well("change", &changed)?;
        spec.removals = Removals::default();
        seen = whole(sim, &spec, &changed.observed, &before, "change").await?;
    }
    if once_in(rng, 2) {
        sim.sandbox.world().faults.clear();
        let what = meddling::meddle(sim, rng, &spec, &seen).await?;
        story.push(format!("meddled: {what}; under {:?}", meddling::trouble(sim, rng)));
        let mended = sim.converge_from(&spec, &sim.search_after(&spec, &seen)).await;
        ended_well("repair", &mended)?;
        seen = whole(sim, &spec, &mended.observed, &before, "repair").await?;
    }
    story.push(format!("destroyed under {:?}", meddling::trouble(sim, rng)));
    if managed(&spec, &seen).is_empty() {
        return Err("nothing to destroy".to_owned());
    }
    let gone = sim.demolish(&spec, &seen).await;
    ended_well("destroy", &gone)?;
    only_what_was_there(&before, &listing(sim))
}

/// The link is whole, a second look finds nothing to do, the tunnels agree, nobody else was touched, no key shows.
async fn whole(sim: &Sim, spec: &Spec, built: &Observed, before: &Listing, after: &str) -> Result<Observed, String> {
    let again = sim.converge_from(spec, &sim.search_after(spec, built)).await;
    ended_well(&format!("the look after {after}"), &again)?;
    if !again.done.is_empty() {
        return Err(format!("after {after} there still was something to do: {:?}", again.done));
    }
    tunnels_agree(sim, &again.observed).map_err(|fault| format!("after {after}: {fault}"))?;
    no_key_shows(sim, &again.observed, spec)?;
    nothing_foreign_changed(before, &listing(sim)).map_err(|fault| format!("after {after}: {fault}"))?;
    Ok(again.observed)
}
