//! Refreshes a state from both clouds.

use super::backend::Backend;
use super::default_options::inside_cidrs;
use super::expand::{ExpandInputs, KeyInputs, expand_spec, lookup_scope};
use super::flatten::{identity, identity_of, is_deleted, managed, set_computed};
use super::link_status::LinkStatus;
use super::lost_private_state::{private_of, restore};
use super::model::Model;
use super::planned_id::link_of;
use super::private_state::{PrivateState, StoredMove};
use super::refresh::refresh_settings;
use super::replacing_attributes::record_arrived;
use super::resume::ResumeCache;
use super::timeouts::timeout;
use super::unread_keys::unread_keys;
use crate::provider::summaries;
use bgp_vpn::config::Config;
use bgp_vpn::interruptions::interruptions;
use bgp_vpn::observed::Observed;
use bgp_vpn::ownership_tags::recorded_bgp_addresses;
use bgp_vpn::spec::Removals;
use bgp_vpn::tunnel::{Instance, TunnelKey};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;
use terraform_plugin::{Diagnostic, ReadRequest, ReadResponse};

/// Warns of a state that does not identify the tunnels.
pub fn not_refreshed() -> Diagnostic {
    Diagnostic::warning(summaries::LINK_NOT_REFRESHED).detail(
        "The state lacks the inside CIDRs that identify the tunnels. Remove the link from the state, then import it.",
    )
}

/// Ends a read at its time limit.
pub fn read_timed_out(limit: Duration) -> Diagnostic {
    Diagnostic::error(summaries::UNABLE_TO_READ_IN_TIME).detail(format!(
        "The link was not read within {} seconds. To allow more time, increase timeouts.read.",
        limit.as_secs()
    ))
}

/// Reads a link; null where nothing of it is left.
pub async fn read(
    backend: &dyn Backend,
    resume_cache: &ResumeCache,
    before: &Model,
    request: ReadRequest,
) -> ReadResponse {
    let mut private = private_of(before, &request.private);
    let Some(scope) = lookup_scope(before, &private, backend.subscription(), true) else {
        return request.unchanged(not_refreshed());
    };
    let limit = timeout(before, "read", 10);
    let observed = match tokio::time::timeout(limit, backend.observe(&scope, &request.cancel)).await
    {
        Ok(Ok(observed)) => observed,
        Ok(Err(diagnostics)) => return request.unchanged(diagnostics),
        Err(_) => return request.unchanged(read_timed_out(limit)),
    };
    if request.private.is_empty() {
        restore(&mut private, before, &scope, &observed);
    }
    let managed = managed(before, &observed, &before.link.managed, &private, false);
    if is_deleted(before, &private, &managed, &observed) {
        return ReadResponse::default();
    }
    let moves = match backend
        .interrupted_moves(&scope, &observed, &request.cancel)
        .await
    {
        Ok(moves) => moves,
        Err(diagnostics) => return request.unchanged(diagnostics),
    };
    private.interrupted_moves = moves.iter().map(StoredMove::of).collect();
    let mut state = request.state.clone();
    refresh_settings(&mut state, &observed);
    set_computed(&mut state, &observed, &managed);
    if let (false, Some(gateway)) = (state.get("id").is_set(), &observed.azure.gateway) {
        // A state that was edited by hand may lack it.
        let first = scope.inside_cidrs.get(TunnelKey::ALL[0]).to_string();
        state.set("id", identity(gateway.resource.id.as_str(), &first).0);
    }
    let refreshed = Model::read(&state);
    if private.provenance.azure_gateway_is_existing {
        private
            .pending_removals
            .extend(untracked_addresses(&refreshed, &private, &observed));
    }
    let tag = link_of(&refreshed, &private, backend.subscription());
    private.record_owned(tag.as_ref(), &observed, &managed);
    let former = Removals {
        addresses: pending_removals(&mut private, &observed),
        ..Removals::default()
    };
    let around = ExpandInputs {
        private: &private,
        subscription: backend.subscription(),
        default_tags: backend.default_tags(),
        keys: KeyInputs::default(),
        removals: former,
    };
    // An object that is missing shows as its id; a spec without one has no other drift.
    let spec = expand_spec(&refreshed, around);
    let drift = spec
        .as_ref()
        .map(|spec| backend.drift(spec, &observed))
        .unwrap_or_default();
    let left = private.interrupted_moves.iter().map(StoredMove::drift);
    let drift: Vec<String> = drift.into_iter().chain(left).collect();
    private.record_static_routing(&observed);
    private.recreates.clear();
    private.changed_kinds = None;
    spec.iter()
        .for_each(|spec| private.record_repair(spec, &observed));
    let differing = spec.iter().filter(|_| !drift.is_empty());
    private.interrupts = differing
        .flat_map(|spec| interruptions(spec, &observed))
        .collect();
    let status = before.link.status.refreshed(&observed);
    let stuck = status == LinkStatus::Incomplete;
    if drift.is_empty() && !stuck && spec.is_ok() {
        record_arrived(&mut private, &state);
    }
    status.store(&mut state, drift);
    let link = link_of(&refreshed, &private, backend.subscription());
    if resume_cache.is_superseded(before, link.as_ref()) {
        // Terraform calls it deposed and would delete what the state of the finished link holds.
        return ReadResponse::default();
    }
    if let Some(link) = link.as_ref().filter(|_| stuck) {
        resume_cache.mark_incomplete(link);
    }
    link.iter()
        .for_each(|link| resume_cache.store_observed(link, &observed));
    resume_cache.store(&Model::read(&state), link, Some(&private));
    let identity = identity_of(&state).or(request.identity);
    let diagnostics = unread_keys(&observed).into_iter().collect();
    ReadResponse {
        state,
        private: private.write(),
        identity,
        diagnostics,
        ..ReadResponse::default()
    }
}

