//! Plans: every setting at its effective value, what is wrong with it, and what will be new.

use super::attribute_paths::diagnostics;
use super::attributes::{Mode, paths};
use super::backend::Backend;
use super::change_set::{ChangeSet, instance_keys};
use super::claims::{self, ClaimHolder, Claims};
use super::conflicting_attributes::{conflicting_id, existing_gateway_mismatch, fixed_zones, vpc_named_twice};
use super::create_before_destroy::{as_warnings, downgrade_conflicts};
use super::default_options::inside_cidrs;
use super::defaults::{PlanInputs, apply_defaults};
use super::existing_link::check_existing_link;
use super::expand::{endpoint, link_id, lookup_scope, subscription};
use super::flatten::planned_tunnel;
use super::kept::{Kept, kept, kept_by_create};
use super::link_status::{LinkStatus, is_incomplete, is_interrupted};
use super::model::read_config;
use super::planned::PlannedState;
use super::private_state::{PrivateState, Provenance};
use super::provenance::provenance;
use super::public_subnet;
use super::replaced::{self, own_object_ids};
use super::replacing_attributes::{assume_unchanged, drifted_warning, late_replacement};
use super::resume::{CachedState, ResumeCache, resume_warning};
use super::static_routing::refuse_plan;
use super::teardown::{full_removal, incomplete_removal, removal_warning as announcement_of, update_removal};
use crate::aws::model::{Region, TransitGatewayId, VpcId, VpnConnection, VpnGatewayId};
use crate::azure::id::ResourceId;
use crate::link::config::Attr;
use crate::link::ownership_tags::LinkId;
use crate::link::preflight::{
    Lookup, PreflightContext, PreflightIssue, PreflightRequest, PreflightSnapshot, run_checks,
};
use crate::link::tunnel::{Instance, TunnelKey};
use crate::link::validation::{ChangedParts, validate_combination, validate_fields, validate_required};
use crate::link::violation::{AttributeId, Violation, ViolationKind};
use crate::plugin::{Diagnostic, Diagnostics, PlanRequest, PlanResponse, Value};
use crate::types::tags::check_keys;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// What can be said of a configuration alone.
pub fn validate(config: &Value) -> Diagnostics {
    let model = read_config(config);
    // Warnings depend on whether the link exists, which is not known here.
    let violations = validate_fields(&model).into_iter().chain(validate_required(&model));
    diagnostics(violations.filter(|fault| !fault.is_warning()))
}

/// The tunnel whose inside CIDR names the link.
const FIRST_TUNNEL: TunnelKey = TunnelKey { instance: Instance::Zero, number: 1 };

