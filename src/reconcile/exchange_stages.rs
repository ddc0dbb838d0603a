//! The spec of the next round: what is wanted, or a stage on the way where tunnels take over inside
//! CIDRs from each other.

use super::clients::{LinkClients, OperationContext};
use super::error::ActionError;
use crate::aws::Filter;
use crate::aws::model::TargetGateway;
use bgp_vpn::cidr_exchange::{SpareAddresses, Stage, current, is_needed, next, staged};
use bgp_vpn::inside_cidr::InsideCidr;
use bgp_vpn::observed::Observed;
use bgp_vpn::spec::Spec;
use bgp_vpn::tunnel::{Instance, PerTunnel, TunnelKey};
use bgp_vpn::vpn_connection;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// What a run has done of an exchange of inside CIDRs.
#[derive(Debug, Default)]
pub struct Exchange {
    /// Addresses taken for the time being.
    spares: BTreeSet<(Instance, Ipv4Addr)>,
    last: Option<PerTunnel<InsideCidr>>,
    rounds: usize,
}

impl Exchange {
    /// The spec of the next round, and how many rounds there were at the same inside CIDRs.
    ///
    /// # Errors
    /// What could not be read; `NoSpareCidr`.
    pub async fn spec(
        &mut self,
        clients: &LinkClients,
        spec: &Spec,
        observed: &Observed,
        operation: &OperationContext,
    ) -> Result<(Spec, usize), ActionError> {
        let has = current(observed);
        let stage = match is_needed(&has, &spec.inside_cidrs) {
            false => spec.inside_cidrs.clone(),
            true => {
                let (taken, listed) = addresses_in_use(clients, spec, observed, operation).await?;
                match next(
                    &has,
                    &spec.inside_cidrs,
                    SpareAddresses {
                        taken: &taken,
                        listed: &listed,
                    },
                ) {
                    Stage::Last => spec.inside_cidrs.clone(),
                    Stage::Next(stage) => stage,
                    Stage::NoSpare => return Err(ActionError::NoSpareCidr),
                }
            }
        };
        let aside = |key: &TunnelKey| {
            let cidr = stage.get(*key);
            cidr != spec.inside_cidrs.get(*key) && *has.get(*key) != Some(*cidr)
        };
        let aside = TunnelKey::ALL
            .into_iter()
            .filter(aside)
            .map(|key| (key.instance, stage.get(key).azure_ip()));
        self.spares.extend(aside.collect::<Vec<_>>());
        self.rounds = if self.last.as_ref() == Some(&stage) {
            self.rounds + 1
        } else {
            0
        };
        self.last = Some(stage.clone());
        Ok((staged(spec, observed, stage, &self.spares), self.rounds))
    }

    /// Addresses that were taken off the Azure gateway are no longer this run's business.
    pub fn released(&mut self, addresses: &BTreeSet<(Instance, Ipv4Addr)>) {
        self.spares.retain(|place| !addresses.contains(place));
    }
}

/// Inside CIDRs on the AWS gateway, and BGP addresses on the Azure gateway.
async fn addresses_in_use(
    clients: &LinkClients,
    spec: &Spec,
    observed: &Observed,
    operation: &OperationContext,
) -> Result<(BTreeSet<InsideCidr>, BTreeSet<Ipv4Addr>), ActionError> {
    let filter = match vpn_connection::target_gateway(spec, observed) {
        Some(TargetGateway::VpnGateway(id)) => Some(Filter::vpn_gateway(&id)),
        Some(TargetGateway::TransitGateway(id)) => Some(Filter::transit_gateway(&id)),
        Some(TargetGateway::Other) | None => None,
    };
    let connections = match &filter {
        Some(filter) => {
            clients
                .ec2
                .describe_vpn_connections(&operation.call_context(), filter)
                .await?
        }
        None => Vec::new(),
    };
    let taken = connections
        .iter()
        .flat_map(|connection| &connection.tunnels);
    let taken = taken
        .filter_map(|tunnel| InsideCidr::check(tunnel.inside_cidr?).ok())
        .collect();
    let listed = observed
        .azure
        .gateway
        .iter()
        .flat_map(|gateway| gateway.custom_bgp_ips().copied())
        .collect();
    Ok((taken, listed))
}
