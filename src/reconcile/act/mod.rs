//! One step. Parameters come from the spec and from the board: what has been observed by the time the step starts.

mod addresses;
mod aws;
mod azure;
mod deleting_users;
mod lost_tags;
mod marks;
mod owned;
mod public_ip;
mod remove;
mod session;
mod vpn_connection;

use super::cause::Cause;
use super::clouds::{Limits, Site};
use super::denied::Denied;
use super::pulse::Pulse;
use crate::azure::ResourceId;
use crate::link::observed::Observed;
use crate::link::ownership::{AwsEndpoint, LinkId, NAME};
use crate::link::search::{Demolition, Search};
use crate::link::spec::Spec;
use crate::link::step::{Object, Step, Verb};
use crate::primitives::Tags;
use std::fmt::Display;
use std::sync::{Mutex, PoisonError};

/// What every step works with. The board is locked for moments only, never across a call.
pub struct Acting<'a> {
    pub site: &'a Site,
    /// None while taking down.
    pub spec: Option<&'a Spec>,
    pub demolition: Option<&'a Demolition>,
    pub search: &'a Search,
    pub board: &'a Mutex<Observed>,
    /// What there was before the first step.
    pub before: &'a Observed,
    pub limits: &'a Limits,
    /// None while taking down.
    pub pulse: Option<&'a Pulse>,
    pub denied: &'a Denied,
}

/// Does it, waits until the cloud has done it, and puts the result on the board.
pub async fn act(acting: &Acting<'_>, step: &Step) -> Result<(), Cause> {
    match (step.verb, acting.spec) {
        (Verb::Delete, _) => Box::pin(remove::remove(acting, &step.object)).await,
        (_, Some(spec)) => Box::pin(Building { acting, spec }.act(step)).await,
        (_, None) => Err(Cause::Missing("a spec".to_owned())),
    }
}

impl Acting<'_> {
    /// Reads the board.
    pub fn seen<T>(&self, look: impl FnOnce(&Observed) -> T) -> T {
        look(&self.board.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes on the board.
    pub fn note(&self, change: impl FnOnce(&mut Observed)) {
        change(&mut self.board.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Something that the board must have by now, by the order of the steps.
    pub fn must<T>(&self, what: &str, look: impl FnOnce(&Observed) -> Option<T>) -> Result<T, Cause> {
        self.seen(look).ok_or_else(|| Cause::Missing(what.to_owned()))
    }

    fn gateway_id(&self) -> Result<ResourceId, Cause> {
        match self.spec {
            Some(spec) => Ok(spec.azure.gateway.id().clone()),
            None => self.must("the Azure gateway", |seen| {
                let there = seen.azure.gateway.as_ref().map(|g| g.resource.id.clone());
                there.or_else(|| self.demolition?.azure_gateway.clone())
            }),
        }
    }
}

/// Acting towards a spec.
struct Building<'a> {
    acting: &'a Acting<'a>,
    spec: &'a Spec,
}

impl Building<'_> {
    async fn act(&self, step: &Step) -> Result<(), Cause> {
        match (&step.object, step.verb) {
            (Object::ResourceGroup | Object::VirtualNetwork | Object::PublicIp(_), Verb::Change) => {
                Box::pin(self.relabel(&step.object)).await
            }
            (Object::Vpc | Object::PublicRouteTable, Verb::Change) => Box::pin(self.retag(&step.object)).await,
            (Object::ResourceGroup, _) => Box::pin(self.resource_group()).await,
            (Object::VirtualNetwork, _) => Box::pin(self.virtual_network()).await,
            (Object::GatewaySubnet, verb) => Box::pin(self.gateway_subnet(verb)).await,
            (Object::Subnet(name), verb) => Box::pin(self.subnet(name, verb)).await,
            (Object::PublicIp(instance), _) => Box::pin(self.public_ip(*instance)).await,
            (Object::Gateway, Verb::Create) => Box::pin(self.gateway()).await,
            (Object::Gateway, Verb::Await) => Box::pin(self.await_gateway()).await,
            (Object::Gateway, _) => Box::pin(self.change_gateway()).await,
            (Object::LocalGateway(key), Verb::Create) => Box::pin(self.local_gateway(*key)).await,
            (Object::LocalGateway(key), _) => Box::pin(self.change_local_gateway(*key)).await,
            (Object::Connection(key), Verb::Create) => Box::pin(self.connection(*key)).await,
            (Object::Connection(key), _) => Box::pin(self.change_connection(*key)).await,
            (Object::SharedKey(key), _) => Box::pin(self.shared_key(*key)).await,
            (Object::Session(key), _) => Box::pin(self.session(*key)).await,
            (Object::OtherTunnels(key), _) => Box::pin(self.other_tunnels(*key)).await,
            (Object::OtherConnection(instance), _) => Box::pin(self.other_connection(*instance)).await,
            (Object::RolledMark(key), _) => Box::pin(self.mark_rolled(*key)).await,
            (Object::Vpc, _) => Box::pin(self.vpc()).await,
            (Object::InternetGateway, _) => Box::pin(self.internet_gateway()).await,
            (Object::PublicSubnet, _) => Box::pin(self.public_subnet()).await,
            (Object::PublicRouteTable, _) => Box::pin(self.public_route_table()).await,
            (Object::VpnGateway, Verb::Create) => Box::pin(self.vpn_gateway()).await,
            (Object::Attachment, _) => Box::pin(self.attachment()).await,
            (Object::Propagation(table), _) => Box::pin(self.propagation(table.as_ref())).await,
            (Object::CustomerGateway(instance), Verb::Create) => Box::pin(self.customer_gateway(*instance)).await,
            (Object::VpnConnection(instance), Verb::Create) => Box::pin(self.vpn_connection(*instance)).await,
            (Object::VpnConnection(instance), Verb::Change) => Box::pin(self.change_vpn_connection(*instance)).await,
            (Object::VpnConnection(instance), Verb::Await) => Box::pin(self.await_vpn_connection(*instance)).await,
            (Object::Tunnel(key), _) => Box::pin(self.change_tunnel(*key)).await,
            (Object::VpnGateway | Object::CustomerGateway(_) | Object::VpnConnection(_), _) => {
                Box::pin(self.retag(&step.object)).await
            }
            (Object::OwnershipTags, _) => Box::pin(self.restore_tags()).await,
            (Object::OwnAddresses | Object::UnfinishedMark, _) => {
                Box::pin(remove::remove(self.acting, &step.object)).await
            }
        }
    }

    fn link(&self) -> &LinkId {
        &self.spec.link
    }

    /// Ownership tags of a part, the link's name, and what the user wants on everything.
    fn tags(&self, part: impl Display) -> Tags {
        let mut tags = self.spec.tags.clone();
        tags.insert(NAME.to_owned(), self.spec.name.clone());
        tags.extend(self.link().tags(part));
        tags.extend(AwsEndpoint::of(&self.spec.aws).map(|endpoint| endpoint.tag()));
        tags
    }
}
