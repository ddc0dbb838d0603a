//! The ownership id of a planned link.

use super::expand::{link_id, lookup_scope};
use super::model::Model;
use super::private_state::PrivateState;
use crate::azure::id::ResourceId;
use bgp_vpn::ownership_tags::LinkId;
use bgp_vpn::preflight::PreflightSnapshot;
use bgp_vpn::tunnel::TunnelKey;

/// The ownership tag's value of a link, as far as its settings tell it by now.
pub fn link_of(
    settled: &Model,
    private: &PrivateState,
    subscription: Option<String>,
) -> Option<LinkId> {
    let found = lookup_scope(settled, private, subscription, false)?;
    found.link.or_else(|| {
        Some(link_id(
            &settled.link,
            private,
            &found.known.network?,
            *found.inside_cidrs.get(TunnelKey::ALL[0]),
        ))
    })
}

/// The id of a new link where the usual one belongs to a link that moved to another slot.
pub fn id_beside_moved_link(
    planned: &Model,
    private: &PrivateState,
    snapshot: &PreflightSnapshot,
    subscription: Option<String>,
) -> Option<LinkId> {
    let scope = lookup_scope(planned, private, subscription, false)?;
    let (network, first) = (
        scope.known.network?,
        *scope.inside_cidrs.get(TunnelKey::ALL[0]),
    );
    let replaced = |id: &ResourceId| {
        private
            .replaced_ids
            .iter()
            .any(|own| own.eq_ignore_ascii_case(id.as_str()))
    };
    let connections = snapshot
        .connections
        .iter()
        .chain(&snapshot.network_connections);
    let link = LinkId::for_create(
        &network,
        first,
        connections.filter(|one| !replaced(&one.resource.id)),
    );
    (link != LinkId::new(&network, first)).then_some(link)
}
