//! Waiting for a tunnel's BGP session: AWS says UP, and Azure has a connected peer row for that very address pair.

use super::Building;
use crate::aws::model::{State, VpnConnectionId};
use crate::aws::{Awaited, fresh};
use crate::azure::model::BgpPeer;
use crate::link::address::InsideCidr;
use crate::link::differ;
use crate::link::step::Object;
use crate::link::tunnel::{Instance, TunnelKey};
use crate::primitives::pace;
use crate::reconcile::cause::Cause;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::time::Instant;

/// How long a session may take once both ends are built, told apart from a create that failed; and how long the tunnels beside
/// one that is to be interrupted may be down, which a run that broke off may just have interrupted.
pub const SESSION_LIMIT: Duration = Duration::from_secs(15 * 60);

impl Building<'_> {
    /// Azure's second row for the connection, of the instance that AWS does not know, never connects and does not count.
    pub(super) async fn session(&self, key: TunnelKey) -> Result<(), Cause> {
        let (id, _) = self.aws_endpoint(key)?;
        let (awaited, begun) = (self.acting.site.ec2.awaiting(&id), Instant::now());
        // A tunnel that is new to the link had none.
        let had = self.acting.before.tunnel(key).filter(|tunnel| {
            self.acting.seen(|seen| seen.tunnel(key).map(|t| t.outside_ip)) == Some(tunnel.outside_ip)
        });
        let had = had.and_then(|tunnel| tunnel.telemetry.as_ref()).filter(|t| t.up).map_or(0, |t| t.accepted_routes);
        let had = had.saturating_sub(self.ranges_taken_away());
        let limit = (begun + SESSION_LIMIT).min(self.acting.limits.deadline);
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
            if Instant::now() + pause > limit {
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
        Ok(self.peers().await?.map_or_else(|words| (false, words), |peers| word(&peers, *cidr)))
    }

    /// Those of the tunnels whose session Azure does not say to be up, at the addresses that they have by now, and what it says.
    async fn apart(&self, keys: impl Iterator<Item = TunnelKey>) -> Result<Vec<String>, Cause> {
        let unknown = |words| vec![format!("whether the other tunnels are up is not known (Azure says {words})")];
        let peers = match self.peers().await? {
            Ok(peers) => peers,
            Err(words) => return Ok(unknown(words)),
        };
        let down = |key: TunnelKey| {
            let now = self.acting.seen(|seen| InsideCidr::check(seen.tunnel(key)?.inside_cidr?).ok());
            let (up, words) = word(&peers, now.unwrap_or(*self.spec.inside_cidrs.get(key)));
            (!up).then(|| format!("{key} is down (Azure says {words})"))
        };
        Ok(keys.filter_map(down).collect())
    }

    /// What Azure's gateway says of its BGP sessions; Err: that it said nothing, and why.
    async fn peers(&self) -> Result<Result<Vec<BgpPeer>, String>, Cause> {
        let waits = self.acting.limits.azure();
        match self.acting.site.azure.bgp_peers(self.spec.azure.gateway.id(), &waits).await {
            Ok(peers) => Ok(Ok(peers)),
            // A lost answer says nothing of the session: ask again.
            Err(error) if error.is_absent() || error.is_waitable() || error.is_ambiguous() => {
                Ok(Err(format!("nothing ({error})")))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether Azure has the session up, and what it says of it.
fn word(peers: &[BgpPeer], cidr: InsideCidr) -> (bool, String) {
    let row = peers.iter().find(|peer| peer.local == Some(cidr.azure_ip()) && peer.neighbor == Some(cidr.aws_ip()));
    match row {
        Some(row) => (row.state.eq_ignore_ascii_case("Connected"), format!("that the peer is {}", row.state)),
        None => (false, format!("nothing of a peer {} for {}", cidr.aws_ip(), cidr.azure_ip())),
    }
}
