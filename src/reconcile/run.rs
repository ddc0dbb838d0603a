//! Runs a list of steps: each as soon as those it waits for have ended well, all in one task.

use super::cause::Cause;
use crate::link::step::{Step, StepId};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use std::collections::BTreeSet;
use std::future::Future;
use tokio_util::sync::CancellationToken;

/// What becomes of the other steps when one fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// Nothing new starts, and what runs is asked to stop: half an hour of waiting helps nobody.
    Stop,
    /// Everything that does not stand on the failed step goes on.
    GoOn,
}

#[derive(Debug, Default)]
pub struct Ran {
    pub done: Vec<StepId>,
    pub failed: Vec<(Step, Cause)>,
    /// Never started, or stopped because another step failed.
    pub left: Vec<StepId>,
}

/// Runs the steps. `stop` ends running steps when one fails under `OnFailure::Stop`; the caller may end it too.
pub async fn run<F, W>(steps: Vec<Step>, act: F, on_failure: OnFailure, stop: &CancellationToken) -> Ran
where
    F: Fn(Step) -> W,
    W: Future<Output = Result<(), Cause>>,
{
    let listed: BTreeSet<StepId> = steps.iter().map(Step::id).collect();
    let mut waiting = steps;
    let mut running = FuturesUnordered::new();
    let mut done: BTreeSet<StepId> = BTreeSet::new();
    let mut ran = Ran::default();
    loop {
        if !stop.is_cancelled() {
            let ready = |step: &Step| step.after.iter().all(|id| done.contains(id) || !listed.contains(id));
            let (start, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(ready);
            waiting = rest;
            for step in start {
                let work = act(step.clone());
                running.push(async move { (step, work.await) });
            }
        }
        let Some((step, ended)) = running.next().await else { break };
        match ended {
            Ok(()) => {
                tracing::info!(object = %step.object, verb = ?step.verb, "step done");
                done.insert(step.id());
                ran.done.push(step.id());
            }
            Err(cause) if cause.is_cancelled() && stop.is_cancelled() => ran.left.push(step.id()),
            Err(cause) => {
                tracing::warn!(object = %step.object, verb = ?step.verb, %cause, "step failed");
                ran.failed.push((step, cause));
                if on_failure == OnFailure::Stop {
                    stop.cancel();
                }
            }
        }
    }
    if ran.failed.is_empty()
        && !stop.is_cancelled()
        && let Some(stuck) = waiting.first()
    {
        ran.failed.push((stuck.clone(), Cause::Stuck));
    }
    ran.left.extend(waiting.iter().map(Step::id));
    ran
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::link::step::{Object, Verb};
    use std::cell::RefCell;

    fn step(object: Object, after: &[Object]) -> Step {
        let after = after.iter().map(|o| (o.clone(), Verb::Create)).collect();
        Step { object, verb: Verb::Create, after, because: vec![] }
    }

    #[tokio::test]
    async fn a_step_starts_only_after_those_it_waits_for_and_a_failure_keeps_the_rest_from_starting() {
        let log = RefCell::new(Vec::new());
        let steps = vec![step(Object::Attachment, &[Object::VpnGateway, Object::Vpc]), step(Object::VpnGateway, &[])];
        let act = |step: Step| {
            log.borrow_mut().push(step.object.clone());
            async { Ok(()) }
        };
        let ran = run(steps.clone(), act, OnFailure::Stop, &CancellationToken::new()).await;
        assert_eq!(*log.borrow(), [Object::VpnGateway, Object::Attachment]);
        assert_eq!(ran.done.len(), 2);

        let circle = vec![step(Object::Vpc, &[Object::Attachment]), step(Object::Attachment, &[Object::Vpc])];
        let ran = run(circle, |_| async { Ok(()) }, OnFailure::Stop, &CancellationToken::new()).await;
        assert!(matches!(ran.failed.as_slice(), [(_, Cause::Stuck)]), "steps that wait for each other are a failure");

        let fail = |_| async { Err(Cause::Missing("x".into())) };
        let ran = run(steps, fail, OnFailure::Stop, &CancellationToken::new()).await;
        assert_eq!((ran.failed.len(), ran.left.len()), (1, 1));
    }
}
