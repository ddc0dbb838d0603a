//! What can be refused without asking a cloud. Fields that are absent or not known yet break no rule.

use super::address::{InsideCidr, Slot};
use super::fault::{Fault, Field, Problem};
use super::names::{check_group_name, check_network_name};
use super::policy::{Encryption, Group, Integrity, Pinned, Preset};
use super::ranges::{check_azure_size, check_reserved, check_space};
use super::tunnel::{PerTunnel, TunnelKey};
use super::wish::{Given, NetworkWish, PolicyWish, VpcWish, Wish};
use crate::azure::id::ResourceId;
use crate::primitives::parse_duration;
use crate::primitives::tags::{check_keys, check_tag};
use ipnet::Ipv4Net;
use std::str::FromStr;
use std::time::Duration;

/// SKUs that Azure still creates, with BGP and active-active, and their generations, newest last.
const SKUS: [(&str, &[&str]); 5] = [
    ("VpnGw1AZ", &["Generation1"]),
    ("VpnGw2AZ", &["Generation1", "Generation2"]),
    ("VpnGw3AZ", &["Generation1", "Generation2"]),
    ("VpnGw4AZ", &["Generation2"]),
    ("VpnGw5AZ", &["Generation2"]),
];

/// The generations of a SKU that can be created, newest last; None for any other SKU.
pub fn generations(sku: &str) -> Option<&'static [&'static str]> {
    SKUS.iter().find(|(name, _)| *name == sku).map(|(_, generations)| *generations)
}

/// Everything that is wrong with the fields taken one by one, and with those that contradict each other whatever the
/// rest will be.
pub fn check_fields(wish: &Wish) -> Vec<Fault> {
    let mut faults = Vec::new();
    names(wish, &mut faults);
    ids(wish, &mut faults);
    words(wish, &mut faults);
    numbers(wish, &mut faults);
    faults.extend(
        wish.not_whole.iter().map(|(field, text)| Fault::error(field.clone(), Problem::NotWhole(text.clone()))),
    );
    if let Given::Is(network) = &wish.network {
        check_network(network, &mut faults);
    }
    if let Given::Is(vpc) = &wish.vpc {
        check_vpc(vpc, &mut faults);
    }
    network(&wish.gateway_subnet_prefix, Field::GatewaySubnet, &mut faults);
    check_gateway_subnet_size(&wish.gateway_subnet_prefix, &Field::GatewaySubnet, &mut faults);
    inside_cidrs(&wish.inside_cidrs, &mut faults);
    policy(&wish.policy, &mut faults);
    keys(wish, &mut faults);
    zones(wish, &mut faults);
    null_elements(wish, &mut faults);
    faults.extend(wish.logs.known().into_iter().flat_map(super::logs::check));
    tags(wish, &mut faults);
    timeouts(wish, &mut faults);
    faults
}

/// What a configuration must say, whatever there is already.
pub fn check_presence(wish: &Wish) -> Vec<Fault> {
    let mut faults = Vec::new();
    if wish.network_id.is_absent() && wish.network.is_absent() && wish.gateway_id.is_absent() {
        let way = "virtual_network_id (an existing VNet), virtual_network (one to be created), or gateway_id (an existing gateway)";
        faults.push(Fault::error(Field::NetworkId, Problem::Missing(way)));
    }
    let on_vpc = [
        (Field::VpcId, "vpc_id", wish.vpc_id.known().is_some(), wish.vpc_id.is_absent()),
        (Field::VpcId, "vpc", wish.vpc.known().is_some(), wish.vpc.is_absent()),
        (Field::VpnGateway, "vpn_gateway_id", wish.vpn_gateway_id.known().is_some(), wish.vpn_gateway_id.is_absent()),
        (Field::RouteTables, "route_table_ids", wish.route_tables.known().is_some(), true),
    ];
    if wish.transit_gateway_id.known().is_some() {
        // A VPC to create is the exception: one that the link created stays when the link moves to a transit gateway.
        let beside = on_vpc.into_iter().filter(|(_, name, given, _)| *given && *name != "vpc");
        faults.extend(beside.map(|(field, name, ..)| Fault::error(field, Problem::BesideTransit(name))));
    } else if wish.transit_gateway_id.is_absent() && on_vpc.iter().all(|(_, _, _, absent)| *absent) {
        let way = "vpc_id (an existing VPC), vpc (one to be created), vpn_gateway_id (an existing VPN gateway), or \
                   transit_gateway_id (an existing transit gateway)";
        faults.push(Fault::error(Field::VpcId, Problem::Missing(way)));
    }
    let makes_both = wish.create_group == Given::Is(true) && wish.network.known().is_some();
    if makes_both && wish.location.is_absent() && wish.gateway_id.is_absent() && wish.network_id.is_absent() {
        let way =
            "location: this link creates both the resource group and the VNet, so there is nothing to take it from";
        faults.push(Fault::error(Field::Location, Problem::Missing(way)));
    }
    match (&wish.own_keys_given, &wish.own_keys_version) {
        (Given::Is(()), Given::Absent) => faults.push(Fault::error(Field::OwnKeys, Problem::KeysWithoutVersion)),
        (Given::Absent, Given::Is(_)) => faults.push(Fault::error(Field::OwnKeysVersion, Problem::VersionWithoutKeys)),
        _ => {}
    }
    if wish.own_keys_given == Given::Is(()) && wish.rotate_keys.known().is_some() {
        faults.push(Fault::error(Field::RotateKeys, Problem::RotationOfOwnKeys));
    }
    faults
}

