//! What can be refused without asking a cloud. Fields that are absent or not known yet break no
//! rule.

use super::cidr::overlaps;
use super::config::{Attr, Config, VirtualNetworkConfig, VpcConfig};
use super::inside_cidr::{InsideCidr, Slot};
use super::ipsec_validation::validate_ipsec_policy;
use super::names::{check_group_name, check_network_name};
use super::reserved_ranges::{check_azure_size, check_reserved, check_space};
use super::tunnel::{PerTunnel, TunnelKey};
use super::violation::{AttributeId, Violation, ViolationKind};
use crate::azure::id::ResourceId;
use crate::types::parse_duration;
use crate::types::tags::{check_keys, check_tag};
use ipnet::Ipv4Net;
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
    SKUS.iter()
        .find(|(name, _)| *name == sku)
        .map(|(_, generations)| *generations)
}

/// Everything that is wrong with the fields taken one by one, and with those that contradict each
/// other regardless of the rest will be.
pub fn validate_fields(config: &Config) -> Vec<Violation> {
    let mut violations = Vec::new();
    validate_names(config, &mut violations);
    validate_ids(config, &mut violations);
    validate_enums(config, &mut violations);
    validate_numbers(config, &mut violations);
    violations.extend(config.non_integers.iter().map(|(field, text)| {
        Violation::error(field.clone(), ViolationKind::NotAnInteger(text.clone()))
    }));
    if let Attr::Known(network) = &config.network {
        validate_virtual_network(network, &mut violations);
    }
    if let Attr::Known(vpc) = &config.vpc {
        validate_vpc(vpc, &mut violations);
    }
    validate_cidr(
        &config.gateway_subnet_prefix,
        AttributeId::GatewaySubnet,
        &mut violations,
    );
    validate_gateway_subnet_size(
        &config.gateway_subnet_prefix,
        &AttributeId::GatewaySubnet,
        &mut violations,
    );
    validate_inside_cidrs(&config.inside_cidrs, &mut violations);
    validate_ipsec_policy(&config.policy, &mut violations);
    validate_preshared_keys(config, &mut violations);
    validate_zones(config, &mut violations);
    validate_null_elements(config, &mut violations);
    violations.extend(
        config
            .logs
            .known()
            .into_iter()
            .flat_map(super::tunnel_logs::check),
    );
    validate_tags(config, &mut violations);
    validate_timeouts(config, &mut violations);
    violations
}

/// What a configuration must contain in any case.
pub fn validate_required(config: &Config) -> Vec<Violation> {
    let mut violations = Vec::new();
    if config.network_id.is_null() && config.network.is_null() && config.gateway_id.is_null() {
        let way = "Set azure.virtual_network_id (existing network), azure.virtual_network (new network) or azure.gateway_id (existing \
                   gateway)";
        violations.push(Violation::error(
            AttributeId::NetworkId,
            ViolationKind::MissingRequired(way),
        ));
    }
    let on_vpc = [
        (
            AttributeId::VpcId,
            "vpc_id",
            config.vpc_id.known().is_some(),
            config.vpc_id.is_null(),
        ),
        (
            AttributeId::VpcId,
            "vpc",
            config.vpc.known().is_some(),
            config.vpc.is_null(),
        ),
        (
            AttributeId::VpnGateway,
            "vpn_gateway_id",
            config.vpn_gateway_id.known().is_some(),
            config.vpn_gateway_id.is_null(),
        ),
        (
            AttributeId::RouteTables,
            "route_table_ids",
            config.route_tables.known().is_some(),
            true,
        ),
    ];
    if config.transit_gateway_id.known().is_some() {
        // A VPC to create is the exception: one that the link created stays when the link moves to
        // a transit gateway.
        let beside = on_vpc
            .into_iter()
            .filter(|(_, name, given, _)| *given && *name != "vpc");
        violations.extend(beside.map(|(field, name, ..)| {
            Violation::error(field, ViolationKind::ConflictsWithTransitGateway(name))
        }));
    } else if config.transit_gateway_id.is_null() && on_vpc.iter().all(|(_, _, _, absent)| *absent)
    {
        let way = "Set aws.vpc_id (existing VPC), aws.vpc (new VPC), aws.vpn_gateway_id (existing virtual private gateway) or \
                   aws.transit_gateway_id (existing transit gateway)";
        violations.push(Violation::error(
            AttributeId::VpcId,
            ViolationKind::MissingRequired(way),
        ));
    }
    let makes_both = config.create_group == Attr::Known(true) && config.network.known().is_some();
    if makes_both
        && config.location.is_null()
        && config.gateway_id.is_null()
        && config.network_id.is_null()
    {
        let way = "Required when both the resource group and the virtual network are created";
        violations.push(Violation::error(
            AttributeId::Location,
            ViolationKind::MissingRequired(way),
        ));
    }
    match (&config.preshared_keys_set, &config.preshared_keys_version) {
        (Attr::Known(()), Attr::Null) => violations.push(Violation::error(
            AttributeId::PresharedKeys,
            ViolationKind::KeysWithoutVersion,
        )),
        (Attr::Null, Attr::Known(_)) => violations.push(Violation::error(
            AttributeId::PresharedKeysVersion,
            ViolationKind::VersionWithoutKeys,
        )),
        _ => {}
    }
    if config.preshared_keys_set == Attr::Known(()) && config.rotate_keys.known().is_some() {
        violations.push(Violation::error(
            AttributeId::RotateKeys,
            ViolationKind::RotationOfConfiguredKeys,
        ));
    }
    violations
}

