//! What a provider, resource or data source may be configured with. Plain data: documentation,
//! tests and the value codec all walk it.

use crate::errors;
use std::collections::BTreeMap;

use super::diagnostics::Diagnostics;
use super::path::AttributePath;
use super::protocol::tfplugin6 as wire;
use super::types::Type;
use super::value::Value;

/// A block's attributes.
///
/// ```
/// use terraform_plugin::{Attribute, Nesting, Schema, Type};
///
/// let schema = Schema::new(1)
///     .attribute("name", Attribute::string().required().description("Its name."))
///     .attribute("ports", Attribute::of(Type::list(Type::Number)).optional())
///     .attribute("owner", Attribute::nested(Nesting::Single, [("mail", Attribute::string().required())]).optional());
/// assert_eq!(schema.type_(), Type::object([
///     ("name", Type::String),
///     ("ports", Type::list(Type::Number)),
///     ("owner", Type::object([("mail", Type::String)])),
/// ]));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    /// Version of the stored form; state of another version is upgraded before use.
    pub version: i64,
    /// Markdown.
    pub description: String,
    /// Why not to use it any more, if so.
    pub deprecated: Option<String>,
    /// Attributes by name.
    pub attributes: BTreeMap<String, Attribute>,
}

/// One attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// What it holds.
    pub kind: AttributeKind,
    /// Must be configured.
    pub required: bool,
    /// May be configured.
    pub optional: bool,
    /// May be set by the provider.
    pub computed: bool,
    /// Not to be shown in plans.
    pub sensitive: bool,
    /// Configured but never stored.
    pub write_only: bool,
    /// Why not to use it any more, if so.
    pub deprecated: Option<String>,
    /// Markdown.
    pub description: String,
}

/// What an attribute holds.
#[derive(Clone, Debug, PartialEq)]
pub enum AttributeKind {
    /// A value of a type.
    Value(Type),
    /// One or several objects with attributes of their own.
    Nested(NestedObject),
}

/// Objects with attributes of their own.
#[derive(Clone, Debug, PartialEq)]
pub struct NestedObject {
    /// How many, and how they are identified.
    pub nesting: Nesting,
    /// Attributes of each, by name.
    pub attributes: BTreeMap<String, Attribute>,
}

/// How many nested objects there may be, and how they are identified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// One.
    Single,
    /// Any number, in order.
    List,
    /// Any number, all different, in no order.
    Set,
    /// Any number, by key.
    Map,
}

impl Schema {
    /// A schema without attributes.
    pub fn new(version: i64) -> Self {
        Self {
            version,
            ..Self::default()
        }
    }

    /// Sets the description, in markdown.
    #[must_use]
    pub fn description(mut self, markdown: impl Into<String>) -> Self {
        self.description = markdown.into();
        self
    }

    /// Marks the block as deprecated.
    #[must_use]
    pub fn deprecated(mut self, why: impl Into<String>) -> Self {
        self.deprecated = Some(why.into());
        self
    }

    /// Adds an attribute.
    #[must_use]
    pub fn attribute(mut self, name: impl Into<String>, attribute: Attribute) -> Self {
        self.attributes.insert(name.into(), attribute);
        self
    }

    /// The type of a complete value.
    pub fn type_(&self) -> Type {
        object_type(&self.attributes)
    }

    /// What of a state can be a configuration: attributes that only the provider sets, and
    /// write-only ones, are null at any depth.
    pub fn configurable(&self, state: &Value) -> Value {
        let mut config = state.clone();
        null_where(&self.attributes, &mut config, &|attribute| {
            attribute.write_only || !attribute.required && !attribute.optional
        });
        config
    }

    /// Nulls every write-only attribute, at any depth.
    pub(crate) fn null_write_only(&self, value: &mut Value) {
        null_where(&self.attributes, value, &|attribute| attribute.write_only);
    }

    /// An error at each write-only attribute that is set, for clients without support for them.
    pub(crate) fn refuse_write_only(&self, config: &Value) -> Diagnostics {
        let mut set = Vec::new();
        find_write_only(&self.attributes, config, &AttributePath::empty(), &mut set);
        set.into_iter()
            .map(errors::unsupported_write_only)
            .collect()
    }

    pub(crate) fn to_wire(&self) -> wire::Schema {
        wire::Schema {
            version: self.version,
            block: Some(wire::schema::Block {
                version: self.version,
                attributes: attributes_to_wire(&self.attributes),
                description: self.description.clone(),
                description_kind: wire::StringKind::Markdown.into(),
                deprecated: self.deprecated.is_some(),
                deprecation_message: self.deprecated.clone().unwrap_or_default(),
                ..Default::default()
            }),
        }
    }
}

impl Attribute {
    /// An attribute of a type.
    pub fn of(ty: Type) -> Self {
        Self::new(AttributeKind::Value(ty))
    }

    /// A string.
    pub fn string() -> Self {
        Self::of(Type::String)
    }

    /// A bool.
    pub fn bool() -> Self {
        Self::of(Type::Bool)
    }

    /// A number.
    pub fn number() -> Self {
        Self::of(Type::Number)
    }

    /// One or several objects with these attributes.
    pub fn nested<N: Into<String>>(
        nesting: Nesting,
        attributes: impl IntoIterator<Item = (N, Attribute)>,
    ) -> Self {
        let attributes = attributes
            .into_iter()
            .map(|(name, attribute)| (name.into(), attribute))
            .collect();
        Self::new(AttributeKind::Nested(NestedObject {
            nesting,
            attributes,
        }))
    }

