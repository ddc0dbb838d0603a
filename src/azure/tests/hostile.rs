//! Answers that no cloud sends: from proxies and portals, or from an attacker.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use super::test_transport::{Line, ScriptedResponse, TestTransport};
use crate::azure::error::Error;
use crate::azure::id::ResourceId;
use crate::azure::model::LocalGateway;
use crate::client::CallContext;
use crate::client::response::MAX_ATTEMPTS;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

const PAGE: &str =
    "<!DOCTYPE html><html><head><title>Hotel Wi-Fi</title></head><body>Log in</body></html>";

fn id() -> ResourceId {
    ResourceId::network("s", "g", "localNetworkGateways", "one")
}

fn waits() -> CallContext {
    CallContext::with_timeout(Duration::from_secs(24 * 3600))
}

/// A read that meets the same at each try.
async fn read(
    meets: fn() -> ScriptedResponse,
) -> (Result<Option<LocalGateway>, Error>, Arc<TestTransport>) {
    let tries = usize::try_from(MAX_ATTEMPTS).unwrap();
    let (azure, script) = TestTransport::plain(
        (0..tries)
            .map(|_| -> Line { ("GET", "", meets()) })
            .collect(),
    );
    let begun = Instant::now();
    let found = azure.get_local_gateway(&id(), &waits()).await;
    assert!(
        begun.elapsed() < Duration::from_secs(60),
        "{:?}",
        begun.elapsed()
    );
    (found, script)
}

#[tokio::test(start_paused = true)]
async fn cut_off_endless_answer() {
    let (found, script) = read(|| ScriptedResponse::Endless).await;
    assert!(matches!(found, Err(Error::Malformed(_))), "{found:?}");
    let most = usize::try_from(MAX_ATTEMPTS).unwrap() * 17;
    assert!(script.pieces.load(Ordering::Relaxed) <= most);
}

#[tokio::test(start_paused = true)]
async fn cut_off_endless_token_answer() {
    let (azure, script) = TestTransport::plain(vec![]);
    *script.login.lock().unwrap() = Some(|| ScriptedResponse::Endless);
    let found = azure.get_local_gateway(&id(), &waits()).await;
    assert!(matches!(found, Err(Error::NoCredentials(_))), "{found:?}");
    assert_eq!(script.pieces.load(Ordering::Relaxed), 17);
}

#[tokio::test(start_paused = true)]
async fn report_page_with_host_and_title() {
    let (found, _) = read(|| ScriptedResponse::Raw(200, vec![], PAGE.into())).await;
    let Err(Error::Malformed(context)) = found else {
        panic!("{found:?}")
    };
    assert!(
        context.message.contains("management.azure.com") && context.message.contains("Hotel Wi-Fi"),
        "{context}"
    );
    let (found, _) = read(|| ScriptedResponse::Raw(200, vec![], "please log in".into())).await;
    assert!(
        matches!(&found, Err(Error::Malformed(context)) if context.message.contains("please log in")),
        "{found:?}"
    );
    let (azure, script) = TestTransport::plain(vec![]);
    *script.login.lock().unwrap() = Some(|| ScriptedResponse::Raw(200, vec![], PAGE.into()));
    let found = azure.get_local_gateway(&id(), &waits()).await;
    let Err(Error::NoCredentials(context)) = found else {
        panic!("{found:?}")
    };
    assert!(
        context.message.contains("login.microsoftonline.com")
            && context.message.contains("Hotel Wi-Fi"),
        "{context}"
    );
}

