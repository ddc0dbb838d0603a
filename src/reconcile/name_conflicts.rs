//! Names that a link is to use and that objects of others have. Found before the first step of a
//! create.

use super::error::ActionError;
use super::round::ActionFailure;
use crate::azure::Error;
use crate::azure::model::Resource;
use crate::client::ErrorContext;
use bgp_vpn::action::{Action, ActionTarget, Verb};
use bgp_vpn::observed::Observed;
use bgp_vpn::spec::{AzureGateway, AzureNetwork, Spec};

/// Gateways and virtual networks are looked up by name: one that another user created would be
/// changed and not created.
pub fn name_conflicts(spec: &Spec, observed: &Observed) -> Vec<ActionFailure> {
    let creates_network = matches!(spec.azure.network, AzureNetwork::Create { .. });
    let creates_gateway = matches!(spec.azure.gateway, AzureGateway::Managed { .. });
    let network = observed
        .azure
        .network
        .as_ref()
        .filter(|_| creates_network)
        .map(|network| &network.resource);
    let gateway = observed
        .azure
        .gateway
        .as_ref()
        .filter(|_| creates_gateway)
        .map(|gateway| &gateway.resource);
    let found = [
        (ActionTarget::VirtualNetwork, network),
        (ActionTarget::Gateway, gateway),
    ];
    let foreign = found
        .into_iter()
        .filter_map(|(object, at)| Some((object, at?)));
    foreign
        .filter(|(_, at)| !spec.link.is_on(&at.tags))
        .map(|(object, at)| name_conflict(object, at))
        .collect()
}

fn name_conflict(object: ActionTarget, at: &Resource) -> ActionFailure {
    let message =
        "an object with this name exists and does not belong to this link, so it was not changed";
    let facts =
        ErrorContext::new(format!("create {}", at.id.kind()), at.id.as_str()).with_message(message);
    let action = Action::new(object, Verb::Create, Vec::new());
    ActionFailure {
        action: Some(action),
        error: ActionError::Azure(Error::AlreadyExists(facts)),
    }
}
