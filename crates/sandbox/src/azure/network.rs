//! Virtual networks and their subnets. A subnet shares its network's etag and lock; a PUT of a
//! network that names subnets deletes those it leaves out.

use super::errors::{self, ApiError};
use super::ids::{Id, Kind};
use super::operations::json_response;
use super::resource::{self, Object, Resource, fill, text};
use super::resource_ops::{self, ValidatedPut};
use super::service::AzureService;
use crate::http::Response;
use crate::time::SimDuration;
use crate::world::Context;
use ipnet::Ipv4Net;
use serde_json::{Value, json};

/// Recorded: a network is ready four seconds after its PUT.
const DURATION: (SimDuration, SimDuration) = (SimDuration::seconds(3), SimDuration::seconds(5));

/// A subnet's range.
pub(super) fn subnet_prefix(properties: &Value) -> Option<Ipv4Net> {
    text(properties, "/addressPrefix")
        .or(text(properties, "/addressPrefixes/0"))?
        .parse()
        .ok()
}

/// A virtual network's ranges.
pub(super) fn network_prefixes(network: &Resource) -> Vec<Ipv4Net> {
    prefixes(&network.properties)
}

fn prefixes(properties: &Value) -> Vec<Ipv4Net> {
    resource::items(properties, "/addressSpace/addressPrefixes")
        .iter()
        .filter_map(|prefix| prefix.as_str()?.parse().ok())
        .collect()
}

impl AzureService {
    pub(super) fn validate_network(
        &self,
        id: &Id,
        body: &Object,
        existing: Option<&Resource>,
        cx: &mut Context<'_>,
    ) -> Result<ValidatedPut, ApiError> {
        let mut properties = resource_ops::properties(body);
        for computed in [
            "provisioningState",
            "resourceGuid",
            "virtualNetworkPeerings",
        ] {
            properties.remove(computed);
        }
        let sent = properties.remove("subnets");
        fill(
            &mut properties,
            json!({"enableDdosProtection": false, "dhcpOptions": {}}),
        );
        if let Some(options) = properties
            .get_mut("dhcpOptions")
            .and_then(Value::as_object_mut)
        {
            fill(options, json!({"dnsServers": []}));
        }
        let document = Value::Object(properties.clone());
        let ranges = prefixes(&document);
        if ranges.is_empty()
            || ranges.len() != resource::items(&document, "/addressSpace/addressPrefixes").len()
        {
            return Err(ApiError::bad(
                "InvalidAddressPrefixFormat",
                format!(
                    "The address space of virtual network {id} is missing or holds what is no IPv4 prefix."
                ),
            ));
        }
        // A document without the member names no subnet: those that there are go.
        let bodies = sent
            .as_ref()
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let mut subnets = Vec::new();
        for subnet in &bodies {
            let name = text(subnet, "/name")
                .ok_or_else(|| errors::request_format("subnets: a subnet has no name"))?;
            let own = subnet
                .pointer("/properties")
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default();
            subnets.push((
                id.subnet(name),
                check_subnet(&id.subnet(name), own, &ranges, &subnets)?,
            ));
        }
        if existing.is_some() {
            let beneath = format!("{}/", id.key());
            for (key, subnet) in self
                .resources
                .iter()
                .filter(|(key, at)| at.id.kind == Kind::Subnet && key.starts_with(&beneath))
            {
                if !subnets.iter().any(|(kept, _)| kept.key() == *key) {
                    self.subnet_free(subnet, cx)?;
                }
            }
        }
        let mut draft = ValidatedPut::new(properties, cx.rng.duration(DURATION.0, DURATION.1));
        draft.lock = Some(id.key());
        draft.subnets = Some(subnets);
        Ok(draft)
    }

    pub(super) fn validate_subnet(
        &self,
        id: &Id,
        body: &Object,
        existing: Option<&Resource>,
        cx: &mut Context<'_>,
    ) -> Result<ValidatedPut, ApiError> {
        let network = id.network().and_then(|network| self.resources.get(&network.key())).ok_or_else(|| {
            ApiError::new(
                404,
                "ParentResourceNotFound",
                format!(
                    "Failed to perform 'write' on resource(s) of type 'virtualNetworks/subnets', because the parent \
                     resource '{}' could not be found.",
                    id.network().map(|network| network.to_string()).unwrap_or_default()
                ),
            )
        })?;
        let siblings: Vec<(Id, Value)> = self
            .subnets_of(&network.id)
            .map(|sibling| (sibling.id.clone(), sibling.properties.clone()))
            .collect();
        let properties = check_subnet(
            id,
            resource_ops::properties(body),
            &network_prefixes(network),
            &siblings,
        )?;
        if let Some(existing) = existing
            && subnet_prefix(&existing.properties) != subnet_prefix(&properties)
        {
            self.subnet_free(existing, cx)?;
        }
        let mut draft = ValidatedPut::new(Object::new(), cx.rng.duration(DURATION.0, DURATION.1));
        draft.properties = properties;
        draft.lock = Some(network.id.key());
        Ok(draft)
    }

    /// Refuses writes into a group that is going.
    pub(super) fn writable(&self, id: &Id) -> Result<(), ApiError> {
        match self.groups.get(&id.group_key()) {
            Some(group) if group.deletion.is_some() => Err(super::groups::being_deleted(&id.group)),
            _ => Ok(()),
        }
    }

    pub(super) fn subnets_of(&self, network: &Id) -> impl Iterator<Item = &Resource> {
        self.children_of(network, Kind::Subnet)
    }

    fn children_of(&self, network: &Id, kind: Kind) -> impl Iterator<Item = &Resource> {
        let beneath = format!("{}/", network.key());
        let entries = self.resources.range(beneath.clone()..);
        let children = entries
            .take_while(move |(key, _)| key.starts_with(&beneath))
            .map(|(_, child)| child);
        children.filter(move |child| child.id.kind == kind)
    }

