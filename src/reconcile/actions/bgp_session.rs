//! Waiting for a tunnel's BGP session: AWS reports UP, and Azure has a connected peer row with the
//! tunnel's AWS address as neighbor. Where the credentials may not read Azure's peers, AWS decides
//! alone. A session that was not up before also has to exchange routes where some are expected; both
//! counts are in the responses that report the session.

use super::ApplyContext;
use crate::aws::model::{State, VpnConnectionId};
use crate::aws::{PollSubscription, max_age};
use crate::azure::Error;
use crate::azure::model::{BgpPeer, ProvisioningState};
use crate::client::{ErrorContext, poll_interval};
use crate::reconcile::clients::OperationContext;
use crate::reconcile::denied::BGP_PEERS;
use crate::reconcile::error::ActionError;
use crate::reconcile::observe::observe;
use bgp_vpn::action::ActionTarget;
use bgp_vpn::compare;
use bgp_vpn::inside_cidr::InsideCidr;
use bgp_vpn::mismatches::{Mismatch, bgp_mismatches, ipsec_mismatches};
use bgp_vpn::missing_routes::{azure_expects_routes, missing_routes};
use bgp_vpn::tunnel::{Instance, PerTunnel, TunnelKey};
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::time::Instant;

/// How long a session may take once both ends are built, as opposed to a create that failed; and
/// how long the tunnels next to one that is to be interrupted may be down, which a run that broke
/// off may just have interrupted.
pub const SESSION_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// How long the read may take that finds the cause of a session which did not come up.
const DIAGNOSIS_TIMEOUT: Duration = Duration::from_secs(60);

/// How long EC2 may omit a VPN connection that exists.
const CONSISTENCY_TIMEOUT: Duration = Duration::from_secs(60);

/// Pause between two checks whether the Azure objects of a tunnel that is down still exist.
const EXISTENCE_CHECK_INTERVAL: Duration = Duration::from_secs(60);

