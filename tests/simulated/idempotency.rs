//! Every step and its undo, made once, twice and three times, with the same result: calls whose
//! answers are lost are sent again, and a run that dies at a step is followed by one that makes
//! this step again.

use std::time::Duration;
use test_support::simulated::Sim;
use test_support::simulated::clock::{in_virtual_time, on_all_cores, on_big_stack};
use test_support::simulated::fault_point::Scenario;
use test_support::simulated::fault_sweep::{Baseline, InjectedFault, SEED, baseline};
use test_support::simulated::leak_checker;
use test_support::simulated::terraform_core::TerraformCore;

/// Half an hour passes in a minute of the provider's clock: fewer polls, the same steps.
const HURRY: u64 = 30;

/// One of so many is followed to the link's end.
const THOROUGH: usize = 8;

/// Cloud and operation of a write, and how many of that operation there were by then.
type Write = (String, String, usize);

fn is_write((_, operation, _): &&Write) -> bool {
    !["Describe", "Get", "List", "Request"]
        .iter()
        .any(|verb| operation.starts_with(verb))
}

/// Client's time in clouds that are in a hurry.
fn cloud_seconds(seconds: u64) -> Duration {
    Duration::from_millis(seconds * 1_000 / HURRY)
}

/// The call and its repetition lose their answers, the first so many of them.
fn answers_lost(
    baseline: &Baseline,
    (cloud, operation, count): &Write,
    times: usize,
    thorough: bool,
) -> Result<(), String> {
    let lost = |n: usize| format!("fail call {} of {cloud} {operation}: once lost", count + n);
    baseline.meet(
        &InjectedFault::Rules((0..times).map(lost).collect()),
        thorough,
        false,
    )
}

/// The run dies right after the call took effect, so many times in a row; then it is let end.
async fn died(
    baseline: &Baseline,
    (cloud, operation, count): &Write,
    times: usize,
) -> Result<(), String> {
    let initial = &baseline.initial;
    let sim = Sim::of(SEED, initial.world.clone());
    let mut core = TerraformCore::new(&sim, initial.config.clone(), initial.stored.clone());
    for time in 0..times {
        let call = if time == 0 { *count } else { 1 };
        let rule = format!("fail call {call} of {cloud} {operation}: once hang-after");
        sim.sandbox.world().faults.add(rule.parse().unwrap());
        let grave = sim.wire.deadly();
        tokio::select! {
            biased;
            ended = core.run(&initial.run) => ended?,
            () = grave.cancelled() => core.store_checkpoint(),
        }
        sim.sandbox.world().faults.clear();
        sim.wire.calm();
        tokio::time::sleep(cloud_seconds(5)).await;
        core.new_process();
    }
    core.run(&initial.run).await?;
    leak_checker::wait_until_idle(&sim, cloud_seconds(10)).await;
    leak_checker::no_duplicates(&sim)?;
    if !core.stored.state.is_null() {
        core.new_process();
        core.plans_empty().await?;
    }
    let is = leak_checker::snapshot(&sim, &core.stored);
    match is == baseline.snapshot {
        true => Ok(()),
        false => Err(format!(
            "the link is another: {}",
            leak_checker::difference(&is, &baseline.snapshot)
        )),
    }
}

fn every_write_may_be_repeated(operation: Scenario) {
    let baseline = on_big_stack(|| baseline(operation, HURRY)).unwrap();
    let writes: Vec<&Write> = baseline.calls.iter().filter(is_write).collect();
    assert!(!writes.is_empty());
    let met = |index: usize, write: &&Write| {
        let mut failed = Vec::new();
        for times in [1, 2] {
            let lost = answers_lost(&baseline, write, times, index.is_multiple_of(THOROUGH));
            let died = in_virtual_time(Box::pin(died(&baseline, write, times)));
            for (what, met) in [("lost its answer", lost), ("was a run's last", died)] {
                if let Err(fault) = met {
                    let shown: String = fault.chars().take(1_500).collect();
                    failed.push(format!("{write:?} {what} {times} times: {shown}"));
                }
            }
        }
        failed
    };
    let failed: Vec<String> = on_all_cores(&writes, || (), met)
        .into_iter()
        .flatten()
        .collect();
    assert!(
        failed.is_empty(),
        "{} failed:\n{}",
        failed.len(),
        failed.join("\n\n")
    );
}

#[test]
fn repeat_every_write_of_create() {
    every_write_may_be_repeated(Scenario::Create);
}

#[test]
fn repeat_every_write_of_destroy() {
    every_write_may_be_repeated(Scenario::Destroy);
}

#[test]
fn repeat_every_write_of_update() {
    let changes = [
        Scenario::Addresses,
        Scenario::Asn,
        Scenario::Settings,
        Scenario::Network,
        Scenario::Rotate,
        Scenario::Keys,
    ];
    changes.into_iter().for_each(every_write_may_be_repeated);
}
