//! States that Terraform had read in this run, for plans without a prior state. With them the next
//! apply finishes a link whose create failed.
//!
//! Terraform marks such a link as tainted and plans a replacement: a plan without a prior state, then
//! a delete, then a create. The state of the link has the status `incomplete`, and every run reads
//! it before it plans. The plan without a prior state recognizes the link and marks its private
//! data. Because of that mark the delete half deletes nothing, and the create half continues with
//! the existing objects.
//!
//! Under create_before_destroy a create that fails again leaves two states of one link. Terraform
//! deletes the former one (deposed) as soon as the current one is complete. Its objects belong to
//! the current state by then, so a state that was stored before the link was finished deletes
//! nothing once another state holds the complete link.

use super::change_set::ChangeSet;
use super::kept::Kept;
use super::model::Model;
use super::private_state::PrivateState;
use super::replaced::is_of_one_link;
use crate::provider::summaries;
use bgp_vpn::config::Config;
use bgp_vpn::observed::Observed;
use bgp_vpn::ownership_tags::LinkId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use terraform_plugin::Diagnostic;

/// A link as it was read last.
#[derive(Clone)]
pub struct CachedState {
    pub state: Model,
    /// None where Terraform did not refresh: only a read receives it.
    pub private: Option<PrivateState>,
}

/// What this process knows of links, and which of them a state holds completely.
#[derive(Default)]
pub struct ResumeCache {
    links: Mutex<BTreeMap<String, CachedState>>,
    finished: Mutex<BTreeSet<String>>,
    /// What was read of each link.
    seen: Mutex<BTreeMap<String, Observed>>,
    /// States of links that were deleted.
    gone: Mutex<Vec<Model>>,
    /// What the delete halves of replacements left in place, by the new link.
    kept: Mutex<BTreeMap<String, Kept>>,
    /// States for which a plan of this process says what happens to them.
    planned: Mutex<Vec<Model>>,
    /// Links for which this process planned a create or a destroy of its own and did not apply it yet.
    /// A replacement is one plan, not two.
    creates: Mutex<BTreeSet<String>>,
    destroys: Mutex<BTreeSet<String>>,
}

