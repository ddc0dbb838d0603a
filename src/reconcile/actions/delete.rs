//! Steps that take something away. What is gone already is done.

use super::deleting_users::wait_for_deleting_users;
use super::ownership_check::ensure_owned;
use super::{ActionContext, ApplyContext};
use crate::aws::Filter;
use crate::aws::model::VpnGatewayId;
use crate::azure::ResourceId;
use crate::azure::documents::gateway;
use crate::azure::documents::group::Member;
use crate::azure::model::{Connection, ProvisioningState};
use crate::client::poll_interval;
use crate::link::action::ActionTarget;
use crate::link::lookup::TeardownSpec;
use crate::link::managed::Kind;
use crate::link::ownership_tags::{TAG_HEARTBEAT, TAG_INCOMPLETE};
use crate::link::plan::GATEWAY_SUBNET;
use crate::link::tunnel::Instance;
use crate::reconcile::error::ActionError;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::time::Instant;

/// How long a resource group may go on listing what is being deleted.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(600);

pub(super) async fn delete(context: &ActionContext<'_>, object: &ActionTarget) -> Result<(), ActionError> {
    let (azure, az) = (&context.clients.azure, context.operation.azure());
    let (ec2, aw) = (&context.clients.ec2, context.operation.aws());
    ensure_owned(context, object).await?;
    wait_for_deleting_users(context, object).await?;
    match object {
        ActionTarget::Connection(key) => {
            let id = context.require("the connection", |s| s.azure.connections.get(*key).as_ref().map(azure_id))?;
            azure.delete_connection(&id, &context.gateway_id()?, &az).await?;
            context.update(|observed| *observed.azure.connections.get_mut(*key) = None);
        }
        ActionTarget::LocalGateway(key) => {
            let local = context.require("the local network gateway", |s| s.azure.local_gateways.get(*key).clone())?;
            azure.delete_local_gateway(&local.resource.id, &az).await?;
            context.update(|observed| *observed.azure.local_gateways.get_mut(*key) = None);
        }
        ActionTarget::Gateway => delete_gateway(context).await?,
        ActionTarget::CustomBgpAddresses => {
            remove_bgp_addresses(context).await?;
            if let Some(spec) = context.spec {
                ApplyContext { context, spec }.tag_after_remove().await?;
            }
        }
        ActionTarget::PublicIp(instance) => {
            let ip = context.require("the public IP", |s| s.azure.public_ips.get(*instance).clone())?;
            azure.delete_public_ip(&ip.resource.id, &az).await?;
            context.update(|observed| *observed.azure.public_ips.get_mut(*instance) = None);
        }
        ActionTarget::GatewaySubnet => delete_subnet(context, GATEWAY_SUBNET).await?,
        ActionTarget::Subnet(name) => delete_subnet(context, name).await?,
        ActionTarget::VirtualNetwork => {
            let network = context.require("the virtual network", |s| s.azure.network.clone())?;
            azure.delete_virtual_network(&network.resource.id, &az).await?;
            context.update(|observed| observed.azure.network = None);
        }
        ActionTarget::ResourceGroup => delete_group(context).await?,
        ActionTarget::VpnConnection(instance) => {
            let vpn = context.require("the VPN connection", |s| s.aws.vpn_connections.get(*instance).clone())?;
            ec2.delete_vpn_connection(&aw, &vpn.id).await?;
            ec2.wait_vpn_connection_deleted(&aw, &vpn.id).await?;
            context.update(|observed| {
                *observed.aws.vpn_connections.get_mut(*instance) = None;
                for key in instance.tunnels() {
                    *observed.aws.outside_ips.get_mut(key) = None;
                }
            });
        }
        ActionTarget::CustomerGateway(instance) => {
            let customer =
                context.require("the customer gateway", |s| s.aws.customer_gateways.get(*instance).clone())?;
            ec2.delete_customer_gateway(&aw, &customer.id).await?;
            ec2.wait_customer_gateway_deleted(&aw, &customer.id).await?;
            context.update(|observed| *observed.aws.customer_gateways.get_mut(*instance) = None);
        }
        ActionTarget::RoutePropagation(Some(table)) => {
            let vgw = context.require("the VPN gateway", |s| s.aws.gateway.as_ref().map(|g| g.id.clone()))?;
            ec2.disable_propagation(&aw, table, &vgw).await?;
            context.update(|observed| {
                for table in observed.aws.route_tables.iter_mut().filter(|t| t.id == *table) {
                    table.propagating.retain(|id| *id != vgw);
                }
            });
        }
        ActionTarget::VgwAttachment => {
            let vgw = context.require("the VPN gateway", |s| s.aws.gateway.clone())?;
            ensure_unshared(context, &vgw.id).await?;
            if let Some((vpc, _)) = &vgw.attachment {
                ec2.detach_vpn_gateway(&aw, &vgw.id, vpc).await?;
                ec2.wait_vpn_gateway_detached(&aw, &vgw.id).await?;
            }
            context.update(|observed| {
                if let Some(gateway) = &mut observed.aws.gateway {
                    gateway.attachment = None;
                }
            });
        }
        ActionTarget::VpnGateway => {
            let vgw = context.require("the VPN gateway", |s| s.aws.gateway.clone())?;
            ensure_unshared(context, &vgw.id).await?;
            ec2.delete_vpn_gateway(&aw, &vgw.id).await?;
            ec2.wait_vpn_gateway_deleted(&aw, &vgw.id).await?;
            context.update(|observed| observed.aws.gateway = None);
        }
        ActionTarget::IncompleteTag => clear_incomplete_tag(context).await?,
        ActionTarget::Vpc
        | ActionTarget::InternetGateway
        | ActionTarget::PublicSubnet
        | ActionTarget::PublicRouteTable => {
            delete_network(context, object).await?;
        }
        ActionTarget::RoutePropagation(None)
        | ActionTarget::Tunnel(_)
        | ActionTarget::SharedKey(_)
        | ActionTarget::BgpSession(_)
        | ActionTarget::PeerTunnelsUp(_)
        | ActionTarget::PeerConnectionUp(_)
        | ActionTarget::OwnershipTags
        | ActionTarget::KeyRotationTag(_) => {}
    }
    Ok(())
}

