//! The last look before a create makes anything: what plan saw may be minutes old, and other states
//! are not seen there.

use super::clients::{LinkClients, OperationContext};
use super::error::ActionError;
use bgp_vpn::claim::{format_slots, free_slots};
use bgp_vpn::lookup::LookupScope;
use bgp_vpn::observed::Observed;
use bgp_vpn::ownership::{Obstacle, obstacle};
use bgp_vpn::preflight::inside_addresses::inside_cidrs_with;
use bgp_vpn::spec::Spec;
use bgp_vpn::tunnel::TunnelKey;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Whether a create may start.
///
/// # Errors
/// What is in its way, with its id; what reading the gateway's connections answers.
pub async fn check_create(
    clients: &LinkClients,
    spec: &Spec,
    scope: &LookupScope,
    observed: &Observed,
    operation: &OperationContext,
) -> Result<(), ActionError> {
    let found = obstacle(scope, observed);
    if observed.azure.gateway.is_none() {
        let own = spec.inside_cidrs.iter().map(|(_, cidr)| *cidr).collect();
        return found.map_or(Ok(()), |found| {
            Err(cause(found, spec, format_slots(&free_slots(&own))))
        });
    }
    let connections = clients
        .azure
        .gateway_connections(spec.azure.gateway.id(), &operation.call_context())
        .await?;
    let own = |id: &crate::azure::ResourceId| {
        observed
            .azure
            .connections
            .iter()
            .any(|(_, one)| one.as_ref().is_some_and(|one| one.resource.id == *id))
    };
    let others = connections
        .iter()
        .filter(|connection| !own(&connection.resource.id));
    let used = |one: &crate::azure::model::Connection| {
        one.custom_bgp_ips
            .iter()
            .map(|(_, ip)| *ip)
            .collect::<Vec<_>>()
    };
    let taken: BTreeSet<Ipv4Addr> = others.clone().flat_map(used).collect();
    // Where anything is in the way, the link's own slot is taken, by VPN connections if not by
    // connections.
    let mut unavailable = inside_cidrs_with(&taken);
    unavailable.extend(spec.inside_cidrs.iter().map(|(_, cidr)| *cidr));
    let free = format_slots(&free_slots(&unavailable));
    if let Some(found) = found {
        return Err(cause(found, spec, free));
    }
    for (_, cidr) in spec.inside_cidrs.iter() {
        if let Some(other) = others
            .clone()
            .find(|one| used(one).contains(&cidr.azure_ip()))
        {
            let found = other.resource.id.to_string();
            return Err(ActionError::AddressInUse {
                cidr: cidr.to_string(),
                found,
                free,
            });
        }
    }
    Ok(())
}

fn cause(found: Obstacle, spec: &Spec, free: String) -> ActionError {
    match found {
        Obstacle::OtherLink { endpoint, ids } => ActionError::SlotInUse {
            endpoint,
            found: ids.join(", "),
            free,
        },
        Obstacle::IncompleteLink { endpoint, ids } => ActionError::IncompleteCreate {
            endpoint,
            found: ids.join(", "),
            free,
        },
        Obstacle::Complete { ids } => ActionError::AlreadyExists {
            id: import_id(spec),
            found: ids.join(", "),
            free,
        },
        Obstacle::NameTaken(id) => ActionError::NameInUse { id: id.to_string() },
    }
}

fn import_id(spec: &Spec) -> String {
    format!(
        "{},{}@{}",
        spec.azure.gateway.id(),
        spec.inside_cidrs.get(TunnelKey::ALL[0]),
        spec.aws.region
    )
}
