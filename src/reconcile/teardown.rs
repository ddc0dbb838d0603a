//! The loop that deletes: observe, decide, delete, observe again.

use super::clients::{CloudClients, LinkClients, OperationContext};
use super::error::ActionError;
use super::hand_over::{hand_over, mark_staying};
use super::interrupted_move::{self, record_target};
use super::observe::observe;
use super::round::{
    MAX_ROUNDS, Mode, ProgressCallback, ReconcileOutcome, aborted, execute_round,
    final_observation, removed_bgp_addresses,
};
use super::teardown_check::check_blockers;
use crate::aws::Filter;
use crate::aws::model::VpnGatewayId;
use bgp_vpn::blockers::OwnObjects;
use bgp_vpn::lookup::{LookupScope, TeardownSpec};
use bgp_vpn::managed::Kind;
use bgp_vpn::observed::Observed;
use std::collections::BTreeSet;

/// Deletes the objects of the teardown. Continues after failures, and observes again until nothing
/// is left or a round makes no progress.
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
        let mut seen = match observe(&clients, &scope, operation).await {
            Ok(seen) => seen,
            Err(error) => {
                return ReconcileOutcome {
                    done: whole.done,
                    ..aborted(whole.observed, error)
                };
            }
        };
        if round == 0 {
            let home = (what.subscription.as_str(), what.resource_group.as_str());
            let deleted = delete_interrupted_moves(clouds, &scope, &seen, home, operation).await;
            if let Some(failed) = deleted {
                return ReconcileOutcome {
                    observed: seen,
                    ..failed
                };
            }
        }
        let actions = bgp_vpn::teardown::plan_teardown(&what, &seen);
        if round == 0
            && !actions.is_empty()
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
        if let Some(target) = what.moves_to.as_ref().filter(|_| round == 0)
            && let Err(error) = record_target(&clients, &mut seen, target, operation).await
        {
            return aborted(Observed::default(), error);
        }
        if actions.is_empty() {
            if let Some(to) = &what.hands_over
                && let Err(error) = hand_over(&clients, &what.link, to, &seen, operation).await
            {
                return ReconcileOutcome {
                    done: whole.done,
                    ..aborted(seen, error)
                };
            }
            if let Err(error) = mark_staying(&clients, &what, &seen, operation).await {
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

/// Deletes what moves to other AWS sides left behind that did not finish. `home`: subscription and
/// resource group of the link. Answers the outcome of a deletion that failed.
pub async fn delete_interrupted_moves(
    clouds: &CloudClients,
    scope: &LookupScope,
    observed: &Observed,
    home: (&str, &str),
    operation: &OperationContext,
) -> Option<ReconcileOutcome> {
    for target in interrupted_move::unknown_targets(observed, scope) {
        let side = match interrupted_move::read(clouds, scope, &target, operation).await {
            Ok(None) => continue,
            Ok(Some(side)) => side,
            Err(error) => return Some(aborted(Observed::default(), error)),
        };
        let (what, scope) = side.teardown(home.0, home.1);
        let ended = Box::pin(teardown(clouds, &what, &scope, operation, &|_| {})).await;
        if ended.cancelled || !ended.failures.is_empty() || !ended.remaining.is_empty() {
            return Some(ended);
        }
    }
    None
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
            .describe_vpn_connections(&operation.call_context(), &filter)
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