/// Whether two readings are of one state: the id of a link differs from that of every other link.
fn is_one_state(one: &Model, other: &Model) -> bool {
    match (one.link.id.known(), other.link.id.known()) {
        (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
        _ => is_of_one_link(one, other),
    }
}

fn lock<T>(place: &Mutex<T>) -> MutexGuard<'_, T> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

impl CachedState {
    /// Whether a plan without a prior state finishes this link, rather than taking another gateway.
    pub fn can_resume(&self, planned: &Model) -> bool {
        self.state.is_incomplete()
            && ChangeSet {
                prior: &self.state,
                planned,
            }
            .forces_new()
            .is_none()
    }
}

impl ResumeCache {
    /// Remembers a state. A private part that is known stays known.
    pub fn store(&self, state: &Model, link: Option<LinkId>, private: Option<&PrivateState>) {
        let Some(link) = link else { return };
        if !state.is_incomplete() {
            self.mark_complete(&link);
        }
        let mut links = lock(&self.links);
        let before = links
            .remove(link.as_str())
            .and_then(|before| before.private);
        let private = private.cloned().or(before);
        links.insert(
            link.as_str().to_owned(),
            CachedState {
                state: state.clone(),
                private,
            },
        );
    }

    /// Remembers what was read of a link.
    pub fn store_observed(&self, link: &LinkId, observed: &Observed) {
        lock(&self.seen).insert(link.to_string(), observed.clone());
    }

    /// What was read of a link last.
    pub fn last_observed(&self, link: Option<&LinkId>) -> Option<Observed> {
        lock(&self.seen).get(link?.as_str()).cloned()
    }

    /// Remembers what the delete half of a replacement left in place.
    pub fn keep(&self, kept: &Kept) {
        lock(&self.kept).insert(kept.link().to_string(), kept.clone());
    }

    /// What was left in place for a link.
    pub fn kept(&self, link: &LinkId) -> Option<Kept> {
        lock(&self.kept).get(link.as_str()).cloned()
    }

    /// Forgets a link that is gone. Its create half, if there is one, comes next.
    pub fn forget(&self, link: &LinkId, state: &Model) {
        let attribute = &state.link.id;
        lock(&self.links)
            .retain(|id, cached| id != link.as_str() && cached.state.link.id != *attribute);
        lock(&self.seen).remove(link.as_str());
        lock(&self.gone).push(state.clone());
    }

    /// The link that a configuration describes.
    pub fn named(&self, config: &Config) -> Option<CachedState> {
        lock(&self.links)
            .values()
            .find(|cached| is_of_one_link(&cached.state, config))
            .cloned()
    }

    /// The same of one that this process deleted.
    pub fn gone(&self, config: &Config) -> Option<Model> {
        lock(&self.gone)
            .iter()
            .rev()
            .find(|state| is_of_one_link(state, config))
            .cloned()
    }

    /// The link as it was read last.
    pub fn get(&self, link: Option<&LinkId>) -> Option<CachedState> {
        lock(&self.links).get(link?.as_str()).cloned()
    }

    /// Whether a link was read in this process, as Terraform has it read before a plan for the user
    /// and not before an apply.
    pub fn is_refreshed(&self, link: Option<&LinkId>) -> bool {
        self.get(link)
            .is_some_and(|cached| cached.private.is_some())
    }

    /// The states of links that are unfinished. Terraform destroys these links before it creates
    /// others in their place, so that what they hold conflicts with no create.
    pub fn incomplete_states(&self) -> Vec<Model> {
        let links = lock(&self.links);
        links
            .values()
            .map(|cached| &cached.state)
            .filter(|state| state.is_incomplete())
            .cloned()
            .collect()
    }

    /// Remembers that a plan of this process says what happens to the objects of a state.
    pub fn mark_planned(&self, state: &Model) {
        lock(&self.planned).push(state.clone());
    }

    /// The unfinished links for which no plan of this process says yet what happens to them. A plan
    /// without a prior state may replace any of them: Terraform does not say which.
    pub fn unplanned_incomplete_states(&self) -> Vec<CachedState> {
        let (links, planned) = (lock(&self.links), lock(&self.planned));
        let is_planned = |state: &Model| planned.iter().any(|other| is_one_state(state, other));
        let mut found: Vec<CachedState> = Vec::new();
        for cached in links.values() {
            let state = &cached.state;
            let is_listed = found.iter().any(|other| is_one_state(state, &other.state));
            if state.is_incomplete() && !is_planned(state) && !is_listed {
                found.push(cached.clone());
            }
        }
        found
    }

    /// Remembers the plan of a create. Returns whether the same run destroys this link under another
    /// address.
    pub fn plan_create(&self, link: &LinkId) -> bool {
        lock(&self.creates).insert(link.to_string());
        lock(&self.destroys).contains(link.as_str())
    }

    /// Remembers the plan of a destroy. Returns whether the same run creates this link under another
    /// address.
    pub fn plan_destroy(&self, link: &LinkId) -> bool {
        lock(&self.destroys).insert(link.to_string());
        lock(&self.creates).contains(link.as_str())
    }

    /// Forgets what was planned for a link, because it is applied now. A later plan of the same process
    /// belongs to another run.
    pub fn start_apply(&self, link: &LinkId) {
        lock(&self.creates).remove(link.as_str());
        lock(&self.destroys).remove(link.as_str());
    }

    /// Remembers that a state holds the complete link.
    pub fn mark_complete(&self, link: &LinkId) {
        lock(&self.finished).insert(link.to_string());
        lock(&self.kept).remove(link.as_str());
    }

    /// Remembers that none does: it is being made, it is gone, or the clouds show that it never was
    /// complete.
    pub fn mark_incomplete(&self, link: &LinkId) {
        lock(&self.finished).remove(link.as_str());
    }

    /// Whether a state was stored before the link was finished, and another state holds the complete
    /// link.
    pub fn is_superseded(&self, state: &Model, link: Option<&LinkId>) -> bool {
        state.is_incomplete()
            && link.is_some_and(|link| lock(&self.finished).contains(link.as_str()))
    }
}

/// Rejects a run that destroys a link under one address and creates it under another. Terraform
/// does both at the same time, so the create would fail and the link would be gone.
pub fn missing_moved_block(label: &str) -> Diagnostic {
    Diagnostic::error(summaries::MISSING_MOVED_BLOCK).detail(format!(
        "This run would destroy the link {label} under one address of the configuration and create it under another. Terraform would do both \
         at the same time. If you renamed the block, the module or a for_each key, add a moved block, for example:\n\n  moved {{\n    from = \
         awsazure_bgp_vpn.old_name\n    to   = awsazure_bgp_vpn.new_name\n  }}\n\nThe link then stays as it is. If the new block describes another \
         link in the same slot, remove the old block and apply, then add the new one."
    ))
}

/// Reported where Terraform shows a replacement and the apply finishes the link. `deletes`: the
/// configuration names another AWS side by now, and the apply deletes the incomplete one.
pub fn resume_warning(deletes: bool) -> Diagnostic {
    let deletion = if deletes {
        "this apply keeps the Azure side. It deletes the AWS side, because another one is configured, and creates the missing objects"
    } else {
        "this apply deletes nothing. It creates the missing objects and completes the link"
    };
    Diagnostic::warning(summaries::RESUMED_NOT_REPLACED).detail(format!(
        "Terraform plans a replacement, because the create of this link failed. However, {deletion}. To delete the link \
         instead, run terraform destroy. If prevent_destroy rejects this plan, run terraform untaint ADDRESS first: the next apply then \
         completes the link as an update."
    ))
}
