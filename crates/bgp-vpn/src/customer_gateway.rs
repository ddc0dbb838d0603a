//! Whether a customer gateway can stand for an instance of the Azure gateway.

use super::observed::Observed;
use super::placement::misplaced_public_ip;
use super::spec::{AzureGateway, Spec};
use super::tunnel::Instance;
use crate::aws;
use crate::types::Asn;

/// Whether a customer gateway has to be recreated: neither its address nor its ASN can change.
pub fn customer_gateway_needs_replacement(
    spec: &Spec,
    observed: &Observed,
    instance: Instance,
) -> Option<String> {
    customer_gateway_mismatch(
        spec,
        observed,
        instance,
        observed.aws.customer_gateways.get(instance).as_ref()?,
    )
}

/// Why a customer gateway cannot stand for an instance of the Azure gateway.
pub fn customer_gateway_mismatch(
    spec: &Spec,
    observed: &Observed,
    instance: Instance,
    have: &aws::CustomerGateway,
) -> Option<String> {
    let makes_address = matches!(spec.azure.gateway, AzureGateway::Managed { .. });
    let misplaced = misplaced_public_ip(spec, observed, instance).is_some();
    if makes_address && (misplaced || observed.azure.public_ips.get(instance).is_none()) {
        return Some(format!(
            "the customer gateway for {instance} has the address of a deleted public IP"
        ));
    }
    let ip = observed.public_ip(instance);
    if ip.is_some_and(|ip| ip != have.ip) {
        return Some(format!(
            "the customer gateway for {instance} has another address than the Azure gateway"
        ));
    }
    let asn = azure_asn(spec, observed)?;
    (asn != have.asn).then(|| {
        format!(
            "the customer gateway for {instance} has ASN {}, not {asn}",
            have.asn
        )
    })
}

/// The ASN that the Azure gateway has, or will have once this link's change of it is done.
pub fn azure_asn(spec: &Spec, observed: &Observed) -> Option<Asn> {
    match &spec.azure.gateway {
        AzureGateway::Managed { asn, .. } => Some(*asn),
        AzureGateway::Existing(_) => observed.azure.gateway.as_ref().map(|g| g.asn),
    }
}
