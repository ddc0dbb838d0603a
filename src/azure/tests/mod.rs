#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod deleted_outside;
mod hostile;
mod names;
mod test_transport;

use super::credentials::CredentialSettings;
use super::documents::gateway::AddressEdit;
use super::documents::local_gateway::NewLocalGateway;
use super::error::Error;
use super::id::ResourceId;
use crate::client::CallContext;
use bgp_vpn::types::{Asn, PreSharedKey, Tags};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use test_transport::{Line, ScriptedResponse, TestTransport};
use tokio::time::Instant;

const STATUS: &str = "https://management.azure.com/subscriptions/s/providers/Microsoft.Network/locations/l/operations/o?api-version=1";
const RESULT: &str =
    "/subscriptions/s/providers/Microsoft.Network/locations/l/operationResults/o?api-version=1";

fn id(kind: &str) -> ResourceId {
    ResourceId::network("s", "g", kind, "one")
}

fn gateway(etag: &str, ips: &[&str]) -> Value {
    let id = id("virtualNetworkGateways");
    let configuration = id.child("ipConfigurations", "a");
    json!({"id": id, "etag": etag, "properties": {"provisioningState": "Succeeded", "gatewayType": "Vpn",
        "ipConfigurations": [{"id": configuration, "name": "a"}], "novelty": true,
        "bgpSettings": {"asn": 65000, "bgpPeeringAddresses": [
            {"ipconfigurationId": configuration, "customBgpIpAddresses": ips}]}}})
}

fn local(state: &str, owner: &str) -> Value {
    json!({"id": id("localNetworkGateways"), "etag": "e", "tags": {"owner": owner},
        "properties": {"provisioningState": state, "gatewayIpAddress": "1.2.3.4"}})
}

fn new_local() -> NewLocalGateway {
    NewLocalGateway {
        location: "eastus".into(),
        gateway_ip: "1.2.3.4".parse().unwrap(),
        asn: Asn(64512),
        bgp_ip: "169.254.21.1".parse().unwrap(),
        tags: Tags::from([("owner".into(), "me".into())]),
    }
}

fn mine(tags: &Tags) -> bool {
    tags.get("owner").is_some_and(|owner| owner == "me")
}

fn ok(method: &'static str, part: &'static str, body: Value) -> Line {
    (method, part, ScriptedResponse::Answer(200, vec![], body))
}

fn fault(method: &'static str, part: &'static str, status: u16, code: &str) -> Line {
    (
        method,
        part,
        ScriptedResponse::Answer(
            status,
            vec![],
            json!({"error": {"code": code, "message": "m"}}),
        ),
    )
}

fn waits() -> CallContext {
    CallContext::with_timeout(Duration::from_secs(3600))
}

/// A create of a local network gateway whose name is free at first.
async fn create(
    lines: Vec<Line>,
) -> (
    Result<crate::azure::model::LocalGateway, Error>,
    Arc<TestTransport>,
) {
    let free = fault("GET", "localNetworkGateways/one", 404, "ResourceNotFound");
    let (azure, script) = TestTransport::plain(std::iter::once(free).chain(lines).collect());
    let made = azure
        .create_local_gateway(&id("localNetworkGateways"), &new_local(), &mine, &waits())
        .await;
    (made, script)
}

