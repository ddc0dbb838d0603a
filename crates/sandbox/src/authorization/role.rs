//! An Azure role definition, assigned at all of its assignable scopes: `actions` without
//! `notActions`.

use super::DocumentError;
use super::pattern::matches_any_case;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    actions: Vec<String>,
    not_actions: Vec<String>,
    scopes: Vec<String>,
}

impl Role {
    /// Reads a definition as `az role definition create` takes it, or as Resource Manager returns
    /// it. Names of fields are compared in any letter case.
    ///
    /// # Errors
    /// For what is no role definition, and for data actions.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let document: Value =
            serde_json::from_str(text).map_err(|error| DocumentError::Json(error.to_string()))?;
        let body = field(&document, "properties").unwrap_or(&document);
        let mut parts = vec![body];
        if let Some(Value::Array(permissions)) = field(body, "permissions") {
            parts = permissions.iter().collect();
        }
        let list = |name: &str| -> Vec<String> {
            parts
                .iter()
                .flat_map(|part| texts(field(part, name)))
                .collect()
        };
        if !list("dataActions").is_empty() {
            return Err(DocumentError::Unsupported("dataActions".to_owned()));
        }
        let actions = list("actions");
        if actions.is_empty() {
            return Err(DocumentError::Missing("actions".to_owned()));
        }
        Ok(Role {
            actions,
            not_actions: list("notActions"),
            scopes: texts(field(body, "assignableScopes")),
        })
    }

    /// Whether the role permits an action at a scope.
    pub fn allows(&self, action: &str, scope: &str) -> bool {
        let has = |list: &[String]| list.iter().any(|pattern| matches_any_case(pattern, action));
        has(&self.actions) && !has(&self.not_actions) && self.covers(scope)
    }

    pub fn actions(&self) -> &[String] {
        &self.actions
    }

    pub fn not_actions(&self) -> &[String] {
        &self.not_actions
    }

    /// Whether it is assigned at a scope, or above.
    pub fn covers(&self, scope: &str) -> bool {
        let scope = scope.to_lowercase();
        self.scopes.is_empty()
            || self.scopes.iter().any(|top| {
                let rest = scope.strip_prefix(top.trim_end_matches('/').to_lowercase().as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
    }
}

fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value
        .as_object()?
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn texts(value: Option<&Value>) -> Vec<String> {
    value
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|text| text.as_str().map(str::to_owned))
        .collect()
}
