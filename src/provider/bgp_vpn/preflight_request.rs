//! What a plan reads of the surroundings of a link.

use super::account_request::account_request;
use super::backend::Backend;
use super::change_set::ChangeSet;
use super::default_options::inside_cidrs;
use super::defaults::PlanInputs;
use super::expand::{all_known, subscription};
use super::model::Model;
use super::planned_id::link_of;
use crate::aws::model::{Region, TransitGatewayId, TransitRouteTableId, VpcId, VpnGatewayId};
use crate::azure::id::ResourceId;
use bgp_vpn::config::Attr;
use bgp_vpn::preflight::PreflightRequest;
use bgp_vpn::tunnel::{Instance, TunnelKey};
use std::collections::BTreeSet;

/// What to look at before a link is made or moved, and whether all of it is known by now.
pub fn preflight_request(
    backend: &dyn Backend,
    model: &Model,
    inputs: &PlanInputs<'_, '_>,
) -> (PreflightRequest, bool) {
    let subscription = subscription(model, backend.subscription());
    let resource = |id: &Attr<String>| id.known().and_then(|id| ResourceId::parse(id).ok());
    let composed = || {
        let name = model.network.known()?.name.known()?;
        Some(ResourceId::network(
            subscription.as_ref()?,
            model.group.known()?,
            "virtualNetworks",
            name,
        ))
    };
    let uses_existing_gateway = inputs.azure_gateway_is_existing();
    let (uses_existing_vpn_gateway, on_transit_gateway) = (
        inputs.vpn_gateway_is_existing(),
        inputs.on_transit_gateway(),
    );
    let region = model.region.known().cloned().map(Region);
    let in_region =
        |id: &Attr<String>, given: bool| id.known().filter(|_| given && region.is_some()).cloned();
    // A refresh that did not find the gateway left it in `id` alone.
    let in_id = || inputs.prior?.link.gateway_in_id();
    let ask = PreflightRequest {
        checks_aws_credentials: inputs.prior.is_none() && region.is_some(),
        resource_group: model
            .group
            .known()
            .filter(|_| subscription.is_some())
            .cloned(),
        network: resource(&model.network_id).or_else(composed),
        public_ips: public_ips(model, subscription.as_deref())
            .filter(|_| !uses_existing_gateway && !model.network.is_set())
            .unwrap_or_default(),
        gateway: resource(&model.gateway_id)
            .or_else(in_id)
            .filter(|_| uses_existing_gateway),
        first_cidr: inside_cidrs(model)
            .map(|cidrs| *cidrs.get(TunnelKey::ALL[0]))
            .filter(|_| {
                (uses_existing_gateway || uses_existing_vpn_gateway) && inputs.prior.is_none()
            }),
        link: link_of(model, inputs.private, backend.subscription())
            .filter(|_| uses_existing_vpn_gateway && inputs.prior.is_some()),
        vpc: in_region(&model.vpc_id, true).map(VpcId),
        vpn_gateway: in_region(&model.vpn_gateway_id, uses_existing_vpn_gateway).map(VpnGatewayId),
        transit_gateway: in_region(&model.transit_gateway_id, on_transit_gateway)
            .map(TransitGatewayId),
        transit_route_tables: transit_route_tables(model),
        own_vpn_gateway: own_vpn_gateway(model, inputs),
        account: account_request(backend, model, inputs).filter(|_| subscription.is_some()),
        region,
        subscription,
    };
    let needs = |given: bool, asked: bool| !given || asked;
    let configured = inputs.config;
    let complete = ask.resource_group.is_some()
        && needs(uses_existing_gateway, ask.gateway.is_some())
        && needs(uses_existing_vpn_gateway, ask.vpn_gateway.is_some())
        && needs(on_transit_gateway, ask.transit_gateway.is_some())
        && needs(
            !configured.network_id.is_null() || !configured.network.is_null(),
            ask.network.is_some(),
        )
        && needs(!configured.vpc_id.is_null(), ask.vpc.is_some())
        && inside_cidrs(model).is_some()
        && configured.has_known_sides()
        && !configured.transit_association.is_unknown()
        && (configured.transit_propagations.is_null()
            || all_known(&configured.transit_propagations).is_some())
        && configured.create_group != Attr::Unknown;
    (ask, complete)
}

/// The route tables of the transit gateway that the configuration names, as far as they are known.
fn transit_route_tables(model: &Model) -> BTreeSet<TransitRouteTableId> {
    let propagations = model.transit_propagations.known().into_iter().flatten();
    let named = model.transit_association.known().into_iter();
    named
        .chain(propagations.filter_map(Attr::known))
        .cloned()
        .map(TransitRouteTableId)
        .collect()
}

/// The public IPs of a link that creates the gateway subnet of an existing VNet.
fn public_ips(model: &Model, subscription: Option<&str>) -> Option<Vec<ResourceId>> {
    let (subscription, group) = (subscription?, model.group.known()?);
    let names = Instance::ALL.map(|instance| format!("public_ip_{instance}"));
    let names = names
        .iter()
        .filter_map(|attribute| model.azure_names.get(attribute.as_str())?.known());
    let id = |name: &String| ResourceId::network(subscription, group, "publicIPAddresses", name);
    let ids = names.map(id).collect();
    model.gateway_subnet_prefix.is_set().then_some(ids)
}

/// The VPN gateway that this link made, where the inside CIDRs of its tunnels change.
fn own_vpn_gateway(planned: &Model, inputs: &PlanInputs<'_, '_>) -> Option<VpnGatewayId> {
    let changes = ChangeSet {
        prior: inputs.prior?,
        planned,
    };
    let stays = !inputs.vpn_gateway_is_existing()
        && !inputs.on_transit_gateway()
        && !changes.aws_side_replaced();
    let id = planned
        .vpn_gateway_id
        .known()
        .filter(|_| stays && changes.changed("inside_cidrs"))?;
    Some(VpnGatewayId(id.clone()))
}
