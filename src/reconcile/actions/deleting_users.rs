//! Before a delete: objects in or on the deleted one that Azure is itself deleting, since an
//! earlier run or another user.

use super::ActionContext;
use crate::azure::ResourceId;
use crate::azure::documents::network::{GATEWAY_SUBNET, subnet_occupants};
use crate::reconcile::error::ActionError;
use bgp_vpn::action::ActionTarget;
use bgp_vpn::observed::Observed;
use std::collections::BTreeSet;

/// Waits until Azure has deleted what it is deleting of the users of an object. A gateway takes
/// longer than the use of its subnet and addresses may linger after it.
pub(super) async fn wait_for_deleting_users(
    context: &ActionContext<'_>,
    object: &ActionTarget,
) -> Result<(), ActionError> {
    let mut users = context.read(|observed| users(object, observed));
    // This run itself waits for the delete of the gateway that it found.
    let own = context
        .before
        .azure
        .gateway
        .as_ref()
        .map(|gateway| &gateway.resource.id);
    users.retain(|id| Some(id) != own);
    for id in &users {
        context
            .clients
            .azure
            .wait_while_deleting(id, &context.operation.call_context())
            .await?;
    }
    Ok(())
}

fn users(object: &ActionTarget, observed: &Observed) -> BTreeSet<ResourceId> {
    let occupants = |matches: &dyn Fn(&str) -> bool| {
        let Some(network) = &observed.azure.network else {
            return Vec::new();
        };
        let subnets = network
            .subnets
            .iter()
            .filter(|subnet| matches(&subnet.name));
        subnets
            .flat_map(|subnet| subnet_occupants(&network.resource.raw, &subnet.name))
            .collect()
    };
    let ids: Vec<String> = match object {
        ActionTarget::VirtualNetwork => occupants(&|_| true),
        ActionTarget::GatewaySubnet => occupants(&|name| name.eq_ignore_ascii_case(GATEWAY_SUBNET)),
        ActionTarget::Subnet(removed) => occupants(&|name| name.eq_ignore_ascii_case(removed)),
        ActionTarget::PublicIp(instance) => {
            let ip = observed.azure.public_ips.get(*instance).as_ref();
            ip.and_then(|ip| ip.used_by.as_ref())
                .map(ResourceId::to_string)
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    };
    ids.iter()
        .filter_map(|id| ResourceId::network_owner(id))
        .collect()
}