fn azure_id(connection: &Connection) -> ResourceId {
    connection.resource.id.clone()
}

/// A gateway with anybody's connections on it stays.
async fn delete_gateway(context: &ActionContext<'_>) -> Result<(), ActionError> {
    let (azure, ctx, id) = (&context.clients.azure, context.operation.azure(), context.gateway_id()?);
    let managed = |c: &Connection| {
        let ours = |what: &TeardownSpec| what.managed.has(Kind::AzureConnection, c.resource.id.as_str());
        context.teardown.is_some_and(ours)
    };
    let left = connections_remaining(context, &id, &|_| true).await?;
    if let Some(foreign) = left.iter().find(|c| !managed(c)) {
        return Err(ActionError::NotEmpty { kind: "the Azure gateway", found: foreign.resource.id.to_string() });
    }
    azure.delete_gateway(&id, &ctx).await?;
    context.update(|observed| observed.azure.gateway = None);
    Ok(())
}

/// The gateway's connections once none of those that matter is being deleted any more: an earlier run gave up on a delete that
/// Azure goes on with.
async fn connections_remaining(
    context: &ActionContext<'_>,
    gateway: &ResourceId,
    matters: &(dyn Fn(&Connection) -> bool + Sync),
) -> Result<Vec<Connection>, ActionError> {
    let begun = Instant::now();
    loop {
        let there = context.clients.azure.gateway_connections(gateway, &context.operation.azure()).await?;
        if !there.iter().any(|c| c.resource.state == ProvisioningState::Deleting && matters(c)) {
            return Ok(there);
        }
        context
            .operation
            .aws()
            .sleep("Delete", gateway.as_str(), poll_interval::poll_interval(begun.elapsed()))
            .await?;
    }
}

