//! Values that contradict each other once every attribute has its effective value.

use super::asn::{is_valid_aws_asn, is_valid_azure_asn};
use super::sku::generations;
use crate::config::{Attr, Config};
use crate::rekeying::{ACCELERATED_IPSEC_MIN, AZURE_IKE_SECONDS, RekeyOrderError, check_lifetimes};
use crate::tunnel_logs::check_region;
use crate::violation::{AttributeId, Severity, Violation, ViolationKind};

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
    /// Acceleration or the IPsec policy changes, or the link is new.
    pub rekeying: bool,
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
    if let (Attr::Known(logs), Attr::Known(region)) = (&config.logs, &config.region) {
        violations.extend(check_region(logs, region));
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
    let routing = [
        (
            config.transit_association.is_set(),
            AttributeId::TransitAssociation,
        ),
        (
            config.transit_propagations.is_set(),
            AttributeId::TransitPropagations,
        ),
    ];
    for (_, attribute) in routing.into_iter().filter(|(is_set, _)| *is_set) {
        if config.transit_gateway_id.is_null() {
            violations.push(Violation::error(
                attribute,
                ViolationKind::RequiresTransitGateway,
            ));
        }
    }
    if config.acceleration == Attr::Known(true) {
        if config.transit_gateway_id.is_null() {
            violations.push(Violation::error(
                AttributeId::Acceleration,
                ViolationKind::RequiresTransitGateway,
            ));
        } else {
            validate_rekeying(config, changed, &mut violations);
        }
    }
    violations
}

/// Azure has to rekey accelerated tunnels. A link that exists with other lifetimes is only warned,
/// so that it can still be changed in other respects.
fn validate_rekeying(config: &Config, changed: ChangedParts, violations: &mut Vec<Violation>) {
    let mode = config.connection_mode.known().map(String::as_str);
    if changed.acceleration {
        if mode == Some("ResponderOnly") {
            violations.push(Violation::warning(
                AttributeId::Acceleration,
                ViolationKind::NoRekeyInitiator,
            ));
        }
        violations.push(Violation::warning(
            AttributeId::Acceleration,
            ViolationKind::UncertainIkeRekey,
        ));
    }
    let Attr::Known(policy) = &config.policy else {
        return;
    };
    let seconds = |given: &Attr<i64>, default: u32| {
        let given = given.known().and_then(|it| u32::try_from(*it).ok());
        given.unwrap_or(default)
    };
    let fault = if policy
        .preset
        .known()
        .is_some_and(|it| it == "cloud_default")
    {
        Err(RekeyOrderError::CloudDefault)
    } else {
        check_lifetimes(
            seconds(&policy.ike_lifetime_seconds, AZURE_IKE_SECONDS),
            seconds(&policy.ipsec_lifetime_seconds, ACCELERATED_IPSEC_MIN),
        )
    };
    let Err(fault) = fault else { return };
    let field = match fault {
        RekeyOrderError::IkeLifetime(_) => "ike_lifetime_seconds",
        RekeyOrderError::IpsecLifetime(_) => "ipsec_lifetime_seconds",
        RekeyOrderError::CloudDefault => "preset",
    };
    violations.push(Violation {
        attribute: AttributeId::Policy(field),
        kind: ViolationKind::RekeyOrder(fault),
        severity: if changed.rekeying {
            Severity::Error
        } else {
            Severity::Warning
        },
    });
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
                Severity::Error
            } else {
                Severity::Warning
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
