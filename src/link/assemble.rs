//! Which object is which part of the link. Objects are told apart by the ids that the state holds, else by the ownership
//! tags, else by what they refer to; tunnels by outside address or inside CIDR. Never by position.

use super::observed::{AwsSide, AzureSide, KeySeen, Observed};
use super::ownership::{LINK, PART};
use super::search::Search;
use super::tunnel::{Instance, PerInstance, PerTunnel, TunnelKey};
use crate::aws::model as aws;
use crate::azure::id::ResourceId;
use crate::azure::model as azure;
use crate::primitives::Tags;
use std::fmt::Display;
use std::net::Ipv4Addr;

/// Everything that was read, in the order in which the clouds listed it.
#[derive(Clone, Debug, Default)]
pub struct Read {
    pub group: Option<azure::ResourceGroup>,
    pub network: Option<azure::VirtualNetwork>,
    pub gateway: Option<azure::Gateway>,
    pub public_ips: Vec<azure::PublicIp>,
    pub local_gateways: Vec<azure::LocalGateway>,
    pub connections: Vec<azure::Connection>,
    /// Shared keys by connection.
    pub keys: Vec<(ResourceId, KeySeen)>,
    pub vpc: Option<aws::Vpc>,
    pub subnets: Vec<aws::Subnet>,
    pub internet_gateways: Vec<aws::InternetGateway>,
    pub route_tables: Vec<aws::RouteTable>,
    pub vpn_gateway: Option<aws::VpnGateway>,
    pub transit_gateway: Option<aws::TransitGateway>,
    pub customer_gateways: Vec<aws::CustomerGateway>,
    pub vpns: Vec<aws::VpnConnection>,
}

/// Names of the parts that are not a tunnel's or an instance's, as the ownership tag has them.
pub mod part {
    pub const RESOURCE_GROUP: &str = "resource-group";
    pub const VIRTUAL_NETWORK: &str = "virtual-network";
    pub const AZURE_GATEWAY: &str = "azure-gateway";
    pub const VPC: &str = "vpc";
    pub const INTERNET_GATEWAY: &str = "internet-gateway";
    pub const PUBLIC_SUBNET: &str = "public-subnet";
    pub const PUBLIC_ROUTE_TABLE: &str = "public-route-table";
    pub const VPN_GATEWAY: &str = "vpn-gateway";
}

/// Puts every object that was read into its place.
pub fn assemble(search: &Search, read: Read) -> Observed {
    let aws = aws_side(search, &read);
    let azure = azure_side(search, read);
    let mut seen = Observed { azure, aws };
    for instance in Instance::ALL {
        let equal = equal_customer_gateway(&seen, instance);
        let place = seen.aws.customer_gateways.get_mut(instance);
        if place.is_none() {
            *place = equal;
        }
    }
    seen
}

/// The customer gateway that a connection uses, where it stands for its instance: a user may have set another one of the same
/// address and ASN, and deleted this link's.
fn equal_customer_gateway(seen: &Observed, instance: Instance) -> Option<aws::CustomerGateway> {
    let asn = seen.azure.gateway.as_ref().map(|gateway| gateway.asn)?;
    let used = seen.aws.used_customers.get(instance).as_ref()?;
    (seen.public_ip(instance) == Some(used.ip) && used.asn == asn).then(|| used.clone())
}

impl Search {
    fn owns(&self, tags: &Tags, part: impl Display) -> bool {
        self.link.as_ref().is_some_and(|link| tags.get(LINK).is_some_and(|value| value == link.as_str()))
            && tags.get(PART).is_some_and(|value| *value == part.to_string())
    }
}

fn azure_side(search: &Search, read: Read) -> AzureSide {
    let alive = |state: azure::ProvisioningState| state != azure::ProvisioningState::Deleting;
    let gateway = read.gateway.filter(|g| alive(g.resource.state));
    let public_ips = PerInstance::from_fn(|instance| {
        let of_gateway = gateway.as_ref().and_then(|g| g.instances.get(instance.index())?.public_ip_id.clone());
        let is_it = |ip: &&azure::PublicIp| match &of_gateway {
            Some(id) => ip.resource.id == *id,
            None => {
                let (ids, address) = (&search.known.public_ips, *search.known.public_addresses.get(instance));
                let known = address.is_some() && ip.address == address && ids.contains(&ip.resource.id);
                known || search.owns(&ip.resource.tags, instance)
            }
        };
        read.public_ips.iter().filter(|ip| alive(ip.resource.state)).find(is_it).cloned()
    });
    let local_gateways = PerTunnel::from_fn(|key| {
        let living = || read.local_gateways.iter().filter(|l| alive(l.resource.state));
        let known = search.known.local_gateways.get(key).as_ref();
        let by_id = living().find(|l| known == Some(&l.resource.id));
        by_id.or_else(|| living().find(|l| search.owns(&l.resource.tags, key))).cloned()
    });
    let connections = PerTunnel::from_fn(|key| {
        let living = || read.connections.iter().filter(|c| alive(c.resource.state));
        let known = search.known.connections.get(key).as_ref();
        let local: Option<&azure::LocalGateway> = local_gateways.get(key).as_ref();
        let follows = |c: &&azure::Connection| {
            local.is_some_and(|l| c.local_gateway_id.as_ref() == Some(&l.resource.id))
                && gateway.as_ref().is_some_and(|g| c.gateway_id.as_ref() == Some(&g.resource.id))
        };
        let by_id = living().find(|c| known == Some(&c.resource.id));
        let by_tag = || living().find(|c| search.owns(&c.resource.tags, key));
        by_id.or_else(by_tag).or_else(|| living().find(follows)).cloned()
    });
    let keys = PerTunnel::from_fn(|key| {
        let connection: Option<&azure::Connection> = connections.get(key).as_ref();
        let seen = connection.and_then(|c| read.keys.iter().find(|(id, _)| *id == c.resource.id));
        seen.map_or(KeySeen::Unread, |(_, key)| key.clone())
    });
    let network = read.network.filter(|n| alive(n.resource.state));
    AzureSide { group: read.group, network, public_ips, gateway, local_gateways, connections, keys }
}