/// Plans a create, an update or a destroy.
pub async fn plan(
    backend: &dyn Backend,
    resume_cache: &ResumeCache,
    held: &Claims,
    request: PlanRequest,
) -> PlanResponse {
    if request.is_destroy() {
        return plan_destroy(backend, resume_cache, request);
    }
    let mut messages = validate(&request.config);
    if messages.has_errors() {
        return messages.into();
    }
    let mut private = PrivateState::read(&request.private);
    if request.is_create() {
        // The plan of the create half of a replacement carries what was remembered of the link that goes.
        private = PrivateState {
            replaced_ids: private.replaced_ids,
            removes: private.removes,
            announced: private.announced,
            replaced: private.replaced,
            holder: private.holder,
            before: private.before,
            ..PrivateState::default()
        };
        replaced::note(&mut private, resume_cache, &request.config, request.may_be_applying);
    } else {
        let before = private.clone();
        private.remember_before(&before);
    }
    let prior = (!request.prior.is_null()).then_some(&request.prior);
    let (config, assumed) = assume_unchanged(&request.config, prior);
    let mut snapshot = PreflightSnapshot::default();
    let mut draft = apply_defaults(&plan_inputs(backend, &config, prior, &private, &snapshot));
    let mut surveyed = true;
    let changed = prior.map(|prior| ChangeSet { prior, planned: &draft.planned });
    let replaced = changed.is_some_and(|changes| !changes.requires_replace().is_empty());
    // A destroy keeps only the errors of this plan. None is worth keeping the link for.
    let judges = !request.before_destroy;
    let looks = judges && !replaced && changed.is_none_or(|changes| changes.needs_preflight(&private));
    if looks {
        let (ask, complete) =
            preflight_request(backend, &draft.planned, &plan_inputs(backend, &config, prior, &private, &snapshot));
        if !ask.is_empty() {
            snapshot = match backend.preflight(&ask, &request.cancel).await {
                Ok(snapshot) => snapshot,
                Err(diagnostics) => return diagnostics.into(),
            };
        }
        surveyed = complete && snapshot.covers(&ask);
        draft = apply_defaults(&plan_inputs(backend, &config, prior, &private, &snapshot));
    }
    if prior.is_none() {
        private.replaced_ids.extend(resume_cache.incomplete_states().iter().flat_map(own_object_ids));
    }
    if prior.is_none() {
        private.link = id_beside_moved_link(&draft.planned, &private, &snapshot, backend.subscription());
    }
    let link = link_of(&draft.planned, &private, backend.subscription());
    // A complete link of another name is another resource that has the same slot.
    let same_name = |held: &CachedState| held.state.get("name") == draft.planned.get("name");
    let held_by_state = resume_cache.get(link.as_ref()).filter(|_| prior.is_none());
    let held_by_state = held_by_state.filter(|held| is_incomplete(&held.state) || same_name(held));
    let is_new = prior.is_none() && private.replaced_ids.is_empty() && held_by_state.is_none();
    // A link that the user tainted is deleted before it is created again.
    private.replaced_ids.extend(held_by_state.iter().flat_map(|held| own_object_ids(&held.state)));
    if let (None, Some(before)) = (&private.before, held_by_state.as_ref().and_then(|held| held.private.as_ref())) {
        private.remember_before(before);
    }
    let left = held_by_state.filter(|held| is_incomplete(&held.state));
    if let Some(recalled) = left.filter(|recalled| recalled.can_resume(&draft.planned)) {
        private.resumes_incomplete = true;
        let changes = ChangeSet { prior: &recalled.state, planned: &draft.planned };
        let removed = incomplete_removal(changes, &private, backend.subscription());
        messages.push(resume_warning(!removed.0.is_empty()));
        messages.extend(announcement_of(&removed, None, &recalled.state));
        private.link = recalled.private.as_ref().and_then(|private| private.link.clone());
        private.provenance.preexisting_addresses =
            recalled.private.map(|private| private.provenance.preexisting_addresses).unwrap_or_default();
    }
    let settled = plan_inputs(backend, &config, prior, &private, &snapshot);
    // A replacement is planned once more without a prior state, which is when its surroundings count.
    let mut violations =
        if replaced || !judges { Vec::new() } else { validate_plan(&settled, &draft.planned, backend) };
    if prior.is_none() && request.may_be_applying {
        surveyed &= !downgrade_conflicts(&mut violations);
    }
    messages.append(diagnostics(violations));
    let origin = if looks {
        provenance(&settled, &snapshot, &draft.planned)
    } else {
        Provenance { vpn_gateway_is_existing: settled.vpn_gateway_is_existing(), ..private.provenance.clone() }
    };
    private.provenance = origin;
    private.keeps = match prior {
        None => kept_by_create(&draft.planned, &private, resume_cache, link.as_ref()),
        Some(_) => None,
    };
    private.preflight_complete = surveyed;
    let kept = prior.map(|prior| ChangeSet { prior, planned: &draft.planned });
    let kept = kept.filter(|_| judges);
    kept.and_then(|changes| refuse_plan(&private, changes)).into_iter().for_each(|refusal| messages.push(refusal));
    let holder = ClaimHolder::of(prior, &private, &request.config);
    let claim = claims::claim(&draft.planned, prior, &private, backend.subscription());
    if let Some(claim) = claim.filter(|_| judges) {
        let mut own = private.replaced_ids.clone();
        own.extend(prior.into_iter().flat_map(own_object_ids));
        let taken = claims::taken(&snapshot, &own);
        let clash = held.plan(&holder, claim, &taken);
        if !messages.has_errors() {
            messages.append(clash);
        }
        if is_new && private.keeps.is_none() && snapshot.group != Lookup::Skipped {
            // A complete link also is what other findings are about, such as a VPC that has a VPN gateway.
            let found = check_existing_link(backend, &draft.planned, &private, &taken, &request.cancel).await;
            let postponed = request.may_be_applying && found.has_errors();
            private.preflight_complete &= !postponed;
            messages.append(if postponed { as_warnings(found) } else { found });
        }
    }
    private.holder = Some(holder.as_str().to_owned());
    if messages.has_errors() {
        return messages.into();
    }
    let requires_replace = match prior {
        None => {
            if !private.resumes_incomplete && !private.announced {
                messages.extend(replaced::announced(
                    &private,
                    resume_cache,
                    link.as_ref(),
                    backend.subscription(),
                    &draft.planned,
                ));
            }
            let unrepeatable =
                replaced::unrepeatable(&private, &request.config).filter(|_| !private.resumes_incomplete);
            private.unrepeatable = unrepeatable.map(str::to_owned);
            messages.extend(unrepeatable.map(|path| {
                let (summary, detail) = replaced::unrepeatable_words(path);
                Diagnostic::warning(summary).detail(detail).at(path)
            }));
            unknown_for_create(&mut draft);
            (private.announced, private.replaced) = (false, None);
            Vec::new()
        }
        Some(prior) => {
            unknown_for_update(&mut draft, prior, &private);
            let changes = ChangeSet { prior, planned: &draft.planned };
            let refreshed = resume_cache.is_refreshed(link_of(prior, &private, backend.subscription()).as_ref());
            if let Some(path) =
                changes.requires_replace().first().filter(|_| request.may_be_applying && !refreshed && judges)
            {
                return Diagnostics::from(late_replacement(path, prior, &draft.planned)).into();
            }
            messages.append(changes.warnings(&private));
            messages.append(public_subnet::warning(changes).into_iter().collect());
            draft.left.iter().for_each(|path| messages.push(drifted_warning(path, &config, prior)));
            // Terraform may replace it though nothing here asks for that: the next plan has these bytes and no prior state.
            private.replaced_ids = own_object_ids(prior);
            private.removes = full_removal(prior, &private, backend.subscription());
            let replacing = changes.requires_replace();
            private.announced = !replacing.is_empty();
            let mut stays = None;
            let removed = if private.announced {
                private.replaced = link_of(prior, &private, backend.subscription());
                let whole = private.removes.clone();
                stays = kept_by_replacement(backend, &config, changes, &private);
                stays.as_ref().map_or(whole.clone(), |kept| kept.removed(whole))
            } else {
                let observed = resume_cache.last_observed(link.as_ref());
                update_removal(changes, &private, observed.as_ref(), backend.subscription(), backend.default_tags())
            };
            messages.extend(announcement_of(&removed, stays.as_ref(), prior));
            if !private.announced {
                messages.extend(replaced::on_request(&private.removes, &request.replaced, prior));
            }
            replacing
        }
    };
    assumed.iter().for_each(|path| draft.planned.set_at(path, Value::unknown()));
    PlanResponse {
        planned: draft.planned,
        requires_replace,
        private: private.write(),
        identity: request.identity,
        deferred: None,
        diagnostics: messages,
    }
}

