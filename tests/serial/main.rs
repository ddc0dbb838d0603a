//! Tests that need the machine to themselves, one after another: hundreds of configurations at
//! once, reads that must come at the same time, and the demo, which builds into the target directory
//! that the other tests use.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod demo;
mod many_links;
mod random_terraform;
mod random_wire;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Held by the test that runs.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
