//! One action. Parameters come from the spec, from what was decided when the action was planned
//! (`Change`), and from the shared observation: what is known by the time the action starts.

mod addresses;
mod aws;
mod azure;
mod bgp_session;
mod create_connection;
mod delete;
mod deleting_users;
mod incomplete_tag;
mod lost_tags;
mod ownership_check;
mod ownership_tags;
mod public_ip;
mod transit_attachment;
mod vpn_connection;

use super::clients::{LinkClients, OperationContext};
use super::denied::Denied;
use super::error::ActionError;
use super::heartbeat::Heartbeat;
use bgp_vpn::action::{Action, ActionTarget, Change, Verb};
use bgp_vpn::lookup::{LookupScope, TeardownSpec};
use bgp_vpn::managed::Managed;
use bgp_vpn::observed::Observed;
use bgp_vpn::ownership_tags::{AwsEndpoint, LinkId, TAG_NAME};
use bgp_vpn::spec::Spec;
use bgp_vpn::types::Tags;
use delete::{DeleteContext, delete};
use std::fmt::Display;
use std::sync::{Mutex, PoisonError};

/// What the actions of an apply and of a teardown share. The observation is locked for moments
/// only, never across a call.
pub struct ActionContext<'a> {
    pub clients: &'a LinkClients,
    pub scope: &'a LookupScope,
    pub observed: &'a Mutex<Observed>,
    /// What there was before the first action.
    pub before: &'a Observed,
    pub operation: &'a OperationContext,
}

impl ActionContext<'_> {
    /// Reads the shared observation.
    pub fn read<T>(&self, look: impl FnOnce(&Observed) -> T) -> T {
        look(&self.observed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the shared observation.
    pub fn update(&self, change: impl FnOnce(&mut Observed)) {
        change(&mut self.observed.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Something that must have been observed by now, because of the order of the actions.
    pub fn require<T>(
        &self,
        what: &str,
        look: impl FnOnce(&Observed) -> Option<T>,
    ) -> Result<T, ActionError> {
        self.read(look)
            .ok_or_else(|| ActionError::MissingDependency(what.to_owned()))
    }
}

/// What the actions of a teardown work with.
pub struct TeardownContext<'a> {
    pub context: &'a ActionContext<'a>,
    pub teardown: &'a TeardownSpec,
}

impl TeardownContext<'_> {
    /// Executes the action, waits until the cloud has finished, and records the result.
    ///
    /// # Errors
    /// `Internal` for anything but a delete; what the clouds answer.
    pub async fn execute(&self, action: &Action) -> Result<(), ActionError> {
        if action.verb != Verb::Delete {
            return Err(ActionError::internal(action.target.clone(), action.verb));
        }
        let observed = self.context.read(|observed| {
            observed
                .azure
                .gateway
                .as_ref()
                .map(|g| g.resource.id.clone())
        });
        let deletes = DeleteContext {
            context: self.context,
            azure_gateway: observed.or_else(|| self.teardown.azure_gateway.clone()),
            link: Some(&self.teardown.link),
            managed: self.teardown.managed.clone(),
            bgp_addresses: self.teardown.own_bgp_addresses.to_vec(),
        };
        Box::pin(delete(&deletes, &action.target)).await
    }
}

/// What the actions of an apply work with.
pub struct ApplyContext<'a> {
    pub context: &'a ActionContext<'a>,
    pub spec: &'a Spec,
    pub heartbeat: &'a Heartbeat,
    pub denied: &'a Denied,
}