/// What is new in a plan: rules for gateways to be created never fall on existing ones.
#[derive(Clone, Copy, Debug, Default)]
pub struct New {
    /// The SKU or generation is that of a gateway to be created, or changes.
    pub azure_gateway: bool,
    pub azure_asn: bool,
    pub aws_asn: bool,
    /// One of the four fields that say who dials changes, or the link is new.
    pub dialling: bool,
    /// Acceleration is switched on.
    pub acceleration: bool,
}

/// What contradicts itself once every field has its effective value.
pub fn check_whole(wish: &Wish, new: New) -> Vec<Fault> {
    let mut faults = Vec::new();
    if new.azure_gateway
        && let Given::Is(sku) = &wish.sku
    {
        match generations(sku) {
            None => faults.push(Fault::error(Field::Sku, Problem::Sku(sku.clone()))),
            Some(has) => {
                if let Given::Is(generation) = &wish.generation
                    && !has.contains(&generation.as_str())
                {
                    let has = has.last().copied().unwrap_or_default();
                    faults.push(Fault::error(Field::Generation, Problem::Generation { sku: sku.clone(), has }));
                }
            }
        }
    }
    if new.azure_asn
        && let Given::Is(asn) = wish.azure_asn
        && !azure_takes(asn)
    {
        faults.push(Fault::error(Field::AzureAsn, Problem::AzureAsn(asn)));
    }
    if new.aws_asn
        && let Given::Is(asn) = wish.aws_asn
        && !aws_takes(asn)
    {
        faults.push(Fault::error(Field::AwsAsn, Problem::AwsAsn(asn)));
    }
    if let (Given::Is(azure), Given::Is(aws)) = (&wish.azure_asn, &wish.aws_asn)
        && azure == aws
    {
        let asn = u32::try_from(*azure).unwrap_or_default();
        faults.push(Fault::error(Field::AzureAsn, Problem::AsnsEqual(asn)));
    }
    equal_names(wish, &mut faults);
    dialling(wish, new.dialling, &mut faults);
    if wish.bandwidth.known().is_some_and(|word| word == "large") && wish.transit_gateway_id.is_absent() {
        faults.push(Fault::error(Field::Bandwidth, Problem::TransitOnly));
    }
    if wish.acceleration == Given::Is(true) {
        if wish.transit_gateway_id.is_absent() {
            faults.push(Fault::error(Field::Acceleration, Problem::TransitOnly));
        } else if new.acceleration && wish.connection_mode.known().is_some_and(|mode| mode == "ResponderOnly") {
            faults.push(Fault::warning(Field::Acceleration, Problem::NobodyRekeys));
        }
    }
    faults
}

