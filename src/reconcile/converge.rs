//! The loop: observe, decide, act, observe again, until nothing is left to do or something failed.

use super::act::{Acting, act};
use super::cause::Cause;
use super::clouds::{Clouds, Limits, Site};
use super::create_check::may_create;
use super::denied::{Denial, Denied};
use super::foreign::taken_names;
use super::hand_over::hand_over;
use super::observe::observe;
use super::preflight::preflight;
use super::pulse::{Pulse, stands_still};
use super::run::{OnFailure, run};
use super::stage::Exchange;
use crate::aws::Filter;
use crate::aws::model::VpnGatewayId;
use crate::link::adoption::{Adoption, adopted};
use crate::link::blockers::Own;
use crate::link::decide::decide;
use crate::link::known::Known;
use crate::link::managed::Kind;
use crate::link::observed::Observed;
use crate::link::ownership::{LinkId, Standing, standing};
use crate::link::search::{Demolition, Search};
use crate::link::spec::Spec;
use crate::link::step::{Object, Step, StepId, Verb};
use crate::link::vpn_connection::static_routed;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Rounds of the loop before what still differs is reported: the second sees what the first could not know.
const ROUNDS: usize = 4;

/// A step that failed, or the reading before and after (`step` is None).
#[derive(Debug)]
pub struct Failure {
    pub step: Option<Step>,
    pub cause: Cause,
}

/// What there is now, what was done, and what went wrong.
#[derive(Debug, Default)]
pub struct Ended {
    pub observed: Observed,
    pub done: Vec<StepId>,
    /// What exists now and did not before this run: also what a step began to make and did not finish.
    pub made: BTreeSet<Object>,
    pub failures: Vec<Failure>,
    /// Somebody asked to stop before everything was done.
    pub cancelled: bool,
    /// What still differs after every step ended well.
    pub unsettled: Vec<Step>,
    /// It was a create: no state knew of any tunnel.
    pub creates: bool,
    /// A create found this link half built, by its tags, and went on from there.
    pub resumed: bool,
    /// Ids of the objects that it took over and that no state named.
    pub adopted: Vec<String>,
    /// Why the run could not show that it was alive: another one may have taken it for dead.
    pub unheard: Option<Cause>,
    /// Reads that the credentials may not make, and without which the work was done.
    pub denied: Vec<Denial>,
}

/// Told after every step that ended well.
pub type Progress<'a> = &'a (dyn Fn(&Observed) + Send + Sync);

/// Builds, repairs or changes the link until it is as the spec says.
pub async fn converge(clouds: &Clouds, spec: &Spec, search: &Search, limits: &Limits, told: Progress<'_>) -> Ended {
    let (pulse, denied) = (Pulse::default(), Denied::default());
    let ended = Box::pin(rounds(clouds, spec, search, limits, (&pulse, &denied), told)).await;
    Ended { creates: is_to_be_made(&search.known), unheard: pulse.unheard(), denied: denied.all(), ..ended }
}

async fn rounds(
    clouds: &Clouds,
    spec: &Spec,
    search: &Search,
    limits: &Limits,
    (pulse, denied): (&Pulse, &Denied),
    told: Progress<'_>,
) -> Ended {
    let (mut search, spec) = (search.clone(), &mut spec.clone());
    if search.adoption.endpoints.is_empty() {
        search.adoption = Adoption::of(spec);
    }
    let site = match clouds.site(Some(&spec.aws.region), limits).await {
        Ok(site) => site,
        Err(cause) => return stopped(Observed::default(), cause),
    };
    let to_be_made = is_to_be_made(&search.known);
    let (mut whole, mut at_first) = (Ended::default(), BTreeSet::new());
    let mut exchange = Exchange::default();
    for round in 0.. {
        let mut seen = match observe(&site, &search, limits).await {
            Ok(seen) => seen,
            Err(cause) => {
                let made = made(&whole.done, &whole.observed, &at_first);
                return Ended { done: whole.done, made, ..stopped(whole.observed, cause) };
            }
        };
        if round == 0 && to_be_made {
            let failures = taken_names(spec, &seen);
            if !failures.is_empty() {
                return Ended { failures, ..Ended::default() };
            }
            if let Err(cause) = may_create(&site, spec, &search, &seen, limits).await {
                return stopped(Observed::default(), cause);
            }
            if search.adoption.handed_over && standing(&seen) == Standing::New {
                // What there is was left in place by this run.
            } else {
                whole.resumed = standing(&seen) != Standing::New || is_begun(&seen, &spec.link);
                whole.adopted = adopted(&search, &seen);
            }
        }
        if round == 0 && whole.resumed {
            seen = match stands_still(&site, &search, limits, seen).await {
                Ok(seen) => seen,
                Err(cause) => return stopped(Observed::default(), cause),
            };
        }
        if round == 0 {
            at_first = seen.ids();
        }
        let fixed: Vec<String> = static_routed(&seen).map(ToString::to_string).collect();
        if !fixed.is_empty() {
            return Ended { done: whole.done, ..stopped(seen, Cause::StaticRouting { ids: fixed }) };
        }
        let (staged, rounds) = match exchange.spec(&site, spec, &seen, limits).await {
            Ok(next) => next,
            Err(cause) => return Ended { done: whole.done, ..stopped(seen, cause) },
        };
        if rounds == ROUNDS {
            break;
        }
        let steps = decide(&staged, &seen);
        if steps.is_empty() {
            return Ended { observed: seen, ..whole };
        }
        if let Err(cause) = preflight(&site, &steps, &Own::of_update(&staged, &seen), &seen, limits).await {
            return Ended { done: whole.done, ..stopped(whole.observed, cause) };
        }
        let ended = one_round(&site, Work::Build(&staged, pulse, denied), &search, (seen, steps), limits, told).await;
        search.known.learn(&ended.observed);
        if withdrew(&ended.done) {
            spec.former.addresses.retain(|place| !staged.former.addresses.contains(place));
            exchange.withdrew(&staged.former.addresses);
        }
        whole.done.extend(ended.done);
        whole.observed = ended.observed;
        if !ended.failures.is_empty() || ended.cancelled {
            let (failures, cancelled) = (ended.failures, ended.cancelled);
            let observed = look_once_more(&site, &search, &at_first, whole.observed).await;
            let made = made(&whole.done, &observed, &at_first);
            return Ended { observed, made, failures, cancelled, ..whole };
        }
    }
    whole.made = made(&whole.done, &whole.observed, &at_first);
    whole.unsettled = decide(spec, &whole.observed);
    // Somebody else's change of a shared gateway is nothing to wait for any more.
    whole.unsettled.retain(|step| step.object != Object::Gateway || step.verb != Verb::Await);
    whole
}

