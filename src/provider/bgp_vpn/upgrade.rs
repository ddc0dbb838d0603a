//! Upgrades states of former schema versions.

use super::attributes::{DefaultValue, table};
use super::link_status::LinkStatus;
use super::schema::{VERSION, value_type};
use serde_json::Value as Json;
use terraform_plugin::{UpgradeRequest, Upgraded, Value, json};

/// How version 0, which had no `status`, marked a link whose create did not finish. Never change
/// this text.
const INCOMPLETE_IN_VERSION_0: &str = "the link is unfinished: the run that builds it never ended";

/// How version 0 marked a link whose last update did not finish. Never change this text.
const INTERRUPTED_IN_VERSION_0: &str =
    "the last run did not end well: not all that it was to do is done";

/// Returns the state in the current schema version.
pub fn upgrade(request: &UpgradeRequest) -> Upgraded {
    if !(0..VERSION).contains(&request.version) {
        return Upgraded::Unhandled;
    }
    let decoded = serde_json::to_vec(&request.state)
        .ok()
        .and_then(|text| json::decode(value_type(), &text).ok());
    let Some(mut upgraded) = decoded else {
        return Upgraded::Unhandled;
    };
    set_new_attributes(&request.state, &mut upgraded);
    if request.version == 0 {
        upgraded.set("status", status_in_version_0(&request.state).as_str());
    }
    Upgraded::State(upgraded)
}

/// Sets an attribute that the provider which stored the state did not have yet to its default: the
/// next plan would show it as a change otherwise.
fn set_new_attributes(stored: &Json, upgraded: &mut Value) {
    for row in table() {
        let (DefaultValue::Static(default) | DefaultValue::StaticOnTransitGateway(default)) =
            &row.default
        else {
            continue;
        };
        let (object, name) = match row.path.rsplit_once('.') {
            Some((object, name)) => (
                stored.pointer(&format!("/{}", object.replace('.', "/"))),
                name,
            ),
            None => (Some(stored), row.path.as_str()),
        };
        // An attribute that is there and null was not known to a run that failed.
        if object
            .and_then(Json::as_object)
            .is_some_and(|object| !object.contains_key(name))
        {
            upgraded.set_at(&row.path.as_str().into(), default.clone());
        }
    }
}

fn status_in_version_0(state: &Json) -> LinkStatus {
    let has_entry = |text: &str| {
        let entries = state.get("drift").and_then(Json::as_array);
        entries.is_some_and(|entries| entries.iter().any(|entry| entry.as_str() == Some(text)))
    };
    if has_entry(INCOMPLETE_IN_VERSION_0) {
        LinkStatus::Incomplete
    } else if has_entry(INTERRUPTED_IN_VERSION_0) {
        LinkStatus::Interrupted
    } else {
        LinkStatus::Complete
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;
    use serde_json::json;

    fn upgraded(version: i64, state: Json) -> Upgraded {
        upgrade(&UpgradeRequest { version, state })
    }

    #[test]
    fn status_follows_drift_of_version_0() {
        let differs =
            "the DPD timeout of the Azure connection for instance1_tunnel1 is 45 s, not 60 s";
        for (drift, status) in [
            (json!(null), "complete"),
            (json!([]), "complete"),
            (json!([differs]), "complete"),
            (json!([INCOMPLETE_IN_VERSION_0, differs]), "incomplete"),
            (json!([INTERRUPTED_IN_VERSION_0]), "interrupted"),
        ] {
            let Upgraded::State(state) = upgraded(0, json!({"name": "prod", "drift": drift}))
            else {
                panic!()
            };
            assert_eq!(state.get("status").as_str(), Some(status), "{drift}");
            assert_eq!(state.get("name").as_str(), Some("prod"));
        }
    }

    #[test]
    fn attributes_that_version_0_lacked_get_their_default() {
        let stored =
            json!({"name": "prod", "wait_for_bgp": null, "aws": {"startup_action": "add"}});
        let Upgraded::State(state) = upgraded(0, stored) else {
            panic!()
        };
        let at = |path: &str| state.at(&path.into()).clone();
        assert_eq!(
            (at("aws.startup_action"), at("aws.dpd_timeout_seconds")),
            ("add".into(), 30_u32.into())
        );
        assert_eq!(
            (at("wait_for_bgp"), at("azure")),
            (Value::Null, Value::Null)
        );
    }

    #[test]
    fn tunnels_of_former_versions_become_an_object() {
        for version in 0..VERSION {
            let stored =
                json!({"status": "complete", "tunnels": {"instance1_tunnel2": {"aws_tunnel": 2}}});
            let Upgraded::State(state) = upgraded(version, stored) else {
                panic!()
            };
            let Value::Object(tunnels) = state.get("tunnels") else {
                panic!("{state:?}")
            };
            assert_eq!(tunnels.len(), 4, "{version}");
            assert!(tunnels["instance0_tunnel1"].is_null());
            assert_eq!(
                tunnels["instance1_tunnel2"].get("aws_tunnel").as_u64(),
                Some(2)
            );
        }
    }

    #[test]
    fn status_of_version_1_stays() {
        let stored = json!({"status": "interrupted", "drift": [INCOMPLETE_IN_VERSION_0]});
        let Upgraded::State(state) = upgraded(1, stored) else {
            panic!()
        };
        assert_eq!(state.get("status").as_str(), Some("interrupted"));
    }

    #[test]
    fn other_versions_and_shapes_are_left_to_the_server() {
        assert!(matches!(
            upgraded(VERSION, json!({"name": "prod"})),
            Upgraded::Unhandled
        ));
        assert!(matches!(
            upgraded(0, json!({"name": ["prod"]})),
            Upgraded::Unhandled
        ));
    }
}
