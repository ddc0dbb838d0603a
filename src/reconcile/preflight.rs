//! Reads what surrounds a link that is to be made. What does not exist is an answer, not an error.

use super::account::read_account;
use super::clients::{CloudClients, OperationContext};
use super::error::ActionError;
use crate::aws::Filter;
use crate::aws::model::CustomerGateway;
use crate::azure::Azure;
use bgp_vpn::account::{AccountRequest, AccountSnapshot};
use bgp_vpn::ownership_tags::{
    LinkId, TAG_INCOMPLETE, TAG_LINK, recorded_bgp_addresses, recorded_propagations,
};
use bgp_vpn::preflight::{Lookup, PreflightRequest, PreflightSnapshot, network_of};
use bgp_vpn::tunnel::TunnelKey;
use bgp_vpn::types::Tags;
use futures::future::try_join_all;
use futures::try_join;
use std::collections::{BTreeMap, BTreeSet};

fn lookup<T>(found: Option<T>) -> Lookup<T> {
    found.map_or(Lookup::NotFound, Lookup::Found)
}

/// Looks at both clouds at once.
///
/// # Errors
/// What could not be read.
pub async fn preflight(
    clouds: &CloudClients,
    ask: &PreflightRequest,
    operation: &OperationContext,
) -> Result<PreflightSnapshot, ActionError> {
    let clouds = &clouds.with_shared_reads();
    // Without a configured location, it is that of the network, which is read first.
    let needs_location =
        |account: &&AccountRequest| account.creates_azure_gateway && account.location.is_none();
    let account = async {
        match ask
            .account
            .as_ref()
            .filter(|account| !needs_location(account))
        {
            Some(account) => Ok(Box::pin(read_account(clouds, ask, account, operation)).await),
            None => Ok(AccountSnapshot::default()),
        }
    };
    let (azure, aws, account) = try_join!(
        Box::pin(read_azure(&clouds.azure, ask, operation)),
        Box::pin(async {
            let gateways = [&ask.vpn_gateway, &ask.own_vpn_gateway];
            if ask.vpc.is_none()
                && gateways.iter().all(|id| id.is_none())
                && ask.transit_gateway.is_none()
            {
                if ask.checks_aws_credentials {
                    check_aws_credentials(clouds, ask, operation).await?;
                }
                return Ok(PreflightSnapshot::default());
            }
            read_aws(clouds, ask, operation).await
        }),
        account
    )?;
    let account = match ask.account.as_ref().filter(needs_location) {
        Some(asked) => {
            let network = azure.network.found();
            let located = AccountRequest {
                location: network.map(|network| network.resource.location.clone()),
                ..asked.clone()
            };
            Box::pin(read_account(clouds, ask, &located, operation)).await
        }
        None => account,
    };
    let (unfinished, left) = try_join!(
        incomplete_links(clouds, ask, &azure, operation),
        customer_gateways_of_earlier_try(clouds, ask, &azure, operation)
    )?;
    let marks = || left.iter().map(|customer| &customer.tags);
    Ok(PreflightSnapshot {
        incomplete_links: unfinished,
        recorded_bgp_addresses: (!left.is_empty())
            .then(|| marks().flat_map(recorded_bgp_addresses).collect()),
        propagations: marks().flat_map(recorded_propagations).collect(),
        vpc: aws.vpc,
        vpc_gateway: aws.vpc_gateway,
        subnets: aws.subnets,
        route_tables: aws.route_tables,
        vpn_gateway: aws.vpn_gateway,
        transit_gateway: aws.transit_gateway,
        transit_route_tables: aws.transit_route_tables,
        vpn_connections: aws.vpn_connections,
        own_vpn_connections: aws.own_vpn_connections,
        account,
        ..azure
    })
}

