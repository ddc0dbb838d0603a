//! Reads the provider block. Unknown values are recorded by path and read as absent. Invalid values
//! are recorded as errors.

use crate::provider::summaries;
use bgp_vpn::types::tags::{TagError, check_keys, check_tag};
use bgp_vpn::types::{Tags, parse_duration};
use std::cell::RefCell;
use std::time::Duration;
use terraform_plugin::{AttributePath, Diagnostic, Diagnostics, Value};

/// Unknown values and errors found while reading.
#[derive(Default)]
pub(super) struct ReadNotes {
    pub unknown: RefCell<Vec<AttributePath>>,
    pub faults: RefCell<Diagnostics>,
}

/// An object of the provider block with its path.
pub(super) struct BlockReader<'a> {
    value: &'a Value,
    path: AttributePath,
    notes: &'a ReadNotes,
}

impl<'a> BlockReader<'a> {
    pub fn root(config: &'a Value, notes: &'a ReadNotes) -> Self {
        BlockReader {
            value: config,
            path: AttributePath::empty(),
            notes,
        }
    }

    fn at(&self, name: &str) -> AttributePath {
        self.path.clone().attr(name)
    }

    /// A value that is known and not null.
    fn known(&self, name: &str) -> Option<&'a Value> {
        let value = self.value.get(name);
        if !value.is_known() {
            self.notes.unknown.borrow_mut().push(self.at(name));
        }
        value.is_set().then_some(value)
    }

    /// Notes an error at an attribute of this object.
    pub fn error(&self, name: &str, summary: impl Into<String>, detail: impl Into<String>) {
        self.notes
            .faults
            .borrow_mut()
            .push(Diagnostic::error(summary).detail(detail).at(self.at(name)));
    }

    /// A text. An empty one is as good as none, as it is for the official providers.
    pub fn text(&self, name: &str) -> Option<String> {
        self.known(name)?
            .as_str()
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    }

    pub fn flag(&self, name: &str) -> Option<bool> {
        self.known(name)?.as_bool()
    }

    /// A number from 0 to 4,294,967,295.
    pub fn count(&self, name: &str) -> Option<u32> {
        let number = self
            .known(name)?
            .as_i64()
            .and_then(|number| u32::try_from(number).ok());
        if number.is_none() {
            let detail = format!(
                "{} must be a whole number from 0 to {}.",
                self.at(name),
                u32::MAX
            );
            self.error(name, summaries::INVALID_NUMBER, detail);
        }
        number
    }

    /// The known texts of a list or set.
    pub fn texts(&self, name: &str) -> Vec<String> {
        let items = self
            .known(name)
            .and_then(Value::as_list)
            .unwrap_or_default();
        if items.iter().any(|item| !item.is_known()) {
            self.notes.unknown.borrow_mut().push(self.at(name));
        }
        items
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    }

    /// A map of texts. None unless all of it is known.
    pub fn tags(&self, name: &str) -> Option<Tags> {
        let value = self.value.get(name);
        if !value.is_wholly_known() {
            self.notes.unknown.borrow_mut().push(self.at(name));
            return None;
        }
        let items = value.as_map().into_iter().flatten();
        let tags: Tags = items
            .filter_map(|(key, item)| Some((key.clone(), item.as_str()?.to_owned())))
            .collect();
        for (key, tag) in &tags {
            if let Some(fault) = check_tag(key, tag) {
                self.tag_fault(self.at(name).key(key), &fault);
            }
        }
        check_keys(tags.keys())
            .iter()
            .for_each(|fault| self.tag_fault(self.at(name), fault));
        Some(tags)
    }

    fn tag_fault(&self, path: AttributePath, fault: &TagError) {
        let detail = format!("{path}: {fault}. Change or remove the tag.");
        self.notes.faults.borrow_mut().push(
            Diagnostic::error(summaries::INVALID_TAG)
                .detail(detail)
                .at(path),
        );
    }

    /// A length of time in Go's notation, within limits.
    pub fn duration(&self, name: &str, least: Duration, most: Duration) -> Option<Duration> {
        let text = self.text(name)?;
        let duration = parse_duration(&text).filter(|duration| (least..=most).contains(duration));
        if duration.is_none() {
            let detail = format!(
                "{text:?} is not a duration from {} to {} minutes, such as \"45m\" or \"1h30m\".",
                least.as_secs() / 60,
                most.as_secs() / 60
            );
            self.error(name, summaries::INVALID_DURATION, detail);
        }
        duration
    }

    /// An object in this one.
    pub fn block(&self, name: &str) -> Option<BlockReader<'a>> {
        self.known(name).map(|value| BlockReader {
            value,
            path: self.at(name),
            notes: self.notes,
        })
    }

    /// The objects of a list in this one.
    pub fn blocks(&self, name: &str) -> Vec<BlockReader<'a>> {
        let items = self
            .known(name)
            .and_then(Value::as_list)
            .unwrap_or_default()
            .iter()
            .enumerate();
        let block = |(index, value): (usize, &'a Value)| {
            let path = self.at(name).index(index);
            if !value.is_known() {
                self.notes.unknown.borrow_mut().push(path.clone());
            }
            value.is_set().then_some(BlockReader {
                value,
                path,
                notes: self.notes,
            })
        };
        items.filter_map(block).collect()
    }
}