impl ApplyContext<'_> {
    /// Waits until the session of one tunnel is up, with as many routes as it had.
    pub(super) async fn wait_for_session(&self, key: TunnelKey) -> Result<(), ActionError> {
        let (id, _) = self.aws_endpoint(key)?;
        let (awaited, begun) = (self.context.clients.ec2.subscribe(&id), Instant::now());
        // A tunnel that is new to the link had none.
        let had = self.context.before.tunnel(key).filter(|tunnel| {
            self.context
                .read(|observed| observed.tunnel(key).map(|t| t.outside_ip))
                == Some(tunnel.outside_ip)
        });
        let had = had
            .and_then(|tunnel| tunnel.telemetry.as_ref())
            .filter(|t| t.up)
            .map(|t| t.accepted_routes);
        let is_new = had.is_none();
        let had = had.unwrap_or(0).saturating_sub(self.removed_prefixes());
        let mut checked = begun;
        loop {
            let (on_progress, aws) = self.aws_session_status(key, &awaited, begun, begun).await?;
            let aws_up = on_progress.is_some();
            let (azure_up, azure, learned) = if aws_up {
                self.azure_session_status(key).await?
            } else {
                (
                    false,
                    "nothing, because it was not read yet".to_owned(),
                    None,
                )
            };
            let has = on_progress.unwrap_or_default();
            let lacks = is_new
                .then(|| self.missing_routes(key, has, learned.as_ref()))
                .flatten();
            if aws_up && azure_up && has >= had && lacks.is_none() {
                return Ok(());
            }
            if checked.elapsed() >= EXISTENCE_CHECK_INTERVAL {
                self.check_azure_objects_exist(key).await?;
                checked = Instant::now();
            }
            let pause = poll_interval::poll_interval(begun.elapsed());
            if begun.elapsed() + pause > SESSION_TIMEOUT
                || self.context.operation.deadline.is_over_after(pause)
            {
                let minutes = begun.elapsed().as_secs() / 60;
                if let Some(fault) = lacks.filter(|_| aws_up && azure_up) {
                    return Err(ActionError::NoRoutes {
                        key,
                        tunnels: self.tunnels_without_routes(learned.as_ref()),
                        minutes,
                        fault,
                    });
                }
                if aws_up && azure_up {
                    return Err(ActionError::RouteCountDropped {
                        key,
                        had,
                        has,
                        minutes,
                    });
                }
                return Err(ActionError::BgpSessionTimeout {
                    key,
                    minutes,
                    aws,
                    azure,
                    mismatches: self.current_mismatches(key).await,
                });
            }
            self.context
                .operation
                .call_context()
                .sleep(
                    pause,
                    &ErrorContext::new("wait for the BGP session of", key),
                )
                .await?;
        }
    }

    /// Fails if the Azure connection of a tunnel or the gateway was deleted: its session cannot come
    /// up. An object that this run has not created yet is not missed.
    async fn check_azure_objects_exist(&self, key: TunnelKey) -> Result<(), ActionError> {
        let (azure, ctx) = (
            &self.context.clients.azure,
            self.context.operation.call_context(),
        );
        let (gateway, connection) = self.context.read(|observed| {
            let gateway = observed.azure.gateway.as_ref();
            let connection = observed.azure.connections.get(key).as_ref();
            (
                gateway.map(|it| it.resource.id.clone()),
                connection.map(|it| it.resource.id.clone()),
            )
        });
        // A failed read does not show whether the object exists, so the wait continues.
        if let Some(id) = connection
            && let Ok(found) = azure.get_connection(&id, &ctx).await
            && found.is_none_or(|found| found.resource.state == ProvisioningState::Deleting)
        {
            return Err(deleted_outside(&id, key));
        }
        if let Some(id) = gateway
            && let Ok(found) = azure.get_gateway(&id, &ctx).await
            && found.is_none_or(|found| found.resource.state == ProvisioningState::Deleting)
        {
            return Err(deleted_outside(&id, key));
        }
        Ok(())
    }

    /// Where the settings of the two clouds differ now: another user may have changed one since the
    /// tunnel was built. Nothing where they cannot be read.
    async fn current_mismatches(&self, key: TunnelKey) -> Vec<Mismatch> {
        let context = self.context;
        let scope = context.read(|observed| {
            let mut scope = context.scope.clone();
            scope.known.record(observed);
            scope
        });
        let operation =
            OperationContext::with_timeout(DIAGNOSIS_TIMEOUT, &context.operation.cancel);
        match observe(context.clients, &scope, &operation).await {
            Ok(observed) => ipsec_mismatches(&observed, key)
                .into_iter()
                .chain(bgp_mismatches(&observed, key).unwrap_or_default())
                .collect(),
            Err(error) => {
                tracing::warn!(%error, "cannot compare the settings of the two clouds");
                Vec::new()
            }
        }
    }

    /// Ranges that this very update took off the VNet. Azure announced a route for each.
    fn removed_prefixes(&self) -> u32 {
        let before = self
            .context
            .before
            .azure
            .network
            .iter()
            .flat_map(|network| &network.address_space);
        let gone = self.context.read(|observed| {
            let now = observed.azure.network.as_ref();
            before
                .filter(|range| now.is_some_and(|now| !now.address_space.contains(range)))
                .count()
        });
        u32::try_from(gone).unwrap_or(u32::MAX)
    }

    fn aws_endpoint(&self, key: TunnelKey) -> Result<(VpnConnectionId, Ipv4Addr), ActionError> {
        self.context.require("the AWS endpoint", |observed| {
            let id = observed
                .aws
                .vpn_connections
                .get(key.instance)
                .as_ref()?
                .id
                .clone();
            Some((id, observed.tunnel(key)?.outside_ip))
        })
    }

    /// Whether the other tunnels are up when one is up, read again right before it is interrupted.
    pub(super) async fn wait_peer_tunnels(&self, key: TunnelKey) -> Result<(), ActionError> {
        let others = TunnelKey::ALL.into_iter().filter(|other| *other != key);
        self.wait_until_up(&ActionTarget::Tunnel(key), others).await
    }

    /// Whether the other VPN connection's tunnels are up before all of this one is interrupted.
    /// Those that were down and go with their connection later in the same run cannot be.
    pub(super) async fn wait_peer_connection(&self, instance: Instance) -> Result<(), ActionError> {
        let to_come = |key: &TunnelKey| {
            self.context.read(|observed| {
                let have = observed.aws.vpn_connections.get(key.instance).as_ref();
                have.is_some_and(|have| {
                    compare::vpn_connection_needs_replacement(self.spec, have, key.instance)
                        .is_some()
                })
            }) && !self.context.before.is_up(*key)
        };
        let others = TunnelKey::ALL
            .into_iter()
            .filter(|key| key.instance != instance && !to_come(key));
        self.wait_until_up(&ActionTarget::VpnConnection(instance), others)
            .await
    }

    /// Waits until both clouds report that the other tunnels are up. AWS may report it late, so Azure
    /// is read as well. A tunnel that was just changed needs some seconds.
    async fn wait_until_up(
        &self,
        spared: &ActionTarget,
        others: impl Iterator<Item = TunnelKey>,
    ) -> Result<(), ActionError> {
        let begun = Instant::now();
        // All awaited from the start, so that one look answers for all.
        let awaited = |other| {
            self.aws_endpoint(other)
                .ok()
                .map(|(id, _)| self.context.clients.ec2.subscribe(&id))
        };
        let others: Vec<_> = others.map(|other| (other, awaited(other))).collect();
        let (mut since, mut azure_agrees) = (begun, false);
        let mut checked = begun;
        loop {
            let mut why = Vec::new();
            for (other, awaited) in &others {
                let (on_progress, words) = match awaited {
                    Some(awaited) => {
                        self.aws_session_status(*other, awaited, since, begun)
                            .await?
                    }
                    None => (None, "no such tunnel".to_owned()),
                };
                if on_progress.is_none() {
                    why.push(format!("{other} is down (AWS reports {words})"));
                }
            }
            match (why.is_empty(), azure_agrees) {
                (true, true) => return Ok(()),
                (true, false) => {
                    why = self
                        .tunnels_down_on_azure(others.iter().map(|(other, _)| *other))
                        .await?;
                    azure_agrees = why.is_empty();
                }
                (false, _) => azure_agrees = false,
            }
            since = Instant::now();
            if azure_agrees {
                continue;
            }
            if checked.elapsed() >= EXISTENCE_CHECK_INTERVAL {
                for (other, _) in &others {
                    self.check_azure_objects_exist(*other).await?;
                }
                checked = Instant::now();
            }
            if begun.elapsed() > SESSION_TIMEOUT {
                return Err(ActionError::PeersNotReady {
                    spared: spared.clone(),
                    why,
                });
            }
            self.context
                .operation
                .call_context()
                .sleep(
                    poll_interval::poll_interval(begun.elapsed()),
                    &ErrorContext::new("wait for the other tunnels before changing", spared),
                )
                .await?;
        }
    }

    /// Routes that AWS accepts over the tunnel, None while it is down; and the same in words.
    /// `since`: the oldest read that counts. `begun`: the begin of the wait.
    async fn aws_session_status(
        &self,
        key: TunnelKey,
        awaited: &PollSubscription<'_>,
        since: Instant,
        begun: Instant,
    ) -> Result<(Option<u32>, String), ActionError> {
        let (_, outside) = self.aws_endpoint(key)?;
        let Some(connection) = awaited
            .poll(&self.context.operation.call_context(), max_age(since))
            .await?
        else {
            if begun.elapsed() >= CONSISTENCY_TIMEOUT {
                return Err(deleted_outside(awaited.id(), key));
            }
            return Ok((None, "no such VPN connection".to_owned()));
        };
        if !connection.state.is_living() {
            return Err(deleted_outside(&connection.id, key));
        }
        let on_progress = connection
            .tunnels
            .iter()
            .find(|t| t.outside_ip == outside)
            .and_then(|t| t.telemetry.clone());
        // What it says of a tunnel is late by a minute: UP may be from before a change that is
        // under way.
        let settled = connection.state == State::Available;
        self.context.update(|observed| {
            *observed.aws.vpn_connections.get_mut(key.instance) = Some(connection)
        });
        Ok(match on_progress {
            _ if !settled => (None, "that the VPN connection is being modified".to_owned()),
            Some(t) if t.up => (Some(t.accepted_routes), format!("UP, {}", t.message)),
            Some(t) => (None, format!("DOWN, {}", t.message)),
            None => (None, "no status yet".to_owned()),
        })
    }

    /// Whether Azure has the session up, the same in words, and how many routes it learned over each
    /// session, None where they are not readable.
    async fn azure_session_status(
        &self,
        key: TunnelKey,
    ) -> Result<(bool, String, Option<PerTunnel<u64>>), ActionError> {
        let cidr = self.spec.inside_cidrs.get(key);
        Ok(match self.bgp_peers().await? {
            Peers::Listed(peers) => {
                let (up, words) = peer_status(&peers, *cidr);
                let learned = |_, cidr: &InsideCidr| learned_routes(&peers, *cidr);
                (up, words, Some(self.spec.inside_cidrs.map(learned)))
            }
            Peers::Silent(words) => (false, words, None),
            Peers::Denied => (
                true,
                "nothing, because the credentials have no permission to read its BGP peers"
                    .to_owned(),
                None,
            ),
        })
    }

    /// What a session that is up lacks in routes.
    fn missing_routes(
        &self,
        key: TunnelKey,
        accepted: u32,
        learned: Option<&PerTunnel<u64>>,
    ) -> Option<&'static str> {
        let expected = self
            .context
            .read(|observed| azure_expects_routes(self.spec, observed));
        let learned = learned.map(|learned| *learned.get(key));
        missing_routes(accepted.into(), learned.filter(|_| expected))
    }

    /// The tunnels that are up and lack routes, by the last reads.
    fn tunnels_without_routes(&self, learned: Option<&PerTunnel<u64>>) -> Vec<TunnelKey> {
        let accepted = |key| {
            self.context.read(|observed| {
                let telemetry = observed.tunnel(key)?.telemetry.as_ref()?;
                telemetry.up.then_some(telemetry.accepted_routes)
            })
        };
        let lacks = |key: &TunnelKey| {
            accepted(*key).is_some_and(|has| self.missing_routes(*key, has, learned).is_some())
        };
        TunnelKey::ALL.into_iter().filter(lacks).collect()
    }

    /// Those of the tunnels whose session Azure does not say to be up, at the addresses that they
    /// have by now, and what it says.
    async fn tunnels_down_on_azure(
        &self,
        keys: impl Iterator<Item = TunnelKey>,
    ) -> Result<Vec<String>, ActionError> {
        let unknown = |words| {
            vec![format!(
                "the status of the other tunnels is unknown (Azure reports {words})"
            )]
        };
        let peers = match self.bgp_peers().await? {
            Peers::Listed(peers) => peers,
            Peers::Silent(words) => return Ok(unknown(words)),
            Peers::Denied => return Ok(Vec::new()),
        };
        let down = |key: TunnelKey| {
            let now = self
                .context
                .read(|observed| InsideCidr::check(observed.tunnel(key)?.inside_cidr?).ok());
            let (up, words) = peer_status(&peers, now.unwrap_or(*self.spec.inside_cidrs.get(key)));
            (!up).then(|| format!("{key} is down (Azure reports {words})"))
        };
        Ok(keys.filter_map(down).collect())
    }

    /// What Azure's gateway reports of its BGP sessions.
    async fn bgp_peers(&self) -> Result<Peers, ActionError> {
        let (ctx, gateway, denied) = (
            self.context.operation.call_context(),
            self.spec.azure.gateway.id(),
            self.denied,
        );
        if denied.has(BGP_PEERS, gateway) {
            return Ok(Peers::Denied);
        }
        match self.context.clients.azure.bgp_peers(gateway, &ctx).await {
            Ok(peers) => Ok(Peers::Listed(peers)),
            // An answer that is lost or cannot be read says nothing of the session: ask again.
            Err(error)
                if error.is_not_found()
                    || error.is_retryable()
                    || error.is_transient()
                    || matches!(error, Error::Malformed(_) | Error::OperationFailed(_)) =>
            {
                Ok(Peers::Silent(format!("nothing ({error})")))
            }
            Err(error) => {
                denied.note(BGP_PEERS, gateway, error)?;
                Ok(Peers::Denied)
            }
        }
    }
}

