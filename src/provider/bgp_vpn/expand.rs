//! A settled state as a spec of the domain, and as a place to search.

use super::default_options::{inside_cidrs, read_logs, read_policy};
use super::defaults::{aws_name, azure_name};
use super::flatten::read_managed;
use super::private_state::PrivateState;
use super::schema::{AWS_NAMES, AZURE_NAMES};
use crate::aws::model::{
    Bandwidth, CustomerGatewayId, InternetGatewayId, KeyStorage, Region, RouteTableId, SubnetId, TransitGatewayId,
    VpcId, VpnConnectionId, VpnGatewayId,
};
use crate::azure::id::ResourceId;
use crate::azure::model::ConnectionMode;
use crate::link::adoption::Adoption;
use crate::link::inside_cidr::InsideCidr;
use crate::link::key_rotation::KeyRotation;
use crate::link::known_ids::KnownIds;
use crate::link::lookup::LookupScope;
use crate::link::managed::Kind;
use crate::link::names::{AwsNames, AzureNames};
use crate::link::ownership_tags::{AwsEndpoint, EndpointKind, LinkId};
use crate::link::spec::{
    AwsGateway, AwsNetwork, AwsSpec, AzureGateway, AzureNetwork, AzureSpec, PropagationTargets, Removals, Spec,
};
use crate::link::tunnel::{Instance, PerInstance, PerTunnel, TunnelKey};
use crate::plugin::Value;
use crate::types::{Asn, PreSharedKey, Tags};
use ipnet::Ipv4Net;
use std::collections::{BTreeMap, BTreeSet};

/// What a spec needs beside the settled values.
pub struct ExpandInputs<'a> {
    pub private: &'a PrivateState,
    /// The provider's subscription.
    pub subscription: Option<String>,
    pub default_tags: Tags,
    pub keys: KeyInputs,
    pub removals: Removals,
}

/// What is to become of the shared keys. By default they stay as they are.
#[derive(Default)]
pub struct KeyInputs {
    /// The user's own.
    pub configured: PerTunnel<Option<PreSharedKey>>,
    /// Whether those take the place of keys in use.
    pub applies_configured: bool,
    /// The text whose change rolls all of them.
    pub trigger: Option<String>,
}

/// An attribute without which there is no spec, and which is unknown, null or malformed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingAttribute(pub &'static str);

/// The spec of a settled state.
///
/// # Errors
/// The first attribute that is not there.
pub fn expand_spec(settled: &Value, around: ExpandInputs<'_>) -> Result<Spec, MissingAttribute> {
    let (azure, aws) = (settled.get("azure"), settled.get("aws"));
    let name = text(settled, "name").ok_or(MissingAttribute("name"))?;
    let cidrs = inside_cidrs(settled).ok_or(MissingAttribute("inside_cidrs"))?;
    let subscription =
        subscription(settled, around.subscription).ok_or(MissingAttribute("azure.virtual_network_id"))?;
    let group = text(azure, "resource_group_name").ok_or(MissingAttribute("azure.resource_group_name"))?;
    let network = azure_network(azure, &subscription, &group)?;
    let link = link_id(settled, around.private, network.id(), *cidrs.get(first()));
    let azure_names = azure_names(settled, &name);
    let mut tags = around.default_tags;
    tags.extend(strings(settled.get("tags")));
    Ok(Spec {
        link: link.clone(),
        azure: AzureSpec {
            create_resource_group: azure.get("create_resource_group").as_bool().unwrap_or_default(),
            location: text(azure, "location").ok_or(MissingAttribute("azure.location"))?,
            zones: read_zones(azure.get("zones")),
            gateway: azure_gateway(azure, around.private, &subscription, &group, &azure_names)?,
            connection_mode: azure
                .get("connection_mode")
                .as_str()
                .and_then(ConnectionMode::parse)
                .ok_or(MissingAttribute("azure.connection_mode"))?,
            dpd_timeout_seconds: small(azure, "dpd_timeout_seconds")
                .ok_or(MissingAttribute("azure.dpd_timeout_seconds"))?,
            names: azure_names,
            subscription,
            resource_group: group,
            network,
        },
        aws: AwsSpec {
            region: Region(text(aws, "region").ok_or(MissingAttribute("aws.region"))?),
            network: aws_network(aws, around.private)?,
            gateway: aws_gateway(aws, around.private)?,
            route_tables: route_tables(aws.get("route_table_ids"), around.private),
            startup_action: text(aws, "startup_action").ok_or(MissingAttribute("aws.startup_action"))?,
            dpd_timeout_action: text(aws, "dpd_timeout_action").ok_or(MissingAttribute("aws.dpd_timeout_action"))?,
            dpd_timeout_seconds: small(aws, "dpd_timeout_seconds")
                .ok_or(MissingAttribute("aws.dpd_timeout_seconds"))?,
            key_storage: key_storage(aws),
            bandwidth: Bandwidth::read(aws.get("tunnel_bandwidth").as_str()),
            tunnel_lifecycle_control: aws.get("tunnel_lifecycle_control").as_bool().unwrap_or_default(),
            acceleration: aws.get("enable_acceleration").as_bool().unwrap_or_default(),
            logs: read_logs(aws.get("logs")),
            names: aws_names(settled, &name),
        },
        inside_cidrs: cidrs,
        policy: read_policy(settled.get("ipsec_policy")).ok_or(MissingAttribute("ipsec_policy"))?,
        tags,
        rotation: around.keys.trigger.map(|trigger| KeyRotation::new(&link, &trigger)),
        applies_configured_keys: around.keys.applies_configured,
        configured_keys: around.keys.configured,
        wait_for_bgp: settled.get("wait_for_bgp").as_bool().unwrap_or(true),
        removals: around.removals,
        claims_gateways: false,
        preexisting_addresses: around.private.provenance.preexisting_addresses.clone(),
        owned: around.private.owned.clone(),
        preexisting_propagation: around
            .private
            .provenance
            .preexisting_propagation
            .iter()
            .cloned()
            .map(RouteTableId)
            .collect(),
        name,
    })
}

