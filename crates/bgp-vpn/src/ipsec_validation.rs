//! Validation of an IPsec policy without a call to a cloud.

use super::config::{Attr, IpsecPolicyConfig};
use super::ipsec::{DhGroup, Encryption, Integrity, IpsecParameters, Preset};
use super::violation::{AttributeId, Violation, ViolationKind};
use std::str::FromStr;

/// Adds the violations of a configured policy.
pub fn validate_ipsec_policy(config: &IpsecPolicyConfig, violations: &mut Vec<Violation>) {
    fn parse_algorithm<T: FromStr<Err = super::ipsec::UnsupportedAlgorithm>>(
        given: &Attr<String>,
        name: &'static str,
        violations: &mut Vec<Violation>,
    ) -> Option<T> {
        given.known().and_then(|text| match text.parse::<T>() {
            Ok(value) => Some(value),
            Err(violation) => {
                violations.push(Violation::error(
                    AttributeId::Policy(name),
                    ViolationKind::UnsupportedAlgorithm(violation.to_string()),
                ));
                None
            }
        })
    }
    fn parse_dh_group(
        given: &Attr<i64>,
        name: &'static str,
        violations: &mut Vec<Violation>,
    ) -> Option<DhGroup> {
        let number = *given.known()?;
        let group = u32::try_from(number).ok().and_then(DhGroup::from_number);
        if group.is_none() {
            let problem = ViolationKind::NotOneOf {
                given: number.to_string(),
                allowed: "2, 14, 19, 20, 24",
            };
            violations.push(Violation::error(AttributeId::Policy(name), problem));
        }
        group
    }
    let seconds = |given: &Attr<i64>| given.known().map(|n| u32::try_from(*n).unwrap_or_default());
    let preset: Option<Preset> = parse_algorithm(&config.preset, "preset", violations);
    let super::ipsec::IpsecPolicy::Explicit(strong) = Preset::Strong.policy() else {
        return;
    };
    let any_field = [
        &config.ike_encryption,
        &config.ike_integrity,
        &config.ipsec_encryption,
        &config.ipsec_integrity,
    ]
    .iter()
    .any(|g| g.known().is_some())
        || [
            &config.dh_group,
            &config.pfs_group,
            &config.ike_lifetime_seconds,
            &config.ipsec_lifetime_seconds,
        ]
        .iter()
        .any(|g| g.known().is_some());
    if preset == Some(Preset::CloudDefault) && any_field {
        violations.push(Violation::error(
            AttributeId::Policy("preset"),
            ViolationKind::PolicyFieldsWithCloudDefault,
        ));
    }
    let encryption: Option<Encryption> =
        parse_algorithm(&config.ipsec_encryption, "ipsec_encryption", violations);
    let integrity: Option<Integrity> =
        parse_algorithm(&config.ipsec_integrity, "ipsec_integrity", violations);
    let ike = seconds(&config.ike_lifetime_seconds);
    let ipsec = seconds(&config.ipsec_lifetime_seconds);
    let _: Option<Encryption> =
        parse_algorithm(&config.ike_encryption, "ike_encryption", violations);
    let _: Option<Integrity> = parse_algorithm(&config.ike_integrity, "ike_integrity", violations);
    parse_dh_group(&config.dh_group, "dh_group", violations);
    parse_dh_group(&config.pfs_group, "pfs_group", violations);
    // Fields that are not set get a value with which the others can be checked.
    let mut pinned = IpsecParameters {
        ipsec_integrity: Integrity::Sha256,
        ..strong
    };
    pinned.ike_lifetime_seconds = ike.unwrap_or(28_800);
    pinned.ipsec_lifetime_seconds = ipsec.unwrap_or(900);
    if let (Some(encryption), Some(integrity)) = (encryption, integrity) {
        (pinned.ipsec_encryption, pinned.ipsec_integrity) = (encryption, integrity);
    }
    if let Err(violation) = pinned.check() {
        use super::ipsec::IpsecPolicyError::{
            IkeLifetime, IpsecIntegrity, IpsecLifetime, LifetimesCrossed,
        };
        let field = match violation {
            IkeLifetime(_) => "ike_lifetime_seconds",
            IpsecLifetime(_) | LifetimesCrossed { .. } => "ipsec_lifetime_seconds",
            IpsecIntegrity => "ipsec_integrity",
        };
        violations.push(Violation::error(
            AttributeId::Policy(field),
            ViolationKind::Policy(violation),
        ));
    }
}
