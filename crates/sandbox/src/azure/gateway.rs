//! Virtual network gateways: SKU, generation, zones, ipConfigurations; what their PUT refuses and
//! what it fills in.

use super::bgp;
use super::errors::{self, ApiError, unrecorded};
use super::ids::{Id, Kind};
use super::locations;
use super::network::{network_prefixes, subnet_prefix};
use super::resource::{self, Object, Resource, fill, reference, text};
use super::resource_ops::{self, ValidatedPut};
use super::service::AzureService;
use crate::dataplane::{AzureEndpoint, AzurePolicy};
use crate::time::SimDuration;
use crate::world::Context;
use serde_json::{Value, json};
use std::net::Ipv4Addr;

const CREATE: (SimDuration, SimDuration) = (SimDuration::minutes(25), SimDuration::minutes(35));
const UPDATE: (SimDuration, SimDuration) = (SimDuration::seconds(150), SimDuration::minutes(8));
const CHANGE_SKU: (SimDuration, SimDuration) = (SimDuration::minutes(10), SimDuration::minutes(20));

/// Name, generations, most connections.
const SKUS: [(&str, &[u8], usize); 5] = [
    ("VpnGw1AZ", &[1], 30),
    ("VpnGw2AZ", &[1, 2], 30),
    ("VpnGw3AZ", &[1, 2], 30),
    ("VpnGw4AZ", &[2], 100),
    ("VpnGw5AZ", &[2], 100),
];

/// How many connections a gateway's SKU allows.
pub(super) fn capacity(gateway: &Resource) -> usize {
    let name = gateway.text("/sku/name").unwrap_or_default();
    SKUS.iter()
        .find(|(sku, ..)| *sku == name)
        .map_or(30, |(.., most)| *most)
}

/// Names of the ipConfigurations, in order; their position is the instance's number.
pub(super) fn configurations(gateway: &Resource) -> impl Iterator<Item = &str> {
    gateway
        .items("/ipConfigurations")
        .iter()
        .filter_map(|c| text(c, "/name"))
}

impl AzureService {
    pub(super) fn validate_gateway(
        &self,
        id: &Id,
        body: &Object,
        location: &str,
        existing: Option<&Resource>,
        cx: &mut Context<'_>,
    ) -> Result<ValidatedPut, ApiError> {
        let mut properties = resource_ops::properties(body);
        for computed in [
            "provisioningState",
            "resourceGuid",
            "packetCaptureDiagnosticState",
            "inboundDnsForwardingEndpoint",
        ] {
            properties.remove(computed);
        }
        fill(
            &mut properties,
            json!({"gatewayType": "Vpn", "vpnType": "RouteBased", "enableBgp": false, "activeActive": false,
                "enablePrivateIpAddress": false, "isMigrateToCSES": false, "natRules": [],
                "virtualNetworkGatewayPolicyGroups": [], "enableBgpRouteTranslationForNat": false,
                "disableIPSecReplayProtection": false}),
        );
        let document = Value::Object(properties.clone());
        if text(&document, "/gatewayType") != Some("Vpn")
            || text(&document, "/vpnType") != Some("RouteBased")
        {
            return Err(unrecorded(
                "Only gateways of gatewayType Vpn and vpnType RouteBased are served here.",
            ));
        }
        let sku = check_sku(&mut properties, existing)?;
        let generation = check_generation(&mut properties, &sku, existing)?;
        if generation == "Generation1" && (sku == "VpnGw4AZ" || sku == "VpnGw5AZ") {
            return Err(unrecorded(format!(
                "SKU {sku} is not supported in Generation1."
            )));
        }
        let names = self.check_configurations(id, &mut properties, &sku, location, existing, cx)?;
        let active = document.pointer("/activeActive") == Some(&Value::Bool(true));
        let wanted = if document
            .pointer("/vpnClientConfiguration/vpnClientAddressPool")
            .is_some()
        {
            2..=3
        } else {
            2..=2
        };
        if (active && !wanted.contains(&names.len())) || (!active && names.len() != 1) {
            return Err(unrecorded(format!(
                "Gateway {id} has {} ipConfigurations: an active-active gateway needs two, any other one.",
                names.len()
            )));
        }
        if sku == "Basic" && (active || document.pointer("/enableBgp") == Some(&Value::Bool(true)))
        {
            return Err(unrecorded(
                "SKU Basic supports neither BGP nor active-active mode.",
            ));
        }
        bgp::normalize(id, &mut properties, &names)?;
        bgp::check_used(self, id, &Value::Object(properties.clone()))?;
        let changes_sku =
            existing.is_some_and(|existing| existing.text("/sku/name") != Some(sku.as_str()));
        let range = match existing {
            Some(gateway) if gateway.ready => {
                if changes_sku {
                    CHANGE_SKU
                } else {
                    UPDATE
                }
            }
            _ => CREATE,
        };
        let mut draft = ValidatedPut::new(properties, cx.rng.duration(range.0, range.1));
        draft.lock = Some(id.key());
        Ok(draft)
    }

