//! Plans: every setting at its effective value, what is wrong with it, and what will be new.

use super::changes::{Changes, instance_keys};
use super::claims::{self, Claims, Holder};
use super::create_first::{as_warnings, postpone};
use super::draft::Draft;
use super::engine::Engine;
use super::existing::existing;
use super::fixed::{assume_unchanged, drifted_warning, late_replacement};
use super::kept::{Kept, kept, kept_by_create, plan_kept};
use super::origin::origin;
use super::paths::diagnostics;
use super::private::{Origin, Private};
use super::public_subnet;
use super::recall::{Recall, Recalled, announcement, is_broken_off, is_unfinished};
use super::replaced::{self, own_ids};
use super::settle::{Ground, settle};
use super::settle_options::{has_public_ips, inside_cidrs};
use super::spec::{endpoint, link_id, read_zones, search, subscription};
use super::state::planned_tunnel;
use super::static_routing::refuse_plan;
use super::teardown::{announcement as announcement_of, update_removal, whole_removal};
use super::wish::wish;
use crate::aws::model::{Region, TransitGatewayId, VpcId, VpnConnection, VpnGatewayId};
use crate::azure::id::ResourceId;
use crate::link::fault::{Fault, Field, Problem};
use crate::link::ownership::LinkId;
use crate::link::rules::{New, check_fields, check_presence, check_whole};
use crate::link::survey::{Finding, Looked, Site, Survey, SurveyAsk, check};
use crate::link::tunnel::{Instance, TunnelKey};
use crate::link::wish::{Given, Wish};
use crate::plugin::{Diagnostic, Diagnostics, PlanRequest, PlanResponse, Value};
use crate::primitives::tags::check_keys;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// What can be said of a configuration alone.
pub fn validate(config: &Value) -> Diagnostics {
    let wish = wish(config);
    // Warnings depend on whether the link exists, which is not known here.
    let faults = check_fields(&wish).into_iter().chain(check_presence(&wish));
    diagnostics(faults.filter(|fault| !fault.warning))
}

/// The tunnel whose inside CIDR names the link.
const FIRST: TunnelKey = TunnelKey { instance: Instance::Zero, number: 1 };

