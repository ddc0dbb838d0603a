//! Steps that take something away. What is gone already is done.

use super::deleting_users::wait_for_deleting_users;
use super::owned::must_be_owned;
use super::{Acting, Building};
use crate::aws::Filter;
use crate::aws::model::VpnGatewayId;
use crate::azure::ResourceId;
use crate::azure::documents::gateway;
use crate::azure::documents::group::Member;
use crate::azure::model::{Connection, ProvisioningState};
use crate::link::decide::GATEWAY_SUBNET;
use crate::link::managed::Kind;
use crate::link::ownership::{PULSE, UNFINISHED};
use crate::link::search::Demolition;
use crate::link::step::Object;
use crate::link::tunnel::Instance;
use crate::primitives::pace;
use crate::reconcile::cause::Cause;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::time::Instant;

/// How long a resource group may go on listing what is being deleted.
const LINGERING: Duration = Duration::from_secs(600);

pub(super) async fn remove(acting: &Acting<'_>, object: &Object) -> Result<(), Cause> {
    let (azure, az) = (&acting.site.azure, acting.limits.azure());
    let (ec2, aw) = (&acting.site.ec2, acting.limits.aws());
    must_be_owned(acting, object).await?;
    wait_for_deleting_users(acting, object).await?;
    match object {
        Object::Connection(key) => {
            let id = acting.must("the connection", |s| s.azure.connections.get(*key).as_ref().map(azure_id))?;
            azure.delete_connection(&id, &acting.gateway_id()?, &az).await?;
            acting.note(|seen| *seen.azure.connections.get_mut(*key) = None);
        }
        Object::LocalGateway(key) => {
            let local = acting.must("the local network gateway", |s| s.azure.local_gateways.get(*key).clone())?;
            azure.delete_local_gateway(&local.resource.id, &az).await?;
            acting.note(|seen| *seen.azure.local_gateways.get_mut(*key) = None);
        }
        Object::Gateway => remove_gateway(acting).await?,
        Object::OwnAddresses => {
            withdraw(acting).await?;
            if let Some(spec) = acting.spec {
                Building { acting, spec }.mark_withdrawn().await?;
            }
        }
        Object::PublicIp(instance) => {
            let ip = acting.must("the public IP", |s| s.azure.public_ips.get(*instance).clone())?;
            azure.delete_public_ip(&ip.resource.id, &az).await?;
            acting.note(|seen| *seen.azure.public_ips.get_mut(*instance) = None);
        }
        Object::GatewaySubnet => remove_subnet(acting, GATEWAY_SUBNET).await?,
        Object::Subnet(name) => remove_subnet(acting, name).await?,
        Object::VirtualNetwork => {
            let network = acting.must("the virtual network", |s| s.azure.network.clone())?;
            azure.delete_virtual_network(&network.resource.id, &az).await?;
            acting.note(|seen| seen.azure.network = None);
        }
        Object::ResourceGroup => remove_group(acting).await?,
        Object::VpnConnection(instance) => {
            let vpn = acting.must("the VPN connection", |s| s.aws.vpns.get(*instance).clone())?;
            ec2.delete_vpn_connection(&aw, &vpn.id).await?;
            ec2.wait_vpn_connection_deleted(&aw, &vpn.id).await?;
            acting.note(|seen| {
                *seen.aws.vpns.get_mut(*instance) = None;
                for key in instance.tunnels() {
                    *seen.aws.outside_ips.get_mut(key) = None;
                }
            });
        }
        Object::CustomerGateway(instance) => {
            let customer = acting.must("the customer gateway", |s| s.aws.customer_gateways.get(*instance).clone())?;
            ec2.delete_customer_gateway(&aw, &customer.id).await?;
            ec2.wait_customer_gateway_deleted(&aw, &customer.id).await?;
            acting.note(|seen| *seen.aws.customer_gateways.get_mut(*instance) = None);
        }
        Object::Propagation(Some(table)) => {
            let vgw = acting.must("the VPN gateway", |s| s.aws.gateway.as_ref().map(|g| g.id.clone()))?;
            ec2.disable_propagation(&aw, table, &vgw).await?;
            acting.note(|seen| {
                for table in seen.aws.route_tables.iter_mut().filter(|t| t.id == *table) {
                    table.propagating.retain(|id| *id != vgw);
                }
            });
        }
        Object::Attachment => {
            let vgw = acting.must("the VPN gateway", |s| s.aws.gateway.clone())?;
            used_by_this_link_only(acting, &vgw.id).await?;
            if let Some((vpc, _)) = &vgw.attachment {
                ec2.detach_vpn_gateway(&aw, &vgw.id, vpc).await?;
                ec2.wait_vpn_gateway_detached(&aw, &vgw.id).await?;
            }
            acting.note(|seen| {
                if let Some(gateway) = &mut seen.aws.gateway {
                    gateway.attachment = None;
                }
            });
        }
        Object::VpnGateway => {
            let vgw = acting.must("the VPN gateway", |s| s.aws.gateway.clone())?;
            used_by_this_link_only(acting, &vgw.id).await?;
            ec2.delete_vpn_gateway(&aw, &vgw.id).await?;
            ec2.wait_vpn_gateway_deleted(&aw, &vgw.id).await?;
            acting.note(|seen| seen.aws.gateway = None);
        }
        Object::UnfinishedMark => unmark(acting).await?,
        Object::Vpc | Object::InternetGateway | Object::PublicSubnet | Object::PublicRouteTable => {
            remove_network(acting, object).await?;
        }
        Object::Propagation(None)
        | Object::Tunnel(_)
        | Object::SharedKey(_)
        | Object::Session(_)
        | Object::OtherTunnels(_)
        | Object::OtherConnection(_)
        | Object::OwnershipTags
        | Object::RolledMark(_) => {}
    }
    Ok(())
}

