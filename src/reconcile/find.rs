//! The link behind an import id. A link that nobody tagged is found by what its objects say of each other: customer gateways
//! by the Azure gateway's public addresses, VPN connections by them, local network gateways by outside addresses.

use super::cause::Cause;
use super::clouds::{Clouds, Limits};
use super::observe::observe;
use crate::aws::Filter;
use crate::aws::model::{CustomerGateway, Region, Target, VpnConnection};
use crate::azure::model::{Gateway, LocalGateway};
use crate::link::address::{InsideCidr, Slot};
use crate::link::known::Known;
use crate::link::observed::Observed;
use crate::link::ownership::{LINK, LinkId, NAME, UNFINISHED};
use crate::link::search::{AwsEnd, ImportId, Search};
use crate::link::tunnel::{Instance, PerInstance, PerTunnel};
use futures::future::try_join_all;
use futures::try_join;
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
    pub finished: bool,
}

/// Why there is nothing to import.
#[derive(Debug, thiserror::Error)]
pub enum FindFault {
    #[error(transparent)]
    Cause(#[from] Cause),
    #[error("there is no Azure gateway {0}")]
    NoGateway(String),
    #[error("the Azure gateway {id} {what}, and a link needs an active-active, BGP-enabled VPN gateway")]
    WrongGateway { id: String, what: &'static str },
    #[error(
        "in {region} no VPN connection ends on {end} whose customer gateway has one of the Azure gateway's addresses ({addresses})"
    )]
    NoConnection { region: Region, end: String, addresses: String },
    #[error("no tunnel of the VPN connections between the two has the inside CIDR {0}")]
    NoTunnel(InsideCidr),
    #[error(
        "more than one link runs between these gateways: add the inside CIDR of one of its tunnels to the id. There are {0}"
    )]
    Ambiguous(String),
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
    let pair = choose(id, &gateway, &addresses, &customers, vpns, site.ec2.region())?;
    let inside_cidrs = inside_cidrs(id, &pair);
    let network = gateway.instances.iter().find_map(|i| i.subnet_id.as_ref()?.parent());
    let tagged = pair.iter().find_map(|(_, vpn)| vpn.as_ref()?.tags.get(LINK).map(|value| LinkId::found(value)));
    let first = *inside_cidrs.get(crate::link::tunnel::TunnelKey::ALL[0]);
    let link = tagged.unwrap_or_else(|| LinkId::new(network.as_ref().unwrap_or(&gateway.resource.id), first));

    let locals = connections.iter().filter_map(|c| c.local_gateway_id.as_ref());
    let locals = try_join_all(locals.map(|local| site.azure.get_local_gateway(local, &az))).await;
    let locals: Vec<LocalGateway> = locals.map_err(Cause::from)?.into_iter().flatten().collect();
    let mut known = Known {
        region: Some(site.ec2.region().clone()),
        resource_group: Some(gateway.resource.id.resource_group().to_owned()),
        network,
        azure_gateway: Some(gateway.resource.id.clone()),
        ..Known::default()
    };
    for (instance, vpn) in pair.iter() {
        let Some(vpn) = vpn else { continue };
        *known.vpns.get_mut(instance) = Some(vpn.id.clone());
        *known.customer_gateways.get_mut(instance) = Some(vpn.customer_gateway_id.clone());
        match &vpn.target {
            Target::VpnGateway(id) => known.vpn_gateway = Some(id.clone()),
            Target::TransitGateway(id) => known.transit_gateway = Some(id.clone()),
            Target::Other => {}
        }
        for key in instance.tunnels() {
            let cidr = inside_cidrs.get(key).net();
            let Some(tunnel) = vpn.tunnels.iter().find(|t| t.inside_cidr == Some(cidr)) else { continue };
            *known.outside_ips.get_mut(key) = Some(tunnel.outside_ip);
            let local = locals.iter().find(|l| l.gateway_ip == Some(tunnel.outside_ip));
            *known.local_gateways.get_mut(key) = local.map(|l| l.resource.id.clone());
            let connection =
                local.and_then(|l| connections.iter().find(|c| c.local_gateway_id.as_ref() == Some(&l.resource.id)));
            *known.connections.get_mut(key) = connection.map(|c| c.resource.id.clone());
        }
    }
    let search = Search { known, link: Some(link), inside_cidrs: inside_cidrs.clone(), names: None, read_keys: true };
    let observed = observe(&site, &search, limits).await?;
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

