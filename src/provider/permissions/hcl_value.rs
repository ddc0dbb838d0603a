//! Expressions of HCL as values of Terraform. A reference, a function call or any other expression
//! that has to be evaluated is an unknown value.

use hcl_edit::expr::{Expression, ObjectKey};
use hcl_edit::structure::Body;
use std::collections::BTreeMap;
use terraform_plugin::{Number, Type, Value};

/// The attributes of a block as an object of a type.
pub fn of_block(body: &Body, ty: &Type) -> Value {
    let Type::Object(types) = ty else {
        return Value::unknown();
    };
    let attribute = |(name, ty): (&String, &Type)| {
        let value = body
            .get_attribute(name)
            .map_or(Value::Null, |attribute| value(&attribute.value, ty));
        (name.clone(), value)
    };
    Value::Object(types.iter().map(attribute).collect())
}

/// An expression as a value of a type.
pub fn value(expression: &Expression, ty: &Type) -> Value {
    match expression {
        Expression::Null(_) => Value::Null,
        Expression::Parenthesis(inner) => value(inner.inner(), ty),
        Expression::Bool(flag) => match ty {
            Type::String => Value::String(flag.value().to_string()),
            _ => Value::Bool(*flag.value()),
        },
        Expression::Number(number) => scalar(&number.value().to_string(), ty),
        Expression::String(text) => scalar(text.value(), ty),
        Expression::Array(items) => match ty {
            Type::List(of) => Value::List(items.iter().map(|item| value(item, of)).collect()),
            Type::Set(of) => Value::Set(items.iter().map(|item| value(item, of)).collect()),
            _ => Value::unknown(),
        },
        Expression::Object(object) => {
            let mut entries = BTreeMap::new();
            for (key, entry) in object {
                let key = match key {
                    ObjectKey::Ident(name) => name.value().to_string(),
                    ObjectKey::Expression(Expression::Variable(name)) => name.value().to_string(),
                    ObjectKey::Expression(Expression::String(text)) => text.value().clone(),
                    ObjectKey::Expression(_) => return Value::unknown(),
                };
                entries.insert(key, entry.expr());
            }
            match ty {
                Type::Map(of) => Value::Map(
                    entries
                        .into_iter()
                        .map(|(name, entry)| (name, value(entry, of)))
                        .collect(),
                ),
                Type::Object(types) => Value::Object(
                    types
                        .iter()
                        .map(|(name, ty)| {
                            let entry = entries.get(name);
                            let entry = entry.map_or(Value::Null, |entry| value(entry, ty));
                            (name.clone(), entry)
                        })
                        .collect(),
                ),
                _ => Value::unknown(),
            }
        }
        _ => Value::unknown(),
    }
}

/// A text or number as the type wants it.
fn scalar(text: &str, ty: &Type) -> Value {
    match ty {
        Type::Bool => match text {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::unknown(),
        },
        Type::Number => Number::parse(text).map_or_else(|_| Value::unknown(), Value::Number),
        _ => Value::String(text.to_owned()),
    }
}
