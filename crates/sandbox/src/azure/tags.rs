//! Tags of resources and groups. Names are equal regardless of letter case, and keep the spelling
//! that was stored first.

use super::errors::{self, ApiError};
use super::resource::Object;
use serde_json::Value;

/// Most tags of one resource.
const MOST: usize = 50;
const LONGEST_NAME: usize = 512;
const LONGEST_VALUE: usize = 256;

/// The tags that a write sets, in the spelling of those that were there before.
pub(super) fn sent(body: &Object, before: Option<&Value>) -> Result<Option<Value>, ApiError> {
    let tags = match body.get("tags") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(tags)) => tags,
        Some(_) => {
            return Err(errors::request_format(
                "tags: an object of strings was expected",
            ));
        }
    };
    if tags.len() > MOST {
        let message = format!(
            "The number of tags, {}, exceeds the maximum allowed, {MOST}.",
            tags.len()
        );
        return Err(ApiError::bad("InvalidTags", message));
    }
    let mut kept = Object::new();
    for (name, value) in tags {
        let Some(text) = value.as_str() else {
            return Err(errors::request_format(
                "tags: an object of strings was expected",
            ));
        };
        check(name, text)?;
        if kept.keys().any(|other| other.eq_ignore_ascii_case(name)) {
            let message =
                format!("The tag name '{name}' is given twice: tag names are case-insensitive.");
            return Err(ApiError::bad("InvalidTags", message));
        }
        let stored = before
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(name, _)| name);
        let spelled = stored
            .into_iter()
            .find(|stored| stored.eq_ignore_ascii_case(name))
            .unwrap_or(name);
        kept.insert(spelled.clone(), value.clone());
    }
    Ok(Some(kept.into()))
}

fn check(name: &str, value: &str) -> Result<(), ApiError> {
    if name.trim().is_empty() || name.chars().count() > LONGEST_NAME {
        let message =
            format!("The tag name '{name}' is empty or longer than {LONGEST_NAME} characters.");
        return Err(ApiError::bad("InvalidTagName", message));
    }
    if name.contains(|c: char| "<>%&\\?/".contains(c) || c.is_control()) {
        let message = format!(
            "The tag names '{name}' have reserved characters '<,>,%,&,\\,?,/' or control characters."
        );
        return Err(ApiError::bad("InvalidTagNameCharacters", message));
    }
    if value.chars().count() > LONGEST_VALUE {
        let message =
            format!("The value of tag '{name}' is longer than {LONGEST_VALUE} characters.");
        return Err(ApiError::bad("InvalidTagValueLength", message));
    }
    Ok(())
}
