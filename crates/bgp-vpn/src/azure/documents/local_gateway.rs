//! Local network gateways: Azure's picture of one AWS tunnel end.

use super::{DocumentError, number, prefixes, put, resource, text};
use crate::azure::model::LocalGateway;
use crate::types::{Asn, Tags};
use serde_json::{Value, json};
use std::net::Ipv4Addr;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLocalGateway {
    pub location: String,
    /// The AWS tunnel's outside address.
    pub gateway_ip: Ipv4Addr,
    pub asn: Asn,
    /// The AWS end's inside address.
    pub bgp_ip: Ipv4Addr,
    pub tags: Tags,
}

impl NewLocalGateway {
    pub fn body(&self) -> Value {
        json!({
            "location": self.location,
            "tags": self.tags,
            "properties": {
                "gatewayIpAddress": self.gateway_ip,
                "localNetworkAddressSpace": {"addressPrefixes": []},
                "bgpSettings": {"asn": self.asn, "bgpPeeringAddress": self.bgp_ip},
            },
        })
    }
}

/// # Errors
/// Where the id is missing.
pub fn parse(raw: Value) -> Result<LocalGateway, DocumentError> {
    let resource = resource(raw)?;
    let doc = &resource.raw;
    let peer = text(doc, "/properties/bgpSettings/bgpPeeringAddress").and_then(|v| v.parse().ok());
    Ok(LocalGateway {
        gateway_ip: text(doc, "/properties/gatewayIpAddress").and_then(|v| v.parse().ok()),
        bgp: number(doc, "/properties/bgpSettings/asn")
            .map(Asn)
            .zip(peer),
        address_prefixes: prefixes(doc, "/properties/localNetworkAddressSpace/addressPrefixes"),
        resource,
    })
}

pub fn set_gateway_ip(doc: &mut Value, ip: Ipv4Addr) {
    put(doc, &["properties"], "gatewayIpAddress", json!(ip));
}

/// Sets ASN and peer address; the peer weight stays.
pub fn set_bgp(doc: &mut Value, asn: Asn, bgp_ip: Ipv4Addr) {
    put(doc, &["properties", "bgpSettings"], "asn", json!(asn));
    put(
        doc,
        &["properties", "bgpSettings"],
        "bgpPeeringAddress",
        json!(bgp_ip),
    );
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn local_gateway_round_trips_and_edit_keeps_rest() {
        let (ip, bgp_ip) = (
            "131.107.72.22".parse().unwrap(),
            "169.254.21.1".parse().unwrap(),
        );
        let new = NewLocalGateway {
            location: "eastus".into(),
            gateway_ip: ip,
            asn: Asn(64512),
            bgp_ip,
            tags: Tags::new(),
        };
        let mut doc = new.body();
        put(
            &mut doc,
            &[],
            "id",
            json!(
                "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/localNetworkGateways/l"
            ),
        );
        put(
            &mut doc,
            &["properties", "bgpSettings"],
            "peerWeight",
            json!(5),
        );
        set_bgp(&mut doc, Asn(64999), bgp_ip);
        assert_eq!(
            doc.pointer("/properties/bgpSettings/peerWeight"),
            Some(&json!(5))
        );
        let read = parse(doc).unwrap();
        assert_eq!(
            (read.gateway_ip, read.bgp),
            (Some(ip), Some((Asn(64999), bgp_ip)))
        );
    }
}
