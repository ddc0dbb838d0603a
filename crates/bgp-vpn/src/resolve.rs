//! Which object is which part of the link. Objects are identified by the ids in the state, else by
//! the ownership tags, else by what they refer to; tunnels by outside address or inside CIDR. Never
//! by position.

use super::lookup::LookupScope;
use super::managed::Kind;
use super::names::AzureNames;
use super::observed::{AwsObserved, AzureObserved, KeyRead, Lookalike, Observed};
use super::ownership_tags::{TAG_INCOMPLETE, role};
use super::tunnel::{Instance, PerInstance, PerTunnel, TunnelKey};
use crate::aws;
use crate::azure::id::ResourceId;
use crate::azure::model as azure;
use crate::types::Tags;
use std::net::Ipv4Addr;

/// Everything that was read, in the order in which the clouds listed it.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    pub group: Option<azure::ResourceGroup>,
    pub network: Option<azure::VirtualNetwork>,
    pub gateway: Option<azure::Gateway>,
    pub public_ips: Vec<azure::PublicIp>,
    pub local_gateways: Vec<azure::LocalGateway>,
    pub connections: Vec<azure::Connection>,
    /// Shared keys by connection.
    pub keys: Vec<(ResourceId, KeyRead)>,
    pub vpc: Option<aws::Vpc>,
    pub subnets: Vec<aws::Subnet>,
    pub internet_gateways: Vec<aws::InternetGateway>,
    pub route_tables: Vec<aws::RouteTable>,
    pub vpn_gateway: Option<aws::VpnGateway>,
    pub transit_gateway: Option<aws::TransitGateway>,
    pub transit_attachments: Vec<aws::TransitAttachment>,
    pub customer_gateways: Vec<aws::CustomerGateway>,
    pub vpn_connections: Vec<aws::VpnConnection>,
    /// VPCs and VPN gateways with this link's tag that are not taken over.
    pub other_vpcs: Vec<aws::Vpc>,
    pub other_vpn_gateways: Vec<aws::VpnGateway>,
}

/// Puts every object that was read into its place.
pub fn resolve(scope: &LookupScope, inventory: Inventory) -> Observed {
    let aws = resolve_aws(scope, &inventory);
    let lookalikes = lookalikes(scope, &inventory, &aws);
    let azure = resolve_azure(scope, inventory);
    let mut observed = Observed {
        azure,
        aws,
        lookalikes,
    };
    for instance in Instance::ALL {
        let equal = equal_customer_gateway(&observed, instance);
        let place = observed.aws.customer_gateways.get_mut(instance);
        if place.is_none() {
            *place = equal;
        }
    }
    observed
}

/// The customer gateway that a connection uses, where it stands for its instance: a user may have
/// set another one of the same address and ASN, and deleted this link's.
fn equal_customer_gateway(observed: &Observed, instance: Instance) -> Option<aws::CustomerGateway> {
    let asn = observed.azure.gateway.as_ref().map(|gateway| gateway.asn)?;
    let used = observed.aws.used_customer_gateways.get(instance).as_ref()?;
    (observed.public_ip(instance) == Some(used.ip) && used.asn == asn).then(|| used.clone())
}

