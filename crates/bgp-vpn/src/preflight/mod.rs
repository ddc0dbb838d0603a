//! The surroundings of a link to be made: what there is where it will stand, and what of that is in
//! its way.

mod advertised_prefixes;
pub mod inside_addresses;
mod route_tables;

use crate::aws;
use crate::azure::id::ResourceId;
use crate::azure::model as azure;
use crate::cidr::overlaps;
use crate::config::{Attr, Config};
use crate::inside_cidr::InsideCidr;
use crate::ownership_tags::{AwsEndpoint, LinkId, TAG_AWS_ENDPOINT, TAG_INCOMPLETE};
use crate::tunnel::{Instance, TunnelKey};
use crate::types::Tags;
use crate::validation::{gateway_subnet_size, parse_cidr};
use crate::violation::{AttributeId, Violation, ViolationKind};
use ipnet::Ipv4Net;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

pub use crate::preflight_issue::PreflightIssue;

/// What to look at. None: not known yet, or not needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PreflightRequest {
    /// Whether to use the AWS credentials once, where nothing else of the request needs them.
    pub checks_aws_credentials: bool,
    pub subscription: Option<String>,
    pub resource_group: Option<String>,
    /// The VNet, existing or to be created, with its VPN gateway.
    pub network: Option<ResourceId>,
    /// A given Azure gateway, with its connections.
    pub gateway: Option<ResourceId>,
    /// First inside CIDR of a link that is to be created on another user's gateway: an earlier try
    /// of it may have left marks.
    pub first_cidr: Option<InsideCidr>,
    /// The same, of a link that is to be moved to another user's VPN gateway.
    pub link: Option<LinkId>,
    pub region: Option<aws::Region>,
    /// The VPC with its subnets, route tables and attached VPN gateway.
    pub vpc: Option<aws::VpcId>,
    /// A given VPN gateway, with its VPN connections, and its VPC as above.
    pub vpn_gateway: Option<aws::VpnGatewayId>,
    /// A given transit gateway, with its VPN connections.
    pub transit_gateway: Option<aws::TransitGatewayId>,
    /// This link's own VPN gateway, for its VPN connections: other users may have set some on it.
    pub own_vpn_gateway: Option<aws::VpnGatewayId>,
}

impl PreflightRequest {
    pub fn is_empty(&self) -> bool {
        let beside = self.clone();
        let (subscription, region) = (beside.subscription, beside.region);
        let (first_cidr, link) = (beside.first_cidr, beside.link);
        *self
            == PreflightRequest {
                subscription,
                region,
                first_cidr,
                link,
                ..Self::default()
            }
    }
}

/// What became of looking at one thing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Lookup<T> {
    /// Not read.
    #[default]
    Skipped,
    NotFound,
    Found(T),
}

impl<T> Lookup<T> {
    pub fn found(&self) -> Option<&T> {
        if let Lookup::Found(value) = self {
            Some(value)
        } else {
            None
        }
    }
}

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PreflightSnapshot {
    pub group: Lookup<azure::ResourceGroup>,
    pub network: Lookup<azure::VirtualNetwork>,
    /// The VPN gateway in that VNet.
    pub network_gateway: Lookup<azure::Gateway>,
    /// Connections of that gateway.
    pub network_connections: Vec<azure::Connection>,
    /// Of the links on it, by their ownership tags, those whose AWS half says that their create
    /// never ended.
    pub incomplete_links: BTreeSet<String>,
    /// The given Azure gateway.
    pub gateway: Lookup<azure::Gateway>,
    /// The VNet of the given Azure gateway.
    pub gateway_network: Lookup<azure::VirtualNetwork>,
    /// Connections of the given Azure gateway.
    pub connections: Vec<azure::Connection>,
    /// Where an earlier try of the link left customer gateways: the addresses that it put on the
    /// given gateway.
    pub recorded_bgp_addresses: Option<BTreeSet<Ipv4Addr>>,
    /// Propagation of the given VPN gateway's routes that an earlier try switched on, each as
    /// `rtb-.../vgw-...`.
    pub propagations: BTreeSet<String>,
    pub vpc: Lookup<aws::Vpc>,
    /// The VPN gateway that hangs on the VPC.
    pub vpc_gateway: Lookup<aws::VpnGateway>,
    pub subnets: Vec<aws::Subnet>,
    pub route_tables: Vec<aws::RouteTable>,
    /// The given VPN gateway.
    pub vpn_gateway: Lookup<aws::VpnGateway>,
    /// The given transit gateway.
    pub transit_gateway: Lookup<aws::TransitGateway>,
    /// VPN connections of the given VPN gateway or transit gateway.
    pub vpn_connections: Vec<aws::VpnConnection>,
    /// VPN connections of this link's own VPN gateway.
    pub own_vpn_connections: Vec<aws::VpnConnection>,
}