    /// Checks every ipConfiguration with the subnet and the public IP it names, and gives their
    /// names.
    fn check_configurations(
        &self,
        id: &Id,
        properties: &mut Object,
        sku: &str,
        location: &str,
        existing: Option<&Resource>,
        cx: &mut Context<'_>,
    ) -> Result<Vec<String>, ApiError> {
        let sent = Value::Object(properties.clone());
        let mut kept: Vec<Value> = Vec::new();
        let mut names: Vec<String> = Vec::new();
        let mut first: Option<&Resource> = None;
        for configuration in resource::items(&sent, "/ipConfigurations") {
            let name = text(configuration, "/name").unwrap_or("default").to_owned();
            let subnet = text(configuration, "/properties/subnet/id").ok_or_else(|| {
                errors::request_format(format!("ipConfiguration {name} has no subnet"))
            })?;
            let address =
                text(configuration, "/properties/publicIPAddress/id").ok_or_else(|| {
                    ApiError::bad(
                        "PublicIpForGatewayIsRequired",
                        format!(
                            "A public IP is required for gateway {id}, ipConfiguration {name}."
                        ),
                    )
                })?;
            self.check_subnet_of_gateway(id, subnet, location, cx)?;
            let found = Id::parse(address).and_then(|id| self.resources.get(&id.key()));
            let public = found.filter(|p| p.id.kind == Kind::PublicIp && p.location == location);
            let public = public.ok_or_else(|| errors::bad_reference(id, address))?;
            self.check_public_ip_of_gateway(id, public, sku, first, cx)?;
            first = first.or(Some(public));
            if names.iter().any(|other| other.eq_ignore_ascii_case(&name))
                || kept.iter().any(|k| {
                    text(k, "/properties/publicIPAddress/id")
                        .is_some_and(|a| a.eq_ignore_ascii_case(address))
                })
            {
                return Err(unrecorded(format!(
                    "ipConfiguration {name} of {id} repeats a name or a public IP."
                )));
            }
            kept.push(
                json!({"name": name, "properties": {"privateIPAllocationMethod": "Dynamic",
                "publicIPAddress": reference(address), "subnet": reference(subnet)}}),
            );
            names.push(name);
        }
        if names.is_empty() {
            return Err(errors::request_format(
                "ipConfigurations: at least one is required",
            ));
        }
        if let Some(existing) = existing.filter(|gateway| gateway.ready) {
            let same = |a: &Value, b: &Value| a.to_string().eq_ignore_ascii_case(&b.to_string());
            let named =
                |a: &Value, b: &Value| same(&json!(text(a, "/name")), &json!(text(b, "/name")));
            // Seen in a recording: one goes when the gateway stops being active-active.
            let active = sent.pointer("/activeActive") == Some(&Value::Bool(true));
            let altered = |old: &Value| match kept.iter().find(|new| named(old, new)) {
                Some(new) => !same(old, new),
                None => active,
            };
            if existing.items("/ipConfigurations").iter().any(altered) {
                return Err(unrecorded(format!(
                    "The ipConfigurations of gateway {id} cannot be changed or removed."
                )));
            }
        }
        properties.insert("ipConfigurations".into(), kept.into());
        Ok(names)
    }

    fn check_subnet_of_gateway(
        &self,
        id: &Id,
        subnet: &str,
        location: &str,
        cx: &mut Context<'_>,
    ) -> Result<(), ApiError> {
        let found = Id::parse(subnet).and_then(|id| self.resources.get(&id.key()));
        let resource = found.filter(|r| r.id.kind == Kind::Subnet && r.location == location);
        let resource = resource.ok_or_else(|| errors::bad_reference(id, subnet))?;
        if !resource.id.name.eq_ignore_ascii_case("GatewaySubnet") {
            return Err(unrecorded(format!(
                "The subnet of gateway {id} must be named GatewaySubnet, not {}.",
                resource.id.name
            )));
        }
        if subnet_prefix(&resource.properties).is_none_or(|prefix| prefix.prefix_len() > 29) {
            return Err(unrecorded(format!(
                "Subnet {subnet} is too small for a gateway: /29 is the least."
            )));
        }
        if let Some(network) = resource
            .id
            .network()
            .and_then(|network| self.resources.get(&network.key()))
        {
            self.require_provisioned(id, network, cx)?;
        }
        self.require_provisioned(id, resource, cx)?;
        let own = id.key();
        let users = self.users(&resource.id.key(), "/properties/subnet/id");
        match users
            .iter()
            .find(|user| !user.to_lowercase().starts_with(&format!("{own}/")))
        {
            Some(other) => Err(unrecorded(format!(
                "Virtual network of subnet {subnet} already has a gateway of type Vpn, {other}: one is the most."
            ))),
            None => Ok(()),
        }
    }

