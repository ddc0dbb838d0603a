//! A configuration, a planned state or a state, with types: the domain's `Config`, read by the
//! paths of the attribute table.

use super::attribute_paths::value_path;
use bgp_vpn::config::{Attr, AttributeId, AttributeSource, Config};
use std::collections::BTreeMap;
use terraform_plugin::{Number, Value};

/// Reads every field.
pub fn read_config(value: &Value) -> Config {
    Config::read(&Attributes(value))
}

/// The attributes of a value.
pub struct Attributes<'a>(pub &'a Value);

impl Attributes<'_> {
    fn at(&self, attribute: &AttributeId) -> &Value {
        self.0.at(&value_path(attribute))
    }
}

impl AttributeSource for Attributes<'_> {
    fn parse<T>(&self, attribute: &AttributeId, parse: impl FnOnce(&str) -> T) -> Attr<T> {
        attr(self.at(attribute), |value| value.as_str().map(parse))
    }

    fn number(&self, attribute: &AttributeId) -> Attr<i64> {
        let value = self.at(attribute);
        match value.as_number().map(Number::as_i64) {
            Some(None) => Attr::Unknown,
            _ => attr(value, Value::as_i64),
        }
    }

    fn flag(&self, attribute: &AttributeId) -> Attr<bool> {
        attr(self.at(attribute), Value::as_bool)
    }

    fn texts(&self, attribute: &AttributeId) -> Attr<Vec<Attr<String>>> {
        attr(self.at(attribute), |list| {
            Some(list.as_list()?.iter().map(text).collect())
        })
    }

    fn text_map(&self, attribute: &AttributeId) -> Attr<BTreeMap<String, Attr<String>>> {
        let entries = |map: &Value| {
            Some(
                map.as_map()?
                    .iter()
                    .map(|(name, value)| (name.clone(), text(value)))
                    .collect(),
            )
        };
        attr(self.at(attribute), entries)
    }

    fn object(&self, attribute: &AttributeId) -> Attr<()> {
        attr(self.at(attribute), |_| Some(()))
    }

    fn non_integer(&self, attribute: &AttributeId) -> Option<String> {
        let number = self.at(attribute).as_number()?;
        number.as_i64().is_none().then(|| number.to_string())
    }
}

fn attr<T>(value: &Value, read: impl FnOnce(&Value) -> Option<T>) -> Attr<T> {
    if !value.is_known() {
        return Attr::Unknown;
    }
    if value.is_null() {
        return Attr::Null;
    }
    read(value).map_or(Attr::Null, Attr::Known)
}

fn text(value: &Value) -> Attr<String> {
    attr(value, |v| v.as_str().map(str::to_owned))
}
