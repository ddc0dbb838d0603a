//! The attribute table: one row for each attribute of the resource. The schema, its documentation,
//! the static defaults, what is remembered, what a change does and where the observed value comes
//! from are queries on it.
//!
//! | file | holds |
//! |---|---|
//! | `effect` | what a change of an attribute does, for the documentation and for the warnings of a plan |
//! | `link`, `azure`, `aws` | the rows |

mod aws;
mod azure;
mod effect;
mod link;

#[cfg(test)]
mod tests;

pub use aws::AWS_NAMES;
pub use azure::AZURE_NAMES;
pub use effect::Effect;

use super::refresh::CloudSettings;
use bgp_vpn::config::AttributeId;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use terraform_plugin::{Attribute, Nesting, Type, Value};

/// Reads a setting from what was observed; None where nothing there tells.
pub type ReadSetting = fn(&CloudSettings<'_>) -> Option<Value>;

/// What an attribute holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    Value(Type),
    /// Attributes of its own, which have rows of their own.
    Object,
}

/// Who sets an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Required,
    /// Only the user. Null where it is not configured.
    Optional,
    /// The user, else the provider.
    OptionalComputed,
    /// Only the provider.
    Computed,
    /// Only the user, and no plan or state holds it.
    WriteOnly,
    /// The same, and no output shows it.
    Secret,
}

/// The value of an attribute that is neither configured nor remembered.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum DefaultValue {
    /// None, or one that depends on other attributes or on the clouds (`defaults.rs`).
    #[default]
    Derived,
    Static(Value),
    /// The same. A link without a transit gateway always has it.
    StaticOnTransitGateway(Value),
    /// Of a gateway that this link creates.
    OfCreatedGateway(Value),
}

/// Where a refresh finds the value of an attribute.
#[derive(Clone, Copy, Debug, Default)]
pub enum Source {
    /// Nowhere: no cloud has it.
    #[default]
    Configuration,
    /// In the settings of objects.
    Settings(ReadSetting),
    /// It is a part of the policy that all ends have in common.
    Policy,
    /// It is an object's id or address (`flatten.rs`).
    Objects,
}

/// One attribute of the resource.
#[derive(Clone, Debug)]
pub struct AttributeRow {
    /// From the root, with dots.
    pub path: String,
    pub shape: Shape,
    pub mode: Mode,
    pub default: DefaultValue,
    pub effect: Effect,
    /// Whether the last applied value counts while it is not configured. It is remembered next to
    /// the state.
    pub remembered: bool,
    /// Whether a change may add to, or take from, what destroy deletes.
    pub affects_managed: bool,
    /// Whether the plan of a change looks at the surroundings again.
    pub needs_preflight: bool,
    /// Whether it belongs to the Azure gateway, so that the link never changes it on an existing
    /// one.
    pub of_azure_gateway: bool,
    pub source: Source,
    /// By which the domain reads it, and names it where it is invalid.
    pub id: Option<AttributeId>,
    /// Markdown, without default and effect.
    description: String,
}

impl AttributeRow {
    fn new(path: impl Into<String>, shape: Shape) -> Self {
        AttributeRow {
            path: path.into(),
            shape,
            mode: Mode::OptionalComputed,
            default: DefaultValue::Derived,
            effect: Effect::Unspecified,
            remembered: false,
            affects_managed: false,
            needs_preflight: false,
            of_azure_gateway: false,
            source: Source::Configuration,
            id: None,
            description: String::new(),
        }
    }

    fn of(path: impl Into<String>, ty: Type) -> Self {
        Self::new(path, Shape::Value(ty))
    }

    fn string(path: impl Into<String>) -> Self {
        Self::of(path, Type::String)
    }

    fn number(path: impl Into<String>) -> Self {
        Self::of(path, Type::Number)
    }

    fn bool(path: impl Into<String>) -> Self {
        Self::of(path, Type::Bool)
    }

    fn object(path: impl Into<String>) -> Self {
        Self::new(path, Shape::Object)
    }

    fn mode(self, mode: Mode) -> Self {
        AttributeRow { mode, ..self }
    }

    fn required(self) -> Self {
        self.mode(Mode::Required)
    }

    fn optional(self) -> Self {
        self.mode(Mode::Optional)
    }

    fn computed(self) -> Self {
        AttributeRow {
            source: Source::Objects,
            ..self.mode(Mode::Computed)
        }
    }

    fn default(self, value: impl Into<Value>) -> Self {
        AttributeRow {
            default: DefaultValue::Static(value.into()),
            ..self
        }
    }

    fn default_on_transit_gateway(self, value: impl Into<Value>) -> Self {
        AttributeRow {
            default: DefaultValue::StaticOnTransitGateway(value.into()),
            ..self
        }
    }

    fn default_of_created_gateway(self, value: impl Into<Value>) -> Self {
        AttributeRow {
            default: DefaultValue::OfCreatedGateway(value.into()),
            ..self
        }
    }

    fn on_change(self, effect: Effect) -> Self {
        AttributeRow { effect, ..self }
    }

