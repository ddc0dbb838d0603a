//! Objects of others that have the name which a create is to give.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use super::test_transport::{Line, ScriptedResponse, TestTransport};
use crate::azure::Azure;
use crate::azure::documents::connection::NewConnection;
use crate::azure::documents::gateway::NewGateway;
use crate::azure::documents::local_gateway::NewLocalGateway;
use crate::azure::documents::network::NewVirtualNetwork;
use crate::azure::documents::public_ip::NewPublicIp;
use crate::azure::error::Error;
use crate::azure::id::ResourceId;
use crate::azure::model::ConnectionMode;
use crate::client::CallContext;
use bgp_vpn::types::{Asn, PreSharedKey, Tags};
use serde_json::{Value, json};
use std::time::Duration;

const PREFIX: &str = "10.0.0.0/24";

fn id(kind: &str) -> ResourceId {
    ResourceId::network("s", "g", kind, "one")
}

fn mine(tags: &Tags) -> bool {
    tags.get("owner").is_some_and(|owner| owner == "me")
}

fn subnet() -> ResourceId {
    id("virtualNetworks").child("subnets", "two")
}

/// Creates an object of the kind; whether it was refused because of one that exists.
async fn is_refused(azure: &Azure, kind: &str) -> bool {
    let (location, tags) = (
        String::from("eastus"),
        Tags::from([("owner".into(), "me".into())]),
    );
    let (ctx, at) = (
        CallContext::with_timeout(Duration::from_secs(3600)),
        id(kind),
    );
    let made = match kind {
        "localNetworkGateways" => {
            let (gateway_ip, bgp_ip) =
                ("1.2.3.4".parse().unwrap(), "169.254.21.1".parse().unwrap());
            let new = NewLocalGateway {
                location,
                gateway_ip,
                asn: Asn(64512),
                bgp_ip,
                tags,
            };
            azure
                .create_local_gateway(&at, &new, &mine, &ctx)
                .await
                .map(drop)
        }
        "connections" => {
            let new = NewConnection {
                location,
                gateway_id: id("virtualNetworkGateways"),
                local_gateway_id: id("localNetworkGateways"),
                key: PreSharedKey::generate().unwrap(),
                mode: ConnectionMode::Default,
                dpd_timeout_seconds: 45,
                custom_bgp_ips: Vec::new(),
                policy: None,
                tags,
            };
            azure
                .create_connection(&at, &new, &mine, &ctx)
                .await
                .map(drop)
        }
        "publicIPAddresses" => azure
            .create_public_ip(
                &at,
                &NewPublicIp {
                    location,
                    zones: Vec::new(),
                    tags,
                },
                &mine,
                &ctx,
            )
            .await
            .map(drop),
        "virtualNetworks" => {
            let new = NewVirtualNetwork {
                location,
                address_space: Vec::new(),
                subnets: Vec::new(),
                tags,
            };
            azure
                .create_virtual_network(&at, &new, &mine, &ctx)
                .await
                .map(drop)
        }
        "virtualNetworkGateways" => {
            let new = NewGateway {
                location,
                sku: "VpnGw2AZ".into(),
                generation: "Generation2".into(),
                asn: Asn(65000),
                subnet_id: subnet(),
                instances: Vec::new(),
                tags,
            };
            azure.create_gateway(&at, &new, &mine, &ctx).await.map(drop)
        }
        "subnets" => azure
            .create_subnet(&subnet(), PREFIX.parse().unwrap(), &ctx)
            .await
            .map(drop),
        _ => azure
            .create_group("one", &location, &tags, &ctx)
            .await
            .map(drop),
    };
    match made {
        Err(Error::AlreadyExists(context)) => context.target.contains("one"),
        Err(error) => panic!("{kind}: {error}"),
        Ok(()) => false,
    }
}

fn foreign(kind: &str) -> Value {
    json!({"id": id(kind), "name": "one", "location": "eastus", "etag": "e", "tags": {"owner": "other team"},
        "properties": {"provisioningState": "Succeeded", "addressPrefix": PREFIX}})
}

/// The cloud need not know `If-None-Match`.
#[tokio::test(start_paused = true)]
async fn write_nothing_over_foreign_object_of_any_kind() {
    for kind in [
        "localNetworkGateways",
        "connections",
        "publicIPAddresses",
        "virtualNetworks",
        "virtualNetworkGateways",
        "subnets",
        "resourceGroups",
    ] {
        for state in ["Succeeded", "Failed", "Updating"] {
            let mut there = foreign(kind);
            there["properties"]["provisioningState"] = json!(state);
            let (azure, script) = TestTransport::plain(vec![(
                "GET",
                "",
                ScriptedResponse::Answer(200, vec![], there),
            )]);
            assert!(is_refused(&azure, kind).await, "{kind} in state {state}");
            assert_eq!(
                script.seen.lock().unwrap().len(),
                1,
                "{kind} in state {state} was written"
            );
        }
    }
}

/// A subnet has no tags: only one that appears after our own unanswered write is this link's.
#[tokio::test(start_paused = true)]
async fn take_equal_subnet_only_after_own_write() {
    let absent = || -> Line {
        (
            "GET",
            "",
            ScriptedResponse::Answer(404, vec![], json!({"error": {"code": "NotFound"}})),
        )
    };
    let there = || -> Line {
        (
            "GET",
            "",
            ScriptedResponse::Answer(
                200,
                vec![],
                json!({"id": subnet(), "name": "two", "properties": {"provisioningState": "Succeeded", "addressPrefix": PREFIX}}),
            ),
        )
    };
    let exists = || -> Line {
        (
            "PUT",
            "",
            ScriptedResponse::Answer(
                412,
                vec![],
                json!({"error": {"code": "PreconditionFailed"}}),
            ),
        )
    };
    let ctx = CallContext::with_timeout(Duration::from_secs(3600));
    let (azure, _) = TestTransport::plain(vec![
        absent(),
        ("PUT", "", ScriptedResponse::Loss),
        there(),
        there(),
    ]);
    assert!(
        azure
            .create_subnet(&subnet(), PREFIX.parse().unwrap(), &ctx)
            .await
            .is_ok()
    );
    let (azure, script) = TestTransport::plain(vec![absent(), exists(), there()]);
    let made = azure
        .create_subnet(&subnet(), PREFIX.parse().unwrap(), &ctx)
        .await;
    assert!(matches!(made, Err(Error::AlreadyExists(_))), "{made:?}");
    assert_eq!(script.left(), 0);
}
