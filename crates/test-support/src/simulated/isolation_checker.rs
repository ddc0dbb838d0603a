//! Looks on at every call of several links and of other people, and holds each to what it may do:
//! no one changes what is another's, a shared gateway only gains and loses the caller's own
//! addresses, and a roll never takes down more than one tunnel at a time.

use super::wire::ACTOR;
use super::{Sim, is_read};
use awsazure_sandbox::http::Request;
use awsazure_sandbox::world::{Exchange, World};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard};

/// The people who may change anything.
pub const OTHERS: &str = "others";

/// An object as far as another user must leave it alone.
#[derive(Clone, Debug, PartialEq)]
struct Object {
    link: Option<String>,
    vpc: Option<String>,
    addresses: BTreeSet<String>,
    leaving: bool,
    rest: Value,
}

#[derive(Default)]
struct Ledger {
    objects: BTreeMap<String, Object>,
    /// Whose a link's tag is.
    links: BTreeMap<String, String>,
    /// Addresses that each link's calls have put on gateways.
    listed: BTreeMap<String, BTreeSet<String>>,
    /// AWS's outside addresses of the links that roll.
    rolls: BTreeMap<String, Vec<Ipv4Addr>>,
    fault: Option<String>,
    calls: u64,
    /// Writes, a line each.
    writes: Vec<String>,
}

/// Clones share the book.
#[derive(Clone)]
pub struct IsolationChecker(Arc<Mutex<Ledger>>);

impl IsolationChecker {
    /// Looks on from now.
    pub fn over(sim: &Sim) -> Self {
        let checker = IsolationChecker(Arc::default());
        checker.ledger().objects = objects(&sim.sandbox.world());
        let watching = checker.clone();
        sim.sandbox.watch(Box::new(move |world, request, exchange| {
            watching.ledger().record(world, request, exchange)
        }));
        checker
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap()
    }

    /// A link with these outside addresses, all up, rolls from now on.
    pub fn roll_begins(&self, actor: &str, outside: Vec<Ipv4Addr>) {
        self.ledger().rolls.insert(actor.to_owned(), outside);
    }

    pub fn roll_ends(&self, actor: &str) {
        self.ledger().rolls.remove(actor);
    }

    /// Every write so far: when, whose, what, and how it was answered.
    pub fn writes(&self) -> Vec<String> {
        self.ledger().writes.clone()
    }

    /// Calls seen; Err: the first that did what it must not.
    pub fn check(&self) -> Result<u64, String> {
        let ledger = self.ledger();
        ledger.fault.clone().map_or(Ok(ledger.calls), Err)
    }
}

impl Ledger {
    fn record(&mut self, world: &World, request: &Request, exchange: &Exchange) {
        self.calls += 1;
        let (actor, call) = (
            request.header(ACTOR).unwrap_or_default().to_owned(),
            &exchange.record,
        );
        let mut found = self.rolls.iter().find_map(|(link, outside)| {
            let down: Vec<_> = outside
                .iter()
                .filter(|ip| world.tunnels.aws_learned(**ip).is_empty())
                .collect();
            (down.len() > 1).then(|| format!("{link} rolls and {down:?} are down"))
        });
        if !is_read(&call.operation) {
            let (seconds, answer) = (
                call.sim_start_ms / 1000,
                call.status.map_or("none".to_owned(), |s| s.to_string()),
            );
            let fault = call.fault.as_deref().unwrap_or_default();
            self.writes.push(format!(
                "{seconds} s {actor} {} {} {answer} {fault}",
                call.operation, call.target
            ));
            let now = objects(world);
            let changes = if actor == OTHERS {
                Ok(())
            } else {
                self.may(&actor, &now)
            };
            found = found.or(changes.err());
            self.objects = now;
        }
        if let (Some(what), None) = (found, &self.fault) {
            self.fault = Some(format!(
                "call {} of {actor}, {} {}: {what}",
                call.n, call.operation, call.target
            ));
        }
    }

