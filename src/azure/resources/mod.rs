//! Typed calls: what a link needs and nothing more, a file for each kind of object.
//!
//! A call ends when the work at Azure has ended: long-running operations are followed, what is busy
//! is waited out, lost responses are followed by a read. What changes a gateway, its connections or
//! their keys holds that gateway's lock.

mod account;
mod connection;
mod deletion;
mod gateway;
mod group;
mod local_gateway;
mod location;
mod network;
mod write;

pub use connection::ConnectionStatus;

use super::documents::DocumentError;
use super::error::Error;
use crate::client::ErrorContext;

/// Version of Microsoft.Network's API: old enough for the sovereign clouds, new enough for every
/// property used.
pub(super) const NETWORK: &str = "2025-01-01";
/// Version of the API of resource groups.
const GROUPS: &str = "2021-04-01";
/// Version of the API of management locks.
const LOCKS: &str = "2020-05-01";

/// Puts a fault of a document into an error that says where it was read.
fn read_as<T>(operation: &str, target: &str, parsed: Result<T, DocumentError>) -> Result<T, Error> {
    parsed.map_err(|fault| {
        Error::Malformed(ErrorContext::new(operation, target).with_message(fault.to_string()))
    })
}

/// A name as a path element.
pub(super) fn encoded(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~()".contains(&b);
    name.bytes()
        .map(|b| {
            if plain(b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}