fn resolve_azure(scope: &LookupScope, inventory: Inventory) -> AzureObserved {
    let alive = |state: azure::ProvisioningState| state != azure::ProvisioningState::Deleting;
    let gateway = inventory.gateway.filter(|g| alive(g.resource.state));
    let named = |ip: &azure::PublicIp, instance: Instance| {
        is_named(scope, &ip.resource, |n| n.public_ips.get(instance))
    };
    let public_ips = PerInstance::from_fn(|instance| {
        let of_gateway = gateway
            .as_ref()
            .and_then(|g| g.instances.get(instance.index())?.public_ip_id.clone());
        let is_it = |ip: &&azure::PublicIp| match &of_gateway {
            Some(id) => ip.resource.id == *id,
            None => {
                let (ids, address) = (
                    &scope.known.public_ips,
                    *scope.known.public_addresses.get(instance),
                );
                let known =
                    address.is_some() && ip.address == address && ids.contains(&ip.resource.id);
                known
                    || named(ip, instance)
                        && owns(scope, Kind::AzurePublicIp, &ip.resource, instance)
            }
        };
        inventory
            .public_ips
            .iter()
            .filter(|ip| alive(ip.resource.state))
            .find(is_it)
            .cloned()
    });
    let local_gateways = PerTunnel::from_fn(|key| {
        let living = || {
            inventory
                .local_gateways
                .iter()
                .filter(|l| alive(l.resource.state))
        };
        let known = scope.known.local_gateways.get(key).as_ref();
        let by_id = living().find(|l| known == Some(&l.resource.id));
        let planned = |l: &&azure::LocalGateway| {
            is_named(scope, &l.resource, |names| names.local_gateways.get(key))
        };
        by_id
            .or_else(|| {
                living()
                    .filter(planned)
                    .find(|l| owns(scope, Kind::AzureLocalGateway, &l.resource, key))
            })
            .cloned()
    });
    let connections = PerTunnel::from_fn(|key| {
        let living = || {
            inventory
                .connections
                .iter()
                .filter(|c| alive(c.resource.state))
        };
        let known = scope.known.connections.get(key).as_ref();
        let local: Option<&azure::LocalGateway> = local_gateways.get(key).as_ref();
        let follows = |c: &&azure::Connection| {
            local.is_some_and(|l| c.local_gateway_id.as_ref() == Some(&l.resource.id))
                && gateway
                    .as_ref()
                    .is_some_and(|g| c.gateway_id.as_ref() == Some(&g.resource.id))
        };
        let by_id = living().find(|c| known == Some(&c.resource.id));
        let planned = |c: &&azure::Connection| {
            is_named(scope, &c.resource, |names| names.connections.get(key))
        };
        let by_tag = || {
            living()
                .filter(planned)
                .find(|c| owns(scope, Kind::AzureConnection, &c.resource, key))
        };
        by_id
            .or_else(by_tag)
            .or_else(|| living().find(follows))
            .cloned()
    });
    let keys = PerTunnel::from_fn(|key| {
        let connection: Option<&azure::Connection> = connections.get(key).as_ref();
        let observed =
            connection.and_then(|c| inventory.keys.iter().find(|(id, _)| *id == c.resource.id));
        observed.map_or(KeyRead::NotRequested, |(_, key)| key.clone())
    });
    let network = inventory.network.filter(|n| alive(n.resource.state));
    let mut azure = AzureObserved {
        group: inventory.group,
        network,
        public_ips,
        gateway,
        local_gateways,
        connections,
        keys,
        ..AzureObserved::default()
    };
    azure.foreign_objects = foreign_objects(
        scope,
        &azure,
        (
            &inventory.public_ips,
            &inventory.local_gateways,
            &inventory.connections,
        ),
    );
    azure
}

fn owns(
    scope: &LookupScope,
    kind: Kind,
    object: &azure::Resource,
    part: impl std::fmt::Display,
) -> bool {
    scope.owns(kind, object.id.as_str(), &object.tags, part)
}

/// Whether an object has the name that the link gives it. Without planned names every name will do.
fn is_named<'a>(
    scope: &'a LookupScope,
    object: &azure::Resource,
    name: impl Fn(&'a AzureNames) -> &'a String,
) -> bool {
    scope
        .names
        .as_ref()
        .is_none_or(|names| name(names).eq_ignore_ascii_case(object.id.name()))
}

type Listed<'a> = (
    &'a [azure::PublicIp],
    &'a [azure::LocalGateway],
    &'a [azure::Connection],
);

