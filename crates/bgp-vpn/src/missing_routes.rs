//! Routes that a tunnel should have exchanged once its BGP session is up.
//!
//! Azure always advertises the ranges of the virtual network. A virtual private gateway advertises the
//! ranges of the VPC to which it is attached. A transit gateway advertises what its route table for the
//! VPN connection has, which may be nothing, for example until VPCs are attached. Azure ignores a route
//! to a range of its own virtual network.

use crate::cidr::overlaps;
use crate::observed::Observed;
use crate::spec::{AwsGateway, Spec};
use ipnet::Ipv4Net;

/// Whether Azure has to learn a route from AWS.
pub fn azure_expects_routes(spec: &Spec, observed: &Observed) -> bool {
    let attached = match (&spec.aws.gateway, &observed.aws.gateway) {
        (AwsGateway::TransitGateway(_), _) => false,
        (AwsGateway::ManagedVgw { .. }, _) => true,
        (AwsGateway::ExistingVgw(_), gateway) => gateway
            .as_ref()
            .is_some_and(|gateway| gateway.attachment.is_some()),
    };
    let (Some(vpc), Some(network), true) = (&observed.aws.vpc, &observed.azure.network, attached)
    else {
        return false;
    };
    let overlapping = |range: &Ipv4Net| {
        let mut own = network.address_space.iter();
        own.any(|own| overlaps(*own, *range))
    };
    let mut ranges = std::iter::once(&vpc.cidr).chain(&vpc.secondary_cidrs);
    ranges.any(|range| !overlapping(range))
}

/// Describes the routes that a session which is up in both clouds lacks. `azure` is None where it is
/// not known or none is expected.
pub fn missing_routes(aws: u64, azure: Option<u64>) -> Option<&'static str> {
    match (aws, azure) {
        (0, Some(0)) => Some("BGP is up, but neither side advertises a route."),
        (0, _) => Some("BGP is up, but AWS accepts no routes from Azure."),
        (_, Some(0)) => Some(
            "BGP is up, but Azure learns no routes from AWS. Possible causes: the virtual private gateway is not attached to a VPC; the \
             transit gateway's route table for this VPN connection has no VPC routes; the VPC and the virtual network have the same range.",
        ),
        _ => None,
    }
}
