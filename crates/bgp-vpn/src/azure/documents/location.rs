//! Regions that a subscription may use, with their availability zones.

use super::{DocumentError, items, missing, text};
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// `westeurope`.
    pub name: String,
    /// Logical zones as a resource names them, such as `["1", "2", "3"]`; empty in regions without
    /// zones.
    pub zones: Vec<String>,
}

impl Location {
    /// Whether a configured region is this one: Azure accepts display names too.
    pub fn is(&self, region: &str) -> bool {
        let plain = region.chars().filter(|c| !c.is_whitespace());
        plain
            .flat_map(char::to_lowercase)
            .eq(self.name.chars().flat_map(char::to_lowercase))
    }
}

/// # Errors
/// Where the name is missing.
pub fn parse(doc: &Value) -> Result<Location, DocumentError> {
    let mappings = items(doc, "/availabilityZoneMappings");
    let mut zones: Vec<String> = mappings
        .filter_map(|zone| Some(text(zone, "/logicalZone")?.to_owned()))
        .collect();
    zones.sort();
    Ok(Location {
        name: text(doc, "/name")
            .ok_or_else(|| missing("/name", "a text"))?
            .to_owned(),
        zones,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn parse_reads_zones_and_their_absence() {
        let zonal = json!({"name": "uksouth", "availabilityZoneMappings": [
            {"logicalZone": "2", "physicalZone": "uksouth-az1"}, {"logicalZone": "1", "physicalZone": "uksouth-az2"}]});
        let zonal = parse(&zonal).unwrap();
        assert_eq!(zonal.zones, ["1", "2"]);
        assert!(zonal.is("UK South") && !zonal.is("ukwest"));
        assert!(parse(&json!({"name": "ukwest"})).unwrap().zones.is_empty());
    }
}
