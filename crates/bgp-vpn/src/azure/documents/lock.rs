//! Management locks.

use super::{DocumentError, missing, text};
use crate::azure::model::Lock;
use serde_json::Value;

/// What stands between the scope and the name in a lock's id.
const PROVIDER: &str = "/providers/microsoft.authorization/locks/";

/// # Errors
/// Where the id is missing or is none of a lock.
pub fn parse(doc: &Value) -> Result<Lock, DocumentError> {
    let wrong = || missing("/id", "the id of a lock");
    let id = text(doc, "/id").ok_or_else(wrong)?;
    let end = id.to_ascii_lowercase().rfind(PROVIDER).ok_or_else(wrong)?;
    let scope = id.get(..end).ok_or_else(wrong)?;
    let read_only =
        text(doc, "/properties/level").is_some_and(|level| level.eq_ignore_ascii_case("ReadOnly"));
    Ok(Lock {
        id: id.to_owned(),
        scope: scope.to_owned(),
        read_only,
    })
}
