//! Azure returns ids in another letter case than before, and lists in another order: no change for a
//! link.

use super::manual_edits::fixture::{Fixture, Link, writes};
use bgp_vpn::inside_cidr::Slot;
use std::time::Duration;
use test_support::simulated::Sim;
use test_support::simulated::clock::simulated;
use test_support::simulated::terraform_core::Run;
use test_support::simulated::verify::succeeded;

/// From here on Azure spells every id in another way at every second.
async fn respell_each_second(sim: &Sim) {
    for seed in 1.. {
        sim.sandbox.world().respell(seed);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[test]
fn state_keeps_spelling_of_ids() {
    let link = Link::new();
    simulated(|| async move {
        for seed in 1..20 {
            let sim = link.sim();
            sim.sandbox.world().respell(seed);
            let mut core = link.core(&sim);
            core.refresh().await.unwrap();
            assert_eq!(core.stored.state, link.stored.state, "seed {seed}");
            core.plans_empty().await.unwrap();
        }
    });
}

/// What `managed` shows after an update is what was planned.
#[test]
fn update_keeps_spelling_of_managed_objects() {
    let link = Link::new();
    simulated(|| async move {
        for seed in 1..6 {
            let sim = link.sim();
            let mut core = link.core(&sim);
            core.refresh().await.unwrap();
            sim.sandbox.world().respell(seed);
            core.config.set("name", format!("renamed{seed}"));
            core.run(&Run::Apply).await.unwrap();
            for at in ["managed", "tunnels", "azure"] {
                let (is, was) = (core.stored.state.get(at), link.stored.state.get(at));
                assert_eq!(is, was, "seed {seed}");
            }
            core.plans_empty().await.unwrap();
        }
    });
}

/// An incomplete link whose ids are spelled in another way at each read is taken over.
#[test]
fn respelled_ids_are_no_sign_of_another_run() {
    simulated(|| async {
        let sim = Sim::new(36);
        let spec = sim.spec("prod", 0);
        let rule = "fail call 1 of PutGateway: forever refused";
        sim.sandbox.world().faults.add(rule.parse().unwrap());
        assert!(!sim.converge(&spec).await.failures.is_empty());
        sim.sandbox.world().faults.clear();
        let ended = tokio::select! {
            ended = sim.converge(&spec) => ended,
            () = respell_each_second(&sim) => unreachable!(),
        };
        succeeded("the second create", &ended).unwrap();
        assert!(ended.resumed);
    });
}

/// A changed connection is written once, in any order in which Azure lists its addresses afterwards.
#[test]
fn write_connection_once_despite_order_and_spelling() {
    simulated(|| async {
        let mut fixture = Fixture::new(37).await;
        let puts = || {
            writes(&fixture.sim)
                .iter()
                .filter(|call| call.starts_with("PutConnection"))
                .count()
        };
        let before = puts();
        let mut spec = fixture.spec.clone();
        spec.inside_cidrs = Slot::new(1).unwrap().inside_cidrs();
        let search = fixture.sim.search_after(&spec, &fixture.before);
        let ended = tokio::select! {
            ended = fixture.sim.converge_from(&spec, &search) => ended,
            () = respell_each_second(&fixture.sim) => unreachable!(),
        };
        succeeded("the move to another slot", &ended).unwrap();
        let written = puts() - before;
        assert!(written <= 8, "{written} writes of four connections");
        fixture.spec = spec;
        assert_eq!(fixture.drift().await, Vec::<String>::new());
    });
}
