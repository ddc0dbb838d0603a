//! A thousand seeded lifecycles through the real SDK code paths, under virtual time.
//!
//! `SEEDS=10000 cargo test --test simulated run_random_lifecycles` lives more lives; `SEED=17 cargo
//! test --test simulated simulation::replay -- --nocapture` lives one again and tells it.

use awsazure::reconcile::ActionError;
use bgp_vpn::conflict::Conflict;
use std::time::Instant;
use test_support::simulated::Sim;
use test_support::simulated::attribute_rows;
use test_support::simulated::attributes::{self, Cache, Effect};
use test_support::simulated::clock::{on_all_cores, on_big_stack};
use test_support::simulated::correction::{self, Tally};
use test_support::simulated::environment::Environment;
use test_support::simulated::lifecycle;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// A thousand random links are created, changed and destroyed; each leaves nothing behind.
#[test]
fn run_random_lifecycles() {
    let seeds: Vec<u64> = (1..=variable("SEEDS").unwrap_or(1_000)).collect();
    let begun = Instant::now();
    let ended = on_all_cores(
        &seeds,
        || (),
        |_, seed| match lifecycle::run(*seed) {
            Ok(life) => Ok((life.calls.len(), life.checked, life.simulated_seconds)),
            Err(fault) => Err((*seed, fault)),
        },
    );
    let (mut calls, mut checked, mut seconds, mut failed) = (0, 0, 0, Vec::new());
    for ended in ended {
        match ended {
            Ok(life) => {
                calls += life.0;
                checked += life.1;
                seconds += life.2;
            }
            Err(fault) => failed.push(fault),
        }
    }
    for (seed, fault) in failed.iter().take(5) {
        println!(
            "seed {seed}: {fault}\n  again: SEED={seed} cargo test --test simulated simulation::replay -- --nocapture\n"
        );
    }
    let (lives, hours) = (seeds.len(), seconds / 3_600);
    println!(
        "{lives} lives, {calls} calls, {hours} simulated hours in {:?}",
        begun.elapsed()
    );
    println!("{checked} requests and answers held against the clouds' schemas");
    let seeds: Vec<u64> = failed.iter().map(|(seed, _)| *seed).collect();
    assert!(seeds.is_empty(), "{} seeds failed: {seeds:?}", seeds.len());
}

/// Without `SEED` it shows that a seed is a life: the same calls at the same instants with the same
/// answers.
#[test]
fn replay() {
    let live = |seed| on_big_stack(|| lifecycle::run(seed));
    if let Some(seed) = variable("SEED") {
        match live(seed) {
            Ok(life) => {
                let mut counts = std::collections::BTreeMap::<&str, usize>::new();
                life.calls
                    .iter()
                    .for_each(|call| *counts.entry(&call.operation).or_default() += 1);
                println!(
                    "{:#?}\n{counts:#?}\n{} calls, {} s",
                    life.story,
                    life.calls.len(),
                    life.simulated_seconds
                );
            }
            Err(fault) => panic!("seed {seed}: {fault}"),
        }
        return;
    }
    for seed in [7, 8] {
        let (one, two) = (live(seed).unwrap(), live(seed).unwrap());
        let differs = one.calls.iter().zip(&two.calls).position(|(a, b)| a != b);
        assert_eq!(
            differs.map(|at| (&one.calls[at], &two.calls[at])),
            None,
            "seed {seed}"
        );
        assert_eq!(one.calls.len(), two.calls.len());
    }
}

#[tokio::test(start_paused = true)]
async fn complete_link_is_not_adopted_by_second_create() {
    let sim = Sim::new(2);
    let spec = sim.spec("prod", 0);
    let built = sim.converge(&spec).await;
    assert!(built.failures.is_empty(), "{:#?}", built.failures);
    let objects = sim.objects();
    let second = sim.converge(&spec).await;
    assert!(
        matches!(
            second.failures[0].error,
            ActionError::Conflict(Conflict::Complete { .. })
        ),
        "{:#?}",
        second.failures
    );
    assert_eq!(sim.objects(), objects);
}

/// Every attribute of the schema takes effect, replaces the link, or is rejected by its name.
#[test]
fn every_attribute_has_its_declared_effect() {
    let environment = on_big_stack(Environment::build);
    let rows = attribute_rows::rows(&environment);
    let without: Vec<String> = attributes::attributes()
        .into_keys()
        .filter(|path| rows.iter().all(|row| row.path != *path))
        .collect();
    assert!(
        without.is_empty(),
        "attributes without a row in simulated/attribute_rows.rs: {without:?}"
    );
    let only = std::env::var("ROW").ok();
    let rows: Vec<_> = rows
        .into_iter()
        .filter(|row| only.as_ref().is_none_or(|path| row.path == *path))
        .collect();
    let (begun, cache) = (Instant::now(), Cache::default());
    let checked = on_all_cores(
        &rows,
        || (),
        |_, row| attributes::check(&environment, &cache, row),
    );
    let faults: Vec<&String> = checked
        .iter()
        .filter_map(|checked| checked.as_ref().err())
        .collect();
    faults.iter().for_each(|fault| {
        println!("{fault}\n  again: ROW=... cargo test --test simulated every_attribute\n")
    });
    let changes: usize = checked.iter().flatten().sum();
    let computed = rows
        .iter()
        .filter(|row| row.there == Effect::Computed)
        .count();
    println!(
        "{} rows, {computed} of them computed, {changes} changes in {:?}",
        rows.len(),
        begun.elapsed()
    );
    assert!(faults.is_empty(), "{} of {} rows", faults.len(), rows.len());
}

/// `CORRECTIONS=20000` runs more; `CORRECTION=17` runs one and prints its story.
#[test]
fn one_apply_corrects_any_failure() {
    let environment = on_big_stack(Environment::build);
    if let Some(seed) = variable("CORRECTION") {
        match on_big_stack(|| correction::run(&environment, seed)) {
            Ok(tally) => println!("{tally:#?}"),
            Err(fault) => panic!("seed {seed}: {fault}"),
        }
        return;
    }
    let seeds: Vec<u64> = (1..=variable("CORRECTIONS").unwrap_or(2_000)).collect();
    let begun = Instant::now();
    let ended = on_all_cores(
        &seeds,
        || (),
        |_, seed| correction::run(&environment, *seed).map_err(|fault| (*seed, fault)),
    );
    let (mut all, mut faults) = (Tally::default(), Vec::new());
    for ended in ended {
        match ended {
            Ok(tally) => {
                all.applies += tally.applies;
                all.failed += tally.failed;
                all.replaced += tally.replaced;
                all.calls += tally.calls;
                tally
                    .failures
                    .into_iter()
                    .for_each(|(kind, count)| *all.failures.entry(kind).or_default() += count);
            }
            Err(fault) => faults.push(fault),
        }
    }
    for (seed, fault) in faults.iter().take(20) {
        println!(
            "seed {seed}: {fault}\n  again: CORRECTION={seed} cargo test --test simulated simulation::one_apply -- --nocapture\n"
        );
    }
    let Tally {
        applies,
        failed,
        replaced,
        calls,
        failures,
        ..
    } = all;
    println!(
        "{} corrections, {applies} applies, {failed} runs that failed, {replaced} replacements, {calls} calls in {:?}: {failures:?}",
        seeds.len(),
        begun.elapsed()
    );
    let failed: Vec<u64> = faults.iter().map(|(seed, _)| *seed).collect();
    assert_eq!(failed, Vec::<u64>::new(), "seeds that failed");
}
