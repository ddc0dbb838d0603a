//! The address plan and the policy: each a choice with single fields that override it.

use super::defaults::PlanInputs;
use super::model::read_config;
use super::planned::{Place, PlannedState};
use crate::aws::model::{LOG_FORMAT, LogGroup, Logs};
use bgp_vpn::config::{Attr, AttributeId, Config, IpsecPolicyConfig, TunnelLogsConfig};
use bgp_vpn::inside_cidr::{InsideCidr, Slot};
use bgp_vpn::ipsec::{DhGroup, Encryption, Integrity, IpsecParameters, IpsecPolicy, Preset};
use bgp_vpn::tunnel::{PerTunnel, TunnelKey};
use terraform_plugin::Value;

/// Attributes of `ipsec_policy` other than `preset`.
pub const POLICY_FIELDS: [&str; 8] = [
    "ike_encryption",
    "ike_integrity",
    "dh_group",
    "ipsec_encryption",
    "ipsec_integrity",
    "pfs_group",
    "ike_lifetime_seconds",
    "ipsec_lifetime_seconds",
];

/// `slot` and `inside_cidrs`: a configured slot gives every network that is not configured; without
/// one they stay as last applied, and a new link takes slot 0.
pub fn default_inside_cidrs(inputs: &PlanInputs<'_, '_>, draft: &mut PlannedState<'_>) {
    let slot = &draft.config.slot;
    let of_slot = match slot {
        Attr::Null => Some(Slot::default()),
        Attr::Unknown => None,
        Attr::Known(number) => u64::try_from(*number).ok().and_then(Slot::new),
    };
    for key in TunnelKey::ALL {
        let id = AttributeId::InsideCidr(key);
        let last = inputs.last_applied(&id).filter(|_| slot.is_null());
        let planned = of_slot.map(|slot| Value::from(slot.inside_cidrs().get(key).to_string()));
        draft.fill(&id, last.or(planned).unwrap_or_else(Value::unknown));
    }
    let value = match inside_cidrs(&read_config(&draft.planned)) {
        Some(cidrs) => Slot::of(&cidrs).map(Slot::number).into(),
        None => Value::unknown(),
    };
    draft.fill(&AttributeId::Slot, value);
}

/// The four inside networks of a state or plan; None where one is unknown or none at all.
pub fn inside_cidrs(config: &Config) -> Option<PerTunnel<InsideCidr>> {
    let read = |key: TunnelKey| InsideCidr::parse(config.inside_cidrs.get(key).known()?).ok();
    let [a, b, c, d] = TunnelKey::ALL.map(read);
    let all = [a?, b?, c?, d?];
    Some(PerTunnel::from_fn(|key| {
        let [first, ..] = all;
        all.into_iter().nth(key.index()).unwrap_or(first)
    }))
}

/// `azure.zones`: existing public IPs keep theirs, regardless of the configuration; of others, the
/// create finds out.
pub fn default_zones(inputs: &PlanInputs<'_, '_>, draft: &mut PlannedState<'_>) {
    let zones = AttributeId::Zones;
    let Some(prior) = inputs.prior.filter(|prior| prior.has_public_ips()) else {
        return draft.fill(&zones, Value::unknown());
    };
    let (exist, path) = (prior.at(&zones), zones.path());
    draft.fill(&zones, exist.clone());
    // Azure may move addresses between zones. What was accepted once is no change.
    if exist.is_set() && inputs.private.applied.at(&path) == draft.at(&zones) {
        draft.planned.set_at(&path, exist.clone());
    }
}

