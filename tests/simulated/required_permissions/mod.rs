//! A link lives with exactly the computed permissions. Without any one of them it fails and names the
//! action, or warns and names it where the read is optional.

mod cases;
mod hcl;
mod life;

use awsazure::provider::bgp_vpn::read_config;
use bgp_vpn::permissions::{Permissions, Phase, required};
use life::{Case, Documents, live};
use std::collections::BTreeSet;
use test_support::simulated::clock::{on_all_cores, on_big_stack};
use test_support::simulated::environment::Environment;
use test_support::simulated::terraform_core::config;

const SUBSCRIPTION: &str = "00000000-0000-4000-a000-00000000a2e0";

/// Every step of a life has its own configuration; the set covers all of them.
fn permissions(case: &Case, phase: Phase) -> Permissions {
    let mut all = Permissions::default();
    for step in &case.steps {
        all.extend(required(&read_config(&config(step)), phase));
    }
    all
}

fn actions(permissions: &Permissions) -> BTreeSet<String> {
    let aws = permissions.aws_actions();
    aws.into_iter()
        .chain(permissions.azure.iter().copied())
        .map(str::to_owned)
        .collect()
}

fn cases(environment: &Environment) -> Vec<Case> {
    let mut all = cases::example_cases(environment);
    all.extend(cases::further(environment));
    all
}

/// Actions that a life needs only where others have changed its surroundings: they attached something to
/// a subnet of the link, the existing Azure gateway got another address, or a subnet was deleted. New
/// networks are created and deleted together with their subnets.
const IN_SOME_LIVES: [&str; 7] = [
    "Microsoft.Network/virtualNetworks/subnets/read",
    "Microsoft.Network/virtualNetworks/subnets/write",
    "Microsoft.Network/virtualNetworks/subnets/delete",
    "Microsoft.Network/networkSecurityGroups/join/action",
    "Microsoft.Network/routeTables/join/action",
    "Microsoft.Network/natGateways/join/action",
    "ec2:ModifyVpnConnection",
];

/// The documents of a case for plans and applies.
fn documents(case: &Case) -> (Documents, Documents) {
    let of = |phase| Documents::of(&permissions(case, phase), phase, SUBSCRIPTION);
    (of(Phase::Plan), of(Phase::Apply))
}

/// Lives with exactly the set, and compares it with what a life without restrictions needs.
fn check_set(environment: &Environment, case: &Case) -> Vec<String> {
    let (plan, apply) = documents(case);
    let mut faults = Vec::new();
    let ended = live(environment, case, &plan, &apply);
    if let Err(text) = &ended.result {
        faults.push(format!("{}: with exactly the set: {text}", case.name));
    }
    let none = Documents::default();
    let free = live(environment, case, &none, &none);
    if let Err(text) = &free.result {
        faults.push(format!("{}: without restrictions: {text}", case.name));
    }
    let all = actions(&permissions(case, Phase::Apply));
    let of_plan = actions(&permissions(case, Phase::Plan));
    let mut report = |what: &str, set: Vec<&String>| {
        if !set.is_empty() {
            faults.push(format!("{}: {what}: {set:?}", case.name));
        }
    };
    report(
        "not computed, but needed",
        free.needed.difference(&all).collect(),
    );
    report(
        "not computed for plan, but needed",
        free.needed_by_plans.difference(&of_plan).collect(),
    );
    // A move leaves out what its sides need in the rest of their lives.
    if !case.is_move {
        let unused = all.difference(&free.needed);
        let unused = unused.filter(|action| !IN_SOME_LIVES.contains(&action.as_str()));
        report("computed, but never needed", unused.collect());
        report(
            "computed for plan, but never needed",
            of_plan.difference(&free.needed_by_plans).collect(),
        );
    }
    faults.iter().for_each(|fault| println!("{fault}"));
    faults
}

/// Lives without one action. Returns whether it was a warning.
fn check_without(environment: &Environment, case: &Case, action: &str) -> Result<bool, String> {
    let (plan, apply) = documents(case);
    let ended = live(
        environment,
        case,
        &plan.without(action),
        &apply.without(action),
    );
    let names = |text: &String| text.contains(action);
    match &ended.result {
        Err(text) if names(text) => Ok(false),
        Err(text) => Err(format!(
            "{} without {action}: the error does not name it: {text}",
            case.name
        )),
        Ok(()) if ended.messages.iter().any(names) => Ok(true),
        Ok(()) => Err(format!(
            "{} without {action}: neither an error nor a warning",
            case.name
        )),
    }
}

#[test]
fn live_with_exactly_the_computed_permissions() {
    let environment = on_big_stack(Environment::build);
    let cases = cases(&environment);
    let faults = on_all_cores(&cases, || (), |_, case| check_set(&environment, case));
    println!("| configuration | plan, AWS | plan, Azure | apply, AWS | apply, Azure |");
    for case in &cases {
        let (plan, apply) = (
            permissions(case, Phase::Plan),
            permissions(case, Phase::Apply),
        );
        println!(
            "| {} | {} | {} | {} | {} |",
            case.name,
            plan.aws_actions().len(),
            plan.azure.len(),
            apply.aws_actions().len(),
            apply.azure.len()
        );
    }
    let faults: Vec<String> = faults.into_iter().flatten().collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Each action is taken away in the first configuration that needs it; with `PERMISSION_LIVES=all` in every
/// configuration, which takes half an hour.
#[test]
fn name_each_permission_that_is_missing() {
    let environment = on_big_stack(Environment::build);
    let cases = cases(&environment);
    let every_case = std::env::var("PERMISSION_LIVES").is_ok_and(|value| value == "all");
    let (mut lives, mut seen) = (Vec::new(), BTreeSet::new());
    for case in cases.iter().filter(|case| !case.is_move) {
        let all = actions(&permissions(case, Phase::Apply));
        let exercised = all
            .into_iter()
            .filter(|action| !IN_SOME_LIVES.contains(&action.as_str()))
            .filter(|action| seen.insert(action.clone()) || every_case);
        lives.extend(exercised.map(|action| (case, action)));
    }
    let verdicts = on_all_cores(
        &lives,
        || (),
        |_, (case, action)| {
            let verdict = check_without(&environment, case, action);
            verdict
                .iter()
                .for_each(|warned| println!("{action}: {warned}"));
            verdict
                .as_ref()
                .err()
                .iter()
                .for_each(|fault| println!("{fault}"));
            verdict
        },
    );
    let warnings = verdicts.iter().filter(|one| **one == Ok(true)).count();
    println!(
        "{} lives without one action, {warnings} of them with a warning",
        lives.len()
    );
    let faults: Vec<String> = verdicts.into_iter().filter_map(Result::err).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}
