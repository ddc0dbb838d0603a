//! Reading a link. All that the state names is asked for at once; only what the first answers point
//! to comes second.

use super::clients::{LinkClients, OperationContext};
use super::error::ActionError;
use crate::aws::Filter;
use crate::aws::model as aws;
use crate::azure::ResourceId;
use crate::azure::model as azure;
use bgp_vpn::lookup::{AttachmentReads, LookupScope};
use bgp_vpn::observed::{KeyRead, Observed};
use bgp_vpn::ownership_tags::TAG_LINK;
use bgp_vpn::resolve::{Inventory, known_attachment, resolve};
use bgp_vpn::tunnel::{Instance, PerInstance, TunnelKey};
use bgp_vpn::types::Tags;
use futures::future::{join_all, try_join_all};
use futures::try_join;
use std::collections::BTreeSet;

/// What both clouds have of the link.
///
/// # Errors
/// What could not be read. Objects that do not exist are no error.
pub async fn observe(
    clients: &LinkClients,
    scope: &LookupScope,
    operation: &OperationContext,
) -> Result<Observed, ActionError> {
    let (mut read, aws) = try_join!(
        Box::pin(read_azure(clients, scope, operation)),
        Box::pin(read_aws(clients, scope, operation))
    )?;
    read.vpc = aws.vpc;
    read.subnets = aws.subnets;
    read.internet_gateways = aws.internet_gateways;
    read.route_tables = aws.route_tables;
    read.vpn_gateway = aws.vpn_gateway;
    read.transit_gateway = aws.transit_gateway;
    read.customer_gateways = aws.customer_gateways;
    (read.other_vpcs, read.other_vpn_gateways) = (aws.other_vpcs, aws.other_vpn_gateways);
    read.vpn_connections = aws.vpn_connections;
    read.transit_attachments = aws.transit_attachments;
    let mut observed = resolve(scope, read);
    if scope.read_keys {
        read_missing_keys(clients, &mut observed, operation).await?;
    }
    Ok(observed)
}

async fn read_azure(
    clients: &LinkClients,
    scope: &LookupScope,
    operation: &OperationContext,
) -> Result<Inventory, ActionError> {
    let azure = &clients.azure.with_shared_reads();
    let (ctx, known) = (&operation.call_context(), &scope.known);
    let home = known.resource_group.as_deref();
    let groups_of = |ids: &mut dyn Iterator<Item = &ResourceId>| -> BTreeSet<String> {
        let mut names: BTreeSet<String> =
            ids.map(|id| id.resource_group().to_lowercase()).collect();
        names.extend(home.map(str::to_lowercase));
        names
    };
    let local_groups = groups_of(
        &mut known
            .local_gateways
            .iter()
            .filter_map(|(_, id)| id.as_ref()),
    );
    let connection_groups =
        groups_of(&mut known.connections.iter().filter_map(|(_, id)| id.as_ref()));
    let group = Box::pin(async {
        match home {
            Some(name) => azure.get_group(name, ctx).await.map_err(ActionError::from),
            None => Ok(None),
        }
    });
    let network = Box::pin(async {
        match &known.network {
            Some(id) => azure
                .get_virtual_network(id, ctx)
                .await
                .map_err(ActionError::from),
            None => Ok(None),
        }
    });
    let gateway = Box::pin(async {
        match &known.azure_gateway {
            Some(id) => azure.get_gateway(id, ctx).await.map_err(ActionError::from),
            None => Ok(None),
        }
    });
    let public_ips = Box::pin(async {
        match home {
            Some(name) => azure
                .list_public_ips(name, ctx)
                .await
                .map_err(ActionError::from),
            None => Ok(Vec::new()),
        }
    });
    let locals = Box::pin(async {
        let all = local_groups
            .iter()
            .map(|name| azure.list_local_gateways(name, ctx));
        Ok::<_, ActionError>(
            try_join_all(all)
                .await?
                .into_iter()
                .flatten()
                .collect::<Vec<_>>(),
        )
    });
    let connections = Box::pin(async {
        let all = connection_groups
            .iter()
            .map(|name| azure.list_connections(name, ctx));
        Ok::<_, ActionError>(
            try_join_all(all)
                .await?
                .into_iter()
                .flatten()
                .collect::<Vec<_>>(),
        )
    });
    let keys = Box::pin(async {
        let ids: Vec<&ResourceId> = known
            .connections
            .iter()
            .filter_map(|(_, id)| id.as_ref())
            .collect();
        let wanted = if scope.read_keys { ids } else { Vec::new() };
        Ok::<_, ActionError>(
            join_all(
                wanted
                    .into_iter()
                    .map(|id| read_key(clients, id, operation)),
            )
            .await,
        )
    });
    let (group, network, gateway, mut public_ips, local_gateways, connections, keys) = try_join!(
        group,
        network,
        gateway,
        public_ips,
        locals,
        connections,
        keys
    )?;
    let of_gateway = gateway
        .iter()
        .flat_map(|g: &azure::Gateway| &g.instances)
        .filter_map(|i| i.public_ip_id.as_ref());
    for id in of_gateway.chain(known.public_ips.iter().filter(|_| gateway.is_none())) {
        if !public_ips
            .iter()
            .any(|ip: &azure::PublicIp| ip.resource.id == *id)
        {
            public_ips.extend(azure.get_public_ip(id, ctx).await?);
        }
    }
    let keys = keys.into_iter().collect::<Result<Vec<_>, ActionError>>()?;
    Ok(Inventory {
        group,
        network,
        gateway,
        public_ips,
        local_gateways,
        connections,
        keys,
        ..Inventory::default()
    })
}

