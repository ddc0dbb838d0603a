//! Connections between a gateway and a local network gateway.

use super::{DocumentError, flag, items, number, put, reference, resource, text};
use crate::azure::id::ResourceId;
use crate::azure::model::{Connection, ConnectionMode, IpsecPolicy};
use crate::types::{PreSharedKey, Tags};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Azure's dead peer detection where none was asked for, in seconds ("About VPN gateway settings").
const DPD_DEFAULT: u32 = 45;

/// An IKEv2, BGP-enabled IPsec connection to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewConnection {
    pub location: String,
    pub gateway_id: ResourceId,
    pub local_gateway_id: ResourceId,
    /// Azure takes it from a create only; see `set_shared_key` for later.
    pub key: PreSharedKey,
    pub mode: ConnectionMode,
    pub dpd_timeout_seconds: u32,
    /// One custom BGP address for each ipConfiguration of the gateway.
    pub custom_bgp_ips: Vec<(ResourceId, Ipv4Addr)>,
    /// None: Azure's defaults.
    pub policy: Option<IpsecPolicy>,
    pub tags: Tags,
}

impl NewConnection {
    /// Holds the key in clear: for the request and nothing else.
    pub fn body(&self) -> Value {
        let mut body = json!({
            "location": self.location,
            "tags": self.tags,
            "properties": {
                "connectionType": "IPsec",
                "connectionProtocol": "IKEv2",
                "virtualNetworkGateway1": {"id": self.gateway_id, "properties": {}},
                "localNetworkGateway2": {"id": self.local_gateway_id, "properties": {}},
                "enableBgp": true,
                "usePolicyBasedTrafficSelectors": false,
                "sharedKey": self.key.expose_secret(),
            },
        });
        set_mode(&mut body, self.mode);
        set_dpd_timeout(&mut body, self.dpd_timeout_seconds);
        set_custom_bgp_ips(&mut body, &self.custom_bgp_ips);
        if let Some(policy) = &self.policy {
            set_policy(&mut body, Some(policy));
        }
        body
    }
}

/// # Errors
/// Where the id is missing, or the IPsec policy lacks a field.
pub fn parse(raw: Value) -> Result<Connection, DocumentError> {
    let resource = resource(raw)?;
    let doc = &resource.raw;
    let policy = items(doc, "/properties/ipsecPolicies")
        .next()
        .map(|v| serde_json::from_value(v.clone()))
        .transpose()
        .map_err(|_| {
            super::missing(
                "/properties/ipsecPolicies/0",
                "an IPsec policy of eight fields",
            )
        })?;
    let mode = match text(doc, "/properties/connectionMode") {
        Some("InitiatorOnly") => ConnectionMode::InitiatorOnly,
        Some("ResponderOnly") => ConnectionMode::ResponderOnly,
        _ => ConnectionMode::Default,
    };
    Ok(Connection {
        gateway_id: reference(doc, "/properties/virtualNetworkGateway1/id"),
        local_gateway_id: reference(doc, "/properties/localNetworkGateway2/id"),
        connection_type: text(doc, "/properties/connectionType")
            .unwrap_or_default()
            .to_owned(),
        protocol: text(doc, "/properties/connectionProtocol").map(str::to_owned),
        enable_bgp: flag(doc, "/properties/enableBgp"),
        mode,
        // 0, or nothing, is what a connection shows whose timeout was never set.
        dpd_timeout_seconds: number(doc, "/properties/dpdTimeoutSeconds")
            .filter(|s| *s > 0)
            .unwrap_or(DPD_DEFAULT),
        custom_bgp_ips: items(doc, CUSTOM_BGP_IPS)
            .filter_map(custom_bgp_ip)
            .collect(),
        policy,
        policy_based_selectors: flag(doc, "/properties/usePolicyBasedTrafficSelectors"),
        traffic_selectors: items(doc, "/properties/trafficSelectorPolicies").count(),
        status: text(doc, "/properties/connectionStatus").map(str::to_owned),
        resource,
    })
}

const CUSTOM_BGP_IPS: &str = "/properties/gatewayCustomBgpIpAddresses";

fn custom_bgp_ip(entry: &Value) -> Option<(ResourceId, Ipv4Addr)> {
    let ip = text(entry, "/customBgpIpAddress")?.parse().ok()?;
    Some((reference(entry, "/ipConfigurationId")?, ip))
}

pub fn set_mode(doc: &mut Value, mode: ConnectionMode) {
    put(doc, &["properties"], "connectionMode", json!(mode));
}

pub fn set_dpd_timeout(doc: &mut Value, seconds: u32) {
    put(doc, &["properties"], "dpdTimeoutSeconds", json!(seconds));
}

pub fn set_enable_bgp(doc: &mut Value, on: bool) {
    put(doc, &["properties"], "enableBgp", json!(on));
}

/// Points the connection at another local network gateway.
pub fn set_local_gateway(doc: &mut Value, id: &ResourceId) {
    if reference(doc, "/properties/localNetworkGateway2/id").as_ref() != Some(id) {
        put(
            doc,
            &["properties"],
            "localNetworkGateway2",
            json!({"id": id, "properties": {}}),
        );
    }
}

/// Replaces the list: it belongs to this connection alone. Capital C in `ipConfigurationId` here.
/// A list with the same entries stays as it is: Azure returns it in any order and letter case.
pub fn set_custom_bgp_ips(doc: &mut Value, ips: &[(ResourceId, Ipv4Addr)]) {
    let listed: BTreeSet<_> = items(doc, CUSTOM_BGP_IPS)
        .filter_map(custom_bgp_ip)
        .collect();
    if listed == ips.iter().cloned().collect() {
        return;
    }
    let list: Vec<Value> = ips
        .iter()
        .map(|(id, ip)| json!({"ipConfigurationId": id, "customBgpIpAddress": ip}))
        .collect();
    put(
        doc,
        &["properties"],
        "gatewayCustomBgpIpAddresses",
        json!(list),
    );
}

