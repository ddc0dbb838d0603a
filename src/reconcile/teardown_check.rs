//! Looks, before the first delete, at what is in and on that which is to be deleted.

use super::clients::{LinkClients, OperationContext};
use super::error::ActionError;
use crate::aws::Filter;
use crate::azure::ResourceId;
use bgp_vpn::action::{Action, ActionTarget, Verb};
use bgp_vpn::blockers::{BlockReason, Blocker, Contents, OwnObjects, blockers, managed_id};
use bgp_vpn::managed::Kind;
use bgp_vpn::observed::Observed;
use futures::future::try_join_all;
use futures::try_join;
use std::collections::BTreeSet;

/// Nothing of others, and no lock, is in the way of the deletes among these steps.
///
/// # Errors
/// `Blocked` with everything that is in the way, or what could not be read.
pub async fn check_blockers(
    clients: &LinkClients,
    actions: &[Action],
    own: &OwnObjects,
    observed: &Observed,
    operation: &OperationContext,
) -> Result<(), ActionError> {
    let deleted: Vec<&ActionTarget> = actions
        .iter()
        .filter(|s| s.verb == Verb::Delete)
        .map(|s| &s.target)
        .collect();
    if deleted.is_empty() {
        return Ok(());
    }
    let (azure, aws) = try_join!(
        Box::pin(read_azure(clients, &deleted, observed, operation)),
        Box::pin(read_aws(clients, &deleted, observed, operation))
    )?;
    let contents = Contents {
        vpc: aws.vpc,
        vpc_gateways: aws.vpc_gateways,
        vpn_connections: aws.vpn_connections,
        ..azure
    };
    let found = without_deleting_users(
        clients,
        blockers(actions, own, observed, &contents),
        operation,
    )
    .await?;
    if found.is_empty() {
        Ok(())
    } else {
        Err(ActionError::Blocked { found })
    }
}

/// Without the users that are gone or that Azure is deleting, whosever they are: the delete of what
/// they use waits for them. So the link's own gateway is none after a run that was killed while
/// Azure deleted it, although no state names it any more.
async fn without_deleting_users(
    clients: &LinkClients,
    found: Vec<Blocker>,
    operation: &OperationContext,
) -> Result<Vec<Blocker>, ActionError> {
    let user = |blocker: &Blocker| {
        ResourceId::network_owner(&blocker.by).filter(|_| blocker.reason == BlockReason::UsedBy)
    };
    let users: BTreeSet<ResourceId> = found.iter().filter_map(user).collect();
    let leaving = clients
        .azure
        .deleted_or_deleting(&users, &operation.call_context())
        .await?;
    let stays = |blocker: &Blocker| user(blocker).is_none_or(|user| !leaving.contains(&user));
    Ok(found.into_iter().filter(stays).collect())
}

async fn read_azure(
    clients: &LinkClients,
    deleted: &[&ActionTarget],
    observed: &Observed,
    operation: &OperationContext,
) -> Result<Contents, ActionError> {
    let (azure, ctx) = (&clients.azure, &operation.call_context());
    let ids: Vec<(Kind, String)> = deleted
        .iter()
        .filter_map(|object| managed_id(object, observed))
        .collect();
    let changed = deleted
        .contains(&&ActionTarget::CustomBgpAddresses)
        .then_some(observed.azure.gateway.as_ref())
        .flatten();
    let named = ids.iter().filter_map(|(_, id)| ResourceId::parse(id).ok());
    let named = named.chain(changed.map(|gateway| gateway.resource.id.clone()));
    let mut groups: BTreeSet<String> = named.map(|id| id.resource_group().to_lowercase()).collect();
    let group = ids
        .iter()
        .find(|(kind, _)| *kind == Kind::AzureResourceGroup)
        .map(|(_, name)| name);
    groups.extend(group.map(|name| name.to_lowercase()));
    let gateway = observed
        .azure
        .gateway
        .as_ref()
        .filter(|_| deleted.contains(&&ActionTarget::Gateway));
    let locals = deleted
        .iter()
        .any(|object| matches!(object, ActionTarget::LocalGateway(_)));
    let members = Box::pin(async {
        match group {
            Some(name) => azure
                .group_resources(name, ctx)
                .await
                .map_err(ActionError::from),
            None => Ok(Vec::new()),
        }
    });
    let on_gateway = Box::pin(async {
        match gateway {
            Some(gateway) => azure
                .gateway_connections(&gateway.resource.id, ctx)
                .await
                .map_err(ActionError::from),
            None => Ok(Vec::new()),
        }
    });
    let connections = Box::pin(async {
        if !locals {
            return Ok(Vec::new());
        }
        let mut places = azure.groups_with_connections(ctx).await?;
        places.extend(groups.iter().cloned());
        let all = try_join_all(places.iter().map(|name| azure.list_connections(name, ctx))).await?;
        Ok::<_, ActionError>(all.into_iter().flatten().collect::<Vec<_>>())
    });
    let locks = Box::pin(async {
        let all = try_join_all(groups.iter().map(|name| azure.group_locks(name, ctx))).await?;
        Ok::<_, ActionError>(all.into_iter().flatten().collect::<Vec<_>>())
    });
    let (group, gateway_connections, connections, locks) =
        try_join!(members, on_gateway, connections, locks)?;
    Ok(Contents {
        group,
        gateway_connections,
        connections,
        locks,
        ..Contents::default()
    })
}

async fn read_aws(
    clients: &LinkClients,
    deleted: &[&ActionTarget],
    observed: &Observed,
    operation: &OperationContext,
) -> Result<Contents, ActionError> {
    let (ec2, ctx) = (&clients.ec2, &operation.call_context());
    let inside = deleted
        .iter()
        .any(|object| matches!(object, ActionTarget::Vpc | ActionTarget::PublicSubnet));
    let vpc = observed.aws.vpc.as_ref().filter(|_| inside);
    let gateway = observed
        .aws
        .gateway
        .as_ref()
        .filter(|_| deleted.contains(&&ActionTarget::VpnGateway));
    let occupants = Box::pin(async {
        match vpc {
            Some(vpc) => ec2
                .vpc_occupants(ctx, &vpc.id)
                .await
                .map_err(ActionError::from),
            None => Ok(Vec::new()),
        }
    });
    let gateways = Box::pin(async {
        match vpc {
            Some(vpc) => ec2
                .describe_vpn_gateways(ctx, &Filter::vpc(&vpc.id))
                .await
                .map_err(ActionError::from),
            None => Ok(Vec::new()),
        }
    });
    let connections = Box::pin(async {
        match gateway {
            Some(it) => ec2
                .describe_vpn_connections(ctx, &Filter::vpn_gateway(&it.id))
                .await
                .map_err(ActionError::from),
            None => Ok(Vec::new()),
        }
    });
    let (vpc, vpc_gateways, vpn_connections) = try_join!(occupants, gateways, connections)?;
    Ok(Contents {
        vpc,
        vpc_gateways,
        vpn_connections,
        ..Contents::default()
    })
}