/// Two objects of one kind need two names in a resource group; Azure compares names without regard to case.
fn equal_names(wish: &Wish, faults: &mut Vec<Fault>) {
    for prefix in ["public_ip_", "local_gateway_", "connection_"] {
        let names: Vec<(&String, &String)> = (wish.azure_names.iter())
            .filter(|(attribute, _)| attribute.starts_with(prefix))
            .filter_map(|(attribute, name)| Some((attribute, name.known()?)))
            .collect();
        for (at, (attribute, name)) in names.iter().enumerate() {
            if let Some((other, _)) = names.iter().take(at).find(|(_, other)| other.eq_ignore_ascii_case(name)) {
                let problem = Problem::NameTwice { name: (*name).clone(), other: (*other).clone() };
                faults.push(Fault::error(Field::AzureName((*attribute).clone()), problem));
            }
        }
    }
}

fn dialling(wish: &Wish, new: bool, faults: &mut Vec<Fault>) {
    let mut add = |field, problem| faults.push(Fault { field, problem, warning: !new });
    let startup = wish.startup_action.known().map(String::as_str);
    match wish.connection_mode.known().map(String::as_str) {
        Some("ResponderOnly") => {
            if startup == Some("add") {
                add(Field::StartupAction, Problem::NobodyDials);
            } else if let Some(action @ ("clear" | "none")) = wish.dpd_action.known().map(String::as_str) {
                add(Field::DpdAction, Problem::NobodyRedials(action.to_owned()));
            }
        }
        Some("InitiatorOnly") if startup == Some("start") && new => {
            faults.push(Fault::warning(Field::ConnectionMode, Problem::BothDial));
        }
        _ => {}
    }
}

/// IANA's reserved numbers are refused on the gateway.
fn azure_takes(asn: i64) -> bool {
    matches!(asn, 1..4_294_967_295) && !matches!(asn, 23_456 | 64_496..=64_511 | 65_535..=65_551)
}

/// Private numbers, less those that Azure refuses for a peer.
fn aws_takes(asn: i64) -> bool {
    matches!(asn, 64_512..=65_534 | 4_200_000_000..=4_294_967_294) && !matches!(asn, 65_515 | 65_517..=65_520)
}

fn names(wish: &Wish, faults: &mut Vec<Fault>) {
    // The longest name made from the link's: "-to-aws-instance0-tunnel1" is 25 characters.
    let own = wish.name.known().map(|name| (Field::Name, name, check_network_name(name, 1, 55)));
    let group = wish.group.known().map(|name| (Field::ResourceGroup, name, check_group_name(name)));
    let singles = wish.azure_names.iter().filter_map(|(k, name)| Some((Field::AzureName(k.clone()), name.known()?)));
    let singles = singles.map(|(field, name)| (field, name, check_network_name(name, 1, 80)));
    for (name, text) in wish.aws_names.iter().filter_map(|(name, text)| Some((name, text.known()?))) {
        if let Some(fault) = check_tag("Name", text) {
            faults.push(Fault::error(Field::AwsName(name.clone()), Problem::Tag(fault)));
        }
    }
    if let Given::Is(location) = &wish.location
        && (location.is_empty() || !location.chars().all(|c| c.is_ascii_alphanumeric() || c == ' '))
    {
        faults.push(Fault::error(Field::Location, Problem::NotALocation(location.clone())));
    }
    for (field, _, result) in own.into_iter().chain(group).chain(singles) {
        if let Err(fault) = result {
            faults.push(Fault::error(field, Problem::Name(fault)));
        }
    }
}

