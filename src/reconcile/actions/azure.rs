//! Steps at Azure.

use super::ApplyContext;
use crate::azure::documents::{self, connection, gateway, local_gateway, network};
use crate::azure::{Azure, ResourceId};
use crate::client::CallContext;
use crate::reconcile::error::ActionError;
use bgp_vpn::action::{ActionTarget, Verb};
use bgp_vpn::compare;
use bgp_vpn::keys;
use bgp_vpn::managed::Kind;
use bgp_vpn::observed::KeyRead;
use bgp_vpn::ownership_tags::role;
use bgp_vpn::plan::GATEWAY_SUBNET;
use bgp_vpn::spec::{AzureGateway, AzureNetwork};
use bgp_vpn::tunnel::{Instance, TunnelKey};
use bgp_vpn::types::{PreSharedKey, Tags};
use ipnet::Ipv4Net;
use std::fmt::Display;
use std::net::Ipv4Addr;

impl ApplyContext<'_> {
    pub(super) fn id(&self, kind: &str, name: &str) -> ResourceId {
        ResourceId::network(
            &self.spec.azure.subscription,
            &self.spec.azure.resource_group,
            kind,
            name,
        )
    }

    /// Whether what is there already under the id of an object to be created is this link's, by its
    /// tags.
    pub(super) fn is_owned<'s>(
        &'s self,
        kind: Kind,
        id: &'s ResourceId,
        part: impl Display + Send + Sync + 's,
    ) -> impl Fn(&Tags) -> bool + Send + Sync + 's {
        move |tags| self.context.scope.owns(kind, id.as_str(), tags, &part)
    }

    /// The client, and the time limit and token of a call.
    fn azure(&self) -> (&Azure, CallContext) {
        let context = &self.context;
        (&context.clients.azure, context.operation.call_context())
    }

    pub(super) async fn resource_group(&self) -> Result<(), ActionError> {
        let (azure, ctx) = self.azure();
        let (name, location) = (&self.spec.azure.resource_group, &self.spec.azure.location);
        let made = match azure
            .create_group(name, location, &self.tags(role::RESOURCE_GROUP), &ctx)
            .await
        {
            // Another link created it meanwhile: it is that link's, and this one uses it.
            Err(error @ crate::azure::Error::AlreadyExists(_)) => azure
                .get_group(name, &ctx)
                .await?
                .ok_or(ActionError::Azure(error))?,
            other => other?,
        };
        self.context
            .update(|observed| observed.azure.group = Some(made));
        Ok(())
    }

    /// Sets and removes tags in a document that is changed anyway.
    fn merge_tags(&self, doc: &mut serde_json::Value, have: &Tags) {
        let have = &compare::tags_with_canonical_keys(have, self.spec);
        for (key, value) in &compare::desired_tags(have, self.spec) {
            documents::set_tag(doc, key, value);
        }
        for key in compare::removed_tags(have, self.spec) {
            documents::remove_tag(doc, key);
        }
    }

    /// Tags of an object with those that the user configured, and without those that the user
    /// removed.
    fn changed_tags(&self, have: &Tags) -> Tags {
        let mut tags = compare::tags_with_canonical_keys(have, self.spec);
        tags.retain(|key, _| !self.spec.removals.tags.contains(key));
        tags.extend(compare::desired_tags(have, self.spec));
        tags
    }

    pub(super) async fn update_group_tags(&self) -> Result<(), ActionError> {
        let (azure, ctx) = self.azure();
        let group = self.context.require("the resource group", |observed| {
            observed.azure.group.clone()
        })?;
        let tags = self.changed_tags(&group.tags);
        azure.set_group_tags(&group.name, &tags, &ctx).await?;
        self.context.update(|observed| {
            observed
                .azure
                .group
                .iter_mut()
                .for_each(|group| group.tags.clone_from(&tags))
        });
        Ok(())
    }

    /// Sets tags. One whose last operation failed is written again.
    pub(super) async fn change_public_ip(&self, instance: Instance) -> Result<(), ActionError> {
        let (azure, ctx) = self.azure();
        let have = self.context.require("the public IP", |observed| {
            observed.azure.public_ips.get(instance).clone()
        })?;
        if have.resource.state.is_given_up() {
            let edit = |doc: &mut serde_json::Value| self.merge_tags(doc, &have.resource.tags);
            let rewritten = azure
                .change_public_ip(&have.resource.id, &edit, &ctx)
                .await?;
            self.context
                .update(|observed| *observed.azure.public_ips.get_mut(instance) = Some(rewritten));
            return Ok(());
        }
        let mut tags = self.changed_tags(&have.resource.tags);
        tags.extend(compare::missing_ownership_tags(
            &have.resource.tags,
            self.spec,
            instance,
        ));
        azure.set_tags(&have.resource.id, &tags, &ctx).await?;
        self.context.update(|observed| {
            let places = observed.azure.public_ips.get_mut(instance).iter_mut();
            places.for_each(|ip| ip.resource.tags.clone_from(&tags));
        });
        Ok(())
    }

    /// Sets labels and ranges of a VNet that this link made; what else is in its document stays.
    pub(super) async fn change_network(&self) -> Result<(), ActionError> {
        let have = self.context.require("the virtual network", |observed| {
            observed.azure.network.clone()
        })?;
        let edit = |doc: &mut serde_json::Value| {
            self.merge_tags(doc, &have.resource.tags);
            if let AzureNetwork::Create { address_space, .. } = &self.spec.azure.network {
                network::set_ranges(doc, address_space, &self.spec.removals.address_space);
            }
        };
        let (azure, ctx) = self.azure();
        let changed = azure
            .change_virtual_network(&have.resource.id, &edit, &ctx)
            .await?;
        self.context
            .update(|observed| observed.azure.network = Some(changed));
        Ok(())
    }

    pub(super) async fn virtual_network(&self) -> Result<(), ActionError> {
        let AzureNetwork::Create {
            id,
            address_space,
            gateway_subnet_prefix,
            subnets,
        } = &self.spec.azure.network
        else {
            return Err(ActionError::internal(
                ActionTarget::VirtualNetwork,
                Verb::Create,
            ));
        };
        let gateway_subnet = (GATEWAY_SUBNET.to_owned(), *gateway_subnet_prefix);
        let others = subnets.iter().map(|(name, prefix)| (name.clone(), *prefix));
        let new = network::NewVirtualNetwork {
            location: self.spec.azure.location.clone(),
            address_space: address_space.clone(),
            subnets: std::iter::once(gateway_subnet).chain(others).collect(),
            tags: self.tags(role::VIRTUAL_NETWORK),
        };
        let (azure, ctx) = self.azure();
        let made = azure
            .create_virtual_network(
                id,
                &new,
                &self.is_owned(Kind::AzureVirtualNetwork, id, role::VIRTUAL_NETWORK),
                &ctx,
            )
            .await?;
        self.context
            .update(|observed| observed.azure.network = Some(made));
        Ok(())
    }

    pub(super) async fn gateway_subnet(&self, verb: Verb) -> Result<(), ActionError> {
        let (id, prefix) = match &self.spec.azure.network {
            AzureNetwork::Existing {
                id,
                gateway_subnet_prefix: Some(prefix),
            } => (id, *prefix),
            AzureNetwork::Create {
                id,
                gateway_subnet_prefix,
                ..
            } => (id, *gateway_subnet_prefix),
            AzureNetwork::Existing { .. } => {
                return Err(ActionError::internal(ActionTarget::GatewaySubnet, verb));
            }
        };
        if verb == Verb::Create {
            return self.new_subnet(id, GATEWAY_SUBNET, prefix).await;
        }
        let (azure, ctx) = self.azure();
        // Every public IP records the prefix. One keeps the former prefix until the subnet has the new
        // one, so that a killed run leaves a record of either.
        let recorded: Vec<Instance> = Instance::ALL
            .into_iter()
            .filter(|instance| self.records_gateway_subnet(*instance))
            .collect();
        if let Some((last, others)) = recorded.split_last() {
            for instance in others {
                self.record_gateway_subnet(*instance, prefix).await?;
            }
            azure
                .change_subnet(&id.child("subnets", GATEWAY_SUBNET), prefix, &ctx)
                .await?;
            self.record_gateway_subnet(*last, prefix).await?;
        } else {
            azure
                .change_subnet(&id.child("subnets", GATEWAY_SUBNET), prefix, &ctx)
                .await?;
        }
        self.read_network(id).await
    }

    /// A subnet that a VNet of this link lacks, or that has another prefix there.
    pub(super) async fn subnet(&self, name: &str, verb: Verb) -> Result<(), ActionError> {
        let internal = || ActionError::internal(ActionTarget::Subnet(name.to_owned()), verb);
        let AzureNetwork::Create { id, subnets, .. } = &self.spec.azure.network else {
            return Err(internal());
        };
        let prefix = subnets.get(name).ok_or_else(internal)?;
        if verb == Verb::Create {
            return self.new_subnet(id, name, *prefix).await;
        }
        let (azure, ctx) = self.azure();
        azure
            .change_subnet(&id.child("subnets", name), *prefix, &ctx)
            .await?;
        self.read_network(id).await
    }

    async fn new_subnet(
        &self,
        id: &ResourceId,
        name: &str,
        prefix: Ipv4Net,
    ) -> Result<(), ActionError> {
        let (azure, ctx) = self.azure();
        azure
            .create_subnet(&id.child("subnets", name), prefix, &ctx)
            .await?;
        self.read_network(id).await
    }

    async fn read_network(&self, id: &ResourceId) -> Result<(), ActionError> {
        let network = self
            .context
            .clients
            .azure
            .get_virtual_network(id, &self.context.operation.call_context())
            .await?;
        self.context
            .update(|observed| observed.azure.network = network);
        Ok(())
    }

    /// Waits for a gateway that is being created or changed, and then makes it what it is to be:
    /// the connections that come next need their addresses listed, and a busy gateway did not show
    /// which were.
    pub(super) async fn wait_for_gateway(&self) -> Result<(), ActionError> {
        self.gateway().await?;
        let have = self.context.require("the Azure gateway", |observed| {
            observed.azure.gateway.clone()
        })?;
        match self
            .context
            .read(|observed| compare::gateway(self.spec, observed, &have).is_empty())
        {
            true => Ok(()),
            false => self.change_gateway().await,
        }
    }

    /// Makes the gateway, or waits for the one that is being made.
    pub(super) async fn gateway(&self) -> Result<(), ActionError> {
        let (azure, ctx) = self.azure();
        let made = match &self.spec.azure.gateway {
            AzureGateway::Managed {
                id,
                sku,
                generation,
                asn,
            } => {
                let mut instances = Vec::new();
                for instance in Instance::ALL {
                    let ip = self.context.require("the public IP", |observed| {
                        observed.azure.public_ips.get(instance).clone()
                    })?;
                    instances.push(gateway::NewInstance {
                        name: instance.to_string(),
                        public_ip_id: ip.resource.id,
                        custom_bgp_ips: self.own_bgp_addresses(instance),
                    });
                }
                let new = gateway::NewGateway {
                    location: self.spec.azure.location.clone(),
                    sku: sku.clone(),
                    generation: generation.clone(),
                    asn: *asn,
                    subnet_id: self
                        .spec
                        .azure
                        .network
                        .id()
                        .child("subnets", GATEWAY_SUBNET),
                    instances,
                    tags: self.tags(role::AZURE_GATEWAY),
                };
                azure
                    .create_gateway(
                        id,
                        &new,
                        &self.is_owned(Kind::AzureGateway, id, role::AZURE_GATEWAY),
                        &ctx,
                    )
                    .await?
            }
            AzureGateway::Existing(id) => azure.change_gateway(id, &|_| {}, &ctx).await?,
        };
        self.context
            .update(|observed| observed.azure.gateway = Some(made));
        Ok(())
    }

    pub(super) fn own_bgp_addresses(&self, instance: Instance) -> Vec<Ipv4Addr> {
        instance
            .tunnels()
            .map(|key| self.spec.inside_cidrs.get(key).azure_ip())
            .to_vec()
    }

    /// Adds this link's addresses; on a gateway of its own also sets SKU, ASN and tags. Everything
    /// else stays as it is.
    pub(super) async fn change_gateway(&self) -> Result<(), ActionError> {
        let id = self.spec.azure.gateway.id();
        let have = self.context.require("the Azure gateway", |observed| {
            observed.azure.gateway.clone()
        })?;
        let edit = |doc: &mut serde_json::Value| {
            if let AzureGateway::Managed { sku, asn, .. } = &self.spec.azure.gateway {
                gateway::set_sku(doc, sku);
                gateway::set_asn(doc, *asn);
                self.merge_tags(doc, &have.resource.tags);
                for (key, value) in &compare::missing_ownership_tags(
                    &have.resource.tags,
                    self.spec,
                    role::AZURE_GATEWAY,
                ) {
                    documents::set_tag(doc, key, value);
                }
            }
        };
        self.tag_before_add().await?;
        self.release_addresses(&have.instances).await?;
        let changed = self
            .context
            .clients
            .azure
            .change_gateway_addresses(
                id,
                &edit,
                self.address_edit(&have.instances),
                &self.context.operation.call_context(),
            )
            .await?;
        self.context
            .update(|observed| observed.azure.gateway = Some(changed));
        match self
            .context
            .read(|observed| compare::missing_bgp_addresses(self.spec, observed))
            .first()
        {
            Some((_, ip)) => Err(ActionError::AddressLost(ip.to_string())),
            None => Ok(()),
        }
    }

    /// The two ends of the AWS side, as the local network gateway has to name them.
    fn aws_endpoint_address(
        &self,
        key: TunnelKey,
    ) -> Result<(Ipv4Addr, bgp_vpn::types::Asn), ActionError> {
        let outside = self.context.require("the AWS endpoint", |observed| {
            observed.tunnel(key).map(|t| t.outside_ip)
        })?;
        let asn = self.context.require("the AWS gateway's ASN", |observed| {
            compare::amazon_asn(self.spec, observed)
        })?;
        Ok((outside, asn))
    }

    pub(super) async fn local_gateway(&self, key: TunnelKey) -> Result<(), ActionError> {
        let (gateway_ip, asn) = self.aws_endpoint_address(key)?;
        let id = self.id(
            "localNetworkGateways",
            self.spec.azure.names.local_gateways.get(key),
        );
        let new = local_gateway::NewLocalGateway {
            location: self.spec.azure.location.clone(),
            gateway_ip,
            asn,
            bgp_ip: self.spec.inside_cidrs.get(key).aws_ip(),
            tags: self.tags(key),
        };
        let (azure, ctx) = self.azure();
        let made = azure
            .create_local_gateway(
                &id,
                &new,
                &self.is_owned(Kind::AzureLocalGateway, &id, key),
                &ctx,
            )
            .await?;
        let differs = self
            .context
            .read(|observed| !compare::local_gateway(self.spec, observed, key, &made).is_empty());
        self.context
            .update(|observed| *observed.azure.local_gateways.get_mut(key) = Some(made));
        // One that was left over from an earlier try may name an endpoint that is gone.
        if differs {
            self.change_local_gateway(key).await
        } else {
            Ok(())
        }
    }

    pub(super) async fn change_local_gateway(&self, key: TunnelKey) -> Result<(), ActionError> {
        let (outside, asn) = self.aws_endpoint_address(key)?;
        let have = self
            .context
            .require("the local network gateway", |observed| {
                observed.azure.local_gateways.get(key).clone()
            })?;
        let edit = |doc: &mut serde_json::Value| {
            local_gateway::set_gateway_ip(doc, outside);
            local_gateway::set_bgp(doc, asn, self.spec.inside_cidrs.get(key).aws_ip());
            self.merge_tags(doc, &have.resource.tags);
        };
        let (azure, ctx) = self.azure();
        let changed = azure
            .change_local_gateway(&have.resource.id, &edit, &ctx)
            .await?;
        self.context
            .update(|observed| *observed.azure.local_gateways.get_mut(key) = Some(changed));
        Ok(())
    }

    /// One custom address for each instance. The connection uses its own instance's. The other is a
    /// placeholder, for which Microsoft's tutorial names the address of the same tunnel number
    /// (revision of 2026-02-18). A connection that names none uses the first address of the
    /// gateway's list.
    fn custom_bgp_addresses(
        &self,
        key: TunnelKey,
    ) -> Result<Vec<(ResourceId, Ipv4Addr)>, ActionError> {
        Instance::ALL
            .into_iter()
            .map(|instance| {
                let twin = TunnelKey {
                    instance,
                    number: key.number,
                };
                let at = self.context.require("the gateway's instance", |observed| {
                    observed
                        .azure
                        .gateway_instance(instance)
                        .map(|i| i.ip_configuration_id.clone())
                })?;
                Ok((at, self.spec.inside_cidrs.get(twin).azure_ip()))
            })
            .collect()
    }

    fn key(&self, key: TunnelKey) -> Option<PreSharedKey> {
        self.context
            .read(|observed| keys::desired_key(self.spec, observed, key))
    }

    pub(super) async fn connection(&self, key: TunnelKey) -> Result<(), ActionError> {
        let local = self
            .context
            .require("the local network gateway", |observed| {
                observed.azure.local_gateways.get(key).clone()
            })?;
        let id = self.id("connections", self.spec.azure.names.connections.get(key));
        let shared = self.key(key).ok_or(ActionError::NoKey(key))?;
        let new = connection::NewConnection {
            location: self.spec.azure.location.clone(),
            gateway_id: self.spec.azure.gateway.id().clone(),
            local_gateway_id: local.resource.id,
            key: shared.clone(),
            mode: self.spec.azure.connection_mode,
            dpd_timeout_seconds: self.spec.azure.dpd_timeout_seconds,
            custom_bgp_ips: self.custom_bgp_addresses(key)?,
            policy: self.spec.azure_policy(),
            tags: self.tags(key),
        };
        let (azure, ctx) = self.azure();
        let made = azure
            .create_connection(
                &id,
                &new,
                &self.is_owned(Kind::AzureConnection, &id, key),
                &ctx,
            )
            .await?;
        self.context.update(|observed| {
            *observed.azure.connections.get_mut(key) = Some(made);
            *observed.azure.keys.get_mut(key) = KeyRead::Value(shared);
        });
        Ok(())
    }

    pub(super) async fn change_connection(&self, key: TunnelKey) -> Result<(), ActionError> {
        let have = self.context.require("the Azure connection", |observed| {
            observed.azure.connections.get(key).clone()
        })?;
        let local = self
            .context
            .require("the local network gateway", |observed| {
                observed.azure.local_gateways.get(key).clone()
            })?;
        let addresses = self.custom_bgp_addresses(key)?;
        let policy = self.spec.azure_policy();
        let keeps_policy = compare::keeps_azure_policy(self.spec, &have);
        let edit = |doc: &mut serde_json::Value| {
            connection::set_local_gateway(doc, &local.resource.id);
            connection::set_mode(doc, self.spec.azure.connection_mode);
            connection::set_dpd_timeout(doc, self.spec.azure.dpd_timeout_seconds);
            connection::set_enable_bgp(doc, true);
            connection::clear_traffic_selectors(doc);
            connection::set_custom_bgp_ips(doc, &addresses);
            if !keeps_policy {
                connection::set_policy(doc, policy.as_ref());
            }
            self.merge_tags(doc, &have.resource.tags);
        };
        let (azure, ctx) = self.azure();
        let gateway = self.spec.azure.gateway.id();
        let changed = azure
            .change_connection(&have.resource.id, gateway, &edit, &ctx)
            .await?;
        self.context
            .update(|observed| *observed.azure.connections.get_mut(key) = Some(changed));
        Ok(())
    }

    pub(super) async fn shared_key(&self, key: TunnelKey) -> Result<(), ActionError> {
        let shared = self.key(key).ok_or(ActionError::NoKey(key))?;
        let have = self.context.require("the Azure connection", |observed| {
            observed.azure.connections.get(key).clone()
        })?;
        if self
            .context
            .read(|observed| *observed.azure.keys.get(key) == KeyRead::Value(shared.clone()))
        {
            return Ok(());
        }
        let (azure, ctx) = self.azure();
        azure
            .set_shared_key(
                &have.resource.id,
                self.spec.azure.gateway.id(),
                &shared,
                &ctx,
            )
            .await?;
        self.context
            .update(|observed| *observed.azure.keys.get_mut(key) = KeyRead::Value(shared));
        Ok(())
    }
}
