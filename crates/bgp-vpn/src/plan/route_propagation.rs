//! Actions that enable and disable route propagation into route tables.

use super::action_list::ActionList;
use crate::action::{ActionTarget, Verb};
use crate::aws::RouteTableId;
use crate::observed::Observed;
use crate::route_tables::{desired_route_tables, needs_main_table_of_new_vpc};
use crate::spec::{AwsGateway, Spec};

pub(super) fn diff_propagation(spec: &Spec, observed: &Observed, list: &mut ActionList) {
    let hangs_on_a_vpc = match &spec.aws.gateway {
        AwsGateway::ManagedVgw { .. } => true,
        AwsGateway::ExistingVgw(_) => observed
            .aws
            .gateway
            .as_ref()
            .is_some_and(|g| g.attachment.is_some()),
        AwsGateway::TransitGateway(_) => false,
    };
    if !hangs_on_a_vpc {
        return;
    }
    let gateway = observed.aws.gateway.as_ref().map(|g| &g.id);
    let is_on = |id: &RouteTableId| {
        let table = observed.aws.route_tables.iter().find(|t| t.id == *id);
        table.is_some_and(|t| gateway.is_some_and(|g| t.propagating.contains(g)))
    };
    let wanted = desired_route_tables(spec, observed);
    let vpc_to_come = needs_main_table_of_new_vpc(spec, observed);
    for table in &wanted {
        match table {
            Some(id) if is_on(id) => {}
            Some(id) => {
                let because = vec![format!("route propagation into {id} is switched off")];
                list.push(
                    Verb::Create,
                    ActionTarget::RoutePropagation(table.clone()),
                    because,
                );
            }
            None => list.create(ActionTarget::RoutePropagation(None)),
        }
    }
    if vpc_to_come && !list.touches(&ActionTarget::RoutePropagation(None)) {
        list.create(ActionTarget::RoutePropagation(None));
    }
    for id in &spec.removals.route_tables {
        let goes = list.has(Verb::Delete, &ActionTarget::PublicRouteTable)
            && observed.aws.public_route_table.as_ref() == Some(id);
        if !wanted.contains(&Some(id.clone())) && is_on(id) && !goes {
            let because = vec![format!("route propagation into {id} is no longer wanted")];
            list.push(
                Verb::Delete,
                ActionTarget::RoutePropagation(Some(id.clone())),
                because,
            );
        }
    }
}
