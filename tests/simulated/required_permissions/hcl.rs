//! The link of an example as JSON, with the references that the tests know.

use hcl_edit::expr::{Expression, ObjectKey};
use serde_json::{Map, Value};

/// The configuration of the first link. An attribute with an unknown reference is left out.
pub fn first_link(text: &str, known: &dyn Fn(&str) -> Option<Value>) -> Value {
    let body = hcl_edit::parser::parse_body(text).unwrap();
    let is_link = |labels: &[hcl_edit::structure::BlockLabel]| {
        labels
            .first()
            .is_some_and(|label| label.as_str() == "awsazure_bgp_vpn")
    };
    let block = body
        .get_blocks("resource")
        .find(|block| is_link(&block.labels))
        .unwrap();
    let attributes = block.body.attributes().filter_map(|attribute| {
        Some((
            attribute.key.as_str().to_owned(),
            json(&attribute.value, known)?,
        ))
    });
    Value::Object(attributes.collect::<Map<_, _>>())
}

fn json(expression: &Expression, known: &dyn Fn(&str) -> Option<Value>) -> Option<Value> {
    Some(match expression {
        Expression::Bool(flag) => (*flag.value()).into(),
        Expression::Number(number) => number.value().to_string().parse::<u64>().unwrap().into(),
        Expression::String(text) => text.value().as_str().into(),
        Expression::Array(items) => items.iter().filter_map(|item| json(item, known)).collect(),
        Expression::Object(object) => {
            let mut entries = Map::new();
            for (key, entry) in object {
                let key = match key {
                    ObjectKey::Ident(name) => name.as_str().to_owned(),
                    ObjectKey::Expression(Expression::Variable(name)) => name.as_str().to_owned(),
                    ObjectKey::Expression(Expression::String(text)) => text.value().to_string(),
                    ObjectKey::Expression(other) => panic!("{other}"),
                };
                if let Some(value) = json(entry.expr(), known) {
                    entries.insert(key, value);
                }
            }
            entries.into()
        }
        reference => return known(reference.to_string().trim()),
    })
}