    /// Whether a link may have done what is different now.
    fn may(&mut self, actor: &str, now: &BTreeMap<String, Object>) -> Result<(), String> {
        let before = std::mem::take(&mut self.objects);
        let ids: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
        for id in ids {
            match (before.get(id), now.get(id)) {
                (None, Some(new)) => match self.owner(id, new, now, actor) {
                    Some(owner) if owner == actor => {}
                    other => return Err(format!("{id} is new and of {other:?}: {new:?}")),
                },
                // It left by itself some time after the request.
                (Some(old), None) if old.leaving => {}
                (Some(old), new) if new != Some(old) => {
                    let owner = self.owner(id, old, &before, actor);
                    if owner.as_deref() == Some(actor) {
                        self.keeps_addresses_of_others(actor, old, new)?;
                        self.note_addresses(actor, old, new);
                    } else if !self.only_own_addresses(actor, old, new) {
                        return Err(format!(
                            "{id}, which is of {owner:?}: {old:?} became {new:?}"
                        ));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// By its tag, or by what it lies in. A tag that no one has used yet is the caller's.
    fn owner(
        &mut self,
        id: &str,
        object: &Object,
        among: &BTreeMap<String, Object>,
        actor: &str,
    ) -> Option<String> {
        let within = |(home, other): (&String, &Object)| {
            let inside = object.vpc.as_ref() == Some(home) || id.starts_with(&format!("{home}/"));
            other.link.as_ref().filter(|_| inside).cloned()
        };
        let link = object
            .link
            .clone()
            .or_else(|| among.iter().find_map(within))?;
        Some(
            self.links
                .entry(link)
                .or_insert_with(|| actor.to_owned())
                .clone(),
        )
    }

    /// The owner of a gateway leaves it the addresses of the links that are attached to it.
    fn keeps_addresses_of_others(
        &self,
        actor: &str,
        old: &Object,
        new: Option<&Object>,
    ) -> Result<(), String> {
        let now = new.map(|new| new.addresses.clone()).unwrap_or_default();
        let others = self
            .listed
            .iter()
            .filter(|(other, _)| *other != actor)
            .flat_map(|(_, listed)| listed);
        let taken: Vec<&String> = others
            .filter(|ip| old.addresses.contains(*ip) && !now.contains(*ip))
            .collect();
        if taken.is_empty() {
            Ok(())
        } else {
            Err(format!(
                "its owner takes {taken:?} of another link off {old:?}"
            ))
        }
    }

    fn note_addresses(&mut self, actor: &str, old: &Object, new: Option<&Object>) {
        let now = new.map(|new| new.addresses.clone()).unwrap_or_default();
        self.listed
            .entry(actor.to_owned())
            .or_default()
            .extend(now.difference(&old.addresses).cloned());
    }

    fn only_own_addresses(&mut self, actor: &str, old: &Object, new: Option<&Object>) -> bool {
        let Some(new) = new else { return false };
        let same = Object {
            addresses: old.addresses.clone(),
            ..new.clone()
        } == *old;
        let own = self.listed.entry(actor.to_owned()).or_default();
        let fair = old
            .addresses
            .difference(&new.addresses)
            .all(|gone| own.contains(gone));
        own.retain(|address| !old.addresses.contains(address) || new.addresses.contains(address));
        own.extend(new.addresses.difference(&old.addresses).cloned());
        same && fair
    }
}

fn objects(world: &World) -> BTreeMap<String, Object> {
    let rows = world.azure.objects().into_iter().chain(world.aws.objects());
    rows.map(|mut row| {
        let text = |name: &str| row[name].as_str().map(str::to_owned);
        let leaving = matches!(
            row["state"].as_str(),
            Some("deleting" | "deleted" | "Deleting")
        );
        let (id, vpc) = (
            text("id").unwrap_or_default().to_lowercase(),
            text("vpc_id"),
        );
        let link = row["tags"]["awsazure:link"].as_str().map(str::to_owned);
        let listed = row["custom_bgp_addresses"].as_array().into_iter().flatten();
        let addresses = listed
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        for volatile in [
            "propagating",
            "routes",
            "telemetry",
            "tunnels",
            "state",
            "attachments",
            "custom_bgp_addresses",
        ] {
            row.as_object_mut().map(|fields| fields.remove(volatile));
        }
        (
            id,
            Object {
                link,
                vpc,
                addresses,
                leaving,
                rest: row,
            },
        )
    })
    .collect()
}
