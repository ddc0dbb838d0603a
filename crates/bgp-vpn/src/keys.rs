//! What a run does about the pre-shared key of each tunnel.
//!
//! [`key_action`] decides it once, when the actions are planned. The action carries the decision,
//! and the executor carries it out. A key goes to the AWS endpoint first. The Azure connection then
//! gets the key that the endpoint has ([`desired_key`]).

use super::action::KeyAction;
use super::compare::{Reasons, connection_needs_replacement};
use super::key_rotation::KeyRotation;
use super::observed::{KeyRead, Observed};
use super::replacement::creates_vpn_connection;
use super::spec::Spec;
use super::tunnel::TunnelKey;
use crate::aws::{self as aws, KeyStorage};
use crate::types::PreSharedKey;

/// Decides what happens to the key of a tunnel.
pub fn key_action(spec: &Spec, observed: &Observed, key: TunnelKey) -> KeyAction {
    let new_key = match spec.configured_keys.get(key) {
        Some(_) => KeyAction::UseConfigured,
        None => KeyAction::Generate,
    };
    if creates_vpn_connection(spec, observed, key.instance) {
        // A run that is interrupted before Azure has a new key leaves a tunnel whose key is lost.
        return if keeps_azure_key(spec, observed, key) {
            KeyAction::CopyToAws
        } else {
            new_key
        };
    }
    if needs_rotation(spec, observed, key) || is_unrecoverable(spec, observed, key) {
        return new_key;
    }
    if let Some(tunnel) = observed.tunnel(key) {
        if tunnel
            .key_storage
            .is_some_and(|storage| storage != spec.aws.key_storage)
        {
            return KeyAction::MoveStorage;
        }
        if lacks_configured_key(spec, tunnel, key) {
            return KeyAction::UseConfigured;
        }
    }
    let connection_missing = observed.azure.connections.get(key).is_none();
    if connection_missing || azure_key_differs(spec, observed, key) {
        KeyAction::CopyToAzure
    } else {
        KeyAction::Keep
    }
}

/// Why the endpoint of a tunnel gets a key, in words.
pub fn endpoint_key_reasons(spec: &Spec, observed: &Observed, key: TunnelKey) -> Reasons {
    let mut reasons = Reasons::new();
    let Some(tunnel) = observed.tunnel(key) else {
        return reasons;
    };
    if lacks_configured_key(spec, tunnel, key) {
        reasons.push(format!(
            "the AWS tunnel {key} has another key than the configured one"
        ));
    }
    if needs_rotation(spec, observed, key) {
        reasons.push(format!("the shared key of {key} is to be rolled"));
    } else if is_unrecoverable(spec, observed, key) {
        reasons.push(format!(
            "the shared key of {key} is not to be found out: both ends get a new one"
        ));
    }
    reasons
}

/// Why an Azure connection that stays gets a key, in words. `endpoint_changes`: the options of the
/// AWS endpoint are changed.
pub fn azure_key_reasons(
    spec: &Spec,
    observed: &Observed,
    key: TunnelKey,
    endpoint_changes: bool,
) -> Reasons {
    if azure_key_differs(spec, observed, key) {
        return vec![format!(
            "the shared key of {key} differs between the two clouds"
        )];
    }
    let endpoint_gets_key = match key_action(spec, observed, key) {
        KeyAction::UseConfigured | KeyAction::Generate => true,
        KeyAction::CopyToAws
        | KeyAction::CopyToAzure
        | KeyAction::Keep
        | KeyAction::MoveStorage => {
            spec.applies_configured_keys && spec.configured_keys.get(key).is_some()
        }
    };
    let new_endpoint = creates_vpn_connection(spec, observed, key.instance);
    if new_endpoint || endpoint_changes && endpoint_gets_key {
        return vec![format!(
            "the shared key of {key} must follow the AWS endpoint's"
        )];
    }
    Reasons::new()
}

