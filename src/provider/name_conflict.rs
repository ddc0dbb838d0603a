//! What to change where an object of another owner already has the Azure name of an object of this
//! link.

use crate::azure::Error;
use crate::reconcile::{ActionError, ActionFailure};
use bgp_vpn::action::ActionTarget;

/// How to set an unused name; None for other failures.
pub fn advice(failure: &ActionFailure) -> Option<String> {
    let ActionError::Azure(Error::AlreadyExists(_)) = failure.error else {
        return None;
    };
    let attribute = attribute(&failure.action.as_ref()?.target)?;
    Some(format!(
        "Set {attribute} to an unused name. The existing object is not changed."
    ))
}

/// The attribute that names an Azure object.
fn attribute(object: &ActionTarget) -> Option<String> {
    let fixed = |path: &str| Some(path.to_owned());
    match object {
        ActionTarget::ResourceGroup => fixed("azure.resource_group_name"),
        ActionTarget::VirtualNetwork => fixed("azure.virtual_network.name"),
        ActionTarget::Subnet(name) => {
            Some(format!("the key {name:?} in azure.virtual_network.subnets"))
        }
        ActionTarget::Gateway => fixed("azure.names.gateway"),
        ActionTarget::PublicIp(instance) => Some(format!("azure.names.public_ip_{instance}")),
        ActionTarget::LocalGateway(key) => Some(format!("azure.names.local_gateway_{key}")),
        ActionTarget::Connection(key) => Some(format!("azure.names.connection_{key}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::provider::bgp_vpn::schema::AZURE_NAMES;
    use bgp_vpn::tunnel::{Instance, TunnelKey};

    #[test]
    fn name_every_attribute_of_azure_names() {
        let tunnels = TunnelKey::ALL.into_iter();
        let of_tunnels = tunnels.flat_map(|key| {
            [
                ActionTarget::LocalGateway(key),
                ActionTarget::Connection(key),
            ]
        });
        let of_instances = Instance::ALL.into_iter().map(ActionTarget::PublicIp);
        let objects = of_tunnels
            .chain(of_instances)
            .chain([ActionTarget::Gateway]);
        let mut named: Vec<String> = objects.map(|object| attribute(&object).unwrap()).collect();
        let mut known: Vec<String> = AZURE_NAMES
            .iter()
            .map(|(name, _)| format!("azure.names.{name}"))
            .collect();
        named.sort();
        known.sort();
        assert_eq!(named, known);
    }
}
