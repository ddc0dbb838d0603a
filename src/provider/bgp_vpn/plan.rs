//! Plans: every setting at its effective value, what is wrong with it, and what will be new.

use super::attribute_paths::diagnostics;
use super::backend::Backend;
use super::change_set::ChangeSet;
use super::claims::Claims;
use super::create_before_destroy::{concerns_existing_object, downgrade_conflicts};
use super::defaults::{PlanInputs, apply_defaults};
use super::expand::subscription;
use super::expiring_keys;
use super::kept::{Kept, kept, kept_by_create};
use super::lost_private_state::private_of;
use super::missing_settings::{missing_region, missing_subscription};
use super::model::Model;
use super::other_links::other_links_warning;
use super::plan_validation::validate_plan;
use super::planned::PlannedState;
use super::planned_id::{id_beside_moved_link, link_of};
use super::preflight_request::preflight_request;
use super::private_state::{PrivateState, Provenance};
use super::provenance::provenance;
use super::public_subnet;
use super::replaced::{self, own_object_ids};
use super::replacing_attributes::{assume_unchanged, drifted_warning, late_replacement};
use super::resume::{CachedState, ResumeCache, missing_moved_block, resume_warning};
use super::static_routing::refuse_plan;
use super::teardown::{
    destroy_warning, full_removal, incomplete_removal, label, removal_warning as announcement_of,
    update_removal,
};
use super::unknown_values::{unknown_for_create, unknown_for_update};
use bgp_vpn::config::{Attr, Config};
use bgp_vpn::ownership_tags::LinkId;
use bgp_vpn::preflight::PreflightSnapshot;
use bgp_vpn::validation::{validate_fields, validate_required};
use terraform_plugin::{AttributePath, Diagnostic, Diagnostics, PlanRequest, PlanResponse, Value};

/// What can be said of a configuration alone.
pub fn validate(config: &Value) -> Diagnostics {
    validate_config(&Model::read(config))
}

fn validate_config(config: &Config) -> Diagnostics {
    // Warnings depend on whether the link exists, which is not known here.
    let violations = validate_fields(config)
        .into_iter()
        .chain(validate_required(config));
    diagnostics(violations.filter(|fault| !fault.is_warning()))
}

/// Plans a create, an update or a destroy.
///
/// A create or update goes through three phases. The draft gives every setting its value from the
/// configuration, the state and the defaults. The preflight reads the surroundings, where they
/// matter, after which the draft is made once more. The final plan checks the draft, says what is
/// new, and announces what is deleted.
pub async fn plan(
    backend: &dyn Backend,
    resume_cache: &ResumeCache,
    held: &Claims,
    mut request: PlanRequest,
) -> PlanResponse {
    if request.is_destroy() {
        return plan_destroy(backend, resume_cache, request);
    }
    let configured = Model::read(&request.config);
    let messages = validate_config(&configured);
    if messages.has_errors() {
        return messages.into();
    }
    let prior = (!request.prior.is_null()).then(|| Model::read(&request.prior));
    let prior = prior.as_ref();
    // The create half of a replacement carries private data in the plan for the user only.
    request.may_be_applying &= prior.is_some() || request.private.is_empty();
    prior
        .into_iter()
        .for_each(|prior| resume_cache.mark_planned(prior));
    let (config, assumed) = assume_unchanged(&request.config, prior);
    let config = Model::read(&config);
    let private = remembered(&request, prior, &configured, resume_cache);
    let snapshot = PreflightSnapshot::default();
    let mut planning = Planning {
        backend,
        resume_cache,
        request: &request,
        prior,
        configured: &configured,
        config: &config,
        private,
        snapshot,
        messages,
    };
    let mut draft = planning.draft_plan();
    let mut planned = Model::read(&draft.planned);
    let replaced = planning
        .changes(&planned)
        .is_some_and(|changes| !changes.requires_replace(&planning.private).is_empty());
    let preflight = match planning.preflight(&planned).await {
        Ok(preflight) => preflight,
        Err(diagnostics) => return diagnostics.into(),
    };
    if preflight != Preflight::Skipped {
        draft = planning.draft_plan();
        planned = Model::read(&draft.planned);
    }
    match planning
        .final_plan(&mut draft, &planned, preflight, replaced, held)
        .await
    {
        Ok(requires_replace) => {
            assumed
                .iter()
                .for_each(|path| draft.planned.set_at(path, Value::unknown()));
            PlanResponse {
                planned: draft.planned,
                requires_replace,
                private: planning.private.write(),
                identity: request.identity.clone(),
                deferred: None,
                diagnostics: planning.messages,
            }
        }
        Err(diagnostics) => diagnostics.into(),
    }
}