    fn remembered(self) -> Self {
        AttributeRow {
            remembered: true,
            ..self
        }
    }

    fn affects_managed(self) -> Self {
        AttributeRow {
            affects_managed: true,
            ..self
        }
    }

    fn needs_preflight(self) -> Self {
        AttributeRow {
            needs_preflight: true,
            ..self
        }
    }

    fn of_azure_gateway(self) -> Self {
        AttributeRow {
            of_azure_gateway: true,
            ..self
        }
    }

    fn observed(self, read: ReadSetting) -> Self {
        AttributeRow {
            source: Source::Settings(read),
            ..self
        }
    }

    fn source(self, source: Source) -> Self {
        AttributeRow { source, ..self }
    }

    fn id(self, id: AttributeId) -> Self {
        AttributeRow {
            id: Some(id),
            ..self
        }
    }

    fn describe(self, description: impl Into<String>) -> Self {
        AttributeRow {
            description: description.into(),
            ..self
        }
    }

    /// The name, and the path of the object that it is in; None at the root.
    fn split(&self) -> (&str, Option<&str>) {
        self.path
            .rsplit_once('.')
            .map_or((self.path.as_str(), None), |(parent, name)| {
                (name, Some(parent))
            })
    }

    /// The complete description: what it is, its default, and what a change of it does.
    fn documentation(&self) -> String {
        let shown = |value: &Value| {
            let truth = || value.as_bool().map(|truth| truth.to_string());
            let number = || value.as_number().map(ToString::to_string);
            value
                .as_str()
                .map(str::to_owned)
                .or_else(truth)
                .or_else(number)
                .unwrap_or_default()
        };
        let default = match &self.default {
            DefaultValue::Derived => String::new(),
            DefaultValue::Static(value) | DefaultValue::StaticOnTransitGateway(value) => {
                format!("Defaults to `{}`.", shown(value))
            }
            DefaultValue::OfCreatedGateway(value) => {
                format!("Defaults to `{}` for a new gateway.", shown(value))
            }
        };
        let parts = [
            self.description.as_str(),
            &default,
            self.effect.documentation(),
        ];
        parts
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The attribute of the schema.
    fn attribute(&self) -> Attribute {
        let attribute = match &self.shape {
            Shape::Value(ty) => Attribute::of(ty.clone()),
            Shape::Object => {
                Attribute::nested(Nesting::Single, schema_attributes(Some(&self.path)))
            }
        };
        let attribute = match self.mode {
            Mode::Required => attribute.required(),
            Mode::Optional => attribute.optional(),
            Mode::OptionalComputed => attribute.optional().computed(),
            Mode::Computed => attribute.computed(),
            Mode::WriteOnly => attribute.optional().write_only(),
            Mode::Secret => attribute.optional().write_only().sensitive(),
        };
        attribute.description(self.documentation())
    }
}

/// Every row. Objects come before what is in them.
pub fn table() -> &'static [AttributeRow] {
    static TABLE: LazyLock<Vec<AttributeRow>> = LazyLock::new(|| {
        [link::rows(), azure::rows(), aws::rows()]
            .into_iter()
            .flatten()
            .collect()
    });
    &TABLE
}

/// The attributes of an object for the schema, by name; those of the resource for None.
pub fn schema_attributes(object: Option<&str>) -> Vec<(&'static str, Attribute)> {
    let rows = table().iter().filter(|row| row.split().1 == object);
    rows.map(|row| (row.split().0, row.attribute())).collect()
}

/// Paths of the rows that meet a condition.
pub fn paths(condition: impl Fn(&AttributeRow) -> bool) -> impl Iterator<Item = &'static str> {
    table()
        .iter()
        .filter(move |row| condition(row))
        .map(|row| row.path.as_str())
}

/// Paths whose change has an effect.
pub fn paths_with(effect: Effect) -> impl Iterator<Item = &'static str> {
    paths(move |row| row.effect == effect)
}

/// Paths whose last applied value counts while they are not configured.
pub fn remembered_paths() -> impl Iterator<Item = &'static str> {
    paths(|row| row.remembered)
}

/// The row of a path.
pub fn row(path: &str) -> Option<&'static AttributeRow> {
    table().iter().find(|row| row.path == path)
}

/// The path of an attribute that has a row of its own; empty for elements of objects and maps.
pub fn path_of(attribute: &AttributeId) -> &'static str {
    static PATHS: LazyLock<BTreeMap<&'static AttributeId, &'static str>> = LazyLock::new(|| {
        let rows = table()
            .iter()
            .filter_map(|row| Some((row.id.as_ref()?, row.path.as_str())));
        rows.collect()
    });
    PATHS.get(attribute).copied().unwrap_or_default()
}

/// The default of a gateway that is created; null where there is none.
pub fn default_of_created_gateway(attribute: &AttributeId) -> Value {
    match row(path_of(attribute)).map(|row| &row.default) {
        Some(DefaultValue::OfCreatedGateway(value)) => value.clone(),
        _ => Value::Null,
    }
}