/// What a killed run put on another user's gateway according to the tags, and the state does not
/// contain.
fn untracked_addresses(
    state: &Config,
    private: &PrivateState,
    observed: &Observed,
) -> BTreeSet<(usize, Ipv4Addr)> {
    let cidrs = inside_cidrs(state);
    let own: Vec<Ipv4Addr> = cidrs
        .iter()
        .flat_map(|all| all.iter().map(|(_, cidr)| cidr.azure_ip()))
        .collect();
    let customers = observed
        .aws
        .customer_gateways
        .iter()
        .filter_map(|(at, customer)| Some((at, customer.as_ref()?)));
    let ours = customers.filter(|(_, customer)| {
        private
            .link
            .as_ref()
            .is_some_and(|link| link.is_on(&customer.tags))
    });
    let placed = ours.flat_map(|(at, customer)| {
        recorded_bgp_addresses(&customer.tags).map(move |ip| (at.index(), ip))
    });
    placed
        .filter(|(_, ip)| {
            !own.contains(ip) && !private.provenance.preexisting_addresses.contains(ip)
        })
        .collect()
}

/// Addresses that an update gave up and never took off the gateway: still to be done. Those that
/// are off are forgotten.
fn pending_removals(
    private: &mut PrivateState,
    observed: &Observed,
) -> BTreeSet<(Instance, Ipv4Addr)> {
    let mut left = BTreeSet::new();
    let Some(gateway) = &observed.azure.gateway else {
        return left;
    };
    let settled = !gateway.resource.state.is_busy();
    private.pending_removals.retain(|(index, ip)| {
        let instance = Instance::ALL
            .into_iter()
            .find(|instance| instance.index() == *index);
        let listed = gateway
            .instances
            .get(*index)
            .is_some_and(|at| at.custom_bgp_ips.contains(ip));
        left.extend(instance.filter(|_| listed).map(|instance| (instance, *ip)));
        // While it is being changed a gateway shows no addresses at all.
        listed || !settled
    });
    left
}
