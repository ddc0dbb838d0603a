//! Why a link must not be created: another link or object is in its place. The plan reports it, and
//! the apply checks it again before its first write.

use crate::claim::{format_slots, free_slots};
use crate::inside_cidr::InsideCidr;
use crate::lookup::ImportId;
use crate::ownership::Obstacle;
use crate::summaries;
use crate::tunnel::PerTunnel;
use crate::violation::AttributeId;
use std::collections::BTreeSet;

/// A conflict, with what to do about it. The text has no full stop at its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    #[error(
        "another link uses these inside CIDRs on the same Azure gateway. Its AWS side is {endpoint} ({objects}). Set another slot. \
         Free slots: {free}"
    )]
    OtherLink {
        endpoint: String,
        objects: String,
        free: String,
    },
    /// No state contains the objects of such a create.
    #[error(
        "a create with the AWS side {endpoint} on the same Azure gateway and inside CIDRs is running, or did not finish: {objects}. If \
         another run may be creating that link, set another slot here. Free slots: {free}. If it was a create of this link, restore its \
         settings in the configuration and apply: that completes the link, and later applies can change it. Delete these objects only \
         if no run uses them"
    )]
    IncompleteLink {
        endpoint: String,
        objects: String,
        free: String,
    },
    #[error(
        "this link already exists, is complete ({objects}), and is not in this state. If another state manages it, set another slot \
         (free slots: {free}) or another gateway. Only if no state manages it, import it: terraform import ADDRESS '{id}'"
    )]
    Complete {
        id: String,
        objects: String,
        free: String,
    },
    #[error(
        "the connection {connection} of the same Azure gateway uses the inside CIDR {cidr}. Set another slot. Free slots: {free}"
    )]
    InsideCidr {
        cidr: InsideCidr,
        connection: String,
        free: String,
    },
    #[error(
        "{0} exists and does not match this link. Set another name in azure.names or azure.virtual_network, or delete the object. If \
         an interrupted create with other settings left it, restore those settings and apply: that completes the link"
    )]
    Name(String),
}

impl Conflict {
    /// `link`: the link that is created. `taken`: inside CIDRs in use on its gateways. Its own are
    /// taken too, by VPN connections if not by connections.
    pub fn new(
        obstacle: Obstacle,
        link: &ImportId,
        own: &PerTunnel<InsideCidr>,
        taken: &BTreeSet<InsideCidr>,
    ) -> Self {
        let free = free(own, taken);
        match obstacle {
            Obstacle::OtherLink { endpoint, ids } => Conflict::OtherLink {
                endpoint,
                objects: ids.join(", "),
                free,
            },
            Obstacle::IncompleteLink { endpoint, ids } => Conflict::IncompleteLink {
                endpoint,
                objects: ids.join(", "),
                free,
            },
            Obstacle::Complete { ids } => Conflict::Complete {
                id: link.to_string(),
                objects: ids.join(", "),
                free,
            },
            Obstacle::NameTaken(id) => Conflict::Name(id.to_string()),
        }
    }

    /// A connection of another link has one of the inside CIDRs.
    pub fn inside_cidr(
        cidr: InsideCidr,
        connection: impl ToString,
        own: &PerTunnel<InsideCidr>,
        taken: &BTreeSet<InsideCidr>,
    ) -> Self {
        Conflict::InsideCidr {
            cidr,
            connection: connection.to_string(),
            free: free(own, taken),
        }
    }

    /// One line, without a full stop.
    pub fn summary(&self) -> &'static str {
        match self {
            Conflict::OtherLink { .. } | Conflict::InsideCidr { .. } => summaries::CONFLICTING_SLOT,
            Conflict::IncompleteLink { .. } => summaries::CONFLICTING_INCOMPLETE_LINK,
            Conflict::Complete { .. } => summaries::CONFLICTING_LINK,
            Conflict::Name(_) => summaries::CONFLICTING_NAMES,
        }
    }

    /// What to change.
    pub fn attribute(&self) -> AttributeId {
        match self {
            Conflict::Name(_) => AttributeId::AzureNames,
            _ => AttributeId::Slot,
        }
    }
}

fn free(own: &PerTunnel<InsideCidr>, taken: &BTreeSet<InsideCidr>) -> String {
    let own = own.iter().map(|(_, cidr)| cidr);
    format_slots(&free_slots(&taken.iter().chain(own).copied().collect()))
}
