//! Public IP addresses.

use super::{DocumentError, reference, resource, text, texts};
use crate::azure::model::PublicIp;
use crate::types::Tags;
use serde_json::{Value, json};

/// A Standard, static IPv4 address to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPublicIp {
    pub location: String,
    /// `["1", "2", "3"]`; empty in regions without zones.
    pub zones: Vec<String>,
    pub tags: Tags,
}

impl NewPublicIp {
    pub fn body(&self) -> Value {
        let mut body = json!({
            "location": self.location,
            "tags": self.tags,
            "sku": {"name": "Standard", "tier": "Regional"},
            "properties": {
                "publicIPAllocationMethod": "Static",
                "publicIPAddressVersion": "IPv4",
                "idleTimeoutInMinutes": 4,
            },
        });
        if !self.zones.is_empty() {
            super::put(&mut body, &[], "zones", json!(self.zones));
        }
        body
    }
}

/// # Errors
/// Where the id is missing.
pub fn parse(raw: Value) -> Result<PublicIp, DocumentError> {
    let resource = resource(raw)?;
    let doc = &resource.raw;
    Ok(PublicIp {
        address: text(doc, "/properties/ipAddress").and_then(|v| v.parse().ok()),
        sku: text(doc, "/sku/name").unwrap_or("Basic").to_owned(),
        zones: texts(doc, "/zones"),
        used_by: reference(doc, "/properties/ipConfiguration/id"),
        resource,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn parse_user_of_public_ip() {
        let id =
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/publicIPAddresses/p";
        let user = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworkGateways/v/ipConfigurations/a";
        let ip = parse(
            json!({"id": id, "sku": {"name": "Standard"}, "zones": ["1", "2", "3"],
            "properties": {"ipAddress": "20.1.2.3", "ipConfiguration": {"id": user}}}),
        )
        .unwrap();
        assert_eq!(ip.address, Some("20.1.2.3".parse().unwrap()));
        assert_eq!(ip.used_by.unwrap().parent().unwrap().name(), "v");
    }

    #[test]
    fn omit_zones_in_region_without_zones() {
        let new = NewPublicIp {
            location: "x".into(),
            zones: Vec::new(),
            tags: Tags::new(),
        };
        assert!(new.body().get("zones").is_none());
    }
}
