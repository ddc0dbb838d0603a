//! The last look before a create makes anything: what plan saw may be minutes old, and other states
//! are not seen there.

use super::clients::{LinkClients, OperationContext};
use super::error::ActionError;
use bgp_vpn::conflict::Conflict;
use bgp_vpn::inside_cidr::InsideCidr;
use bgp_vpn::lookup::{ImportId, LookupScope};
use bgp_vpn::observed::Observed;
use bgp_vpn::ownership::obstacle;
use bgp_vpn::preflight::inside_addresses::inside_cidrs_with;
use bgp_vpn::spec::Spec;
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
    let (gateway, own_cidrs) = (spec.azure.gateway.id(), &spec.inside_cidrs);
    let conflict = |found, taken: &BTreeSet<InsideCidr>| {
        let link = ImportId::of_link(gateway.clone(), own_cidrs, spec.aws.region.clone());
        ActionError::Conflict(Conflict::new(found, &link, own_cidrs, taken))
    };
    if observed.azure.gateway.is_none() {
        return found.map_or(Ok(()), |found| Err(conflict(found, &BTreeSet::new())));
    }
    let connections = clients
        .azure
        .gateway_connections(gateway, &operation.call_context())
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
    let taken = inside_cidrs_with(&taken);
    if let Some(found) = found {
        return Err(conflict(found, &taken));
    }
    for (_, cidr) in spec.inside_cidrs.iter() {
        if let Some(other) = others
            .clone()
            .find(|one| used(one).contains(&cidr.azure_ip()))
        {
            let id = &other.resource.id;
            return Err(ActionError::Conflict(Conflict::inside_cidr(
                *cidr, id, own_cidrs, &taken,
            )));
        }
    }
    Ok(())
}
