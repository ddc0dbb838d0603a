//! What other teams put into and onto virtual networks: network interfaces, private endpoints,
//! peerings, and the NAT gateways, route tables and network security groups of subnets. Documents
//! are kept as they are sent.

use super::errors::{self, ApiError};
use super::ids::{Id, Kind};
use super::resource::{self, Object, Resource, text};
use super::resource_ops::{self, ValidatedPut};
use super::service::AzureService;
use crate::time::SimDuration;
use crate::world::Context;
use serde_json::Value;

/// The subnets that a network interface or private endpoint is in.
pub(super) fn subnets_of(resource: &Resource) -> impl Iterator<Item = &str> {
    let own = resource.text("/subnet/id");
    let configurations = resource.items("/ipConfigurations").iter();
    own.into_iter()
        .chain(configurations.filter_map(|one| text(one, "/properties/subnet/id")))
}

impl AzureService {
    pub(super) fn validate_subnet_user(
        &self,
        id: &Id,
        body: &Object,
        cx: &mut Context<'_>,
    ) -> Result<ValidatedPut, ApiError> {
        let mut properties = resource_ops::properties(body);
        properties.remove("provisioningState");
        let document = Value::Object(properties.clone());
        let mut referenced: Vec<&str> = text(&document, "/subnet/id").into_iter().collect();
        let configurations = resource::items(&document, "/ipConfigurations").iter();
        referenced.extend(configurations.filter_map(|one| text(one, "/properties/subnet/id")));
        if matches!(id.kind, Kind::NetworkInterface | Kind::PrivateEndpoint)
            && referenced.is_empty()
        {
            return Err(errors::request_format("properties: a subnet is missing"));
        }
        referenced.extend(text(&document, "/remoteVirtualNetwork/id"));
        for reference in referenced {
            let known =
                Id::parse(reference).is_some_and(|other| self.resources.contains_key(&other.key()));
            if !known {
                return Err(ApiError::bad(
                    "InvalidResourceReference",
                    format!("Resource {reference} referenced by resource {id} was not found."),
                ));
            }
        }
        let mut draft = ValidatedPut::new(
            properties,
            cx.rng
                .duration(SimDuration::seconds(2), SimDuration::seconds(5)),
        );
        draft.lock = id.network().map(|network| network.key());
        Ok(draft)
    }

    /// Ids of the ipConfigurations of network interfaces in a subnet, by its key.
    pub(super) fn interfaces_in(&self, subnet: &str) -> Vec<String> {
        let mut found = Vec::new();
        for interface in self.of_kind(Kind::NetworkInterface) {
            for one in interface.items("/ipConfigurations") {
                if text(one, "/properties/subnet/id")
                    .is_some_and(|id| id.eq_ignore_ascii_case(subnet))
                {
                    let name = text(one, "/name").unwrap_or("primary");
                    found.push(format!("{}/ipConfigurations/{name}", interface.id));
                }
            }
        }
        found
    }

    /// Ids of the private endpoints in a subnet, by its key.
    pub(super) fn endpoints_in(&self, subnet: &str) -> Vec<String> {
        let inside = |one: &&Resource| subnets_of(one).any(|id| id.eq_ignore_ascii_case(subnet));
        self.of_kind(Kind::PrivateEndpoint)
            .filter(inside)
            .map(|one| one.id.to_string())
            .collect()
    }

    /// Refuses to delete what a subnet refers to.
    pub(super) fn require_unattached(&self, resource: &Resource) -> Result<(), ApiError> {
        let key = resource.id.key();
        let refers = |subnet: &&Resource| {
            let references = [
                "/natGateway/id",
                "/routeTable/id",
                "/networkSecurityGroup/id",
            ];
            references.iter().any(|at| {
                subnet
                    .text(at)
                    .is_some_and(|id| id.eq_ignore_ascii_case(&key))
            })
        };
        match self.of_kind(Kind::Subnet).find(refers) {
            None => Ok(()),
            Some(subnet) => Err(ApiError::bad(
                &format!("InUse{}CannotBeDeleted", resource.id.kind.noun()),
                format!(
                    "{} {} cannot be deleted because it is in use by {}.",
                    resource.id.kind.noun(),
                    resource.id,
                    subnet.id
                ),
            )),
        }
    }
}
