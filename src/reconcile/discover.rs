//! Finds the link of an import ID. A link without tags is found by references between its objects:
//! customer gateways by the public addresses of the Azure gateway, VPN connections by customer
//! gateway, local network gateways by outside address.

mod error;
mod pair;

pub use error::DiscoverError;

use super::clients::{CloudClients, LinkClients, OperationContext};
use super::error::ActionError;
use super::observe::observe;
use crate::aws::Filter;
use crate::aws::model::{CustomerGateway, CustomerGatewayId, Region, TargetGateway, VpnConnection};
use crate::azure::model::{Connection, Gateway, LocalGateway};
use bgp_vpn::inside_cidr::InsideCidr;
use bgp_vpn::known_ids::KnownIds;
use bgp_vpn::lookup::{AwsGatewayId, ImportId, LookupScope};
use bgp_vpn::observed::Observed;
use bgp_vpn::ownership_tags::{AwsEndpoint, LinkId, TAG_INCOMPLETE, TAG_LINK, TAG_NAME, TAG_ROLE};
use bgp_vpn::resolve::match_tunnels;
use bgp_vpn::tunnel::{Instance, PerInstance, PerTunnel, TunnelKey};
use bgp_vpn::types::Tags;
use futures::future::try_join_all;
use futures::try_join;
use pair::{Pair, inside_cidrs, select_connections};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// A link found by import.
#[derive(Debug)]
pub struct DiscoveredLink {
    pub observed: Observed,
    pub link: LinkId,
    pub name: String,
    pub inside_cidrs: PerTunnel<InsideCidr>,
    pub region: Region,
    pub known: KnownIds,
    /// Customer gateways that VPN connections of others use too.
    pub shared_customer_gateways: Vec<CustomerGatewayId>,
    pub complete: bool,
}

