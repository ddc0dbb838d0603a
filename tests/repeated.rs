//! Every step made twice and three times: whatever writes of a run lose their answers once and once more, the run ends well and
//! leaves what it leaves when every write is sent once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod simulated;

use simulated::point::Operation;
use simulated::sweep::{Course, Trouble, course};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Half an hour passes in a minute of the provider's clock: fewer polls, the same steps.
const HURRY: u64 = 30;

/// One of so many is followed to the link's end.
const THOROUGH: usize = 8;

fn on_big_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    // Unoptimised futures are large, and nothing here is spawned that would put them on the heap.
    std::thread::scope(|scope| {
        std::thread::Builder::new().stack_size(64 << 20).spawn_scoped(scope, work).unwrap().join().unwrap()
    })
}

fn writes((_, operation, _): &&(String, String, usize)) -> bool {
    !["Describe", "Get", "List", "Request"].iter().any(|verb| operation.starts_with(verb))
}

/// Each write, sent twice and sent three times: an answer that is lost is asked for again.
fn repeated(course: &Course) -> Vec<Vec<String>> {
    let lost =
        |cloud: &str, operation: &str, call: usize| format!("fail call {call} of {cloud} {operation}: once lost");
    let times = |(cloud, operation, count): &(String, String, usize)| {
        let (first, second) = (lost(cloud, operation, *count), lost(cloud, operation, count + 1));
        [vec![first.clone()], vec![first, second]]
    };
    course.calls.iter().filter(writes).flat_map(times).collect()
}

fn every_write_may_be_repeated(operation: Operation) {
    let course = on_big_stack(|| course(operation, HURRY)).unwrap();
    let all = repeated(&course);
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            let work = || {
                while let Some((index, rules)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    all.get(index).map(|rules| (index, rules))
                } {
                    let trouble = Trouble::Rules(rules.clone());
                    if let Err(fault) = course.meet(&trouble, index % THOROUGH == 0) {
                        let shown: String = fault.chars().take(1_500).collect();
                        failed.lock().unwrap().push(format!("{rules:?}: {shown}"));
                    }
                }
            };
            std::thread::Builder::new().stack_size(64 << 20).spawn_scoped(scope, work).unwrap();
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(!all.is_empty());
    assert!(failed.is_empty(), "{} of {} failed:\n{}", failed.len(), all.len(), failed.join("\n\n"));
}

#[test]
fn every_write_of_a_create_may_be_repeated() {
    every_write_may_be_repeated(Operation::Create);
}

#[test]
fn every_write_of_a_destroy_may_be_repeated() {
    every_write_may_be_repeated(Operation::Destroy);
}

#[test]
fn every_write_of_a_change_may_be_repeated() {
    let changes = [Operation::Addresses, Operation::Asn, Operation::Settings, Operation::Rotate, Operation::Keys];
    changes.into_iter().for_each(every_write_may_be_repeated);
}
