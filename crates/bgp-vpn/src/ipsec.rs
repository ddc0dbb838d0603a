//! One IPsec policy, written in AWS's words and compiled for both clouds, so that the two ends
//! cannot disagree.

use crate::aws::Phase;
use crate::azure::model::IpsecPolicy as AzurePolicy;
use crate::rekeying::{azure_sa_seconds, default_ike_lifetime};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What each end proposes and accepts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IpsecPolicy {
    /// Both clouds keep their own defaults. They agree on weak algorithms at best (`docs/guides`).
    CloudDefault,
    Explicit(IpsecParameters),
    /// The settings of an imported link that cannot be written as one policy: not changed.
    /// Recreated objects use the defaults of their cloud.
    Unmanaged,
}

/// Exactly one value for each choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IpsecParameters {
    pub ike_encryption: Encryption,
    pub ike_integrity: Integrity,
    pub dh_group: DhGroup,
    pub ipsec_encryption: Encryption,
    pub ipsec_integrity: Integrity,
    pub pfs_group: DhGroup,
    /// AWS's phase 1 lifetime; Azure's is fixed at 28,800 s.
    pub ike_lifetime_seconds: u32,
    /// AWS's phase 2 lifetime. Azure's follows from it (`rekeying`).
    pub ipsec_lifetime_seconds: u32,
}

/// A named policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Preset {
    Strong,
    Compatible,
    CloudDefault,
}

macro_rules! cloud_enum {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $aws:literal / $azure:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $name { $($variant),* }

        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant),*];

            pub fn aws(self) -> &'static str {
                match self { $($name::$variant => $aws),* }
            }

            pub fn azure(self) -> &'static str {
                match self { $($name::$variant => $azure),* }
            }
        }

        impl FromStr for $name {
            type Err = UnsupportedAlgorithm;

            fn from_str(text: &str) -> Result<Self, UnsupportedAlgorithm> {
                $name::ALL.iter().copied().find(|v| v.aws() == text).ok_or_else(|| UnsupportedAlgorithm {
                    given: text.to_owned(),
                    known: $name::ALL.iter().map(|v| v.aws()).collect(),
                })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.aws())
            }
        }
    };
}

cloud_enum! {
    /// Encryption of IKE or ESP: AWS's word / Azure's word.
    Encryption {
        Aes128 = "AES128" / "AES128",
        Aes256 = "AES256" / "AES256",
        Aes128Gcm = "AES128-GCM-16" / "GCMAES128",
        Aes256Gcm = "AES256-GCM-16" / "GCMAES256",
    }
}

cloud_enum! {
    /// Integrity, or the PRF where the encryption is GCM.
    Integrity {
        Sha1 = "SHA1" / "SHA1",
        Sha256 = "SHA2-256" / "SHA256",
        Sha384 = "SHA2-384" / "SHA384",
    }
}

cloud_enum! {
    /// Diffie-Hellman group by IANA number; Azure's word is that of the IKE field.
    DhGroup {
        Modp1024 = "2" / "DHGroup2",
        Modp2048 = "14" / "DHGroup14",
        Ecp256 = "19" / "ECP256",
        Ecp384 = "20" / "ECP384",
        Modp2048s256 = "24" / "DHGroup24",
    }
}

impl DhGroup {
    pub fn number(self) -> u32 {
        match self {
            DhGroup::Modp1024 => 2,
            DhGroup::Modp2048 => 14,
            DhGroup::Ecp256 => 19,
            DhGroup::Ecp384 => 20,
            DhGroup::Modp2048s256 => 24,
        }
    }

    pub fn from_number(number: u32) -> Option<Self> {
        DhGroup::ALL.iter().copied().find(|g| g.number() == number)
    }