/// Uses the credentials in a call that needs no permission: without it, a link that creates its VPC
/// reads nothing in AWS at plan, and missing credentials would fail the apply.
async fn check_aws_credentials(
    clouds: &CloudClients,
    ask: &PreflightRequest,
    operation: &OperationContext,
) -> Result<(), ActionError> {
    let clients = clouds.link_clients(ask.region.as_ref(), operation).await?;
    clients
        .ec2
        .caller_identity(&operation.call_context())
        .await?;
    Ok(())
}

/// Links with all their connections whose AWS half carries the mark all the same.
async fn incomplete_links(
    clouds: &CloudClients,
    ask: &PreflightRequest,
    observed: &PreflightSnapshot,
    operation: &OperationContext,
) -> Result<BTreeSet<String>, ActionError> {
    let mut counts = BTreeMap::<&String, usize>::new();
    let tags = observed
        .network_connections
        .iter()
        .filter_map(|connection| connection.resource.tags.get(TAG_LINK));
    tags.for_each(|link| *counts.entry(link).or_default() += 1);
    let mut found = BTreeSet::new();
    for link in counts
        .into_iter()
        .filter(|(_, count)| *count >= TunnelKey::ALL.len())
        .map(|(link, _)| link)
    {
        let ec2 = clouds
            .link_clients(ask.region.as_ref(), operation)
            .await?
            .ec2;
        let marked = Tags::from([
            (TAG_LINK.to_owned(), link.clone()),
            (TAG_INCOMPLETE.to_owned(), "true".to_owned()),
        ]);
        if !ec2
            .read_customer_gateways(&operation.call_context(), &Filter::tags(&marked))
            .await?
            .is_empty()
        {
            found.insert(link.clone());
        }
    }
    Ok(found)
}

/// The customer gateways of an earlier try, whose tags record what it put on gateways of other
/// users.
async fn customer_gateways_of_earlier_try(
    clouds: &CloudClients,
    ask: &PreflightRequest,
    observed: &PreflightSnapshot,
    operation: &OperationContext,
) -> Result<Vec<CustomerGateway>, ActionError> {
    let network = || {
        observed
            .gateway
            .found()
            .and_then(network_of)
            .or_else(|| ask.network.clone())
    };
    let connections = observed
        .connections
        .iter()
        .chain(&observed.network_connections);
    let link = ask.link.clone().or_else(|| {
        Some(LinkId::for_create(
            &network()?,
            ask.first_cidr?,
            connections,
        ))
    });
    let Some(link) = link else {
        return Ok(Vec::new());
    };
    let tags = Tags::from([(TAG_LINK.to_owned(), link.to_string())]);
    let ec2 = clouds
        .link_clients(ask.region.as_ref(), operation)
        .await?
        .ec2;
    Ok(ec2
        .read_customer_gateways(&operation.call_context(), &Filter::tags(&tags))
        .await?)
}

