//! Over a thousand random configurations, with known, null and unknown values in every attribute,
//! over the wire: the real provider process, a sandbox, and a client that checks what Terraform's
//! core checks.

use std::collections::BTreeSet;
use std::sync::Arc;
use test_support::provider_program;
use test_support::random::configuration::Generator;
use test_support::random::environment::{Environment, Style, prepare};
use test_support::random::lifecycle::{Lifecycle, RuleViolation, accepted};
use test_support::random::provider_process::{Client, ProviderProcess};
use test_support::random::rng::Rng;
use test_support::terraform::{Clouds, Sandbox, World};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Links that are made, changed and destroyed; each has a site of its own.
const LIVES: u64 = 40;
/// Links that are planned only; they share what sites are left.
const PLANS: u64 = 1_000;
/// More than run at once: two links of one site in flight would exclude each other.
const SHARED_SITES: usize = 48;
const AT_ONCE: usize = 24;

/// How a seed ended.
#[derive(Default)]
struct Tally {
    accepted: u64,
    refused: u64,
}

/// Two configurations in a row, the second on top of the first.
async fn live(
    seed: u64,
    environment: &Environment,
    client: Client,
) -> Result<Tally, RuleViolation> {
    let (mut rng, mut life, mut tally) =
        (Rng::new(seed, 1), Lifecycle::new(client), Tally::default());
    let style = Style::of(environment, &mut rng);
    for _ in 0..2 {
        let mut generator = Generator {
            rng: &mut rng,
            environment,
            style,
        };
        let config = generator.valid();
        let with_unknowns = generator.with_unknowns(&config);
        if test_support::random::replayed().is_some() {
            eprintln!("configured: {config:?}\n   planned: {with_unknowns:?}");
        }
        match life.become_as(&with_unknowns, &config).await? {
            true => tally.accepted += 1,
            false => tally.refused += 1,
        }
    }
    if !life.state.is_null() {
        life.destroy().await?;
    }
    Ok(tally)
}

/// A plan, and the plan that core makes once everything is known.
async fn plan(
    seed: u64,
    environment: &Environment,
    client: Client,
) -> Result<Tally, RuleViolation> {
    let (mut rng, mut life) = (Rng::new(seed, 2), Lifecycle::new(client));
    let style = Style::of(environment, &mut rng);
    let maybe_invalid = rng.once_in(3);
    let mut generator = Generator {
        rng: &mut rng,
        environment,
        style,
    };
    let config = if maybe_invalid {
        generator.maybe_invalid()
    } else {
        generator.valid()
    };
    let with_unknowns = generator.with_unknowns(&config);
    let Some(first) = accepted(life.plan(&with_unknowns).await)? else {
        return Ok(Tally {
            accepted: 0,
            refused: 1,
        });
    };
    if accepted(life.validate(&config).await)?.is_some() {
        accepted(life.plan_again(&first, &config).await)?;
    }
    Ok(Tally {
        accepted: 1,
        refused: 0,
    })
}

fn ids(world: &World) -> BTreeSet<&str> {
    world
        .aws
        .iter()
        .chain(&world.azure)
        .map(|object| object.id.as_str())
        .collect()
}

#[test]
fn random_configurations_follow_terraform_core_rules() {
    let _turn = crate::turn();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(follow_terraform_core_rules());
}

async fn follow_terraform_core_rules() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("clouds");
    let sites = Arc::new(prepare(&dir, LIVES as usize + SHARED_SITES));
    let sandbox = Sandbox::start(
        &dir,
        Clouds {
            time_scale: 10_000,
            ..Clouds::default()
        },
    );
    let before = sandbox.world();
    let process =
        ProviderProcess::start(provider_program(), sandbox.environment(), folder.path()).await;
    process.configure().await;

    let seeds: Vec<u64> = test_support::random::replayed()
        .map_or_else(|| (0..LIVES + PLANS).collect(), |seed| vec![seed]);
    let (gate, mut running) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
    for seed in seeds {
        let (gate, sites, client) = (gate.clone(), sites.clone(), process.client());
        running.spawn(async move {
            let _turn = gate.acquire_owned().await.unwrap();
            let lives = seed < LIVES;
            let shared = LIVES as usize + seed as usize % SHARED_SITES;
            let ended = match lives {
                true => live(seed, &sites[seed as usize], client).await,
                false => plan(seed, &sites[shared], client).await,
            };
            (seed, lives, ended)
        });
    }
    let (mut applied, mut planned, mut refused, mut broken) = (0, 0, 0, Vec::new());
    while let Some(done) = running.join_next().await {
        match done.unwrap() {
            (seed, _, Err(RuleViolation(why))) => {
                let replay = format!("AWSAZURE_SEED={seed} cargo test --test serial random_wire");
                broken.push(format!("seed {seed}: {why}\n    replay: {replay}"));
            }
            (_, lives, Ok(tally)) => {
                *(if lives { &mut applied } else { &mut planned }) += tally.accepted;
                refused += tally.refused;
            }
        }
    }
    if test_support::random::replayed().is_some() {
        for call in sandbox
            .calls()
            .iter()
            .filter(|call| !call.operation.starts_with("Describe"))
        {
            eprintln!(
                "{} {} {:?} {:?}",
                call.number("start_ms"),
                call.operation,
                call.target,
                call.status
            );
        }
    }
    eprintln!("{applied} configurations applied, {planned} planned, {refused} refused");
    assert!(
        broken.is_empty(),
        "{} of the seeds broke a rule:\n{}",
        broken.len(),
        broken.join("\n")
    );
    assert_eq!(process.log(), "", "the provider's log is not silent");
    let after = sandbox.world();
    let left: Vec<_> = ids(&after)
        .difference(&ids(&before))
        .map(|id| (*id).to_owned())
        .collect();
    assert!(left.is_empty(), "left behind: {left:#?}");
    if test_support::random::replayed().is_none() {
        assert!(
            applied >= LIVES * 3 / 2 && planned >= PLANS / 2,
            "too few configurations were accepted"
        );
    }
}
