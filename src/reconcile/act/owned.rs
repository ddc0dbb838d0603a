//! The last check before a delete. Ids in a state can be edited by hand, and another user may have taken an object over and
//! removed its tags, so only what still is this link's is deleted.

use super::Acting;
use crate::aws::Filter;
use crate::aws::model::{CustomerGateway, VpnConnection};
use crate::azure::model::{Connection, LocalGateway};
use crate::link::managed::Kind;
use crate::link::observed::Observed;
use crate::link::ownership::LinkId;
use crate::link::search::Search;
use crate::link::step::Object;
use crate::link::tunnel::{Instance, TunnelKey};
use crate::primitives::Tags;
use crate::reconcile::cause::Cause;
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
pub(super) async fn must_be_owned(acting: &Acting<'_>, object: &Object) -> Result<(), Cause> {
    let link = acting.demolition.map(|what| &what.link).or(acting.search.link.as_ref());
    let Some(link) = link.filter(|link| !link.as_str().is_empty()) else { return Ok(()) };
    match object {
        Object::Connection(_) | Object::LocalGateway(_) | Object::VpnConnection(_) | Object::CustomerGateway(_) => {
            tunnel_end(acting, link, object)
        }
        _ => match read(acting, object).await? {
            Some(found) if !link.is_on(&found.tags) => Err(Cause::NotOwned { id: found.id, tag: link.to_string() }),
            _ => Ok(()),
        },
    }
}

/// Networks, gateways and groups are deleted with their tag only. What is gone needs none.
async fn read(acting: &Acting<'_>, object: &Object) -> Result<Option<Tagged>, Cause> {
    let (azure, az) = (&acting.site.azure, acting.limits.azure());
    let (ec2, aw) = (&acting.site.ec2, acting.limits.aws());
    let of = |resource: crate::azure::model::Resource| Tagged { id: resource.id.to_string(), tags: resource.tags };
    let found = match object {
        Object::VirtualNetwork => {
            let Some(id) = acting.seen(|s| s.azure.network.as_ref().map(|n| n.resource.id.clone())) else {
                return Ok(None);
            };
            azure.get_virtual_network(&id, &az).await?.map(|found| of(found.resource))
        }
        Object::Gateway => azure.get_gateway(&acting.gateway_id()?, &az).await?.map(|found| of(found.resource)),
        Object::PublicIp(instance) => {
            let id = acting.seen(|s| s.azure.public_ips.get(*instance).as_ref().map(|ip| ip.resource.id.clone()));
            let Some(id) = id else { return Ok(None) };
            azure.get_public_ip(&id, &az).await?.map(|found| of(found.resource))
        }
        Object::ResourceGroup => {
            let Some(name) = acting.seen(|s| s.azure.group.as_ref().map(|group| group.name.clone())) else {
                return Ok(None);
            };
            let found = azure.get_group(&name, &az).await?;
            found.map(|group| Tagged { id: format!("the resource group {}", group.name), tags: group.tags })
        }
        Object::VpnGateway | Object::Attachment => {
            let Some(id) = acting.seen(|s| s.aws.gateway.as_ref().map(|g| g.id.clone())) else { return Ok(None) };
            let found = ec2.describe_vpn_gateways(&aw, &Filter::id(&id)).await?;
            found.into_iter().next().map(|g| Tagged { id: g.id.0, tags: g.tags })
        }
        Object::Vpc => {
            let Some(id) = acting.seen(|s| s.aws.vpc.as_ref().map(|vpc| vpc.id.clone())) else { return Ok(None) };
            let found = ec2.describe_vpcs(&aw, &Filter::id(&id)).await?;
            found.into_iter().next().map(|vpc| Tagged { id: vpc.id.0, tags: vpc.tags })
        }
        Object::InternetGateway => {
            let Some(id) = acting.seen(|s| s.aws.internet_gateway.as_ref().map(|g| g.id.clone())) else {
                return Ok(None);
            };
            let found = ec2.describe_internet_gateways(&aw, &Filter::id(&id)).await?;
            found.into_iter().next().map(|g| Tagged { id: g.id.0, tags: g.tags })
        }
        Object::PublicSubnet => {
            let Some(id) = acting.seen(|s| s.aws.public_subnet.clone()) else { return Ok(None) };
            let found = ec2.describe_subnets(&aw, &Filter::id(&id)).await?;
            found.into_iter().next().map(|subnet| Tagged { id: subnet.id.0, tags: subnet.tags })
        }
        Object::PublicRouteTable => {
            let Some(id) = acting.seen(|s| s.aws.public_route_table.clone()) else { return Ok(None) };
            let found = ec2.describe_route_tables(&aw, &Filter::id(&id)).await?;
            found.into_iter().next().map(|table| Tagged { id: table.id.0, tags: table.tags })
        }
        // Azure subnets carry no tags, and the other objects are parts of one that is checked or are not deleted.
        _ => None,
    };
    Ok(found)
}

