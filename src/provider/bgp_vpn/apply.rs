//! Carries out plans: create and update are one, for both end with the link as it is planned.

use super::changes::Changes;
use super::claims::{Claims, Holder, claim};
use super::create_first::explained;
use super::engine::{Engine, Outcome};
use super::fixed::{remember_configured, remember_failed};
use super::follow::{fill_unknown, follow};
use super::origin::origin;
use super::outdated::{Update, outdated_plan};
use super::paths::diagnostics;
use super::plan::{ask, ground, judge, link_of};
use super::private::Private;
use super::public_subnet;
use super::recall::{BROKEN_OFF, Recall, drift, is_unfinished};
use super::replaced;
use super::settle::{Ground, settle};
use super::spec::{Keys, Surroundings, key_storage, own_keys, search, spec, subscription, text};
use super::state::{complete, identity, is_gone, managed, read_managed};
use super::teardown::{aws_half, demolition, former};
use crate::aws::model::KeyStorage;
use crate::azure::id::ResourceId;
use crate::link::adoption::Adoption;
use crate::link::managed::Managed;
use crate::link::observed::Observed;
use crate::link::route_tables::wanted_tables;
use crate::link::search::{Demolition, Search};
use crate::link::spec::{AwsGateway, AwsNetwork, Spec};
use crate::link::survey::Survey;
use crate::link::tunnel::{Instance, PerInstance, PerTunnel, TunnelKey};
use crate::plugin::{ApplyRequest, ApplyResponse, Diagnostic, Diagnostics, Value};
use crate::primitives::parse_duration;
use crate::provider::summary;
use std::time::Duration;