fn deleted_outside(id: &impl ToString, key: TunnelKey) -> ActionError {
    ActionError::DeletedOutside {
        id: id.to_string(),
        awaited: format!("the BGP session of {key}"),
    }
}

/// What became of asking for BGP sessions.
enum Peers {
    Listed(Vec<BgpPeer>),
    /// Nothing yet, and why.
    Silent(String),
    Denied,
}

/// Whether Azure has the session up, and what it reports of it. The neighbor identifies it: no two
/// tunnels of a gateway share an AWS address, while the local address is the instance's own in all
/// published samples (2026-11). Of the rows of a connection's two instances one never connects.
fn peer_status(peers: &[BgpPeer], cidr: InsideCidr) -> (bool, String) {
    let rows = || {
        peers
            .iter()
            .filter(|peer| peer.neighbor == Some(cidr.aws_ip()))
    };
    let states: Vec<&str> = rows().map(|row| row.state.as_str()).collect();
    match states.is_empty() {
        true => (false, format!("nothing of a peer {}", cidr.aws_ip())),
        false => (
            rows().any(BgpPeer::is_connected),
            format!("that the peer is {}", states.join(" and ")),
        ),
    }
}

/// Routes that Azure learned over the session.
fn learned_routes(peers: &[BgpPeer], cidr: InsideCidr) -> u64 {
    let own = peers
        .iter()
        .filter(|peer| peer.neighbor == Some(cidr.aws_ip()) && peer.is_connected());
    own.map(|peer| peer.routes_received).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use bgp_vpn::inside_cidr::Slot;

    fn row(local: &str, neighbor: &str, state: &str) -> BgpPeer {
        let (local, neighbor) = (local.parse().ok(), neighbor.parse().ok());
        BgpPeer {
            local,
            neighbor,
            asn: None,
            state: state.to_owned(),
            routes_received: 0,
        }
    }

    #[test]
    fn find_session_by_neighbor_with_any_local_address() {
        let cidr = *Slot::default().inside_cidrs().get(TunnelKey::ALL[0]);
        let aws = cidr.aws_ip().to_string();
        for local in [cidr.azure_ip().to_string().as_str(), "10.1.255.4", "none"] {
            let other = row("10.1.255.5", &aws, "Connecting");
            assert!(
                peer_status(&[other.clone(), row(local, &aws, "connected")], cidr).0,
                "{local}"
            );
            assert!(
                !peer_status(&[other, row(local, &aws, "Idle")], cidr).0,
                "{local}"
            );
        }
        assert!(
            !peer_status(
                &[row(
                    &cidr.azure_ip().to_string(),
                    "169.254.22.1",
                    "Connected"
                )],
                cidr
            )
            .0
        );
    }
}