impl PreflightSnapshot {
    /// Whether all was looked at that was asked for.
    pub fn covers(&self, ask: &PreflightRequest) -> bool {
        !(ask.resource_group.is_some() && self.group == Lookup::Skipped
            || ask.network.is_some() && self.network == Lookup::Skipped
            || ask.gateway.is_some() && self.gateway == Lookup::Skipped
            || ask.vpc.is_some() && self.vpc == Lookup::Skipped
            || ask.vpn_gateway.is_some() && self.vpn_gateway == Lookup::Skipped
            || ask.transit_gateway.is_some() && self.transit_gateway == Lookup::Skipped)
    }
}

/// What is planned, as far as the surroundings matter.
#[derive(Clone, Copy, Debug)]
pub struct PreflightContext<'a> {
    /// As configured: what may contradict an existing gateway.
    pub configured: &'a Config,
    /// As planned, defaults filled in.
    pub planned: &'a Config,
    pub link: Option<&'a LinkId>,
    /// The AWS side of a link that is created, as its tag has it.
    pub endpoint: Option<&'a str>,
    /// Ids of this link's own objects, and of those that will be gone before it is made.
    pub own: &'a [String],
    /// BGP addresses that this link put on the Azure gateway.
    pub own_addresses: &'a BTreeSet<Ipv4Addr>,
    pub azure_gateway_is_existing: bool,
    pub vpn_gateway_is_existing: bool,
    pub on_transit_gateway: bool,
    pub allow_overlap: bool,
    /// The planned AWS side of a link that exists.
    pub moves_to: Option<&'a AwsEndpoint>,
}

impl PreflightContext<'_> {
    /// Whether an object is this link's, or of the one in whose place it comes.
    ///
    /// The ownership tag of a link that moved to another slot stays: a link that is created in its
    /// former slot has the same one and another AWS side.
    pub fn owns(&self, id: &str, tags: &Tags) -> bool {
        let other_end = self
            .endpoint
            .zip(tags.get(TAG_AWS_ENDPOINT))
            .is_some_and(|(end, tag)| end != tag);
        self.link.is_some_and(|link| link.is_on(tags)) && !other_end || self.records(id)
    }

    /// Whether a state names an object as this link's.
    fn records(&self, id: &str) -> bool {
        self.own.iter().any(|own| own.eq_ignore_ascii_case(id))
    }
}

/// Tunnels that a VPN gateway supports, by SKU: 30 up to VpnGw3AZ, 100 for VpnGw4AZ and VpnGw5AZ
/// (2026-11).
fn connection_limit(sku: &str) -> usize {
    if sku.starts_with("VpnGw4") || sku.starts_with("VpnGw5") {
        100
    } else {
        30
    }
}

/// EC2's default quota of VPN connections on a virtual private gateway.
const MAX_CONNECTIONS_PER_VPN_GATEWAY: usize = 10;

