//! The loop: observe, decide, act, observe again, until nothing is left to do or something failed.

use super::actions::{ActionContext, ApplyContext, TeardownContext};
use super::clients::{CloudClients, LinkClients, OperationContext};
use super::create_check::check_create;
use super::denied::{Denial, Denied};
use super::error::ActionError;
use super::exchange_stages::Exchange;
use super::executor::{OnError, execute};
use super::hand_over::hand_over;
use super::heartbeat::{Heartbeat, wait_until_idle};
use super::name_conflicts::name_conflicts;
use super::observe::observe;
use super::teardown_check::check_blockers;
use crate::aws::Filter;
use crate::aws::model::VpnGatewayId;
use bgp_vpn::action::{Action, ActionId, ActionTarget, Verb};
use bgp_vpn::adoption::Adoption;
use bgp_vpn::blockers::OwnObjects;
use bgp_vpn::completeness::{Completeness, completeness};
use bgp_vpn::known_ids::KnownIds;
use bgp_vpn::lookup::{LookupScope, TeardownSpec};
use bgp_vpn::managed::Kind;
use bgp_vpn::observed::Observed;
use bgp_vpn::ownership::adopted;
use bgp_vpn::ownership_tags::LinkId;
use bgp_vpn::plan::plan_actions;
use bgp_vpn::spec::Spec;
use bgp_vpn::vpn_connection::statically_routed;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Rounds of the loop before what still differs is reported: the second sees what the first could
/// not know.
const MAX_ROUNDS: usize = 4;

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

/// Called after every action that succeeded.
pub type ProgressCallback<'a> = &'a (dyn Fn(&Observed) + Send + Sync);

/// Builds, repairs or changes the link until it is as the spec says.
pub async fn converge(
    clouds: &CloudClients,
    spec: &Spec,
    scope: &LookupScope,
    operation: &OperationContext,
    on_progress: ProgressCallback<'_>,
) -> ReconcileOutcome {
    let (heartbeat, denied) = (Heartbeat::default(), Denied::default());
    let outcome = Box::pin(reconcile_loop(
        clouds,
        spec,
        scope,
        operation,
        (&heartbeat, &denied),
        on_progress,
    ))
    .await;
    ReconcileOutcome {
        is_create: is_new(&scope.known),
        heartbeat_error: heartbeat.last_error(),
        denied: denied.all(),
        ..outcome
    }
}

