//! The surroundings of a link to be made: what there is where it will stand, and what of that is in its way.

use super::address::InsideCidr;
use super::fault::{Fault, Field, Problem};
use super::inside_addresses;
use super::ownership::{AWS_END, AwsEndpoint, LinkId, UNFINISHED};
use super::rules::{gateway_subnet_size, overlap, parse_network};
use super::tunnel::{Instance, TunnelKey};
use super::wish::{Given, Wish};
use crate::aws::model as aws;
use crate::azure::id::ResourceId;
use crate::azure::model as azure;
use crate::primitives::Tags;
use ipnet::Ipv4Net;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

pub use super::finding::Finding;

/// What to look at. None: not known yet, or not needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SurveyAsk {
    pub subscription: Option<String>,
    pub resource_group: Option<String>,
    /// The VNet, existing or to be created, with its VPN gateway.
    pub network: Option<ResourceId>,
    /// A given Azure gateway, with its connections.
    pub gateway: Option<ResourceId>,
    /// First inside CIDR of a link that is to be made on somebody else's gateway: an earlier try of it may have left marks.
    pub first_cidr: Option<InsideCidr>,
    /// The same, of a link that is to be moved to somebody else's VPN gateway.
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

impl SurveyAsk {
    pub fn is_empty(&self) -> bool {
        let beside = self.clone();
        let (subscription, region) = (beside.subscription, beside.region);
        let (first_cidr, link) = (beside.first_cidr, beside.link);
        *self == SurveyAsk { subscription, region, first_cidr, link, ..Self::default() }
    }
}

/// What became of looking at one thing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Looked<T> {
    /// Nobody could or had to look.
    #[default]
    Not,
    Absent,
    Found(T),
}

impl<T> Looked<T> {
    pub fn found(&self) -> Option<&T> {
        if let Looked::Found(value) = self { Some(value) } else { None }
    }
}

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    pub group: Looked<azure::ResourceGroup>,
    pub network: Looked<azure::VirtualNetwork>,
    /// The VPN gateway in that VNet.
    pub network_gateway: Looked<azure::Gateway>,
    /// Connections of that gateway.
    pub network_connections: Vec<azure::Connection>,
    /// Of the links on it, by their ownership tags, those whose AWS half says that their create never ended.
    pub unfinished: BTreeSet<String>,
    /// The given Azure gateway.
    pub gateway: Looked<azure::Gateway>,
    /// The VNet of the given Azure gateway.
    pub gateway_network: Looked<azure::VirtualNetwork>,
    /// Connections of the given Azure gateway.
    pub connections: Vec<azure::Connection>,
    /// Where an earlier try of the link left customer gateways: the addresses that it put on the given gateway.
    pub placed: Option<BTreeSet<Ipv4Addr>>,
    /// Propagation of the given VPN gateway's routes that an earlier try switched on, each as `rtb-.../vgw-...`.
    pub propagations: BTreeSet<String>,
    pub vpc: Looked<aws::Vpc>,
    /// The VPN gateway that hangs on the VPC.
    pub vpc_gateway: Looked<aws::VpnGateway>,
    pub subnets: Vec<aws::Subnet>,
    pub route_tables: Vec<aws::RouteTable>,
    /// The given VPN gateway.
    pub vpn_gateway: Looked<aws::VpnGateway>,
    /// The given transit gateway.
    pub transit_gateway: Looked<aws::TransitGateway>,
    /// VPN connections of the given VPN gateway or transit gateway.
    pub vpn_connections: Vec<aws::VpnConnection>,
    /// VPN connections of this link's own VPN gateway.
    pub own_vpn_connections: Vec<aws::VpnConnection>,
}