fn aws_side(search: &Search, read: &Read) -> AwsSide {
    let living = |v: &&aws::VpnConnection| !matches!(v.state, aws::State::Deleting | aws::State::Deleted);
    let vpns = PerInstance::from_fn(|instance| {
        let known = search.known.vpns.get(instance).as_ref();
        let by_id = read.vpns.iter().filter(living).find(|v| known == Some(&v.id));
        by_id.or_else(|| read.vpns.iter().filter(living).find(|v| search.owns(&v.tags, instance))).cloned()
    });
    let was_ours = |v: &&aws::VpnConnection| {
        let known = search.known.vpns.iter().any(|(_, id)| id.as_ref() == Some(&v.id));
        known || search.link.as_ref().is_some_and(|link| link.is_on(&v.tags))
    };
    let leaving = read.vpns.iter().filter(|v| v.state == aws::State::Deleting).filter(was_ours);
    let leaving_vpns = leaving.map(|v| v.id.clone()).collect();
    let living_customers = || {
        let gone = |c: &&aws::CustomerGateway| !matches!(c.state, aws::State::Deleting | aws::State::Deleted);
        read.customer_gateways.iter().filter(gone)
    };
    let used_customers = PerInstance::from_fn(|instance| {
        let vpn: Option<&aws::VpnConnection> = vpns.get(instance).as_ref();
        vpn.and_then(|v| living_customers().find(|c| c.id == v.customer_gateway_id)).cloned()
    });
    let customer_gateways = PerInstance::from_fn(|instance| {
        let known = search.known.customer_gateways.get(instance).as_ref();
        let by_id = living_customers().find(|c| known == Some(&c.id));
        by_id.or_else(|| living_customers().find(|c| search.owns(&c.tags, instance))).cloned()
    });
    let mut outside_ips = PerTunnel::default();
    for instance in Instance::ALL {
        if let Some(vpn) = vpns.get(instance) {
            for (key, ip) in name_endpoints(search, instance, vpn) {
                *outside_ips.get_mut(key) = Some(ip);
            }
        }
    }
    let vpc = read.vpc.clone();
    let by_tag = || read.route_tables.iter().find(|t| search.owns(&t.tags, part::PUBLIC_ROUTE_TABLE));
    let by_id = || read.route_tables.iter().find(|t| search.known.route_tables.contains(&t.id));
    let public_table = by_tag().or_else(by_id);
    let subnet = read.subnets.iter().find(|s| search.owns(&s.tags, part::PUBLIC_SUBNET)).map(|s| s.id.clone());
    let known_subnet = || {
        let known = search.known.public_subnet.as_ref()?;
        public_table?.subnets.iter().find(|(id, _)| id == known).map(|(id, _)| id.clone())
    };
    let internet_gateway = read.internet_gateways.iter().find(|i| search.owns(&i.tags, part::INTERNET_GATEWAY));
    let known_gateway = || {
        let (table, known) = (public_table?, search.known.internet_gateway.as_ref()?);
        let attached_vpcs = vpc.iter().map(|v| v.id.clone()).collect();
        (table.default_route.as_ref() == Some(&known.0)).then(|| aws::InternetGateway {
            id: known.clone(),
            attached_vpcs,
            tags: table.tags.clone(),
        })
    };
    AwsSide {
        public_subnet: subnet.or_else(known_subnet),
        internet_gateway: internet_gateway.cloned().or_else(known_gateway),
        vpc,
        subnets: read.subnets.clone(),
        public_route_table: public_table.map(|t| t.id.clone()),
        route_tables: read.route_tables.clone(),
        transit_gateway: read.transit_gateway.clone().filter(|gateway| gateway.state.is_living()),
        gateway: read.vpn_gateway.clone().filter(|g| !matches!(g.state, aws::State::Deleting | aws::State::Deleted)),
        customer_gateways,
        used_customers,
        vpns,
        leaving_vpns,
        outside_ips,
        told: PerTunnel::default(),
    }
}

/// Gives each endpoint of a connection the name of its tunnel: by the outside address last seen, else by inside CIDR; an
/// endpoint that fits neither takes the place that is left.
pub fn name_endpoints(search: &Search, instance: Instance, vpn: &aws::VpnConnection) -> Vec<(TunnelKey, Ipv4Addr)> {
    let mut named: Vec<(TunnelKey, Ipv4Addr)> = Vec::new();
    let free = |named: &[(TunnelKey, Ipv4Addr)], ip: Ipv4Addr| named.iter().all(|(_, taken)| *taken != ip);
    for key in instance.tunnels() {
        let known = *search.known.outside_ips.get(key);
        named.extend(vpn.tunnels.iter().find(|t| Some(t.outside_ip) == known).map(|t| (key, t.outside_ip)));
    }
    for key in instance.tunnels() {
        if named.iter().all(|(have, _)| *have != key) {
            let cidr = search.inside_cidrs.get(key).net();
            let fits = vpn.tunnels.iter().find(|t| t.inside_cidr == Some(cidr) && free(&named, t.outside_ip));
            named.extend(fits.map(|t| (key, t.outside_ip)));
        }
    }
    for key in instance.tunnels() {
        if named.iter().all(|(have, _)| *have != key) {
            let left = vpn.tunnels.iter().find(|t| free(&named, t.outside_ip));
            named.extend(left.map(|t| (key, t.outside_ip)));
        }
    }
    named
}
