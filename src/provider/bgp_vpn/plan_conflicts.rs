//! What a plan has in common with others: claims of other links in this run, objects that exist,
//! and the account.

use super::account_request::demand;
use super::attribute_paths::{diagnostics, value_path};
use super::change_set::ChangeSet;
use super::claims::{self, ClaimHolder, Claims};
use super::create_before_destroy::as_warnings;
use super::existing_link::check_existing_link;
use super::model::Model;
use super::plan::Planning;
use super::replaced::own_object_ids;
use crate::provider::summaries;
use bgp_vpn::account::{AccountContext, check_account};
use bgp_vpn::config::AttributeId;
use bgp_vpn::inside_cidr::InsideCidr;
use bgp_vpn::managed::Managed;
use bgp_vpn::preflight::{Lookup, PreflightSnapshot};
use bgp_vpn::validation::parse_cidr;
use ipnet::Ipv4Net;
use std::collections::BTreeSet;
use terraform_plugin::{Diagnostic, Diagnostics};

impl Planning<'_> {
    /// Conflicts with other links of this run, and with what exists of a link that is to be
    /// created. `conflicts`: those that the preflight found. A link in the place of the new one
    /// explains them, and is reported alone.
    pub(super) async fn check_conflicts(
        &mut self,
        planned: &Model,
        held: &Claims,
        is_new: bool,
        conflicts: Diagnostics,
    ) {
        let holder = ClaimHolder::of(self.prior, &self.private, self.configured);
        let subscription = self.backend.subscription();
        let claim = claims::claim(planned, self.prior, &self.private, subscription);
        let Some(mut claim) = claim.filter(|_| self.is_checked()) else {
            self.messages.append(conflicts);
            self.private.holder = Some(holder.as_str().to_owned());
            return;
        };
        let mut own = self.private.replaced_ids.clone();
        own.extend(self.prior.into_iter().flat_map(own_object_ids));
        let taken = claims::taken(&self.snapshot, &own);
        let is_explained = self.check_existing(planned, &taken, is_new).await;
        if !is_explained {
            self.messages.append(conflicts);
        }
        claim.demand = demand(self.backend, planned, &self.inputs());
        let demand = claim.demand.clone();
        claim.vpc_ranges = vpc_ranges(planned, &self.snapshot);
        let clash = held.plan(&holder, claim, &taken);
        if !self.messages.has_errors() {
            self.messages.append(clash);
            self.messages.extend(held.overlap_warning(&holder));
            let link = self.link_of(planned);
            let context = AccountContext {
                planned,
                link: link.as_ref(),
                own: &own,
            };
            let before = held.planned_before(&holder);
            let account = &self.snapshot.account;
            let found = check_account(context, account, &demand, before.as_deref());
            self.messages.append(diagnostics(found));
        }
        self.private.holder = Some(holder.as_str().to_owned());
    }

    /// Reports a link or an object that exists in the place of the one that is to be created. Returns
    /// whether it is a link.
    async fn check_existing(
        &mut self,
        planned: &Model,
        taken: &BTreeSet<InsideCidr>,
        is_new: bool,
    ) -> bool {
        let creates = self.prior.is_none() && !self.private.resumes_incomplete;
        if !creates || self.private.keeps.is_some() || self.snapshot.group == Lookup::Skipped {
            return false;
        }
        let own = if is_new {
            Managed::default()
        } else {
            self.replaced_objects(planned)
        };
        let (backend, cancel) = (self.backend, &self.request.cancel);
        let found = check_existing_link(backend, planned, &self.private, &own, taken, cancel).await;
        let is_link = found
            .iter()
            .any(|one| one.is_error() && one.summary != summaries::CONFLICTING_NAMES);
        let postponed = self.request.may_be_applying && found.has_errors();
        self.private.preflight_complete &= !postponed;
        self.messages
            .append(if postponed { as_warnings(found) } else { found });
        is_link
    }

    /// The objects of the link that is replaced, which Terraform deletes first. It does not say which
    /// state it replaces, if it is one whose create failed or that the user tainted.
    fn replaced_objects(&self, planned: &Model) -> Managed {
        let cache = self.resume_cache;
        let link = self.link_of(planned);
        let states = cache.incomplete_states().into_iter();
        let cached = cache
            .get(link.as_ref())
            .into_iter()
            .chain(cache.named(planned));
        let mut own = self.private.removes.clone();
        for state in states.chain(cached.map(|cached| cached.state)) {
            own.extend(&state.link.managed);
        }
        own
    }

    /// A link stays in its region when `aws.region` is removed. A user who then moves the link may
    /// expect it in the region of the provider.
    pub(super) fn region_warning(&self, changes: ChangeSet<'_>) -> Option<Diagnostic> {
        let region = changes.planned.region.known()?;
        let default = self.backend.default_region();
        let unexpected = self.configured.region.is_null()
            && changes.aws_side_replaced()
            && default.as_ref().is_some_and(|default| default != region);
        unexpected.then(|| region_kept(region, &default.unwrap_or_default()))
    }
}

/// Ranges of the VPC that is created or was read.
fn vpc_ranges(planned: &Model, snapshot: &PreflightSnapshot) -> Vec<Ipv4Net> {
    let created = planned
        .vpc
        .known()
        .and_then(|vpc| parse_cidr(vpc.cidr.known()?));
    match (created, snapshot.vpc.found()) {
        (Some(range), _) => vec![range],
        (None, Some(vpc)) => std::iter::once(vpc.cidr)
            .chain(vpc.secondary_cidrs.clone())
            .collect(),
        (None, None) => Vec::new(),
    }
}

/// Warns that objects are created in a region that the configuration does not name.
pub fn region_kept(region: &str, default: &str) -> Diagnostic {
    Diagnostic::warning(summaries::REGION_KEPT)
        .detail(format!(
            "aws.region is not set, so the link stays in its region {region} and the new AWS side is created there, not in the region of \
             the provider, {default}. Set aws.region = \"{region}\" to confirm this, or to another region to move the link."
        ))
        .at(value_path(&AttributeId::Region))
}
