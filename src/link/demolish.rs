//! The steps that take a link down: only what `managed` names, in the order of the graph run backwards.

use super::decide::GATEWAY_SUBNET;
use super::managed::Kind;
use super::need::order;
use super::observed::Observed;
use super::search::Demolition;
use super::step::{Object, Step, Verb};
use super::tunnel::{Instance, TunnelKey};
use crate::azure::id::ResourceId;

/// Every delete that is left to do. Empty when nothing of the link is there any more.
pub fn demolish(what: &Demolition, seen: &Observed) -> Vec<Step> {
    let mut steps: Vec<Step> = objects(what, seen)
        .into_iter()
        .map(|object| Step { object, verb: Verb::Delete, after: vec![], because: vec![] })
        .collect();
    order(&mut steps);
    steps
}

fn objects(what: &Demolition, seen: &Observed) -> Vec<Object> {
    let mut gone = Vec::new();
    azure(what, seen, &mut gone);
    aws(what, seen, &mut gone);
    gone
}

fn azure(what: &Demolition, seen: &Observed, gone: &mut Vec<Object>) {
    let ours = |kind, id: &ResourceId| what.managed.has(kind, id.as_str());
    for key in TunnelKey::ALL {
        if seen.azure.connections.get(key).as_ref().is_some_and(|c| ours(Kind::AzureConnection, &c.resource.id)) {
            gone.push(Object::Connection(key));
        }
        if seen.azure.local_gateways.get(key).as_ref().is_some_and(|l| ours(Kind::AzureLocalGateway, &l.resource.id)) {
            gone.push(Object::LocalGateway(key));
        }
    }
    if let Some(gateway) = &seen.azure.gateway {
        if ours(Kind::AzureGateway, &gateway.resource.id) {
            gone.push(Object::Gateway);
        } else if gateway.hides_radius_secret {
            // Taking the addresses off would be an update that lacks the RADIUS secret. They stay: unused, they do no harm.
        } else if gateway.custom_bgp_ips().any(|ip| what.own_addresses.contains(ip))
            // One that somebody is changing shows empty lists.
            || gateway.resource.state.is_busy() && !what.own_addresses.is_empty()
        {
            gone.push(Object::OwnAddresses);
        }
    }
    for instance in Instance::ALL {
        if seen.azure.public_ips.get(instance).as_ref().is_some_and(|p| ours(Kind::AzurePublicIp, &p.resource.id)) {
            gone.push(Object::PublicIp(instance));
        }
    }
    if let Some(network) = &seen.azure.network {
        if ours(Kind::AzureVirtualNetwork, &network.resource.id) {
            gone.push(Object::VirtualNetwork);
        } else if network.subnets.iter().any(|s| s.name == GATEWAY_SUBNET && ours(Kind::AzureSubnet, &s.id)) {
            gone.push(Object::GatewaySubnet);
        }
    }
    let is_group = |name: &str| {
        what.managed
            .ids(Kind::AzureResourceGroup)
            .any(|id| id.rsplit('/').next().is_some_and(|n| n.eq_ignore_ascii_case(name)))
    };
    if seen.azure.group.as_ref().is_some_and(|g| is_group(&g.name)) {
        gone.push(Object::ResourceGroup);
    }
}

fn aws(what: &Demolition, seen: &Observed, gone: &mut Vec<Object>) {
    let aws = &seen.aws;
    let ours = |kind, id: &str| what.managed.has(kind, id);
    for instance in Instance::ALL {
        if aws.vpns.get(instance).as_ref().is_some_and(|v| ours(Kind::AwsVpnConnection, &v.id.0)) {
            gone.push(Object::VpnConnection(instance));
        }
        let customer = aws.customer_gateways.get(instance).as_ref();
        if customer.is_some_and(|c| ours(Kind::AwsCustomerGateway, &c.id.0)) {
            gone.push(Object::CustomerGateway(instance));
        }
    }
    if let Some(gateway) = &aws.gateway {
        for table in &aws.route_tables {
            let on = table.propagating.contains(&gateway.id);
            if on && ours(Kind::AwsRoutePropagation, &format!("{}/{}", table.id, gateway.id)) {
                gone.push(Object::Propagation(Some(table.id.clone())));
            }
        }
        if ours(Kind::AwsVpnGateway, &gateway.id.0) {
            if gateway.attachment.is_some() {
                gone.push(Object::Attachment);
            }
            gone.push(Object::VpnGateway);
        }
    }
    if aws.public_route_table.as_ref().is_some_and(|t| ours(Kind::AwsRouteTable, &t.0)) {
        gone.push(Object::PublicRouteTable);
    }
    if aws.public_subnet.as_ref().is_some_and(|s| ours(Kind::AwsSubnet, &s.0)) {
        gone.push(Object::PublicSubnet);
    }
    if aws.internet_gateway.as_ref().is_some_and(|i| ours(Kind::AwsInternetGateway, &i.id.0)) {
        gone.push(Object::InternetGateway);
    }
    if aws.vpc.as_ref().is_some_and(|v| ours(Kind::AwsVpc, &v.id.0)) {
        gone.push(Object::Vpc);
    }
}
