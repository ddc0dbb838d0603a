//! The address plan and the policy: each a choice with single fields that override it.

use super::defaults::PlanInputs;
use super::planned::PlannedState;
use crate::aws::model::{LOG_FORMAT, LogGroup, Logs};
use bgp_vpn::inside_cidr::{InsideCidr, Slot};
use bgp_vpn::ipsec::{DhGroup, Encryption, Integrity, IpsecParameters, IpsecPolicy, Preset};
use bgp_vpn::tunnel::{Instance, PerTunnel, TunnelKey};
use terraform_plugin::{AttributePath, Value};

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
    let slot = draft.configured("slot");
    let of_slot = if slot.is_null() {
        Some(Slot::default())
    } else {
        slot.as_u64().and_then(Slot::new)
    };
    for key in TunnelKey::ALL {
        let path = format!("inside_cidrs.{key}");
        let last = inputs.last_applied(&path).filter(|_| slot.is_null());
        let planned = of_slot.map(|slot| Value::from(slot.inside_cidrs().get(key).to_string()));
        draft.fill(&path, last.or(planned).unwrap_or_else(Value::unknown));
    }
    let value = match inside_cidrs(&draft.planned) {
        Some(cidrs) => Slot::of(&cidrs).map(Slot::number).into(),
        None => Value::unknown(),
    };
    draft.fill("slot", value);
}

/// The four inside networks of a state or plan; None where one is unknown or none at all.
pub fn inside_cidrs(value: &Value) -> Option<PerTunnel<InsideCidr>> {
    let cidrs = value.get("inside_cidrs");
    let read = |key: TunnelKey| InsideCidr::parse(cidrs.get(&key.to_string()).as_str()?).ok();
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
    let Some(prior) = inputs.prior.filter(|prior| has_public_ips(prior)) else {
        return draft.fill("azure.zones", Value::unknown());
    };
    let (exist, path) = (
        prior.at(&"azure.zones".into()),
        AttributePath::from("azure.zones"),
    );
    draft.fill("azure.zones", exist.clone());
    // Azure may move addresses between zones. What was accepted once is no change.
    if exist.is_set() && inputs.private.applied.at(&path) == draft.at("azure.zones") {
        draft.planned.set_at(&path, exist.clone());
    }
}

/// Whether the gateway of a state exists with both public IPs. Addresses without it are recreated
/// where that is necessary.
pub fn has_public_ips(state: &Value) -> bool {
    let azure = state.get("azure");
    let ip = |instance: &Instance| {
        azure
            .get("public_ip_addresses")
            .get(&instance.to_string())
            .is_set()
    };
    azure.get("gateway_id").is_set() && Instance::ALL.iter().all(ip)
}

/// `ipsec_policy`: a configured preset gives every field that is not configured; without one they
/// stay as last applied, and a new link is strong.
pub fn default_policy(inputs: &PlanInputs<'_, '_>, draft: &mut PlannedState<'_>) {
    let preset = draft.configured("ipsec_policy.preset").clone();
    let fields = POLICY_FIELDS.map(|name| format!("ipsec_policy.{name}"));
    let configured = fields.iter().any(|path| draft.configured(path).is_set());
    let doubtful = fields.iter().any(|path| !draft.configured(path).is_known());
    if preset.is_null()
        && !configured
        && !doubtful
        && inputs
            .last_applied("ipsec_policy")
            .is_some_and(|last| is_unmanaged_policy(&last))
    {
        for path in &fields {
            draft.fill(path, Value::Null);
        }
        draft.fill("ipsec_policy.preset", Value::Null);
        return;
    }
    let last_preset = inputs
        .last_applied("ipsec_policy.preset")
        .and_then(|p| p.as_str()?.parse::<Preset>().ok());
    let base: Option<[Value; 8]> = if !preset.is_null() {
        preset
            .as_str()
            .and_then(|text| text.parse::<Preset>().ok())
            .map(|preset| policy_fields(&preset.policy()))
    } else if last_preset == Some(Preset::CloudDefault) && configured {
        Some(policy_fields(&Preset::Strong.policy()))
    } else if last_preset == Some(Preset::CloudDefault) {
        (!doubtful).then(|| policy_fields(&IpsecPolicy::CloudDefault))
    } else {
        let strong = policy_fields(&Preset::Strong.policy());
        let mut strong = strong.into_iter();
        Some(fields.each_ref().map(|path| {
            let default = strong.next().unwrap_or_default();
            inputs.last_applied(path).unwrap_or(default)
        }))
    };
    let values = base.unwrap_or_else(|| POLICY_FIELDS.map(|_| Value::unknown()));
    for (path, value) in fields.iter().zip(values) {
        draft.fill(path, value);
    }
    let policy = draft.at("ipsec_policy");
    let value = match read_policy(policy) {
        // No field and no preset by now: cloud_default, as last applied.
        Some(IpsecPolicy::Unmanaged) => Preset::CloudDefault.to_string().into(),
        Some(policy) => policy.preset().map(|preset| preset.to_string()).into(),
        None if policy.is_known()
            && POLICY_FIELDS.iter().all(|name| policy.get(name).is_known()) =>
        {
            Value::Null
        }
        None => Value::unknown(),
    };
    draft.fill("ipsec_policy.preset", value);
}

