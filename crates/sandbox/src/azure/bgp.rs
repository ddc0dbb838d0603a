//! A gateway's `bgpSettings`: its ASN, and for each instance the default and the custom (APIPA)
//! peering addresses.

use super::errors::{ApiError, unrecorded};
use super::gateway::configurations;
use super::ids::Id;
use super::network::subnet_prefix;
use super::resource::{self, Object, Resource, fill, text};
use super::service::AzureService;
use crate::world::Context;
use serde_json::{Value, json};
use std::net::Ipv4Addr;

/// The ASN of a gateway whose document names none.
pub(super) const DEFAULT_ASN: u32 = 65_515;

/// Whether IANA has reserved this ASN, so that a gateway refuses it.
fn reserved(asn: u64) -> bool {
    matches!(asn, 0 | 23_456 | 64_496..=64_511 | 65_535..=65_551 | 4_294_967_295..)
}

/// Azure's APIPA range, the same in every cloud.
fn apipa(address: Ipv4Addr) -> bool {
    (Ipv4Addr::new(169, 254, 21, 0)..=Ipv4Addr::new(169, 254, 22, 255)).contains(&address)
}

/// Normalises the settings of a PUT: an entry for each ipConfiguration, in their order, with its
/// custom addresses.
pub(super) fn normalize(
    id: &Id,
    properties: &mut Object,
    names: &[String],
) -> Result<(), ApiError> {
    let mut settings = properties
        .get("bgpSettings")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    fill(&mut settings, json!({"asn": DEFAULT_ASN, "peerWeight": 0}));
    settings.remove("bgpPeeringAddress");
    let asn = settings.get("asn").and_then(Value::as_u64).unwrap_or(0);
    if reserved(asn) {
        return Err(unrecorded(format!(
            "ASN {asn} is reserved and cannot be used for gateway {id}."
        )));
    }
    let sent = Value::Object(settings.clone());
    let mut taken: Vec<Ipv4Addr> = Vec::new();
    let mut custom: Vec<Vec<String>> = names.iter().map(|_| Vec::new()).collect();
    for entry in resource::items(&sent, "/bgpPeeringAddresses") {
        let configuration = text(entry, "/ipconfigurationId").unwrap_or_default();
        let position = names.iter().position(|name| {
            configuration.eq_ignore_ascii_case(&format!("{id}/ipConfigurations/{name}"))
        });
        let Some(own) = position.and_then(|position| custom.get_mut(position)) else {
            return Err(unrecorded(format!(
                "bgpPeeringAddresses: '{configuration}' is none of the ipConfigurations of gateway {id}."
            )));
        };
        for address in resource::items(entry, "/customBgpIpAddresses") {
            let parsed = address
                .as_str()
                .and_then(|text| text.parse::<Ipv4Addr>().ok())
                .filter(|ip| apipa(*ip));
            let Some(parsed) = parsed else {
                return Err(unrecorded(format!(
                    "Custom BGP address {address} of {configuration} is not within 169.254.21.0 - 169.254.22.255."
                )));
            };
            if taken.contains(&parsed) {
                return Err(unrecorded(format!(
                    "Custom BGP address {parsed} is given twice on gateway {id}."
                )));
            }
            taken.push(parsed);
            own.push(parsed.to_string());
        }
    }
    let entries: Vec<Value> = names
        .iter()
        .zip(custom)
        .map(|(name, custom)| {
            json!({"ipconfigurationId": format!("{id}/ipConfigurations/{name}"), "customBgpIpAddresses": custom})
        })
        .collect();
    settings.insert("bgpPeeringAddresses".into(), entries.into());
    properties.insert("bgpSettings".into(), settings.into());
    Ok(())
}

/// Refuses to take away a custom address that a connection names.
pub(super) fn check_used(
    cloud: &AzureService,
    id: &Id,
    properties: &Value,
) -> Result<(), ApiError> {
    let key = id.key();
    for connection in cloud.connections_of(&key) {
        for used in connection.items("/gatewayCustomBgpIpAddresses") {
            let address = text(used, "/customBgpIpAddress").unwrap_or_default();
            let configuration = text(used, "/ipConfigurationId").unwrap_or_default();
            if !custom(properties, "/bgpSettings", configuration).any(|own| own == address) {
                return Err(unrecorded(format!(
                    "Custom BGP address {address} cannot be removed from gateway {id}: connection {} uses it.",
                    connection.id
                )));
            }
        }
    }
    Ok(())
}

