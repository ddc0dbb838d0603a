//! Whether one AWS end and one Azure end come together, and in which layer they do not: IKE, its
//! first child, BGP.
//!
//! Pure, and about one pair at one moment; what takes time is in `tunnels`. The rules follow the
//! IPsec options that both clouds document (2026-11): an omitted option accepts every value, a
//! custom policy at Azure is exclusive, and lifetimes are local.

use super::{AwsEndpoint, AzureEndpoint, AzurePolicy};
use serde::{Deserialize, Serialize};

/// The layer that decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TunnelStatus {
    IkeNoAnswer,
    IkeAuthFailed,
    IkeNoProposal,
    ChildNoProposal,
    BgpBadPeerAs,
    BgpNoConnection,
    Up,
}

impl TunnelStatus {
    /// Whether packets would pass, BGP or not.
    pub fn ipsec(self) -> bool {
        matches!(
            self,
            TunnelStatus::BgpBadPeerAs | TunnelStatus::BgpNoConnection | TunnelStatus::Up
        )
    }
}

/// What was negotiated, in AWS's words.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Agreed {
    pub phase1_encryption: String,
    pub phase1_integrity: String,
    pub phase1_dh_group: u32,
    pub phase2_encryption: String,
    /// None for an AEAD cipher.
    pub phase2_integrity: Option<String>,
    /// None where rekeys carry no key exchange of their own, or where they fail for want of a
    /// common group.
    pub phase2_dh_group: Option<u32>,
}

/// A verdict, the reason in words, and what follows from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Negotiation {
    pub status: TunnelStatus,
    pub reason: String,
    /// Set when IPsec comes up.
    pub agreed: Option<Agreed>,
    /// False where the first child comes up (it carries no key exchange) and its first rekey fails.
    pub rekeys: bool,
}

impl Negotiation {
    pub fn down(status: TunnelStatus, reason: impl Into<String>) -> Self {
        Negotiation {
            status,
            reason: reason.into(),
            agreed: None,
            rekeys: false,
        }
    }
}

/// What one side would take in a role, the weakest first: AWS evaluates from its lowest value up.
struct Offer {
    encryption: Vec<String>,
    integrity: Vec<String>,
    groups: Vec<u32>,
    /// A child's rekey may go without a key exchange of its own.
    no_group: bool,
}

const ENCRYPTION: [&str; 4] = ["AES128", "AES256", "AES128-GCM-16", "AES256-GCM-16"];
const INTEGRITY: [&str; 4] = ["SHA1", "SHA2-256", "SHA2-384", "SHA2-512"];
const PHASE1_GROUPS: [u32; 13] = [2, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 35];
const PHASE2_GROUPS: [u32; 16] = [2, 5, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 35, 36, 37];

