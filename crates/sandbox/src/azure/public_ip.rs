//! Public IP addresses. A static one has its address as soon as it has succeeded, a dynamic one
//! only on a gateway.

use super::errors::ApiError;
use super::ids::{Id, Kind};
use super::resource::{Object, Resource, fill, reference};
use super::resource_ops::{self, ValidatedPut};
use super::service::AzureService;
use crate::time::SimDuration;
use crate::world::Context;
use serde_json::{Value, json};
use std::net::Ipv4Addr;

const DURATION: (SimDuration, SimDuration) = (SimDuration::seconds(2), SimDuration::seconds(5));

impl AzureService {
    pub(super) fn validate_public_ip(
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
            "ipAddress",
            "ipConfiguration",
        ] {
            properties.remove(computed);
        }
        let mut top = Object::new();
        let mut sku = body
            .get("sku")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        fill(&mut sku, json!({"name": "Basic", "tier": "Regional"}));
        let standard = sku.get("name").and_then(Value::as_str) != Some("Basic");
        top.insert("sku".into(), sku.into());
        if let Some(zones) = body
            .get("zones")
            .filter(|zones| zones.as_array().is_some_and(|zones| !zones.is_empty()))
        {
            if !standard {
                return Err(ApiError::bad(
                    "BasicSkuPublicIPCannotHaveZones",
                    format!(
                        "Public IP address {id} of sku Basic cannot be placed in availability zones."
                    ),
                ));
            }
            super::locations::check_zones(id, location, zones)?;
            top.insert("zones".into(), zones.clone());
        }
        fill(
            &mut properties,
            json!({"publicIPAddressVersion": "IPv4", "publicIPAllocationMethod": "Dynamic", "idleTimeoutInMinutes": 4, "ipTags": []}),
        );
        let fixed = properties
            .get("publicIPAllocationMethod")
            .and_then(Value::as_str)
            == Some("Static");
        if standard && !fixed {
            return Err(ApiError::bad(
                "StandardSkuPublicIPMustBeStatic",
                format!(
                    "Public IP address {id} of sku Standard must use the Static allocation method."
                ),
            ));
        }
        if let Some(existing) = existing {
            for (member, code) in [
                ("zones", "ResourceAvailabilityZonesCannotBeModified"),
                ("sku", "SkuCannotBeChanged"),
            ] {
                if existing.top.get(member) != top.get(member) {
                    return Err(ApiError::bad(
                        code,
                        format!("The {member} of public IP address {id} cannot be changed."),
                    ));
                }
            }
            let version = "publicIPAddressVersion";
            if existing.text(&format!("/{version}"))
                != properties.get(version).and_then(Value::as_str)
                || existing.properties.pointer("/ipTags") != properties.get("ipTags")
            {
                return Err(ApiError::bad(
                    "PublicIPAddressVersionOrTagsCannotBeChanged",
                    format!(
                        "Address version and ipTags of public IP address {id} cannot be changed."
                    ),
                ));
            }
        }
        let mut draft = ValidatedPut::new(properties, cx.rng.duration(DURATION.0, DURATION.1));
        draft.top = top;
        if existing.is_none() {
            draft.address = Some(self.fresh_address(cx));
        }
        Ok(draft)
    }

    /// An address out of 20.64.0.0/10 that no other public IP has.
    fn fresh_address(&self, cx: &mut Context<'_>) -> Ipv4Addr {
        loop {
            let low = cx.rng.below(1 << 22) as u32;
            let address = Ipv4Addr::from(u32::from(Ipv4Addr::new(20, 64, 0, 0)) | low);
            let taken = self
                .of_kind(Kind::PublicIp)
                .any(|other| other.address == Some(address));
            if !taken && !matches!(address.octets()[3], 0 | 255) {
                return address;
            }
        }
    }

    pub(super) fn public_ip_free(
        &self,
        resource: &Resource,
        cx: &Context<'_>,
    ) -> Result<(), ApiError> {
        let key = resource.id.key();
        let users = self.users(&key, "/properties/publicIPAddress/id");
        let lingers = self
            .lingering
            .get(&key)
            .is_some_and(|until| *until > cx.now);
        if users.is_empty() && !lingers {
            return Ok(());
        }
        Err(ApiError::bad(
            "PublicIPAddressCannotBeDeleted",
            format!(
                "Public IP address {} can not be deleted since it is still allocated to resource {}. In order to delete the \
                 public IP, disassociate/detach the Public IP address from the resource.",
                resource.id,
                users
                    .first()
                    .map_or("a gateway that is being removed", String::as_str)
            ),
        ))
    }

    pub(super) fn render_public_ip(&self, resource: &Resource, mut document: Value) -> Value {
        let users = self.users(&resource.id.key(), "/properties/publicIPAddress/id");
        let fixed = resource.text("/publicIPAllocationMethod") == Some("Static");
        if let Some(properties) = document
            .pointer_mut("/properties")
            .and_then(Value::as_object_mut)
        {
            if let Some(address) = resource
                .address
                .filter(|_| resource.ready && (fixed || !users.is_empty()))
            {
                properties.insert("ipAddress".into(), address.to_string().into());
            }
            if let Some(user) = users.first() {
                properties.insert("ipConfiguration".into(), reference(user));
            }
        }
        document
    }
}
