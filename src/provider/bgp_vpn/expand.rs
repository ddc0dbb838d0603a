//! A planned state as a spec of the domain, and as a place to search.

use super::default_options::{inside_cidrs, read_logs, read_policy};
use super::model::{Attributes, LinkOutputs, Model};
use super::object_names::{aws_names, azure_names};
use super::private_state::PrivateState;
use crate::aws::model::{
    Bandwidth, CustomerGatewayId, InternetGatewayId, KeyStorage, Region, RouteTableId, SubnetId,
    TransitAttachmentId, TransitGatewayId, TransitRouteTableId, VpcId, VpnConnectionId,
    VpnGatewayId,
};
use crate::azure::id::ResourceId;
use crate::azure::model::ConnectionMode;
use bgp_vpn::adoption::Adoption;
use bgp_vpn::config::{Attr, AttributeId, AttributeSource, Config};
use bgp_vpn::inside_cidr::InsideCidr;
use bgp_vpn::key_rotation::KeyRotation;
use bgp_vpn::known_ids::KnownIds;
use bgp_vpn::lookup::{AttachmentReads, LookupScope};
use bgp_vpn::managed::Kind;
use bgp_vpn::names::AzureNames;
use bgp_vpn::ownership_tags::{AwsEndpoint, EndpointKind, LinkId};
use bgp_vpn::spec::{
    AwsGateway, AwsNetwork, AwsSpec, AzureGateway, AzureNetwork, AzureSpec, PropagationTargets,
    Removals, Spec, TransitRouting,
};
use bgp_vpn::tunnel::{Instance, PerInstance, PerTunnel, TunnelKey};
use bgp_vpn::types::{Asn, PreSharedKey, Tags};
use ipnet::Ipv4Net;
use std::collections::{BTreeMap, BTreeSet};

/// What a spec needs in addition to the effective values.
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
pub struct MissingAttribute(pub AttributeId);

