//! The link behind an import id. A link that nobody tagged is found by what its objects say of each other: customer gateways
//! by the Azure gateway's public addresses, VPN connections by them, local network gateways by outside addresses.

use super::cause::Cause;
use super::clouds::{Clouds, Limits, Site};
use super::observe::observe;
use crate::aws::Filter;
use crate::aws::model::{CustomerGateway, CustomerGatewayId, Region, Target, VpnConnection};
use crate::azure::model::{Connection, Gateway, LocalGateway};
use crate::link::address::{InsideCidr, Slot};
use crate::link::assemble::name_endpoints;
use crate::link::known::Known;
use crate::link::observed::Observed;
use crate::link::ownership::{AwsEndpoint, LINK, LinkId, NAME, PART, UNFINISHED};
use crate::link::search::{AwsEnd, ImportId, Search};
use crate::link::tunnel::{Instance, PerInstance, PerTunnel, TunnelKey};
use crate::primitives::Tags;
use futures::future::try_join_all;
use futures::try_join;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// A link as import finds it.
#[derive(Debug)]
pub struct FoundLink {
    pub observed: Observed,
    pub link: LinkId,
    pub name: String,
    pub inside_cidrs: PerTunnel<InsideCidr>,
    pub region: Region,
    pub known: Known,
    /// Customer gateways that VPN connections of others use too.
    pub shared: Vec<CustomerGatewayId>,
    pub finished: bool,
}

/// Why there is nothing to import.
#[derive(Debug, thiserror::Error)]
pub enum FindFault {
    #[error(transparent)]
    Cause(#[from] Cause),
    #[error(
        "there is no Azure gateway {0} that these credentials may see: correct its subscription, resource group or name"
    )]
    NoGateway(String),
    #[error(
        "the Azure gateway {id} {what}, and a link needs an active-active VPN gateway with BGP: change the gateway first, or name another"
    )]
    WrongGateway { id: String, what: &'static str },
    #[error("{end} does not exist in {region}")]
    NoEnd { region: Region, end: String },
    #[error(
        "in {region} no VPN connection ends on {end} whose customer gateway has one of the Azure gateway's addresses ({addresses}){}",
        others(.elsewhere)
    )]
    NoConnection { region: Region, end: String, addresses: String, elsewhere: BTreeSet<String> },
    #[error(
        "in {region} no tunnel of the VPN connections to this Azure gateway has the inside CIDR {cidr}. There are {found}"
    )]
    NoTunnel { region: Region, cidr: InsideCidr, found: String },
    /// One of the three above, with the regions to which the tags in Azure point.
    #[error("{fault}")]
    NotHere { fault: Box<FindFault>, regions: BTreeSet<Region> },
    #[error(
        "the two VPN connections of this link end on different gateways, {0}: add the one on which it is to end, with the inside CIDR, \
         to the id (<Azure gateway id>,<vgw-... or tgw-...>,<inside CIDR>). The next apply moves the other connection there"
    )]
    TwoEnds(String),
    #[error(
        "more than one link runs between these gateways: add the inside CIDR of one of its tunnels to the id. There are {0}"
    )]
    Ambiguous(String),
}

impl FindFault {
    /// Where the link may be in another region: the regions to which tags point, which may be none.
    pub fn other_regions(&self) -> Option<&BTreeSet<Region>> {
        if let FindFault::NotHere { regions, .. } = self { Some(regions) } else { None }
    }
}

fn others(elsewhere: &BTreeSet<String>) -> String {
    if elsewhere.is_empty() {
        return String::new();
    }
    format!(". Those that have one end on {}", elsewhere.iter().cloned().collect::<Vec<_>>().join(", "))
}