impl Survey {
    /// Whether all was looked at that was asked for.
    pub fn answers(&self, ask: &SurveyAsk) -> bool {
        !(ask.resource_group.is_some() && self.group == Looked::Not
            || ask.network.is_some() && self.network == Looked::Not
            || ask.gateway.is_some() && self.gateway == Looked::Not
            || ask.vpc.is_some() && self.vpc == Looked::Not
            || ask.vpn_gateway.is_some() && self.vpn_gateway == Looked::Not
            || ask.transit_gateway.is_some() && self.transit_gateway == Looked::Not)
    }
}

/// What is planned, as far as the surroundings matter.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// As configured: what may contradict an existing gateway.
    pub configured: &'a Wish,
    /// As planned, defaults filled in.
    pub planned: &'a Wish,
    pub link: Option<&'a LinkId>,
    /// Ids of this link's own objects, and of those that will be gone before it is made.
    pub own: &'a [String],
    /// BGP addresses that this link put on the Azure gateway.
    pub own_addresses: &'a BTreeSet<Ipv4Addr>,
    pub azure_gateway_given: bool,
    pub vpn_gateway_given: bool,
    pub on_transit_gateway: bool,
    pub allow_overlap: bool,
    /// The planned AWS side of a link that exists.
    pub moves_to: Option<&'a AwsEndpoint>,
}

impl Site<'_> {
    /// Whether an object is this link's, or of the one in whose place it comes.
    pub fn owns(&self, id: &str, tags: &Tags) -> bool {
        self.link.is_some_and(|link| link.is_on(tags)) || self.records(id)
    }

    /// Whether a state names an object as this link's.
    fn records(&self, id: &str) -> bool {
        self.own.iter().any(|own| own.eq_ignore_ascii_case(id))
    }
}

/// Tunnels that a VPN gateway supports, by SKU: 30 up to VpnGw3AZ, 100 for VpnGw4AZ and VpnGw5AZ (2026-11).
fn connection_limit(sku: &str) -> usize {
    if sku.starts_with("VpnGw4") || sku.starts_with("VpnGw5") { 100 } else { 30 }
}

/// EC2's default quota of VPN connections on a virtual private gateway.
const VPNS_PER_GATEWAY: usize = 10;

/// Everything in the surroundings that is in the way of the plan. What nobody looked at is in nobody's way.
pub fn check(site: Site<'_>, survey: &Survey) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut add = |field, finding| faults.push(Fault::error(field, Problem::Surroundings(finding)));
    group(site, survey, &mut add);
    network(site, survey, &mut add);
    vpc(site, survey, &mut add);
    if site.azure_gateway_given {
        azure_gateway(site, survey, &mut faults);
    } else {
        faults.extend(gateway_subnet(site, survey));
    }
    if site.vpn_gateway_given {
        vpn_gateway(site, survey, &mut faults);
    }
    if site.on_transit_gateway {
        transit_gateway(site, survey, &mut faults);
    }
    faults.extend(inside_addresses::azure_gateway(site, survey));
    faults.extend(inside_addresses::aws_gateway(site, &survey.vpn_connections));
    faults.extend(inside_addresses::aws_gateway(site, &survey.own_vpn_connections));
    overlaps(site, survey, &mut faults);
    faults.extend(unrouted(site, survey));
    faults.extend(super::advertised::check(site, survey));
    faults.extend(super::surveyed_tables::check(site, survey));
    faults
}

fn group(site: Site<'_>, survey: &Survey, add: &mut impl FnMut(Field, Finding)) {
    // Beside a network or gateway that is made in the same run the group may be made in it too.
    let to_come = [&site.configured.network_id, &site.configured.gateway_id].contains(&&Given::Unknown);
    if survey.group == Looked::Absent
        && !to_come
        && site.planned.create_group == Given::Is(false)
        && let Given::Is(name) = &site.planned.group
    {
        add(Field::ResourceGroup, Finding::NoGroup(name.clone()));
    }
}