async fn reconcile_loop(
    clouds: &CloudClients,
    spec: &Spec,
    scope: &LookupScope,
    operation: &OperationContext,
    (heartbeat, denied): (&Heartbeat, &Denied),
    on_progress: ProgressCallback<'_>,
) -> ReconcileOutcome {
    let (mut scope, spec) = (scope.clone(), &mut spec.clone());
    if scope.adoption.endpoints.is_empty() {
        scope.adoption = Adoption::of(spec);
    }
    let clients = match clouds.link_clients(Some(&spec.aws.region), operation).await {
        Ok(clients) => clients,
        Err(error) => return aborted(Observed::default(), error),
    };
    let to_be_made = is_new(&scope.known);
    let (mut whole, mut at_first) = (ReconcileOutcome::default(), BTreeSet::new());
    let mut exchange = Exchange::default();
    for round in 0.. {
        let mut seen = match observe(&clients, &scope, operation).await {
            Ok(seen) => seen,
            Err(error) => {
                let made = created_objects(&whole.done, &whole.observed, &at_first);
                return ReconcileOutcome {
                    done: whole.done,
                    made,
                    ..aborted(whole.observed, error)
                };
            }
        };
        if round == 0 && to_be_made {
            let failures = name_conflicts(spec, &seen);
            if !failures.is_empty() {
                return ReconcileOutcome {
                    failures,
                    ..ReconcileOutcome::default()
                };
            }
            if let Err(error) = check_create(&clients, spec, &scope, &seen, operation).await {
                return aborted(Observed::default(), error);
            }
            if scope.adoption.handed_over && completeness(&seen) == Completeness::NotFound {
                // What there is was left in place by this run.
            } else {
                whole.resumed = completeness(&seen) != Completeness::NotFound
                    || has_partial_create(&seen, &spec.link);
                whole.adopted = adopted(&scope, &seen);
            }
        }
        if round == 0 && whole.resumed {
            seen = match wait_until_idle(&clients, &scope, operation, seen).await {
                Ok(seen) => seen,
                Err(error) => return aborted(Observed::default(), error),
            };
            // The run that was waited for may have completed the link meanwhile.
            if let Err(error) = check_create(&clients, spec, &scope, &seen, operation).await {
                return aborted(Observed::default(), error);
            }
        }
        if round == 0 {
            at_first = seen.ids();
        }
        let fixed: Vec<String> = statically_routed(&seen).map(ToString::to_string).collect();
        if !fixed.is_empty() {
            return ReconcileOutcome {
                done: whole.done,
                ..aborted(seen, ActionError::StaticRouting { ids: fixed })
            };
        }
        let (staged, rounds) = match exchange.spec(&clients, spec, &seen, operation).await {
            Ok(next) => next,
            Err(error) => {
                return ReconcileOutcome {
                    done: whole.done,
                    ..aborted(seen, error)
                };
            }
        };
        if rounds == MAX_ROUNDS {
            break;
        }
        let actions = plan_actions(&staged, &seen);
        if actions.is_empty() {
            return ReconcileOutcome {
                observed: seen,
                ..whole
            };
        }
        if let Err(error) = check_blockers(
            &clients,
            &actions,
            &OwnObjects::of_update(&staged, &seen),
            &seen,
            operation,
        )
        .await
        {
            return ReconcileOutcome {
                done: whole.done,
                ..aborted(whole.observed, error)
            };
        }
        let outcome = execute_round(
            &clients,
            Mode::Build(&staged, heartbeat, denied),
            &scope,
            (seen, actions),
            operation,
            on_progress,
        )
        .await;
        scope.known.record(&outcome.observed);
        if removed_bgp_addresses(&outcome.done) {
            spec.removals
                .addresses
                .retain(|place| !staged.removals.addresses.contains(place));
            exchange.released(&staged.removals.addresses);
        }
        whole.done.extend(outcome.done);
        whole.observed = outcome.observed;
        if !outcome.failures.is_empty() || outcome.cancelled {
            let (failures, cancelled) = (outcome.failures, outcome.cancelled);
            let observed = final_observation(&clients, &scope, &at_first, whole.observed).await;
            let made = created_objects(&whole.done, &observed, &at_first);
            return ReconcileOutcome {
                observed,
                made,
                failures,
                cancelled,
                ..whole
            };
        }
    }
    whole.made = created_objects(&whole.done, &whole.observed, &at_first);
    whole.remaining = plan_actions(spec, &whole.observed);
    // There is no need to wait for another user's change of a shared gateway any more.
    whole
        .remaining
        .retain(|action| action.target != ActionTarget::Gateway || action.verb != Verb::WaitFor);
    whole
}

/// What was made: by steps that ended well, and what else exists that did not at first.
fn created_objects(
    done: &[ActionId],
    observed: &Observed,
    at_first: &BTreeSet<String>,
) -> BTreeSet<ActionTarget> {
    let finished = done
        .iter()
        .filter(|(_, verb)| *verb == Verb::Create)
        .map(|(object, _)| object.clone());
    let begun = observed
        .recorded_bgp_addresses()
        .into_iter()
        .filter(|(_, id)| !at_first.contains(id))
        .map(|(object, _)| object);
    finished.chain(begun).collect()
}

/// Whether this link's addresses were taken off the gateway. While a gateway is being changed it
/// does not return what it lists, so this is asked once only.
fn removed_bgp_addresses(done: &[ActionId]) -> bool {
    done.iter()
        .any(|(object, _)| *object == ActionTarget::CustomBgpAddresses)
}

/// Whether the state knows nothing of the tunnels: a create, or what comes after a replacement.
fn is_new(known: &KnownIds) -> bool {
    known.vpn_connections.iter().all(|(_, id)| id.is_none())
        && known.local_gateways.iter().all(|(_, id)| id.is_none())
        && known.connections.iter().all(|(_, id)| id.is_none())
}

/// Whether an earlier create made anything of this link that it would not make again.
fn has_partial_create(seen: &Observed, link: &LinkId) -> bool {
    let (azure, aws) = (&seen.azure, &seen.aws);
    let network = azure.network.iter().map(|network| &network.resource.tags);
    let ips = azure
        .public_ips
        .iter()
        .filter_map(|(_, ip)| Some(&ip.as_ref()?.resource.tags));
    let gateway = azure.gateway.iter().map(|gateway| &gateway.resource.tags);
    let ends = aws
        .vpc
        .iter()
        .map(|vpc| &vpc.tags)
        .chain(aws.gateway.iter().map(|gateway| &gateway.tags));
    network
        .chain(ips)
        .chain(gateway)
        .chain(ends)
        .any(|tags| link.is_on(tags))
}

