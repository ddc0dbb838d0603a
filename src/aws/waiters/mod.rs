//! Waiting until AWS has done what a call only started.
//!
//! Objects just made may be unknown for half a minute; states that no caller has heard of are
//! waited out; an object that is being deleted, or stays unknown, ends a wait for it with
//! `NotFound`. This run deletes nothing that it waits for, so the message says who did.

mod connection;
mod transit_gateway;

pub use connection::max_age;

use super::client::Ec2;
use super::error::{Error, call_context};
use super::model::{
    AttachmentState, CustomerGateway, CustomerGatewayId, RouteTable, RouteTableId, State, Subnet,
    SubnetId, Vpc, VpcId, VpnGateway, VpnGatewayId,
};
use super::resources::Filter;
use super::retry::CONSISTENCY_TIMEOUT;
use crate::client::{CallContext, DELETED_OUTSIDE, ErrorContext, Progress, wait_until};
use std::fmt::Display;
use std::future::Future;
use std::time::Duration;

const AVAILABLE: &str = "waiting until available";
const DELETED: &str = "waiting until deleted";
const PROPAGATION: &str = "waiting for route propagation";

/// What a read showed of an object.
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
    /// `NotFound`, `Cancelled`, `DeadlineExceeded` (with the state last seen); what describing
    /// answers.
    pub async fn wait_vpc_available(&self, ctx: &CallContext, id: &VpcId) -> Result<Vpc, Error> {
        let one = Filter::id(id);
        let read = || self.describe_vpcs(ctx, &one);
        let state = |found| until_available(found, |vpc: &Vpc| vpc.state);
        wait_for_one(ctx, AVAILABLE, id, read, state).await
    }

    /// # Errors
    /// As `wait_vpc_available`.
    pub async fn wait_subnet_available(
        &self,
        ctx: &CallContext,
        id: &SubnetId,
    ) -> Result<Subnet, Error> {
        let one = Filter::id(id);
        let read = || self.describe_subnets(ctx, &one);
        let state = |found| until_available(found, |subnet: &Subnet| subnet.state);
        wait_for_one(ctx, AVAILABLE, id, read, state).await
    }

    /// # Errors
    /// As `wait_vpc_available`.
    pub async fn wait_vpn_gateway_available(
        &self,
        ctx: &CallContext,
        id: &VpnGatewayId,
    ) -> Result<VpnGateway, Error> {
        let state = |found| until_available(found, |gateway: &VpnGateway| gateway.state);
        self.wait_vpn_gateway(ctx, AVAILABLE, id, state).await
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
        let state = |found: Option<VpnGateway>| match found {
            None => WaiterState::NotFound,
            Some(gateway) if !gateway.state.is_living() => WaiterState::Deleting,
            Some(gateway) => match &gateway.attachment {
                Some((at, AttachmentState::Attached)) if at == vpc => WaiterState::Success(gateway),
                other => WaiterState::Retry(format!("attachment is {other:?}")),
            },
        };
        self.wait_vpn_gateway(ctx, "waiting until attached", id, state)
            .await
    }

    /// Until it is attached to nothing, or is gone.
    ///
    /// # Errors
    /// `Cancelled`, `DeadlineExceeded`; what describing answers.
    pub async fn wait_vpn_gateway_detached(
        &self,
        ctx: &CallContext,
        id: &VpnGatewayId,
    ) -> Result<(), Error> {
        let state = |found: Option<VpnGateway>| match found.and_then(|one| one.attachment) {
            None => WaiterState::Success(()),
            Some(attachment) => WaiterState::Retry(format!("attachment is {attachment:?}")),
        };
        self.wait_vpn_gateway(ctx, "waiting until detached", id, state)
            .await
    }

    /// # Errors
    /// As `wait_vpn_gateway_detached`.
    pub async fn wait_vpn_gateway_deleted(
        &self,
        ctx: &CallContext,
        id: &VpnGatewayId,
    ) -> Result<(), Error> {
        let state = |found: Option<VpnGateway>| until_deleted(found.map(|gateway| gateway.state));
        self.wait_vpn_gateway(ctx, DELETED, id, state).await
    }

    async fn wait_vpn_gateway<T>(
        &self,
        ctx: &CallContext,
        operation: &str,
        id: &VpnGatewayId,
        state: impl Fn(Option<VpnGateway>) -> WaiterState<T>,
    ) -> Result<T, Error> {
        let one = Filter::id(id);
        let read = || self.describe_vpn_gateways(ctx, &one);
        wait_for_one(ctx, operation, id, read, state).await
    }

    /// # Errors
    /// As `wait_vpc_available`.
    pub async fn wait_customer_gateway_available(
        &self,
        ctx: &CallContext,
        id: &CustomerGatewayId,
    ) -> Result<CustomerGateway, Error> {
        let one = Filter::id(id);
        let read = || self.describe_customer_gateways(ctx, &one);
        let state = |found| until_available(found, |gateway: &CustomerGateway| gateway.state);
        wait_for_one(ctx, AVAILABLE, id, read, state).await
    }

    /// # Errors
    /// As `wait_vpn_gateway_detached`.
    pub async fn wait_customer_gateway_deleted(
        &self,
        ctx: &CallContext,
        id: &CustomerGatewayId,
    ) -> Result<(), Error> {
        let one = Filter::id(id);
        let read = || self.describe_customer_gateways(ctx, &one);
        let state =
            |found: Option<CustomerGateway>| until_deleted(found.map(|gateway| gateway.state));
        wait_for_one(ctx, DELETED, id, read, state).await
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
        let one = Filter::id(table);
        let read = || self.describe_route_tables(ctx, &one);
        let state = |found: Option<RouteTable>| match found {
            None if !on => WaiterState::Success(()),
            None => WaiterState::NotFound,
            Some(table) if table.propagating.contains(gateway) == on => WaiterState::Success(()),
            Some(_) => WaiterState::Retry(format!(
                "propagation of {gateway} is {}",
                if on { "off" } else { "on" }
            )),
        };
        wait_for_one(ctx, PROPAGATION, table, read, state).await
    }
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