/// A page says nothing about a resource: neither that it is gone nor that it was deleted or
/// created.
#[tokio::test(start_paused = true)]
async fn infer_nothing_from_html_page() {
    let (found, _) = read(|| ScriptedResponse::Raw(404, vec![], PAGE.into())).await;
    assert!(matches!(found, Err(Error::Malformed(_))), "{found:?}");
    for status in [200, 404] {
        let lines = (0..100).map(|_| -> Line {
            (
                "DELETE",
                "",
                ScriptedResponse::Raw(status, vec![], PAGE.into()),
            )
        });
        let (azure, _) = TestTransport::plain(lines.collect());
        let deleted = azure.delete_local_gateway(&id(), &waits()).await;
        assert!(
            matches!(deleted, Err(Error::OutcomeUnknown(_))),
            "{status}: {deleted:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn follow_no_redirect() {
    let elsewhere = || {
        ScriptedResponse::Raw(
            302,
            vec![("location", "https://portal.example/login?x=1")],
            String::new(),
        )
    };
    let (found, script) = read(elsewhere).await;
    let Err(Error::Malformed(context)) = found else {
        panic!("{found:?}")
    };
    assert!(
        context.message.contains("https://portal.example/login"),
        "{context}"
    );
    assert!(
        script
            .seen
            .lock()
            .unwrap()
            .iter()
            .all(|(_, url, ..)| url.starts_with("https://management.azure.com/"))
    );
}

#[tokio::test(start_paused = true)]
async fn end_list_that_repeats_or_leaves_azure() {
    let page =
        |next: &str| ScriptedResponse::Answer(200, vec![], json!({"value": [], "nextLink": next}));
    let base = "https://management.azure.com/x?page=";
    let (one, two) = (format!("{base}1"), format!("{base}2"));
    let (azure, script) = TestTransport::plain(vec![
        ("GET", "localNetworkGateways", page(&one)),
        ("GET", "page=1", page(&two)),
        ("GET", "page=2", page(&one)),
    ]);
    let found = azure.list_local_gateways("g", &waits()).await;
    assert!(
        matches!(found, Err(Error::Malformed(_))) && script.left() == 0,
        "{found:?}"
    );
    for elsewhere in [
        "https://evil.example/x",
        "http://management.azure.com/x",
        "https://management.azure.com:8443/x",
        "https://management.azure.com.evil.example/x",
        "//evil.example/x",
        "file:///etc/passwd",
    ] {
        let (azure, script) = TestTransport::plain(vec![("GET", "", page(elsewhere))]);
        let found = azure.list_local_gateways("g", &waits()).await;
        assert!(
            matches!(found, Err(Error::Malformed(_))),
            "{elsewhere}: {found:?}"
        );
        assert_eq!(script.seen.lock().unwrap().len(), 1, "{elsewhere}");
    }
}

#[tokio::test(start_paused = true)]
async fn end_list_of_too_many_pages() {
    let lines = (0..=1_000).map(|n| -> Line {
        (
            "GET",
            "",
            ScriptedResponse::Answer(
                200,
                vec![],
                json!({"value": [], "nextLink": format!("/x?page={n}")}),
            ),
        )
    });
    let (azure, _) = TestTransport::plain(lines.collect());
    let found = azure.list_local_gateways("g", &waits()).await;
    assert!(matches!(found, Err(Error::Malformed(_))), "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn reject_error_document_with_status_200() {
    let (found, _) = read(|| {
        ScriptedResponse::Answer(
            200,
            vec![],
            json!({"error": {"code": "Odd", "message": "m"}}),
        )
    })
    .await;
    assert!(
        matches!(&found, Err(Error::Malformed(context)) if context.message.contains("Odd")),
        "{found:?}"
    );
}

/// Missing, null and of another type: an error or an empty value, and no panic.
#[tokio::test(start_paused = true)]
async fn survive_documents_of_any_shape() {
    let odd = [
        json!(null),
        json!([]),
        json!("x"),
        json!(1),
        json!({}),
        json!({"id": 1}),
        json!({"id": null, "properties": []}),
    ];
    for body in odd {
        let lines = || {
            (0..MAX_ATTEMPTS)
                .map(|_| -> Line { ("", "", ScriptedResponse::Answer(200, vec![], body.clone())) })
                .collect::<Vec<_>>()
        };
        let any = |lines: Vec<Line>, method| {
            lines
                .into_iter()
                .map(|(_, part, meets)| (method, part, meets))
                .collect()
        };
        let (azure, _) = TestTransport::plain(any(lines(), "GET"));
        assert!(azure.get_gateway(&id(), &waits()).await.is_err(), "{body}");
        let (azure, _) = TestTransport::plain(any(lines(), "GET"));
        assert!(
            azure.list_connections("g", &waits()).await.is_err(),
            "{body}"
        );
        let (azure, _) = TestTransport::plain(any(lines(), "POST"));
        assert!(azure.bgp_peers(&id(), &waits()).await.is_err(), "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn wait_no_longer_than_five_minutes_for_retry_after() {
    let throttled = || -> Line {
        let body = json!({"error": {"code": "SubscriptionRequestsThrottled"}});
        (
            "GET",
            "",
            ScriptedResponse::Answer(429, vec![("retry-after", "86399")], body),
        )
    };
    let gone = (
        "GET",
        "",
        ScriptedResponse::Answer(404, vec![], json!({"error": {"code": "ResourceNotFound"}})),
    );
    let (azure, _) = TestTransport::plain(vec![throttled(), gone]);
    let begun = Instant::now();
    assert_eq!(azure.get_local_gateway(&id(), &waits()).await, Ok(None));
    assert!(
        begun.elapsed() <= Duration::from_secs(300),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn sanitize_error_text_on_receipt() {
    let message = "\u{1b}[2JInvalid sharedKey 'Open.Sesame_1' in Authorization: Bearer eyJhbGciOi.J9.abcdefgh\u{202e}";
    let failed = json!({"status": "Failed", "error": {"code": "Bad\u{1b}[0m", "message": message}});
    let started = vec![
        ("azure-asyncoperation", "/subscriptions/s/operations/o"),
        ("x-ms-request-id", "r\u{9b}1m"),
    ];
    let details = json!({"error": {"code": "X", "message": "m", "details": [{"code": "Y", "message": message}]}});
    for line in [
        vec![(
            "DELETE",
            "",
            ScriptedResponse::Answer(
                400,
                vec![("x-ms-request-id", "r1")],
                json!({"error": {"code": "X", "message": message}}),
            ),
        )],
        vec![("DELETE", "", ScriptedResponse::Answer(400, vec![], details))],
        vec![
            (
                "DELETE",
                "",
                ScriptedResponse::Answer(202, started, Value::Null),
            ),
            (
                "GET",
                "operations",
                ScriptedResponse::Answer(200, vec![], failed),
            ),
        ],
    ] {
        let (azure, _) = TestTransport::plain(line);
        let text = azure
            .delete_local_gateway(&id(), &waits())
            .await
            .unwrap_err()
            .to_string();
        assert!(
            !text.contains("Sesame") && !text.contains("eyJ") && !text.contains(char::is_control),
            "{text:?}"
        );
        assert!(
            !text.contains('\u{202e}') && text.contains("sharedKey"),
            "{text:?}"
        );
    }
}
