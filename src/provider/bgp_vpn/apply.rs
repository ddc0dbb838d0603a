//! Carries out plans: create and update are one, for both end with the link as it is planned.

use super::attribute_paths::{attribute_path, diagnostics};
use super::backend::{ApplyOutcome, Backend};
use super::change_set::ChangeSet;
use super::claims::{ClaimHolder, Claims, claim};
use super::create_before_destroy::{explain_errors, is_conflict};
use super::defaults::{PlanInputs, apply_defaults};
use super::expand::{
    ExpandInputs, KeyInputs, configured_keys, expand_spec, key_storage, lookup_scope, subscription,
    text,
};
use super::flatten::{identity, is_deleted, managed, read_managed, set_computed};
use super::link_status::{LinkStatus, is_incomplete};
use super::lookup_ids::{clear_aws_ids, seed_given_azure_ids, seed_given_ids};
use super::model::read_config;
use super::plan::{id_beside_moved_link, link_of, plan_inputs, preflight_request};
use super::plan_validation::validate_plan;
use super::private_state::PrivateState;
use super::provenance::provenance;
use super::public_subnet;
use super::refresh::{refresh_settings, resolve_unknown};
use super::replaced;
use super::replacing_attributes::{record_configured, record_failed};
use super::resume::ResumeCache;
use super::stale_plan::{Update, stale_plan_error};
use super::teardown::{aws_teardown, removals, teardown_spec};
use crate::aws::model::KeyStorage;
use crate::azure::id::ResourceId;
use crate::provider::remaining_objects;
use crate::provider::summaries;
use bgp_vpn::adoption::Adoption;
use bgp_vpn::lookup::{LookupScope, TeardownSpec};
use bgp_vpn::managed::Managed;
use bgp_vpn::observed::Observed;
use bgp_vpn::preflight::PreflightSnapshot;
use bgp_vpn::route_tables::desired_route_tables;
use bgp_vpn::spec::Spec;
use bgp_vpn::tunnel::{Instance, TunnelKey};
use bgp_vpn::types::parse_duration;
use std::time::Duration;
use terraform_plugin::{ApplyRequest, ApplyResponse, Diagnostic, Diagnostics, Value};

