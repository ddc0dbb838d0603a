//! Names that a link is to use and that objects of others have. Found before the first step of a create.

use super::cause::Cause;
use super::converge::Failure;
use crate::azure::model::Resource;
use crate::azure::{Error, Facts};
use crate::link::observed::Observed;
use crate::link::spec::{AzureGateway, AzureNetwork, Spec};
use crate::link::step::{Object, Step, Verb};

/// Gateways and virtual networks are looked up by name: one that another user created would be changed and not created.
pub fn taken_names(spec: &Spec, seen: &Observed) -> Vec<Failure> {
    let creates_network = matches!(spec.azure.network, AzureNetwork::Create { .. });
    let creates_gateway = matches!(spec.azure.gateway, AzureGateway::Own { .. });
    let network = seen.azure.network.as_ref().filter(|_| creates_network).map(|network| &network.resource);
    let gateway = seen.azure.gateway.as_ref().filter(|_| creates_gateway).map(|gateway| &gateway.resource);
    let found = [(Object::VirtualNetwork, network), (Object::Gateway, gateway)];
    let foreign = found.into_iter().filter_map(|(object, at)| Some((object, at?)));
    foreign.filter(|(_, at)| !spec.link.is_on(&at.tags)).map(|(object, at)| taken(object, at)).collect()
}

fn taken(object: Object, at: &Resource) -> Failure {
    let message = "an object with this name exists and does not belong to this link, so it was not changed";
    let facts = Facts::new(&format!("create {}", at.id.kind()), at.id.as_str()).saying(message);
    let step = Step { object, verb: Verb::Create, after: Vec::new(), because: Vec::new() };
    Failure { step: Some(step), cause: Cause::Azure(Error::AlreadyExists(facts)) }
}
