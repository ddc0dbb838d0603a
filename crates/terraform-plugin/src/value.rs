//! Values as Terraform has them: known, null, or unknown until apply, at every level of nesting.
//!
//! `Debug` shows everything, secrets too: it is for tests, never for logs.

use std::collections::BTreeMap;

use super::number::Number;
use super::path::{AttributePath, Step};
use super::types::Type;

/// What is known of an unknown value ("not null", "at most 3 elements"), in MessagePack as
/// Terraform sent it. Empty when nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refinement(pub(crate) Vec<u8>);

impl Refinement {
    /// Nothing is known.
    pub const NONE: Refinement = Refinement(Vec::new());

    /// The encoded refinement; empty for none.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A value for a place whose type is [`Type::Dynamic`], with the type it has there.
#[derive(Clone, Debug, PartialEq)]
pub struct Typed {
    /// The concrete type.
    pub ty: Type,
    /// The value, which conforms to `ty`.
    pub value: Value,
}

/// A value. Its type is the schema's affair; equality of sets does not look at order.
///
/// Accessors of a value of another kind, null or unknown give `None`, and attributes that are not
/// there are null.
///
/// ```
/// use terraform_plugin::{AttributePath, Value};
///
/// let mut disk = Value::object([("size", Value::from(10_i64)), ("id", Value::unknown())]);
/// assert_eq!(disk.get("size").as_i64(), Some(10));
/// assert!(disk.get("id").as_str().is_none() && disk.get("colour").is_null());
/// disk.set("id", "disk-1");
/// assert_eq!(disk.at(&AttributePath::from("id")).as_str(), Some("disk-1"));
/// ```
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// Absent.
    #[default]
    Null,
    /// Known only after apply.
    Unknown(Refinement),
    /// Truth value.
    Bool(bool),
    /// Text.
    String(String),
    /// Exact number.
    Number(Number),
    /// Elements in order.
    List(Vec<Value>),
    /// Elements in no order.
    Set(Vec<Value>),
    /// Elements by key.
    Map(BTreeMap<String, Value>),
    /// Attributes by name.
    Object(BTreeMap<String, Value>),
    /// Elements of different types.
    Tuple(Vec<Value>),
    /// Known value with its type, where the schema says "any". Accessors look through it.
    Dynamic(Box<Typed>),
}

static NULL: Value = Value::Null;

impl Value {
    /// An unknown value of which nothing is known.
    pub fn unknown() -> Self {
        Value::Unknown(Refinement::NONE)
    }

    /// An object of these attributes; those left out are null once encoded.
    pub fn object<N: Into<String>, V: Into<Value>>(
        attributes: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        Value::Object(
            attributes
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }

    /// A map of these elements.
    pub fn map<N: Into<String>, V: Into<Value>>(
        elements: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        Value::Map(
            elements
                .into_iter()
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        )
    }

    /// A list of these elements.
    pub fn list<V: Into<Value>>(elements: impl IntoIterator<Item = V>) -> Self {
        Value::List(elements.into_iter().map(Into::into).collect())
    }

    /// A set of these elements.
    pub fn set_of<V: Into<Value>>(elements: impl IntoIterator<Item = V>) -> Self {
        Value::Set(elements.into_iter().map(Into::into).collect())
    }

    fn untyped(&self) -> &Value {
        match self {
            Value::Dynamic(typed) => &typed.value,
            other => other,
        }
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self.untyped(), Value::Null)
    }

    /// Whether it is known at this level: not unknown. Null is known.
    pub fn is_known(&self) -> bool {
        !matches!(self.untyped(), Value::Unknown(_))
    }

    /// Whether it is known and not null.
    pub fn is_set(&self) -> bool {
        !self.is_null() && self.is_known()
    }

    /// Whether it and everything in it is known.
    pub fn is_wholly_known(&self) -> bool {
        match self.untyped() {
            Value::Unknown(_) => false,
            Value::List(items) | Value::Set(items) | Value::Tuple(items) => {
                items.iter().all(Value::is_wholly_known)
            }
            Value::Map(items) | Value::Object(items) => items.values().all(Value::is_wholly_known),
            _ => true,
        }
    }

