//! Configured route tables against those of the VPC.

use super::{Lookup, PreflightContext, PreflightIssue, PreflightSnapshot};
use crate::config::Attr;
use crate::violation::{AttributeId, Violation, ViolationKind};

/// Tables that are not the VPC's. Propagation into them would fail after everything else is
/// created.
pub(super) fn check(context: PreflightContext<'_>, snapshot: &PreflightSnapshot) -> Vec<Violation> {
    let configured = context
        .configured
        .route_tables
        .known()
        .into_iter()
        .flatten()
        .filter_map(Attr::known);
    let violation =
        |finding| Violation::error(AttributeId::RouteTables, ViolationKind::Preflight(finding));
    let foreign = |table: &&String| match &snapshot.vpc {
        Lookup::Found(_) => {
            !snapshot.route_tables.is_empty()
                && !snapshot
                    .route_tables
                    .iter()
                    .any(|known| known.id.0 == **table)
        }
        // A VPC that does not exist yet has no table that anybody could name.
        _ => context.planned.vpc.known().is_some() && context.planned.vpc_id.known().is_none(),
    };
    configured
        .filter(foreign)
        .map(|table| violation(PreflightIssue::RouteTableOfOtherVpc(table.clone())))
        .collect()
}