/// What is remembered of the link that is planned.
fn remembered(
    request: &PlanRequest,
    prior: Option<&Model>,
    configured: &Model,
    resume_cache: &ResumeCache,
) -> PrivateState {
    if let Some(prior) = prior {
        let mut private = private_of(prior, &request.private);
        let before = private.clone();
        private.remember_before(&before);
        return private;
    }
    let private = PrivateState::read(&request.private);
    // The plan of the create half of a replacement carries what was remembered of the link that
    // goes.
    let mut private = PrivateState {
        replaced_ids: private.replaced_ids,
        removes: private.removes,
        announced: private.announced,
        replaced: private.replaced,
        holder: private.holder,
        before: private.before,
        ..PrivateState::default()
    };
    replaced::note(
        &mut private,
        resume_cache,
        configured,
        request.may_be_applying,
    );
    private
}

/// What was read of the surroundings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Preflight {
    /// Nothing: the plan changes nothing that depends on them.
    Skipped,
    /// Not all that matters, since some of it is not known yet.
    Partial,
    Complete,
}

/// A create or update that is being planned.
pub(super) struct Planning<'r> {
    pub(super) backend: &'r dyn Backend,
    pub(super) resume_cache: &'r ResumeCache,
    pub(super) request: &'r PlanRequest,
    pub(super) prior: Option<&'r Model>,
    pub(super) configured: &'r Model,
    /// With values of the state in place of unknown ones that would replace the link.
    pub(super) config: &'r Model,
    pub(super) private: PrivateState,
    pub(super) snapshot: PreflightSnapshot,
    pub(super) messages: Diagnostics,
}

impl<'r> Planning<'r> {
    pub(super) fn inputs(&self) -> PlanInputs<'r, '_> {
        plan_inputs(
            self.backend,
            self.config,
            self.prior,
            &self.private,
            &self.snapshot,
        )
    }