/// None goes back to Azure's defaults.
pub fn set_policy(doc: &mut Value, policy: Option<&IpsecPolicy>) {
    let list: Vec<Value> = policy.map(|policy| json!(policy)).into_iter().collect();
    put(doc, &["properties"], "ipsecPolicies", json!(list));
}

/// Takes the traffic selectors back to 0.0.0.0/0, where a document has others.
pub fn clear_traffic_selectors(doc: &mut Value) {
    if flag(doc, "/properties/usePolicyBasedTrafficSelectors") {
        put(
            doc,
            &["properties"],
            "usePolicyBasedTrafficSelectors",
            json!(false),
        );
    }
    if items(doc, "/properties/trafficSelectorPolicies")
        .next()
        .is_some()
    {
        put(doc, &["properties"], "trafficSelectorPolicies", json!([]));
    }
}

/// Body of the write of a shared key.
pub fn key_body(key: &PreSharedKey) -> Value {
    json!({"value": key.expose_secret()})
}

/// The key in the answer of `GET .../sharedkey`; None where the connection has none.
pub fn parse_key(doc: &Value) -> Option<PreSharedKey> {
    text(doc, "/value")
        .filter(|key| !key.is_empty())
        .map(PreSharedKey::from_cloud)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn new() -> NewConnection {
        let gateway = ResourceId::network("s", "g", "virtualNetworkGateways", "gw");
        NewConnection {
            location: "eastus".into(),
            local_gateway_id: ResourceId::network("s", "g", "localNetworkGateways", "l"),
            key: PreSharedKey::from_cloud("Sesame.open_1"),
            mode: ConnectionMode::ResponderOnly,
            dpd_timeout_seconds: 45,
            custom_bgp_ips: vec![
                (
                    gateway.child("ipConfigurations", "a"),
                    "169.254.21.2".parse().unwrap(),
                ),
                (
                    gateway.child("ipConfigurations", "b"),
                    "169.254.21.6".parse().unwrap(),
                ),
            ],
            policy: None,
            tags: Tags::new(),
            gateway_id: gateway,
        }
    }

    #[test]
    fn connection_round_trips_without_key() {
        let mut doc = new().body();
        put(
            &mut doc,
            &[],
            "id",
            json!(ResourceId::network("s", "g", "connections", "c")),
        );
        let read = parse(doc).unwrap();
        assert_eq!(read.custom_bgp_ips, new().custom_bgp_ips);
        assert_eq!(
            (read.mode, read.dpd_timeout_seconds),
            (ConnectionMode::ResponderOnly, 45)
        );
        assert_eq!(
            (read.gateway_id, read.policy.clone()),
            (Some(new().gateway_id), None)
        );
        assert!(!format!("{:?}{:?}", read.resource, new()).contains("Sesame"));
    }

    #[test]
    fn equal_addresses_in_another_order_and_case_change_nothing() {
        let mut doc = new().body();
        let list = doc["properties"]["gatewayCustomBgpIpAddresses"]
            .as_array_mut()
            .unwrap();
        list.reverse();
        let id = list[0]["ipConfigurationId"]
            .as_str()
            .unwrap()
            .to_uppercase();
        list[0]["ipConfigurationId"] = json!(id);
        let before = doc.clone();
        set_custom_bgp_ips(&mut doc, &new().custom_bgp_ips);
        assert_eq!(doc, before);
        set_custom_bgp_ips(&mut doc, &new().custom_bgp_ips[..1]);
        assert_ne!(doc, before);
    }

    #[test]
    fn clear_removes_narrowed_traffic_selectors() {
        let mut doc = new().body();
        put(
            &mut doc,
            &[],
            "id",
            json!(ResourceId::network("s", "g", "connections", "c")),
        );
        let plain = doc.clone();
        clear_traffic_selectors(&mut doc);
        assert_eq!(doc, plain, "nothing is written where nothing is narrowed");
        let ranges = json!([{"localAddressRanges": ["10.1.0.0/16"], "remoteAddressRanges": ["10.2.0.0/16"]}]);
        put(&mut doc, &["properties"], "trafficSelectorPolicies", ranges);
        put(
            &mut doc,
            &["properties"],
            "usePolicyBasedTrafficSelectors",
            json!(true),
        );
        let read = parse(doc.clone()).unwrap();
        assert_eq!(
            (read.policy_based_selectors, read.traffic_selectors),
            (true, 1)
        );
        clear_traffic_selectors(&mut doc);
        let read = parse(doc).unwrap();
        assert_eq!(
            (read.policy_based_selectors, read.traffic_selectors),
            (false, 0)
        );
    }

    #[test]
    fn policy_round_trips_with_all_eight_fields() {
        let policy = IpsecPolicy {
            sa_life_time_seconds: 3600,
            sa_data_size_kilobytes: 2_147_483_647,
            ipsec_encryption: "GCMAES256".into(),
            ipsec_integrity: "GCMAES256".into(),
            ike_encryption: "AES256".into(),
            ike_integrity: "SHA384".into(),
            dh_group: "ECP384".into(),
            pfs_group: "ECP384".into(),
        };
        let mut doc = new().body();
        put(
            &mut doc,
            &[],
            "id",
            json!(ResourceId::network("s", "g", "connections", "c")),
        );
        set_policy(&mut doc, Some(&policy));
        assert_eq!(parse(doc.clone()).unwrap().policy, Some(policy));
        set_policy(&mut doc, None);
        assert_eq!(parse(doc).unwrap().policy, None);
    }
}