/// A key that may not be read is no reason to stop: the link works without anybody seeing it.
async fn read_key(
    clients: &LinkClients,
    id: &ResourceId,
    operation: &OperationContext,
) -> Result<(ResourceId, KeyRead), ActionError> {
    let observed = match clients
        .azure
        .get_shared_key(id, &operation.call_context())
        .await
    {
        Ok(Some(key)) => KeyRead::Value(key),
        Ok(None) => KeyRead::NotSet,
        Err(crate::azure::Error::Denied(_)) => KeyRead::Forbidden,
        Err(error) => return Err(error.into()),
    };
    Ok((id.clone(), observed))
}

/// Keys of connections whose ids were not known before this read.
async fn read_missing_keys(
    clients: &LinkClients,
    observed: &mut Observed,
    operation: &OperationContext,
) -> Result<(), ActionError> {
    let unread = |key: &TunnelKey| *observed.azure.keys.get(*key) == KeyRead::NotRequested;
    let id_of = |key: TunnelKey| {
        Some((
            key,
            observed
                .azure
                .connections
                .get(key)
                .as_ref()?
                .resource
                .id
                .clone(),
        ))
    };
    let missing: Vec<_> = TunnelKey::ALL
        .into_iter()
        .filter(unread)
        .filter_map(id_of)
        .collect();
    let read = join_all(
        missing
            .iter()
            .map(|(_, id)| read_key(clients, id, operation)),
    )
    .await;
    for ((key, _), found) in missing.iter().zip(read) {
        *observed.azure.keys.get_mut(*key) = found?.1;
    }
    Ok(())
}