    fn check_public_ip_of_gateway(
        &self,
        id: &Id,
        public: &Resource,
        sku: &str,
        first: Option<&Resource>,
        cx: &mut Context<'_>,
    ) -> Result<(), ApiError> {
        let standard = public.top.get("sku").and_then(|sku| text(sku, "/name")) != Some("Basic");
        if !standard && sku != "Basic" {
            return Err(ApiError::bad(
                "PublicIpWithBasicSkuNotAllowedOnVPNGateways",
                format!(
                    "Basic IP configuration for VPN Virtual Network Gateways is not supported: {}.",
                    public.id
                ),
            ));
        }
        let zonal = !locations::zones_of(&public.location).is_empty();
        if sku.ends_with("AZ") && zonal && !public.top.contains_key("zones") {
            return Err(ApiError::bad(
                "VmssVpnGatewayPublicIpsMustHaveZonesConfigured",
                format!(
                    "Standard public IPs associated with VPN gateways of AZ SKUs must have zones configured: {}.",
                    public.id
                ),
            ));
        }
        if let Some(first) = first
            && ["sku", "zones"]
                .iter()
                .any(|member| first.top.get(*member) != public.top.get(*member))
        {
            return Err(ApiError::bad(
                "ActiveActiveGatewayPublicIPAddressesDiffersInSkuOrZones",
                format!(
                    "Public IPs {} and {} of active-active gateway {id} differ in SKU or zones.",
                    first.id, public.id
                ),
            ));
        }
        let own = format!("{}/", id.key());
        let users = self.users(&public.id.key(), "/properties/publicIPAddress/id");
        if let Some(other) = users
            .iter()
            .find(|user| !user.to_lowercase().starts_with(&own))
        {
            return Err(ApiError::bad(
                "PublicIPAddressInUse",
                format!("Public IP {} is already in use by {other}.", public.id),
            ));
        }
        self.require_provisioned(id, public, cx)
    }

    pub(super) fn render_gateway(
        &self,
        gateway: &Resource,
        mut document: Value,
        cx: &mut Context<'_>,
    ) -> Value {
        let settings = bgp::render(self, gateway, cx);
        let creating = !gateway.ready;
        if let Some(properties) = document
            .pointer_mut("/properties")
            .and_then(Value::as_object_mut)
        {
            for configuration in properties
                .get_mut("ipConfigurations")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                let name = text(configuration, "/name").unwrap_or_default().to_owned();
                if let Some(configuration) = configuration.as_object_mut() {
                    configuration.insert(
                        "id".into(),
                        format!("{}/ipConfigurations/{name}", gateway.id).into(),
                    );
                    configuration.insert("etag".into(), gateway.etag.clone().into());
                    configuration.insert(
                        "type".into(),
                        "Microsoft.Network/virtualNetworkGateways/ipConfigurations".into(),
                    );
                    if let Some(own) = configuration
                        .get_mut("properties")
                        .and_then(Value::as_object_mut)
                    {
                        own.insert("provisioningState".into(), gateway.state.word().into());
                    }
                }
            }
            properties.insert("packetCaptureDiagnosticState".into(), "None".into());
            hide_radius_secrets(properties);
            properties.insert("bgpSettings".into(), settings);
            if let Some(sku) = properties.get_mut("sku").and_then(Value::as_object_mut) {
                sku.insert("capacity".into(), 2.into());
            }
            if creating && !properties.contains_key("vpnClientConfiguration") {
                properties.insert(
                    "vpnClientConfiguration".into(),
                    json!({"vpnClientProtocols": ["OpenVPN", "IkeV2"], "vpnAuthenticationTypes": [],
                        "vpnClientRootCertificates": [], "vpnClientRevokedCertificates": [],
                        "vngClientConnectionConfigurations": [], "radiusServers": [], "vpnClientIpsecPolicies": []}),
                );
            }
        }
        document
    }

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
    pub(super) fn network_of(&self, gateway: &Resource) -> Option<&Resource> {
        let subnet = Id::parse(gateway.text("/ipConfigurations/0/properties/subnet/id")?)?;
        self.resources.get(&subnet.network()?.key())
    }
}

