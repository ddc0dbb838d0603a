//! Which ends run. What they are configured with is never asked here.

use super::damage::Damage;
use crate::dataplane::{AwsEnd, AzureEnd};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// An end's name within a lab.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Aws(Ipv4Addr),
    /// Connection and instance.
    Azure(String, usize),
}

/// What one cloud was told of an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Aws(AwsEnd),
    Azure(AzureEnd),
}

impl Told {
    /// Without what it announces: that concerns the speakers, not the tunnel.
    pub fn tunnel(&self) -> Told {
        match self {
            Told::Aws(end) => Told::Aws(AwsEnd { announces: Vec::new(), ..end.clone() }),
            Told::Azure(end) => Told::Azure(AzureEnd { announces: Vec::new(), ..end.clone() }),
        }
    }
}

/// The ends in service that anybody would ever hear of: every AWS endpoint; and of Azure's, which has each connection on both
/// instances, those that an AWS endpoint dials or answers. An endpoint that meets none of them still reaches the gateway
/// at that address, if there is one: then its first end runs, to refuse.
pub(super) fn running(aws: &[AwsEnd], azure: &[AzureEnd]) -> BTreeMap<Key, Told> {
    let mut ends = BTreeMap::new();
    for own in aws.iter().filter(|end| end.serving) {
        let at_peer = || azure.iter().filter(|end| end.serving && end.public_ip == own.peer_ip);
        if let Some(end) = at_peer().find(|end| end.peer_ip == own.outside_ip).or_else(|| at_peer().next()) {
            ends.insert(Key::Azure(end.connection_id.to_lowercase(), end.instance), Told::Azure(end.clone()));
        }
        ends.insert(Key::Aws(own.outside_ip), Told::Aws(own.clone()));
    }
    ends
}

/// Whether the end is gone with its instance.
pub(super) fn is_killed(told: &Told, damage: &[Damage]) -> bool {
    matches!(told, Told::Azure(end) if damage.iter().any(|damage| damage.hits_azure(end)))
}
