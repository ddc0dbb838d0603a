//! Deletes. What is gone already is done.

use super::ActionContext;
use super::deleting_users::wait_for_deleting_users;
use super::ownership_check::ensure_owned;
use crate::aws::Filter;
use crate::aws::model::VpnGatewayId;
use crate::azure::ResourceId;
use crate::azure::documents::gateway::AddressEdit;
use crate::azure::documents::group::Member;
use crate::azure::model::{Connection, ProvisioningState};
use crate::client::{ErrorContext, poll_interval};
use crate::reconcile::error::ActionError;
use bgp_vpn::action::{ActionTarget, Verb};
use bgp_vpn::managed::{Kind, Managed};
use bgp_vpn::ownership_tags::LinkId;
use bgp_vpn::plan::GATEWAY_SUBNET;
use bgp_vpn::tunnel::Instance;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::time::Instant;

/// How long a resource group may go on listing what is being deleted.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(600);

/// What deletes need of the run that they are part of.
pub(super) struct DeleteContext<'a> {
    pub context: &'a ActionContext<'a>,
    /// The Azure gateway. None where neither settings nor state name one.
    pub azure_gateway: Option<ResourceId>,
    /// The link that a teardown deletes. None in an apply.
    pub link: Option<&'a LinkId>,
    /// All that the run deletes. Connections on a gateway that are not among it keep the gateway.
    /// Empty in an apply.
    pub managed: Managed,
    /// BGP addresses to be removed from a gateway that stays.
    pub bgp_addresses: Vec<Ipv4Addr>,
}

impl DeleteContext<'_> {
    pub(super) fn gateway_id(&self) -> Result<ResourceId, ActionError> {
        self.azure_gateway
            .clone()
            .ok_or_else(|| ActionError::MissingDependency("the Azure gateway".to_owned()))
    }
}

/// Deletes an object that both an apply and a teardown can delete.
pub(super) async fn delete(
    deletes: &DeleteContext<'_>,
    object: &ActionTarget,
) -> Result<(), ActionError> {
    let context = deletes.context;
    let (azure, az) = (&context.clients.azure, context.operation.call_context());
    let (ec2, aw) = (&context.clients.ec2, context.operation.call_context());
    ensure_owned(deletes, object).await?;
    wait_for_deleting_users(context, object).await?;
    match object {
        ActionTarget::Connection(key) => {
            let id = context.require("the connection", |s| {
                s.azure.connections.get(*key).as_ref().map(azure_id)
            })?;
            azure
                .delete_connection(&id, &deletes.gateway_id()?, &az)
                .await?;
            context.update(|observed| *observed.azure.connections.get_mut(*key) = None);
        }
        ActionTarget::LocalGateway(key) => {
            let local = context.require("the local network gateway", |s| {
                s.azure.local_gateways.get(*key).clone()
            })?;
            azure.delete_local_gateway(&local.resource.id, &az).await?;
            context.update(|observed| *observed.azure.local_gateways.get_mut(*key) = None);
        }
        ActionTarget::Gateway => delete_gateway(deletes).await?,
        ActionTarget::CustomBgpAddresses => remove_bgp_addresses(deletes).await?,
        ActionTarget::PublicIp(instance) => {
            let ip = context.require("the public IP", |s| {
                s.azure.public_ips.get(*instance).clone()
            })?;
            azure.delete_public_ip(&ip.resource.id, &az).await?;
            context.update(|observed| *observed.azure.public_ips.get_mut(*instance) = None);
        }
        ActionTarget::GatewaySubnet => delete_subnet(context, GATEWAY_SUBNET).await?,
        ActionTarget::Subnet(name) => delete_subnet(context, name).await?,
        ActionTarget::VirtualNetwork => {
            let network = context.require("the virtual network", |s| s.azure.network.clone())?;
            azure
                .delete_virtual_network(&network.resource.id, &az)
                .await?;
            context.update(|observed| observed.azure.network = None);
        }
        ActionTarget::ResourceGroup => delete_group(deletes).await?,
        ActionTarget::VpnConnection(instance) => {
            let vpn = context.require("the VPN connection", |s| {
                s.aws.vpn_connections.get(*instance).clone()
            })?;
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
            let customer = context.require("the customer gateway", |s| {
                s.aws.customer_gateways.get(*instance).clone()
            })?;
            ec2.delete_customer_gateway(&aw, &customer.id).await?;
            ec2.wait_customer_gateway_deleted(&aw, &customer.id).await?;
            context.update(|observed| *observed.aws.customer_gateways.get_mut(*instance) = None);
        }
        ActionTarget::RoutePropagation(Some(table)) => {
            let vgw = context.require("the VPN gateway", |s| {
                s.aws.gateway.as_ref().map(|g| g.id.clone())
            })?;
            ec2.disable_propagation(&aw, table, &vgw).await?;
            context.update(|observed| {
                for table in observed
                    .aws
                    .route_tables
                    .iter_mut()
                    .filter(|t| t.id == *table)
                {
                    table.propagating.retain(|id| *id != vgw);
                }
            });
        }
        ActionTarget::VgwAttachment => {
            let vgw = context.require("the VPN gateway", |s| s.aws.gateway.clone())?;
            ensure_unshared(deletes, &vgw.id).await?;
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
            ensure_unshared(deletes, &vgw.id).await?;
            ec2.delete_vpn_gateway(&aw, &vgw.id).await?;
            ec2.wait_vpn_gateway_deleted(&aw, &vgw.id).await?;
            context.update(|observed| observed.aws.gateway = None);
        }
        ActionTarget::Vpc
        | ActionTarget::InternetGateway
        | ActionTarget::PublicSubnet
        | ActionTarget::PublicRouteTable => {
            delete_network(context, object).await?;
        }
        ActionTarget::RoutePropagation(None)
        | ActionTarget::TransitAttachment(_)
        | ActionTarget::Tunnel(_)
        | ActionTarget::SharedKey(_)
        | ActionTarget::BgpSession(_)
        | ActionTarget::PeerTunnelsUp(_)
        | ActionTarget::PeerConnectionUp(_)
        | ActionTarget::OwnershipTags
        | ActionTarget::IncompleteTag
        | ActionTarget::KeyRotationTag(_) => {
            return Err(ActionError::internal(object.clone(), Verb::Delete));
        }
    }
    Ok(())
}

