//! Which objects a run may take over that no state names. Ownership tags find candidates; they
//! prove nothing, since a tag can be copied. An AWS object is adopted only with the incomplete tag,
//! an Azure object only under its planned name, and either only if its properties are the planned
//! ones. VPN connections on a recorded gateway are the exception: their inside CIDRs identify them.

use super::lookup::LookupScope;
use super::managed::Kind;
use super::observed::{Lookalike, Observed};
use super::ownership_tags::{TAG_AWS_ENDPOINT, TAG_INCOMPLETE, TAG_LINK, TAG_ROLE, role};
use super::tunnel::{Instance, TunnelKey};
use crate::aws::{self, TargetGateway};
use crate::azure::id::ResourceId;
use crate::types::Tags;
use ipnet::Ipv4Net;
use std::collections::BTreeSet;
use std::fmt::Display;

/// Why a link must not be created where objects exist already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Another link has these addresses on this gateway: another AWS side, complete.
    OtherLink { endpoint: String, ids: Vec<String> },
    /// A create with another AWS side did not finish: of another link, or of this one with former
    /// settings.
    IncompleteLink { endpoint: String, ids: Vec<String> },
    /// This very link is complete.
    Complete { ids: Vec<String> },
    /// An object has a planned name and is not this link's.
    NameTaken(ResourceId),
}

impl LookupScope {
    /// Whether the tags say that an object is this part of this link.
    pub fn has_role_tag(&self, tags: &Tags, part: impl Display) -> bool {
        self.link.as_ref().is_some_and(|link| {
            tags.get(TAG_LINK)
                .is_some_and(|value| value == link.as_str())
        }) && tags
            .get(TAG_ROLE)
            .is_some_and(|value| *value == part.to_string())
    }

    /// Whether an object belongs to the AWS side that is meant. Objects of earlier versions lack
    /// the tag.
    fn has_endpoint(&self, tags: &Tags) -> bool {
        let endpoints = &self.adoption.endpoints;
        endpoints.is_empty()
            || tags
                .get(TAG_AWS_ENDPOINT)
                .is_none_or(|end| endpoints.contains(end))
    }

    /// Whether tags alone prove that an object is this part of this link: no state names it.
    pub fn tags_prove(&self, tags: &Tags, part: impl Display) -> bool {
        self.has_role_tag(tags, part) && self.has_endpoint(tags)
    }

    /// Whether an object under its planned name is this part of this link. Objects keep the AWS
    /// side that they were created for when the link moves to another: what the state names is this
    /// link's with either.
    pub fn owns(&self, kind: Kind, id: &str, tags: &Tags, part: impl Display) -> bool {
        self.tags_prove(tags, &part) || self.records(kind, id) && self.has_role_tag(tags, &part)
    }

    /// Whether an AWS object that no state names may be taken over, its properties left out.
    pub fn adopts(&self, tags: &Tags, part: impl Display) -> bool {
        let of_this_move = self
            .adoption
            .moves_to
            .as_ref()
            .is_some_and(|end| tags.get(TAG_AWS_ENDPOINT) == Some(end));
        self.tags_prove(tags, part) && (tags.contains_key(TAG_INCOMPLETE) || of_this_move)
    }

    pub fn adopts_vpc(&self, vpc: &aws::Vpc) -> bool {
        self.adopts(&vpc.tags, role::VPC) && same(self.adoption.vpc_cidr, vpc.cidr)
    }

    pub fn adopts_vpn_gateway(&self, gateway: &aws::VpnGateway) -> bool {
        gateway.state.is_living()
            && self.adopts(&gateway.tags, role::VPN_GATEWAY)
            && same(self.adoption.amazon_asn, gateway.asn)
    }

    pub fn adopts_customer_gateway(
        &self,
        customer: &aws::CustomerGateway,
        instance: Instance,
    ) -> bool {
        let device = self.link.as_ref().map(|link| link.device(instance));
        self.adopts(&customer.tags, instance)
            && customer
                .device_name
                .as_ref()
                .is_none_or(|name| Some(name) == device.as_ref())
    }

