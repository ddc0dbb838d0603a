//! Availability zones of a region.

use super::{Azure, read_as};
use crate::azure::arm::Call;
use crate::azure::documents::location::{self, Location};
use crate::azure::error::Error;
use crate::azure::waits::Waits;
use azure_core::http::Method;

/// Version of Microsoft.Resources that returns `availabilityZoneMappings`.
const LOCATIONS: &str = "2022-12-01";

impl Azure {
    /// Logical zones of a region, none in a region without zones; None where Azure does not list the region. Read once in the life
    /// of this client.
    ///
    /// # Errors
    /// `Denied` where this identity may not list the regions of the subscription.
    pub async fn availability_zones(&self, region: &str, waits: &Waits) -> Result<Option<Vec<String>>, Error> {
        let locations = self.locations.get_or_try_init(|| self.list_locations(waits)).await?;
        Ok(locations.iter().find(|location| location.is(region)).map(|location| location.zones.clone()))
    }

    async fn list_locations(&self, waits: &Waits) -> Result<Vec<Location>, Error> {
        let path = format!("/subscriptions/{}/locations", self.subscription);
        let found = self.list(&Call::path("list locations", Method::Get, &path, LOCATIONS), waits).await?;
        found.iter().map(|doc| read_as("list locations", &path, location::parse(doc))).collect()
    }
}