impl ApplyContext<'_> {
    /// Executes the action, waits until the cloud has finished, and records the result.
    ///
    /// # Errors
    /// `Internal` for an action that does not fit the spec; what the clouds answer.
    pub async fn execute(&self, action: &Action) -> Result<(), ActionError> {
        match action.verb {
            Verb::Create => self.create(action).await,
            Verb::Update => self
                .change(action)
                .await
                .map_err(|error| error.of_update(&action.target)),
            Verb::WaitFor => self.wait_for(action).await,
            Verb::Delete => self.delete(action).await,
        }
    }

    async fn create(&self, action: &Action) -> Result<(), ActionError> {
        match (&action.target, &action.change) {
            (ActionTarget::ResourceGroup, _) => Box::pin(self.resource_group()).await,
            (ActionTarget::VirtualNetwork, _) => Box::pin(self.virtual_network()).await,
            (ActionTarget::GatewaySubnet, _) => Box::pin(self.gateway_subnet(Verb::Create)).await,
            (ActionTarget::Subnet(name), _) => Box::pin(self.subnet(name, Verb::Create)).await,
            (ActionTarget::PublicIp(instance), _) => Box::pin(self.public_ip(*instance)).await,
            (ActionTarget::Gateway, _) => Box::pin(self.gateway()).await,
            (ActionTarget::LocalGateway(key), _) => Box::pin(self.local_gateway(*key)).await,
            (ActionTarget::Connection(key), _) => Box::pin(self.connection(*key)).await,
            (ActionTarget::Vpc, _) => Box::pin(self.vpc()).await,
            (ActionTarget::InternetGateway, _) => Box::pin(self.internet_gateway()).await,
            (ActionTarget::PublicSubnet, _) => Box::pin(self.public_subnet()).await,
            (ActionTarget::PublicRouteTable, _) => Box::pin(self.public_route_table()).await,
            (ActionTarget::VpnGateway, _) => Box::pin(self.vpn_gateway()).await,
            (ActionTarget::VgwAttachment, _) => Box::pin(self.attachment()).await,
            (ActionTarget::RoutePropagation(table), _) => {
                Box::pin(self.propagation(table.as_ref())).await
            }
            (ActionTarget::CustomerGateway(instance), _) => {
                Box::pin(self.customer_gateway(*instance)).await
            }
            (ActionTarget::VpnConnection(instance), Change::NewVpnConnection(tunnels)) => {
                Box::pin(self.vpn_connection(*instance, *tunnels)).await
            }
            (ActionTarget::TransitAttachment(instance), _) => {
                Box::pin(self.transit_attachment(*instance)).await
            }
            (ActionTarget::KeyRotationTag(key), _) => Box::pin(self.tag_rotated(*key)).await,
            _ => Err(ActionError::internal(action.target.clone(), action.verb)),
        }
    }

    async fn change(&self, action: &Action) -> Result<(), ActionError> {
        match (&action.target, &action.change) {
            (ActionTarget::ResourceGroup, _) => Box::pin(self.update_group_tags()).await,
            (ActionTarget::VirtualNetwork, _) => Box::pin(self.change_network()).await,
            (ActionTarget::PublicIp(instance), _) => {
                Box::pin(self.change_public_ip(*instance)).await
            }
            (ActionTarget::GatewaySubnet, _) => Box::pin(self.gateway_subnet(Verb::Update)).await,
            (ActionTarget::Subnet(name), _) => Box::pin(self.subnet(name, Verb::Update)).await,
            (ActionTarget::Gateway, _) => Box::pin(self.change_gateway()).await,
            (ActionTarget::LocalGateway(key), _) => Box::pin(self.change_local_gateway(*key)).await,
            (ActionTarget::Connection(key), _) => Box::pin(self.change_connection(*key)).await,
            (ActionTarget::SharedKey(key), _) => Box::pin(self.shared_key(*key)).await,
            (ActionTarget::VpnConnection(instance), Change::VpnConnection { settings, tags }) => {
                Box::pin(self.change_vpn_connection(*instance, *settings, *tags)).await
            }
            (ActionTarget::TransitAttachment(instance), _) => {
                Box::pin(self.transit_attachment(*instance)).await
            }
            (ActionTarget::Tunnel(tunnel), Change::Tunnel { options, key }) => {
                Box::pin(self.change_tunnel(*tunnel, options, *key)).await
            }
            (
                ActionTarget::Vpc
                | ActionTarget::PublicRouteTable
                | ActionTarget::VpnGateway
                | ActionTarget::CustomerGateway(_),
                _,
            ) => Box::pin(self.update_aws_tags(&action.target)).await,
            (ActionTarget::OwnershipTags, _) => Box::pin(self.restore_tags()).await,
            _ => Err(ActionError::internal(action.target.clone(), action.verb)),
        }
    }

    async fn wait_for(&self, action: &Action) -> Result<(), ActionError> {
        match &action.target {
            ActionTarget::Gateway => Box::pin(self.wait_for_gateway()).await,
            ActionTarget::VpnConnection(instance) => {
                Box::pin(self.wait_for_vpn_connection(*instance)).await
            }
            ActionTarget::BgpSession(key) => Box::pin(self.wait_for_session(*key)).await,
            ActionTarget::PeerTunnelsUp(key) => Box::pin(self.wait_peer_tunnels(*key)).await,
            ActionTarget::PeerConnectionUp(instance) => {
                Box::pin(self.wait_peer_connection(*instance)).await
            }
            _ => Err(ActionError::internal(action.target.clone(), action.verb)),
        }
    }

    async fn delete(&self, action: &Action) -> Result<(), ActionError> {
        if action.target == ActionTarget::IncompleteTag {
            return Box::pin(self.clear_incomplete_tag()).await;
        }
        let deletes = DeleteContext {
            context: self.context,
            azure_gateway: Some(self.spec.azure.gateway.id().clone()),
            link: None,
            managed: Managed::default(),
            bgp_addresses: self
                .spec
                .removals
                .addresses
                .iter()
                .map(|(_, ip)| *ip)
                .collect(),
        };
        Box::pin(delete(&deletes, &action.target)).await?;
        match action.target {
            ActionTarget::CustomBgpAddresses => Box::pin(self.tag_after_remove()).await,
            _ => Ok(()),
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