/// Everything in the clouds that conflicts with the plan. What was not read causes no conflict.
pub fn run_checks(context: PreflightContext<'_>, snapshot: &PreflightSnapshot) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut add = |field, finding| {
        violations.push(Violation::error(field, ViolationKind::Preflight(finding)))
    };
    check_resource_group(context, snapshot, &mut add);
    check_virtual_network(context, snapshot, &mut add);
    check_vpc(context, snapshot, &mut add);
    if context.azure_gateway_is_existing {
        check_azure_gateway(context, snapshot, &mut violations);
    } else {
        violations.extend(check_gateway_subnet(context, snapshot));
    }
    if context.vpn_gateway_is_existing {
        check_vpn_gateway(context, snapshot, &mut violations);
    }
    if context.on_transit_gateway {
        check_transit_gateway(context, snapshot, &mut violations);
    }
    violations.extend(inside_addresses::check_azure_gateway(context, snapshot));
    violations.extend(inside_addresses::check_aws_gateway(
        context,
        &snapshot.vpn_connections,
    ));
    violations.extend(inside_addresses::check_aws_gateway(
        context,
        &snapshot.own_vpn_connections,
    ));
    check_overlaps(context, snapshot, &mut violations);
    violations.extend(subnets_without_routes(context, snapshot));
    violations.extend(advertised_prefixes::check(context, snapshot));
    violations.extend(route_tables::check(context, snapshot));
    violations
}

fn check_resource_group(
    context: PreflightContext<'_>,
    snapshot: &PreflightSnapshot,
    add: &mut impl FnMut(AttributeId, PreflightIssue),
) {
    // If a network or gateway is created in the same run, the group may be created in it too.
    let to_come = [
        &context.configured.network_id,
        &context.configured.gateway_id,
    ]
    .contains(&&Attr::Unknown);
    if snapshot.group == Lookup::NotFound
        && !to_come
        && context.planned.create_group == Attr::Known(false)
        && let Attr::Known(name) = &context.planned.group
    {
        add(
            AttributeId::ResourceGroup,
            PreflightIssue::ResourceGroupNotFound(name.clone()),
        );
    }
}

fn check_virtual_network(
    context: PreflightContext<'_>,
    snapshot: &PreflightSnapshot,
    add: &mut impl FnMut(AttributeId, PreflightIssue),
) {
    let creates = context.planned.network.known().is_some();
    let own = |resource: &azure::Resource| context.owns(resource.id.as_str(), &resource.tags);
    match &snapshot.network {
        Lookup::NotFound if !creates => {
            if let Attr::Known(id) = &context.planned.network_id {
                add(
                    AttributeId::NetworkId,
                    PreflightIssue::VirtualNetworkNotFound(id.clone()),
                );
            }
        }
        Lookup::Found(network)
            if creates && context.configured.network_id.is_null() && !own(&network.resource) =>
        {
            add(
                AttributeId::NetworkName,
                PreflightIssue::VirtualNetworkExists(network.resource.id.clone()),
            );
        }
        Lookup::Found(network) if !creates && !context.azure_gateway_is_existing => {
            let is = &network.resource.location;
            if context
                .configured
                .location
                .known()
                .is_some_and(|wants| !eq_ignoring_case_and_spaces(wants, is))
            {
                add(
                    AttributeId::Location,
                    PreflightIssue::VirtualNetworkInOtherLocation(is.clone()),
                );
            }
        }
        _ => {}
    }
    if let Lookup::Found(gateway) = &snapshot.network_gateway
        && !context.azure_gateway_is_existing
    {
        let id = &gateway.resource.id;
        // A tag may have been copied: a gateway that no state names is adopted under its planned
        // name only.
        let named = context
            .planned
            .azure_names
            .get("gateway")
            .and_then(Attr::known);
        let named = named.is_none_or(|name| name.eq_ignore_ascii_case(id.name()));
        if context.records(id.as_str()) {
            return;
        }
        if own(&gateway.resource) && is_complete_link(context, snapshot) {
            let first = planned_cidrs(context)
                .next()
                .map(|(_, cidr)| cidr.to_string())
                .unwrap_or_default();
            add(
                AttributeId::AzureGateway,
                PreflightIssue::LinkExists(id.clone(), first),
            );
        } else if !(named && own(&gateway.resource)) {
            add(
                AttributeId::AzureGateway,
                PreflightIssue::VirtualNetworkHasGateway(id.clone()),
            );
        }
    }
}

