//! Values from JSON, as Terraform stores state: the type says what the JSON means. Numbers are read
//! exactly.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::msgpack::{MsgpackError, Problem};
use super::number::Number;
use super::path::Step;
use super::types::{DEEPEST, Type};
use super::value::{Typed, Value};

/// Reads a value of a type. Attributes that are not there are null, as they are after an attribute
/// was added.
///
/// # Errors
/// When the text is not a value of the type, or has attributes that the type lacks.
pub fn decode(ty: &Type, json: &[u8]) -> Result<Value, MsgpackError> {
    let raw: &RawValue = parse(json)?;
    read(ty, raw, 0)
}

fn parse<'a, T: serde::Deserialize<'a>>(json: &'a [u8]) -> Result<T, Problem> {
    serde_json::from_slice(json).map_err(|_| Problem::NotJson)
}

/// Parses text that is known to be JSON: what fails is its type.
fn needed<'a, T: serde::Deserialize<'a>>(raw: &'a RawValue, ty: &Type) -> Result<T, Problem> {
    serde_json::from_str(raw.get()).map_err(|_| Problem::Needed(ty.noun()))
}

fn read(ty: &Type, raw: &RawValue, depth: usize) -> Result<Value, MsgpackError> {
    if depth > DEEPEST {
        return Err(Problem::TooDeep.into());
    }
    if raw.get() == "null" {
        return Ok(Value::Null);
    }
    match ty {
        Type::Bool => Ok(Value::Bool(needed(raw, ty)?)),
        Type::String => Ok(Value::String(needed(raw, ty)?)),
        Type::Number => number(raw).map(Value::Number),
        Type::List(element) => elements(ty, element, raw, depth).map(Value::List),
        Type::Set(element) => elements(ty, element, raw, depth).map(Value::Set),
        Type::Tuple(types) => {
            let items: Vec<&RawValue> = needed(raw, ty)?;
            if items.len() != types.len() {
                return Err(Problem::Count {
                    needed: types.len(),
                }
                .into());
            }
            let pairs = types.iter().zip(items).enumerate();
            let read =
                pairs.map(|(position, (ty, item))| read(ty, item, depth + 1).map_err(at(position)));
            Ok(Value::Tuple(read.collect::<Result<_, _>>()?))
        }
        Type::Map(element) => {
            let items: BTreeMap<String, &RawValue> = needed(raw, ty)?;
            let read = items
                .into_iter()
                .map(|(key, item)| match read(element, item, depth + 1) {
                    Ok(value) => Ok((key, value)),
                    Err(error) => Err(error.at_step(Step::Key(key))),
                });
            Ok(Value::Map(read.collect::<Result<_, _>>()?))
        }
        Type::Object(types) => {
            let items: BTreeMap<String, &RawValue> = needed(raw, ty)?;
            if let Some(name) = items.keys().find(|name| !types.contains_key(*name)) {
                return Err(
                    MsgpackError::from(Problem::Unexpected).at_step(Step::Attribute(name.clone()))
                );
            }
            let read = types.iter().map(|(name, ty)| match items.get(name) {
                None => Ok((name.clone(), Value::Null)),
                Some(item) => match read(ty, item, depth + 1) {
                    Ok(value) => Ok((name.clone(), value)),
                    Err(error) => Err(error.at_step(Step::Attribute(name.clone()))),
                },
            });
            Ok(Value::Object(read.collect::<Result<_, _>>()?))
        }
        Type::Dynamic => dynamic(raw, depth),
    }
}

fn at(position: usize) -> impl FnOnce(MsgpackError) -> MsgpackError {
    move |error| error.at_step(Step::Index(i64::try_from(position).unwrap_or(i64::MAX)))
}

fn elements(
    ty: &Type,
    element: &Type,
    raw: &RawValue,
    depth: usize,
) -> Result<Vec<Value>, MsgpackError> {
    let items: Vec<&RawValue> = needed(raw, ty)?;
    items
        .into_iter()
        .enumerate()
        .map(|(position, item)| read(element, item, depth + 1).map_err(at(position)))
        .collect()
}

/// A JSON number, or a string that holds one, which is how cty writes what it fears others would
/// round.
fn number(raw: &RawValue) -> Result<Number, MsgpackError> {
    let text = raw.get();
    let parsed = if text.starts_with('"') {
        Number::parse(&needed::<String>(raw, &Type::Number)?)
    } else if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
        Number::parse(text)
    } else {
        return Err(Problem::Needed(Type::Number.noun()).into());
    };
    parsed.map_err(|_| Problem::BadNumber.into())
}

fn dynamic(raw: &RawValue, depth: usize) -> Result<Value, MsgpackError> {
    let both = Problem::Needed("a type and a value");
    let parts: BTreeMap<String, &RawValue> = needed(raw, &Type::Dynamic)?;
    let (Some(ty), Some(value), 2) = (parts.get("type"), parts.get("value"), parts.len()) else {
        return Err(both.into());
    };
    let ty = Type::from_json(ty.get().as_bytes()).map_err(|_| Problem::BadType)?;
    let value = read(&ty, value, depth + 1)?;
    Ok(Value::Dynamic(Box::new(Typed { ty, value })))
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]
    use super::*;
    use crate::AttributePath;

    #[test]
    fn read_stored_state_with_exact_numbers() {
        let ty = Type::object([
            ("asn", Type::Number),
            ("big", Type::Number),
            ("tenth", Type::Number),
            ("tags", Type::map(Type::String)),
            ("any", Type::Dynamic),
            ("added", Type::Bool),
        ]);
        let json =
            br#"{"asn": 65515, "big": 1208925819614629174706177, "tenth": 0.1, "tags": {"a": "b"},
                        "any": {"type": ["list", "number"], "value": [1]}}"#;
        let value = decode(&ty, json).unwrap();
        assert_eq!(value.get("asn").as_u64(), Some(65_515));
        assert_eq!(
            value.get("big").as_number().unwrap().to_string(),
            "1208925819614629174706177"
        );
        assert_eq!(value.get("tenth").as_number().unwrap().to_string(), "0.1");
        assert_eq!(value.get("tags").get("a").as_str(), Some("b"));
        assert_eq!(value.get("any").item(0).as_i64(), Some(1));
        assert!(value.get("added").is_null());
    }

    #[test]
    fn type_mismatch_names_path() {
        let ty = Type::object([("tunnels", Type::map(Type::object([("slot", Type::Number)])))]);
        let error = |json: &str| decode(&ty, json.as_bytes()).unwrap_err();
        let slot = AttributePath::root("tunnels").key("a").attr("slot");
        assert_eq!(error(r#"{"tunnels": {"a": {"slot": true}}}"#).path(), slot);
        let unexpected = error(r#"{"tunnels": {"a": {"old": 1}}}"#);
        assert_eq!(
            unexpected.to_string(),
            r#"tunnels["a"].old: unknown attribute"#
        );
        assert_eq!(error("{").problem, Problem::NotJson);
        assert_eq!(error("[]").problem, Problem::Needed("an object"));
    }

    #[test]
    fn reject_deeply_nested_json() {
        let deep = "[".repeat(100_000);
        assert!(decode(&Type::Dynamic, deep.as_bytes()).is_err());
        let mut nested = String::from("null");
        for _ in 0..200 {
            nested = format!(r#"{{"type":"dynamic","value":{nested}}}"#);
        }
        assert!(decode(&Type::Dynamic, nested.as_bytes()).is_err());
    }
}
