//! Public IPs of the Azure gateway, and the availability zones in which they are created.

use super::ApplyContext;
use crate::azure;
use crate::azure::documents::public_ip::NewPublicIp;
use crate::azure::model::{PublicIp, Subnet};
use crate::client::DeniedRead;
use crate::reconcile::error::ActionError;
use bgp_vpn::managed::Kind;
use bgp_vpn::ownership_tags;
use bgp_vpn::placement::is_misplaced;
use bgp_vpn::plan::GATEWAY_SUBNET;
use bgp_vpn::spec::AzureNetwork;
use bgp_vpn::tunnel::Instance;
use ipnet::Ipv4Net;

/// Zones of every region that has zones, as far as Microsoft has published them.
const ALL_ZONES: [&str; 3] = ["1", "2", "3"];
/// Azure's answer to zones in a region that has none.
const NO_ZONES: &str = "LocationNotSupportAvailabilityZones";

/// Where a public IP is to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Zones {
    /// In these; regional where there are none.
    In(Vec<String>),
    /// In all zones, or regional where Azure then reports that the region has none: the regions
    /// could not be read.
    Unreadable,
}

impl ApplyContext<'_> {
    pub(super) async fn public_ip(&self, instance: Instance) -> Result<(), ActionError> {
        let made = match self.zones(instance).await? {
            Zones::In(zones) => self.create_public_ip(instance, zones).await?,
            Zones::Unreadable => match self
                .create_public_ip(instance, ALL_ZONES.map(str::to_owned).to_vec())
                .await
            {
                Err(error) if error.context().code == NO_ZONES => {
                    self.create_public_ip(instance, Vec::new()).await?
                }
                made => made?,
            },
        };
        self.context
            .update(|observed| *observed.azure.public_ips.get_mut(instance) = Some(made));
        Ok(())
    }

    async fn create_public_ip(
        &self,
        instance: Instance,
        zones: Vec<String>,
    ) -> Result<PublicIp, azure::Error> {
        let id = self.id(
            "publicIPAddresses",
            self.spec.azure.names.public_ips.get(instance),
        );
        let mut tags = self.tags(instance);
        tags.extend(self.gateway_subnet_tag());
        let new = NewPublicIp {
            location: self.spec.azure.location.clone(),
            zones,
            tags,
        };
        let (ctx, is_ours) = (
            self.context.operation.call_context(),
            self.is_owned(Kind::AzurePublicIp, &id, instance),
        );
        self.context
            .clients
            .azure
            .create_public_ip(&id, &new, &is_ours, &ctx)
            .await
    }

    /// Records the gateway subnet that is created next.
    fn gateway_subnet_tag(&self) -> Option<(String, String)> {
        let AzureNetwork::Existing {
            gateway_subnet_prefix: Some(prefix),
            ..
        } = &self.spec.azure.network
        else {
            return None;
        };
        let is_it = |subnet: &Subnet| subnet.name.eq_ignore_ascii_case(GATEWAY_SUBNET);
        let there = self.context.read(|observed| {
            observed
                .azure
                .network
                .iter()
                .any(|network| network.subnets.iter().any(is_it))
        });
        (!there).then(|| {
            (
                ownership_tags::TAG_GATEWAY_SUBNET.to_owned(),
                prefix.to_string(),
            )
        })
    }

    /// Whether a public IP records the prefix of the gateway subnet that this link created.
    pub(super) fn records_gateway_subnet(&self, instance: Instance) -> bool {
        self.context.read(|observed| {
            let ip = observed.azure.public_ips.get(instance).as_ref();
            ip.is_some_and(|ip| {
                self.spec.link.is_on(&ip.resource.tags)
                    && ip
                        .resource
                        .tags
                        .contains_key(ownership_tags::TAG_GATEWAY_SUBNET)
            })
        })
    }

    /// Records another prefix of the gateway subnet.
    pub(super) async fn record_gateway_subnet(
        &self,
        instance: Instance,
        prefix: Ipv4Net,
    ) -> Result<(), ActionError> {
        let mut ip = self.context.require("the public IP", |observed| {
            observed.azure.public_ips.get(instance).clone()
        })?;
        let tag = ownership_tags::TAG_GATEWAY_SUBNET.to_owned();
        ip.resource.tags.insert(tag, prefix.to_string());
        let ctx = self.context.operation.call_context();
        self.context
            .clients
            .azure
            .set_tags(&ip.resource.id, &ip.resource.tags, &ctx)
            .await?;
        self.context
            .update(|observed| *observed.azure.public_ips.get_mut(instance) = Some(ip));
        Ok(())
    }

    /// Azure demands the same zones of both public IPs of a gateway, so an existing one decides.
    /// Without it the configuration does, then the region.
    async fn zones(&self, instance: Instance) -> Result<Zones, ActionError> {
        let other = Instance::ALL.into_iter().find(|other| *other != instance);
        let existing = self.context.read(|observed| {
            let ip = observed.azure.public_ips.get(other?).as_ref()?;
            (!is_misplaced(self.spec, ip)).then(|| ip.zones.clone())
        });
        if let Some(zones) = existing {
            return Ok(Zones::In(zones));
        }
        if let Some(zones) = self
            .spec
            .azure
            .zones
            .as_ref()
            .filter(|zones| !zones.is_empty())
        {
            return Ok(Zones::In(zones.iter().cloned().collect()));
        }
        let (ctx, location) = (
            self.context.operation.call_context(),
            &self.spec.azure.location,
        );
        let read = self
            .context
            .clients
            .azure
            .availability_zones(location, &ctx)
            .await;
        if self.spec.azure.zones.is_some() {
            return match read {
                // Azure reports it only once it is asked for the gateway.
                Ok(Some(zones)) if !zones.is_empty() => Err(ActionError::ZonesRequired {
                    location: location.clone(),
                }),
                _ => Ok(Zones::In(Vec::new())),
            };
        }
        match read {
            Ok(Some(zones)) => Ok(Zones::In(zones)),
            Err(azure::Error::Denied(denied)) => {
                ctx.denied.note(DeniedRead {
                    action: "Microsoft.Resources/subscriptions/locations/read".to_owned(),
                    scope: format!("/subscriptions/{}", self.spec.azure.subscription),
                    consequence: "The zones of the region are not known. Zones 1, 2 and 3 were requested, or none where Azure rejects them.",
                    reason: denied.to_string(),
                });
                Ok(Zones::Unreadable)
            }
            Ok(None) | Err(azure::Error::Malformed(_) | azure::Error::Rejected(_)) => {
                tracing::info!(location = %self.spec.azure.location, "availability zones are not readable");
                Ok(Zones::Unreadable)
            }
            Err(error) => Err(error.into()),
        }
    }
}
