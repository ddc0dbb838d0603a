//! Steps at AWS.

use super::Building;
use crate::aws::model::{
    Bandwidth, KeyStorage, RouteTableId, Target, TunnelOptions, VpcId, VpnConnection, VpnGatewayId,
};
use crate::aws::{Extras, Filter, NewConnection, Own};
use crate::link::assemble::{name_endpoints, part};
use crate::link::differ;
use crate::link::managed::Kind;
use crate::link::ownership::{AwsEndpoint, UNFINISHED};
use crate::link::route_tables::wanted_tables;
use crate::link::spec::{AwsGateway, AwsNetwork};
use crate::link::step::Object;
use crate::link::tunnel::{Instance, TunnelKey};
use crate::link::vpn_connection;
use crate::primitives::{SharedKey, Tags};
use crate::reconcile::cause::Cause;
use std::fmt::Display;

impl Building<'_> {
    /// Tags of a new AWS object: those of Azure's, its name, and the mark that the link is unfinished.
    fn new_tags(&self, part: impl Display, name: &str) -> Tags {
        let mut tags = self.tags(part);
        tags.insert("Name".to_owned(), name.to_owned());
        tags.insert(UNFINISHED.to_owned(), "true".to_owned());
        tags
    }

    /// By which a new object is found again where the answer to its creation was lost.
    fn identity(&self, part: impl Display) -> Tags {
        let mut tags = self.link().tags(part);
        tags.extend(AwsEndpoint::of(&self.spec.aws).map(|endpoint| endpoint.tag()));
        tags
    }

    fn vpc_id(&self) -> Result<VpcId, Cause> {
        match &self.spec.aws.network {
            AwsNetwork::Existing(id) => Ok(id.clone()),
            _ => self.acting.must("the VPC", |seen| seen.aws.vpc.as_ref().map(|v| v.id.clone())),
        }
    }

    pub(super) async fn vpc(&self) -> Result<(), Cause> {
        let AwsNetwork::Create { cidr, .. } = &self.spec.aws.network else { return Ok(()) };
        let (ec2, waits) = (&self.acting.site.ec2, self.acting.limits.aws());
        let own = self.identity(part::VPC);
        let tags = self.new_tags(part::VPC, &self.spec.aws.names.vpc);
        let made = ec2.create_vpc(&waits, *cidr, &tags, Own::new(&own)).await?;
        self.acting.note(|seen| seen.aws.vpc = Some(made.clone()));
        let vpc = ec2.wait_vpc_available(&waits, &made.id).await?;
        self.acting.note(|seen| seen.aws.vpc = Some(vpc));
        self.read_tables().await
    }

    async fn read_tables(&self) -> Result<(), Cause> {
        let filter = Filter::vpc(&self.vpc_id()?);
        let tables = self.acting.site.ec2.describe_route_tables(&self.acting.limits.aws(), &filter).await?;
        self.acting.note(|seen| seen.aws.route_tables = tables);
        Ok(())
    }

    pub(super) async fn internet_gateway(&self) -> Result<(), Cause> {
        let (ec2, waits, vpc) = (&self.acting.site.ec2, self.acting.limits.aws(), self.vpc_id()?);
        let mut gateway = match self.acting.seen(|seen| seen.aws.internet_gateway.clone()) {
            Some(there) => there,
            None => {
                let own = self.identity(part::INTERNET_GATEWAY);
                let tags = self.new_tags(part::INTERNET_GATEWAY, &self.spec.aws.names.internet_gateway);
                ec2.create_internet_gateway(&waits, &tags, Own::new(&own)).await?
            }
        };
        self.acting.note(|seen| seen.aws.internet_gateway = Some(gateway.clone()));
        ec2.attach_internet_gateway(&waits, &gateway.id, &vpc).await?;
        gateway.attached_vpcs = vec![vpc];
        self.acting.note(|seen| seen.aws.internet_gateway = Some(gateway));
        Ok(())
    }

    pub(super) async fn public_subnet(&self) -> Result<(), Cause> {
        let AwsNetwork::Create { public_subnet: Some(cidr), .. } = &self.spec.aws.network else { return Ok(()) };
        let (ec2, waits, vpc) = (&self.acting.site.ec2, self.acting.limits.aws(), self.vpc_id()?);
        let own = self.identity(part::PUBLIC_SUBNET);
        let tags = self.new_tags(part::PUBLIC_SUBNET, &self.spec.aws.names.public_subnet);
        // One that was just deleted may still be listed with the same tags.
        let before: Vec<String> = self.acting.before.aws.subnets.iter().map(|subnet| subnet.id.0.clone()).collect();
        let own = Own { tags: &own, known: &before };
        let made = ec2.create_subnet(&waits, &vpc, *cidr, &tags, own).await?;
        self.acting.note(|seen| seen.aws.public_subnet = Some(made.id.clone()));
        let subnet = ec2.wait_subnet_available(&waits, &made.id).await?;
        self.acting.note(|seen| seen.aws.subnets.push(subnet));
        Ok(())
    }

    /// The table, its way out, and its subnet: whichever of the three is missing.
    pub(super) async fn public_route_table(&self) -> Result<(), Cause> {
        let (ec2, waits, vpc) = (&self.acting.site.ec2, self.acting.limits.aws(), self.vpc_id()?);
        let table = match self.acting.seen(|seen| seen.aws.public_route_table.clone()) {
            Some(id) => id,
            None => {
                let own = self.identity(part::PUBLIC_ROUTE_TABLE);
                let tags = self.new_tags(part::PUBLIC_ROUTE_TABLE, &self.spec.aws.names.public_route_table);
                ec2.create_route_table(&waits, &vpc, &tags, Own::new(&own)).await?.id
            }
        };
        self.acting.note(|seen| seen.aws.public_route_table = Some(table.clone()));
        let gateway =
            self.acting.must("the internet gateway", |s| s.aws.internet_gateway.as_ref().map(|i| i.id.clone()))?;
        let subnet = self.acting.must("the public subnet", |seen| seen.aws.public_subnet.clone())?;
        let elsewhere = self.acting.seen(|seen| {
            let table = seen.aws.route_tables.iter().find(|there| there.id == table);
            table.is_some_and(|table| table.default_route.as_ref().is_some_and(|to| *to != gateway.0))
        });
        if elsewhere {
            // To an internet gateway that is gone: EC2 keeps such a route.
            ec2.delete_default_route(&waits, &table).await?;
        }
        ec2.create_default_route(&waits, &table, &gateway).await?;
        ec2.associate_route_table(&waits, &table, &subnet).await?;
        self.read_tables().await
    }

    pub(super) async fn vpn_gateway(&self) -> Result<(), Cause> {
        let AwsGateway::Own { asn } = &self.spec.aws.gateway else { return Ok(()) };
        let (ec2, waits) = (&self.acting.site.ec2, self.acting.limits.aws());
        let own = self.identity(part::VPN_GATEWAY);
        let tags = self.new_tags(part::VPN_GATEWAY, &self.spec.aws.names.vpn_gateway);
        let made = ec2.create_vpn_gateway(&waits, *asn, &tags, Own::new(&own)).await?;
        self.acting.note(|seen| seen.aws.gateway = Some(made.clone()));
        let gateway = ec2.wait_vpn_gateway_available(&waits, &made.id).await?;
        self.acting.note(|seen| seen.aws.gateway = Some(gateway));
        Ok(())
    }

    pub(super) fn target(&self) -> Result<Target, Cause> {
        self.acting.must("the VPN gateway", |seen| vpn_connection::target(self.spec, seen))
    }

    pub(super) async fn attachment(&self) -> Result<(), Cause> {
        let Target::VpnGateway(gateway) = self.target()? else { return Ok(()) };
        let (ec2, waits, vpc) = (&self.acting.site.ec2, self.acting.limits.aws(), self.vpc_id()?);
        ec2.attach_vpn_gateway(&waits, &gateway, &vpc).await?;
        let attached = ec2.wait_vpn_gateway_attached(&waits, &gateway, &vpc).await?;
        self.acting.note(|seen| seen.aws.gateway = Some(attached));
        Ok(())
    }

    /// Into one table, or into all that are wanted by now where the tables are as new as the VPC.
    pub(super) async fn propagation(&self, table: Option<&RouteTableId>) -> Result<(), Cause> {
        let Target::VpnGateway(gateway) = self.target()? else { return Ok(()) };
        let (ec2, waits) = (&self.acting.site.ec2, self.acting.limits.aws());
        let tables: Vec<RouteTableId> = match table {
            // Another state may have enabled it since it was read: then it is not this link's to disable.
            Some(id) if self.is_propagating(id, &gateway).await? => Vec::new(),
            Some(id) => vec![id.clone()],
            None => self.acting.seen(|seen| wanted_tables(self.spec, seen)).into_iter().flatten().collect(),
        };
        self.mark_propagations(&tables).await?;
        for id in tables {
            ec2.enable_propagation(&waits, &id, &gateway).await?;
            ec2.wait_propagation(&waits, &id, &gateway, true).await?;
            self.acting.note(|seen| {
                if let Some(table) = seen.aws.route_tables.iter_mut().find(|t| t.id == id)
                    && !table.propagating.contains(&gateway)
                {
                    table.propagating.push(gateway.clone());
                }
            });
        }
        Ok(())
    }

    async fn is_propagating(&self, table: &RouteTableId, gateway: &VpnGatewayId) -> Result<bool, Cause> {
        let found = self.acting.site.ec2.describe_route_tables(&self.acting.limits.aws(), &Filter::id(table)).await?;
        let enabled = found.iter().any(|table| table.propagating.contains(gateway));
        if enabled {
            self.acting.note(|seen| {
                let tables = seen.aws.route_tables.iter_mut().filter(|there| there.id == *table);
                tables.filter(|there| !there.propagating.contains(gateway)).for_each(|there| {
                    there.propagating.push(gateway.clone());
                });
            });
        }
        Ok(enabled)
    }

    pub(super) async fn customer_gateway(&self, instance: Instance) -> Result<(), Cause> {
        let ip = self.acting.must("the public IP's address", |seen| seen.public_ip(instance))?;
        let asn = self.acting.must("the Azure gateway's ASN", |seen| differ::azure_asn(self.spec, seen))?;
        let (ec2, waits) = (&self.acting.site.ec2, self.acting.limits.aws());
        let device = self.link().device(instance);
        let mut tags = self.new_tags(instance, self.spec.aws.names.customer_gateways.get(instance));
        tags.extend(self.placed_mark(instance).into_iter().chain(self.propagation_marks()));
        let made = ec2.create_customer_gateway(&waits, ip, asn, &device, &tags).await?;
        if !self.acting.search.owns(Kind::AwsCustomerGateway, &made.id.0, &made.tags, instance) {
            return Err(Cause::ForeignCustomerGateway { id: made.id.0 });
        }
        self.acting.note(|seen| *seen.aws.customer_gateways.get_mut(instance) = Some(made.clone()));
        let gateway = ec2.wait_customer_gateway_available(&waits, &made.id).await?;
        self.acting.note(|seen| *seen.aws.customer_gateways.get_mut(instance) = Some(gateway));
        Ok(())
    }

    /// The user's key, or a fresh one.
    fn new_key(&self, key: TunnelKey) -> Result<SharedKey, Cause> {
        match self.spec.keys.get(key) {
            Some(own) => Ok(own.clone()),
            None => SharedKey::generate().map_err(|_| Cause::NoRandomness),
        }
    }

    fn hides_keys(&self) -> bool {
        self.spec.aws.key_storage == KeyStorage::SecretsManager
    }

    /// The key of a connection that stands at Azure, which a new endpoint that will not show its own takes over unless it is
    /// to change: should this run break off, both ends have the same all the same.
    fn key_at_azure(&self, key: TunnelKey) -> Option<SharedKey> {
        let changes =
            differ::roll_of(self.spec, key).is_some() || self.spec.keys_raised && self.spec.keys.get(key).is_some();
        self.acting.seen(|seen| {
            if changes {
                return None;
            }
            seen.azure.connections.get(key).as_ref().filter(|_| self.hides_keys())?;
            seen.azure.keys.get(key).key().filter(|key| SharedKey::parse(key.reveal()).is_ok()).cloned()
        })
    }

    /// Options of a new tunnel, with a key.
    fn new_tunnel(&self, key: TunnelKey) -> Result<TunnelOptions, Cause> {
        let shared = match self.key_at_azure(key) {
            Some(there) => there,
            None => self.new_key(key)?,
        };
        let mut options = differ::wanted_options(self.spec);
        options.inside_cidr = Some(self.spec.inside_cidrs.get(key).net());
        options.key = Some(shared);
        if !matches!(self.spec.policy, crate::link::policy::Policy::Pinned(_)) {
            // Nothing said is the cloud's default, and stays so when AWS learns new algorithms.
            (options.phase1, options.phase2) = Default::default();
        }
        Ok(options)
    }

    pub(super) async fn vpn_connection(&self, instance: Instance) -> Result<(), Cause> {
        let customer = self.acting.must("the customer gateway", |seen| {
            seen.aws.customer_gateways.get(instance).as_ref().map(|c| c.id.clone())
        })?;
        let [one, two] = instance.tunnels();
        let tunnels = [self.new_tunnel(one)?, self.new_tunnel(two)?];
        let own = self.identity(instance);
        let mut tags = self.new_tags(instance, self.spec.aws.names.vpn_connections.get(instance));
        let later = |key: TunnelKey| self.acting.seen(|seen| differ::roll_to_be_marked(self.spec, seen, key).is_some());
        let rolled = instance.tunnels().into_iter().filter(|key| !later(*key));
        tags.extend(rolled.filter_map(|key| Some(self.spec.rotation.as_ref()?.mark(key))).flatten());
        let target = self.target()?;
        let extras = Extras {
            key_storage: self.hides_keys().then_some(KeyStorage::SecretsManager),
            tunnel_bandwidth: Some(self.spec.aws.bandwidth).filter(|it| *it != Bandwidth::Standard),
            enable_acceleration: self.spec.aws.acceleration.then_some(true),
        };
        let new = NewConnection {
            customer_gateway: &customer,
            target: &target,
            tunnels: &tunnels,
            extras: &extras,
            tags: &tags,
            own: Own::new(&own),
        };
        let (ec2, waits) = (&self.acting.site.ec2, self.acting.limits.aws());
        for leaving in self.acting.seen(|seen| seen.aws.leaving_vpns.clone()) {
            ec2.wait_vpn_connection_deleted(&waits, &leaving).await?;
        }
        let made = ec2.create_vpn_connection(&waits, &new).await?;
        let id = made.id.clone();
        if self.hides_keys() {
            self.acting.note(|seen| {
                for (key, options) in instance.tunnels().into_iter().zip(&tunnels) {
                    seen.aws.told.get_mut(key).clone_from(&options.key);
                }
            });
        }
        self.note_connection(instance, made);
        let ready = ec2.wait_vpn_connection_available(&waits, &id, true).await?;
        self.note_connection(instance, ready);
        Ok(())
    }

    pub(super) fn note_connection(&self, instance: Instance, connection: VpnConnection) {
        // Addresses that the state knew belong to an earlier connection.
        let search = crate::link::search::Search { known: Default::default(), ..self.acting.search.clone() };
        let search = crate::link::search::Search { inside_cidrs: self.spec.inside_cidrs.clone(), ..search };
        let named = name_endpoints(&search, instance, &connection);
        self.acting.note(|seen| {
            for (key, ip) in named {
                *seen.aws.outside_ips.get_mut(key) = Some(ip);
            }
            *seen.aws.vpns.get_mut(instance) = Some(connection);
        });
    }

    pub(super) async fn await_vpn_connection(&self, instance: Instance) -> Result<(), Cause> {
        let id = self
            .acting
            .must("the VPN connection", |seen| seen.aws.vpns.get(instance).as_ref().map(|v| v.id.clone()))?;
        let ready = self.acting.site.ec2.wait_vpn_connection_available(&self.acting.limits.aws(), &id, true).await?;
        self.note_connection(instance, ready);
        Ok(())
    }

    pub(super) async fn change_tunnel(&self, key: TunnelKey) -> Result<(), Cause> {
        let (ec2, waits) = (&self.acting.site.ec2, self.acting.limits.aws());
        let id = self
            .acting
            .must("the VPN connection", |seen| seen.aws.vpns.get(key.instance).as_ref().map(|v| v.id.clone()))?;
        let tunnel = self.acting.must("the AWS endpoint", |seen| seen.tunnel(key).cloned())?;
        let mut change = differ::tunnel(self.spec, &tunnel, key).map(|(_, change)| change).unwrap_or_default();
        let rolls = self.acting.seen(|seen| {
            let connection = seen.aws.vpns.get(key.instance).as_ref();
            connection.is_some_and(|connection| differ::key_is_old(self.spec, connection, key))
        });
        if rolls || self.acting.seen(|seen| differ::key_is_lost(self.spec, seen, key)) {
            change.key = Some(self.new_key(key)?);
        } else if change.key_storage.is_some() {
            // It moves with its storage: the one that is used, where somebody shows it.
            let used = self.acting.seen(|seen| differ::wanted_key(self.spec, seen, key));
            change.key = used.filter(|key| SharedKey::parse(key.reveal()).is_ok());
            // EC2 wants an option to change beside it.
            change.dpd_timeout_seconds = Some(self.spec.aws.dpd_timeout_seconds);
        }
        if change.key.is_some() && self.hides_keys() {
            change.key_storage = Some(KeyStorage::SecretsManager);
        }
        if change == TunnelOptions::default() {
            return Ok(());
        }
        let changed = ec2.change_tunnel(&waits, &id, tunnel.outside_ip, &change).await?;
        // The endpoint keeps its outside address, and with it its name.
        self.acting.note(|seen| {
            *seen.aws.vpns.get_mut(key.instance) = Some(changed);
            if change.key.is_some() {
                *seen.aws.told.get_mut(key) = change.key;
            }
        });
        Ok(())
    }

    pub(super) async fn mark_rolled(&self, key: TunnelKey) -> Result<(), Cause> {
        let Some(rotation) = &self.spec.rotation else { return Ok(()) };
        let id = self
            .acting
            .must("the VPN connection", |s| s.aws.vpns.get(key.instance).as_ref().map(|v| v.id.0.clone()))?;
        let mark = rotation.mark(key);
        self.acting.site.ec2.create_tags(&self.acting.limits.aws(), &[id], &mark).await?;
        self.acting
            .note(|seen| seen.aws.vpns.get_mut(key.instance).iter_mut().for_each(|v| v.tags.extend(mark.clone())));
        Ok(())
    }

    /// Sets the user's tags, and the link's name where an object carries one; removes those that the user took back.
    pub(super) async fn retag(&self, object: &Object) -> Result<(), Cause> {
        let (ids, have): (Vec<String>, Tags) = self.acting.must("the object", |seen| {
            let aws = &seen.aws;
            match object {
                Object::VpnGateway => aws.gateway.as_ref().map(|g| (vec![g.id.0.clone()], g.tags.clone())),
                Object::CustomerGateway(i) => {
                    aws.customer_gateways.get(*i).as_ref().map(|c| (vec![c.id.0.clone()], c.tags.clone()))
                }
                Object::VpnConnection(i) => aws.vpns.get(*i).as_ref().map(|v| (vec![v.id.0.clone()], v.tags.clone())),
                Object::Vpc => aws.vpc.as_ref().map(|v| (vec![v.id.0.clone()], v.tags.clone())),
                Object::PublicRouteTable => {
                    let table = aws.route_tables.iter().find(|t| aws.public_route_table.as_ref() == Some(&t.id))?;
                    let mut ids = vec![table.id.0.clone()];
                    ids.extend(aws.public_subnet.iter().map(|subnet| subnet.0.clone()));
                    ids.extend(aws.internet_gateway.iter().map(|gateway| gateway.id.0.clone()));
                    Some((ids, table.tags.clone()))
                }
                _ => None,
            }
        })?;
        let (ec2, waits) = (&self.acting.site.ec2, self.acting.limits.aws());
        let mut tags = differ::labels_of(&have, self.spec);
        if *object == Object::VpnGateway {
            tags.extend(differ::claim_labels(&have, self.spec, part::VPN_GATEWAY));
        }
        ec2.create_tags(&waits, &ids, &tags).await?;
        let surplus: Vec<String> = differ::surplus_labels(&have, self.spec).cloned().collect();
        ec2.delete_tags(&waits, &ids, &surplus).await?;
        Ok(())
    }
}
