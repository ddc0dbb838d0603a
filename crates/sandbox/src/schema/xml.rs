//! AWS's documents, held against their shapes while they are read.

use super::shape::{Kind, Shapes};
use super::violations::{Place, Violations};
use super::{Side, query};

/// A document from here on.
pub(super) struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// Past the declaration, if there is one.
    pub fn of(document: &'a str) -> Reader<'a> {
        let mut reader = Reader { rest: document };
        reader.space();
        if let Some((_, rest)) = reader
            .rest
            .strip_prefix("<?")
            .and_then(|rest| rest.split_once("?>"))
        {
            reader.rest = rest;
        }
        reader
    }

    /// Whether nothing is left.
    pub fn at_end(&mut self) -> bool {
        self.space();
        self.rest.is_empty()
    }

    /// The name of the element that begins here; its attributes are passed over.
    pub fn open(&mut self) -> Option<&'a str> {
        self.space();
        let tag = self
            .rest
            .strip_prefix('<')
            .filter(|tag| !tag.starts_with('/'))?;
        let (tag, rest) = tag.split_once('>')?;
        self.rest = rest;
        tag.split(' ').next()
    }

    /// Goes past the end of that element; false if something else is here.
    pub fn close(&mut self, name: &str) -> bool {
        self.space();
        let rest = self
            .rest
            .strip_prefix("</")
            .and_then(|rest| rest.strip_prefix(name)?.strip_prefix('>'));
        rest.inspect(|rest| self.rest = rest).is_some()
    }

    /// The text up to the next tag, as it is written.
    fn text(&mut self) -> &'a str {
        let end = self.rest.find('<').unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        text
    }

    /// Skips the content of an element.
    pub fn skip(&mut self, name: &str) {
        loop {
            if self.close(name) || self.rest.is_empty() {
                return;
            }
            match self.open() {
                Some(inner) => self.skip(inner),
                None if self.text().is_empty() => return,
                None => {}
            }
        }
    }

    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }
}

/// Holds the inside of the element `name` against a type and goes past its end. `item` is what
/// elements of lists are called.
pub(super) fn element(
    shapes: &Shapes,
    kind: &Kind,
    item: &str,
    reader: &mut Reader<'_>,
    name: &str,
    place: &Place<'_>,
    found: &mut Violations,
) {
    match kind {
        Kind::Model(model) => {
            let seen = members(shapes, *model, item, reader, &[], place, found);
            missing(shapes, *model, seen, place, found);
        }
        Kind::Many(inner) => {
            while let Some(child) = reader.open() {
                let below = place.of("[]");
                if child == item {
                    element(shapes, inner, item, reader, child, &below, found);
                } else {
                    found.at(&place.of(child), "not what items of a list are called");
                    reader.skip(child);
                }
            }
        }
        _ => {
            if let Some(words) = query::scalar(shapes, kind, reader.text()) {
                found.at(place, &words);
            }
        }
    }
    if !reader.close(name) {
        found.at(
            place,
            "an element where text belongs, or text where an element belongs",
        );
        reader.skip(name);
    }
}

/// Reads the members of a structure up to its end; gives what was seen. `next to` lists elements
/// that the protocol adds.
pub(super) fn members(
    shapes: &Shapes,
    model: usize,
    item: &str,
    reader: &mut Reader<'_>,
    ignored: &[&str],
    place: &Place<'_>,
    found: &mut Violations,
) -> u64 {
    let Some(model) = shapes.get(model) else {
        return 0;
    };
    let mut seen = 0;
    while let Some(child) = reader.open() {
        match model.members.get(child) {
            Some(member) if seen & member.bit == 0 => {
                seen |= member.bit;
                element(
                    shapes,
                    &member.kind,
                    item,
                    reader,
                    child,
                    &place.of(child),
                    found,
                );
            }
            Some(_) => {
                found.at(&place.of(child), "there twice");
                reader.skip(child);
            }
            None => {
                if !ignored.contains(&child) {
                    found.at(&place.of(child), "unknown");
                }
                reader.skip(child);
            }
        }
    }
    seen
}

/// Notes the members of an answer that must be there and were not seen.
pub(super) fn missing(
    shapes: &Shapes,
    model: usize,
    seen: u64,
    place: &Place<'_>,
    found: &mut Violations,
) {
    let Some(model) = shapes.get(model) else {
        return;
    };
    for name in model.missing(Side::Answer, seen) {
        found.at(&place.of(name), "missing");
    }
}