/// An imported link's tunnel ends carry no tag. They are this link's while they refer to its gateways or addresses.
fn tunnel_end(acting: &Acting<'_>, link: &LinkId, object: &Object) -> Result<(), Cause> {
    let (search, before) = (acting.search, acting.before);
    let foreign = acting.seen(|seen| match object {
        Object::Connection(key) => {
            let connection = seen.azure.connections.get(*key).as_ref()?;
            let own = link.is_on(&connection.resource.tags) || refers_connection(search, before, connection);
            (!own).then(|| connection.resource.id.to_string())
        }
        Object::LocalGateway(key) => {
            let local = seen.azure.local_gateways.get(*key).as_ref()?;
            let own = link.is_on(&local.resource.tags) || refers_local_gateway(search, before, local);
            (!own).then(|| local.resource.id.to_string())
        }
        Object::VpnConnection(instance) => {
            let vpn = seen.aws.vpns.get(*instance).as_ref()?;
            let own = link.is_on(&vpn.tags) || refers_vpn_connection(search, before, vpn);
            (!own).then(|| vpn.id.to_string())
        }
        Object::CustomerGateway(instance) => {
            let customer = seen.aws.customer_gateways.get(*instance).as_ref()?;
            let own = link.is_on(&customer.tags) || refers_customer_gateway(search, before, customer, *instance);
            (!own).then(|| customer.id.to_string())
        }
        _ => None,
    });
    foreign.map_or(Ok(()), |id| Err(Cause::NotOwned { id, tag: link.to_string() }))
}

fn is_aws_peer(search: &Search, ip: Ipv4Addr) -> bool {
    search.inside_cidrs.iter().any(|(_, cidr)| cidr.aws_ip() == ip)
}

fn is_azure_peer(search: &Search, ip: Ipv4Addr) -> bool {
    search.inside_cidrs.iter().any(|(_, cidr)| cidr.azure_ip() == ip)
}

fn refers_connection(search: &Search, before: &Observed, connection: &Connection) -> bool {
    let to_own = |key: TunnelKey| {
        let local = before.azure.local_gateways.get(key).as_ref();
        local.is_some_and(|local| connection.local_gateway_id.as_ref() == Some(&local.resource.id))
    };
    let on_own = connection.gateway_id.is_some() && connection.gateway_id == search.known.azure_gateway;
    on_own
        && (TunnelKey::ALL.into_iter().any(to_own)
            || connection.custom_bgp_ips.iter().any(|(_, ip)| is_azure_peer(search, *ip)))
}

fn refers_local_gateway(search: &Search, before: &Observed, local: &LocalGateway) -> bool {
    let outside = |ip: Ipv4Addr| {
        let tunnels = before.aws.vpns.iter().filter_map(|(_, vpn)| vpn.as_ref()).flat_map(|vpn| &vpn.tunnels);
        search.known.outside_ips.iter().any(|(_, known)| *known == Some(ip))
            || tunnels.into_iter().any(|t| t.outside_ip == ip)
    };
    local.gateway_ip.is_some_and(outside) || local.bgp.is_some_and(|(_, peer)| is_aws_peer(search, peer))
}

fn refers_vpn_connection(search: &Search, before: &Observed, vpn: &VpnConnection) -> bool {
    let inside = vpn.tunnels.iter().filter_map(|tunnel| tunnel.inside_cidr);
    let own_inside = inside.into_iter().any(|net| search.inside_cidrs.iter().any(|(_, cidr)| cidr.net() == net));
    let outside = vpn.tunnels.iter().map(|tunnel| tunnel.outside_ip);
    let own_outside = outside.into_iter().any(|ip| {
        before.azure.local_gateways.iter().any(|(_, local)| local.as_ref().is_some_and(|l| l.gateway_ip == Some(ip)))
    });
    own_inside || own_outside
}

fn refers_customer_gateway(search: &Search, before: &Observed, customer: &CustomerGateway, instance: Instance) -> bool {
    if !search.recorded.is_empty() && !search.records(Kind::AwsCustomerGateway, &customer.id.0) {
        return false;
    }
    let used = before.aws.vpns.get(instance).as_ref().is_some_and(|vpn| vpn.customer_gateway_id == customer.id);
    used || before.public_ip(instance) == Some(customer.ip)
        || *search.known.public_addresses.get(instance) == Some(customer.ip)
}