async fn read_aws(
    clients: &LinkClients,
    scope: &LookupScope,
    operation: &OperationContext,
) -> Result<Inventory, ActionError> {
    let (ec2, ctx, known) = (&clients.ec2, &operation.call_context(), &scope.known);
    let owned = scope
        .link
        .as_ref()
        .map(|link| Tags::from([(TAG_LINK.to_owned(), link.to_string())]));
    let by_tag = owned.as_ref().map(Filter::tags);
    let vpn_filters = describe_filters(&known.vpn_connections, by_tag.as_ref());
    let customer_filters = describe_filters(&known.customer_gateways, by_tag.as_ref());
    let vpn_connections = Box::pin(async {
        let all = vpn_filters
            .iter()
            .map(|filter| ec2.read_vpn_connections(ctx, filter));
        let mut found: Vec<aws::VpnConnection> =
            try_join_all(all).await?.into_iter().flatten().collect();
        let living = found
            .iter()
            .filter(|connection| connection.state.is_living())
            .count();
        if let Some(filter) = fallback_by_tag(&by_tag, &vpn_filters, living) {
            found.extend(ec2.read_vpn_connections(ctx, filter).await?);
        }
        Ok::<_, ActionError>(found)
    });
    let customers = Box::pin(async {
        let all = customer_filters
            .iter()
            .map(|filter| ec2.read_customer_gateways(ctx, filter));
        let mut found: Vec<aws::CustomerGateway> =
            try_join_all(all).await?.into_iter().flatten().collect();
        let living = found
            .iter()
            .filter(|gateway| gateway.state.is_living())
            .count();
        if let Some(filter) = fallback_by_tag(&by_tag, &customer_filters, living) {
            found.extend(ec2.read_customer_gateways(ctx, filter).await?);
        }
        Ok::<_, ActionError>(found)
    });
    // On a transit gateway there is nothing to look for by tag but customer gateways and VPN
    // connections.
    let rest_by_tag = by_tag.clone().filter(|_| known.transit_gateway.is_none());
    let transit = Box::pin(async {
        match &known.transit_gateway {
            Some(id) => Ok::<_, ActionError>(
                ec2.read_transit_gateways(ctx, &Filter::id(id))
                    .await?
                    .into_iter()
                    .next(),
            ),
            None => Ok(None),
        }
    });
    let gateway = Box::pin(async {
        let one = known
            .vpn_gateway
            .as_ref()
            .map(Filter::id)
            .or_else(|| rest_by_tag.clone());
        match one {
            Some(filter) => {
                let found = ec2.read_vpn_gateways(ctx, &filter).await?;
                let mut found = found.into_iter().filter(|g| g.state.is_living());
                if known.vpn_gateway.is_some() {
                    return Ok((found.next(), Vec::new()));
                }
                let (own, others): (Vec<_>, Vec<_>) =
                    found.partition(|gateway| scope.adopts_vpn_gateway(gateway));
                Ok((own.into_iter().next(), others))
            }
            None => Ok::<_, ActionError>((None, Vec::new())),
        }
    });
    let network = Box::pin(async {
        let creates = scope.adoption.vpc_cidr.is_some();
        let by_tag = if creates {
            by_tag.clone()
        } else {
            rest_by_tag.clone()
        };
        let one = known.vpc.as_ref().map(Filter::id).or(by_tag);
        let mut other_vpcs = Vec::new();
        let (vpc, tables) = match (&known.vpc, one) {
            (Some(id), Some(filter)) => {
                let (vpcs, tables) =
                    try_join!(ec2.read_vpcs(ctx, &filter), ec2.read_route_tables(ctx, id))?;
                (vpcs.into_iter().next(), tables)
            }
            (None, Some(filter)) => {
                let found = ec2.read_vpcs(ctx, &filter).await?;
                let (own, others): (Vec<_>, Vec<_>) =
                    found.into_iter().partition(|vpc| scope.adopts_vpc(vpc));
                other_vpcs = others;
                match own.into_iter().next() {
                    Some(vpc) => {
                        let tables = ec2.read_route_tables(ctx, &vpc.id).await?;
                        (Some(vpc), tables)
                    }
                    None => (None, Vec::new()),
                }
            }
            _ => (None, Vec::new()),
        };
        Ok::<_, ActionError>((vpc, tables, other_vpcs))
    });
    let (
        vpn_connections,
        customer_gateways,
        (vpn_gateway, other_vpn_gateways),
        transit_gateway,
        network,
    ) = try_join!(vpn_connections, customers, gateway, transit, network)?;
    let (mut vpc, mut route_tables, other_vpcs) = network;
    let mut customer_gateways = customer_gateways;
    customer_gateways.extend(
        other_customer_gateways(clients, &vpn_connections, &customer_gateways, operation).await?,
    );
    let attached = vpn_gateway
        .as_ref()
        .and_then(|g: &aws::VpnGateway| g.attachment.as_ref())
        .map(|(id, _)| id.clone());
    if let (None, Some(id)) = (&vpc, attached) {
        let filter = Filter::id(&id);
        let (vpcs, tables) =
            try_join!(ec2.read_vpcs(ctx, &filter), ec2.read_route_tables(ctx, &id))?;
        (vpc, route_tables) = (vpcs.into_iter().next(), tables);
    }
    let others = Inventory {
        other_vpcs,
        other_vpn_gateways,
        ..Inventory::default()
    };
    let mut read = Inventory {
        vpc,
        route_tables,
        vpn_gateway,
        transit_gateway,
        customer_gateways,
        vpn_connections,
        ..others
    };
    read_public_subnet(clients, scope, &mut read, operation).await?;
    read.transit_attachments =
        read_attachments(clients, scope, &read.vpn_connections, operation).await?;
    Ok(read)
}

