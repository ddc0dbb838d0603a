//! Azure's documents.

use super::Side;
use super::shape::{Kind, Shapes};
use super::violations::{Place, Violations};
use serde_json::{Map, Value};

/// Holds a value against a type.
pub(super) fn check(
    shapes: &Shapes,
    kind: &Kind,
    side: Side,
    value: &Value,
    place: &Place<'_>,
    found: &mut Violations,
) {
    match (kind, value) {
        (Kind::Any, _) | (Kind::Text, Value::String(_)) | (Kind::Flag, Value::Bool(_)) => {}
        (Kind::Number, Value::Number(_)) => {}
        (Kind::Long, Value::Number(number)) if number.is_i64() || number.is_u64() => {}
        (Kind::Integer, Value::Number(number))
            if number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()) => {}
        (Kind::Moment, Value::String(text)) if text.parse::<jiff::Timestamp>().is_ok() => {}
        (Kind::Choice(choice), Value::String(text)) => {
            if !shapes.allows(*choice, text) {
                found.at(place, &shapes.choices(*choice));
            }
        }
        (Kind::Many(inner), Value::Array(items)) => {
            for item in items {
                check(shapes, inner, side, item, &place.of("[]"), found);
            }
        }
        (Kind::Map(inner), Value::Object(members)) => {
            for (name, value) in members {
                check(shapes, inner, side, value, &place.of(name), found);
            }
        }
        (Kind::Model(model), Value::Object(members)) => {
            object(shapes, *model, side, members, place, found)
        }
        (Kind::Reference(model), Value::Object(members)) => {
            let side = if side == Side::Loose {
                side
            } else {
                Side::Reference
            };
            object(shapes, *model, side, members, place, found);
        }
        (Kind::Either(kinds), _) => {
            let fitting = kinds.iter().find(|kind| fits(kind, value));
            match fitting {
                Some(kind) => check(shapes, kind, side, value, place, found),
                None => found.at(place, "none of the forms that it may have"),
            }
        }
        (_, value) => found.at(
            place,
            &format!("{} where {} belongs", form(value), wanted(kind)),
        ),
    }
}

fn object(
    shapes: &Shapes,
    model: usize,
    side: Side,
    members: &Map<String, Value>,
    place: &Place<'_>,
    found: &mut Violations,
) {
    let Some(model) = shapes.get(model) else {
        return;
    };
    let mut seen = 0;
    for (name, value) in members {
        let (kind, bit) = match (model.members.get(name), &model.others) {
            (Some(member), _) => (&member.kind, member.bit),
            (None, Some(others)) => (others, 0),
            (None, None) => {
                found.at(&place.of(name), "unknown");
                continue;
            }
        };
        // A client may say null for nothing; the service leaves the member out.
        if value.is_null() && side != Side::Answer {
            continue;
        }
        seen |= bit;
        let below = if side == Side::Reference {
            Side::Loose
        } else {
            side
        };
        check(shapes, kind, below, value, &place.of(name), found);
    }
    for name in model.missing(side, seen) {
        found.at(&place.of(name), "missing");
    }
}

fn fits(kind: &Kind, value: &Value) -> bool {
    match kind {
        Kind::Many(_) => value.is_array(),
        Kind::Model(_) | Kind::Reference(_) | Kind::Map(_) => value.is_object(),
        Kind::Integer | Kind::Long | Kind::Number => value.is_number(),
        Kind::Flag => value.is_boolean(),
        _ => value.is_string(),
    }
}

fn form(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number of another kind",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn wanted(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Integer => "a 32-bit integer",
        Kind::Long => "an integer",
        Kind::Number => "a number",
        Kind::Flag => "a boolean",
        Kind::Moment => "a date with time",
        Kind::Choice(_) => "a value of an enum",
        Kind::Many(_) => "a list",
        Kind::Any | Kind::Either(_) | Kind::Map(_) | Kind::Model(_) | Kind::Reference(_) => {
            "an object"
        }
    }
}
