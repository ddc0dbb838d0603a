//! What keeps a teardown from starting: objects of others in, on or attached to what it deletes,
//! and locks. It is checked before the first delete, so that a teardown either can be carried out
//! or changes nothing.

use super::action::{Action, ActionTarget, Verb};
use super::lookup::TeardownSpec;
use super::managed::{Kind, Managed};
use super::observed::Observed;
use super::ownership_tags::LinkId;
use super::spec::Spec;
use crate::aws;
use crate::azure::documents::group::Member;
use crate::azure::documents::network::{GATEWAY_SUBNET, peerings, subnet_occupants};
use crate::azure::id::ResourceId;
use crate::azure::model as azure;
use std::collections::BTreeSet;
use std::fmt;

/// What of the contents belongs to the link.
#[derive(Clone, Debug, Default)]
pub struct OwnObjects {
    /// What it deletes in the end.
    pub managed: Managed,
    /// Subnets of its VNet that it created, without the gateway's.
    pub subnets: BTreeSet<String>,
    /// Its Azure gateway, which may be on its way out and not be listed any more.
    pub gateway: Option<ResourceId>,
    pub link: Option<LinkId>,
    pub subscription: String,
}

impl OwnObjects {
    pub fn of_teardown(what: &TeardownSpec) -> Self {
        OwnObjects {
            managed: what.managed.clone(),
            subnets: what.subnets.clone(),
            gateway: what.azure_gateway.clone(),
            link: Some(what.link.clone()),
            subscription: what.subscription.clone(),
        }
    }

    /// Of a link that stays and only loses single objects.
    pub fn of_update(spec: &Spec, observed: &Observed) -> Self {
        let mut managed = Managed::default();
        observed
            .aws
            .public_subnet
            .iter()
            .for_each(|id| managed.add(Kind::AwsSubnet, id));
        OwnObjects {
            managed,
            subnets: BTreeSet::new(),
            gateway: Some(spec.azure.gateway.id().clone()),
            link: Some(spec.link.clone()),
            subscription: spec.azure.subscription.clone(),
        }
    }
}

/// What was read of the contents of what a teardown deletes.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    pub group: Vec<Member>,
    /// On the Azure gateway.
    pub gateway_connections: Vec<azure::Connection>,
    /// Of all gateways, as far as they may use a local network gateway of the link.
    pub connections: Vec<azure::Connection>,
    pub locks: Vec<azure::Lock>,
    /// In the VPC or attached to it.
    pub vpc: Vec<aws::VpcOccupant>,
    pub vpc_gateways: Vec<aws::VpnGateway>,
    /// On the VPN gateway.
    pub vpn_connections: Vec<aws::VpnConnection>,
}

/// One reason not to start.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Blocker {
    /// What would be deleted.
    pub held: String,
    /// Id of what is in the way.
    pub by: String,
    pub reason: BlockReason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BlockReason {
    Contains,
    UsedBy,
    Locked,
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.reason {
            BlockReason::Contains => "contains",
            BlockReason::UsedBy => "is used by",
            BlockReason::Locked => "is locked by",
        };
        write!(f, "{} {verb} {}", self.held, self.by)
    }
}

/// Kind and id of an object that a step deletes. None for what is no object of its own.
pub fn managed_id(object: &ActionTarget, observed: &Observed) -> Option<(Kind, String)> {
    let (azure, aws) = (&observed.azure, &observed.aws);
    let subnet = |name: &str| {
        let network = azure.network.as_ref()?;
        let found = network
            .subnets
            .iter()
            .find(|subnet| subnet.name.eq_ignore_ascii_case(name));
        Some(
            found
                .map_or_else(
                    || network.resource.id.child("subnets", name),
                    |subnet| subnet.id.clone(),
                )
                .to_string(),
        )
    };
    let found = match object {
        ActionTarget::ResourceGroup => {
            (Kind::AzureResourceGroup, azure.group.as_ref()?.name.clone())
        }
        ActionTarget::VirtualNetwork => (
            Kind::AzureVirtualNetwork,
            azure.network.as_ref()?.resource.id.to_string(),
        ),
        ActionTarget::GatewaySubnet => (Kind::AzureSubnet, subnet(GATEWAY_SUBNET)?),
        ActionTarget::Subnet(name) => (Kind::AzureSubnet, subnet(name)?),
        ActionTarget::PublicIp(at) => (
            Kind::AzurePublicIp,
            azure.public_ips.get(*at).as_ref()?.resource.id.to_string(),
        ),
        ActionTarget::Gateway => (
            Kind::AzureGateway,
            azure.gateway.as_ref()?.resource.id.to_string(),
        ),
        ActionTarget::LocalGateway(key) => (
            Kind::AzureLocalGateway,
            azure
                .local_gateways
                .get(*key)
                .as_ref()?
                .resource
                .id
                .to_string(),
        ),
        ActionTarget::Connection(key) => (
            Kind::AzureConnection,
            azure
                .connections
                .get(*key)
                .as_ref()?
                .resource
                .id
                .to_string(),
        ),
        ActionTarget::Vpc => (Kind::AwsVpc, aws.vpc.as_ref()?.id.to_string()),
        ActionTarget::InternetGateway => (
            Kind::AwsInternetGateway,
            aws.internet_gateway.as_ref()?.id.to_string(),
        ),
        ActionTarget::PublicSubnet => (Kind::AwsSubnet, aws.public_subnet.as_ref()?.to_string()),
        ActionTarget::PublicRouteTable => (
            Kind::AwsRouteTable,
            aws.public_route_table.as_ref()?.to_string(),
        ),
        ActionTarget::VpnGateway => (Kind::AwsVpnGateway, aws.gateway.as_ref()?.id.to_string()),
        ActionTarget::CustomerGateway(at) => (
            Kind::AwsCustomerGateway,
            aws.customer_gateways.get(*at).as_ref()?.id.to_string(),
        ),
        ActionTarget::VpnConnection(at) => (
            Kind::AwsVpnConnection,
            aws.vpn_connections.get(*at).as_ref()?.id.to_string(),
        ),
        _ => return None,
    };
    Some(found)
}