/// Objects in the link's resource group under its planned names that are not its own.
fn foreign_objects(
    scope: &LookupScope,
    own: &AzureObserved,
    (ips, locals, connections): Listed<'_>,
) -> Vec<ResourceId> {
    let (Some(names), Some(group)) = (&scope.names, &scope.known.resource_group) else {
        return Vec::new();
    };
    let taken = |object: &azure::Resource, name: &String| {
        let here = object.id.resource_group().eq_ignore_ascii_case(group);
        here && object.id.name().eq_ignore_ascii_case(name)
            && object.state != azure::ProvisioningState::Deleting
    };
    let mut found = Vec::new();
    for instance in Instance::ALL
        .into_iter()
        .filter(|_| scope.adoption.makes_gateway)
    {
        let planned = ips
            .iter()
            .filter(|ip| taken(&ip.resource, names.public_ips.get(instance)));
        let is_own = |ip: &&azure::PublicIp| {
            own.public_ips
                .iter()
                .any(|(_, o)| o.as_ref().is_some_and(|o| o.resource.id == ip.resource.id))
        };
        found.extend(
            planned
                .filter(|ip| !is_own(ip))
                .map(|ip| ip.resource.id.clone()),
        );
    }
    for key in TunnelKey::ALL {
        let planned = locals
            .iter()
            .filter(|l| taken(&l.resource, names.local_gateways.get(key)));
        let is_own = |l: &&azure::LocalGateway| {
            own.local_gateways
                .iter()
                .any(|(_, o)| o.as_ref().is_some_and(|o| o.resource.id == l.resource.id))
        };
        found.extend(
            planned
                .filter(|l| !is_own(l))
                .map(|l| l.resource.id.clone()),
        );
        let planned = connections
            .iter()
            .filter(|c| taken(&c.resource, names.connections.get(key)));
        let is_own = |c: &&azure::Connection| {
            own.connections
                .iter()
                .any(|(_, o)| o.as_ref().is_some_and(|o| o.resource.id == c.resource.id))
        };
        found.extend(
            planned
                .filter(|c| !is_own(c))
                .map(|c| c.resource.id.clone()),
        );
    }
    found
}

/// AWS objects with this link's tag that have no place in it.
fn lookalikes(scope: &LookupScope, inventory: &Inventory, own: &AwsObserved) -> Vec<Lookalike> {
    let mut found = Vec::new();
    let taken = |id: &aws::VpnConnectionId| {
        own.vpn_connections
            .iter()
            .any(|(_, vpn)| vpn.as_ref().is_some_and(|vpn| vpn.id == *id))
    };
    for vpn in inventory
        .vpn_connections
        .iter()
        .filter(|vpn| vpn.state.is_living() && !taken(&vpn.id))
    {
        found.extend(scope.lookalike(Kind::AwsVpnConnection, &vpn.id.0, &vpn.tags, Some(vpn)));
    }
    let taken = |id: &aws::CustomerGatewayId| {
        own.customer_gateways
            .iter()
            .any(|(_, c)| c.as_ref().is_some_and(|c| c.id == *id))
    };
    for customer in inventory
        .customer_gateways
        .iter()
        .filter(|c| c.state.is_living() && !taken(&c.id))
    {
        found.extend(scope.lookalike(
            Kind::AwsCustomerGateway,
            &customer.id.0,
            &customer.tags,
            None,
        ));
    }
    for vpc in &inventory.other_vpcs {
        found.extend(scope.lookalike(Kind::AwsVpc, &vpc.id.0, &vpc.tags, None));
    }
    for gateway in &inventory.other_vpn_gateways {
        found.extend(scope.lookalike(Kind::AwsVpnGateway, &gateway.id.0, &gateway.tags, None));
    }
    found.dedup_by(|a, b| a.id == b.id);
    found
}

