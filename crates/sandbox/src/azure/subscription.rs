//! The subscription: registration of Microsoft.Network, and usage of its quotas at a location.

use super::AzureCloud;
use super::call::{Call, Verb, What};
use super::errors::ApiError;
use super::ids::Kind;
use super::locations;
use super::operations::json_response;
use super::service::AzureService;
use crate::http::{Request, Response};
use serde_json::{Value, json};

const NETWORK: &str = "Microsoft.Network";
/// Public IPs of the Standard SKU that a new subscription may have at a location (2026-11, Azure
/// subscription limits).
const DEFAULT_PUBLIC_IPS: usize = 1_000;

impl AzureService {
    /// `GET` and `POST .../providers/NAMESPACE[/register|/unregister]`.
    pub(super) fn resource_provider(
        &mut self,
        subscription: &str,
        namespace: &str,
        cloud: AzureCloud,
        request: &Request,
    ) -> Response {
        let is_network = namespace.eq_ignore_ascii_case(NETWORK);
        if is_network && request.method == "POST" {
            self.network_unregistered = request.path.to_ascii_lowercase().ends_with("/unregister");
        }
        let state = if is_network && self.network_unregistered {
            "NotRegistered"
        } else {
            "Registered"
        };
        let types: Vec<Value> = if is_network {
            let kinds = [
                "virtualNetworks",
                "publicIPAddresses",
                "virtualNetworkGateways",
                "localNetworkGateways",
                "connections",
            ];
            kinds
                .iter()
                .map(|kind| {
                    json!({"resourceType": kind, "locations": locations::display_names(cloud), "apiVersions": ["2025-01-01"]})
                })
                .collect()
        } else {
            Vec::new()
        };
        let namespace = if is_network { NETWORK } else { namespace };
        json_response(
            200,
            &json!({"id": format!("/subscriptions/{subscription}/providers/{namespace}"), "namespace": namespace,
                "registrationPolicy": "RegistrationRequired", "registrationState": state, "resourceTypes": types}),
        )
    }

    /// Standard public IPs that there may be at a location.
    pub fn public_ip_limit(&mut self) -> &mut usize {
        self.public_ips.get_or_insert(DEFAULT_PUBLIC_IPS)
    }

    fn public_ips_in(&self, location: &str) -> usize {
        let here = self
            .resources
            .values()
            .filter(|resource| resource.id.kind == Kind::PublicIp && resource.location == location);
        here.count()
    }

    /// `GET .../providers/Microsoft.Network/locations/LOCATION/usages`.
    pub(super) fn usages(&self, subscription: &str, location: &str) -> Response {
        let row = |name: &str, shown: &str, used: usize, limit: usize| {
            json!({"id": format!("/subscriptions/{subscription}/providers/Microsoft.Network/locations/{location}/usages/{name}"),
                "unit": "Count", "currentValue": used, "limit": limit,
                "name": {"value": name, "localizedValue": shown}})
        };
        let networks = self
            .resources
            .values()
            .filter(|resource| resource.id.kind == Kind::VirtualNetwork)
            .count();
        let limit = self.public_ips.unwrap_or(DEFAULT_PUBLIC_IPS);
        let rows = [
            row("VirtualNetworks", "Virtual Networks", networks, 1_000),
            row(
                "StandardSkuPublicIpAddresses",
                "Public IP Addresses - Standard",
                self.public_ips_in(location),
                limit,
            ),
        ];
        json_response(200, &json!({"value": rows}))
    }

    /// Rejects writes while Microsoft.Network is not registered, and public IPs beyond the limit.
    pub(super) fn require_subscription_allows(
        &self,
        call: &Call,
        request: &Request,
    ) -> Result<(), ApiError> {
        let What::Item(Verb::Put, id) = &call.what else {
            return Ok(());
        };
        if self.network_unregistered {
            return Err(ApiError::new(
                409,
                "MissingSubscriptionRegistration",
                format!(
                    "The subscription is not registered to use namespace '{NETWORK}'. See https://aka.ms/rps-not-found for how to \
                     register subscriptions."
                ),
            ));
        }
        if id.kind == Kind::PublicIp && !self.resources.contains_key(&id.key()) {
            let body = super::resource_ops::body(request)?;
            let location = body
                .get("location")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let limit = self.public_ips.unwrap_or(DEFAULT_PUBLIC_IPS);
            let plain = location.replace(' ', "").to_lowercase();
            if self.public_ips_in(&plain) >= limit {
                return Err(ApiError::bad(
                    "PublicIPCountLimitReached",
                    format!(
                        "Cannot create more than {limit} public IP addresses for this subscription in this region."
                    ),
                ));
            }
        }
        Ok(())
    }
}
