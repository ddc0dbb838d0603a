//! How a VPN connection that exists differs as one object, its tunnels' options and its tags apart. Each of these differences is
//! repaired in place: the connection keeps its id, its tunnels keep their keys and inside CIDRs, and both are down meanwhile.

use super::differ::customer_gateway_mismatch;
use super::observed::Observed;
use super::spec::{AwsGateway, Spec};
use super::tunnel::Instance;
use crate::aws::model::{self as aws, NetworkCidrs, Target};

/// The connections that route statically, which no call can change.
pub fn static_routed(seen: &Observed) -> impl Iterator<Item = &aws::VpnConnectionId> {
    let connections = seen.aws.vpns.iter().filter_map(|(_, vpn)| vpn.as_ref());
    connections.filter(|vpn| vpn.static_routes_only).map(|vpn| &vpn.id)
}

/// Which settings of a connection differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Differing {
    /// It uses a customer gateway with another address or ASN. One with the same is as good as the link's own.
    pub customer_gateway: bool,
    /// It ends on another gateway at AWS.
    pub target: bool,
    /// `LocalIpv4NetworkCidr` or `RemoteIpv4NetworkCidr` is narrowed.
    pub networks: bool,
    pub bandwidth: bool,
}

impl Differing {
    pub fn any(self) -> bool {
        self != Differing::default()
    }

    /// Whether an end of the connection becomes another one (`ModifyVpnConnection`).
    pub fn moves(self) -> bool {
        self.customer_gateway || self.target
    }
}

/// The gateway at AWS on which this link's connections are to end. None until the link's own has been created.
pub fn target(spec: &Spec, seen: &Observed) -> Option<Target> {
    match &spec.aws.gateway {
        AwsGateway::Existing(id) => Some(Target::VpnGateway(id.clone())),
        AwsGateway::Transit(id) => Some(Target::TransitGateway(id.clone())),
        AwsGateway::Own { .. } => seen.aws.gateway.as_ref().map(|gateway| Target::VpnGateway(gateway.id.clone())),
    }
}

/// The customer gateway that a connection uses, as far as it was read.
pub fn customer_gateway_in_use<'a>(
    seen: &'a Observed,
    have: &aws::VpnConnection,
    instance: Instance,
) -> Option<&'a aws::CustomerGateway> {
    let read = [seen.aws.used_customers.get(instance), seen.aws.customer_gateways.get(instance)];
    read.into_iter().flatten().find(|customer| customer.id == have.customer_gateway_id)
}

/// Compares a connection with what is wanted.
pub fn differing(spec: &Spec, seen: &Observed, have: &aws::VpnConnection, instance: Instance) -> Differing {
    let fits = |customer: &aws::CustomerGateway| customer_gateway_mismatch(spec, seen, instance, customer).is_none();
    Differing {
        customer_gateway: !customer_gateway_in_use(seen, have, instance).is_some_and(fits),
        target: target(spec, seen).as_ref() != Some(&have.target),
        networks: have.networks != NetworkCidrs::default(),
        bandwidth: have.bandwidth != spec.aws.bandwidth,
    }
}

/// The differences in words, each with the ids that it is about.
pub fn differences(spec: &Spec, seen: &Observed, have: &aws::VpnConnection, instance: Instance) -> Vec<String> {
    let differing = differing(spec, seen, have, instance);
    let name = format!("the VPN connection {} to {instance}", have.id);
    let mut found = Vec::new();
    if differing.customer_gateway {
        let used = customer_gateway_in_use(seen, have, instance);
        let why = used.and_then(|customer| customer_gateway_mismatch(spec, seen, instance, customer));
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        found.push(format!("{name} uses another customer gateway, {}{why}", have.customer_gateway_id));
    }
    if differing.target {
        let wanted = target(spec, seen).map_or_else(|| "this link's own VPN gateway".to_owned(), |it| it.to_string());
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
