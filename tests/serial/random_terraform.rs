//! Random configurations through real Terraform, a hundred instances a run, three runs or
//! AWSAZURE_RUNS: plan, apply, an empty plan, destroy. What must never be there (a "Provider
//! produced" error, a warning in the log) is checked in every run.

use std::collections::BTreeMap;
use test_support::random::configuration::Generator;
use test_support::random::environment::{Environment, Style, prepare};
use test_support::random::hcl;
use test_support::random::rng::Rng;
use test_support::terraform::{Clouds, TestEnv, World};

const INSTANCES: u64 = 104;

/// Three runs, over three hundred configurations, unless another number is asked for.
fn runs() -> u64 {
    std::env::var("AWSAZURE_RUNS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(3)
}

/// The instances of a run, by their names.
fn links(run: u64, sites: &[Environment]) -> BTreeMap<String, serde_json::Value> {
    let link = |number: u64| {
        let seed = run * INSTANCES + number;
        let (mut rng, environment) = (Rng::new(seed, 3), &sites[number as usize]);
        let style = Style::of(environment, &mut rng);
        let mut generator = Generator {
            rng: &mut rng,
            environment,
            style,
        };
        let config = generator.valid();
        let with_unknowns = generator.with_unknowns(&config);
        (
            format!("seed{seed:03}"),
            hcl::instance(&config, &with_unknowns),
        )
    };
    let seeds = (0..INSTANCES).filter(|number| {
        test_support::random::replayed().is_none_or(|s| s == run * INSTANCES + number)
    });
    seeds.map(link).collect()
}

fn ids(world: &World) -> Vec<String> {
    world
        .aws
        .iter()
        .chain(&world.azure)
        .map(|object| object.id.clone())
        .collect()
}

/// Hundreds of random configurations apply, plan empty and are destroyed.
#[test]
fn random_configurations_work_in_real_terraform() {
    let _turn = crate::turn();
    let mut sites = Vec::new();
    let clouds = Clouds {
        time_scale: 10_000,
        ..Clouds::default()
    };
    let Some(env) = TestEnv::with_world(clouds, |dir| sites = prepare(dir, INSTANCES as usize))
    else {
        return;
    };
    env.write(&hcl::main_tf());
    let before = ids(&env.world());
    for run in 0..runs() {
        let links = links(run, &sites);
        if links.is_empty() {
            continue;
        }
        env.write_file("links.json", &serde_json::to_string_pretty(&links).unwrap());
        // An instance is named after its seed: AWSAZURE_SEED=... cargo test --test serial
        // random_terraform replays one alone.
        env.ok(&["apply", "-auto-approve", "-no-color", "-parallelism=16"]);
        let plan = env.ok(&["plan", "-no-color", "-detailed-exitcode", "-parallelism=16"]);
        assert_eq!(
            plan.code,
            Some(0),
            "the second plan is not empty:\n{}",
            plan.stdout
        );
        env.ok(&[
            "destroy",
            "-auto-approve",
            "-no-color",
            "-parallelism=16",
            "-refresh=false",
        ]);
        let left: Vec<String> = ids(&env.world())
            .into_iter()
            .filter(|id| !before.contains(id))
            .collect();
        assert!(left.is_empty(), "left behind: {left:#?}");
    }
}