fn azure_id(connection: &Connection) -> ResourceId {
    connection.resource.id.clone()
}

/// A gateway with anybody's connections on it stays.
async fn delete_gateway(deletes: &DeleteContext<'_>) -> Result<(), ActionError> {
    let context = deletes.context;
    let (azure, ctx, id) = (
        &context.clients.azure,
        context.operation.call_context(),
        deletes.gateway_id()?,
    );
    let managed = |c: &Connection| {
        deletes
            .managed
            .has(Kind::AzureConnection, c.resource.id.as_str())
    };
    let left = connections_remaining(context, &id, &|_| true).await?;
    if let Some(foreign) = left.iter().find(|c| !managed(c)) {
        return Err(ActionError::NotEmpty {
            kind: "the Azure gateway",
            found: foreign.resource.id.to_string(),
        });
    }
    azure.delete_gateway(&id, &ctx).await?;
    context.update(|observed| observed.azure.gateway = None);
    Ok(())
}

/// The gateway's connections once none of the relevant ones is being deleted. Azure continues a
/// delete whose run was interrupted.
async fn connections_remaining(
    context: &ActionContext<'_>,
    gateway: &ResourceId,
    matters: &(dyn Fn(&Connection) -> bool + Sync),
) -> Result<Vec<Connection>, ActionError> {
    let begun = Instant::now();
    loop {
        let there = context
            .clients
            .azure
            .gateway_connections(gateway, &context.operation.call_context())
            .await?;
        if !there
            .iter()
            .any(|c| c.resource.state == ProvisioningState::Deleting && matters(c))
        {
            return Ok(there);
        }
        context
            .operation
            .call_context()
            .sleep(
                poll_interval::poll_interval(begun.elapsed()),
                &ErrorContext::new("wait until Azure has deleted the connections of", gateway),
            )
            .await?;
    }
}

/// A VPN gateway with anybody's VPN connections on it stays, and stays attached.
async fn ensure_unshared(
    deletes: &DeleteContext<'_>,
    vgw: &VpnGatewayId,
) -> Result<(), ActionError> {
    let (ec2, ctx) = (
        &deletes.context.clients.ec2,
        deletes.context.operation.call_context(),
    );
    let managed = |id: &str| deletes.managed.has(Kind::AwsVpnConnection, id);
    let on_it = ec2
        .describe_vpn_connections(&ctx, &Filter::vpn_gateway(vgw))
        .await?;
    match on_it
        .iter()
        .find(|vpn| vpn.state.is_living() && !managed(&vpn.id.0))
    {
        Some(foreign) => Err(ActionError::NotEmpty {
            kind: "the VPN gateway",
            found: foreign.id.to_string(),
        }),
        None => Ok(()),
    }
}

