//! Ids by which a run looks for objects of another AWS or Azure side than the state names.

use super::change_set::ChangeSet;
use crate::aws::model::{TransitGatewayId, VpcId, VpnGatewayId};
use bgp_vpn::lookup::LookupScope;
use bgp_vpn::spec::{AwsGateway, AwsNetwork, AzureGateway, AzureNetwork, Spec};
use bgp_vpn::tunnel::{PerInstance, PerTunnel};

/// Forgets the ids of the AWS side that was deleted, and names the planned one.
pub fn clear_aws_ids(scope: &mut LookupScope, changes: ChangeSet<'_>, spec: &Spec) {
    let known = &mut scope.known;
    if changes.drops_vpc() {
        (known.vpc, known.internet_gateway, known.public_subnet) = (None, None, None);
        (known.public_route_table, known.route_tables) = (None, Vec::new());
        return;
    }
    known.region = Some(spec.aws.region.clone());
    known.vpn_connections = PerInstance::default();
    known.transit_attachments = PerInstance::default();
    known.customer_gateways = PerInstance::default();
    known.outside_ips = PerTunnel::default();
    let (prior, planned) = (changes.prior, changes.planned);
    known.vpn_gateway = planned.vpn_gateway_id.known().cloned().map(VpnGatewayId);
    let transit_gateway = planned.transit_gateway_id.known().cloned();
    known.transit_gateway = transit_gateway.map(TransitGatewayId);
    if prior.vpc_id != planned.vpc_id || prior.region != planned.region {
        known.vpc = planned.vpc_id.known().cloned().map(VpcId);
        known.internet_gateway = None;
        known.public_subnet = None;
    }
}

/// Looks for objects that the configuration names by id. The state lacks these ids after a move that
/// was interrupted between the former and the planned AWS side.
pub fn insert_configured_ids(scope: &mut LookupScope, spec: &Spec) {
    match &spec.aws.gateway {
        AwsGateway::ExistingVgw(id) => scope.known.vpn_gateway = Some(id.clone()),
        AwsGateway::TransitGateway(id) => scope.known.transit_gateway = Some(id.clone()),
        AwsGateway::ManagedVgw { .. } => {}
    }
    if let AwsNetwork::Existing(id) = &spec.aws.network {
        scope.known.vpc = Some(id.clone());
    }
}

/// The same for Azure: a replacement that was killed may have left neither network nor gateway in
/// the state.
pub fn seed_given_azure_ids(scope: &mut LookupScope, spec: &Spec) {
    if let AzureNetwork::Existing { id, .. } = &spec.azure.network {
        scope.known.network = Some(id.clone());
    }
    if let AzureGateway::Existing(id) = &spec.azure.gateway {
        scope.known.azure_gateway = Some(id.clone());
    }
}
