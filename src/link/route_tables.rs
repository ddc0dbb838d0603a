//! Route tables into which the AWS gateway propagates its routes.

use super::observed::Observed;
use super::spec::{AwsNetwork, RouteTables, Spec};
use crate::aws::model::RouteTableId;
use std::collections::BTreeSet;

/// The tables that should get the gateway's routes. None stands for the public table that is still to be created.
pub fn wanted_tables(spec: &Spec, seen: &Observed) -> BTreeSet<Option<RouteTableId>> {
    match &spec.aws.route_tables {
        RouteTables::Given(ids) => ids.iter().cloned().map(Some).collect(),
        RouteTables::LastApplied(ids) => {
            let exists = |id: &&RouteTableId| seen.aws.route_tables.iter().any(|table| table.id == **id);
            let existing: BTreeSet<_> = ids.iter().filter(exists).cloned().map(Some).collect();
            match existing.len() {
                count if count == ids.len() => existing,
                // Another VPC: none of its tables is one of these.
                0 => default_tables(spec, seen),
                _ => existing.into_iter().chain(public_table(spec, seen)).collect(),
            }
        }
        RouteTables::Default => default_tables(spec, seen),
    }
}

/// Whether the main table of a VPC that does not exist yet is wanted. It has no id before the VPC is created.
pub fn wants_main_table_of_new_vpc(spec: &Spec, seen: &Observed) -> bool {
    let any = match &spec.aws.route_tables {
        RouteTables::Default => true,
        RouteTables::LastApplied(ids) => !ids.is_empty(),
        RouteTables::Given(_) => false,
    };
    any && seen.aws.vpc.is_none()
}

fn default_tables(spec: &Spec, seen: &Observed) -> BTreeSet<Option<RouteTableId>> {
    let main = seen.aws.route_tables.iter().find(|t| t.main).map(|t| Some(t.id.clone()));
    main.into_iter().chain(public_table(spec, seen)).collect()
}

/// The public subnet's table, where this link creates one.
fn public_table(spec: &Spec, seen: &Observed) -> Option<Option<RouteTableId>> {
    let made = matches!(&spec.aws.network, AwsNetwork::Create { public_subnet: Some(_), .. });
    made.then(|| seen.aws.public_route_table.clone())
}