/// What the steps of a round are for.
#[derive(Clone, Copy)]
enum Mode<'a> {
    Build(&'a Spec, &'a Heartbeat, &'a Denied),
    TakeDown(&'a TeardownSpec),
}

async fn execute_round(
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

/// Deletes what the demolition names. Goes on past failures, and looks again until nothing is left
/// or nothing moves.
pub async fn teardown(
    clouds: &CloudClients,
    what: &TeardownSpec,
    scope: &LookupScope,
    operation: &OperationContext,
    on_progress: ProgressCallback<'_>,
) -> ReconcileOutcome {
    let clients = match clouds.link_clients(Some(&what.region), operation).await {
        Ok(clients) => clients,
        Err(error) => return aborted(Observed::default(), error),
    };
    let mut what = match keep_shared_propagation(&clients, what, operation).await {
        Ok(what) => what,
        Err(error) => return aborted(Observed::default(), error),
    };
    let scope = LookupScope {
        read_keys: false,
        ..scope.clone()
    };
    let mut whole = ReconcileOutcome::default();
    for round in 0..MAX_ROUNDS {
        let seen = match observe(&clients, &scope, operation).await {
            Ok(seen) => seen,
            Err(error) => {
                return ReconcileOutcome {
                    done: whole.done,
                    ..aborted(whole.observed, error)
                };
            }
        };
        let actions = bgp_vpn::teardown::plan_teardown(&what, &seen);
        if actions.is_empty() {
            if let Some(to) = &what.hands_over
                && let Err(error) = hand_over(&clients, &what.link, to, &seen, operation).await
            {
                return ReconcileOutcome {
                    done: whole.done,
                    ..aborted(seen, error)
                };
            }
            return ReconcileOutcome {
                observed: seen,
                ..whole
            };
        }
        if round == 0
            && let Err(error) = check_blockers(
                &clients,
                &actions,
                &OwnObjects::of_teardown(&what),
                &seen,
                operation,
            )
            .await
        {
            return aborted(Observed::default(), error);
        }
        let there = seen.ids();
        let outcome = execute_round(
            &clients,
            Mode::TakeDown(&what),
            &scope,
            (seen, actions),
            operation,
            on_progress,
        )
        .await;
        if removed_bgp_addresses(&outcome.done) {
            what.own_bgp_addresses.clear();
        }
        whole.done.extend(outcome.done);
        whole.observed = outcome.observed;
        if !outcome.failures.is_empty() || outcome.cancelled {
            let (failures, cancelled) = (outcome.failures, outcome.cancelled);
            let observed = final_observation(&clients, &scope, &there, whole.observed).await;
            return ReconcileOutcome {
                observed,
                failures,
                cancelled,
                ..whole
            };
        }
    }
    whole.remaining = bgp_vpn::teardown::plan_teardown(&what, &whole.observed);
    whole
}

/// Routes that other VPN connections of the VPN gateway bring stay in the tables.
async fn keep_shared_propagation(
    clients: &LinkClients,
    what: &TeardownSpec,
    operation: &OperationContext,
) -> Result<TeardownSpec, ActionError> {
    let mut what = what.clone();
    let gateways = what
        .managed
        .ids(Kind::AwsRoutePropagation)
        .filter_map(|id| Some(id.split_once('/')?.1.to_owned()));
    for gateway in gateways.collect::<BTreeSet<String>>() {
        let filter = Filter::vpn_gateway(&VpnGatewayId(gateway.clone()));
        let on_it = clients
            .ec2
            .describe_vpn_connections(&operation.aws(), &filter)
            .await?;
        let ours = |id: &str| what.managed.has(Kind::AwsVpnConnection, id);
        if on_it
            .iter()
            .any(|vpn| vpn.state.is_living() && !ours(&vpn.id.0))
            && let Some(ids) = what.managed.0.get_mut(&Kind::AwsRoutePropagation)
        {
            ids.retain(|id| !id.ends_with(&format!("/{gateway}")));
        }
    }
    Ok(what)
}

fn into_outcome(
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

fn aborted(observed: Observed, error: ActionError) -> ReconcileOutcome {
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

/// After a failure the clouds know better than the board what there is. Some looks of its own,
/// which may fail, until all that this run made shows: right after a create EC2 may not list it
/// yet, and what no state names is made a second time.
async fn final_observation(
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
                .aws()
                .sleep("Look", "what was made", Duration::from_millis(500))
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
