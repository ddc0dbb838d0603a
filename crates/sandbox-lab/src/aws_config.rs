//! An AWS tunnel endpoint as an IKE daemon's set-up: EC2's words for algorithms, groups and timers,
//! and back again. Nothing here is shared with `azure_config`, so that a word which either cloud
//! means otherwise fails to negotiate.

use crate::charon::{Setup, Timer};
use crate::vici::Section;
use awsazure_sandbox::dataplane::{Agreed, AwsEndpoint};

const CIPHERS: [(&str, &str); 2] = [("AES128", "aes128"), ("AES256", "aes256")];
const AEADS: [(&str, &str); 2] = [
    ("AES128-GCM-16", "aes128gcm16"),
    ("AES256-GCM-16", "aes256gcm16"),
];
const INTEGRITY: [(&str, &str); 4] = [
    ("SHA1", "sha1"),
    ("SHA2-256", "sha256"),
    ("SHA2-384", "sha384"),
    ("SHA2-512", "sha512"),
];
/// EC2's number, the keyword for a proposal, and the name in a list of security associations. Group
/// 5 serves phase 2 only. EC2 knows 35 to 37 as well (ML-KEM); this generation of strongSwan does
/// not.
const GROUPS: [(u32, &str, &str); 13] = [
    (2, "modp1024", "MODP_1024"),
    (5, "modp1536", "MODP_1536"),
    (14, "modp2048", "MODP_2048"),
    (15, "modp3072", "MODP_3072"),
    (16, "modp4096", "MODP_4096"),
    (17, "modp6144", "MODP_6144"),
    (18, "modp8192", "MODP_8192"),
    (19, "ecp256", "ECP_256"),
    (20, "ecp384", "ECP_384"),
    (21, "ecp521", "ECP_521"),
    (22, "modp1024s160", "MODP_1024_160"),
    (23, "modp2048s224", "MODP_2048_224"),
    (24, "modp2048s256", "MODP_2048_256"),
];

pub(super) fn setup(end: &AwsEndpoint) -> Setup {
    let phase1: Vec<u32> = if end.phase1_dh_groups.is_empty() {
        GROUPS
            .iter()
            .map(|(number, ..)| *number)
            .filter(|number| *number != 5)
            .collect()
    } else {
        end.phase1_dh_groups.clone()
    };
    let mut phase2 = groups(&end.phase2_dh_groups);
    if end.phase2_dh_groups.is_empty() {
        // Unpinned, it also rekeys without a key exchange, as Azure does by default.
        phase2.push("modpnone");
    }
    let timer = |life_seconds| Timer {
        life_seconds,
        margin_seconds: Some(end.rekey_margin_seconds),
        random_seconds: end.rekey_margin_seconds * end.rekey_fuzz_percent / 100,
    };
    let version = match end.ike_versions.as_slice() {
        [only] if only == "ikev1" => 1,
        _ => 2,
    };
    Setup {
        local: end.outside_ip,
        remote: end.peer_ip,
        key: end.pre_shared_key.clone(),
        version,
        // Without a group that strongSwan knows there is nothing to offer.
        ike_proposals: Some(groups(&phase1))
            .filter(|groups| !groups.is_empty())
            .map(|groups| {
                proposals(
                    &end.phase1_encryption,
                    &end.phase1_integrity,
                    "prf",
                    &groups,
                )
            })
            .unwrap_or_default(),
        esp_proposals: proposals(&end.phase2_encryption, &end.phase2_integrity, "", &phase2),
        // EC2 starts IKEv2 only.
        dials: end.startup_action == "start" && version == 2,
        on_silence: match end.dpd_timeout_action.as_str() {
            "restart" => "restart",
            _ => "clear",
        },
        watches: end.dpd_timeout_action != "none",
        ike: timer(end.phase1_lifetime_seconds),
        // strongSwan has no IKE association that expires without renewal.
        child: Timer {
            margin_seconds: (!end.accelerated).then_some(end.rekey_margin_seconds),
            ..timer(end.phase2_lifetime_seconds)
        },
    }
}

/// Keywords of the listed words, or of all where the list is empty.
fn keywords(listed: &[String], known: &[(&str, &'static str)]) -> Vec<&'static str> {
    let wanted = |word: &str| listed.is_empty() || listed.iter().any(|listed| listed == word);
    known
        .iter()
        .filter(|(word, _)| wanted(word))
        .map(|(_, keyword)| *keyword)
        .collect()
}

fn groups(numbers: &[u32]) -> Vec<&'static str> {
    let wanted = |number: u32| numbers.is_empty() || numbers.contains(&number);
    GROUPS
        .iter()
        .filter(|(number, ..)| wanted(*number))
        .map(|(_, keyword, _)| *keyword)
        .collect()
}

/// A proposal for all ciphers that need integrity, and one for those that bring it along: in phase
/// 1 the listed integrity is their pseudo-random function then.
fn proposals(
    encryption: &[String],
    integrity: &[String],
    prf: &str,
    groups: &[&str],
) -> Vec<String> {
    let integrity = keywords(integrity, &INTEGRITY);
    let mut proposals = Vec::new();
    let mut offer = |ciphers: Vec<&str>, integrity: Vec<String>| {
        let all: Vec<String> = ciphers
            .iter()
            .map(|c| (*c).to_owned())
            .chain(integrity)
            .chain(groups.iter().map(|g| (*g).to_owned()))
            .collect();
        if !ciphers.is_empty() {
            proposals.push(all.join("-"));
        }
    };
    offer(
        keywords(encryption, &CIPHERS),
        integrity.iter().map(|word| (*word).to_owned()).collect(),
    );
    let functions = integrity
        .iter()
        .filter(|_| !prf.is_empty())
        .map(|word| format!("{prf}{word}"))
        .collect();
    offer(keywords(encryption, &AEADS), functions);
    proposals
}

/// What the daemon negotiated, in EC2's words; None where it has none for it.
pub(super) fn agreed(ike: &Section, child: &Section) -> Option<Agreed> {
    let phase1_integrity = ike
        .get("integ-alg")
        .or_else(|| ike.get("prf-alg"))
        .and_then(integrity)?;
    Some(Agreed {
        phase1_encryption: encryption(ike)?,
        phase1_integrity,
        phase1_dh_group: group(ike)?,
        phase2_encryption: encryption(child)?,
        phase2_integrity: child.get("integ-alg").and_then(integrity),
        // The first child has none of its own.
        phase2_dh_group: group(child),
    })
}

fn encryption(sa: &Section) -> Option<String> {
    let size = sa.get("encr-keysize")?;
    match sa.get("encr-alg")? {
        "AES_CBC" => Some(format!("AES{size}")),
        "AES_GCM_16" => Some(format!("AES{size}-GCM-16")),
        _ => None,
    }
}

fn integrity(name: &str) -> Option<String> {
    let name = name.trim_start_matches("PRF_");
    let words = [
        ("SHA1", "SHA1"),
        ("SHA2_256", "SHA2-256"),
        ("SHA2_384", "SHA2-384"),
        ("SHA2_512", "SHA2-512"),
    ];
    let found = words
        .into_iter()
        .find(|(part, _)| name.starts_with(&format!("HMAC_{part}")));
    found.map(|(_, word)| word.to_owned())
}

fn group(sa: &Section) -> Option<u32> {
    let name = sa.get("dh-group")?;
    GROUPS
        .iter()
        .find(|(_, _, listed)| *listed == name)
        .map(|(number, ..)| *number)
}
