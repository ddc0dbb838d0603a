//! The ipConfigurations of a gateway: their subnet and their public IPs.

use crate::azure::errors::{self, ApiError, unrecorded};
use crate::azure::ids::{Id, Kind};
use crate::azure::locations;
use crate::azure::network::subnet_prefix;
use crate::azure::resource::{self, Object, Resource, reference, text};
use crate::azure::service::AzureService;
use crate::world::Context;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Names of the ipConfigurations, in order; their position is the instance's number.
pub(in crate::azure) fn configurations(gateway: &Resource) -> impl Iterator<Item = &str> {
    gateway
        .items("/ipConfigurations")
        .iter()
        .filter_map(|c| text(c, "/name"))
}

impl AzureService {
    /// Checks every ipConfiguration with the subnet and the public IP it names, and gives their
    /// names.
    pub(super) fn check_configurations(
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
        let zones = |ip: &Resource| -> BTreeSet<String> {
            let zones = ip.top.get("zones").and_then(Value::as_array);
            let zones = zones.into_iter().flatten();
            zones.map(ToString::to_string).collect()
        };
        if let Some(first) = first
            && (first.top.get("sku") != public.top.get("sku") || zones(first) != zones(public))
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
}
