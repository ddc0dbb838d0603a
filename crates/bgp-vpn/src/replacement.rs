//! Which VPN connections a run creates, and why it replaces customer gateways that exist.

use super::compare::vpn_connection_needs_replacement;
use super::customer_gateway::customer_gateway_needs_replacement;
use super::observed::Observed;
use super::spec::Spec;
use super::tunnel::Instance;
use super::vpn_connection::diff_connection;

/// Whether a run creates the VPN connection of an instance: where there is none, or where it is
/// replaced.
pub fn creates_vpn_connection(spec: &Spec, observed: &Observed, instance: Instance) -> bool {
    observed
        .aws
        .vpn_connections
        .get(instance)
        .as_ref()
        .is_none_or(|have| {
            vpn_connection_needs_replacement(spec, have, instance).is_some()
                || replaced_customer_gateway(spec, observed, instance).is_some()
        })
}

/// Why the customer gateway of an instance is replaced, and with it the VPN connection. One that
/// does not fit stays where the connection uses another one that does.
pub fn replaced_customer_gateway(
    spec: &Spec,
    observed: &Observed,
    instance: Instance,
) -> Option<String> {
    let own = observed.aws.customer_gateways.get(instance).as_ref()?;
    let uses_fitting = observed
        .aws
        .vpn_connections
        .get(instance)
        .as_ref()
        .is_some_and(|have| {
            have.customer_gateway_id != own.id
                && !diff_connection(spec, observed, have, instance).customer_gateway
        });
    customer_gateway_needs_replacement(spec, observed, instance).filter(|_| !uses_fitting)
}
