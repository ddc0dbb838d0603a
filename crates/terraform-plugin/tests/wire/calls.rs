//! Every call, answered as Terraform expects.

use terraform_plugin::protocol::tfplugin6 as wire;
use terraform_plugin::{Type, Value};

use crate::client::{Running, dynamic, place, read_thing, summaries, thing};
use crate::fake_provider::{identity_type, thing_type};

const THING: &str = "fake_thing";

fn named(mode: &str) -> Value {
    Value::object([("name", "a"), ("mode", mode), ("secret", "s3cret")])
}

fn with_key() -> Value {
    let mut value = named("plain");
    let parts = Value::map([(
        "x",
        Value::object([("slot", Value::from(1_u8)), ("key", Value::from("k3y"))]),
    )]);
    value.set("parts", parts);
    value
}

fn identity(id: &str) -> Option<wire::ResourceIdentityData> {
    let identity_data = dynamic(&identity_type(), &Value::object([("id", id)]));
    Some(wire::ResourceIdentityData { identity_data })
}

#[tokio::test]
async fn schemas_are_complete_and_use_one_kind_of_type() {
    let running = Running::start();
    let mut client = running.provider().await;
    let metadata = client
        .get_metadata(wire::get_metadata::Request {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(metadata.resources[0].type_name, THING);
    assert_eq!(metadata.data_sources[0].type_name, "fake_look");
    assert_eq!(metadata.functions[0].name, "join");
    let schema = client
        .get_provider_schema(wire::get_provider_schema::Request {})
        .await
        .unwrap()
        .into_inner();
    let capabilities = schema.server_capabilities.unwrap();
    assert!(capabilities.plan_destroy && capabilities.get_provider_schema_optional);
    let block = schema.resource_schemas[THING].block.as_ref().unwrap();
    assert!(
        block
            .attributes
            .iter()
            .all(|attribute| attribute.r#type.is_empty() == attribute.nested_type.is_some())
    );
    let parts = block
        .attributes
        .iter()
        .find(|attribute| attribute.name == "parts")
        .unwrap();
    assert!(
        parts
            .nested_type
            .as_ref()
            .unwrap()
            .attributes
            .iter()
            .any(|a| a.name == "key" && a.write_only)
    );
    assert_eq!(schema.functions["join"].parameters[0].r#type, b"\"string\"");
    let functions = client
        .get_functions(wire::get_functions::Request {})
        .await
        .unwrap()
        .into_inner();
    assert!(functions.functions["join"].variadic_parameter.is_some());
    let request = wire::get_resource_identity_schemas::Request {};
    let identities = client
        .get_resource_identity_schemas(request)
        .await
        .unwrap()
        .into_inner();
    assert!(identities.identity_schemas[THING].identity_attributes[0].required_for_import);
}

#[tokio::test]
async fn validate_and_configure_provider_block() {
    let running = Running::start();
    let mut client = running.provider().await;
    let ty = Type::object([("region", Type::String)]);
    let config = dynamic(&ty, &Value::object([("region", "nowhere")]));
    let request = wire::validate_provider_config::Request {
        config: config.clone(),
    };
    let checked = client
        .validate_provider_config(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(place(&checked.diagnostics[0]), "region");
    let request = wire::configure_provider::Request {
        terraform_version: "1.11.4".to_owned(),
        config,
        client_capabilities: None,
    };
    let configured = client
        .configure_provider(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(summaries(&configured.diagnostics), ["configured by 1.11.4"]);
}

/// Write-only values are rejected for clients that would store them in the state.
#[tokio::test]
async fn reject_write_only_values_for_old_clients() {
    let running = Running::start();
    let mut client = running.provider().await;
    let mut validate = async |allowed| {
        let request = wire::validate_resource_config::Request {
            type_name: THING.to_owned(),
            config: thing(&with_key()),
            client_capabilities: Some(wire::ClientCapabilities {
                write_only_attributes_allowed: allowed,
                ..Default::default()
            }),
        };
        let answer = client
            .validate_resource_config(request)
            .await
            .unwrap()
            .into_inner();
        answer.diagnostics.iter().map(place).collect::<Vec<_>>()
    };
    assert_eq!(validate(true).await, Vec::<String>::new());
    assert_eq!(validate(false).await, ["parts.x.key", "secret"]);
}

/// From plan to apply, no response contains a write-only value.
#[tokio::test]
async fn responses_omit_write_only_values() {
    let running = Running::start();
    let mut client = running.provider().await;
    let config = thing(&with_key());
    let request = wire::plan_resource_change::Request {
        type_name: THING.to_owned(),
        prior_state: thing(&Value::Null),
        proposed_new_state: config.clone(),
        config: config.clone(),
        ..Default::default()
    };
    let planned = client
        .plan_resource_change(request)
        .await
        .unwrap()
        .into_inner();
    let state = read_thing(planned.planned_state.clone());
    assert!(state.get("secret").is_null() && state.get("parts").get("x").get("key").is_null());
    assert_eq!(state.get("parts").get("x").get("slot").as_u64(), Some(1));
    assert!(!state.get("id").is_known());

    let request = wire::apply_resource_change::Request {
        type_name: THING.to_owned(),
        prior_state: thing(&Value::Null),
        planned_state: planned.planned_state,
        config: config.clone(),
        planned_private: planned.planned_private,
        ..Default::default()
    };
    let applied = client
        .apply_resource_change(request)
        .await
        .unwrap()
        .into_inner();
    let state = read_thing(applied.new_state.clone());
    assert!(applied.diagnostics.is_empty() && state.get("secret").is_null());
    assert_eq!(
        (state.get("id").as_str(), applied.private.as_slice()),
        (Some("42"), b"plan".as_slice())
    );
    assert_eq!(applied.new_identity, identity("42"));

    let mut renamed = state.clone();
    renamed.set("name", "b");
    let request = wire::plan_resource_change::Request {
        type_name: THING.to_owned(),
        prior_state: applied.new_state.clone(),
        proposed_new_state: thing(&renamed),
        config,
        prior_identity: identity("42"),
        ..Default::default()
    };
    let planned = client
        .plan_resource_change(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(planned.requires_replace.len(), 1);
    assert_eq!(planned.planned_identity, identity("42"));

    let request = wire::read_resource::Request {
        type_name: THING.to_owned(),
        current_state: applied.new_state.clone(),
        private: b"p".to_vec(),
        ..Default::default()
    };
    let read = client.read_resource(request).await.unwrap().into_inner();
    assert!(read_thing(read.new_state).get("secret").is_null());
    assert_eq!(read.private, b"p+read");

    let request = wire::plan_resource_change::Request {
        type_name: THING.to_owned(),
        prior_state: applied.new_state,
        proposed_new_state: thing(&Value::Null),
        config: thing(&Value::Null),
        ..Default::default()
    };
    let planned = client
        .plan_resource_change(request)
        .await
        .unwrap()
        .into_inner();
    assert!(read_thing(planned.planned_state).is_null());
    assert_eq!(planned.planned_private, b"destroy");
}

#[tokio::test]
async fn absent_object_reads_as_null() {
    let running = Running::start();
    let mut client = running.provider().await;
    let request = wire::read_resource::Request {
        type_name: THING.to_owned(),
        current_state: thing(&named("gone")),
        ..Default::default()
    };
    let read = client.read_resource(request).await.unwrap().into_inner();
    assert!(read_thing(read.new_state).is_null());
}

#[tokio::test]
async fn defer_plan_only_for_capable_clients() {
    let running = Running::start();
    let mut client = running.provider().await;
    let mut plan = async |deferral_allowed| {
        let request = wire::plan_resource_change::Request {
            type_name: THING.to_owned(),
            proposed_new_state: thing(&named("defer")),
            config: thing(&named("defer")),
            client_capabilities: Some(wire::ClientCapabilities {
                deferral_allowed,
                ..Default::default()
            }),
            ..Default::default()
        };
        client
            .plan_resource_change(request)
            .await
            .unwrap()
            .into_inner()
    };
    let allowed = plan(true).await;
    assert_eq!(
        allowed.deferred.unwrap().reason(),
        wire::deferred::Reason::AbsentPrereq
    );
    let forbidden = plan(false).await;
    assert!(forbidden.deferred.is_none() && forbidden.diagnostics.len() == 1);
}

#[tokio::test]
async fn import_by_id_and_by_identity() {
    let running = Running::start();
    let mut client = running.provider().await;
    let mut import = async |id: &str, identity| {
        let request = wire::import_resource_state::Request {
            type_name: THING.to_owned(),
            id: id.to_owned(),
            client_capabilities: None,
            identity,
        };
        client
            .import_resource_state(request)
            .await
            .unwrap()
            .into_inner()
    };
    for answer in [import("7", None).await, import("", identity("7")).await] {
        let imported = answer.imported_resources.into_iter().next().unwrap();
        let state = read_thing(imported.state);
        assert_eq!(state.get("id").as_str(), Some("7"));
        assert!(state.get("secret").is_null());
        assert_eq!(imported.identity, identity("7"));
    }
    let nothing = import("nothing", None).await;
    assert!(nothing.imported_resources.is_empty() && nothing.diagnostics.len() == 1);
}

#[tokio::test]
async fn generated_configuration_has_no_computed_values() {
    let running = Running::start();
    let state = Value::object([("id", "7"), ("name", "seven"), ("secret", "hidden")]);
    let request = wire::generate_resource_config::Request {
        type_name: THING.to_owned(),
        state: dynamic(&thing_type(), &state),
    };
    let answer = running
        .provider()
        .await
        .generate_resource_config(request)
        .await
        .unwrap()
        .into_inner();
    assert!(answer.diagnostics.is_empty());
    let config = read_thing(answer.config);
    assert_eq!(config.get("name").as_str(), Some("seven"));
    assert!(config.get("id").is_null() && config.get("secret").is_null());
}

#[tokio::test]
async fn upgrade_state_without_silent_loss() {
    let running = Running::start();
    let mut client = running.provider().await;
    let mut upgrade = async |version, json: &str| {
        let request = wire::upgrade_resource_state::Request {
            type_name: THING.to_owned(),
            version,
            raw_state: Some(wire::RawState {
                json: json.as_bytes().to_vec(),
                ..Default::default()
            }),
        };
        client
            .upgrade_resource_state(request)
            .await
            .unwrap()
            .into_inner()
    };
    let current = upgrade(3, r#"{"name": "a", "size": 0.1, "id": "1"}"#).await;
    let state = read_thing(current.upgraded_state);
    assert_eq!(state.get("size").as_number().unwrap().to_string(), "0.1");
    let old = read_thing(upgrade(1, r#"{"title": "t"}"#).await.upgraded_state);
    assert_eq!(old.get("name").as_str(), Some("t"));
    assert!(old.get("secret").is_null());
    for version in [2, 3] {
        let surplus = upgrade(version, r#"{"name": "a", "parts": {"x": {"colour": 1}}}"#).await;
        assert!(surplus.upgraded_state.is_none());
        assert_eq!(place(&surplus.diagnostics[0]), "parts.x.colour");
    }
    let request = wire::upgrade_resource_identity::Request {
        type_name: THING.to_owned(),
        version: 1,
        raw_identity: Some(wire::RawState {
            json: br#"{"id": "9"}"#.to_vec(),
            ..Default::default()
        }),
    };
    let upgraded = client
        .upgrade_resource_identity(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(upgraded.upgraded_identity, identity("9"));
    let request = wire::move_resource_state::Request {
        source_type_name: "other_thing".to_owned(),
        target_type_name: THING.to_owned(),
        ..Default::default()
    };
    let moved = client
        .move_resource_state(request)
        .await
        .unwrap()
        .into_inner();
    assert!(
        moved.diagnostics[0].detail.contains("import"),
        "{:?}",
        moved.diagnostics
    );
}

#[tokio::test]
async fn call_data_sources_and_functions() {
    let running = Running::start();
    let mut client = running.provider().await;
    let ty = Type::object([("at", Type::String), ("seen", Type::list(Type::String))]);
    let request = wire::validate_data_resource_config::Request {
        type_name: "fake_look".to_owned(),
        config: dynamic(&ty, &Value::object([("at", "")])),
    };
    let checked = client
        .validate_data_resource_config(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(place(&checked.diagnostics[0]), "at");
    let request = wire::read_data_source::Request {
        type_name: "fake_look".to_owned(),
        config: dynamic(&ty, &Value::object([("at", "sky")])),
        ..Default::default()
    };
    let read = client.read_data_source(request).await.unwrap().into_inner();
    let expected = Value::object([
        ("at", Value::from("sky")),
        ("seen", Value::list(["a", "b"])),
    ]);
    assert_eq!(read.state, dynamic(&ty, &expected));

    let mut call = async |name: &str, arguments: &[&str]| {
        let arguments = arguments
            .iter()
            .map(|a| dynamic(&Type::String, &Value::from(*a)).unwrap())
            .collect();
        let request = wire::call_function::Request {
            name: name.to_owned(),
            arguments,
        };
        client.call_function(request).await.unwrap().into_inner()
    };
    assert_eq!(
        call("join", &["-", "a", "b"]).await.result,
        dynamic(&Type::String, &Value::from("a-b"))
    );
    assert_eq!(
        call("join", &["-", "a", ""])
            .await
            .error
            .unwrap()
            .function_argument,
        Some(2)
    );
    assert!(call("join", &[]).await.error.is_some());
    assert!(
        call("split", &["-"])
            .await
            .error
            .unwrap()
            .text
            .contains("split")
    );
}

#[tokio::test]
async fn unsupported_calls_return_unimplemented() {
    let running = Running::start();
    let mut client = running.provider().await;
    let request = wire::read_resource::Request {
        type_name: "fake_ghost".to_owned(),
        ..Default::default()
    };
    let read = client.read_resource(request).await.unwrap().into_inner();
    assert!(
        read.diagnostics[0].detail.contains(THING),
        "{:?}",
        read.diagnostics
    );
    let status = client
        .plan_action(wire::plan_action::Request::default())
        .await
        .unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unimplemented);
}