/// Attributes of `aws.logs`: a log's group and its format.
const LOGS: [(&str, &str); 2] = [
    ("log_group_arn", "format"),
    ("bgp_log_group_arn", "bgp_format"),
];

/// `aws.logs`: an object says all of it, so a log without a group is off; without one it stays as
/// last applied, and a new link has none.
pub fn default_logs(inputs: &PlanInputs<'_, '_>, draft: &mut PlannedState<'_>) {
    let configured = draft.configured("aws.logs").clone();
    if configured.is_null() {
        draft.fill(
            "aws.logs",
            inputs
                .last_applied("aws.logs")
                .unwrap_or_else(|| logs_value(&Logs::default())),
        );
    }
    if !configured.is_set() {
        return;
    }
    for (group, format) in LOGS {
        let path = format!("aws.logs.{format}");
        let group = configured.get(group);
        let value = match inputs.last_applied(&path) {
            _ if group.is_null() => Value::Null,
            _ if !group.is_known() => Value::unknown(),
            last => last.unwrap_or_else(|| LOG_FORMAT.into()),
        };
        draft.fill(&path, value);
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
pub fn read_logs(value: &Value) -> Logs {
    let [tunnel, bgp] = LOGS.map(|(group, format)| {
        let arn = value.get(group).as_str()?.to_owned();
        Some(LogGroup {
            arn,
            format: value.get(format).as_str().unwrap_or(LOG_FORMAT).to_owned(),
        })
    });
    Logs { tunnel, bgp }
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

/// Whether an `ipsec_policy` is that of an imported link which cannot be written as one policy:
/// known, and null throughout.
pub fn is_unmanaged_policy(value: &Value) -> bool {
    value.is_set()
        && value.get("preset").is_null()
        && POLICY_FIELDS.iter().all(|name| value.get(name).is_null())
}

/// The policy that the fields of an `ipsec_policy` describe; None where one is unknown or wrong.
pub fn read_policy(value: &Value) -> Option<IpsecPolicy> {
    if is_unmanaged_policy(value) {
        return Some(IpsecPolicy::Unmanaged);
    }
    if value.is_known() && POLICY_FIELDS.iter().all(|name| value.get(name).is_null()) {
        return Some(IpsecPolicy::CloudDefault);
    }
    let text = |name: &str| value.get(name).as_str();
    let number = |name: &str| value.get(name).as_u64().and_then(|n| u32::try_from(n).ok());
    Some(IpsecPolicy::Explicit(IpsecParameters {
        ike_encryption: text("ike_encryption")?.parse::<Encryption>().ok()?,
        ike_integrity: text("ike_integrity")?.parse::<Integrity>().ok()?,
        dh_group: DhGroup::from_number(number("dh_group")?)?,
        ipsec_encryption: text("ipsec_encryption")?.parse::<Encryption>().ok()?,
        ipsec_integrity: text("ipsec_integrity")?.parse::<Integrity>().ok()?,
        pfs_group: DhGroup::from_number(number("pfs_group")?)?,
        ike_lifetime_seconds: number("ike_lifetime_seconds")?,
        ipsec_lifetime_seconds: number("ipsec_lifetime_seconds")?,
    }))
}
