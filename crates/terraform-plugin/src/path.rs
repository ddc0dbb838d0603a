//! Where in an object a value sits: `azure.asn`, `tunnels["a"].shared_key`, `rules[3]`.

use std::fmt;

use super::protocol::tfplugin6 as wire;

/// One step down from an object, map or list to a part of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// An attribute of an object.
    Attribute(String),
    /// An element of a map.
    Key(String),
    /// An element of a list or tuple, from 0. Terraform has no notation for an element of a set:
    /// there the index only says in what order the elements came.
    Index(i64),
}

/// The steps from the root of a configuration or state to one value in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttributePath(Vec<Step>);

impl AttributePath {
    /// The path without steps: that of the object itself.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The path of a top-level attribute.
    pub fn root(attribute: impl Into<String>) -> Self {
        Self::default().attr(attribute)
    }

    /// This path and an attribute below it.
    #[must_use]
    pub fn attr(self, name: impl Into<String>) -> Self {
        self.step(Step::Attribute(name.into()))
    }

    /// This path and a map element below it.
    #[must_use]
    pub fn key(self, key: impl Into<String>) -> Self {
        self.step(Step::Key(key.into()))
    }

    /// This path and a list element below it.
    #[must_use]
    pub fn index(self, index: usize) -> Self {
        self.step(Step::Index(i64::try_from(index).unwrap_or(i64::MAX)))
    }

    /// This path and one more step.
    #[must_use]
    pub fn step(mut self, step: Step) -> Self {
        self.0.push(step);
        self
    }

    /// The steps, outermost first.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether this is the path of the object itself.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn from_reversed(mut steps: Vec<Step>) -> Self {
        steps.reverse();
        Self(steps)
    }

    pub(crate) fn to_wire(&self) -> wire::AttributePath {
        use wire::attribute_path::step::Selector;
        let steps = self.0.iter().map(|step| wire::attribute_path::Step {
            selector: Some(match step {
                Step::Attribute(name) => Selector::AttributeName(name.clone()),
                Step::Key(key) => Selector::ElementKeyString(key.clone()),
                Step::Index(index) => Selector::ElementKeyInt(*index),
            }),
        });
        wire::AttributePath {
            steps: steps.collect(),
        }
    }
}

impl From<&str> for AttributePath {
    /// A dotted path of attributes: `"azure.asn"`.
    fn from(dotted: &str) -> Self {
        Self(
            dotted
                .split('.')
                .filter(|part| !part.is_empty())
                .map(|part| Step::Attribute(part.to_owned()))
                .collect(),
        )
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Attribute(name) if position == 0 => write!(f, "{name}")?,
                Step::Attribute(name) => write!(f, ".{name}")?,
                Step::Key(key) => write!(f, "[{key:?}]")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_path_as_in_hcl() {
        assert_eq!(
            AttributePath::root("azure").attr("asn").to_string(),
            "azure.asn"
        );
        assert_eq!(
            AttributePath::root("tunnels")
                .key("x")
                .attr("y")
                .to_string(),
            r#"tunnels["x"].y"#
        );
        assert_eq!(
            AttributePath::root("rules").index(3).to_string(),
            "rules[3]"
        );
        assert_eq!(
            AttributePath::from("azure.asn"),
            AttributePath::root("azure").attr("asn")
        );
    }
}
