//! VPN gateways: read, built, and edited in place.
//!
//! A gateway may be shared with others, so an edit touches single addresses and never rewrites a
//! list.

use super::{
    DocumentError, addresses, flag, items, number, object_at, put, reference, resource, text,
};
use crate::azure::id::ResourceId;
use crate::azure::model::{Gateway, GatewayInstance};
use crate::types::{Asn, Tags};
use serde_json::{Value, json};
use std::net::Ipv4Addr;

/// The ASN of a gateway that is created without one.
const DEFAULT_ASN: Asn = Asn(65515);

/// An active-active, BGP-enabled, route-based gateway to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGateway {
    pub location: String,
    /// `VpnGw2AZ`.
    pub sku: String,
    /// `Generation2`.
    pub generation: String,
    pub asn: Asn,
    /// The `GatewaySubnet`.
    pub subnet_id: ResourceId,
    /// Position 0 is instance 0.
    pub instances: Vec<NewInstance>,
    pub tags: Tags,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewInstance {
    /// Name of the ipConfiguration.
    pub name: String,
    pub public_ip_id: ResourceId,
    pub custom_bgp_ips: Vec<Ipv4Addr>,
}

/// The id that an ipConfiguration of that name has, or will have.
pub fn ip_configuration_id(gateway: &ResourceId, name: &str) -> ResourceId {
    gateway.child("ipConfigurations", name)
}

impl NewGateway {
    /// `gateway` is the id that it will have: its ipConfigurations are referred to before they
    /// exist.
    pub fn body(&self, gateway: &ResourceId) -> Value {
        let configurations: Vec<Value> = self
            .instances
            .iter()
            .map(|instance| {
                json!({"name": instance.name, "properties": {
                    "privateIPAllocationMethod": "Dynamic",
                    "subnet": {"id": self.subnet_id},
                    "publicIPAddress": {"id": instance.public_ip_id},
                }})
            })
            .collect();
        let peering: Vec<Value> = self
            .instances
            .iter()
            .map(|instance| {
                json!({
                    "ipconfigurationId": ip_configuration_id(gateway, &instance.name),
                    "customBgpIpAddresses": instance.custom_bgp_ips,
                })
            })
            .collect();
        json!({
            "location": self.location,
            "tags": self.tags,
            "properties": {
                "gatewayType": "Vpn",
                "vpnType": "RouteBased",
                "vpnGatewayGeneration": self.generation,
                "sku": {"name": self.sku, "tier": self.sku},
                "activeActive": true,
                "enableBgp": true,
                "ipConfigurations": configurations,
                "bgpSettings": {"asn": self.asn, "bgpPeeringAddresses": peering},
            },
        })
    }
}

/// # Errors
/// Where an id is missing.
pub fn parse(raw: Value) -> Result<Gateway, DocumentError> {
    let resource = resource(raw)?;
    let doc = &resource.raw;
    let instance = |configuration: &Value| -> Result<GatewayInstance, DocumentError> {
        let id = super::id(configuration)?;
        let peering = items(doc, PEERING).find(|p| peering_id(p).as_ref() == Some(&id));
        let list = |key: &str| peering.map(|p| addresses(p, key)).unwrap_or_default();
        Ok(GatewayInstance {
            subnet_id: reference(configuration, "/properties/subnet/id"),
            public_ip_id: reference(configuration, "/properties/publicIPAddress/id"),
            custom_bgp_ips: list("/customBgpIpAddresses"),
            default_bgp_ips: list("/defaultBgpIpAddresses"),
            tunnel_ips: list("/tunnelIpAddresses"),
            ip_configuration_id: id,
        })
    };
    Ok(Gateway {
        gateway_type: text(doc, "/properties/gatewayType")
            .unwrap_or_default()
            .to_owned(),
        sku: text(doc, "/properties/sku/name")
            .unwrap_or_default()
            .to_owned(),
        generation: text(doc, "/properties/vpnGatewayGeneration")
            .unwrap_or_default()
            .to_owned(),
        active_active: flag(doc, "/properties/activeActive"),
        enable_bgp: flag(doc, "/properties/enableBgp"),
        asn: number(doc, "/properties/bgpSettings/asn").map_or(DEFAULT_ASN, Asn),
        instances: items(doc, "/properties/ipConfigurations")
            .take(INSTANCES)
            .map(instance)
            .collect::<Result<_, _>>()?,
        hides_radius_secret: hides_radius_secret(doc),
        resource,
    })
}

/// Instances of a gateway at most. What follows in `ipConfigurations` serves point-to-site clients.
const INSTANCES: usize = 2;

