//! Steps at AWS.

use super::ApplyContext;
use crate::aws::model::{
    Bandwidth, KeyStorage, RouteTableId, TargetGateway, TunnelOptions, VpcId, VpnConnection,
    VpnGatewayId,
};
use crate::aws::{Filter, IdempotencyKey, NewConnection, VpnConnectionOptions};
use crate::reconcile::error::ActionError;
use bgp_vpn::action::{ActionTarget, KeyAction, NewTunnel, Verb};
use bgp_vpn::compare;
use bgp_vpn::customer_gateway;
use bgp_vpn::keys;
use bgp_vpn::managed::Kind;
use bgp_vpn::ownership_tags::role;
use bgp_vpn::ownership_tags::{AwsEndpoint, TAG_INCOMPLETE};
use bgp_vpn::resolve::match_tunnels;
use bgp_vpn::route_tables::desired_route_tables;
use bgp_vpn::spec::{AwsGateway, AwsNetwork};
use bgp_vpn::tunnel::{Instance, TunnelKey};
use bgp_vpn::types::{PreSharedKey, Tags};
use bgp_vpn::vpn_connection;
use std::fmt::Display;

impl ApplyContext<'_> {
    /// Tags of a new AWS object: those of Azure's, its name, and the mark that the link is
    /// unfinished.
    fn tags_for_new(&self, part: impl Display, name: &str) -> Tags {
        let mut tags = self.tags(part);
        tags.insert("Name".to_owned(), name.to_owned());
        tags.insert(TAG_INCOMPLETE.to_owned(), "true".to_owned());
        tags
    }

    /// By which a new object is found again where the answer to its creation was lost.
    fn identity_tags(&self, part: impl Display) -> Tags {
        let mut tags = self.link().tags(part);
        tags.extend(AwsEndpoint::of(&self.spec.aws).map(|endpoint| endpoint.tag()));
        tags
    }

    fn vpc_id(&self) -> Result<VpcId, ActionError> {
        match &self.spec.aws.network {
            AwsNetwork::Existing(id) => Ok(id.clone()),
            _ => self.context.require("the VPC", |observed| {
                observed.aws.vpc.as_ref().map(|v| v.id.clone())
            }),
        }
    }

    pub(super) async fn vpc(&self) -> Result<(), ActionError> {
        let AwsNetwork::Create { cidr, .. } = &self.spec.aws.network else {
            return Err(ActionError::internal(ActionTarget::Vpc, Verb::Create));
        };
        let (ec2, ctx) = (&self.context.clients.ec2, self.context.operation.aws());
        let own = self.identity_tags(role::VPC);
        let tags = self.tags_for_new(role::VPC, &self.spec.aws.names.vpc);
        let made = ec2
            .create_vpc(&ctx, *cidr, &tags, IdempotencyKey::new(&own))
            .await?;
        self.context
            .update(|observed| observed.aws.vpc = Some(made.clone()));
        let vpc = ec2.wait_vpc_available(&ctx, &made.id).await?;
        self.context.update(|observed| observed.aws.vpc = Some(vpc));
        self.refresh_route_tables().await
    }

    async fn refresh_route_tables(&self) -> Result<(), ActionError> {
        let filter = Filter::vpc(&self.vpc_id()?);
        let tables = self
            .context
            .clients
            .ec2
            .describe_route_tables(&self.context.operation.aws(), &filter)
            .await?;
        self.context
            .update(|observed| observed.aws.route_tables = tables);
        Ok(())
    }

    pub(super) async fn internet_gateway(&self) -> Result<(), ActionError> {
        let (ec2, ctx, vpc) = (
            &self.context.clients.ec2,
            self.context.operation.aws(),
            self.vpc_id()?,
        );
        let mut gateway = match self
            .context
            .read(|observed| observed.aws.internet_gateway.clone())
        {
            Some(there) => there,
            None => {
                let own = self.identity_tags(role::INTERNET_GATEWAY);
                let tags = self.tags_for_new(
                    role::INTERNET_GATEWAY,
                    &self.spec.aws.names.internet_gateway,
                );
                ec2.create_internet_gateway(&ctx, &tags, IdempotencyKey::new(&own))
                    .await?
            }
        };
        self.context
            .update(|observed| observed.aws.internet_gateway = Some(gateway.clone()));
        ec2.attach_internet_gateway(&ctx, &gateway.id, &vpc).await?;
        gateway.attached_vpcs = vec![vpc];
        self.context
            .update(|observed| observed.aws.internet_gateway = Some(gateway));
        Ok(())
    }

    pub(super) async fn public_subnet(&self) -> Result<(), ActionError> {
        let AwsNetwork::Create {
            public_subnet: Some(cidr),
            ..
        } = &self.spec.aws.network
        else {
            return Err(ActionError::internal(
                ActionTarget::PublicSubnet,
                Verb::Create,
            ));
        };
        let (ec2, ctx, vpc) = (
            &self.context.clients.ec2,
            self.context.operation.aws(),
            self.vpc_id()?,
        );
        let own = self.identity_tags(role::PUBLIC_SUBNET);
        let tags = self.tags_for_new(role::PUBLIC_SUBNET, &self.spec.aws.names.public_subnet);
        // One that was just deleted may still be listed with the same tags.
        let before: Vec<String> = self
            .context
            .before
            .aws
            .subnets
            .iter()
            .map(|subnet| subnet.id.0.clone())
            .collect();
        let own = IdempotencyKey {
            tags: &own,
            known_ids: &before,
        };
        let made = ec2.create_subnet(&ctx, &vpc, *cidr, &tags, own).await?;
        self.context
            .update(|observed| observed.aws.public_subnet = Some(made.id.clone()));
        let subnet = ec2.wait_subnet_available(&ctx, &made.id).await?;
        self.context
            .update(|observed| observed.aws.subnets.push(subnet));
        Ok(())
    }

    /// The table, its way out, and its subnet: whichever of the three is missing.
    pub(super) async fn public_route_table(&self) -> Result<(), ActionError> {
        let (ec2, ctx, vpc) = (
            &self.context.clients.ec2,
            self.context.operation.aws(),
            self.vpc_id()?,
        );
        let table = match self
            .context
            .read(|observed| observed.aws.public_route_table.clone())
        {
            Some(id) => id,
            None => {
                let own = self.identity_tags(role::PUBLIC_ROUTE_TABLE);
                let tags = self.tags_for_new(
                    role::PUBLIC_ROUTE_TABLE,
                    &self.spec.aws.names.public_route_table,
                );
                ec2.create_route_table(&ctx, &vpc, &tags, IdempotencyKey::new(&own))
                    .await?
                    .id
            }
        };
        self.context
            .update(|observed| observed.aws.public_route_table = Some(table.clone()));
        let gateway = self.context.require("the internet gateway", |s| {
            s.aws.internet_gateway.as_ref().map(|i| i.id.clone())
        })?;
        let subnet = self.context.require("the public subnet", |observed| {
            observed.aws.public_subnet.clone()
        })?;
        let elsewhere = self.context.read(|observed| {
            let table = observed
                .aws
                .route_tables
                .iter()
                .find(|there| there.id == table);
            table.is_some_and(|table| {
                table
                    .default_route
                    .as_ref()
                    .is_some_and(|to| *to != gateway.0)
            })
        });
        if elsewhere {
            // To an internet gateway that is gone: EC2 keeps such a route.
            ec2.delete_default_route(&ctx, &table).await?;
        }
        ec2.create_default_route(&ctx, &table, &gateway).await?;
        ec2.associate_route_table(&ctx, &table, &subnet).await?;
        self.refresh_route_tables().await
    }

    pub(super) async fn vpn_gateway(&self) -> Result<(), ActionError> {
        let AwsGateway::ManagedVgw { asn } = &self.spec.aws.gateway else {
            return Err(ActionError::internal(
                ActionTarget::VpnGateway,
                Verb::Create,
            ));
        };
        let (ec2, ctx) = (&self.context.clients.ec2, self.context.operation.aws());
        let own = self.identity_tags(role::VPN_GATEWAY);
        let tags = self.tags_for_new(role::VPN_GATEWAY, &self.spec.aws.names.vpn_gateway);
        let made = ec2
            .create_vpn_gateway(&ctx, *asn, &tags, IdempotencyKey::new(&own))
            .await?;
        self.context
            .update(|observed| observed.aws.gateway = Some(made.clone()));
        let gateway = ec2.wait_vpn_gateway_available(&ctx, &made.id).await?;
        self.context
            .update(|observed| observed.aws.gateway = Some(gateway));
        Ok(())
    }

    pub(super) fn target_gateway(&self) -> Result<TargetGateway, ActionError> {
        self.context.require("the VPN gateway", |observed| {
            vpn_connection::target_gateway(self.spec, observed)
        })
    }

    pub(super) async fn attachment(&self) -> Result<(), ActionError> {
        let TargetGateway::VpnGateway(gateway) = self.target_gateway()? else {
            return Err(ActionError::internal(
                ActionTarget::VgwAttachment,
                Verb::Create,
            ));
        };
        let (ec2, ctx, vpc) = (
            &self.context.clients.ec2,
            self.context.operation.aws(),
            self.vpc_id()?,
        );
        ec2.attach_vpn_gateway(&ctx, &gateway, &vpc).await?;
        let attached = ec2.wait_vpn_gateway_attached(&ctx, &gateway, &vpc).await?;
        self.context
            .update(|observed| observed.aws.gateway = Some(attached));
        Ok(())
    }

    /// Into one table, or into all that are wanted by now where the tables are as new as the VPC.
    pub(super) async fn propagation(
        &self,
        table: Option<&RouteTableId>,
    ) -> Result<(), ActionError> {
        let TargetGateway::VpnGateway(gateway) = self.target_gateway()? else {
            return Err(ActionError::internal(
                ActionTarget::RoutePropagation(table.cloned()),
                Verb::Create,
            ));
        };
        let (ec2, ctx) = (&self.context.clients.ec2, self.context.operation.aws());
        let tables: Vec<RouteTableId> = match table {
            // Another state may have enabled it since it was read: then it is not this link's to
            // disable.
            Some(id) if self.is_propagating(id, &gateway).await? => Vec::new(),
            Some(id) => vec![id.clone()],
            None => self
                .context
                .read(|observed| desired_route_tables(self.spec, observed))
                .into_iter()
                .flatten()
                .collect(),
        };
        self.tag_propagations(&tables).await?;
        for id in tables {
            ec2.enable_propagation(&ctx, &id, &gateway).await?;
            ec2.wait_propagation(&ctx, &id, &gateway, true).await?;
            self.context.update(|observed| {
                if let Some(table) = observed.aws.route_tables.iter_mut().find(|t| t.id == id)
                    && !table.propagating.contains(&gateway)
                {
                    table.propagating.push(gateway.clone());
                }
            });
        }
        Ok(())
    }

    async fn is_propagating(
        &self,
        table: &RouteTableId,
        gateway: &VpnGatewayId,
    ) -> Result<bool, ActionError> {
        let found = self
            .context
            .clients
            .ec2
            .describe_route_tables(&self.context.operation.aws(), &Filter::id(table))
            .await?;
        let enabled = found
            .iter()
            .any(|table| table.propagating.contains(gateway));
        if enabled {
            self.context.update(|observed| {
                let tables = observed
                    .aws
                    .route_tables
                    .iter_mut()
                    .filter(|there| there.id == *table);
                tables
                    .filter(|there| !there.propagating.contains(gateway))
                    .for_each(|there| {
                        there.propagating.push(gateway.clone());
                    });
            });
        }
        Ok(enabled)
    }

    pub(super) async fn customer_gateway(&self, instance: Instance) -> Result<(), ActionError> {
        let ip = self
            .context
            .require("the public IP's address", |observed| {
                observed.public_ip(instance)
            })?;
        let asn = self
            .context
            .require("the Azure gateway's ASN", |observed| {
                customer_gateway::azure_asn(self.spec, observed)
            })?;
        let (ec2, ctx) = (&self.context.clients.ec2, self.context.operation.aws());
        let device = self.link().device(instance);
        let mut tags = self.tags_for_new(
            instance,
            self.spec.aws.names.customer_gateways.get(instance),
        );
        tags.extend(
            self.bgp_address_tag(instance)
                .into_iter()
                .chain(self.propagation_tags()),
        );
        let made = ec2
            .create_customer_gateway(&ctx, ip, asn, &device, &tags)
            .await?;
        if !self
            .context
            .scope
            .owns(Kind::AwsCustomerGateway, &made.id.0, &made.tags, instance)
        {
            return Err(ActionError::ForeignCustomerGateway { id: made.id.0 });
        }
        self.context.update(|observed| {
            *observed.aws.customer_gateways.get_mut(instance) = Some(made.clone())
        });
        let gateway = ec2.wait_customer_gateway_available(&ctx, &made.id).await?;
        self.context
            .update(|observed| *observed.aws.customer_gateways.get_mut(instance) = Some(gateway));
        Ok(())
    }

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
        let (ec2, ctx) = (&self.context.clients.ec2, self.context.operation.aws());
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
            .wait_vpn_connection_available(&self.context.operation.aws(), &id, true)
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
        let (ec2, ctx) = (&self.context.clients.ec2, self.context.operation.aws());
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
            .create_tags(&self.context.operation.aws(), &[id], &mark)
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

    /// Sets the user's tags, and the link's name where an object carries one; removes those that
    /// the user took back.
    pub(super) async fn update_aws_tags(&self, object: &ActionTarget) -> Result<(), ActionError> {
        let (ids, have): (Vec<String>, Tags) = self.context.require("the object", |observed| {
            let aws = &observed.aws;
            match object {
                ActionTarget::VpnGateway => aws
                    .gateway
                    .as_ref()
                    .map(|g| (vec![g.id.0.clone()], g.tags.clone())),
                ActionTarget::CustomerGateway(i) => aws
                    .customer_gateways
                    .get(*i)
                    .as_ref()
                    .map(|c| (vec![c.id.0.clone()], c.tags.clone())),
                ActionTarget::VpnConnection(i) => aws
                    .vpn_connections
                    .get(*i)
                    .as_ref()
                    .map(|v| (vec![v.id.0.clone()], v.tags.clone())),
                ActionTarget::Vpc => aws
                    .vpc
                    .as_ref()
                    .map(|v| (vec![v.id.0.clone()], v.tags.clone())),
                ActionTarget::PublicRouteTable => {
                    let table = aws
                        .route_tables
                        .iter()
                        .find(|t| aws.public_route_table.as_ref() == Some(&t.id))?;
                    let mut ids = vec![table.id.0.clone()];
                    ids.extend(aws.public_subnet.iter().map(|subnet| subnet.0.clone()));
                    ids.extend(
                        aws.internet_gateway
                            .iter()
                            .map(|gateway| gateway.id.0.clone()),
                    );
                    Some((ids, table.tags.clone()))
                }
                _ => None,
            }
        })?;
        let (ec2, ctx) = (&self.context.clients.ec2, self.context.operation.aws());
        let mut tags = compare::desired_tags(&have, self.spec);
        if *object == ActionTarget::VpnGateway {
            tags.extend(compare::missing_ownership_tags(
                &have,
                self.spec,
                role::VPN_GATEWAY,
            ));
        }
        ec2.create_tags(&ctx, &ids, &tags).await?;
        let surplus: Vec<String> = compare::removed_tags(&have, self.spec).cloned().collect();
        ec2.delete_tags(&ctx, &ids, &surplus).await?;
        Ok(())
    }
}
