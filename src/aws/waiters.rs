//! Waiting until AWS has done what a call only started.
//!
//! Polls are quick at first and slower later. Objects just made may be unknown for half a minute;
//! states that no caller has heard of are waited out; an object that is on its way out, or stays
//! unknown, ends a wait for it with `NotFound`.

use super::call_context::CallContext;
use super::calls::{ConnectionEndpoints, ConnectionOptions, Filter};
use super::client::Ec2;
use super::error::{Error, ErrorContext};
use super::model::{
    AttachmentState, CustomerGateway, CustomerGatewayId, RouteTableId, State, Subnet, SubnetId,
    TunnelOptions, Vpc, VpcId, VpnConnection, VpnConnectionId, VpnGateway, VpnGatewayId,
};
use super::retry::CONSISTENCY_TIMEOUT;
use crate::client::poll_interval;
use std::future::Future;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::time::Instant;

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

/// What a look at an object said.
enum WaiterState<T> {
    /// As awaited.
    Success(T),
    /// Still on its way, in these words.
    Retry(String),
    /// Not there: not yet, or not any more.
    NotFound,
    /// On its way out, which nothing turns back.
    Deleting,
}

impl Ec2 {
    /// # Errors
    /// `NotFound`, `Cancelled`, `TimedOut` (with the state last seen); what describing answers.
    pub async fn wait_vpc_available(&self, ctx: &CallContext, id: &VpcId) -> Result<Vpc, Error> {
        let look = || async {
            let found = self.describe_vpcs(ctx, &Filter::id(id)).await?.pop();
            Ok(until_available(found, |vpc| vpc.state))
        };
        wait_for(ctx, "waiting until available", &id.0, look).await
    }

    /// # Errors
    /// As `wait_vpc_available`.
    pub async fn wait_subnet_available(
        &self,
        ctx: &CallContext,
        id: &SubnetId,
    ) -> Result<Subnet, Error> {
        let look = || async {
            let found = self.describe_subnets(ctx, &Filter::id(id)).await?.pop();
            Ok(until_available(found, |subnet| subnet.state))
        };
        wait_for(ctx, "waiting until available", &id.0, look).await
    }

    /// # Errors
    /// As `wait_vpc_available`.
    pub async fn wait_vpn_gateway_available(
        &self,
        ctx: &CallContext,
        id: &VpnGatewayId,
    ) -> Result<VpnGateway, Error> {
        let look = || async {
            let found = self
                .describe_vpn_gateways(ctx, &Filter::id(id))
                .await?
                .pop();
            Ok(until_available(found, |gateway| gateway.state))
        };
        wait_for(ctx, "waiting until available", &id.0, look).await
    }

    /// Until it is attached to this VPC. A gateway that shows no attachment is waited for: it may
    /// not be visible yet.
    ///
    /// # Errors
    /// As `wait_vpc_available`.
    pub async fn wait_vpn_gateway_attached(
        &self,
        ctx: &CallContext,
        id: &VpnGatewayId,
        vpc: &VpcId,
    ) -> Result<VpnGateway, Error> {
        let look = || async {
            let found = self
                .describe_vpn_gateways(ctx, &Filter::id(id))
                .await?
                .pop();
            Ok(match found {
                None => WaiterState::NotFound,
                Some(gateway) => match &gateway.attachment {
                    Some((at, AttachmentState::Attached)) if at == vpc => {
                        WaiterState::Success(gateway)
                    }
                    other => WaiterState::Retry(format!("attachment is {other:?}")),
                },
            })
        };
        wait_for(ctx, "waiting until attached", &id.0, look).await
    }

    /// Until it hangs on nothing, or is gone.
    ///
    /// # Errors
    /// `Cancelled`, `TimedOut`; what describing answers.
    pub async fn wait_vpn_gateway_detached(
        &self,
        ctx: &CallContext,
        id: &VpnGatewayId,
    ) -> Result<(), Error> {
        let look = || async {
            let found = self
                .describe_vpn_gateways(ctx, &Filter::id(id))
                .await?
                .pop();
            Ok(match found.and_then(|gateway| gateway.attachment) {
                None => WaiterState::Success(()),
                Some(attachment) => WaiterState::Retry(format!("attachment is {attachment:?}")),
            })
        };
        wait_for(ctx, "waiting until detached", &id.0, look).await
    }

    /// # Errors
    /// As `wait_vpn_gateway_detached`.
    pub async fn wait_vpn_gateway_deleted(
        &self,
        ctx: &CallContext,
        id: &VpnGatewayId,
    ) -> Result<(), Error> {
        let look = || async {
            let found = self
                .describe_vpn_gateways(ctx, &Filter::id(id))
                .await?
                .pop();
            Ok(until_deleted(found.map(|gateway| gateway.state)))
        };
        wait_for(ctx, "waiting until deleted", &id.0, look).await
    }