/// Finds the link and reads it completely.
///
/// # Errors
/// What is missing, or what the ID must contain to distinguish two links.
pub async fn discover(
    clouds: &CloudClients,
    id: &ImportId,
    operation: &OperationContext,
) -> Result<DiscoveredLink, DiscoverError> {
    let clients = clouds.link_clients(id.region.as_ref(), operation).await?;
    let ctx = operation.call_context();
    let everything = Filter::default();
    let (gateway, connections, customers, vpn_connections) = try_join!(
        async {
            clients
                .azure
                .get_gateway(&id.azure_gateway, &ctx)
                .await
                .map_err(ActionError::from)
        },
        async {
            clients
                .azure
                .gateway_connections(&id.azure_gateway, &ctx)
                .await
                .map_err(ActionError::from)
        },
        async {
            clients
                .ec2
                .describe_customer_gateways(&ctx, &everything)
                .await
                .map_err(ActionError::from)
        },
        async {
            clients
                .ec2
                .describe_vpn_connections(&ctx, &everything)
                .await
                .map_err(ActionError::from)
        },
    )?;
    let gateway = gateway.ok_or_else(|| DiscoverError::NoGateway(id.azure_gateway.to_string()))?;
    check_gateway(&gateway)?;
    let addresses = PerInstance::from_fn(|i| {
        gateway
            .instances
            .get(i.index())
            .map(|at| at.tunnel_ips.clone())
    });
    let not_here = |fault| DiscoverError::NotHere {
        fault: Box::new(fault),
        regions: regions_by_tags(id, &connections, clients.ec2.region()),
    };
    let pair = match select_connections(
        id,
        &gateway,
        &addresses,
        &customers,
        &vpn_connections,
        clients.ec2.region(),
    ) {
        Err(fault @ DiscoverError::NoConnection { .. }) => {
            return Err(not_here(
                missing_aws_gateway(id, &clients, operation)
                    .await?
                    .unwrap_or(fault),
            ));
        }
        Err(fault @ DiscoverError::NoTunnel { .. }) => return Err(not_here(fault)),
        chosen => chosen?,
    };
    let inside_cidrs = inside_cidrs(id, &pair);
    let network = gateway
        .instances
        .iter()
        .find_map(|i| i.subnet_id.as_ref()?.parent());
    let tagged = pair.iter().find_map(|(_, vpn)| {
        vpn.as_ref()?
            .tags
            .get(TAG_LINK)
            .map(|value| LinkId::from_tag(value))
    });
    let first = *inside_cidrs.get(TunnelKey::ALL[0]);
    let link = tagged
        .unwrap_or_else(|| LinkId::new(network.as_ref().unwrap_or(&gateway.resource.id), first));
    let known = KnownIds {
        region: Some(clients.ec2.region().clone()),
        resource_group: Some(gateway.resource.id.resource_group().to_owned()),
        network,
        azure_gateway: Some(gateway.resource.id.clone()),
        ..KnownIds::default()
    };
    let mut scope = LookupScope::by_ids(known, Some(link), inside_cidrs.clone());
    match target_gateway(&clients, id, &pair, scope.link.as_ref(), operation).await? {
        Some(TargetGateway::VpnGateway(id)) => scope.known.vpn_gateway = Some(id),
        Some(TargetGateway::TransitGateway(id)) => scope.known.transit_gateway = Some(id),
        Some(TargetGateway::Other) | None => {}
    }
    for (instance, vpn) in pair.iter() {
        let Some(vpn) = vpn else { continue };
        *scope.known.vpn_connections.get_mut(instance) = Some(vpn.id.clone());
        // A user may have set another customer gateway on the connection: the link's own one still
        // is its own.
        let is_own = |c: &&CustomerGateway| {
            let part = c
                .tags
                .get(TAG_ROLE)
                .is_some_and(|part| *part == instance.to_string());
            c.state.is_living()
                && part
                && scope.link.as_ref().is_some_and(|link| link.is_on(&c.tags))
        };
        let own = customers.iter().find(is_own).map(|c| c.id.clone());
        *scope.known.customer_gateways.get_mut(instance) =
            Some(own.unwrap_or_else(|| vpn.customer_gateway_id.clone()));
        for (key, outside) in match_tunnels(&scope, instance, vpn) {
            *scope.known.outside_ips.get_mut(key) = Some(outside);
        }
    }
    for instance in Instance::ALL.into_iter().filter(|i| pair.get(*i).is_none()) {
        let used = |customer: &CustomerGateway| {
            vpn_connections
                .iter()
                .any(|v| v.state.is_living() && v.customer_gateway_id == customer.id)
        };
        let ips = addresses.get(instance).iter().flatten().collect::<Vec<_>>();
        let waits_for_one = |c: &&CustomerGateway| {
            let whose = c
                .tags
                .get(TAG_LINK)
                .is_none_or(|link| scope.link.as_ref().is_some_and(|own| own.as_str() == link));
            c.state.is_living() && ips.contains(&&c.ip) && c.asn == gateway.asn && whose && !used(c)
        };
        *scope.known.customer_gateways.get_mut(instance) =
            customers.iter().find(waits_for_one).map(|c| c.id.clone());
    }
    let locals = local_gateways(
        &clients,
        &gateway,
        &connections,
        &scope.known.outside_ips,
        operation,
    )
    .await?;
    for key in TunnelKey::ALL {
        let outside = *scope.known.outside_ips.get(key);
        let peer = inside_cidrs.get(key).aws_ip();
        // One that points elsewhere, or at an endpoint that is no more, still is this tunnel's by
        // the peer that it names.
        let by_peer = |l: &&LocalGateway| {
            let points_at_another = scope
                .known
                .outside_ips
                .iter()
                .any(|(_, ip)| ip.is_some() && *ip == l.gateway_ip);
            !points_at_another
                && l.bgp.is_some_and(|(_, ip)| ip == peer)
                && connections
                    .iter()
                    .any(|c| c.local_gateway_id.as_ref() == Some(&l.resource.id))
        };
        let by_outside = locals
            .iter()
            .find(|l| outside.is_some() && l.gateway_ip == outside);
        let Some(local) = by_outside.or_else(|| locals.iter().find(by_peer)) else {
            continue;
        };
        let connection = connections
            .iter()
            .find(|c| c.local_gateway_id.as_ref() == Some(&local.resource.id));
        *scope.known.local_gateways.get_mut(key) = Some(local.resource.id.clone());
        *scope.known.connections.get_mut(key) = connection.map(|c| c.resource.id.clone());
        // A link of this program's own may be filed elsewhere than the gateway on which it ends.
        let ours = connection.filter(|c| {
            scope
                .link
                .as_ref()
                .is_some_and(|link| link.is_on(&c.resource.tags))
        });
        if let Some(connection) = ours {
            scope.known.resource_group = Some(connection.resource.id.resource_group().to_owned());
        }
    }
    let observed = observe(&clients, &scope, operation).await?;
    let ours = |vpn: &VpnConnection| {
        pair.iter()
            .any(|(_, own)| own.as_ref().is_some_and(|own| own.id == vpn.id))
    };
    let foreign = |id: &CustomerGatewayId| {
        vpn_connections
            .iter()
            .any(|v| v.state.is_living() && !ours(v) && v.customer_gateway_id == *id)
    };
    let customers = pair
        .iter()
        .filter_map(|(_, vpn)| Some(vpn.as_ref()?.customer_gateway_id.clone()));
    let shared = customers.filter(foreign).collect();
    let tags = || {
        pair.iter()
            .filter_map(|(_, vpn)| vpn.as_ref().map(|v| &v.tags))
    };
    let name = tags().find_map(|tags| tags.get(TAG_NAME).cloned());
    Ok(DiscoveredLink {
        observed,
        name: name.unwrap_or_else(|| gateway.resource.id.name().to_owned()),
        inside_cidrs,
        region: clients.ec2.region().clone(),
        complete: !tags().any(|tags| tags.contains_key(TAG_INCOMPLETE)),
        link: scope.link.unwrap_or_else(|| LinkId::from_tag("")),
        known: scope.known,
        shared_customer_gateways: shared,
    })
}

