//! A planned state in the making: the configuration, with places to be filled where nothing is
//! configured.

use super::attribute_paths::value_path;
use super::model::Model;
use bgp_vpn::config::AttributeId;
use terraform_plugin::{AttributePath, Value};

/// An attribute by its id, or a place by its path.
pub trait Place {
    fn path(&self) -> AttributePath;
}

impl Place for AttributeId {
    fn path(&self) -> AttributePath {
        value_path(self)
    }
}

impl Place for str {
    fn path(&self) -> AttributePath {
        self.into()
    }
}

impl Place for &str {
    fn path(&self) -> AttributePath {
        (*self).into()
    }
}

impl Place for String {
    fn path(&self) -> AttributePath {
        self.as_str().into()
    }
}

/// The configuration and what is made of it. Configured places, unknown ones too, are never
/// touched.
pub struct PlannedState<'a> {
    pub config: &'a Model,
    pub planned: Value,
    /// Configured places that stay as the clouds have them.
    pub left: Vec<AttributePath>,
}

impl<'a> PlannedState<'a> {
    pub fn new(config: &'a Model) -> Self {
        let mut planned = config.value().clone();
        planned.set("preshared_keys_wo", Value::Null);
        PlannedState {
            config,
            planned,
            left: Vec::new(),
        }
    }

    /// Whether nothing is configured at a place, nor unknown above it.
    pub fn is_open(&self, place: &(impl Place + ?Sized)) -> bool {
        self.config.at(place).is_null()
    }

    /// What is configured at a place.
    pub fn configured(&self, place: &(impl Place + ?Sized)) -> &'a Value {
        self.config.at(place)
    }

    /// What is planned at a place.
    pub fn at(&self, place: &(impl Place + ?Sized)) -> &Value {
        self.planned.at(&place.path())
    }

    /// Sets a place where nothing is configured.
    pub fn fill(&mut self, place: &(impl Place + ?Sized), value: impl Into<Value>) {
        if self.is_open(place) {
            self.planned.set_at(&place.path(), value);
        }
    }

    /// Takes the prior spelling of a configured text that is equal to it but for the spelling.
    pub fn keep_prior_casing(
        &mut self,
        attribute: &AttributeId,
        prior: &Model,
        same: impl Fn(&str, &str) -> bool,
    ) {
        if let (Some(new), Some(old)) = (self.at(attribute).as_str(), prior.at(attribute).as_str())
            && new != old
            && same(new, old)
        {
            let old = old.to_owned();
            self.planned.set_at(&attribute.path(), old);
        }
    }
}

/// A known value, or unknown.
pub fn known_or_unknown(value: Option<impl Into<Value>>) -> Value {
    value.map_or_else(Value::unknown, Into::into)
}
