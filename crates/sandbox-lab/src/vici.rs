//! strongSwan's control protocol: packets on a UNIX socket, each a length, a type, a name and a
//! tree of values. Source: `src/libcharon/plugins/vici/README.md` of strongSwan.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// No answer takes longer unless the daemon hangs.
const TIMEOUT: Duration = Duration::from_secs(5);

const CMD_REQUEST: u8 = 0;
const CMD_RESPONSE: u8 = 1;
const EVENT_REGISTER: u8 = 3;
const EVENT_CONFIRM: u8 = 5;
const EVENT: u8 = 7;

const SECTION_START: u8 = 1;
const SECTION_END: u8 = 2;
const KEY_VALUE: u8 = 3;
const LIST_START: u8 = 4;
const LIST_ITEM: u8 = 5;
const LIST_END: u8 = 6;

/// A value of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    List(Vec<String>),
    Section(Section),
}

/// Named values in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Section(pub Vec<(String, Value)>);

impl Section {
    pub fn new() -> Self {
        Section::default()
    }

    pub fn text(mut self, name: &str, value: impl ToString) -> Self {
        self.0
            .push((name.to_owned(), Value::Text(value.to_string())));
        self
    }

    pub fn list(mut self, name: &str, values: &[String]) -> Self {
        self.0.push((name.to_owned(), Value::List(values.to_vec())));
        self
    }

    pub fn section(mut self, name: &str, section: Section) -> Self {
        self.0.push((name.to_owned(), Value::Section(section)));
        self
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find_map(|(own, value)| match value {
            Value::Text(text) if own == name => Some(text.as_str()),
            _ => None,
        })
    }

    /// All sections within, or those of the section of that name.
    pub fn sections(&self) -> impl Iterator<Item = (&str, &Section)> {
        self.0.iter().filter_map(|(name, value)| match value {
            Value::Section(section) => Some((name.as_str(), section)),
            _ => None,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        for (name, value) in &self.0 {
            match value {
                Value::Text(text) => {
                    out.push(KEY_VALUE);
                    short(out, name);
                    long(out, text);
                }
                Value::List(items) => {
                    out.push(LIST_START);
                    short(out, name);
                    for item in items {
                        out.push(LIST_ITEM);
                        long(out, item);
                    }
                    out.push(LIST_END);
                }
                Value::Section(section) => {
                    out.push(SECTION_START);
                    short(out, name);
                    section.write(out);
                    out.push(SECTION_END);
                }
            }
        }
    }

    /// Reads up to the end of the section, or of the message.
    fn read(from: &mut &[u8]) -> io::Result<Section> {
        let mut section = Section::default();
        while let Some(kind) = byte(from) {
            match kind {
                SECTION_END => break,
                SECTION_START => {
                    let name = words(from, 1)?;
                    section.0.push((name, Value::Section(Section::read(from)?)));
                }
                KEY_VALUE => {
                    let name = words(from, 1)?;
                    section.0.push((name, Value::Text(words(from, 2)?)));
                }
                LIST_START => {
                    let name = words(from, 1)?;
                    let mut items = Vec::new();
                    while byte(from) == Some(LIST_ITEM) {
                        items.push(words(from, 2)?);
                    }
                    section.0.push((name, Value::List(items)));
                }
                other => {
                    return Err(io::Error::other(format!(
                        "element {other} in a vici message"
                    )));
                }
            }
        }
        Ok(section)
    }
}

fn short(out: &mut Vec<u8>, text: &str) {
    out.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
    out.extend(text.as_bytes());
}

fn long(out: &mut Vec<u8>, text: &str) {
    out.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend(text.as_bytes());
}

fn byte(from: &mut &[u8]) -> Option<u8> {
    let (first, rest) = from.split_first()?;
    *from = rest;
    Some(*first)
}

/// Text behind a length of that many bytes.
fn words(from: &mut &[u8], width: usize) -> io::Result<String> {
    let cut = || io::Error::new(io::ErrorKind::UnexpectedEof, "a vici message is cut short");
    let mut length = 0;
    for _ in 0..width {
        length = length << 8 | usize::from(byte(from).ok_or_else(cut)?);
    }
    let (text, rest) = from.split_at_checked(length).ok_or_else(cut)?;
    *from = rest;
    Ok(String::from_utf8_lossy(text).into_owned())
}

/// A connection to one daemon.
#[derive(Debug)]
pub(super) struct Vici(UnixStream);

impl Vici {
    pub fn connect(socket: &Path) -> io::Result<Vici> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        Ok(Vici(stream))
    }

    /// A command and its answer; `success=no` is an error with the daemon's words.
    pub fn call(&mut self, command: &str, message: &Section) -> io::Result<Section> {
        self.send(CMD_REQUEST, command, message)?;
        let answer = self.answer(&mut Vec::new())?;
        match answer.get("success") {
            Some("no") => Err(io::Error::other(
                answer.get("errmsg").unwrap_or("refused").to_owned(),
            )),
            _ => Ok(answer),
        }
    }

    /// A command that answers by events: all of them.
    pub fn stream(&mut self, command: &str, event: &str) -> io::Result<Vec<Section>> {
        self.send(EVENT_REGISTER, event, &Section::default())?;
        let (kind, _) = self.packet()?;
        if kind != EVENT_CONFIRM {
            return Err(io::Error::other(format!("no event {event}")));
        }
        self.send(CMD_REQUEST, command, &Section::default())?;
        let mut events = Vec::new();
        self.answer(&mut events)?;
        Ok(events)
    }

    fn send(&mut self, kind: u8, name: &str, message: &Section) -> io::Result<()> {
        let mut packet = vec![kind];
        short(&mut packet, name);
        message.write(&mut packet);
        let length = u32::try_from(packet.len()).map_err(io::Error::other)?;
        self.0
            .write_all(&[&length.to_be_bytes()[..], &packet].concat())
    }

    fn packet(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut length = [0; 4];
        self.0.read_exact(&mut length)?;
        let mut packet =
            vec![0; usize::try_from(u32::from_be_bytes(length)).map_err(io::Error::other)?];
        self.0.read_exact(&mut packet)?;
        let mut rest = packet.as_slice();
        let kind = byte(&mut rest).ok_or_else(|| io::Error::other("an empty vici packet"))?;
        Ok((kind, rest.to_vec()))
    }

    fn answer(&mut self, events: &mut Vec<Section>) -> io::Result<Section> {
        loop {
            let (kind, body) = self.packet()?;
            let mut body = body.as_slice();
            match kind {
                CMD_RESPONSE => return Section::read(&mut body),
                EVENT => {
                    words(&mut body, 1)?;
                    events.push(Section::read(&mut body)?);
                }
                other => {
                    return Err(io::Error::other(format!(
                        "vici answers with packet {other}"
                    )));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn vici_message_round_trips() {
        let inner = Section::new()
            .text("version", 2)
            .list("proposals", &["aes256-sha256-ecp384".to_owned()]);
        let message = Section::new()
            .section("link", inner.section("empty", Section::new()))
            .text("last", "");
        let mut bytes = Vec::new();
        message.write(&mut bytes);
        assert_eq!(Section::read(&mut bytes.as_slice()).unwrap(), message);
        assert!(Section::read(&mut &bytes[..bytes.len() - 4]).is_err());
    }
}