    /// The text, if it is a known string.
    pub fn as_str(&self) -> Option<&str> {
        match self.untyped() {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if it is a known bool.
    pub fn as_bool(&self) -> Option<bool> {
        match self.untyped() {
            Value::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The number, if it is a known one.
    pub fn as_number(&self) -> Option<&Number> {
        match self.untyped() {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The number as a signed integer, if it is one that fits.
    pub fn as_i64(&self) -> Option<i64> {
        self.as_number().and_then(Number::as_i64)
    }

    /// The number as an unsigned integer, if it is one that fits.
    pub fn as_u64(&self) -> Option<u64> {
        self.as_number().and_then(Number::as_u64)
    }

    /// The elements of a known list, set or tuple.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self.untyped() {
            Value::List(items) | Value::Set(items) | Value::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// The elements of a known map or the attributes of a known object.
    pub fn as_map(&self) -> Option<&BTreeMap<String, Value>> {
        match self.untyped() {
            Value::Map(items) | Value::Object(items) => Some(items),
            _ => None,
        }
    }

    /// An attribute or map element. Null if this is null or lacks it, unknown if this is unknown.
    pub fn get(&self, name: &str) -> &Value {
        match self.untyped() {
            Value::Map(items) | Value::Object(items) => items.get(name).unwrap_or(&NULL),
            unknown @ Value::Unknown(_) => unknown,
            _ => &NULL,
        }
    }

    /// An element of a list, set or tuple, from 0; null and unknown as in [`Value::get`].
    pub fn item(&self, index: usize) -> &Value {
        match self.untyped() {
            Value::List(items) | Value::Set(items) | Value::Tuple(items) => {
                items.get(index).unwrap_or(&NULL)
            }
            unknown @ Value::Unknown(_) => unknown,
            _ => &NULL,
        }
    }

    /// The value at the end of a path; null and unknown as in [`Value::get`].
    pub fn at(&self, path: &AttributePath) -> &Value {
        path.steps().iter().fold(self, |value, step| match step {
            Step::Attribute(name) | Step::Key(name) => value.get(name),
            Step::Index(index) => usize::try_from(*index).map_or(&NULL, |index| value.item(index)),
        })
    }

    /// Sets an attribute or map element. A null or unknown value becomes an object with that one
    /// attribute; a value without attributes, such as a string, is left alone.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        match self {
            Value::Map(items) | Value::Object(items) => {
                items.insert(name.into(), value.into());
            }
            Value::Null | Value::Unknown(_) => *self = Value::object([(name, value)]),
            Value::Dynamic(typed) => typed.value.set(name, value),
            _ => {}
        }
    }

    /// Sets the value at the end of a path, making objects of what is null on the way. List
    /// elements have to exist.
    pub fn set_at(&mut self, path: &AttributePath, value: impl Into<Value>) {
        if let Some(place) = path
            .steps()
            .iter()
            .try_fold(self, |place, step| place.entry_mut(step))
        {
            *place = value.into();
        }
    }

    fn entry_mut(&mut self, step: &Step) -> Option<&mut Value> {
        let name = match step {
            Step::Attribute(name) | Step::Key(name) => name,
            Step::Index(index) => match self {
                Value::List(items) | Value::Set(items) | Value::Tuple(items) => {
                    return items.get_mut(usize::try_from(*index).ok()?);
                }
                _ => return None,
            },
        };
        if matches!(self, Value::Null | Value::Unknown(_)) {
            let empty = BTreeMap::new();
            *self = if matches!(step, Step::Key(_)) {
                Value::Map(empty)
            } else {
                Value::Object(empty)
            };
        }
        match self {
            Value::Map(items) | Value::Object(items) => {
                Some(items.entry(name.clone()).or_default())
            }
            Value::Dynamic(typed) => typed.value.entry_mut(step),
            _ => None,
        }
    }

    /// The same value with null in place of everything unknown: what may be stored after a failed
    /// apply.
    #[must_use]
    pub fn unknown_as_null(self) -> Value {
        let list = |items: Vec<Value>| items.into_iter().map(Value::unknown_as_null).collect();
        let map = |items: BTreeMap<String, Value>| {
            items
                .into_iter()
                .map(|(name, value)| (name, value.unknown_as_null()))
        };
        match self {
            Value::Unknown(_) => Value::Null,
            Value::List(items) => Value::List(list(items)),
            Value::Set(items) => Value::Set(list(items)),
            Value::Tuple(items) => Value::Tuple(list(items)),
            Value::Map(items) => Value::Map(map(items).collect()),
            Value::Object(items) => Value::Object(map(items).collect()),
            Value::Dynamic(typed) => Value::Dynamic(Box::new(Typed {
                ty: typed.ty,
                value: typed.value.unknown_as_null(),
            })),
            known => known,
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Unknown(a), Value::Unknown(b)) => a == b,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::String(a), Value::String(b)) => a == b,
            (Value::Number(a), Value::Number(b)) => a == b,
            (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => a == b,
            (Value::Set(a), Value::Set(b)) => same_elements(a, b),
            (Value::Map(a), Value::Map(b)) | (Value::Object(a), Value::Object(b)) => a == b,
            (Value::Dynamic(a), Value::Dynamic(b)) => a == b,
            _ => false,
        }
    }
}

fn same_elements(a: &[Value], b: &[Value]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut left: Vec<&Value> = b.iter().collect();
    a.iter().all(
        |value| match left.iter().position(|candidate| *candidate == value) {
            Some(position) => {
                left.swap_remove(position);
                true
            }
            None => false,
        },
    )
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::String(text)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Value::Bool(truth)
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        Value::Number(number)
    }
}

macro_rules! from_integer {
    ($($small:ty => $large:ty),*) => {$(
        impl From<$small> for Value {
            fn from(integer: $small) -> Self {
                Value::Number(Number::from(<$large>::from(integer)))
            }
        }
    )*};
}

from_integer!(i64 => i64, i32 => i64, u64 => u64, u32 => u64, u16 => u64, u8 => u64);

impl<V: Into<Value>> From<Option<V>> for Value {
    fn from(value: Option<V>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

impl<V: Into<Value>> From<Vec<V>> for Value {
    fn from(items: Vec<V>) -> Self {
        Value::list(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_through_null_and_unknown() {
        let value = Value::object([
            (
                "azure",
                Value::object([("asn", Value::from(65_515_u32)), ("name", Value::Null)]),
            ),
            ("aws", Value::unknown()),
        ]);
        assert_eq!(value.get("azure").get("asn").as_u64(), Some(65_515));
        assert!(value.get("azure").get("name").get("deeper").is_null());
        assert!(!value.at(&AttributePath::from("aws.asn")).is_known());
        assert!(value.get("nothing").is_null());
        assert!(!value.is_wholly_known());
        assert!(value.unknown_as_null().get("aws").is_null());
    }

    #[test]
    fn set_path_creates_intermediate_objects() {
        let mut value = Value::Null;
        value.set_at(&AttributePath::root("tunnels").key("a").attr("slot"), 3_u8);
        assert_eq!(
            value,
            Value::object([(
                "tunnels",
                Value::map([("a", Value::object([("slot", 3_u8)]))])
            )])
        );
    }

    #[test]
    fn sets_compare_in_any_order() {
        assert_eq!(
            Value::set_of(["a", "b", "b"]),
            Value::set_of(["b", "a", "b"])
        );
        assert_ne!(
            Value::set_of(["a", "b", "b"]),
            Value::set_of(["a", "a", "b"])
        );
        assert_ne!(Value::list(["a", "b"]), Value::list(["b", "a"]));
    }
}
