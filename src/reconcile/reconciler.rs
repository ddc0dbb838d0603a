//! The loop: observe, decide, act, observe again, until nothing is left to do or something failed.

use super::clients::{CloudClients, OperationContext};
use super::create_check::check_create;
use super::denied::Denied;
use super::error::ActionError;
use super::exchange_stages::Exchange;
use super::heartbeat::{Heartbeat, wait_until_idle};
use super::interrupted_move::{self, record_target};
use super::name_conflicts::name_conflicts;
use super::observe::observe;
use super::round::{
    ActionFailure, MAX_ROUNDS, Mode, ProgressCallback, ReconcileOutcome, aborted, execute_round,
    final_observation, removed_bgp_addresses,
};
use super::teardown::delete_interrupted_moves;
use super::teardown_check::check_blockers;
use bgp_vpn::action::{ActionId, ActionTarget, Verb};
use bgp_vpn::adoption::Adoption;
use bgp_vpn::blockers::OwnObjects;
use bgp_vpn::completeness::{Completeness, completeness};
use bgp_vpn::known_ids::KnownIds;
use bgp_vpn::lookup::{AttachmentReads, LookupScope};
use bgp_vpn::observed::Observed;
use bgp_vpn::ownership::adopted;
use bgp_vpn::ownership_tags::{AwsEndpoint, LinkId};
use bgp_vpn::plan::plan_actions;
use bgp_vpn::spec::Spec;
use bgp_vpn::vpn_connection::statically_routed;
use std::collections::BTreeSet;

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
    let needed = AttachmentReads::of(&spec.aws);
    scope.attachment_reads = scope.attachment_reads.max(needed);
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
            let home = (
                spec.azure.subscription.as_str(),
                spec.azure.resource_group.as_str(),
            );
            let deleted = delete_interrupted_moves(clouds, &scope, &seen, home, operation).await;
            if let Some(failed) = deleted {
                return ReconcileOutcome {
                    observed: seen,
                    ..failed
                };
            }
            let target = AwsEndpoint::of(&spec.aws)
                .filter(|_| !interrupted_move::unknown_targets(&seen, &scope).is_empty());
            if let Some(target) = target
                && let Err(error) = record_target(&clients, &mut seen, &target, operation).await
            {
                return aborted(seen, error);
            }
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
        let fixed_bandwidth =
            |failure: &ActionFailure| matches!(failure.error, ActionError::FixedBandwidth { .. });
        if !outcome.failures.is_empty()
            && outcome.failures.iter().all(fixed_bandwidth)
            && !outcome.cancelled
            && !spec.aws.recreates_for_bandwidth
        {
            tracing::info!("the region does not change the bandwidth in place; recreating");
            spec.aws.recreates_for_bandwidth = true;
            continue;
        }
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
        .filter(|(_, id)| !at_first.contains(&id.to_lowercase()))
        .map(|(object, _)| object);
    finished.chain(begun).collect()
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
