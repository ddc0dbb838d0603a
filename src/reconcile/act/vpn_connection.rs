//! Changes of a VPN connection that stays.

use super::Building;
use crate::aws::model::{NetworkCidrs, VpnConnection};
use crate::aws::{ConnectionEnds, ConnectionOptions};
use crate::link::differ;
use crate::link::step::Object;
use crate::link::tunnel::{Instance, TunnelKey};
use crate::link::vpn_connection::{Differing, differing};
use crate::reconcile::cause::Cause;

impl Building<'_> {
    /// Options, then ends, then tags. The tunnels that were up are up again before the step ends.
    pub(super) async fn change_vpn_connection(&self, instance: Instance) -> Result<(), Cause> {
        let have = self.acting.must("the VPN connection", |seen| seen.aws.vpns.get(instance).clone())?;
        let differs = self.acting.seen(|seen| differing(self.spec, seen, &have, instance));
        if differs.any() {
            let up = |key: &TunnelKey| self.acting.before.is_up(*key) || self.acting.seen(|seen| seen.is_up(*key));
            let were_up: Vec<TunnelKey> = instance.tunnels().into_iter().filter(up).collect();
            self.change_options(instance, &have, differs).await?;
            self.change_ends(instance, &have, differs).await?;
            for key in were_up {
                self.session(key).await?;
            }
        }
        match differ::labels(&have.tags, self.spec).is_empty() {
            true => Ok(()),
            false => self.retag(&Object::VpnConnection(instance)).await,
        }
    }

    async fn change_options(&self, instance: Instance, have: &VpnConnection, differs: Differing) -> Result<(), Cause> {
        let wanted = ConnectionOptions {
            bandwidth: differs.bandwidth.then_some(self.spec.aws.bandwidth),
            networks: differs.networks.then(NetworkCidrs::default),
        };
        if wanted == ConnectionOptions::default() {
            return Ok(());
        }
        let (ec2, waits) = (&self.acting.site.ec2, self.acting.limits.aws());
        let changed = ec2.change_connection_options(&waits, &have.id, &wanted).await?;
        self.acting.note(|seen| *seen.aws.vpns.get_mut(instance) = Some(changed));
        Ok(())
    }

    async fn change_ends(&self, instance: Instance, have: &VpnConnection, differs: Differing) -> Result<(), Cause> {
        if !differs.moves() {
            return Ok(());
        }
        let customer =
            self.acting.must("the customer gateway", |seen| seen.aws.customer_gateways.get(instance).clone())?;
        let target = self.target()?;
        let wanted = ConnectionEnds {
            customer_gateway: differs.customer_gateway.then(|| customer.id.clone()),
            target: Some(target).filter(|_| differs.target),
        };
        let (ec2, waits) = (&self.acting.site.ec2, self.acting.limits.aws());
        let changed = ec2.change_connection_ends(&waits, &have.id, &wanted).await?;
        let kept = instance.tunnels().into_iter().all(|key| {
            let outside = self.acting.seen(|seen| *seen.aws.outside_ips.get(key));
            outside.is_some_and(|ip| changed.tunnels.iter().any(|tunnel| tunnel.outside_ip == ip))
        });
        // AWS documents no change of the outside addresses; should one come, the tunnels are named by their inside CIDRs again.
        match kept {
            true => self.acting.note(|seen| *seen.aws.vpns.get_mut(instance) = Some(changed)),
            false => self.note_connection(instance, changed),
        }
        self.acting.note(|seen| {
            let place = seen.aws.used_customers.get_mut(instance);
            if differs.customer_gateway {
                *place = Some(customer);
            }
        });
        Ok(())
    }
}
