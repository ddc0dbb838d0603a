//! IPv4 networks in CIDR notation, and the size of a gateway subnet.

use crate::config::Attr;
use crate::violation::{AttributeId, Violation, ViolationKind};
use ipnet::Ipv4Net;

pub(super) fn validate_cidr(
    text: &Attr<String>,
    field: AttributeId,
    violations: &mut Vec<Violation>,
) -> Option<Ipv4Net> {
    let text = text.known()?;
    match parse_cidr(text) {
        Some(net) => Some(net),
        None => {
            violations.push(Violation::error(
                field,
                ViolationKind::InvalidCidr(text.clone()),
            ));
            None
        }
    }
}

/// A network without host bits.
pub fn parse_cidr(text: &str) -> Option<Ipv4Net> {
    text.parse::<Ipv4Net>()
        .ok()
        .filter(|net| net.addr() == net.network())
}

pub(super) fn validate_gateway_subnet_size(
    text: &Attr<String>,
    field: &AttributeId,
    violations: &mut Vec<Violation>,
) {
    if let Some(net) = text.known().and_then(|text| parse_cidr(text)) {
        violations.extend(gateway_subnet_size(net, field));
    }
}

/// /29 is the least that Azure takes for a gateway subnet; below /27 it warns.
pub fn gateway_subnet_size(net: Ipv4Net, field: &AttributeId) -> Option<Violation> {
    match net.prefix_len() {
        30.. => Some(Violation::error(
            field.clone(),
            ViolationKind::GatewaySubnetTooSmall(net.to_string()),
        )),
        28..=29 => Some(Violation::warning(
            field.clone(),
            ViolationKind::GatewaySubnetSmall(net.to_string()),
        )),
        _ => None,
    }
}