fn first() -> TunnelKey {
    TunnelKey { instance: Instance::Zero, number: 1 }
}

/// The ownership tag's value: as remembered, else made from the VNet and the CIDR in `id`, else from what is planned.
pub fn link_id(state: &Value, private: &PrivateState, network: &ResourceId, planned: InsideCidr) -> LinkId {
    if let Some(link) = &private.link {
        return link.clone();
    }
    let in_id = state.get("id").as_str().and_then(|id| InsideCidr::parse(id.rsplit_once(',')?.1).ok());
    LinkId::new(network, in_id.unwrap_or(planned))
}

/// Where the resource group is: the subscription of the link's own gateway, else the provider's, else that of the VNet.
pub fn subscription(settled: &Value, provider: Option<String>) -> Option<String> {
    let of = |path: &str| {
        let id = settled.at(&path.into()).as_str().and_then(|text| ResourceId::parse(text).ok());
        id.map(|id| id.subscription().to_owned())
    };
    let before = settled.get("id").as_str().and_then(|id| {
        let gateway = ResourceId::parse(id.rsplit_once(',')?.0).ok()?;
        Some(gateway.subscription().to_owned())
    });
    before.or(provider).or_else(|| of("azure.gateway_id")).or_else(|| of("azure.virtual_network_id"))
}

