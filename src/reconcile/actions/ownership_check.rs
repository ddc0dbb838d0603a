//! The last check before a delete. Ids in a state can be edited by hand, and another user may have
//! taken an object over and removed its tags, so only what still is this link's is deleted.

use super::ActionContext;
use super::delete::DeleteContext;
use crate::aws::Filter;
use crate::aws::model::{CustomerGateway, VpnConnection};
use crate::azure::model::{Connection, LocalGateway};
use crate::reconcile::error::ActionError;
use bgp_vpn::action::ActionTarget;
use bgp_vpn::lookup::LookupScope;
use bgp_vpn::managed::Kind;
use bgp_vpn::observed::Observed;
use bgp_vpn::ownership_tags::LinkId;
use bgp_vpn::tunnel::{Instance, TunnelKey};
use bgp_vpn::types::Tags;
use std::net::Ipv4Addr;

/// An object about to be deleted, and its tags as they are now.
struct Tagged {
    id: String,
    tags: Tags,
}

/// Whether an object may be deleted.
///
/// # Errors
/// `NotOwned`; what reading it answers.
pub(super) async fn ensure_owned(
    deletes: &DeleteContext<'_>,
    object: &ActionTarget,
) -> Result<(), ActionError> {
    let context = deletes.context;
    let link = deletes.link.or(context.scope.link.as_ref());
    let Some(link) = link.filter(|link| !link.as_str().is_empty()) else {
        return Ok(());
    };
    match object {
        ActionTarget::Connection(_)
        | ActionTarget::LocalGateway(_)
        | ActionTarget::VpnConnection(_)
        | ActionTarget::CustomerGateway(_) => tunnel_end(context, link, object),
        _ => match read(deletes, object).await? {
            Some(found) if !link.is_on(&found.tags) => Err(ActionError::NotOwned {
                id: found.id,
                tag: link.to_string(),
            }),
            _ => Ok(()),
        },
    }
}

/// Networks, gateways and groups are deleted with their tag only. What is gone needs none.
async fn read(
    deletes: &DeleteContext<'_>,
    object: &ActionTarget,
) -> Result<Option<Tagged>, ActionError> {
    let context = deletes.context;
    let (azure, az) = (&context.clients.azure, context.operation.call_context());
    let (ec2, aw) = (&context.clients.ec2, context.operation.call_context());
    let of = |resource: crate::azure::model::Resource| Tagged {
        id: resource.id.to_string(),
        tags: resource.tags,
    };
    let found = match object {
        ActionTarget::VirtualNetwork => {
            let Some(id) =
                context.read(|s| s.azure.network.as_ref().map(|n| n.resource.id.clone()))
            else {
                return Ok(None);
            };
            azure
                .get_virtual_network(&id, &az)
                .await?
                .map(|found| of(found.resource))
        }
        ActionTarget::Gateway => azure
            .get_gateway(&deletes.gateway_id()?, &az)
            .await?
            .map(|found| of(found.resource)),
        ActionTarget::PublicIp(instance) => {
            let id = context.read(|s| {
                s.azure
                    .public_ips
                    .get(*instance)
                    .as_ref()
                    .map(|ip| ip.resource.id.clone())
            });
            let Some(id) = id else { return Ok(None) };
            azure
                .get_public_ip(&id, &az)
                .await?
                .map(|found| of(found.resource))
        }
        ActionTarget::ResourceGroup => {
            let Some(name) =
                context.read(|s| s.azure.group.as_ref().map(|group| group.name.clone()))
            else {
                return Ok(None);
            };
            let found = azure.get_group(&name, &az).await?;
            found.map(|group| Tagged {
                id: format!("the resource group {}", group.name),
                tags: group.tags,
            })
        }
        ActionTarget::VpnGateway | ActionTarget::VgwAttachment => {
            let Some(id) = context.read(|s| s.aws.gateway.as_ref().map(|g| g.id.clone())) else {
                return Ok(None);
            };
            let found = ec2.describe_vpn_gateways(&aw, &Filter::id(&id)).await?;
            found.into_iter().next().map(|g| Tagged {
                id: g.id.0,
                tags: g.tags,
            })
        }
        ActionTarget::Vpc => {
            let Some(id) = context.read(|s| s.aws.vpc.as_ref().map(|vpc| vpc.id.clone())) else {
                return Ok(None);
            };
            let found = ec2.describe_vpcs(&aw, &Filter::id(&id)).await?;
            found.into_iter().next().map(|vpc| Tagged {
                id: vpc.id.0,
                tags: vpc.tags,
            })
        }
        ActionTarget::InternetGateway => {
            let Some(id) = context.read(|s| s.aws.internet_gateway.as_ref().map(|g| g.id.clone()))
            else {
                return Ok(None);
            };
            let found = ec2
                .describe_internet_gateways(&aw, &Filter::id(&id))
                .await?;
            found.into_iter().next().map(|g| Tagged {
                id: g.id.0,
                tags: g.tags,
            })
        }
        ActionTarget::PublicSubnet => {
            let Some(id) = context.read(|s| s.aws.public_subnet.clone()) else {
                return Ok(None);
            };
            let found = ec2.describe_subnets(&aw, &Filter::id(&id)).await?;
            found.into_iter().next().map(|subnet| Tagged {
                id: subnet.id.0,
                tags: subnet.tags,
            })
        }
        ActionTarget::PublicRouteTable => {
            let Some(id) = context.read(|s| s.aws.public_route_table.clone()) else {
                return Ok(None);
            };
            let found = ec2.describe_route_tables(&aw, &Filter::id(&id)).await?;
            found.into_iter().next().map(|table| Tagged {
                id: table.id.0,
                tags: table.tags,
            })
        }
        // Azure subnets carry no tags, and the other objects are parts of one that is checked or
        // are not deleted.
        _ => None,
    };
    Ok(found)
}

