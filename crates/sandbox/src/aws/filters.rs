//! `Filter.N.Name` and `Filter.N.Value.M`: all filters must match, any value of one suffices, `*`
//! and `?` are wild.

use super::errors::ApiError;
use super::query::Params;
use super::tags::Tags;

/// One filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    pub name: String,
    pub values: Vec<String>,
}

impl Filter {
    pub fn accepts(&self, value: &str) -> bool {
        self.values
            .iter()
            .any(|pattern| wild(pattern.as_bytes(), value.as_bytes()))
    }
}

/// The request's filters. A filter without a name or without values is refused.
pub fn parse(params: &Params) -> Result<Vec<Filter>, ApiError> {
    let mut filters = Vec::new();
    for prefix in params.structures("Filter") {
        let name = params.require(&format!("{prefix}Name"))?.to_owned();
        let values: Vec<String> = params
            .list(&format!("{prefix}Value"))
            .into_iter()
            .map(str::to_owned)
            .collect();
        if values.is_empty() {
            return Err(ApiError::new(
                "InvalidParameterValue",
                format!("The filter '{name}' has no values"),
            ));
        }
        filters.push(Filter { name, values });
    }
    Ok(filters)
}

/// Whether an object with those tags and fields passes. `field` gives the values of a filter name
/// of that object, none at all for a name that the call does not know, which is refused regardless
/// of the other filters.
pub fn accept(
    filters: &[Filter],
    tags: &Tags,
    field: impl Fn(&str) -> Option<Vec<String>>,
) -> Result<bool, ApiError> {
    let mut all = true;
    for filter in filters {
        all &= if let Some(key) = filter.name.strip_prefix("tag:") {
            tags.get(key).is_some_and(|value| filter.accepts(value))
        } else if filter.name == "tag-key" {
            tags.keys().any(|key| filter.accepts(key))
        } else if filter.name == "tag-value" {
            tags.values().any(|value| filter.accepts(value))
        } else {
            let values = field(&filter.name).ok_or_else(|| {
                ApiError::new(
                    "InvalidParameterValue",
                    format!("The filter '{}' is invalid", filter.name),
                )
            })?;
            values.iter().any(|value| filter.accepts(value))
        };
    }
    Ok(all)
}

fn wild(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), None) => wild(rest, text),
        (Some((b'*', rest)), Some((_, after))) => wild(rest, text) || wild(pattern, after),
        (Some((b'?', rest)), Some((_, after))) => wild(rest, after),
        (Some((want, rest)), Some((have, after))) => want == have && wild(rest, after),
        _ => false,
    }
}
