//! A fault at every call: of a create in every run, of everything else in `make soak` (a sample of it here).
//!
//! `POINT='create 57 once lost' cargo test --workspace --test sweep replay -- --nocapture` meets one point again and tells it;
//! `SWEEP=all` meets every point of every operation in every way, in clouds as slow as the real ones.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod simulated;

use simulated::point::{Operation, Point, Way};
use simulated::sweep::{Course, course};
use simulated::witness;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Half an hour passes in a minute of the provider's clock: fewer polls, the same steps.
const HURRY: u64 = 30;

fn variable(name: &str) -> Option<usize> {
    std::env::var(name).ok()?.parse().ok()
}

fn on_big_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    // Unoptimised futures are large, and nothing here is spawned that would put them on the heap.
    std::thread::scope(|scope| {
        std::thread::Builder::new().stack_size(64 << 20).spawn_scoped(scope, work).unwrap().join().unwrap()
    })
}

fn tell(course: &Course, point: &Point, fault: &str) {
    let (cloud, operation, _) = &course.calls[point.call - 1];
    let shown: String = fault.chars().take(1_500).collect();
    println!("{point} ({cloud} {operation}): {shown}");
    println!("  again: POINT='{point}' cargo test --workspace --test sweep replay -- --nocapture\n");
}

/// Meets all points on all cores, and prints those that failed.
fn meet(course: &Course, points: &[Point], thorough: impl Fn(usize) -> bool + Sync) {
    let (next, met, failed) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(Vec::new()));
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            let work = || {
                let _guard = witness::record_log();
                while let Some((index, point)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    points.get(index).map(|point| (index, point))
                } {
                    let Some(trouble) = course.trouble(point) else { continue };
                    met.fetch_add(1, Ordering::Relaxed);
                    if let Err(fault) = course.meet(&trouble, thorough(index)) {
                        tell(course, point, &fault);
                        failed.lock().unwrap().push(*point);
                    }
                }
            };
            std::thread::Builder::new().stack_size(64 << 20).spawn_scoped(scope, work).unwrap();
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort();
    let mut kinds = BTreeMap::<String, usize>::new();
    for point in &failed {
        let (cloud, operation, _) = &course.calls[point.call - 1];
        *kinds.entry(format!("{} at {cloud} {operation}", point.way)).or_default() += 1;
    }
    println!(
        "{} points of {} calls in {:?}; {} failed: {kinds:#?}",
        met.into_inner(),
        course.calls.len(),
        begun.elapsed(),
        failed.len()
    );
    assert!(failed.is_empty(), "{} points failed", failed.len());
}

fn points(operation: Operation, course: &Course, ways: &[Way]) -> Vec<Point> {
    let every = variable("EVERY").unwrap_or(1);
    let calls = (1..=course.calls.len()).step_by(every);
    calls.flat_map(|call| ways.iter().map(move |way| Point { operation, call, way: *way })).collect()
}

#[test]
fn a_create_survives_a_fault_at_every_call() {
    let course = on_big_stack(|| course(Operation::Create, HURRY)).unwrap();
    let mut all = points(Operation::Create, &course, &Way::telling());
    // Of all other ways one at each call, in turn.
    let ways: Vec<Way> = Way::all().into_iter().filter(|way| !Way::telling().contains(way)).collect();
    let in_turn = |call: usize| Point { operation: Operation::Create, call, way: ways[call * 7 % ways.len()] };
    all.extend((1..=course.calls.len()).step_by(variable("EVERY").unwrap_or(1)).map(in_turn));
    meet(&course, &all, |index| index % 8 == 0);
}

#[test]
fn everything_else_survives_a_fault_at_any_call() {
    for (_, operation) in Operation::ALL.into_iter().filter(|(_, operation)| *operation != Operation::Create) {
        let course = on_big_stack(|| course(operation, HURRY)).unwrap();
        let all = points(operation, &course, &Way::all());
        let sample: Vec<Point> = all.into_iter().step_by(variable("SAMPLE").unwrap_or(101)).collect();
        meet(&course, &sample, |index| index % 8 == 0);
    }
}

/// The calls of each operation, in order.
#[test]
#[ignore = "for whoever wants to know what a point's number means"]
fn list() {
    for (word, operation) in Operation::ALL {
        let course = on_big_stack(|| course(operation, variable("HURRY").unwrap_or(HURRY as usize) as u64)).unwrap();
        for (n, (cloud, call, count)) in course.calls.iter().enumerate() {
            println!("{word} {} {cloud} {call} {count}", n + 1);
        }
    }
}

#[test]
fn replay() {
    let Ok(text) = std::env::var("POINT") else { return };
    let point: Point = text.parse().unwrap();
    let hurry = std::env::var("HURRY").map_or(HURRY, |text| text.parse().unwrap());
    let course = on_big_stack(|| course(point.operation, hurry)).unwrap();
    let trouble = course.trouble(&point).expect("this way makes no sense at this call");
    println!("{point}: {trouble:?}");
    let met = on_big_stack(|| course.meet(&trouble, true));
    assert!(met.is_ok(), "{}", met.unwrap_err());
}

#[test]
#[ignore = "hours; run it with make soak"]
fn every_point_of_everything() {
    for (word, operation) in Operation::ALL {
        let course = on_big_stack(|| course(operation, 1)).unwrap();
        println!("{word}");
        meet(&course, &points(operation, &course, &Way::all()), |_| true);
    }
}
