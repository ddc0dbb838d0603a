//! A teardown either can be carried out or changes nothing: objects of others in, on or attached to
//! what it deletes keep it from starting, and is named. Under virtual time.

use awsazure::reconcile::{ActionError, ReconcileOutcome, teardown};
use awsazure_sandbox::world::World;
use bgp_vpn::lookup::TeardownSpec;
use bgp_vpn::managed::Kind;
use bgp_vpn::observed::Observed;
use bgp_vpn::spec::Spec;
use bgp_vpn::tunnel::PerTunnel;
use std::collections::BTreeSet;
use test_support::simulated::Sim;
use test_support::simulated::clock::simulated;
use test_support::simulated::foreign::Foreign;
use test_support::simulated::verify::{Listing, listing, only_preexisting_objects_left, succeeded};

/// A link that is built, to be taken down in copies of its world.
struct Built {
    world: World,
    spec: Spec,
    seen: Observed,
    before: Listing,
}

impl Built {
    async fn new() -> Self {
        let sim = Sim::new(71);
        let (before, spec) = (listing(&sim), sim.spec("prod", 0));
        let built = sim.converge(&spec).await;
        succeeded("create", &built).unwrap();
        let world = sim.sandbox.world().clone();
        Built {
            world,
            spec,
            seen: built.observed,
            before,
        }
    }

    fn copy(&self) -> Sim {
        Sim::of(71, self.world.clone())
    }

    async fn demolish(&self, sim: &Sim) -> ReconcileOutcome {
        sim.demolish(&self.spec, &self.seen).await
    }
}

/// Ids of what was in the way, in lower case; empty where nothing was.
fn blocked(ended: &ReconcileOutcome) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for failure in &ended.failures {
        let ActionError::Blocked { found: blockers } = &failure.error else {
            panic!("{:?}", failure.error)
        };
        found.extend(blockers.iter().map(|blocker| blocker.by.to_lowercase()));
    }
    found
}

/// Ids that a delete was asked for.
fn deletes(sim: &Sim) -> Vec<String> {
    let calls = sim.sandbox.calls().into_iter();
    let deletes = calls.filter(|call| {
        let verbs = ["Delete", "Detach", "Disassociate", "Disable"];
        verbs.iter().any(|verb| call.operation.starts_with(verb))
    });
    deletes
        .map(|call| format!("{} {}", call.operation, call.target))
        .collect()
}

#[test]
fn stop_before_first_delete_for_each_foreign_object() {
    simulated(|| async {
        let built = Built::new().await;
        for what in Foreign::ALL {
            let sim = built.copy();
            let id = what.make(&sim, &built.spec, &built.seen).await;
            let there = listing(&sim);
            let ended = built.demolish(&sim).await;
            let named = blocked(&ended);
            assert!(
                named.iter().any(|by| by.starts_with(&id)),
                "{what:?}: {id} is not in {named:?}"
            );
            assert_eq!(deletes(&sim), Vec::<String>::new(), "{what:?}");
            let ids = |listing: &Listing| listing.keys().cloned().collect::<BTreeSet<_>>();
            assert_eq!(ids(&listing(&sim)), ids(&there), "{what:?}");
            assert_eq!(
                ended.observed,
                Observed::default(),
                "nothing to store: the state stays as it is"
            );
        }
        let sim = built.copy();
        succeeded("destroy", &built.demolish(&sim).await).unwrap();
        only_preexisting_objects_left(&built.before, &listing(&sim)).unwrap();
    });
}

#[test]
fn delete_all_or_nothing_in_random_worlds() {
    simulated(|| async {
        let built = Built::new().await;
        for seed in 1..=40_u64 {
            let sim = built.copy();
            let mut state = seed;
            let mut chance = |sides: u64| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) % sides
            };
            let mut chosen = Vec::new();
            for _ in 0..chance(4) {
                let what = Foreign::ALL[chance(Foreign::ALL.len() as u64) as usize];
                // A locked scope takes no other objects; the second of a kind has the same name.
                if !chosen.contains(&what) {
                    chosen.push(what);
                }
            }
            chosen.sort_by_key(|what| {
                matches!(
                    what,
                    Foreign::GroupLock | Foreign::GatewayLock | Foreign::AddressLock
                )
            });
            let mut made = Vec::new();
            for what in &chosen {
                made.push(what.make(&sim, &built.spec, &built.seen).await);
            }
            let there: BTreeSet<String> = listing(&sim).into_keys().collect();
            let ended = built.demolish(&sim).await;
            let left: BTreeSet<String> = listing(&sim).into_keys().collect();
            if made.is_empty() {
                succeeded("destroy", &ended).unwrap();
                only_preexisting_objects_left(&built.before, &listing(&sim)).unwrap();
            } else {
                let named = blocked(&ended);
                let missing = made
                    .iter()
                    .find(|id| !named.iter().any(|by| by.starts_with(*id)));
                assert_eq!(missing, None, "seed {seed}, {chosen:?}: {named:?}");
                assert_eq!(left, there, "seed {seed}, {chosen:?}");
            }
        }
    });
}