/// What was made: by steps that ended well, and what else exists that did not at first.
fn made(done: &[StepId], observed: &Observed, at_first: &BTreeSet<String>) -> BTreeSet<Object> {
    let finished = done.iter().filter(|(_, verb)| *verb == Verb::Create).map(|(object, _)| object.clone());
    let begun = observed.placed().into_iter().filter(|(_, id)| !at_first.contains(id)).map(|(object, _)| object);
    finished.chain(begun).collect()
}

/// Whether this link's addresses were taken off the gateway. While somebody changes a gateway it does not show what it
/// lists, so this is asked once only.
fn withdrew(done: &[StepId]) -> bool {
    done.iter().any(|(object, _)| *object == Object::OwnAddresses)
}

/// Whether the state knows nothing of the tunnels: a create, or what comes after a replacement.
fn is_to_be_made(known: &Known) -> bool {
    known.vpns.iter().all(|(_, id)| id.is_none())
        && known.local_gateways.iter().all(|(_, id)| id.is_none())
        && known.connections.iter().all(|(_, id)| id.is_none())
}

/// Whether an earlier create made anything of this link that it would not make again.
fn is_begun(seen: &Observed, link: &LinkId) -> bool {
    let (azure, aws) = (&seen.azure, &seen.aws);
    let network = azure.network.iter().map(|network| &network.resource.tags);
    let ips = azure.public_ips.iter().filter_map(|(_, ip)| Some(&ip.as_ref()?.resource.tags));
    let gateway = azure.gateway.iter().map(|gateway| &gateway.resource.tags);
    let ends = aws.vpc.iter().map(|vpc| &vpc.tags).chain(aws.gateway.iter().map(|gateway| &gateway.tags));
    network.chain(ips).chain(gateway).chain(ends).any(|tags| link.is_on(tags))
}

