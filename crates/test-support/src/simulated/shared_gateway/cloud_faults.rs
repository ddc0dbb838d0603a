//! Random failures of both clouds.

use crate::simulated::Sim;

/// What clouds do at random: how often in ten thousand calls, and what.
const TROUBLE: [(u64, &str, &str); 16] = [
    (60, "azure *", "429"),
    (60, "azure *", "503"),
    (40, "azure *", "500"),
    (40, "azure *", "dropped"),
    (30, "azure *", "lost"),
    (20, "azure *", "truncated"),
    (10, "azure *", "hang-after"),
    (15, "azure *", "refused"),
    (10, "azure *", "403"),
    (300, "azure PutGateway", "failed"),
    (60, "aws *", "429"),
    (60, "aws *", "500"),
    (40, "aws *", "lost"),
    (20, "aws *", "malformed"),
    (10, "aws *", "hang"),
    (15, "aws *", "refused"),
];

/// The clouds have bad days again.
pub(super) fn stir(sim: &Sim) {
    let mut world = sim.sandbox.world();
    if world.faults.rules.is_empty() {
        for (often, operation, kind) in TROUBLE {
            world.faults.add(
                format!("fail {often} in 10000 of {operation}: {kind}")
                    .parse()
                    .unwrap(),
            );
        }
    }
}