/// A destroy needs no plan but for what it announces.
fn plan_destroy(backend: &dyn Backend, resume_cache: &ResumeCache, request: PlanRequest) -> PlanResponse {
    let private = PrivateState::read(&request.private);
    let link = link_of(&request.prior, &private, backend.subscription());
    let outlived = resume_cache.is_superseded(&request.prior, link.as_ref());
    let removed = (!outlived).then(|| full_removal(&request.prior, &private, backend.subscription()));
    // That replacement did not come.
    let private = if private.unrepeatable.is_some() {
        PrivateState { unrepeatable: None, ..private }.write()
    } else {
        request.private
    };
    PlanResponse {
        private,
        identity: request.identity,
        diagnostics: removed.and_then(|removed| announcement_of(&removed, None, &request.prior)).into_iter().collect(),
        ..PlanResponse::default()
    }
}

/// What the replacement of a link keeps. The new link's ownership tag depends on its settings alone.
fn kept_by_replacement(
    backend: &dyn Backend,
    config: &Value,
    changes: ChangeSet<'_>,
    private: &PrivateState,
) -> Option<Kept> {
    let (fresh, snapshot) = (PrivateState::default(), PreflightSnapshot::default());
    let created = apply_defaults(&plan_inputs(backend, config, None, &fresh, &snapshot)).planned;
    kept(changes, private, link_of(&created, &fresh, backend.subscription()).as_ref())
}