    fn changes<'d>(&self, planned: &'d Model) -> Option<ChangeSet<'d>>
    where
        'r: 'd,
    {
        self.prior.map(|prior| ChangeSet { prior, planned })
    }

    pub(super) fn link_of(&self, settled: &Model) -> Option<LinkId> {
        link_of(settled, &self.private, self.backend.subscription())
    }

    /// A destroy keeps only the errors of its plan. None is worth keeping the link for.
    pub(super) fn is_checked(&self) -> bool {
        !self.request.before_destroy
    }

    /// Every setting at its value, as far as it is known by now.
    fn draft_plan(&self) -> PlannedState<'r> {
        apply_defaults(&self.inputs())
    }

    /// Reads the surroundings that the draft depends on.
    async fn preflight(&mut self, planned: &Model) -> Result<Preflight, Diagnostics> {
        let changes = self.changes(planned);
        let replaced =
            changes.is_some_and(|changes| !changes.requires_replace(&self.private).is_empty());
        if !self.is_checked()
            || replaced
            || !changes.is_none_or(|changes| changes.needs_preflight(&self.private))
        {
            return Ok(Preflight::Skipped);
        }
        if self.prior.is_none() && self.lacks_subscription(planned) {
            return Err(missing_subscription().into());
        }
        if self.prior.is_none() && self.lacks_region(planned) {
            return Err(missing_region().into());
        }
        let (ask, complete) = preflight_request(self.backend, planned, &self.inputs());
        if !ask.is_empty() {
            self.snapshot = self.backend.preflight(&ask, &self.request.cancel).await?;
        }
        Ok(if complete && self.snapshot.covers(&ask) {
            Preflight::Complete
        } else {
            Preflight::Partial
        })
    }

    /// Whether neither the provider block nor an ID says in which subscription the link is created.
    fn lacks_subscription(&self, planned: &Model) -> bool {
        let ids = [&self.config.gateway_id, &self.config.network_id];
        self.backend.is_configured()
            && self.config.has_known_azure_side()
            && !ids.into_iter().any(Attr::is_unknown)
            && subscription(planned, self.backend.subscription()).is_none()
    }

    /// Whether neither the resource nor the provider says in which region the AWS side is created.
    fn lacks_region(&self, planned: &Model) -> bool {
        self.backend.is_configured()
            && self.config.region.is_null()
            && planned.region.is_unknown()
            && self.backend.default_region().is_none()
    }

    /// Checks the draft and completes it. Answers the attributes whose change replaces the link.
    async fn final_plan(
        &mut self,
        draft: &mut PlannedState<'r>,
        planned: &Model,
        preflight: Preflight,
        replaced: bool,
        held: &Claims,
    ) -> Result<Vec<AttributePath>, Diagnostics> {
        let recalled = self.find_incomplete_state(planned);
        let settled = self.inputs();
        let on_existing_gateway = settled.azure_gateway_is_existing();
        // A replacement is planned once more without a prior state, which is when its surroundings
        // count.
        let checked = !replaced && self.is_checked();
        let mut violations = if checked {
            validate_plan(&settled, planned, self.backend)
        } else {
            Vec::new()
        };
        let provenance = if preflight == Preflight::Skipped {
            let vpn_gateway_is_existing = settled.vpn_gateway_is_existing();
            Provenance {
                vpn_gateway_is_existing,
                ..self.private.provenance.clone()
            }
        } else {
            provenance(&settled, &self.snapshot, planned)
        };
        let mut complete = preflight != Preflight::Partial;
        if self.prior.is_none() && self.request.may_be_applying {
            complete &= !downgrade_conflicts(&mut violations);
        }
        // A link in the same place also is what other conflicts are about, and explains them better.
        let (conflicts, violations): (Vec<_>, Vec<_>) =
            violations.into_iter().partition(concerns_existing_object);
        self.messages.append(diagnostics(violations));
        self.private.provenance = provenance;
        let link = recalled.link.as_ref();
        self.private.keeps = match self.prior {
            None => kept_by_create(planned, &self.private, self.resume_cache, link),
            Some(_) => None,
        };
        self.private.preflight_complete = complete;
        let refusal = self.changes(planned).filter(|_| self.is_checked());
        self.messages
            .extend(refusal.and_then(|changes| refuse_plan(&self.private, changes)));
        if self.prior.is_none() && self.is_checked() {
            let is_renamed = link.is_some_and(|link| self.resume_cache.plan_create(link));
            self.messages
                .extend(is_renamed.then(|| missing_moved_block(&label(planned))));
        }
        self.check_conflicts(planned, held, recalled.is_new, diagnostics(conflicts))
            .await;
        if self.messages.has_errors() {
            return Err(std::mem::take(&mut self.messages));
        }
        match self.prior {
            None => {
                let keys = self.backend.expiring_keys().await;
                self.messages.extend(
                    keys.and_then(|keys| {
                        expiring_keys::warning(&keys, planned, on_existing_gateway)
                    }),
                );
                self.complete_create(draft, planned, link);
                Ok(Vec::new())
            }
            Some(prior) => self.complete_update(draft, ChangeSet { prior, planned }, link),
        }
    }

    /// Looks for a state of the link that this process has read: of one whose create never ended,
    /// or that is tainted.
    fn find_incomplete_state(&mut self, planned: &Model) -> Recalled {
        let (private, is_create) = (&mut self.private, self.prior.is_none());
        let subscription = || self.backend.subscription();
        if is_create {
            private.replaced_ids.extend(
                self.resume_cache
                    .incomplete_states()
                    .iter()
                    .flat_map(own_object_ids),
            );
            private.link = id_beside_moved_link(planned, private, &self.snapshot, subscription());
        }
        let link = link_of(planned, private, subscription());
        // A complete link of another name is another resource that has the same slot.
        let same_name = |held: &CachedState| held.state.name == planned.name;
        let held_by_state = self.resume_cache.get(link.as_ref()).filter(|_| is_create);
        let held_by_state =
            held_by_state.filter(|held| held.state.is_incomplete() || same_name(held));
        // Those of which this plan says what happens to them: it finishes or replaces them.
        let named = self.resume_cache.named(planned).filter(|_| is_create);
        held_by_state
            .iter()
            .chain(&named)
            .for_each(|held| self.resume_cache.mark_planned(&held.state));
        let is_new = is_create && private.replaced_ids.is_empty() && held_by_state.is_none();
        // A link that the user tainted is deleted before it is created again.
        private.replaced_ids.extend(
            held_by_state
                .iter()
                .flat_map(|held| own_object_ids(&held.state)),
        );
        if let (None, Some(before)) = (
            &private.before,
            held_by_state
                .as_ref()
                .and_then(|held| held.private.as_ref()),
        ) {
            private.remember_before(before);
        }
        let left = held_by_state.filter(|held| held.state.is_incomplete());
        if let Some(recalled) = left.filter(|recalled| recalled.can_resume(planned)) {
            private.resumes_incomplete = true;
            let changes = ChangeSet {
                prior: &recalled.state,
                planned,
            };
            let removed = incomplete_removal(changes, private, subscription());
            self.messages.push(resume_warning(!removed.0.is_empty()));
            self.messages
                .extend(announcement_of(&removed, None, &recalled.state));
            private.link = recalled
                .private
                .as_ref()
                .and_then(|private| private.link.clone());
            private.provenance.preexisting_addresses = recalled
                .private
                .map(|private| private.provenance.preexisting_addresses)
                .unwrap_or_default();
        }
        Recalled { link, is_new }
    }

    fn complete_create(
        &mut self,
        draft: &mut PlannedState<'r>,
        planned: &Model,
        link: Option<&LinkId>,
    ) {
        let private = &mut self.private;
        if !private.resumes_incomplete && !private.announced {
            let subscription = self.backend.subscription();
            let announced = replaced::announced(
                private,
                self.resume_cache,
                link,
                subscription.clone(),
                planned,
            );
            self.messages.extend(match announced {
                Some(announced) => vec![announced],
                None => replaced::perhaps_replaced(self.resume_cache, subscription, planned),
            });
        }
        let unrepeatable = replaced::unrepeatable(private, self.configured)
            .filter(|_| !private.resumes_incomplete);
        private.unrepeatable = unrepeatable.map(str::to_owned);
        self.messages.extend(unrepeatable.map(|path| {
            let (summary, detail) = replaced::unrepeatable_words(path);
            Diagnostic::warning(summary).detail(detail).at(path)
        }));
        unknown_for_create(draft);
        (private.announced, private.replaced) = (false, None);
    }

    fn complete_update(
        &mut self,
        draft: &mut PlannedState<'r>,
        before: ChangeSet<'_>,
        link: Option<&LinkId>,
    ) -> Result<Vec<AttributePath>, Diagnostics> {
        unknown_for_update(draft, before, &self.private);
        let prior = before.prior;
        let planned = Model::read(&draft.planned);
        let changes = ChangeSet {
            prior,
            planned: &planned,
        };
        let replacing = changes.requires_replace(&self.private);
        let link_before = self.link_of(prior);
        let refreshed = self.resume_cache.is_refreshed(link_before.as_ref());
        let is_late = self.request.may_be_applying && !refreshed && self.is_checked();
        if let Some(path) = replacing.first().filter(|_| is_late) {
            return Err(Diagnostics::from(late_replacement(
                path,
                prior.value(),
                planned.value(),
            )));
        }
        self.messages.append(changes.warnings(&self.private));
        if replacing.is_empty() && !self.private.provenance.azure_gateway_is_existing {
            let connections = &self.snapshot.network_connections;
            self.messages
                .extend(other_links_warning(changes, connections));
        }
        self.messages.extend(self.region_warning(changes));
        self.messages.extend(public_subnet::warning(changes));
        self.messages.extend(
            draft
                .left
                .iter()
                .map(|path| drifted_warning(path, self.config.value(), prior.value())),
        );
        // Terraform may replace it though nothing here asks for that: the next plan has these bytes
        // and no prior state.
        self.private.replaced_ids = own_object_ids(prior);
        self.private.removes = full_removal(prior, &self.private, self.backend.subscription());
        self.private.announced = !replacing.is_empty();
        let mut stays = None;
        let removed = if self.private.announced {
            self.private.replaced = self.link_of(prior);
            let whole = self.private.removes.clone();
            stays = kept_by_replacement(self.backend, self.config, changes, &self.private);
            stays
                .as_ref()
                .map_or(whole.clone(), |kept| kept.removed(whole))
        } else {
            let observed = self.resume_cache.last_observed(link);
            let (subscription, default_tags) =
                (self.backend.subscription(), self.backend.default_tags());
            update_removal(
                changes,
                &self.private,
                observed.as_ref(),
                subscription,
                default_tags,
            )
        };
        self.messages
            .extend(announcement_of(&removed, stays.as_ref(), prior));
        if !self.private.announced {
            self.messages.extend(replaced::on_request(
                &self.private.removes,
                &self.request.replaced,
                prior,
            ));
        }
        Ok(replacing)
    }
}