/// What is new in a plan: rules for gateways to be created never fall on existing ones.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChangedParts {
    /// The SKU or generation is that of a gateway to be created, or changes.
    pub azure_gateway: bool,
    pub azure_asn: bool,
    pub aws_asn: bool,
    /// One of the four fields that say who dials changes, or the link is new.
    pub initiator: bool,
    /// Acceleration is switched on.
    pub acceleration: bool,
}

/// What contradicts itself once every field has its effective value.
pub fn validate_combination(config: &Config, changed: ChangedParts) -> Vec<Violation> {
    let mut violations = Vec::new();
    if changed.azure_gateway
        && let Attr::Known(sku) = &config.sku
    {
        match generations(sku) {
            None => violations.push(Violation::error(
                AttributeId::Sku,
                ViolationKind::Sku(sku.clone()),
            )),
            Some(has) => {
                if let Attr::Known(generation) = &config.generation
                    && !has.contains(&generation.as_str())
                {
                    let has = has.last().copied().unwrap_or_default();
                    violations.push(Violation::error(
                        AttributeId::Generation,
                        ViolationKind::Generation {
                            sku: sku.clone(),
                            has,
                        },
                    ));
                }
            }
        }
    }
    if changed.azure_asn
        && let Attr::Known(asn) = config.azure_asn
        && !is_valid_azure_asn(asn)
    {
        violations.push(Violation::error(
            AttributeId::AzureAsn,
            ViolationKind::AzureAsn(asn),
        ));
    }
    if changed.aws_asn
        && let Attr::Known(asn) = config.aws_asn
        && !is_valid_aws_asn(asn)
    {
        violations.push(Violation::error(
            AttributeId::AwsAsn,
            ViolationKind::AwsAsn(asn),
        ));
    }
    if let (Attr::Known(azure), Attr::Known(aws)) = (&config.azure_asn, &config.aws_asn)
        && azure == aws
    {
        let asn = u32::try_from(*azure).unwrap_or_default();
        violations.push(Violation::error(
            AttributeId::AzureAsn,
            ViolationKind::AsnsEqual(asn),
        ));
    }
    validate_distinct_names(config, &mut violations);
    validate_initiator(config, changed.initiator, &mut violations);
    if config.bandwidth.known().is_some_and(|word| word == "large")
        && config.transit_gateway_id.is_null()
    {
        violations.push(Violation::error(
            AttributeId::Bandwidth,
            ViolationKind::RequiresTransitGateway,
        ));
    }
    if config.acceleration == Attr::Known(true) {
        if config.transit_gateway_id.is_null() {
            violations.push(Violation::error(
                AttributeId::Acceleration,
                ViolationKind::RequiresTransitGateway,
            ));
        } else if changed.acceleration
            && config
                .connection_mode
                .known()
                .is_some_and(|mode| mode == "ResponderOnly")
        {
            violations.push(Violation::warning(
                AttributeId::Acceleration,
                ViolationKind::NoRekeyInitiator,
            ));
        }
    }
    violations
}