    fn new(kind: AttributeKind) -> Self {
        Self {
            kind,
            required: false,
            optional: false,
            computed: false,
            sensitive: false,
            write_only: false,
            deprecated: None,
            description: String::new(),
        }
    }

    /// Must be configured.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// May be configured.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// May be set by the provider.
    #[must_use]
    pub fn computed(mut self) -> Self {
        self.computed = true;
        self
    }

    /// Not to be shown in plans.
    #[must_use]
    pub fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// Configured but never stored.
    #[must_use]
    pub fn write_only(mut self) -> Self {
        self.write_only = true;
        self
    }

    /// Marks it as deprecated.
    #[must_use]
    pub fn deprecated(mut self, why: impl Into<String>) -> Self {
        self.deprecated = Some(why.into());
        self
    }

    /// Sets the description, in markdown.
    #[must_use]
    pub fn description(mut self, markdown: impl Into<String>) -> Self {
        self.description = markdown.into();
        self
    }

    /// The type of its value.
    pub fn type_(&self) -> Type {
        match &self.kind {
            AttributeKind::Value(ty) => ty.clone(),
            AttributeKind::Nested(nested) => nested.type_(),
        }
    }
}

impl NestedObject {
    /// The complete type: an object, or a collection of objects.
    pub fn type_(&self) -> Type {
        let object = object_type(&self.attributes);
        match self.nesting {
            Nesting::Single => object,
            Nesting::List => Type::list(object),
            Nesting::Set => Type::set(object),
            Nesting::Map => Type::map(object),
        }
    }
}

fn object_type(attributes: &BTreeMap<String, Attribute>) -> Type {
    Type::object(
        attributes
            .iter()
            .map(|(name, attribute)| (name.as_str(), attribute.type_())),
    )
}

fn null_where(
    attributes: &BTreeMap<String, Attribute>,
    value: &mut Value,
    condition: &dyn Fn(&Attribute) -> bool,
) {
    let Value::Object(values) = value else { return };
    for (name, attribute) in attributes {
        let Some(value) = values.get_mut(name) else {
            continue;
        };
        if condition(attribute) {
            *value = Value::Null;
            continue;
        }
        let AttributeKind::Nested(nested) = &attribute.kind else {
            continue;
        };
        match value {
            Value::List(items) | Value::Set(items) | Value::Tuple(items) => {
                items
                    .iter_mut()
                    .for_each(|item| null_where(&nested.attributes, item, condition));
            }
            Value::Map(items) => items
                .values_mut()
                .for_each(|item| null_where(&nested.attributes, item, condition)),
            // A map may also have been built as an object; the schema tells them apart.
            Value::Object(items) if nested.nesting == Nesting::Map => {
                items
                    .values_mut()
                    .for_each(|item| null_where(&nested.attributes, item, condition));
            }
            object => null_where(&nested.attributes, object, condition),
        }
    }
}

fn find_write_only(
    attributes: &BTreeMap<String, Attribute>,
    value: &Value,
    at: &AttributePath,
    found: &mut Vec<AttributePath>,
) {
    for (name, attribute) in attributes {
        let (value, path) = (value.get(name), at.clone().attr(name));
        if value.is_null() {
            continue;
        }
        if attribute.write_only {
            found.push(path);
            continue;
        }
        let AttributeKind::Nested(nested) = &attribute.kind else {
            continue;
        };
        match value {
            Value::List(items) | Value::Set(items) | Value::Tuple(items) => {
                for (index, item) in items.iter().enumerate() {
                    find_write_only(&nested.attributes, item, &path.clone().index(index), found);
                }
            }
            Value::Map(items) => {
                for (key, item) in items {
                    find_write_only(&nested.attributes, item, &path.clone().key(key), found);
                }
            }
            Value::Object(_) => find_write_only(&nested.attributes, value, &path, found),
            _ => {}
        }
    }
}

fn attributes_to_wire(attributes: &BTreeMap<String, Attribute>) -> Vec<wire::schema::Attribute> {
    let convert = |(name, attribute): (&String, &Attribute)| {
        // Terraform accepts exactly one of the two.
        let (ty, nested_type) = match &attribute.kind {
            AttributeKind::Value(ty) => (ty.to_json(), None),
            AttributeKind::Nested(nested) => (Vec::new(), Some(nested_to_wire(nested))),
        };
        wire::schema::Attribute {
            name: name.clone(),
            r#type: ty,
            nested_type,
            description: attribute.description.clone(),
            required: attribute.required,
            optional: attribute.optional,
            computed: attribute.computed,
            sensitive: attribute.sensitive,
            description_kind: wire::StringKind::Markdown.into(),
            deprecated: attribute.deprecated.is_some(),
            write_only: attribute.write_only,
            deprecation_message: attribute.deprecated.clone().unwrap_or_default(),
        }
    };
    attributes.iter().map(convert).collect()
}

fn nested_to_wire(nested: &NestedObject) -> wire::schema::Object {
    use wire::schema::object::NestingMode;
    let nesting = match nested.nesting {
        Nesting::Single => NestingMode::Single,
        Nesting::List => NestingMode::List,
        Nesting::Set => NestingMode::Set,
        Nesting::Map => NestingMode::Map,
    };
    wire::schema::Object {
        attributes: attributes_to_wire(&nested.attributes),
        nesting: nesting.into(),
        ..Default::default()
    }
}
