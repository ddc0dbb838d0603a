//! VPN connections: their creation, and changes of their tunnels.

use super::ApplyContext;
use crate::aws::model::{Bandwidth, KeyStorage, TunnelOptions, VpnConnection};
use crate::aws::{IdempotencyKey, NewConnection, VpnConnectionOptions};
use crate::reconcile::error::ActionError;
use bgp_vpn::action::{ActionTarget, KeyAction, NewTunnel, Verb};
use bgp_vpn::compare;
use bgp_vpn::keys;
use bgp_vpn::resolve::match_tunnels;
use bgp_vpn::tunnel::{Instance, TunnelKey};
use bgp_vpn::types::PreSharedKey;

impl ApplyContext<'_> {
    fn uses_secrets_manager(&self) -> bool {
        self.spec.aws.key_storage == KeyStorage::SecretsManager
    }

    /// The key that goes to the AWS endpoint of a tunnel. None where it keeps its own.
    fn endpoint_key(
        &self,
        action: KeyAction,
        key: TunnelKey,
    ) -> Result<Option<PreSharedKey>, ActionError> {
        match action {
            KeyAction::Keep | KeyAction::CopyToAzure => Ok(None),
            KeyAction::CopyToAws => self
                .context
                .require("the Azure key", |observed| {
                    observed.azure.keys.get(key).key().cloned()
                })
                .map(Some),
            KeyAction::UseConfigured => match self.spec.configured_keys.get(key) {
                Some(configured) => Ok(Some(configured.clone())),
                None => Err(ActionError::internal(
                    ActionTarget::Tunnel(key),
                    Verb::Update,
                )),
            },
            KeyAction::Generate => PreSharedKey::generate()
                .map(Some)
                .map_err(|_| ActionError::NoRandomness),
            KeyAction::MoveStorage => {
                let desired = self
                    .context
                    .read(|observed| keys::desired_key(self.spec, observed, key));
                Ok(desired.filter(keys::is_accepted_by_aws))
            }
        }
    }

    /// Options of a new tunnel, with a key.
    fn new_tunnel(&self, key: TunnelKey, action: KeyAction) -> Result<TunnelOptions, ActionError> {
        let Some(shared) = self.endpoint_key(action, key)? else {
            return Err(ActionError::internal(
                ActionTarget::VpnConnection(key.instance),
                Verb::Create,
            ));
        };
        let mut options = compare::desired_options(self.spec);
        options.inside_cidr = Some(self.spec.inside_cidrs.get(key).net());
        options.key = Some(shared);
        if !matches!(self.spec.policy, bgp_vpn::ipsec::IpsecPolicy::Explicit(_)) {
            // Nothing said is the cloud's default, and stays so when AWS learns new algorithms.
            (options.phase1, options.phase2) = Default::default();
        }
        Ok(options)
    }

    pub(super) async fn vpn_connection(
        &self,
        instance: Instance,
        new: [NewTunnel; 2],
    ) -> Result<(), ActionError> {
        let customer = self.context.require("the customer gateway", |observed| {
            observed
                .aws
                .customer_gateways
                .get(instance)
                .as_ref()
                .map(|c| c.id.clone())
        })?;
        let ([one, two], [first, second]) = (instance.tunnels(), new);
        let tunnels = [
            self.new_tunnel(one, first.key)?,
            self.new_tunnel(two, second.key)?,
        ];
        let own = self.identity_tags(instance);
        let mut tags =
            self.tags_for_new(instance, self.spec.aws.names.vpn_connections.get(instance));
        let tagged = instance
            .tunnels()
            .into_iter()
            .zip(new)
            .filter(|(_, tunnel)| tunnel.has_rotation_tag);
        tags.extend(
            tagged
                .filter_map(|(key, _)| Some(self.spec.rotation.as_ref()?.tag(key)))
                .flatten(),
        );
        let target = self.target_gateway()?;
        let extras = VpnConnectionOptions {
            key_storage: self
                .uses_secrets_manager()
                .then_some(KeyStorage::SecretsManager),
            tunnel_bandwidth: Some(self.spec.aws.bandwidth).filter(|it| *it != Bandwidth::Standard),
            enable_acceleration: self.spec.aws.acceleration.then_some(true),
        };
        let new = NewConnection {
            customer_gateway: &customer,
            target: &target,
            tunnels: &tunnels,
            options: &extras,
            tags: &tags,
            idempotency: IdempotencyKey::new(&own),
        };
        let (ec2, ctx) = (
            &self.context.clients.ec2,
            self.context.operation.call_context(),
        );
        for leaving in self
            .context
            .read(|observed| observed.aws.deleting_vpn_connections.clone())
        {
            ec2.wait_vpn_connection_deleted(&ctx, &leaving).await?;
        }
        let made = ec2.create_vpn_connection(&ctx, &new).await?;
        let id = made.id.clone();
        if self.uses_secrets_manager() {
            self.context.update(|observed| {
                for (key, options) in instance.tunnels().into_iter().zip(&tunnels) {
                    observed
                        .aws
                        .written_keys
                        .get_mut(key)
                        .clone_from(&options.key);
                }
            });
        }
        self.record_connection(instance, made);
        let ready = ec2.wait_vpn_connection_available(&ctx, &id, true).await?;
        self.record_connection(instance, ready);
        Ok(())
    }

    pub(super) fn record_connection(&self, instance: Instance, connection: VpnConnection) {
        // Addresses that the state knew belong to an earlier connection.
        let scope = bgp_vpn::lookup::LookupScope {
            known: Default::default(),
            ..self.context.scope.clone()
        };
        let scope = bgp_vpn::lookup::LookupScope {
            inside_cidrs: self.spec.inside_cidrs.clone(),
            ..scope
        };
        let named = match_tunnels(&scope, instance, &connection);
        self.context.update(|observed| {
            for (key, ip) in named {
                *observed.aws.outside_ips.get_mut(key) = Some(ip);
            }
            *observed.aws.vpn_connections.get_mut(instance) = Some(connection);
        });
    }

    pub(super) async fn wait_for_vpn_connection(
        &self,
        instance: Instance,
    ) -> Result<(), ActionError> {
        let id = self.context.require("the VPN connection", |observed| {
            observed
                .aws
                .vpn_connections
                .get(instance)
                .as_ref()
                .map(|v| v.id.clone())
        })?;
        let ready = self
            .context
            .clients
            .ec2
            .wait_vpn_connection_available(&self.context.operation.call_context(), &id, true)
            .await?;
        self.record_connection(instance, ready);
        Ok(())
    }

    /// Sets the options that differ, and the key where it changes.
    pub(super) async fn change_tunnel(
        &self,
        key: TunnelKey,
        options: &TunnelOptions,
        action: KeyAction,
    ) -> Result<(), ActionError> {
        let (ec2, ctx) = (
            &self.context.clients.ec2,
            self.context.operation.call_context(),
        );
        let id = self.context.require("the VPN connection", |observed| {
            observed
                .aws
                .vpn_connections
                .get(key.instance)
                .as_ref()
                .map(|v| v.id.clone())
        })?;
        let tunnel = self
            .context
            .require("the AWS endpoint", |observed| observed.tunnel(key).cloned())?;
        let mut change = TunnelOptions {
            key: self.endpoint_key(action, key)?,
            ..options.clone()
        };
        if action == KeyAction::MoveStorage {
            // EC2 wants an option to change next to the storage.
            change.dpd_timeout_seconds = Some(self.spec.aws.dpd_timeout_seconds);
        }
        if change.key.is_some() && self.uses_secrets_manager() {
            change.key_storage = Some(KeyStorage::SecretsManager);
        }
        if change == TunnelOptions::default() {
            return Err(ActionError::internal(
                ActionTarget::Tunnel(key),
                Verb::Update,
            ));
        }
        let changed = ec2
            .change_tunnel(&ctx, &id, tunnel.outside_ip, &change)
            .await?;
        // The endpoint keeps its outside address, and with it its name.
        self.context.update(|observed| {
            *observed.aws.vpn_connections.get_mut(key.instance) = Some(changed);
            if change.key.is_some() {
                *observed.aws.written_keys.get_mut(key) = change.key;
            }
        });
        Ok(())
    }

    pub(super) async fn tag_rotated(&self, key: TunnelKey) -> Result<(), ActionError> {
        let Some(rotation) = &self.spec.rotation else {
            return Err(ActionError::internal(
                ActionTarget::KeyRotationTag(key),
                Verb::Create,
            ));
        };
        let id = self.context.require("the VPN connection", |s| {
            s.aws
                .vpn_connections
                .get(key.instance)
                .as_ref()
                .map(|v| v.id.0.clone())
        })?;
        let mark = rotation.tag(key);
        self.context
            .clients
            .ec2
            .create_tags(&self.context.operation.call_context(), &[id], &mark)
            .await?;
        self.context.update(|observed| {
            observed
                .aws
                .vpn_connections
                .get_mut(key.instance)
                .iter_mut()
                .for_each(|v| v.tags.extend(mark.clone()))
        });
        Ok(())
    }
}
