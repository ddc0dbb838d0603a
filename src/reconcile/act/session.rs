//! Waiting for a tunnel's BGP session: AWS says UP, and Azure has a connected peer row for that very address pair.

use super::Building;
use crate::aws::model::VpnConnectionId;
use crate::aws::{Awaited, fresh};
use crate::link::tunnel::TunnelKey;
use crate::primitives::pace;
use crate::reconcile::cause::Cause;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::time::Instant;

/// How long a session may take once both ends are built; told apart from a create that failed.
pub const SESSION_LIMIT: Duration = Duration::from_secs(15 * 60);

impl Building<'_> {
    /// Azure's second row for the connection, of the instance that AWS does not know, never connects and does not count.
    pub(super) async fn session(&self, key: TunnelKey) -> Result<(), Cause> {
        let (id, _) = self.aws_endpoint(key)?;
        let (awaited, begun) = (self.acting.site.ec2.awaiting(&id), Instant::now());
        let limit = (begun + SESSION_LIMIT).min(self.acting.limits.deadline);
        loop {
            let (aws_up, aws) = self.aws_word(key, &awaited, begun).await?;
            let (azure_up, azure) =
                if aws_up { self.azure_word(key).await? } else { (false, "it was not asked yet".to_owned()) };
            if aws_up && azure_up {
                return Ok(());
            }
            let pause = pace::pause(begun.elapsed());
            if Instant::now() + pause > limit {
                let minutes = begun.elapsed().as_secs() / 60;
                return Err(Cause::SessionDown { key, minutes, aws, azure });
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.acting.limits.cancel.cancelled() => {
                    let words = "waiting for the BGP session";
                    return Err(crate::aws::Error::Cancelled(crate::aws::Failure::local("Session", &key.to_string(), words)).into());
                }
            }
        }
    }

    fn aws_endpoint(&self, key: TunnelKey) -> Result<(VpnConnectionId, Ipv4Addr), Cause> {
        self.acting.must("the AWS endpoint", |seen| {
            let id = seen.aws.vpns.get(key.instance).as_ref()?.id.clone();
            Some((id, seen.tunnel(key)?.outside_ip))
        })
    }

    async fn aws_word(&self, key: TunnelKey, awaited: &Awaited<'_>, begun: Instant) -> Result<(bool, String), Cause> {
        let (_, outside) = self.aws_endpoint(key)?;
        let Some(connection) = awaited.look(&self.acting.limits.aws(), fresh(begun)).await? else {
            return Ok((false, "the connection is gone".to_owned()));
        };
        let told = connection.tunnels.iter().find(|t| t.outside_ip == outside).and_then(|t| t.telemetry.clone());
        self.acting.note(|seen| *seen.aws.vpns.get_mut(key.instance) = Some(connection));
        Ok(match told {
            Some(t) if t.up => (true, format!("UP, {}", t.message)),
            Some(t) => (false, format!("DOWN, {}", t.message)),
            None => (false, "nothing yet".to_owned()),
        })
    }

    async fn azure_word(&self, key: TunnelKey) -> Result<(bool, String), Cause> {
        let cidr = self.spec.inside_cidrs.get(key);
        let waits = self.acting.limits.azure();
        let peers = match self.acting.site.azure.bgp_peers(self.spec.azure.gateway.id(), &waits).await {
            Ok(peers) => peers,
            // A lost answer says nothing of the session: ask again.
            Err(error) if error.is_absent() || error.is_waitable() || error.is_ambiguous() => {
                return Ok((false, format!("nothing ({error})")));
            }
            Err(error) => return Err(error.into()),
        };
        let row = peers.iter().find(|p| p.local == Some(cidr.azure_ip()) && p.neighbor == Some(cidr.aws_ip()));
        Ok(match row {
            Some(row) => (row.state.eq_ignore_ascii_case("Connected"), format!("the peer is {}", row.state)),
            None => (false, format!("no peer {} is listed for {}", cidr.aws_ip(), cidr.azure_ip())),
        })
    }
}