/// A create or update under way.
#[derive(Clone)]
struct Job {
    /// The plan, all settings known.
    target: Value,
    private: Private,
    spec: Spec,
    before: Managed,
    /// Gateways that were somebody else's become this link's.
    claims: bool,
    /// Until all is done the link counts as one whose create never ended.
    unfinished: bool,
    /// Triggers of an update, as they were before.
    asked: Vec<(&'static str, Value)>,
    config: Value,
    /// The state before an update.
    prior: Option<Value>,
}

/// What Terraform stores of a link.
pub struct Stored {
    pub state: Value,
    pub private: Vec<u8>,
    pub identity: Option<Value>,
}

/// Creates or changes a link.
pub async fn apply(engine: &dyn Engine, recall: &Recall, held: &Claims, request: ApplyRequest) -> ApplyResponse {
    let left = left(engine, recall, &request);
    if request.is_update() {
        let before = Private::read(&request.planned_private).of_state();
        request.checkpoint.save(request.prior.clone(), before.write(), identity_of(&request.prior));
    }
    let prior = left.as_ref().or((!request.prior.is_null()).then_some(&request.prior));
    if let Some(kept) = kept_state(&request) {
        request.checkpoint.save(kept.state, kept.private, kept.identity);
    }
    let mut told = Diagnostics::new();
    let job = match prepare(engine, &request, prior, &mut told).await {
        Ok(job) => job,
        Err(diagnostics) => return request.failed(diagnostics),
    };
    let holder = Holder::of((!request.prior.is_null()).then_some(&request.prior), &job.private, &request.config);
    if let Some(claim) = claim(&job.target, prior, &job.private, engine.subscription()) {
        let conflicts = held.apply(&holder, claim, request.is_create());
        if conflicts.has_errors() {
            return request.failed(conflicts);
        }
    }
    if request.is_create() {
        recall.unfinished(&job.spec.link);
    }
    let ended = carry_out(engine, &request, prior, &job, told).await;
    held.settle(&holder, &ended.new_state);
    if !ended.diagnostics.has_errors() {
        recall.finished(&job.spec.link);
    }
    ended
}

/// The unfinished link that a create goes on with. Should it end early, that is still what there is.
fn left(engine: &dyn Engine, recall: &Recall, request: &ApplyRequest) -> Option<Value> {
    let private = Private::read(&request.planned_private);
    let link = link_of(&request.planned, &private, engine.subscription());
    let left = recall.of(link.as_ref()).filter(|left| private.finishes && left.is_finished_by(&request.planned))?;
    let kept = Private { finishes: false, surveyed: false, replaces: Vec::new(), ..private };
    request.checkpoint.save(left.state.clone(), left.private.unwrap_or(kept).write(), identity_of(&left.state));
    Some(left.state)
}

/// What there is of a link before its create half makes anything: the networks that the replacement kept.
fn kept_state(request: &ApplyRequest) -> Option<Stored> {
    let private = Private::read(&request.planned_private);
    let kept = private.keeps.as_ref().filter(|_| request.is_create() && !private.finishes)?;
    let (state, identity) = kept.incomplete_state(&request.planned);
    let private = Private { origin: private.origin.clone(), link: Some(kept.link()), ..Private::default() };
    Some(Stored { state, private: private.write(), identity })
}

async fn carry_out(
    engine: &dyn Engine,
    request: &ApplyRequest,
    prior: Option<&Value>,
    job: &Job,
    mut told: Diagnostics,
) -> ApplyResponse {
    let changes = prior.map(|prior| Changes { prior, planned: &job.target });
    if let Some(changes) = changes.filter(|changes| request.is_update() && changes.is_local(&job.private)) {
        let mut private = job.private.clone();
        private.forget_plan();
        private.remember(changes.planned);
        remember_configured(&mut private, &request.config);
        private.imported = false;
        private.before = None;
        let (state, identity) = (job.target.clone(), request.planned_identity.clone());
        return ApplyResponse { new_state: state, private: private.write(), identity, diagnostics: told };
    }
    let of_state = if request.is_update() { job.private.of_state() } else { job.private.clone() };
    let Some(mut search) = search(prior.unwrap_or(&job.target), &of_state, engine.subscription(), true) else {
        return request.failed(Diagnostic::error("The state of this link cannot be read").detail(
            "It lacks the inside networks of the tunnels, by which they are told apart. Remove the link from the state and import it.",
        ));
    };
    search.names = Some(job.spec.azure.names.clone());
    search.link = Some(job.spec.link.clone());
    // A run that was killed may have left successors of objects of either AWS side.
    let former = std::mem::take(&mut search.adoption.endpoints);
    search.adoption = Adoption { handed_over: search.adoption.handed_over, ..Adoption::of(&job.spec) };
    // After a move that was killed, a read finds nothing of the former AWS side, and the state names none.
    let moves = request.is_update() && former != search.adoption.endpoints;
    search.adoption.moves_to = search.adoption.endpoints.first().filter(|_| moves).cloned();
    search.adoption.endpoints.extend(former.into_iter().filter(|_| prior.is_some()));
    if changes.is_some_and(public_subnet::replaces) {
        // Only a subnet that is not known by id is read with its range.
        search.known.public_subnet = None;
    }
    let limit =
        if request.is_create() { timeout(&job.target, "create", 120) } else { timeout(&job.target, "update", 240) };
    let save = |observed: &Observed| {
        let stored = job.stored(observed, false);
        request.checkpoint.save(stored.state, stored.private, stored.identity);
    };
    if request.is_update()
        && let Some(refused) = is_outdated(engine, request, job, &search).await
    {
        told.append(refused);
        return request.failed(told);
    }
    let drops_vpc = changes.is_some_and(Changes::drops_vpc);
    if let Some(changes) = changes
        .filter(|changes| drops_vpc || if request.is_create() { changes.aws_moved() } else { changes.aws_anew() })
    {
        let demolition = aws_half(changes, &job.before, &job.private, &job.spec.azure.subscription);
        let job = job.before_move(changes.prior);
        let save = |observed: &Observed| {
            let stored = job.stored(observed, false);
            request.checkpoint.save(stored.state, stored.private, stored.identity);
        };
        let outcome = engine.demolish(&demolition, &search, limit, &request.cancel, &save).await;
        if outcome.diagnostics.has_errors() {
            return job.ended(request, outcome, told);
        }
        told.append(outcome.diagnostics);
        forget_aws(&mut search, changes, &job.spec);
    }
    know_given(&mut search, &job.spec);
    let outcome = engine.converge(&job.spec, &search, limit, &request.cancel, &save).await;
    let rolls_back = request.is_create() && job.target.get("on_create_failure").as_str() == Some("rollback");
    // Where nothing was observed, nothing was made: a link of somebody else's state, for one.
    if rolls_back && outcome.broken && outcome.observed != Observed::default() && !request.cancel.is_cancelled() {
        return job.rolled_back(engine, request, &search, outcome, told).await;
    }
    job.ended(request, outcome, told)
}

/// Why the plan of an update no longer fits what the clouds have. Reads once more, and writes nothing.
async fn is_outdated(engine: &dyn Engine, request: &ApplyRequest, job: &Job, search: &Search) -> Option<Diagnostics> {
    if is_unfinished(&request.prior) {
        return None;
    }
    let seen = match engine.observe(search, &request.cancel).await {
        Ok(seen) => seen,
        Err(diagnostics) => return Some(diagnostics),
    };
    let update = Update {
        prior: &request.prior,
        planned: &request.planned,
        target: &job.target,
        private: &job.private,
        spec: &job.spec,
    };
    outdated_plan(engine, &update, &seen).map(Diagnostics::from)
}

/// Settles what plan had to leave open, and checks it before anything is made.
async fn prepare(
    engine: &dyn Engine,
    request: &ApplyRequest,
    before: Option<&Value>,
    told: &mut Diagnostics,
) -> Result<Job, Diagnostics> {
    let mut private = Private::read(&request.planned_private);
    // What finishes a link was planned as a create, and is settled as one.
    let prior = (!request.prior.is_null()).then_some(&request.prior);
    let mut survey = Survey::default();
    if !private.surveyed {
        let draft = settle(&ground(engine, &request.config, prior, &private, &survey));
        let ground = ground(engine, &request.config, prior, &private, &survey);
        let (ask, _) = ask(engine, &draft.planned, &ground);
        survey = engine.survey(&ask, &request.cancel).await?;
    }
    let ground = Ground { survey: &survey, ..ground(engine, &request.config, prior, &private, &survey) };
    let settled = settle(&ground).planned;
    let mut target = filled(&request.planned, &settled);
    if let Some(left) = before.filter(|_| request.is_create()) {
        keep_gateway(&mut target, left);
    }
    let claims = ground.claims(&target);
    // Also where plan saw all surroundings, a setting may have been unknown by then.
    let found = diagnostics(judge(&ground, &target, engine));
    if found.has_errors() {
        return Err(if prior.is_none() { explained(found) } else { found });
    }
    if !private.surveyed {
        told.append(found);
        private.origin = origin(&ground, &survey, &target);
    }
    private.names_route_tables = !request.config.at(&"aws.route_table_ids".into()).is_null();
    if !private.names_route_tables && prior.is_some_and(|prior| public_subnet::comes_or_goes(prior, &target)) {
        // The tables of before lack the one that is created with the subnet.
        private.applied.set_at(&"aws.route_table_ids".into(), Value::Null);
    }
    let unfinished = request.is_create() || is_unfinished(&request.prior);
    let managed = before.map(read_managed).unwrap_or_default();
    let former = before.map(|before| former(before, &target, &private, &managed)).unwrap_or_default();
    let around = Surroundings {
        private: &private,
        subscription: engine.subscription(),
        default_tags: engine.default_tags(),
        keys: keys(request, &target, prior.map(|prior| Changes { prior, planned: &target }), &private),
        former,
    };
    let mut spec = spec(&target, around).map_err(|lacking| {
        Diagnostics::from(
            Diagnostic::error("Something is missing")
                .detail(format!(
                    "{} is neither configured nor to be found out: set it, or the provider's default for it.",
                    lacking.0
                ))
                .at(lacking.0),
        )
    })?;
    spec.former.tags.retain(|key| !spec.tags.contains_key(key));
    spec.claims_gateways = claims;
    let triggers =
        ["rotate_keys", "preshared_keys_wo_version", "tags"].map(|name| Some((name, prior?.get(name).clone())));
    let claimed = claims.then(|| ("manage_gateways", Value::from(false)));
    let asked = triggers.into_iter().flatten().chain(claimed).collect();
    let (config, prior) = (request.config.clone(), prior.cloned());
    Ok(Job { target, private, spec, before: managed, claims, unfinished, asked, config, prior })
}

/// An unfinished link keeps its Azure gateway where another name is configured by now.
fn keep_gateway(target: &mut Value, left: &Value) {
    let path = "azure.gateway_id".into();
    if !target.at(&path).is_set() && left.at(&path).is_set() {
        target.set_at(&path, left.at(&path).clone());
    }
}

/// The keys in use stay, unless a create makes them all or an update is asked to change them.
fn keys(request: &ApplyRequest, target: &Value, changes: Option<Changes<'_>>, private: &Private) -> Keys {
    let rolled = changes.filter(|changes| changes.rotates_keys(private));
    let raised = changes.is_none_or(Changes::raises_keys);
    // An endpoint that shows no key cannot be seen to have the user's: a mark has to say so.
    let hidden = key_storage(target.get("aws")) == KeyStorage::SecretsManager;
    let version = target.get("preshared_keys_wo_version").as_number().filter(|_| raised && hidden);
    Keys {
        own: own_keys(&request.config),
        raised,
        trigger: rolled
            .and_then(|changes| text(changes.planned, "rotate_keys"))
            .or_else(|| version.map(|version| format!("own keys, version {version}"))),
    }
}

/// A plan with its unknown places taken from what is settled by now.
fn filled(planned: &Value, settled: &Value) -> Value {
    match (planned, settled) {
        (Value::Unknown(_), settled) => settled.clone(),
        (Value::Object(items), _) => {
            Value::Object(items.iter().map(|(name, value)| (name.clone(), filled(value, settled.get(name)))).collect())
        }
        (Value::Map(items), _) => {
            Value::Map(items.iter().map(|(name, value)| (name.clone(), filled(value, settled.get(name)))).collect())
        }
        (known, _) if known.is_wholly_known() => known.clone(),
        // Lists and sets hold unknown elements only where the configuration does.
        (_, settled) => settled.clone(),
    }
}

impl Job {
    /// The same job with the AWS settings before it. Until the old AWS half is deleted, the state has to say where it is: the
    /// next run looks for it in that region and finds the same change to apply.
    fn before_move(&self, prior: &Value) -> Job {
        let mut job = self.clone();
        job.target.set("aws", prior.get("aws").clone());
        job.private.origin.vpn_gateway_given = self.private.of_state().origin.vpn_gateway_given;
        job
    }

