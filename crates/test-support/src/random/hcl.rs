//! One resource block with `for_each` over many configurations, written from the schema: each
//! attribute is what the instance's data says, or the same by way of an object made in the same
//! run, which makes it unknown at plan.

use awsazure::provider::bgp_vpn::schema;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use terraform_plugin::{Attribute, AttributeKind, Value};

/// The configuration; it reads its instances from `links.json`.
pub fn main_tf() -> String {
    let mut text = String::from(
        "locals {\n  links = jsondecode(file(\"${path.module}/links.json\"))\n}\n\n\
         resource \"terraform_data\" \"later\" {\n  for_each = local.links\n  input    = each.value.later\n}\n\n\
         resource \"awsazure_bgp_vpn\" \"link\" {\n  for_each = local.links\n",
    );
    attributes(&mut text, &schema::resource().attributes, "", 1);
    text.push_str("}\n");
    text
}

fn attributes(text: &mut String, attributes: &BTreeMap<String, Attribute>, at: &str, depth: usize) {
    let indent = "  ".repeat(depth);
    for (name, attribute) in attributes.iter().filter(|(_, a)| a.required || a.optional) {
        let path = if at.is_empty() {
            name.clone()
        } else {
            format!("{at}.{name}")
        };
        let later = format!(
            "contains(keys(each.value.later), \"{path}\") ? terraform_data.later[each.key].output[\"{path}\"]"
        );
        match &attribute.kind {
            AttributeKind::Nested(nested) => {
                if attribute.required {
                    writeln!(text, "{indent}{name} = {{").unwrap();
                } else {
                    writeln!(
                        text,
                        "{indent}{name} = each.value.config.{path} == null ? null : {{"
                    )
                    .unwrap();
                }
                // Below something that is null there is nothing to be read: the condition is asked
                // first.
                self::attributes(text, &nested.attributes, &path, depth + 1);
                writeln!(text, "{indent}}}").unwrap();
            }
            AttributeKind::Value(_) => {
                writeln!(text, "{indent}{name} = {later} : each.value.config.{path}").unwrap();
            }
        }
    }
}

/// An instance's data: the configuration, and the places of it that are to be unknown at plan.
pub fn instance(config: &Value, with_unknowns: &Value) -> Json {
    let mut later = Map::new();
    later_places(
        &schema::resource().attributes,
        config,
        with_unknowns,
        "",
        &mut later,
    );
    json!({ "config": object(&schema::resource().attributes, config), "later": later })
}

/// Places whose value is unknown in part at least.
fn later_places(
    attributes: &BTreeMap<String, Attribute>,
    config: &Value,
    with_unknowns: &Value,
    at: &str,
    found: &mut Map<String, Json>,
) {
    for (name, attribute) in attributes.iter().filter(|(_, a)| a.required || a.optional) {
        let path = if at.is_empty() {
            name.clone()
        } else {
            format!("{at}.{name}")
        };
        match &attribute.kind {
            AttributeKind::Nested(nested) if config.get(name).is_set() => {
                later_places(
                    &nested.attributes,
                    config.get(name),
                    with_unknowns.get(name),
                    &path,
                    found,
                );
            }
            AttributeKind::Nested(_) => {}
            // Another object would store what must not be stored.
            AttributeKind::Value(_) if attribute.write_only => {}
            AttributeKind::Value(_) if with_unknowns.get(name).is_wholly_known() => {}
            AttributeKind::Value(_) => drop(found.insert(path, plain(config.get(name)))),
        }
    }
}

fn object(attributes: &BTreeMap<String, Attribute>, value: &Value) -> Json {
    if value.is_null() {
        return Json::Null;
    }
    let configurable = attributes.iter().filter(|(_, a)| a.required || a.optional);
    let each = configurable.map(|(name, attribute)| {
        let value = value.get(name);
        let value = match &attribute.kind {
            AttributeKind::Nested(nested) => object(&nested.attributes, value),
            AttributeKind::Value(_) => plain(value),
        };
        (name.clone(), value)
    });
    Json::Object(each.collect())
}

fn plain(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(is) => json!(is),
        Value::String(text) => json!(text),
        Value::Number(number) => serde_json::from_str(&number.to_string()).unwrap(),
        Value::List(items) | Value::Set(items) | Value::Tuple(items) => {
            items.iter().map(plain).collect()
        }
        Value::Map(items) | Value::Object(items) => Json::Object(
            items
                .iter()
                .map(|(name, item)| (name.clone(), plain(item)))
                .collect::<Map<_, _>>(),
        ),
        other => panic!("not to be written: {other:?}"),
    }
}
