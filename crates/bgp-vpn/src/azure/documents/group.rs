//! Resource groups.

use super::{DocumentError, missing, tags, text};
use crate::azure::model::ResourceGroup;
use crate::types::Tags;
use serde_json::{Value, json};

/// Something that a group holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// As ARM shows it; not always of the shape of a `ResourceId`.
    pub id: String,
    /// `Microsoft.Network/virtualNetworks`.
    pub kind: String,
    pub tags: Tags,
}

/// # Errors
/// Where name or location is missing.
pub fn parse(doc: &Value) -> Result<ResourceGroup, DocumentError> {
    let need = |path: &str| {
        text(doc, path)
            .map(str::to_owned)
            .ok_or_else(|| missing(path, "a text"))
    };
    Ok(ResourceGroup {
        name: need("/name")?,
        location: need("/location")?,
        tags: tags(doc),
    })
}

/// Body of a create.
pub fn body(location: &str, tags: &Tags) -> Value {
    json!({"location": location, "tags": tags})
}

/// # Errors
/// Where the id is missing.
pub fn member(doc: &Value) -> Result<Member, DocumentError> {
    Ok(Member {
        id: text(doc, "/id")
            .ok_or_else(|| missing("/id", "a text"))?
            .to_owned(),
        kind: text(doc, "/type").unwrap_or_default().to_owned(),
        tags: tags(doc),
    })
}