/// The attachments of the VPN connections to the transit gateway, as far as they are needed.
async fn read_attachments(
    clients: &LinkClients,
    scope: &LookupScope,
    vpn_connections: &[aws::VpnConnection],
    operation: &OperationContext,
) -> Result<Vec<aws::TransitAttachment>, ActionError> {
    let (ec2, ctx) = (&clients.ec2, &operation.call_context());
    let reads = scope.attachment_reads;
    let Some(gateway) = scope
        .known
        .transit_gateway
        .as_ref()
        .filter(|_| reads > AttachmentReads::Nothing)
    else {
        return Ok(Vec::new());
    };
    let target = aws::TargetGateway::TransitGateway(gateway.clone());
    let is_known = |connection: &aws::VpnConnection| {
        let mut known = Instance::ALL.into_iter();
        known.any(|instance| known_attachment(scope, connection, instance).is_some())
    };
    let connections: Vec<aws::VpnConnectionId> = vpn_connections
        .iter()
        .filter(|one| one.state.is_living() && one.target == target)
        .filter(|one| reads > AttachmentReads::Unknown || !is_known(one))
        .map(|one| one.id.clone())
        .collect();
    let mut found = match ec2.read_transit_attachments(ctx, &connections).await {
        // A link that configures nothing of them works without this permission.
        Err(crate::aws::Error::Denied(_)) if reads == AttachmentReads::Unknown => Vec::new(),
        found => found?,
    };
    if reads == AttachmentReads::Propagations {
        for attachment in &mut found {
            attachment.propagations = ec2.attachment_propagations(ctx, &attachment.id).await?;
        }
    }
    Ok(found)
}

/// Customer gateways that the connections use and that are not the link's own.
async fn other_customer_gateways(
    clients: &LinkClients,
    vpn_connections: &[aws::VpnConnection],
    read: &[aws::CustomerGateway],
    operation: &OperationContext,
) -> Result<Vec<aws::CustomerGateway>, ActionError> {
    let used = vpn_connections
        .iter()
        .filter(|vpn| vpn.state.is_living())
        .map(|vpn| &vpn.customer_gateway_id);
    let unread: BTreeSet<&aws::CustomerGatewayId> = used
        .filter(|id| !id.0.is_empty() && read.iter().all(|customer| customer.id != **id))
        .collect();
    Ok(clients
        .ec2
        .read_customer_gateways(&operation.call_context(), &Filter::ids(unread))
        .await?)
}

/// Subnet and internet gateway of a VPC that this link makes, unless its route table shows those
/// that the state knows.
async fn read_public_subnet(
    clients: &LinkClients,
    scope: &LookupScope,
    read: &mut Inventory,
    operation: &OperationContext,
) -> Result<(), ActionError> {
    let Some(link) = &scope.link else {
        return Ok(());
    };
    if read.vpc.is_none() && scope.known.transit_gateway.is_some() {
        return Ok(());
    }
    let ours = read.vpc.as_ref().is_none_or(|vpc| link.is_on(&vpc.tags));
    let whole = |t: &aws::RouteTable| {
        let (gateway, subnet) = (&scope.known.internet_gateway, &scope.known.public_subnet);
        gateway
            .as_ref()
            .is_some_and(|known| t.default_route.as_ref() == Some(&known.0))
            && subnet
                .as_ref()
                .is_some_and(|known| t.subnets.iter().any(|(id, _)| id == known))
    };
    if !ours || read.route_tables.iter().any(whole) {
        return Ok(());
    }
    let filter = Filter::tags(&Tags::from([(TAG_LINK.to_owned(), link.to_string())]));
    let ctx = &operation.call_context();
    let (gateways, subnets) = try_join!(
        clients.ec2.describe_internet_gateways(ctx, &filter),
        clients.ec2.describe_subnets(ctx, &filter)
    )?;
    (read.internet_gateways, read.subnets) = (gateways, subnets);
    Ok(())
}

/// By id where both are known; else by tag too, for what is there but in no state.
fn describe_filters<I: std::fmt::Display>(
    known: &PerInstance<Option<I>>,
    by_tag: Option<&Filter>,
) -> Vec<Filter> {
    let ids: Vec<&I> = known.iter().filter_map(|(_, id)| id.as_ref()).collect();
    let whole = ids.len() == Instance::ALL.len();
    let by_id = (!ids.is_empty()).then(|| Filter::ids(ids));
    by_id
        .into_iter()
        .chain(by_tag.filter(|_| !whole).cloned())
        .collect()
}

/// The filter by tag, unless it was used already. Where objects of the state are missing, an
/// interrupted run may have created their successors.
fn fallback_by_tag<'a>(
    by_tag: &'a Option<Filter>,
    looked: &[Filter],
    living: usize,
) -> Option<&'a Filter> {
    by_tag
        .as_ref()
        .filter(|by_tag| living < Instance::ALL.len() && !looked.contains(by_tag))
}
