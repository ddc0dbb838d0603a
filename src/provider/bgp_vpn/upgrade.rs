//! Upgrades states of former schema versions.

use super::link_status::LinkStatus;
use super::schema::value_type;
use crate::plugin::{UpgradeRequest, Upgraded, json};
use serde_json::Value as Json;

/// How version 0, which had no `status`, marked a link whose create did not finish. Never change this text.
const INCOMPLETE_IN_VERSION_0: &str = "the link is unfinished: the run that builds it never ended";

/// How version 0 marked a link whose last update did not finish. Never change this text.
const INTERRUPTED_IN_VERSION_0: &str = "the last run did not end well: not all that it was to do is done";

/// Returns the state in the current schema version.
pub fn upgrade(request: &UpgradeRequest) -> Upgraded {
    match request.version {
        0 => upgrade_from_version_0(&request.state),
        _ => Upgraded::Unhandled,
    }
}

/// Sets `status`, which version 1 added, from the entries of `drift`.
fn upgrade_from_version_0(state: &Json) -> Upgraded {
    let decoded = serde_json::to_vec(state).ok().and_then(|text| json::decode(value_type(), &text).ok());
    let Some(mut upgraded) = decoded else { return Upgraded::Unhandled };
    upgraded.set("status", status_in_version_0(state).as_str());
    Upgraded::State(upgraded)
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
    use super::*;
    use serde_json::json;

    fn upgraded(version: i64, state: Json) -> Upgraded {
        upgrade(&UpgradeRequest { version, state })
    }

    #[test]
    fn status_follows_drift_of_version_0() {
        let differs = "the DPD timeout of the Azure connection for instance1_tunnel1 is 45 s, not 60 s";
        for (drift, status) in [
            (json!(null), "complete"),
            (json!([]), "complete"),
            (json!([differs]), "complete"),
            (json!([INCOMPLETE_IN_VERSION_0, differs]), "incomplete"),
            (json!([INTERRUPTED_IN_VERSION_0]), "interrupted"),
        ] {
            let Upgraded::State(state) = upgraded(0, json!({"name": "prod", "drift": drift})) else { panic!() };
            assert_eq!(state.get("status").as_str(), Some(status), "{drift}");
            assert_eq!(state.get("name").as_str(), Some("prod"));
        }
    }

    #[test]
    fn other_versions_and_shapes_are_left_to_the_server() {
        assert!(matches!(upgraded(2, json!({"name": "prod"})), Upgraded::Unhandled));
        assert!(matches!(upgraded(0, json!({"name": ["prod"]})), Upgraded::Unhandled));
    }
}