fn resolve_aws(scope: &LookupScope, inventory: &Inventory) -> AwsObserved {
    let living =
        |v: &&aws::VpnConnection| !matches!(v.state, aws::State::Deleting | aws::State::Deleted);
    let vpn_connections = PerInstance::from_fn(|instance| {
        let known = scope.known.vpn_connections.get(instance).as_ref();
        let by_id = inventory
            .vpn_connections
            .iter()
            .filter(living)
            .find(|v| known == Some(&v.id));
        let customers = &inventory.customer_gateways;
        by_id
            .or_else(|| {
                inventory
                    .vpn_connections
                    .iter()
                    .filter(living)
                    .find(|v| scope.adopts_vpn_connection(v, instance, customers))
            })
            .cloned()
    });
    let was_ours = |v: &&aws::VpnConnection| {
        let known = scope
            .known
            .vpn_connections
            .iter()
            .any(|(_, id)| id.as_ref() == Some(&v.id));
        known || scope.link.as_ref().is_some_and(|link| link.is_on(&v.tags))
    };
    let leaving = inventory
        .vpn_connections
        .iter()
        .filter(|v| v.state == aws::State::Deleting)
        .filter(was_ours);
    let leaving_vpns = leaving.map(|v| v.id.clone()).collect();
    let living_customers = || {
        let gone = |c: &&aws::CustomerGateway| {
            !matches!(c.state, aws::State::Deleting | aws::State::Deleted)
        };
        inventory.customer_gateways.iter().filter(gone)
    };
    let used_customers = PerInstance::from_fn(|instance| {
        let vpn: Option<&aws::VpnConnection> = vpn_connections.get(instance).as_ref();
        vpn.and_then(|v| living_customers().find(|c| c.id == v.customer_gateway_id))
            .cloned()
    });
    let customer_gateways = PerInstance::from_fn(|instance| {
        let known = scope.known.customer_gateways.get(instance).as_ref();
        let by_id = living_customers().find(|c| known == Some(&c.id));
        let used: Option<&aws::CustomerGateway> = used_customers.get(instance).as_ref();
        by_id
            .or_else(|| living_customers().find(|c| scope.adopts_customer_gateway(c, instance)))
            .or_else(|| used.filter(|c| scope.succeeds_customer_gateway(c, instance)))
            .cloned()
    });
    let mut outside_ips = PerTunnel::default();
    for instance in Instance::ALL {
        if let Some(vpn) = vpn_connections.get(instance) {
            for (key, ip) in match_tunnels(scope, instance, vpn) {
                *outside_ips.get_mut(key) = Some(ip);
            }
        }
    }
    let vpc = inventory.vpc.clone();
    let of_vpc = PublicSubnetMatcher::new(scope, vpc.as_ref());
    let known_table = scope.known.public_route_table.as_ref();
    let table_by_id = inventory
        .route_tables
        .iter()
        .find(|t| known_table == Some(&t.id) || scope.known.route_tables.contains(&t.id));
    let inside = |id: &aws::VpcId| vpc.as_ref().is_none_or(|vpc| vpc.id == *id);
    let public_table = table_by_id.or_else(|| {
        inventory
            .route_tables
            .iter()
            .find(|t| inside(&t.vpc_id) && of_vpc.accepts(&t.tags, role::PUBLIC_ROUTE_TABLE))
    });
    let known = scope.known.public_subnet.as_ref();
    let subnet_by_id = inventory.subnets.iter().find(|s| known == Some(&s.id));
    let accepted = |s: &&aws::Subnet| {
        let own = scope.records(Kind::AwsSubnet, &s.id.0)
            && scope.has_role_tag(&s.tags, role::PUBLIC_SUBNET);
        inside(&s.vpc_id) && (own || of_vpc.accepts(&s.tags, role::PUBLIC_SUBNET))
    };
    let subnet = subnet_by_id
        .or_else(|| inventory.subnets.iter().find(accepted))
        .map(|s| s.id.clone());
    let known_subnet = || {
        let known = scope.known.public_subnet.as_ref()?;
        public_table?
            .subnets
            .iter()
            .find(|(id, _)| id == known)
            .map(|(id, _)| id.clone())
    };
    let known = scope.known.internet_gateway.as_ref();
    let gateway_by_id = inventory
        .internet_gateways
        .iter()
        .find(|i| known == Some(&i.id));
    let accepted = |i: &&aws::InternetGateway| {
        i.attached_vpcs.iter().all(&inside) && of_vpc.accepts(&i.tags, role::INTERNET_GATEWAY)
    };
    let internet_gateway =
        gateway_by_id.or_else(|| inventory.internet_gateways.iter().find(accepted));
    let known_gateway = || {
        let (table, known) = (public_table?, scope.known.internet_gateway.as_ref()?);
        let attached_vpcs = vpc.iter().map(|v| v.id.clone()).collect();
        (table.default_route.as_ref() == Some(&known.0)).then(|| aws::InternetGateway {
            id: known.clone(),
            attached_vpcs,
            tags: table.tags.clone(),
        })
    };
    let attachments = PerInstance::from_fn(|instance| {
        let connection = vpn_connections.get(instance).as_ref()?;
        let of_it = |one: &&aws::TransitAttachment| {
            one.vpn_connection == connection.id
                && connection.target == aws::TargetGateway::TransitGateway(one.gateway.clone())
        };
        inventory.transit_attachments.iter().find(of_it).cloned()
    });
    let attachment_ids = PerInstance::from_fn(|instance| {
        let read = attachments.get(instance).as_ref().map(|one| one.id.clone());
        read.or_else(|| known_attachment(scope, vpn_connections.get(instance).as_ref()?, instance))
    });
    AwsObserved {
        transit_attachments: attachments,
        transit_attachment_ids: attachment_ids,
        public_subnet: subnet.or_else(known_subnet),
        internet_gateway: internet_gateway.cloned().or_else(known_gateway),
        vpc,
        subnets: inventory.subnets.clone(),
        public_route_table: public_table.map(|t| t.id.clone()),
        route_tables: inventory.route_tables.clone(),
        transit_gateway: inventory
            .transit_gateway
            .clone()
            .filter(|gateway| gateway.state.is_living()),
        gateway: inventory
            .vpn_gateway
            .clone()
            .filter(|g| !matches!(g.state, aws::State::Deleting | aws::State::Deleted)),
        customer_gateways,
        used_customer_gateways: used_customers,
        vpn_connections,
        deleting_vpn_connections: leaving_vpns,
        outside_ips,
        written_keys: PerTunnel::default(),
    }
}

