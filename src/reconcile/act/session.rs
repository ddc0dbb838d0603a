//! Waiting for a tunnel's BGP session: AWS reports UP, and Azure has a connected peer row with the tunnel's AWS address as neighbor.
//! Where the credentials may not read Azure's peers, AWS decides alone.

use super::Building;
use crate::aws::model::{State, VpnConnectionId};
use crate::aws::{Awaited, fresh};
use crate::azure::Error;
use crate::azure::model::BgpPeer;
use crate::link::address::InsideCidr;
use crate::link::differ;
use crate::link::step::Object;
use crate::link::tunnel::{Instance, TunnelKey};
use crate::primitives::pace;
use crate::reconcile::cause::Cause;
use crate::reconcile::denied::BGP_PEERS;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::time::Instant;

/// How long a session may take once both ends are built, told apart from a create that failed; and how long the tunnels beside
/// one that is to be interrupted may be down, which a run that broke off may just have interrupted.
pub const SESSION_LIMIT: Duration = Duration::from_secs(15 * 60);

impl Building<'_> {
    /// Waits until the session of one tunnel is up, with as many routes as it had.
    pub(super) async fn session(&self, key: TunnelKey) -> Result<(), Cause> {
        let (id, _) = self.aws_endpoint(key)?;
        let (awaited, begun) = (self.acting.site.ec2.awaiting(&id), Instant::now());
        // A tunnel that is new to the link had none.
        let had = self.acting.before.tunnel(key).filter(|tunnel| {
            self.acting.seen(|seen| seen.tunnel(key).map(|t| t.outside_ip)) == Some(tunnel.outside_ip)
        });
        let had = had.and_then(|tunnel| tunnel.telemetry.as_ref()).filter(|t| t.up).map_or(0, |t| t.accepted_routes);
        let had = had.saturating_sub(self.ranges_taken_away());
        loop {
            let (told, aws) = self.aws_word(key, &awaited, begun).await?;
            let aws_up = told.is_some();
            let (azure_up, azure) =
                if aws_up { self.azure_word(key).await? } else { (false, "nothing: not asked yet".to_owned()) };
            let has = told.unwrap_or_default();
            if aws_up && azure_up && has >= had {
                return Ok(());
            }
            let pause = pace::pause(begun.elapsed());
            if begun.elapsed() + pause > SESSION_LIMIT || self.acting.limits.deadline.is_over_after(pause) {
                let minutes = begun.elapsed().as_secs() / 60;
                if aws_up && azure_up {
                    return Err(Cause::RoutesMissing { key, had, has, minutes });
                }
                return Err(Cause::SessionDown { key, minutes, aws, azure });
            }
            self.acting.limits.aws().sleep("Session", &key.to_string(), pause).await?;
        }
    }

    /// Ranges that this very update took off the VNet. Azure announced a route for each.
    fn ranges_taken_away(&self) -> u32 {
        let before = self.acting.before.azure.network.iter().flat_map(|network| &network.address_space);
        let gone = self.acting.seen(|seen| {
            let now = seen.azure.network.as_ref();
            before.filter(|range| now.is_some_and(|now| !now.address_space.contains(range))).count()
        });
        u32::try_from(gone).unwrap_or(u32::MAX)
    }

    fn aws_endpoint(&self, key: TunnelKey) -> Result<(VpnConnectionId, Ipv4Addr), Cause> {
        self.acting.must("the AWS endpoint", |seen| {
            let id = seen.aws.vpns.get(key.instance).as_ref()?.id.clone();
            Some((id, seen.tunnel(key)?.outside_ip))
        })
    }

    /// Whether the tunnels beside one that is up are up too, read again right before it is interrupted.
    pub(super) async fn other_tunnels(&self, key: TunnelKey) -> Result<(), Cause> {
        let others = TunnelKey::ALL.into_iter().filter(|other| *other != key);
        self.up_beside(&Object::Tunnel(key), others).await
    }

    /// Whether the other VPN connection's tunnels are up before all of this one is interrupted. Those that were down and go
    /// with their connection later in the same run cannot be.
    pub(super) async fn other_connection(&self, instance: Instance) -> Result<(), Cause> {
        let to_come = |key: &TunnelKey| {
            self.acting.seen(|seen| {
                let have = seen.aws.vpns.get(key.instance).as_ref();
                have.is_some_and(|have| differ::vpn_connection_is_obsolete(self.spec, have, key.instance).is_some())
            }) && !self.acting.before.is_up(*key)
        };
        let others = TunnelKey::ALL.into_iter().filter(|key| key.instance != instance && !to_come(key));
        self.up_beside(&Object::VpnConnection(instance), others).await
    }

    /// Waits until both clouds say that the others are up. AWS may be late with that, so that Azure is asked too; but AWS tells
    /// more often, and last. A tunnel that was just changed may take a moment.
    async fn up_beside(&self, spared: &Object, others: impl Iterator<Item = TunnelKey>) -> Result<(), Cause> {
        let begun = Instant::now();
        // All awaited from the start, so that one look answers for all.
        let awaited = |other| self.aws_endpoint(other).ok().map(|(id, _)| self.acting.site.ec2.awaiting(&id));
        let others: Vec<_> = others.map(|other| (other, awaited(other))).collect();
        let (mut since, mut azure_agrees) = (begun, false);
        loop {
            let mut why = Vec::new();
            for (other, awaited) in &others {
                let (told, words) = match awaited {
                    Some(awaited) => self.aws_word(*other, awaited, since).await?,
                    None => (None, "that it has no such tunnel".to_owned()),
                };
                if told.is_none() {
                    why.push(format!("{other} is down (AWS says {words})"));
                }
            }
            match (why.is_empty(), azure_agrees) {
                (true, true) => return Ok(()),
                (true, false) => {
                    why = self.apart(others.iter().map(|(other, _)| *other)).await?;
                    azure_agrees = why.is_empty();
                }
                (false, _) => azure_agrees = false,
            }
            since = Instant::now();
            if azure_agrees {
                continue;
            }
            if begun.elapsed() > SESSION_LIMIT {
                return Err(Cause::OthersDown { spared: spared.clone(), why });
            }
            self.acting.limits.aws().sleep("Session", &spared.to_string(), pace::pause(begun.elapsed())).await?;
        }
    }

    /// Routes that AWS accepts over the tunnel, None while it is down; and the same in words.
    async fn aws_word(
        &self,
        key: TunnelKey,
        awaited: &Awaited<'_>,
        begun: Instant,
    ) -> Result<(Option<u32>, String), Cause> {
        let (_, outside) = self.aws_endpoint(key)?;
        let Some(connection) = awaited.look(&self.acting.limits.aws(), fresh(begun)).await? else {
            return Ok((None, "the connection is gone".to_owned()));
        };
        let told = connection.tunnels.iter().find(|t| t.outside_ip == outside).and_then(|t| t.telemetry.clone());
        // What it says of a tunnel is late by a minute: UP may be from before a change that is under way.
        let settled = connection.state == State::Available;
        self.acting.note(|seen| *seen.aws.vpns.get_mut(key.instance) = Some(connection));
        Ok(match told {
            _ if !settled => (None, "that the connection is changing".to_owned()),
            Some(t) if t.up => (Some(t.accepted_routes), format!("UP, {}", t.message)),
            Some(t) => (None, format!("DOWN, {}", t.message)),
            None => (None, "nothing yet".to_owned()),
        })
    }

    async fn azure_word(&self, key: TunnelKey) -> Result<(bool, String), Cause> {
        let cidr = self.spec.inside_cidrs.get(key);
        Ok(match self.peers().await? {
            Peers::Listed(peers) => word(&peers, *cidr),
            Peers::Silent(words) => (false, words),
            Peers::Denied => (true, "nothing: these credentials may not read its BGP peers".to_owned()),
        })
    }

    /// Those of the tunnels whose session Azure does not say to be up, at the addresses that they have by now, and what it says.
    async fn apart(&self, keys: impl Iterator<Item = TunnelKey>) -> Result<Vec<String>, Cause> {
        let unknown = |words| vec![format!("whether the other tunnels are up is not known (Azure says {words})")];
        let peers = match self.peers().await? {
            Peers::Listed(peers) => peers,
            Peers::Silent(words) => return Ok(unknown(words)),
            Peers::Denied => return Ok(Vec::new()),
        };
        let down = |key: TunnelKey| {
            let now = self.acting.seen(|seen| InsideCidr::check(seen.tunnel(key)?.inside_cidr?).ok());
            let (up, words) = word(&peers, now.unwrap_or(*self.spec.inside_cidrs.get(key)));
            (!up).then(|| format!("{key} is down (Azure says {words})"))
        };
        Ok(keys.filter_map(down).collect())
    }

    /// What Azure's gateway reports of its BGP sessions.
    async fn peers(&self) -> Result<Peers, Cause> {
        let (waits, gateway, denied) = (self.acting.limits.azure(), self.spec.azure.gateway.id(), self.acting.denied);
        if denied.has(BGP_PEERS, gateway) {
            return Ok(Peers::Denied);
        }
        match self.acting.site.azure.bgp_peers(gateway, &waits).await {
            Ok(peers) => Ok(Peers::Listed(peers)),
            // An answer that is lost or cannot be read says nothing of the session: ask again.
            Err(error)
                if error.is_absent()
                    || error.is_waitable()
                    || error.is_ambiguous()
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

/// What became of asking for BGP sessions.
enum Peers {
    Listed(Vec<BgpPeer>),
    /// Nothing yet, and why.
    Silent(String),
    Denied,
}

/// Whether Azure has the session up, and what it reports of it. The neighbor identifies it: no two tunnels of a gateway share an
/// AWS address, while the local address is the instance's own in all published samples (2026-11). Of the rows of a connection's
/// two instances one never connects.
fn word(peers: &[BgpPeer], cidr: InsideCidr) -> (bool, String) {
    let rows = || peers.iter().filter(|peer| peer.neighbor == Some(cidr.aws_ip()));
    let states: Vec<&str> = rows().map(|row| row.state.as_str()).collect();
    match states.is_empty() {
        true => (false, format!("nothing of a peer {}", cidr.aws_ip())),
        false => (rows().any(BgpPeer::is_connected), format!("that the peer is {}", states.join(" and "))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::link::address::Slot;

    fn row(local: &str, neighbor: &str, state: &str) -> BgpPeer {
        let (local, neighbor) = (local.parse().ok(), neighbor.parse().ok());
        BgpPeer { local, neighbor, asn: None, state: state.to_owned(), routes_received: 0 }
    }

    #[test]
    fn find_session_by_neighbor_whatever_the_local_address() {
        let cidr = *Slot::default().inside_cidrs().get(TunnelKey::ALL[0]);
        let aws = cidr.aws_ip().to_string();
        for local in [cidr.azure_ip().to_string().as_str(), "10.1.255.4", "none"] {
            let other = row("10.1.255.5", &aws, "Connecting");
            assert!(word(&[other.clone(), row(local, &aws, "connected")], cidr).0, "{local}");
            assert!(!word(&[other, row(local, &aws, "Idle")], cidr).0, "{local}");
        }
        assert!(!word(&[row(&cidr.azure_ip().to_string(), "169.254.22.1", "Connected")], cidr).0);
    }
}
