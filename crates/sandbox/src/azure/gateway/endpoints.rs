//! The tunnel endpoints of the gateways, one for each connection and instance.

use crate::azure::bgp;
use crate::azure::ids::{Id, Kind};
use crate::azure::network::network_prefixes;
use crate::azure::resource::{Resource, text};
use crate::azure::service::AzureService;
use crate::dataplane::{AzureEndpoint, AzurePolicy};
use serde_json::Value;
use std::net::Ipv4Addr;

impl AzureService {
    /// What each connection was given, once per gateway instance.
    pub fn endpoints(&self) -> Vec<AzureEndpoint> {
        let mut endpoints = Vec::new();
        for connection in self.of_kind(Kind::Connection) {
            let resolve = |pointer: &str| {
                self.resources
                    .get(&connection.text(pointer)?.to_lowercase())
            };
            let (Some(gateway), Some(local)) = (
                resolve("/virtualNetworkGateway1/id"),
                resolve("/localNetworkGateway2/id"),
            ) else {
                continue;
            };
            let Some(peer_ip) = local
                .text("/gatewayIpAddress")
                .and_then(|ip| ip.parse().ok())
            else {
                continue;
            };
            let going = |r: &Resource| r.pending.as_ref().is_some_and(|pending| pending.vanish);
            let serving =
                gateway.ready && connection.ready && !going(gateway) && !going(connection);
            for (instance, configuration) in gateway.items("/ipConfigurations").iter().enumerate() {
                let name = text(configuration, "/name").unwrap_or_default();
                let public = text(configuration, "/properties/publicIPAddress/id");
                let public = public.and_then(|id| self.resources.get(&id.to_lowercase()));
                let Some(public_ip) = public.and_then(|public| public.address) else {
                    continue;
                };
                let number = |r: &Resource, pointer: &str| {
                    r.properties
                        .pointer(pointer)
                        .and_then(Value::as_u64)
                        .and_then(|n| u32::try_from(n).ok())
                };
                endpoints.push(AzureEndpoint {
                    connection_id: connection.id.to_string(),
                    gateway_id: gateway.id.to_string(),
                    instance,
                    ip_configuration_id: format!("{}/ipConfigurations/{name}", gateway.id),
                    public_ip,
                    bgp_ip: bgp::source(self, gateway, connection, instance),
                    next_hop: bgp::next_hop(self, gateway, connection, instance),
                    peer_ip,
                    peer_bgp_ip: local
                        .text("/bgpSettings/bgpPeeringAddress")
                        .and_then(|ip| ip.parse::<Ipv4Addr>().ok()),
                    peer_asn: number(local, "/bgpSettings/asn"),
                    asn: number(gateway, "/bgpSettings/asn").unwrap_or(bgp::DEFAULT_ASN),
                    shared_key: connection.secret.clone().unwrap_or_default(),
                    enable_bgp: connection.flag("/enableBgp") && gateway.flag("/enableBgp"),
                    connection_mode: connection
                        .text("/connectionMode")
                        .unwrap_or("Default")
                        .to_owned(),
                    policy: connection.items("/ipsecPolicies").first().map(policy),
                    serving,
                    announces: self
                        .network_of(gateway)
                        .map(network_prefixes)
                        .unwrap_or_default(),
                });
            }
        }
        endpoints
    }

    /// The virtual network in which a gateway stands.
    pub(in crate::azure) fn network_of(&self, gateway: &Resource) -> Option<&Resource> {
        let subnet = Id::parse(gateway.text("/ipConfigurations/0/properties/subnet/id")?)?;
        self.resources.get(&subnet.network()?.key())
    }
}

fn policy(value: &Value) -> AzurePolicy {
    let word = |name: &str| {
        value
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let number = |name: &str| {
        value
            .get(name)
            .and_then(Value::as_u64)
            .and_then(|n| u32::try_from(n).ok())
            .unwrap_or(0)
    };
    AzurePolicy {
        ike_encryption: word("ikeEncryption"),
        ike_integrity: word("ikeIntegrity"),
        dh_group: word("dhGroup"),
        ipsec_encryption: word("ipsecEncryption"),
        ipsec_integrity: word("ipsecIntegrity"),
        pfs_group: word("pfsGroup"),
        sa_life_time_seconds: number("saLifeTimeSeconds"),
        sa_data_size_kilobytes: number("saDataSizeKilobytes"),
    }
}
