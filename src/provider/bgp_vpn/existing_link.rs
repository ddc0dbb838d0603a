//! What exists already of a link that is to be created: objects that the create will adopt, or
//! another link in its place.

use super::attribute_paths::value_path;
use super::backend::Backend;
use super::expand::lookup_scope;
use super::model::Model;
use super::private_state::PrivateState;
use crate::provider::summaries;
use bgp_vpn::claim::{format_slots, free_slots};
use bgp_vpn::config::AttributeId;
use bgp_vpn::inside_cidr::InsideCidr;
use bgp_vpn::lookup::LookupScope;
use bgp_vpn::ownership::{Obstacle, adopted, obstacle};
use bgp_vpn::tunnel::TunnelKey;
use std::collections::BTreeSet;
use terraform_plugin::{Cancel, Diagnostic, Diagnostics};

/// Looks for it. Nothing is read while the addresses or the network are unknown.
pub async fn check_existing_link(
    backend: &dyn Backend,
    planned: &Model,
    private: &PrivateState,
    taken: &BTreeSet<InsideCidr>,
    cancel: &Cancel,
) -> Diagnostics {
    let Some(scope) = lookup_scope(planned, private, backend.subscription(), false) else {
        return Diagnostics::new();
    };
    if scope.link.is_none() || scope.known.region.is_none() || scope.adoption.endpoints.is_empty() {
        return Diagnostics::new();
    }
    let observed = match backend.observe(&scope, cancel).await {
        Ok(observed) => observed,
        Err(diagnostics) => return diagnostics,
    };
    if let Some(found) = obstacle(&scope, &observed) {
        // The link's own slot is taken, by VPN connections if not by connections.
        let mut unavailable = taken.clone();
        unavailable.extend(scope.inside_cidrs.iter().map(|(_, cidr)| *cidr));
        return conflict(found, &scope, &format_slots(&free_slots(&unavailable))).into();
    }
    let ids = adopted(&scope, &observed);
    if ids.is_empty() {
        return Diagnostics::new();
    }
    adopted_objects(&ids).into()
}

/// Warns of objects of an incomplete create.
pub fn adopted_objects(ids: &[String]) -> Diagnostic {
    Diagnostic::warning(summaries::ADOPTED_OBJECTS).detail(format!(
        "An earlier run created these objects and did not complete the link. This apply adopts them, and destroy will delete them: {}.",
        ids.join(", ")
    ))
}

pub fn conflict(found: Obstacle, scope: &LookupScope, free: &str) -> Diagnostic {
    let error = |summary: &str, detail: String, attribute: AttributeId| {
        Diagnostic::error(summary)
            .detail(detail)
            .at(value_path(&attribute))
    };
    match found {
        Obstacle::OtherLink { endpoint, ids } => error(
            summaries::CONFLICTING_SLOT,
            format!(
                "Another link uses these inside CIDRs on the same Azure gateway. Its AWS side is {endpoint} ({}). Set another \
                 slot. Free slots: {free}.",
                ids.join(", ")
            ),
            AttributeId::Slot,
        ),
        Obstacle::IncompleteLink { endpoint, ids } => error(
            summaries::CONFLICTING_INCOMPLETE_LINK,
            format!(
                "An incomplete create with the AWS side {endpoint} on the same Azure gateway and inside CIDRs left {}. If it was a create of \
                 this link, restore its settings in the configuration and apply: that completes the link, and later applies can change \
                 it. Or delete these objects. If it was another link, set another slot. Free slots: {free}.",
                ids.join(", ")
            ),
            AttributeId::Slot,
        ),
        Obstacle::Complete { ids } => {
            let gateway = scope
                .known
                .azure_gateway
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            let first = scope.inside_cidrs.get(TunnelKey::ALL[0]);
            let region = scope
                .known
                .region
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            error(
                summaries::CONFLICTING_LINK,
                format!(
                    "This link already exists and is complete ({}). If another state manages it, set another slot (free slots: {free}) or \
                     another gateway. Only if no state manages it, import it: terraform import ADDRESS \
                     '{gateway},{first}@{region}'",
                    ids.join(", ")
                ),
                AttributeId::Slot,
            )
        }
        Obstacle::NameTaken(id) => error(
            summaries::CONFLICTING_NAMES,
            format!(
                "{id} exists and does not match this link. Set another name in azure.names, or delete the object. If an interrupted \
                 create with other settings left it, restore those settings and apply: that completes the link."
            ),
            AttributeId::AzureNames,
        ),
    }
}
