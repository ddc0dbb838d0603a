//! What exists already of a link that is to be created: objects that the create will adopt, or
//! another link in its place.

use super::attribute_paths::value_path;
use super::backend::Backend;
use super::expand::lookup_scope;
use super::model::Model;
use super::private_state::PrivateState;
use crate::provider::sentence::sentence;
use crate::provider::summaries;
use bgp_vpn::conflict::Conflict;
use bgp_vpn::inside_cidr::InsideCidr;
use bgp_vpn::lookup::{ImportId, LookupScope};
use bgp_vpn::managed::Managed;
use bgp_vpn::ownership::{adopted, obstacle};
use std::collections::BTreeSet;
use terraform_plugin::{Cancel, Diagnostic, Diagnostics};

/// Looks for it. Nothing is read while the addresses or the network are unknown. `own`:
/// objects that a replacement deletes first, and that are no conflict.
pub async fn check_existing_link(
    backend: &dyn Backend,
    planned: &Model,
    private: &PrivateState,
    own: &Managed,
    taken: &BTreeSet<InsideCidr>,
    cancel: &Cancel,
) -> Diagnostics {
    let Some(scope) = lookup_scope(planned, private, backend.subscription(), false) else {
        return Diagnostics::new();
    };
    let scope = LookupScope {
        recorded_ids: own.clone(),
        ..scope
    };
    if scope.link.is_none() || scope.known.region.is_none() || scope.adoption.endpoints.is_empty() {
        return Diagnostics::new();
    }
    let mut observed = match backend.observe(&scope, cancel).await {
        Ok(observed) => observed,
        Err(diagnostics) => return diagnostics,
    };
    let foreign = &mut observed.azure.foreign_objects;
    foreign.retain(|id| !own.contains(id.as_str()));
    let known = &scope.known;
    if let (Some(found), Some(gateway), Some(region)) = (
        obstacle(&scope, &observed),
        &known.azure_gateway,
        &known.region,
    ) {
        let link = ImportId::of_link(gateway.clone(), &scope.inside_cidrs, region.clone());
        let conflict = Conflict::new(found, &link, &scope.inside_cidrs, taken);
        return conflict_diagnostic(&conflict).into();
    }
    let ids = adopted(&scope, &observed);
    if ids.is_empty() || !own.is_empty() {
        return Diagnostics::new();
    }
    adopted_objects(&ids).into()
}

/// Warns of objects of an incomplete create.
pub fn adopted_objects(ids: &[String]) -> Diagnostic {
    Diagnostic::warning(summaries::ADOPTED_OBJECTS).detail(format!(
        "These objects carry the tags of this link: an earlier run did not complete it, or a destroy with manage_gateways = false kept \
         them. This apply adopts them, and destroy will delete them: {}.",
        ids.join(", ")
    ))
}

/// What to say of a conflict.
pub fn conflict_diagnostic(conflict: &Conflict) -> Diagnostic {
    Diagnostic::error(conflict.summary())
        .detail(sentence(&conflict.to_string()))
        .at(value_path(&conflict.attribute()))
}