/// `ipsec_policy`: a configured preset gives every field that is not configured; without one they
/// stay as last applied, and a new link is strong. The IKE lifetime follows the acceleration.
pub fn default_policy(inputs: &PlanInputs<'_, '_>, draft: &mut PlannedState<'_>) {
    let policy = &draft.config.policy;
    let preset = policy.as_ref().and_then(|policy| policy.preset.as_ref());
    let fields = POLICY_FIELDS.map(AttributeId::Policy);
    let configured = fields.iter().any(|field| draft.configured(field).is_set());
    let doubtful = fields
        .iter()
        .any(|field| !draft.configured(field).is_known());
    let last = last_policy(inputs);
    let accelerated = draft.at(&AttributeId::Acceleration).as_bool() == Some(true);
    let is_doubtful = !draft.at(&AttributeId::Acceleration).is_known();
    let fields_of = |preset: Preset| preset_fields(preset, accelerated, is_doubtful);
    let was_accelerated = inputs
        .prior
        .is_some_and(|prior| prior.acceleration == Attr::Known(true));
    if preset.is_null()
        && !configured
        && !doubtful
        && last.as_ref().is_some_and(IpsecPolicyConfig::is_unmanaged)
    {
        for field in &fields {
            draft.fill(field, Value::Null);
        }
        draft.fill(&AttributeId::Policy("preset"), Value::Null);
        return;
    }
    let last_preset = last
        .as_ref()
        .and_then(|last| last.preset.known()?.parse::<Preset>().ok());
    let base: Option<[Value; 8]> = if !preset.is_null() {
        preset
            .known()
            .and_then(|text| text.parse::<Preset>().ok())
            .map(fields_of)
    } else if last_preset == Some(Preset::CloudDefault) && configured {
        Some(fields_of(Preset::Strong))
    } else if last_preset == Some(Preset::CloudDefault) {
        (!doubtful).then(|| policy_fields(&IpsecPolicy::CloudDefault))
    } else {
        let mut strong = fields_of(Preset::Strong).into_iter();
        let follows_acceleration = |field: &AttributeId| {
            *field == AttributeId::Policy("ike_lifetime_seconds")
                && (accelerated || was_accelerated || is_doubtful)
        };
        Some(fields.each_ref().map(|field| {
            let default = strong.next().unwrap_or_default();
            let last = inputs.last_applied(field);
            last.filter(|_| !follows_acceleration(field))
                .unwrap_or(default)
        }))
    };
    let values = base.unwrap_or_else(|| POLICY_FIELDS.map(|_| Value::unknown()));
    for (field, value) in fields.iter().zip(values) {
        draft.fill(field, value);
    }
    let policy = read_config(&draft.planned).policy;
    let known = |field: &AttributeId| draft.at(field).is_known();
    let value = match read_policy(&policy) {
        // No field and no preset by now: cloud_default, as last applied.
        Some(IpsecPolicy::Unmanaged) => Preset::CloudDefault.to_string().into(),
        Some(policy) => policy.preset().map(|preset| preset.to_string()).into(),
        None if !policy.is_unknown() && fields.iter().all(known) => Value::Null,
        None => Value::unknown(),
    };
    draft.fill(&AttributeId::Policy("preset"), value);
}

/// The fields of a preset. If it is not known yet whether the link is accelerated, the lifetime that
/// depends on it is unknown.
fn preset_fields(preset: Preset, accelerated: bool, is_doubtful: bool) -> [Value; 8] {
    let fields = policy_fields(&preset.policy_for(accelerated));
    let mut others = policy_fields(&preset.policy_for(!accelerated)).into_iter();
    fields.map(|value| match others.next() {
        Some(other) if is_doubtful && other != value => Value::unknown(),
        _ => value,
    })
}

/// The policy as last applied, else as the state has it; None for a new link.
fn last_policy(inputs: &PlanInputs<'_, '_>) -> Option<IpsecPolicyConfig> {
    let prior = inputs.prior?;
    let applied = read_config(&inputs.private.applied).policy;
    let last = if applied.is_set() {
        applied
    } else {
        prior.policy.clone()
    };
    last.known().cloned()
}

/// Attributes of `aws.logs`: a log's group and its format.
const LOGS: [(&str, &str); 2] = [
    ("log_group_arn", "format"),
    ("bgp_log_group_arn", "bgp_format"),
];

