//! Plans: every setting at its effective value, what is wrong with it, and what will be new.

use super::attribute_paths::diagnostics;
use super::backend::Backend;
use super::change_set::ChangeSet;
use super::claims::{self, ClaimHolder, Claims};
use super::create_before_destroy::{as_warnings, downgrade_conflicts};
use super::defaults::{PlanInputs, apply_defaults};
use super::existing_link::check_existing_link;
use super::expand::subscription;
use super::kept::{Kept, kept, kept_by_create};
use super::link_status::is_incomplete;
use super::lost_private_state::private_of;
use super::model::read_config;
use super::plan_validation::validate_plan;
use super::planned::PlannedState;
use super::planned_id::{id_beside_moved_link, link_of};
use super::preflight_request::preflight_request;
use super::private_state::{PrivateState, Provenance};
use super::provenance::provenance;
use super::public_subnet;
use super::replaced::{self, own_object_ids};
use super::replacing_attributes::{assume_unchanged, drifted_warning, late_replacement};
use super::resume::{CachedState, ResumeCache, resume_warning};
use super::static_routing::refuse_plan;
use super::teardown::{
    full_removal, incomplete_removal, removal_warning as announcement_of, update_removal,
};
use super::unknown_values::{unknown_for_create, unknown_for_update};
use crate::provider::summaries;
use bgp_vpn::ownership_tags::LinkId;
use bgp_vpn::preflight::{Lookup, PreflightSnapshot};
use bgp_vpn::validation::{validate_fields, validate_required};
use terraform_plugin::{AttributePath, Diagnostic, Diagnostics, PlanRequest, PlanResponse, Value};