fn network(site: Site<'_>, survey: &Survey, add: &mut impl FnMut(Field, Finding)) {
    let creates = site.planned.network.known().is_some();
    let own = |resource: &azure::Resource| site.owns(resource.id.as_str(), &resource.tags);
    match &survey.network {
        Looked::Absent if !creates => {
            if let Given::Is(id) = &site.planned.network_id {
                add(Field::NetworkId, Finding::NoNetwork(id.clone()));
            }
        }
        Looked::Found(network) if creates && site.configured.network_id.is_absent() && !own(&network.resource) => {
            add(Field::NetworkName, Finding::NetworkExists(network.resource.id.clone()));
        }
        Looked::Found(network) if !creates && !site.azure_gateway_given => {
            let is = &network.resource.location;
            if site.configured.location.known().is_some_and(|wants| !same_word(wants, is)) {
                add(Field::Location, Finding::NetworkElsewhere(is.clone()));
            }
        }
        _ => {}
    }
    if let Looked::Found(gateway) = &survey.network_gateway
        && !site.azure_gateway_given
    {
        let id = &gateway.resource.id;
        // A tag may have been copied: a gateway that no state names is adopted under its planned name only.
        let named = site.planned.azure_names.get("gateway").and_then(Given::known);
        let named = named.is_none_or(|name| name.eq_ignore_ascii_case(id.name()));
        if site.records(id.as_str()) {
            return;
        }
        if own(&gateway.resource) && is_whole(site, survey) {
            let first = planned_cidrs(site).next().map(|(_, cidr)| cidr.to_string()).unwrap_or_default();
            add(Field::AzureGateway, Finding::LinkExists(id.clone(), first));
        } else if !(named && own(&gateway.resource)) {
            add(Field::AzureGateway, Finding::NetworkHasGateway(id.clone()));
        }
    }
}

/// Whether the link that carries this one's tag is one that a create ended: no part is missing and nothing says otherwise.
fn is_whole(site: Site<'_>, survey: &Survey) -> bool {
    if site.link.is_some_and(|link| survey.unfinished.contains(link.as_str())) {
        return false;
    }
    let tagged = |c: &&azure::Connection| site.link.is_some_and(|link| link.is_on(&c.resource.tags));
    survey.network_connections.iter().filter(tagged).count() >= TunnelKey::ALL.len()
}

fn vpc(site: Site<'_>, survey: &Survey, add: &mut impl FnMut(Field, Finding)) {
    if survey.vpc == Looked::Absent
        && let Given::Is(id) = &site.planned.vpc_id
    {
        add(Field::VpcId, Finding::NoVpc(id.clone()));
    }
    if let Looked::Found(gateway) = &survey.vpc_gateway
        && !site.vpn_gateway_given
        && !(site.records(&gateway.id.0)
            || site.owns(&gateway.id.0, &gateway.tags)
                && (gateway.tags.contains_key(UNFINISHED) || is_of_move(site, gateway)))
    {
        add(Field::VpnGateway, Finding::VpcHasGateway(gateway.id.clone()));
    }
}

/// Whether a run that was killed created a VPN gateway for the AWS side to which the link moves.
fn is_of_move(site: Site<'_>, gateway: &aws::VpnGateway) -> bool {
    site.moves_to.is_some_and(|end| gateway.tags.get(AWS_END).is_some_and(|tag| *tag == end.to_string()))
}

