//! One step. Parameters come from the spec and from the board: what has been observed by the time the step starts.

mod addresses;
mod aws;
mod azure;
mod bgp_session;
mod delete;
mod deleting_users;
mod lost_tags;
mod ownership_check;
mod ownership_tags;
mod public_ip;
mod vpn_connection;

use super::clients::{LinkClients, OperationContext};
use super::denied::Denied;
use super::error::ActionError;
use super::heartbeat::Heartbeat;
use crate::azure::ResourceId;
use crate::link::action::{Action, ActionTarget, Verb};
use crate::link::lookup::{LookupScope, TeardownSpec};
use crate::link::observed::Observed;
use crate::link::ownership_tags::{AwsEndpoint, LinkId, TAG_NAME};
use crate::link::spec::Spec;
use crate::types::Tags;
use std::fmt::Display;
use std::sync::{Mutex, PoisonError};

/// What every step works with. The board is locked for moments only, never across a call.
pub struct ActionContext<'a> {
    pub clients: &'a LinkClients,
    /// None while taking down.
    pub spec: Option<&'a Spec>,
    pub teardown: Option<&'a TeardownSpec>,
    pub scope: &'a LookupScope,
    pub observed: &'a Mutex<Observed>,
    /// What there was before the first step.
    pub before: &'a Observed,
    pub operation: &'a OperationContext,
    /// None while taking down.
    pub heartbeat: Option<&'a Heartbeat>,
    pub denied: &'a Denied,
}

/// Does it, waits until the cloud has done it, and puts the result on the board.
pub async fn execute_action(context: &ActionContext<'_>, action: &Action) -> Result<(), ActionError> {
    match (action.verb, context.spec) {
        (Verb::Delete, _) => Box::pin(delete::delete(context, &action.target)).await,
        (_, Some(spec)) => Box::pin(ApplyContext { context, spec }.act(action)).await,
        (_, None) => Err(ActionError::MissingDependency("a spec".to_owned())),
    }
}