/// Polling continues after a 404, an unknown status and a dropped connection.
#[tokio::test(start_paused = true)]
async fn poll_create_through_transient_failures() {
    let begun = Instant::now();
    let started = vec![("azure-asyncoperation", STATUS), ("retry-after", "10")];
    let (made, script) = create(vec![
        (
            "PUT",
            "localNetworkGateways/one",
            ScriptedResponse::Answer(201, started, local("Updating", "me")),
        ),
        fault("GET", "operations/o", 404, "NotFound"),
        ok("GET", "operations/o", json!({"status": "Pondering"})),
        ("GET", "operations/o", ScriptedResponse::Loss),
        ok("GET", "operations/o", json!({"status": "Succeeded"})),
        ok("GET", "localNetworkGateways/one", local("Succeeded", "me")),
    ])
    .await;
    assert_eq!(made.unwrap().gateway_ip, Some("1.2.3.4".parse().unwrap()));
    assert_eq!(script.left(), 0);
    assert!(
        begun.elapsed() >= Duration::from_secs(10),
        "Retry-After was not obeyed"
    );
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[tokio::test(start_paused = true)]
async fn poll_resource_after_operation_record_expired() {
    let started = vec![("azure-asyncoperation", STATUS), ("retry-after", "60")];
    let (made, script) = create(vec![
        (
            "PUT",
            "localNetworkGateways/one",
            ScriptedResponse::Answer(201, started, local("Updating", "me")),
        ),
        fault("GET", "operations/o", 404, "NotFound"),
        ok("GET", "localNetworkGateways/one", local("Updating", "me")),
        ok("GET", "localNetworkGateways/one", local("Succeeded", "me")),
        ok("GET", "localNetworkGateways/one", local("Succeeded", "me")),
    ])
    .await;
    assert!(made.is_ok() && script.left() == 0);
}

#[tokio::test(start_paused = true)]
async fn failed_operation_reports_azure_reason() {
    let started = vec![("azure-asyncoperation", STATUS)];
    let failed = json!({"status": "Failed", "error": {"code": "VmssVpnGatewayPublicIpsMustHaveZonesConfigured"}});
    let (made, _) = create(vec![
        (
            "PUT",
            "",
            ScriptedResponse::Answer(201, started, local("Updating", "me")),
        ),
        ok("GET", "operations/o", failed),
    ])
    .await;
    let Err(Error::OperationFailed(context)) = made else {
        panic!("{made:?}")
    };
    assert_eq!(
        context.code,
        "VmssVpnGatewayPublicIpsMustHaveZonesConfigured"
    );
}

#[tokio::test(start_paused = true)]
async fn adopt_only_owned_object_after_lost_response() {
    let (made, script) = create(vec![
        ("PUT", "", ScriptedResponse::Loss),
        fault("GET", "", 404, "ResourceNotFound"),
        ok("GET", "", local("Updating", "me")),
        ok("GET", "", local("Succeeded", "me")),
    ])
    .await;
    assert!(made.is_ok() && script.left() == 0);
    let (made, _) = create(vec![
        ("PUT", "", ScriptedResponse::Hang),
        ok("GET", "", local("Succeeded", "you")),
    ])
    .await;
    assert!(matches!(made, Err(Error::AlreadyExists(_))));
}

/// A write that never left is sent again without a lookup.
#[tokio::test(start_paused = true)]
async fn resend_write_after_refused_connection() {
    let refused = || -> Line { ("PUT", "", ScriptedResponse::Refused) };
    let (made, script) = create(vec![
        refused(),
        refused(),
        ok("PUT", "", local("Succeeded", "me")),
        ok("GET", "", local("Succeeded", "me")),
    ])
    .await;
    assert!(made.is_ok() && script.left() == 0, "{made:?}");
}

/// A read of a service that cannot be reached ends after a minute, one of a service that fails
/// after five.
#[tokio::test(start_paused = true)]
async fn repeat_read_for_limited_time() {
    let refused: fn() -> ScriptedResponse = || ScriptedResponse::Refused;
    let fails: fn() -> ScriptedResponse = || ScriptedResponse::Answer(503, vec![], json!({}));
    for (meets, limit) in [(refused, 60), (fails, 300)] {
        let lines = (0..100).map(|_| -> Line { ("GET", "", meets()) });
        let (azure, _) = TestTransport::plain(lines.collect());
        let begun = Instant::now();
        let found = azure
            .get_local_gateway(&id("localNetworkGateways"), &waits())
            .await;
        assert!(
            matches!(
                found,
                Err(Error::Unreachable(_) | Error::ServiceUnavailable(_))
            ),
            "{found:?}"
        );
        let seconds = begun.elapsed().as_secs();
        assert!((limit..limit + 25).contains(&seconds), "{seconds}");
    }
}

/// A write on the wire gets a few seconds after a cancellation, so that its effect is known. A read
/// is dropped.
#[tokio::test(start_paused = true)]
async fn cancellation_waits_for_write_but_not_for_read() {
    let free = || fault("GET", "", 404, "ResourceNotFound");
    for (lines, waited) in [
        (vec![("GET", "", ScriptedResponse::Hang)], 5),
        (vec![free(), ("PUT", "", ScriptedResponse::Hang)], 9),
    ] {
        let (azure, _) = TestTransport::plain(lines);
        let (waits, begun) = (waits(), Instant::now());
        let cancel = waits.cancel.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(5)).await;
            cancel.cancel();
        });
        let made = azure
            .create_local_gateway(&id("localNetworkGateways"), &new_local(), &mine, &waits)
            .await;
        assert!(matches!(made, Err(Error::Cancelled(_))), "{made:?}");
        assert_eq!(begun.elapsed().as_secs(), waited);
    }
}

