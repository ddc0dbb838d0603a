//! Local network gateways: Azure's picture of one AWS tunnel endpoint.

use super::errors::{ApiError, unrecorded};
use super::ids::Id;
use super::resource::{self, Object, fill, text};
use super::resource_ops::{self, ValidatedPut};
use crate::time::SimDuration;
use crate::world::Context;
use ipnet::Ipv4Net;
use serde_json::{Value, json};
use std::net::Ipv4Addr;

const DURATION: (SimDuration, SimDuration) = (SimDuration::seconds(10), SimDuration::seconds(20));

/// ASNs that Azure keeps for itself: none of them may be a remote peer's.
const AZURE_ASNS: [u64; 8] = [8_074, 8_075, 12_076, 65_515, 65_517, 65_518, 65_519, 65_520];

pub(super) fn validate(
    id: &Id,
    body: &Object,
    cx: &mut Context<'_>,
) -> Result<ValidatedPut, ApiError> {
    let mut properties = resource_ops::properties(body);
    for computed in ["provisioningState", "resourceGuid"] {
        properties.remove(computed);
    }
    fill(
        &mut properties,
        json!({"localNetworkAddressSpace": {"addressPrefixes": []}}),
    );
    if let Some(space) = properties
        .get_mut("localNetworkAddressSpace")
        .and_then(Value::as_object_mut)
    {
        fill(space, json!({"addressPrefixes": []}));
    }
    if let Some(bgp) = properties
        .get_mut("bgpSettings")
        .and_then(Value::as_object_mut)
    {
        fill(bgp, json!({"peerWeight": 0}));
    }
    if properties.get("bgpSettings").is_some_and(Value::is_null) {
        properties.remove("bgpSettings");
    }
    let document = Value::Object(properties.clone());
    let address = text(&document, "/gatewayIpAddress");
    match (address, text(&document, "/fqdn")) {
        (Some(address), None) => {
            address.parse::<Ipv4Addr>().map_err(|_| {
                ApiError::bad(
                    "InvalidIPAddress",
                    format!("The gatewayIpAddress '{address}' of {id} is no IPv4 address."),
                )
            })?;
        }
        (None, Some(_)) => {}
        _ => {
            return Err(unrecorded(format!(
                "Exactly one of gatewayIpAddress and fqdn must be given for {id}."
            )));
        }
    }
    let prefixes = resource::items(&document, "/localNetworkAddressSpace/addressPrefixes");
    if let Some(bad) = prefixes
        .iter()
        .find(|p| p.as_str().and_then(|p| p.parse::<Ipv4Net>().ok()).is_none())
    {
        return Err(ApiError::bad(
            "InvalidAddressPrefixFormat",
            format!("Address prefix {bad} of {id} is no IPv4 prefix."),
        ));
    }
    match document.pointer("/bgpSettings") {
        None if prefixes.is_empty() => {
            return Err(ApiError::bad(
                "LocalNetworkGatewayCannotHaveEmptyAddressPrefixAndBgpSettings",
                format!(
                    "Local network gateway {id} cannot have both an empty address prefix and empty BGP settings."
                ),
            ));
        }
        None => {}
        Some(bgp) => {
            let asn = bgp.pointer("/asn").and_then(Value::as_u64).unwrap_or(0);
            if asn == 0 || asn > u64::from(u32::MAX) || AZURE_ASNS.contains(&asn) {
                return Err(unrecorded(format!(
                    "ASN {asn} cannot be used for the remote peer {id}."
                )));
            }
            let peer = text(bgp, "/bgpPeeringAddress").unwrap_or_default();
            if peer.parse::<Ipv4Addr>().is_err() || Some(peer) == address {
                return Err(unrecorded(format!(
                    "The bgpPeeringAddress '{peer}' of {id} must be an IPv4 address other than the gateway's own."
                )));
            }
        }
    }
    Ok(ValidatedPut::new(
        properties,
        cx.rng.duration(DURATION.0, DURATION.1),
    ))
}
