//! The options of one tunnel, and which values EC2 accepts. Only what was set explicitly is kept
//! and echoed.

use super::errors::ApiError;
use super::query::Params;
use super::xml::Xml;
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;

/// A pre-shared key. Its Debug form shows nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(pub String);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// A numeric option: parameter, element, least, most.
const NUMBERS: [(&str, &str, u32, u32); 6] = [
    (
        "Phase1LifetimeSeconds",
        "phase1LifetimeSeconds",
        900,
        28_800,
    ),
    ("Phase2LifetimeSeconds", "phase2LifetimeSeconds", 900, 3_600),
    (
        "RekeyMarginTimeSeconds",
        "rekeyMarginTimeSeconds",
        60,
        1_800,
    ),
    ("RekeyFuzzPercentage", "rekeyFuzzPercentage", 0, 100),
    ("ReplayWindowSize", "replayWindowSize", 64, 2_048),
    ("DPDTimeoutSeconds", "dpdTimeoutSeconds", 30, u32::MAX),
];
/// An option with few words: parameter, element, words.
const WORDS: [(&str, &str, &[&str]); 2] = [
    (
        "DPDTimeoutAction",
        "dpdTimeoutAction",
        &["clear", "none", "restart"],
    ),
    ("StartupAction", "startupAction", &["add", "start"]),
];
const ENCRYPTION: &[&str] = &["AES128", "AES256", "AES128-GCM-16", "AES256-GCM-16"];
const INTEGRITY: &[&str] = &["SHA1", "SHA2-256", "SHA2-384", "SHA2-512"];
const PHASE1_GROUPS: &[&str] = &[
    "2", "14", "15", "16", "17", "18", "19", "20", "21", "22", "23", "24", "35",
];
const PHASE2_GROUPS: &[&str] = &[
    "2", "5", "14", "15", "16", "17", "18", "19", "20", "21", "22", "23", "24", "35", "36", "37",
];
/// A list option: parameter, element, members.
const LISTS: [(&str, &str, &[&str]); 7] = [
    (
        "Phase1EncryptionAlgorithm",
        "phase1EncryptionAlgorithmSet",
        ENCRYPTION,
    ),
    (
        "Phase2EncryptionAlgorithm",
        "phase2EncryptionAlgorithmSet",
        ENCRYPTION,
    ),
    (
        "Phase1IntegrityAlgorithm",
        "phase1IntegrityAlgorithmSet",
        INTEGRITY,
    ),
    (
        "Phase2IntegrityAlgorithm",
        "phase2IntegrityAlgorithmSet",
        INTEGRITY,
    ),
    (
        "Phase1DHGroupNumber",
        "phase1DHGroupNumberSet",
        PHASE1_GROUPS,
    ),
    (
        "Phase2DHGroupNumber",
        "phase2DHGroupNumberSet",
        PHASE2_GROUPS,
    ),
    ("IKEVersion", "ikeVersionSet", &["ikev1", "ikev2"]),
];
/// Members of `LogOptions.CloudWatchLogOptions`: parameter and element. A switch, a group and a
/// format each.
const LOGS: [(&str, &str); 6] = [
    ("LogEnabled", "logEnabled"),
    ("LogGroupArn", "logGroupArn"),
    ("LogOutputFormat", "logOutputFormat"),
    ("BgpLogEnabled", "bgpLogEnabled"),
    ("BgpLogGroupArn", "bgpLogGroupArn"),
    ("BgpLogOutputFormat", "bgpLogOutputFormat"),
];
/// Blocks of 169.254.0.0/16 that EC2 keeps for itself, by their first address's last two bytes.
const RESERVED: [(u8, u8); 7] = [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (169, 252)];

/// What was set explicitly, by parameter name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TunnelOptions {
    pub inside_cidr: Option<Ipv4Net>,
    pub pre_shared_key: Option<Key>,
    numbers: BTreeMap<String, u32>,
    words: BTreeMap<String, String>,
    lists: BTreeMap<String, Vec<String>>,
    logs: BTreeMap<String, String>,
    lifecycle_control: Option<bool>,
}

