//! How a run shows that it is alive while its link is unfinished: a tag on a customer gateway that changes every minute. Whoever
//! finds a half-built link watches it for longer than that before going on with it.

use super::act::Acting;
use super::cause::Cause;
use super::clouds::{Limits, Site};
use super::observe::observe;
use crate::aws::Waits;
use crate::aws::model::CustomerGateway;
use crate::link::observed::Observed;
use crate::link::ownership::{PULSE, UNFINISHED};
use crate::link::search::Search;
use crate::link::tunnel::Instance;
use crate::primitives::{Deadline, Tags};
use futures::future::{Either, select};
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex as Cell, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Between two beats.
const BEAT: Duration = Duration::from_secs(60);
/// Until the first one is tried, and tried again while there is nothing to put it on.
const FIRST: Duration = Duration::from_secs(15);

/// How long a half-built link has to stand still before it is taken over, where it never had a beat: its run died early.
const WATCH: Duration = Duration::from_secs(10);
/// The same where it had one: a beat, and the time until it shows.
const STILL: Duration = Duration::from_secs(75);
/// Within this time every created object is listed. EC2 is eventually consistent and states no limit; clients wait for seconds
/// (2026-11).
const VISIBLE: Duration = Duration::from_secs(60);

/// The beats of one run.
#[derive(Default)]
pub struct Pulse {
    /// Held during a beat.
    stopped: Mutex<bool>,
    unheard: Cell<Option<Cause>>,
}

impl Pulse {
    /// Does the work and beats meanwhile.
    pub async fn beside<T>(&self, acting: &Acting<'_>, work: impl Future<Output = T>) -> T {
        match select(pin!(work), pin!(self.beat(acting))).await {
            Either::Left((done, _)) => done,
            Either::Right((never, _)) => match never {},
        }
    }

    /// No beat is under way any more, and none will be.
    pub async fn stop(&self) {
        *self.stopped.lock().await = true;
    }

    /// Why the last beat was not heard, where it was not.
    pub fn unheard(self) -> Option<Cause> {
        self.unheard.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    async fn beat(&self, acting: &Acting<'_>) -> std::convert::Infallible {
        let mut pause = FIRST;
        loop {
            tokio::time::sleep(pause).await;
            let stopped = self.stopped.lock().await;
            if *stopped || acting.limits.cancel.is_cancelled() {
                drop(stopped);
                return std::future::pending().await;
            }
            let Some((instance, customer)) = acting.seen(bearer) else { continue };
            pause = BEAT;
            let beat = Tags::from([(PULSE.to_owned(), (beats(&customer) + 1).to_string())]);
            // One that takes longer than the next one is none. The create goes on, and says so at its end.
            let waits = Waits { cancel: acting.limits.cancel.clone(), deadline: Deadline::fixed(BEAT) };
            let heard = acting.site.ec2.create_tags(&waits, &[customer.id.0], &beat).await;
            acting.note(|seen| {
                seen.aws.customer_gateways.get_mut(instance).iter_mut().for_each(|c| c.tags.extend(beat.clone()));
            });
            let unheard = heard.err().map(Cause::from).filter(|cause| !cause.is_cancelled());
            *self.unheard.lock().unwrap_or_else(PoisonError::into_inner) = unheard;
        }
    }
}

/// The customer gateway that carries the beat.
fn bearer(seen: &Observed) -> Option<(Instance, CustomerGateway)> {
    let customers = seen.aws.customer_gateways.iter().filter_map(|(instance, c)| Some((instance, c.clone()?)));
    customers.into_iter().find(|(_, customer)| customer.tags.contains_key(UNFINISHED))
}

fn beats(customer: &CustomerGateway) -> u64 {
    customer.tags.get(PULSE).and_then(|beats| beats.parse().ok()).unwrap_or_default()
}

/// What would tell that somebody is at a link, in words.
fn signs(seen: &Observed) -> (BTreeSet<String>, bool) {
    let mut signs: BTreeSet<String> = seen.ids().into_iter().map(|id| format!("{id} appeared")).collect();
    let customers = seen.aws.customer_gateways.iter().filter_map(|(_, customer)| customer.as_ref());
    let marked = customers.filter(|customer| customer.tags.contains_key(PULSE));
    let marks: Vec<String> = marked.map(|c| format!("the mark on {} became {}", c.id, beats(c))).collect();
    let beaten = !marks.is_empty();
    signs.extend(marks);
    (signs, beaten)
}

/// Waits until a half-built link stands still, and says what it is then. What was made right before its run died may become
/// visible only by and by; what appears after that is made by somebody who is still building.
///
/// # Errors
/// `StillBuilding`; what reading answers.
pub async fn stands_still(
    site: &Site,
    search: &Search,
    limits: &Limits,
    mut seen: Observed,
) -> Result<Observed, Cause> {
    let (begun, mut changed) = (Instant::now(), Instant::now());
    let (mut known, mut beaten) = signs(&seen);
    while changed.elapsed() < if beaten { STILL } else { WATCH } {
        limits.aws().sleep("Watch", "the half-built link", WATCH).await?;
        let late = begun.elapsed() > VISIBLE;
        seen = observe(site, search, limits).await?;
        let (now, beats) = signs(&seen);
        if let Some(sign) = now.iter().find(|sign| !known.contains(*sign)) {
            if late {
                return Err(Cause::StillBuilding { sign: sign.clone() });
            }
            changed = Instant::now();
        }
        (known, beaten) = (now, beaten || beats);
    }
    Ok(seen)
}
