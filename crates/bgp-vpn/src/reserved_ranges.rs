//! Address ranges that one of the clouds always rejects.

use super::cidr::overlaps;
use super::violation::{AttributeId, Violation, ViolationKind};
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// Ranges that neither a VNet nor a VPC may contain.
const RESERVED: [(Ipv4Addr, u8); 4] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];
/// Azure: the smallest and the largest prefix of a VNet's range or subnet.
const AZURE_PREFIXES: (u8, u8) = (2, 29);

/// The reserved range that a network overlaps.
pub fn reserved(net: Ipv4Net) -> Option<Ipv4Net> {
    RESERVED
        .into_iter()
        .filter_map(|(ip, len)| Ipv4Net::new(ip, len).ok())
        .find(|reserved| overlaps(net, *reserved))
}

/// A range of a VNet or VPC.
pub(super) fn check_reserved(net: Ipv4Net, field: &AttributeId) -> Option<Violation> {
    let reserved = reserved(net)?.to_string();
    Some(Violation::error(
        field.clone(),
        ViolationKind::ReservedRange {
            given: net.to_string(),
            reserved,
        },
    ))
}

/// A range or subnet of a VNet. A gateway subnet has rules of its own.
pub(super) fn check_azure_size(net: Ipv4Net, field: &AttributeId) -> Option<Violation> {
    let (least, most) = AZURE_PREFIXES;
    let given = net.prefix_len();
    let problem = || {
        let (given, least, most) = (i64::from(given), i64::from(least), i64::from(most));
        ViolationKind::OutOfRange {
            given,
            least,
            most,
            unit: " bits of prefix",
        }
    };
    (!(least..=most).contains(&given)).then(|| Violation::error(field.clone(), problem()))
}

/// Ranges of one VNet: each on its own, and that no two overlap.
pub(super) fn check_space(space: &[Ipv4Net], field: &AttributeId) -> Vec<Violation> {
    let mut violations: Vec<Violation> = Vec::new();
    for (at, net) in space.iter().enumerate() {
        violations.extend(check_reserved(*net, field).or_else(|| check_azure_size(*net, field)));
        if let Some(other) = space.iter().take(at).find(|other| overlaps(**other, *net)) {
            violations.push(Violation::error(
                field.clone(),
                ViolationKind::SubnetsOverlap(other.to_string(), net.to_string()),
            ));
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn check_space_finds_what_azure_rejects() {
        let violations = |space: &[&str]| {
            let space: Vec<Ipv4Net> = space.iter().map(|net| net.parse().unwrap()).collect();
            check_space(&space, &AttributeId::AddressSpace).len()
        };
        assert_eq!(
            violations(&[
                "10.0.0.0/8",
                "192.168.0.0/16",
                "100.64.0.0/10",
                "20.0.0.0/29"
            ]),
            0
        );
        for one in [
            "0.0.0.0/0",
            "127.0.0.0/16",
            "169.254.21.0/24",
            "224.0.0.0/24",
            "240.0.0.0/24",
            "10.0.0.0/30",
        ] {
            assert_eq!(violations(&[one]), 1, "{one}");
        }
        assert_eq!(violations(&["10.1.0.0/16", "10.1.2.0/24"]), 1);
        assert_eq!(violations(&["10.1.0.0/16", "10.1.0.0/16"]), 1);
    }
}