fn check_gateway(gateway: &Gateway) -> Result<(), DiscoverError> {
    let wrong = |what| {
        Err(DiscoverError::WrongGateway {
            id: gateway.resource.id.to_string(),
            what,
        })
    };
    match gateway {
        g if !g.gateway_type.eq_ignore_ascii_case("Vpn") => wrong("is not a VPN gateway"),
        g if !g.active_active || g.instances.len() < 2 => wrong("has only one instance"),
        g if !g.enable_bgp => wrong("has BGP disabled"),
        _ => Ok(()),
    }
}

/// The local network gateways that the gateway's connections point at, then those without a
/// connection that stand for a tunnel which none of the first does: looked for wherever the link
/// has something.
async fn local_gateways(
    clients: &LinkClients,
    gateway: &Gateway,
    connections: &[Connection],
    outside_ips: &PerTunnel<Option<Ipv4Addr>>,
    operation: &OperationContext,
) -> Result<Vec<LocalGateway>, ActionError> {
    let ctx = &operation.call_context();
    let pointed_at = connections
        .iter()
        .filter_map(|c| c.local_gateway_id.as_ref());
    let read = try_join_all(pointed_at.map(|id| clients.azure.get_local_gateway(id, ctx))).await?;
    let mut locals: Vec<LocalGateway> = read.into_iter().flatten().collect();
    let stands_for = |ip: Ipv4Addr| locals.iter().any(|l| l.gateway_ip == Some(ip));
    if outside_ips.iter().all(|(_, ip)| ip.is_none_or(stands_for)) {
        return Ok(locals);
    }
    let ids = connections
        .iter()
        .flat_map(|c| [Some(&c.resource.id), c.local_gateway_id.as_ref()])
        .flatten();
    let groups: BTreeSet<String> = ids
        .chain([&gateway.resource.id])
        .map(|id| id.resource_group().to_lowercase())
        .collect();
    let listed = try_join_all(
        groups
            .iter()
            .map(|group| clients.azure.list_local_gateways(group, ctx)),
    )
    .await?;
    locals.extend(listed.into_iter().flatten());
    Ok(locals)
}