/// A create or update under way.
#[derive(Clone)]
struct ApplyPlan {
    /// The plan, all settings known.
    target: Value,
    private: PrivateState,
    spec: Spec,
    before: Managed,
    /// Gateways of another user become this link's.
    takes_ownership: bool,
    /// Until all is done the link counts as one whose create never ended.
    incomplete: bool,
    /// Triggers of an update, as they were before.
    trigger_values: Vec<(&'static str, Value)>,
    config: Value,
    /// The state before an update.
    prior: Option<Value>,
}

/// What Terraform stores of a link.
pub struct ResourceState {
    pub state: Value,
    pub private: Vec<u8>,
    pub identity: Option<Value>,
}

/// Creates or changes a link.
pub async fn apply(
    backend: &dyn Backend,
    resume_cache: &ResumeCache,
    held: &Claims,
    request: ApplyRequest,
) -> ApplyResponse {
    let left = resumable_state(backend, resume_cache, &request);
    if request.is_update() {
        let before = PrivateState::read(&request.planned_private).of_state();
        request.checkpoint.save(
            request.prior.clone(),
            before.write(),
            identity_of(&request.prior),
        );
    }
    let prior = left
        .as_ref()
        .or((!request.prior.is_null()).then_some(&request.prior));
    if let Some(kept) = kept_state(&request) {
        request
            .checkpoint
            .save(kept.state, kept.private, kept.identity);
    }
    let mut messages = Diagnostics::new();
    let plan = match resolve_plan(backend, &request, prior, &mut messages).await {
        Ok(plan) => plan,
        Err(diagnostics) => return request.failed(diagnostics),
    };
    let holder = ClaimHolder::of(
        (!request.prior.is_null()).then_some(&request.prior),
        &plan.private,
        &request.config,
    );
    if let Some(claim) = claim(&plan.target, prior, &plan.private, backend.subscription()) {
        let conflicts = held.apply(&holder, claim, request.is_create());
        if conflicts.has_errors() {
            return request.failed(conflicts);
        }
    }
    if request.is_create() {
        resume_cache.mark_incomplete(&plan.spec.link);
    }
    let ended = execute(backend, &request, prior, &plan, messages).await;
    let link = PrivateState::read(&ended.private).link;
    held.finish(&holder, &ended.new_state, link.as_ref());
    if !ended.diagnostics.has_errors() {
        resume_cache.mark_complete(&plan.spec.link);
    }
    ended
}

/// The unfinished link that a create goes on with. Should it end early, that is still what there
/// is.
fn resumable_state(
    backend: &dyn Backend,
    resume_cache: &ResumeCache,
    request: &ApplyRequest,
) -> Option<Value> {
    let private = PrivateState::read(&request.planned_private);
    let link = link_of(&request.planned, &private, backend.subscription());
    let left = resume_cache
        .get(link.as_ref())
        .filter(|left| private.resumes_incomplete && left.can_resume(&request.planned))?;
    let kept = PrivateState {
        resumes_incomplete: false,
        preflight_complete: false,
        replaced_ids: Vec::new(),
        ..private
    };
    request.checkpoint.save(
        left.state.clone(),
        left.private.unwrap_or(kept).write(),
        identity_of(&left.state),
    );
    Some(left.state)
}

/// What there is of a link before its create half makes anything: the networks that the replacement
/// kept.
fn kept_state(request: &ApplyRequest) -> Option<ResourceState> {
    let private = PrivateState::read(&request.planned_private);
    let kept = private
        .keeps
        .as_ref()
        .filter(|_| request.is_create() && !private.resumes_incomplete)?;
    let (state, identity) = kept.incomplete_state(&request.planned);
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
    prior: Option<&Value>,
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
        private.record_applied(changes.planned);
        record_configured(&mut private, &request.config);
        private.imported = false;
        private.before = None;
        let (state, identity) = (plan.target.clone(), request.planned_identity.clone());
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
        && let Some(refused) = is_stale(backend, request, plan, &scope).await
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
    seed_given_ids(&mut scope, &plan.spec);
    let outcome = backend
        .converge(&plan.spec, &scope, limit, &request.cancel, &save)
        .await;
    let rolls_back =
        request.is_create() && plan.target.get("on_create_failure").as_str() == Some("rollback");
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
    plan: &ApplyPlan,
    scope: &LookupScope,
) -> Option<Diagnostics> {
    if is_incomplete(&request.prior) {
        return None;
    }
    let seen = match backend.observe(scope, &request.cancel).await {
        Ok(seen) => seen,
        Err(diagnostics) => return Some(diagnostics),
    };
    let update = Update {
        prior: &request.prior,
        planned: &request.planned,
        target: &plan.target,
        private: &plan.private,
        spec: &plan.spec,
    };
    stale_plan_error(backend, &update, &seen).map(Diagnostics::from)
}

/// Settles what plan had to leave open, and checks it before anything is made.
async fn resolve_plan(
    backend: &dyn Backend,
    request: &ApplyRequest,
    before: Option<&Value>,
    messages: &mut Diagnostics,
) -> Result<ApplyPlan, Diagnostics> {
    let mut private = PrivateState::read(&request.planned_private);
    // What finishes a link was planned as a create, and is settled as one.
    let prior = (!request.prior.is_null()).then_some(&request.prior);
    let mut snapshot = PreflightSnapshot::default();
    if !private.preflight_complete {
        let draft = apply_defaults(&plan_inputs(
            backend,
            &request.config,
            prior,
            &private,
            &snapshot,
        ));
        let inputs = plan_inputs(backend, &request.config, prior, &private, &snapshot);
        let (ask, _) = preflight_request(backend, &draft.planned, &inputs);
        snapshot = backend.preflight(&ask, &request.cancel).await?;
    }
    let inputs = PlanInputs {
        snapshot: &snapshot,
        ..plan_inputs(backend, &request.config, prior, &private, &snapshot)
    };
    let settled = apply_defaults(&inputs).planned;
    let mut target = fill_unknown(&request.planned, &settled);
    if let Some(left) = before.filter(|_| request.is_create()) {
        keep_gateway(&mut target, left);
    }
    let moved = if request.is_create() && !private.preflight_complete && private.link.is_none() {
        id_beside_moved_link(&target, &private, &snapshot, backend.subscription())
    } else {
        None
    };
    let claims = inputs.takes_ownership(&target);
    // Also where plan saw all surroundings, a setting may have been unknown by then.
    let violations = validate_plan(&inputs, &target, backend);
    let conflicts = violations.iter().any(is_conflict);
    let found = diagnostics(violations);
    if found.has_errors() {
        return Err(if prior.is_none() && conflicts {
            explain_errors(found)
        } else {
            found
        });
    }
    if !private.preflight_complete {
        messages.append(found);
        private.provenance = provenance(&inputs, &snapshot, &target);
    }
    private.link = moved.or(private.link);
    private.names_route_tables = !request.config.at(&"aws.route_table_ids".into()).is_null();
    if !private.names_route_tables
        && prior.is_some_and(|prior| public_subnet::comes_or_goes(prior, &target))
    {
        // The tables of before lack the one that is created with the subnet.
        private
            .applied
            .set_at(&"aws.route_table_ids".into(), Value::Null);
    }
    let unfinished = request.is_create() || is_incomplete(&request.prior);
    let managed = before.map(read_managed).unwrap_or_default();
    let former = before
        .map(|before| removals(before, &target, &private, &managed))
        .unwrap_or_default();
    let around = ExpandInputs {
        private: &private,
        subscription: backend.subscription(),
        default_tags: backend.default_tags(),
        keys: keys(
            request,
            &target,
            prior.map(|prior| ChangeSet {
                prior,
                planned: &target,
            }),
            &private,
        ),
        removals: former,
    };
    let mut spec = expand_spec(&target, around).map_err(|lacking| {
        Diagnostics::from(missing_setting(&attribute_path(&lacking.0).to_string()))
    })?;
    spec.removals
        .tags
        .retain(|key| !spec.tags.contains_key(key));
    spec.claims_gateways = claims;
    let triggers = ["rotate_keys", "preshared_keys_wo_version", "tags"]
        .map(|name| Some((name, prior?.get(name).clone())));
    let claimed = claims.then(|| ("manage_gateways", Value::from(false)));
    let asked = triggers.into_iter().flatten().chain(claimed).collect();
    let (config, prior) = (request.config.clone(), prior.cloned());
    Ok(ApplyPlan {
        target,
        private,
        spec,
        before: managed,
        takes_ownership: claims,
        incomplete: unfinished,
        trigger_values: asked,
        config,
        prior,
    })
}

/// An unfinished link keeps its Azure gateway where another name is configured by now.
fn keep_gateway(target: &mut Value, left: &Value) {
    let path = "azure.gateway_id".into();
    if !target.at(&path).is_set() && left.at(&path).is_set() {
        target.set_at(&path, left.at(&path).clone());
    }
}

/// The keys in use stay, unless a create makes them all or an update is asked to change them.
fn keys(
    request: &ApplyRequest,
    target: &Value,
    changes: Option<ChangeSet<'_>>,
    private: &PrivateState,
) -> KeyInputs {
    let rolled = changes.filter(|changes| changes.rotates_keys(private));
    let raised = changes.is_none_or(ChangeSet::applies_configured_keys);
    // An endpoint that shows no key cannot be seen to have the user's: a mark has to say so.
    let hidden = key_storage(&read_config(target)) == KeyStorage::SecretsManager;
    let version = target
        .get("preshared_keys_wo_version")
        .as_number()
        .filter(|_| raised && hidden);
    KeyInputs {
        configured: configured_keys(&request.config),
        applies_configured: raised,
        trigger: rolled
            .and_then(|changes| text(changes.planned, "rotate_keys"))
            .or_else(|| version.map(|version| format!("own keys, version {version}"))),
    }
}

/// A plan with its unknown places taken from what is settled by now.
fn fill_unknown(planned: &Value, settled: &Value) -> Value {
    match (planned, settled) {
        (Value::Unknown(_), settled) => settled.clone(),
        (Value::Object(items), _) => Value::Object(
            items
                .iter()
                .map(|(name, value)| (name.clone(), fill_unknown(value, settled.get(name))))
                .collect(),
        ),
        (Value::Map(items), _) => Value::Map(
            items
                .iter()
                .map(|(name, value)| (name.clone(), fill_unknown(value, settled.get(name))))
                .collect(),
        ),
        (known, _) if known.is_wholly_known() => known.clone(),
        // Lists and sets hold unknown elements only where the configuration does.
        (_, settled) => settled.clone(),
    }
}

impl ApplyPlan {
    /// The same job with the AWS settings before it. Until the old AWS half is deleted, the state
    /// has to say where it is: the next run looks for it in that region and finds the same change
    /// to apply.
    fn before_move(&self, prior: &Value) -> ApplyPlan {
        let mut plan = self.clone();
        plan.target.set("aws", prior.get("aws").clone());
        plan.private.provenance.vpn_gateway_is_existing =
            self.private.of_state().provenance.vpn_gateway_is_existing;
        plan
    }