/// A VPN gateway with anybody's VPN connections on it stays, and stays attached.
async fn ensure_unshared(context: &ActionContext<'_>, vgw: &VpnGatewayId) -> Result<(), ActionError> {
    let (ec2, ctx) = (&context.clients.ec2, context.operation.aws());
    let managed =
        |id: &str| context.teardown.is_some_and(|what: &TeardownSpec| what.managed.has(Kind::AwsVpnConnection, id));
    let on_it = ec2.describe_vpn_connections(&ctx, &Filter::vpn_gateway(vgw)).await?;
    match on_it.iter().find(|vpn| vpn.state.is_living() && !managed(&vpn.id.0)) {
        Some(foreign) => Err(ActionError::NotEmpty { kind: "the VPN gateway", found: foreign.id.to_string() }),
        None => Ok(()),
    }
}

/// Takes this link's former addresses off a gateway that stays, but for those that a connection still names.
async fn remove_bgp_addresses(context: &ActionContext<'_>) -> Result<(), ActionError> {
    let (azure, ctx, id) = (&context.clients.azure, context.operation.azure(), context.gateway_id()?);
    let mut mine: Vec<Ipv4Addr> = Vec::new();
    mine.extend(context.spec.iter().flat_map(|spec| spec.removals.addresses.iter().map(|(_, ip)| *ip)));
    mine.extend(context.teardown.iter().flat_map(|what| what.own_bgp_addresses.iter().copied()));
    // What names an address and is being deleted is about to let go of it.
    let names_mine = |c: &Connection| c.custom_bgp_ips.iter().any(|(_, ip)| mine.contains(ip));
    let connections = connections_remaining(context, &id, &names_mine).await?;
    let named: Vec<Ipv4Addr> = connections.iter().flat_map(|c| c.custom_bgp_ips.iter().map(|(_, ip)| *ip)).collect();
    mine.retain(|ip| !named.contains(ip));
    let instances = context.require("the Azure gateway", |s| s.azure.gateway.as_ref().map(|g| g.instances.clone()))?;
    let edit = |doc: &mut serde_json::Value| {
        for (_, at) in Instance::ALL.into_iter().zip(&instances) {
            for ip in &mine {
                gateway::remove_custom_bgp_ip(doc, &at.ip_configuration_id, *ip);
            }
        }
    };
    let changed = azure.change_gateway(&id, &edit, &ctx).await?;
    context.update(|observed| observed.azure.gateway = Some(changed));
    Ok(())
}

/// Deleting a group deletes all that it holds, so one that holds anything stays.
async fn delete_group(context: &ActionContext<'_>) -> Result<(), ActionError> {
    let (azure, ctx) = (&context.clients.azure, context.operation.azure());
    let group = context.require("the resource group", |s| s.azure.group.clone())?;
    // What an earlier run gave up on and Azure goes on to delete is no longer seen as there, and not yet gone.
    let leaving = |member: &Member| {
        let own = context.teardown.is_some_and(|what| what.link.is_on(&member.tags));
        own && !context.read(|observed| {
            let network = observed.azure.network.iter().map(|network| network.resource.id.to_string());
            observed.ids().into_iter().chain(network).any(|id| id.eq_ignore_ascii_case(&member.id))
        })
    };
    let begun = Instant::now();
    loop {
        let members = azure.group_resources(&group.name, &ctx).await?;
        let late = begun.elapsed() > RELEASE_TIMEOUT;
        if let Some(stays) = members.iter().find(|member| late || !leaving(member)) {
            return Err(ActionError::NotEmpty { kind: "the resource group", found: stays.id.clone() });
        }
        if members.is_empty() {
            break;
        }
        context.operation.aws().sleep("Delete", &group.name, poll_interval::poll_interval(begun.elapsed())).await?;
    }
    azure.delete_group(&group.name, &ctx).await?;
    context.update(|observed| observed.azure.group = None);
    Ok(())
}

