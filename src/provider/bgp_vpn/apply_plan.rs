//! A create or update under way: what it is to reach, what is stored meanwhile, and how it ends.

use super::backend::{ApplyOutcome, Backend};
use super::change_set::ChangeSet;
use super::create_before_destroy::explain_errors;
use super::flatten::identity_of;
use super::flatten::{identity, managed, set_computed};
use super::link_status::LinkStatus;
use super::model::Model;
use super::private_state::PrivateState;
use super::public_subnet;
use super::refresh::{refresh_settings, resolve_unknown};
use super::replacing_attributes::{record_configured, record_failed};
use super::resume::ResumeCache;
use super::teardown::teardown_spec;
use super::timeouts::timeout;
use crate::azure::id::ResourceId;
use crate::provider::remaining_objects;
use crate::provider::summaries;
use bgp_vpn::config::Config;
use bgp_vpn::lookup::{LookupScope, TeardownSpec};
use bgp_vpn::managed::Managed;
use bgp_vpn::observed::Observed;
use bgp_vpn::route_tables::desired_route_tables;
use bgp_vpn::spec::Spec;
use bgp_vpn::tunnel::{Instance, TunnelKey};
use std::collections::BTreeSet;
use terraform_plugin::{ApplyRequest, ApplyResponse, Diagnostic, Diagnostics, Value};

/// A create or update under way.
#[derive(Clone)]
pub struct ApplyPlan {
    /// The plan, all settings known.
    pub target: Model,
    pub private: PrivateState,
    pub spec: Spec,
    pub before: Managed,
    /// Gateways of another user become this link's.
    pub takes_ownership: bool,
    /// Until all is done the link counts as one whose create never ended.
    pub incomplete: bool,
    /// Triggers of an update, as they were before.
    pub trigger_values: Vec<(&'static str, Value)>,
    pub config: Value,
    /// The state before an update.
    pub prior: Option<Model>,
    /// A create after the destroy of the link that it replaces.
    pub follows_destroy: bool,
}

/// The values of an apply request.
pub struct RequestModels {
    pub config: Model,
    /// None for a create.
    pub prior: Option<Model>,
    /// As Terraform showed it, unknown where only the apply can tell.
    pub planned: Model,
    /// This process has deleted the link that a create replaces.
    pub follows_destroy: bool,
}

impl RequestModels {
    /// Reads them.
    pub fn read(request: &ApplyRequest, resume_cache: &ResumeCache) -> Self {
        let config = Model::read(&request.config);
        RequestModels {
            follows_destroy: request.is_create() && resume_cache.gone(&config).is_some(),
            config,
            prior: (!request.prior.is_null()).then(|| Model::read(&request.prior)),
            planned: Model::read(&request.planned),
        }
    }
}

/// What Terraform stores of a link.
pub struct ResourceState {
    pub state: Value,
    pub private: Vec<u8>,
    pub identity: Option<Value>,
}

impl ApplyPlan {
    /// The same job with the AWS settings before it. Until the old AWS half is deleted, the state
    /// has to say where it is: the next run looks for it in that region and finds the same change
    /// to apply.
    pub fn before_move(&self, prior: &Model) -> ApplyPlan {
        let mut plan = self.clone();
        let mut target = self.target.value().clone();
        target.set("aws", prior.at("aws").clone());
        plan.target = Model::read(&target);
        plan.private.provenance.vpn_gateway_is_existing =
            self.private.of_state().provenance.vpn_gateway_is_existing;
        plan
    }

    /// What is to be stored by now. An incomplete link shows what exists, not what was planned.
    pub fn state_of(&self, observed: &Observed, whole: bool) -> ResourceState {
        let mut state = self.target.value().clone();
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
            &Model::read(&state),
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
            let planned = self.target.value();
            record_configured(&mut private, &self.private, &self.config, planned);
        } else {
            private.record_applied(self.target.value());
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
                .for_each(|(path, before)| state.set_at(&(*path).into(), before.clone()));
        }
        let given_up = self.spec.removals.addresses.iter().filter(|_| !whole);
        private.pending_removals = given_up
            .map(|(instance, ip)| (instance.index(), *ip))
            .collect();
        private.recreates.clear();
        private.changed_kinds = whole.then(BTreeSet::new);
        private.interrupts.clear();
        private.record_owned(Some(&self.spec.link), observed, &managed);
        ResourceState {
            identity: identity_of(&state),
            state: state.unknown_as_null(),
            private: private.write(),
        }
    }

    pub fn finish(
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
                explain_errors(messages, self.follows_destroy)
            } else {
                messages
            });
        }
        let stored = self.state_of(&outcome.observed, !failed);
        let nothing =
            failed && request.is_create() && Model::read(&stored.state).link.managed.is_empty();
        let new_state = if nothing { Value::Null } else { stored.state };
        ApplyResponse {
            new_state,
            private: stored.private,
            identity: stored.identity,
            diagnostics: messages,
        }
    }

    /// Deletes what a failed create made. What cannot be deleted stays in the state.
    pub async fn roll_back(
        &self,
        backend: &dyn Backend,
        request: &ApplyRequest,
        scope: &LookupScope,
        failed: ApplyOutcome,
        mut messages: Diagnostics,
    ) -> ApplyResponse {
        let state = Model::read(&self.state_of(&failed.observed, false).state);
        let made = state.link.managed.clone();
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
        // A complete link no longer carries the tag by which an incomplete one is found.
        let mut scope = scope.clone();
        scope.known.record(&failed.observed);
        scope.recorded_ids = what.managed.clone();
        let save = |observed: &Observed| {
            let stored = self.state_of(observed, false);
            request
                .checkpoint
                .save(stored.state, stored.private, stored.identity);
        };
        let gone = backend
            .teardown(
                &what,
                &scope,
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

fn keep_casing(target: &Config, id: &ResourceId) -> String {
    let planned = target.gateway_id.known();
    planned
        .filter(|text| text.eq_ignore_ascii_case(id.as_str()))
        .map_or_else(|| id.to_string(), String::clone)
}

/// Ends a create that was rolled back.
pub fn rolled_back() -> Diagnostic {
    Diagnostic::error(summaries::UNABLE_TO_CREATE_LINK).detail(
        "All objects that this run created were deleted, because on_create_failure is \"rollback\". No objects remain, and none are \
         billed.",
    )
}