    /// What is to be stored by now. An incomplete link shows what exists, not what was planned.
    fn state_of(&self, observed: &Observed, whole: bool) -> ResourceState {
        let mut state = self.target.clone();
        if !whole {
            refresh_settings(&mut state, observed);
            public_subnet::follow_range(&mut state, observed);
        }
        resolve_unknown(
            &mut state,
            observed,
            &desired_route_tables(&self.spec, observed),
        );
        let mut private = self.private.clone();
        private.link = Some(self.spec.link.clone());
        let managed = managed(
            &state,
            observed,
            &self.before,
            &private,
            self.takes_ownership,
        );
        let gateway = observed
            .azure
            .gateway
            .as_ref()
            .map_or(self.spec.azure.gateway.id(), |gateway| &gateway.resource.id);
        let gateway = keep_casing(&self.target, gateway);
        set_computed(&mut state, observed, &managed);
        if !state.get("id").is_set() {
            let first = self.spec.inside_cidrs.get(TunnelKey {
                instance: Instance::Zero,
                number: 1,
            });
            state.set("id", identity(&gateway, &first.to_string()).0);
        }
        let status = match (whole, self.incomplete) {
            (true, _) => LinkStatus::Complete,
            (false, true) => LinkStatus::Incomplete,
            (false, false) => LinkStatus::Interrupted,
        };
        status.store(&mut state, Vec::new());
        private.forget_unknown(&state);
        private.record_applied(&state);
        if whole {
            record_configured(&mut private, &self.config);
        } else {
            private.record_applied(&self.target);
            let changes = self.prior.as_ref().map(|prior| ChangeSet {
                prior,
                planned: &self.target,
            });
            record_failed(&mut private, &self.private, changes);
        }
        private.forget_plan();
        private.imported = false;
        if !whole {
            // What did not end well is asked for again.
            self.trigger_values
                .iter()
                .for_each(|(name, before)| state.set(*name, before.clone()));
        }
        let given_up = self.spec.removals.addresses.iter().filter(|_| !whole);
        private.pending_removals = given_up
            .map(|(instance, ip)| (instance.index(), *ip))
            .collect();
        private.recreates.clear();
        private.interrupts.clear();
        private.record_owned(Some(&self.spec.link), observed, &managed);
        ResourceState {
            identity: identity_of(&state),
            state: state.unknown_as_null(),
            private: private.write(),
        }
    }

