//! A connection's `ipsecPolicies`: none or one, all eight fields, each a word that the service
//! knows.

use super::errors::{ApiError, unrecorded};
use super::resource::text;
use serde_json::Value;

const GCM: [&str; 3] = ["GCMAES128", "GCMAES192", "GCMAES256"];

/// Field and the words allowed in it.
const WORDS: [(&str, &[&str]); 6] = [
    (
        "ipsecEncryption",
        &[
            "None",
            "DES",
            "DES3",
            "AES128",
            "AES192",
            "AES256",
            "GCMAES128",
            "GCMAES192",
            "GCMAES256",
        ],
    ),
    (
        "ipsecIntegrity",
        &[
            "MD5",
            "SHA1",
            "SHA256",
            "GCMAES128",
            "GCMAES192",
            "GCMAES256",
        ],
    ),
    (
        "ikeEncryption",
        &[
            "DES",
            "DES3",
            "AES128",
            "AES192",
            "AES256",
            "GCMAES128",
            "GCMAES256",
        ],
    ),
    (
        "ikeIntegrity",
        &["MD5", "SHA1", "SHA256", "SHA384", "GCMAES128", "GCMAES256"],
    ),
    (
        "dhGroup",
        &[
            "None",
            "DHGroup1",
            "DHGroup2",
            "DHGroup14",
            "DHGroup2048",
            "ECP256",
            "ECP384",
            "DHGroup24",
        ],
    ),
    (
        "pfsGroup",
        &[
            "None", "PFS1", "PFS2", "PFS2048", "PFS14", "ECP256", "ECP384", "PFS24", "PFSMM",
        ],
    ),
];

/// Field and its least and greatest value.
const NUMBERS: [(&str, u64, u64); 2] = [
    ("saLifeTimeSeconds", 300, 172_799),
    ("saDataSizeKilobytes", 1_024, 2_147_483_647),
];

pub(super) fn check(policies: &[Value]) -> Result<(), ApiError> {
    let policy = match policies {
        [] => return Ok(()),
        [policy] => policy,
        _ => return Err(unrecorded("ipsecPolicies: one policy is the most.")),
    };
    for (field, words) in WORDS {
        let word = policy.get(field).and_then(Value::as_str);
        if !word.is_some_and(|word| words.contains(&word)) {
            let got = policy.get(field).unwrap_or(&Value::Null);
            return Err(unrecorded(format!(
                "ipsecPolicies: {field} is {got}; it must be one of {}.",
                words.join(", ")
            )));
        }
    }
    for (field, least, most) in NUMBERS {
        if !policy
            .get(field)
            .and_then(Value::as_u64)
            .is_some_and(|n| (least..=most).contains(&n))
        {
            let got = policy.get(field).unwrap_or(&Value::Null);
            return Err(unrecorded(format!(
                "ipsecPolicies: {field} is {got}; it must be between {least} and {most}."
            )));
        }
    }
    let encryption = text(policy, "/ipsecEncryption").unwrap_or_default();
    let integrity = text(policy, "/ipsecIntegrity").unwrap_or_default();
    if (GCM.contains(&encryption) || GCM.contains(&integrity)) && encryption != integrity {
        return Err(unrecorded(format!(
            "ipsecPolicies: with GCM the same algorithm and key length must be given for ipsecEncryption and \
             ipsecIntegrity, not {encryption} and {integrity}."
        )));
    }
    Ok(())
}
