//! Writes the elements of an answer in EC2's order-free style: scalars as text, lists as `<xSet><item>..</item></xSet>`.

use std::fmt::{Display, Write};

/// A run of XML elements.
#[derive(Clone, Debug, Default)]
pub struct Xml(String);

impl Xml {
    pub fn new() -> Self {
        Xml::default()
    }

    /// What calls without a payload answer.
    pub fn done() -> Self {
        let mut xml = Xml::new();
        xml.text("return", true);
        xml
    }

    pub fn text(&mut self, name: &str, value: impl Display) {
        self.0.push('<');
        self.0.push_str(name);
        self.0.push('>');
        let start = self.0.len();
        // Writing to a String cannot fail.
        let _ = write!(self.0, "{value}");
        if let Some(written) = self.0.get(start..)
            && written.contains(['&', '<', '>', '"'])
        {
            let escaped = escape(written);
            self.0.truncate(start);
            self.0.push_str(&escaped);
        }
        self.close(name);
    }

    /// Nothing at all where there is no value.
    pub fn maybe(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    pub fn nest(&mut self, name: &str, inside: impl FnOnce(&mut Xml)) {
        self.0.push('<');
        self.0.push_str(name);
        self.0.push('>');
        inside(self);
        self.close(name);
    }

    /// A list of structures; an empty list is an empty element.
    pub fn set<T>(&mut self, name: &str, items: impl IntoIterator<Item = T>, mut each: impl FnMut(&mut Xml, T)) {
        self.nest(name, |xml| {
            for item in items {
                xml.nest("item", |xml| each(xml, item));
            }
        });
    }

    pub fn into_string(self) -> String {
        self.0
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn close(&mut self, name: &str) {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }
}

/// The four characters that XML text must not carry bare.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
