//! Where the gateways of a planned link come from, and what is there that it must not count as its own.

use super::changes::Changes;
use super::private::Origin;
use super::settle::Ground;
use super::settle_options::inside_cidrs;
use super::spec::link_id;
use crate::link::decide::GATEWAY_SUBNET;
use crate::link::survey::Survey;
use crate::link::tunnel::TunnelKey;
use crate::plugin::Value;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Where the gateways come from, and what is there already that this link must not count as its own.
pub fn origin(ground: &Ground<'_, '_>, survey: &Survey, settled: &Value) -> Origin {
    let last = &ground.private.origin;
    let claimed = ground.claims(settled);
    let vpn_gateway_given = ground.vpn_gateway_given();
    let replaced = |id: &str| ground.private.replaces.iter().any(|gone| gone.eq_ignore_ascii_case(id));
    let lacks = survey.network.found().is_some_and(|network| {
        let subnet = network.resource.id.child("subnets", GATEWAY_SUBNET);
        replaced(subnet.as_str()) || !network.subnets.iter().any(|s| s.name == GATEWAY_SUBNET)
    });
    let prefix = settled.at(&"azure.gateway_subnet_prefix".into()).is_set();
    let propagated = survey.vpn_gateway.found().map(|gateway| {
        let tables = survey.route_tables.iter().filter(|table| table.propagating.contains(&gateway.id));
        let own = |id: String| replaced(&id) || survey.propagations.contains(&id);
        let tables = tables.filter(|table| !own(format!("{}/{}", table.id, gateway.id)));
        tables.map(|table| table.id.0.clone()).collect::<Vec<_>>()
    });
    let same_gateway = ground.prior.is_some_and(|prior| !Changes { prior, planned: settled }.at("aws.vpn_gateway_id"));
    Origin {
        azure_gateway_given: ground.azure_gateway_given() && !claimed,
        vpn_gateway_given: vpn_gateway_given && !claimed,
        makes_gateway_subnet: last.makes_gateway_subnet || lacks && prefix,
        found: if claimed { BTreeSet::new() } else { found_addresses(ground, survey, settled) },
        propagated_before: if claimed {
            Vec::new()
        } else if same_gateway {
            last.propagated_before.clone()
        } else {
            propagated.unwrap_or_default()
        },
    }
}

/// Of this link's addresses, those that a given gateway lists already and that neither this link nor an earlier try of it put there.
fn found_addresses(ground: &Ground<'_, '_>, survey: &Survey, settled: &Value) -> BTreeSet<Ipv4Addr> {
    let mut found = ground.private.origin.found.clone();
    let (Some(gateway), Some(cidrs)) = (survey.gateway.found(), inside_cidrs(settled)) else { return found };
    let network = crate::link::survey::network_of(gateway);
    let first = *cidrs.get(TunnelKey::ALL[0]);
    let link = network.map(|network| link_id(settled, ground.private, &network, first));
    if ground.private.finishes && ground.private.link.is_some() {
        return found;
    }
    let tried = |c: &crate::azure::model::Connection| link.as_ref().is_some_and(|link| link.is_on(&c.resource.tags));
    let unmarked = ground.prior.is_none() && survey.placed.is_none();
    if !ground.azure_gateway_given() || unmarked && survey.connections.iter().any(tried) {
        return found;
    }
    // A link that is replaced takes its addresses off before this one is created.
    let before = ground.private.of_state();
    let (former, placed) = (ground.private.former.iter().chain(&before.former), survey.placed.iter().flatten());
    let noted: BTreeSet<&Ipv4Addr> = former.map(|(_, ip)| ip).chain(placed).collect();
    let put = match ground.prior {
        Some(prior) => inside_cidrs(&ground.private.applied).or_else(|| inside_cidrs(prior)),
        None => inside_cidrs(&before.applied),
    };
    for (key, cidr) in cidrs.iter() {
        let ip = cidr.azure_ip();
        let listed = gateway.instances.get(key.instance.index()).is_some_and(|at| at.custom_bgp_ips.contains(&ip));
        // Tunnels of one instance may have exchanged their addresses.
        let is_put = put.iter().any(|put| key.instance.tunnels().iter().any(|twin| put.get(*twin).azure_ip() == ip))
            && !before.origin.found.contains(&ip);
        if listed && !noted.contains(&ip) && !is_put {
            found.insert(ip);
        }
    }
    found
}