/// Plans a create, an update or a destroy.
pub async fn plan(engine: &dyn Engine, recall: &Recall, held: &Claims, request: PlanRequest) -> PlanResponse {
    if request.is_destroy() {
        return plan_destroy(engine, recall, request);
    }
    let mut told = validate(&request.config);
    if told.has_errors() {
        return told.into();
    }
    let mut private = Private::read(&request.private);
    if request.is_create() {
        // The plan of the create half of a replacement carries what was remembered of the link that goes.
        private = Private {
            replaces: private.replaces,
            removes: private.removes,
            announced: private.announced,
            replaced: private.replaced,
            holder: private.holder,
            before: private.before,
            ..Private::default()
        };
        replaced::note(&mut private, recall, &request.config, request.may_be_applying);
    } else {
        let before = private.clone();
        private.remember_before(&before);
    }
    let prior = (!request.prior.is_null()).then_some(&request.prior);
    let (config, assumed) = assume_unchanged(&request.config, prior);
    let mut survey = Survey::default();
    let mut draft = settle(&ground(engine, &config, prior, &private, &survey));
    let mut surveyed = true;
    let changed = prior.map(|prior| Changes { prior, planned: &draft.planned });
    let replaced = changed.is_some_and(|changes| !changes.replacing().is_empty());
    // A destroy keeps only the errors of this plan. None is worth keeping the link for.
    let judges = !request.before_destroy;
    let looks = judges && !replaced && changed.is_none_or(Changes::needs_survey);
    if looks {
        let (ask, complete) = ask(engine, &draft.planned, &ground(engine, &config, prior, &private, &survey));
        if !ask.is_empty() {
            survey = match engine.survey(&ask, &request.cancel).await {
                Ok(survey) => survey,
                Err(diagnostics) => return diagnostics.into(),
            };
        }
        surveyed = complete && survey.answers(&ask);
        draft = settle(&ground(engine, &config, prior, &private, &survey));
    }
    if prior.is_none() {
        private.replaces.extend(recall.unfinished_states().iter().flat_map(own_ids));
    }
    let link = link_of(&draft.planned, &private, engine.subscription());
    // A complete link of another name is another resource that has the same slot.
    let same_name = |held: &Recalled| held.state.get("name") == draft.planned.get("name");
    let held_by_state = recall.of(link.as_ref()).filter(|_| prior.is_none());
    let held_by_state = held_by_state.filter(|held| is_unfinished(&held.state) || same_name(held));
    let is_new = prior.is_none() && private.replaces.is_empty() && held_by_state.is_none();
    // A link that the user tainted is deleted before it is created again.
    private.replaces.extend(held_by_state.iter().flat_map(|held| own_ids(&held.state)));
    if let (None, Some(before)) = (&private.before, held_by_state.as_ref().and_then(|held| held.private.as_ref())) {
        private.remember_before(before);
    }
    let left = held_by_state.filter(|held| is_unfinished(&held.state));
    if let Some(recalled) = left {
        if recalled.is_finished_by(&draft.planned) {
            private.finishes = true;
            private.link = recalled.private.as_ref().and_then(|private| private.link.clone());
            private.origin.found = recalled.private.map(|private| private.origin.found).unwrap_or_default();
            told.push(announcement());
        }
    }
    let settled = ground(engine, &config, prior, &private, &survey);
    // A replacement is planned once more without a prior state, which is when its surroundings count.
    let mut faults = if replaced || !judges { Vec::new() } else { judge(&settled, &draft.planned, engine) };
    if prior.is_none() && request.may_be_applying {
        surveyed &= !postpone(&mut faults);
    }
    told.append(diagnostics(faults));
    let origin = if looks {
        origin(&settled, &survey, &draft.planned)
    } else {
        Origin { vpn_gateway_given: settled.vpn_gateway_given(), ..private.origin.clone() }
    };
    private.origin = origin;
    private.keeps = match prior {
        None => kept_by_create(&draft.planned, &private, recall, link.as_ref()),
        Some(_) => None,
    };
    private.surveyed = surveyed;
    let kept = prior.map(|prior| Changes { prior, planned: &draft.planned });
    let kept = kept.filter(|_| judges);
    kept.and_then(|changes| refuse_plan(&private, changes)).into_iter().for_each(|refusal| told.push(refusal));
    let holder = Holder::of(prior, &private, &request.config);
    let claim = claims::claim(&draft.planned, prior, &private, engine.subscription());
    if let Some(claim) = claim.filter(|_| judges) {
        let mut own = private.replaces.clone();
        own.extend(prior.into_iter().flat_map(own_ids));
        let taken = claims::taken(&survey, &own);
        let clash = held.plan(&holder, claim, &taken);
        if !told.has_errors() {
            told.append(clash);
        }
        if is_new && private.keeps.is_none() && survey.group != Looked::Not {
            // A complete link also is what other findings are about, such as a VPC that has a VPN gateway.
            let found = existing(engine, &draft.planned, &private, &taken, &request.cancel).await;
            let postponed = request.may_be_applying && found.has_errors();
            private.surveyed &= !postponed;
            told.append(if postponed { as_warnings(found) } else { found });
        }
    }
    private.holder = Some(holder.as_str().to_owned());
    if told.has_errors() {
        return told.into();
    }
    let requires_replace = match prior {
        None => {
            if !private.finishes && !private.announced {
                told.extend(replaced::announced(
                    &private,
                    recall,
                    link.as_ref(),
                    engine.subscription(),
                    &draft.planned,
                ));
            }
            let unrepeatable = replaced::unrepeatable(&private, &request.config).filter(|_| !private.finishes);
            private.unrepeatable = unrepeatable.map(str::to_owned);
            told.extend(unrepeatable.map(|path| {
                let (summary, detail) = replaced::unrepeatable_words(path);
                Diagnostic::warning(summary).detail(detail).at(path)
            }));
            fresh(&mut draft);
            let may_be_create_first = request.may_be_applying && !request.skips_refresh;
            plan_kept(&mut draft, &private, recall, link.as_ref().filter(|_| may_be_create_first));
            (private.announced, private.replaced) = (false, None);
            Vec::new()
        }
        Some(prior) => {
            renew(&mut draft, prior, &private);
            let changes = Changes { prior, planned: &draft.planned };
            let refreshed = recall.is_refreshed(link_of(prior, &private, engine.subscription()).as_ref());
            if let Some(path) = changes.replacing().first().filter(|_| request.may_be_applying && !refreshed && judges)
            {
                return Diagnostics::from(late_replacement(path, prior, &draft.planned)).into();
            }
            told.append(changes.warnings(&private));
            told.append(public_subnet::warning(changes).into_iter().collect());
            draft.left.iter().for_each(|path| told.push(drifted_warning(path, &config, prior)));
            // Terraform may replace it though nothing here asks for that: the next plan has these bytes and no prior state.
            private.replaces = own_ids(prior);
            private.removes = whole_removal(prior, &private, engine.subscription());
            let replacing = changes.replacing();
            private.announced = !replacing.is_empty();
            let mut stays = None;
            let removed = if private.announced {
                private.replaced = link_of(prior, &private, engine.subscription());
                let whole = private.removes.clone();
                stays = kept_by_replacement(engine, &config, changes, &private);
                stays.as_ref().map_or(whole.clone(), |kept| kept.removed(whole))
            } else {
                let seen = recall.seen(link.as_ref());
                update_removal(changes, &private, seen.as_ref(), engine.subscription(), engine.default_tags())
            };
            told.extend(announcement_of(&removed, stays.as_ref(), prior));
            if !private.announced {
                told.extend(replaced::on_request(&private.removes, &request.replaced, prior));
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
        diagnostics: told,
    }
}

/// A destroy needs no plan but for what it announces.
fn plan_destroy(engine: &dyn Engine, recall: &Recall, request: PlanRequest) -> PlanResponse {
    let private = Private::read(&request.private);
    let link = link_of(&request.prior, &private, engine.subscription());
    let outlived = recall.is_outlived(&request.prior, link.as_ref());
    let removed = (!outlived).then(|| whole_removal(&request.prior, &private, engine.subscription()));
    // That replacement did not come.
    let private = if private.unrepeatable.is_some() {
        Private { unrepeatable: None, ..private }.write()
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
fn kept_by_replacement(engine: &dyn Engine, config: &Value, changes: Changes<'_>, private: &Private) -> Option<Kept> {
    let (fresh, survey) = (Private::default(), Survey::default());
    let created = settle(&ground(engine, config, None, &fresh, &survey)).planned;
    kept(changes, private, link_of(&created, &fresh, engine.subscription()).as_ref())
}

/// What settings are made from, for a request.
pub fn ground<'c, 'g>(
    engine: &dyn Engine,
    config: &'c Value,
    prior: Option<&'g Value>,
    private: &'g Private,
    survey: &'g Survey,
) -> Ground<'c, 'g> {
    Ground { config, prior, private, survey, default_region: engine.default_region() }
}

/// What to look at before a link is made or moved, and whether all of it is known by now.
pub fn ask(engine: &dyn Engine, settled: &Value, ground: &Ground<'_, '_>) -> (SurveyAsk, bool) {
    let wish = wish(settled);
    let subscription = subscription(settled, engine.subscription());
    let resource = |id: &Given<String>| id.known().and_then(|id| ResourceId::parse(id).ok());
    let composed = || {
        let name = wish.network.known()?.name.known()?;
        Some(ResourceId::network(subscription.as_ref()?, wish.group.known()?, "virtualNetworks", name))
    };
    let gateway_given = ground.azure_gateway_given();
    let (vpn_gateway_given, on_transit_gateway) = (ground.vpn_gateway_given(), ground.on_transit_gateway());
    let region = wish.region.known().cloned().map(Region);
    let in_region = |id: &Given<String>, given: bool| id.known().filter(|_| given && region.is_some()).cloned();
    let ask = SurveyAsk {
        resource_group: wish.group.known().filter(|_| subscription.is_some()).cloned(),
        network: resource(&wish.network_id).or_else(composed),
        gateway: resource(&wish.gateway_id).filter(|_| gateway_given),
        first_cidr: inside_cidrs(settled)
            .map(|cidrs| *cidrs.get(FIRST))
            .filter(|_| (gateway_given || vpn_gateway_given) && ground.prior.is_none()),
        link: link_of(settled, ground.private, engine.subscription())
            .filter(|_| vpn_gateway_given && ground.prior.is_some()),
        vpc: in_region(&wish.vpc_id, true).map(VpcId),
        vpn_gateway: in_region(&wish.vpn_gateway_id, vpn_gateway_given).map(VpnGatewayId),
        transit_gateway: in_region(&wish.transit_gateway_id, on_transit_gateway).map(TransitGatewayId),
        own_vpn_gateway: own_vpn_gateway(settled, ground),
        region,
        subscription,
    };
    let needs = |given: bool, asked: bool| !given || asked;
    let configured = super::wish::wish(ground.config);
    let complete = ask.resource_group.is_some()
        && needs(gateway_given, ask.gateway.is_some())
        && needs(vpn_gateway_given, ask.vpn_gateway.is_some())
        && needs(on_transit_gateway, ask.transit_gateway.is_some())
        && needs(!configured.network_id.is_absent() || !configured.network.is_absent(), ask.network.is_some())
        && needs(!configured.vpc_id.is_absent(), ask.vpc.is_some())
        && inside_cidrs(settled).is_some()
        && ground.config.get("azure").is_known()
        && ground.config.get("aws").is_known()
        && configured.create_group != Given::Unknown;
    (ask, complete)
}

/// The VPN gateway that this link made, where the inside CIDRs of its tunnels change.
fn own_vpn_gateway(settled: &Value, ground: &Ground<'_, '_>) -> Option<VpnGatewayId> {
    let changes = Changes { prior: ground.prior?, planned: settled };
    let stays = !ground.vpn_gateway_given() && !ground.on_transit_gateway() && !changes.aws_anew();
    let id = settled.at(&"aws.vpn_gateway_id".into()).as_str().filter(|_| stays && changes.at("inside_cidrs"))?;
    Some(VpnGatewayId(id.to_owned()))
}

/// The BGP addresses that a link put on its Azure gateway: not those that were listed there before.
fn own_addresses(ground: &Ground<'_, '_>) -> BTreeSet<Ipv4Addr> {
    let (private, prior) = (ground.private, ground.prior);
    let cidrs = [Some(&private.applied), prior].into_iter().flatten().filter_map(inside_cidrs).collect::<Vec<_>>();
    let placed = cidrs.iter().flat_map(|all| all.iter().map(|(_, cidr)| cidr.azure_ip()));
    let former = private.former.iter().map(|(_, ip)| *ip);
    placed.chain(former).filter(|ip| !private.origin.found.contains(ip)).collect()
}

/// Everything that is wrong with a settled plan.
pub fn judge(ground: &Ground<'_, '_>, settled: &Value, engine: &dyn Engine) -> Vec<Fault> {
    let (configured, planned) = (wish(ground.config), wish(settled));
    let (azure_given, vpn_given) = (ground.azure_gateway_given(), ground.vpn_gateway_given());
    let on_transit_gateway = ground.on_transit_gateway();
    let changes = ground.prior.map(|prior| Changes { prior, planned: settled });
    let changed = |paths: &[&str]| {
        changes.is_none_or(|c| paths.iter().any(|path| c.at(path) && !ground.config.at(&(*path).into()).is_null()))
    };
    let new = New {
        azure_gateway: !azure_given && changed(&["azure.sku", "azure.generation"]),
        azure_asn: !azure_given && changed(&["azure.asn"]),
        aws_asn: !vpn_given && !on_transit_gateway && changed(&["aws.asn"]),
        acceleration: changed(&["aws.enable_acceleration"]),
        dialling: changed(&["azure.connection_mode", "aws.startup_action", "aws.dpd_timeout_action"]),
    };
    let mut faults = check_whole(&planned, new);
    for fault in faults.iter_mut().filter(|fault| matches!(fault.problem, Problem::AsnsEqual(_))) {
        // Said where somebody wrote it.
        if configured.azure_asn.is_absent() && !configured.aws_asn.is_absent() {
            fault.field = Field::AwsAsn;
        }
    }
    let of_fields = |fault: &Fault| !is_name(&fault.field) && (!fault.warning || ground.prior.is_none());
    faults.extend(check_fields(&planned).into_iter().filter(of_fields));
    if let (Some(changes), true) = (changes, azure_given) {
        faults.extend(differs_from_given(changes, &configured));
    }
    if let Some(changes) = changes {
        faults.extend(pinned(changes, ground));
    }
    faults.extend(fixed_zones(ground, settled));
    let (defaults, own) = (engine.default_tags(), planned.tags.known());
    // Those of the resource alone were checked before.
    if !defaults.is_empty()
        && let Some(fault) = check_keys(defaults.keys().chain(own.into_iter().flat_map(|tags| tags.keys())))
    {
        faults.push(Fault::error(Field::Tags, Problem::Tag(fault)));
    }
    let link = link_of(settled, ground.private, engine.subscription());
    let mut own = ground.private.replaces.clone();
    own.extend(ground.prior.into_iter().flat_map(own_ids));
    let own_addresses = own_addresses(ground);
    let of_plan = Origin { vpn_gateway_given: vpn_given, ..ground.private.origin.clone() };
    let moves_to = ground.prior.and_then(|_| endpoint(settled, &Private { origin: of_plan, ..Private::default() }));
    let site = Site {
        own_addresses: &own_addresses,
        configured: &configured,
        planned: &planned,
        link: link.as_ref(),
        own: &own,
        azure_gateway_given: azure_given,
        vpn_gateway_given: vpn_given,
        on_transit_gateway,
        moves_to: moves_to.as_ref(),
        allow_overlap: settled.get("allow_overlapping_prefixes").as_bool().unwrap_or_default(),
    };
    let existing = ground.prior.is_some();
    // The subnet of a gateway that exists cannot be resized: a warning at every change would help nobody.
    let settled_subnet = |fault: &Fault| existing && matches!(fault.problem, Problem::GatewaySubnetSmall(_));
    faults.extend(check(site, ground.survey).into_iter().filter(|fault| !settled_subnet(fault)));
    let claims_new = ground.prior.is_none() && configured_true(ground.config, "manage_gateways");
    if claims_new && azure_given && (vpn_given || on_transit_gateway) {
        faults.push(Fault::error(Field::ManageGateways, Problem::Surroundings(Finding::ClaimAtCreate)));
    }
    if ground.claims(settled) {
        let ids = &own;
        let own = |c: &&crate::azure::model::Connection| {
            let tagged = link.as_ref().is_some_and(|link| link.is_on(&c.resource.tags));
            tagged || ids.iter().any(|id| id.eq_ignore_ascii_case(c.resource.id.as_str()))
        };
        let own_vpn = |vpn: &&VpnConnection| {
            link.as_ref().is_some_and(|link| link.is_on(&vpn.tags)) || ids.contains(&vpn.id.0) || !vpn.state.is_living()
        };
        let connections = ground.survey.connections.iter().filter(|c| !own(c)).map(|c| c.resource.id.to_string());
        // A transit gateway is nobody's to claim.
        let vpns = ground.survey.vpn_connections.iter().filter(|vpn| !on_transit_gateway && !own_vpn(vpn));
        let vpns = vpns.map(|vpn| vpn.id.to_string());
        let foreign: Vec<String> = connections.chain(vpns).collect();
        if !foreign.is_empty() {
            let finding = Finding::Shared(foreign.join(", "));
            faults.push(Fault::error(Field::ManageGateways, Problem::Surroundings(finding)));
        }
    }
    faults
}

fn configured_true(config: &Value, name: &str) -> bool {
    config.get(name).as_bool() == Some(true)
}

/// Names were judged where they are configured; those made from a name that was fine are fine.
fn is_name(field: &Field) -> bool {
    matches!(field, Field::Name | Field::AzureName(_) | Field::AwsName(_))
}

/// A given gateway is as it is: what the state read from it cannot be configured otherwise.
fn differs_from_given(changes: Changes<'_>, configured: &Wish) -> Vec<Fault> {
    let has = |path: &str| changes.prior.at(&path.into());
    let shown = |value: &Value| {
        value.as_str().map(str::to_owned).or_else(|| value.as_number().map(ToString::to_string)).unwrap_or_default()
    };
    let checks = [
        ("azure.sku", Field::Sku, "SKU", configured.sku.known().is_some()),
        ("azure.generation", Field::Generation, "generation", configured.generation.known().is_some()),
        ("azure.asn", Field::AzureAsn, "ASN", configured.azure_asn.known().is_some()),
    ];
    let differs =
        checks.into_iter().filter(|(path, _, _, configured)| *configured && changes.at(path) && has(path).is_set());
    let same_gateway = !changes.at("azure.gateway_id");
    let fault = |(path, field, noun, _): (&str, Field, &'static str, bool)| {
        Fault::error(field, Problem::Surroundings(Finding::GatewayHas(noun, shown(has(path)))))
    };
    if same_gateway { differs.map(fault).collect() } else { Vec::new() }
}

/// Availability zones that cannot become those of public IPs that exist.
fn fixed_zones(ground: &Ground<'_, '_>, settled: &Value) -> Option<Fault> {
    let configured = ground.config.at(&"azure.zones".into()).is_set();
    let fault = |problem| Some(Fault::error(Field::Zones, problem));
    let Some(prior) = ground.prior else {
        let given = configured && ground.azure_gateway_given();
        return if given { fault(Problem::ZonesOfGivenGateway) } else { None };
    };
    let replaced = !Changes { prior, planned: settled }.replacing().is_empty();
    let zones = |value: &Value| read_zones(value.at(&"azure.zones".into()));
    let (has, wants) = (zones(prior)?, zones(settled)?);
    if has == wants || replaced || !has_public_ips(prior) {
        return None;
    }
    let has = match has.is_empty() {
        true => "no availability zone".to_owned(),
        false => format!("availability zones {}", has.into_iter().collect::<Vec<_>>().join(", ")),
    };
    fault(Problem::ZonesFixed { has })
}

/// An id in the configuration pins an object that another change would replace.
fn pinned(changes: Changes<'_>, ground: &Ground<'_, '_>) -> Option<Fault> {
    let configured = |path: &str| ground.config.at(&path.into()).is_set();
    let set = |path: &str| changes.prior.at(&path.into()).is_set();
    let stays = |path: &str| configured(path) && !changes.at(path);
    let ends = [("aws.vpn_gateway_id", "vpn_gateway_id"), ("aws.transit_gateway_id", "transit_gateway_id")];
    if let Some((_, name)) = ends.into_iter().find(|(path, _)| stays(path))
        && changes.at("aws.asn")
        && set("aws.asn")
    {
        return Some(Fault::error(Field::AwsAsn, Problem::Pinned(name)));
    }
    let redrawn = changes.at("aws.vpc.cidr_block") && set("aws.vpc.cidr_block");
    (redrawn && configured("aws.vpc_id") && !changes.at("aws.vpc_id"))
        .then(|| Fault::error(Field::VpcCidr, Problem::Pinned("vpc_id")))
}

/// The ownership tag's value of a link, as far as its settings tell it by now.
pub fn link_of(settled: &Value, private: &Private, subscription: Option<String>) -> Option<LinkId> {
    let found = search(settled, private, subscription, false)?;
    found.link.or_else(|| Some(link_id(settled, private, &found.known.network?, *found.inside_cidrs.get(FIRST))))
}

/// Computed attributes of a new link.
fn fresh(draft: &mut Draft<'_>) {
    for path in [
        "id",
        "managed",
        "azure.subnet_ids",
        "azure.public_ip_addresses",
        "aws.public_subnet_id",
        "aws.main_route_table_id",
    ] {
        draft.fill(path, Value::unknown());
    }
    draft.fill("drift", Value::List(Vec::new()));
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
fn renew(draft: &mut Draft<'_>, prior: &Value, private: &Private) {
    let changes = Changes { prior, planned: &draft.planned.clone() };
    let before = |path: &str| prior.at(&path.into()).clone();
    let or_unknown = |value: Value| if value.is_null() { Value::unknown() } else { value };
    draft.fill("id", or_unknown(before("id")));
    draft.fill("drift", Value::List(Vec::new()));
    // Mending may add to what is managed: propagation that somebody switched off, for one.
    let drifted = prior.get("drift").as_list().is_some_and(|found| !found.is_empty());
    let mut anew = changes.managing() || drifted;
    let tunnels = TunnelKey::ALL.map(|key| {
        let renewed = changes.renewed(key, private, is_broken_off(prior));
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
    let vpc_anew = !draft.at("aws.vpc_id").is_known() || changes.at("aws.vpc_id") || changes.at("aws.region");
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
    let same = whole && !changes.at("azure.virtual_network.subnets") && draft.at("azure.virtual_network_id").is_known();
    draft.fill("azure.subnet_ids", if same { ids } else { Value::unknown() });
    draft.fill("managed", if anew { Value::unknown() } else { before("managed") });
}