/// Takes this link's former addresses off a gateway that stays, but for those that a connection
/// still names.
async fn remove_bgp_addresses(deletes: &DeleteContext<'_>) -> Result<(), ActionError> {
    let context = deletes.context;
    let (azure, ctx, id) = (
        &context.clients.azure,
        context.operation.call_context(),
        deletes.gateway_id()?,
    );
    let mut mine = deletes.bgp_addresses.clone();
    // What names an address and is being deleted is about to let go of it.
    let names_mine = |c: &Connection| c.custom_bgp_ips.iter().any(|(_, ip)| mine.contains(ip));
    let connections = connections_remaining(context, &id, &names_mine).await?;
    let named: Vec<Ipv4Addr> = connections
        .iter()
        .flat_map(|c| c.custom_bgp_ips.iter().map(|(_, ip)| *ip))
        .collect();
    mine.retain(|ip| !named.contains(ip));
    let instances = context.require("the Azure gateway", |s| {
        s.azure.gateway.as_ref().map(|g| g.instances.clone())
    })?;
    let own_instances = instances.iter().take(Instance::ALL.len());
    let remove = own_instances.flat_map(|at| {
        let ips = mine.iter();
        ips.map(|ip| (at.ip_configuration_id.clone(), *ip))
    });
    let addresses = AddressEdit {
        remove: remove.collect(),
        add: Vec::new(),
    };
    let changed = azure
        .change_gateway_addresses(&id, &|_| {}, addresses, &ctx)
        .await?;
    context.update(|observed| observed.azure.gateway = Some(changed));
    Ok(())
}

/// Deleting a group deletes all that it holds, so one that holds anything stays.
async fn delete_group(deletes: &DeleteContext<'_>) -> Result<(), ActionError> {
    let context = deletes.context;
    let (azure, ctx) = (&context.clients.azure, context.operation.call_context());
    let group = context.require("the resource group", |s| s.azure.group.clone())?;
    // Azure continues a delete whose run was interrupted. Its object is no longer observed, but still
    // exists.
    let leaving = |member: &Member| {
        let own = deletes.link.is_some_and(|link| link.is_on(&member.tags));
        own && !context.read(|observed| {
            let network = observed
                .azure
                .network
                .iter()
                .map(|network| network.resource.id.to_string());
            observed
                .ids()
                .into_iter()
                .chain(network)
                .any(|id| id.eq_ignore_ascii_case(&member.id))
        })
    };
    let begun = Instant::now();
    loop {
        let members = azure.group_resources(&group.name, &ctx).await?;
        let late = begun.elapsed() > RELEASE_TIMEOUT;
        if let Some(stays) = members.iter().find(|member| late || !leaving(member)) {
            return Err(ActionError::NotEmpty {
                kind: "the resource group",
                found: stays.id.clone(),
            });
        }
        if members.is_empty() {
            break;
        }
        context
            .operation
            .call_context()
            .sleep(
                poll_interval::poll_interval(begun.elapsed()),
                &ErrorContext::new("wait until Azure has emptied resource group", &group.name),
            )
            .await?;
    }
    azure.delete_group(&group.name, &ctx).await?;
    context.update(|observed| observed.azure.group = None);
    Ok(())
}

async fn delete_network(
    context: &ActionContext<'_>,
    object: &ActionTarget,
) -> Result<(), ActionError> {
    let (ec2, ctx) = (&context.clients.ec2, context.operation.call_context());
    match object {
        ActionTarget::PublicRouteTable => {
            let id = context.require("the public route table", |s| {
                s.aws.public_route_table.clone()
            })?;
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
            let gateway =
                context.require("the internet gateway", |s| s.aws.internet_gateway.clone())?;
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
    context
        .clients
        .azure
        .delete_subnet(&id, &context.operation.call_context())
        .await?;
    context.update(|observed| {
        if let Some(network) = &mut observed.azure.network {
            network
                .subnets
                .retain(|subnet| !subnet.name.eq_ignore_ascii_case(name));
        }
    });
    Ok(())
}