async fn delete_network(context: &ActionContext<'_>, object: &ActionTarget) -> Result<(), ActionError> {
    let (ec2, ctx) = (&context.clients.ec2, context.operation.aws());
    match object {
        ActionTarget::PublicRouteTable => {
            let id = context.require("the public route table", |s| s.aws.public_route_table.clone())?;
            for table in ec2.describe_route_tables(&ctx, &Filter::id(&id)).await? {
                for (_, association) in &table.subnets {
                    ec2.disassociate_route_table(&ctx, association).await?;
                }
            }
            ec2.delete_route_table(&ctx, &id).await?;
            context.update(|observed| {
                observed.aws.public_route_table = None;
                observed.aws.route_tables.retain(|t| t.id != id);
            });
        }
        ActionTarget::PublicSubnet => {
            let id = context.require("the public subnet", |s| s.aws.public_subnet.clone())?;
            ec2.delete_subnet(&ctx, &id).await?;
            context.update(|observed| {
                observed.aws.public_subnet = None;
                observed.aws.subnets.retain(|subnet| subnet.id != id);
            });
        }
        ActionTarget::InternetGateway => {
            let gateway = context.require("the internet gateway", |s| s.aws.internet_gateway.clone())?;
            for vpc in &gateway.attached_vpcs {
                ec2.detach_internet_gateway(&ctx, &gateway.id, vpc).await?;
            }
            ec2.delete_internet_gateway(&ctx, &gateway.id).await?;
            context.update(|observed| observed.aws.internet_gateway = None);
        }
        _ => {
            let vpc = context.require("the VPC", |s| s.aws.vpc.clone())?;
            ec2.delete_vpc(&ctx, &vpc.id).await?;
            context.update(|observed| {
                observed.aws.vpc = None;
                observed.aws.route_tables.clear();
            });
        }
    }
    Ok(())
}

async fn delete_subnet(context: &ActionContext<'_>, name: &str) -> Result<(), ActionError> {
    let network = context.require("the virtual network", |s| s.azure.network.clone())?;
    let id = network.resource.id.child("subnets", name);
    context.clients.azure.delete_subnet(&id, &context.operation.azure()).await?;
    context.update(|observed| {
        if let Some(network) = &mut observed.azure.network {
            network.subnets.retain(|subnet| !subnet.name.eq_ignore_ascii_case(name));
        }
    });
    Ok(())
}

/// Takes the mark off every AWS object in one call.
async fn clear_incomplete_tag(context: &ActionContext<'_>) -> Result<(), ActionError> {
    let ids = context.read(|observed| {
        let aws = &observed.aws;
        let Some(link) = context.scope.link.as_ref().or(context.spec.map(|s| &s.link)) else { return Vec::new() };
        let mut ids: Vec<String> = Vec::new();
        ids.extend(aws.gateway.iter().filter(|g| link.is_on(&g.tags)).map(|g| g.id.0.clone()));
        for instance in Instance::ALL {
            ids.extend(aws.customer_gateways.get(instance).iter().map(|c| c.id.0.clone()));
            ids.extend(aws.vpn_connections.get(instance).iter().map(|v| v.id.0.clone()));
        }
        if aws.vpc.as_ref().is_some_and(|v| link.is_on(&v.tags)) {
            ids.extend(aws.vpc.iter().map(|v| v.id.0.clone()));
            ids.extend(aws.internet_gateway.iter().map(|i| i.id.0.clone()));
            ids.extend(aws.public_subnet.iter().map(|s| s.0.clone()));
            ids.extend(aws.public_route_table.iter().map(|t| t.0.clone()));
        }
        ids
    });
    if let Some(heartbeat) = context.heartbeat {
        heartbeat.stop().await;
    }
    context
        .clients
        .ec2
        .delete_tags(&context.operation.aws(), &ids, &[TAG_INCOMPLETE, TAG_HEARTBEAT].map(str::to_owned))
        .await?;
    context.update(|observed| {
        let aws = &mut observed.aws;
        for tags in
            [aws.gateway.as_mut().map(|g| &mut g.tags), aws.vpc.as_mut().map(|v| &mut v.tags)].into_iter().flatten()
        {
            tags.remove(TAG_INCOMPLETE);
        }
        for instance in Instance::ALL {
            if let Some(customer) = aws.customer_gateways.get_mut(instance) {
                customer.tags.remove(TAG_INCOMPLETE);
                customer.tags.remove(TAG_HEARTBEAT);
            }
            if let Some(vpn) = aws.vpn_connections.get_mut(instance) {
                vpn.tags.remove(TAG_INCOMPLETE);
            }
        }
    });
    Ok(())
}
