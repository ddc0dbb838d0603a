//! Steps at AWS.

use super::ApplyContext;
use crate::aws::model::{RouteTableId, TargetGateway, VpcId, VpnGatewayId};
use crate::aws::{Filter, IdempotencyKey};
use crate::reconcile::error::ActionError;
use bgp_vpn::action::{ActionTarget, Verb};
use bgp_vpn::compare;
use bgp_vpn::customer_gateway;
use bgp_vpn::managed::Kind;
use bgp_vpn::ownership_tags::role;
use bgp_vpn::ownership_tags::{AwsEndpoint, TAG_INCOMPLETE};
use bgp_vpn::route_tables::desired_route_tables;
use bgp_vpn::spec::{AwsGateway, AwsNetwork};
use bgp_vpn::tunnel::Instance;
use bgp_vpn::types::Tags;
use bgp_vpn::vpn_connection;
use std::fmt::Display;

impl ApplyContext<'_> {
    /// Tags of a new AWS object: those of Azure's, its name, and the mark that the link is
    /// unfinished.
    pub(super) fn tags_for_new(&self, part: impl Display, name: &str) -> Tags {
        let mut tags = self.tags(part);
        tags.insert("Name".to_owned(), name.to_owned());
        tags.insert(TAG_INCOMPLETE.to_owned(), "true".to_owned());
        tags
    }

    /// By which a new object is found again where the answer to its creation was lost.
    pub(super) fn identity_tags(&self, part: impl Display) -> Tags {
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
        let (ec2, ctx) = (
            &self.context.clients.ec2,
            self.context.operation.call_context(),
        );
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
            .describe_route_tables(&self.context.operation.call_context(), &filter)
            .await?;
        self.context
            .update(|observed| observed.aws.route_tables = tables);
        Ok(())
    }

    pub(super) async fn internet_gateway(&self) -> Result<(), ActionError> {
        let (ec2, ctx, vpc) = (
            &self.context.clients.ec2,
            self.context.operation.call_context(),
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
            self.context.operation.call_context(),
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
            self.context.operation.call_context(),
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
        let (ec2, ctx) = (
            &self.context.clients.ec2,
            self.context.operation.call_context(),
        );
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
            self.context.operation.call_context(),
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
        let (ec2, ctx) = (
            &self.context.clients.ec2,
            self.context.operation.call_context(),
        );
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
            .describe_route_tables(&self.context.operation.call_context(), &Filter::id(table))
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
        let (ec2, ctx) = (
            &self.context.clients.ec2,
            self.context.operation.call_context(),
        );
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

    /// Sets the user's tags, and the link's name where an object carries one; removes those that
    /// the user took back.
    pub(super) async fn update_aws_tags(&self, object: &ActionTarget) -> Result<(), ActionError> {
        let (mut ids, have): (Vec<String>, Tags) =
            self.context.require("the object", |observed| {
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
        let (ec2, ctx) = (
            &self.context.clients.ec2,
            self.context.operation.call_context(),
        );
        if let ActionTarget::VpnConnection(instance) = object {
            ids.extend(self.unread_attachment(*instance).await?);
        }
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
