//! How simulated runs are run: on a clock that jumps, on a stack that holds them, and on every
//! core.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Builder, Scope};

/// Unoptimised futures are large, and nothing here is spawned that would put them on the heap.
/// Bytes.
const STACK: usize = 64 << 20;

/// Runs a future on a clock of its own that jumps from event to event.
pub fn in_virtual_time<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(work)
}

/// Runs something on a thread with room for unoptimised futures.
pub fn on_big_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| spawn(scope, work).join().unwrap())
}

/// Runs a scenario on a big stack and in virtual time.
pub fn simulated<F: Future<Output = ()>>(scenario: impl FnOnce() -> F + Send) {
    on_big_stack(|| in_virtual_time(scenario()));
}

/// Does the work for every item, as many at a time as there are cores, and returns the results in
/// the order of the items. `guard` is held by each thread while it works.
pub fn on_all_cores<I: Sync, G, T: Send>(
    items: &[I],
    guard: impl Fn() -> G + Sync,
    work: impl Fn(usize, &I) -> T + Sync,
) -> Vec<T> {
    let (next, answers) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            spawn(scope, || {
                let _guard = guard();
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { break };
                    let answer = work(index, item);
                    answers.lock().unwrap().push((index, answer));
                }
            });
        }
    });
    let mut answers = answers.into_inner().unwrap();
    answers.sort_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

fn spawn<'s, T: Send + 's>(
    scope: &'s Scope<'s, '_>,
    work: impl FnOnce() -> T + Send + 's,
) -> std::thread::ScopedJoinHandle<'s, T> {
    Builder::new()
        .stack_size(STACK)
        .spawn_scoped(scope, work)
        .unwrap()
}