fn ids(wish: &Wish, faults: &mut Vec<Fault>) {
    let azure = [
        (&wish.network_id, Field::NetworkId, "virtualNetworks", "an Azure virtual network"),
        (&wish.gateway_id, Field::AzureGateway, "virtualNetworkGateways", "an Azure virtual network gateway"),
    ];
    for (text, field, kind, noun) in azure {
        if let Given::Is(text) = text
            && !ResourceId::parse(text).is_ok_and(|id| id.kind().eq_ignore_ascii_case(kind))
        {
            faults.push(Fault::error(field, Problem::NotAnId(text.clone(), noun)));
        }
    }
    let aws = [
        (&wish.vpc_id, Field::VpcId, "vpc-", "a VPC (vpc-...)"),
        (&wish.vpn_gateway_id, Field::VpnGateway, "vgw-", "a virtual private gateway (vgw-...)"),
        (&wish.transit_gateway_id, Field::TransitGateway, "tgw-", "a transit gateway (tgw-...)"),
    ];
    for (text, field, prefix, noun) in aws {
        if let Given::Is(text) = text
            && !is_aws_id(text, prefix)
        {
            faults.push(Fault::error(field, Problem::NotAnId(text.clone(), noun)));
        }
    }
    for table in wish.route_tables.known().into_iter().flatten().filter_map(Given::known) {
        if !is_aws_id(table, "rtb-") {
            faults.push(Fault::error(Field::RouteTables, Problem::NotAnId(table.clone(), "a route table (rtb-...)")));
        }
    }
    if let Given::Is(region) = &wish.region
        && !is_region(region)
    {
        faults.push(Fault::error(Field::Region, Problem::NotARegion(region.clone())));
    }
    if let (Given::Is(id), Given::Is(network)) = (&wish.network_id, &wish.network)
        && let Given::Is(name) = &network.name
        && ResourceId::parse(id).is_ok_and(|id| !id.name().eq_ignore_ascii_case(name))
    {
        let problem = Problem::TwoObjects { given: id.clone(), other: name.clone() };
        faults.push(Fault::error(Field::NetworkId, problem));
    }
}

/// `eu-west-1`, `us-gov-east-1`: words, then a number.
fn is_region(region: &str) -> bool {
    let mut parts: Vec<&str> = region.split('-').collect();
    let number = parts.pop().unwrap_or_default();
    let word = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    parts.len() >= 2
        && parts.iter().all(word)
        && matches!(number.len(), 1..=2)
        && number.bytes().all(|b| b.is_ascii_digit())
}

