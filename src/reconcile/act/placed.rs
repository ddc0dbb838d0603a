//! Marks on the customer gateways that say which addresses this link lists on somebody else's Azure gateway.

use super::Building;
use crate::link::ownership::{PLACED, placed};
use crate::link::spec::AzureGateway;
use crate::link::tunnel::Instance;
use crate::primitives::Tags;
use crate::reconcile::cause::Cause;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

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
}