    /// What is to be stored by now. A link that is not whole shows what there is, not what was planned.
    fn stored(&self, observed: &Observed, whole: bool) -> Stored {
        let mut state = self.target.clone();
        if !whole {
            follow(&mut state, observed);
            public_subnet::follow_range(&mut state, observed);
        }
        fill_unknown(&mut state, observed, &wanted_tables(&self.spec, observed));
        let mut private = self.private.clone();
        private.link = Some(self.spec.link.clone());
        let managed = managed(&state, observed, &self.before, &private, self.claims);
        let gateway =
            observed.azure.gateway.as_ref().map_or(self.spec.azure.gateway.id(), |gateway| &gateway.resource.id);
        let gateway = spelled(&self.target, gateway);
        complete(&mut state, observed, &managed);
        if !state.get("id").is_set() {
            let first = self.spec.inside_cidrs.get(TunnelKey { instance: Instance::Zero, number: 1 });
            state.set("id", identity(&gateway, &first.to_string()).0);
        }
        let broken_off = (!whole && !self.unfinished).then(|| BROKEN_OFF.to_owned());
        state.set("drift", drift(self.unfinished && !whole, broken_off.into_iter().collect()));
        private.forget_unknown(&state);
        private.remember(&state);
        if whole {
            remember_configured(&mut private, &self.config);
        } else {
            private.remember(&self.target);
            let changes = self.prior.as_ref().map(|prior| Changes { prior, planned: &self.target });
            remember_failed(&mut private, &self.private, changes);
        }
        private.forget_plan();
        private.imported = false;
        if !whole {
            // What did not end well is asked for again.
            self.asked.iter().for_each(|(name, before)| state.set(*name, before.clone()));
        }
        let given_up = self.spec.former.addresses.iter().filter(|_| !whole);
        private.former = given_up.map(|(instance, ip)| (instance.index(), *ip)).collect();
        private.renews.clear();
        private.interrupts.clear();
        private.note_owned(Some(&self.spec.link), observed, &managed);
        Stored { identity: identity_of(&state), state: state.unknown_as_null(), private: private.write() }
    }

