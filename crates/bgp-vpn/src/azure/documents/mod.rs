//! ARM's JSON documents: read into the model, built for requests, and edited in place. Pure.
//!
//! Reading is tolerant: what is not known is carried along in `Resource::raw`, what is optional may
//! be absent, and only what nothing can do without is an error. Edits work on the raw document, so
//! that unknown properties survive.

pub mod bgp;
pub mod connection;
pub mod gateway;
pub mod group;
pub mod local_gateway;
pub mod location;
pub mod lock;
pub mod network;
pub mod public_ip;
pub mod subscription;

use super::id::ResourceId;
use super::model::{ProvisioningState, Resource};
use crate::types::Tags;
use crate::types::tags::OWN_PREFIX;
use ipnet::Ipv4Net;
use serde_json::{Value, json};
use std::net::Ipv4Addr;

/// A document lacks what nothing can do without.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path} is missing or not {expected}")]
pub struct DocumentError {
    /// JSON pointer.
    pub path: String,
    pub expected: &'static str,
}

fn missing(path: &str, expected: &'static str) -> DocumentError {
    DocumentError {
        path: path.to_owned(),
        expected,
    }
}

fn text<'a>(doc: &'a Value, path: &str) -> Option<&'a str> {
    doc.pointer(path).and_then(Value::as_str)
}

fn texts(doc: &Value, path: &str) -> Vec<String> {
    items(doc, path)
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn flag(doc: &Value, path: &str) -> bool {
    doc.pointer(path).and_then(Value::as_bool).unwrap_or(false)
}

fn number(doc: &Value, path: &str) -> Option<u32> {
    doc.pointer(path)
        .and_then(Value::as_u64)
        .and_then(|n| u32::try_from(n).ok())
}

fn items<'a>(doc: &'a Value, path: &str) -> impl Iterator<Item = &'a Value> {
    doc.pointer(path)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn reference(doc: &Value, path: &str) -> Option<ResourceId> {
    text(doc, path).and_then(|id| ResourceId::parse(id).ok())
}

/// IPv4 addresses of a list; others (IPv6) are left out.
fn addresses(doc: &Value, path: &str) -> Vec<Ipv4Addr> {
    items(doc, path)
        .filter_map(|v| v.as_str()?.parse().ok())
        .collect()
}

/// IPv4 prefixes of a list; others (IPv6) are left out.
fn prefixes(doc: &Value, path: &str) -> Vec<Ipv4Net> {
    items(doc, path)
        .filter_map(|v| v.as_str()?.parse().ok())
        .collect()
}

/// The `id` at the top.
fn id(doc: &Value) -> Result<ResourceId, DocumentError> {
    reference(doc, "/id").ok_or_else(|| missing("/id", "a resource id"))
}

/// Tags of a document. Azure compares tag names without regard to case and policies change their
/// spelling, so this provider's own get the one by which it looks for them.
pub fn tags(doc: &Value) -> Tags {
    let spell = |name: &String| {
        let own = name
            .get(..OWN_PREFIX.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(OWN_PREFIX));
        if own {
            name.to_lowercase()
        } else {
            name.clone()
        }
    };
    let pairs = doc
        .get("tags")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    pairs
        .filter_map(|(name, value)| Some((spell(name), value.as_str()?.to_owned())))
        .collect()
}

/// `properties.provisioningState`; absent (older types) is Succeeded, an unknown word is Updating.
pub fn provisioning_state(doc: &Value) -> ProvisioningState {
    match text(doc, "/properties/provisioningState") {
        None | Some("Succeeded") => ProvisioningState::Succeeded,
        Some("Creating") => ProvisioningState::Creating,
        Some("Deleting") => ProvisioningState::Deleting,
        Some("Failed") => ProvisioningState::Failed,
        Some("Canceled") => ProvisioningState::Canceled,
        Some(_) => ProvisioningState::Updating,
    }
}