/// What the steps of a round are for.
#[derive(Clone, Copy)]
enum Work<'a> {
    Build(&'a Spec, &'a Pulse, &'a Denied),
    TakeDown(&'a Demolition),
}

async fn one_round(
    site: &Site,
    work: Work<'_>,
    search: &Search,
    (seen, steps): (Observed, Vec<Step>),
    limits: &Limits,
    told: Progress<'_>,
) -> Ended {
    let inner = limits.child();
    let (before, board) = (seen.clone(), Mutex::new(seen));
    let (spec, pulse, demolition) = match work {
        Work::Build(spec, pulse, _) => (Some(spec), Some(pulse), None),
        Work::TakeDown(what) => (None, None, Some(what)),
    };
    let unused = Denied::default();
    let denied = if let Work::Build(_, _, denied) = work { denied } else { &unused };
    let (limits_of_step, before) = (&inner, &before);
    let acting =
        Acting { site, spec, demolition, search, board: &board, before, limits: limits_of_step, pulse, denied };
    let on_failure = if demolition.is_some() { OnFailure::GoOn } else { OnFailure::Stop };
    let running = run(steps, |step| act_and_tell(&acting, step, told), on_failure, &inner.cancel);
    let ran = match pulse {
        Some(pulse) => pulse.beside(&acting, running).await,
        None => running.await,
    };
    ended(ran, board, limits)
}

/// Deletes what the demolition names. Goes on past failures, and looks again until nothing is left or nothing moves.
pub async fn demolish(
    clouds: &Clouds,
    what: &Demolition,
    search: &Search,
    limits: &Limits,
    told: Progress<'_>,
) -> Ended {
    let site = match clouds.site(Some(&what.region), limits).await {
        Ok(site) => site,
        Err(cause) => return stopped(Observed::default(), cause),
    };
    let mut what = match propagation_spared(&site, what, limits).await {
        Ok(what) => what,
        Err(cause) => return stopped(Observed::default(), cause),
    };
    let search = Search { read_keys: false, ..search.clone() };
    let mut whole = Ended::default();
    for round in 0..ROUNDS {
        let seen = match observe(&site, &search, limits).await {
            Ok(seen) => seen,
            Err(cause) => return Ended { done: whole.done, ..stopped(whole.observed, cause) },
        };
        let steps = crate::link::demolish::demolish(&what, &seen);
        if steps.is_empty() {
            if let Some(to) = &what.hands_over
                && let Err(cause) = hand_over(&site, &what.link, to, &seen, limits).await
            {
                return Ended { done: whole.done, ..stopped(seen, cause) };
            }
            return Ended { observed: seen, ..whole };
        }
        if round == 0
            && let Err(cause) = preflight(&site, &steps, &Own::of_teardown(&what), &seen, limits).await
        {
            return stopped(Observed::default(), cause);
        }
        let there = seen.ids();
        let ended = one_round(&site, Work::TakeDown(&what), &search, (seen, steps), limits, told).await;
        if withdrew(&ended.done) {
            what.own_addresses.clear();
        }
        whole.done.extend(ended.done);
        whole.observed = ended.observed;
        if !ended.failures.is_empty() || ended.cancelled {
            let (failures, cancelled) = (ended.failures, ended.cancelled);
            let observed = look_once_more(&site, &search, &there, whole.observed).await;
            return Ended { observed, failures, cancelled, ..whole };
        }
    }
    whole.unsettled = crate::link::demolish::demolish(&what, &whole.observed);
    whole
}

/// Routes that other VPN connections of the VPN gateway bring stay in the tables.
async fn propagation_spared(site: &Site, what: &Demolition, limits: &Limits) -> Result<Demolition, Cause> {
    let mut what = what.clone();
    let gateways = what.managed.ids(Kind::AwsRoutePropagation).filter_map(|id| Some(id.split_once('/')?.1.to_owned()));
    for gateway in gateways.collect::<BTreeSet<String>>() {
        let filter = Filter::vpn_gateway(&VpnGatewayId(gateway.clone()));
        let on_it = site.ec2.describe_vpn_connections(&limits.aws(), &filter).await?;
        let ours = |id: &str| what.managed.has(Kind::AwsVpnConnection, id);
        if on_it.iter().any(|vpn| vpn.state.is_living() && !ours(&vpn.id.0))
            && let Some(ids) = what.managed.0.get_mut(&Kind::AwsRoutePropagation)
        {
            ids.retain(|id| !id.ends_with(&format!("/{gateway}")));
        }
    }
    Ok(what)
}

async fn act_and_tell(acting: &Acting<'_>, step: Step, told: Progress<'_>) -> Result<(), Cause> {
    act(acting, &step).await?;
    let seen = acting.seen(Observed::clone);
    told(&seen);
    Ok(())
}

fn ended(ran: super::run::Ran, board: Mutex<Observed>, limits: &Limits) -> Ended {
    let failures = ran.failed.into_iter().map(|(step, cause)| Failure { step: Some(step), cause }).collect();
    let observed = board.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let cancelled = limits.cancel.is_cancelled() && !ran.left.is_empty();
    Ended { observed, done: ran.done, failures, cancelled, ..Ended::default() }
}

fn stopped(observed: Observed, cause: Cause) -> Ended {
    let cancelled = cause.is_cancelled();
    Ended { observed, failures: vec![Failure { step: None, cause }], cancelled, ..Ended::default() }
}

/// After a failure the clouds know better than the board what there is. Some looks of its own, which may fail, until all that
/// this run made shows: right after a create EC2 may not list it yet, and what no state names is made a second time.
async fn look_once_more(site: &Site, search: &Search, at_first: &BTreeSet<String>, board: Observed) -> Observed {
    let limits = Limits::within(Duration::from_secs(5), &CancellationToken::new());
    let made: BTreeSet<String> = board.ids().difference(at_first).cloned().collect();
    let looked = async {
        loop {
            let seen = observe(site, search, &limits).await?;
            if seen.ids().is_superset(&made) {
                return Ok::<_, Cause>(seen);
            }
            limits.aws().sleep("Look", "what was made", Duration::from_millis(500)).await?;
        }
    };
    match looked.await {
        Ok(seen) => seen,
        Err(cause) => {
            tracing::warn!(%cause, "could not look again; the state holds what was known before");
            board
        }
    }
}
