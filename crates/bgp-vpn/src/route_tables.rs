//! Route tables into which the AWS gateway propagates its routes.

use super::observed::Observed;
use super::spec::{AwsNetwork, PropagationTargets, Spec};
use crate::aws::RouteTableId;
use std::collections::BTreeSet;

/// The tables that should get the gateway's routes. None stands for the public table that is still
/// to be created.
pub fn desired_route_tables(spec: &Spec, observed: &Observed) -> BTreeSet<Option<RouteTableId>> {
    match &spec.aws.route_tables {
        PropagationTargets::Explicit(ids) => ids.iter().cloned().map(Some).collect(),
        PropagationTargets::LastApplied(ids) => {
            let exists = |id: &&RouteTableId| {
                observed
                    .aws
                    .route_tables
                    .iter()
                    .any(|table| table.id == **id)
            };
            let existing: BTreeSet<_> = ids.iter().filter(exists).cloned().map(Some).collect();
            match existing.len() {
                count if count == ids.len() => existing,
                // Another VPC: none of its tables is one of these.
                0 => default_tables(spec, observed),
                _ => existing
                    .into_iter()
                    .chain(public_table(spec, observed))
                    .collect(),
            }
        }
        PropagationTargets::Default => default_tables(spec, observed),
    }
}

/// Whether the main table of a VPC that does not exist yet is wanted. It has no id before the VPC
/// is created.
pub fn needs_main_table_of_new_vpc(spec: &Spec, observed: &Observed) -> bool {
    let any = match &spec.aws.route_tables {
        PropagationTargets::Default => true,
        PropagationTargets::LastApplied(ids) => !ids.is_empty(),
        PropagationTargets::Explicit(_) => false,
    };
    any && observed.aws.vpc.is_none()
}

fn default_tables(spec: &Spec, observed: &Observed) -> BTreeSet<Option<RouteTableId>> {
    let main = observed
        .aws
        .route_tables
        .iter()
        .find(|t| t.main)
        .map(|t| Some(t.id.clone()));
    main.into_iter()
        .chain(public_table(spec, observed))
        .collect()
}

/// The public subnet's table, where this link creates one.
fn public_table(spec: &Spec, observed: &Observed) -> Option<Option<RouteTableId>> {
    let made = matches!(
        &spec.aws.network,
        AwsNetwork::Create {
            public_subnet: Some(_),
            ..
        }
    );
    made.then(|| observed.aws.public_route_table.clone())
}
