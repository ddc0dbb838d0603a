//! The pair of VPN connections that an import ID means, and the inside CIDRs of its tunnels.

use super::error::DiscoverError;
use crate::aws::model::{CustomerGateway, Region, TargetGateway, VpnConnection};
use crate::azure::model::Gateway;
use bgp_vpn::inside_cidr::{InsideCidr, Slot};
use bgp_vpn::lookup::{AwsGatewayId, ImportId};
use bgp_vpn::ownership_tags::{LinkId, TAG_LINK};
use bgp_vpn::tunnel::{Instance, PerInstance, PerTunnel};
use std::net::Ipv4Addr;

pub type Pair = PerInstance<Option<VpnConnection>>;

/// The one VPN connection to each instance that the id means.
pub fn select_connections(
    id: &ImportId,
    gateway: &Gateway,
    addresses: &PerInstance<Option<Vec<Ipv4Addr>>>,
    customers: &[CustomerGateway],
    vpn_connections: &[VpnConnection],
    region: &Region,
) -> Result<Pair, DiscoverError> {
    let instance_of = |vpn: &VpnConnection| {
        let ip = customers
            .iter()
            .find(|c| c.id == vpn.customer_gateway_id)?
            .ip;
        Instance::ALL.into_iter().find(|i| {
            addresses
                .get(*i)
                .as_ref()
                .is_some_and(|ips| ips.contains(&ip))
        })
    };
    let meant = |vpn: &VpnConnection| match (&id.aws_gateway, &vpn.target) {
        (None, _) => true,
        (Some(AwsGatewayId::VpnGateway(want)), TargetGateway::VpnGateway(have)) => want == have,
        (Some(AwsGatewayId::TransitGateway(want)), TargetGateway::TransitGateway(have)) => {
            want == have
        }
        _ => false,
    };
    let of_gateway: Vec<(Instance, &VpnConnection)> = vpn_connections
        .iter()
        .filter(|v| v.state.is_living())
        .filter_map(|v| Some((instance_of(v)?, v)))
        .collect();
    let found: Vec<(Instance, &VpnConnection)> = of_gateway
        .iter()
        .copied()
        .filter(|(_, v)| meant(v))
        .collect();
    if found.is_empty() {
        let end = match &id.aws_gateway {
            Some(AwsGatewayId::VpnGateway(id)) => id.to_string(),
            Some(AwsGatewayId::TransitGateway(id)) => id.to_string(),
            None => "any gateway".to_owned(),
        };
        let ips: Vec<String> = gateway
            .instances
            .iter()
            .flat_map(|i| &i.tunnel_ips)
            .map(ToString::to_string)
            .collect();
        let elsewhere = of_gateway.iter().filter_map(|(_, v)| match &v.target {
            TargetGateway::VpnGateway(id) => Some(id.to_string()),
            TargetGateway::TransitGateway(id) => Some(id.to_string()),
            TargetGateway::Other => None,
        });
        let (region, addresses) = (region.clone(), ips.join(", "));
        return Err(DiscoverError::NoConnection {
            region,
            end,
            addresses,
            elsewhere: elsewhere.collect(),
        });
    }
    let (at, lead) = primary_connection(id, gateway, &found, region)?;
    let belongs = |vpn: &VpnConnection| match lead.tags.get(TAG_LINK) {
        Some(link) => vpn.tags.get(TAG_LINK) == Some(link),
        None => vpn.target == lead.target && !vpn.tags.contains_key(TAG_LINK),
    };
    // By its tag a connection belongs to the link also where it was moved to another gateway.
    let candidates = if lead.tags.contains_key(TAG_LINK) {
        &of_gateway
    } else {
        &found
    };
    let of = |instance: Instance| -> Vec<&VpnConnection> {
        candidates
            .iter()
            .filter(|(i, v)| *i == instance && belongs(v))
            .map(|(_, v)| *v)
            .collect()
    };
    let other = if at == Instance::Zero {
        Instance::One
    } else {
        Instance::Zero
    };
    let mut pair = Pair::default();
    *pair.get_mut(at) = Some(lead.clone());
    *pair.get_mut(other) = peer_connection(lead, of(at), of(other)).cloned();
    Ok(pair)
}

