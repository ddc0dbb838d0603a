//! Properties that only a newer version of the API knows stay on objects that are edited.

use super::manual_edits::fixture::Fixture;
use bgp_vpn::tunnel::TunnelKey;
use serde_json::{Value, json};
use test_support::simulated::clock::simulated;

const NEWER: &str = "2026-03-01";
const ROUTING: &str = "/properties/routingConfiguration";

/// A connection as another tool reads and writes it.
async fn read(fixture: &Fixture, id: &str, version: &str) -> Value {
    let (status, document) = fixture
        .sim
        .say_to_azure_in(version, "GET", id, Value::Null)
        .await;
    assert_eq!(status, 200, "{document}");
    document
}

#[test]
fn keep_properties_of_a_newer_version() {
    simulated(|| async {
        let mut fixture = Fixture::new(43).await;
        let connection = fixture.before.azure.connections.get(TunnelKey::ALL[0]);
        let id = connection.as_ref().unwrap().resource.id.to_string();
        let routing = json!({"propagatedRouteTables": {"labels": ["hub"]}});
        let mut document = read(&fixture, &id, NEWER).await;
        document["properties"]["routingConfiguration"] = routing.clone();
        let (status, answer) = fixture
            .sim
            .say_to_azure_in(NEWER, "PUT", &id, document)
            .await;
        assert_eq!(status, 200, "{answer}");
        fixture.wait_for_sessions().await;
        let older = read(&fixture, &id, "2025-01-01").await;
        assert_eq!(older.pointer(ROUTING), None);

        fixture.spec.azure.dpd_timeout_seconds = 60;
        fixture.repair(3).await;
        let after = read(&fixture, &id, NEWER).await;
        assert_eq!(after["properties"]["dpdTimeoutSeconds"], json!(60));
        assert_eq!(after.pointer(ROUTING), Some(&routing));
    });
}
