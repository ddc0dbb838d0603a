//! Subnets of the VPC whose route table gets no routes of the link.

use super::context::PreflightContext;
use super::snapshot::PreflightSnapshot;
use crate::aws;
use crate::config::Attr;
use crate::preflight_issue::PreflightIssue;
use crate::violation::{AttributeId, Violation, ViolationKind};
use std::collections::BTreeSet;

pub(super) fn subnets_without_routes(
    context: PreflightContext<'_>,
    snapshot: &PreflightSnapshot,
) -> Option<Violation> {
    let main = snapshot
        .route_tables
        .iter()
        .find(|table| table.main)
        .map(|table| table.id.0.clone());
    let routed: BTreeSet<String> = match &context.planned.route_tables {
        Attr::Known(tables) if tables.is_empty() => return None,
        Attr::Known(tables) => tables
            .iter()
            .map(|t| t.known().cloned())
            .collect::<Option<_>>()?,
        _ if context.configured.route_tables == Attr::Unknown => return None,
        _ => main.clone().into_iter().collect(),
    };
    let table_of = |subnet: &aws::SubnetId| {
        let mut own = snapshot
            .route_tables
            .iter()
            .filter(|table| table.subnets.iter().any(|(id, _)| id == subnet));
        own.next()
            .map(|table| table.id.0.clone())
            .or_else(|| main.clone())
    };
    let without: Vec<String> = snapshot
        .subnets
        .iter()
        .filter(|subnet| table_of(&subnet.id).is_some_and(|table| !routed.contains(&table)))
        .map(|subnet| format!("{} ({})", subnet.id, subnet.cidr))
        .collect();
    let finding = PreflightIssue::SubnetsWithoutRoutes(without.join(", "));
    (!without.is_empty())
        .then(|| Violation::warning(AttributeId::RouteTables, ViolationKind::Preflight(finding)))
}
