//! How a run shows that it is alive while its link is unfinished: a tag on a customer gateway that
//! changes every minute. A run that finds a half-built link watches it for longer than that before
//! going on with it.

use super::actions::ActionContext;
use super::clients::{LinkClients, OperationContext};
use super::error::ActionError;
use super::observe::observe;
use crate::aws::model::CustomerGateway;
use crate::client::{CallContext, Deadline, ErrorContext};
use bgp_vpn::lookup::LookupScope;
use bgp_vpn::observed::Observed;
use bgp_vpn::ownership_tags::{TAG_HEARTBEAT, TAG_INCOMPLETE};
use bgp_vpn::tunnel::Instance;
use bgp_vpn::types::Tags;
use futures::future::{Either, select};
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex as Cell, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Between two beats.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(60);
/// Until the first one is tried, and tried again while there is nothing to put it on.
const FIRST_HEARTBEAT_DELAY: Duration = Duration::from_secs(15);

/// How long a half-built link has to stand still before it is taken over, where it never had a
/// beat: its run died early.
const IDLE_WINDOW_NO_HEARTBEAT: Duration = Duration::from_secs(10);
/// The same where it had one: a beat, and the time until it shows.
const IDLE_WINDOW: Duration = Duration::from_secs(75);
/// Within this time every created object is listed. EC2 is eventually consistent and states no
/// limit; clients wait for seconds (2026-11).
const CONSISTENCY_WINDOW: Duration = Duration::from_secs(60);

/// The beats of one run.
#[derive(Default)]
pub struct Heartbeat {
    /// Held during a beat.
    stopped: Mutex<bool>,
    last_error: Cell<Option<ActionError>>,
}

impl Heartbeat {
    /// Does the work and beats meanwhile.
    pub async fn run_with_heartbeat<T>(
        &self,
        context: &ActionContext<'_>,
        work: impl Future<Output = T>,
    ) -> T {
        match select(pin!(work), pin!(self.renew(context))).await {
            Either::Left((done, _)) => done,
            Either::Right((never, _)) => match never {},
        }
    }

    /// No beat is under way any more, and none will be.
    pub async fn stop(&self) {
        *self.stopped.lock().await = true;
    }

    /// Why the last beat was not heard, where it was not.
    pub fn last_error(self) -> Option<ActionError> {
        self.last_error
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn renew(&self, context: &ActionContext<'_>) -> std::convert::Infallible {
        let mut pause = FIRST_HEARTBEAT_DELAY;
        loop {
            tokio::time::sleep(pause).await;
            let stopped = self.stopped.lock().await;
            if *stopped || context.operation.cancel.is_cancelled() {
                drop(stopped);
                return std::future::pending().await;
            }
            let Some((instance, customer)) = context.read(heartbeat_carrier) else {
                continue;
            };
            pause = HEARTBEAT_INTERVAL;
            let beat = Tags::from([(
                TAG_HEARTBEAT.to_owned(),
                (heartbeat_count(&customer) + 1).to_string(),
            )]);
            // A heartbeat that takes longer than the interval has failed. The create continues and
            // warns at its end.
            let ctx = CallContext::with_deadline(
                Deadline::fixed(HEARTBEAT_INTERVAL),
                context.operation.cancel.clone(),
            );
            let heard = context
                .clients
                .ec2
                .create_tags(&ctx, &[customer.id.0], &beat)
                .await;
            context.update(|observed| {
                observed
                    .aws
                    .customer_gateways
                    .get_mut(instance)
                    .iter_mut()
                    .for_each(|c| c.tags.extend(beat.clone()));
            });
            let unheard = heard
                .err()
                .map(ActionError::from)
                .filter(|error| !error.is_cancelled());
            *self
                .last_error
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = unheard;
        }
    }
}

/// The customer gateway that carries the beat.
fn heartbeat_carrier(observed: &Observed) -> Option<(Instance, CustomerGateway)> {
    let customers = observed
        .aws
        .customer_gateways
        .iter()
        .filter_map(|(instance, c)| Some((instance, c.clone()?)));
    customers
        .into_iter()
        .find(|(_, customer)| customer.tags.contains_key(TAG_INCOMPLETE))
}

fn heartbeat_count(customer: &CustomerGateway) -> u64 {
    customer
        .tags
        .get(TAG_HEARTBEAT)
        .and_then(|beats| beats.parse().ok())
        .unwrap_or_default()
}

/// Signs that another run is working on a link, as text.
fn activity(observed: &Observed) -> (BTreeSet<String>, bool) {
    let mut signs: BTreeSet<String> = observed
        .ids()
        .into_iter()
        .map(|id| format!("{id} appeared"))
        .collect();
    let customers = observed
        .aws
        .customer_gateways
        .iter()
        .filter_map(|(_, customer)| customer.as_ref());
    let marked = customers.filter(|customer| customer.tags.contains_key(TAG_HEARTBEAT));
    let marks: Vec<String> = marked
        .map(|c| {
            format!(
                "the heartbeat tag of {} changed to {}",
                c.id,
                heartbeat_count(c)
            )
        })
        .collect();
    let beaten = !marks.is_empty();
    signs.extend(marks);
    (signs, beaten)
}

/// Waits until an incomplete link no longer changes, and returns its state. Objects created right
/// before their run was killed may become visible late. An object that appears after that is
/// created by another run.
///
/// # Errors
/// `ConcurrentApply`; what reading answers.
pub async fn wait_until_idle(
    clients: &LinkClients,
    scope: &LookupScope,
    operation: &OperationContext,
    mut observed: Observed,
) -> Result<Observed, ActionError> {
    let (begun, mut changed) = (Instant::now(), Instant::now());
    let (mut known, mut beaten) = activity(&observed);
    while changed.elapsed()
        < if beaten {
            IDLE_WINDOW
        } else {
            IDLE_WINDOW_NO_HEARTBEAT
        }
    {
        operation
            .call_context()
            .sleep(
                IDLE_WINDOW_NO_HEARTBEAT,
                &ErrorContext::new("watch for another run of", "the incomplete link"),
            )
            .await?;
        let late = begun.elapsed() > CONSISTENCY_WINDOW;
        observed = observe(clients, scope, operation).await?;
        let (now, beats) = activity(&observed);
        if let Some(sign) = now.iter().find(|sign| !known.contains(*sign)) {
            if late {
                return Err(ActionError::ConcurrentApply { sign: sign.clone() });
            }
            changed = Instant::now();
        }
        (known, beaten) = (now, beaten || beats);
    }
    Ok(observed)
}