#[tokio::test(start_paused = true)]
async fn conditional_create_keeps_foreign_object() {
    let (made, script) = create(vec![
        fault("PUT", "", 412, "PreconditionFailed"),
        ok("GET", "", local("Succeeded", "you")),
    ])
    .await;
    assert!(matches!(made, Err(Error::AlreadyExists(_))));
    assert_eq!(script.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn wait_for_other_operation_as_azure_requests() {
    let begun = Instant::now();
    let busy = json!({"error": {"code": "RetryableErrorDueToAnotherOperation"}});
    let (made, _) = create(vec![
        (
            "PUT",
            "",
            ScriptedResponse::Answer(429, vec![("retry-after", "7")], busy),
        ),
        fault("PUT", "", 409, "AnotherOperationInProgress"),
        ok("PUT", "", local("Succeeded", "me")),
        ok("GET", "", local("Succeeded", "me")),
    ])
    .await;
    assert!(made.is_ok());
    assert!(begun.elapsed() >= Duration::from_secs(7));
}

#[tokio::test(start_paused = true)]
async fn merge_gateway_change_with_concurrent_one() {
    let (foreign, own) = ("169.254.21.10", "169.254.21.2");
    let (azure, script) = TestTransport::plain(vec![
        ok("GET", "", gateway("W/1", &[])),
        fault("PUT", "", 412, "PreconditionFailed"),
        ok("GET", "", gateway("W/2", &[foreign])),
        ok("PUT", "", gateway("W/3", &[foreign, own])),
        ok("GET", "", gateway("W/3", &[foreign, own])),
    ]);
    let id = id("virtualNetworkGateways");
    let configuration = id.child("ipConfigurations", "a");
    let addresses = AddressEdit {
        add: vec![(configuration, own.parse().unwrap())],
        remove: Vec::new(),
    };
    let changed = azure
        .change_gateway_addresses(&id, &|_| {}, addresses, &waits())
        .await
        .unwrap();
    assert_eq!(changed.instances[0].custom_bgp_ips.len(), 2);
    let seen = script.seen.lock().unwrap();
    assert_eq!((seen[1].3.as_str(), seen[3].3.as_str()), ("W/1", "W/2"));
    assert_eq!(seen[3].4["properties"]["novelty"], true);
    assert!(seen[3].4.get("etag").is_none());
}

#[tokio::test(start_paused = true)]
async fn skip_write_if_already_applied() {
    let (azure, script) = TestTransport::plain(vec![ok("GET", "", gateway("W/1", &[]))]);
    azure
        .change_gateway(&id("virtualNetworkGateways"), &|_| {}, &waits())
        .await
        .unwrap();
    assert_eq!(script.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn delete_waits_for_release_and_accepts_absent() {
    let started = vec![("azure-asyncoperation", STATUS), ("location", RESULT)];
    let (azure, script) = TestTransport::plain(vec![
        fault("DELETE", "", 400, "PublicIPAddressCannotBeDeleted"),
        (
            "DELETE",
            "",
            ScriptedResponse::Answer(202, started, Value::Null),
        ),
        ok("GET", "operations/o", json!({"status": "Succeeded"})),
        fault("DELETE", "", 404, "ResourceGroupNotFound"),
        fault("DELETE", "", 400, "VirtualNetworkGatewayCannotBeDeleted"),
    ]);
    azure
        .delete_public_ip(&id("publicIPAddresses"), &waits())
        .await
        .unwrap();
    azure
        .delete_public_ip(&id("publicIPAddresses"), &waits())
        .await
        .unwrap();
    let refused = azure
        .delete_gateway(&id("virtualNetworkGateways"), &waits())
        .await;
    assert!(matches!(refused, Err(Error::DependencyViolation(_))) && script.left() == 0);
}

#[tokio::test(start_paused = true)]
async fn read_gateway_query_at_relative_location() {
    let (azure, _) = TestTransport::plain(vec![
        (
            "POST",
            "getBgpPeerStatus",
            ScriptedResponse::Answer(
                202,
                vec![("location", RESULT), ("retry-after", "10")],
                Value::Null,
            ),
        ),
        (
            "GET",
            "operationResults/o",
            ScriptedResponse::Answer(202, vec![("location", RESULT)], Value::Null),
        ),
        ok(
            "GET",
            "operationResults/o",
            json!({"value": [{"state": "Connected", "asn": 64512}]}),
        ),
    ]);
    let peers = azure
        .bgp_peers(&id("virtualNetworkGateways"), &waits())
        .await
        .unwrap();
    assert_eq!(peers[0].state, "Connected");
}

#[tokio::test(start_paused = true)]
async fn send_token_to_arm_host_only() {
    let elsewhere = vec![("azure-asyncoperation", "https://evil.example/operations/o")];
    let (made, script) = create(vec![(
        "PUT",
        "",
        ScriptedResponse::Answer(201, elsewhere, local("Updating", "me")),
    )])
    .await;
    assert!(matches!(made, Err(Error::Malformed(_))), "{made:?}");
    assert_eq!(script.seen.lock().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn set_key_after_connection_is_provisioned() {
    let connection =
        |state: &str| json!({"id": id("connections"), "properties": {"provisioningState": state}});
    let (azure, script) = TestTransport::plain(vec![
        (
            "PUT",
            "/sharedkey",
            ScriptedResponse::Answer(
                200,
                vec![("azure-asyncoperation", STATUS)],
                json!({"value": "x"}),
            ),
        ),
        ok("GET", "operations/o", json!({"status": "Succeeded"})),
        ok("GET", "connections/one", connection("Updating")),
        ok("GET", "connections/one", connection("Succeeded")),
    ]);
    let key = PreSharedKey::generate().unwrap();
    azure
        .set_shared_key(
            &id("connections"),
            &id("virtualNetworkGateways"),
            &key,
            &waits(),
        )
        .await
        .unwrap();
    assert_eq!(script.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn refresh_rejected_token_once_with_new_assertion() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "jwt-one\n").unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    let settings = CredentialSettings::from_env(&|name| match name {
        "ARM_CLIENT_ID" | "ARM_TENANT_ID" | "ARM_SUBSCRIPTION_ID" => Some("s".into()),
        "ARM_USE_OIDC" => Some("true".into()),
        "ARM_OIDC_TOKEN_FILE_PATH" => Some(path.clone()),
        _ => None,
    });
    let (azure, script) = TestTransport::start(
        settings,
        vec![
            ok("GET", "", local("Succeeded", "me")),
            fault("GET", "", 401, "ExpiredAuthenticationToken"),
            ok("GET", "", local("Succeeded", "me")),
            fault("GET", "", 401, "InvalidAuthenticationToken"),
            fault("GET", "", 401, "InvalidAuthenticationToken"),
        ],
    );
    let id = id("localNetworkGateways");
    azure.get_local_gateway(&id, &waits()).await.unwrap();
    std::fs::write(file.path(), "jwt-two\n").unwrap();
    azure.get_local_gateway(&id, &waits()).await.unwrap();
    assert!(matches!(
        azure.get_local_gateway(&id, &waits()).await,
        Err(Error::Unauthenticated(_))
    ));
    let tokens = script.tokens.lock().unwrap();
    assert!(
        tokens[0].contains("client_assertion=jwt-one")
            && tokens[1].contains("client_assertion=jwt-two")
    );
    assert_eq!(tokens.len(), 3);
    assert_eq!(script.seen.lock().unwrap()[2].2, "Bearer token2");
}

#[tokio::test(start_paused = true)]
async fn read_endpoints_from_metadata_host_on_first_use() {
    let metadata = json!({"resourceManager": "https://127.0.0.1:9/", "authentication": {
        "loginEndpoint": "https://127.0.0.1:9", "audiences": ["https://management.azure.com/"]}});
    let settings = CredentialSettings::from_env(&|name| match name {
        "ARM_USE_OIDC" | "ARM_USE_MSI" | "ARM_USE_CLI" | "ARM_ENVIRONMENT" => None,
        "ARM_METADATA_HOSTNAME" => Some("127.0.0.1:9".into()),
        "ARM_CLIENT_ID" | "ARM_TENANT_ID" | "ARM_SUBSCRIPTION_ID" | "ARM_CLIENT_SECRET" => {
            Some("s".into())
        }
        _ => None,
    });
    let (azure, script) = TestTransport::start(
        settings,
        vec![
            ok(
                "GET",
                "https://127.0.0.1:9/metadata/endpoints?api-version=2022-09-01",
                metadata,
            ),
            fault(
                "GET",
                "https://127.0.0.1:9/subscriptions/s/resourceGroups/g/",
                404,
                "ResourceNotFound",
            ),
        ],
    );
    assert_eq!(
        azure
            .get_local_gateway(&id("localNetworkGateways"), &waits())
            .await,
        Ok(None)
    );
    assert_eq!(
        script.seen.lock().unwrap()[0].2,
        "",
        "a token was sent to the metadata host"
    );
}

#[tokio::test(start_paused = true)]
async fn retry_hanging_read_and_cancel_wait_at_once() {
    let (azure, _) = TestTransport::plain(vec![
        ("GET", "", ScriptedResponse::Hang),
        ok("GET", "", local("Succeeded", "me")),
    ]);
    assert!(
        azure
            .get_local_gateway(&id("localNetworkGateways"), &waits())
            .await
            .unwrap()
            .is_some()
    );
    let started = vec![("azure-asyncoperation", STATUS), ("retry-after", "100")];
    let (azure, _) = TestTransport::plain(vec![
        fault("GET", "", 404, "ResourceNotFound"),
        (
            "PUT",
            "",
            ScriptedResponse::Answer(201, started, local("Updating", "me")),
        ),
    ]);
    let (waits, begun) = (waits(), Instant::now());
    let cancel = waits.cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(5)).await;
        cancel.cancel();
    });
    let made = azure
        .create_local_gateway(&id("localNetworkGateways"), &new_local(), &mine, &waits)
        .await;
    assert!(matches!(made, Err(Error::Cancelled(_))));
    assert_eq!(begun.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn limit_wait_for_resource_group_lock() {
    let other = || {
        TestTransport::plain(vec![ok(
            "GET",
            "resourcegroups/one",
            json!({"name": "one", "location": "l"}),
        )])
        .0
    };
    let (azure, _) =
        TestTransport::plain(vec![("GET", "resourcegroups/one", ScriptedResponse::Hang)]);
    let mut twin = other();
    twin.gateway_locks = azure.gateway_locks.clone();
    let (tags, short) = (
        Tags::new(),
        CallContext::with_timeout(Duration::from_secs(5)),
    );
    let long = waits();
    let hangs = azure.create_group("one", "l", &tags, &long);
    tokio::pin!(hangs);
    assert!(futures::poll!(&mut hangs).is_pending());
    // Another process, with locks of its own, does not queue.
    let free = other();
    let made = tokio::time::timeout(
        Duration::from_secs(60),
        free.create_group("one", "l", &tags, &short),
    );
    assert!(made.await.is_ok_and(|made| made.is_ok()));
    // The same process queues, until its caller cancels.
    let queued = waits();
    let twin = twin.create_group("ONE", "l", &tags, &queued);
    tokio::pin!(twin);
    assert!(futures::poll!(&mut twin).is_pending());
    queued.cancel.cancel();
    let begun = Instant::now();
    let ended = tokio::time::timeout(Duration::from_secs(60), twin);
    assert!(matches!(ended.await, Ok(Err(Error::Cancelled(_)))));
    assert_eq!(begun.elapsed(), Duration::ZERO);
}