/// Every reason why these steps cannot be carried out without harm to others.
pub fn blockers(
    actions: &[Action],
    own: &OwnObjects,
    observed: &Observed,
    contents: &Contents,
) -> Vec<Blocker> {
    let mut found = BTreeSet::new();
    for action in actions.iter().filter(|action| action.verb == Verb::Delete) {
        if let Some((_, held)) = managed_id(&action.target, observed) {
            let mut list = BlockerList {
                found: &mut found,
                held,
            };
            blockers_of(&action.target, own, observed, contents, &mut list);
        }
        locks(&action.target, own, observed, contents, &mut found);
    }
    found.into_iter().collect()
}

/// The reasons found so far, and what the next one is about.
struct BlockerList<'a> {
    found: &'a mut BTreeSet<Blocker>,
    held: String,
}

impl BlockerList<'_> {
    fn add(&mut self, why: BlockReason, by: impl fmt::Display) {
        self.found.insert(Blocker {
            held: self.held.clone(),
            by: by.to_string(),
            reason: why,
        });
    }
}

fn blockers_of(
    object: &ActionTarget,
    own: &OwnObjects,
    observed: &Observed,
    contents: &Contents,
    list: &mut BlockerList<'_>,
) {
    let ours = |kind, id: &str| own.managed.has(kind, id);
    let leaving = |connection: &azure::Connection| {
        connection.resource.state == azure::ProvisioningState::Deleting
    };
    let foreign = |connection: &&azure::Connection| {
        !ours(Kind::AzureConnection, connection.resource.id.as_str()) && !leaving(connection)
    };
    match object {
        ActionTarget::VirtualNetwork => {
            let Some(network) = &observed.azure.network else {
                return;
            };
            for subnet in &network.subnets {
                let made = subnet.name.eq_ignore_ascii_case(GATEWAY_SUBNET)
                    || own
                        .subnets
                        .iter()
                        .any(|name| name.eq_ignore_ascii_case(&subnet.name));
                if !made && subnet.state != azure::ProvisioningState::Deleting {
                    list.add(BlockReason::Contains, &subnet.id);
                }
                occupants(&subnet.name, own, network, list);
            }
            peerings(&network.resource.raw)
                .into_iter()
                .for_each(|id| list.add(BlockReason::UsedBy, id));
        }
        ActionTarget::GatewaySubnet => {
            observed
                .azure
                .network
                .iter()
                .for_each(|network| occupants(GATEWAY_SUBNET, own, network, list));
        }
        ActionTarget::Subnet(name) => observed
            .azure
            .network
            .iter()
            .for_each(|network| occupants(name, own, network, list)),
        ActionTarget::Gateway => {
            let connections = contents.gateway_connections.iter().filter(foreign);
            connections
                .for_each(|connection| list.add(BlockReason::UsedBy, &connection.resource.id));
        }
        ActionTarget::LocalGateway(key) => {
            let Some(local) = observed.azure.local_gateways.get(*key) else {
                return;
            };
            let uses =
                |c: &&azure::Connection| c.local_gateway_id.as_ref() == Some(&local.resource.id);
            let connections = contents.connections.iter().filter(uses).filter(foreign);
            connections
                .for_each(|connection| list.add(BlockReason::UsedBy, &connection.resource.id));
        }
        ActionTarget::ResourceGroup => {
            let foreign = contents
                .group
                .iter()
                .filter(|member| !belongs_to_link(member, own, observed));
            foreign.for_each(|member| list.add(BlockReason::Contains, &member.id));
        }
        ActionTarget::VpnGateway => {
            let foreign = |vpn: &&aws::VpnConnection| {
                vpn.state.is_living() && !ours(Kind::AwsVpnConnection, &vpn.id.0)
            };
            contents
                .vpn_connections
                .iter()
                .filter(foreign)
                .for_each(|vpn| list.add(BlockReason::UsedBy, &vpn.id));
        }
        ActionTarget::Vpc => {
            let kinds = [Kind::AwsSubnet, Kind::AwsInternetGateway];
            let inside = contents
                .vpc
                .iter()
                .filter(|one| !kinds.into_iter().any(|kind| ours(kind, &one.id)));
            inside.for_each(|one| list.add(BlockReason::Contains, &one.id));
            let tables = observed.aws.route_tables.iter().filter(|table| !table.main);
            let tables = tables.filter(|table| !ours(Kind::AwsRouteTable, &table.id.0));
            tables.for_each(|table| list.add(BlockReason::Contains, &table.id));
            let gateways = contents
                .vpc_gateways
                .iter()
                .filter(|gateway| gateway.state.is_living());
            let gateways = gateways.filter(|gateway| !ours(Kind::AwsVpnGateway, &gateway.id.0));
            gateways.for_each(|gateway| list.add(BlockReason::UsedBy, &gateway.id));
        }
        ActionTarget::PublicSubnet => {
            let inside = contents
                .vpc
                .iter()
                .filter(|one| one.subnet == observed.aws.public_subnet);
            inside
                .filter(|one| one.subnet.is_some())
                .for_each(|one| list.add(BlockReason::Contains, &one.id));
        }
        ActionTarget::PublicRouteTable => {
            let is_it = |table: &&aws::RouteTable| {
                Some(&table.id) == observed.aws.public_route_table.as_ref()
            };
            let subnets = observed
                .aws
                .route_tables
                .iter()
                .filter(is_it)
                .flat_map(|table| &table.subnets);
            let own = |subnet: &aws::SubnetId| {
                observed.aws.public_subnet.as_ref() == Some(subnet)
                    || ours(Kind::AwsSubnet, &subnet.0)
            };
            let foreign = subnets.filter(|(subnet, _)| !own(subnet));
            foreign.for_each(|(subnet, _)| list.add(BlockReason::UsedBy, subnet));
        }
        _ => {}
    }
}