fn gateway_subnet(site: Site<'_>, survey: &Survey) -> Option<Fault> {
    let network = survey.network.found()?;
    if site.planned.network.known().is_some() {
        return None;
    }
    let error = |field, finding| Some(Fault::error(field, Problem::Surroundings(finding)));
    let wanted = site.planned.gateway_subnet_prefix.known().and_then(|text| parse_network(text));
    if let Some(subnet) = network.subnets.iter().find(|subnet| subnet.name == "GatewaySubnet") {
        let has = subnet.prefix?;
        return match wanted {
            Some(wanted) if wanted != has => error(Field::GatewaySubnet, Finding::OtherGatewaySubnet(has)),
            _ => gateway_subnet_size(has, &Field::NetworkId),
        };
    }
    if let Some(subnet) = network.subnets.iter().find(|s| s.name.eq_ignore_ascii_case("GatewaySubnet")) {
        return error(Field::NetworkId, Finding::GatewaySubnetMisspelled(subnet.name.clone()));
    }
    let Some(wanted) = wanted else {
        return match site.planned.gateway_subnet_prefix {
            Given::Absent => error(Field::GatewaySubnet, Finding::NoGatewaySubnet),
            _ => None,
        };
    };
    if !network.address_space.iter().any(|whole| whole.contains(&wanted)) {
        let whole = network.address_space.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return Some(Fault::error(Field::GatewaySubnet, Problem::NotWithin { subnet: wanted.to_string(), whole }));
    }
    let taken = network.subnets.iter().filter_map(|subnet| subnet.prefix).find(|net| overlap(*net, wanted))?;
    let problem = Problem::SubnetsOverlap(taken.to_string(), wanted.to_string());
    Some(Fault::error(Field::GatewaySubnet, problem))
}

fn azure_gateway(site: Site<'_>, survey: &Survey, faults: &mut Vec<Fault>) {
    let mut add = |field, finding| faults.push(Fault::error(field, Problem::Surroundings(finding)));
    let gateway = match &survey.gateway {
        Looked::Not => return,
        Looked::Absent => {
            let id = site.planned.gateway_id.known().cloned().unwrap_or_default();
            return add(Field::AzureGateway, Finding::NoAzureGateway(id));
        }
        Looked::Found(gateway) => gateway,
    };
    let vpn_type = gateway.resource.raw.pointer("/properties/vpnType").and_then(|v| v.as_str());
    let unfit = if !gateway.gateway_type.eq_ignore_ascii_case("Vpn") {
        Some("it is no VPN gateway")
    } else if vpn_type.is_some_and(|word| !word.eq_ignore_ascii_case("RouteBased")) {
        Some("it is policy-based, and BGP needs a route-based one")
    } else if !gateway.active_active || gateway.instances.len() != Instance::ALL.len() {
        Some("it is not active-active")
    } else if !gateway.enable_bgp {
        Some("BGP is not enabled on it")
    } else {
        None
    };
    if let Some(why) = unfit {
        return add(Field::AzureGateway, Finding::UnfitGateway(why));
    }
    let differs = |given: &Given<String>, has: &str| given.known().is_some_and(|g| !same_word(g, has));
    let wish = site.configured;
    if differs(&wish.sku, &gateway.sku) {
        add(Field::Sku, Finding::GatewayHas("SKU", gateway.sku.clone()));
    }
    if differs(&wish.generation, &gateway.generation) {
        add(Field::Generation, Finding::GatewayHas("generation", gateway.generation.clone()));
    }
    if differs(&wish.location, &gateway.resource.location) {
        add(Field::Location, Finding::GatewayHas("location", gateway.resource.location.clone()));
    }
    if wish.azure_asn.known().is_some_and(|asn| *asn != i64::from(gateway.asn.0)) {
        add(Field::AzureAsn, Finding::GatewayHas("ASN", gateway.asn.to_string()));
    }
    if let (Given::Is(id), Some(network)) = (&wish.network_id, network_of(gateway))
        && ResourceId::parse(id).is_ok_and(|id| id != network)
    {
        add(Field::NetworkId, Finding::GatewayHas("virtual network", network.to_string()));
    }
    if let Some(missing) = addresses_by_hand(site, gateway) {
        add(Field::AzureGateway, missing);
    }
    let foreign = inside_addresses::foreign_connections(site, &survey.connections).count();
    let limit = connection_limit(&gateway.sku);
    if foreign + 4 > limit {
        add(Field::AzureGateway, Finding::GatewayFull { has: foreign, limit });
    }
}