    fn finish(
        &self,
        request: &ApplyRequest,
        outcome: ApplyOutcome,
        mut messages: Diagnostics,
    ) -> ApplyResponse {
        let failed = outcome.diagnostics.has_errors();
        let explains = request.is_create() && outcome.conflicts;
        messages.append(outcome.diagnostics);
        outcome
            .remains
            .into_iter()
            .for_each(|remains| messages.push(remains));
        if failed && outcome.observed == Observed::default() {
            return request.failed(if explains {
                explain_errors(messages)
            } else {
                messages
            });
        }
        let stored = self.state_of(&outcome.observed, !failed);
        let nothing = failed && request.is_create() && read_managed(&stored.state).is_empty();
        let new_state = if nothing { Value::Null } else { stored.state };
        ApplyResponse {
            new_state,
            private: stored.private,
            identity: stored.identity,
            diagnostics: messages,
        }
    }

    /// Deletes what a failed create made. What cannot be deleted stays in the state.
    async fn roll_back(
        &self,
        backend: &dyn Backend,
        request: &ApplyRequest,
        scope: &LookupScope,
        failed: ApplyOutcome,
        mut messages: Diagnostics,
    ) -> ApplyResponse {
        let state = self.state_of(&failed.observed, false).state;
        let made = read_managed(&state);
        let what = teardown_spec(
            &state,
            &self.private,
            made,
            self.spec.azure.subscription.clone(),
        );
        let what = TeardownSpec {
            link: self.spec.link.clone(),
            ..what
        };
        let save = |observed: &Observed| {
            let stored = self.state_of(observed, false);
            request
                .checkpoint
                .save(stored.state, stored.private, stored.identity);
        };
        let gone = backend
            .teardown(
                &what,
                scope,
                timeout(&self.target, "delete", 120),
                &request.cancel,
                &save,
            )
            .await;
        messages.append(failed.diagnostics);
        if gone.diagnostics.has_errors() {
            // Where nothing could be deleted, all that was made is still there.
            let observed = if gone.observed == Observed::default() {
                failed.observed
            } else {
                gone.observed
            };
            let remains = Some(remaining_objects::remaining_after_rollback());
            return self.finish(
                request,
                ApplyOutcome {
                    observed,
                    remains,
                    ..gone
                },
                messages,
            );
        }
        messages.append(gone.diagnostics);
        messages.push(rolled_back());
        ApplyResponse {
            diagnostics: messages,
            ..ApplyResponse::default()
        }
    }
}

fn keep_casing(target: &Value, id: &ResourceId) -> String {
    let planned = target.at(&"azure.gateway_id".into()).as_str();
    planned
        .filter(|text| text.eq_ignore_ascii_case(id.as_str()))
        .unwrap_or(id.as_str())
        .to_owned()
}

/// Rejects a state that does not identify the tunnels.
pub fn without_inside_cidrs() -> Diagnostic {
    Diagnostic::error(summaries::INVALID_STATE).detail(
        "The state lacks the inside CIDRs that identify the tunnels. Remove the link from the state, then import it.",
    )
}

/// Rejects a link without a setting that neither the configuration nor the clouds provide.
pub fn missing_setting(path: &str) -> Diagnostic {
    Diagnostic::error(summaries::MISSING_REQUIRED_ARGUMENT)
        .detail(format!(
            "{path} is not configured and cannot be derived. Set it, or set the default of the provider block."
        ))
        .at(path)
}

/// Ends a create that was rolled back.
pub fn rolled_back() -> Diagnostic {
    Diagnostic::error(summaries::UNABLE_TO_CREATE_LINK).detail(
        "All objects that this run created were deleted, because on_create_failure is \"rollback\". No objects remain, and none are \
         billed.",
    )
}

/// The identity that the `id` of a state contains.
pub fn identity_of(state: &Value) -> Option<Value> {
    let (gateway, cidr) = state.get("id").as_str()?.rsplit_once(',')?;
    Some(identity(gateway, cidr).1)
}

/// Deletes a link.
pub async fn destroy(
    backend: &dyn Backend,
    resume_cache: &ResumeCache,
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
    let state = &request.prior;
    let before = read_managed(state);
    let link = link_of(state, &private, backend.subscription());
    if resume_cache.is_superseded(state, link.as_ref()) {
        // All that it names is in the state of the finished link.
        return ApplyResponse::default();
    }
    if private.resumes_incomplete {
        // The delete half of what only looks like a replacement: the create half goes on with all
        // that is there.
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
    request
        .checkpoint
        .save(state.clone(), remembered.clone(), identity_of(state));
    // Under create_before_destroy this is None: Terraform deletes the old link without the private
    // data of the plan.
    let kept = &private.keeps;
    let mut teardown = teardown_spec(state, &private, before.clone(), subscription);
    if let Some(kept) = kept {
        teardown.managed = kept.removed(teardown.managed);
        teardown.hands_over = Some(kept.hand_over());
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
        let mut left = state.clone();
        let managed = managed(state, observed, &before, &private, false);
        set_computed(&mut left, observed, &managed);
        if left != *state && !is_incomplete(state) {
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

/// A limit from `timeouts`.
pub fn timeout(state: &Value, operation: &str, default_minutes: u64) -> Duration {
    let given = state
        .get("timeouts")
        .get(operation)
        .as_str()
        .and_then(parse_duration);
    given.unwrap_or(Duration::from_secs(default_minutes * 60))
}