/// What settings are made from, for a request.
pub fn plan_inputs<'c, 'g>(
    backend: &dyn Backend,
    config: &'c Value,
    prior: Option<&'g Value>,
    private: &'g PrivateState,
    snapshot: &'g PreflightSnapshot,
) -> PlanInputs<'c, 'g> {
    PlanInputs { config, prior, private, snapshot, default_region: backend.default_region() }
}

/// What to look at before a link is made or moved, and whether all of it is known by now.
pub fn preflight_request(
    backend: &dyn Backend,
    settled: &Value,
    inputs: &PlanInputs<'_, '_>,
) -> (PreflightRequest, bool) {
    let model = read_config(settled);
    let subscription = subscription(settled, backend.subscription());
    let resource = |id: &Attr<String>| id.known().and_then(|id| ResourceId::parse(id).ok());
    let composed = || {
        let name = model.network.known()?.name.known()?;
        Some(ResourceId::network(subscription.as_ref()?, model.group.known()?, "virtualNetworks", name))
    };
    let gateway_given = inputs.azure_gateway_is_existing();
    let (vpn_gateway_given, on_transit_gateway) = (inputs.vpn_gateway_is_existing(), inputs.on_transit_gateway());
    let region = model.region.known().cloned().map(Region);
    let in_region = |id: &Attr<String>, given: bool| id.known().filter(|_| given && region.is_some()).cloned();
    // A refresh that did not find the gateway left it in `id` alone.
    let in_id = || ResourceId::parse(inputs.prior?.get("id").as_str()?.rsplit_once(',')?.0).ok();
    let ask = PreflightRequest {
        resource_group: model.group.known().filter(|_| subscription.is_some()).cloned(),
        network: resource(&model.network_id).or_else(composed),
        gateway: resource(&model.gateway_id).or_else(in_id).filter(|_| gateway_given),
        first_cidr: inside_cidrs(settled)
            .map(|cidrs| *cidrs.get(FIRST_TUNNEL))
            .filter(|_| (gateway_given || vpn_gateway_given) && inputs.prior.is_none()),
        link: link_of(settled, inputs.private, backend.subscription())
            .filter(|_| vpn_gateway_given && inputs.prior.is_some()),
        vpc: in_region(&model.vpc_id, true).map(VpcId),
        vpn_gateway: in_region(&model.vpn_gateway_id, vpn_gateway_given).map(VpnGatewayId),
        transit_gateway: in_region(&model.transit_gateway_id, on_transit_gateway).map(TransitGatewayId),
        own_vpn_gateway: own_vpn_gateway(settled, inputs),
        region,
        subscription,
    };
    let needs = |given: bool, asked: bool| !given || asked;
    let configured = super::model::read_config(inputs.config);
    let complete = ask.resource_group.is_some()
        && needs(gateway_given, ask.gateway.is_some())
        && needs(vpn_gateway_given, ask.vpn_gateway.is_some())
        && needs(on_transit_gateway, ask.transit_gateway.is_some())
        && needs(!configured.network_id.is_null() || !configured.network.is_null(), ask.network.is_some())
        && needs(!configured.vpc_id.is_null(), ask.vpc.is_some())
        && inside_cidrs(settled).is_some()
        && inputs.config.get("azure").is_known()
        && inputs.config.get("aws").is_known()
        && configured.create_group != Attr::Unknown;
    (ask, complete)
}