/// The spec of a state in which every setting has its effective value.
///
/// # Errors
/// The first attribute that is not there.
pub fn expand_spec(model: &Model, around: ExpandInputs<'_>) -> Result<Spec, MissingAttribute> {
    let name = required(&model.name, AttributeId::Name)?;
    let cidrs = inside_cidrs(model).ok_or(MissingAttribute(AttributeId::InsideCidr(first())))?;
    let subscription =
        subscription(model, around.subscription).ok_or(MissingAttribute(AttributeId::NetworkId))?;
    let group = required(&model.group, AttributeId::ResourceGroup)?;
    let network = azure_network(model, &subscription, &group)?;
    let link = link_id(
        &model.link,
        around.private,
        network.id(),
        *cidrs.get(first()),
    );
    let azure_names = azure_names(model, &name);
    let mut tags = around.default_tags;
    tags.extend(known_texts(model.tags.known()));
    let connection_mode = required(&model.connection_mode, AttributeId::ConnectionMode)?;
    let policy =
        read_policy(&model.policy).ok_or(MissingAttribute(AttributeId::Policy("preset")))?;
    Ok(Spec {
        link: link.clone(),
        azure: AzureSpec {
            create_resource_group: model.create_group == Attr::Known(true),
            location: required(&model.location, AttributeId::Location)?,
            zones: all_known(&model.zones),
            gateway: azure_gateway(model, around.private, &subscription, &group, &azure_names)?,
            connection_mode: ConnectionMode::parse(&connection_mode)
                .ok_or(MissingAttribute(AttributeId::ConnectionMode))?,
            dpd_timeout_seconds: small(&model.azure_dpd_seconds, AttributeId::AzureDpdSeconds)?,
            names: azure_names,
            subscription,
            resource_group: group,
            network,
        },
        aws: AwsSpec {
            region: Region(required(&model.region, AttributeId::Region)?),
            network: aws_network(model, around.private)?,
            gateway: aws_gateway(model, around.private)?,
            route_tables: route_tables(model, around.private),
            transit_routing: transit_routing(model),
            startup_action: required(&model.startup_action, AttributeId::StartupAction)?,
            dpd_timeout_action: required(&model.dpd_action, AttributeId::DpdAction)?,
            dpd_timeout_seconds: small(&model.aws_dpd_seconds, AttributeId::AwsDpdSeconds)?,
            key_storage: key_storage(model),
            bandwidth: Bandwidth::read(model.bandwidth.known().map(String::as_str)),
            recreates_for_bandwidth: false,
            tunnel_lifecycle_control: model.tunnel_lifecycle_control == Attr::Known(true),
            acceleration: model.acceleration == Attr::Known(true),
            logs: read_logs(&model.logs),
            names: aws_names(model, &name),
        },
        inside_cidrs: cidrs,
        policy,
        tags,
        rotation: around
            .keys
            .trigger
            .map(|trigger| KeyRotation::new(&link, &trigger)),
        applies_configured_keys: around.keys.applies_configured,
        configured_keys: around.keys.configured,
        wait_for_bgp: model.wait_for_bgp != Attr::Known(false),
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

fn required<T: Clone>(value: &Attr<T>, attribute: AttributeId) -> Result<T, MissingAttribute> {
    value.known().cloned().ok_or(MissingAttribute(attribute))
}

fn small(value: &Attr<i64>, attribute: AttributeId) -> Result<u32, MissingAttribute> {
    let number = required(value, attribute.clone())?;
    u32::try_from(number).map_err(|_| MissingAttribute(attribute))
}

/// The texts of a list that is known with all its elements.
pub fn all_known(list: &Attr<Vec<Attr<String>>>) -> Option<BTreeSet<String>> {
    let list = list.known().filter(|list| !list.contains(&Attr::Unknown))?;
    Some(list.iter().filter_map(Attr::known).cloned().collect())
}

fn known_texts(
    map: Option<&BTreeMap<String, Attr<String>>>,
) -> impl Iterator<Item = (String, String)> {
    map.into_iter()
        .flatten()
        .filter_map(|(name, text)| Some((name.clone(), text.known()?.clone())))
}

fn net(text: &Attr<String>) -> Option<Ipv4Net> {
    text.known()?.parse().ok()
}

fn resource_id(text: &Attr<String>) -> Option<ResourceId> {
    ResourceId::parse(text.known()?).ok()
}

fn first() -> TunnelKey {
    TunnelKey {
        instance: Instance::Zero,
        number: 1,
    }
}

/// The ownership tag's value: as remembered, else made from the VNet and the CIDR in `id`, else
/// from what is planned.
pub fn link_id(
    outputs: &LinkOutputs,
    private: &PrivateState,
    network: &ResourceId,
    planned: InsideCidr,
) -> LinkId {
    if let Some(link) = &private.link {
        return link.clone();
    }
    LinkId::new(network, outputs.cidr_in_id().unwrap_or(planned))
}

/// Where the resource group is: the subscription of the link's own gateway, else the provider's,
/// else that of the VNet.
pub fn subscription(state: &Model, provider: Option<String>) -> Option<String> {
    let of = |id: &Attr<String>| Some(resource_id(id)?.subscription().to_owned());
    let before = state.link.gateway_in_id();
    before
        .map(|gateway| gateway.subscription().to_owned())
        .or(provider)
        .or_else(|| of(&state.gateway_id))
        .or_else(|| of(&state.network_id))
}

fn azure_network(
    model: &Config,
    subscription: &str,
    group: &str,
) -> Result<AzureNetwork, MissingAttribute> {
    let id = resource_id(&model.network_id);
    let Attr::Known(created) = &model.network else {
        return Ok(AzureNetwork::Existing {
            id: id.ok_or(MissingAttribute(AttributeId::NetworkId))?,
            gateway_subnet_prefix: net(&model.gateway_subnet_prefix),
        });
    };
    let name = required(&created.name, AttributeId::NetworkName)?;
    let space = required(&created.address_space, AttributeId::AddressSpace)?;
    let prefix = net(&created.gateway_subnet_prefix)
        .ok_or(MissingAttribute(AttributeId::NetworkGatewaySubnet))?;
    let subnets = created.subnets.known().into_iter().flatten();
    Ok(AzureNetwork::Create {
        id: id
            .unwrap_or_else(|| ResourceId::network(subscription, group, "virtualNetworks", &name)),
        address_space: space.iter().filter_map(net).collect(),
        gateway_subnet_prefix: prefix,
        subnets: subnets
            .filter_map(|(name, prefix)| Some((name.clone(), net(prefix)?)))
            .collect(),
    })
}

fn azure_gateway(
    model: &Config,
    private: &PrivateState,
    subscription: &str,
    group: &str,
    names: &AzureNames,
) -> Result<AzureGateway, MissingAttribute> {
    let id = resource_id(&model.gateway_id);
    if private.provenance.azure_gateway_is_existing {
        return id
            .map(AzureGateway::Existing)
            .ok_or(MissingAttribute(AttributeId::AzureGateway));
    }
    Ok(AzureGateway::Managed {
        id: id.unwrap_or_else(|| {
            ResourceId::network(
                subscription,
                group,
                "virtualNetworkGateways",
                &names.gateway,
            )
        }),
        sku: required(&model.sku, AttributeId::Sku)?,
        generation: required(&model.generation, AttributeId::Generation)?,
        asn: Asn(small(&model.azure_asn, AttributeId::AzureAsn)?),
    })
}

fn aws_network(model: &Config, private: &PrivateState) -> Result<AwsNetwork, MissingAttribute> {
    let on_transit_gateway = model.transit_gateway_id.known().is_some();
    let created = model.vpc.known();
    if private.provenance.vpn_gateway_is_existing || on_transit_gateway && created.is_none() {
        return Ok(AwsNetwork::FromGateway);
    }
    let Some(created) = created else {
        return required(&model.vpc_id, AttributeId::VpcId)
            .map(|id| AwsNetwork::Existing(VpcId(id)));
    };
    let cidr = net(&created.cidr).ok_or(MissingAttribute(AttributeId::VpcCidr))?;
    Ok(AwsNetwork::Create {
        cidr,
        public_subnet: net(&created.public_subnet),
    })
}

fn aws_gateway(model: &Config, private: &PrivateState) -> Result<AwsGateway, MissingAttribute> {
    if !model.transit_gateway_id.is_null() {
        let id = required(&model.transit_gateway_id, AttributeId::TransitGateway)?;
        return Ok(AwsGateway::TransitGateway(TransitGatewayId(id)));
    }
    if private.provenance.vpn_gateway_is_existing {
        return Ok(AwsGateway::ExistingVgw(VpnGatewayId(required(
            &model.vpn_gateway_id,
            AttributeId::VpnGateway,
        )?)));
    }
    Ok(AwsGateway::ManagedVgw {
        asn: Asn(small(&model.aws_asn, AttributeId::AwsAsn)?),
    })
}

/// The object on which the AWS side ends, where it is known.
pub fn endpoint(planned: &Config, private: &PrivateState) -> Option<AwsEndpoint> {
    let region = Region(planned.region.known()?.clone());
    let end = if !planned.transit_gateway_id.is_null() {
        let id = planned.transit_gateway_id.known()?;
        EndpointKind::TransitGateway(TransitGatewayId(id.clone()))
    } else if private.provenance.vpn_gateway_is_existing {
        EndpointKind::VpnGateway(VpnGatewayId(planned.vpn_gateway_id.known()?.clone()))
    } else if let Attr::Known(vpc) = &planned.vpc {
        EndpointKind::NewVpc(net(&vpc.cidr)?)
    } else {
        EndpointKind::Vpc(VpcId(planned.vpc_id.known()?.clone()))
    };
    Some(AwsEndpoint { region, end })
}

fn route_tables(model: &Config, private: &PrivateState) -> PropagationTargets {
    let ids = |tables: &Attr<Vec<Attr<String>>>| -> Option<BTreeSet<RouteTableId>> {
        Some(all_known(tables)?.into_iter().map(RouteTableId).collect())
    };
    match ids(&model.route_tables) {
        Some(tables) if private.names_route_tables => PropagationTargets::Explicit(tables),
        Some(tables) => PropagationTargets::LastApplied(tables),
        // An empty set was a decision about another VPC.
        None => ids(&Attributes(&private.applied).texts(&AttributeId::RouteTables))
            .filter(|tables| !tables.is_empty())
            .map_or(PropagationTargets::Default, PropagationTargets::LastApplied),
    }
}

fn transit_routing(model: &Config) -> TransitRouting {
    let propagations = all_known(&model.transit_propagations).unwrap_or_default();
    TransitRouting {
        association: model
            .transit_association
            .known()
            .cloned()
            .map(TransitRouteTableId),
        propagations: propagations.into_iter().map(TransitRouteTableId).collect(),
    }
}

/// What a read of a state needs of the attachments to its transit gateway.
fn attachment_reads(state: &Config) -> AttachmentReads {
    AttachmentReads::of_routing(!state.transit_gateway_id.is_null(), &transit_routing(state))
}

/// Where AWS keeps the keys. A state from before there was a choice says nothing of it.
pub fn key_storage(model: &Config) -> KeyStorage {
    model
        .key_storage
        .known()
        .and_then(|storage| storage.parse().ok())
        .unwrap_or(KeyStorage::Standard)
}

/// Where to look for the link of a state or of a plan with effective values.
pub fn lookup_scope(
    state: &Model,
    private: &PrivateState,
    subscription: Option<String>,
    read_keys: bool,
) -> Option<LookupScope> {
    let known = known_ids(state, subscription);
    let inside_cidrs = inside_cidrs(state)?;
    let link = known
        .network
        .as_ref()
        .map(|network| link_id(&state.link, private, network, *inside_cidrs.get(first())))
        .or_else(|| private.link.clone());
    let names = state.name.known().map(|name| azure_names(state, name));
    Some(LookupScope {
        known,
        link,
        inside_cidrs,
        names,
        adoption: adoption(state, private),
        recorded_ids: state.link.managed.clone(),
        read_keys,
        attachment_reads: attachment_reads(state),
    })
}

/// What an object of this link must be, by the settings of a state or plan.
fn adoption(state: &Config, private: &PrivateState) -> Adoption {
    let own_end = !private.provenance.vpn_gateway_is_existing && state.transit_gateway_id.is_null();
    let space = state
        .network
        .known()
        .and_then(|network| network.address_space.known());
    Adoption {
        moves_to: None,
        endpoints: endpoint(state, private)
            .map(|endpoint| endpoint.to_string())
            .into_iter()
            .collect(),
        vpc_cidr: state.vpc.known().and_then(|vpc| net(&vpc.cidr)),
        amazon_asn: small(&state.aws_asn, AttributeId::AwsAsn)
            .ok()
            .filter(|_| own_end)
            .map(Asn),
        azure_asn: small(&state.azure_asn, AttributeId::AzureAsn)
            .ok()
            .filter(|_| !private.provenance.azure_gateway_is_existing)
            .map(Asn),
        address_space: space.map(|space| space.iter().filter_map(net).collect()),
        makes_gateway: !private.provenance.azure_gateway_is_existing,
        handed_over: private.keeps.is_some(),
    }
}

fn known_ids(state: &Model, provider: Option<String>) -> KnownIds {
    // Objects without an id yet are looked for by their names.
    let composed = |kind: &str, name: Option<&String>| {
        let subscription = subscription(state, provider.clone())?;
        let group = state.group.known()?;
        Some(ResourceId::network(&subscription, group, kind, name?))
    };
    let gateway_name = state.azure_names.get("gateway").and_then(Attr::known);
    let managed = &state.link.managed;
    let first_of = |kind: Kind| managed.ids(kind).next().map(str::to_owned);
    KnownIds {
        region: state.region.known().cloned().map(Region),
        resource_group: state.group.known().cloned(),
        network: resource_id(&state.network_id)
            .or_else(|| composed("virtualNetworks", state.network_name().known().copied())),
        azure_gateway: resource_id(&state.gateway_id)
            .or_else(|| composed("virtualNetworkGateways", gateway_name)),
        public_ips: managed
            .ids(Kind::AzurePublicIp)
            .filter_map(|id| ResourceId::parse(id).ok())
            .collect(),
        public_addresses: PerInstance::from_fn(|instance| {
            let address = state.azure.public_ip_addresses.get(instance);
            address.known()?.parse().ok()
        }),
        local_gateways: PerTunnel::from_fn(|key| {
            resource_id(&state.tunnels.get(key).azure_local_network_gateway_id)
        }),
        connections: PerTunnel::from_fn(|key| {
            resource_id(&state.tunnels.get(key).azure_connection_id)
        }),
        vpc: state.vpc_id.known().cloned().map(VpcId),
        internet_gateway: first_of(Kind::AwsInternetGateway).map(InternetGatewayId),
        public_subnet: first_of(Kind::AwsSubnet).map(SubnetId),
        route_tables: managed
            .ids(Kind::AwsRouteTable)
            .map(|id| RouteTableId(id.to_owned()))
            .collect(),
        public_route_table: first_of(Kind::AwsRouteTable).map(RouteTableId),
        vpn_gateway: state.vpn_gateway_id.known().cloned().map(VpnGatewayId),
        transit_gateway: state
            .transit_gateway_id
            .known()
            .cloned()
            .map(TransitGatewayId),
        customer_gateways: PerInstance::from_fn(|instance| {
            let id = state.of_instance(instance, |tunnel| &tunnel.aws_customer_gateway_id);
            id.cloned().map(CustomerGatewayId)
        }),
        vpn_connections: PerInstance::from_fn(|instance| {
            let id = state.of_instance(instance, |tunnel| &tunnel.aws_vpn_connection_id);
            id.cloned().map(VpnConnectionId)
        }),
        transit_attachments: PerInstance::from_fn(|instance| {
            let id = state.of_instance(instance, |it| &it.aws_transit_gateway_attachment_id);
            id.cloned().map(TransitAttachmentId)
        }),
        outside_ips: PerTunnel::from_fn(|key| {
            let address = &state.tunnels.get(key).aws_outside_ip;
            address.known()?.parse().ok()
        }),
    }
}

/// Keys of the user's own, from the configuration: they are nowhere else.
pub fn configured_keys(config: &Model) -> PerTunnel<Option<PreSharedKey>> {
    PerTunnel::from_fn(|key| {
        let id = AttributeId::PresharedKey(key);
        let parsed = Attributes(config.value()).parse(&id, |text| PreSharedKey::parse(text).ok());
        parsed.known().cloned().flatten()
    })
}
