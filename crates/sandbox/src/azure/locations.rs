//! Regions of the public cloud, with and without availability zones (Microsoft's list of regions,
//! 2026-11).

use super::cloud::AzureCloud;
use super::errors::ApiError;
use super::ids::Id;
use super::operations::json_response;
use crate::http::Response;
use serde_json::{Value, json};

/// Name and display name of regions with three availability zones.
const ZONAL: [(&str, &str); 32] = [
    ("australiaeast", "Australia East"),
    ("brazilsouth", "Brazil South"),
    ("canadacentral", "Canada Central"),
    ("centralindia", "Central India"),
    ("centralus", "Central US"),
    ("eastasia", "East Asia"),
    ("eastus", "East US"),
    ("eastus2", "East US 2"),
    ("francecentral", "France Central"),
    ("germanywestcentral", "Germany West Central"),
    ("israelcentral", "Israel Central"),
    ("italynorth", "Italy North"),
    ("japaneast", "Japan East"),
    ("japanwest", "Japan West"),
    ("koreacentral", "Korea Central"),
    ("mexicocentral", "Mexico Central"),
    ("newzealandnorth", "New Zealand North"),
    ("northeurope", "North Europe"),
    ("norwayeast", "Norway East"),
    ("polandcentral", "Poland Central"),
    ("qatarcentral", "Qatar Central"),
    ("southafricanorth", "South Africa North"),
    ("southcentralus", "South Central US"),
    ("southeastasia", "Southeast Asia"),
    ("spaincentral", "Spain Central"),
    ("swedencentral", "Sweden Central"),
    ("switzerlandnorth", "Switzerland North"),
    ("uaenorth", "UAE North"),
    ("uksouth", "UK South"),
    ("westeurope", "West Europe"),
    ("westus2", "West US 2"),
    ("westus3", "West US 3"),
];

/// Name and display name of regions without availability zones.
const FLAT: [(&str, &str); 16] = [
    ("australiacentral", "Australia Central"),
    ("australiasoutheast", "Australia Southeast"),
    ("brazilsoutheast", "Brazil Southeast"),
    ("canadaeast", "Canada East"),
    ("francesouth", "France South"),
    ("germanynorth", "Germany North"),
    ("koreasouth", "Korea South"),
    ("northcentralus", "North Central US"),
    ("norwaywest", "Norway West"),
    ("southindia", "South India"),
    ("switzerlandwest", "Switzerland West"),
    ("uaecentral", "UAE Central"),
    ("ukwest", "UK West"),
    ("westcentralus", "West Central US"),
    ("westindia", "West India"),
    ("westus", "West US"),
];

/// Logical zones of a zonal region.
const ZONES: [&str; 3] = ["1", "2", "3"];

/// Zones of a location. A location that is not in the lists counts as zonal.
pub(super) fn zones_of(location: &str) -> &'static [&'static str] {
    let sovereign = [AzureCloud::UsGovernment, AzureCloud::China];
    let mut sovereign = sovereign.iter().flat_map(|cloud| cloud.locations());
    if FLAT.iter().any(|(name, _)| *name == location)
        || sovereign.any(|(name, _, zonal)| *name == location && !zonal)
    {
        &[]
    } else {
        &ZONES
    }
}

/// Rejects zones that the location does not have.
pub(super) fn check_zones(id: &Id, location: &str, zones: &Value) -> Result<(), ApiError> {
    let has = zones_of(location);
    let what = format!("{}/{}", id.kind.type_name(), id.name);
    if has.is_empty() {
        return Err(ApiError::bad(
            "LocationNotSupportAvailabilityZones",
            format!(
                "The resource '{what}' does not support availability zones at location '{location}'."
            ),
        ));
    }
    let known = |zone: &Value| zone.as_str().is_some_and(|zone| has.contains(&zone));
    if zones
        .as_array()
        .is_some_and(|zones| zones.iter().all(known))
    {
        return Ok(());
    }
    Err(ApiError::bad(
        "AvailabilityZoneNotSupported",
        format!(
            "The zone(s) '{zones}' for resource '{what}' is not supported. The supported zones for location '{location}' are \
             '{}'",
            has.join(",")
        ),
    ))
}

/// `GET /subscriptions/ID/locations`. A region without zones has no `availabilityZoneMappings`.
pub(super) fn list(subscription: &str, cloud: AzureCloud) -> Response {
    let sovereign: Vec<Value> = cloud
        .locations()
        .iter()
        .map(|(name, display, _)| region(subscription, name, display))
        .collect();
    let regions = ZONAL.iter().chain(&FLAT);
    let public = regions.map(|(name, display)| region(subscription, name, display));
    let regions = match cloud {
        AzureCloud::Public => public.collect(),
        AzureCloud::UsGovernment | AzureCloud::China => sovereign,
    };
    json_response(200, &json!({"value": regions}))
}

/// Display names of a cloud's regions, as lists of resource types have them.
pub(super) fn display_names(cloud: AzureCloud) -> Vec<&'static str> {
    let sovereign = cloud.locations().iter().map(|(_, display, _)| *display);
    let public = ZONAL.iter().chain(&FLAT).map(|(_, display)| *display);
    match cloud {
        AzureCloud::Public => public.collect(),
        AzureCloud::UsGovernment | AzureCloud::China => sovereign.collect(),
    }
}

fn region(subscription: &str, name: &str, display: &str) -> Value {
    let mut region = json!({
        "id": format!("/subscriptions/{subscription}/locations/{name}"), "name": name, "type": "Region",
        "displayName": display, "regionalDisplayName": display,
        "metadata": {"regionType": "Physical", "regionCategory": "Recommended"},
    });
    let mappings: Vec<Value> = zones_of(name)
        .iter()
        .map(|zone| json!({"logicalZone": zone, "physicalZone": format!("{name}-az{zone}")}))
        .collect();
    if let (false, Some(region)) = (mappings.is_empty(), region.as_object_mut()) {
        region.insert("availabilityZoneMappings".into(), mappings.into());
    }
    region
}
