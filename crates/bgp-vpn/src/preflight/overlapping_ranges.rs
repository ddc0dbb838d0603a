//! Address ranges that exist on both sides: hosts in them cannot be reached across the VPN.

use super::context::PreflightContext;
use super::snapshot::PreflightSnapshot;
use crate::cidr::overlaps;
use crate::config::Attr;
use crate::preflight_issue::PreflightIssue;
use crate::validation::parse_cidr;
use crate::violation::{AttributeId, Severity, Violation, ViolationKind};
use ipnet::Ipv4Net;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Carrier-grade NAT space, which many networks use in addition to their own: its overlaps only
/// cause warnings.
fn is_cgnat(net: Ipv4Net) -> bool {
    Ipv4Net::new(Ipv4Addr::new(100, 64, 0, 0), 10).is_ok_and(|shared| shared.contains(&net))
}

pub(super) fn check_overlaps(
    context: PreflightContext<'_>,
    snapshot: &PreflightSnapshot,
    violations: &mut Vec<Violation>,
) {
    let network = snapshot
        .network
        .found()
        .or_else(|| snapshot.gateway_network.found());
    let mut azure: Vec<Ipv4Net> = network
        .map(|network| network.address_space.clone())
        .unwrap_or_default();
    if let Attr::Known(create) = &context.planned.network {
        let space = create.address_space.known().into_iter().flatten();
        azure.extend(space.filter_map(|text| parse_cidr(text.known()?)));
    }
    let mut aws: Vec<(Ipv4Net, bool)> = Vec::new();
    if let Some(vpc) = snapshot.vpc.found() {
        aws.push((vpc.cidr, true));
        aws.extend(vpc.secondary_cidrs.iter().map(|net| (*net, false)));
    }
    let creates = context.planned.vpc.known();
    aws.extend(creates.and_then(|vpc| Some((parse_cidr(vpc.cidr.known()?)?, true))));
    let field = if creates.is_some() {
        AttributeId::VpcCidr
    } else {
        AttributeId::VpcId
    };
    let mut reported = BTreeSet::new();
    for a in &azure {
        for (b, primary) in &aws {
            if overlaps(*a, *b) && reported.insert((*a, *b)) {
                let problem = ViolationKind::Preflight(PreflightIssue::OverlappingRanges {
                    azure: *a,
                    aws: *b,
                });
                let hard = *primary && !is_cgnat(*a) && !is_cgnat(*b) && !context.allow_overlap;
                violations.push(Violation {
                    attribute: field.clone(),
                    kind: problem,
                    severity: if hard {
                        Severity::Error
                    } else {
                        Severity::Warning
                    },
                });
            }
        }
    }
}
