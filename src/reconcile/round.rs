//! One round of the loop: the actions that were decided are executed, and the outcome is collected.

use super::actions::{ActionContext, ApplyContext, TeardownContext};
use super::clients::{LinkClients, OperationContext};
use super::denied::{Denial, Denied};
use super::error::ActionError;
use super::executor::{OnError, execute};
use super::heartbeat::Heartbeat;
use super::observe::observe;
use crate::client::ErrorContext;
use bgp_vpn::action::{Action, ActionId, ActionTarget};
use bgp_vpn::lookup::{LookupScope, TeardownSpec};
use bgp_vpn::observed::Observed;
use bgp_vpn::spec::Spec;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Called after every action that succeeded.
pub type ProgressCallback<'a> = &'a (dyn Fn(&Observed) + Send + Sync);

/// Rounds of the loop before what still differs is reported: the second sees what the first could
/// not know.
pub const MAX_ROUNDS: usize = 4;

/// A step that failed, or the reading before and after (`action` is None).
#[derive(Debug)]
pub struct ActionFailure {
    pub action: Option<Action>,
    pub error: ActionError,
}

/// What there is now, what was done, and what went wrong.
#[derive(Debug, Default)]
pub struct ReconcileOutcome {
    pub observed: Observed,
    pub done: Vec<ActionId>,
    /// What exists now and did not before this run: also what a step began to make and did not
    /// finish.
    pub made: BTreeSet<ActionTarget>,
    pub failures: Vec<ActionFailure>,
    /// The run was cancelled before everything was done.
    pub cancelled: bool,
    /// What still differs after every step ended well.
    pub remaining: Vec<Action>,
    /// It was a create: no state knew of any tunnel.
    pub is_create: bool,
    /// A create found this link half built, by its tags, and went on from there.
    pub resumed: bool,
    /// Ids of the objects that it took over and that no state named.
    pub adopted: Vec<String>,
    /// Why the run could not show that it was alive: another one may have taken it for dead.
    pub heartbeat_error: Option<ActionError>,
    /// Reads that the credentials may not make, and without which the work was done.
    pub denied: Vec<Denial>,
}

/// What the steps of a round are for.
#[derive(Clone, Copy)]
pub enum Mode<'a> {
    Build(&'a Spec, &'a Heartbeat, &'a Denied),
    TakeDown(&'a TeardownSpec),
}

pub async fn execute_round(
    clients: &LinkClients,
    work: Mode<'_>,
    scope: &LookupScope,
    (seen, actions): (Observed, Vec<Action>),
    operation: &OperationContext,
    on_progress: ProgressCallback<'_>,
) -> ReconcileOutcome {
    let inner = operation.child();
    let (before, shared) = (seen.clone(), Mutex::new(seen));
    let context = ActionContext {
        clients,
        scope,
        observed: &shared,
        before: &before,
        operation: &inner,
    };
    let context = &context;
    let ran = match work {
        Mode::Build(spec, heartbeat, denied) => {
            let apply = &ApplyContext {
                context,
                spec,
                heartbeat,
                denied,
            };
            let run = |action: Action| async move {
                apply.execute(&action).await?;
                on_progress(&context.read(Observed::clone));
                Ok(())
            };
            let running = execute(actions, run, OnError::Abort, &inner.cancel);
            heartbeat.run_with_heartbeat(context, running).await
        }
        Mode::TakeDown(teardown) => {
            let teardown = &TeardownContext { context, teardown };
            let run = |action: Action| async move {
                teardown.execute(&action).await?;
                on_progress(&context.read(Observed::clone));
                Ok(())
            };
            execute(actions, run, OnError::Continue, &inner.cancel).await
        }
    };
    into_outcome(ran, shared, operation)
}

/// Whether this link's addresses were taken off the gateway. While a gateway is being changed it
/// does not return what it lists, so this is asked once only.
pub fn removed_bgp_addresses(done: &[ActionId]) -> bool {
    done.iter()
        .any(|(object, _)| *object == ActionTarget::CustomBgpAddresses)
}

pub fn into_outcome(
    ran: super::executor::ExecutionReport,
    shared: Mutex<Observed>,
    operation: &OperationContext,
) -> ReconcileOutcome {
    let failures = ran
        .failed
        .into_iter()
        .map(|(action, error)| ActionFailure {
            action: Some(action),
            error,
        })
        .collect();
    let observed = shared
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let cancelled = operation.cancel.is_cancelled() && !ran.not_run.is_empty();
    ReconcileOutcome {
        observed,
        done: ran.done,
        failures,
        cancelled,
        ..ReconcileOutcome::default()
    }
}

pub fn aborted(observed: Observed, error: ActionError) -> ReconcileOutcome {
    let cancelled = error.is_cancelled();
    ReconcileOutcome {
        observed,
        failures: vec![ActionFailure {
            action: None,
            error,
        }],
        cancelled,
        ..ReconcileOutcome::default()
    }
}

/// Reads the link once more after a failure, until everything that this run created is listed. Right
/// after a create, EC2 may not list the object yet, and the next run would create an object that no
/// state names a second time. If the reads fail, what was recorded during the run counts.
pub async fn final_observation(
    clients: &LinkClients,
    scope: &LookupScope,
    at_first: &BTreeSet<String>,
    shared: Observed,
) -> Observed {
    let operation =
        OperationContext::with_timeout(Duration::from_secs(5), &CancellationToken::new());
    let made: BTreeSet<String> = shared.ids().difference(at_first).cloned().collect();
    let looked = async {
        loop {
            let seen = observe(clients, scope, &operation).await?;
            if seen.ids().is_superset(&made) {
                return Ok::<_, ActionError>(seen);
            }
            operation
                .call_context()
                .sleep(
                    Duration::from_millis(500),
                    &ErrorContext::new("read again", "what was created"),
                )
                .await?;
        }
    };
    match looked.await {
        Ok(seen) => seen,
        Err(error) => {
            tracing::warn!(%error, "could not look again; the state holds what was known before");
            shared
        }
    }
}
