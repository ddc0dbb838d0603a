//! Tags that record what this link has put on objects of other users: addresses on an existing
//! Azure gateway, and route tables in which it enabled propagation. They survive a process that is
//! killed before it writes the state.

use super::ApplyContext;
use crate::aws::model::{CustomerGateway, RouteTableId};
use crate::reconcile::error::ActionError;
use bgp_vpn::ownership_tags::{
    MAX_TAGS_BEFORE_RECORD, TAG_CUSTOM_BGP_ADDRESSES, propagation_tag, recorded_bgp_addresses,
};
use bgp_vpn::route_tables::desired_route_tables;
use bgp_vpn::spec::{AwsGateway, AzureGateway};
use bgp_vpn::tunnel::Instance;
use bgp_vpn::types::Tags;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// The same of a VPN gateway that the link created. Propagation from it ends with it, so a table
/// without a tag may stay.
const MAX_TAGS_OF_OWN_GATEWAY: usize = 48;

fn bgp_address_tags(addresses: &BTreeSet<Ipv4Addr>) -> Tags {
    let words: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    Tags::from([(TAG_CUSTOM_BGP_ADDRESSES.to_owned(), words.join(" "))])
}

impl ApplyContext<'_> {
    /// The addresses that this link added at an instance, without those that were listed before.
    fn listed_bgp_addresses(&self, instance: Instance) -> BTreeSet<Ipv4Addr> {
        self.own_bgp_addresses(instance)
            .into_iter()
            .filter(|ip| !self.spec.preexisting_addresses.contains(ip))
            .collect()
    }

    /// For a new customer gateway: also what is still to be taken off.
    pub(super) fn bgp_address_tag(&self, instance: Instance) -> Tags {
        if matches!(self.spec.azure.gateway, AzureGateway::Managed { .. }) {
            return Tags::new();
        }
        let former = self
            .spec
            .removals
            .addresses
            .iter()
            .filter(|(at, _)| *at == instance)
            .map(|(_, ip)| *ip);
        bgp_address_tags(
            &self
                .listed_bgp_addresses(instance)
                .into_iter()
                .chain(former)
                .collect(),
        )
    }

    /// Before addresses are listed.
    pub(super) async fn tag_before_add(&self) -> Result<(), ActionError> {
        self.update_bgp_address_tags(|instance, before| {
            self.listed_bgp_addresses(instance)
                .union(before)
                .copied()
                .collect()
        })
        .await
    }

    /// After addresses were taken off.
    pub(super) async fn tag_after_remove(&self) -> Result<(), ActionError> {
        self.update_bgp_address_tags(|instance, _| self.listed_bgp_addresses(instance))
            .await
    }

    /// Customer gateways that are not tagged as this link's are left alone: they may serve others
    /// too.
    async fn update_bgp_address_tags(
        &self,
        wanted: impl Fn(Instance, &BTreeSet<Ipv4Addr>) -> BTreeSet<Ipv4Addr>,
    ) -> Result<(), ActionError> {
        if matches!(self.spec.azure.gateway, AzureGateway::Managed { .. }) {
            return Ok(());
        }
        for instance in Instance::ALL {
            let customer = self
                .context
                .read(|observed| observed.aws.customer_gateways.get(instance).clone());
            let Some(customer) = customer.filter(|customer| self.link().is_on(&customer.tags))
            else {
                continue;
            };
            let before = recorded_bgp_addresses(&customer.tags).collect();
            let wanted = wanted(instance, &before);
            if wanted == before {
                continue;
            }
            let mark = bgp_address_tags(&wanted);
            self.context
                .clients
                .ec2
                .create_tags(
                    &self.context.operation.call_context(),
                    &[customer.id.0],
                    &mark,
                )
                .await?;
            self.context.update(|observed| {
                observed
                    .aws
                    .customer_gateways
                    .get_mut(instance)
                    .iter_mut()
                    .for_each(|c| c.tags.extend(mark.clone()));
            });
        }
        Ok(())
    }

    /// Tags of a new customer gateway for the propagation that this link has enabled or will enable.
    pub(super) fn propagation_tags(&self) -> Tags {
        let AwsGateway::ExistingVgw(gateway) = &self.spec.aws.gateway else {
            return Tags::new();
        };
        self.context.read(|observed| {
            let wanted = desired_route_tables(self.spec, observed);
            let own = observed.aws.route_tables.iter().filter(|table| {
                wanted.contains(&Some(table.id.clone()))
                    && table.propagating.contains(gateway)
                    && !self.spec.preexisting_propagation.contains(&table.id)
            });
            own.take(MAX_TAGS_BEFORE_RECORD / 2)
                .map(|table| propagation_tag(&table.id.0, &gateway.0))
                .collect()
        })
    }

    /// Before propagation into tables is enabled: a run that finds it enabled without this tag
    /// leaves it enabled.
    pub(super) async fn tag_propagations(
        &self,
        tables: &[RouteTableId],
    ) -> Result<(), ActionError> {
        let AwsGateway::ManagedVgw { .. } = &self.spec.aws.gateway else {
            for table in tables {
                self.tag_customer_gateways(table).await?;
            }
            return Ok(());
        };
        let own = self
            .context
            .require("the VPN gateway", |observed| observed.aws.gateway.clone())?;
        let marks = tables
            .iter()
            .map(|table| propagation_tag(&table.0, &own.id.0));
        let missing = marks.filter(|(key, value)| own.tags.get(key) != Some(value));
        let marks: Tags = missing
            .take(MAX_TAGS_OF_OWN_GATEWAY.saturating_sub(own.tags.len()))
            .collect();
        if marks.is_empty() {
            return Ok(());
        }
        match self
            .context
            .clients
            .ec2
            .create_tags(&self.context.operation.call_context(), &[own.id.0], &marks)
            .await
        {
            // Propagation that is not recorded stays enabled until the VPN gateway is deleted,
            // which ends it.
            Err(denied @ crate::aws::Error::Denied(_)) => {
                tracing::warn!(%denied, "cannot record route propagation");
                return Ok(());
            }
            other => other?,
        }
        self.context.update(|observed| {
            observed
                .aws
                .gateway
                .iter_mut()
                .for_each(|gateway| gateway.tags.extend(marks.clone()))
        });
        Ok(())
    }

    async fn tag_customer_gateways(&self, table: &RouteTableId) -> Result<(), ActionError> {
        let AwsGateway::ExistingVgw(gateway) = &self.spec.aws.gateway else {
            return Ok(());
        };
        if self.spec.preexisting_propagation.contains(table) {
            return Ok(());
        }
        let (key, value) = propagation_tag(&table.0, &gateway.0);
        let lacks = |customer: &&CustomerGateway| {
            let tags = &customer.tags;
            self.link().is_on(tags)
                && tags.get(&key) != Some(&value)
                && tags.len() < MAX_TAGS_BEFORE_RECORD
        };
        let ids = self.context.read(|observed| {
            let customers = observed
                .aws
                .customer_gateways
                .iter()
                .filter_map(|(_, customer)| customer.as_ref());
            customers
                .filter(lacks)
                .map(|customer| customer.id.0.clone())
                .collect::<Vec<_>>()
        });
        let mark = Tags::from([(key.clone(), value.clone())]);
        self.context
            .clients
            .ec2
            .create_tags(&self.context.operation.call_context(), &ids, &mark)
            .await?;
        self.context.update(|observed| {
            for instance in Instance::ALL {
                let customer = observed
                    .aws
                    .customer_gateways
                    .get_mut(instance)
                    .iter_mut()
                    .filter(|c| ids.contains(&c.id.0));
                customer.for_each(|customer| customer.tags.extend(mark.clone()));
            }
        });
        Ok(())
    }
}
