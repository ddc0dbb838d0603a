//! Which points of the sweep are met in every run and which in `make soak`, how many there are, and what they brought to light.

use super::fault_point::{FaultMode, FaultPoint, Scenario};
use super::fault_sweep::{Baseline, baseline};

/// Of everything but a create one point in so many is met in every run.
const SAMPLE: usize = 199;

/// A fault in the product that the sweep or the thousand pairs of links found: the test that keeps it out, and what it was.
pub const FINDINGS: [(&str, &str); 21] = [
    (
        "a_create_that_failed_before_its_public_route_table_still_gets_routes_into_it",
        "The state of a failed create took the route tables made so far for the whole set: the public table never got Azure's routes.",
    ),
    (
        "a_link_with_all_its_connections_is_finished_where_only_the_unfinished_mark_was_left",
        "Killed between the last connection and the end of the create, the link was taken for a finished one and refused at plan.",
    ),
    (
        "addresses_that_an_update_gave_up_are_taken_off_the_gateway_by_the_next_apply",
        "An update of the addresses that failed late left the old ones on the gateway for good: no plan showed them.",
    ),
    (
        "keys_of_the_users_own_reach_both_clouds_whatever_call_of_theirs_is_lost",
        "A new `preshared_keys_wo_version` alone counted as a local change: the keys reached neither cloud.",
    ),
    (
        "a_create_lists_its_addresses_on_a_gateway_that_somebody_is_just_changing",
        "A gateway that somebody is changing shows no addresses; the create waited for it and made connections before it had listed its own.",
    ),
    (
        "a_destroy_takes_its_addresses_off_a_gateway_that_somebody_is_just_changing",
        "For the same reason a destroy took nothing off, and said that all was gone.",
    ),
    (
        "a_destroy_that_failed_at_the_gateway_is_not_forgotten",
        "A destroy that failed last of all, at its addresses on a shared gateway, was forgotten by the next read.",
    ),
    (
        "addresses_of_a_create_that_was_killed_are_its_own",
        "The next apply took the addresses of a killed create for other people's, and its destroy left them on the gateway.",
    ),
    (
        "addresses_of_a_change_that_was_killed_go_with_the_link",
        "The same after a change of the addresses that was killed.",
    ),
    (
        "an_own_link_that_is_filed_elsewhere_than_its_gateway_is_imported_as_it_is",
        "Imported, a link in a resource group of its own was to be replaced: it was looked for in the gateway's group.",
    ),
    (
        "a_change_of_a_tunnel_whose_refusal_was_lost_is_asked_for_again",
        "A change of a tunnel that was refused while an earlier one was under way, the refusal lost, counted as done: the keys differed.",
    ),
    (
        "what_azure_gave_up_on_is_written_again_by_the_next_apply",
        "A virtual network, a subnet or a public IP that Azure had given up on (Failed) was taken for a good one, and the gateway was refused for ever.",
    ),
    (
        "a_login_that_many_calls_wait_for_in_vain_is_given_up",
        "Where many calls waited for a login that was slow or silent, the lock in Azure's SDK that they waited at kept a core busy all the while.",
    ),
    (
        "a_destroy_waits_for_connections_that_an_earlier_one_left_azure_to_delete",
        "A destroy that was killed while Azure deleted a connection made the next one leave that connection's address on the gateway.",
    ),
    (
        "what_shows_only_while_a_half_built_link_is_watched_is_not_made_again",
        "What EC2 did not list yet when a half-built link was found was made a second time, though it showed while the link was watched.",
    ),
    (
        "a_run_that_breaks_off_right_after_a_create_knows_what_it_made",
        "A run that broke off right after a create forgot what it had made where EC2 did not list it yet.",
    ),
    (
        "a_move_to_a_gateway_that_is_there_goes_on_where_it_broke_off",
        "Broken off between the old AWS half and the new one, a move to a gateway or VPC named by id never got on: nobody looked for it.",
    ),
    (
        "a_connection_waits_for_its_predecessor_that_an_earlier_run_left_aws_to_delete",
        "A VPN connection that was made anew was refused while AWS still deleted the one before it: its inside CIDRs were taken.",
    ),
    (
        "a_change_of_the_azure_asn_that_broke_off_halfway_is_planned_as_what_it_will_be",
        "Broken off between the two customer gateways, a change of the Azure ASN was gone on with under ids that the plan had promised to keep.",
    ),
    (
        "what_a_failed_change_left_to_do_is_planned_without_a_refresh_too",
        "After a change that failed, a plan with -refresh=false had nothing to do: the state had what was asked for, not what was done.",
    ),
    (
        "routes_that_a_killed_run_let_in_from_somebody_elses_gateway_are_kept_out_again_after_the_link",
        "Route propagation of somebody's VPN gateway that a killed run had switched on was taken for somebody's own, and left on for good.",
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
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn points(baseline: &Baseline, modes: &[FaultMode]) -> Vec<FaultPoint> {
    let calls = (1..=baseline.calls.len()).step_by(variable("EVERY", 1));
    let all = calls
        .flat_map(|call| modes.iter().map(move |mode| FaultPoint { operation: baseline.operation, call, mode: *mode }));
    all.filter(|point| baseline.injected(point).is_some()).collect()
}

/// Every call in every way.
pub fn soaked(baseline: &Baseline) -> Vec<FaultPoint> {
    points(baseline, &FaultMode::all())
}

/// Of a create every call, in the telling ways and one of the others in turn; of all else a sample.
pub fn tested(baseline: &Baseline) -> Vec<FaultPoint> {
    if baseline.operation != Scenario::Create {
        return soaked(baseline).into_iter().step_by(variable("SAMPLE", SAMPLE)).collect();
    }
    let mut all = points(baseline, &FaultMode::representative());
    let modes: Vec<FaultMode> =
        FaultMode::all().into_iter().filter(|mode| !FaultMode::representative().contains(mode)).collect();
    let in_turn = |call: usize| FaultPoint { operation: Scenario::Create, call, mode: modes[call * 7 % modes.len()] };
    all.extend((1..=baseline.calls.len()).step_by(variable("EVERY", 1)).map(in_turn));
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
