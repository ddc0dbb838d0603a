//! The shared keys that the sandbox's world holds, and the places where none of them may ever be:
//! state, private state, plans, logs, and the output of terraform.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Every key in a world's file.
pub fn keys_of_world(dir: &Path) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    let text = fs::read(dir.join("world.json")).unwrap_or_default();
    collect(
        &serde_json::from_slice(&text).unwrap_or_default(),
        &mut keys,
    );
    keys
}

fn collect(value: &Value, keys: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, keys)),
        Value::Object(items) => {
            for (name, item) in items {
                match item.as_str() {
                    Some(key) if name.ends_with("key") && key.len() >= 8 && !key.contains('/') => {
                        keys.insert(key.to_owned());
                    }
                    _ => collect(item, keys),
                }
            }
        }
        _ => {}
    }
}

/// A state file with what is private in it decoded.
pub fn readable(state: &str) -> String {
    let mut text = state.to_owned();
    for (at, _) in state.match_indices("\"private\": \"") {
        let encoded = state[at + 12..].split('"').next().unwrap_or_default();
        text.push_str(&String::from_utf8_lossy(
            &STANDARD.decode(encoded).unwrap_or_default(),
        ));
    }
    text
}

/// Fails the test where a key is in one of these named texts.
pub fn assert_none(keys: &BTreeSet<String>, places: &[(&str, &str)]) {
    for (place, text) in places {
        if let Some(at) = keys.iter().find_map(|key| text.find(key.as_str())) {
            let before: String = text[..at]
                .chars()
                .rev()
                .take(200)
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
                .collect();
            panic!("a shared key is in the {place}, after:\n{before}");
        }
    }
}