/// The part that every resource has. A shared key in the document is taken out: the raw form may be
/// shown and kept.
fn resource(mut raw: Value) -> Result<Resource, DocumentError> {
    let id = id(&raw)?;
    if let Some(properties) = raw.get_mut("properties").and_then(Value::as_object_mut) {
        properties.remove("sharedKey");
    }
    Ok(Resource {
        id,
        location: text(&raw, "/location").unwrap_or_default().to_owned(),
        tags: tags(&raw),
        etag: text(&raw, "/etag").map(str::to_owned),
        state: provisioning_state(&raw),
        raw,
    })
}

/// Read-only properties that Azure fills and that a write leaves out, wherever they stand.
const READ_ONLY: [&str; 10] = [
    "etag",
    "provisioningState",
    "resourceGuid",
    "defaultBgpIpAddresses",
    "tunnelIpAddresses",
    "connectionStatus",
    "tunnelConnectionStatus",
    "ingressBytesTransferred",
    "egressBytesTransferred",
    "virtualNetworkGatewayMigrationStatus",
];

/// The document as a PUT body: without read-only properties, all others as they are.
pub fn writable(doc: &Value) -> Value {
    match doc {
        Value::Object(map) => map
            .iter()
            .filter(|(key, _)| !READ_ONLY.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), writable(value)))
            .collect(),
        Value::Array(list) => list.iter().map(writable).collect(),
        other => other.clone(),
    }
}

/// Sets a tag in the spelling that it has there, leaving the others alone.
pub fn set_tag(doc: &mut Value, key: &str, value: &str) {
    if let Some(tags) = object_at(doc, &["tags"]) {
        let spelled = tags
            .keys()
            .find(|name| name.eq_ignore_ascii_case(key))
            .cloned();
        tags.insert(spelled.unwrap_or_else(|| key.to_owned()), json!(value));
    }
}

/// Removes a tag, leaving the others alone.
pub fn remove_tag(doc: &mut Value, key: &str) {
    if let Some(tags) = doc.get_mut("tags").and_then(Value::as_object_mut) {
        tags.retain(|name, _| !name.eq_ignore_ascii_case(key));
    }
}

/// The object below these keys, made where absent; None where something else stands in the way.
fn object_at<'a>(
    doc: &'a mut Value,
    keys: &[&str],
) -> Option<&'a mut serde_json::Map<String, Value>> {
    let mut at = doc;
    for key in keys {
        let slot = at.as_object_mut()?.entry(*key).or_insert_with(|| json!({}));
        if slot.is_null() {
            *slot = json!({});
        }
        at = slot;
    }
    at.as_object_mut()
}

/// Sets one property below `keys`, leaving its siblings alone.
fn put(doc: &mut Value, keys: &[&str], key: &str, value: Value) {
    if let Some(object) = object_at(doc, keys) {
        object.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn writable_keeps_unknown_and_drops_read_only() {
        let doc = json!({"id": "x", "etag": "e", "properties": {
            "provisioningState": "Succeeded", "novelty": {"a": [1, {"etag": "e", "b": 2}]}}});
        assert_eq!(
            writable(&doc),
            json!({"id": "x", "properties": {"novelty": {"a": [1, {"b": 2}]}}})
        );
    }

    #[test]
    fn remove_shared_key_from_raw_document() {
        let doc = json!({"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/connections/c",
            "properties": {"sharedKey": "abc123", "enableBgp": true}});
        assert!(!format!("{:?}", resource(doc).unwrap()).contains("abc123"));
    }

    #[test]
    fn compare_tag_names_ignoring_case() {
        let mut doc = json!({"tags": {"AwsAzure:Link": "l", "TEAM": "net", "Other": "x"}});
        assert_eq!(
            tags(&doc).get("awsazure:link").map(String::as_str),
            Some("l")
        );
        set_tag(&mut doc, "Team", "ops");
        remove_tag(&mut doc, "other");
        assert_eq!(doc, json!({"tags": {"AwsAzure:Link": "l", "TEAM": "ops"}}));
    }

    #[test]
    fn unknown_provisioning_state_means_wait() {
        let doc = json!({"properties": {"provisioningState": "Pondering"}});
        assert_eq!(provisioning_state(&doc), ProvisioningState::Updating);
    }
}
