//! What was found wrong with one exchange, and where.

use std::fmt;

/// The lines of one exchange.
pub(super) struct Violations {
    operation: String,
    pub lines: Vec<String>,
}

impl Violations {
    pub fn of(operation: &str) -> Violations {
        Violations {
            operation: operation.to_owned(),
            lines: Vec::new(),
        }
    }

    /// Notes what is wrong with the exchange.
    pub fn add(&mut self, words: &str) {
        self.lines.push(format!("{}: {words}", self.operation));
    }

    /// Notes what is wrong with that member. The words must not carry its value.
    pub fn at(&mut self, place: &Place<'_>, words: &str) {
        self.lines
            .push(format!("{}: {place}: {words}", self.operation));
    }
}

/// A member on the way down from its document. It costs nothing until it is reported.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    within: Option<&'a Place<'a>>,
    name: &'a str,
}

impl<'a> Place<'a> {
    pub fn root(name: &'a str) -> Place<'a> {
        Place { within: None, name }
    }

    pub fn of(&'a self, name: &'a str) -> Place<'a> {
        Place {
            within: Some(self),
            name,
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(within) = self.within {
            write!(f, "{within}.")?;
        }
        f.write_str(self.name)
    }
}