impl TunnelOptions {
    /// Reads the options under that prefix (`Options.TunnelOptions.1.`, `TunnelOptions.`), each on
    /// its own.
    pub fn read(params: &Params, prefix: &str) -> Result<Self, ApiError> {
        let mut options = TunnelOptions::default();
        if let Some(text) = params.get(&format!("{prefix}TunnelInsideCidr")) {
            options.inside_cidr = Some(inside_cidr(text)?);
        }
        if let Some(text) = params.get(&format!("{prefix}PreSharedKey")) {
            options.pre_shared_key = Some(pre_shared_key(text)?);
        }
        for (name, _, least, most) in NUMBERS {
            if let Some(value) = params.parsed::<u32>(&format!("{prefix}{name}"))? {
                if !(least..=most).contains(&value) {
                    return Err(ApiError::value(
                        name,
                        &value.to_string(),
                        &format!("The range is {least} to {most}."),
                    ));
                }
                options.numbers.insert(name.to_owned(), value);
            }
        }
        for (name, _, words) in WORDS {
            if let Some(value) = params.get(&format!("{prefix}{name}")) {
                if !words.contains(&value) {
                    return Err(ApiError::value(
                        name,
                        value,
                        &format!("Valid values: {}.", words.join(", ")),
                    ));
                }
                options.words.insert(name.to_owned(), value.to_owned());
            }
        }
        for (name, _, members) in LISTS {
            let values = params.values(&format!("{prefix}{name}"));
            if let Some(wrong) = values.iter().find(|value| !members.contains(value)) {
                return Err(ApiError::value(
                    name,
                    wrong,
                    &format!("Valid values: {}.", members.join(", ")),
                ));
            }
            if !values.is_empty() {
                options.lists.insert(
                    name.to_owned(),
                    values.into_iter().map(str::to_owned).collect(),
                );
            }
        }
        for (name, _) in LOGS {
            let parameter = format!("{prefix}LogOptions.CloudWatchLogOptions.{name}");
            let Some(value) = params.get(&parameter) else {
                continue;
            };
            if name.ends_with("Enabled") {
                let on = params.flag(&parameter)?.unwrap_or(false);
                options.logs.insert(name.to_owned(), on.to_string());
                continue;
            }
            if name.ends_with("Format") && !matches!(value, "json" | "text") {
                return Err(ApiError::value(name, value, "Valid values: json, text."));
            }
            if name.ends_with("Arn") && !is_log_group(value) {
                return Err(ApiError::value(
                    name,
                    value,
                    "This is not a valid log group ARN.",
                ));
            }
            options.logs.insert(name.to_owned(), value.to_owned());
        }
        options.lifecycle_control =
            params.flag(&format!("{prefix}EnableTunnelLifecycleControl"))?;
        if params.any(&format!("{prefix}Phase1AdditionalKeyExchange."))
            || params.any(&format!("{prefix}Phase2AdditionalKeyExchange."))
        {
            return Err(ApiError::new(
                "UnsupportedOperation",
                "Additional key exchanges are not available in this region.",
            ));
        }
        Ok(options)
    }

    /// Takes over what `changes` sets and leaves the rest.
    pub fn merge(&mut self, changes: TunnelOptions) {
        self.inside_cidr = changes.inside_cidr.or(self.inside_cidr);
        self.pre_shared_key = changes.pre_shared_key.or(self.pre_shared_key.take());
        self.numbers.extend(changes.numbers);
        self.words.extend(changes.words);
        self.lists.extend(changes.lists);
        self.logs.extend(changes.logs);
        self.lifecycle_control = changes.lifecycle_control.or(self.lifecycle_control);
    }

    /// What must hold between options. `customer_ip`: whether the customer gateway has an address
    /// to dial.
    pub fn check(&self, customer_ip: bool) -> Result<(), ApiError> {
        let (phase1, phase2) = (
            self.number("Phase1LifetimeSeconds"),
            self.number("Phase2LifetimeSeconds"),
        );
        if phase2.unwrap_or(PHASE2_LIFETIME) > phase1.unwrap_or(PHASE1_LIFETIME)
            || phase1.is_some() && phase1 == phase2
        {
            return Err(ApiError::new(
                "InvalidParameterValue",
                "The phase 2 lifetime must be less than the phase 1 lifetime.",
            ));
        }
        let half = phase2.unwrap_or(PHASE2_LIFETIME) / 2;
        if let Some(margin) = self
            .number("RekeyMarginTimeSeconds")
            .filter(|margin| *margin > half)
        {
            let why = format!("The range is 60 to half of the phase 2 lifetime, {half}.");
            return Err(ApiError::value(
                "RekeyMarginTimeSeconds",
                &margin.to_string(),
                &why,
            ));
        }
        if self.startup_action() == "start" {
            if !customer_ip {
                return Err(ApiError::combination(
                    "StartupAction start needs a customer gateway with an IP address.",
                ));
            }
            if self
                .list("IKEVersion")
                .first()
                .is_some_and(|only| only == "ikev1")
                && self.list("IKEVersion").len() == 1
            {
                return Err(ApiError::combination(
                    "StartupAction start is supported for IKEv2 only.",
                ));
            }
        }
        for (enabled, group) in [
            ("LogEnabled", "LogGroupArn"),
            ("BgpLogEnabled", "BgpLogGroupArn"),
        ] {
            if self.logs.get(enabled).is_some_and(|on| on == "true")
                && !self.logs.contains_key(group)
            {
                return Err(ApiError::missing(group));
            }
        }
        Ok(())
    }