fn azure_id(connection: &Connection) -> ResourceId {
    connection.resource.id.clone()
}

/// A gateway with anybody's connections on it stays.
async fn remove_gateway(acting: &Acting<'_>) -> Result<(), Cause> {
    let (azure, waits, id) = (&acting.site.azure, acting.limits.azure(), acting.gateway_id()?);
    let managed = |c: &Connection| {
        let ours = |what: &Demolition| what.managed.has(Kind::AzureConnection, c.resource.id.as_str());
        acting.demolition.is_some_and(ours)
    };
    let left = staying(acting, &id, &|_| true).await?;
    if let Some(foreign) = left.iter().find(|c| !managed(c)) {
        return Err(Cause::NotEmpty { kind: "the Azure gateway", found: foreign.resource.id.to_string() });
    }
    azure.delete_gateway(&id, &waits).await?;
    acting.note(|seen| seen.azure.gateway = None);
    Ok(())
}

/// The gateway's connections once none of those that matter is being deleted any more: an earlier run gave up on a delete that
/// Azure goes on with.
async fn staying(
    acting: &Acting<'_>,
    gateway: &ResourceId,
    matters: &(dyn Fn(&Connection) -> bool + Sync),
) -> Result<Vec<Connection>, Cause> {
    let begun = Instant::now();
    loop {
        let there = acting.site.azure.gateway_connections(gateway, &acting.limits.azure()).await?;
        if !there.iter().any(|c| c.resource.state == ProvisioningState::Deleting && matters(c)) {
            return Ok(there);
        }
        acting.limits.aws().sleep("Delete", gateway.as_str(), pace::pause(begun.elapsed())).await?;
    }
}