/// `aws.logs`: an object says all of it, so a log without a group is off; without one it stays as
/// last applied, and a new link has none.
pub fn default_logs(inputs: &PlanInputs<'_, '_>, draft: &mut PlannedState<'_>) {
    let configured = &draft.config.logs;
    if configured.is_null() {
        draft.fill(
            &AttributeId::TunnelLogs,
            inputs
                .last_applied(&AttributeId::TunnelLogs)
                .unwrap_or_else(|| logs_value(&Logs::default())),
        );
    }
    let Attr::Known(configured) = configured else {
        return;
    };
    for ((_, format), group) in LOGS
        .into_iter()
        .zip([&configured.group, &configured.bgp_group])
    {
        let format = AttributeId::Logs(format);
        let value = match inputs.last_applied(&format) {
            _ if group.is_null() => Value::Null,
            _ if group.is_unknown() => Value::unknown(),
            last => last.unwrap_or_else(|| LOG_FORMAT.into()),
        };
        draft.fill(&format, value);
    }
}

/// `aws.logs` as an object; one that is null throughout is off.
pub fn logs_value(logs: &Logs) -> Value {
    let kinds = LOGS.into_iter().zip([&logs.tunnel, &logs.bgp]);
    Value::object(kinds.flat_map(|((group, format), log)| {
        let log = log.as_ref();
        let arn = Value::from(log.map(|log| log.arn.clone()));
        [
            (group, arn),
            (format, Value::from(log.map(|log| log.format.clone()))),
        ]
    }))
}

/// What an `aws.logs` says.
pub fn read_logs(logs: &Attr<TunnelLogsConfig>) -> Logs {
    let Attr::Known(logs) = logs else {
        return Logs::default();
    };
    let log = |group: &Attr<String>, format: &Attr<String>| {
        Some(LogGroup {
            arn: group.known()?.clone(),
            format: format.known().map_or(LOG_FORMAT, String::as_str).to_owned(),
        })
    };
    Logs {
        tunnel: log(&logs.group, &logs.format),
        bgp: log(&logs.bgp_group, &logs.bgp_format),
    }
}

/// Values of the fields, in the order of [`POLICY_FIELDS`]; null for `cloud_default`.
pub fn policy_fields(policy: &IpsecPolicy) -> [Value; 8] {
    let IpsecPolicy::Explicit(p) = policy else {
        return POLICY_FIELDS.map(|_| Value::Null);
    };
    [
        p.ike_encryption.to_string().into(),
        p.ike_integrity.to_string().into(),
        p.dh_group.number().into(),
        p.ipsec_encryption.to_string().into(),
        p.ipsec_integrity.to_string().into(),
        p.pfs_group.number().into(),
        p.ike_lifetime_seconds.into(),
        p.ipsec_lifetime_seconds.into(),
    ]
}

/// The policy that the fields of an `ipsec_policy` describe; None where one is unknown or wrong.
pub fn read_policy(policy: &Attr<IpsecPolicyConfig>) -> Option<IpsecPolicy> {
    let policy = match policy {
        Attr::Null => return Some(IpsecPolicy::CloudDefault),
        Attr::Unknown => return None,
        Attr::Known(policy) => policy,
    };
    if policy.is_unmanaged() {
        return Some(IpsecPolicy::Unmanaged);
    }
    if policy.has_no_parameters() {
        return Some(IpsecPolicy::CloudDefault);
    }
    let number = |number: &Attr<i64>| u32::try_from(*number.known()?).ok();
    Some(IpsecPolicy::Explicit(IpsecParameters {
        ike_encryption: policy.ike_encryption.known()?.parse::<Encryption>().ok()?,
        ike_integrity: policy.ike_integrity.known()?.parse::<Integrity>().ok()?,
        dh_group: DhGroup::from_number(number(&policy.dh_group)?)?,
        ipsec_encryption: policy
            .ipsec_encryption
            .known()?
            .parse::<Encryption>()
            .ok()?,
        ipsec_integrity: policy.ipsec_integrity.known()?.parse::<Integrity>().ok()?,
        pfs_group: DhGroup::from_number(number(&policy.pfs_group)?)?,
        ike_lifetime_seconds: number(&policy.ike_lifetime_seconds)?,
        ipsec_lifetime_seconds: number(&policy.ipsec_lifetime_seconds)?,
    }))
}