/// The VPN gateway that this link made, where the inside CIDRs of its tunnels change.
fn own_vpn_gateway(settled: &Value, inputs: &PlanInputs<'_, '_>) -> Option<VpnGatewayId> {
    let changes = ChangeSet { prior: inputs.prior?, planned: settled };
    let stays = !inputs.vpn_gateway_is_existing() && !inputs.on_transit_gateway() && !changes.aws_side_replaced();
    let id = settled.at(&"aws.vpn_gateway_id".into()).as_str().filter(|_| stays && changes.changed("inside_cidrs"))?;
    Some(VpnGatewayId(id.to_owned()))
}

/// The BGP addresses that a link put on its Azure gateway: not those that were listed there before.
fn own_bgp_addresses(inputs: &PlanInputs<'_, '_>) -> BTreeSet<Ipv4Addr> {
    let (private, prior) = (inputs.private, inputs.prior);
    let cidrs = [Some(&private.applied), prior].into_iter().flatten().filter_map(inside_cidrs).collect::<Vec<_>>();
    let placed = cidrs.iter().flat_map(|all| all.iter().map(|(_, cidr)| cidr.azure_ip()));
    let former = private.pending_removals.iter().map(|(_, ip)| *ip);
    placed.chain(former).filter(|ip| !private.provenance.preexisting_addresses.contains(ip)).collect()
}

/// Everything that is wrong with a settled plan.
pub fn validate_plan(inputs: &PlanInputs<'_, '_>, settled: &Value, backend: &dyn Backend) -> Vec<Violation> {
    let (configured, planned) = (read_config(inputs.config), read_config(settled));
    let (azure_given, vpn_given) = (inputs.azure_gateway_is_existing(), inputs.vpn_gateway_is_existing());
    let on_transit_gateway = inputs.on_transit_gateway();
    let changes = inputs.prior.map(|prior| ChangeSet { prior, planned: settled });
    let changed = |paths: &[&str]| {
        changes.is_none_or(|c| paths.iter().any(|path| c.changed(path) && !inputs.config.at(&(*path).into()).is_null()))
    };
    let new = ChangedParts {
        azure_gateway: !azure_given && changed(&["azure.sku", "azure.generation"]),
        azure_asn: !azure_given && changed(&["azure.asn"]),
        aws_asn: !vpn_given && !on_transit_gateway && changed(&["aws.asn"]),
        acceleration: changed(&["aws.enable_acceleration"]),
        initiator: changed(&["azure.connection_mode", "aws.startup_action", "aws.dpd_timeout_action"]),
    };
    let mut violations = validate_combination(&planned, new);
    for fault in violations.iter_mut().filter(|fault| matches!(fault.kind, ViolationKind::AsnsEqual(_))) {
        // Said where somebody wrote it.
        if configured.azure_asn.is_null() && !configured.aws_asn.is_null() {
            fault.attribute = AttributeId::AwsAsn;
        }
    }
    let of_fields = |fault: &Violation| !is_name(&fault.attribute) && (!fault.is_warning() || inputs.prior.is_none());
    violations.extend(validate_fields(&planned).into_iter().filter(of_fields));
    if let (Some(changes), true) = (changes, azure_given) {
        violations.extend(existing_gateway_mismatch(changes, &configured));
    }
    if let Some(changes) = changes {
        violations.extend(conflicting_id(changes, inputs));
    }
    violations.extend(fixed_zones(inputs, settled));
    violations.extend(vpc_named_twice(inputs));
    let (defaults, own) = (backend.default_tags(), planned.tags.known());
    // Those of the resource alone were checked before.
    if !defaults.is_empty()
        && let Some(fault) = check_keys(defaults.keys().chain(own.into_iter().flat_map(|tags| tags.keys())))
    {
        violations.push(Violation::error(AttributeId::Tags, ViolationKind::Tag(fault)));
    }
    let link = link_of(settled, inputs.private, backend.subscription());
    let mut own = inputs.private.replaced_ids.clone();
    own.extend(inputs.prior.into_iter().flat_map(own_object_ids));
    let own_addresses = own_bgp_addresses(inputs);
    let of_plan = Provenance { vpn_gateway_is_existing: vpn_given, ..inputs.private.provenance.clone() };
    let planned_end = endpoint(settled, &PrivateState { provenance: of_plan, ..PrivateState::default() });
    let created_end = planned_end.as_ref().filter(|_| inputs.prior.is_none()).map(ToString::to_string);
    let moves_to = planned_end.filter(|_| inputs.prior.is_some());
    let site = PreflightContext {
        own_addresses: &own_addresses,
        configured: &configured,
        planned: &planned,
        link: link.as_ref(),
        endpoint: created_end.as_deref(),
        own: &own,
        azure_gateway_is_existing: azure_given,
        vpn_gateway_is_existing: vpn_given,
        on_transit_gateway,
        moves_to: moves_to.as_ref(),
        allow_overlap: settled.get("allow_overlapping_prefixes").as_bool().unwrap_or_default(),
    };
    let existing = inputs.prior.is_some();
    // The subnet of a gateway that exists cannot be resized: a warning at every change would help nobody.
    let settled_subnet = |fault: &Violation| existing && matches!(fault.kind, ViolationKind::GatewaySubnetSmall(_));
    violations.extend(run_checks(site, inputs.snapshot).into_iter().filter(|fault| !settled_subnet(fault)));
    let claims_new = inputs.prior.is_none() && configured_true(inputs.config, "manage_gateways");
    if claims_new && azure_given && (vpn_given || on_transit_gateway) {
        violations.push(Violation::error(
            AttributeId::ManageGateways,
            ViolationKind::Preflight(PreflightIssue::ClaimAtCreate),
        ));
    }
    if inputs.takes_ownership(settled) {
        let ids = &own;
        let own = |c: &&crate::azure::model::Connection| {
            let tagged = link.as_ref().is_some_and(|link| link.is_on(&c.resource.tags));
            tagged || ids.iter().any(|id| id.eq_ignore_ascii_case(c.resource.id.as_str()))
        };
        let own_vpn = |vpn: &&VpnConnection| {
            link.as_ref().is_some_and(|link| link.is_on(&vpn.tags)) || ids.contains(&vpn.id.0) || !vpn.state.is_living()
        };
        let connections = inputs.snapshot.connections.iter().filter(|c| !own(c)).map(|c| c.resource.id.to_string());
        // A transit gateway is nobody's to claim.
        let vpn_connections = inputs.snapshot.vpn_connections.iter().filter(|vpn| !on_transit_gateway && !own_vpn(vpn));
        let vpn_connections = vpn_connections.map(|vpn| vpn.id.to_string());
        let foreign: Vec<String> = connections.chain(vpn_connections).collect();
        if !foreign.is_empty() {
            let finding = PreflightIssue::SharedGateways(foreign.join(", "));
            violations.push(Violation::error(AttributeId::ManageGateways, ViolationKind::Preflight(finding)));
        }
    }
    violations
}

