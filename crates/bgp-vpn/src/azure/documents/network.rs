//! Virtual networks and their subnets.

use super::{
    DocumentError, flag, id, items, missing, prefixes, provisioning_state, reference, resource,
    text,
};
use crate::azure::model::{ProvisioningState, Subnet, VirtualNetwork};
use crate::types::Tags;
use ipnet::Ipv4Net;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The only name under which Azure takes a gateway's subnet.
pub const GATEWAY_SUBNET: &str = "GatewaySubnet";

/// A network to be created, with all its subnets at once: a PUT of a network removes subnets that
/// it omits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVirtualNetwork {
    pub location: String,
    pub address_space: Vec<Ipv4Net>,
    /// Name and prefix.
    pub subnets: Vec<(String, Ipv4Net)>,
    pub tags: Tags,
}

impl NewVirtualNetwork {
    pub fn body(&self) -> Value {
        let subnets: Vec<Value> = self
            .subnets
            .iter()
            .map(|(name, prefix)| json!({"name": name, "properties": {"addressPrefix": prefix}}))
            .collect();
        json!({
            "location": self.location,
            "tags": self.tags,
            "properties": {"addressSpace": {"addressPrefixes": self.address_space}, "subnets": subnets},
        })
    }
}

/// Adds the wanted ranges to a network's document and takes the former ones off it.
pub fn set_ranges(doc: &mut Value, wanted: &[Ipv4Net], former: &BTreeSet<Ipv4Net>) {
    if let Some(ranges) = doc
        .pointer_mut("/properties/addressSpace/addressPrefixes")
        .and_then(Value::as_array_mut)
    {
        let is = |range: &Value, net: &Ipv4Net| {
            range.as_str().and_then(|text| text.parse().ok()) == Some(*net)
        };
        ranges.retain(|range| !former.iter().any(|net| is(range, net)));
        let lacking: Vec<Value> = wanted
            .iter()
            .filter(|net| !ranges.iter().any(|range| is(range, net)))
            .map(|net| json!(net))
            .collect();
        ranges.extend(lacking);
    }
}

/// Gives a subnet's document another prefix.
pub fn set_prefix(doc: &mut Value, prefix: Ipv4Net) {
    if let Some(properties) = doc.get_mut("properties").and_then(Value::as_object_mut) {
        // Azure answers one of two spellings, and would hold one against the other.
        properties.remove("addressPrefixes");
        properties.insert("addressPrefix".to_owned(), json!(prefix));
    }
}

/// Body of a subnet's create.
pub fn subnet_body(prefix: Ipv4Net) -> Value {
    json!({"properties": {"addressPrefix": prefix}})
}

/// Lists of a subnet that name what is in it.
const OCCUPANTS: [&str; 7] = [
    "/properties/ipConfigurations",
    "/properties/privateEndpoints",
    "/properties/serviceAssociationLinks",
    "/properties/resourceNavigationLinks",
    "/properties/ipConfigurationProfiles",
    "/properties/applicationGatewayIPConfigurations",
    "/properties/ipAllocations",
];
/// Properties of a subnet that name what is attached to it.
const ATTACHED: [&str; 3] = [
    "/properties/natGateway/id",
    "/properties/routeTable/id",
    "/properties/networkSecurityGroup/id",
];

/// Ids of what is in a subnet or attached to it, by its name, as the document of its network shows
/// them. They are not always of the shape of a `ResourceId`.
pub fn subnet_occupants(network: &Value, name: &str) -> Vec<String> {
    let of_name =
        |subnet: &&Value| text(subnet, "/name").is_some_and(|own| own.eq_ignore_ascii_case(name));
    let Some(subnet) = items(network, "/properties/subnets").find(of_name) else {
        return Vec::new();
    };
    let inside = OCCUPANTS
        .iter()
        .flat_map(|list| items(subnet, list))
        .filter_map(|one| text(one, "/id"));
    inside
        .chain(ATTACHED.iter().filter_map(|at| text(subnet, at)))
        .map(str::to_owned)
        .collect()
}

/// Ids of a network's peerings, without those that Azure is deleting.
pub fn peerings(network: &Value) -> Vec<String> {
    let peerings = items(network, "/properties/virtualNetworkPeerings");
    let staying = peerings.filter(|one| provisioning_state(one) != ProvisioningState::Deleting);
    staying
        .filter_map(|one| text(one, "/id"))
        .map(str::to_owned)
        .collect()
}

/// # Errors
/// Where an id is missing.
pub fn parse(raw: Value) -> Result<VirtualNetwork, DocumentError> {
    let resource = resource(raw)?;
    let doc = &resource.raw;
    Ok(VirtualNetwork {
        address_space: prefixes(doc, "/properties/addressSpace/addressPrefixes"),
        transit_space: items(doc, "/properties/virtualNetworkPeerings")
            .flat_map(transit_prefixes)
            .collect(),
        subnets: items(doc, "/properties/subnets")
            .map(parse_subnet)
            .collect::<Result<_, _>>()?,
        resource,
    })
}

/// Ranges of a peering's other end, where that may use this network's gateway: the gateway
/// advertises them too.
fn transit_prefixes(peering: &Value) -> Vec<Ipv4Net> {
    let spaces = [
        "/properties/remoteVirtualNetworkAddressSpace",
        "/properties/remoteAddressSpace",
    ];
    let mut known = spaces
        .iter()
        .map(|space| prefixes(peering, &format!("{space}/addressPrefixes")));
    match flag(peering, "/properties/allowGatewayTransit") {
        true => known.find(|ranges| !ranges.is_empty()).unwrap_or_default(),
        false => Vec::new(),
    }
}

/// # Errors
/// Where id or name is missing.
pub fn parse_subnet(doc: &Value) -> Result<Subnet, DocumentError> {
    let single = text(doc, "/properties/addressPrefix").and_then(|v| v.parse().ok());
    Ok(Subnet {
        id: id(doc)?,
        name: text(doc, "/name")
            .ok_or_else(|| missing("/name", "a text"))?
            .to_owned(),
        prefix: single.or_else(|| {
            prefixes(doc, "/properties/addressPrefixes")
                .first()
                .copied()
        }),
        security_group: reference(doc, "/properties/networkSecurityGroup/id"),
        state: provisioning_state(doc),
        ip_configurations: items(doc, "/properties/ipConfigurations")
            .filter_map(|v| reference(v, "/id"))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn parse_gateway_subnet_and_skip_ipv6() {
        let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v";
        let network = parse(json!({"id": id, "location": "eastus", "properties": {
            "addressSpace": {"addressPrefixes": ["10.1.0.0/16", "fd00::/48"]},
            "subnets": [{"name": "GatewaySubnet", "id": format!("{id}/subnets/GatewaySubnet"),
                "properties": {"addressPrefixes": ["10.1.1.0/24"]}}]}}))
        .unwrap();
        assert_eq!(
            network.address_space,
            ["10.1.0.0/16".parse::<Ipv4Net>().unwrap()]
        );
        assert_eq!(
            network.subnets[0].prefix,
            Some("10.1.1.0/24".parse().unwrap())
        );
    }
}
