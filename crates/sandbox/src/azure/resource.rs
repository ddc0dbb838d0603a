//! A stored resource: what the client sent, normalised, and what the service knows of it. The
//! document is kept raw, so that properties which this program does not know come back when a
//! client sends them.

use super::ids::Id;
use crate::time::SimTime;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::net::Ipv4Addr;

pub type Object = Map<String, Value>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    Updating,
    Succeeded,
    Failed,
    Deleting,
}

impl State {
    pub fn word(self) -> &'static str {
        match self {
            State::Updating => "Updating",
            State::Succeeded => "Succeeded",
            State::Failed => "Failed",
            State::Deleting => "Deleting",
        }
    }
}

/// A change under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pending {
    pub due: SimTime,
    /// Name of the operation's record.
    pub operation: String,
    /// The service's name for it, as errors quote it.
    pub title: String,
    /// Ends with the resource gone.
    pub vanish: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Resource {
    pub id: Id,
    pub location: String,
    pub tags: Option<Value>,
    /// Top-level members except id, name, type, etag, location, tags and properties: sku, zones and
    /// unknown ones.
    pub top: Object,
    /// Normalised, without what the service computes.
    pub properties: Value,
    pub state: State,
    pub etag: String,
    pub guid: String,
    /// Has succeeded at least once.
    pub ready: bool,
    pub pending: Option<Pending>,
    /// When it last succeeded.
    pub settled: SimTime,
    /// A connection's shared key.
    pub secret: Option<String>,
    /// A shared key that is in force from the instant on.
    pub next_secret: Option<(SimTime, String)>,
    /// A public IP's address, once it has one.
    pub address: Option<Ipv4Addr>,
}

impl Resource {
    /// Text at a JSON pointer into the properties.
    pub fn text(&self, pointer: &str) -> Option<&str> {
        self.properties.pointer(pointer).and_then(Value::as_str)
    }

    pub fn flag(&self, pointer: &str) -> bool {
        self.properties
            .pointer(pointer)
            .and_then(Value::as_bool)
            .unwrap_or(false)
    }

    pub fn items(&self, pointer: &str) -> &[Value] {
        items(&self.properties, pointer)
    }

    /// The parts that every document has; the caller adds what its kind computes.
    pub fn document(&self) -> Value {
        let mut document = Object::new();
        document.insert("name".into(), self.id.name.clone().into());
        document.insert("id".into(), self.id.to_string().into());
        document.insert("etag".into(), self.etag.clone().into());
        document.insert("type".into(), self.id.kind.type_name().into());
        if self.id.parent.is_none() {
            document.insert("location".into(), self.location.clone().into());
        }
        if let Some(tags) = &self.tags {
            document.insert("tags".into(), tags.clone());
        }
        for (name, value) in &self.top {
            document.insert(name.clone(), value.clone());
        }
        let mut properties = Object::new();
        properties.insert("provisioningState".into(), self.state.word().into());
        if self.id.parent.is_none() {
            properties.insert("resourceGuid".into(), self.guid.clone().into());
        }
        if let Value::Object(own) = &self.properties {
            properties.extend(
                own.iter()
                    .map(|(name, value)| (name.clone(), value.clone())),
            );
        }
        document.insert("properties".into(), properties.into());
        document.into()
    }
}

pub fn items<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

pub fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

/// Fills members that the client left out or sent as null.
pub fn fill(properties: &mut Object, defaults: Value) {
    if let Value::Object(defaults) = defaults {
        for (name, value) in defaults {
            if properties.get(&name).is_none_or(Value::is_null) {
                properties.insert(name, value);
            }
        }
    }
}

/// A reference as the service echoes it: the id and nothing else.
pub fn reference(id: &str) -> Value {
    json!({"id": id})
}

/// `West Central US` is `westcentralus`.
pub fn location(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace())
        .collect::<String>()
        .to_lowercase()
}