/// A prefix, then letters, digits and dashes. A filter reads anything else as a wildcard, or as several ids.
fn is_aws_id(text: &str, prefix: &str) -> bool {
    let rest = text.strip_prefix(prefix).unwrap_or_default();
    !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn words(wish: &Wish, faults: &mut Vec<Fault>) {
    let lists = [
        (
            &wish.connection_mode,
            Field::ConnectionMode,
            &["Default", "InitiatorOnly", "ResponderOnly"][..],
            "Default, InitiatorOnly, ResponderOnly",
        ),
        (&wish.startup_action, Field::StartupAction, &["start", "add"][..], "start, add"),
        (&wish.dpd_action, Field::DpdAction, &["restart", "clear", "none"][..], "restart, clear, none"),
        (&wish.bandwidth, Field::Bandwidth, &["standard", "large"][..], "standard, large"),
        (&wish.key_storage, Field::KeyStorage, &["Standard", "SecretsManager"][..], "Standard, SecretsManager"),
        (&wish.on_create_failure, Field::OnCreateFailure, &["keep", "rollback"][..], "keep, rollback"),
        (&wish.generation, Field::Generation, &["Generation1", "Generation2"][..], "Generation1, Generation2"),
    ];
    for (word, field, list, allowed) in lists {
        if let Given::Is(given) = word
            && !list.contains(&given.as_str())
        {
            faults.push(Fault::error(field, Problem::NotOneOf { given: given.clone(), allowed }));
        }
    }
}

fn numbers(wish: &Wish, faults: &mut Vec<Fault>) {
    let ranges = [
        (&wish.slot, Field::Slot, 0, i64::from(Slot::COUNT) - 1, ""),
        (&wish.azure_dpd_seconds, Field::AzureDpdSeconds, 9, 3_600, " seconds"),
        (&wish.aws_dpd_seconds, Field::AwsDpdSeconds, 30, 3_600, " seconds"),
        (&wish.azure_asn, Field::AzureAsn, 1, 4_294_967_294, ""),
        (&wish.aws_asn, Field::AwsAsn, 1, 4_294_967_294, ""),
    ];
    for (number, field, least, most, unit) in ranges {
        if let Given::Is(given) = *number
            && !(least..=most).contains(&given)
        {
            faults.push(Fault::error(field, Problem::OutOfRange { given, least, most, unit }));
        }
    }
}

fn network(text: &Given<String>, field: Field, faults: &mut Vec<Fault>) -> Option<Ipv4Net> {
    let text = text.known()?;
    match parse_network(text) {
        Some(net) => Some(net),
        None => {
            faults.push(Fault::error(field, Problem::NotANetwork(text.clone())));
            None
        }
    }
}

/// A network without host bits.
pub fn parse_network(text: &str) -> Option<Ipv4Net> {
    text.parse::<Ipv4Net>().ok().filter(|net| net.addr() == net.network())
}

fn check_gateway_subnet_size(text: &Given<String>, field: &Field, faults: &mut Vec<Fault>) {
    if let Some(net) = text.known().and_then(|text| parse_network(text)) {
        faults.extend(gateway_subnet_size(net, field));
    }
}

/// /29 is the least that Azure takes for a gateway subnet; below /27 it warns.
pub fn gateway_subnet_size(net: Ipv4Net, field: &Field) -> Option<Fault> {
    match net.prefix_len() {
        30.. => Some(Fault::error(field.clone(), Problem::GatewaySubnetTooSmall(net.to_string()))),
        28..=29 => Some(Fault::warning(field.clone(), Problem::GatewaySubnetSmall(net.to_string()))),
        _ => None,
    }
}

fn check_network(wish: &NetworkWish, faults: &mut Vec<Fault>) {
    if let Given::Is(name) = &wish.name
        && let Err(fault) = check_network_name(name, 2, 64)
    {
        faults.push(Fault::error(Field::NetworkName, Problem::Name(fault)));
    }
    let mut space = Vec::new();
    let mut space_known = false;
    if let Given::Is(prefixes) = &wish.address_space {
        space_known = prefixes.iter().all(|p| p.known().is_some());
        space.extend(prefixes.iter().filter_map(|p| network(p, Field::AddressSpace, faults)));
        faults.extend(check_space(&space, &Field::AddressSpace));
        if prefixes.is_empty() {
            faults.push(Fault::error(Field::AddressSpace, Problem::Missing("one range at least")));
        }
    }
    let mut subnets: Vec<(Field, Ipv4Net)> = Vec::new();
    if let Some(net) = network(&wish.gateway_subnet_prefix, Field::NetworkGatewaySubnet, faults) {
        faults.extend(gateway_subnet_size(net, &Field::NetworkGatewaySubnet));
        subnets.push((Field::NetworkGatewaySubnet, net));
    }
    for (name, prefix) in wish.subnets.known().into_iter().flatten() {
        if name.eq_ignore_ascii_case("GatewaySubnet") {
            faults.push(Fault::error(Field::Subnet(name.clone()), Problem::GatewaySubnetMisnamed));
        } else if let Err(fault) = check_network_name(name, 1, 80) {
            faults.push(Fault::error(Field::Subnet(name.clone()), Problem::Name(fault)));
        }
        if wish.subnets.known().into_iter().flatten().any(|(other, _)| other < name && other.eq_ignore_ascii_case(name))
        {
            faults.push(Fault::error(Field::Subnet(name.clone()), Problem::SubnetTwice(name.clone())));
        }
        if let Some(net) = network(prefix, Field::Subnet(name.clone()), faults) {
            faults.extend(check_azure_size(net, &Field::Subnet(name.clone())));
            subnets.push((Field::Subnet(name.clone()), net));
        }
    }
    for (at, (field, net)) in subnets.iter().enumerate() {
        if space_known && !space.is_empty() && !space.iter().any(|whole| whole.contains(net)) {
            let whole = space.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            faults.push(Fault::error(field.clone(), Problem::NotWithin { subnet: net.to_string(), whole }));
        }
        if let Some((_, other)) = subnets.iter().take(at).find(|(_, other)| overlap(*net, *other)) {
            let problem = Problem::SubnetsOverlap(other.to_string(), net.to_string());
            faults.push(Fault::error(field.clone(), problem));
        }
    }
}

/// Whether two networks share an address.
pub fn overlap(a: Ipv4Net, b: Ipv4Net) -> bool {
    a.contains(&b) || b.contains(&a)
}

fn check_vpc(wish: &VpcWish, faults: &mut Vec<Fault>) {
    let whole = network(&wish.cidr, Field::VpcCidr, faults);
    let subnet = network(&wish.public_subnet, Field::PublicSubnet, faults);
    for (net, field) in [(whole, Field::VpcCidr), (subnet, Field::PublicSubnet)] {
        faults.extend(net.and_then(|net| check_reserved(net, &field)));
        // EC2: a VPC or subnet is a /16 to /28.
        if let Some(net) = net
            && !(16..=28).contains(&net.prefix_len())
        {
            let given = i64::from(net.prefix_len());
            faults
                .push(Fault::error(field, Problem::OutOfRange { given, least: 16, most: 28, unit: " bits of prefix" }));
        }
    }
    if let (Some(whole), Some(subnet)) = (whole, subnet)
        && !whole.contains(&subnet)
    {
        let problem = Problem::NotWithin { subnet: subnet.to_string(), whole: whole.to_string() };
        faults.push(Fault::error(Field::PublicSubnet, problem));
    }
}

fn inside_cidrs(cidrs: &PerTunnel<Given<String>>, faults: &mut Vec<Fault>) {
    let mut seen: Vec<(TunnelKey, InsideCidr)> = Vec::new();
    for (key, text) in cidrs.iter() {
        let Given::Is(text) = text else { continue };
        match InsideCidr::parse(text) {
            Err(fault) => faults.push(Fault::error(Field::InsideCidr(key), Problem::Cidr(fault))),
            Ok(cidr) => match seen.iter().find(|(_, other)| *other == cidr) {
                Some((other, _)) => {
                    let problem = Problem::CidrTwice { cidr: cidr.to_string(), other: *other };
                    faults.push(Fault::error(Field::InsideCidr(key), problem));
                }
                None => seen.push((key, cidr)),
            },
        }
    }
}

fn policy(wish: &PolicyWish, faults: &mut Vec<Fault>) {
    fn word<T: FromStr<Err = super::policy::NotInBothClouds>>(
        given: &Given<String>,
        name: &'static str,
        faults: &mut Vec<Fault>,
    ) -> Option<T> {
        given.known().and_then(|text| match text.parse::<T>() {
            Ok(value) => Some(value),
            Err(fault) => {
                faults.push(Fault::error(Field::Policy(name), Problem::PolicyWord(fault.to_string())));
                None
            }
        })
    }
    fn group(given: &Given<i64>, name: &'static str, faults: &mut Vec<Fault>) -> Option<Group> {
        let number = *given.known()?;
        let group = u32::try_from(number).ok().and_then(Group::from_number);
        if group.is_none() {
            let problem = Problem::NotOneOf { given: number.to_string(), allowed: "2, 14, 19, 20, 24" };
            faults.push(Fault::error(Field::Policy(name), problem));
        }
        group
    }
    let seconds = |given: &Given<i64>| given.known().map(|n| u32::try_from(*n).unwrap_or_default());
    let preset: Option<Preset> = word(&wish.preset, "preset", faults);
    let super::policy::Policy::Pinned(strong) = Preset::Strong.policy() else { return };
    let any_field = [&wish.ike_encryption, &wish.ike_integrity, &wish.ipsec_encryption, &wish.ipsec_integrity]
        .iter()
        .any(|g| g.known().is_some())
        || [&wish.dh_group, &wish.pfs_group, &wish.ike_lifetime_seconds, &wish.ipsec_lifetime_seconds]
            .iter()
            .any(|g| g.known().is_some());
    if preset == Some(Preset::CloudDefault) && any_field {
        faults.push(Fault::error(Field::Policy("preset"), Problem::PolicyFieldsWithCloudDefault));
    }
    let encryption: Option<Encryption> = word(&wish.ipsec_encryption, "ipsec_encryption", faults);
    let integrity: Option<Integrity> = word(&wish.ipsec_integrity, "ipsec_integrity", faults);
    let ike = seconds(&wish.ike_lifetime_seconds);
    let ipsec = seconds(&wish.ipsec_lifetime_seconds);
    let _: Option<Encryption> = word(&wish.ike_encryption, "ike_encryption", faults);
    let _: Option<Integrity> = word(&wish.ike_integrity, "ike_integrity", faults);
    group(&wish.dh_group, "dh_group", faults);
    group(&wish.pfs_group, "pfs_group", faults);
    // Fields that nobody gave take a value with which the given ones can be judged alone.
    let mut pinned = Pinned { ipsec_integrity: Integrity::Sha256, ..strong };
    pinned.ike_lifetime_seconds = ike.unwrap_or(28_800);
    pinned.ipsec_lifetime_seconds = ipsec.unwrap_or(900);
    if let (Some(encryption), Some(integrity)) = (encryption, integrity) {
        (pinned.ipsec_encryption, pinned.ipsec_integrity) = (encryption, integrity);
    }
    if let Err(fault) = pinned.check() {
        use super::policy::PolicyFault::{IkeLifetime, IpsecIntegrity, IpsecLifetime, LifetimesCrossed};
        let field = match fault {
            IkeLifetime(_) => "ike_lifetime_seconds",
            IpsecLifetime(_) | LifetimesCrossed { .. } => "ipsec_lifetime_seconds",
            IpsecIntegrity => "ipsec_integrity",
        };
        faults.push(Fault::error(Field::Policy(field), Problem::Policy(fault)));
    }
}

fn keys(wish: &Wish, faults: &mut Vec<Fault>) {
    for (key, given) in wish.own_keys.iter() {
        if let Given::Is(Some(fault)) = given {
            faults.push(Fault::error(Field::OwnKey(key), Problem::Key(key, *fault)));
        }
    }
}

/// Elements without a value would be dropped, and appear as a difference at every plan.
fn null_elements(wish: &Wish, faults: &mut Vec<Fault>) {
    let network = wish.network.known();
    let lists = [
        (Field::Zones, wish.zones.known()),
        (Field::RouteTables, wish.route_tables.known()),
        (Field::AddressSpace, network.and_then(|network| network.address_space.known())),
    ];
    let missing = |field| Fault::error(field, Problem::Missing("a value in place of null"));
    let lists = lists.into_iter().filter(|(_, list)| list.is_some_and(|list| list.iter().any(Given::is_absent)));
    faults.extend(lists.map(|(field, _)| missing(field)));
    let subnets = network.and_then(|network| network.subnets.known()).into_iter().flatten();
    let subnets = subnets.filter(|(_, prefix)| prefix.is_absent());
    faults.extend(subnets.map(|(name, _)| missing(Field::Subnet(name.clone()))));
}

/// Azure numbers the logical zones of a region from 1 to 3.
fn zones(wish: &Wish, faults: &mut Vec<Fault>) {
    let zones = wish.zones.known().into_iter().flatten().filter_map(Given::known);
    let wrong = zones.filter(|zone| !matches!(zone.as_bytes(), [b'1'..=b'3']));
    faults.extend(wrong.map(|zone| Fault::error(Field::Zones, Problem::NotAZone(zone.clone()))));
}

fn tags(wish: &Wish, faults: &mut Vec<Fault>) {
    let Some(tags) = wish.tags.known() else { return };
    for (key, value) in tags {
        // A value that is not known yet is checked by apply.
        if let Some(fault) = check_tag(key, value.known().map_or("", String::as_str)) {
            faults.push(Fault::error(Field::Tag(key.clone()), Problem::Tag(fault)));
        }
    }
    faults.extend(check_keys(tags.keys()).map(|fault| Fault::error(Field::Tags, Problem::Tag(fault))));
}

/// Shorter limits end every operation before its first call, longer ones are a mistake in the unit.
const SHORTEST_TIMEOUT: Duration = Duration::from_secs(1);
const LONGEST_TIMEOUT: Duration = Duration::from_secs(7 * 24 * 3_600);

fn timeouts(wish: &Wish, faults: &mut Vec<Fault>) {
    for (name, text) in wish.timeouts.iter().filter_map(|(name, text)| Some((name, text.known()?))) {
        let problem = match parse_duration(text) {
            None => Problem::NotADuration(text.clone()),
            Some(duration) if !(SHORTEST_TIMEOUT..=LONGEST_TIMEOUT).contains(&duration) => {
                Problem::Timeout(text.clone())
            }
            Some(_) => continue,
        };
        faults.push(Fault::error(Field::Timeout(name.clone()), problem));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_asns_of_both_clouds_are_told_apart() {
        assert!(azure_takes(65_515) && !aws_takes(65_515));
        assert!(azure_takes(65_000) && aws_takes(64_512) && aws_takes(4_200_000_000));
        assert!(!azure_takes(23_456) && !azure_takes(65_540) && !aws_takes(7_224));
    }
}
