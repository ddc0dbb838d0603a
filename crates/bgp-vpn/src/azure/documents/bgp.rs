//! Answers of a gateway about its BGP sessions.

use super::{DocumentError, items, missing, number, text};
use crate::azure::model::BgpPeer;
use crate::types::Asn;
use serde_json::Value;
use std::net::Ipv4Addr;

/// A row of `getLearnedRoutes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LearnedRoute {
    /// Prefix, as text: it may be IPv6.
    pub network: String,
    pub next_hop: Option<Ipv4Addr>,
    /// The peer that advertised it, or the gateway itself.
    pub source_peer: Option<Ipv4Addr>,
    /// `Network`, `EBgp`, `IBgp`.
    pub origin: String,
    pub as_path: String,
}

/// # Errors
/// Where there is no list in `value`.
pub fn peers(doc: &Value) -> Result<Vec<BgpPeer>, DocumentError> {
    rows(doc)?;
    let peer = |row: &Value| BgpPeer {
        local: text(row, "/localAddress").and_then(|v| v.parse().ok()),
        neighbor: text(row, "/neighbor").and_then(|v| v.parse().ok()),
        asn: number(row, "/asn").map(Asn),
        state: text(row, "/state").unwrap_or("Unknown").to_owned(),
        routes_received: row
            .get("routesReceived")
            .and_then(Value::as_u64)
            .unwrap_or_default(),
    };
    Ok(items(doc, "/value").map(peer).collect())
}

/// # Errors
/// Where there is no list in `value`.
pub fn learned_routes(doc: &Value) -> Result<Vec<LearnedRoute>, DocumentError> {
    rows(doc)?;
    let route = |row: &Value| LearnedRoute {
        network: text(row, "/network").unwrap_or_default().to_owned(),
        next_hop: text(row, "/nextHop").and_then(|v| v.parse().ok()),
        source_peer: text(row, "/sourcePeer").and_then(|v| v.parse().ok()),
        origin: text(row, "/origin").unwrap_or_default().to_owned(),
        as_path: text(row, "/asPath").unwrap_or_default().to_owned(),
    };
    Ok(items(doc, "/value").map(route).collect())
}

fn rows(doc: &Value) -> Result<(), DocumentError> {
    doc.get("value")
        .filter(|v| v.is_array())
        .map(|_| ())
        .ok_or_else(|| missing("/value", "a list"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use serde_json::json;

    #[test]
    fn parse_peer_that_never_connected() {
        let doc = json!({"value": [{"localAddress": "10.0.0.254", "neighbor": "169.254.21.1", "asn": 64512,
            "state": "Connecting", "routesReceived": 0, "messagesSent": 0, "messagesReceived": 0}]});
        let peers = peers(&doc).unwrap();
        assert_eq!(
            (peers[0].asn, peers[0].state.as_str()),
            (Some(Asn(64512)), "Connecting")
        );
        assert!(super::peers(&json!({"status": "Succeeded"})).is_err());
    }
}