    /// A VPN connection is this link's by its inside CIDRs, or by a customer gateway that is.
    pub fn adopts_vpn_connection(
        &self,
        vpn: &aws::VpnConnection,
        instance: Instance,
        customers: &[aws::CustomerGateway],
    ) -> bool {
        let own_customer = customers.iter().any(|customer| {
            customer.id == vpn.customer_gateway_id
                && self.adopts_customer_gateway(customer, instance)
                || self.known.customer_gateways.get(instance).as_ref()
                    == Some(&vpn.customer_gateway_id)
        });
        self.adopts(&vpn.tags, instance) && (own_customer || self.has_inside_cidr(vpn))
            || self.succeeds_vpn_connection(vpn, instance)
    }

    /// Whether a complete VPN connection took the place of a recorded one that is gone: the state is
    /// older than the update that created it. On a gateway that the state names, EC2 gives the inside
    /// CIDRs of the link to one VPN connection only, so copied tags cannot be on another one.
    fn succeeds_vpn_connection(&self, vpn: &aws::VpnConnection, instance: Instance) -> bool {
        let is_on_gateway = match &vpn.target {
            TargetGateway::VpnGateway(id) => self.known.vpn_gateway.as_ref() == Some(id),
            TargetGateway::TransitGateway(id) => self.known.transit_gateway.as_ref() == Some(id),
            TargetGateway::Other => false,
        };
        let has_cidr = |key: TunnelKey| {
            let cidr = self.inside_cidrs.get(key).net();
            let mut tunnels = vpn.tunnels.iter();
            tunnels.any(|tunnel| tunnel.inside_cidr == Some(cidr))
        };
        !self.recorded_ids.is_empty()
            && self.tags_prove(&vpn.tags, instance)
            && is_on_gateway
            && instance.tunnels().into_iter().all(has_cidr)
    }

    /// The same of the customer gateway that such a VPN connection uses. Its device name contains the
    /// link and cannot be changed.
    pub fn succeeds_customer_gateway(
        &self,
        customer: &aws::CustomerGateway,
        instance: Instance,
    ) -> bool {
        let device = self.link.as_ref().map(|link| link.device(instance));
        !self.recorded_ids.is_empty()
            && self.tags_prove(&customer.tags, instance)
            && customer.device_name.is_some()
            && customer.device_name == device
    }

    fn has_inside_cidr(&self, vpn: &aws::VpnConnection) -> bool {
        let own: BTreeSet<Ipv4Net> = self
            .inside_cidrs
            .iter()
            .map(|(_, cidr)| cidr.net())
            .collect();
        vpn.tunnels
            .iter()
            .filter_map(|tunnel| tunnel.inside_cidr)
            .any(|cidr| own.contains(&cidr))
    }

    /// A VPC, gateway, customer gateway or VPN connection with this link's tag that is not taken
    /// over.
    pub fn lookalike(
        &self,
        kind: Kind,
        id: &str,
        tags: &Tags,
        vpn: Option<&aws::VpnConnection>,
    ) -> Option<Lookalike> {
        self.link.as_ref().filter(|link| link.is_on(tags))?;
        Some(Lookalike {
            id: id.to_owned(),
            kind,
            endpoint: tags.get(TAG_AWS_ENDPOINT).cloned(),
            incomplete: tags.contains_key(TAG_INCOMPLETE),
            same_addresses: vpn.is_some_and(|vpn| self.has_inside_cidr(vpn)),
        })
    }

    /// Whether the state names an object.
    pub fn records(&self, kind: Kind, id: &str) -> bool {
        self.recorded_ids.has(kind, id)
    }
}

fn same<T: PartialEq>(planned: Option<T>, has: T) -> bool {
    planned.is_none_or(|planned| planned == has)
}