/// Two objects of one kind need two names in a resource group; Azure compares names without regard
/// to case.
fn validate_distinct_names(config: &Config, violations: &mut Vec<Violation>) {
    for prefix in ["public_ip_", "local_gateway_", "connection_"] {
        let names: Vec<(&String, &String)> = (config.azure_names.iter())
            .filter(|(attribute, _)| attribute.starts_with(prefix))
            .filter_map(|(attribute, name)| Some((attribute, name.known()?)))
            .collect();
        for (at, (attribute, name)) in names.iter().enumerate() {
            if let Some((other, _)) = names
                .iter()
                .take(at)
                .find(|(_, other)| other.eq_ignore_ascii_case(name))
            {
                let problem = ViolationKind::DuplicateName {
                    name: (*name).clone(),
                    other: (*other).clone(),
                };
                violations.push(Violation::error(
                    AttributeId::AzureName((*attribute).clone()),
                    problem,
                ));
            }
        }
    }
}

fn validate_initiator(config: &Config, changed: bool, violations: &mut Vec<Violation>) {
    let mut add = |field, problem| {
        violations.push(Violation {
            attribute: field,
            kind: problem,
            severity: if changed {
                super::violation::Severity::Error
            } else {
                super::violation::Severity::Warning
            },
        })
    };
    let startup = config.startup_action.known().map(String::as_str);
    match config.connection_mode.known().map(String::as_str) {
        Some("ResponderOnly") => {
            if startup == Some("add") {
                add(AttributeId::StartupAction, ViolationKind::NoInitiator);
            } else if let Some(action @ ("clear" | "none")) =
                config.dpd_action.known().map(String::as_str)
            {
                add(
                    AttributeId::DpdAction,
                    ViolationKind::NoReconnectInitiator(action.to_owned()),
                );
            }
        }
        Some("InitiatorOnly") if startup == Some("start") && changed => {
            violations.push(Violation::warning(
                AttributeId::ConnectionMode,
                ViolationKind::BothInitiate,
            ));
        }
        _ => {}
    }
}

/// IANA's reserved numbers are refused on the gateway.
fn is_valid_azure_asn(asn: i64) -> bool {
    matches!(asn, 1..4_294_967_295) && !matches!(asn, 23_456 | 64_496..=64_511 | 65_535..=65_551)
}

/// Private numbers, less those that Azure refuses for a peer.
fn is_valid_aws_asn(asn: i64) -> bool {
    matches!(asn, 64_512..=65_534 | 4_200_000_000..=4_294_967_294)
        && !matches!(asn, 65_515 | 65_517..=65_520)
}

fn validate_names(config: &Config, violations: &mut Vec<Violation>) {
    // The longest name made from the link's: "-to-aws-instance0-tunnel1" is 25 characters.
    let own = config
        .name
        .known()
        .map(|name| (AttributeId::Name, name, check_network_name(name, 1, 55)));
    let group = config
        .group
        .known()
        .map(|name| (AttributeId::ResourceGroup, name, check_group_name(name)));
    let singles = config
        .azure_names
        .iter()
        .filter_map(|(k, name)| Some((AttributeId::AzureName(k.clone()), name.known()?)));
    let singles = singles.map(|(field, name)| (field, name, check_network_name(name, 1, 80)));
    for (name, text) in config
        .aws_names
        .iter()
        .filter_map(|(name, text)| Some((name, text.known()?)))
    {
        if let Some(violation) = check_tag("Name", text) {
            violations.push(Violation::error(
                AttributeId::AwsName(name.clone()),
                ViolationKind::Tag(violation),
            ));
        }
    }
    if let Attr::Known(location) = &config.location
        && (location.is_empty()
            || !location
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == ' '))
    {
        violations.push(Violation::error(
            AttributeId::Location,
            ViolationKind::InvalidLocation(location.clone()),
        ));
    }
    for (field, _, result) in own.into_iter().chain(group).chain(singles) {
        if let Err(violation) = result {
            violations.push(Violation::error(field, ViolationKind::Name(violation)));
        }
    }
}

