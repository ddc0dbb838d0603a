//! Failed creates with `on_create_failure = "rollback"`.

use super::correction_regressions::azure_network;
use awsazure_sandbox::time::SimDuration;
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use test_support::simulated::scripted_run::scripted;
use test_support::simulated::terraform_core::Run;

/// Whichever read fails, a create with `on_create_failure = "rollback"` leaves nothing behind. After
/// the last step, the objects no longer carry the tag by which an incomplete create is found.
#[test]
fn rollback_after_any_failed_read_leaves_nothing() {
    let mut call = 0;
    let mut fails = true;
    while fails {
        call += 1;
        fails = create_fails_at_list(call);
    }
    assert!(call > 3, "the last list was call {}", call - 1);
}

fn create_fails_at_list(call: usize) -> bool {
    let failed = AtomicBool::new(false);
    scripted(async |run| {
        run.configure(&json!({
            "name": "prod",
            "azure": azure_network(run.environment),
            "aws": {"vpc": {"cidr_block": "10.2.0.0/16"}},
            "on_create_failure": "rollback",
        }));
        let rule = format!("fail call {call} of ListConnections: once 403");
        run.sim.sandbox.world().faults.add(rule.parse().unwrap());
        let ended = run.core.run(&Run::Apply).await;
        failed.store(ended.is_err(), Ordering::Relaxed);
        run.sim.sandbox.world().faults.clear();
        if ended.is_ok() {
            run.finish().await;
        }
        run.wait(SimDuration::minutes(20)).await;
        assert_eq!(run.differences(), Vec::<String>::new(), "call {call}");
    });
    failed.into_inner()
}