    fn ended(&self, request: &ApplyRequest, outcome: Outcome, mut told: Diagnostics) -> ApplyResponse {
        let failed = outcome.diagnostics.has_errors();
        told.append(outcome.diagnostics);
        outcome.remains.into_iter().for_each(|remains| told.push(remains));
        if failed && outcome.observed == Observed::default() {
            return request.failed(if request.is_create() { explained(told) } else { told });
        }
        let stored = self.stored(&outcome.observed, !failed);
        let nothing = failed && request.is_create() && read_managed(&stored.state).is_empty();
        let new_state = if nothing { Value::Null } else { stored.state };
        ApplyResponse { new_state, private: stored.private, identity: stored.identity, diagnostics: told }
    }

    /// Deletes what a failed create made. What cannot be deleted stays in the state.
    async fn rolled_back(
        &self,
        engine: &dyn Engine,
        request: &ApplyRequest,
        search: &Search,
        failed: Outcome,
        mut told: Diagnostics,
    ) -> ApplyResponse {
        let state = self.stored(&failed.observed, false).state;
        let made = read_managed(&state);
        let what = demolition(&state, &self.private, made, self.spec.azure.subscription.clone());
        let what = Demolition { link: self.spec.link.clone(), ..what };
        let save = |observed: &Observed| {
            let stored = self.stored(observed, false);
            request.checkpoint.save(stored.state, stored.private, stored.identity);
        };
        let gone = engine.demolish(&what, search, timeout(&self.target, "delete", 120), &request.cancel, &save).await;
        told.append(failed.diagnostics);
        if gone.diagnostics.has_errors() {
            // Where nothing could be deleted, all that was made is still there.
            let observed = if gone.observed == Observed::default() { failed.observed } else { gone.observed };
            let remains = Some(summary::rollback_remains());
            return self.ended(request, Outcome { observed, remains, ..gone }, told);
        }
        told.append(gone.diagnostics);
        told.push(Diagnostic::error("The create was rolled back").detail(
            "What it had made was deleted again, as on_create_failure = \"rollback\" asks: nothing is left, and nothing bills.",
        ));
        ApplyResponse { diagnostics: told, ..ApplyResponse::default() }
    }
}

fn spelled(target: &Value, id: &ResourceId) -> String {
    let planned = target.at(&"azure.gateway_id".into()).as_str();
    planned.filter(|text| text.eq_ignore_ascii_case(id.as_str())).unwrap_or(id.as_str()).to_owned()
}

/// The identity that a state's `id` spells out.
pub fn identity_of(state: &Value) -> Option<Value> {
    let (gateway, cidr) = state.get("id").as_str()?.rsplit_once(',')?;
    Some(identity(gateway, cidr).1)
}

fn forget_aws(search: &mut Search, changes: Changes<'_>, spec: &Spec) {
    let known = &mut search.known;
    if changes.drops_vpc() {
        (known.vpc, known.internet_gateway, known.public_subnet) = (None, None, None);
        (known.public_route_table, known.route_tables) = (None, Vec::new());
        return;
    }
    known.region = Some(spec.aws.region.clone());
    known.vpns = PerInstance::default();
    known.customer_gateways = PerInstance::default();
    known.outside_ips = PerTunnel::default();
    let planned = |path: &str| text(changes.planned.get("aws"), path);
    known.vpn_gateway = planned("vpn_gateway_id").map(crate::aws::model::VpnGatewayId);
    known.transit_gateway = planned("transit_gateway_id").map(crate::aws::model::TransitGatewayId);
    if changes.at("aws.vpc_id") || changes.at("aws.region") {
        known.vpc = planned("vpc_id").map(crate::aws::model::VpcId);
        known.internet_gateway = None;
        known.public_subnet = None;
    }
}

/// What the user names by id is looked for by that id. The state does not have it where a move was broken off between what was
/// and what is to be.
fn know_given(search: &mut Search, spec: &Spec) {
    match &spec.aws.gateway {
        AwsGateway::Existing(id) => search.known.vpn_gateway = Some(id.clone()),
        AwsGateway::Transit(id) => search.known.transit_gateway = Some(id.clone()),
        AwsGateway::Own { .. } => {}
    }
    if let AwsNetwork::Existing(id) = &spec.aws.network {
        search.known.vpc = Some(id.clone());
    }
}

/// Deletes a link.
pub async fn destroy(engine: &dyn Engine, recall: &Recall, request: ApplyRequest) -> ApplyResponse {
    let planned = Private::read(&request.planned_private);
    let (finishes, unrepeatable) = (planned.finishes, planned.unrepeatable.clone());
    let private = Private { finishes, unrepeatable, keeps: planned.keeps.clone(), ..planned.of_state() };
    let state = &request.prior;
    let before = read_managed(state);
    let link = link_of(state, &private, engine.subscription());
    if recall.is_outlived(state, link.as_ref()) {
        // All that it names is in the state of the finished link.
        return ApplyResponse::default();
    }
    if private.finishes {
        // The delete half of what only looks like a replacement: the create half goes on with all that is there.
        recall.note(state, link, None);
        return ApplyResponse::default();
    }
    if let Some(path) = &private.unrepeatable {
        let (summary, detail) = replaced::unrepeatable_words(path);
        return request.failed(Diagnostic::error(summary).detail(detail).at(path.as_str()));
    }
    let subscription = subscription(state, engine.subscription()).unwrap_or_default();
    let state_only = Private { finishes: false, unrepeatable: None, keeps: None, before: None, ..private.clone() };
    let remembered = state_only.write();
    request.checkpoint.save(state.clone(), remembered.clone(), identity_of(state));
    // Under create_before_destroy this is None: Terraform deletes the old link without the private data of the plan.
    let kept = &private.keeps;
    let mut demolition = demolition(state, &private, before.clone(), subscription);
    if let Some(kept) = kept {
        demolition.managed = kept.removed(demolition.managed);
        demolition.hands_over = Some(kept.hand_over());
    }
    let Some(search) = search(state, &Private::default(), engine.subscription(), false) else {
        return request.failed(
            Diagnostic::error("The state of this link cannot be read")
                .detail("It lacks the inside networks of the tunnels."),
        );
    };
    let stored = |observed: &Observed| {
        let mut left = state.clone();
        let managed = managed(state, observed, &before, &private, false);
        complete(&mut left, observed, &managed);
        (left.unknown_as_null(), managed)
    };
    let save = |observed: &Observed| {
        let (left, managed) = stored(observed);
        let left = if is_gone(state, &private, &managed, observed) { Value::Null } else { left };
        request.checkpoint.save(left, remembered.clone(), request.planned_identity.clone());
    };
    let limit = timeout(state, "delete", 120);
    link.iter().for_each(|link| recall.unfinished(link));
    let outcome = engine.demolish(&demolition, &search, limit, &request.cancel, &save).await;
    let mut told = outcome.diagnostics;
    outcome.remains.into_iter().for_each(|remains| told.push(remains));
    if !told.has_errors() {
        link.iter().for_each(|link| recall.forget(link, state));
        kept.iter().for_each(|kept| recall.keep(kept));
        return ApplyResponse { diagnostics: told, ..ApplyResponse::default() };
    }
    if outcome.observed == Observed::default() {
        return request.failed(told);
    }
    let (new_state, _) = stored(&outcome.observed);
    let identity = identity_of(&new_state);
    ApplyResponse { new_state, private: remembered, identity, diagnostics: told }
}

/// A limit from `timeouts`.
pub fn timeout(state: &Value, operation: &str, default_minutes: u64) -> Duration {
    let given = state.get("timeouts").get(operation).as_str().and_then(parse_duration);
    given.unwrap_or(Duration::from_secs(default_minutes * 60))
}