/// Finds the link and reads it whole.
///
/// # Errors
/// What is missing, or what must be said to tell two links apart.
pub async fn find(clouds: &Clouds, id: &ImportId, limits: &Limits) -> Result<FoundLink, FindFault> {
    let site = clouds.site(id.region.as_ref(), limits).await?;
    let (az, aw) = (limits.azure(), limits.aws());
    let everything = Filter::default();
    let (gateway, connections, customers, vpns) = try_join!(
        async { site.azure.get_gateway(&id.azure_gateway, &az).await.map_err(Cause::from) },
        async { site.azure.gateway_connections(&id.azure_gateway, &az).await.map_err(Cause::from) },
        async { site.ec2.describe_customer_gateways(&aw, &everything).await.map_err(Cause::from) },
        async { site.ec2.describe_vpn_connections(&aw, &everything).await.map_err(Cause::from) },
    )?;
    let gateway = gateway.ok_or_else(|| FindFault::NoGateway(id.azure_gateway.to_string()))?;
    check(&gateway)?;
    let addresses = PerInstance::from_fn(|i| gateway.instances.get(i.index()).map(|at| at.tunnel_ips.clone()));
    let not_here = |fault| FindFault::NotHere {
        fault: Box::new(fault),
        regions: regions_by_tags(id, &connections, site.ec2.region()),
    };
    let pair = match choose(id, &gateway, &addresses, &customers, &vpns, site.ec2.region()) {
        Err(fault @ FindFault::NoConnection { .. }) => {
            return Err(not_here(no_end(id, &site, limits).await?.unwrap_or(fault)));
        }
        Err(fault @ FindFault::NoTunnel { .. }) => return Err(not_here(fault)),
        chosen => chosen?,
    };
    let inside_cidrs = inside_cidrs(id, &pair);
    let network = gateway.instances.iter().find_map(|i| i.subnet_id.as_ref()?.parent());
    let tagged = pair.iter().find_map(|(_, vpn)| vpn.as_ref()?.tags.get(LINK).map(|value| LinkId::found(value)));
    let first = *inside_cidrs.get(TunnelKey::ALL[0]);
    let link = tagged.unwrap_or_else(|| LinkId::new(network.as_ref().unwrap_or(&gateway.resource.id), first));
    let known = Known {
        region: Some(site.ec2.region().clone()),
        resource_group: Some(gateway.resource.id.resource_group().to_owned()),
        network,
        azure_gateway: Some(gateway.resource.id.clone()),
        ..Known::default()
    };
    let mut search = Search::by_ids(known, Some(link), inside_cidrs.clone());
    match aws_end(&site, id, &pair, search.link.as_ref(), limits).await? {
        Some(Target::VpnGateway(id)) => search.known.vpn_gateway = Some(id),
        Some(Target::TransitGateway(id)) => search.known.transit_gateway = Some(id),
        Some(Target::Other) | None => {}
    }
    for (instance, vpn) in pair.iter() {
        let Some(vpn) = vpn else { continue };
        *search.known.vpns.get_mut(instance) = Some(vpn.id.clone());
        // A user may have set another customer gateway on the connection: the link's own one still is its own.
        let is_own = |c: &&CustomerGateway| {
            let part = c.tags.get(PART).is_some_and(|part| *part == instance.to_string());
            c.state.is_living() && part && search.link.as_ref().is_some_and(|link| link.is_on(&c.tags))
        };
        let own = customers.iter().find(is_own).map(|c| c.id.clone());
        *search.known.customer_gateways.get_mut(instance) =
            Some(own.unwrap_or_else(|| vpn.customer_gateway_id.clone()));
        for (key, outside) in name_endpoints(&search, instance, vpn) {
            *search.known.outside_ips.get_mut(key) = Some(outside);
        }
    }
    for instance in Instance::ALL.into_iter().filter(|i| pair.get(*i).is_none()) {
        let used = |customer: &CustomerGateway| {
            vpns.iter().any(|v| v.state.is_living() && v.customer_gateway_id == customer.id)
        };
        let ips = addresses.get(instance).iter().flatten().collect::<Vec<_>>();
        let waits_for_one = |c: &&CustomerGateway| {
            let whose =
                c.tags.get(LINK).is_none_or(|link| search.link.as_ref().is_some_and(|own| own.as_str() == link));
            c.state.is_living() && ips.contains(&&c.ip) && c.asn == gateway.asn && whose && !used(c)
        };
        *search.known.customer_gateways.get_mut(instance) = customers.iter().find(waits_for_one).map(|c| c.id.clone());
    }
    let locals = local_gateways(&site, &gateway, &connections, &search.known.outside_ips, limits).await?;
    for key in TunnelKey::ALL {
        let outside = *search.known.outside_ips.get(key);
        let peer = inside_cidrs.get(key).aws_ip();
        // One that points elsewhere, or at an endpoint that is no more, still is this tunnel's by the peer that it names.
        let by_peer = |l: &&LocalGateway| {
            let points_at_another = search.known.outside_ips.iter().any(|(_, ip)| ip.is_some() && *ip == l.gateway_ip);
            !points_at_another
                && l.bgp.is_some_and(|(_, ip)| ip == peer)
                && connections.iter().any(|c| c.local_gateway_id.as_ref() == Some(&l.resource.id))
        };
        let by_outside = locals.iter().find(|l| outside.is_some() && l.gateway_ip == outside);
        let Some(local) = by_outside.or_else(|| locals.iter().find(by_peer)) else { continue };
        let connection = connections.iter().find(|c| c.local_gateway_id.as_ref() == Some(&local.resource.id));
        *search.known.local_gateways.get_mut(key) = Some(local.resource.id.clone());
        *search.known.connections.get_mut(key) = connection.map(|c| c.resource.id.clone());
        // A link of this program's own may be filed elsewhere than the gateway on which it ends.
        let ours = connection.filter(|c| search.link.as_ref().is_some_and(|link| link.is_on(&c.resource.tags)));
        if let Some(connection) = ours {
            search.known.resource_group = Some(connection.resource.id.resource_group().to_owned());
        }
    }
    let observed = observe(&site, &search, limits).await?;
    let ours = |vpn: &VpnConnection| pair.iter().any(|(_, own)| own.as_ref().is_some_and(|own| own.id == vpn.id));
    let foreign =
        |id: &CustomerGatewayId| vpns.iter().any(|v| v.state.is_living() && !ours(v) && v.customer_gateway_id == *id);
    let customers = pair.iter().filter_map(|(_, vpn)| Some(vpn.as_ref()?.customer_gateway_id.clone()));
    let shared = customers.filter(foreign).collect();
    let tags = || pair.iter().filter_map(|(_, vpn)| vpn.as_ref().map(|v| &v.tags));
    let name = tags().find_map(|tags| tags.get(NAME).cloned());
    Ok(FoundLink {
        observed,
        name: name.unwrap_or_else(|| gateway.resource.id.name().to_owned()),
        inside_cidrs,
        region: site.ec2.region().clone(),
        finished: !tags().any(|tags| tags.contains_key(UNFINISHED)),
        link: search.link.unwrap_or_else(|| LinkId::found("")),
        known: search.known,
        shared,
    })
}