/// The key that both ends are to have: that of AWS, or of Azure where AWS returns none, unless the
/// configured key replaces it.
pub fn desired_key(spec: &Spec, observed: &Observed, key: TunnelKey) -> Option<PreSharedKey> {
    let configured = spec.configured_keys.get(key).clone();
    let aws = || {
        observed
            .aws
            .written_keys
            .get(key)
            .clone()
            .or_else(|| observed.tunnel(key)?.key.clone())
    };
    let in_use = || aws().or_else(|| observed.azure.keys.get(key).key().cloned());
    if spec.applies_configured_keys {
        configured.or_else(in_use)
    } else {
        in_use().or(configured)
    }
}

/// Whether a tunnel still has the key from before the rotation.
pub fn needs_rotation(spec: &Spec, observed: &Observed, key: TunnelKey) -> bool {
    let (Some(vpn), Some(_)) = (
        observed.aws.vpn_connections.get(key.instance),
        observed.tunnel(key),
    ) else {
        return false;
    };
    rotation_for(spec, key).is_some_and(|rotation| !rotation.is_done(key, &vpn.tags))
}

/// Whether the rotation tag of a new endpoint has to wait. EC2 will not return the endpoint's key,
/// and the Azure connection that exists has another key until both have the new one.
pub fn rotation_tag_pending(spec: &Spec, observed: &Observed, key: TunnelKey) -> bool {
    let connected = observed.azure.connections.get(key).is_some();
    connected
        && spec.aws.key_storage == KeyStorage::SecretsManager
        && rotation_for(spec, key).is_some()
}

/// The rotation that concerns a tunnel. Configured keys are rotated where there is one.
fn rotation_for(spec: &Spec, key: TunnelKey) -> Option<&KeyRotation> {
    spec.rotation
        .as_ref()
        .filter(|_| !spec.applies_configured_keys || spec.configured_keys.get(key).is_some())
}

fn lacks_configured_key(spec: &Spec, tunnel: &aws::Tunnel, key: TunnelKey) -> bool {
    let configured = spec
        .configured_keys
        .get(key)
        .as_ref()
        .filter(|_| spec.applies_configured_keys);
    configured.is_some_and(|configured| tunnel.key.as_ref().is_some_and(|key| key != configured))
}

/// Whether Azure has another key than both ends are to have. A key that was not read counts as
/// equal.
fn azure_key_differs(spec: &Spec, observed: &Observed, key: TunnelKey) -> bool {
    let desired = || desired_key(spec, observed, key);
    match observed.azure.keys.get(key) {
        KeyRead::NotRequested | KeyRead::Forbidden => false,
        KeyRead::NotSet => desired().is_some(),
        KeyRead::Value(azure) => desired().is_some_and(|desired| desired != *azure),
    }
}

/// Whether a new endpoint takes over the key of the Azure connection, so that both ends have one
/// key at any moment.
fn keeps_azure_key(spec: &Spec, observed: &Observed, key: TunnelKey) -> bool {
    let changes = rotation_for(spec, key).is_some()
        || spec.applies_configured_keys && spec.configured_keys.get(key).is_some();
    let readable = observed
        .azure
        .keys
        .get(key)
        .key()
        .is_some_and(is_accepted_by_aws);
    let connected = observed.azure.connections.get(key).is_some();
    !changes && connected && readable && spec.aws.key_storage == KeyStorage::SecretsManager
}

/// Whether EC2 accepts a key that Azure has.
pub fn is_accepted_by_aws(key: &PreSharedKey) -> bool {
    PreSharedKey::parse(key.expose_secret()).is_ok()
}

/// Whether the key of an endpoint is lost: EC2 does not return it, and Azure has none, or loses it
/// with a connection that is recreated. Both ends then get a new one.
fn is_unrecoverable(spec: &Spec, observed: &Observed, key: TunnelKey) -> bool {
    let hidden = observed
        .tunnel(key)
        .is_some_and(|tunnel| tunnel.key_storage == Some(KeyStorage::SecretsManager));
    if !hidden
        || observed.aws.written_keys.get(key).is_some()
        || observed.azure.keys.get(key).key().is_some()
    {
        return false;
    }
    match (
        observed.azure.connections.get(key),
        observed.azure.keys.get(key),
    ) {
        (None, _) | (_, KeyRead::NotSet) => true,
        (Some(connection), _) => connection_needs_replacement(spec, connection, key).is_some(),
    }
}

#[cfg(test)]
mod tests;
