//! Tags that record what this link has put on objects of other users: addresses on an existing Azure gateway, and route tables
//! in which it enabled propagation. They survive a process that is killed before it writes the state.

use super::Building;
use crate::aws::model::{CustomerGateway, RouteTableId};
use crate::link::ownership::{MOST_TAGS, PLACED, placed, propagation_mark};
use crate::link::route_tables::wanted_tables;
use crate::link::spec::{AwsGateway, AzureGateway};
use crate::link::tunnel::Instance;
use crate::primitives::Tags;
use crate::reconcile::cause::Cause;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// The same of a VPN gateway that the link created. Propagation from it ends with it, so a table without a tag may stay.
const MOST_TAGS_OF_OWN: usize = 48;

fn mark(addresses: &BTreeSet<Ipv4Addr>) -> Tags {
    let words: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    Tags::from([(PLACED.to_owned(), words.join(" "))])
}

impl Building<'_> {
    /// What this link lists at an instance; what was there before it is not of it.
    fn placed(&self, instance: Instance) -> BTreeSet<Ipv4Addr> {
        self.own_addresses(instance).into_iter().filter(|ip| !self.spec.found.contains(ip)).collect()
    }

    /// For a new customer gateway: also what is still to be taken off.
    pub(super) fn placed_mark(&self, instance: Instance) -> Tags {
        if matches!(self.spec.azure.gateway, AzureGateway::Own { .. }) {
            return Tags::new();
        }
        let former = self.spec.former.addresses.iter().filter(|(at, _)| *at == instance).map(|(_, ip)| *ip);
        mark(&self.placed(instance).into_iter().chain(former).collect())
    }

    /// Before addresses are listed.
    pub(super) async fn mark_placed(&self) -> Result<(), Cause> {
        self.remark(|instance, before| self.placed(instance).union(before).copied().collect()).await
    }

    /// After addresses were taken off.
    pub(super) async fn mark_withdrawn(&self) -> Result<(), Cause> {
        self.remark(|instance, _| self.placed(instance)).await
    }

    /// Customer gateways that are not tagged as this link's are left alone: they may serve others too.
    async fn remark(&self, wanted: impl Fn(Instance, &BTreeSet<Ipv4Addr>) -> BTreeSet<Ipv4Addr>) -> Result<(), Cause> {
        if matches!(self.spec.azure.gateway, AzureGateway::Own { .. }) {
            return Ok(());
        }
        for instance in Instance::ALL {
            let customer = self.acting.seen(|seen| seen.aws.customer_gateways.get(instance).clone());
            let Some(customer) = customer.filter(|customer| self.link().is_on(&customer.tags)) else { continue };
            let before = placed(&customer.tags).collect();
            let wanted = wanted(instance, &before);
            if wanted == before {
                continue;
            }
            let mark = mark(&wanted);
            self.acting.site.ec2.create_tags(&self.acting.limits.aws(), &[customer.id.0], &mark).await?;
            self.acting.note(|seen| {
                seen.aws.customer_gateways.get_mut(instance).iter_mut().for_each(|c| c.tags.extend(mark.clone()));
            });
        }
        Ok(())
    }

    /// For a new customer gateway: what this link lets in by now, and goes on to.
    pub(super) fn propagation_marks(&self) -> Tags {
        let AwsGateway::Existing(gateway) = &self.spec.aws.gateway else { return Tags::new() };
        self.acting.seen(|seen| {
            let wanted = wanted_tables(self.spec, seen);
            let own = seen.aws.route_tables.iter().filter(|table| {
                wanted.contains(&Some(table.id.clone()))
                    && table.propagating.contains(gateway)
                    && !self.spec.propagated_before.contains(&table.id)
            });
            own.take(MOST_TAGS / 2).map(|table| propagation_mark(&table.id.0, &gateway.0)).collect()
        })
    }

    /// Before propagation into tables is enabled: whoever finds it enabled without this tag leaves it enabled.
    pub(super) async fn mark_propagations(&self, tables: &[RouteTableId]) -> Result<(), Cause> {
        let AwsGateway::Own { .. } = &self.spec.aws.gateway else {
            for table in tables {
                self.mark_at_customer_gateways(table).await?;
            }
            return Ok(());
        };
        let own = self.acting.must("the VPN gateway", |seen| seen.aws.gateway.clone())?;
        let marks = tables.iter().map(|table| propagation_mark(&table.0, &own.id.0));
        let missing = marks.filter(|(key, value)| own.tags.get(key) != Some(value));
        let marks: Tags = missing.take(MOST_TAGS_OF_OWN.saturating_sub(own.tags.len())).collect();
        if marks.is_empty() {
            return Ok(());
        }
        match self.acting.site.ec2.create_tags(&self.acting.limits.aws(), &[own.id.0], &marks).await {
            // Propagation that is not recorded stays enabled until the VPN gateway is deleted, which ends it.
            Err(denied @ crate::aws::Error::Denied(_)) => {
                tracing::warn!(%denied, "cannot record route propagation");
                return Ok(());
            }
            other => other?,
        }
        self.acting.note(|seen| seen.aws.gateway.iter_mut().for_each(|gateway| gateway.tags.extend(marks.clone())));
        Ok(())
    }

    async fn mark_at_customer_gateways(&self, table: &RouteTableId) -> Result<(), Cause> {
        let AwsGateway::Existing(gateway) = &self.spec.aws.gateway else { return Ok(()) };
        if self.spec.propagated_before.contains(table) {
            return Ok(());
        }
        let (key, value) = propagation_mark(&table.0, &gateway.0);
        let lacks = |customer: &&CustomerGateway| {
            let tags = &customer.tags;
            self.link().is_on(tags) && tags.get(&key) != Some(&value) && tags.len() < MOST_TAGS
        };
        let ids = self.acting.seen(|seen| {
            let customers = seen.aws.customer_gateways.iter().filter_map(|(_, customer)| customer.as_ref());
            customers.filter(lacks).map(|customer| customer.id.0.clone()).collect::<Vec<_>>()
        });
        let mark = Tags::from([(key.clone(), value.clone())]);
        self.acting.site.ec2.create_tags(&self.acting.limits.aws(), &ids, &mark).await?;
        self.acting.note(|seen| {
            for instance in Instance::ALL {
                let customer =
                    seen.aws.customer_gateways.get_mut(instance).iter_mut().filter(|c| ids.contains(&c.id.0));
                customer.for_each(|customer| customer.tags.extend(mark.clone()));
            }
        });
        Ok(())
    }
}