/// Whether a write of this document, as it was read, would lack a RADIUS server's secret. GET no
/// longer returns it (api-version 2025-01-01), and what Azure does with a PUT without it is not
/// documented.
pub fn hides_radius_secret(doc: &Value) -> bool {
    let Some(clients) = doc.pointer("/properties/vpnClientConfiguration") else {
        return false;
    };
    let set = |at: &Value, path: &str| text(at, path).is_some_and(|word| !word.is_empty());
    let lacks = |at: &Value| set(at, "/radiusServerAddress") && !set(at, "/radiusServerSecret");
    lacks(clients) || items(clients, "/radiusServers").any(lacks)
}

const PEERING: &str = "/properties/bgpSettings/bgpPeeringAddresses";

/// Small c in `ipconfigurationId` here; connections spell it otherwise.
fn peering_id(entry: &Value) -> Option<ResourceId> {
    reference(entry, "/ipconfigurationId")
}

/// Adds a custom BGP address to an instance, once. Others on it stay.
pub fn add_custom_bgp_ip(doc: &mut Value, ip_configuration: &ResourceId, ip: Ipv4Addr) {
    let Some(settings) = object_at(doc, &["properties", "bgpSettings"]) else {
        return;
    };
    let entries = settings
        .entry("bgpPeeringAddresses")
        .or_insert_with(|| json!([]));
    let Some(entries) = entries.as_array_mut() else {
        return;
    };
    let at = entries
        .iter()
        .position(|entry| peering_id(entry).as_ref() == Some(ip_configuration));
    match at.and_then(|at| entries.get_mut(at)) {
        Some(entry) if addresses(entry, "/customBgpIpAddresses").contains(&ip) => {}
        Some(entry) => match entry
            .get_mut("customBgpIpAddresses")
            .and_then(Value::as_array_mut)
        {
            Some(list) => list.push(json!(ip)),
            None => put(entry, &[], "customBgpIpAddresses", json!([ip])),
        },
        None => entries
            .push(json!({"ipconfigurationId": ip_configuration, "customBgpIpAddresses": [ip]})),
    }
}

/// Removes a custom BGP address from an instance. Others on it stay; absent is fine.
pub fn remove_custom_bgp_ip(doc: &mut Value, ip_configuration: &ResourceId, ip: Ipv4Addr) {
    let entries = doc
        .pointer_mut(PEERING)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten();
    for entry in entries.filter(|entry| peering_id(entry).as_ref() == Some(ip_configuration)) {
        if let Some(list) = entry
            .get_mut("customBgpIpAddresses")
            .and_then(Value::as_array_mut)
        {
            list.retain(|v| v.as_str().and_then(|t| t.parse::<Ipv4Addr>().ok()) != Some(ip));
        }
    }
}

/// Custom BGP addresses of one link that its gateway is to lose and to gain, each with the
/// ipConfiguration that lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressEdit {
    pub remove: Vec<(ResourceId, Ipv4Addr)>,
    pub add: Vec<(ResourceId, Ipv4Addr)>,
}

impl AddressEdit {
    /// Removes first, so that an address can move to the other instance.
    pub fn apply(&self, doc: &mut Value) {
        for (at, ip) in &self.remove {
            remove_custom_bgp_ip(doc, at, *ip);
        }
        for (at, ip) in &self.add {
            add_custom_bgp_ip(doc, at, *ip);
        }
    }

    /// Whether the document is already as wanted.
    pub fn is_applied(&self, doc: &Value) -> bool {
        let mut edited = doc.clone();
        self.apply(&mut edited);
        edited == *doc
    }

    pub fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.add.is_empty()
    }
}

pub fn set_asn(doc: &mut Value, asn: Asn) {
    put(doc, &["properties", "bgpSettings"], "asn", json!(asn));
}