/// The connection to the other instance that makes a link with this one: the one of the same slot.
/// Those that no slot pairs make links in the order of their networks, whichever of them is asked
/// for.
fn peer_connection<'a>(
    lead: &VpnConnection,
    mine: Vec<&'a VpnConnection>,
    others: Vec<&'a VpnConnection>,
) -> Option<&'a VpnConnection> {
    let same_slot = |a: &VpnConnection, b: &VpnConnection| {
        infer_slot(a).is_some() && infer_slot(a) == infer_slot(b)
    };
    if let Some(one) = others.iter().find(|v| same_slot(v, lead)) {
        return Some(one);
    }
    let left = |own: &[&'a VpnConnection], across: &[&VpnConnection]| {
        let mut own: Vec<_> = own
            .iter()
            .copied()
            .filter(|v| !across.iter().any(|o| same_slot(o, v)))
            .collect();
        own.sort_by_key(|v| inside_cidrs_of(v));
        own
    };
    let rank = left(&mine, &others).iter().position(|v| v.id == lead.id)?;
    left(&others, &mine).get(rank).copied()
}

/// The connection that the id points at: the one that carries the CIDR, else the only one to its
/// instance.
fn primary_connection<'a>(
    id: &ImportId,
    gateway: &Gateway,
    found: &[(Instance, &'a VpnConnection)],
    region: &Region,
) -> Result<(Instance, &'a VpnConnection), DiscoverError> {
    let all = || format_candidates(found.iter().map(|(_, v)| *v));
    let Some(cidr) = id.inside_cidr else {
        let many = Instance::ALL
            .iter()
            .any(|i| found.iter().filter(|(at, _)| at == i).count() > 1);
        return match found.first() {
            Some(one) if !many => Ok(*one),
            _ => Err(DiscoverError::Ambiguous(all())),
        };
    };
    let network = gateway
        .instances
        .iter()
        .find_map(|i| i.subnet_id.as_ref()?.parent());
    let link = network.map(|network| LinkId::new(&network, cidr));
    let tagged = found
        .iter()
        .find(|(_, v)| link.as_ref().is_some_and(|link| link.is_on(&v.tags)));
    let carries = |v: &VpnConnection| v.tunnels.iter().any(|t| t.inside_cidr == Some(cidr.net()));
    let by_cidr = || found.iter().find(|(_, v)| carries(v));
    let missing = || DiscoverError::NoTunnel {
        region: region.clone(),
        cidr,
        found: all(),
    };
    tagged.or_else(by_cidr).copied().ok_or_else(missing)
}

fn inside_cidrs_of(vpn: &VpnConnection) -> Vec<InsideCidr> {
    let mut cidrs: Vec<InsideCidr> = vpn
        .tunnels
        .iter()
        .filter_map(|t| InsideCidr::check(t.inside_cidr?).ok())
        .collect();
    cidrs.sort();
    cidrs
}

/// The slot in whose blocks both tunnels of a connection lie, if one does.
fn infer_slot(vpn: &VpnConnection) -> Option<Slot> {
    let cidrs = inside_cidrs_of(vpn);
    (0..u64::from(Slot::COUNT))
        .filter_map(Slot::new)
        .find(|slot| {
            let plan = slot.inside_cidrs();
            Instance::ALL
                .iter()
                .any(|i| cidrs == i.tunnels().map(|key| *plan.get(key)))
        })
}

/// Which CIDR is which tunnel: number 1 is the one that the id names, or else the lower; the other
/// instance follows. A tunnel without a CIDR that Azure takes gets that of the slot.
pub fn inside_cidrs(id: &ImportId, pair: &Pair) -> PerTunnel<InsideCidr> {
    let own = |instance: Instance| {
        pair.get(instance)
            .as_ref()
            .map(inside_cidrs_of)
            .unwrap_or_default()
    };
    let touches = |slot: &Slot| {
        let plan = slot.inside_cidrs();
        Instance::ALL.iter().any(|i| {
            i.tunnels()
                .iter()
                .any(|key| own(*i).contains(plan.get(*key)))
        })
    };
    let partly = || {
        (0..u64::from(Slot::COUNT))
            .filter_map(Slot::new)
            .find(touches)
    };
    let slot = pair
        .iter()
        .find_map(|(_, vpn)| infer_slot(vpn.as_ref()?))
        .or_else(partly)
        .unwrap_or_default();
    let mut cidrs = slot.inside_cidrs();
    for instance in Instance::ALL {
        let mut own = own(instance);
        if id.aws_gateway.is_none()
            && own.get(1) == id.inside_cidr.as_ref()
            && id.inside_cidr.is_some()
        {
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

fn format_candidates<'a>(vpn_connections: impl Iterator<Item = &'a VpnConnection>) -> String {
    let words = vpn_connections.map(|v| {
        let cidrs: Vec<String> = inside_cidrs_of(v).iter().map(ToString::to_string).collect();
        format!("{} ({})", v.id, cidrs.join(", "))
    });
    words.collect::<Vec<_>>().join(", ")
}