    /// Ids of the ipConfigurations in a subnet or on a public IP.
    pub(super) fn users(&self, key: &str, pointer: &str) -> Vec<String> {
        let mut users = Vec::new();
        for gateway in self.of_kind(Kind::Gateway) {
            for configuration in gateway.items("/ipConfigurations") {
                if text(configuration, pointer).is_some_and(|id| id.eq_ignore_ascii_case(key)) {
                    let name = text(configuration, "/name").unwrap_or_default();
                    users.push(format!("{}/ipConfigurations/{name}", gateway.id));
                }
            }
        }
        if pointer == "/properties/subnet/id" {
            users.extend(self.interfaces_in(key));
        }
        users
    }

    pub(super) fn subnet_free(&self, subnet: &Resource, cx: &Context<'_>) -> Result<(), ApiError> {
        let key = subnet.id.key();
        let mut users = self.users(&key, "/properties/subnet/id");
        users.extend(self.endpoints_in(&key));
        let lingers = self
            .lingering
            .get(&key)
            .is_some_and(|until| *until > cx.now);
        if users.is_empty() && !lingers {
            return Ok(());
        }
        Err(ApiError::bad(
            "InUseSubnetCannotBeDeleted",
            format!(
                "Subnet {} is in use by {} and cannot be deleted. In order to delete the subnet, delete all the resources \
                 within the subnet. See aka.ms/deletesubnet.",
                subnet.id.name,
                if users.is_empty() {
                    "a gateway that is being removed".to_owned()
                } else {
                    users.join(", ")
                }
            ),
        ))
    }

    pub(super) fn list_subnets(
        &self,
        network: &Id,
        cx: &mut Context<'_>,
    ) -> Result<Response, ApiError> {
        self.find(network)?;
        let listed: Vec<Value> = self
            .subnets_of(network)
            .map(|subnet| self.render(subnet, cx))
            .collect();
        Ok(json_response(200, &json!({"value": listed})))
    }

    pub(super) fn render_network(&self, network: &Resource, mut document: Value) -> Value {
        let subnets: Vec<Value> = self
            .subnets_of(&network.id)
            .map(|subnet| self.render_subnet(subnet, subnet.document()))
            .collect();
        if let Some(properties) = document
            .pointer_mut("/properties")
            .and_then(Value::as_object_mut)
        {
            properties.insert("subnets".into(), subnets.into());
            let peerings: Vec<Value> = self
                .children_of(&network.id, Kind::Peering)
                .map(Resource::document)
                .collect();
            properties.insert("virtualNetworkPeerings".into(), peerings.into());
        }
        document
    }

    pub(super) fn render_subnet(&self, subnet: &Resource, mut document: Value) -> Value {
        let etag = subnet
            .id
            .network()
            .and_then(|network| self.resources.get(&network.key()))
            .map(|n| n.etag.clone());
        let users = self.users(&subnet.id.key(), "/properties/subnet/id");
        if let (Some(etag), Some(document)) = (etag, document.as_object_mut()) {
            document.insert("etag".into(), etag.into());
        }
        let endpoints = self.endpoints_in(&subnet.id.key());
        if let Some(properties) = document
            .pointer_mut("/properties")
            .and_then(Value::as_object_mut)
            && !endpoints.is_empty()
        {
            let endpoints: Vec<Value> =
                endpoints.iter().map(|id| resource::reference(id)).collect();
            properties.insert("privateEndpoints".into(), endpoints.into());
        }
        if let Some(properties) = document
            .pointer_mut("/properties")
            .and_then(Value::as_object_mut)
            && !users.is_empty()
        {
            let users: Vec<Value> = users.iter().map(|id| resource::reference(id)).collect();
            properties.insert("ipConfigurations".into(), users.into());
        }
        document
    }
}

/// A subnet's properties, once they fit into the network and between its siblings.
fn check_subnet(
    id: &Id,
    mut own: Object,
    ranges: &[Ipv4Net],
    siblings: &[(Id, Value)],
) -> Result<Value, ApiError> {
    for computed in [
        "provisioningState",
        "ipConfigurations",
        "privateEndpoints",
        "purpose",
    ] {
        own.remove(computed);
    }
    fill(
        &mut own,
        json!({"delegations": [], "privateEndpointNetworkPolicies": "Disabled", "privateLinkServiceNetworkPolicies": "Enabled"}),
    );
    let properties = Value::Object(own);
    let Some(prefix) = subnet_prefix(&properties).filter(|prefix| prefix.trunc() == *prefix) else {
        return Err(ApiError::bad(
            "InvalidCIDRNotation",
            format!(
                "The address prefix of subnet {} is missing or is no valid IPv4 prefix.",
                id.name
            ),
        ));
    };
    if !ranges.iter().any(|range| range.contains(&prefix)) {
        return Err(ApiError::bad(
            "NetcfgInvalidSubnet",
            format!(
                "Subnet '{}' is not valid because its IP address range is outside the IP address range of virtual network '{}'.",
                id.name,
                id.parent.as_deref().unwrap_or_default()
            ),
        ));
    }
    let overlaps = siblings
        .iter()
        .filter(|(other, _)| other.key() != id.key())
        .find(|(_, other)| {
            subnet_prefix(other)
                .is_some_and(|other| other.contains(&prefix) || prefix.contains(&other))
        });
    if let Some((other, _)) = overlaps {
        return Err(ApiError::bad(
            "NetcfgSubnetRangesOverlap",
            format!(
                "Subnet '{}' is not valid because its IP address range overlaps with that of an existing subnet '{}'.",
                id.name, other.name
            ),
        ));
    }
    Ok(properties)
}
