//! Steps at Azure.

use super::Building;
use crate::azure::ResourceId;
use crate::azure::documents::{self, connection, gateway, local_gateway, network};
use crate::link::assemble::part;
use crate::link::decide::GATEWAY_SUBNET;
use crate::link::differ;
use crate::link::managed::Kind;
use crate::link::observed::KeySeen;
use crate::link::policy::Policy;
use crate::link::spec::{AzureGateway, AzureNetwork};
use crate::link::step::{Object, Verb};
use crate::link::tunnel::{Instance, TunnelKey};
use crate::primitives::{SharedKey, Tags};
use crate::reconcile::cause::Cause;
use ipnet::Ipv4Net;
use std::fmt::Display;
use std::net::Ipv4Addr;

impl Building<'_> {
    pub(super) fn id(&self, kind: &str, name: &str) -> ResourceId {
        ResourceId::network(&self.spec.azure.subscription, &self.spec.azure.resource_group, kind, name)
    }

    /// Whether what is there already under the id of an object to be created is this link's, by its tags.
    pub(super) fn is_ours<'s>(
        &'s self,
        kind: Kind,
        id: &'s ResourceId,
        part: impl Display + Send + Sync + 's,
    ) -> impl Fn(&Tags) -> bool + Send + Sync + 's {
        move |tags| self.acting.search.owns(kind, id.as_str(), tags, &part)
    }

    pub(super) async fn resource_group(&self) -> Result<(), Cause> {
        let (azure, waits) = (&self.acting.site.azure, self.acting.limits.azure());
        let (name, location) = (&self.spec.azure.resource_group, &self.spec.azure.location);
        let made = match azure.create_group(name, location, &self.tags(part::RESOURCE_GROUP), &waits).await {
            // Another link created it meanwhile: it is that link's, and this one uses it.
            Err(error @ crate::azure::Error::AlreadyExists(_)) => {
                azure.get_group(name, &waits).await?.ok_or(Cause::Azure(error))?
            }
            other => other?,
        };
        self.acting.note(|seen| seen.azure.group = Some(made));
        Ok(())
    }

    /// Sets and removes tags in a document that is changed anyway.
    fn label(&self, doc: &mut serde_json::Value, have: &Tags) {
        let have = &differ::respelled_labels(have, self.spec);
        for (key, value) in &differ::labels_of(have, self.spec) {
            documents::set_tag(doc, key, value);
        }
        for key in differ::surplus_labels(have, self.spec) {
            documents::remove_tag(doc, key);
        }
    }

    /// Sets the user's tags, and the link's name, on what is not changed otherwise; removes those that the user took back.
    /// What Azure gave up on is written anew.
    pub(super) async fn relabel(&self, object: &Object) -> Result<(), Cause> {
        let (azure, waits) = (&self.acting.site.azure, self.acting.limits.azure());
        let with = |have: &Tags| {
            let mut tags = differ::respelled_labels(have, self.spec);
            tags.retain(|key, _| !self.spec.former.tags.contains(key));
            tags.extend(differ::labels_of(have, self.spec));
            tags
        };
        if *object == Object::ResourceGroup {
            let group = self.acting.must("the resource group", |seen| seen.azure.group.clone())?;
            let tags = with(&group.tags);
            azure.set_group_tags(&group.name, &tags, &waits).await?;
            self.acting.note(|seen| seen.azure.group.iter_mut().for_each(|group| group.tags.clone_from(&tags)));
            return Ok(());
        }
        let Object::PublicIp(instance) = object else { return self.change_network().await };
        let have = self.acting.must("the public IP", |seen| seen.azure.public_ips.get(*instance).clone())?;
        if have.resource.state.is_given_up() {
            let edit = |doc: &mut serde_json::Value| self.label(doc, &have.resource.tags);
            let mended = azure.change_public_ip(&have.resource.id, &edit, &waits).await?;
            self.acting.note(|seen| *seen.azure.public_ips.get_mut(*instance) = Some(mended));
            return Ok(());
        }
        let mut tags = with(&have.resource.tags);
        tags.extend(differ::claim_labels(&have.resource.tags, self.spec, instance));
        azure.set_tags(&have.resource.id, &tags, &waits).await?;
        self.acting.note(|seen| {
            let places = seen.azure.public_ips.get_mut(*instance).iter_mut();
            places.for_each(|ip| ip.resource.tags.clone_from(&tags));
        });
        Ok(())
    }

    /// Sets labels and ranges of a VNet that this link made; what else is in its document stays.
    async fn change_network(&self) -> Result<(), Cause> {
        let have = self.acting.must("the virtual network", |seen| seen.azure.network.clone())?;
        let edit = |doc: &mut serde_json::Value| {
            self.label(doc, &have.resource.tags);
            if let AzureNetwork::Create { address_space, .. } = &self.spec.azure.network {
                network::set_ranges(doc, address_space, &self.spec.former.address_space);
            }
        };
        let (azure, waits) = (&self.acting.site.azure, self.acting.limits.azure());
        let changed = azure.change_virtual_network(&have.resource.id, &edit, &waits).await?;
        self.acting.note(|seen| seen.azure.network = Some(changed));
        Ok(())
    }

    pub(super) async fn virtual_network(&self) -> Result<(), Cause> {
        let AzureNetwork::Create { id, address_space, gateway_subnet_prefix, subnets } = &self.spec.azure.network
        else {
            return Ok(());
        };
        let gateway_subnet = (GATEWAY_SUBNET.to_owned(), *gateway_subnet_prefix);
        let others = subnets.iter().map(|(name, prefix)| (name.clone(), *prefix));
        let new = network::NewVirtualNetwork {
            location: self.spec.azure.location.clone(),
            address_space: address_space.clone(),
            subnets: std::iter::once(gateway_subnet).chain(others).collect(),
            tags: self.tags(part::VIRTUAL_NETWORK),
        };
        let (azure, waits) = (&self.acting.site.azure, self.acting.limits.azure());
        let made = azure
            .create_virtual_network(
                id,
                &new,
                &self.is_ours(Kind::AzureVirtualNetwork, id, part::VIRTUAL_NETWORK),
                &waits,
            )
            .await?;
        self.acting.note(|seen| seen.azure.network = Some(made));
        Ok(())
    }

    pub(super) async fn gateway_subnet(&self, verb: Verb) -> Result<(), Cause> {
        let (id, prefix) = match &self.spec.azure.network {
            AzureNetwork::Existing { id, gateway_subnet_prefix: Some(prefix) } => (id, *prefix),
            AzureNetwork::Create { id, gateway_subnet_prefix, .. } => (id, *gateway_subnet_prefix),
            AzureNetwork::Existing { .. } => return Ok(()),
        };
        if verb == Verb::Create {
            return self.new_subnet(id, GATEWAY_SUBNET, prefix).await;
        }
        let (azure, waits) = (&self.acting.site.azure, self.acting.limits.azure());
        azure.change_subnet(&id.child("subnets", GATEWAY_SUBNET), prefix, &waits).await?;
        self.read_network(id).await
    }

    /// A subnet that a VNet of this link lacks, or that has another prefix there.
    pub(super) async fn subnet(&self, name: &str, verb: Verb) -> Result<(), Cause> {
        let AzureNetwork::Create { id, subnets, .. } = &self.spec.azure.network else { return Ok(()) };
        let Some(prefix) = subnets.get(name) else { return Ok(()) };
        if verb == Verb::Create {
            return self.new_subnet(id, name, *prefix).await;
        }
        let (azure, waits) = (&self.acting.site.azure, self.acting.limits.azure());
        azure.change_subnet(&id.child("subnets", name), *prefix, &waits).await?;
        self.read_network(id).await
    }

    async fn new_subnet(&self, id: &ResourceId, name: &str, prefix: Ipv4Net) -> Result<(), Cause> {
        let (azure, waits) = (&self.acting.site.azure, self.acting.limits.azure());
        azure.create_subnet(&id.child("subnets", name), prefix, &waits).await?;
        self.read_network(id).await
    }

    async fn read_network(&self, id: &ResourceId) -> Result<(), Cause> {
        let network = self.acting.site.azure.get_virtual_network(id, &self.acting.limits.azure()).await?;
        self.acting.note(|seen| seen.azure.network = network);
        Ok(())
    }

    /// Waits for a gateway that somebody makes or changes, and then makes it what it is to be: the connections that come
    /// next need their addresses listed, and a busy gateway did not show which were.
    pub(super) async fn await_gateway(&self) -> Result<(), Cause> {
        self.gateway().await?;
        let have = self.acting.must("the Azure gateway", |seen| seen.azure.gateway.clone())?;
        match self.acting.seen(|seen| differ::gateway(self.spec, seen, &have).is_empty()) {
            true => Ok(()),
            false => self.change_gateway().await,
        }
    }

    /// Makes the gateway, or waits for the one that is being made.
    pub(super) async fn gateway(&self) -> Result<(), Cause> {
        let (azure, waits) = (&self.acting.site.azure, self.acting.limits.azure());
        let made = match &self.spec.azure.gateway {
            AzureGateway::Own { id, sku, generation, asn } => {
                let mut instances = Vec::new();
                for instance in Instance::ALL {
                    let ip = self.acting.must("the public IP", |seen| seen.azure.public_ips.get(instance).clone())?;
                    instances.push(gateway::NewInstance {
                        name: instance.to_string(),
                        public_ip_id: ip.resource.id,
                        custom_bgp_ips: self.own_addresses(instance),
                    });
                }
                let new = gateway::NewGateway {
                    location: self.spec.azure.location.clone(),
                    sku: sku.clone(),
                    generation: generation.clone(),
                    asn: *asn,
                    subnet_id: self.spec.azure.network.id().child("subnets", GATEWAY_SUBNET),
                    instances,
                    tags: self.tags(part::AZURE_GATEWAY),
                };
                azure
                    .create_gateway(id, &new, &self.is_ours(Kind::AzureGateway, id, part::AZURE_GATEWAY), &waits)
                    .await?
            }
            AzureGateway::Existing(id) => azure.change_gateway(id, &|_| {}, &waits).await?,
        };
        self.acting.note(|seen| seen.azure.gateway = Some(made));
        Ok(())
    }

    pub(super) fn own_addresses(&self, instance: Instance) -> Vec<Ipv4Addr> {
        instance.tunnels().map(|key| self.spec.inside_cidrs.get(key).azure_ip()).to_vec()
    }

    /// Adds this link's addresses; on a gateway of its own also sets SKU, ASN and tags. Everything else stays as it is.
    pub(super) async fn change_gateway(&self) -> Result<(), Cause> {
        let id = self.spec.azure.gateway.id();
        let have = self.acting.must("the Azure gateway", |seen| seen.azure.gateway.clone())?;
        let edit = |doc: &mut serde_json::Value| {
            if let AzureGateway::Own { sku, asn, .. } = &self.spec.azure.gateway {
                gateway::set_sku(doc, sku);
                gateway::set_asn(doc, *asn);
                self.label(doc, &have.resource.tags);
                for (key, value) in &differ::claim_labels(&have.resource.tags, self.spec, part::AZURE_GATEWAY) {
                    documents::set_tag(doc, key, value);
                }
            }
            self.place_addresses(doc, &have.instances);
        };
        self.mark_placed().await?;
        self.release_addresses(&have.instances).await?;
        let changed = self.acting.site.azure.change_gateway(id, &edit, &self.acting.limits.azure()).await?;
        self.acting.note(|seen| seen.azure.gateway = Some(changed));
        match self.acting.seen(|seen| differ::missing_addresses(self.spec, seen)).first() {
            Some((_, ip)) => Err(Cause::AddressLost(ip.to_string())),
            None => Ok(()),
        }
    }

    /// The two ends of the AWS side, as the local network gateway has to name them.
    fn aws_end(&self, key: TunnelKey) -> Result<(Ipv4Addr, crate::primitives::Asn), Cause> {
        let outside = self.acting.must("the AWS endpoint", |seen| seen.tunnel(key).map(|t| t.outside_ip))?;
        let asn = self.acting.must("the AWS gateway's ASN", |seen| differ::amazon_asn(self.spec, seen))?;
        Ok((outside, asn))
    }

    pub(super) async fn local_gateway(&self, key: TunnelKey) -> Result<(), Cause> {
        let (gateway_ip, asn) = self.aws_end(key)?;
        let id = self.id("localNetworkGateways", self.spec.azure.names.local_gateways.get(key));
        let new = local_gateway::NewLocalGateway {
            location: self.spec.azure.location.clone(),
            gateway_ip,
            asn,
            bgp_ip: self.spec.inside_cidrs.get(key).aws_ip(),
            tags: self.tags(key),
        };
        let (azure, waits) = (&self.acting.site.azure, self.acting.limits.azure());
        let made =
            azure.create_local_gateway(&id, &new, &self.is_ours(Kind::AzureLocalGateway, &id, key), &waits).await?;
        self.acting.note(|seen| *seen.azure.local_gateways.get_mut(key) = Some(made));
        // One that was left over from an earlier try may name an endpoint that is gone.
        self.change_local_gateway(key).await
    }

    pub(super) async fn change_local_gateway(&self, key: TunnelKey) -> Result<(), Cause> {
        let (outside, asn) = self.aws_end(key)?;
        let have = self.acting.must("the local network gateway", |seen| seen.azure.local_gateways.get(key).clone())?;
        if self.acting.seen(|seen| differ::local_gateway(self.spec, seen, key, &have)).is_empty() {
            return Ok(());
        }
        let edit = |doc: &mut serde_json::Value| {
            local_gateway::set_gateway_ip(doc, outside);
            local_gateway::set_bgp(doc, asn, self.spec.inside_cidrs.get(key).aws_ip());
            self.label(doc, &have.resource.tags);
        };
        let (azure, waits) = (&self.acting.site.azure, self.acting.limits.azure());
        let changed = azure.change_local_gateway(&have.resource.id, &edit, &waits).await?;
        self.acting.note(|seen| *seen.azure.local_gateways.get_mut(key) = Some(changed));
        Ok(())
    }

    /// One custom address for each instance. The connection uses its own instance's. The other is a placeholder, for which
    /// Microsoft's tutorial names the address of the same tunnel number (revision of 2026-02-18). A connection that names none uses
    /// the first address of the gateway's list.
    fn custom_addresses(&self, key: TunnelKey) -> Result<Vec<(ResourceId, Ipv4Addr)>, Cause> {
        Instance::ALL
            .into_iter()
            .map(|instance| {
                let twin = TunnelKey { instance, number: key.number };
                let at = self.acting.must("the gateway's instance", |seen| {
                    seen.azure.gateway_instance(instance).map(|i| i.ip_configuration_id.clone())
                })?;
                Ok((at, self.spec.inside_cidrs.get(twin).azure_ip()))
            })
            .collect()
    }

    fn key(&self, key: TunnelKey) -> Option<SharedKey> {
        self.acting.seen(|seen| differ::wanted_key(self.spec, seen, key))
    }

    pub(super) async fn connection(&self, key: TunnelKey) -> Result<(), Cause> {
        let local = self.acting.must("the local network gateway", |seen| seen.azure.local_gateways.get(key).clone())?;
        let id = self.id("connections", self.spec.azure.names.connections.get(key));
        let shared = self.key(key).ok_or(Cause::NoKey(key))?;
        let new = connection::NewConnection {
            location: self.spec.azure.location.clone(),
            gateway_id: self.spec.azure.gateway.id().clone(),
            local_gateway_id: local.resource.id,
            key: shared.clone(),
            mode: self.spec.azure.connection_mode,
            dpd_timeout_seconds: self.spec.azure.dpd_timeout_seconds,
            custom_bgp_ips: self.custom_addresses(key)?,
            policy: self.spec.policy.azure(),
            tags: self.tags(key),
        };
        let (azure, waits) = (&self.acting.site.azure, self.acting.limits.azure());
        let made = azure.create_connection(&id, &new, &self.is_ours(Kind::AzureConnection, &id, key), &waits).await?;
        self.acting.note(|seen| {
            *seen.azure.connections.get_mut(key) = Some(made);
            *seen.azure.keys.get_mut(key) = KeySeen::Key(shared);
        });
        Ok(())
    }

    pub(super) async fn change_connection(&self, key: TunnelKey) -> Result<(), Cause> {
        let have = self.acting.must("the Azure connection", |seen| seen.azure.connections.get(key).clone())?;
        let differs = self.acting.seen(|seen| differ::connection(self.spec, seen, key, &have));
        if differs.is_empty() {
            return Ok(());
        }
        let local = self.acting.must("the local network gateway", |seen| seen.azure.local_gateways.get(key).clone())?;
        let addresses = self.custom_addresses(key)?;
        let policy = self.spec.policy.azure();
        // Lifetimes are Azure's own business, and a policy that was found is nobody's.
        let keeps_policy =
            self.spec.policy == Policy::AsFound || differ::azure_policy_agrees(have.policy.as_ref(), policy.as_ref());
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
            self.label(doc, &have.resource.tags);
        };
        let (azure, waits) = (&self.acting.site.azure, self.acting.limits.azure());
        let gateway = self.spec.azure.gateway.id();
        let changed = azure.change_connection(&have.resource.id, gateway, &edit, &waits).await?;
        self.acting.note(|seen| *seen.azure.connections.get_mut(key) = Some(changed));
        Ok(())
    }

    pub(super) async fn shared_key(&self, key: TunnelKey) -> Result<(), Cause> {
        let shared = self.key(key).ok_or(Cause::NoKey(key))?;
        let have = self.acting.must("the Azure connection", |seen| seen.azure.connections.get(key).clone())?;
        if self.acting.seen(|seen| *seen.azure.keys.get(key) == KeySeen::Key(shared.clone())) {
            return Ok(());
        }
        let (azure, waits) = (&self.acting.site.azure, self.acting.limits.azure());
        azure.set_shared_key(&have.resource.id, self.spec.azure.gateway.id(), &shared, &waits).await?;
        self.acting.note(|seen| *seen.azure.keys.get_mut(key) = KeySeen::Key(shared));
        Ok(())
    }
}
