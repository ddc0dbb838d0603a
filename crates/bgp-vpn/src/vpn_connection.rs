//! How a VPN connection that exists differs as one object, its tunnels' options and its tags apart.
//! Each of these differences is repaired in place: the connection keeps its id, its tunnels keep
//! their keys and inside CIDRs, and both are down meanwhile.

use super::action::ConnectionDiff;
use super::customer_gateway::customer_gateway_mismatch;
use super::observed::Observed;
use super::spec::{AwsGateway, Spec};
use super::tunnel::Instance;
use crate::aws::{self as aws, NetworkCidrs, TargetGateway};

/// The connections that route statically, which no call can change.
pub fn statically_routed(observed: &Observed) -> impl Iterator<Item = &aws::VpnConnectionId> {
    let connections = observed
        .aws
        .vpn_connections
        .iter()
        .filter_map(|(_, vpn)| vpn.as_ref());
    connections
        .filter(|vpn| vpn.static_routes_only)
        .map(|vpn| &vpn.id)
}

/// The gateway at AWS on which this link's connections are to end. None until the link's own has
/// been created.
pub fn target_gateway(spec: &Spec, observed: &Observed) -> Option<TargetGateway> {
    match &spec.aws.gateway {
        AwsGateway::ExistingVgw(id) => Some(TargetGateway::VpnGateway(id.clone())),
        AwsGateway::TransitGateway(id) => Some(TargetGateway::TransitGateway(id.clone())),
        AwsGateway::ManagedVgw { .. } => observed
            .aws
            .gateway
            .as_ref()
            .map(|gateway| TargetGateway::VpnGateway(gateway.id.clone())),
    }
}

/// The customer gateway that a connection uses, as far as it was read.
pub fn customer_gateway_in_use<'a>(
    observed: &'a Observed,
    have: &aws::VpnConnection,
    instance: Instance,
) -> Option<&'a aws::CustomerGateway> {
    let inventory = [
        observed.aws.used_customer_gateways.get(instance),
        observed.aws.customer_gateways.get(instance),
    ];
    inventory
        .into_iter()
        .flatten()
        .find(|customer| customer.id == have.customer_gateway_id)
}

/// Compares a connection with what is wanted.
pub fn diff_connection(
    spec: &Spec,
    observed: &Observed,
    have: &aws::VpnConnection,
    instance: Instance,
) -> ConnectionDiff {
    let fits = |customer: &aws::CustomerGateway| {
        customer_gateway_mismatch(spec, observed, instance, customer).is_none()
    };
    ConnectionDiff {
        customer_gateway: !customer_gateway_in_use(observed, have, instance).is_some_and(fits),
        target: target_gateway(spec, observed).as_ref() != Some(&have.target),
        networks: have.networks != NetworkCidrs::default(),
        bandwidth: have.bandwidth != spec.aws.bandwidth,
    }
}

/// The differences in words, each with the ids that it is about.
pub fn describe_diff(
    spec: &Spec,
    observed: &Observed,
    have: &aws::VpnConnection,
    instance: Instance,
) -> Vec<String> {
    let differing = diff_connection(spec, observed, have, instance);
    let name = format!("the VPN connection {} to {instance}", have.id);
    let mut found = Vec::new();
    if differing.customer_gateway {
        let used = customer_gateway_in_use(observed, have, instance);
        let why =
            used.and_then(|customer| customer_gateway_mismatch(spec, observed, instance, customer));
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        found.push(format!(
            "{name} uses another customer gateway, {}{why}",
            have.customer_gateway_id
        ));
    }
    if differing.target {
        let wanted = target_gateway(spec, observed).map_or_else(
            || "this link's own VPN gateway".to_owned(),
            |it| it.to_string(),
        );
        found.push(format!("{name} ends on {}, not on {wanted}", have.target));
    }
    if differing.networks {
        let NetworkCidrs { local, remote } = have.networks;
        found.push(format!(
            "{name} has LocalIpv4NetworkCidr {local} and RemoteIpv4NetworkCidr {remote}, and BGP needs 0.0.0.0/0 for both"
        ));
    }
    if differing.bandwidth {
        let (is, wanted) = (have.bandwidth.as_str(), spec.aws.bandwidth.as_str());
        found.push(format!("the tunnels of {name} are {is}, not {wanted}"));
    }
    found
}
