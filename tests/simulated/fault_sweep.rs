//! A fault at every call: of a create in every run, of everything else in `make soak` (a sample of
//! it here).
//!
//! `POINT='create 57 once lost' cargo test --test simulated fault_sweep::replay -- --nocapture`
//! meets one point again; with `HURRY=1` the clouds are as slow as the real ones, and the numbers
//! are others. `SCENARIO=rotate` and `EVERY=7` choose from `every_point`.

use std::collections::BTreeMap;
use std::time::Instant;
use test_support::simulated::clock::{on_all_cores, on_big_stack};
use test_support::simulated::fault_point::{FaultPoint, Scenario};
use test_support::simulated::fault_sweep::{Baseline, InjectedFault, baseline};
use test_support::simulated::sweep_stats::{soaked, tested};

/// Half an hour passes in a minute of the provider's clock: fewer polls, the same steps.
const HURRY: u64 = 30;

fn variable(name: &str) -> Option<usize> {
    std::env::var(name).ok()?.parse().ok()
}

fn tell(baseline: &Baseline, point: &FaultPoint, fault: &str) {
    let (cloud, operation, _) = &baseline.calls[point.call - 1];
    let shown: String = fault.chars().take(1_500).collect();
    println!("{point} ({cloud} {operation}): {shown}");
    println!(
        "  again: POINT='{point}' cargo test --test simulated fault_sweep::replay -- --nocapture\n"
    );
}

/// Meets all points on all cores, and prints those that failed.
fn meet(
    baseline: &Baseline,
    points: &[FaultPoint],
    thorough: impl Fn(usize) -> bool + Sync,
) -> usize {
    let begun = Instant::now();
    let met = on_all_cores(
        points,
        test_support::simulated::log_recorder::record_log,
        |index, point| {
            let injected = baseline.injected(point)?;
            let met = baseline.meet(&injected, thorough(index), point.is_blind());
            if let Err(fault) = &met {
                tell(baseline, point, fault);
            }
            Some((*point, met.is_ok()))
        },
    );
    let met: Vec<(FaultPoint, bool)> = met.into_iter().flatten().collect();
    let mut failed: Vec<FaultPoint> = met
        .iter()
        .filter(|(_, well)| !well)
        .map(|(point, _)| *point)
        .collect();
    failed.sort();
    let mut kinds = BTreeMap::<String, usize>::new();
    for point in &failed {
        let (cloud, operation, _) = &baseline.calls[point.call - 1];
        *kinds
            .entry(format!("{} at {cloud} {operation}", point.mode))
            .or_default() += 1;
    }
    println!(
        "{} points of {} calls in {:?}; {} failed: {kinds:#?}",
        met.len(),
        baseline.calls.len(),
        begun.elapsed(),
        failed.len()
    );
    failed.len()
}

#[test]
fn create_survives_fault_at_every_call() {
    let baseline = on_big_stack(|| baseline(Scenario::Create, HURRY)).unwrap();
    let all = tested(&baseline);
    assert_eq!(
        meet(&baseline, &all, |index| index % 8 == 0),
        0,
        "points failed; each says above how to replay it"
    );
}

#[test]
fn other_scenarios_survive_fault_at_sampled_calls() {
    let mut failed = 0;
    let hides = |operation: Scenario| operation == Scenario::Secret || operation.hides_keys();
    let others = Scenario::ALL
        .into_iter()
        .filter(|(_, one)| *one != Scenario::Create && !hides(*one));
    for (_, operation) in others {
        let baseline = on_big_stack(|| baseline(operation, HURRY)).unwrap();
        let sample = tested(&baseline);
        failed += meet(&baseline, &sample, |index| index % 8 == 0);
    }
    assert_eq!(failed, 0, "points failed; each says above how to replay it");
}

#[test]
fn hidden_keys_survive_fault_at_sampled_calls() {
    let mut failed = 0;
    let hides = |operation: Scenario| operation == Scenario::Secret || operation.hides_keys();
    for (_, operation) in Scenario::ALL
        .into_iter()
        .filter(|(_, operation)| hides(*operation))
    {
        let baseline = on_big_stack(|| baseline(operation, HURRY)).unwrap();
        let sample = tested(&baseline);
        failed += meet(&baseline, &sample, |index| index % 8 == 0);
    }
    assert_eq!(failed, 0, "points failed; each says above how to replay it");
}

/// What the sweep found, kept as tests of their own.
fn survives(operation: Scenario, injected: &InjectedFault) {
    let baseline = on_big_stack(|| baseline(operation, HURRY)).unwrap();
    for blind in [false, true] {
        let met = on_big_stack(|| baseline.meet(injected, true, blind));
        assert!(met.is_ok(), "blind {blind}: {}", met.unwrap_err());
    }
}

fn rule(text: &str) -> InjectedFault {
    InjectedFault::Rules(vec![text.to_owned()])
}

#[test]
fn resumed_create_propagates_into_public_table() {
    survives(
        Scenario::Create,
        &rule("fail call 1 of aws CreateRouteTable: once refused"),
    );
}

#[test]
fn finish_link_with_only_incomplete_tag_left() {
    let killed = InjectedFault::Killed {
        rule: "fail call 1 of aws DeleteTags: once hang".to_owned(),
        saved: false,
    };
    survives(Scenario::Create, &killed);
}

#[test]
fn next_apply_removes_addresses_of_failed_update() {
    survives(
        Scenario::Addresses,
        &rule("fail call 1 of azure ListGatewayConnections: forever refused"),
    );
}

