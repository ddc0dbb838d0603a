//! Moves of a link to another AWS side that did not finish.
//!
//! A run that is killed writes no state, so the state still names the former AWS side. The next
//! configuration may name that side again, or a third one. Objects that the killed run created are
//! then in no state. To find them, a move records its target on the link's local network gateways
//! before it deletes anything, and every later run compares that record with the AWS sides it
//! knows of.

use super::clients::{CloudClients, LinkClients, OperationContext};
use super::error::ActionError;
use crate::aws::Filter;
use bgp_vpn::adoption::Adoption;
use bgp_vpn::known_ids::KnownIds;
use bgp_vpn::lookup::{AttachmentReads, InterruptedMove, LookupScope, TeardownSpec};
use bgp_vpn::managed::{Kind, Managed};
use bgp_vpn::observed::Observed;
use bgp_vpn::ownership_tags::{
    AwsEndpoint, EndpointKind, LinkId, TAG_AWS_ENDPOINT, TAG_CUSTOM_BGP_ADDRESSES, TAG_LINK,
    TAG_MOVE_TARGET, TAG_ROLE, recorded_propagations, role,
};
use bgp_vpn::tunnel::{Instance, TunnelKey};
use bgp_vpn::types::Tags;
use futures::future::try_join_all;
use futures::try_join;
use std::collections::BTreeSet;

/// The recorded AWS sides that are neither in the state nor planned.
pub fn unknown_targets(observed: &Observed, scope: &LookupScope) -> BTreeSet<AwsEndpoint> {
    observed
        .azure
        .local_gateways
        .iter()
        .filter_map(|(_, local)| local.as_ref()?.resource.tags.get(TAG_MOVE_TARGET))
        .filter(|target| !scope.adoption.endpoints.contains(*target))
        .filter_map(|target| AwsEndpoint::parse(target))
        .collect()
}

/// Records the AWS side that the link is about to have, and the link's addresses on the Azure
/// gateway, which only the customer gateways record otherwise. Every local network gateway gets the
/// record, because a user may delete one of them before the next run.
///
/// # Errors
/// What the write of a tag answers. Nothing may be deleted then.
pub async fn record_target(
    clients: &LinkClients,
    observed: &mut Observed,
    target: &AwsEndpoint,
    operation: &OperationContext,
) -> Result<(), ActionError> {
    let text = target.to_string();
    let mut writes = Vec::new();
    for key in TunnelKey::ALL {
        let customer = observed.aws.customer_gateways.get(key.instance).as_ref();
        let addresses = customer.and_then(|customer| {
            let addresses = customer.tags.get(TAG_CUSTOM_BGP_ADDRESSES)?;
            Some((TAG_CUSTOM_BGP_ADDRESSES.to_owned(), addresses.clone()))
        });
        let Some(local) = observed.azure.local_gateways.get_mut(key) else {
            continue;
        };
        let resource = &mut local.resource;
        if resource.tags.get(TAG_MOVE_TARGET) == Some(&text) {
            continue;
        }
        resource
            .tags
            .insert(TAG_MOVE_TARGET.to_owned(), text.clone());
        resource.tags.extend(addresses);
        let (id, tags) = (resource.id.clone(), resource.tags.clone());
        writes.push(async move {
            clients
                .azure
                .set_tags(&id, &tags, &operation.call_context())
                .await
        });
    }
    try_join_all(writes).await?;
    Ok(())
}

/// What exists of the AWS sides of interrupted moves, by the local network gateways that were read.
///
/// # Errors
/// What could not be read.
pub async fn interrupted_moves(
    clouds: &CloudClients,
    scope: &LookupScope,
    observed: &Observed,
    operation: &OperationContext,
) -> Result<Vec<InterruptedMove>, ActionError> {
    let mut found = Vec::new();
    for endpoint in unknown_targets(observed, scope) {
        found.extend(
            read(clouds, scope, &endpoint, operation)
                .await?
                .map(|it| it.found),
        );
    }
    Ok(found)
}

/// What exists of an AWS side, and how to look it up for its deletion.
pub struct FoundSide {
    pub found: InterruptedMove,
    scope: LookupScope,
}

impl FoundSide {
    /// How to delete it. `what` is the teardown of the link, or names what it has in Azure.
    pub fn teardown(self, subscription: &str, resource_group: &str) -> (TeardownSpec, LookupScope) {
        let link = self
            .scope
            .link
            .clone()
            .unwrap_or_else(|| LinkId::from_tag(""));
        let teardown = TeardownSpec {
            link,
            managed: self.found.objects,
            region: self.found.endpoint.region,
            subscription: subscription.to_owned(),
            resource_group: resource_group.to_owned(),
            azure_gateway: None,
            own_bgp_addresses: Vec::new(),
            subnets: BTreeSet::new(),
            hands_over: None,
            stays: Managed::default(),
            moves_to: None,
        };
        (teardown, self.scope)
    }
}