fn check(gateway: &Gateway) -> Result<(), FindFault> {
    let wrong = |what| Err(FindFault::WrongGateway { id: gateway.resource.id.to_string(), what });
    match gateway {
        g if !g.gateway_type.eq_ignore_ascii_case("Vpn") => wrong("is not a VPN gateway"),
        g if !g.active_active || g.instances.len() < 2 => wrong("has one instance only"),
        g if !g.enable_bgp => wrong("has BGP switched off"),
        _ => Ok(()),
    }
}

/// The local network gateways that the gateway's connections point at, then those without a connection that stand for a tunnel
/// which none of the first does: looked for wherever the link has something.
async fn local_gateways(
    site: &Site,
    gateway: &Gateway,
    connections: &[Connection],
    outside_ips: &PerTunnel<Option<Ipv4Addr>>,
    limits: &Limits,
) -> Result<Vec<LocalGateway>, Cause> {
    let waits = &limits.azure();
    let pointed_at = connections.iter().filter_map(|c| c.local_gateway_id.as_ref());
    let read = try_join_all(pointed_at.map(|id| site.azure.get_local_gateway(id, waits))).await?;
    let mut locals: Vec<LocalGateway> = read.into_iter().flatten().collect();
    let stands_for = |ip: Ipv4Addr| locals.iter().any(|l| l.gateway_ip == Some(ip));
    if outside_ips.iter().all(|(_, ip)| ip.is_none_or(stands_for)) {
        return Ok(locals);
    }
    let ids = connections.iter().flat_map(|c| [Some(&c.resource.id), c.local_gateway_id.as_ref()]).flatten();
    let groups: BTreeSet<String> =
        ids.chain([&gateway.resource.id]).map(|id| id.resource_group().to_lowercase()).collect();
    let listed = try_join_all(groups.iter().map(|group| site.azure.list_local_gateways(group, waits))).await?;
    locals.extend(listed.into_iter().flatten());
    Ok(locals)
}

