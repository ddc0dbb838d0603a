//! SKUs and generations: which a gateway can be created with, resized to, and how many connections it allows.

use crate::azure::errors::{ApiError, unrecorded};
use crate::azure::resource::{Object, Resource, text};
use serde_json::{Value, json};

/// Name, generations, most connections.
const SKUS: [(&str, &[u8], usize); 5] = [
    ("VpnGw1AZ", &[1], 30),
    ("VpnGw2AZ", &[1, 2], 30),
    ("VpnGw3AZ", &[1, 2], 30),
    ("VpnGw4AZ", &[2], 100),
    ("VpnGw5AZ", &[2], 100),
];

/// How many connections a gateway's SKU allows.
pub(in crate::azure) fn capacity(gateway: &Resource) -> usize {
    let name = gateway.text("/sku/name").unwrap_or_default();
    SKUS.iter()
        .find(|(sku, ..)| *sku == name)
        .map_or(30, |(.., most)| *most)
}

/// The SKU's name, once it is one that a gateway may be made with or keep.
pub(super) fn check_sku(
    properties: &mut Object,
    existing: Option<&Resource>,
) -> Result<String, ApiError> {
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
pub(super) fn check_generation(
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