/// A RADIUS server's secret can be written and never read (api-version 2025-01-01). What a PUT
/// omits is gone.
fn hide_radius_secrets(properties: &mut Object) {
    let Some(clients) = properties
        .get_mut("vpnClientConfiguration")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    clients.remove("radiusServerSecret");
    for server in clients
        .get_mut("radiusServers")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Some(server) = server.as_object_mut() {
            server.remove("radiusServerSecret");
        }
    }
}

/// Whether each RADIUS server of a gateway's point-to-site clients has a secret; None without
/// RADIUS.
pub(super) fn has_radius_secrets(gateway: &Resource) -> Option<bool> {
    let clients = gateway.properties.pointer("/vpnClientConfiguration")?;
    let set = |at: &Value, pointer: &str| text(at, pointer).is_some_and(|word| !word.is_empty());
    let single = set(clients, "/radiusServerAddress").then(|| set(clients, "/radiusServerSecret"));
    let servers = resource::items(clients, "/radiusServers")
        .iter()
        .map(|s| set(s, "/radiusServerSecret"));
    single
        .into_iter()
        .chain(servers)
        .reduce(|all, one| all && one)
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

/// The SKU's name, once it is one that a gateway may be made with or keep.
fn check_sku(properties: &mut Object, existing: Option<&Resource>) -> Result<String, ApiError> {
    let sku = properties.get("sku").cloned().unwrap_or_else(|| json!({}));
    let name = text(&sku, "/name").ok_or_else(|| {
        ApiError::bad(
            "InvalidGatewaySkuSpecified",
            "The gateway's SKU has no name.",
        )
    })?;
    if text(&sku, "/tier").is_some_and(|tier| tier != name) {
        return Err(ApiError::bad(
            "InvalidGatewaySkuSpecified",
            format!("Name and tier of the gateway's SKU differ: {sku}."),
        ));
    }
    let before = existing.and_then(|gateway| gateway.text("/sku/name"));
    let known = name == "Basic" || SKUS.iter().any(|(sku, ..)| *sku == name);
    let old = SKUS
        .iter()
        .any(|(sku, ..)| sku.strip_suffix("AZ") == Some(name));
    if old && before != Some(name) {
        return Err(ApiError::bad(
            "NonAzSkusNotAllowedForVPNGateway",
            format!(
                "VpnGw1-5 non-AZ SKUs are no longer supported for new VPN gateways. Use an AZ SKU instead of {name}."
            ),
        ));
    }
    if !known && before != Some(name) {
        return Err(ApiError::bad(
            "InvalidGatewaySkuSpecified",
            format!("The gateway SKU '{name}' is not valid."),
        ));
    }
    if before.is_some_and(|before| (before == "Basic") != (name == "Basic")) {
        return Err(ApiError::bad(
            "InvalidGatewaySkuSpecified",
            "A gateway of SKU Basic cannot be resized to or from another SKU.",
        ));
    }
    let name = name.to_owned();
    properties.insert("sku".into(), json!({"name": name, "tier": name}));
    Ok(name)
}

/// The generation: by default the first that the SKU has; it can never change.
fn check_generation(
    properties: &mut Object,
    sku: &str,
    existing: Option<&Resource>,
) -> Result<String, ApiError> {
    let had = |sku: &&(&str, &[u8], usize), name: &str| sku.0 == name;
    let first = SKUS
        .iter()
        .find(|row| had(row, sku))
        .and_then(|(_, generations, _)| generations.first())
        .copied()
        .unwrap_or(1);
    let before = existing.and_then(|gateway| gateway.text("/vpnGatewayGeneration"));
    let said = properties
        .get("vpnGatewayGeneration")
        .and_then(Value::as_str)
        .filter(|said| *said != "None");
    let generation = said
        .or(before)
        .map_or_else(|| format!("Generation{first}"), str::to_owned);
    let allowed = SKUS
        .iter()
        .find(|row| had(row, sku))
        .is_none_or(|(_, generations, _)| {
            generations
                .iter()
                .any(|number| generation == format!("Generation{number}"))
        });
    if !allowed || !matches!(generation.as_str(), "Generation1" | "Generation2") {
        return Err(unrecorded(format!(
            "SKU {sku} is not supported with vpnGatewayGeneration {generation}."
        )));
    }
    if before.is_some_and(|before| before != generation) {
        return Err(unrecorded(format!(
            "The vpnGatewayGeneration of a gateway cannot be changed to {generation}."
        )));
    }
    properties.insert("vpnGatewayGeneration".into(), generation.clone().into());
    Ok(generation)
}
