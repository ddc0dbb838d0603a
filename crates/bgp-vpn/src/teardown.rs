//! The steps that take a link down: only what `managed` names, in the order of the graph run
//! backwards.

use super::action::{Action, ActionTarget, Verb};
use super::dependencies::assign_dependencies;
use super::lookup::TeardownSpec;
use super::managed::Kind;
use super::observed::Observed;
use super::plan::GATEWAY_SUBNET;
use super::tunnel::{Instance, TunnelKey};
use crate::azure::id::ResourceId;

/// Every delete that is left to do. Empty when nothing of the link is there any more.
pub fn plan_teardown(what: &TeardownSpec, observed: &Observed) -> Vec<Action> {
    let mut actions: Vec<Action> = objects(what, observed)
        .into_iter()
        .map(|object| Action::new(object, Verb::Delete, vec![]))
        .collect();
    assign_dependencies(&mut actions);
    actions
}

fn objects(what: &TeardownSpec, observed: &Observed) -> Vec<ActionTarget> {
    let mut gone = Vec::new();
    azure(what, observed, &mut gone);
    aws(what, observed, &mut gone);
    gone
}

fn azure(what: &TeardownSpec, observed: &Observed, gone: &mut Vec<ActionTarget>) {
    let ours = |kind, id: &ResourceId| what.managed.has(kind, id.as_str());
    for key in TunnelKey::ALL {
        if observed
            .azure
            .connections
            .get(key)
            .as_ref()
            .is_some_and(|c| ours(Kind::AzureConnection, &c.resource.id))
        {
            gone.push(ActionTarget::Connection(key));
        }
        if observed
            .azure
            .local_gateways
            .get(key)
            .as_ref()
            .is_some_and(|l| ours(Kind::AzureLocalGateway, &l.resource.id))
        {
            gone.push(ActionTarget::LocalGateway(key));
        }
    }
    if let Some(gateway) = &observed.azure.gateway {
        if ours(Kind::AzureGateway, &gateway.resource.id) {
            gone.push(ActionTarget::Gateway);
        } else if gateway.hides_radius_secret {
            // Taking the addresses off would be an update that lacks the RADIUS secret. They stay:
            // unused, they do no harm.
        } else if gateway.custom_bgp_ips().any(|ip| what.own_bgp_addresses.contains(ip))
            // A gateway that is being changed returns empty lists.
            || gateway.resource.state.is_busy() && !what.own_bgp_addresses.is_empty()
        {
            gone.push(ActionTarget::CustomBgpAddresses);
        }
    }
    for instance in Instance::ALL {
        if observed
            .azure
            .public_ips
            .get(instance)
            .as_ref()
            .is_some_and(|p| ours(Kind::AzurePublicIp, &p.resource.id))
        {
            gone.push(ActionTarget::PublicIp(instance));
        }
    }
    if let Some(network) = &observed.azure.network {
        if ours(Kind::AzureVirtualNetwork, &network.resource.id) {
            gone.push(ActionTarget::VirtualNetwork);
        } else if network
            .subnets
            .iter()
            .any(|s| s.name == GATEWAY_SUBNET && ours(Kind::AzureSubnet, &s.id))
        {
            gone.push(ActionTarget::GatewaySubnet);
        }
    }
    let is_group = |name: &str| {
        what.managed.ids(Kind::AzureResourceGroup).any(|id| {
            id.rsplit('/')
                .next()
                .is_some_and(|n| n.eq_ignore_ascii_case(name))
        })
    };
    if observed
        .azure
        .group
        .as_ref()
        .is_some_and(|g| is_group(&g.name))
    {
        gone.push(ActionTarget::ResourceGroup);
    }
}

fn aws(what: &TeardownSpec, observed: &Observed, gone: &mut Vec<ActionTarget>) {
    let aws = &observed.aws;
    let ours = |kind, id: &str| what.managed.has(kind, id);
    for instance in Instance::ALL {
        if aws
            .vpn_connections
            .get(instance)
            .as_ref()
            .is_some_and(|v| ours(Kind::AwsVpnConnection, &v.id.0))
        {
            gone.push(ActionTarget::VpnConnection(instance));
        }
        let customer = aws.customer_gateways.get(instance).as_ref();
        if customer.is_some_and(|c| ours(Kind::AwsCustomerGateway, &c.id.0)) {
            gone.push(ActionTarget::CustomerGateway(instance));
        }
    }
    if let Some(gateway) = &aws.gateway {
        for table in &aws.route_tables {
            let on = table.propagating.contains(&gateway.id);
            if on
                && ours(
                    Kind::AwsRoutePropagation,
                    &format!("{}/{}", table.id, gateway.id),
                )
            {
                gone.push(ActionTarget::RoutePropagation(Some(table.id.clone())));
            }
        }
        if ours(Kind::AwsVpnGateway, &gateway.id.0) {
            if gateway.attachment.is_some() {
                gone.push(ActionTarget::VgwAttachment);
            }
            gone.push(ActionTarget::VpnGateway);
        }
    }
    if aws
        .public_route_table
        .as_ref()
        .is_some_and(|t| ours(Kind::AwsRouteTable, &t.0))
    {
        gone.push(ActionTarget::PublicRouteTable);
    }
    if aws
        .public_subnet
        .as_ref()
        .is_some_and(|s| ours(Kind::AwsSubnet, &s.0))
    {
        gone.push(ActionTarget::PublicSubnet);
    }
    if aws
        .internet_gateway
        .as_ref()
        .is_some_and(|i| ours(Kind::AwsInternetGateway, &i.id.0))
    {
        gone.push(ActionTarget::InternetGateway);
    }
    if aws
        .vpc
        .as_ref()
        .is_some_and(|v| ours(Kind::AwsVpc, &v.id.0))
    {
        gone.push(ActionTarget::Vpc);
    }
}
