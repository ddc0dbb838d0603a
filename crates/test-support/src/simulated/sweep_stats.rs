//! Which points of the sweep are met in every run and which in `make soak`, how many there are, and
//! what they brought to light.

use super::fault_point::{FaultMode, FaultPoint, Scenario};
use super::fault_sweep::{Baseline, baseline};

/// Of everything but a create one point in so many is met in every run.
const SAMPLE: usize = 199;

/// A fault in the product that the sweep or the thousand pairs of links found: the test that keeps
/// it out, and what it was.
pub const FINDINGS: [(&str, &str); 21] = [
    (
        "resumed_create_propagates_into_public_table",
        "The state of a failed create treated the route tables created so far as the complete set: the public table never got Azure's routes.",
    ),
    (
        "finish_link_with_only_incomplete_tag_left",
        "Killed between the last connection and the end of the create, the link counted as complete and was rejected at plan.",
    ),
    (
        "next_apply_removes_addresses_of_failed_update",
        "An update of the addresses that failed late left the former ones on the gateway, and no plan showed them.",
    ),
    (
        "configured_keys_reach_both_clouds_after_lost_calls",
        "A new `preshared_keys_wo_version` alone counted as a local change: the keys reached neither cloud.",
    ),
    (
        "create_adds_addresses_during_concurrent_change",
        "Azure reports no BGP addresses for a gateway that another user is changing. The create waited for it, and then created connections before its own addresses were listed.",
    ),
    (
        "destroy_removes_addresses_during_concurrent_change",
        "For the same reason a destroy removed no addresses and reported success.",
    ),
    (
        "failed_destroy_at_gateway_is_retried",
        "A destroy that failed at its last step, the addresses on a shared gateway, was not retried.",
    ),
    (
        "own_addresses_added_by_killed_create",
        "The next apply treated the addresses of a killed create as foreign, and its destroy left them on the gateway.",
    ),
    (
        "destroy_removes_addresses_of_killed_update",
        "The same after a change of the addresses that was killed.",
    ),
    (
        "import_link_in_other_group_than_gateway",
        "Imported, a link in a resource group of its own was to be replaced: it was looked for in the gateway's group.",
    ),
    (
        "retry_tunnel_change_after_lost_rejection",
        "A tunnel change that AWS rejected while an earlier one was running counted as done if the rejection was lost: the keys differed.",
    ),
    (
        "next_apply_rewrites_failed_azure_objects",
        "A virtual network, a subnet or a public IP in state Failed was used, and each create of the gateway was rejected.",
    ),
    (
        "give_up_login_that_blocks_many_calls",
        "While many calls waited for a slow login, the lock of Azure's SDK used a complete core.",
    ),
    (
        "destroy_waits_for_earlier_connection_deletes",
        "A destroy that was killed while Azure deleted a connection made the next one leave that connection's address on the gateway.",
    ),
    (
        "adopt_object_that_appears_during_watch",
        "An object that EC2 did not list yet when an incomplete link was found was created twice, although it appeared while the run waited.",
    ),
    (
        "interrupted_run_records_object_just_created",
        "A run that was interrupted right after a create lost the object if EC2 did not list it yet.",
    ),
    (
        "resume_interrupted_move_to_existing_gateway",
        "A move to a gateway or VPC that is named by id, interrupted between the former AWS side and the new one, could not be continued: the named object was not read.",
    ),
    (
        "connection_waits_for_delete_of_predecessor",
        "AWS rejected a recreated VPN connection while it was still deleting the previous one, which had the same inside CIDRs.",
    ),
    (
        "plan_rest_of_interrupted_azure_asn_change",
        "A change of the Azure ASN that was interrupted between the two customer gateways continued with ids that the plan had shown as unchanged.",
    ),
    (
        "plan_rest_of_failed_update_without_refresh",
        "After a change that failed, a plan with -refresh=false was empty: the state contained the requested values, not the applied ones.",
    ),
    (
        "destroy_disables_propagation_left_by_killed_apply",
        "Route propagation that a killed run had enabled on an existing VPN gateway counted as another user's and stayed enabled.",
    ),
];

/// Points of a run and the calls that it makes.
pub struct Row {
    pub operation: &'static str,
    pub calls: usize,
    pub tested: usize,
    pub soaked: usize,
}

fn variable(name: &str, default: usize) -> usize {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

fn points(baseline: &Baseline, modes: &[FaultMode]) -> Vec<FaultPoint> {
    let calls = (1..=baseline.calls.len()).step_by(variable("EVERY", 1));
    let all = calls.flat_map(|call| {
        modes.iter().map(move |mode| FaultPoint {
            operation: baseline.operation,
            call,
            mode: *mode,
        })
    });
    all.filter(|point| baseline.injected(point).is_some())
        .collect()
}

/// Every call in every way.
pub fn soaked(baseline: &Baseline) -> Vec<FaultPoint> {
    points(baseline, &FaultMode::all())
}

/// Of a create every call, in the telling ways and one of the others in turn; of all else a sample.
pub fn tested(baseline: &Baseline) -> Vec<FaultPoint> {
    if baseline.operation != Scenario::Create {
        return soaked(baseline)
            .into_iter()
            .step_by(variable("SAMPLE", SAMPLE))
            .collect();
    }
    let mut all = points(baseline, &FaultMode::representative());
    let modes: Vec<FaultMode> = FaultMode::all()
        .into_iter()
        .filter(|mode| !FaultMode::representative().contains(mode))
        .collect();
    let in_turn = |call: usize| FaultPoint {
        operation: Scenario::Create,
        call,
        mode: modes[call * 7 % modes.len()],
    };
    all.extend(
        (1..=baseline.calls.len())
            .step_by(variable("EVERY", 1))
            .map(in_turn),
    );
    all.retain(|point| baseline.injected(point).is_some());
    all
}

/// The figures of all operations, in a world that is so many times as fast as its clients.
pub fn rows(hurry: u64) -> Vec<Row> {
    let of = |(word, operation): (&'static str, Scenario)| {
        let baseline = baseline(operation, hurry).unwrap();
        Row {
            operation: word,
            calls: baseline.calls.len(),
            tested: tested(&baseline).len(),
            soaked: soaked(&baseline).len(),
        }
    };
    Scenario::ALL.into_iter().map(of).collect()
}
