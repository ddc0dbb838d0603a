//! Checks a planned link against the objects that exist where it is created or moved.

mod advertised_prefixes;
mod aws_gateway;
mod azure_gateway;
mod azure_network;
mod context;
pub mod inside_addresses;
mod overlapping_ranges;
mod route_tables;
mod snapshot;
mod subnet_routes;

pub use crate::preflight_issue::PreflightIssue;
pub use azure_gateway::network_of;
pub use context::{PreflightContext, planned_cidrs};
pub use snapshot::{Lookup, PreflightRequest, PreflightSnapshot};

use crate::violation::{Violation, ViolationKind};
use aws_gateway::{check_transit_gateway, check_vpc, check_vpn_gateway};
use azure_gateway::check_azure_gateway;
use azure_network::{check_gateway_subnet, check_resource_group, check_virtual_network};
use overlapping_ranges::check_overlaps;
use subnet_routes::subnets_without_routes;

/// Everything in the clouds that conflicts with the plan. What was not read causes no conflict.
pub fn run_checks(context: PreflightContext<'_>, snapshot: &PreflightSnapshot) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut add = |field, finding| {
        violations.push(Violation::error(field, ViolationKind::Preflight(finding)))
    };
    check_resource_group(context, snapshot, &mut add);
    check_virtual_network(context, snapshot, &mut add);
    check_vpc(context, snapshot, &mut add);
    if context.azure_gateway_is_existing {
        check_azure_gateway(context, snapshot, &mut violations);
    } else {
        violations.extend(check_gateway_subnet(context, snapshot));
    }
    if context.vpn_gateway_is_existing {
        check_vpn_gateway(context, snapshot, &mut violations);
    }
    if context.on_transit_gateway {
        check_transit_gateway(context, snapshot, &mut violations);
    }
    violations.extend(inside_addresses::check_azure_gateway(context, snapshot));
    violations.extend(inside_addresses::check_aws_gateway(
        context,
        &snapshot.vpn_connections,
    ));
    violations.extend(inside_addresses::check_aws_gateway(
        context,
        &snapshot.own_vpn_connections,
    ));
    check_overlaps(context, snapshot, &mut violations);
    violations.extend(subnets_without_routes(context, snapshot));
    violations.extend(advertised_prefixes::check(context, snapshot));
    violations.extend(route_tables::check(context, snapshot));
    violations
}

/// Azure writes locations as display names or as words: both are one.
pub fn eq_ignoring_case_and_spaces(a: &str, b: &str) -> bool {
    let plain = |text: &str| {
        text.chars()
            .filter(|c| *c != ' ')
            .collect::<String>()
            .to_lowercase()
    };
    plain(a) == plain(b)
}
