//! A planned state in the making: the configuration, with places to be filled where nothing is
//! configured.

use terraform_plugin::{AttributePath, Value};

/// The configuration and what is made of it. Configured places, unknown ones too, are never
/// touched.
pub struct PlannedState<'a> {
    pub config: &'a Value,
    pub planned: Value,
    /// Configured places that stay as the clouds have them.
    pub left: Vec<AttributePath>,
}

impl<'a> PlannedState<'a> {
    pub fn new(config: &'a Value) -> Self {
        let mut planned = config.clone();
        planned.set("preshared_keys_wo", Value::Null);
        PlannedState {
            config,
            planned,
            left: Vec::new(),
        }
    }

    /// Whether nothing is configured at a place, nor unknown above it.
    pub fn is_open(&self, path: &str) -> bool {
        self.config.at(&path.into()).is_null()
    }

    /// What is configured at a place.
    pub fn configured(&self, path: &str) -> &'a Value {
        self.config.at(&AttributePath::from(path))
    }

    /// What is planned at a place.
    pub fn at(&self, path: &str) -> &Value {
        self.planned.at(&path.into())
    }

    /// Sets a place where nothing is configured.
    pub fn fill(&mut self, path: &str, value: impl Into<Value>) {
        if self.is_open(path) {
            self.planned.set_at(&path.into(), value);
        }
    }

    /// Takes the prior spelling of a configured text that is equal to it but for the spelling.
    pub fn keep_prior_casing(
        &mut self,
        path: &str,
        prior: &Value,
        same: impl Fn(&str, &str) -> bool,
    ) {
        if let (Some(new), Some(old)) = (self.at(path).as_str(), prior.at(&path.into()).as_str())
            && new != old
            && same(new, old)
        {
            let old = old.to_owned();
            self.planned.set_at(&path.into(), old);
        }
    }
}

/// A known value, or unknown.
pub fn known_or_unknown(value: Option<impl Into<Value>>) -> Value {
    value.map_or_else(Value::unknown, Into::into)
}
