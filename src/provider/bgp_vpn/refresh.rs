//! Settings as the clouds have them: where all four tunnels or connections agree on something, an attribute shows it.

use super::default_options::{POLICY_FIELDS, is_unmanaged_policy, logs_value, policy_fields};
use super::planned::PlannedState;
use crate::aws::model::{RouteTableId, TunnelOptions, VpnConnection};
use crate::azure::model::{Connection, ConnectionMode, PublicIp};
use crate::link::compare::azure_policy_agrees;
use crate::link::ipsec::IpsecPolicy;
use crate::link::observed::Observed;
use crate::link::preflight::eq_ignoring_case_and_spaces;
use crate::link::tunnel::{Instance, TunnelKey};
use crate::plugin::Value;
use std::collections::BTreeSet;

/// EC2's defaults, for options that DescribeVpnConnections omits (2026-11). They are those of CreateVpnConnection.
const AWS_STARTUP: &str = "add";
const AWS_DPD_ACTION: &str = "clear";
const AWS_DPD_SECONDS: u32 = 30;

/// Puts the clouds' settings in place of a state's.
pub fn refresh_settings(state: &mut Value, observed: &Observed) {
    let policy = state.get("ipsec_policy").clone();
    let left_alone = |path: &str| is_unmanaged_policy(&policy) && path.starts_with("ipsec_policy");
    for (path, value) in
        observed_settings(observed, Consensus::Unanimous).into_iter().filter(|(path, _)| !left_alone(path))
    {
        let before = state.at(&path.as_str().into());
        let same = match (before.as_str(), value.as_str()) {
            (Some(before), Some(now)) if path == "azure.location" => eq_ignoring_case_and_spaces(before, now),
            _ => *before == value,
        };
        if !same {
            state.set_at(&path.as_str().into(), value);
        }
    }
    // A configured preset may have single fields that override it: it stays while they do.
    if POLICY_FIELDS.iter().all(|name| policy.get(name) == state.get("ipsec_policy").get(name)) {
        state.set("ipsec_policy", policy);
    }
}

/// Puts the clouds' settings, and the tables that get the AWS gateway's routes, where a plan left them unknown.
pub fn resolve_unknown(state: &mut Value, observed: &Observed, tables: &BTreeSet<Option<RouteTableId>>) {
    for (path, value) in observed_settings(observed, Consensus::Unanimous) {
        if !state.at(&path.as_str().into()).is_known() {
            state.set_at(&path.as_str().into(), value);
        }
    }
    // A link whose public table is still to be created has no set yet: the part that exists would be taken for the complete set.
    let tables: Option<Vec<Value>> =
        tables.iter().map(|table| table.as_ref().map(|id| Value::from(id.0.clone()))).collect();
    if !state.at(&"aws.route_table_ids".into()).is_known()
        && let Some(ids) = tables.filter(|ids| !ids.is_empty())
    {
        state.set_at(&"aws.route_table_ids".into(), Value::Set(ids));
    }
}

/// Sets the same of a draft where nothing is configured. Where the four do not agree, what most of them have counts, and the
/// others differ from it; a policy that cannot be written as one is nobody's to change.
pub fn import_settings(planned: &mut PlannedState<'_>, observed: &Observed) {
    for name in POLICY_FIELDS.iter().chain(&["preset"]) {
        planned.fill(&format!("ipsec_policy.{name}"), Value::Null);
    }
    for (path, value) in observed_settings(observed, Consensus::Majority) {
        planned.fill(&path, value);
    }
}

/// How many of the four have to have a value for it to be the link's.
#[derive(Clone, Copy)]
enum Consensus {
    Unanimous,
    Majority,
}

