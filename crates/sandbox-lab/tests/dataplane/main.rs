//! What the daemons of a complete link do with packets: four tunnels, two gateway instances, a host
//! behind each end.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod complete_link;
mod next_hop;
mod rekeying;
mod running;

// The second file of the same name serves the wrong-parameter table.
#[path = "../wrong_parameters/link.rs"]
#[allow(dead_code)]
mod link;
