//! Availability zones of a region.

use super::read_as;
use crate::azure::arm::ArmRequest;
use crate::azure::client::Azure;
use crate::azure::documents::location::{self, Location};
use crate::azure::error::Error;
use crate::client::CallContext;
use azure_core::http::Method;

/// Version of Microsoft.Resources that returns `availabilityZoneMappings`.
const LOCATIONS: &str = "2022-12-01";

impl Azure {
    /// Logical zones of a region, none in a region without zones; None where Azure does not list
    /// the region. Read once in the life of this client.
    ///
    /// # Errors
    /// `Forbidden` where this identity may not list the regions of the subscription.
    pub async fn availability_zones(
        &self,
        region: &str,
        ctx: &CallContext,
    ) -> Result<Option<Vec<String>>, Error> {
        let locations = self
            .locations
            .get_or_try_init(|| self.list_locations(ctx))
            .await?;
        Ok(locations
            .iter()
            .find(|location| location.is(region))
            .map(|location| location.zones.clone()))
    }

    async fn list_locations(&self, ctx: &CallContext) -> Result<Vec<Location>, Error> {
        let path = format!("/subscriptions/{}/locations", self.subscription);
        let found = self
            .list(
                &ArmRequest::path("list locations", Method::Get, &path, LOCATIONS),
                ctx,
            )
            .await?;
        found
            .iter()
            .map(|doc| read_as("list locations", &path, location::parse(doc)))
            .collect()
    }
}
