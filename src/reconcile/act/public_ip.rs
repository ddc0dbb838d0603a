//! Public IPs of the Azure gateway, and the availability zones in which they are created.

use super::Building;
use crate::azure;
use crate::azure::documents::public_ip::NewPublicIp;
use crate::azure::model::{PublicIp, Subnet};
use crate::link::decide::GATEWAY_SUBNET;
use crate::link::managed::Kind;
use crate::link::ownership;
use crate::link::placement::is_misplaced;
use crate::link::spec::AzureNetwork;
use crate::link::tunnel::Instance;
use crate::reconcile::cause::Cause;

/// Zones of every region that has zones, as far as Microsoft has published them.
const ALL: [&str; 3] = ["1", "2", "3"];
/// Azure's answer to zones in a region that has none.
const NO_ZONES: &str = "LocationNotSupportAvailabilityZones";

/// Where a public IP is to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Zones {
    /// In these; regional where there are none.
    In(Vec<String>),
    /// In all zones, or regional where Azure then reports that the region has none: the regions could not be read.
    Unreadable,
}

impl Building<'_> {
    pub(super) async fn public_ip(&self, instance: Instance) -> Result<(), Cause> {
        let made = match self.zones(instance).await? {
            Zones::In(zones) => self.create_public_ip(instance, zones).await?,
            Zones::Unreadable => match self.create_public_ip(instance, ALL.map(str::to_owned).to_vec()).await {
                Err(error) if error.facts().code == NO_ZONES => self.create_public_ip(instance, Vec::new()).await?,
                made => made?,
            },
        };
        self.acting.note(|seen| *seen.azure.public_ips.get_mut(instance) = Some(made));
        Ok(())
    }

    async fn create_public_ip(&self, instance: Instance, zones: Vec<String>) -> Result<PublicIp, azure::Error> {
        let id = self.id("publicIPAddresses", self.spec.azure.names.public_ips.get(instance));
        let mut tags = self.tags(instance);
        tags.extend(self.gateway_subnet_mark());
        let new = NewPublicIp { location: self.spec.azure.location.clone(), zones, tags };
        let (waits, is_ours) = (self.acting.limits.azure(), self.is_ours(Kind::AzurePublicIp, &id, instance));
        self.acting.site.azure.create_public_ip(&id, &new, &is_ours, &waits).await
    }

    /// Records the gateway subnet that is created next.
    fn gateway_subnet_mark(&self) -> Option<(String, String)> {
        let AzureNetwork::Existing { gateway_subnet_prefix: Some(prefix), .. } = &self.spec.azure.network else {
            return None;
        };
        let is_it = |subnet: &Subnet| subnet.name.eq_ignore_ascii_case(GATEWAY_SUBNET);
        let there = self.acting.seen(|seen| seen.azure.network.iter().any(|network| network.subnets.iter().any(is_it)));
        (!there).then(|| (ownership::GATEWAY_SUBNET.to_owned(), prefix.to_string()))
    }

    /// Azure demands the same zones of both public IPs of a gateway, so an existing one decides. Without it the configuration does,
    /// then the region.
    async fn zones(&self, instance: Instance) -> Result<Zones, Cause> {
        let other = Instance::ALL.into_iter().find(|other| *other != instance);
        let existing = self.acting.seen(|seen| {
            let ip = seen.azure.public_ips.get(other?).as_ref()?;
            (!is_misplaced(self.spec, ip)).then(|| ip.zones.clone())
        });
        if let Some(zones) = existing {
            return Ok(Zones::In(zones));
        }
        if let Some(zones) = self.spec.azure.zones.as_ref().filter(|zones| !zones.is_empty()) {
            return Ok(Zones::In(zones.iter().cloned().collect()));
        }
        let (waits, location) = (self.acting.limits.azure(), &self.spec.azure.location);
        let read = self.acting.site.azure.availability_zones(location, &waits).await;
        if self.spec.azure.zones.is_some() {
            return match read {
                // Azure reports it only once it is asked for the gateway.
                Ok(Some(zones)) if !zones.is_empty() => Err(Cause::ZonesRequired { location: location.clone() }),
                _ => Ok(Zones::In(Vec::new())),
            };
        }
        match read {
            Ok(Some(zones)) => Ok(Zones::In(zones)),
            Ok(None) | Err(azure::Error::Denied(_) | azure::Error::Malformed(_) | azure::Error::Refused(_)) => {
                tracing::info!(location = %self.spec.azure.location, "availability zones are not readable");
                Ok(Zones::Unreadable)
            }
            Err(error) => Err(error.into()),
        }
    }
}
