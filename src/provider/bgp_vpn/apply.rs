//! Carries out plans: create and update are one, for both end with the link as it is planned.

use super::apply_plan::{ApplyPlan, RequestModels, ResourceState};
use super::backend::{ApplyOutcome, Backend};
use super::change_set::ChangeSet;
use super::claims::{ClaimHolder, Claims, claim};
use super::expand::lookup_scope;
use super::flatten::identity_of;
use super::lookup_ids::{clear_aws_ids, insert_configured_ids, seed_given_azure_ids};
use super::model::Model;
use super::planned_id::link_of;
use super::private_state::PrivateState;
use super::public_subnet;
use super::replacing_attributes::record_configured;
use super::resolve_plan::resolve_plan;
use super::resume::ResumeCache;
use super::stale_plan::{Update, stale_plan_error};
use super::teardown::aws_teardown;
use super::timeouts::timeout;
use crate::provider::remaining_objects;
use crate::provider::summaries;
use bgp_vpn::adoption::Adoption;
use bgp_vpn::lookup::LookupScope;
use bgp_vpn::observed::Observed;
use terraform_plugin::{ApplyRequest, ApplyResponse, Diagnostic, Diagnostics};

/// Creates or changes a link.
pub async fn apply(
    backend: &dyn Backend,
    resume_cache: &ResumeCache,
    held: &Claims,
    request: ApplyRequest,
) -> ApplyResponse {
    let values = RequestModels::read(&request, resume_cache);
    let left = resumable_state(backend, resume_cache, &request, &values.planned);
    if request.is_update() {
        let before = PrivateState::read(&request.planned_private).of_state();
        request.checkpoint.save(
            request.prior.clone(),
            before.write(),
            identity_of(&request.prior),
        );
    }
    let prior = left.as_ref().or(values.prior.as_ref());
    if let Some(kept) = kept_state(&request, &values.planned) {
        request
            .checkpoint
            .save(kept.state, kept.private, kept.identity);
    }
    let mut messages = Diagnostics::new();
    let plan = match resolve_plan(backend, &request, &values, prior, &mut messages).await {
        Ok(plan) => plan,
        Err(diagnostics) => return request.failed(diagnostics),
    };
    resume_cache.start_apply(&plan.spec.link);
    let holder = ClaimHolder::of(values.prior.as_ref(), &plan.private, &values.config);
    if let Some(claim) = claim(&plan.target, prior, &plan.private, backend.subscription()) {
        let conflicts = held.apply(&holder, claim, request.is_create());
        if conflicts.has_errors() {
            return request.failed(conflicts);
        }
    }
    if request.is_create() {
        resume_cache.mark_incomplete(&plan.spec.link);
    }
    let ended = execute(backend, &request, &values, prior, &plan, messages).await;
    let link = PrivateState::read(&ended.private).link;
    held.finish(&holder, &Model::read(&ended.new_state), link.as_ref());
    if !ended.diagnostics.has_errors() {
        resume_cache.mark_complete(&plan.spec.link);
    }
    ended
}

/// The incomplete link that a create continues. Its state is stored first, because it is still
/// correct if the create ends early.
fn resumable_state(
    backend: &dyn Backend,
    resume_cache: &ResumeCache,
    request: &ApplyRequest,
    planned: &Model,
) -> Option<Model> {
    let private = PrivateState::read(&request.planned_private);
    let link = link_of(planned, &private, backend.subscription());
    let left = resume_cache
        .get(link.as_ref())
        .filter(|left| private.resumes_incomplete && left.can_resume(planned))?;
    let kept = PrivateState {
        resumes_incomplete: false,
        preflight_complete: false,
        replaced_ids: Vec::new(),
        ..private
    };
    request.checkpoint.save(
        left.state.value().clone(),
        left.private.unwrap_or(kept).write(),
        identity_of(left.state.value()),
    );
    Some(left.state)
}

/// What there is of a link before its create half makes anything: the networks that the replacement
/// kept.
fn kept_state(request: &ApplyRequest, planned: &Model) -> Option<ResourceState> {
    let private = PrivateState::read(&request.planned_private);
    let kept = private
        .keeps
        .as_ref()
        .filter(|_| request.is_create() && !private.resumes_incomplete)?;
    let (state, identity) = kept.incomplete_state(planned);
    let private = PrivateState {
        provenance: private.provenance.clone(),
        link: Some(kept.link()),
        ..PrivateState::default()
    };
    Some(ResourceState {
        state,
        private: private.write(),
        identity,
    })
}

