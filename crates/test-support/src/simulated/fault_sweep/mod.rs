//! One point of the sweep: a run with trouble at one call, what is true right after it, and one
//! more run without trouble.

mod foreign_gateways;
mod operations;

pub use foreign_gateways::{create_foreign, transit_gateway};
pub use operations::{Baseline, InitialState, baseline};

use crate::simulated::availability::{self, AvailabilityMonitor};
use crate::simulated::clock::in_virtual_time;
use crate::simulated::fault_point::{FaultMode, FaultPoint, FaultScope};
use crate::simulated::terraform_core::{Run, Stored, TerraformCore};
use crate::simulated::{Sim, leak_checker};
use awsazure_sandbox::time::SimDuration;
use std::time::Duration;
use terraform_plugin::Cancel;

/// The seed of every world of the sweep, so that all runs begin alike.
pub const SEED: u64 = 7;

/// Terraform kills a provider that does not stop; it has to be done by then.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// What goes wrong in a run.
#[derive(Clone, Debug)]
pub enum InjectedFault {
    /// Rules of the fault plan.
    Rules(Vec<String>),
    /// The process dies at the call that the rule leaves without an answer.
    Killed { rule: String, saved: bool },
    /// Ctrl-C at the n-th call.
    Stopped(usize),
}

impl Baseline {
    /// What goes wrong at a point; None where that way makes no sense there.
    pub fn injected(&self, point: &FaultPoint) -> Option<InjectedFault> {
        let (cloud, operation, count) = self.calls.get(point.call.checked_sub(1)?)?;
        let call = point.call;
        Some(match point.mode {
            // Only Azure has operations that go on by themselves, and only what starts or polls one
            // meets their end.
            FaultMode::Fault(_, "failed" | "expired")
                if cloud != "azure"
                    || operation.starts_with("Get") && operation != "GetOperation"
                    || operation.starts_with("List") =>
            {
                return None;
            }
            FaultMode::Fault(FaultScope::Once, kind) => {
                InjectedFault::Rules(vec![format!("fail call {call} of *: once {kind}")])
            }
            FaultMode::Fault(FaultScope::Forever, kind) => InjectedFault::Rules(vec![format!(
                "fail call {count} of {cloud} {operation}: forever {kind}"
            )]),
            FaultMode::Fault(FaultScope::Outage, kind) => {
                InjectedFault::Rules(vec![format!("fail call {call} of *: forever {kind}")])
            }
            FaultMode::Killed { after, saved } => {
                let kind = if after { "hang-after" } else { "hang" };
                InjectedFault::Killed {
                    rule: format!("fail call {call} of *: once {kind}"),
                    saved,
                }
            }
            FaultMode::Stopped => InjectedFault::Stopped(call),
        })
    }

    /// The run with trouble, all that must be true then, and the run after it. `thorough`: to the
    /// link's end; `blind`: the run after it has `-refresh=false`.
    ///
    /// # Errors
    /// What was not true.
    pub fn meet(
        &self,
        injected: &InjectedFault,
        thorough: bool,
        blind: bool,
    ) -> Result<(), String> {
        let met = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            in_virtual_time(Box::pin(self.met(injected, thorough, blind)))
        }));
        let met = met.unwrap_or_else(|panic| {
            let words = panic.downcast_ref::<String>().cloned();
            let words = words.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
            Err(format!("panic: {}", words.unwrap_or_default()))
        });
        crate::simulated::log_recorder::take_log();
        met
    }

    async fn met(
        &self,
        injected: &InjectedFault,
        thorough: bool,
        blind: bool,
    ) -> Result<(), String> {
        let initial = &self.initial;
        let sim = Sim::of(SEED, initial.world.clone());
        let mut core = TerraformCore::new(&sim, initial.config.clone(), initial.stored.clone());
        let min_tunnels_up = match availability::min_tunnels_up(self.operation) {
            Some(least) => Some((AvailabilityMonitor::over(&sim)?, least)),
            None => None,
        };
        let ended = run_with(&sim, &mut core, &initial.run, injected).await?;
        let said = core.messages.join("\n");
        let context = |fault: String| format!("{fault}\nthe run with trouble ended with {ended:?}");
        leak_checker::all_objects_recorded(&sim, &core.stored).map_err(context)?;
        leak_checker::no_duplicates(&sim).map_err(context)?;
        leak_checker::no_secret(
            &sim,
            &[
                &said,
                &format!("{:?}", core.stored),
                &crate::simulated::log_recorder::take_log(),
            ],
        )
        .map_err(context)?;
        if ended == Some(Ok(())) {
            self.matches_baseline(&sim, &core.stored).map_err(context)?;
        }

        sim.sandbox.world().faults.clear();
        sim.wire.calm();
        // Running terraform again takes a moment.
        tokio::time::sleep(client_time(&sim, SimDuration::seconds(5))).await;
        core.new_process();
        core.blind = blind;
        let repaired = match core.run(&initial.run).await {
            Err(words) if injected.leaves_no_state() => import_instead(&mut core, &words).await,
            other => other.map(|()| false),
        };
        core.blind = false;
        let imported = repaired
            .map_err(|words| context(format!("one more run did not repair it: {words}")))?;
        // A change that the run with trouble began may still be under way: the plan had nothing to
        // add to it.
        leak_checker::wait_until_idle(&sim, client_time(&sim, SimDuration::seconds(10))).await;
        leak_checker::no_duplicates(&sim).map_err(context)?;
        if initial.run == Run::Destroy {
            return self.matches_baseline(&sim, &core.stored).map_err(context);
        }
        core.new_process();
        core.plans_empty().await.map_err(context)?;
        if !imported {
            self.matches_baseline(&sim, &core.stored).map_err(context)?;
        }
        core.plans_empty().await.map_err(context)?;
        // Sessions come up within minutes after the last change.
        tokio::time::sleep(client_time(&sim, SimDuration::minutes(5))).await;
        sim.sandbox.world().advance(sim.sandbox.now());
        leak_checker::tunnels_up(&sim).map_err(context)?;
        if let Some((availability, least)) = min_tunnels_up {
            availability.check_at_least(least).map_err(context)?;
        }
        if thorough || imported {
            core.new_process();
            core.run(&Run::Destroy)
                .await
                .map_err(|words| context(format!("destroy: {words}")))?;
            leak_checker::no_objects_left(&sim).map_err(context)?;
        }
        let said = core.messages.join("\n");
        leak_checker::no_secret(
            &sim,
            &[
                &said,
                &format!("{:?}", core.stored),
                &crate::simulated::log_recorder::take_log(),
            ],
        )
        .map_err(context)
    }

    fn matches_baseline(&self, sim: &Sim, stored: &Stored) -> Result<(), String> {
        let is = leak_checker::snapshot(sim, stored);
        let unrecorded = || {
            sim.sandbox
                .calls()
                .iter()
                .any(|call| call.operation == "CreateTags" && call.status == Some(403))
        };
        if is == self.snapshot
            || unrecorded() && without_records(&is) == without_records(&self.snapshot)
        {
            return Ok(());
        }
        Err(format!(
            "the link is another than without faults: {}",
            leak_checker::difference(&is, &self.snapshot)
        ))
    }
}

