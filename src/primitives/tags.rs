//! Tags as both clouds have them: text to text.

use std::collections::BTreeMap;

/// Keys and values of an object's tags. Foreign tags are carried along, never dropped.
pub type Tags = BTreeMap<String, String>;