/// The addresses that an update of the gateway would have to add, where such an update would lose a RADIUS secret.
fn addresses_by_hand(site: Site<'_>, gateway: &azure::Gateway) -> Option<Finding> {
    if !gateway.hides_radius_secret {
        return None;
    }
    let missing: Vec<String> = planned_cidrs(site)
        .filter(|(key, cidr)| {
            let instance = gateway.instances.get(key.instance.index());
            instance.is_some_and(|instance| !instance.custom_bgp_ips.contains(&cidr.azure_ip()))
        })
        .map(|(key, cidr)| format!("{} ({})", cidr.azure_ip(), key.instance))
        .collect();
    (!missing.is_empty()).then(|| Finding::RadiusGateway(missing.join(", ")))
}

/// The VNet in which a gateway sits.
pub fn network_of(gateway: &azure::Gateway) -> Option<ResourceId> {
    gateway.instances.iter().find_map(|instance| instance.subnet_id.as_ref()?.parent())
}

/// Azure writes locations as display names or as words: both are one.
pub fn same_word(a: &str, b: &str) -> bool {
    let plain = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>().to_lowercase();
    plain(a) == plain(b)
}

/// The inside CIDRs of a plan, as far as they are known.
pub fn planned_cidrs(site: Site<'_>) -> impl Iterator<Item = (TunnelKey, super::address::InsideCidr)> {
    let cidrs = site.planned.inside_cidrs.iter();
    cidrs.filter_map(|(key, text)| Some((key, super::address::InsideCidr::parse(text.known()?).ok()?)))
}

fn vpn_gateway(site: Site<'_>, survey: &Survey, faults: &mut Vec<Fault>) {
    let gateway = match &survey.vpn_gateway {
        Looked::Not => return,
        Looked::Absent => {
            let id = site.planned.vpn_gateway_id.known().cloned().unwrap_or_default();
            let problem = Problem::Surroundings(Finding::NoVpnGateway(id));
            return faults.push(Fault::error(Field::VpnGateway, problem));
        }
        Looked::Found(gateway) => gateway,
    };
    let mut add = |field, finding| faults.push(Fault::error(field, Problem::Surroundings(finding)));
    if site.configured.aws_asn.known().is_some_and(|asn| *asn != i64::from(gateway.asn.0)) {
        add(Field::AwsAsn, Finding::GatewayHas("ASN", gateway.asn.to_string()));
    }
    if let Given::Is(id) = &site.configured.vpc_id {
        match &gateway.attachment {
            Some((vpc, _)) if vpc.0 != *id => add(Field::VpcId, Finding::GatewayHas("VPC", vpc.to_string())),
            None => add(Field::VpcId, Finding::GatewayHas("VPC", "none".to_owned())),
            Some(_) => {}
        }
    }
    let foreign = foreign_vpns(site, survey);
    if foreign + 2 > VPNS_PER_GATEWAY {
        let finding = Finding::VpnGatewayFull { has: foreign, limit: VPNS_PER_GATEWAY };
        faults.push(Fault::warning(Field::VpnGateway, Problem::Surroundings(finding)));
    }
}

/// How many VPN connections of others end on the given AWS gateway.
fn foreign_vpns(site: Site<'_>, survey: &Survey) -> usize {
    survey.vpn_connections.iter().filter(|vpn| !site.owns(&vpn.id.0, &vpn.tags)).count()
}