#[test]
fn configured_keys_reach_both_clouds_after_lost_calls() {
    survives(
        Scenario::Keys,
        &rule("fail call 2 of azure PutSharedKey: once lost"),
    );
}

#[test]
fn next_apply_rewrites_failed_azure_objects() {
    for call in [
        "PutVirtualNetwork",
        "PutPublicIp",
        "PutLocalGateway",
        "PutGateway",
        "PutConnection",
    ] {
        survives(
            Scenario::Create,
            &rule(&format!("fail call 1 of azure {call}: once failed")),
        );
    }
    for call in ["PutVirtualNetwork", "PutSubnet"] {
        survives(
            Scenario::Network,
            &rule(&format!("fail call 1 of azure {call}: once failed")),
        );
    }
}

#[test]
fn resume_interrupted_move_to_existing_gateway() {
    survives(
        Scenario::Transit,
        &rule("fail call 1 of aws DeleteCustomerGateway: once refused"),
    );
    survives(
        Scenario::Transit,
        &rule("fail call 1 of aws CreateCustomerGateway: once refused"),
    );
}

#[test]
fn resume_move_while_azure_gateway_is_busy() {
    // The gateway keeps the AWS side that it was created for in its tags.
    for call in 5..=8 {
        survives(
            Scenario::Gateway,
            &rule(&format!(
                "fail call {call} of azure GetLocalGateway: once refused"
            )),
        );
    }
}

#[test]
fn connection_waits_for_delete_of_predecessor() {
    for call in 1..=2 {
        let rule = format!("fail call {call} of aws DeleteVpnConnection: once hang-after");
        survives(
            Scenario::Accelerated,
            &InjectedFault::Killed { rule, saved: false },
        );
    }
}

#[test]
fn plan_rest_of_interrupted_azure_asn_change() {
    for call in 1..=2 {
        survives(
            Scenario::AzureAsn,
            &rule(&format!(
                "fail call {call} of aws DeleteCustomerGateway: once refused"
            )),
        );
    }
}

#[test]
fn plan_rest_of_failed_update_without_refresh() {
    for operation in [Scenario::Asn, Scenario::Addresses, Scenario::Transit] {
        survives(
            operation,
            &rule("fail call 1 of azure PutLocalGateway: forever refused"),
        );
    }
}

/// Ids of objects that a failed update may have deleted are unknown in a plan without refresh.
#[test]
fn plan_without_refresh_does_not_promise_lost_ids() {
    for (operation, kind) in [(Scenario::Asn, "403"), (Scenario::Transit, "lost")] {
        let baseline = on_big_stack(|| baseline(operation, HURRY)).unwrap();
        let deleted = baseline
            .calls
            .iter()
            .position(|(_, call, _)| call == "DeleteCustomerGateway")
            .unwrap();
        let (_, call, count) = baseline.calls[deleted..]
            .iter()
            .find(|(_, call, _)| call == "DescribeCustomerGateways")
            .unwrap();
        survives(
            operation,
            &rule(&format!("fail call {count} of aws {call}: forever {kind}")),
        );
    }
}

#[test]
fn destroy_disables_propagation_left_by_killed_apply() {
    for operation in [Scenario::Given, Scenario::Gateway] {
        for call in ["EnableVgwRoutePropagation", "CreateTags"] {
            let rule = format!("fail call 1 of aws {call}: once hang-after");
            survives(operation, &InjectedFault::Killed { rule, saved: false });
        }
        let rule = "fail call 1 of azure PutConnection: once hang".to_owned();
        survives(operation, &InjectedFault::Killed { rule, saved: false });
    }
}

#[test]
fn give_up_login_that_blocks_many_calls() {
    for kind in ["hang", "503", "dropped"] {
        survives(
            Scenario::Addresses,
            &rule(&format!("fail call 2 of *: forever {kind}")),
        );
    }
}

/// The calls of each operation, in order.
#[test]
#[ignore = "prints what the number of a point means"]
fn list_points() {
    for (word, operation) in Scenario::ALL {
        let baseline = on_big_stack(|| {
            baseline(
                operation,
                variable("HURRY").unwrap_or(HURRY as usize) as u64,
            )
        })
        .unwrap();
        for (n, (cloud, call, count)) in baseline.calls.iter().enumerate() {
            println!("{word} {} {cloud} {call} {count}", n + 1);
        }
    }
}

#[test]
fn replay() {
    let Ok(text) = std::env::var("POINT") else {
        return;
    };
    let point: FaultPoint = text.parse().unwrap();
    let hurry = std::env::var("HURRY").map_or(HURRY, |text| text.parse().unwrap());
    let baseline = on_big_stack(|| baseline(point.operation, hurry)).unwrap();
    let injected = baseline
        .injected(&point)
        .expect("this way makes no sense at this call");
    println!("{point}: {injected:?}");
    let met = on_big_stack(|| baseline.meet(&injected, true, point.is_blind()));
    assert!(met.is_ok(), "{}", met.unwrap_err());
}

#[test]
#[ignore = "hours; run it with make soak"]
fn every_point_of_every_scenario() {
    let (mut failed, only) = (0, std::env::var("SCENARIO").ok());
    for (word, operation) in Scenario::ALL
        .into_iter()
        .filter(|(word, _)| only.as_deref().is_none_or(|only| only == *word))
    {
        let baseline = on_big_stack(|| baseline(operation, HURRY)).unwrap();
        println!("{word}");
        failed += meet(&baseline, &soaked(&baseline), |_| true);
    }
    assert_eq!(failed, 0, "points failed; each says above how to replay it");
}
