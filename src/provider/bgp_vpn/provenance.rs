//! Where the gateways of a planned link come from, and what is there that it must not count as its
//! own.

use super::default_options::inside_cidrs;
use super::defaults::PlanInputs;
use super::expand::link_id;
use super::model::{Model, read_config};
use super::private_state::Provenance;
use bgp_vpn::inside_cidr::InsideCidr;
use bgp_vpn::observed::Observed;
use bgp_vpn::ownership_tags::{LinkId, recorded_bgp_addresses};
use bgp_vpn::plan::GATEWAY_SUBNET;
use bgp_vpn::preflight::PreflightSnapshot;
use bgp_vpn::tunnel::{PerTunnel, TunnelKey};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Where the gateways come from, and what is there already that this link must not count as its
/// own.
pub fn provenance(
    inputs: &PlanInputs<'_, '_>,
    snapshot: &PreflightSnapshot,
    planned: &Model,
) -> Provenance {
    let last = &inputs.private.provenance;
    let claimed = inputs.takes_ownership(planned);
    let uses_existing_vpn_gateway = inputs.vpn_gateway_is_existing();
    let replaced = |id: &str| {
        inputs
            .private
            .replaced_ids
            .iter()
            .any(|gone| gone.eq_ignore_ascii_case(id))
    };
    let lacks = snapshot.network.found().is_some_and(|network| {
        let subnet = network.resource.id.child("subnets", GATEWAY_SUBNET);
        replaced(subnet.as_str()) || !network.subnets.iter().any(|s| s.name == GATEWAY_SUBNET)
    });
    let prefix = planned.gateway_subnet_prefix.is_set();
    let propagated = snapshot.vpn_gateway.found().map(|gateway| {
        let tables = snapshot
            .route_tables
            .iter()
            .filter(|table| table.propagating.contains(&gateway.id));
        let own = |id: String| replaced(&id) || snapshot.propagations.contains(&id);
        let tables = tables.filter(|table| !own(format!("{}/{}", table.id, gateway.id)));
        tables.map(|table| table.id.0.clone()).collect::<Vec<_>>()
    });
    let same_gateway = inputs
        .prior
        .is_some_and(|prior| prior.vpn_gateway_id == planned.vpn_gateway_id);
    Provenance {
        azure_gateway_is_existing: inputs.azure_gateway_is_existing() && !claimed,
        vpn_gateway_is_existing: uses_existing_vpn_gateway && !claimed,
        creates_gateway_subnet: last.creates_gateway_subnet || lacks && prefix,
        preexisting_addresses: if claimed {
            BTreeSet::new()
        } else {
            preexisting_addresses(inputs, snapshot, planned)
        },
        preexisting_propagation: if claimed {
            Vec::new()
        } else if same_gateway {
            last.preexisting_propagation.clone()
        } else {
            propagated.unwrap_or_default()
        },
    }
}

/// Of this link's addresses, those that an existing gateway lists already and that neither this link
/// nor an earlier attempt to create it added.
fn preexisting_addresses(
    inputs: &PlanInputs<'_, '_>,
    snapshot: &PreflightSnapshot,
    planned: &Model,
) -> BTreeSet<Ipv4Addr> {
    let mut found = inputs.private.provenance.preexisting_addresses.clone();
    let (Some(gateway), Some(cidrs)) = (snapshot.gateway.found(), inside_cidrs(planned)) else {
        return found;
    };
    let network = bgp_vpn::preflight::network_of(gateway);
    let first = *cidrs.get(TunnelKey::ALL[0]);
    let link = network.map(|network| link_id(&planned.link, inputs.private, &network, first));
    if inputs.private.resumes_incomplete && inputs.private.link.is_some() {
        return found;
    }
    let tried = |c: &crate::azure::model::Connection| {
        link.as_ref()
            .is_some_and(|link| link.is_on(&c.resource.tags))
    };
    let unmarked = inputs.prior.is_none() && snapshot.recorded_bgp_addresses.is_none();
    if !inputs.azure_gateway_is_existing() || unmarked && snapshot.connections.iter().any(tried) {
        return found;
    }
    // A link that is replaced takes its addresses off before this one is created.
    let before = inputs.private.of_state();
    let (former, placed) = (
        inputs
            .private
            .pending_removals
            .iter()
            .chain(&before.pending_removals),
        snapshot.recorded_bgp_addresses.iter().flatten(),
    );
    let noted: BTreeSet<&Ipv4Addr> = former.map(|(_, ip)| ip).chain(placed).collect();
    let put = match inputs.prior {
        Some(prior) => {
            inside_cidrs(&read_config(&inputs.private.applied)).or_else(|| inside_cidrs(prior))
        }
        None => inside_cidrs(&read_config(&before.applied)),
    };
    for (key, cidr) in cidrs.iter() {
        let ip = cidr.azure_ip();
        let listed = gateway
            .instances
            .get(key.instance.index())
            .is_some_and(|at| at.custom_bgp_ips.contains(&ip));
        // Tunnels of one instance may have exchanged their addresses.
        let is_put = put.iter().any(|put| {
            key.instance
                .tunnels()
                .iter()
                .any(|twin| put.get(*twin).azure_ip() == ip)
        }) && !before.provenance.preexisting_addresses.contains(&ip);
        if listed && !noted.contains(&ip) && !is_put {
            found.insert(ip);
        }
    }
    found
}

/// Addresses of the link that an existing Azure gateway lists and that the link did not add, as far
/// as its tags record that: on the customer gateways, and during a move on the local network
/// gateways.
pub fn unrecorded_addresses(
    observed: &Observed,
    cidrs: &PerTunnel<InsideCidr>,
    link: &LinkId,
) -> BTreeSet<Ipv4Addr> {
    let customers = observed.aws.customer_gateways.iter();
    let customers = customers.filter_map(|(_, customer)| Some(&customer.as_ref()?.tags));
    let locals = observed.azure.local_gateways.iter();
    let locals = locals.filter_map(|(_, local)| Some(&local.as_ref()?.resource.tags));
    let recorded: BTreeSet<Ipv4Addr> = customers
        .chain(locals)
        .filter(|tags| link.is_on(tags))
        .flat_map(recorded_bgp_addresses)
        .collect();
    let listed = |(key, cidr): (TunnelKey, &InsideCidr)| {
        let instance = observed.azure.gateway_instance(key.instance)?;
        let ip = cidr.azure_ip();
        (instance.custom_bgp_ips.contains(&ip) && !recorded.contains(&ip)).then_some(ip)
    };
    cidrs.iter().filter_map(listed).collect()
}
