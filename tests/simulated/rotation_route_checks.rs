//! A rotation compares the routes that AWS accepts over a tunnel before and after its change.

use super::rolling_updates::{changes, link_to_rotate};
use awsazure::reconcile::ActionError;
use bgp_vpn::key_rotation::KeyRotation;
use bgp_vpn::spec::{AzureNetwork, Spec};
use bgp_vpn::tunnel::TunnelKey;
use serde_json::json;
use std::time::Duration;
use test_support::simulated::Sim;
use test_support::simulated::clock::simulated;
use test_support::simulated::tunnel_watch::{converge_watched, create_link, tunnels_up};
use test_support::simulated::verify::{only_error, succeeded};

const RANGES: [&str; 2] = ["10.1.0.0/16", "10.9.0.0/16"];

/// A link whose VNet has two ranges: AWS learns a route for each.
fn with_two_ranges(sim: &Sim) -> Spec {
    let mut spec = sim.spec("prod", 0);
    ranges(&mut spec, &RANGES);
    spec
}

fn ranges(spec: &mut Spec, ranges: &[&str]) {
    let AzureNetwork::Create { address_space, .. } = &mut spec.azure.network else {
        unreachable!()
    };
    *address_space = ranges.iter().map(|range| range.parse().unwrap()).collect();
}

/// A user sets the ranges of the VNet.
async fn announce(sim: &Sim, spec: &Spec, ranges: &[&str]) {
    let edit = |doc: &mut serde_json::Value| {
        doc["properties"]["addressSpace"]["addressPrefixes"] = json!(ranges)
    };
    sim.clouds
        .azure
        .change_virtual_network(spec.azure.network.id(), &edit, &sim.limits().call_context())
        .await
        .unwrap();
}

async fn first_tunnel_is_changing(sim: &Sim) {
    while changes(sim).is_empty() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[test]
fn rotation_stops_if_tunnel_returns_with_fewer_routes() {
    simulated(|| async {
        let sim = Sim::new(16);
        let (spec, before) = link_to_rotate(&sim, with_two_ranges(&sim)).await;
        let search = sim.search_after(&spec, &before);
        let other_user = async {
            first_tunnel_is_changing(&sim).await;
            announce(&sim, &spec, &RANGES[..1]).await;
        };
        let (ended, ()) = tokio::join!(sim.converge_from(&spec, &search), other_user);
        let error = only_error(&ended);
        assert!(
            matches!(error, ActionError::RouteCountDropped { had: 2, has: 1, .. }),
            "{error}"
        );
        assert_eq!(
            (changes(&sim).len(), tunnels_up(&sim, &before)),
            (1, 4),
            "the tunnels after it are as they were"
        );
    });
}

#[test]
fn next_tunnel_waits_for_all_routes_of_previous() {
    simulated(|| async {
        let sim = Sim::new(17);
        let (spec, before) = link_to_rotate(&sim, with_two_ranges(&sim)).await;
        let search = sim.search_after(&spec, &before);
        let other_user = async {
            first_tunnel_is_changing(&sim).await;
            announce(&sim, &spec, &RANGES[..1]).await;
            tokio::time::sleep(Duration::from_secs(12 * 60)).await;
            announce(&sim, &spec, &RANGES).await;
            sim.sandbox.elapsed_ms()
        };
        let (ended, announced_at) = tokio::join!(sim.converge_from(&spec, &search), other_user);
        succeeded("the roll", &ended).unwrap();
        assert!(
            changes(&sim)[1] > announced_at - 60_000,
            "{:?} {announced_at}",
            changes(&sim)
        );
        assert_eq!(changes(&sim).len(), 4);
    });
}

#[test]
fn ignore_routes_removed_by_same_update() {
    simulated(|| async {
        let sim = Sim::new(18);
        let mut spec = with_two_ranges(&sim);
        let before = create_link(&sim, &spec).await;
        ranges(&mut spec, &RANGES[..1]);
        spec.removals
            .address_space
            .insert(RANGES[1].parse().unwrap());
        spec.rotation = Some(KeyRotation::new(&spec.link, "2026-11"));
        let (ended, least) = converge_watched(&sim, &spec, &before).await;
        succeeded("the roll", &ended).unwrap();
        assert_eq!((least, changes(&sim).len()), (3, 4));
        assert!(
            ended
                .observed
                .tunnel(TunnelKey::ALL[3])
                .unwrap()
                .telemetry
                .as_ref()
                .unwrap()
                .accepted_routes
                == 1
        );
    });
}

/// A user deletes one of the objects of the tunnel whose session the rotation waits for.
#[test]
fn rotation_stops_if_its_connection_is_deleted() {
    for of_azure in [true, false] {
        simulated(|| async move {
            let sim = Sim::new(19);
            let (spec, before) = link_to_rotate(&sim, sim.spec("prod", 0)).await;
            let search = sim.search_after(&spec, &before);
            let key = TunnelKey::ALL[0];
            let process = sim.process();
            let clients = process
                .link_clients(Some(&spec.aws.region), &sim.limits())
                .await
                .unwrap();
            let id = if of_azure {
                let connection = before.azure.connections.get(key).as_ref().unwrap();
                connection.resource.id.to_string()
            } else {
                let vpn = before.aws.vpn_connections.get(key.instance).as_ref();
                vpn.unwrap().id.to_string()
            };
            let other_user = async {
                first_tunnel_is_changing(&sim).await;
                let ctx = sim.limits().call_context();
                if of_azure {
                    let id = &before
                        .azure
                        .connections
                        .get(key)
                        .as_ref()
                        .unwrap()
                        .resource
                        .id;
                    while clients
                        .azure
                        .delete_connection(id, spec.azure.gateway.id(), &ctx)
                        .await
                        .is_err()
                    {
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                } else {
                    let vpn = before.aws.vpn_connections.get(key.instance).as_ref();
                    let id = &vpn.unwrap().id;
                    while clients.ec2.delete_vpn_connection(&ctx, id).await.is_err() {
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                }
                tokio::time::Instant::now()
            };
            let run = async {
                let ended = sim.converge_from(&spec, &search).await;
                (ended, tokio::time::Instant::now())
            };
            let ((ended, end), deleted) = tokio::join!(run, other_user);
            let error = only_error(&ended).to_string();
            assert!(
                error.to_lowercase().contains(&id.to_lowercase())
                    && error.contains("deleted outside of Terraform"),
                "{error}"
            );
            let waited = end.saturating_duration_since(deleted);
            assert!(waited < Duration::from_secs(5 * 60), "{waited:?}");
            assert_eq!(changes(&sim).len(), 1, "the other tunnels are as they were");
            succeeded("the next apply", &sim.converge_from(&spec, &search).await).unwrap();
        });
    }
}