/// Describes one object until `state` is as awaited.
async fn wait_for_one<O, T, F>(
    ctx: &CallContext,
    operation: &str,
    id: &impl Display,
    read: impl FnMut() -> F,
    state: impl Fn(Option<O>) -> WaiterState<T>,
) -> Result<T, Error>
where
    F: Future<Output = Result<Vec<O>, Error>>,
{
    let last = |mut found: Vec<O>, _: Duration| state(found.pop());
    wait_for_state(ctx, operation, id, read, last).await
}

/// Reads until `state`, which also receives the time waited, is as awaited.
async fn wait_for_state<R, T, F>(
    ctx: &CallContext,
    operation: &str,
    id: &impl Display,
    read: impl FnMut() -> F,
    mut state: impl FnMut(R, Duration) -> WaiterState<T>,
) -> Result<T, Error>
where
    F: Future<Output = Result<R, Error>>,
{
    let describe = call_context(operation, id);
    let condition = |found: Result<R, Error>, waited: Duration| {
        progress(&describe, state(found?, waited), waited)
    };
    wait_until(ctx, &describe, read, condition).await
}

/// What a read means for the wait.
fn progress<T>(
    describe: &ErrorContext,
    state: WaiterState<T>,
    waited: Duration,
) -> Result<Progress<T>, Error> {
    // A route table may be another user's.
    let is_own = !describe.operation.contains(PROPAGATION);
    let gone = |message: &str| {
        let message = if is_own { DELETED_OUTSIDE } else { message };
        Err(Error::NotFound(describe.clone().with_message(message)))
    };
    match state {
        WaiterState::Success(it) => Ok(Progress::Done(it)),
        WaiterState::Retry(words) => Ok(Progress::pending(words)),
        WaiterState::Deleting => gone("it is being deleted"),
        WaiterState::NotFound if waited >= CONSISTENCY_TIMEOUT => gone("it does not exist"),
        WaiterState::NotFound => Ok(Progress::pending("it is not visible yet")),
    }
}