/// Whether the link that carries this one's tag is one that a create ended: no part is missing and
/// nothing says otherwise.
fn is_complete_link(context: PreflightContext<'_>, snapshot: &PreflightSnapshot) -> bool {
    if context
        .link
        .is_some_and(|link| snapshot.incomplete_links.contains(link.as_str()))
    {
        return false;
    }
    let tagged = |c: &&azure::Connection| {
        context
            .link
            .is_some_and(|link| link.is_on(&c.resource.tags))
    };
    snapshot.network_connections.iter().filter(tagged).count() >= TunnelKey::ALL.len()
}

fn check_vpc(
    context: PreflightContext<'_>,
    snapshot: &PreflightSnapshot,
    add: &mut impl FnMut(AttributeId, PreflightIssue),
) {
    if snapshot.vpc == Lookup::NotFound
        && let Attr::Known(id) = &context.planned.vpc_id
    {
        add(AttributeId::VpcId, PreflightIssue::VpcNotFound(id.clone()));
    }
    if let Lookup::Found(gateway) = &snapshot.vpc_gateway
        && !context.vpn_gateway_is_existing
        && !(context.records(&gateway.id.0)
            || context.owns(&gateway.id.0, &gateway.tags)
                && (gateway.tags.contains_key(TAG_INCOMPLETE) || is_of_move(context, gateway)))
    {
        add(
            AttributeId::VpnGateway,
            PreflightIssue::VpcHasGateway(gateway.id.clone()),
        );
    }
}

/// Whether a run that was killed created a VPN gateway for the AWS side to which the link moves.
fn is_of_move(context: PreflightContext<'_>, gateway: &aws::VpnGateway) -> bool {
    context.moves_to.is_some_and(|end| {
        gateway
            .tags
            .get(TAG_AWS_ENDPOINT)
            .is_some_and(|tag| *tag == end.to_string())
    })
}

fn check_gateway_subnet(
    context: PreflightContext<'_>,
    snapshot: &PreflightSnapshot,
) -> Option<Violation> {
    let network = snapshot.network.found()?;
    if context.planned.network.known().is_some() {
        return None;
    }
    let error = |field, finding| Some(Violation::error(field, ViolationKind::Preflight(finding)));
    let wanted = context
        .planned
        .gateway_subnet_prefix
        .known()
        .and_then(|text| parse_cidr(text));
    if let Some(subnet) = network
        .subnets
        .iter()
        .find(|subnet| subnet.name == "GatewaySubnet")
    {
        let has = subnet.prefix?;
        return match wanted {
            Some(wanted) if wanted != has => error(
                AttributeId::GatewaySubnet,
                PreflightIssue::OtherGatewaySubnet(has),
            ),
            _ => gateway_subnet_size(has, &AttributeId::NetworkId),
        };
    }
    if let Some(subnet) = network
        .subnets
        .iter()
        .find(|s| s.name.eq_ignore_ascii_case("GatewaySubnet"))
    {
        return error(
            AttributeId::NetworkId,
            PreflightIssue::GatewaySubnetMisspelled(subnet.name.clone()),
        );
    }
    let Some(wanted) = wanted else {
        return match context.planned.gateway_subnet_prefix {
            Attr::Null => error(
                AttributeId::GatewaySubnet,
                PreflightIssue::GatewaySubnetNotFound,
            ),
            _ => None,
        };
    };
    if !network
        .address_space
        .iter()
        .any(|whole| whole.contains(&wanted))
    {
        let whole = network
            .address_space
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        return Some(Violation::error(
            AttributeId::GatewaySubnet,
            ViolationKind::NotWithin {
                subnet: wanted.to_string(),
                whole,
            },
        ));
    }
    let taken = network
        .subnets
        .iter()
        .filter_map(|subnet| subnet.prefix)
        .find(|net| overlaps(*net, wanted))?;
    let problem = ViolationKind::SubnetsOverlap(taken.to_string(), wanted.to_string());
    Some(Violation::error(AttributeId::GatewaySubnet, problem))
}

