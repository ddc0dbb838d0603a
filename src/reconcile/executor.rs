//! Runs a list of steps: each as soon as those it waits for have ended well, all in one task.

use super::error::ActionError;
use bgp_vpn::action::{Action, ActionId};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use std::collections::BTreeSet;
use std::future::Future;
use tokio_util::sync::CancellationToken;

/// What becomes of the other steps when one fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    /// No action starts, and running ones are cancelled, because their waits may take half an hour.
    Abort,
    /// Actions that do not depend on the failed one continue.
    Continue,
}

#[derive(Debug, Default)]
pub struct ExecutionReport {
    pub done: Vec<ActionId>,
    pub failed: Vec<(Action, ActionError)>,
    /// Never started, or stopped because another step failed.
    pub not_run: Vec<ActionId>,
}

/// Runs the steps. `stop` ends running steps when one fails under `Abort`; the caller may end it
/// too.
pub async fn execute<F, W>(
    actions: Vec<Action>,
    act: F,
    on_failure: OnError,
    stop: &CancellationToken,
) -> ExecutionReport
where
    F: Fn(Action) -> W,
    W: Future<Output = Result<(), ActionError>>,
{
    let listed: BTreeSet<ActionId> = actions.iter().map(Action::id).collect();
    let mut waiting = actions;
    let mut running = FuturesUnordered::new();
    let mut done: BTreeSet<ActionId> = BTreeSet::new();
    let mut ran = ExecutionReport::default();
    loop {
        if !stop.is_cancelled() {
            let ready = |step: &Action| {
                step.depends_on
                    .iter()
                    .all(|id| done.contains(id) || !listed.contains(id))
            };
            let (start, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(ready);
            waiting = rest;
            for step in start {
                let work = act(step.clone());
                running.push(async move { (step, work.await) });
            }
        }
        let Some((step, outcome)) = running.next().await else {
            break;
        };
        match outcome {
            Ok(()) => {
                tracing::info!(object = %step.target, verb = ?step.verb, "step done");
                done.insert(step.id());
                ran.done.push(step.id());
            }
            Err(error) if error.is_cancelled() && stop.is_cancelled() => {
                ran.not_run.push(step.id())
            }
            Err(error) => {
                tracing::warn!(object = %step.target, verb = ?step.verb, %error, "step failed");
                ran.failed.push((step, error));
                if on_failure == OnError::Abort {
                    stop.cancel();
                }
            }
        }
    }
    if ran.failed.is_empty()
        && !stop.is_cancelled()
        && let Some(stuck) = waiting.first()
    {
        ran.failed
            .push((stuck.clone(), ActionError::DependencyCycle));
    }
    ran.not_run.extend(waiting.iter().map(Action::id));
    ran
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use bgp_vpn::action::{ActionTarget, Verb};
    use std::cell::RefCell;

    fn step(object: ActionTarget, after: &[ActionTarget]) -> Action {
        let after = after.iter().map(|o| (o.clone(), Verb::Create)).collect();
        Action {
            depends_on: after,
            ..Action::new(object, Verb::Create, vec![])
        }
    }

    /// An action starts after those it depends on; after a failure no further action starts.
    #[tokio::test]
    async fn run_actions_in_order_and_stop_after_failure() {
        let log = RefCell::new(Vec::new());
        let actions = vec![
            step(
                ActionTarget::VgwAttachment,
                &[ActionTarget::VpnGateway, ActionTarget::Vpc],
            ),
            step(ActionTarget::VpnGateway, &[]),
        ];
        let act = |step: Action| {
            log.borrow_mut().push(step.target.clone());
            async { Ok(()) }
        };
        let ran = execute(
            actions.clone(),
            act,
            OnError::Abort,
            &CancellationToken::new(),
        )
        .await;
        assert_eq!(
            *log.borrow(),
            [ActionTarget::VpnGateway, ActionTarget::VgwAttachment]
        );
        assert_eq!(ran.done.len(), 2);

        let circle = vec![
            step(ActionTarget::Vpc, &[ActionTarget::VgwAttachment]),
            step(ActionTarget::VgwAttachment, &[ActionTarget::Vpc]),
        ];
        let ran = execute(
            circle,
            |_| async { Ok(()) },
            OnError::Abort,
            &CancellationToken::new(),
        )
        .await;
        assert!(
            matches!(ran.failed.as_slice(), [(_, ActionError::DependencyCycle)]),
            "steps that wait for each other are a failure"
        );

        let fail = |_| async { Err(ActionError::MissingDependency("x".into())) };
        let ran = execute(actions, fail, OnError::Abort, &CancellationToken::new()).await;
        assert_eq!((ran.failed.len(), ran.not_run.len()), (1, 1));
    }
}