/// The gateway at AWS on which the link is to end. Where its two connections end on different ones, a user moved one of them with
/// `ModifyVpnConnection`: the gateway that the id names counts, else the one that carries the link's tag.
async fn aws_end(
    site: &Site,
    id: &ImportId,
    pair: &Pair,
    link: Option<&LinkId>,
    limits: &Limits,
) -> Result<Option<Target>, FindFault> {
    let ends: BTreeSet<Target> = pair.iter().filter_map(|(_, vpn)| Some(vpn.as_ref()?.target.clone())).collect();
    if ends.len() < 2 {
        return Ok(ends.into_iter().next());
    }
    match &id.aws_gateway {
        Some(AwsEnd::VpnGateway(id)) => return Ok(Some(Target::VpnGateway(id.clone()))),
        Some(AwsEnd::TransitGateway(id)) => return Ok(Some(Target::TransitGateway(id.clone()))),
        None => {}
    }
    let tags = link.map(|link| Tags::from([(LINK.to_owned(), link.to_string())]));
    let own = match &tags {
        Some(tags) => site.ec2.describe_vpn_gateways(&limits.aws(), &Filter::tags(tags)).await.map_err(Cause::from)?,
        None => Vec::new(),
    };
    let own = own.into_iter().filter(|gateway| gateway.state.is_living()).map(|it| Target::VpnGateway(it.id));
    let words: Vec<String> = ends.iter().map(ToString::to_string).collect();
    own.into_iter().find(|own| ends.contains(own)).map(Some).ok_or_else(|| FindFault::TwoEnds(words.join(" and ")))
}

/// Regions of links on the gateway that the id may mean, by the tags of their connections. Links that were created by hand carry
/// none.
fn regions_by_tags(id: &ImportId, connections: &[Connection], here: &Region) -> BTreeSet<Region> {
    let meant = |connection: &&Connection| {
        let uses = |cidr: &InsideCidr| connection.custom_bgp_ips.iter().any(|(_, ip)| *ip == cidr.azure_ip());
        id.inside_cidr.as_ref().is_none_or(uses)
    };
    let regions = connections.iter().filter(meant).filter_map(|it| AwsEndpoint::region_of(&it.resource.tags));
    regions.filter(|region| region != here).collect()
}

/// That the named AWS end does not exist at all, which says more than that nothing ends on it.
async fn no_end(id: &ImportId, site: &Site, limits: &Limits) -> Result<Option<FindFault>, Cause> {
    let (waits, ec2) = (&limits.aws(), &site.ec2);
    let (there, end) = match &id.aws_gateway {
        None => return Ok(None),
        Some(AwsEnd::VpnGateway(vgw)) => {
            let found = ec2.describe_vpn_gateways(waits, &Filter::id(vgw)).await?;
            (found.iter().any(|gateway| gateway.state.is_living()), format!("virtual private gateway {vgw}"))
        }
        Some(AwsEnd::TransitGateway(tgw)) => {
            let found = ec2.describe_transit_gateways(waits, &Filter::id(tgw)).await?;
            (found.iter().any(|gateway| gateway.state.is_living()), format!("transit gateway {tgw}"))
        }
    };
    Ok((!there).then(|| FindFault::NoEnd { region: site.ec2.region().clone(), end }))
}

type Pair = PerInstance<Option<VpnConnection>>;