fn transit_gateway(site: Site<'_>, survey: &Survey, faults: &mut Vec<Fault>) {
    let gateway = match &survey.transit_gateway {
        Looked::Not => return,
        Looked::Found(gateway) if gateway.state == aws::State::Available || gateway.state == aws::State::Modifying => {
            gateway
        }
        _ => {
            let id = site.planned.transit_gateway_id.known().cloned().unwrap_or_default();
            let problem = Problem::Surroundings(Finding::NoTransitGateway(id));
            return faults.push(Fault::error(Field::TransitGateway, problem));
        }
    };
    if site.configured.aws_asn.known().is_some_and(|asn| *asn != i64::from(gateway.asn.0)) {
        let finding = Finding::GatewayHas("ASN", gateway.asn.to_string());
        faults.push(Fault::error(Field::AwsAsn, Problem::Surroundings(finding)));
    }
    let by_hand = match (gateway.associates, gateway.propagates) {
        (false, false) => Some("associate with a route table, and to propagate routes from,"),
        (false, true) => Some("associate with a route table"),
        (true, false) => Some("propagate routes from"),
        (true, true) => None,
    };
    let told = by_hand.map(Finding::TransitByHand).into_iter().chain((!gateway.ecmp).then_some(Finding::NoEcmp));
    faults.extend(told.map(|finding| Fault::warning(Field::TransitGateway, Problem::Surroundings(finding))));
}

/// Carrier-grade NAT space, which many networks carry beside their own: its overlaps are only told.
fn is_shared_space(net: Ipv4Net) -> bool {
    Ipv4Net::new(Ipv4Addr::new(100, 64, 0, 0), 10).is_ok_and(|shared| shared.contains(&net))
}

fn overlaps(site: Site<'_>, survey: &Survey, faults: &mut Vec<Fault>) {
    let network = survey.network.found().or_else(|| survey.gateway_network.found());
    let mut azure: Vec<Ipv4Net> = network.map(|network| network.address_space.clone()).unwrap_or_default();
    if let Given::Is(create) = &site.planned.network {
        let space = create.address_space.known().into_iter().flatten();
        azure.extend(space.filter_map(|text| parse_network(text.known()?)));
    }
    let mut aws: Vec<(Ipv4Net, bool)> = Vec::new();
    if let Some(vpc) = survey.vpc.found() {
        aws.push((vpc.cidr, true));
        aws.extend(vpc.secondary_cidrs.iter().map(|net| (*net, false)));
    }
    let creates = site.planned.vpc.known();
    aws.extend(creates.and_then(|vpc| Some((parse_network(vpc.cidr.known()?)?, true))));
    let field = if creates.is_some() { Field::VpcCidr } else { Field::VpcId };
    let mut told = BTreeSet::new();
    for a in &azure {
        for (b, primary) in &aws {
            if overlap(*a, *b) && told.insert((*a, *b)) {
                let problem = Problem::Surroundings(Finding::Overlap { azure: *a, aws: *b });
                let hard = *primary && !is_shared_space(*a) && !is_shared_space(*b) && !site.allow_overlap;
                faults.push(Fault { field: field.clone(), problem, warning: !hard });
            }
        }
    }
}

fn unrouted(site: Site<'_>, survey: &Survey) -> Option<Fault> {
    let main = survey.route_tables.iter().find(|table| table.main).map(|table| table.id.0.clone());
    let routed: BTreeSet<String> = match &site.planned.route_tables {
        Given::Is(tables) if tables.is_empty() => return None,
        Given::Is(tables) => tables.iter().map(|t| t.known().cloned()).collect::<Option<_>>()?,
        _ if site.configured.route_tables == Given::Unknown => return None,
        _ => main.clone().into_iter().collect(),
    };
    let table_of = |subnet: &aws::SubnetId| {
        let mut own = survey.route_tables.iter().filter(|table| table.subnets.iter().any(|(id, _)| id == subnet));
        own.next().map(|table| table.id.0.clone()).or_else(|| main.clone())
    };
    let without: Vec<String> = survey
        .subnets
        .iter()
        .filter(|subnet| table_of(&subnet.id).is_some_and(|table| !routed.contains(&table)))
        .map(|subnet| format!("{} ({})", subnet.id, subnet.cidr))
        .collect();
    let finding = Finding::Unrouted(without.join(", "));
    (!without.is_empty()).then(|| Fault::warning(Field::RouteTables, Problem::Surroundings(finding)))
}
