//! Which end of a tunnel renews its keys, in seconds.
//!
//! The end whose timer runs out first starts. A plain link leaves it to AWS: AWS's phase 2 ends after
//! 900 to 3,600 s and its phase 1 after 27,000 s, Azure's after 27,000 s and 28,800 s.
//!
//! On an accelerated link AWS requires that the customer gateway device, here Azure, starts: "IKE
//! rekeys for accelerated VPN tunnels must be initiated from the customer gateway device to keep the
//! tunnels up" (AWS Site-to-Site VPN user guide, 2026-11).
//!
//! | phase | AWS lifetime | earliest rekey by AWS | Azure lifetime | |
//! |---|---|---|---|---|
//! | 2 | L, 1,200 to 3,600 | L - 540 | L - 900, at least 300 | Azure has 360 s to start and finish |
//! | 1 | 28,800, the maximum | 28,260 | 28,800, fixed | not guaranteed |
//!
//! AWS starts at a random time between the margin and the margin plus fuzz before the end:
//! 270 s * (100 % + 100 %) = 540 s by its defaults, which the link does not change. It is not
//! documented how long before its own end Azure starts, so its whole lifetime counts. In phase 1 that
//! is later than AWS's earliest start, and no setting of either cloud changes it. AWS's lifetime is
//! the longest possible there.

use crate::ipsec::{IpsecParameters, IpsecPolicy};

/// Azure's default IPsec lifetime, well above AWS's 3,600 s, so that AWS alone rekeys.
const AZURE_SA_SECONDS: u32 = 27_000;
/// AWS's IKE lifetime below Azure's 28,800 s, so that AWS alone rekeys.
const AWS_IKE_SECONDS: u32 = 27_000;
/// Azure's fixed IKE lifetime, and AWS's longest.
pub const AZURE_IKE_SECONDS: u32 = 28_800;
/// AWS's default `RekeyMarginTimeSeconds` and `RekeyFuzzPercentage`.
pub const AWS_REKEY_MARGIN_SECONDS: u32 = 270;
pub const AWS_REKEY_FUZZ_PERCENT: u32 = 100;
/// How long before the end of an SA AWS may start: 540 s.
const AWS_WINDOW: u32 = AWS_REKEY_MARGIN_SECONDS * (100 + AWS_REKEY_FUZZ_PERCENT) / 100;
/// What Azure gets to start and to finish, retransmissions included.
const AZURE_HEADROOM: u32 = 360;
/// Azure's shortest `saLifeTimeSeconds`.
const AZURE_SA_MIN: u32 = 300;
/// AWS's shortest phase 2 lifetime before which Azure can still rekey: 1,200 s.
pub const ACCELERATED_IPSEC_MIN: u32 = AZURE_SA_MIN + AWS_WINDOW + AZURE_HEADROOM;

/// AWS's default IKE lifetime.
pub fn default_ike_lifetime(accelerated: bool) -> u32 {
    if accelerated {
        AZURE_IKE_SECONDS
    } else {
        AWS_IKE_SECONDS
    }
}

/// Azure's `saLifeTimeSeconds` next to AWS's phase 2 lifetime.
pub fn azure_sa_seconds(aws_lifetime: u32, accelerated: bool) -> u32 {
    if accelerated {
        aws_lifetime
            .saturating_sub(AWS_WINDOW + AZURE_HEADROOM)
            .max(AZURE_SA_MIN)
    } else {
        AZURE_SA_SECONDS
    }
}

/// Why the policy of an accelerated link lets AWS rekey first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RekeyOrderError {
    #[error(
        "With ike_lifetime_seconds = {0}, AWS would initiate the rekey first, because Azure's IKE lifetime is fixed at 28800 s. Use 28800"
    )]
    IkeLifetime(u32),
    #[error(
        "With ipsec_lifetime_seconds = {0}, AWS could initiate the rekey first. AWS may rekey up to 540 s before its lifetime ends. Azure's \
         lifetime is at least 300 s, and a rekey may take 360 s. Use at least 1200, the sum of these"
    )]
    IpsecLifetime(u32),
    #[error(
        "With preset = \"cloud_default\", AWS would initiate the rekey first, because its IPsec lifetime is 3600 s and Azure's is 27000 s. Use another preset"
    )]
    CloudDefault,
}

/// Checks that Azure rekeys first on an accelerated link.
///
/// # Errors
/// The first lifetime that lets AWS start.
pub fn check_accelerated(policy: &IpsecPolicy) -> Result<(), RekeyOrderError> {
    let IpsecPolicy::Explicit(IpsecParameters {
        ike_lifetime_seconds: ike,
        ipsec_lifetime_seconds: ipsec,
        ..
    }) = *policy
    else {
        return match policy {
            IpsecPolicy::CloudDefault => Err(RekeyOrderError::CloudDefault),
            _ => Ok(()),
        };
    };
    check_lifetimes(ike, ipsec)
}

/// The same for AWS's lifetimes of phase 1 and phase 2.
///
/// # Errors
/// As `check_accelerated`.
pub fn check_lifetimes(ike: u32, ipsec: u32) -> Result<(), RekeyOrderError> {
    if ike < AZURE_IKE_SECONDS {
        return Err(RekeyOrderError::IkeLifetime(ike));
    }
    if ipsec < ACCELERATED_IPSEC_MIN {
        return Err(RekeyOrderError::IpsecLifetime(ipsec));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipsec::Preset;

    /// Azure's lifetime is over, with its headroom, before AWS may start, for every lifetime that the
    /// rule accepts.
    #[test]
    fn azure_rekeys_ipsec_first_on_accelerated_links() {
        let IpsecPolicy::Explicit(strong) = Preset::Strong.policy_for(true) else {
            unreachable!()
        };
        for lifetime in 900..=3_600 {
            let policy = IpsecPolicy::Explicit(IpsecParameters {
                ipsec_lifetime_seconds: lifetime,
                ..strong
            });
            let azure = policy.azure(true).map(|azure| azure.sa_life_time_seconds);
            let azure = azure.unwrap_or_default();
            let first = azure >= 300 && azure + 360 <= lifetime.saturating_sub(2 * 270);
            assert_eq!(
                check_accelerated(&policy).is_ok(),
                first,
                "{lifetime}: {azure}"
            );
        }
        assert_eq!(azure_sa_seconds(3_600, true), 2_700);
        assert_eq!(azure_sa_seconds(3_600, false), 27_000);
    }

    #[test]
    fn reject_policies_that_let_aws_rekey_first() {
        let plain = Preset::Strong.policy_for(false);
        assert_eq!(
            check_accelerated(&plain),
            Err(RekeyOrderError::IkeLifetime(27_000))
        );
        assert_eq!(
            check_accelerated(&IpsecPolicy::CloudDefault),
            Err(RekeyOrderError::CloudDefault)
        );
        assert_eq!(check_accelerated(&IpsecPolicy::Unmanaged), Ok(()));
        for preset in [Preset::Strong, Preset::Compatible] {
            let accelerated = preset.policy_for(true);
            assert_eq!(check_accelerated(&accelerated), Ok(()));
            assert_eq!(accelerated.preset(), Some(preset));
        }
    }
}
