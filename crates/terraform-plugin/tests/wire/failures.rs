//! Panics, stops, misfits and hostile bytes: state survives, secrets stay in.

use std::time::Duration;

use terraform_plugin::Value;
use terraform_plugin::protocol::tfplugin6 as wire;

use crate::client::{Running, place, read_thing, summaries, thing};

fn create(mode: &str) -> wire::apply_resource_change::Request {
    let config = Value::object([("name", "a"), ("mode", mode)]);
    wire::apply_resource_change::Request {
        type_name: "fake_thing".to_owned(),
        prior_state: thing(&Value::Null),
        planned_state: thing(&config),
        config: thing(&config),
        planned_private: b"plan".to_vec(),
        ..Default::default()
    }
}

/// The panic message is not shown.
#[tokio::test]
async fn panic_in_apply_returns_last_partial_state() {
    let running = Running::start();
    let mut client = running.provider().await;
    let applied = client
        .apply_resource_change(create("panic"))
        .await
        .unwrap()
        .into_inner();
    let state = read_thing(applied.new_state);
    assert_eq!(state.get("id").as_str(), Some("partial"));
    assert!(state.get("size").is_null(), "Terraform stores no unknowns");
    assert_eq!(applied.private, b"partial");
    assert!(applied.new_identity.is_some());
    assert!(
        !format!("{:?}", applied.diagnostics).contains("hunter2"),
        "{:?}",
        applied.diagnostics
    );
    assert_eq!(applied.diagnostics.len(), 1);
}

#[tokio::test]
async fn panic_before_save_keeps_prior_state() {
    let running = Running::start();
    let mut client = running.provider().await;
    let prior = Value::object([("name", "a"), ("id", "1")]);
    let request = wire::apply_resource_change::Request {
        prior_state: thing(&prior),
        ..create("panic at once")
    };
    let applied = client
        .apply_resource_change(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(read_thing(applied.new_state).get("id").as_str(), Some("1"));
    assert_eq!(applied.private, b"plan");
    assert_eq!(applied.diagnostics.len(), 1);
    let applied = client
        .apply_resource_change(create("panic at once"))
        .await
        .unwrap()
        .into_inner();
    assert!(read_thing(applied.new_state).is_null());
}

#[tokio::test]
async fn panic_outside_apply_is_an_error() {
    let running = Running::start();
    let mut client = running.provider().await;
    for _ in 0..2 {
        let request = wire::validate_resource_config::Request {
            type_name: "fake_thing".to_owned(),
            config: thing(&Value::object([
                ("name", "a"),
                ("mode", "panic in validate"),
            ])),
            client_capabilities: None,
        };
        let checked = client
            .validate_resource_config(request)
            .await
            .unwrap()
            .into_inner();
        assert_eq!(
            summaries(&checked.diagnostics),
            ["Unable to continue after a provider crash"]
        );
    }
}

#[tokio::test]
async fn invalid_new_state_falls_back_to_partial_state() {
    let running = Running::start();
    let mut client = running.provider().await;
    let applied = client
        .apply_resource_change(create("misfit"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        read_thing(applied.new_state).get("id").as_str(),
        Some("partial")
    );
    assert_eq!(place(&applied.diagnostics[0]), "surplus");
}

#[tokio::test]
async fn stop_cancels_running_apply_only() {
    let running = Running::start();
    let client = running.provider().await;
    let (mut first, mut second) = (client.clone(), client);
    let apply = tokio::spawn(async move {
        first
            .apply_resource_change(create("wait"))
            .await
            .unwrap()
            .into_inner()
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!apply.is_finished());
    let stopped = second
        .stop_provider(wire::stop_provider::Request {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(stopped.error, "");
    let applied = tokio::time::timeout(Duration::from_secs(5), apply)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(summaries(&applied.diagnostics), ["stopped"]);
    assert_eq!(
        read_thing(applied.new_state).get("id").as_str(),
        Some("partial")
    );
    let later = tokio::time::timeout(
        Duration::from_millis(300),
        second.apply_resource_change(create("wait")),
    )
    .await;
    assert!(
        later.is_err(),
        "a later operation was stopped by an earlier stop"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn run_hundred_concurrent_operations() {
    let running = Running::start();
    let client = running.provider().await;
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let mut client = client.clone();
        all.spawn(async move {
            client
                .apply_resource_change(create("wait for 99 others"))
                .await
                .unwrap()
        });
    }
    let done = tokio::time::timeout(Duration::from_secs(20), all.join_all())
        .await
        .unwrap();
    assert_eq!(done.len(), 100);
}

#[tokio::test]
async fn undecodable_values_return_errors_and_keep_state() {
    let running = Running::start();
    let mut client = running.provider().await;
    let mut request = create("plain");
    let hostile = Some(wire::DynamicValue {
        msgpack: vec![0xdf, 0xff, 0xff, 0xff, 0xff],
        json: Vec::new(),
    });
    request.config = hostile.clone();
    request.prior_state = thing(&Value::object([("name", "kept")]));
    let applied = client
        .apply_resource_change(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        read_thing(applied.new_state).get("name").as_str(),
        Some("kept")
    );
    assert_eq!(
        (applied.private.as_slice(), applied.diagnostics.len()),
        (b"plan".as_slice(), 1)
    );
    let json = Some(wire::DynamicValue {
        msgpack: Vec::new(),
        json: br#"{"name": 7}"#.to_vec(),
    });
    let request = wire::read_resource::Request {
        type_name: "fake_thing".to_owned(),
        current_state: json,
        ..Default::default()
    };
    let read = client.read_resource(request).await.unwrap().into_inner();
    assert_eq!(place(&read.diagnostics[0]), "name");
}

#[tokio::test]
async fn large_message_passes_both_ways() {
    let running = Running::start();
    let mut client = running.provider().await;
    let big = "x".repeat(20 << 20);
    let request = wire::read_resource::Request {
        type_name: "fake_thing".to_owned(),
        current_state: thing(&Value::object([("name", big.as_str())])),
        ..Default::default()
    };
    let read = client.read_resource(request).await.unwrap().into_inner();
    assert_eq!(
        read_thing(read.new_state)
            .get("name")
            .as_str()
            .map(str::len),
        Some(big.len())
    );
}