type Pair = PerInstance<Option<VpnConnection>>;

/// The one VPN connection to each instance that the id means.
fn choose(
    id: &ImportId,
    gateway: &Gateway,
    addresses: &PerInstance<Option<Vec<Ipv4Addr>>>,
    customers: &[CustomerGateway],
    vpns: Vec<VpnConnection>,
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
    let alive = |vpn: &VpnConnection| {
        !matches!(vpn.state, crate::aws::model::State::Deleting | crate::aws::model::State::Deleted)
    };
    let found: Vec<(Instance, VpnConnection)> =
        vpns.into_iter().filter(|v| alive(v) && meant(v)).filter_map(|v| Some((instance_of(&v)?, v))).collect();
    if found.is_empty() {
        let end = match &id.aws_gateway {
            Some(AwsEnd::VpnGateway(id)) => id.to_string(),
            Some(AwsEnd::TransitGateway(id)) => id.to_string(),
            None => "any gateway".to_owned(),
        };
        let ips: Vec<String> = gateway.instances.iter().flat_map(|i| &i.tunnel_ips).map(ToString::to_string).collect();
        return Err(FindFault::NoConnection { region: region.clone(), end, addresses: ips.join(", ") });
    }
    let lead = leader(id, gateway, &found)?;
    let belongs = |vpn: &VpnConnection| match lead.tags.get(LINK) {
        Some(link) => vpn.tags.get(LINK) == Some(link),
        None => vpn.target == lead.target && !vpn.tags.contains_key(LINK),
    };
    let mut pair = Pair::default();
    for instance in Instance::ALL {
        let mut of_it: Vec<&VpnConnection> =
            found.iter().filter(|(i, v)| *i == instance && belongs(v)).map(|(_, v)| v).collect();
        if of_it.iter().any(|v| v.id == lead.id) {
            of_it = vec![lead];
        }
        if of_it.len() > 1 {
            let same_slot = |vpn: &VpnConnection| slot_of(vpn).is_some() && slot_of(vpn) == slot_of(lead);
            of_it.retain(|vpn| same_slot(vpn));
        }
        match of_it.as_slice() {
            [] => {}
            [one] => *pair.get_mut(instance) = Some((*one).clone()),
            many => return Err(FindFault::Ambiguous(listed(many.iter().copied()))),
        }
    }
    Ok(pair)
}

/// The connection that the id points at: the one that carries the CIDR, else the only one to its instance.
fn leader<'a>(
    id: &ImportId,
    gateway: &Gateway,
    found: &'a [(Instance, VpnConnection)],
) -> Result<&'a VpnConnection, FindFault> {
    let Some(cidr) = id.inside_cidr else {
        let many = Instance::ALL.iter().any(|i| found.iter().filter(|(at, _)| at == i).count() > 1);
        return match found.first() {
            Some((_, one)) if !many => Ok(one),
            _ => Err(FindFault::Ambiguous(listed(found.iter().map(|(_, v)| v)))),
        };
    };
    let network = gateway.instances.iter().find_map(|i| i.subnet_id.as_ref()?.parent());
    let link = network.map(|network| LinkId::new(&network, cidr));
    let tagged = found.iter().find(|(_, v)| link.as_ref().is_some_and(|link| link.is_on(&v.tags)));
    let carries = |v: &VpnConnection| v.tunnels.iter().any(|t| t.inside_cidr == Some(cidr.net()));
    let by_cidr = || found.iter().find(|(_, v)| carries(v));
    tagged.or_else(by_cidr).map(|(_, v)| v).ok_or(FindFault::NoTunnel(cidr))
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

/// Which CIDR is which tunnel: number 1 is the one that the id names, or else the lower; the other instance follows.
fn inside_cidrs(id: &ImportId, pair: &Pair) -> PerTunnel<InsideCidr> {
    let slot = pair.iter().find_map(|(_, vpn)| slot_of(vpn.as_ref()?)).unwrap_or_default();
    let mut cidrs = slot.inside_cidrs();
    for (instance, vpn) in pair.iter() {
        let Some(vpn) = vpn else { continue };
        let mut own = cidrs_of(vpn);
        if id.aws_gateway.is_none() && own.get(1) == id.inside_cidr.as_ref() && id.inside_cidr.is_some() {
            own.reverse();
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
