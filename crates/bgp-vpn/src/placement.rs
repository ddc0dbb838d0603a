//! Objects of this link that a create left in another Azure region than the one that is configured
//! by now.

use super::observed::Observed;
use super::preflight::eq_ignoring_case_and_spaces;
use super::spec::{AzureGateway, Spec};
use super::tunnel::Instance;
use crate::azure::model::PublicIp;
use std::collections::BTreeSet;

/// Whether an unused public IP that this link created is in another region than the gateway to be
/// created, or in other zones than configured. Azure rejects a gateway with an address of another
/// region, and an address cannot move.
pub fn is_misplaced(spec: &Spec, ip: &PublicIp) -> bool {
    let zones = || ip.zones.iter().cloned().collect::<BTreeSet<_>>();
    let in_other_zones = || {
        spec.azure
            .zones
            .as_ref()
            .is_some_and(|wanted| *wanted != zones())
    };
    matches!(spec.azure.gateway, AzureGateway::Managed { .. })
        && spec.link.is_on(&ip.resource.tags)
        && ip.used_by.is_none()
        && (!eq_ignoring_case_and_spaces(&ip.resource.location, &spec.azure.location)
            || in_other_zones())
}

/// Why the public IP of an instance has to be recreated.
pub fn misplaced_public_ip(spec: &Spec, observed: &Observed, instance: Instance) -> Option<String> {
    let ip = observed
        .azure
        .public_ips
        .get(instance)
        .as_ref()
        .filter(|ip| is_misplaced(spec, ip))?;
    let (has, wants) = (&ip.resource.location, &spec.azure.location);
    Some(match eq_ignoring_case_and_spaces(has, wants) {
        true => {
            format!("the public IP of {instance} is in other availability zones than configured")
        }
        false => format!("the public IP of {instance} is in {has}, not {wants}"),
    })
}