/// The gateway at AWS on which the link is to end. Where its two connections end on different ones,
/// a user moved one of them with `ModifyVpnConnection`: the gateway that the id names counts, else
/// the one that carries the link's tag.
async fn target_gateway(
    clients: &LinkClients,
    id: &ImportId,
    pair: &Pair,
    link: Option<&LinkId>,
    operation: &OperationContext,
) -> Result<Option<TargetGateway>, DiscoverError> {
    let ends: BTreeSet<TargetGateway> = pair
        .iter()
        .filter_map(|(_, vpn)| Some(vpn.as_ref()?.target.clone()))
        .collect();
    if ends.len() < 2 {
        return Ok(ends.into_iter().next());
    }
    match &id.aws_gateway {
        Some(AwsGatewayId::VpnGateway(id)) => {
            return Ok(Some(TargetGateway::VpnGateway(id.clone())));
        }
        Some(AwsGatewayId::TransitGateway(id)) => {
            return Ok(Some(TargetGateway::TransitGateway(id.clone())));
        }
        None => {}
    }
    let tags = link.map(|link| Tags::from([(TAG_LINK.to_owned(), link.to_string())]));
    let own = match &tags {
        Some(tags) => clients
            .ec2
            .describe_vpn_gateways(&operation.call_context(), &Filter::tags(tags))
            .await
            .map_err(ActionError::from)?,
        None => Vec::new(),
    };
    let own = own
        .into_iter()
        .filter(|gateway| gateway.state.is_living())
        .map(|it| TargetGateway::VpnGateway(it.id));
    let words: Vec<String> = ends.iter().map(ToString::to_string).collect();
    own.into_iter()
        .find(|own| ends.contains(own))
        .map(Some)
        .ok_or_else(|| DiscoverError::TwoEnds(words.join(" and ")))
}

/// Regions of links on the gateway that the id may mean, by the tags of their connections. Links
/// that were created by hand carry none.
fn regions_by_tags(id: &ImportId, connections: &[Connection], here: &Region) -> BTreeSet<Region> {
    let meant = |connection: &&Connection| {
        let uses = |cidr: &InsideCidr| {
            connection
                .custom_bgp_ips
                .iter()
                .any(|(_, ip)| *ip == cidr.azure_ip())
        };
        id.inside_cidr.as_ref().is_none_or(uses)
    };
    let regions = connections
        .iter()
        .filter(meant)
        .filter_map(|it| AwsEndpoint::region_of(&it.resource.tags));
    regions.filter(|region| region != here).collect()
}

/// The error for an AWS gateway that does not exist, which is more specific than one without VPN
/// connections.
async fn missing_aws_gateway(
    id: &ImportId,
    clients: &LinkClients,
    operation: &OperationContext,
) -> Result<Option<DiscoverError>, ActionError> {
    let (ctx, ec2) = (&operation.call_context(), &clients.ec2);
    let (there, end) = match &id.aws_gateway {
        None => return Ok(None),
        Some(AwsGatewayId::VpnGateway(vgw)) => {
            let found = ec2.describe_vpn_gateways(ctx, &Filter::id(vgw)).await?;
            (
                found.iter().any(|gateway| gateway.state.is_living()),
                format!("virtual private gateway {vgw}"),
            )
        }
        Some(AwsGatewayId::TransitGateway(tgw)) => {
            let found = ec2.describe_transit_gateways(ctx, &Filter::id(tgw)).await?;
            (
                found.iter().any(|gateway| gateway.state.is_living()),
                format!("transit gateway {tgw}"),
            )
        }
    };
    Ok((!there).then(|| DiscoverError::NoEnd {
        region: clients.ec2.region().clone(),
        end,
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::azure::documents::gateway::parse;
    use serde_json::json;

    #[test]
    fn name_unsuitable_gateway_with_reason() {
        let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworkGateways/w";
        let configuration = |name: &str| json!({"id": format!("{id}/ipConfigurations/{name}"), "name": name, "properties": {}});
        let gateway = |kind: &str, active: bool, names: &[&str]| {
            let configurations: Vec<_> = names.iter().map(|name| configuration(name)).collect();
            parse(json!({"id": id, "location": "eastus", "properties": {"gatewayType": kind, "activeActive": active,
                "enableBgp": true, "ipConfigurations": configurations, "provisioningState": "Succeeded"}}))
            .unwrap()
        };
        assert!(check_gateway(&gateway("Vpn", true, &["a", "b"])).is_ok());
        let refused = |gateway: &Gateway| check_gateway(gateway).unwrap_err().to_string();
        assert!(refused(&gateway("Vpn", false, &["a"])).contains("instance"));
        assert!(refused(&gateway("ExpressRoute", true, &["a", "b"])).contains("VPN"));
    }
}