impl ActionContext<'_> {
    /// Reads the board.
    pub fn read<T>(&self, look: impl FnOnce(&Observed) -> T) -> T {
        look(&self.observed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes on the board.
    pub fn update(&self, change: impl FnOnce(&mut Observed)) {
        change(&mut self.observed.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Something that the board must have by now, by the order of the steps.
    pub fn require<T>(&self, what: &str, look: impl FnOnce(&Observed) -> Option<T>) -> Result<T, ActionError> {
        self.read(look).ok_or_else(|| ActionError::MissingDependency(what.to_owned()))
    }

    fn gateway_id(&self) -> Result<ResourceId, ActionError> {
        match self.spec {
            Some(spec) => Ok(spec.azure.gateway.id().clone()),
            None => self.require("the Azure gateway", |observed| {
                let there = observed.azure.gateway.as_ref().map(|g| g.resource.id.clone());
                there.or_else(|| self.teardown?.azure_gateway.clone())
            }),
        }
    }
}

/// Acting towards a spec.
struct ApplyContext<'a> {
    context: &'a ActionContext<'a>,
    spec: &'a Spec,
}

impl ApplyContext<'_> {
    async fn act(&self, action: &Action) -> Result<(), ActionError> {
        match (&action.target, action.verb) {
            (ActionTarget::ResourceGroup | ActionTarget::VirtualNetwork | ActionTarget::PublicIp(_), Verb::Update) => {
                Box::pin(self.update_azure_tags(&action.target)).await
            }
            (ActionTarget::Vpc | ActionTarget::PublicRouteTable, Verb::Update) => {
                Box::pin(self.update_aws_tags(&action.target)).await
            }
            (ActionTarget::ResourceGroup, _) => Box::pin(self.resource_group()).await,
            (ActionTarget::VirtualNetwork, _) => Box::pin(self.virtual_network()).await,
            (ActionTarget::GatewaySubnet, verb) => Box::pin(self.gateway_subnet(verb)).await,
            (ActionTarget::Subnet(name), verb) => Box::pin(self.subnet(name, verb)).await,
            (ActionTarget::PublicIp(instance), _) => Box::pin(self.public_ip(*instance)).await,
            (ActionTarget::Gateway, Verb::Create) => Box::pin(self.gateway()).await,
            (ActionTarget::Gateway, Verb::WaitFor) => Box::pin(self.wait_for_gateway()).await,
            (ActionTarget::Gateway, _) => Box::pin(self.change_gateway()).await,
            (ActionTarget::LocalGateway(key), Verb::Create) => Box::pin(self.local_gateway(*key)).await,
            (ActionTarget::LocalGateway(key), _) => Box::pin(self.change_local_gateway(*key)).await,
            (ActionTarget::Connection(key), Verb::Create) => Box::pin(self.connection(*key)).await,
            (ActionTarget::Connection(key), _) => Box::pin(self.change_connection(*key)).await,
            (ActionTarget::SharedKey(key), _) => Box::pin(self.shared_key(*key)).await,
            (ActionTarget::BgpSession(key), _) => Box::pin(self.wait_for_session(*key)).await,
            (ActionTarget::PeerTunnelsUp(key), _) => Box::pin(self.wait_peer_tunnels(*key)).await,
            (ActionTarget::PeerConnectionUp(instance), _) => Box::pin(self.wait_peer_connection(*instance)).await,
            (ActionTarget::KeyRotationTag(key), _) => Box::pin(self.tag_rotated(*key)).await,
            (ActionTarget::Vpc, _) => Box::pin(self.vpc()).await,
            (ActionTarget::InternetGateway, _) => Box::pin(self.internet_gateway()).await,
            (ActionTarget::PublicSubnet, _) => Box::pin(self.public_subnet()).await,
            (ActionTarget::PublicRouteTable, _) => Box::pin(self.public_route_table()).await,
            (ActionTarget::VpnGateway, Verb::Create) => Box::pin(self.vpn_gateway()).await,
            (ActionTarget::VgwAttachment, _) => Box::pin(self.attachment()).await,
            (ActionTarget::RoutePropagation(table), _) => Box::pin(self.propagation(table.as_ref())).await,
            (ActionTarget::CustomerGateway(instance), Verb::Create) => Box::pin(self.customer_gateway(*instance)).await,
            (ActionTarget::VpnConnection(instance), Verb::Create) => Box::pin(self.vpn_connection(*instance)).await,
            (ActionTarget::VpnConnection(instance), Verb::Update) => {
                Box::pin(self.change_vpn_connection(*instance)).await
            }
            (ActionTarget::VpnConnection(instance), Verb::WaitFor) => {
                Box::pin(self.wait_for_vpn_connection(*instance)).await
            }
            (ActionTarget::Tunnel(key), _) => Box::pin(self.change_tunnel(*key)).await,
            (ActionTarget::VpnGateway | ActionTarget::CustomerGateway(_) | ActionTarget::VpnConnection(_), _) => {
                Box::pin(self.update_aws_tags(&action.target)).await
            }
            (ActionTarget::OwnershipTags, _) => Box::pin(self.restore_tags()).await,
            (ActionTarget::CustomBgpAddresses | ActionTarget::IncompleteTag, _) => {
                Box::pin(delete::delete(self.context, &action.target)).await
            }
        }
    }

    fn link(&self) -> &LinkId {
        &self.spec.link
    }

    /// Ownership tags of a part, the link's name, and what the user wants on everything.
    fn tags(&self, part: impl Display) -> Tags {
        let mut tags = self.spec.tags.clone();
        tags.insert(TAG_NAME.to_owned(), self.spec.name.clone());
        tags.extend(self.link().tags(part));
        tags.extend(AwsEndpoint::of(&self.spec.aws).map(|endpoint| endpoint.tag()));
        tags
    }
}