async fn execute(
    backend: &dyn Backend,
    request: &ApplyRequest,
    values: &RequestModels,
    prior: Option<&Model>,
    plan: &ApplyPlan,
    mut messages: Diagnostics,
) -> ApplyResponse {
    let changes = prior.map(|prior| ChangeSet {
        prior,
        planned: &plan.target,
    });
    if let Some(changes) =
        changes.filter(|changes| request.is_update() && changes.is_local(&plan.private))
    {
        let mut private = plan.private.clone();
        private.forget_plan();
        private.record_applied(changes.planned.value());
        let planned = plan.target.value();
        record_configured(&mut private, &plan.private, &request.config, planned);
        private.imported = false;
        private.before = None;
        let (state, identity) = (
            plan.target.value().clone(),
            request.planned_identity.clone(),
        );
        return ApplyResponse {
            new_state: state,
            private: private.write(),
            identity,
            diagnostics: messages,
        };
    }
    let of_state = if request.is_update() {
        plan.private.of_state()
    } else {
        plan.private.clone()
    };
    let Some(mut scope) = lookup_scope(
        prior.unwrap_or(&plan.target),
        &of_state,
        backend.subscription(),
        true,
    ) else {
        return request.failed(without_inside_cidrs());
    };
    scope.names = Some(plan.spec.azure.names.clone());
    scope.link = Some(plan.spec.link.clone());
    seed_given_azure_ids(&mut scope, &plan.spec);
    plan.private
        .keeps
        .iter()
        .for_each(|kept| kept.seed(&mut scope.known));
    // A run that was killed may have left successors of objects of either AWS side.
    let former = std::mem::take(&mut scope.adoption.endpoints);
    scope.adoption = Adoption {
        handed_over: scope.adoption.handed_over,
        ..Adoption::of(&plan.spec)
    };
    // After a move that was killed, a read finds nothing of the former AWS side, and the state
    // names none.
    let moves = request.is_update() && former != scope.adoption.endpoints;
    scope.adoption.moves_to = scope.adoption.endpoints.first().filter(|_| moves).cloned();
    scope
        .adoption
        .endpoints
        .extend(former.into_iter().filter(|_| prior.is_some()));
    if changes.is_some_and(public_subnet::replaces) {
        // Only a subnet that is not known by id is read with its range.
        scope.known.public_subnet = None;
    }
    let limit = if request.is_create() {
        timeout(&plan.target, "create", 120)
    } else {
        timeout(&plan.target, "update", 240)
    };
    let save = |observed: &Observed| {
        let stored = plan.state_of(observed, false);
        request
            .checkpoint
            .save(stored.state, stored.private, stored.identity);
    };
    if request.is_update()
        && let Some(refused) = is_stale(backend, request, values, plan, &scope).await
    {
        messages.append(refused);
        return request.failed(messages);
    }
    let drops_vpc = changes.is_some_and(ChangeSet::drops_vpc);
    if let Some(changes) = changes.filter(|changes| {
        drops_vpc
            || if request.is_create() {
                changes.aws_side_replaced_known()
            } else {
                changes.aws_side_replaced()
            }
    }) {
        let teardown = aws_teardown(
            changes,
            &plan.before,
            &plan.private,
            &plan.spec.azure.subscription,
        );
        let plan = plan.before_move(changes.prior);
        let save = |observed: &Observed| {
            let stored = plan.state_of(observed, false);
            request
                .checkpoint
                .save(stored.state, stored.private, stored.identity);
        };
        let outcome = backend
            .teardown(&teardown, &scope, limit, &request.cancel, &save)
            .await;
        if outcome.diagnostics.has_errors() {
            let remains = outcome
                .remains
                .is_some()
                .then(remaining_objects::remaining_after_blocked_move);
            return plan.finish(request, ApplyOutcome { remains, ..outcome }, messages);
        }
        messages.append(outcome.diagnostics);
        clear_aws_ids(&mut scope, changes, &plan.spec);
    }
    insert_configured_ids(&mut scope, &plan.spec);
    let outcome = backend
        .converge(&plan.spec, &scope, limit, &request.cancel, &save)
        .await;
    let rolls_back = request.is_create()
        && plan
            .target
            .on_create_failure
            .known()
            .is_some_and(|on| on == "rollback");
    // Where nothing was observed, nothing was made: a link of another state, for example.
    if rolls_back
        && outcome.failed
        && outcome.observed != Observed::default()
        && !request.cancel.is_cancelled()
    {
        return plan
            .roll_back(backend, request, &scope, outcome, messages)
            .await;
    }
    plan.finish(request, outcome, messages)
}

/// Why the plan of an update no longer fits what the clouds have. Reads once more, and writes
/// nothing.
async fn is_stale(
    backend: &dyn Backend,
    request: &ApplyRequest,
    values: &RequestModels,
    plan: &ApplyPlan,
    scope: &LookupScope,
) -> Option<Diagnostics> {
    let prior = values
        .prior
        .as_ref()
        .filter(|prior| !prior.is_incomplete())?;
    let seen = match backend.observe(scope, &request.cancel).await {
        Ok(seen) => seen,
        Err(diagnostics) => return Some(diagnostics),
    };
    let update = Update {
        prior,
        planned: &values.planned,
        target: &plan.target,
        private: &plan.private,
        spec: &plan.spec,
    };
    stale_plan_error(backend, &update, &seen).map(Diagnostics::from)
}

/// Rejects a state that does not identify the tunnels.
pub fn without_inside_cidrs() -> Diagnostic {
    Diagnostic::error(summaries::INVALID_STATE).detail(
        "The state lacks the inside CIDRs that identify the tunnels. Remove the link from the state, then import it.",
    )
}
