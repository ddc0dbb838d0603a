//! Configured route tables against those of the VPC.

use super::fault::{Fault, Field, Problem};
use super::survey::{Finding, Looked, Site, Survey};
use super::wish::Given;

/// Tables that are not the VPC's. Propagation into them would fail after everything else is created.
pub(super) fn check(site: Site<'_>, survey: &Survey) -> Vec<Fault> {
    let configured = site.configured.route_tables.known().into_iter().flatten().filter_map(Given::known);
    let fault = |finding| Fault::error(Field::RouteTables, Problem::Surroundings(finding));
    let foreign = |table: &&String| match &survey.vpc {
        Looked::Found(_) => {
            !survey.route_tables.is_empty() && !survey.route_tables.iter().any(|known| known.id.0 == **table)
        }
        // A VPC that does not exist yet has no table that anybody could name.
        _ => site.planned.vpc.known().is_some() && site.planned.vpc_id.known().is_none(),
    };
    configured.filter(foreign).map(|table| fault(Finding::ForeignTable(table.clone()))).collect()
}