/// Every object with the link's tag and the tag of an AWS side; None where nothing of it exists.
///
/// # Errors
/// What could not be read.
pub async fn read(
    clouds: &CloudClients,
    scope: &LookupScope,
    endpoint: &AwsEndpoint,
    operation: &OperationContext,
) -> Result<Option<FoundSide>, ActionError> {
    let Some(link) = &scope.link else {
        return Ok(None);
    };
    let clients = clouds
        .link_clients(Some(&endpoint.region), operation)
        .await?;
    let (ec2, ctx) = (&clients.ec2, &operation.call_context());
    let tags = Tags::from([
        (TAG_LINK.to_owned(), link.to_string()),
        (TAG_AWS_ENDPOINT.to_owned(), endpoint.to_string()),
    ]);
    let filter = &Filter::tags(&tags);
    let (connections, customers, gateways, vpcs, internet_gateways, subnets, tables) = try_join!(
        ec2.describe_vpn_connections(ctx, filter),
        ec2.describe_customer_gateways(ctx, filter),
        ec2.describe_vpn_gateways(ctx, filter),
        ec2.describe_vpcs(ctx, filter),
        ec2.describe_internet_gateways(ctx, filter),
        ec2.describe_subnets(ctx, filter),
        ec2.describe_route_tables(ctx, filter),
    )?;
    let mut known = KnownIds {
        region: Some(endpoint.region.clone()),
        ..KnownIds::default()
    };
    let mut objects = Managed::default();
    let instance_of = |tags: &Tags| {
        let role = tags.get(TAG_ROLE)?;
        Instance::ALL
            .into_iter()
            .find(|instance| instance.to_string() == *role)
    };
    for connection in connections.iter().filter(|it| it.state.is_living()) {
        objects.add(Kind::AwsVpnConnection, &connection.id.0);
        if let Some(instance) = instance_of(&connection.tags) {
            *known.vpn_connections.get_mut(instance) = Some(connection.id.clone());
        }
    }
    for customer in customers.iter().filter(|it| it.state.is_living()) {
        objects.add(Kind::AwsCustomerGateway, &customer.id.0);
        recorded_propagations(&customer.tags)
            .for_each(|id| objects.add(Kind::AwsRoutePropagation, &id));
        if let Some(instance) = instance_of(&customer.tags) {
            *known.customer_gateways.get_mut(instance) = Some(customer.id.clone());
        }
    }
    for gateway in gateways.iter().filter(|it| it.state.is_living()) {
        objects.add(Kind::AwsVpnGateway, &gateway.id.0);
        recorded_propagations(&gateway.tags)
            .for_each(|id| objects.add(Kind::AwsRoutePropagation, &id));
        known.vpn_gateway = Some(gateway.id.clone());
    }
    for vpc in &vpcs {
        objects.add(Kind::AwsVpc, &vpc.id.0);
        known.vpc = Some(vpc.id.clone());
    }
    for gateway in &internet_gateways {
        objects.add(Kind::AwsInternetGateway, &gateway.id.0);
        known.internet_gateway = Some(gateway.id.clone());
    }
    for subnet in &subnets {
        objects.add(Kind::AwsSubnet, &subnet.id.0);
        known.public_subnet = Some(subnet.id.clone());
    }
    for table in tables.iter().filter(|table| {
        table
            .tags
            .get(TAG_ROLE)
            .is_some_and(|part| part == role::PUBLIC_ROUTE_TABLE)
    }) {
        objects.add(Kind::AwsRouteTable, &table.id.0);
        known.public_route_table = Some(table.id.clone());
        known.route_tables.push(table.id.clone());
    }
    match &endpoint.end {
        EndpointKind::Vpc(id) => known.vpc = Some(id.clone()),
        EndpointKind::VpnGateway(id) => known.vpn_gateway = Some(id.clone()),
        EndpointKind::TransitGateway(id) => known.transit_gateway = Some(id.clone()),
        EndpointKind::NewVpc(_) => {}
    }
    if objects.is_empty() {
        return Ok(None);
    }
    Ok(Some(FoundSide {
        scope: LookupScope {
            known,
            link: Some(link.clone()),
            inside_cidrs: scope.inside_cidrs.clone(),
            names: None,
            adoption: Adoption {
                endpoints: BTreeSet::from([endpoint.to_string()]),
                ..Adoption::default()
            },
            recorded_ids: objects.clone(),
            read_keys: false,
            attachment_reads: AttachmentReads::default(),
        },
        found: InterruptedMove {
            endpoint: endpoint.clone(),
            objects,
        },
    }))
}