/// The id of an attachment as known before, while its connection is still the same.
pub fn known_attachment(
    scope: &LookupScope,
    connection: &aws::VpnConnection,
    instance: Instance,
) -> Option<aws::TransitAttachmentId> {
    let gateway = scope.known.transit_gateway.as_ref()?;
    let is_same = scope.known.vpn_connections.get(instance).as_ref() == Some(&connection.id)
        && connection.target == aws::TargetGateway::TransitGateway(gateway.clone());
    let known = scope.known.transit_attachments.get(instance).clone();
    known.filter(|_| is_same)
}

/// Which internet gateway, subnet and route table are those of a VPC that the link created. An
/// import knows the VPC and none of the three: there their tags count, where the VPC itself carries
/// this link's.
struct PublicSubnetMatcher<'a> {
    scope: &'a LookupScope,
    imports: bool,
}

impl<'a> PublicSubnetMatcher<'a> {
    fn new(scope: &'a LookupScope, vpc: Option<&aws::Vpc>) -> Self {
        let kinds = [
            Kind::AwsInternetGateway,
            Kind::AwsSubnet,
            Kind::AwsRouteTable,
        ];
        let known = &scope.known;
        let recorded = known.internet_gateway.is_some()
            || known.public_subnet.is_some()
            || known.public_route_table.is_some();
        let recorded = recorded
            || kinds
                .into_iter()
                .any(|kind| scope.recorded_ids.ids(kind).next().is_some());
        let complete = vpc.is_some_and(|vpc| {
            scope
                .link
                .as_ref()
                .is_some_and(|link| link.is_on(&vpc.tags))
                && !vpc.tags.contains_key(TAG_INCOMPLETE)
        });
        PublicSubnetMatcher {
            scope,
            imports: complete && !recorded && scope.recorded_ids.is_empty(),
        }
    }

    fn accepts(&self, tags: &Tags, part: &str) -> bool {
        self.scope.adopts(tags, part) || self.imports && self.scope.tags_prove(tags, part)
    }
}

/// Gives each endpoint of a connection the name of its tunnel: by the outside address last seen,
/// else by inside CIDR; an endpoint that fits neither takes the place that is left.
pub fn match_tunnels(
    scope: &LookupScope,
    instance: Instance,
    vpn: &aws::VpnConnection,
) -> Vec<(TunnelKey, Ipv4Addr)> {
    let mut named: Vec<(TunnelKey, Ipv4Addr)> = Vec::new();
    let free =
        |named: &[(TunnelKey, Ipv4Addr)], ip: Ipv4Addr| named.iter().all(|(_, taken)| *taken != ip);
    for key in instance.tunnels() {
        let known = *scope.known.outside_ips.get(key);
        named.extend(
            vpn.tunnels
                .iter()
                .find(|t| Some(t.outside_ip) == known)
                .map(|t| (key, t.outside_ip)),
        );
    }
    for key in instance.tunnels() {
        if named.iter().all(|(have, _)| *have != key) {
            let cidr = scope.inside_cidrs.get(key).net();
            let fits = vpn
                .tunnels
                .iter()
                .find(|t| t.inside_cidr == Some(cidr) && free(&named, t.outside_ip));
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
