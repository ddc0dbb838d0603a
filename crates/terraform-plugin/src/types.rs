//! Types of values (those of cty, Terraform's type system) and their JSON notation.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

/// The type of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// Unicode text.
    String,
    /// An exact number of any size.
    Number,
    /// Any type; each value has its own.
    Dynamic,
    /// Any count of values of one type, in order.
    List(Box<Type>),
    /// Different values of one type, in no order.
    Set(Box<Type>),
    /// Values of one type by name.
    Map(Box<Type>),
    /// Fixed names, each with its own type.
    Object(BTreeMap<String, Type>),
    /// Fixed places, each with its own type.
    Tuple(Vec<Type>),
}

/// Maximum nesting of types.
pub(crate) const DEEPEST: usize = 64;

/// The text is not the JSON notation of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the notation of a type")]
pub struct TypeError;

impl Type {
    /// A list of `element`.
    pub fn list(element: Type) -> Self {
        Type::List(Box::new(element))
    }

    /// A set of `element`.
    pub fn set(element: Type) -> Self {
        Type::Set(Box::new(element))
    }

    /// A map of `element`.
    pub fn map(element: Type) -> Self {
        Type::Map(Box::new(element))
    }

    /// An object with these attributes.
    pub fn object<N: Into<String>>(attributes: impl IntoIterator<Item = (N, Type)>) -> Self {
        Type::Object(
            attributes
                .into_iter()
                .map(|(name, ty)| (name.into(), ty))
                .collect(),
        )
    }

    /// The JSON notation, as schemas carry it: `"string"`, `["list","number"]`,
    /// `["object",{"a":"bool"}]`.
    pub fn to_json(&self) -> Vec<u8> {
        self.notation().to_string().into_bytes()
    }

    fn notation(&self) -> Json {
        match self {
            Type::Bool => json!("bool"),
            Type::String => json!("string"),
            Type::Number => json!("number"),
            Type::Dynamic => json!("dynamic"),
            Type::List(element) => json!(["list", element.notation()]),
            Type::Set(element) => json!(["set", element.notation()]),
            Type::Map(element) => json!(["map", element.notation()]),
            Type::Object(attributes) => {
                let attributes: serde_json::Map<_, _> = attributes
                    .iter()
                    .map(|(name, ty)| (name.clone(), ty.notation()))
                    .collect();
                json!(["object", attributes])
            }
            Type::Tuple(elements) => json!([
                "tuple",
                elements.iter().map(Type::notation).collect::<Vec<_>>()
            ]),
        }
    }

    /// Reads the JSON notation.
    ///
    /// # Errors
    /// When it is none, or nests deeper than 64 types.
    pub fn from_json(notation: &[u8]) -> Result<Self, TypeError> {
        Self::from_notation(&serde_json::from_slice(notation).map_err(|_| TypeError)?, 0)
    }

    fn from_notation(notation: &Json, depth: usize) -> Result<Self, TypeError> {
        if depth > DEEPEST {
            return Err(TypeError);
        }
        let inner = |json: &Json| Self::from_notation(json, depth + 1);
        match notation {
            Json::String(name) => match name.as_str() {
                "bool" => Ok(Type::Bool),
                "string" => Ok(Type::String),
                "number" => Ok(Type::Number),
                "dynamic" => Ok(Type::Dynamic),
                _ => Err(TypeError),
            },
            Json::Array(parts) => match parts.as_slice() {
                [Json::String(kind), Json::Array(elements)] if kind == "tuple" => Ok(Type::Tuple(
                    elements.iter().map(inner).collect::<Result<_, _>>()?,
                )),
                // The third part, if any, names optional attributes: a matter of conversion, not of
                // encoding.
                [Json::String(kind), Json::Object(attributes), ..] if kind == "object" => {
                    let attributes = attributes
                        .iter()
                        .map(|(name, ty)| Ok((name.clone(), inner(ty)?)));
                    Ok(Type::Object(attributes.collect::<Result<_, _>>()?))
                }
                [Json::String(kind), element] => match kind.as_str() {
                    "list" => Ok(Type::list(inner(element)?)),
                    "set" => Ok(Type::set(inner(element)?)),
                    "map" => Ok(Type::map(inner(element)?)),
                    _ => Err(TypeError),
                },
                _ => Err(TypeError),
            },
            _ => Err(TypeError),
        }
    }

    /// How error messages call the type.
    pub(crate) fn noun(&self) -> &'static str {
        match self {
            Type::Bool => "a bool",
            Type::String => "a string",
            Type::Number => "a number",
            Type::Dynamic => "a value of any type",
            Type::List(_) => "a list",
            Type::Set(_) => "a set",
            Type::Map(_) => "a map",
            Type::Object(_) => "an object",
            Type::Tuple(_) => "a tuple",
        }
    }
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

    #[test]
    fn type_notation_round_trips_as_cty() {
        let object = Type::object([
            ("names", Type::list(Type::String)),
            ("any", Type::Dynamic),
            (
                "pair",
                Type::Tuple(vec![Type::Number, Type::set(Type::Bool)]),
            ),
        ]);
        let notation = object.to_json();
        let expected = r#"["object",{"any":"dynamic","names":["list","string"],"pair":["tuple",["number",["set","bool"]]]}]"#;
        assert_eq!(String::from_utf8_lossy(&notation), expected);
        assert_eq!(Type::from_json(&notation), Ok(object));
    }

    #[test]
    fn reject_invalid_and_deeply_nested_types() {
        for text in [
            "",
            "7",
            "\"strange\"",
            "[\"list\"]",
            "[\"tuple\",\"string\"]",
            "[\"map\",\"string\",1]",
        ] {
            assert_eq!(Type::from_json(text.as_bytes()), Err(TypeError), "{text}");
        }
        let deep = format!("{}\"string\"{}", "[\"list\",".repeat(100), "]".repeat(100));
        assert_eq!(Type::from_json(deep.as_bytes()), Err(TypeError));
    }
}
