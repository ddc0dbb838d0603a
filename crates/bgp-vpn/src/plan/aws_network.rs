//! Actions for the VPC, its public subnet, and the virtual private gateway.

use super::action_list::ActionList;
use super::route_propagation::diff_propagation;
use crate::action::{ActionTarget, Verb};
use crate::compare::{self, Reasons};
use crate::observed::Observed;
use crate::spec::{AwsGateway, AwsNetwork, Spec};
use crate::types::Tags;

pub(super) fn diff_aws_network(spec: &Spec, observed: &Observed, list: &mut ActionList) {
    if let AwsNetwork::Create { public_subnet, .. } = &spec.aws.network {
        if observed.aws.vpc.is_none() {
            list.create(ActionTarget::Vpc);
        }
        if public_subnet.is_some() {
            if observed
                .aws
                .internet_gateway
                .as_ref()
                .is_none_or(|igw| igw.attached_vpcs.is_empty())
            {
                list.create(ActionTarget::InternetGateway);
            }
            if observed.aws.public_subnet.is_none() {
                list.create(ActionTarget::PublicSubnet);
            }
            let other_range = compare::public_subnet(spec, observed);
            if !other_range.is_empty() {
                list.push(Verb::Delete, ActionTarget::PublicSubnet, vec![]);
                list.push(Verb::Create, ActionTarget::PublicSubnet, other_range);
            }
            if !public_route_table_is_complete(observed)
                || list.has(Verb::Create, &ActionTarget::PublicSubnet)
            {
                list.create(ActionTarget::PublicRouteTable);
            }
        } else if spec.removals.public_subnet {
            remove_public_subnet(spec, observed, list);
        }
    }
    let own = |tags: &Tags| {
        if spec.link.is_on(tags) {
            compare::tag_diff(tags, spec)
        } else {
            Reasons::new()
        }
    };
    let creates_vpc = matches!(spec.aws.network, AwsNetwork::Create { .. });
    if let Some(vpc) = observed.aws.vpc.as_ref().filter(|_| creates_vpc) {
        list.update(ActionTarget::Vpc, own(&vpc.tags));
    }
    // The subnet and the internet gateway are tagged with their table, and not read with it.
    let public = observed
        .aws
        .route_tables
        .iter()
        .find(|table| observed.aws.public_route_table.as_ref() == Some(&table.id));
    if let Some(table) = public.filter(|_| !list.touches(&ActionTarget::PublicRouteTable)) {
        list.update(ActionTarget::PublicRouteTable, own(&table.tags));
    }
    if let AwsGateway::ManagedVgw { .. } = &spec.aws.gateway {
        if observed.aws.gateway.is_none() {
            list.create(ActionTarget::VpnGateway);
        }
        match observed
            .aws
            .gateway
            .as_ref()
            .map(|g| (&g.attachment, &g.tags))
        {
            Some((attachment, tags)) => {
                let mut because = compare::tag_diff(tags, spec);
                because.extend(compare::describe_missing_ownership_tags(
                    tags,
                    spec,
                    "the VPN gateway",
                ));
                list.update(ActionTarget::VpnGateway, because);
                let attached = |(_, state): &(_, crate::aws::AttachmentState)| {
                    *state == crate::aws::AttachmentState::Attached
                };
                if !attachment.as_ref().is_some_and(attached) {
                    list.create(ActionTarget::VgwAttachment);
                }
            }
            None => list.create(ActionTarget::VgwAttachment),
        }
    }
    diff_propagation(spec, observed, list);
}

/// What goes with a public subnet that is no longer wanted.
fn remove_public_subnet(spec: &Spec, observed: &Observed, list: &mut ActionList) {
    let aws = &observed.aws;
    let table = aws
        .route_tables
        .iter()
        .find(|table| aws.public_route_table.as_ref() == Some(&table.id));
    let subnet = aws
        .subnets
        .iter()
        .find(|subnet| aws.public_subnet.as_ref() == Some(&subnet.id));
    let parts = [
        (
            ActionTarget::PublicRouteTable,
            table.map(|table| &table.tags),
        ),
        (
            ActionTarget::PublicSubnet,
            subnet.map(|subnet| &subnet.tags),
        ),
        (
            ActionTarget::InternetGateway,
            aws.internet_gateway.as_ref().map(|gateway| &gateway.tags),
        ),
    ];
    for (object, tags) in parts {
        if tags.is_some_and(|tags| spec.link.is_on(tags)) {
            let because = vec![format!("{object} is no longer wanted")];
            list.push(Verb::Delete, object, because);
        }
    }
}

/// The public subnet's table is made in three calls: the table, its default route, its association.
fn public_route_table_is_complete(observed: &Observed) -> bool {
    let Some(id) = &observed.aws.public_route_table else {
        return false;
    };
    let table = observed.aws.route_tables.iter().find(|t| t.id == *id);
    table.is_some_and(|t| {
        let associated = |subnet| t.subnets.iter().any(|(id, _)| id == subnet);
        let out = observed
            .aws
            .internet_gateway
            .as_ref()
            .map(|gateway| &gateway.id.0);
        t.default_route.is_some()
            && t.default_route.as_ref() == out
            && observed.aws.public_subnet.as_ref().is_some_and(associated)
    })
}