    /// Whether nothing but the lifecycle control is set.
    pub fn only_lifecycle_control(&self) -> bool {
        self.lifecycle_control.is_some()
            && *self
                == TunnelOptions {
                    lifecycle_control: self.lifecycle_control,
                    ..TunnelOptions::default()
                }
    }

    pub fn is_empty(&self) -> bool {
        *self == TunnelOptions::default()
    }

    pub fn number(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    pub fn list(&self, name: &str) -> &[String] {
        self.lists.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    pub fn groups(&self, name: &str) -> Vec<u32> {
        self.list(name)
            .iter()
            .filter_map(|group| group.parse().ok())
            .collect()
    }

    pub fn startup_action(&self) -> &str {
        self.words
            .get("StartupAction")
            .map_or("add", String::as_str)
    }

    pub fn dpd_timeout_action(&self) -> &str {
        self.words
            .get("DPDTimeoutAction")
            .map_or("clear", String::as_str)
    }

    /// Everything but the inside CIDR and the key, which the connection writes.
    pub fn write(&self, xml: &mut Xml) {
        for (name, element, _, _) in NUMBERS {
            xml.maybe(element, self.numbers.get(name));
        }
        for (name, element, _) in WORDS {
            xml.maybe(element, self.words.get(name));
        }
        for (name, element, _) in LISTS {
            if let Some(values) = self.lists.get(name) {
                xml.set(element, values, |xml, value| xml.text("value", value));
            }
        }
        if !self.logs.is_empty() {
            xml.nest("logOptions", |xml| {
                xml.nest("cloudWatchLogOptions", |xml| {
                    for (name, element) in LOGS {
                        xml.maybe(element, self.logs.get(name));
                    }
                });
            });
        }
        xml.maybe("enableTunnelLifecycleControl", self.lifecycle_control);
    }
}

fn is_log_group(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(7, ':').collect();
    let known = matches!(parts.as_slice(), ["arn", _, "logs", region, account, "log-group", name]
        if !region.is_empty() && account.len() == 12 && !name.is_empty());
    known && arn.starts_with("arn:aws")
}

pub const PHASE1_LIFETIME: u32 = 28_800;
pub const PHASE2_LIFETIME: u32 = 3_600;
pub const REKEY_MARGIN: u32 = 270;
pub const REKEY_FUZZ: u32 = 100;
pub const DPD_TIMEOUT: u32 = 30;

/// A /30 of 169.254.0.0/16 that EC2 does not keep for itself.
pub fn inside_cidr(text: &str) -> Result<Ipv4Net, ApiError> {
    let refuse = |why: &str| ApiError::value("TunnelInsideCidr", text, why);
    let cidr: Ipv4Net = text
        .parse()
        .map_err(|_| refuse("This is not a valid CIDR block."))?;
    let [a, b, ..] = cidr.network().octets();
    if cidr.prefix_len() != 30 || cidr.trunc() != cidr || (a, b) != (169, 254) {
        return Err(refuse(
            "A size /30 CIDR block from the 169.254.0.0/16 range is required.",
        ));
    }
    if reserved(cidr.network()) {
        return Err(refuse("This CIDR block is reserved and cannot be used."));
    }
    Ok(cidr)
}

/// Whether the /30 that begins there is one of EC2's own.
pub fn reserved(first: Ipv4Addr) -> bool {
    let [_, _, c, d] = first.octets();
    RESERVED.contains(&(c, d))
}

fn pre_shared_key(text: &str) -> Result<Key, ApiError> {
    let known = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
    if !(8..=64).contains(&text.len()) || text.starts_with('0') || !text.chars().all(known) {
        // The refused key itself is left out of the message.
        return Err(ApiError::new(
            "InvalidParameterValue",
            "Invalid value for parameter PreSharedKey. Allowed characters are alphanumeric characters and ._. \
             Must be between 8 and 64 characters in length and cannot start with zero (0).",
        ));
    }
    Ok(Key(text.to_owned()))
}