/// Whether what exists forbids to create the link. Objects that the state names are never in the
/// way.
pub fn obstacle(scope: &LookupScope, observed: &Observed) -> Option<Obstacle> {
    let unrecorded = || {
        observed
            .lookalikes
            .iter()
            .filter(|one| !scope.records(one.kind, &one.id))
    };
    let other = |one: &&Lookalike| {
        let counts = one.incomplete || one.kind == Kind::AwsVpnConnection && one.same_addresses;
        counts
            && one
                .endpoint
                .as_ref()
                .is_some_and(|end| !scope.adoption.endpoints.contains(end))
    };
    let endpoints = &scope.adoption.endpoints;
    if let Some(endpoint) = unrecorded()
        .filter(|_| !endpoints.is_empty())
        .find(other)
        .and_then(|one| one.endpoint.clone())
    {
        let of_it = || unrecorded().filter(|one| one.endpoint.as_ref() == Some(&endpoint));
        let ids = of_it().map(|one| one.id.clone()).collect();
        return Some(match of_it().any(|one| one.incomplete) {
            true => Obstacle::IncompleteLink { ids, endpoint },
            false => Obstacle::OtherLink { ids, endpoint },
        });
    }
    let complete = |one: &&Lookalike| {
        one.kind == Kind::AwsVpnConnection && !one.incomplete && one.same_addresses
    };
    let ids: Vec<String> = unrecorded()
        .filter(complete)
        .map(|one| one.id.clone())
        .collect();
    if !ids.is_empty() {
        return Some(Obstacle::Complete { ids });
    }
    let (id, tags) = foreign_name(scope, observed)?;
    Some(
        match tags.and_then(|tags| other_side(scope, observed, tags)) {
            Some(endpoint) => Obstacle::IncompleteLink {
                ids: vec![id.to_string()],
                endpoint,
            },
            None => Obstacle::NameTaken(id),
        },
    )
}

/// The AWS side for which an interrupted create of this link created an Azure object, where it
/// created nothing in AWS yet. A link with all connections is complete, perhaps in another region.
fn other_side(scope: &LookupScope, observed: &Observed, tags: &Tags) -> Option<String> {
    scope.link.as_ref().filter(|link| link.is_on(tags))?;
    let endpoint = tags.get(TAG_AWS_ENDPOINT)?;
    let connections = observed.azure.connections.iter();
    let is_incomplete =
        connections.filter(|(_, found)| found.is_some()).count() < TunnelKey::ALL.len();
    (is_incomplete && !scope.adoption.endpoints.contains(endpoint)).then(|| endpoint.clone())
}

/// An object under a planned name that is not this link's, with its tags.
fn foreign_name<'a>(
    scope: &LookupScope,
    observed: &'a Observed,
) -> Option<(ResourceId, Option<&'a Tags>)> {
    let adoption = &scope.adoption;
    if let Some(network) = &observed.azure.network
        && let Some(space) = &adoption.address_space
        && !scope.records(Kind::AzureVirtualNetwork, network.resource.id.as_str())
        && !(scope.tags_prove(&network.resource.tags, role::VIRTUAL_NETWORK)
            && space
                .iter()
                .all(|range| network.address_space.contains(range)))
    {
        return Some((network.resource.id.clone(), Some(&network.resource.tags)));
    }
    if let Some(gateway) = &observed.azure.gateway
        && adoption.makes_gateway
        && !scope.records(Kind::AzureGateway, gateway.resource.id.as_str())
        && !(scope.tags_prove(&gateway.resource.tags, role::AZURE_GATEWAY)
            && same(adoption.azure_asn, gateway.asn))
    {
        return Some((gateway.resource.id.clone(), Some(&gateway.resource.tags)));
    }
    let first = observed.azure.foreign_objects.first().cloned();
    first.map(|id| (id, None))
}

