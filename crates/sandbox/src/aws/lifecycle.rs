//! How EC2's objects come and go: states with a due time, rows that stay listed after their end,
//! and reads that do not see a fresh object yet.

use super::errors::ApiError;
use super::query::Params;
use super::tags::Tags;
use super::{filters, tags};
use crate::rng::Rng;
use crate::time::{SimDuration, SimTime};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How long a deleted row stays describable.
pub const TOMBSTONE_TTL: SimDuration = SimDuration::minutes(60);
/// One create in so many is not visible at once.
const INVISIBLE_ONE_IN: u64 = 4;
const INVISIBLE_LEAST: SimDuration = SimDuration(300);
const INVISIBLE_MOST: SimDuration = SimDuration(2_000);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    Pending,
    Available,
    Modifying,
    Deleting,
    Deleted,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Available => "available",
            State::Modifying => "modifying",
            State::Deleting => "deleting",
            State::Deleted => "deleted",
        }
    }

    /// Deleting or deleted.
    pub fn is_terminating(self) -> bool {
        matches!(self, State::Deleting | State::Deleted)
    }
}

/// A state, and when it gives way to the next one by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifecycle {
    pub state: State,
    due: Option<SimTime>,
}

impl Lifecycle {
    pub fn available() -> Self {
        Lifecycle {
            state: State::Available,
            due: None,
        }
    }

    pub fn pending(until: SimTime) -> Self {
        Lifecycle {
            state: State::Pending,
            due: Some(until),
        }
    }

    pub fn modifying(until: SimTime) -> Self {
        Lifecycle {
            state: State::Modifying,
            due: Some(until),
        }
    }

    pub fn deleting(until: SimTime) -> Self {
        Lifecycle {
            state: State::Deleting,
            due: Some(until),
        }
    }

    /// Lets due changes happen; false when even the deleted row is to go.
    pub fn advance(&mut self, now: SimTime) -> bool {
        while let Some(due) = self.due.filter(|due| *due <= now) {
            match self.state {
                State::Pending | State::Modifying | State::Available => {
                    *self = Lifecycle::available()
                }
                State::Deleting => {
                    *self = Lifecycle {
                        state: State::Deleted,
                        due: Some(due + TOMBSTONE_TTL),
                    }
                }
                State::Deleted => return false,
            }
        }
        true
    }
}

/// What every EC2 object has.
pub trait Object {
    /// The resource type of tags and of the world's listing.
    const KIND: &'static str;
    /// The id's letters before the dash.
    const PREFIX: &'static str;
    const NOT_FOUND: &'static str;
    const MALFORMED: &'static str;
    /// What the service calls it in a message.
    const NOUN: &'static str;

    fn id(&self) -> &str;
    fn tags(&self) -> &Tags;
    fn tags_mut(&mut self) -> &mut Tags;
    fn visible_from(&self) -> SimTime;
    /// Deleted, but still listed.
    fn gone(&self) -> bool {
        false
    }
}

/// Implements [`Object`] for a type with `id`, `tags` and `visible_from`.
macro_rules! object {
    ($type:ty, $kind:literal, $prefix:literal, $code:literal, $noun:literal $(, $lifecycle:ident)?) => {
        impl $crate::aws::lifecycle::Object for $type {
            const KIND: &'static str = $kind;
            const PREFIX: &'static str = $prefix;
            const NOT_FOUND: &'static str = concat!($code, ".NotFound");
            const MALFORMED: &'static str = concat!($code, ".Malformed");
            const NOUN: &'static str = $noun;
            fn id(&self) -> &str {
                &self.id
            }
            fn tags(&self) -> &$crate::aws::tags::Tags {
                &self.tags
            }
            fn tags_mut(&mut self) -> &mut $crate::aws::tags::Tags {
                &mut self.tags
            }
            fn visible_from(&self) -> $crate::time::SimTime {
                self.visible_from
            }
            $(fn gone(&self) -> bool {
                self.$lifecycle.state == $crate::aws::lifecycle::State::Deleted
            })?
        }
    };
}
pub(crate) use object;

/// From when on reads see an object made now.
pub fn visible_from(now: SimTime, rng: &mut Rng) -> SimTime {
    if rng.below(INVISIBLE_ONE_IN) == 0 {
        now + rng.duration(INVISIBLE_LEAST, INVISIBLE_MOST)
    } else {
        now
    }
}

/// A fresh id: the prefix and seventeen hexadecimal digits.
pub fn new_id(prefix: &str, rng: &mut Rng) -> String {
    format!("{prefix}-0{}", rng.hex(16))
}

/// The object of that id, unless it is unknown or not visible yet.
pub fn find<'a, T: Object>(
    map: &'a BTreeMap<String, T>,
    id: &str,
    now: SimTime,
) -> Result<&'a T, ApiError> {
    well_formed::<T>(id)?;
    map.get(id)
        .filter(|object| object.visible_from() <= now)
        .ok_or_else(|| not_found::<T>(id))
}

/// The same, to be changed: an object that is gone is as good as unknown.
pub fn find_mut<'a, T: Object>(
    map: &'a mut BTreeMap<String, T>,
    id: &str,
    now: SimTime,
) -> Result<&'a mut T, ApiError> {
    well_formed::<T>(id)?;
    map.get_mut(id)
        .filter(|object| object.visible_from() <= now && !object.gone())
        .ok_or_else(|| not_found::<T>(id))
}

/// An object that is there to be used: known, visible and not deleted.
pub fn find_live<'a, T: Object>(
    map: &'a BTreeMap<String, T>,
    id: &str,
    now: SimTime,
) -> Result<&'a T, ApiError> {
    find(map, id, now).and_then(|object| {
        if object.gone() {
            Err(not_found::<T>(id))
        } else {
            Ok(object)
        }
    })
}

fn well_formed<T: Object>(id: &str) -> Result<(), ApiError> {
    let digits = id
        .strip_prefix(T::PREFIX)
        .and_then(|rest| rest.strip_prefix('-'));
    if digits
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit()))
    {
        Ok(())
    } else {
        Err(ApiError::new(
            T::MALFORMED,
            format!("Invalid id: \"{id}\" (expecting \"{}-...\")", T::PREFIX),
        ))
    }
}

pub fn not_found<T: Object>(id: &str) -> ApiError {
    ApiError::new(
        T::NOT_FOUND,
        format!("The {} ID '{id}' does not exist", T::NOUN),
    )
}

/// What a Describe call lists: the ids asked for, each of which must be there, or all; then the
/// filters.
pub fn select<'a, T: Object>(
    map: &'a BTreeMap<String, T>,
    params: &Params,
    ids: &str,
    now: SimTime,
    field: impl Fn(&T, &str) -> Option<Vec<String>>,
) -> Result<Vec<&'a T>, ApiError> {
    let filters = filters::parse(params)?;
    let ids = params.list(ids);
    let candidates: Vec<&T> = if ids.is_empty() {
        map.values()
            .filter(|object| object.visible_from() <= now)
            .collect()
    } else {
        ids.into_iter()
            .map(|id| find(map, id, now))
            .collect::<Result<_, _>>()?
    };
    let mut selected = Vec::with_capacity(candidates.len());
    for object in candidates {
        if filters::accept(&filters, object.tags(), |name| field(object, name))? {
            selected.push(object);
        }
    }
    Ok(selected)
}

/// The tags that a create call gives to the object it makes.
pub fn initial_tags<T: Object>(params: &Params) -> Result<Tags, ApiError> {
    tags::specified(params, T::KIND)
}