    /// Azure's word in `pfsGroup`. `PFS14` is in its enum but not in its documented table:
    /// `PFS2048` is the same group.
    pub fn azure_pfs(self) -> &'static str {
        match self {
            DhGroup::Modp1024 => "PFS2",
            DhGroup::Modp2048 => "PFS2048",
            DhGroup::Ecp256 => "ECP256",
            DhGroup::Ecp384 => "ECP384",
            DhGroup::Modp2048s256 => "PFS24",
        }
    }
}

/// An algorithm that one of the two clouds does not support.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not supported by both clouds: use one of {}", known.join(", "))]
pub struct UnsupportedAlgorithm {
    pub given: String,
    pub known: Vec<&'static str>,
}

/// A combination that one of the clouds refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IpsecPolicyError {
    #[error("ike_lifetime_seconds must be 900 to 28800, not {0}")]
    IkeLifetime(u32),
    #[error("ipsec_lifetime_seconds must be 900 to 3600, not {0}")]
    IpsecLifetime(u32),
    #[error("ipsec_lifetime_seconds ({ipsec}) must be less than ike_lifetime_seconds ({ike})")]
    LifetimesCrossed { ike: u32, ipsec: u32 },
    #[error(
        "Azure does not accept SHA2-384 for IPsec: use SHA1 or SHA2-256, or AES-GCM encryption, which includes integrity"
    )]
    IpsecIntegrity,
}

/// Azure's largest SA volume: its default of 102,400,000 KB is spent in under an hour above 233
/// Mbit/s, and Azure would rekey too.
const AZURE_SA_KILOBYTES: u32 = 2_147_483_647;

impl Preset {
    pub const ALL: [Preset; 3] = [Preset::Strong, Preset::Compatible, Preset::CloudDefault];

    pub fn policy(self) -> IpsecPolicy {
        self.policy_for(false)
    }

    /// The policy of an accelerated link differs in the IKE lifetime of AWS.
    pub fn policy_for(self, accelerated: bool) -> IpsecPolicy {
        let pinned = |integrity, dh, esp, esp_integrity| {
            IpsecPolicy::Explicit(IpsecParameters {
                ike_encryption: Encryption::Aes256,
                ike_integrity: integrity,
                dh_group: dh,
                ipsec_encryption: esp,
                ipsec_integrity: esp_integrity,
                pfs_group: dh,
                ike_lifetime_seconds: default_ike_lifetime(accelerated),
                ipsec_lifetime_seconds: 3_600,
            })
        };
        match self {
            Preset::Strong => pinned(
                Integrity::Sha384,
                DhGroup::Ecp384,
                Encryption::Aes256Gcm,
                Integrity::Sha384,
            ),
            Preset::Compatible => pinned(
                Integrity::Sha256,
                DhGroup::Modp2048,
                Encryption::Aes256,
                Integrity::Sha256,
            ),
            Preset::CloudDefault => IpsecPolicy::CloudDefault,
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Preset::Strong => "strong",
            Preset::Compatible => "compatible",
            Preset::CloudDefault => "cloud_default",
        })
    }
}

impl FromStr for Preset {
    type Err = UnsupportedAlgorithm;

    fn from_str(text: &str) -> Result<Self, UnsupportedAlgorithm> {
        Preset::ALL
            .into_iter()
            .find(|p| p.to_string() == text)
            .ok_or_else(|| UnsupportedAlgorithm {
                given: text.to_owned(),
                known: vec!["strong", "compatible", "cloud_default"],
            })
    }
}

impl Encryption {
    fn is_gcm(self) -> bool {
        matches!(self, Encryption::Aes128Gcm | Encryption::Aes256Gcm)
    }
}

