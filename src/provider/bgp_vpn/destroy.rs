//! Carries out the destroy of a link, and the delete half of a replacement.

use super::apply::without_inside_cidrs;
use super::backend::Backend;
use super::expand::{lookup_scope, subscription};
use super::flatten::identity_of;
use super::flatten::{is_deleted, managed, set_computed};
use super::link_status::LinkStatus;
use super::model::Model;
use super::planned_id::link_of;
use super::private_state::PrivateState;
use super::replaced;
use super::resume::ResumeCache;
use super::teardown::{staying_aws_objects, teardown_spec};
use super::timeouts::timeout;
use bgp_vpn::observed::Observed;
use terraform_plugin::{ApplyRequest, ApplyResponse, Diagnostic, Value};

/// Deletes the link of a state, which is the prior state of the request.
pub async fn destroy(
    backend: &dyn Backend,
    resume_cache: &ResumeCache,
    state: &Model,
    request: ApplyRequest,
) -> ApplyResponse {
    let planned = PrivateState::read(&request.planned_private);
    let (finishes, unrepeatable) = (planned.resumes_incomplete, planned.unrepeatable.clone());
    let private = PrivateState {
        resumes_incomplete: finishes,
        unrepeatable,
        keeps: planned.keeps.clone(),
        ..planned.of_state()
    };
    let before = state.link.managed.clone();
    let link = link_of(state, &private, backend.subscription());
    link.iter().for_each(|link| resume_cache.start_apply(link));
    if resume_cache.is_superseded(state, link.as_ref()) {
        // All that it names is in the state of the finished link.
        return ApplyResponse::default();
    }
    if private.resumes_incomplete {
        // Terraform shows a replacement, but the create half continues with the existing objects.
        resume_cache.store(state, link, None);
        return ApplyResponse::default();
    }
    if let Some(path) = &private.unrepeatable {
        let (summary, detail) = replaced::unrepeatable_words(path);
        return request.failed(Diagnostic::error(summary).detail(detail).at(path.as_str()));
    }
    let subscription = subscription(state, backend.subscription()).unwrap_or_default();
    let state_only = PrivateState {
        resumes_incomplete: false,
        unrepeatable: None,
        keeps: None,
        before: None,
        ..private.clone()
    };
    let remembered = state_only.write();
    request.checkpoint.save(
        request.prior.clone(),
        remembered.clone(),
        identity_of(&request.prior),
    );
    // Under create_before_destroy this is None: Terraform deletes the old link without the private
    // data of the plan.
    let kept = &private.keeps;
    let mut teardown = teardown_spec(state, &private, before.clone(), subscription);
    match kept {
        Some(kept) => {
            teardown.managed = kept.removed(teardown.managed);
            teardown.hands_over = Some(kept.hand_over());
        }
        None => teardown.stays = staying_aws_objects(state, &private, &before),
    }
    let Some(scope) = lookup_scope(
        state,
        &PrivateState::default(),
        backend.subscription(),
        false,
    ) else {
        return request.failed(without_inside_cidrs());
    };
    let stored = |observed: &Observed| {
        let mut left = request.prior.clone();
        let managed = managed(state, observed, &before, &private, false);
        set_computed(&mut left, observed, &managed);
        if left != request.prior && !state.is_incomplete() {
            LinkStatus::Interrupted.store(&mut left, Vec::new());
        }
        (left.unknown_as_null(), managed)
    };
    let save = |observed: &Observed| {
        let (left, managed) = stored(observed);
        let left = if is_deleted(state, &private, &managed, observed) {
            Value::Null
        } else {
            left
        };
        request
            .checkpoint
            .save(left, remembered.clone(), request.planned_identity.clone());
    };
    let limit = timeout(state, "delete", 120);
    link.iter()
        .for_each(|link| resume_cache.mark_incomplete(link));
    let outcome = backend
        .teardown(&teardown, &scope, limit, &request.cancel, &save)
        .await;
    let mut messages = outcome.diagnostics;
    outcome
        .remains
        .into_iter()
        .for_each(|remains| messages.push(remains));
    if !messages.has_errors() {
        link.iter()
            .for_each(|link| resume_cache.forget(link, state));
        kept.iter().for_each(|kept| resume_cache.keep(kept));
        return ApplyResponse {
            diagnostics: messages,
            ..ApplyResponse::default()
        };
    }
    if outcome.observed == Observed::default() {
        return request.failed(messages);
    }
    let (new_state, _) = stored(&outcome.observed);
    let identity = identity_of(&new_state);
    ApplyResponse {
        new_state,
        private: remembered,
        identity,
        diagnostics: messages,
    }
}
