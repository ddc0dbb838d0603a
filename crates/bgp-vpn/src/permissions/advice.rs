//! What to add to a policy or role where a cloud rejected a call. The action and the resource are
//! read from the message of the cloud, which names what it checked.

use super::aws::{Condition, is_on_own_objects};
use super::documents::condition_keys;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fmt;

/// A permission that the credentials lack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingPermission {
    pub action: String,
    /// An ARN, or the scope in Azure.
    pub scope: String,
    /// What to add.
    pub addition: String,
}

impl fmt::Display for MissingPermission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let MissingPermission {
            action,
            scope,
            addition,
        } = self;
        write!(f, "Missing permission: {action} on {scope}. {addition}")
    }
}

/// The text between two others.
fn between<'a>(text: &'a str, start: &str, ends: &[&str]) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    let end = ends.iter().filter_map(|end| rest.find(end)).min();
    let found = end.map_or(rest, |end| rest.get(..end).unwrap_or(rest));
    Some(found.trim_end_matches('.')).filter(|found| !found.is_empty())
}

/// What a rejected call to EC2 or STS lacks. A message without details is that of a call which is
/// checked on all resources.
pub fn aws(service: &str, operation: &str, message: &str) -> MissingPermission {
    let action = between(message, "is not authorized to perform: ", &[" "])
        .map_or_else(|| format!("{service}:{operation}"), str::to_owned);
    let scope = between(message, "on resource: ", &[" because", " with", " "]).unwrap_or("*");
    let condition = condition_of(&action, scope);
    let mut statement = Map::new();
    statement.insert("Effect".to_owned(), "Allow".into());
    statement.insert("Action".to_owned(), action.clone().into());
    statement.insert("Resource".to_owned(), scope.into());
    if let Some(keys) = condition_keys(condition, &BTreeSet::new()) {
        statement.insert("Condition".to_owned(), keys);
    }
    MissingPermission {
        addition: format!(
            "Add this statement to the IAM policy: {}",
            Value::from(statement)
        ),
        scope: scope.to_owned(),
        action,
    }
}

/// New objects get the ownership tag in the request that creates them; others have it, unless the
/// configuration names them.
fn condition_of(action: &str, scope: &str) -> Condition {
    if scope.ends_with("/*") {
        return Condition::RequestsTag;
    }
    if scope != "*" && is_on_own_objects(action) {
        Condition::HasTag
    } else {
        Condition::None
    }
}

/// What a rejected call to Resource Manager lacks; None where the message names no action, as for a
/// policy that forbids the call.
pub fn azure(message: &str) -> Option<MissingPermission> {
    // Of a linked scope, the last action is the one that is missing.
    let (_, rest) = message.rsplit_once("perform action '")?;
    let (action, rest) = rest.split_once('\'')?;
    let (_, rest) = rest.split_once("scope")?;
    let (_, rest) = rest.split_once('\'')?;
    let (scope, _) = rest.split_once('\'')?;
    action.contains('/').then(|| MissingPermission {
        action: action.to_owned(),
        scope: scope.to_owned(),
        addition: format!(
            "Add \"{action}\" to the actions of a role that is assigned at this scope or above it."
        ),
    })
}