fn check_azure_gateway(
    context: PreflightContext<'_>,
    snapshot: &PreflightSnapshot,
    violations: &mut Vec<Violation>,
) {
    let mut add = |field, finding| {
        violations.push(Violation::error(field, ViolationKind::Preflight(finding)))
    };
    let gateway = match &snapshot.gateway {
        Lookup::Skipped => return,
        Lookup::NotFound => {
            let id = context
                .planned
                .gateway_id
                .known()
                .cloned()
                .unwrap_or_default();
            return add(
                AttributeId::AzureGateway,
                PreflightIssue::AzureGatewayNotFound(id),
            );
        }
        Lookup::Found(gateway) => gateway,
    };
    let vpn_type = gateway
        .resource
        .raw
        .pointer("/properties/vpnType")
        .and_then(|v| v.as_str());
    let unfit = if !gateway.gateway_type.eq_ignore_ascii_case("Vpn") {
        Some("it is not a VPN gateway")
    } else if vpn_type.is_some_and(|word| !word.eq_ignore_ascii_case("RouteBased")) {
        Some("it is policy-based, and BGP requires a route-based gateway")
    } else if !gateway.active_active || gateway.instances.len() != Instance::ALL.len() {
        Some("it is not active-active")
    } else if !gateway.enable_bgp {
        Some("BGP is disabled")
    } else {
        None
    };
    if let Some(why) = unfit {
        return add(
            AttributeId::AzureGateway,
            PreflightIssue::UnsuitableGateway(why),
        );
    }
    let differs = |given: &Attr<String>, has: &str| {
        given
            .known()
            .is_some_and(|g| !eq_ignoring_case_and_spaces(g, has))
    };
    let config = context.configured;
    if differs(&config.sku, &gateway.sku) {
        add(
            AttributeId::Sku,
            PreflightIssue::GatewayMismatch("SKU", gateway.sku.clone()),
        );
    }
    if differs(&config.generation, &gateway.generation) {
        add(
            AttributeId::Generation,
            PreflightIssue::GatewayMismatch("generation", gateway.generation.clone()),
        );
    }
    if differs(&config.location, &gateway.resource.location) {
        add(
            AttributeId::Location,
            PreflightIssue::GatewayMismatch("location", gateway.resource.location.clone()),
        );
    }
    if config
        .azure_asn
        .known()
        .is_some_and(|asn| *asn != i64::from(gateway.asn.0))
    {
        add(
            AttributeId::AzureAsn,
            PreflightIssue::GatewayMismatch("ASN", gateway.asn.to_string()),
        );
    }
    if let (Attr::Known(id), Some(network)) = (&config.network_id, network_of(gateway))
        && ResourceId::parse(id).is_ok_and(|id| id != network)
    {
        add(
            AttributeId::NetworkId,
            PreflightIssue::GatewayMismatch("virtual network", network.to_string()),
        );
    }
    if let Some(missing) = manual_bgp_addresses(context, gateway) {
        add(AttributeId::AzureGateway, missing);
    }
    let foreign = inside_addresses::foreign_connections(context, &snapshot.connections).count();
    let limit = connection_limit(&gateway.sku);
    if foreign + 4 > limit {
        add(
            AttributeId::AzureGateway,
            PreflightIssue::GatewayFull {
                has: foreign,
                limit,
            },
        );
    }
}

/// The addresses that an update of the gateway would have to add, where such an update would lose a
/// RADIUS secret.
fn manual_bgp_addresses(
    context: PreflightContext<'_>,
    gateway: &azure::Gateway,
) -> Option<PreflightIssue> {
    if !gateway.hides_radius_secret {
        return None;
    }
    let missing: Vec<String> = planned_cidrs(context)
        .filter(|(key, cidr)| {
            let instance = gateway.instances.get(key.instance.index());
            instance.is_some_and(|instance| !instance.custom_bgp_ips.contains(&cidr.azure_ip()))
        })
        .map(|(key, cidr)| format!("{} ({})", cidr.azure_ip(), key.instance))
        .collect();
    (!missing.is_empty()).then(|| PreflightIssue::RadiusGateway(missing.join(", ")))
}

/// The VNet in which a gateway sits.
pub fn network_of(gateway: &azure::Gateway) -> Option<ResourceId> {
    gateway
        .instances
        .iter()
        .find_map(|instance| instance.subnet_id.as_ref()?.parent())
}

