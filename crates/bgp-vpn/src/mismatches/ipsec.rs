//! What IKE and IPsec need of both sides: addresses, key, initiator, versions, algorithms and
//! selectors.

use super::{Field, Mismatch};
use crate::aws::{NetworkCidrs, Tunnel};
use crate::azure::model::{Connection, ConnectionMode, IpsecPolicy};
use crate::ipsec::{DhGroup, Encryption, Integrity};
use crate::observed::{KeyRead, Observed};
use crate::tunnel::TunnelKey;

/// The group that Azure proposes for IKE where a connection has no policy (Microsoft Learn, "About
/// cryptographic requirements and Azure VPN gateways", 2026-11).
const AZURE_DEFAULT_DH_GROUP: DhGroup = DhGroup::Modp1024;
/// What EC2 does where no startup action is set (`VpnTunnelOptionsSpecification`, 2026-11).
const AWS_DEFAULT_STARTUP_ACTION: &str = "add";

/// Where the IKE and IPsec settings of a tunnel's two sides differ; empty where one side does not
/// exist.
pub fn ipsec_mismatches(observed: &Observed, key: TunnelKey) -> Vec<Mismatch> {
    let (aws, azure) = (&observed.aws, &observed.azure);
    let sides = (observed.tunnel(key), azure.connections.get(key).as_ref());
    let (Some(endpoint), Some(connection)) = sides else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let customer = aws
        .used_customer_gateways
        .get(key.instance)
        .as_ref()
        .or(aws.customer_gateways.get(key.instance).as_ref());
    if let (Some(customer), Some(public)) = (customer, observed.public_ip(key.instance))
        && customer.ip != public
    {
        found.push(Mismatch::AzureAddress {
            aws: customer.ip,
            azure: public,
        });
    }
    let local = azure.local_gateways.get(key).as_ref();
    if let Some(ip) = local.and_then(|local| local.gateway_ip)
        && ip != endpoint.outside_ip
    {
        found.push(Mismatch::AwsAddress {
            azure: ip,
            aws: endpoint.outside_ip,
        });
    }
    found.extend(initiator(endpoint, connection));
    found.extend(key_mismatch(endpoint, azure.keys.get(key)));
    found.extend(ike_version(endpoint, connection));
    match &connection.policy {
        Some(policy) => found.extend(algorithms(endpoint, policy)),
        None => found.extend(default_policy(endpoint)),
    }
    if connection.policy_based_selectors || connection.traffic_selectors > 0 {
        found.push(Mismatch::AzureSelectors);
    }
    let cidrs = aws.vpn_connections.get(key.instance).as_ref();
    if let Some(cidrs) = cidrs.map(|vpn| vpn.networks)
        && cidrs != NetworkCidrs::default()
    {
        found.push(Mismatch::AwsSelectors {
            local: cidrs.local.to_string(),
            remote: cidrs.remote.to_string(),
        });
    }
    found
}

fn initiator(endpoint: &Tunnel, connection: &Connection) -> Option<Mismatch> {
    let action = endpoint
        .options
        .startup_action
        .as_deref()
        .unwrap_or(AWS_DEFAULT_STARTUP_ACTION);
    let waits = connection.mode == ConnectionMode::ResponderOnly && action != "start";
    waits.then(|| Mismatch::NoInitiator {
        startup_action: action.to_owned(),
    })
}

fn key_mismatch(endpoint: &Tunnel, azure: &KeyRead) -> Option<Mismatch> {
    match (azure, &endpoint.key) {
        (KeyRead::NotSet, _) => Some(Mismatch::MissingKey),
        (KeyRead::Value(azure), Some(aws)) if azure != aws => Some(Mismatch::Key),
        _ => None,
    }
}

fn ike_version(endpoint: &Tunnel, connection: &Connection) -> Option<Mismatch> {
    let accepted = &endpoint.options.ike_versions;
    let used = connection.protocol.as_ref()?;
    let differs = !accepted.is_empty() && !accepted.iter().any(|it| it.eq_ignore_ascii_case(used));
    differs.then(|| Mismatch::IkeVersion {
        azure: used.clone(),
        aws: accepted.clone(),
    })
}

/// A choice of one side: in Azure's words, in AWS's words, and what AWS accepts. Without a
/// restriction, AWS accepts everything that it supports, which has no effect here.
fn compare(field: Field, azure: &str, same: Option<&str>, aws: Vec<String>) -> Option<Mismatch> {
    let accepted = aws.is_empty() || same.is_some_and(|same| aws.iter().any(|it| it == same));
    (!accepted).then(|| Mismatch::Algorithm {
        field,
        azure: azure.to_owned(),
        aws,
    })
}

fn algorithms(endpoint: &Tunnel, policy: &IpsecPolicy) -> Vec<Mismatch> {
    let (ike, ipsec) = (&endpoint.options.phase1, &endpoint.options.phase2);
    let encryption = |word: &str| Encryption::ALL.iter().find(|it| it.azure() == word);
    let integrity = |word: &str| Integrity::ALL.iter().find(|it| it.azure() == word);
    let numbers = |groups: &[u32]| groups.iter().map(ToString::to_string).collect::<Vec<_>>();
    let dh = dh_group(&policy.dh_group);
    let pfs = match policy.pfs_group.as_str() {
        // "PFS with the group of the main mode".
        "PFSMM" => dh,
        word => DhGroup::ALL
            .iter()
            .copied()
            .find(|it| it.azure_pfs() == word),
    };
    // AES-GCM includes integrity, which Azure names by the same word again.
    let is_gcm = policy.ipsec_encryption.starts_with("GCM");
    let esp_integrity = integrity(&policy.ipsec_integrity).map(|it| it.aws());
    [
        compare(
            Field::IkeEncryption,
            &policy.ike_encryption,
            encryption(&policy.ike_encryption).map(|it| it.aws()),
            ike.encryption.clone(),
        ),
        compare(
            Field::IkeIntegrity,
            &policy.ike_integrity,
            integrity(&policy.ike_integrity).map(|it| it.aws()),
            ike.integrity.clone(),
        ),
        compare(
            Field::DhGroup,
            &policy.dh_group,
            dh.map(DhGroup::aws),
            numbers(&ike.dh_groups),
        ),
        compare(
            Field::IpsecEncryption,
            &policy.ipsec_encryption,
            encryption(&policy.ipsec_encryption).map(|it| it.aws()),
            ipsec.encryption.clone(),
        ),
        compare(
            Field::IpsecIntegrity,
            &policy.ipsec_integrity,
            esp_integrity,
            ipsec.integrity.clone(),
        )
        .filter(|_| !is_gcm),
        compare(
            Field::PfsGroup,
            &policy.pfs_group,
            pfs.map(DhGroup::aws),
            numbers(&ipsec.dh_groups),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Azure's word of the IKE field; `DHGroup2048` is another word for group 14.
fn dh_group(word: &str) -> Option<DhGroup> {
    if word == "DHGroup2048" {
        return Some(DhGroup::Modp2048);
    }
    DhGroup::ALL.iter().copied().find(|it| it.azure() == word)
}

/// A connection without a policy, where AWS is restricted to other groups than Azure's default.
fn default_policy(endpoint: &Tunnel) -> Option<Mismatch> {
    let groups = &endpoint.options.phase1.dh_groups;
    compare(
        Field::DhGroup,
        &format!(
            "no IPsec policy, whose default is {}",
            AZURE_DEFAULT_DH_GROUP.azure()
        ),
        Some(AZURE_DEFAULT_DH_GROUP.aws()),
        groups.iter().map(ToString::to_string).collect(),
    )
}