/// Name and tier, which must be equal; the capacity belongs to the old SKU and goes.
pub fn set_sku(doc: &mut Value, sku: &str) {
    if text(doc, "/properties/sku/name") != Some(sku) {
        put(
            doc,
            &["properties"],
            "sku",
            json!({"name": sku, "tier": sku}),
        );
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn gateway_id() -> ResourceId {
        ResourceId::network("s", "g", "virtualNetworkGateways", "gw1")
    }

    fn recorded() -> Value {
        let id = gateway_id();
        let (a, b) = (ip_configuration_id(&id, "a"), ip_configuration_id(&id, "b"));
        json!({"id": id, "etag": "W/\"1\"", "location": "westus", "properties": {
            "provisioningState": "Succeeded", "novelty": 7,
            "ipConfigurations": [{"id": a, "name": "a", "properties": {}}, {"id": b, "name": "b", "properties": {}}],
            "sku": {"name": "VpnGw2AZ", "tier": "VpnGw2AZ", "capacity": 2},
            "gatewayType": "Vpn", "enableBgp": true, "activeActive": true,
            "bgpSettings": {"asn": 65010, "bgpPeeringAddress": "10.12.255.4,10.12.255.5", "peerWeight": 0,
                "bgpPeeringAddresses": [
                    {"ipconfigurationId": b.as_str().to_uppercase(), "defaultBgpIpAddresses": ["10.12.255.5"],
                     "customBgpIpAddresses": ["169.254.21.10"], "tunnelIpAddresses": ["20.245.107.114"]},
                    {"ipconfigurationId": a, "defaultBgpIpAddresses": ["10.12.255.4"],
                     "customBgpIpAddresses": [], "tunnelIpAddresses": ["20.245.106.71"]}]},
            "vpnGatewayGeneration": "Generation1"}})
    }

    #[test]
    fn join_instances_by_id_in_any_order_and_case() {
        let gateway = parse(recorded()).unwrap();
        assert_eq!(gateway.asn, Asn(65010));
        assert_eq!(
            gateway.instances[0].tunnel_ips,
            ["20.245.106.71".parse::<Ipv4Addr>().unwrap()]
        );
        assert_eq!(
            gateway.instances[1].custom_bgp_ips,
            ["169.254.21.10".parse::<Ipv4Addr>().unwrap()]
        );
    }

    #[test]
    fn add_address_keeps_foreign_and_unknown_properties() {
        let (mut doc, id) = (recorded(), gateway_id());
        let (a, b) = (ip_configuration_id(&id, "a"), ip_configuration_id(&id, "b"));
        let ip: Ipv4Addr = "169.254.21.2".parse().unwrap();
        add_custom_bgp_ip(&mut doc, &a, ip);
        add_custom_bgp_ip(&mut doc, &b, ip);
        add_custom_bgp_ip(&mut doc, &b, ip);
        let gateway = parse(doc.clone()).unwrap();
        assert_eq!(gateway.instances[0].custom_bgp_ips, [ip]);
        assert_eq!(
            gateway.instances[1].custom_bgp_ips,
            ["169.254.21.10".parse().unwrap(), ip]
        );
        assert_eq!(doc["properties"]["novelty"], 7);
        remove_custom_bgp_ip(&mut doc, &a, ip);
        remove_custom_bgp_ip(&mut doc, &b, ip);
        assert_eq!(doc, recorded());
    }

    #[test]
    fn parse_takes_two_instances_of_three_configurations() {
        let mut doc = recorded();
        let third =
            json!({"id": ip_configuration_id(&gateway_id(), "c"), "name": "c", "properties": {}});
        doc["properties"]["ipConfigurations"]
            .as_array_mut()
            .unwrap()
            .push(third);
        let gateway = parse(doc).unwrap();
        assert_eq!(gateway.instances.len(), 2);
        assert_eq!(gateway.instances[0].ip_configuration_id.name(), "a");
    }

    #[test]
    fn detect_radius_servers_without_secret() {
        let with = |clients: Value| {
            let mut doc = recorded();
            doc["properties"]["vpnClientConfiguration"] = clients;
            hides_radius_secret(&doc)
        };
        assert!(!hides_radius_secret(&recorded()));
        assert!(!with(
            json!({"vpnAuthenticationTypes": ["AAD"], "radiusServers": []})
        ));
        assert!(with(json!({"radiusServerAddress": "10.1.0.4"})));
        assert!(with(
            json!({"radiusServers": [{"radiusServerAddress": "10.1.0.4", "radiusServerScore": 1}]})
        ));
        assert!(!with(
            json!({"radiusServerAddress": "10.1.0.4", "radiusServerSecret": "s"})
        ));
    }

    #[test]
    fn edit_without_change_keeps_document_equal() {
        let mut doc = recorded();
        set_sku(&mut doc, "VpnGw2AZ");
        set_asn(&mut doc, Asn(65010));
        remove_custom_bgp_ip(&mut doc, &gateway_id(), "169.254.21.10".parse().unwrap());
        assert_eq!(doc, recorded());
    }

    #[test]
    fn parse_gateway_without_addresses_during_create() {
        let mut doc = recorded();
        doc["properties"]["bgpSettings"]["bgpPeeringAddresses"] = json!([]);
        assert!(
            parse(doc)
                .unwrap()
                .instances
                .iter()
                .all(|i| i.tunnel_ips.is_empty())
        );
    }
}
