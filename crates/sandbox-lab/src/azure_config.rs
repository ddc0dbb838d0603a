//! An Azure end of a connection as an IKE daemon's set-up: the words of `ipsecPolicies` and of the
//! connection's mode. Nothing here is shared with `aws_config`.

use crate::charon::{Setup, Timer};
use awsazure_sandbox::dataplane::{AzureEndpoint, AzurePolicy};

/// Seconds after which Azure renews the IKE security association; no policy has a word for it.
const MAIN_MODE_SECONDS: u32 = 28_800;
/// A child's lifetime without a policy.
const QUICK_MODE_SECONDS: u32 = 27_000;

/// What Azure offers and takes without a policy: in main mode group 2 only, in quick mode with or
/// without a group.
const DEFAULT_IKE: &str = "aes256-aes128-sha256-sha384-sha1-modp1024";
const DEFAULT_ESP: [&str; 2] = [
    "aes256gcm16-aes128gcm16-modpnone-modp768-modp1024-modp1536-modp2048-modp2048s256",
    "aes256-aes128-sha256-sha1-modpnone-modp768-modp1024-modp1536-modp2048-modp2048s256",
];

pub(super) fn setup(end: &AzureEndpoint) -> Setup {
    let (ike, esp) = match &end.policy {
        Some(policy) => (
            ike(policy).into_iter().collect(),
            esp(policy).into_iter().collect(),
        ),
        None => (
            vec![DEFAULT_IKE.to_owned()],
            DEFAULT_ESP.map(str::to_owned).to_vec(),
        ),
    };
    let dials = end.connection_mode != "ResponderOnly";
    Setup {
        local: end.public_ip,
        remote: end.peer_ip,
        key: end.shared_key.clone(),
        version: 2,
        ike_proposals: ike,
        esp_proposals: esp,
        dials,
        on_silence: if dials { "restart" } else { "clear" },
        watches: true,
        ike: Timer::tenth(MAIN_MODE_SECONDS),
        child: Timer::tenth(
            end.policy
                .as_ref()
                .map_or(QUICK_MODE_SECONDS, |policy| policy.sa_life_time_seconds),
        ),
    }
}

/// Main mode; None for words that make no proposal.
fn ike(policy: &AzurePolicy) -> Option<String> {
    let cipher = cipher(&policy.ike_encryption)?;
    let integrity = integrity(&policy.ike_integrity)?;
    // With GCM the integrity word names the pseudo-random function.
    let integrity = if cipher.contains("gcm") {
        format!("prf{integrity}")
    } else {
        integrity.to_owned()
    };
    Some(format!("{cipher}-{integrity}-{}", group(&policy.dh_group)?))
}

/// Quick mode.
fn esp(policy: &AzurePolicy) -> Option<String> {
    let mut proposal = cipher(&policy.ipsec_encryption)?.to_owned();
    if !proposal.contains("gcm") {
        proposal = format!("{proposal}-{}", integrity(&policy.ipsec_integrity)?);
    }
    match policy.pfs_group.as_str() {
        "None" => Some(proposal),
        // The group of main mode.
        "PFSMM" => Some(format!("{proposal}-{}", group(&policy.dh_group)?)),
        own => Some(format!("{proposal}-{}", group(own)?)),
    }
}

fn cipher(word: &str) -> Option<&'static str> {
    Some(match word {
        "DES" => "des",
        "DES3" => "3des",
        "AES128" => "aes128",
        "AES192" => "aes192",
        "AES256" => "aes256",
        "GCMAES128" => "aes128gcm16",
        "GCMAES192" => "aes192gcm16",
        "GCMAES256" => "aes256gcm16",
        _ => return None,
    })
}

fn integrity(word: &str) -> Option<&'static str> {
    Some(match word {
        "MD5" => "md5",
        "SHA1" => "sha1",
        "SHA256" => "sha256",
        "SHA384" => "sha384",
        _ => return None,
    })
}

/// Words of `dhGroup` and of `pfsGroup`.
fn group(word: &str) -> Option<&'static str> {
    Some(match word {
        "DHGroup1" | "PFS1" => "modp768",
        "DHGroup2" | "PFS2" => "modp1024",
        "DHGroup14" | "DHGroup2048" | "PFS14" | "PFS2048" => "modp2048",
        "DHGroup24" | "PFS24" => "modp2048s256",
        "ECP256" => "ecp256",
        "ECP384" => "ecp384",
        _ => return None,
    })
}