fn configured_true(config: &Value, name: &str) -> bool {
    config.get(name).as_bool() == Some(true)
}

/// Names were judged where they are configured; those made from a name that was fine are fine.
fn is_name(field: &AttributeId) -> bool {
    matches!(field, AttributeId::Name | AttributeId::AzureName(_) | AttributeId::AwsName(_))
}

/// The ownership tag's value of a link, as far as its settings tell it by now.
pub fn link_of(settled: &Value, private: &PrivateState, subscription: Option<String>) -> Option<LinkId> {
    let found = lookup_scope(settled, private, subscription, false)?;
    found.link.or_else(|| Some(link_id(settled, private, &found.known.network?, *found.inside_cidrs.get(FIRST_TUNNEL))))
}

/// The id of a new link where the usual one belongs to a link that moved to another slot.
pub fn id_beside_moved_link(
    planned: &Value,
    private: &PrivateState,
    snapshot: &PreflightSnapshot,
    subscription: Option<String>,
) -> Option<LinkId> {
    let scope = lookup_scope(planned, private, subscription, false)?;
    let (network, first) = (scope.known.network?, *scope.inside_cidrs.get(FIRST_TUNNEL));
    let replaced = |id: &ResourceId| private.replaced_ids.iter().any(|own| own.eq_ignore_ascii_case(id.as_str()));
    let connections = snapshot.connections.iter().chain(&snapshot.network_connections);
    let link = LinkId::for_create(&network, first, connections.filter(|one| !replaced(&one.resource.id)));
    (link != LinkId::new(&network, first)).then_some(link)
}

