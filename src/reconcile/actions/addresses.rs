//! BGP addresses of this link that the Azure gateway lists on the wrong instance. Azure lists an
//! address once for each gateway, and keeps it where a connection names it.

use super::ApplyContext;
use crate::azure::ResourceId;
use crate::azure::documents::connection;
use crate::azure::documents::gateway::AddressEdit;
use crate::azure::model::GatewayInstance;
use crate::reconcile::error::ActionError;
use bgp_vpn::tunnel::{Instance, TunnelKey};
use serde_json::Value;
use std::net::Ipv4Addr;

impl ApplyContext<'_> {
    /// Addresses that are needed on another instance than the one that lists them. One that was
    /// listed before this link is its owner's.
    fn misplaced_addresses(&self, instances: &[GatewayInstance]) -> Vec<(ResourceId, Ipv4Addr)> {
        let wanted_elsewhere = |instance: Instance| {
            let others = Instance::ALL
                .into_iter()
                .filter(move |other| *other != instance);
            others
                .flat_map(|other| self.own_bgp_addresses(other))
                .filter(|ip| !self.spec.preexisting_addresses.contains(ip))
        };
        let of = |(instance, at): (Instance, &GatewayInstance)| {
            let listed = |ip: &Ipv4Addr| at.custom_bgp_ips.contains(ip);
            let ips = wanted_elsewhere(instance)
                .filter(listed)
                .collect::<Vec<_>>();
            ips.into_iter()
                .map(|ip| (at.ip_configuration_id.clone(), ip))
                .collect::<Vec<_>>()
        };
        Instance::ALL
            .into_iter()
            .zip(instances)
            .flat_map(of)
            .collect()
    }

    /// Puts this link's addresses where they belong.
    pub(super) fn address_edit(&self, instances: &[GatewayInstance]) -> AddressEdit {
        let own = Instance::ALL.into_iter().zip(instances);
        let add = own.flat_map(|(instance, at)| {
            let ips = self.own_bgp_addresses(instance).into_iter();
            ips.map(|ip| (at.ip_configuration_id.clone(), ip))
        });
        AddressEdit {
            remove: self.misplaced_addresses(instances),
            add: add.collect(),
        }
    }

    /// Makes this link's connections let go of addresses that are about to move to the other
    /// instance. None of them can carry traffic over such an address; those for which it is a
    /// placeholder go on with their own.
    pub(super) async fn release_addresses(
        &self,
        instances: &[GatewayInstance],
    ) -> Result<(), ActionError> {
        let misplaced = self.misplaced_addresses(instances);
        for key in TunnelKey::ALL {
            let Some(have) = self
                .context
                .read(|observed| observed.azure.connections.get(key).clone())
            else {
                continue;
            };
            if !have
                .custom_bgp_ips
                .iter()
                .any(|named| misplaced.contains(named))
            {
                continue;
            }
            let kept: Vec<(ResourceId, Ipv4Addr)> = have
                .custom_bgp_ips
                .iter()
                .filter(|named| !misplaced.contains(named))
                .cloned()
                .collect();
            let edit = |doc: &mut Value| connection::set_custom_bgp_ips(doc, &kept);
            let (azure, ctx) = (
                &self.context.clients.azure,
                self.context.operation.call_context(),
            );
            let gateway = self.spec.azure.gateway.id();
            let changed = azure
                .change_connection(&have.resource.id, gateway, &edit, &ctx)
                .await?;
            self.context
                .update(|observed| *observed.azure.connections.get_mut(key) = Some(changed));
        }
        Ok(())
    }
}
