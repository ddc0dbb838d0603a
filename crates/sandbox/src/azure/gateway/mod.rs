//! Virtual network gateways: what a PUT requires, what it fills in, and how long it takes.

mod endpoints;
mod ip_configurations;
mod render;
mod sku;

pub(super) use ip_configurations::configurations;
pub(super) use render::has_radius_secrets;
pub(super) use sku::capacity;

use crate::azure::bgp;
use crate::azure::errors::{ApiError, unrecorded};
use crate::azure::ids::Id;
use crate::azure::resource::{Object, Resource, fill, text};
use crate::azure::resource_ops::{self, ValidatedPut};
use crate::azure::service::AzureService;
use crate::time::SimDuration;
use crate::world::Context;
use serde_json::{Value, json};
use sku::{check_generation, check_sku};

const CREATE: (SimDuration, SimDuration) = (SimDuration::minutes(25), SimDuration::minutes(35));

const UPDATE: (SimDuration, SimDuration) = (SimDuration::seconds(150), SimDuration::minutes(8));

const CHANGE_SKU: (SimDuration, SimDuration) = (SimDuration::minutes(10), SimDuration::minutes(20));

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
}
