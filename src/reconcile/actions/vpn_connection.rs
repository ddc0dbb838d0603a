//! Changes of a VPN connection that stays.

use super::ApplyContext;
use crate::aws::model::{NetworkCidrs, VpnConnection};
use crate::aws::{ConnectionEndpoints, ConnectionOptions};
use crate::reconcile::error::ActionError;
use bgp_vpn::action::{ActionTarget, ConnectionDiff};
use bgp_vpn::tunnel::{Instance, TunnelKey};

impl ApplyContext<'_> {
    /// Options, then ends, then tags. The tunnels that were up are up again before the step ends.
    pub(super) async fn change_vpn_connection(
        &self,
        instance: Instance,
        differs: ConnectionDiff,
        tags: bool,
    ) -> Result<(), ActionError> {
        let have = self.context.require("the VPN connection", |observed| {
            observed.aws.vpn_connections.get(instance).clone()
        })?;
        if differs.any() {
            let up = |key: &TunnelKey| {
                self.context.before.is_up(*key)
                    || self.context.read(|observed| observed.is_up(*key))
            };
            let were_up: Vec<TunnelKey> = instance.tunnels().into_iter().filter(up).collect();
            self.change_options(instance, &have, differs).await?;
            self.change_ends(instance, &have, differs).await?;
            for key in were_up {
                self.wait_for_session(key).await?;
            }
        }
        match tags {
            true => {
                self.update_aws_tags(&ActionTarget::VpnConnection(instance))
                    .await
            }
            false => Ok(()),
        }
    }

    async fn change_options(
        &self,
        instance: Instance,
        have: &VpnConnection,
        differs: ConnectionDiff,
    ) -> Result<(), ActionError> {
        let wanted = ConnectionOptions {
            bandwidth: differs.bandwidth.then_some(self.spec.aws.bandwidth),
            networks: differs.networks.then(NetworkCidrs::default),
        };
        if wanted == ConnectionOptions::default() {
            return Ok(());
        }
        let (ec2, ctx) = (
            &self.context.clients.ec2,
            self.context.operation.call_context(),
        );
        let changed = match ec2.change_connection_options(&ctx, &have.id, &wanted).await {
            Err(error) if wanted.bandwidth.is_some() && error.is_unsupported() => {
                return Err(ActionError::FixedBandwidth {
                    id: have.id.to_string(),
                    region: self.spec.aws.region.0.clone(),
                });
            }
            changed => changed?,
        };
        self.context
            .update(|observed| *observed.aws.vpn_connections.get_mut(instance) = Some(changed));
        Ok(())
    }

    async fn change_ends(
        &self,
        instance: Instance,
        have: &VpnConnection,
        differs: ConnectionDiff,
    ) -> Result<(), ActionError> {
        if !differs.changes_endpoint() {
            return Ok(());
        }
        let customer = self.context.require("the customer gateway", |observed| {
            observed.aws.customer_gateways.get(instance).clone()
        })?;
        let target = self.target_gateway()?;
        let wanted = ConnectionEndpoints {
            customer_gateway: differs.customer_gateway.then(|| customer.id.clone()),
            target: Some(target).filter(|_| differs.target),
        };
        let (ec2, ctx) = (
            &self.context.clients.ec2,
            self.context.operation.call_context(),
        );
        let changed = ec2
            .change_connection_endpoints(&ctx, &have.id, &wanted)
            .await?;
        let kept = instance.tunnels().into_iter().all(|key| {
            let outside = self
                .context
                .read(|observed| *observed.aws.outside_ips.get(key));
            outside.is_some_and(|ip| changed.tunnels.iter().any(|tunnel| tunnel.outside_ip == ip))
        });
        // AWS documents no change of the outside addresses; should one come, the tunnels are named
        // by their inside CIDRs again.
        match kept {
            true => self
                .context
                .update(|observed| *observed.aws.vpn_connections.get_mut(instance) = Some(changed)),
            false => self.record_connection(instance, changed),
        }
        self.context.update(|observed| {
            let place = observed.aws.used_customer_gateways.get_mut(instance);
            if differs.customer_gateway {
                *place = Some(customer);
            }
        });
        Ok(())
    }
}
