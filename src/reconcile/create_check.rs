//! The last look before a create makes anything: what plan saw may be minutes old, and other states are not seen there.

use super::cause::Cause;
use super::clouds::{Limits, Site};
use crate::link::adoption::{Obstacle, obstacle};
use crate::link::claim::{free_slots, in_words};
use crate::link::inside_addresses::inside_cidrs_with;
use crate::link::observed::Observed;
use crate::link::search::Search;
use crate::link::spec::Spec;
use crate::link::tunnel::TunnelKey;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Whether a create may start.
///
/// # Errors
/// What is in its way, with its id; what reading the gateway's connections answers.
pub async fn may_create(
    site: &Site,
    spec: &Spec,
    search: &Search,
    seen: &Observed,
    limits: &Limits,
) -> Result<(), Cause> {
    let found = obstacle(search, seen);
    if seen.azure.gateway.is_none() {
        return found.map_or(Ok(()), |found| Err(cause(found, spec, "unknown".to_owned())));
    }
    let connections = site.azure.gateway_connections(spec.azure.gateway.id(), &limits.azure()).await?;
    let own = |id: &crate::azure::ResourceId| {
        seen.azure.connections.iter().any(|(_, one)| one.as_ref().is_some_and(|one| one.resource.id == *id))
    };
    let others = connections.iter().filter(|connection| !own(&connection.resource.id));
    let used = |one: &crate::azure::model::Connection| one.custom_bgp_ips.iter().map(|(_, ip)| *ip).collect::<Vec<_>>();
    let taken: BTreeSet<Ipv4Addr> = others.clone().flat_map(used).collect();
    let free = in_words(&free_slots(&inside_cidrs_with(&taken)));
    if let Some(found) = found {
        return Err(cause(found, spec, free));
    }
    for (_, cidr) in spec.inside_cidrs.iter() {
        if let Some(other) = others.clone().find(|one| used(one).contains(&cidr.azure_ip())) {
            let found = other.resource.id.to_string();
            return Err(Cause::AddressInUse { cidr: cidr.to_string(), found, free });
        }
    }
    Ok(())
}

fn cause(found: Obstacle, spec: &Spec, free: String) -> Cause {
    match found {
        Obstacle::OtherLink { endpoint, ids } => Cause::SlotInUse { endpoint, found: ids.join(", "), free },
        Obstacle::Complete { ids } => Cause::AlreadyBuilt { id: import_id(spec), found: ids.join(", "), free },
        Obstacle::NameTaken(id) => Cause::NameInUse { id: id.to_string() },
    }
}

fn import_id(spec: &Spec) -> String {
    format!("{},{}@{}", spec.azure.gateway.id(), spec.inside_cidrs.get(TunnelKey::ALL[0]), spec.aws.region)
}