fn observed_settings(observed: &Observed, count: Consensus) -> Vec<(String, Value)> {
    let mut found: Vec<(String, Value)> = Vec::new();
    let mut add = |path: &str, value: Value| found.push((path.to_owned(), value));
    if let Some(gateway) = &observed.azure.gateway {
        add("azure.location", gateway.resource.location.clone().into());
        add("azure.sku", gateway.sku.clone().into());
        add("azure.generation", gateway.generation.clone().into());
        add("azure.asn", gateway.asn.0.into());
    } else if let Some(network) = &observed.azure.network {
        add("azure.location", network.resource.location.clone().into());
    }
    if let Some(zones) = zones(observed) {
        add("azure.zones", Value::set_of(zones));
    }
    let connections: Vec<&Connection> = observed.azure.connections.iter().filter_map(|(_, c)| c.as_ref()).collect();
    if let Some(mode) = consensus(connections.iter().map(|c| c.mode), count) {
        let word = match mode {
            ConnectionMode::Default => "Default",
            ConnectionMode::InitiatorOnly => "InitiatorOnly",
            ConnectionMode::ResponderOnly => "ResponderOnly",
        };
        add("azure.connection_mode", word.into());
    }
    if let Some(seconds) = consensus(connections.iter().map(|c| c.dpd_timeout_seconds), count) {
        add("azure.dpd_timeout_seconds", seconds.into());
    }
    if let Some(asn) = observed.amazon_asn() {
        add("aws.asn", asn.0.into());
    }
    let vpn_connections: Vec<&VpnConnection> =
        observed.aws.vpn_connections.iter().filter_map(|(_, vpn)| vpn.as_ref()).collect();
    let tunnels: Vec<&TunnelOptions> =
        TunnelKey::ALL.into_iter().filter_map(|key| observed.tunnel(key).map(|tunnel| &tunnel.options)).collect();
    if vpn_connections.is_empty() {
        return found;
    }
    // Null where a change broke off between the two: the next one makes one of them anew, whichever way it goes.
    add(
        "aws.enable_acceleration",
        consensus(vpn_connections.iter().map(|vpn| vpn.accelerated), Consensus::Unanimous).into(),
    );
    if let Some(bandwidth) = consensus(vpn_connections.iter().map(|vpn| vpn.bandwidth), count) {
        add("aws.tunnel_bandwidth", bandwidth.as_str().into());
    }
    let word = |given: &Option<String>, default: &str| given.clone().unwrap_or_else(|| default.to_owned());
    if let Some(action) = consensus(tunnels.iter().map(|t| word(&t.startup_action, AWS_STARTUP)), count) {
        add("aws.startup_action", action.into());
    }
    if let Some(action) = consensus(tunnels.iter().map(|t| word(&t.dpd_timeout_action, AWS_DPD_ACTION)), count) {
        add("aws.dpd_timeout_action", action.into());
    }
    if let Some(seconds) = consensus(tunnels.iter().map(|t| t.dpd_timeout_seconds.unwrap_or(AWS_DPD_SECONDS)), count) {
        add("aws.dpd_timeout_seconds", seconds.into());
    }
    if let Some(logs) = consensus(tunnels.iter().map(|t| t.logs.clone().unwrap_or_default()), count) {
        add("aws.logs", logs_value(&logs));
    }
    let storages = TunnelKey::ALL.into_iter().filter_map(|key| observed.tunnel(key)?.key_storage);
    if let Some(storage) = consensus(storages, count) {
        add("aws.preshared_key_storage", storage.to_string().into());
    }
    if let Some(policy) = policy(&connections, &tunnels) {
        for (name, value) in POLICY_FIELDS.iter().zip(policy_fields(&policy)) {
            add(&format!("ipsec_policy.{name}"), value);
        }
        add("ipsec_policy.preset", policy.preset().map(|preset| preset.to_string()).into());
    }
    found
}

/// Availability zones of the public IPs, once both exist and are in the same ones.
fn zones(observed: &Observed) -> Option<BTreeSet<String>> {
    let ips: Vec<&PublicIp> = observed.azure.public_ips.iter().filter_map(|(_, ip)| ip.as_ref()).collect();
    let zones = ips.iter().map(|ip| ip.zones.iter().cloned().collect::<BTreeSet<_>>());
    consensus(zones, Consensus::Unanimous).filter(|_| ips.len() == Instance::ALL.len())
}

/// The one policy of all ends, if they have one that can be written once.
fn policy(connections: &[&Connection], tunnels: &[&TunnelOptions]) -> Option<IpsecPolicy> {
    let policy = consensus(tunnels.iter().map(|t| IpsecPolicy::read_aws(&t.phase1, &t.phase2)), Consensus::Unanimous)??;
    let azure = policy.azure();
    connections.iter().all(|c| azure_policy_agrees(c.policy.as_ref(), azure.as_ref())).then_some(policy)
}

/// The value that all have, or that most have and among them the first; None where there is none.
fn consensus<T: PartialEq>(values: impl Iterator<Item = T>, count: Consensus) -> Option<T> {
    let mut values: Vec<T> = values.collect();
    let having = |value: &T| values.iter().filter(|other| *other == value).count();
    let most = values.iter().map(having).max()?;
    let first = values.iter().position(|value| having(value) == most)?;
    (most == values.len() || matches!(count, Consensus::Majority)).then(|| values.swap_remove(first))
}