/// Azure writes locations as display names or as words: both are one.
pub fn eq_ignoring_case_and_spaces(a: &str, b: &str) -> bool {
    let plain = |text: &str| {
        text.chars()
            .filter(|c| *c != ' ')
            .collect::<String>()
            .to_lowercase()
    };
    plain(a) == plain(b)
}

/// The inside CIDRs of a plan, as far as they are known.
pub fn planned_cidrs(
    context: PreflightContext<'_>,
) -> impl Iterator<Item = (TunnelKey, crate::inside_cidr::InsideCidr)> {
    let cidrs = context.planned.inside_cidrs.iter();
    cidrs.filter_map(|(key, text)| {
        Some((
            key,
            crate::inside_cidr::InsideCidr::parse(text.known()?).ok()?,
        ))
    })
}

fn check_vpn_gateway(
    context: PreflightContext<'_>,
    snapshot: &PreflightSnapshot,
    violations: &mut Vec<Violation>,
) {
    let gateway = match &snapshot.vpn_gateway {
        Lookup::Skipped => return,
        Lookup::NotFound => {
            let id = context
                .planned
                .vpn_gateway_id
                .known()
                .cloned()
                .unwrap_or_default();
            let problem = ViolationKind::Preflight(PreflightIssue::VpnGatewayNotFound(id));
            return violations.push(Violation::error(AttributeId::VpnGateway, problem));
        }
        Lookup::Found(gateway) => gateway,
    };
    let mut add = |field, finding| {
        violations.push(Violation::error(field, ViolationKind::Preflight(finding)))
    };
    if context
        .configured
        .aws_asn
        .known()
        .is_some_and(|asn| *asn != i64::from(gateway.asn.0))
    {
        add(
            AttributeId::AwsAsn,
            PreflightIssue::GatewayMismatch("ASN", gateway.asn.to_string()),
        );
    }
    if let Attr::Known(id) = &context.configured.vpc_id {
        match &gateway.attachment {
            Some((vpc, _)) if vpc.0 != *id => add(
                AttributeId::VpcId,
                PreflightIssue::GatewayMismatch("VPC", vpc.to_string()),
            ),
            None => add(
                AttributeId::VpcId,
                PreflightIssue::GatewayMismatch("VPC", "none".to_owned()),
            ),
            Some(_) => {}
        }
    }
    let foreign = count_foreign_vpn_connections(context, snapshot);
    if foreign + 2 > MAX_CONNECTIONS_PER_VPN_GATEWAY {
        let finding = PreflightIssue::VpnGatewayFull {
            has: foreign,
            limit: MAX_CONNECTIONS_PER_VPN_GATEWAY,
        };
        violations.push(Violation::warning(
            AttributeId::VpnGateway,
            ViolationKind::Preflight(finding),
        ));
    }
}

/// How many VPN connections of others end on the given AWS gateway.
fn count_foreign_vpn_connections(
    context: PreflightContext<'_>,
    snapshot: &PreflightSnapshot,
) -> usize {
    snapshot
        .vpn_connections
        .iter()
        .filter(|vpn| !context.owns(&vpn.id.0, &vpn.tags))
        .count()
}

fn check_transit_gateway(
    context: PreflightContext<'_>,
    snapshot: &PreflightSnapshot,
    violations: &mut Vec<Violation>,
) {
    let gateway = match &snapshot.transit_gateway {
        Lookup::Skipped => return,
        Lookup::Found(gateway)
            if gateway.state == aws::State::Available || gateway.state == aws::State::Modifying =>
        {
            gateway
        }
        _ => {
            let id = context
                .planned
                .transit_gateway_id
                .known()
                .cloned()
                .unwrap_or_default();
            let problem = ViolationKind::Preflight(PreflightIssue::TransitGatewayNotFound(id));
            return violations.push(Violation::error(AttributeId::TransitGateway, problem));
        }
    };
    if context
        .configured
        .aws_asn
        .known()
        .is_some_and(|asn| *asn != i64::from(gateway.asn.0))
    {
        let finding = PreflightIssue::GatewayMismatch("ASN", gateway.asn.to_string());
        violations.push(Violation::error(
            AttributeId::AwsAsn,
            ViolationKind::Preflight(finding),
        ));
    }
    let by_hand = match (gateway.associates, gateway.propagates) {
        (false, false) => Some("associate and propagate routes of"),
        (false, true) => Some("associate"),
        (true, false) => Some("propagate routes of"),
        (true, true) => None,
    };
    let told = by_hand
        .map(PreflightIssue::ManualTransitAttachment)
        .into_iter()
        .chain((!gateway.ecmp).then_some(PreflightIssue::NoEcmp));
    violations.extend(told.map(|finding| {
        Violation::warning(
            AttributeId::TransitGateway,
            ViolationKind::Preflight(finding),
        )
    }));
}

