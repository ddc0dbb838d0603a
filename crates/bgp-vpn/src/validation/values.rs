//! Values that are valid or not by themselves: enumerations, numbers, zones, durations, pre-shared keys, and elements without a value.

use crate::config::{Attr, Config};
use crate::inside_cidr::Slot;
use crate::types::parse_duration;
use crate::violation::{AttributeId, Violation, ViolationKind};
use std::time::Duration;

pub(super) fn validate_enums(config: &Config, violations: &mut Vec<Violation>) {
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

pub(super) fn validate_numbers(config: &Config, violations: &mut Vec<Violation>) {
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

pub(super) fn validate_preshared_keys(config: &Config, violations: &mut Vec<Violation>) {
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
pub(super) fn validate_null_elements(config: &Config, violations: &mut Vec<Violation>) {
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
pub(super) fn validate_zones(config: &Config, violations: &mut Vec<Violation>) {
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

/// Shorter limits end every operation before its first call, longer ones are a mistake in the unit.
const SHORTEST_TIMEOUT: Duration = Duration::from_secs(1);

const LONGEST_TIMEOUT: Duration = Duration::from_secs(7 * 24 * 3_600);

pub(super) fn validate_timeouts(config: &Config, violations: &mut Vec<Violation>) {
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