    /// # Errors
    /// As `wait_vpc_available`.
    pub async fn wait_customer_gateway_available(
        &self,
        ctx: &CallContext,
        id: &CustomerGatewayId,
    ) -> Result<CustomerGateway, Error> {
        let look = || async {
            let found = self
                .describe_customer_gateways(ctx, &Filter::id(id))
                .await?
                .pop();
            Ok(until_available(found, |gateway| gateway.state))
        };
        wait_for(ctx, "waiting until available", &id.0, look).await
    }

    /// # Errors
    /// As `wait_vpn_gateway_detached`.
    pub async fn wait_customer_gateway_deleted(
        &self,
        ctx: &CallContext,
        id: &CustomerGatewayId,
    ) -> Result<(), Error> {
        let look = || async {
            let found = self
                .describe_customer_gateways(ctx, &Filter::id(id))
                .await?
                .pop();
            Ok(until_deleted(found.map(|gateway| gateway.state)))
        };
        wait_for(ctx, "waiting until deleted", &id.0, look).await
    }

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
        self.wait_connection(ctx, id, "waiting until available", |connection, lag, _| {
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
        for _ in 0..MAX_CHANGES {
            self.modify_tunnel(ctx, id, outside_ip, wanted).await?;
            let changed = self
                .wait_tunnel_modified(ctx, id, outside_ip, wanted)
                .await?;
            if super::calls::carries(&changed, outside_ip, wanted) {
                return Ok(changed);
            }
        }
        let target = format!("{id} at {outside_ip}");
        Err(Error::ServiceUnavailable(ErrorContext::local(
            "ModifyVpnTunnelOptions",
            &target,
            "the tunnel does not show the change",
        )))
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
        for _ in 0..MAX_CHANGES {
            self.modify_connection_options(ctx, id, wanted).await?;
            let changed = self
                .wait_connection_modified(ctx, id, |connection| wanted.is_on(connection))
                .await?;
            if wanted.is_on(&changed) {
                return Ok(changed);
            }
        }
        Err(not_shown("ModifyVpnConnectionOptions", id))
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
        for _ in 0..MAX_CHANGES {
            self.modify_connection_ends(ctx, id, wanted).await?;
            let changed = self
                .wait_connection_modified(ctx, id, |connection| wanted.is_on(connection))
                .await?;
            if wanted.is_on(&changed) {
                return Ok(changed);
            }
        }
        Err(not_shown("ModifyVpnConnection", id))
    }

    /// Until a change of a connection is done: available after it was seen changing, and as wanted.
    async fn wait_connection_modified(
        &self,
        ctx: &CallContext,
        id: &VpnConnectionId,
        is_as_wanted: impl Fn(&VpnConnection) -> bool,
    ) -> Result<VpnConnection, Error> {
        self.wait_connection(
            ctx,
            id,
            "waiting until changed",
            |connection, lag, changing_seen| {
                let shown = changing_seen && is_as_wanted(connection);
                (!shown && lag < STABLE_POLLS).then(|| "the change is not shown yet".to_owned())
            },
        )
        .await
    }

    /// Until a change of one tunnel is done: available, and the tunnel shows what was asked for.
    /// One that stays available for two minutes without showing it is answered as it is, for the
    /// caller to compare.
    ///
    /// # Errors
    /// As `wait_vpc_available`.
    pub(super) async fn wait_tunnel_modified(
        &self,
        ctx: &CallContext,
        id: &VpnConnectionId,
        outside_ip: Ipv4Addr,
        wanted: &TunnelOptions,
    ) -> Result<VpnConnection, Error> {
        self.wait_connection(
            ctx,
            id,
            "waiting until changed",
            |connection, lag, changing_seen| {
                let shown = super::calls::carries(connection, outside_ip, wanted);
                // A key that is not shown may still be on its way while all else looks done.
                let certain = changing_seen || super::calls::shows(connection, outside_ip, wanted);
                let least = if certain {
                    Duration::ZERO
                } else {
                    STABLE_POLLS
                };
                (lag < if shown { least } else { CONSISTENCY_LAG })
                    .then(|| "the change is not shown yet".to_owned())
            },
        )
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
        let look = || async {
            let found = awaited.poll(ctx, max_age(begun)).await?;
            Ok(until_deleted(found.map(|connection| connection.state)))
        };
        wait_for(ctx, "waiting until deleted", &id.0, look).await
    }

    /// Until the table lets the gateway's routes in, or no longer does.
    ///
    /// # Errors
    /// As `wait_vpc_available`.
    pub async fn wait_propagation(
        &self,
        ctx: &CallContext,
        table: &RouteTableId,
        gateway: &VpnGatewayId,
        on: bool,
    ) -> Result<(), Error> {
        let look = || async {
            let found = self
                .describe_route_tables(ctx, &Filter::id(table))
                .await?
                .pop();
            Ok(match found {
                None if !on => WaiterState::Success(()),
                None => WaiterState::NotFound,
                Some(table) if table.propagating.contains(gateway) == on => {
                    WaiterState::Success(())
                }
                Some(_) => WaiterState::Retry(format!(
                    "propagation of {gateway} is {}",
                    if on { "off" } else { "on" }
                )),
            })
        };
        wait_for(ctx, "waiting for route propagation", &table.0, look).await
    }

    /// Until a connection is available and nothing is `missing` any more, which is passed how long
    /// it has been available, and whether it was seen to be anything else before.
    async fn wait_connection(
        &self,
        ctx: &CallContext,
        id: &VpnConnectionId,
        operation: &'static str,
        missing: impl Fn(&VpnConnection, Duration, bool) -> Option<String>,
    ) -> Result<VpnConnection, Error> {
        // Time waited when it was first seen available without a break.
        let mut since = None;
        let mut other_seen = false;
        let mut judge =
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
        loop {
            let waited = begun.elapsed();
            let found = awaited.poll(ctx, max_age(begun)).await?;
            if let Some(connection) =
                advance(ctx, operation, &id.0, waited, judge(found, waited)).await?
            {
                return Ok(connection);
            }
        }
    }
}

fn not_shown(operation: &'static str, id: &VpnConnectionId) -> Error {
    Error::ServiceUnavailable(ErrorContext::local(
        operation,
        &id.0,
        "the connection does not show the change",
    ))
}

/// Since when another's look will do: never from before this wait, and none older than half a
/// pause.
pub fn max_age(begun: Instant) -> Instant {
    let now = Instant::now();
    begun.max(
        now.checked_sub(poll_interval::poll_interval(now.saturating_duration_since(begun)) / 2)
            .unwrap_or(now),
    )
}

/// Available is done, leaving is leaving, all else is on its way.
fn until_available<T>(found: Option<T>, state: impl Fn(&T) -> State) -> WaiterState<T> {
    match found {
        None => WaiterState::NotFound,
        Some(it) => match state(&it) {
            State::Available => WaiterState::Success(it),
            State::Deleting | State::Deleted => WaiterState::Deleting,
            other => WaiterState::Retry(format!("state is {other:?}")),
        },
    }
}

/// For a deletion, absent is done.
fn until_deleted(state: Option<State>) -> WaiterState<()> {
    match state {
        None | Some(State::Deleted) => WaiterState::Success(()),
        Some(state) => WaiterState::Retry(format!("state is {state:?}")),
    }
}

/// Looks until done.
async fn wait_for<T, F: Future<Output = Result<WaiterState<T>, Error>>>(
    ctx: &CallContext,
    operation: &'static str,
    target: &str,
    mut look: impl FnMut() -> F,
) -> Result<T, Error> {
    let begun = Instant::now();
    loop {
        let seen = look().await?;
        if let Some(done) = advance(ctx, operation, target, begun.elapsed(), seen).await? {
            return Ok(done);
        }
    }
}

/// What one look means for the wait: its end, or a pause before the next.
async fn advance<T>(
    ctx: &CallContext,
    operation: &'static str,
    target: &str,
    waited: Duration,
    seen: WaiterState<T>,
) -> Result<Option<T>, Error> {
    let words = match seen {
        WaiterState::Success(it) => return Ok(Some(it)),
        WaiterState::Deleting => {
            return Err(Error::NotFound(ErrorContext::local(
                operation,
                target,
                "it is being deleted",
            )));
        }
        WaiterState::NotFound if waited >= CONSISTENCY_TIMEOUT => {
            return Err(Error::NotFound(ErrorContext::local(
                operation,
                target,
                "it is not there",
            )));
        }
        WaiterState::NotFound => "it is not visible yet".to_owned(),
        WaiterState::Retry(words) => words,
    };
    match ctx
        .sleep(operation, target, poll_interval::poll_interval(waited))
        .await
    {
        Err(Error::TimedOut(mut over)) => {
            over.message = format!("the time limit is over; {words}");
            Err(Error::TimedOut(over))
        }
        other => other.map(|()| None),
    }
}