/// Computed attributes of a new link.
fn unknown_for_create(draft: &mut PlannedState<'_>) {
    for path in paths(|row| row.mode == Mode::Computed && !row.path.contains('*')) {
        draft.fill(path, Value::unknown());
    }
    draft.fill("drift", Value::List(Vec::new()));
    draft.fill("status", LinkStatus::Complete.as_str());
    let tunnels = TunnelKey::ALL.map(|key| {
        let mut tunnel = planned_tunnel(&draft.planned, key);
        for field in TUNNEL_IDS {
            tunnel.set(field, Value::unknown());
        }
        (key.to_string(), tunnel)
    });
    draft.fill("tunnels", Value::map(tunnels));
}

const TUNNEL_IDS: [&str; 6] = [
    "aws_outside_ip",
    "azure_public_ip",
    "aws_vpn_connection_id",
    "aws_customer_gateway_id",
    "azure_local_network_gateway_id",
    "azure_connection_id",
];

/// Computed attributes of a link that is there: as before, but for what is missing or made anew.
fn unknown_for_update(draft: &mut PlannedState<'_>, prior: &Value, private: &PrivateState) {
    let changes = ChangeSet { prior, planned: &draft.planned.clone() };
    let before = |path: &str| prior.at(&path.into()).clone();
    let or_unknown = |value: Value| if value.is_null() { Value::unknown() } else { value };
    draft.fill("id", or_unknown(before("id")));
    draft.fill("drift", Value::List(Vec::new()));
    draft.fill("status", LinkStatus::Complete.as_str());
    // Mending may add to what is managed: propagation that somebody switched off, for one.
    let drifted = prior.get("drift").as_list().is_some_and(|found| !found.is_empty());
    let mut anew = changes.affects_managed() || drifted;
    let tunnels = TunnelKey::ALL.map(|key| {
        let renewed = changes.unknown_fields(key, private, is_interrupted(prior));
        let mut tunnel = planned_tunnel(&draft.planned, key);
        for field in TUNNEL_IDS {
            let value = prior.get("tunnels").get(&key.to_string()).get(field).clone();
            let value = if renewed.contains(&field) { Value::unknown() } else { or_unknown(value) };
            anew |= !value.is_known();
            tunnel.set(field, value);
        }
        (key.to_string(), tunnel)
    });
    draft.fill("tunnels", Value::map(tunnels));
    let missing = ["azure.gateway_id", "azure.virtual_network_id", "aws.vpn_gateway_id"];
    anew |= missing.iter().any(|path| !draft.at(path).is_known());
    let vpc_anew = !draft.at("aws.vpc_id").is_known() || changes.changed("aws.vpc_id") || changes.changed("aws.region");
    let subnet = match (vpc_anew, draft.at("aws.vpc").is_null()) {
        (true, false) => Value::unknown(),
        (true, true) => Value::Null,
        (false, _) => public_subnet::planned_id(changes),
    };
    let new_subnet = !subnet.is_known();
    draft.fill("aws.public_subnet_id", subnet);
    let main = before("aws.main_route_table_id");
    draft.fill("aws.main_route_table_id", if vpc_anew { Value::unknown() } else { main });
    anew |= new_subnet || vpc_anew;
    let ips = before("azure.public_ip_addresses");
    let whole = instance_keys().iter().all(|key| ips.get(key).is_set());
    draft.fill("azure.public_ip_addresses", if whole { ips } else { Value::unknown() });
    let named = draft.at("azure.virtual_network.subnets").as_map().map(|map| map.keys().cloned().collect::<Vec<_>>());
    let ids = before("azure.subnet_ids");
    let whole = ids.get("GatewaySubnet").is_set() && named.iter().flatten().all(|name| ids.get(name).is_set());
    let same =
        whole && !changes.changed("azure.virtual_network.subnets") && draft.at("azure.virtual_network_id").is_known();
    draft.fill("azure.subnet_ids", if same { ids } else { Value::unknown() });
    draft.fill("managed", if anew { Value::unknown() } else { before("managed") });
}
