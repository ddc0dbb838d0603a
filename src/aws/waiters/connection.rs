//! Waiting for VPN connections, and changes of them that are followed by a wait.

use super::{AVAILABLE, DELETED, WaiterState, until_available, until_deleted, wait_for_state};
use crate::aws::client::Ec2;
use crate::aws::error::{Error, call_context};
use crate::aws::model::{TunnelOptions, VpnConnection, VpnConnectionId};
use crate::aws::resources::{ConnectionEndpoints, ConnectionOptions, carries, shows};
use crate::client::CallContext;
use crate::client::poll_interval::poll_interval;
use std::fmt::Display;
use std::future::Future;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::time::Instant;

const CHANGED: &str = "waiting until changed";

/// A connection may call itself available a little before its tunnels' keys are shown, or a change
/// is seen.
const CONSISTENCY_LAG: Duration = Duration::from_secs(120);
/// Times that a change of a tunnel is asked for before it counts as failed.
const MAX_CHANGES: usize = 3;
/// How long a connection that was never seen changing has to be available before a change that it
/// cannot show counts as done.
const STABLE_POLLS: Duration = Duration::from_secs(5);
/// Both ends of a connection.
const TUNNELS: usize = 2;

impl Ec2 {
    /// Until it is available with both outside addresses and, where `keys_shown`, both keys or the
    /// word that Secrets Manager keeps them: keys that stay hidden for two minutes after that are
    /// left `None`.
    ///
    /// # Errors
    /// As `wait_vpc_available`.
    pub async fn wait_vpn_connection_available(
        &self,
        ctx: &CallContext,
        id: &VpnConnectionId,
        keys_shown: bool,
    ) -> Result<VpnConnection, Error> {
        self.wait_connection(ctx, id, AVAILABLE, |connection, lag, _| {
            if connection.tunnels.len() < TUNNELS {
                return Some("an outside address is missing".to_owned());
            }
            let hidden = keys_shown
                && connection
                    .tunnels
                    .iter()
                    .any(|tunnel| tunnel.key_storage.is_none());
            (hidden && lag < CONSISTENCY_LAG).then(|| "a key is not shown yet".to_owned())
        })
        .await
    }

    /// # Errors
    /// As `wait_vpn_gateway_detached`.
    pub async fn wait_vpn_connection_deleted(
        &self,
        ctx: &CallContext,
        id: &VpnConnectionId,
    ) -> Result<(), Error> {
        let (awaited, begun) = (self.subscribe(id), Instant::now());
        let read = || awaited.poll(ctx, max_age(begun));
        let state = |found: Option<VpnConnection>, _: Duration| {
            until_deleted(found.map(|connection| connection.state))
        };
        wait_for_state(ctx, DELETED, id, read, state).await
    }

    /// Changes one tunnel, and waits until it shows that. A change whose answer was lost may have
    /// been refused, because an earlier one was under way: it is asked for again.
    ///
    /// # Errors
    /// As `modify_tunnel`; `ServiceUnavailable` where the tunnel never shows what was asked for.
    pub async fn change_tunnel(
        &self,
        ctx: &CallContext,
        id: &VpnConnectionId,
        outside_ip: Ipv4Addr,
        wanted: &TunnelOptions,
    ) -> Result<VpnConnection, Error> {
        let change = || async {
            self.modify_tunnel(ctx, id, outside_ip, wanted).await?;
            self.wait_tunnel_modified(ctx, id, outside_ip, wanted).await
        };
        let target = format!("{id} at {outside_ip}");
        change_until_shown("ModifyVpnTunnelOptions", target, change, |changed| {
            carries(changed, outside_ip, wanted)
        })
        .await
    }

    /// Changes options of a connection, and waits until it shows them.
    ///
    /// # Errors
    /// As `modify_connection_options`; `ServiceUnavailable` where the connection never shows what
    /// was asked for.
    pub async fn change_connection_options(
        &self,
        ctx: &CallContext,
        id: &VpnConnectionId,
        wanted: &ConnectionOptions,
    ) -> Result<VpnConnection, Error> {
        let is_shown = |connection: &VpnConnection| wanted.is_on(connection);
        let change = || async {
            self.modify_connection_options(ctx, id, wanted).await?;
            self.wait_connection_modified(ctx, id, is_shown).await
        };
        change_until_shown("ModifyVpnConnectionOptions", id, change, is_shown).await
    }