impl IpsecParameters {
    /// # Errors
    /// The first rule of either cloud that the combination breaks.
    pub fn check(&self) -> Result<(), IpsecPolicyError> {
        if !(900..=28_800).contains(&self.ike_lifetime_seconds) {
            return Err(IpsecPolicyError::IkeLifetime(self.ike_lifetime_seconds));
        }
        if !(900..=3_600).contains(&self.ipsec_lifetime_seconds) {
            return Err(IpsecPolicyError::IpsecLifetime(self.ipsec_lifetime_seconds));
        }
        if self.ipsec_lifetime_seconds >= self.ike_lifetime_seconds {
            let (ike, ipsec) = (self.ike_lifetime_seconds, self.ipsec_lifetime_seconds);
            return Err(IpsecPolicyError::LifetimesCrossed { ike, ipsec });
        }
        if self.ipsec_integrity == Integrity::Sha384 && !self.ipsec_encryption.is_gcm() {
            return Err(IpsecPolicyError::IpsecIntegrity);
        }
        Ok(())
    }
}

impl IpsecPolicy {
    /// Phase 1 and phase 2 as EC2 takes them. The defaults are written out in full, since EC2
    /// cannot unset a list.
    pub fn aws(&self) -> (Phase, Phase) {
        match self {
            IpsecPolicy::CloudDefault | IpsecPolicy::Unmanaged => aws_defaults(),
            IpsecPolicy::Explicit(p) => {
                let phase = |encryption: Encryption,
                             integrity: Integrity,
                             group: DhGroup,
                             lifetime| Phase {
                    encryption: vec![encryption.aws().to_owned()],
                    integrity: vec![integrity.aws().to_owned()],
                    dh_groups: vec![group.number()],
                    lifetime_seconds: Some(lifetime),
                };
                (
                    phase(
                        p.ike_encryption,
                        p.ike_integrity,
                        p.dh_group,
                        p.ike_lifetime_seconds,
                    ),
                    phase(
                        p.ipsec_encryption,
                        p.ipsec_integrity,
                        p.pfs_group,
                        p.ipsec_lifetime_seconds,
                    ),
                )
            }
        }
    }

    /// `ipsecPolicies[0]`; None leaves Azure its defaults. On an accelerated link Azure rekeys.
    pub fn azure(&self, accelerated: bool) -> Option<AzurePolicy> {
        let IpsecPolicy::Explicit(p) = self else {
            return None;
        };
        // Azure wants the GCM word in both ESP fields; for IKE too its integrity field takes the
        // PRF's own word.
        let ipsec_integrity = if p.ipsec_encryption.is_gcm() {
            p.ipsec_encryption.azure()
        } else {
            p.ipsec_integrity.azure()
        };
        Some(AzurePolicy {
            sa_life_time_seconds: azure_sa_seconds(p.ipsec_lifetime_seconds, accelerated),
            sa_data_size_kilobytes: AZURE_SA_KILOBYTES,
            ipsec_encryption: p.ipsec_encryption.azure().to_owned(),
            ipsec_integrity: ipsec_integrity.to_owned(),
            ike_encryption: p.ike_encryption.azure().to_owned(),
            ike_integrity: p.ike_integrity.azure().to_owned(),
            dh_group: p.dh_group.azure().to_owned(),
            pfs_group: p.pfs_group.azure_pfs().to_owned(),
        })
    }

    /// The policy that AWS's explicit options describe, if this program could have written them.
    pub fn read_aws(phase1: &Phase, phase2: &Phase) -> Option<IpsecPolicy> {
        let (default1, default2) = aws_defaults();
        if is_default(phase1, &default1) && is_default(phase2, &default2) {
            return Some(IpsecPolicy::CloudDefault);
        }
        Some(IpsecPolicy::Explicit(IpsecParameters {
            ike_encryption: single(&phase1.encryption)?.parse().ok()?,
            ike_integrity: single(&phase1.integrity)?.parse().ok()?,
            dh_group: DhGroup::from_number(*single(&phase1.dh_groups)?)?,
            ipsec_encryption: single(&phase2.encryption)?.parse().ok()?,
            ipsec_integrity: single(&phase2.integrity)?.parse().ok()?,
            pfs_group: DhGroup::from_number(*single(&phase2.dh_groups)?)?,
            ike_lifetime_seconds: phase1.lifetime_seconds.unwrap_or(28_800),
            ipsec_lifetime_seconds: phase2.lifetime_seconds.unwrap_or(3_600),
        }))
    }