/// Ids of what a create would take over: there, and in no state.
pub fn adopted(scope: &LookupScope, observed: &Observed) -> Vec<String> {
    let (azure, aws) = (&observed.azure, &observed.aws);
    let link = |tags: &Tags| scope.link.as_ref().is_some_and(|link| link.is_on(tags));
    let mut found: Vec<(Kind, String)> = Vec::new();
    let mut add = |kind: Kind, id: &dyn Display, tags: &Tags| {
        if link(tags) && !scope.records(kind, &id.to_string()) {
            found.push((kind, id.to_string()));
        }
    };
    if let Some(network) = azure
        .network
        .as_ref()
        .filter(|_| scope.adoption.address_space.is_some())
    {
        add(
            Kind::AzureVirtualNetwork,
            &network.resource.id,
            &network.resource.tags,
        );
    }
    // Those of an existing gateway are never adopted, regardless of the link they belong to.
    for (_, ip) in azure
        .public_ips
        .iter()
        .filter(|_| scope.adoption.makes_gateway)
    {
        ip.iter()
            .for_each(|ip| add(Kind::AzurePublicIp, &ip.resource.id, &ip.resource.tags));
    }
    if let Some(gateway) = azure
        .gateway
        .as_ref()
        .filter(|_| scope.adoption.makes_gateway)
    {
        add(
            Kind::AzureGateway,
            &gateway.resource.id,
            &gateway.resource.tags,
        );
    }
    for key in TunnelKey::ALL {
        if let Some(local) = azure.local_gateways.get(key) {
            add(
                Kind::AzureLocalGateway,
                &local.resource.id,
                &local.resource.tags,
            );
        }
        if let Some(connection) = azure.connections.get(key) {
            add(
                Kind::AzureConnection,
                &connection.resource.id,
                &connection.resource.tags,
            );
        }
    }
    if let Some(vpc) = aws
        .vpc
        .as_ref()
        .filter(|_| scope.adoption.vpc_cidr.is_some())
    {
        add(Kind::AwsVpc, &vpc.id, &vpc.tags);
    }
    if let Some(gateway) = aws
        .gateway
        .as_ref()
        .filter(|_| scope.adoption.amazon_asn.is_some())
    {
        add(Kind::AwsVpnGateway, &gateway.id, &gateway.tags);
    }
    for instance in Instance::ALL {
        if let Some(customer) = aws.customer_gateways.get(instance) {
            add(Kind::AwsCustomerGateway, &customer.id, &customer.tags);
        }
        if let Some(vpn) = aws.vpn_connections.get(instance) {
            add(Kind::AwsVpnConnection, &vpn.id, &vpn.tags);
        }
    }
    found.into_iter().map(|(_, id)| id).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::inside_cidr::Slot;
    use crate::known_ids::KnownIds;
    use crate::ownership_tags::LinkId;

    const ID: &str =
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/publicIPAddresses/one";

    /// After a move from `eu-west-1 vpc-1` to `eu-west-1 vgw-2`, when the state has the new AWS
    /// side only.
    fn moved(recorded: &[Kind]) -> LookupScope {
        let link = Some(LinkId::from_tag("link"));
        let mut scope = LookupScope::by_ids(
            KnownIds::default(),
            link,
            Slot::new(0).unwrap().inside_cidrs(),
        );
        scope.adoption.endpoints = BTreeSet::from(["eu-west-1 vgw-2".to_owned()]);
        recorded
            .iter()
            .for_each(|kind| scope.recorded_ids.add(*kind, ID.to_uppercase()));
        scope
    }

    fn tags(link: &str, endpoint: &str) -> Tags {
        let mut tags = LinkId::from_tag(link).tags(Instance::ALL[0]);
        tags.insert(TAG_AWS_ENDPOINT.to_owned(), endpoint.to_owned());
        tags
    }

    #[test]
    fn own_objects_named_by_state_after_move() {
        let (former, now) = (
            tags("link", "eu-west-1 vpc-1"),
            tags("link", "eu-west-1 vgw-2"),
        );
        for kind in Kind::ALL {
            let owns = |recorded: &[Kind], tags: &Tags| {
                moved(recorded).owns(kind, ID, tags, Instance::ALL[0])
            };
            assert!(
                owns(&[], &now) && owns(&[kind], &now) && owns(&[kind], &former),
                "{kind}"
            );
            assert!(
                !owns(&[], &former),
                "{kind}: tags alone prove nothing of another AWS side"
            );
            assert!(
                !owns(&[kind], &tags("other", "eu-west-1 vgw-2")),
                "{kind}: another link took the name"
            );
            assert!(!owns(&[kind], &Tags::new()), "{kind}: without owner");
        }
    }

    #[test]
    fn ignore_recorded_objects_as_obstacles() {
        let tags = tags("link", "eu-west-1 vpc-1");
        let found =
            |scope: &LookupScope| scope.lookalike(Kind::AwsCustomerGateway, "cgw-1", &tags, None);
        let obstacle = |mut scope: LookupScope, recorded: bool| {
            if recorded {
                scope.recorded_ids.add(Kind::AwsCustomerGateway, "cgw-1");
            }
            let one = found(&scope).map(|one| Lookalike {
                incomplete: true,
                ..one
            });
            obstacle(
                &scope,
                &Observed {
                    lookalikes: one.into_iter().collect(),
                    ..Observed::default()
                },
            )
        };
        assert!(matches!(
            obstacle(moved(&[]), false),
            Some(Obstacle::IncompleteLink { .. })
        ));
        assert_eq!(obstacle(moved(&[]), true), None);
    }
}
