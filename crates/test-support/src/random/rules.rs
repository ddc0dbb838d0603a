//! Terraform's rules, as `internal/plans/objchange` has them: each answers with complaints, none if
//! all is well.

use std::collections::BTreeMap;
use terraform_plugin::{Attribute, AttributeKind, AttributePath, NestedObject, Nesting, Value};

type Attributes = BTreeMap<String, Attribute>;

/// `ProposedNew`: the configuration, with what was there before where nothing is configured and the
/// provider may choose.
pub fn proposed(attributes: &Attributes, prior: &Value, config: &Value) -> Value {
    let value = |(name, attribute): (&String, &Attribute)| {
        (
            name.clone(),
            proposed_attribute(attribute, prior.get(name), config.get(name)),
        )
    };
    Value::Object(attributes.iter().map(value).collect())
}

fn proposed_attribute(attribute: &Attribute, prior: &Value, config: &Value) -> Value {
    if attribute.computed && config.is_null() {
        // What was set before and only a configuration can set is not configured any more.
        return if was_configured(attribute, prior) {
            Value::Null
        } else {
            prior.clone()
        };
    }
    match &attribute.kind {
        AttributeKind::Nested(nested) if nested.nesting == Nesting::Single && config.is_set() => {
            proposed(&nested.attributes, prior, config)
        }
        _ => config.clone(),
    }
}

fn was_configured(attribute: &Attribute, prior: &Value) -> bool {
    let AttributeKind::Nested(nested) = &attribute.kind else {
        return false;
    };
    attribute.optional
        && nested.nesting == Nesting::Single
        && prior.is_set()
        && only_configured(nested, prior)
}

fn only_configured(nested: &NestedObject, value: &Value) -> bool {
    nested.attributes.iter().any(|(name, attribute)| {
        let value = value.get(name);
        let inner = matches!(&attribute.kind, AttributeKind::Nested(n) if value.is_set() && only_configured(n, value));
        !attribute.computed && !value.is_null() || inner
    })
}

/// `AssertPlanValid`: what is configured is planned as configured, or as it was before; only the
/// rest is the provider's.
pub fn plan_valid(
    attributes: &Attributes,
    prior: &Value,
    config: &Value,
    planned: &Value,
    at: &AttributePath,
) -> Vec<String> {
    let mut violations = Vec::new();
    for (name, attribute) in attributes {
        let at = at.clone().attr(name);
        let (prior, config, planned) = (prior.get(name), config.get(name), planned.get(name));
        if attribute.write_only {
            if !planned.is_null() {
                violations.push(format!("{at}: a write-only value in the plan"));
            }
            continue;
        }
        if unrefined(planned) == unrefined(config)
            || planned == prior && !prior.is_null() && !config.is_null()
        {
            continue;
        }
        if attribute.computed && config.is_null() {
            continue;
        }
        match &attribute.kind {
            AttributeKind::Nested(nested)
                if nested.nesting == Nesting::Single && config.is_set() && planned.is_set() =>
            {
                violations.extend(plan_valid(&nested.attributes, prior, config, planned, &at));
            }
            _ => violations.push(format!(
                "{at}: planned {planned:?}, configured {config:?}, was {prior:?}"
            )),
        }
    }
    violations
}

fn unrefined(value: &Value) -> Value {
    match value {
        Value::Unknown(_) => Value::unknown(),
        Value::List(items) => Value::List(items.iter().map(unrefined).collect()),
        Value::Set(items) => Value::Set(items.iter().map(unrefined).collect()),
        Value::Map(items) => Value::Map(
            items
                .iter()
                .map(|(k, v)| (k.clone(), unrefined(v)))
                .collect(),
        ),
        Value::Object(items) => Value::Object(
            items
                .iter()
                .map(|(k, v)| (k.clone(), unrefined(v)))
                .collect(),
        ),
        known => known.clone(),
    }
}

/// `AssertObjectCompatible`: what was known in the plan is so now.
pub fn compatible(planned: &Value, actual: &Value, at: &AttributePath) -> Vec<String> {
    let differs = || vec![format!("{at}: planned {planned:?}, now {actual:?}")];
    match (planned, actual) {
        (Value::Unknown(refinement), actual) => {
            let not_null = !refinement.as_bytes().is_empty();
            if not_null && actual.is_null() {
                differs()
            } else {
                Vec::new()
            }
        }
        (Value::Object(a), Value::Object(b)) | (Value::Map(a), Value::Map(b))
            if a.keys().eq(b.keys()) =>
        {
            let each = |((name, a), b): ((&String, &Value), &Value)| {
                compatible(a, b, &at.clone().attr(name))
            };
            a.iter().zip(b.values()).flat_map(each).collect()
        }
        (Value::List(a), Value::List(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .flat_map(|(i, (a, b))| compatible(a, b, &at.clone().index(i)))
            .collect(),
        (Value::Set(a), Value::Set(b)) if !planned.is_wholly_known() => {
            let lost = a
                .iter()
                .any(|item| item.is_wholly_known() && !b.contains(item));
            if lost || b.len() > a.len() {
                differs()
            } else {
                Vec::new()
            }
        }
        (planned, actual) if planned == actual => Vec::new(),
        _ => differs(),
    }
}