/// Without the record of which propagation the link enabled: a run that may set no tags completes
/// the link, and leaves none.
fn without_records(snapshot: &str) -> String {
    let record = |part: &&str| {
        part.contains("awsazure:propagates/")
            || part.contains("route-table/") && part.contains("vpn-gateway/vpn-gateway")
    };
    let line = |line: &str| {
        line.split(", ")
            .filter(|part| !record(part))
            .collect::<Vec<_>>()
            .join(", ")
    };
    snapshot.lines().map(line).collect::<Vec<_>>().join("\n")
}

impl InjectedFault {
    fn leaves_no_state(&self) -> bool {
        matches!(self, InjectedFault::Killed { saved: false, .. })
    }
}

fn client_time(sim: &Sim, span: SimDuration) -> Duration {
    Duration::from_millis(
        span.0
            .div_ceil(sim.sandbox.world().settings.time_scale.max(1)),
    )
}

/// None where it was killed; else how it ended.
async fn run_with(
    sim: &Sim,
    core: &mut TerraformCore<'_>,
    run: &Run,
    injected: &InjectedFault,
) -> Result<Option<Result<(), String>>, String> {
    let (never, stop) = (Cancel::new(), Cancel::new());
    let (mut grave, mut rules, mut saved) = (never, Vec::new(), false);
    match injected {
        InjectedFault::Rules(all) => rules.clone_from(all),
        InjectedFault::Killed { rule, saved: keeps } => {
            (grave, saved) = (sim.wire.deadly(), *keeps);
            rules.push(rule.clone());
        }
        InjectedFault::Stopped(call) => {
            sim.wire.stop_at(*call, &stop);
            core.cancel = stop.clone();
        }
    }
    for rule in rules {
        sim.sandbox
            .world()
            .faults
            .add(rule.parse().map_err(|fault| format!("{rule}: {fault}"))?);
    }
    let too_late = async {
        stop.cancelled().await;
        tokio::time::sleep(STOP_LIMIT).await;
    };
    let ended = tokio::select! {
        biased;
        ended = core.run(run) => Some(ended),
        () = grave.cancelled() => None,
        () = too_late => return Err("it went on for more than 10 s after Ctrl-C".to_owned()),
    };
    if ended.is_none() && saved {
        core.store_checkpoint();
    }
    Ok(ended)
}

/// Killed between the last step and the state: the link is finished, and the error says how to take
/// it in. True where so.
async fn import_instead(core: &mut TerraformCore<'_>, words: &str) -> Result<bool, String> {
    let id = words
        .split_once("terraform import ADDRESS '")
        .and_then(|(_, rest)| rest.split_once('\''))
        .map(|(id, _)| id);
    let id = id.ok_or_else(|| words.to_owned())?;
    // Each command has a process of its own.
    core.new_process();
    core.run(&Run::Import(id.to_owned())).await?;
    core.new_process();
    core.run(&Run::Apply).await?;
    Ok(true)
}