    /// The preset whose policy this is, of a plain or an accelerated link.
    pub fn preset(&self) -> Option<Preset> {
        Preset::ALL
            .into_iter()
            .find(|preset| [false, true].map(|it| preset.policy_for(it)).contains(self))
    }
}

fn single<T>(list: &[T]) -> Option<&T> {
    if let [one] = list { Some(one) } else { None }
}

/// Whether a phase says nothing but AWS's defaults, be it by silence or in full.
pub fn is_default(phase: &Phase, default: &Phase) -> bool {
    let same =
        |have: &[String], all: &[String]| have.is_empty() || all.iter().all(|w| have.contains(w));
    same(&phase.encryption, &default.encryption)
        && same(&phase.integrity, &default.integrity)
        && (phase.dh_groups.is_empty()
            || default
                .dh_groups
                .iter()
                .all(|g| phase.dh_groups.contains(g)))
        && phase
            .lifetime_seconds
            .is_none_or(|s| Some(s) == default.lifetime_seconds)
}

/// Every value that EC2 takes where none is named (CreateVpnConnection, tunnel options).
fn aws_defaults() -> (Phase, Phase) {
    let words = |list: &[&str]| list.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    let encryption = words(&["AES128", "AES256", "AES128-GCM-16", "AES256-GCM-16"]);
    let integrity = words(&["SHA1", "SHA2-256", "SHA2-384", "SHA2-512"]);
    let mut phase1_groups = vec![2];
    phase1_groups.extend(14..=24);
    let mut phase2_groups = vec![2, 5];
    phase2_groups.extend(14..=24);
    (
        Phase {
            encryption: encryption.clone(),
            integrity: integrity.clone(),
            dh_groups: phase1_groups,
            lifetime_seconds: Some(28_800),
        },
        Phase {
            encryption,
            integrity,
            dh_groups: phase2_groups,
            lifetime_seconds: Some(3_600),
        },
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn strong_policy_is_equal_in_both_clouds() {
        let (one, two) = Preset::Strong.policy().aws();
        assert_eq!(
            (one.encryption, one.integrity, one.dh_groups),
            (vec!["AES256".into()], vec!["SHA2-384".into()], vec![20])
        );
        assert_eq!(
            (two.encryption, two.dh_groups, two.lifetime_seconds),
            (vec!["AES256-GCM-16".into()], vec![20], Some(3600))
        );
        let azure = Preset::Strong.policy().azure(false).unwrap();
        assert_eq!(
            (
                azure.ike_encryption.as_str(),
                azure.ike_integrity.as_str(),
                azure.dh_group.as_str()
            ),
            ("AES256", "SHA384", "ECP384")
        );
        assert_eq!(
            (
                azure.ipsec_encryption.as_str(),
                azure.ipsec_integrity.as_str()
            ),
            ("GCMAES256", "GCMAES256")
        );
    }

    #[test]
    fn policy_round_trips_through_aws_options() {
        for preset in Preset::ALL {
            let (one, two) = preset.policy().aws();
            assert_eq!(IpsecPolicy::read_aws(&one, &two), Some(preset.policy()));
        }
        assert_eq!(
            IpsecPolicy::read_aws(&Phase::default(), &Phase::default()),
            Some(IpsecPolicy::CloudDefault)
        );
    }

    #[test]
    fn reject_policies_that_one_cloud_rejects() {
        let IpsecPolicy::Explicit(mut p) = Preset::Compatible.policy() else {
            unreachable!()
        };
        assert_eq!(p.check(), Ok(()));
        p.ipsec_integrity = Integrity::Sha384;
        assert_eq!(p.check(), Err(IpsecPolicyError::IpsecIntegrity));
        p.ipsec_lifetime_seconds = 27_000;
        assert_eq!(p.check(), Err(IpsecPolicyError::IpsecLifetime(27_000)));
    }
}