/// What is in a subnet, or attached to it, except the link's own gateway.
fn occupants(
    subnet: &str,
    own: &OwnObjects,
    network: &azure::VirtualNetwork,
    list: &mut BlockerList<'_>,
) {
    let gateways = own
        .managed
        .ids(Kind::AzureGateway)
        .chain(own.gateway.iter().map(ResourceId::as_str));
    let gateways: Vec<String> = gateways
        .map(|id| format!("{}/", id.to_ascii_lowercase()))
        .collect();
    let ours = |id: &String| {
        gateways
            .iter()
            .any(|gateway| id.to_ascii_lowercase().starts_with(gateway))
    };
    let foreign = subnet_occupants(&network.resource.raw, subnet)
        .into_iter()
        .filter(|id| !ours(id));
    foreign.for_each(|id| list.add(BlockReason::UsedBy, id));
}

/// Whether a member of the resource group goes with the link. One that carries its tag and is not
/// seen any more is on its way out: an earlier run gave up on a delete that Azure carries on with.
fn belongs_to_link(member: &Member, own: &OwnObjects, observed: &Observed) -> bool {
    let managed = Kind::ALL
        .into_iter()
        .any(|kind| own.managed.has(kind, &member.id));
    let network = observed
        .azure
        .network
        .iter()
        .map(|network| network.resource.id.to_string());
    let there = observed
        .ids()
        .into_iter()
        .chain(network)
        .any(|id| id.eq_ignore_ascii_case(&member.id));
    managed
        || !there
            && own
                .link
                .as_ref()
                .is_some_and(|link| link.is_on(&member.tags))
}

/// Locks at, above and below what is deleted, and on a gateway that only loses the link's
/// addresses.
fn locks(
    object: &ActionTarget,
    own: &OwnObjects,
    observed: &Observed,
    contents: &Contents,
    found: &mut BTreeSet<Blocker>,
) {
    let (target, deletes) = match object {
        ActionTarget::CustomBgpAddresses => (
            observed
                .azure
                .gateway
                .as_ref()
                .map(|gateway| gateway.resource.id.to_string()),
            false,
        ),
        _ => match managed_id(object, observed) {
            Some((Kind::AzureResourceGroup, name)) => (
                Some(format!(
                    "/subscriptions/{}/resourceGroups/{name}",
                    own.subscription
                )),
                true,
            ),
            Some((_, id)) => (Some(id).filter(|id| id.starts_with('/')), true),
            None => (None, false),
        },
    };
    let Some(target) = target else { return };
    for lock in &contents.locks {
        let above = is_within(&target, &lock.scope) && (deletes || lock.read_only);
        if above || deletes && is_within(&lock.scope, &target) {
            found.insert(Blocker {
                held: target.clone(),
                by: lock.id.clone(),
                reason: BlockReason::Locked,
            });
        }
    }
}

/// Whether an id is that of a scope or of something in it.
fn is_within(id: &str, scope: &str) -> bool {
    let (id, scope) = (id.to_ascii_lowercase(), scope.to_ascii_lowercase());
    id.strip_prefix(&scope)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
