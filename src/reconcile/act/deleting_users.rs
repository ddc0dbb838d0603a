//! Before a delete: objects in or on the deleted one that Azure is itself deleting, since an earlier run or another user.

use super::Acting;
use crate::azure::ResourceId;
use crate::azure::documents::network::{GATEWAY_SUBNET, subnet_occupants};
use crate::link::observed::Observed;
use crate::link::step::Object;
use crate::reconcile::cause::Cause;
use std::collections::BTreeSet;

/// Waits until Azure has deleted what it is deleting of the users of an object. A gateway takes longer than the use of its
/// subnet and addresses may linger after it.
pub(super) async fn wait_for_deleting_users(acting: &Acting<'_>, object: &Object) -> Result<(), Cause> {
    let mut users = acting.seen(|seen| users(object, seen));
    // This run itself waits for the delete of the gateway that it found.
    let own = acting.before.azure.gateway.as_ref().map(|gateway| &gateway.resource.id);
    users.retain(|id| Some(id) != own);
    for id in &users {
        acting.site.azure.wait_while_deleting(id, &acting.limits.azure()).await?;
    }
    Ok(())
}

fn users(object: &Object, seen: &Observed) -> BTreeSet<ResourceId> {
    let occupants = |matches: &dyn Fn(&str) -> bool| {
        let Some(network) = &seen.azure.network else { return Vec::new() };
        let subnets = network.subnets.iter().filter(|subnet| matches(&subnet.name));
        subnets.flat_map(|subnet| subnet_occupants(&network.resource.raw, &subnet.name)).collect()
    };
    let ids: Vec<String> = match object {
        Object::VirtualNetwork => occupants(&|_| true),
        Object::GatewaySubnet => occupants(&|name| name.eq_ignore_ascii_case(GATEWAY_SUBNET)),
        Object::Subnet(removed) => occupants(&|name| name.eq_ignore_ascii_case(removed)),
        Object::PublicIp(instance) => {
            let ip = seen.azure.public_ips.get(*instance).as_ref();
            ip.and_then(|ip| ip.used_by.as_ref()).map(ResourceId::to_string).into_iter().collect()
        }
        _ => Vec::new(),
    };
    ids.iter().filter_map(|id| ResourceId::network_owner(id)).collect()
}