/// Judges an AWS endpoint and the Azure end that it meets: the one at the address that AWS calls
/// its customer gateway whose local network gateway has this endpoint's address, regardless of the
/// link that either was meant for. Without one, a gateway that serves anybody at that address
/// (`answers`) refuses.
pub fn negotiate(aws: &AwsEndpoint, azure: Option<&AzureEndpoint>, answers: bool) -> Negotiation {
    if !aws.serving {
        return Negotiation::down(
            TunnelStatus::IkeNoAnswer,
            "the AWS endpoint is not in service",
        );
    }
    let Some(azure) = azure else {
        if !answers {
            return Negotiation::down(
                TunnelStatus::IkeNoAnswer,
                format!("nothing answers at {}", aws.peer_ip),
            );
        }
        let reason = format!(
            "the gateway at {} has no IKE configuration for {}",
            aws.peer_ip, aws.outside_ip
        );
        return Negotiation::down(TunnelStatus::IkeNoProposal, reason);
    };
    if !azure.serving {
        return Negotiation::down(
            TunnelStatus::IkeNoAnswer,
            "the Azure gateway or connection is not in service",
        );
    }
    let aws_dials = aws.startup_action == "start"
        && speaks_ikev2(aws)
        && azure.connection_mode != "InitiatorOnly";
    if !aws_dials && azure.connection_mode == "ResponderOnly" {
        return Negotiation::down(
            TunnelStatus::IkeNoAnswer,
            "neither side starts: AWS waits and Azure is ResponderOnly",
        );
    }
    if !speaks_ikev2(aws) {
        return Negotiation::down(
            TunnelStatus::IkeNoProposal,
            "AWS allows IKEv1 only, Azure speaks IKEv2",
        );
    }
    let (mine, theirs) = (aws_phase1(aws), azure_phase1(azure.policy.as_ref()));
    let phase1 = (common(&mine.encryption, &theirs.encryption))
        .zip(common(&mine.integrity, &theirs.integrity))
        .zip(common(&mine.groups, &theirs.groups));
    let Some(((phase1_encryption, phase1_integrity), phase1_dh_group)) = phase1 else {
        return Negotiation::down(
            TunnelStatus::IkeNoProposal,
            "no common phase 1 encryption, integrity and group",
        );
    };
    if aws.pre_shared_key != azure.shared_key {
        return Negotiation::down(TunnelStatus::IkeAuthFailed, "the keys differ");
    }
    let (mine, theirs) = (
        aws_phase2(aws),
        azure_phase2(azure.policy.as_ref(), phase1_dh_group),
    );
    let Some((phase2_encryption, phase2_integrity)) = child(&mine, &theirs) else {
        return Negotiation::down(
            TunnelStatus::ChildNoProposal,
            "no common phase 2 encryption and integrity",
        );
    };
    let phase2_dh_group = common(&mine.groups, &theirs.groups);
    let rekeys = phase2_dh_group.is_some() || (mine.no_group && theirs.no_group);
    let agreed = Agreed {
        phase1_encryption,
        phase1_integrity,
        phase1_dh_group,
        phase2_encryption,
        phase2_integrity,
        phase2_dh_group,
    };
    let (status, mut reason) = bgp(aws, azure);
    if !rekeys {
        reason.push_str("; no common phase 2 group: the first rekey fails");
    }
    Negotiation {
        status,
        reason,
        agreed: Some(agreed),
        rekeys,
    }
}

fn bgp(aws: &AwsEndpoint, azure: &AzureEndpoint) -> (TunnelStatus, String) {
    if aws.static_routes_only {
        return (
            TunnelStatus::BgpNoConnection,
            "the AWS connection has static routes only".into(),
        );
    }
    if !azure.enable_bgp {
        return (
            TunnelStatus::BgpNoConnection,
            "BGP is off on the Azure connection".into(),
        );
    }
    let mut hosts = aws.inside_cidr.hosts();
    let (own, peer) = (hosts.next(), hosts.next());
    if azure.peer_bgp_ip.is_none() || azure.peer_bgp_ip != own {
        let history = azure
            .peer_bgp_ip
            .map_or_else(|| "none".to_owned(), |ip| ip.to_string());
        return (
            TunnelStatus::BgpNoConnection,
            format!(
                "Azure has {history} as AWS's BGP address, in {}",
                aws.inside_cidr
            ),
        );
    }
    if azure.bgp_ip.is_none() || azure.bgp_ip != peer {
        let own = azure
            .bgp_ip
            .map_or_else(|| "no address".to_owned(), |ip| ip.to_string());
        return (
            TunnelStatus::BgpNoConnection,
            format!(
                "Azure speaks BGP from {own}, AWS expects {} in use",
                aws.inside_cidr
            ),
        );
    }
    if aws.peer_asn != azure.asn {
        let reason = format!(
            "the peer ASN configured in AWS is {}, but the ASN is {}",
            aws.peer_asn, azure.asn
        );
        return (TunnelStatus::BgpBadPeerAs, reason);
    }
    if azure.peer_asn != Some(aws.asn) {
        let history = azure
            .peer_asn
            .map_or_else(|| "none".to_owned(), |asn| asn.to_string());
        return (
            TunnelStatus::BgpBadPeerAs,
            format!(
                "Azure has {history} as the peer's ASN, which is {}",
                aws.asn
            ),
        );
    }
    (TunnelStatus::Up, "up".into())
}

fn speaks_ikev2(aws: &AwsEndpoint) -> bool {
    aws.ike_versions.is_empty() || aws.ike_versions.iter().any(|version| version == "ikev2")
}

/// The first of mine that is also theirs.
fn common<T: PartialEq + Clone>(mine: &[T], theirs: &[T]) -> Option<T> {
    mine.iter().find(|value| theirs.contains(value)).cloned()
}