#[test]
fn delete_without_permission_to_read_foreign_objects() {
    simulated(|| async {
        let built = Built::new().await;
        let sim = built.copy();
        let denied = [
            "aws DescribeNatGateways",
            "aws DescribeVpcEndpoints",
            "aws DescribeVpcPeeringConnections",
        ];
        let denied = denied
            .into_iter()
            .chain(["azure ListLocks", "aws DescribeNetworkInterfaces"]);
        for call in denied {
            sim.sandbox.world().faults.add(
                format!("fail any call of {call}: forever 403")
                    .parse()
                    .unwrap(),
            );
        }
        succeeded("destroy", &built.demolish(&sim).await).unwrap();
        only_preexisting_objects_left(&built.before, &listing(&sim)).unwrap();
    });
}

/// A killed destroy left Azure deleting the gateway, which the refreshed state does not name any
/// more.
#[test]
fn complete_teardown_while_azure_deletes_gateway() {
    simulated(|| async {
        let built = Built::new().await;
        let sim = built.copy();
        let azure = &built.seen.azure;
        for (_, connection) in azure.connections.iter() {
            delete(&sim, connection.as_ref().unwrap().resource.id.as_str(), 120).await;
        }
        delete(
            &sim,
            azure.gateway.as_ref().unwrap().resource.id.as_str(),
            5,
        )
        .await;
        let mut seen = built.seen.clone();
        seen.azure.gateway = None;
        seen.azure.connections = PerTunnel::default();
        let what = TeardownSpec {
            azure_gateway: None,
            ..sim.teardown_spec(&built.spec, &seen)
        };
        assert_eq!(what.managed.ids(Kind::AzureGateway).next(), None);
        let search = sim.search_after(&built.spec, &seen);
        let ended = teardown(&sim.clouds, &what, &search, &sim.limits(), &|_| {}).await;
        succeeded("destroy", &ended).unwrap();
        only_preexisting_objects_left(&built.before, &listing(&sim)).unwrap();
    });
}

#[test]
fn wait_for_foreign_objects_that_azure_deletes() {
    simulated(|| async {
        let built = Built::new().await;
        for (what, denied) in [
            (Foreign::NetworkInterface, false),
            (Foreign::NetworkInterface, true),
        ] {
            let sim = built.copy();
            let id = what.make(&sim, &built.spec, &built.seen).await;
            if denied {
                let rule = "fail any call of azure GetNetworkInterface: forever 403";
                sim.sandbox.world().faults.add(rule.parse().unwrap());
            }
            delete(&sim, &id, 0).await;
            let ended = built.demolish(&sim).await;
            if denied {
                assert!(
                    blocked(&ended).iter().any(|by| by.starts_with(&id)),
                    "what cannot be read stays in the way"
                );
            } else {
                succeeded("destroy", &ended).unwrap();
                let asked = deletes(&sim)
                    .into_iter()
                    .filter(|call| call.to_lowercase().contains(&id));
                assert_eq!(asked.count(), 1, "only its owner deletes it");
            }
        }
    });
}

async fn delete(sim: &Sim, id: &str, seconds: u64) {
    let (status, answer) = sim
        .say_to_azure("DELETE", id, serde_json::Value::Null)
        .await;
    assert!(status < 300, "{id}: {answer}");
    tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
}

#[test]
fn keep_removed_subnet_that_others_use() {
    simulated(|| async {
        let built = Built::new().await;
        let sim = built.copy();
        let id = Foreign::PrivateEndpoint
            .make(&sim, &built.spec, &built.seen)
            .await;
        let mut spec = built.spec.clone();
        if let bgp_vpn::spec::AzureNetwork::Create { subnets, .. } = &mut spec.azure.network {
            subnets.clear();
        }
        spec.removals.subnets.insert("frontend".to_owned());
        let ended = sim
            .converge_from(&spec, &sim.search_after(&spec, &built.seen))
            .await;
        assert!(blocked(&ended).contains(&id), "{:?}", ended.failures);
        assert_eq!(deletes(&sim), Vec::<String>::new());
    });
}