    /// Changes the customer gateway or the gateway at AWS of a connection, and waits until it shows
    /// that.
    ///
    /// # Errors
    /// As `modify_connection_ends`; `ServiceUnavailable` where the connection never shows what was
    /// asked for.
    pub async fn change_connection_endpoints(
        &self,
        ctx: &CallContext,
        id: &VpnConnectionId,
        wanted: &ConnectionEndpoints,
    ) -> Result<VpnConnection, Error> {
        let is_shown = |connection: &VpnConnection| wanted.is_on(connection);
        let change = || async {
            self.modify_connection_ends(ctx, id, wanted).await?;
            self.wait_connection_modified(ctx, id, is_shown).await
        };
        change_until_shown("ModifyVpnConnection", id, change, is_shown).await
    }

    /// Until a change of a connection is done: available after it was seen changing, and as wanted.
    async fn wait_connection_modified(
        &self,
        ctx: &CallContext,
        id: &VpnConnectionId,
        is_as_wanted: impl Fn(&VpnConnection) -> bool,
    ) -> Result<VpnConnection, Error> {
        self.wait_connection(ctx, id, CHANGED, |connection, lag, changing_seen| {
            let shown = changing_seen && is_as_wanted(connection);
            (!shown && lag < STABLE_POLLS).then(|| "the change is not shown yet".to_owned())
        })
        .await
    }

    /// Until a change of one tunnel is done: available, and the tunnel shows what was asked for.
    /// One that stays available for two minutes without showing it is answered as it is, for the
    /// caller to compare.
    ///
    /// # Errors
    /// As `wait_vpc_available`.
    pub(in crate::aws) async fn wait_tunnel_modified(
        &self,
        ctx: &CallContext,
        id: &VpnConnectionId,
        outside_ip: Ipv4Addr,
        wanted: &TunnelOptions,
    ) -> Result<VpnConnection, Error> {
        self.wait_connection(ctx, id, CHANGED, |connection, lag, changing_seen| {
            let shown = carries(connection, outside_ip, wanted);
            // A key that is not shown may still be on its way while all else looks done.
            let certain = changing_seen || shows(connection, outside_ip, wanted);
            let least = if certain {
                Duration::ZERO
            } else {
                STABLE_POLLS
            };
            (lag < if shown { least } else { CONSISTENCY_LAG })
                .then(|| "the change is not shown yet".to_owned())
        })
        .await
    }

    /// Until a connection is available and nothing is `missing` any more, which is passed how long
    /// it has been available, and whether it was seen to be anything else before.
    async fn wait_connection(
        &self,
        ctx: &CallContext,
        id: &VpnConnectionId,
        operation: &str,
        missing: impl Fn(&VpnConnection, Duration, bool) -> Option<String>,
    ) -> Result<VpnConnection, Error> {
        // Time waited when it was first seen available without a break.
        let mut since = None;
        let mut other_seen = false;
        let state =
            |found: Option<VpnConnection>, waited: Duration| match until_available(found, |one| {
                one.state
            }) {
                WaiterState::Success(connection) => {
                    let begun: Duration = *since.get_or_insert(waited);
                    match missing(&connection, waited.saturating_sub(begun), other_seen) {
                        None => WaiterState::Success(connection),
                        Some(words) => WaiterState::Retry(words),
                    }
                }
                other => {
                    since = None;
                    other_seen = true;
                    other
                }
            };
        let (awaited, begun) = (self.subscribe(id), Instant::now());
        let read = || awaited.poll(ctx, max_age(begun));
        wait_for_state(ctx, operation, id, read, state).await
    }
}

/// Repeats a change until the connection shows it.
async fn change_until_shown<F>(
    operation: &str,
    target: impl Display,
    change: impl Fn() -> F,
    is_shown: impl Fn(&VpnConnection) -> bool,
) -> Result<VpnConnection, Error>
where
    F: Future<Output = Result<VpnConnection, Error>>,
{
    for _ in 0..MAX_CHANGES {
        let changed = change().await?;
        if is_shown(&changed) {
            return Ok(changed);
        }
    }
    Err(Error::ServiceUnavailable(
        call_context(operation, target).with_message("the change is not shown"),
    ))
}

/// Since when another's look will do: never from before this wait, and none older than half a
/// pause.
pub fn max_age(begun: Instant) -> Instant {
    let now = Instant::now();
    begun.max(
        now.checked_sub(poll_interval(now.saturating_duration_since(begun)) / 2)
            .unwrap_or(now),
    )
}