/// Carrier-grade NAT space, which many networks use in addition to their own: its overlaps only
/// cause warnings.
fn is_cgnat(net: Ipv4Net) -> bool {
    Ipv4Net::new(Ipv4Addr::new(100, 64, 0, 0), 10).is_ok_and(|shared| shared.contains(&net))
}

fn check_overlaps(
    context: PreflightContext<'_>,
    snapshot: &PreflightSnapshot,
    violations: &mut Vec<Violation>,
) {
    let network = snapshot
        .network
        .found()
        .or_else(|| snapshot.gateway_network.found());
    let mut azure: Vec<Ipv4Net> = network
        .map(|network| network.address_space.clone())
        .unwrap_or_default();
    if let Attr::Known(create) = &context.planned.network {
        let space = create.address_space.known().into_iter().flatten();
        azure.extend(space.filter_map(|text| parse_cidr(text.known()?)));
    }
    let mut aws: Vec<(Ipv4Net, bool)> = Vec::new();
    if let Some(vpc) = snapshot.vpc.found() {
        aws.push((vpc.cidr, true));
        aws.extend(vpc.secondary_cidrs.iter().map(|net| (*net, false)));
    }
    let creates = context.planned.vpc.known();
    aws.extend(creates.and_then(|vpc| Some((parse_cidr(vpc.cidr.known()?)?, true))));
    let field = if creates.is_some() {
        AttributeId::VpcCidr
    } else {
        AttributeId::VpcId
    };
    let mut told = BTreeSet::new();
    for a in &azure {
        for (b, primary) in &aws {
            if overlaps(*a, *b) && told.insert((*a, *b)) {
                let problem = ViolationKind::Preflight(PreflightIssue::OverlappingRanges {
                    azure: *a,
                    aws: *b,
                });
                let hard = *primary && !is_cgnat(*a) && !is_cgnat(*b) && !context.allow_overlap;
                violations.push(Violation {
                    attribute: field.clone(),
                    kind: problem,
                    severity: if hard {
                        crate::violation::Severity::Error
                    } else {
                        crate::violation::Severity::Warning
                    },
                });
            }
        }
    }
}

fn subnets_without_routes(
    context: PreflightContext<'_>,
    snapshot: &PreflightSnapshot,
) -> Option<Violation> {
    let main = snapshot
        .route_tables
        .iter()
        .find(|table| table.main)
        .map(|table| table.id.0.clone());
    let routed: BTreeSet<String> = match &context.planned.route_tables {
        Attr::Known(tables) if tables.is_empty() => return None,
        Attr::Known(tables) => tables
            .iter()
            .map(|t| t.known().cloned())
            .collect::<Option<_>>()?,
        _ if context.configured.route_tables == Attr::Unknown => return None,
        _ => main.clone().into_iter().collect(),
    };
    let table_of = |subnet: &aws::SubnetId| {
        let mut own = snapshot
            .route_tables
            .iter()
            .filter(|table| table.subnets.iter().any(|(id, _)| id == subnet));
        own.next()
            .map(|table| table.id.0.clone())
            .or_else(|| main.clone())
    };
    let without: Vec<String> = snapshot
        .subnets
        .iter()
        .filter(|subnet| table_of(&subnet.id).is_some_and(|table| !routed.contains(&table)))
        .map(|subnet| format!("{} ({})", subnet.id, subnet.cidr))
        .collect();
    let finding = PreflightIssue::SubnetsWithoutRoutes(without.join(", "));
    (!without.is_empty())
        .then(|| Violation::warning(AttributeId::RouteTables, ViolationKind::Preflight(finding)))
}
