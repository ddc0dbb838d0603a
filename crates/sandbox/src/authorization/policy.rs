//! An IAM policy document: `Effect`, `Action`, `Resource` and `Condition` with the operators that
//! policies for tagged resources use. An explicit deny wins; what no statement allows is denied.

use super::DocumentError;
use super::pattern::{matches, matches_any_case};
use serde_json::Value;
use std::collections::BTreeMap;

/// One thing that a call needs: an action on a resource, with the values of the condition keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessRequest {
    /// Such as `ec2:CreateVpc`.
    pub action: String,
    /// An ARN, or `*` for an action without resources.
    pub resource: String,
    /// Condition keys in lower case, with their values.
    pub context: BTreeMap<String, Vec<String>>,
    /// The resource does not exist, so that its condition keys have no values. How EC2 evaluates
    /// conditions then is not documented. Here they count as met, and the call fails as it does for
    /// a missing resource.
    pub is_missing: bool,
}

impl AccessRequest {
    pub fn new(action: &str, resource: String) -> Self {
        AccessRequest {
            action: action.to_owned(),
            resource,
            ..AccessRequest::default()
        }
    }

    /// Adds a value of a condition key.
    pub fn add(&mut self, key: &str, value: &str) {
        self.context
            .entry(key.to_ascii_lowercase())
            .or_default()
            .push(value.to_owned());
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy(Vec<Statement>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Statement {
    allows: bool,
    actions: Vec<String>,
    resources: Vec<String>,
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Condition {
    operator: Operator,
    quantifier: Quantifier,
    if_exists: bool,
    /// In lower case.
    key: String,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equals,
    NotEquals,
    Like,
    NotLike,
    Null,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quantifier {
    None,
    ForAllValues,
    ForAnyValue,
}

impl Policy {
    /// Reads a document.
    ///
    /// # Errors
    /// For what is no policy, and for elements that the sandbox does not evaluate.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let document: Value =
            serde_json::from_str(text).map_err(|error| DocumentError::Json(error.to_string()))?;
        let statements = match document.get("Statement") {
            Some(Value::Array(statements)) => statements.as_slice(),
            Some(one @ Value::Object(_)) => std::slice::from_ref(one),
            _ => return Err(DocumentError::Missing("Statement".to_owned())),
        };
        statements
            .iter()
            .map(Statement::read)
            .collect::<Result<_, _>>()
            .map(Policy)
    }

    /// Whether the policy allows a request.
    pub fn allows(&self, request: &AccessRequest) -> bool {
        let meets = |statement: &&Statement| statement.applies(request);
        !self
            .0
            .iter()
            .filter(|one| !one.allows)
            .any(|one| meets(&one))
            && self
                .0
                .iter()
                .filter(|one| one.allows)
                .any(|one| meets(&one))
    }
}

impl Statement {
    fn read(statement: &Value) -> Result<Self, DocumentError> {
        let fields = statement
            .as_object()
            .ok_or_else(|| DocumentError::Missing("Statement".to_owned()))?;
        let known = ["Sid", "Effect", "Action", "Resource", "Condition"];
        if let Some(other) = fields.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(DocumentError::Unsupported(other.clone()));
        }
        let allows = match statement.get("Effect").and_then(Value::as_str) {
            Some("Allow") => true,
            Some("Deny") => false,
            _ => return Err(DocumentError::Missing("Effect".to_owned())),
        };
        let mut conditions = Vec::new();
        for (operator, keys) in statement
            .get("Condition")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let keys = keys
                .as_object()
                .ok_or_else(|| DocumentError::Missing(format!("Condition {operator}")))?;
            for (key, values) in keys {
                conditions.push(Condition::read(operator, key, values)?);
            }
        }
        Ok(Statement {
            allows,
            actions: texts(statement.get("Action"), "Action")?,
            resources: texts(statement.get("Resource"), "Resource")?,
            conditions,
        })
    }

    fn applies(&self, request: &AccessRequest) -> bool {
        self.actions
            .iter()
            .any(|pattern| matches_any_case(pattern, &request.action))
            && self
                .resources
                .iter()
                .any(|pattern| matches(pattern, &request.resource))
            && (request.is_missing && self.allows
                || self.conditions.iter().all(|one| one.is_met(request)))
    }
}

impl Condition {
    fn read(operator: &str, key: &str, values: &Value) -> Result<Self, DocumentError> {
        let (quantifier, rest) = match operator.split_once(':') {
            None => (Quantifier::None, operator),
            Some(("ForAllValues", rest)) => (Quantifier::ForAllValues, rest),
            Some(("ForAnyValue", rest)) => (Quantifier::ForAnyValue, rest),
            Some(_) => return Err(DocumentError::Unsupported(operator.to_owned())),
        };
        let (if_exists, rest) = match rest.strip_suffix("IfExists") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let operator = match rest {
            "StringEquals" => Operator::Equals,
            "StringNotEquals" => Operator::NotEquals,
            "StringLike" => Operator::Like,
            "StringNotLike" => Operator::NotLike,
            "Null" => Operator::Null,
            _ => return Err(DocumentError::Unsupported(operator.to_owned())),
        };
        Ok(Condition {
            operator,
            quantifier,
            if_exists,
            key: key.to_ascii_lowercase(),
            values: texts(Some(values), key)?,
        })
    }

    fn is_met(&self, request: &AccessRequest) -> bool {
        let have = request.context.get(&self.key);
        if self.operator == Operator::Null {
            let wants_absent = self.values.iter().any(|value| value == "true");
            return have.is_none() == wants_absent;
        }
        let fits = |value: &String| match self.operator {
            Operator::Equals => self.values.contains(value),
            Operator::NotEquals => !self.values.contains(value),
            Operator::Like => self.values.iter().any(|pattern| matches(pattern, value)),
            Operator::NotLike => !self.values.iter().any(|pattern| matches(pattern, value)),
            Operator::Null => false,
        };
        match (have, self.quantifier) {
            (None, Quantifier::ForAllValues) => true,
            (None, Quantifier::ForAnyValue) => self.if_exists,
            (None, Quantifier::None) => {
                let negated = matches!(self.operator, Operator::NotEquals | Operator::NotLike);
                self.if_exists || negated
            }
            (Some(values), Quantifier::ForAllValues) => values.iter().all(fits),
            (Some(values), _) => values.iter().any(fits),
        }
    }
}

/// A text or a list of texts. Booleans count as texts, as in `Null` conditions.
fn texts(value: Option<&Value>, what: &str) -> Result<Vec<String>, DocumentError> {
    let missing = || DocumentError::Missing(what.to_owned());
    let text = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(flag) => Ok(flag.to_string()),
        _ => Err(missing()),
    };
    match value {
        Some(Value::Array(values)) => values.iter().map(text).collect(),
        Some(one) => Ok(vec![text(one)?]),
        None => Err(missing()),
    }
}