/// What the process knows of a link that is planned.
struct Recalled {
    link: Option<LinkId>,
    /// It neither exists nor takes the place of another one, as far as the process knows.
    is_new: bool,
}

/// A destroy needs no plan but for what it announces.
fn plan_destroy(
    backend: &dyn Backend,
    resume_cache: &ResumeCache,
    request: PlanRequest,
) -> PlanResponse {
    let prior = Model::read(&request.prior);
    resume_cache.mark_planned(&prior);
    let private = private_of(&prior, &request.private);
    let link = link_of(&prior, &private, backend.subscription());
    let outlived = resume_cache.is_superseded(&prior, link.as_ref());
    let removed = (!outlived).then(|| full_removal(&prior, &private, backend.subscription()));
    let is_renamed = !prior.is_incomplete()
        && !request.before_destroy
        && link.is_some_and(|link| resume_cache.plan_destroy(&link));
    let renamed = is_renamed.then(|| missing_moved_block(&label(&prior)));
    // That replacement did not come.
    let private = if private.unrepeatable.is_some() || request.private.is_empty() {
        PrivateState {
            unrepeatable: None,
            ..private
        }
        .write()
    } else {
        request.private
    };
    PlanResponse {
        private,
        identity: request.identity,
        diagnostics: removed
            .and_then(|removed| destroy_warning(&removed, &prior))
            .into_iter()
            .chain(renamed)
            .collect(),
        ..PlanResponse::default()
    }
}

/// What the replacement of a link keeps. The new link's ownership tag depends on its settings
/// alone.
fn kept_by_replacement(
    backend: &dyn Backend,
    config: &Model,
    changes: ChangeSet<'_>,
    private: &PrivateState,
) -> Option<Kept> {
    let (fresh, snapshot) = (PrivateState::default(), PreflightSnapshot::default());
    let created = apply_defaults(&plan_inputs(backend, config, None, &fresh, &snapshot)).planned;
    let created = Model::read(&created);
    kept(
        changes,
        private,
        link_of(&created, &fresh, backend.subscription()).as_ref(),
    )
}

/// What settings are made from, for a request.
pub fn plan_inputs<'c, 'g>(
    backend: &dyn Backend,
    config: &'c Model,
    prior: Option<&'g Model>,
    private: &'g PrivateState,
    snapshot: &'g PreflightSnapshot,
) -> PlanInputs<'c, 'g> {
    PlanInputs {
        config,
        prior,
        private,
        snapshot,
        default_region: backend.default_region(),
    }
}
