//! What the sandbox says of itself: every object, every call.

use serde::Deserialize;
use serde_json::Value;

/// Every object of both clouds, deleted ones left out.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub struct World {
    pub aws: Vec<Object>,
    pub azure: Vec<Object>,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Object {
    pub kind: String,
    pub id: String,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub state: Option<String>,
    #[serde(default)]
    pub tags: Value,
    /// All other fields that the sandbox reports of this kind.
    #[serde(flatten)]
    pub more: serde_json::Map<String, Value>,
}

impl World {
    pub fn is_empty(&self) -> bool {
        self.aws.is_empty() && self.azure.is_empty()
    }

    /// Objects of a kind, in either cloud.
    pub fn of_kind(&self, kind: &str) -> Vec<&Object> {
        self.aws
            .iter()
            .chain(&self.azure)
            .filter(|object| object.kind == kind)
            .collect()
    }
}

/// A line of `calls.jsonl`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Call {
    pub n: u64,
    pub cloud: String,
    pub operation: String,
    #[serde(default)]
    pub target: Option<String>,
    #[serde(default)]
    pub status: Option<u16>,
    #[serde(default)]
    pub fault: Option<String>,
    /// Times in milliseconds, real and simulated, and the other fields of a line.
    #[serde(flatten)]
    pub more: serde_json::Map<String, Value>,
}

impl Call {
    /// A number of this line, such as `start_ms`.
    pub fn number(&self, name: &str) -> f64 {
        self.more
            .get(name)
            .and_then(Value::as_f64)
            .unwrap_or_default()
    }
}