/// What can be said of a configuration alone.
pub fn validate(config: &Value) -> Diagnostics {
    let model = read_config(config);
    // Warnings depend on whether the link exists, which is not known here.
    let violations = validate_fields(&model)
        .into_iter()
        .chain(validate_required(&model));
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
    request: PlanRequest,
) -> PlanResponse {
    if request.is_destroy() {
        return plan_destroy(backend, resume_cache, request);
    }
    let messages = validate(&request.config);
    if messages.has_errors() {
        return messages.into();
    }
    let prior = (!request.prior.is_null()).then_some(&request.prior);
    let (config, assumed) = assume_unchanged(&request.config, prior);
    let private = remembered(&request, resume_cache);
    let snapshot = PreflightSnapshot::default();
    let mut planning = Planning {
        backend,
        resume_cache,
        request: &request,
        prior,
        config: &config,
        private,
        snapshot,
        messages,
    };
    let mut draft = planning.draft_plan();
    let replaced = planning
        .changes(&draft)
        .is_some_and(|changes| !changes.requires_replace(&planning.private).is_empty());
    let preflight = match planning.preflight(&draft).await {
        Ok(preflight) => preflight,
        Err(diagnostics) => return diagnostics.into(),
    };
    if preflight != Preflight::Skipped {
        draft = planning.draft_plan();
    }
    match planning
        .final_plan(&mut draft, preflight, replaced, held)
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

/// Rejects a create for which no Azure subscription is known.
pub fn missing_subscription() -> Diagnostic {
    Diagnostic::error(summaries::MISSING_SUBSCRIPTION).detail(
        "The link creates its virtual network, so no resource ID contains the Azure subscription. Set azure.subscription_id in the provider \
         block, or set ARM_SUBSCRIPTION_ID.",
    )
}

/// What is remembered of the link that is planned.
fn remembered(request: &PlanRequest, resume_cache: &ResumeCache) -> PrivateState {
    let mut private = if request.is_create() {
        PrivateState::read(&request.private)
    } else {
        private_of(&request.prior, &request.private)
    };
    if !request.is_create() {
        let before = private.clone();
        private.remember_before(&before);
        return private;
    }
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
        &request.config,
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
struct Planning<'r> {
    backend: &'r dyn Backend,
    resume_cache: &'r ResumeCache,
    request: &'r PlanRequest,
    prior: Option<&'r Value>,
    /// With values of the state in place of unknown ones that would replace the link.
    config: &'r Value,
    private: PrivateState,
    snapshot: PreflightSnapshot,
    messages: Diagnostics,
}

impl<'r> Planning<'r> {
    fn inputs(&self) -> PlanInputs<'r, '_> {
        plan_inputs(
            self.backend,
            self.config,
            self.prior,
            &self.private,
            &self.snapshot,
        )
    }

    fn changes<'d>(&self, draft: &'d PlannedState<'_>) -> Option<ChangeSet<'d>>
    where
        'r: 'd,
    {
        self.prior.map(|prior| ChangeSet {
            prior,
            planned: &draft.planned,
        })
    }

    fn link_of(&self, settled: &Value) -> Option<LinkId> {
        link_of(settled, &self.private, self.backend.subscription())
    }

    /// A destroy keeps only the errors of its plan. None is worth keeping the link for.
    fn is_checked(&self) -> bool {
        !self.request.before_destroy
    }

    /// Every setting at its value, as far as it is known by now.
    fn draft_plan(&self) -> PlannedState<'r> {
        apply_defaults(&self.inputs())
    }

    /// Reads the surroundings that the draft depends on.
    async fn preflight(&mut self, draft: &PlannedState<'_>) -> Result<Preflight, Diagnostics> {
        let changes = self.changes(draft);
        let replaced =
            changes.is_some_and(|changes| !changes.requires_replace(&self.private).is_empty());
        if !self.is_checked()
            || replaced
            || !changes.is_none_or(|changes| changes.needs_preflight(&self.private))
        {
            return Ok(Preflight::Skipped);
        }
        if self.prior.is_none() && self.lacks_subscription(&draft.planned) {
            return Err(missing_subscription().into());
        }
        let (ask, complete) = preflight_request(self.backend, &draft.planned, &self.inputs());
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
    fn lacks_subscription(&self, planned: &Value) -> bool {
        let ids = ["azure.gateway_id", "azure.virtual_network_id"];
        let is_open = |path: &&str| {
            let configured = self.config.at(&(*path).into());
            !configured.is_known()
        };
        self.backend.is_configured()
            && self.config.get("azure").is_known()
            && !ids.iter().any(is_open)
            && subscription(planned, self.backend.subscription()).is_none()
    }

    /// Checks the draft and completes it. Answers the attributes whose change replaces the link.
    async fn final_plan(
        &mut self,
        draft: &mut PlannedState<'r>,
        preflight: Preflight,
        replaced: bool,
        held: &Claims,
    ) -> Result<Vec<AttributePath>, Diagnostics> {
        let recalled = self.find_incomplete_state(draft);
        let settled = self.inputs();
        // A replacement is planned once more without a prior state, which is when its surroundings
        // count.
        let checked = !replaced && self.is_checked();
        let mut violations = if checked {
            validate_plan(&settled, &draft.planned, self.backend)
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
            provenance(&settled, &self.snapshot, &draft.planned)
        };
        let mut complete = preflight != Preflight::Partial;
        if self.prior.is_none() && self.request.may_be_applying {
            complete &= !downgrade_conflicts(&mut violations);
        }
        self.messages.append(diagnostics(violations));
        self.private.provenance = provenance;
        let link = recalled.link.as_ref();
        self.private.keeps = match self.prior {
            None => kept_by_create(&draft.planned, &self.private, self.resume_cache, link),
            Some(_) => None,
        };
        self.private.preflight_complete = complete;
        let refusal = self.changes(draft).filter(|_| self.is_checked());
        self.messages
            .extend(refusal.and_then(|changes| refuse_plan(&self.private, changes)));
        self.check_conflicts(draft, held, recalled.is_new).await;
        if self.messages.has_errors() {
            return Err(std::mem::take(&mut self.messages));
        }
        match self.prior {
            None => {
                self.complete_create(draft, link);
                Ok(Vec::new())
            }
            Some(prior) => self.complete_update(draft, prior, link),
        }
    }

    /// Looks for a state of the link that this process has read: of one whose create never ended,
    /// or that is tainted.
    fn find_incomplete_state(&mut self, draft: &PlannedState<'_>) -> Recalled {
        let (private, is_create) = (&mut self.private, self.prior.is_none());
        let subscription = || self.backend.subscription();
        if is_create {
            private.replaced_ids.extend(
                self.resume_cache
                    .incomplete_states()
                    .iter()
                    .flat_map(own_object_ids),
            );
            private.link =
                id_beside_moved_link(&draft.planned, private, &self.snapshot, subscription());
        }
        let link = link_of(&draft.planned, private, subscription());
        // A complete link of another name is another resource that has the same slot.
        let same_name = |held: &CachedState| held.state.get("name") == draft.planned.get("name");
        let held_by_state = self.resume_cache.get(link.as_ref()).filter(|_| is_create);
        let held_by_state =
            held_by_state.filter(|held| is_incomplete(&held.state) || same_name(held));
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
        let left = held_by_state.filter(|held| is_incomplete(&held.state));
        if let Some(recalled) = left.filter(|recalled| recalled.can_resume(&draft.planned)) {
            private.resumes_incomplete = true;
            let changes = ChangeSet {
                prior: &recalled.state,
                planned: &draft.planned,
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

    /// Conflicts with other links of this run, and with what exists of a link that is to be
    /// created.
    async fn check_conflicts(&mut self, draft: &PlannedState<'_>, held: &Claims, is_new: bool) {
        let holder = ClaimHolder::of(self.prior, &self.private, &self.request.config);
        let claim = claims::claim(
            &draft.planned,
            self.prior,
            &self.private,
            self.backend.subscription(),
        );
        if let Some(claim) = claim.filter(|_| self.is_checked()) {
            let mut own = self.private.replaced_ids.clone();
            own.extend(self.prior.into_iter().flat_map(own_object_ids));
            let taken = claims::taken(&self.snapshot, &own);
            let clash = held.plan(&holder, claim, &taken);
            if !self.messages.has_errors() {
                self.messages.append(clash);
            }
            if is_new && self.private.keeps.is_none() && self.snapshot.group != Lookup::Skipped {
                // A complete link also is what other findings are about, such as a VPC that has a
                // VPN gateway.
                let cancel = &self.request.cancel;
                let found = check_existing_link(
                    self.backend,
                    &draft.planned,
                    &self.private,
                    &taken,
                    cancel,
                )
                .await;
                let postponed = self.request.may_be_applying && found.has_errors();
                self.private.preflight_complete &= !postponed;
                self.messages
                    .append(if postponed { as_warnings(found) } else { found });
            }
        }
        self.private.holder = Some(holder.as_str().to_owned());
    }

    fn complete_create(&mut self, draft: &mut PlannedState<'r>, link: Option<&LinkId>) {
        let private = &mut self.private;
        if !private.resumes_incomplete && !private.announced {
            let subscription = self.backend.subscription();
            self.messages.extend(replaced::announced(
                private,
                self.resume_cache,
                link,
                subscription,
                &draft.planned,
            ));
        }
        let unrepeatable = replaced::unrepeatable(private, &self.request.config)
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
        prior: &'r Value,
        link: Option<&LinkId>,
    ) -> Result<Vec<AttributePath>, Diagnostics> {
        unknown_for_update(draft, prior, &self.private);
        let changes = ChangeSet {
            prior,
            planned: &draft.planned,
        };
        let replacing = changes.requires_replace(&self.private);
        let before = self.link_of(prior);
        let refreshed = self.resume_cache.is_refreshed(before.as_ref());
        let is_late = self.request.may_be_applying && !refreshed && self.is_checked();
        if let Some(path) = replacing.first().filter(|_| is_late) {
            return Err(Diagnostics::from(late_replacement(
                path,
                prior,
                &draft.planned,
            )));
        }
        self.messages.append(changes.warnings(&self.private));
        self.messages.extend(public_subnet::warning(changes));
        self.messages.extend(
            draft
                .left
                .iter()
                .map(|path| drifted_warning(path, self.config, prior)),
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
    let private = private_of(&request.prior, &request.private);
    let link = link_of(&request.prior, &private, backend.subscription());
    let outlived = resume_cache.is_superseded(&request.prior, link.as_ref());
    let removed =
        (!outlived).then(|| full_removal(&request.prior, &private, backend.subscription()));
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
            .and_then(|removed| announcement_of(&removed, None, &request.prior))
            .into_iter()
            .collect(),
        ..PlanResponse::default()
    }
}

/// What the replacement of a link keeps. The new link's ownership tag depends on its settings
/// alone.
fn kept_by_replacement(
    backend: &dyn Backend,
    config: &Value,
    changes: ChangeSet<'_>,
    private: &PrivateState,
) -> Option<Kept> {
    let (fresh, snapshot) = (PrivateState::default(), PreflightSnapshot::default());
    let created = apply_defaults(&plan_inputs(backend, config, None, &fresh, &snapshot)).planned;
    kept(
        changes,
        private,
        link_of(&created, &fresh, backend.subscription()).as_ref(),
    )
}

/// What settings are made from, for a request.
pub fn plan_inputs<'c, 'g>(
    backend: &dyn Backend,
    config: &'c Value,
    prior: Option<&'g Value>,
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
