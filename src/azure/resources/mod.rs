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

/// Version of Microsoft.Network's API for networks, public IPs and accounts. From 2025-07-01 on,
/// subnets of new networks have no outbound access by default.
const NETWORK: &str = "2025-01-01";
/// Version for gateways and connections. An edit writes back what was read, and an older version
/// omits newer properties of a gateway that others use too: `routingConfiguration` of connections
/// is not in 2025-01-01.
pub(super) const GATEWAYS: &str = "2026-03-01";
/// Version for gateways and connections in a cloud that does not serve the newer one yet.
pub(super) const OLDER_GATEWAYS: &str = "2025-01-01";

/// The version for the object of Microsoft.Network at a path.
pub(super) fn version_of(path: impl AsRef<str>) -> &'static str {
    const KINDS: [&str; 3] = [
        "/virtualnetworkgateways",
        "/localnetworkgateways",
        "/connections",
    ];
    let path = path.as_ref().to_ascii_lowercase();
    match KINDS.iter().any(|kind| path.contains(kind)) {
        true => GATEWAYS,
        false => NETWORK,
    }
}

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