/// The one VPN connection to each instance that the id means.
fn choose(
    id: &ImportId,
    gateway: &Gateway,
    addresses: &PerInstance<Option<Vec<Ipv4Addr>>>,
    customers: &[CustomerGateway],
    vpns: &[VpnConnection],
    region: &Region,
) -> Result<Pair, FindFault> {
    let instance_of = |vpn: &VpnConnection| {
        let ip = customers.iter().find(|c| c.id == vpn.customer_gateway_id)?.ip;
        Instance::ALL.into_iter().find(|i| addresses.get(*i).as_ref().is_some_and(|ips| ips.contains(&ip)))
    };
    let meant = |vpn: &VpnConnection| match (&id.aws_gateway, &vpn.target) {
        (None, _) => true,
        (Some(AwsEnd::VpnGateway(want)), Target::VpnGateway(have)) => want == have,
        (Some(AwsEnd::TransitGateway(want)), Target::TransitGateway(have)) => want == have,
        _ => false,
    };
    let of_gateway: Vec<(Instance, &VpnConnection)> =
        vpns.iter().filter(|v| v.state.is_living()).filter_map(|v| Some((instance_of(v)?, v))).collect();
    let found: Vec<(Instance, &VpnConnection)> = of_gateway.iter().copied().filter(|(_, v)| meant(v)).collect();
    if found.is_empty() {
        let end = match &id.aws_gateway {
            Some(AwsEnd::VpnGateway(id)) => id.to_string(),
            Some(AwsEnd::TransitGateway(id)) => id.to_string(),
            None => "any gateway".to_owned(),
        };
        let ips: Vec<String> = gateway.instances.iter().flat_map(|i| &i.tunnel_ips).map(ToString::to_string).collect();
        let elsewhere = of_gateway.iter().filter_map(|(_, v)| match &v.target {
            Target::VpnGateway(id) => Some(id.to_string()),
            Target::TransitGateway(id) => Some(id.to_string()),
            Target::Other => None,
        });
        let (region, addresses) = (region.clone(), ips.join(", "));
        return Err(FindFault::NoConnection { region, end, addresses, elsewhere: elsewhere.collect() });
    }
    let (at, lead) = leader(id, gateway, &found, region)?;
    let belongs = |vpn: &VpnConnection| match lead.tags.get(LINK) {
        Some(link) => vpn.tags.get(LINK) == Some(link),
        None => vpn.target == lead.target && !vpn.tags.contains_key(LINK),
    };
    // By its tag a connection belongs to the link also where it was moved to another gateway.
    let candidates = if lead.tags.contains_key(LINK) { &of_gateway } else { &found };
    let of = |instance: Instance| -> Vec<&VpnConnection> {
        candidates.iter().filter(|(i, v)| *i == instance && belongs(v)).map(|(_, v)| *v).collect()
    };
    let other = if at == Instance::Zero { Instance::One } else { Instance::Zero };
    let mut pair = Pair::default();
    *pair.get_mut(at) = Some(lead.clone());
    *pair.get_mut(other) = partner(lead, of(at), of(other)).cloned();
    Ok(pair)
}

/// The connection to the other instance that makes a link with this one: the one of the same slot. Those that no slot
/// pairs make links in the order of their networks, whichever of them is asked for.
fn partner<'a>(
    lead: &VpnConnection,
    mine: Vec<&'a VpnConnection>,
    others: Vec<&'a VpnConnection>,
) -> Option<&'a VpnConnection> {
    let same_slot = |a: &VpnConnection, b: &VpnConnection| slot_of(a).is_some() && slot_of(a) == slot_of(b);
    if let Some(one) = others.iter().find(|v| same_slot(v, lead)) {
        return Some(one);
    }
    let left = |own: &[&'a VpnConnection], across: &[&VpnConnection]| {
        let mut own: Vec<_> = own.iter().copied().filter(|v| !across.iter().any(|o| same_slot(o, v))).collect();
        own.sort_by_key(|v| cidrs_of(v));
        own
    };
    let rank = left(&mine, &others).iter().position(|v| v.id == lead.id)?;
    left(&others, &mine).get(rank).copied()
}

