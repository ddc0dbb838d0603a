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
