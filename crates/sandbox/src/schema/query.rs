//! Parameters of the Query protocol: structures and lists flattened into names such as
//! `TagSpecification.1.Tag.2.Key`.

use super::Side;
use super::shape::{Kind, Shapes};
use super::violations::{Place, Violations};
use std::collections::BTreeSet;

/// A parameter: what is left of its name below a structure, and its value.
pub(super) type Parameter<'a> = (&'a str, &'a str);

/// Holds parameters, in the order of their names, against a structure. `member` is the name that a
/// list puts before its numbers: `member` in STS, none in EC2.
pub(super) fn structure(
    shapes: &Shapes,
    model: usize,
    member: Option<&str>,
    parameters: &[Parameter<'_>],
    place: &Place<'_>,
    found: &mut Violations,
) {
    let Some(model) = shapes.get(model) else {
        return;
    };
    let mut seen = 0;
    for (name, group) in groups(parameters) {
        let place = place.of(name);
        match model.members.get(name) {
            Some(member_shape) => {
                seen |= member_shape.bit;
                check(shapes, &member_shape.kind, member, &group, &place, found);
            }
            None => found.at(&place, "unknown"),
        }
    }
    for name in model.missing(Side::Request, seen) {
        found.at(&place.of(name), "missing");
    }
}

/// Parameters by the first part of their names, which is taken off.
fn groups<'a>(parameters: &[Parameter<'a>]) -> Vec<(&'a str, Vec<Parameter<'a>>)> {
    let mut groups: Vec<(&str, Vec<Parameter<'_>>)> = Vec::new();
    for (name, value) in parameters {
        let (first, rest) = name.split_once('.').unwrap_or((name, ""));
        match groups.last_mut().filter(|(last, _)| *last == first) {
            Some((_, group)) => group.push((rest, value)),
            None => groups.push((first, vec![(rest, value)])),
        }
    }
    groups
}

fn check(
    shapes: &Shapes,
    kind: &Kind,
    member: Option<&str>,
    group: &[Parameter<'_>],
    place: &Place<'_>,
    found: &mut Violations,
) {
    match (kind, group) {
        (Kind::Model(model), _) => structure(shapes, *model, member, group, place, found),
        (Kind::Many(inner), _) => {
            let items = match member {
                None => groups(group),
                Some(member) => match groups(group).pop() {
                    Some((name, items)) if name == member => groups(&items),
                    _ => return found.at(place, "a list whose items are not numbered"),
                },
            };
            let mut numbers = BTreeSet::new();
            for (number, item) in &items {
                numbers.extend(number.parse::<usize>());
                check(shapes, inner, member, item, &place.of(number), found);
            }
            if !numbers.iter().copied().eq(1..=items.len()) {
                found.at(place, "a list that is not numbered from 1 without gaps");
            }
        }
        (_, [("", value)]) => {
            if let Some(words) = scalar(shapes, kind, value) {
                found.at(place, &words);
            }
        }
        _ => found.at(place, "a structure where a plain value belongs"),
    }
}

/// What is wrong with the text of a plain value, in a request or in XML.
pub(super) fn scalar(shapes: &Shapes, kind: &Kind, text: &str) -> Option<String> {
    let (good, wanted) = match kind {
        Kind::Text | Kind::Any => (true, ""),
        Kind::Integer => (text.parse::<i32>().is_ok(), "no 32-bit integer"),
        Kind::Long => (text.parse::<i64>().is_ok(), "no integer"),
        Kind::Number => (text.parse::<f64>().is_ok(), "no number"),
        Kind::Flag => (matches!(text, "true" | "false"), "neither true nor false"),
        Kind::Moment => (text.parse::<jiff::Timestamp>().is_ok(), "no date with time"),
        Kind::Choice(choice) if shapes.allows(*choice, text) => (true, ""),
        Kind::Choice(choice) => return Some(shapes.choices(*choice)),
        _ => (false, "a plain value where a structure belongs"),
    };
    (!good).then(|| wanted.to_owned())
}