/// The connection that the id points at: the one that carries the CIDR, else the only one to its instance.
fn leader<'a>(
    id: &ImportId,
    gateway: &Gateway,
    found: &[(Instance, &'a VpnConnection)],
    region: &Region,
) -> Result<(Instance, &'a VpnConnection), FindFault> {
    let all = || listed(found.iter().map(|(_, v)| *v));
    let Some(cidr) = id.inside_cidr else {
        let many = Instance::ALL.iter().any(|i| found.iter().filter(|(at, _)| at == i).count() > 1);
        return match found.first() {
            Some(one) if !many => Ok(*one),
            _ => Err(FindFault::Ambiguous(all())),
        };
    };
    let network = gateway.instances.iter().find_map(|i| i.subnet_id.as_ref()?.parent());
    let link = network.map(|network| LinkId::new(&network, cidr));
    let tagged = found.iter().find(|(_, v)| link.as_ref().is_some_and(|link| link.is_on(&v.tags)));
    let carries = |v: &VpnConnection| v.tunnels.iter().any(|t| t.inside_cidr == Some(cidr.net()));
    let by_cidr = || found.iter().find(|(_, v)| carries(v));
    let missing = || FindFault::NoTunnel { region: region.clone(), cidr, found: all() };
    tagged.or_else(by_cidr).copied().ok_or_else(missing)
}

fn cidrs_of(vpn: &VpnConnection) -> Vec<InsideCidr> {
    let mut cidrs: Vec<InsideCidr> =
        vpn.tunnels.iter().filter_map(|t| InsideCidr::check(t.inside_cidr?).ok()).collect();
    cidrs.sort();
    cidrs
}

/// The slot in whose blocks both tunnels of a connection lie, if one does.
fn slot_of(vpn: &VpnConnection) -> Option<Slot> {
    let cidrs = cidrs_of(vpn);
    (0..u64::from(Slot::COUNT)).filter_map(Slot::new).find(|slot| {
        let plan = slot.inside_cidrs();
        Instance::ALL.iter().any(|i| cidrs == i.tunnels().map(|key| *plan.get(key)))
    })
}

/// Which CIDR is which tunnel: number 1 is the one that the id names, or else the lower; the other instance follows. A tunnel
/// without a CIDR that Azure takes gets that of the slot.
fn inside_cidrs(id: &ImportId, pair: &Pair) -> PerTunnel<InsideCidr> {
    let own = |instance: Instance| pair.get(instance).as_ref().map(cidrs_of).unwrap_or_default();
    let touches = |slot: &Slot| {
        let plan = slot.inside_cidrs();
        Instance::ALL.iter().any(|i| i.tunnels().iter().any(|key| own(*i).contains(plan.get(*key))))
    };
    let partly = || (0..u64::from(Slot::COUNT)).filter_map(Slot::new).find(touches);
    let slot = pair.iter().find_map(|(_, vpn)| slot_of(vpn.as_ref()?)).or_else(partly).unwrap_or_default();
    let mut cidrs = slot.inside_cidrs();
    for instance in Instance::ALL {
        let mut own = own(instance);
        if id.aws_gateway.is_none() && own.get(1) == id.inside_cidr.as_ref() && id.inside_cidr.is_some() {
            own.reverse();
        }
        if let ([only], [_, second]) = (own.as_slice(), instance.tunnels())
            && cidrs.get(second) == only
        {
            continue;
        }
        for (key, cidr) in instance.tunnels().into_iter().zip(own) {
            *cidrs.get_mut(key) = cidr;
        }
    }
    cidrs
}

fn listed<'a>(vpns: impl Iterator<Item = &'a VpnConnection>) -> String {
    let words = vpns.map(|v| {
        let cidrs: Vec<String> = cidrs_of(v).iter().map(ToString::to_string).collect();
        format!("{} ({})", v.id, cidrs.join(", "))
    });
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::azure::documents::gateway::parse;
    use serde_json::json;

    #[test]
    fn a_gateway_that_can_carry_no_link_is_named_with_the_reason() {
        let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworkGateways/w";
        let configuration =
            |name: &str| json!({"id": format!("{id}/ipConfigurations/{name}"), "name": name, "properties": {}});
        let gateway = |kind: &str, active: bool, names: &[&str]| {
            let configurations: Vec<_> = names.iter().map(|name| configuration(name)).collect();
            parse(json!({"id": id, "location": "eastus", "properties": {"gatewayType": kind, "activeActive": active,
                "enableBgp": true, "ipConfigurations": configurations, "provisioningState": "Succeeded"}}))
            .unwrap()
        };
        assert!(check(&gateway("Vpn", true, &["a", "b"])).is_ok());
        let refused = |gateway: &Gateway| check(gateway).unwrap_err().to_string();
        assert!(refused(&gateway("Vpn", false, &["a"])).contains("has one instance only"));
        assert!(refused(&gateway("ExpressRoute", true, &["a", "b"])).contains("is not a VPN gateway"));
    }
}