/// A VPN gateway with anybody's VPN connections on it stays, and stays attached.
async fn used_by_this_link_only(acting: &Acting<'_>, vgw: &VpnGatewayId) -> Result<(), Cause> {
    let (ec2, waits) = (&acting.site.ec2, acting.limits.aws());
    let managed =
        |id: &str| acting.demolition.is_some_and(|what: &Demolition| what.managed.has(Kind::AwsVpnConnection, id));
    let on_it = ec2.describe_vpn_connections(&waits, &Filter::vpn_gateway(vgw)).await?;
    match on_it.iter().find(|vpn| vpn.state.is_living() && !managed(&vpn.id.0)) {
        Some(foreign) => Err(Cause::NotEmpty { kind: "the VPN gateway", found: foreign.id.to_string() }),
        None => Ok(()),
    }
}

/// Takes this link's former addresses off a gateway that stays, but for those that a connection still names.
async fn withdraw(acting: &Acting<'_>) -> Result<(), Cause> {
    let (azure, waits, id) = (&acting.site.azure, acting.limits.azure(), acting.gateway_id()?);
    let mut mine: Vec<Ipv4Addr> = Vec::new();
    mine.extend(acting.spec.iter().flat_map(|spec| spec.former.addresses.iter().map(|(_, ip)| *ip)));
    mine.extend(acting.demolition.iter().flat_map(|what| what.own_addresses.iter().copied()));
    // What names an address and is being deleted is about to let go of it.
    let names_mine = |c: &Connection| c.custom_bgp_ips.iter().any(|(_, ip)| mine.contains(ip));
    let connections = staying(acting, &id, &names_mine).await?;
    let named: Vec<Ipv4Addr> = connections.iter().flat_map(|c| c.custom_bgp_ips.iter().map(|(_, ip)| *ip)).collect();
    mine.retain(|ip| !named.contains(ip));
    let instances = acting.must("the Azure gateway", |s| s.azure.gateway.as_ref().map(|g| g.instances.clone()))?;
    let edit = |doc: &mut serde_json::Value| {
        for (_, at) in Instance::ALL.into_iter().zip(&instances) {
            for ip in &mine {
                gateway::remove_custom_bgp_ip(doc, &at.ip_configuration_id, *ip);
            }
        }
    };
    let changed = azure.change_gateway(&id, &edit, &waits).await?;
    acting.note(|seen| seen.azure.gateway = Some(changed));
    Ok(())
}

/// Deleting a group deletes all that it holds, so one that holds anything stays.
async fn remove_group(acting: &Acting<'_>) -> Result<(), Cause> {
    let (azure, waits) = (&acting.site.azure, acting.limits.azure());
    let group = acting.must("the resource group", |s| s.azure.group.clone())?;
    // What an earlier run gave up on and Azure goes on to delete is no longer seen as there, and not yet gone.
    let leaving = |member: &Member| {
        let own = acting.demolition.is_some_and(|what| what.link.is_on(&member.tags));
        own && !acting.seen(|seen| {
            let network = seen.azure.network.iter().map(|network| network.resource.id.to_string());
            seen.ids().into_iter().chain(network).any(|id| id.eq_ignore_ascii_case(&member.id))
        })
    };
    let begun = Instant::now();
    loop {
        let members = azure.group_resources(&group.name, &waits).await?;
        let late = begun.elapsed() > LINGERING;
        if let Some(stays) = members.iter().find(|member| late || !leaving(member)) {
            return Err(Cause::NotEmpty { kind: "the resource group", found: stays.id.clone() });
        }
        if members.is_empty() {
            break;
        }
        acting.limits.aws().sleep("Delete", &group.name, pace::pause(begun.elapsed())).await?;
    }
    azure.delete_group(&group.name, &waits).await?;
    acting.note(|seen| seen.azure.group = None);
    Ok(())
}

