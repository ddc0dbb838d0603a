//! Actions for the public IPs and the Azure VPN gateway, and for the BGP addresses that it lists for
//! this link.

use super::action_list::ActionList;
use crate::action::{ActionTarget, Verb};
use crate::compare::{self};
use crate::observed::Observed;
use crate::spec::{AzureGateway, Spec};
use crate::tunnel::Instance;

pub(super) fn diff_azure_gateway(spec: &Spec, observed: &Observed, list: &mut ActionList) {
    let own = matches!(spec.azure.gateway, AzureGateway::Managed { .. });
    for instance in Instance::ALL {
        if own && observed.azure.public_ips.get(instance).is_none() {
            list.create(ActionTarget::PublicIp(instance));
        }
    }
    match &observed.azure.gateway {
        None if own => list.create(ActionTarget::Gateway),
        None => {}
        // While it is being built or changed it shows empty address lists: wait first, look again
        // then.
        Some(have) if have.resource.state.is_busy() => {
            list.push(Verb::WaitFor, ActionTarget::Gateway, vec![])
        }
        Some(have) => list.update(
            ActionTarget::Gateway,
            compare::gateway(spec, observed, have),
        ),
    }
    let listed = |(instance, ip): &(Instance, std::net::Ipv4Addr)| {
        observed
            .azure
            .gateway_instance(*instance)
            .is_some_and(|i| i.custom_bgp_ips.contains(ip))
    };
    let busy = observed
        .azure
        .gateway
        .as_ref()
        .is_some_and(|gateway| gateway.resource.state.is_busy());
    let writable = observed
        .azure
        .gateway
        .as_ref()
        .is_none_or(|gateway| !gateway.hides_radius_secret);
    if writable
        && spec
            .removals
            .addresses
            .iter()
            .any(|former| busy || listed(former))
    {
        let because =
            vec!["the Azure gateway lists addresses that this link no longer uses".to_owned()];
        list.push(Verb::Delete, ActionTarget::CustomBgpAddresses, because);
    }
}
