//! Models and types, as the files in `schemas/` write them.
//!
//! A type is `string`, `integer` (32 bits), `long`, `number`, `boolean`, `time`, `any`, the name of
//! a model or of an enum, `[T]` for a list, `{T}` for a map from names, or `T|U` for forms of which
//! the document's decides. Behind it may stand:
//!
//! | mark | means |
//! |---|---|
//! | `*` | the schema requires it |
//! | `+` | requests need it, though the schema does not say so |
//! | `!` | answers always have it, by recordings or documentation |
//! | `&` | (behind a model) a reference: the id is enough |
//! | `~` | not in the schema, but recorded or documented |
//!
//! A member `*` stands for all others. `~` before a value of an enum means the same as behind a
//! type.

use super::Side;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Why a schema cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("a schema is no JSON of the expected form: {0}")]
    Json(#[from] serde_json::Error),
    #[error("a schema names {0}, which it does not define")]
    Undefined(String),
    #[error("model {0} has too many members")]
    Large(String),
}

/// What a value must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Long,
    Number,
    Flag,
    Moment,
    Any,
    /// Index of an enum.
    Choice(usize),
    Many(Box<Kind>),
    Map(Box<Kind>),
    /// Index of a model.
    Model(usize),
    Reference(usize),
    Either(Vec<Kind>),
}

#[derive(Clone, Debug)]
pub(super) struct Member {
    pub kind: Kind,
    /// Its place in the order of names: a bit in what was seen of a document.
    pub bit: u64,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub members: BTreeMap<String, Member>,
    /// What members without a name of their own are.
    pub others: Option<Kind>,
    /// Members that must be there, as bits.
    requests: u64,
    answers: u64,
    references: u64,
}

impl Model {
    /// Names of the members that must be there on that side and are not among those seen.
    pub fn missing(&self, side: Side, seen: u64) -> impl Iterator<Item = &str> {
        let wanted = match side {
            Side::Request => self.requests,
            Side::Answer => self.answers,
            Side::Reference => self.references,
            Side::Loose => 0,
        };
        let left = wanted & !seen;
        let missing = (left != 0).then(|| {
            self.members
                .iter()
                .filter(move |(_, member)| left & member.bit != 0)
        });
        missing.into_iter().flatten().map(|(name, _)| name.as_str())
    }
}

/// Models and enums that refer to each other.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    models: Vec<Model>,
    enums: Vec<Vec<String>>,
    names: BTreeMap<String, usize>,
    choices: BTreeMap<String, usize>,
}

/// Models as a file has them: members with their types.
pub(super) type Written = BTreeMap<String, BTreeMap<String, String>>;

/// The enums of a file, by name.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Enums(BTreeMap<String, Vec<String>>);

impl Shapes {
    pub fn read(models: &Written, enums: &Enums) -> Result<Shapes, Error> {
        let mut shapes = Shapes {
            names: models.keys().cloned().zip(0..).collect(),
            choices: enums.0.keys().cloned().zip(0..).collect(),
            ..Shapes::default()
        };
        let plain = |values: &Vec<String>| {
            values
                .iter()
                .map(|v| v.trim_start_matches('~').to_owned())
                .collect()
        };
        shapes.enums = enums.0.values().map(plain).collect();
        for (name, written) in models {
            let model = shapes.model(name, written)?;
            shapes.models.push(model);
        }
        Ok(shapes)
    }

    fn model(&self, name: &str, written: &BTreeMap<String, String>) -> Result<Model, Error> {
        let mut model = Model::default();
        for (place, (member, text)) in written.iter().enumerate() {
            let marks = text.trim_start_matches(|c: char| !"*+!~".contains(c));
            let kind = self.kind(text.trim_end_matches(marks))?;
            if member == "*" {
                model.others = Some(kind);
                continue;
            }
            let bit = u32::try_from(place)
                .ok()
                .and_then(|place| 1_u64.checked_shl(place));
            let bit = bit.ok_or_else(|| Error::Large(name.to_owned()))?;
            let wanted = |marked: bool| if marked { bit } else { 0 };
            model.requests |= wanted(marks.contains(['*', '+']));
            model.answers |= wanted(marks.contains(['*', '!']));
            model.references |= wanted(member == "id");
            model.members.insert(member.clone(), Member { kind, bit });
        }
        Ok(model)
    }

    /// Reads a type.
    pub fn kind(&self, text: &str) -> Result<Kind, Error> {
        if let Some((one, other)) = text.split_once('|') {
            return Ok(Kind::Either(vec![self.kind(one)?, self.kind(other)?]));
        }
        let within = |open, close| {
            text.strip_prefix(open)
                .and_then(|rest: &str| rest.strip_suffix(close))
        };
        if let Some(inner) = within('[', ']') {
            return Ok(Kind::Many(Box::new(self.kind(inner)?)));
        }
        if let Some(inner) = within('{', '}') {
            return Ok(Kind::Map(Box::new(self.kind(inner)?)));
        }
        let defined = |names: &BTreeMap<String, usize>, name: &str| names.get(name).copied();
        Ok(match text {
            "string" => Kind::Text,
            "integer" => Kind::Integer,
            "long" => Kind::Long,
            "number" => Kind::Number,
            "boolean" => Kind::Flag,
            "time" => Kind::Moment,
            "any" => Kind::Any,
            name => {
                let reference = name
                    .strip_suffix('&')
                    .and_then(|name| defined(&self.names, name))
                    .map(Kind::Reference);
                let model = || defined(&self.names, name).map(Kind::Model);
                let choice = || defined(&self.choices, name).map(Kind::Choice);
                reference
                    .or_else(model)
                    .or_else(choice)
                    .ok_or_else(|| Error::Undefined(name.to_owned()))?
            }
        })
    }

    pub fn get(&self, model: usize) -> Option<&Model> {
        self.models.get(model)
    }

    /// Whether the enum has that value.
    pub fn allows(&self, choice: usize, value: &str) -> bool {
        self.enums
            .get(choice)
            .is_some_and(|values| values.iter().any(|known| known == value))
    }

    /// The words for an unknown value of an enum.
    pub fn choices(&self, choice: usize) -> String {
        let values = self
            .enums
            .get(choice)
            .map(|values| values.join(", "))
            .unwrap_or_default();
        let name = self
            .choices
            .iter()
            .find(|(_, index)| **index == choice)
            .map(|(name, _)| name.as_str());
        let few: String = values.chars().take(200).collect();
        format!(
            "a value that {} does not have ({few})",
            name.unwrap_or_default()
        )
    }
}
