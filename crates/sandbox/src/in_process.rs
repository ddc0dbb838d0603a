//! The world in memory, for tests: simulated time is tokio's own, times the time scale, so that
//! under its paused clock half an hour passes as fast as the code between two sleeps runs.

use crate::call_log::CallRecord;
use crate::http::{Outcome, Request};
use crate::time::SimTime;
use crate::world::{Exchange, Settings, World};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::Instant;

/// Looks on: it is shown each call right after its effect, before its answer is under way.
pub type Watcher = Box<dyn FnMut(&World, &Request, &Exchange) + Send>;

/// A handle to one world; clones share it.
#[derive(Clone)]
pub struct Sandbox {
    world: Arc<Mutex<World>>,
    calls: Arc<Mutex<Vec<CallRecord>>>,
    watcher: Arc<Mutex<Option<Watcher>>>,
    began: Instant,
    /// Where the world stood when this handle was made.
    offset: SimTime,
    time_scale: u64,
    latency: Duration,
}

impl Sandbox {
    /// A new world whose instant 0 is now; needs a tokio runtime with time.
    pub fn new(seed: u64, settings: Settings) -> Sandbox {
        Sandbox::of(World::new(seed, settings))
    }

    /// A world that goes on from where it stood.
    pub fn of(world: World) -> Sandbox {
        let time_scale = world.settings.time_scale.max(1);
        Sandbox {
            offset: world.now(),
            latency: Duration::from_micros(
                world.settings.latency.0.saturating_mul(1_000) / time_scale,
            ),
            time_scale,
            world: Arc::new(Mutex::new(world)),
            calls: Arc::default(),
            watcher: Arc::default(),
            began: Instant::now(),
        }
    }

    /// Milliseconds of the client's clock since this handle was made.
    pub fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub fn now(&self) -> SimTime {
        let micros = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        SimTime(
            self.offset
                .0
                .saturating_add(micros.saturating_mul(self.time_scale) / 1_000),
        )
    }

    /// The world itself, to look at it, to plan faults, or to change it behind a client's back.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Every call so far.
    pub fn calls(&self) -> Vec<CallRecord> {
        self.calls
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }

    /// From now on this one looks on.
    pub fn watch(&self, watcher: Watcher) {
        *self
            .watcher
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(watcher);
    }

    /// One call: half the latency there, the effect, half the latency back. After `Hang` it is the
    /// caller who never answers.
    pub async fn call(&self, request: Request) -> Outcome {
        let (start_ms, start) = (self.elapsed_ms(), self.now());
        tokio::time::sleep(self.latency / 2).await;
        let exchange = {
            let now = self.now();
            let mut world = self.world();
            let exchange = world.handle(now, &request);
            let mut watcher = self
                .watcher
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            if let Some(watcher) = watcher.as_mut() {
                watcher(&world, &request, &exchange);
            }
            exchange
        };
        tokio::time::sleep(self.latency / 2).await;
        let (end_ms, end) = (self.elapsed_ms(), self.now());
        let record = CallRecord {
            start_ms,
            end_ms,
            sim_start_ms: start.0,
            sim_end_ms: end.0,
            ..exchange.record
        };
        self.calls
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push(record);
        exchange.outcome
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox")
            .field("now", &self.now())
            .finish_non_exhaustive()
    }
}