/// `azure.zones`; None where they are left to the region.
pub fn read_zones(value: &Value) -> Option<BTreeSet<String>> {
    let zones = value.as_list().filter(|_| value.is_wholly_known())?;
    Some(zones.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

fn azure_network(azure: &Value, subscription: &str, group: &str) -> Result<AzureNetwork, MissingAttribute> {
    let created = azure.get("virtual_network");
    let id = text(azure, "virtual_network_id").and_then(|id| ResourceId::parse(&id).ok());
    let net = |value: &Value| value.as_str().and_then(|text| text.parse::<Ipv4Net>().ok());
    if !created.is_set() {
        let gateway_subnet_prefix = net(azure.get("gateway_subnet_prefix"));
        return Ok(AzureNetwork::Existing {
            id: id.ok_or(MissingAttribute("azure.virtual_network_id"))?,
            gateway_subnet_prefix,
        });
    }
    let name = text(created, "name").ok_or(MissingAttribute("azure.virtual_network.name"))?;
    let space =
        created.get("address_space").as_list().ok_or(MissingAttribute("azure.virtual_network.address_space"))?;
    let prefix = net(created.get("gateway_subnet_prefix"));
    Ok(AzureNetwork::Create {
        id: id.unwrap_or_else(|| ResourceId::network(subscription, group, "virtualNetworks", &name)),
        address_space: space.iter().filter_map(net).collect(),
        gateway_subnet_prefix: prefix.ok_or(MissingAttribute("azure.virtual_network.gateway_subnet_prefix"))?,
        subnets: entries(created.get("subnets")).filter_map(|(name, v)| Some((name.clone(), net(v)?))).collect(),
    })
}

fn azure_gateway(
    azure: &Value,
    private: &PrivateState,
    subscription: &str,
    group: &str,
    names: &AzureNames,
) -> Result<AzureGateway, MissingAttribute> {
    let id = text(azure, "gateway_id").and_then(|id| ResourceId::parse(&id).ok());
    if private.provenance.azure_gateway_is_existing {
        return id.map(AzureGateway::Existing).ok_or(MissingAttribute("azure.gateway_id"));
    }
    Ok(AzureGateway::Managed {
        id: id.unwrap_or_else(|| ResourceId::network(subscription, group, "virtualNetworkGateways", &names.gateway)),
        sku: text(azure, "sku").ok_or(MissingAttribute("azure.sku"))?,
        generation: text(azure, "generation").ok_or(MissingAttribute("azure.generation"))?,
        asn: Asn(small(azure, "asn").ok_or(MissingAttribute("azure.asn"))?),
    })
}

fn aws_network(aws: &Value, private: &PrivateState) -> Result<AwsNetwork, MissingAttribute> {
    let created = aws.get("vpc");
    let on_transit_gateway = aws.get("transit_gateway_id").is_set();
    if private.provenance.vpn_gateway_is_existing || on_transit_gateway && !created.is_set() {
        return Ok(AwsNetwork::FromGateway);
    }
    if !created.is_set() {
        return text(aws, "vpc_id").map(|id| AwsNetwork::Existing(VpcId(id))).ok_or(MissingAttribute("aws.vpc_id"));
    }
    let net = |name: &str| created.get(name).as_str().and_then(|text| text.parse::<Ipv4Net>().ok());
    let cidr = net("cidr_block").ok_or(MissingAttribute("aws.vpc.cidr_block"))?;
    Ok(AwsNetwork::Create { cidr, public_subnet: net("public_subnet_cidr_block") })
}

fn aws_gateway(aws: &Value, private: &PrivateState) -> Result<AwsGateway, MissingAttribute> {
    let transit = aws.get("transit_gateway_id");
    if !transit.is_null() {
        let id = transit.as_str().ok_or(MissingAttribute("aws.transit_gateway_id"))?;
        return Ok(AwsGateway::TransitGateway(TransitGatewayId(id.to_owned())));
    }
    if private.provenance.vpn_gateway_is_existing {
        let id = text(aws, "vpn_gateway_id").ok_or(MissingAttribute("aws.vpn_gateway_id"))?;
        return Ok(AwsGateway::ExistingVgw(VpnGatewayId(id)));
    }
    Ok(AwsGateway::ManagedVgw { asn: Asn(small(aws, "asn").ok_or(MissingAttribute("aws.asn"))?) })
}

/// The object on which the AWS side ends, where it is known.
pub fn endpoint(settled: &Value, private: &PrivateState) -> Option<AwsEndpoint> {
    let aws = settled.get("aws");
    let region = Region(text(aws, "region")?);
    let transit = aws.get("transit_gateway_id");
    let end = if !transit.is_null() {
        EndpointKind::TransitGateway(TransitGatewayId(transit.as_str()?.to_owned()))
    } else if private.provenance.vpn_gateway_is_existing {
        EndpointKind::VpnGateway(VpnGatewayId(text(aws, "vpn_gateway_id")?))
    } else if aws.get("vpc").is_set() {
        EndpointKind::NewVpc(text(aws.get("vpc"), "cidr_block")?.parse().ok()?)
    } else {
        EndpointKind::Vpc(VpcId(text(aws, "vpc_id")?))
    };
    Some(AwsEndpoint { region, end })
}

fn route_tables(value: &Value, private: &PrivateState) -> PropagationTargets {
    let ids = |value: &Value| -> Option<BTreeSet<RouteTableId>> {
        let tables = value.as_list().filter(|_| value.is_wholly_known())?;
        Some(tables.iter().filter_map(Value::as_str).map(|id| RouteTableId(id.to_owned())).collect())
    };
    match ids(value) {
        Some(tables) if private.names_route_tables => PropagationTargets::Explicit(tables),
        Some(tables) => PropagationTargets::LastApplied(tables),
        // An empty set was a decision about another VPC.
        None => ids(private.applied.at(&"aws.route_table_ids".into()))
            .filter(|tables| !tables.is_empty())
            .map_or(PropagationTargets::Default, PropagationTargets::LastApplied),
    }
}

/// Where AWS keeps the keys. A state from before there was a choice says nothing of it.
pub fn key_storage(aws: &Value) -> KeyStorage {
    let said = aws.get("preshared_key_storage").as_str();
    said.and_then(|said| said.parse().ok()).unwrap_or(KeyStorage::Standard)
}

/// Azure's names of a settled state; those of the link's name where there are none.
pub fn azure_names(settled: &Value, link: &str) -> AzureNames {
    let mut names = AzureNames::of(link);
    let given = strings(settled.get("azure").get("names"));
    let name = |attribute: String, default: &String| given.get(&attribute).unwrap_or(default).clone();
    names.gateway = name("gateway".into(), &names.gateway);
    names.public_ips = PerInstance::from_fn(|i| name(format!("public_ip_{i}"), names.public_ips.get(i)));
    names.local_gateways = names.local_gateways.map(|key, default| name(format!("local_gateway_{key}"), default));
    names.connections = names.connections.map(|key, default| name(format!("connection_{key}"), default));
    debug_assert!(AZURE_NAMES.iter().all(|(attribute, _)| azure_name(&names, attribute).is_some()));
    names
}

fn aws_names(settled: &Value, link: &str) -> AwsNames {
    let default = AwsNames::of(link);
    let given = strings(settled.get("aws").get("names"));
    let name = |attribute: String, default: &String| given.get(&attribute).unwrap_or(default).clone();
    debug_assert!(AWS_NAMES.iter().all(|(attribute, _)| aws_name(&default, attribute).is_some()));
    AwsNames {
        vpn_gateway: name("vpn_gateway".into(), &default.vpn_gateway),
        customer_gateways: PerInstance::from_fn(|i| {
            name(format!("customer_gateway_{i}"), default.customer_gateways.get(i))
        }),
        vpn_connections: PerInstance::from_fn(|i| name(format!("vpn_connection_{i}"), default.vpn_connections.get(i))),
        vpc: name("vpc".into(), &default.vpc),
        internet_gateway: name("internet_gateway".into(), &default.internet_gateway),
        public_subnet: name("public_subnet".into(), &default.public_subnet),
        public_route_table: name("public_route_table".into(), &default.public_route_table),
    }
}

/// Where to look for the link of a state or of a settled plan.
pub fn lookup_scope(
    state: &Value,
    private: &PrivateState,
    subscription: Option<String>,
    read_keys: bool,
) -> Option<LookupScope> {
    let known = known_ids(state, subscription);
    let inside_cidrs = inside_cidrs(state)?;
    let network = known.network.clone();
    let link = network.map(|network| link_id(state, private, &network, *inside_cidrs.get(first())));
    let names = text(state, "name").map(|name| azure_names(state, &name));
    let link = link.or_else(|| private.link.clone());
    let (adoption, recorded) = (adoption(state, private), read_managed(state));
    Some(LookupScope { known, link, inside_cidrs, names, adoption, recorded_ids: recorded, read_keys })
}

/// What an object of this link must be, by the settings of a state or plan.
fn adoption(settled: &Value, private: &PrivateState) -> Adoption {
    let (azure, aws) = (settled.get("azure"), settled.get("aws"));
    let net = |text: &Value| text.as_str().and_then(|text| text.parse::<Ipv4Net>().ok());
    let own_end = !private.provenance.vpn_gateway_is_existing && aws.get("transit_gateway_id").is_null();
    let space = azure.get("virtual_network").get("address_space").as_list();
    Adoption {
        moves_to: None,
        endpoints: endpoint(settled, private).map(|endpoint| endpoint.to_string()).into_iter().collect(),
        vpc_cidr: net(aws.get("vpc").get("cidr_block")),
        amazon_asn: small(aws, "asn").filter(|_| own_end).map(Asn),
        azure_asn: small(azure, "asn").filter(|_| !private.provenance.azure_gateway_is_existing).map(Asn),
        address_space: space.map(|space| space.iter().filter_map(net).collect()),
        makes_gateway: !private.provenance.azure_gateway_is_existing,
        handed_over: private.keeps.is_some(),
    }
}

fn known_ids(state: &Value, provider: Option<String>) -> KnownIds {
    let (azure, aws, tunnels) = (state.get("azure"), state.get("aws"), state.get("tunnels"));
    let tunnel = |key: TunnelKey, name: &str| text(tunnels.get(&key.to_string()), name);
    let resource = |id: Option<String>| id.and_then(|id| ResourceId::parse(&id).ok());
    let of = |instance: Instance, name: &str| instance.tunnels().into_iter().find_map(|key| tunnel(key, name));
    let group = text(azure, "resource_group_name");
    let network = resource(text(azure, "virtual_network_id")).or_else(|| {
        let name = text(azure.get("virtual_network"), "name")?;
        let subscription = subscription(state, provider.clone())?;
        Some(ResourceId::network(&subscription, group.as_deref()?, "virtualNetworks", &name))
    });
    let azure_gateway = resource(text(azure, "gateway_id")).or_else(|| {
        let name = text(azure.get("names"), "gateway")?;
        let subscription = subscription(state, provider)?;
        Some(ResourceId::network(&subscription, group.as_deref()?, "virtualNetworkGateways", &name))
    });
    KnownIds {
        region: text(aws, "region").map(Region),
        resource_group: group.clone(),
        network,
        azure_gateway,
        public_ips: all_of(state, Kind::AzurePublicIp).filter_map(|id| ResourceId::parse(id).ok()).collect(),
        public_addresses: PerInstance::from_fn(|i| {
            text(azure.get("public_ip_addresses"), &i.to_string())?.parse().ok()
        }),
        local_gateways: PerTunnel::from_fn(|key| resource(tunnel(key, "azure_local_network_gateway_id"))),
        connections: PerTunnel::from_fn(|key| resource(tunnel(key, "azure_connection_id"))),
        vpc: text(aws, "vpc_id").map(VpcId),
        internet_gateway: first_of(state, Kind::AwsInternetGateway).map(InternetGatewayId),
        public_subnet: first_of(state, Kind::AwsSubnet).map(SubnetId),
        route_tables: all_of(state, Kind::AwsRouteTable).map(|id| RouteTableId(id.to_owned())).collect(),
        public_route_table: first_of(state, Kind::AwsRouteTable).map(RouteTableId),
        vpn_gateway: text(aws, "vpn_gateway_id").map(VpnGatewayId),
        transit_gateway: text(aws, "transit_gateway_id").map(TransitGatewayId),
        customer_gateways: PerInstance::from_fn(|i| of(i, "aws_customer_gateway_id").map(CustomerGatewayId)),
        vpn_connections: PerInstance::from_fn(|i| of(i, "aws_vpn_connection_id").map(VpnConnectionId)),
        outside_ips: PerTunnel::from_fn(|key| tunnel(key, "aws_outside_ip").and_then(|ip| ip.parse().ok())),
    }
}

/// The one id of a kind in `managed`.
fn first_of(state: &Value, kind: Kind) -> Option<String> {
    all_of(state, kind).next().map(str::to_owned)
}

fn all_of(state: &Value, kind: Kind) -> impl Iterator<Item = &str> {
    state.get("managed").get(kind.as_str()).as_list().into_iter().flatten().filter_map(Value::as_str)
}

/// Keys of the user's own, from the configuration: they are nowhere else.
pub fn configured_keys(config: &Value) -> PerTunnel<Option<PreSharedKey>> {
    let keys = config.get("preshared_keys_wo");
    PerTunnel::from_fn(|key| keys.get(&key.to_string()).as_str().and_then(|text| PreSharedKey::parse(text).ok()))
}

/// A text attribute, if it is a known one.
pub fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).as_str().map(str::to_owned)
}

fn small(value: &Value, name: &str) -> Option<u32> {
    value.get(name).as_u64().and_then(|n| u32::try_from(n).ok())
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_map().into_iter().flatten()
}

fn strings(value: &Value) -> BTreeMap<String, String> {
    entries(value).filter_map(|(name, v)| Some((name.clone(), v.as_str()?.to_owned()))).collect()
}