/// A child's cipher and, unless that is an AEAD, its integrity.
fn child(mine: &Offer, theirs: &Offer) -> Option<(String, Option<String>)> {
    let integrity = common(&mine.integrity, &theirs.integrity);
    let mut ciphers = mine
        .encryption
        .iter()
        .filter(|cipher| theirs.encryption.contains(cipher));
    ciphers
        .find(|cipher| aead(cipher) || integrity.is_some())
        .map(|cipher| {
            let integrity = if aead(cipher) { None } else { integrity };
            (cipher.clone(), integrity)
        })
}

fn aead(cipher: &str) -> bool {
    cipher.contains("GCM")
}

/// The known values that a list allows, in the order of strength; an empty list allows all.
fn allowed<T: PartialEq + Clone>(list: &[T], known: &[T]) -> Vec<T> {
    known
        .iter()
        .filter(|value| list.is_empty() || list.contains(value))
        .cloned()
        .collect()
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn aws_phase1(aws: &AwsEndpoint) -> Offer {
    Offer {
        encryption: allowed(&aws.phase1_encryption, &owned(&ENCRYPTION)),
        integrity: allowed(&aws.phase1_integrity, &owned(&INTEGRITY)),
        groups: allowed(&aws.phase1_dh_groups, &PHASE1_GROUPS),
        no_group: false,
    }
}

fn aws_phase2(aws: &AwsEndpoint) -> Offer {
    Offer {
        encryption: allowed(&aws.phase2_encryption, &owned(&ENCRYPTION)),
        integrity: allowed(&aws.phase2_integrity, &owned(&INTEGRITY)),
        groups: allowed(&aws.phase2_dh_groups, &PHASE2_GROUPS),
        // Pinned groups are required; an unpinned endpoint also rekeys without one, as Azure's
        // defaults do.
        no_group: aws.phase2_dh_groups.is_empty(),
    }
}

/// A policy is exclusive; without one Azure offers its defaults, in phase 1 with group 2 only.
fn azure_phase1(policy: Option<&AzurePolicy>) -> Offer {
    match policy {
        Some(policy) => Offer {
            encryption: encryption(&policy.ike_encryption).into_iter().collect(),
            integrity: integrity(&policy.ike_integrity).into_iter().collect(),
            groups: group(&policy.dh_group).into_iter().collect(),
            no_group: false,
        },
        None => Offer {
            encryption: owned(&["AES256", "AES128"]),
            integrity: owned(&["SHA1", "SHA2-256", "SHA2-384"]),
            groups: vec![2],
            no_group: false,
        },
    }
}

fn azure_phase2(policy: Option<&AzurePolicy>, main_mode_group: u32) -> Offer {
    match policy {
        Some(policy) => Offer {
            encryption: encryption(&policy.ipsec_encryption).into_iter().collect(),
            integrity: integrity(&policy.ipsec_integrity).into_iter().collect(),
            groups: match policy.pfs_group.as_str() {
                "PFSMM" => vec![main_mode_group],
                other => group(other).into_iter().collect(),
            },
            no_group: policy.pfs_group == "None",
        },
        None => Offer {
            encryption: owned(&ENCRYPTION),
            integrity: owned(&["SHA1", "SHA2-256"]),
            groups: vec![1, 2, 5, 14, 24],
            no_group: true,
        },
    }
}

/// Azure's word for a cipher as AWS's; none where AWS lacks it.
fn encryption(azure: &str) -> Option<String> {
    let aws = match azure {
        "AES128" => "AES128",
        "AES256" => "AES256",
        "GCMAES128" => "AES128-GCM-16",
        "GCMAES256" => "AES256-GCM-16",
        _ => return None,
    };
    Some(aws.to_owned())
}

fn integrity(azure: &str) -> Option<String> {
    let aws = match azure {
        "SHA1" => "SHA1",
        "SHA256" => "SHA2-256",
        "SHA384" => "SHA2-384",
        _ => return None,
    };
    Some(aws.to_owned())
}

/// The group number of Azure's `dhGroup` and `pfsGroup` words.
fn group(azure: &str) -> Option<u32> {
    Some(match azure {
        "DHGroup1" | "PFS1" => 1,
        "DHGroup2" | "PFS2" => 2,
        "DHGroup14" | "DHGroup2048" | "PFS2048" | "PFS14" => 14,
        "ECP256" => 19,
        "ECP384" => 20,
        "DHGroup24" | "PFS24" => 24,
        _ => return None,
    })
}