/// An imported link's tunnel ends carry no tag. They are this link's while they refer to its
/// gateways or addresses.
fn tunnel_end(
    context: &ActionContext<'_>,
    link: &LinkId,
    object: &ActionTarget,
) -> Result<(), ActionError> {
    let (scope, before) = (context.scope, context.before);
    let foreign = context.read(|observed| match object {
        ActionTarget::Connection(key) => {
            let connection = observed.azure.connections.get(*key).as_ref()?;
            let own = link.is_on(&connection.resource.tags)
                || refers_connection(scope, before, connection);
            (!own).then(|| connection.resource.id.to_string())
        }
        ActionTarget::LocalGateway(key) => {
            let local = observed.azure.local_gateways.get(*key).as_ref()?;
            let own =
                link.is_on(&local.resource.tags) || refers_local_gateway(scope, before, local);
            (!own).then(|| local.resource.id.to_string())
        }
        ActionTarget::VpnConnection(instance) => {
            let vpn = observed.aws.vpn_connections.get(*instance).as_ref()?;
            let own = link.is_on(&vpn.tags) || refers_vpn_connection(scope, before, vpn);
            (!own).then(|| vpn.id.to_string())
        }
        ActionTarget::CustomerGateway(instance) => {
            let customer = observed.aws.customer_gateways.get(*instance).as_ref()?;
            let own = link.is_on(&customer.tags)
                || refers_customer_gateway(scope, before, customer, *instance);
            (!own).then(|| customer.id.to_string())
        }
        _ => None,
    });
    foreign.map_or(Ok(()), |id| {
        Err(ActionError::NotOwned {
            id,
            tag: link.to_string(),
        })
    })
}

fn is_aws_peer(scope: &LookupScope, ip: Ipv4Addr) -> bool {
    scope
        .inside_cidrs
        .iter()
        .any(|(_, cidr)| cidr.aws_ip() == ip)
}

fn is_azure_peer(scope: &LookupScope, ip: Ipv4Addr) -> bool {
    scope
        .inside_cidrs
        .iter()
        .any(|(_, cidr)| cidr.azure_ip() == ip)
}

fn refers_connection(scope: &LookupScope, before: &Observed, connection: &Connection) -> bool {
    let to_own = |key: TunnelKey| {
        let local = before.azure.local_gateways.get(key).as_ref();
        local.is_some_and(|local| connection.local_gateway_id.as_ref() == Some(&local.resource.id))
    };
    let on_own =
        connection.gateway_id.is_some() && connection.gateway_id == scope.known.azure_gateway;
    on_own
        && (TunnelKey::ALL.into_iter().any(to_own)
            || connection
                .custom_bgp_ips
                .iter()
                .any(|(_, ip)| is_azure_peer(scope, *ip)))
}

fn refers_local_gateway(scope: &LookupScope, before: &Observed, local: &LocalGateway) -> bool {
    let outside = |ip: Ipv4Addr| {
        let tunnels = before
            .aws
            .vpn_connections
            .iter()
            .filter_map(|(_, vpn)| vpn.as_ref())
            .flat_map(|vpn| &vpn.tunnels);
        scope
            .known
            .outside_ips
            .iter()
            .any(|(_, known)| *known == Some(ip))
            || tunnels.into_iter().any(|t| t.outside_ip == ip)
    };
    local.gateway_ip.is_some_and(outside)
        || local.bgp.is_some_and(|(_, peer)| is_aws_peer(scope, peer))
}

fn refers_vpn_connection(scope: &LookupScope, before: &Observed, vpn: &VpnConnection) -> bool {
    let inside = vpn.tunnels.iter().filter_map(|tunnel| tunnel.inside_cidr);
    let own_inside = inside
        .into_iter()
        .any(|net| scope.inside_cidrs.iter().any(|(_, cidr)| cidr.net() == net));
    let outside = vpn.tunnels.iter().map(|tunnel| tunnel.outside_ip);
    let own_outside = outside.into_iter().any(|ip| {
        before
            .azure
            .local_gateways
            .iter()
            .any(|(_, local)| local.as_ref().is_some_and(|l| l.gateway_ip == Some(ip)))
    });
    own_inside || own_outside
}

fn refers_customer_gateway(
    scope: &LookupScope,
    before: &Observed,
    customer: &CustomerGateway,
    instance: Instance,
) -> bool {
    if !scope.recorded_ids.is_empty() && !scope.records(Kind::AwsCustomerGateway, &customer.id.0) {
        return false;
    }
    let used = before
        .aws
        .vpn_connections
        .get(instance)
        .as_ref()
        .is_some_and(|vpn| vpn.customer_gateway_id == customer.id);
    used || before.public_ip(instance) == Some(customer.ip)
        || *scope.known.public_addresses.get(instance) == Some(customer.ip)
}