async fn read_azure(
    azure: &Azure,
    ask: &PreflightRequest,
    operation: &OperationContext,
) -> Result<PreflightSnapshot, ActionError> {
    let ctx = &operation.call_context();
    let group = Box::pin(async {
        let Some(name) = &ask.resource_group else {
            return Ok(Lookup::Skipped);
        };
        Ok::<_, ActionError>(lookup(azure.get_group(name, ctx).await?))
    });
    let network = Box::pin(async {
        let Some(id) = &ask.network else {
            return Ok((Lookup::Skipped, Lookup::Skipped, Vec::new()));
        };
        let Some(network) = azure.get_virtual_network(id, ctx).await? else {
            return Ok((Lookup::NotFound, Lookup::NotFound, Vec::new()));
        };
        let gateways = azure.gateways_of(&network, ctx).await?;
        let vpn = gateways
            .into_iter()
            .find(|g| g.gateway_type.eq_ignore_ascii_case("Vpn"));
        let on_it = match &vpn {
            Some(gateway) => azure.gateway_connections(&gateway.resource.id, ctx).await?,
            None => Vec::new(),
        };
        Ok::<_, ActionError>((Lookup::Found(network), lookup(vpn), on_it))
    });
    let given = Box::pin(async {
        let Some(id) = &ask.gateway else {
            return Ok((Lookup::Skipped, Lookup::Skipped, Vec::new()));
        };
        let Some(gateway) = azure.get_gateway(id, ctx).await? else {
            return Ok((Lookup::NotFound, Lookup::Skipped, Vec::new()));
        };
        let connections = azure.gateway_connections(id, ctx).await?;
        let network = match network_of(&gateway) {
            Some(id) => lookup(azure.get_virtual_network(&id, ctx).await?),
            None => Lookup::Skipped,
        };
        Ok::<_, ActionError>((Lookup::Found(gateway), network, connections))
    });
    let public_ips = Box::pin(async {
        let found = ask.public_ips.iter().map(|id| azure.get_public_ip(id, ctx));
        Ok::<_, ActionError>(try_join_all(found).await?)
    });
    let (
        group,
        (network, network_gateway, network_connections),
        (gateway, gateway_network, connections),
        public_ips,
    ) = try_join!(group, network, given, public_ips)?;
    let azure = PreflightSnapshot {
        group,
        network,
        public_ips: public_ips.into_iter().flatten().collect(),
        network_gateway,
        network_connections,
        ..PreflightSnapshot::default()
    };
    Ok(PreflightSnapshot {
        gateway,
        gateway_network,
        connections,
        ..azure
    })
}

async fn read_aws(
    clouds: &CloudClients,
    ask: &PreflightRequest,
    operation: &OperationContext,
) -> Result<PreflightSnapshot, ActionError> {
    let ec2 = clouds
        .link_clients(ask.region.as_ref(), operation)
        .await?
        .ec2;
    let ctx = &operation.call_context();
    let mut observed = PreflightSnapshot::default();
    let mut vpc = ask.vpc.clone();
    if let Some(id) = &ask.vpn_gateway {
        let (by_id, of_it) = (Filter::id(id), Filter::vpn_gateway(id));
        let (gateways, connections) = try_join!(
            ec2.read_vpn_gateways(ctx, &by_id),
            ec2.read_vpn_connections(ctx, &of_it)
        )?;
        observed.vpn_gateway = lookup(gateways.into_iter().next());
        observed.vpn_connections = connections;
        let attached = observed
            .vpn_gateway
            .found()
            .and_then(|g| g.attachment.as_ref())
            .map(|(vpc, _)| vpc.clone());
        vpc = vpc.or(attached);
    }
    if let Some(id) = &ask.own_vpn_gateway {
        observed.own_vpn_connections = ec2
            .read_vpn_connections(ctx, &Filter::vpn_gateway(id))
            .await?;
    }
    if let Some(id) = &ask.transit_gateway {
        let (by_id, of_it) = (Filter::id(id), Filter::transit_gateway(id));
        let named = Filter::ids(&ask.transit_route_tables);
        let (gateways, connections, tables) = try_join!(
            ec2.read_transit_gateways(ctx, &by_id),
            ec2.read_vpn_connections(ctx, &of_it),
            ec2.describe_transit_gateway_route_tables(ctx, &named)
        )?;
        observed.transit_route_tables = Lookup::Found(tables);
        observed.transit_gateway = lookup(gateways.into_iter().next());
        observed.vpn_connections = connections;
    }
    if let Some(id) = &vpc {
        let (by_id, inside) = (Filter::id(id), Filter::vpc(id));
        let (vpcs, gateways, subnets, tables) = try_join!(
            ec2.read_vpcs(ctx, &by_id),
            ec2.read_vpn_gateways(ctx, &inside),
            ec2.describe_subnets(ctx, &inside),
            ec2.read_route_tables(ctx, id),
        )?;
        observed.vpc = lookup(vpcs.into_iter().next());
        observed.vpc_gateway = lookup(gateways.into_iter().find(|g| g.attachment.is_some()));
        (observed.subnets, observed.route_tables) = (subnets, tables);
    }
    Ok(observed)
}