async fn remove_network(acting: &Acting<'_>, object: &Object) -> Result<(), Cause> {
    let (ec2, waits) = (&acting.site.ec2, acting.limits.aws());
    match object {
        Object::PublicRouteTable => {
            let id = acting.must("the public route table", |s| s.aws.public_route_table.clone())?;
            for table in ec2.describe_route_tables(&waits, &Filter::id(&id)).await? {
                for (_, association) in &table.subnets {
                    ec2.disassociate_route_table(&waits, association).await?;
                }
            }
            ec2.delete_route_table(&waits, &id).await?;
            acting.note(|seen| {
                seen.aws.public_route_table = None;
                seen.aws.route_tables.retain(|t| t.id != id);
            });
        }
        Object::PublicSubnet => {
            let id = acting.must("the public subnet", |s| s.aws.public_subnet.clone())?;
            ec2.delete_subnet(&waits, &id).await?;
            acting.note(|seen| {
                seen.aws.public_subnet = None;
                seen.aws.subnets.retain(|subnet| subnet.id != id);
            });
        }
        Object::InternetGateway => {
            let gateway = acting.must("the internet gateway", |s| s.aws.internet_gateway.clone())?;
            for vpc in &gateway.attached_vpcs {
                ec2.detach_internet_gateway(&waits, &gateway.id, vpc).await?;
            }
            ec2.delete_internet_gateway(&waits, &gateway.id).await?;
            acting.note(|seen| seen.aws.internet_gateway = None);
        }
        _ => {
            let vpc = acting.must("the VPC", |s| s.aws.vpc.clone())?;
            ec2.delete_vpc(&waits, &vpc.id).await?;
            acting.note(|seen| {
                seen.aws.vpc = None;
                seen.aws.route_tables.clear();
            });
        }
    }
    Ok(())
}

async fn remove_subnet(acting: &Acting<'_>, name: &str) -> Result<(), Cause> {
    let network = acting.must("the virtual network", |s| s.azure.network.clone())?;
    let id = network.resource.id.child("subnets", name);
    acting.site.azure.delete_subnet(&id, &acting.limits.azure()).await?;
    acting.note(|seen| {
        if let Some(network) = &mut seen.azure.network {
            network.subnets.retain(|subnet| !subnet.name.eq_ignore_ascii_case(name));
        }
    });
    Ok(())
}

/// Takes the mark off every AWS object in one call.
async fn unmark(acting: &Acting<'_>) -> Result<(), Cause> {
    let ids = acting.seen(|seen| {
        let aws = &seen.aws;
        let Some(link) = acting.search.link.as_ref().or(acting.spec.map(|s| &s.link)) else { return Vec::new() };
        let mut ids: Vec<String> = Vec::new();
        ids.extend(aws.gateway.iter().filter(|g| link.is_on(&g.tags)).map(|g| g.id.0.clone()));
        for instance in Instance::ALL {
            ids.extend(aws.customer_gateways.get(instance).iter().map(|c| c.id.0.clone()));
            ids.extend(aws.vpns.get(instance).iter().map(|v| v.id.0.clone()));
        }
        if aws.vpc.as_ref().is_some_and(|v| link.is_on(&v.tags)) {
            ids.extend(aws.vpc.iter().map(|v| v.id.0.clone()));
            ids.extend(aws.internet_gateway.iter().map(|i| i.id.0.clone()));
            ids.extend(aws.public_subnet.iter().map(|s| s.0.clone()));
            ids.extend(aws.public_route_table.iter().map(|t| t.0.clone()));
        }
        ids
    });
    if let Some(pulse) = acting.pulse {
        pulse.stop().await;
    }
    acting.site.ec2.delete_tags(&acting.limits.aws(), &ids, &[UNFINISHED, PULSE].map(str::to_owned)).await?;
    acting.note(|seen| {
        let aws = &mut seen.aws;
        for tags in
            [aws.gateway.as_mut().map(|g| &mut g.tags), aws.vpc.as_mut().map(|v| &mut v.tags)].into_iter().flatten()
        {
            tags.remove(UNFINISHED);
        }
        for instance in Instance::ALL {
            if let Some(customer) = aws.customer_gateways.get_mut(instance) {
                customer.tags.remove(UNFINISHED);
                customer.tags.remove(PULSE);
            }
            if let Some(vpn) = aws.vpns.get_mut(instance) {
                vpn.tags.remove(UNFINISHED);
            }
        }
    });
    Ok(())
}
