//! Looks, before the first delete, at what is in and on that which is to be deleted.

use super::cause::Cause;
use super::clouds::{Limits, Site};
use crate::aws::Filter;
use crate::azure::ResourceId;
use crate::link::blockers::{Blocker, Contents, Own, Why, blockers, identified};
use crate::link::managed::Kind;
use crate::link::observed::Observed;
use crate::link::step::{Object, Step, Verb};
use futures::future::try_join_all;
use futures::try_join;
use std::collections::BTreeSet;

/// Nothing of others, and no lock, is in the way of the deletes among these steps.
///
/// # Errors
/// `Blocked` with everything that is in the way, or what could not be read.
pub async fn preflight(site: &Site, steps: &[Step], own: &Own, seen: &Observed, limits: &Limits) -> Result<(), Cause> {
    let deleted: Vec<&Object> = steps.iter().filter(|s| s.verb == Verb::Delete).map(|s| &s.object).collect();
    if deleted.is_empty() {
        return Ok(());
    }
    let (azure, aws) = try_join!(
        Box::pin(read_azure(site, &deleted, seen, limits)),
        Box::pin(read_aws(site, &deleted, seen, limits))
    )?;
    let contents =
        Contents { vpc: aws.vpc, vpc_gateways: aws.vpc_gateways, vpn_connections: aws.vpn_connections, ..azure };
    let found = without_deleting_users(site, blockers(steps, own, seen, &contents), limits).await?;
    if found.is_empty() { Ok(()) } else { Err(Cause::Blocked { found }) }
}

/// Without the users that are gone or that Azure is deleting, whosever they are: the delete of what they use waits for them. So
/// the link's own gateway is none after a run that was killed while Azure deleted it, although no state names it any more.
async fn without_deleting_users(site: &Site, found: Vec<Blocker>, limits: &Limits) -> Result<Vec<Blocker>, Cause> {
    let user = |blocker: &Blocker| ResourceId::network_owner(&blocker.by).filter(|_| blocker.why == Why::UsedBy);
    let users: BTreeSet<ResourceId> = found.iter().filter_map(user).collect();
    let leaving = site.azure.deleted_or_deleting(&users, &limits.azure()).await?;
    let stays = |blocker: &Blocker| user(blocker).is_none_or(|user| !leaving.contains(&user));
    Ok(found.into_iter().filter(stays).collect())
}

async fn read_azure(site: &Site, deleted: &[&Object], seen: &Observed, limits: &Limits) -> Result<Contents, Cause> {
    let (azure, waits) = (&site.azure, &limits.azure());
    let ids: Vec<(Kind, String)> = deleted.iter().filter_map(|object| identified(object, seen)).collect();
    let changed = deleted.contains(&&Object::OwnAddresses).then_some(seen.azure.gateway.as_ref()).flatten();
    let named = ids.iter().filter_map(|(_, id)| ResourceId::parse(id).ok());
    let named = named.chain(changed.map(|gateway| gateway.resource.id.clone()));
    let mut groups: BTreeSet<String> = named.map(|id| id.resource_group().to_lowercase()).collect();
    let group = ids.iter().find(|(kind, _)| *kind == Kind::AzureResourceGroup).map(|(_, name)| name);
    groups.extend(group.map(|name| name.to_lowercase()));
    let gateway = seen.azure.gateway.as_ref().filter(|_| deleted.contains(&&Object::Gateway));
    let locals = deleted.iter().any(|object| matches!(object, Object::LocalGateway(_)));
    let members = Box::pin(async {
        match group {
            Some(name) => azure.group_resources(name, waits).await.map_err(Cause::from),
            None => Ok(Vec::new()),
        }
    });
    let on_gateway = Box::pin(async {
        match gateway {
            Some(gateway) => azure.gateway_connections(&gateway.resource.id, waits).await.map_err(Cause::from),
            None => Ok(Vec::new()),
        }
    });
    let connections = Box::pin(async {
        if !locals {
            return Ok(Vec::new());
        }
        let mut places = azure.groups_with_connections(waits).await?;
        places.extend(groups.iter().cloned());
        let all = try_join_all(places.iter().map(|name| azure.list_connections(name, waits))).await?;
        Ok::<_, Cause>(all.into_iter().flatten().collect::<Vec<_>>())
    });
    let locks = Box::pin(async {
        let all = try_join_all(groups.iter().map(|name| azure.group_locks(name, waits))).await?;
        Ok::<_, Cause>(all.into_iter().flatten().collect::<Vec<_>>())
    });
    let (group, gateway_connections, connections, locks) = try_join!(members, on_gateway, connections, locks)?;
    Ok(Contents { group, gateway_connections, connections, locks, ..Contents::default() })
}

async fn read_aws(site: &Site, deleted: &[&Object], seen: &Observed, limits: &Limits) -> Result<Contents, Cause> {
    let (ec2, waits) = (&site.ec2, &limits.aws());
    let inside = deleted.iter().any(|object| matches!(object, Object::Vpc | Object::PublicSubnet));
    let vpc = seen.aws.vpc.as_ref().filter(|_| inside);
    let gateway = seen.aws.gateway.as_ref().filter(|_| deleted.contains(&&Object::VpnGateway));
    let occupants = Box::pin(async {
        match vpc {
            Some(vpc) => ec2.vpc_occupants(waits, &vpc.id).await.map_err(Cause::from),
            None => Ok(Vec::new()),
        }
    });
    let gateways = Box::pin(async {
        match vpc {
            Some(vpc) => ec2.describe_vpn_gateways(waits, &Filter::vpc(&vpc.id)).await.map_err(Cause::from),
            None => Ok(Vec::new()),
        }
    });
    let connections = Box::pin(async {
        match gateway {
            Some(it) => ec2.describe_vpn_connections(waits, &Filter::vpn_gateway(&it.id)).await.map_err(Cause::from),
            None => Ok(Vec::new()),
        }
    });
    let (vpc, vpc_gateways, vpn_connections) = try_join!(occupants, gateways, connections)?;
    Ok(Contents { vpc, vpc_gateways, vpn_connections, ..Contents::default() })
}
