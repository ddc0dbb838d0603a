//! Writes the elements of an answer: scalars as text, lists as `<xSet><item>..</item></xSet>`.

use std::fmt::{Display, Write};

/// A run of XML elements.
#[derive(Clone, Debug)]
pub struct Xml {
    out: String,
    /// What stands for the angle brackets.
    open: &'static str,
    close: &'static str,
}

impl Default for Xml {
    fn default() -> Self {
        Xml {
            out: String::new(),
            open: "<",
            close: ">",
        }
    }
}

impl Xml {
    pub fn new() -> Self {
        Xml::default()
    }

    /// A document to be carried as the text of an element: its tags are written escaped. Only
    /// values without special characters may go into it.
    pub fn carried() -> Self {
        Xml {
            out: String::new(),
            open: "&lt;",
            close: "&gt;",
        }
    }

    /// What calls without a payload answer.
    pub fn done() -> Self {
        let mut xml = Xml::new();
        xml.text("return", true);
        xml
    }

    pub fn text(&mut self, name: &str, value: impl Display) {
        self.tag("", name);
        let start = self.out.len();
        // Writing to a String cannot fail.
        let _ = write!(self.out, "{value}");
        let written = self.out.as_bytes().get(start..).unwrap_or_default();
        if written
            .iter()
            .any(|byte| matches!(byte, b'&' | b'<' | b'>' | b'"'))
            && let Some(escaped) = self.out.get(start..).map(escape)
        {
            self.out.truncate(start);
            self.out.push_str(&escaped);
        }
        self.tag("/", name);
    }

    /// Text that is escaped already.
    pub fn escaped(&mut self, name: &str, text: &str) {
        self.tag("", name);
        self.out.push_str(text);
        self.tag("/", name);
    }

    /// Nothing at all where there is no value.
    pub fn maybe(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    pub fn nest(&mut self, name: &str, inside: impl FnOnce(&mut Xml)) {
        self.tag("", name);
        inside(self);
        self.tag("/", name);
    }

    /// A list of structures; an empty list is an empty element.
    pub fn set<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut each: impl FnMut(&mut Xml, T),
    ) {
        self.nest(name, |xml| {
            for item in items {
                xml.nest("item", |xml| each(xml, item));
            }
        });
    }

    pub fn into_string(self) -> String {
        self.out
    }

    pub fn as_str(&self) -> &str {
        &self.out
    }

    fn tag(&mut self, slash: &str, name: &str) {
        for part in [self.open, slash, name, self.close] {
            self.out.push_str(part);
        }
    }
}

/// The four characters that XML text must not carry bare.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