/// The custom addresses of one ipConfiguration; `settings` points to the bgpSettings.
fn custom<'a>(
    document: &'a Value,
    settings: &str,
    configuration: &'a str,
) -> impl Iterator<Item = &'a str> {
    let entries = resource::items(document, &format!("{settings}/bgpPeeringAddresses"));
    let own = entries.iter().filter(move |entry| {
        text(entry, "/ipconfigurationId").is_some_and(|id| id.eq_ignore_ascii_case(configuration))
    });
    own.flat_map(|entry| resource::items(entry, "/customBgpIpAddresses"))
        .filter_map(Value::as_str)
}

/// Whether a gateway has this custom address on that ipConfiguration.
pub(super) fn has_custom(gateway: &Resource, configuration: &str, address: &str) -> bool {
    custom(&gateway.properties, "/bgpSettings", configuration).any(|own| own == address)
}

/// An instance's address in the gateway subnet: recorded as the fourth and fifth of 10.12.255.0/27.
pub(super) fn default_address(
    cloud: &AzureService,
    gateway: &Resource,
    instance: usize,
) -> Option<Ipv4Addr> {
    let pointer = format!("/ipConfigurations/{instance}/properties/subnet/id");
    let subnet = cloud
        .resources
        .get(&gateway.text(&pointer)?.to_lowercase())?;
    let offset = 4 + u32::try_from(instance).ok()?;
    Some(Ipv4Addr::from(
        u32::from(subnet_prefix(&subnet.properties)?.network()).checked_add(offset)?,
    ))
}

/// From which address an instance speaks BGP on a connection: the connection's custom one for it,
/// else the instance's first custom one, else its default.
pub(super) fn source(
    cloud: &AzureService,
    gateway: &Resource,
    connection: &Resource,
    instance: usize,
) -> Option<Ipv4Addr> {
    let name = configurations(gateway).nth(instance)?;
    let id = format!("{}/ipConfigurations/{name}", gateway.id);
    let chosen = connection
        .items("/gatewayCustomBgpIpAddresses")
        .iter()
        .find_map(|entry| {
            text(entry, "/ipConfigurationId").filter(|own| own.eq_ignore_ascii_case(&id))?;
            text(entry, "/customBgpIpAddress")
        });
    match chosen {
        Some(address) => address.parse().ok(),
        None => {
            first_custom(gateway, instance).or_else(|| default_address(cloud, gateway, instance))
        }
    }
}

/// The next hop of an instance's announcements: its first custom address, on the sessions of all
/// connections. Only an instance without any announces the address that it speaks from.
pub(super) fn next_hop(
    cloud: &AzureService,
    gateway: &Resource,
    connection: &Resource,
    instance: usize,
) -> Option<Ipv4Addr> {
    first_custom(gateway, instance).or_else(|| source(cloud, gateway, connection, instance))
}

fn first_custom(gateway: &Resource, instance: usize) -> Option<Ipv4Addr> {
    let name = configurations(gateway).nth(instance)?;
    let id = format!("{}/ipConfigurations/{name}", gateway.id);
    custom(&gateway.properties, "/bgpSettings", &id)
        .next()?
        .parse()
        .ok()
}

/// The settings as the service shows them: entries and custom addresses in no particular order;
/// default and tunnel addresses once the gateway stands.
pub(super) fn render(cloud: &AzureService, gateway: &Resource, cx: &mut Context<'_>) -> Value {
    let mut settings = gateway
        .properties
        .pointer("/bgpSettings")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let mut defaults: Vec<String> = Vec::new();
    let mut entries: Vec<Value> = Vec::new();
    for (instance, entry) in gateway
        .items("/bgpSettings/bgpPeeringAddresses")
        .iter()
        .enumerate()
    {
        let mut entry = entry.clone();
        let Some(members) = entry.as_object_mut() else {
            continue;
        };
        if let Some(custom) = members
            .get_mut("customBgpIpAddresses")
            .and_then(Value::as_array_mut)
        {
            cx.rng.shuffle(custom);
        }
        let own = default_address(cloud, gateway, instance)
            .filter(|_| gateway.ready)
            .map(|ip| ip.to_string());
        members.insert(
            "defaultBgpIpAddresses".into(),
            own.iter().cloned().collect(),
        );
        if gateway.ready {
            let public = gateway.text(&format!(
                "/ipConfigurations/{instance}/properties/publicIPAddress/id"
            ));
            let public = public.and_then(|id| cloud.resources.get(&id.to_lowercase()));
            let address = public
                .and_then(|public| public.address)
                .map(|ip| ip.to_string());
            members.insert("tunnelIpAddresses".into(), address.into_iter().collect());
        }
        defaults.extend(own);
        entries.push(entry);
    }
    cx.rng.shuffle(&mut entries);
    settings.insert("bgpPeeringAddresses".into(), entries.into());
    if gateway.ready {
        settings.insert("bgpPeeringAddress".into(), defaults.join(",").into());
    }
    settings.into()
}