fn validate_ids(config: &Config, violations: &mut Vec<Violation>) {
    let azure = [
        (
            &config.network_id,
            AttributeId::NetworkId,
            "virtualNetworks",
            "an Azure virtual network",
        ),
        (
            &config.gateway_id,
            AttributeId::AzureGateway,
            "virtualNetworkGateways",
            "an Azure virtual network gateway",
        ),
    ];
    for (text, field, kind, noun) in azure {
        if let Attr::Known(text) = text
            && !ResourceId::parse(text).is_ok_and(|id| id.kind().eq_ignore_ascii_case(kind))
        {
            violations.push(Violation::error(
                field,
                ViolationKind::InvalidId(text.clone(), noun),
            ));
        }
    }
    let aws = [
        (
            &config.vpc_id,
            AttributeId::VpcId,
            "vpc-",
            "a VPC (vpc-...)",
        ),
        (
            &config.vpn_gateway_id,
            AttributeId::VpnGateway,
            "vgw-",
            "a virtual private gateway (vgw-...)",
        ),
        (
            &config.transit_gateway_id,
            AttributeId::TransitGateway,
            "tgw-",
            "a transit gateway (tgw-...)",
        ),
    ];
    for (text, field, prefix, noun) in aws {
        if let Attr::Known(text) = text
            && !is_aws_id(text, prefix)
        {
            violations.push(Violation::error(
                field,
                ViolationKind::InvalidId(text.clone(), noun),
            ));
        }
    }
    for table in config
        .route_tables
        .known()
        .into_iter()
        .flatten()
        .filter_map(Attr::known)
    {
        if !is_aws_id(table, "rtb-") {
            violations.push(Violation::error(
                AttributeId::RouteTables,
                ViolationKind::InvalidId(table.clone(), "a route table (rtb-...)"),
            ));
        }
    }
    if let Attr::Known(region) = &config.region
        && !is_region(region)
    {
        violations.push(Violation::error(
            AttributeId::Region,
            ViolationKind::InvalidRegion(region.clone()),
        ));
    }
    if let (Attr::Known(id), Attr::Known(network)) = (&config.network_id, &config.network)
        && let Attr::Known(name) = &network.name
        && ResourceId::parse(id).is_ok_and(|id| !id.name().eq_ignore_ascii_case(name))
    {
        let problem = ViolationKind::ConflictingIds {
            given: id.clone(),
            other: name.clone(),
        };
        violations.push(Violation::error(AttributeId::NetworkId, problem));
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

/// A prefix, then letters, digits and dashes. A filter reads anything else as a wildcard, or as
/// several ids.
fn is_aws_id(text: &str, prefix: &str) -> bool {
    let rest = text.strip_prefix(prefix).unwrap_or_default();
    !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn validate_enums(config: &Config, violations: &mut Vec<Violation>) {
    let lists = [
        (
            &config.connection_mode,
            AttributeId::ConnectionMode,
            &["Default", "InitiatorOnly", "ResponderOnly"][..],
            "Default, InitiatorOnly, ResponderOnly",
        ),
        (
            &config.startup_action,
            AttributeId::StartupAction,
            &["start", "add"][..],
            "start, add",
        ),
        (
            &config.dpd_action,
            AttributeId::DpdAction,
            &["restart", "clear", "none"][..],
            "restart, clear, none",
        ),
        (
            &config.bandwidth,
            AttributeId::Bandwidth,
            &["standard", "large"][..],
            "standard, large",
        ),
        (
            &config.key_storage,
            AttributeId::KeyStorage,
            &["Standard", "SecretsManager"][..],
            "Standard, SecretsManager",
        ),
        (
            &config.on_create_failure,
            AttributeId::OnCreateFailure,
            &["keep", "rollback"][..],
            "keep, rollback",
        ),
        (
            &config.generation,
            AttributeId::Generation,
            &["Generation1", "Generation2"][..],
            "Generation1, Generation2",
        ),
    ];
    for (word, field, list, allowed) in lists {
        if let Attr::Known(given) = word
            && !list.contains(&given.as_str())
        {
            violations.push(Violation::error(
                field,
                ViolationKind::NotOneOf {
                    given: given.clone(),
                    allowed,
                },
            ));
        }
    }
}

fn validate_numbers(config: &Config, violations: &mut Vec<Violation>) {
    let ranges = [
        (
            &config.slot,
            AttributeId::Slot,
            0,
            i64::from(Slot::COUNT) - 1,
            "",
        ),
        (
            &config.azure_dpd_seconds,
            AttributeId::AzureDpdSeconds,
            9,
            3_600,
            " seconds",
        ),
        (
            &config.aws_dpd_seconds,
            AttributeId::AwsDpdSeconds,
            30,
            3_600,
            " seconds",
        ),
        (
            &config.azure_asn,
            AttributeId::AzureAsn,
            1,
            4_294_967_294,
            "",
        ),
        (&config.aws_asn, AttributeId::AwsAsn, 1, 4_294_967_294, ""),
    ];
    for (number, field, least, most, unit) in ranges {
        if let Attr::Known(given) = *number
            && !(least..=most).contains(&given)
        {
            violations.push(Violation::error(
                field,
                ViolationKind::OutOfRange {
                    given,
                    least,
                    most,
                    unit,
                },
            ));
        }
    }
}

fn validate_cidr(
    text: &Attr<String>,
    field: AttributeId,
    violations: &mut Vec<Violation>,
) -> Option<Ipv4Net> {
    let text = text.known()?;
    match parse_cidr(text) {
        Some(net) => Some(net),
        None => {
            violations.push(Violation::error(
                field,
                ViolationKind::InvalidCidr(text.clone()),
            ));
            None
        }
    }
}

/// A network without host bits.
pub fn parse_cidr(text: &str) -> Option<Ipv4Net> {
    text.parse::<Ipv4Net>()
        .ok()
        .filter(|net| net.addr() == net.network())
}

fn validate_gateway_subnet_size(
    text: &Attr<String>,
    field: &AttributeId,
    violations: &mut Vec<Violation>,
) {
    if let Some(net) = text.known().and_then(|text| parse_cidr(text)) {
        violations.extend(gateway_subnet_size(net, field));
    }
}

/// /29 is the least that Azure takes for a gateway subnet; below /27 it warns.
pub fn gateway_subnet_size(net: Ipv4Net, field: &AttributeId) -> Option<Violation> {
    match net.prefix_len() {
        30.. => Some(Violation::error(
            field.clone(),
            ViolationKind::GatewaySubnetTooSmall(net.to_string()),
        )),
        28..=29 => Some(Violation::warning(
            field.clone(),
            ViolationKind::GatewaySubnetSmall(net.to_string()),
        )),
        _ => None,
    }
}

fn validate_virtual_network(config: &VirtualNetworkConfig, violations: &mut Vec<Violation>) {
    if let Attr::Known(name) = &config.name
        && let Err(violation) = check_network_name(name, 2, 64)
    {
        violations.push(Violation::error(
            AttributeId::NetworkName,
            ViolationKind::Name(violation),
        ));
    }
    let mut space = Vec::new();
    let mut space_known = false;
    if let Attr::Known(prefixes) = &config.address_space {
        space_known = prefixes.iter().all(|p| p.known().is_some());
        space.extend(
            prefixes
                .iter()
                .filter_map(|p| validate_cidr(p, AttributeId::AddressSpace, violations)),
        );
        violations.extend(check_space(&space, &AttributeId::AddressSpace));
        if prefixes.is_empty() {
            violations.push(Violation::error(
                AttributeId::AddressSpace,
                ViolationKind::MissingRequired("At least one address range is required"),
            ));
        }
    }
    let mut subnets: Vec<(AttributeId, Ipv4Net)> = Vec::new();
    if let Some(net) = validate_cidr(
        &config.gateway_subnet_prefix,
        AttributeId::NetworkGatewaySubnet,
        violations,
    ) {
        violations.extend(gateway_subnet_size(net, &AttributeId::NetworkGatewaySubnet));
        subnets.push((AttributeId::NetworkGatewaySubnet, net));
    }
    for (name, prefix) in config.subnets.known().into_iter().flatten() {
        if name.eq_ignore_ascii_case("GatewaySubnet") {
            violations.push(Violation::error(
                AttributeId::Subnet(name.clone()),
                ViolationKind::GatewaySubnetMisnamed,
            ));
        } else if let Err(violation) = check_network_name(name, 1, 80) {
            violations.push(Violation::error(
                AttributeId::Subnet(name.clone()),
                ViolationKind::Name(violation),
            ));
        }
        if config
            .subnets
            .known()
            .into_iter()
            .flatten()
            .any(|(other, _)| other < name && other.eq_ignore_ascii_case(name))
        {
            violations.push(Violation::error(
                AttributeId::Subnet(name.clone()),
                ViolationKind::DuplicateSubnet(name.clone()),
            ));
        }
        if let Some(net) = validate_cidr(prefix, AttributeId::Subnet(name.clone()), violations) {
            violations.extend(check_azure_size(net, &AttributeId::Subnet(name.clone())));
            subnets.push((AttributeId::Subnet(name.clone()), net));
        }
    }
    for (at, (field, net)) in subnets.iter().enumerate() {
        if space_known && !space.is_empty() && !space.iter().any(|whole| whole.contains(net)) {
            let whole = space
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", ");
            violations.push(Violation::error(
                field.clone(),
                ViolationKind::NotWithin {
                    subnet: net.to_string(),
                    whole,
                },
            ));
        }
        if let Some((_, other)) = subnets
            .iter()
            .take(at)
            .find(|(_, other)| overlaps(*net, *other))
        {
            let problem = ViolationKind::SubnetsOverlap(other.to_string(), net.to_string());
            violations.push(Violation::error(field.clone(), problem));
        }
    }
}

fn validate_vpc(config: &VpcConfig, violations: &mut Vec<Violation>) {
    let whole = validate_cidr(&config.cidr, AttributeId::VpcCidr, violations);
    let subnet = validate_cidr(&config.public_subnet, AttributeId::PublicSubnet, violations);
    for (net, field) in [
        (whole, AttributeId::VpcCidr),
        (subnet, AttributeId::PublicSubnet),
    ] {
        violations.extend(net.and_then(|net| check_reserved(net, &field)));
        // EC2: a VPC or subnet is a /16 to /28.
        if let Some(net) = net
            && !(16..=28).contains(&net.prefix_len())
        {
            let given = i64::from(net.prefix_len());
            violations.push(Violation::error(
                field,
                ViolationKind::OutOfRange {
                    given,
                    least: 16,
                    most: 28,
                    unit: " bits of prefix",
                },
            ));
        }
    }
    if let (Some(whole), Some(subnet)) = (whole, subnet)
        && !whole.contains(&subnet)
    {
        let problem = ViolationKind::NotWithin {
            subnet: subnet.to_string(),
            whole: whole.to_string(),
        };
        violations.push(Violation::error(AttributeId::PublicSubnet, problem));
    }
}

fn validate_inside_cidrs(cidrs: &PerTunnel<Attr<String>>, violations: &mut Vec<Violation>) {
    let mut observed: Vec<(TunnelKey, InsideCidr)> = Vec::new();
    for (key, text) in cidrs.iter() {
        let Attr::Known(text) = text else { continue };
        match InsideCidr::parse(text) {
            Err(violation) => violations.push(Violation::error(
                AttributeId::InsideCidr(key),
                ViolationKind::Cidr(violation),
            )),
            Ok(cidr) => match observed.iter().find(|(_, other)| *other == cidr) {
                Some((other, _)) => {
                    let problem = ViolationKind::DuplicateInsideCidr {
                        cidr: cidr.to_string(),
                        other: *other,
                    };
                    violations.push(Violation::error(AttributeId::InsideCidr(key), problem));
                }
                None => observed.push((key, cidr)),
            },
        }
    }
}

fn validate_preshared_keys(config: &Config, violations: &mut Vec<Violation>) {
    for (key, given) in config.preshared_keys.iter() {
        if let Attr::Known(Some(violation)) = given {
            violations.push(Violation::error(
                AttributeId::PresharedKey(key),
                ViolationKind::Key(key, *violation),
            ));
        }
    }
}

/// Elements without a value would be dropped, and appear as a difference at every plan.
fn validate_null_elements(config: &Config, violations: &mut Vec<Violation>) {
    let network = config.network.known();
    let lists = [
        (AttributeId::Zones, config.zones.known()),
        (AttributeId::RouteTables, config.route_tables.known()),
        (
            AttributeId::AddressSpace,
            network.and_then(|network| network.address_space.known()),
        ),
    ];
    let missing = |field| {
        Violation::error(
            field,
            ViolationKind::MissingRequired(
                "Null is not allowed here: set a value, or remove the element",
            ),
        )
    };
    let lists = lists
        .into_iter()
        .filter(|(_, list)| list.is_some_and(|list| list.iter().any(Attr::is_null)));
    violations.extend(lists.map(|(field, _)| missing(field)));
    let subnets = network
        .and_then(|network| network.subnets.known())
        .into_iter()
        .flatten();
    let subnets = subnets.filter(|(_, prefix)| prefix.is_null());
    violations.extend(subnets.map(|(name, _)| missing(AttributeId::Subnet(name.clone()))));
}

/// Azure numbers the logical zones of a region from 1 to 3.
fn validate_zones(config: &Config, violations: &mut Vec<Violation>) {
    let zones = config
        .zones
        .known()
        .into_iter()
        .flatten()
        .filter_map(Attr::known);
    let wrong = zones.filter(|zone| !matches!(zone.as_bytes(), [b'1'..=b'3']));
    violations.extend(wrong.map(|zone| {
        Violation::error(AttributeId::Zones, ViolationKind::InvalidZone(zone.clone()))
    }));
}

fn validate_tags(config: &Config, violations: &mut Vec<Violation>) {
    let Some(tags) = config.tags.known() else {
        return;
    };
    for (key, value) in tags {
        // A value that is not known yet is checked by apply.
        if let Some(violation) = check_tag(key, value.known().map_or("", String::as_str)) {
            violations.push(Violation::error(
                AttributeId::Tag(key.clone()),
                ViolationKind::Tag(violation),
            ));
        }
    }
    violations.extend(
        check_keys(tags.keys())
            .map(|violation| Violation::error(AttributeId::Tags, ViolationKind::Tag(violation))),
    );
}

/// Shorter limits end every operation before its first call, longer ones are a mistake in the unit.
const SHORTEST_TIMEOUT: Duration = Duration::from_secs(1);
const LONGEST_TIMEOUT: Duration = Duration::from_secs(7 * 24 * 3_600);

fn validate_timeouts(config: &Config, violations: &mut Vec<Violation>) {
    for (name, text) in config
        .timeouts
        .iter()
        .filter_map(|(name, text)| Some((name, text.known()?)))
    {
        let problem = match parse_duration(text) {
            None => ViolationKind::InvalidDuration(text.clone()),
            Some(duration) if !(SHORTEST_TIMEOUT..=LONGEST_TIMEOUT).contains(&duration) => {
                ViolationKind::Timeout(text.clone())
            }
            Some(_) => continue,
        };
        violations.push(Violation::error(
            AttributeId::Timeout(name.clone()),
            problem,
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validate_asns_of_both_clouds() {
        assert!(is_valid_azure_asn(65_515) && !is_valid_aws_asn(65_515));
        assert!(
            is_valid_azure_asn(65_000)
                && is_valid_aws_asn(64_512)
                && is_valid_aws_asn(4_200_000_000)
        );
        assert!(
            !is_valid_azure_asn(23_456) && !is_valid_azure_asn(65_540) && !is_valid_aws_asn(7_224)
        );
    }
}
