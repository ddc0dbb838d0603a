//! The checks. What depends on the credentials of the plan alone is a warning: another role may
//! run the apply.

use super::demand::Demand;
use super::issue::AccountIssue;
use super::quota::Quota;
use super::role_permissions::missing_actions;
use super::{AccountSnapshot, CountedObject, Usage};
use crate::config::Config;
use crate::ownership_tags::{LinkId, TAG_INCOMPLETE, TAG_NAME};
use crate::permissions::{Phase, required};
use crate::preflight::eq_ignoring_case_and_spaces;
use crate::types::Tags;
use crate::violation::{AttributeId, Violation, ViolationKind};

/// The plan that is checked.
#[derive(Clone, Copy, Debug)]
pub struct AccountContext<'a> {
    pub planned: &'a Config,
    pub link: Option<&'a LinkId>,
    /// Ids of this link's own objects, and of those that will be gone before it is created.
    pub own: &'a [String],
}

impl AccountContext<'_> {
    fn owns(&self, id: &str, tags: &Tags) -> bool {
        self.link.is_some_and(|link| link.is_on(tags))
            || self.own.iter().any(|own| own.eq_ignore_ascii_case(id))
    }
}

/// Everything that the account or the subscription does not allow. `planned`: what the other links
/// of this plan add. None while an apply runs, when a part of that exists already.
pub fn check_account(
    context: AccountContext<'_>,
    snapshot: &AccountSnapshot,
    demand: &Demand,
    others: Option<&[Demand]>,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    let error = |attribute, issue| Violation::error(attribute, ViolationKind::Account(issue));
    let warning = |attribute, issue| Violation::warning(attribute, ViolationKind::Account(issue));
    if let Some(provider) = &snapshot.network_provider {
        if !["Registered", "Registering"]
            .iter()
            .any(|state| provider.state.eq_ignore_ascii_case(state))
        {
            let issue = AccountIssue::NotRegistered(provider.state.clone());
            violations.push(error(AttributeId::ResourceGroup, issue));
        }
        let offered = &provider.gateway_locations;
        if let Some((_, location)) = &demand.location
            && !offered.is_empty()
            && !offered
                .iter()
                .any(|offered| eq_ignoring_case_and_spaces(offered, location))
        {
            let issue = AccountIssue::LocationWithoutGateways(location.clone());
            violations.push(error(AttributeId::Location, issue));
        }
    }
    violations.extend(read_only_locks(context, snapshot));
    for denial in &snapshot.policy_denials {
        let issue = AccountIssue::DeniedByPolicy {
            resource_type: denial.resource_type.clone(),
            assignment: denial.assignment.clone(),
            reason: denial.reason.clone(),
        };
        violations.push(error(AttributeId::ResourceGroup, issue));
    }
    violations.extend(denied_dry_runs(snapshot).map(|(action, message)| {
        let message = message.trim_end_matches('.').to_owned();
        warning(
            AttributeId::Region,
            AccountIssue::DeniedAction { action, message },
        )
    }));
    violations.extend(missing_permissions(context, snapshot, demand));
    if !snapshot.denied_reads.is_empty() {
        let actions: Vec<&str> = snapshot.denied_reads.iter().copied().collect();
        let issue = AccountIssue::DeniedReads(actions.join(", "));
        violations.push(warning(AttributeId::ResourceGroup, issue));
    }
    if let Some(others) = others {
        violations.extend(leftovers(context, snapshot));
        violations.extend(exceeded_quotas(context, snapshot, demand, others));
    }
    violations
}

/// Denied dry runs, with the answer of AWS. If none was allowed, the plan runs with a role that only
/// reads, which is intended: another role applies it.
fn denied_dry_runs(snapshot: &AccountSnapshot) -> impl Iterator<Item = (&'static str, &str)> {
    let reads_only = snapshot.dry_runs.iter().all(|run| run.denial.is_some());
    snapshot
        .dry_runs
        .iter()
        .filter(move |_| !reads_only)
        .filter_map(|run| Some((run.action, run.denial.as_deref()?)))
}

/// Actions on the objects that the link creates in its resource group. Objects of others may be in
/// other groups.
fn missing_permissions(
    context: AccountContext<'_>,
    snapshot: &AccountSnapshot,
    demand: &Demand,
) -> Option<Violation> {
    let mut types = vec!["localNetworkGateways", "connections"];
    if demand.location.is_some() {
        types.extend(["virtualNetworkGateways", "publicIPAddresses"]);
    }
    if context.planned.network.is_set() {
        types.push("virtualNetworks");
    }
    let required = required(context.planned, Phase::Apply);
    let in_group = required.azure.iter().copied().filter(|action| {
        let rest = action.strip_prefix("Microsoft.Network/");
        let kind = rest.and_then(|rest| rest.split('/').next());
        kind.is_some_and(|kind| types.contains(&kind))
    });
    let missing = missing_actions(snapshot.roles.as_deref()?, in_group);
    let issue = AccountIssue::MissingActions {
        group: context.planned.group.known().cloned().unwrap_or_default(),
        actions: missing.join(", "),
    };
    (!missing.is_empty())
        .then(|| Violation::warning(AttributeId::ResourceGroup, ViolationKind::Account(issue)))
}

/// Locks that forbid writes in the resource group. A lock of one resource in it is checked where
/// that resource is changed: the virtual network.
fn read_only_locks(
    context: AccountContext<'_>,
    snapshot: &AccountSnapshot,
) -> impl Iterator<Item = Violation> {
    let network = context.planned.network_id.known().cloned();
    let group = context.planned.group.known().cloned();
    let blocks = move |scope: &str| {
        let scope = scope.to_ascii_lowercase();
        let in_group = group.as_ref().and_then(|group| {
            scope.split_once(&format!("/resourcegroups/{}", group.to_ascii_lowercase()))
        });
        match in_group {
            Some((_, "")) => true,
            Some(_) => network
                .as_ref()
                .is_some_and(|id| id.to_ascii_lowercase() == scope),
            None => !scope.contains("/resourcegroups/"),
        }
    };
    snapshot
        .locks
        .iter()
        .filter(move |lock| lock.read_only && blocks(&lock.scope))
        .map(|lock| {
            let issue = AccountIssue::ReadOnly {
                lock: lock.id.clone(),
                scope: lock.scope.clone(),
            };
            Violation::error(AttributeId::ResourceGroup, ViolationKind::Account(issue))
        })
}

/// AWS objects that an incomplete create of a link with the same name left, where the link of this
/// plan is another one because its slot, network or group differs.
fn leftovers(context: AccountContext<'_>, snapshot: &AccountSnapshot) -> Option<Violation> {
    let name = context.planned.name.known()?;
    let is_left = |object: &&CountedObject| {
        object.tags.contains_key(TAG_INCOMPLETE)
            && object.tags.get(TAG_NAME) == Some(name)
            && !context.owns(&object.id, &object.tags)
    };
    let objects = snapshot.objects.values().flatten().filter(is_left);
    let ids: Vec<&str> = objects.map(|object| object.id.as_str()).collect();
    let issue = AccountIssue::Leftovers {
        name: name.clone(),
        ids: ids.join(", "),
    };
    (!ids.is_empty()).then(|| Violation::warning(AttributeId::Name, ViolationKind::Account(issue)))
}

fn exceeded_quotas(
    context: AccountContext<'_>,
    snapshot: &AccountSnapshot,
    demand: &Demand,
    others: &[Demand],
) -> Vec<Violation> {
    let planned = |quota| -> u32 {
        others
            .iter()
            .map(|other| demand.in_same_place(quota, other))
            .sum()
    };
    let mut violations = Vec::new();
    for quota in Quota::AWS {
        let (Some(region), Some(objects), Some(default)) = (
            &demand.region,
            snapshot.objects.get(&quota),
            quota.default_limit(),
        ) else {
            continue;
        };
        let others = objects
            .iter()
            .filter(|object| !context.owns(&object.id, &object.tags));
        let used = u32::try_from(others.count()).unwrap_or(u32::MAX);
        let (planned, needed) = (planned(quota), demand.get(quota));
        let known = snapshot.limits.get(&quota).copied();
        let limit = known.unwrap_or(default);
        if needed == 0 || used.saturating_add(planned).saturating_add(needed) <= limit {
            continue;
        }
        let place = format!("The region {region}");
        violations.push(if known.is_some() {
            let issue = AccountIssue::QuotaExceeded {
                quota,
                place,
                used,
                planned,
                needed,
                limit,
            };
            Violation::error(AttributeId::Region, ViolationKind::Account(issue))
        } else {
            let issue = AccountIssue::DefaultQuotaExceeded {
                quota,
                place,
                used,
                planned,
                needed,
                limit,
            };
            Violation::warning(AttributeId::Region, ViolationKind::Account(issue))
        });
    }
    if let (Some(Usage { used, limit }), Some((_, location))) =
        (snapshot.public_ips, &demand.location)
    {
        let own = context
            .own
            .iter()
            .filter(|id| id.to_ascii_lowercase().contains("/publicipaddresses/"));
        let used = used.saturating_sub(u32::try_from(own.count()).unwrap_or(0));
        let (planned, needed) = (planned(Quota::PublicIps), demand.get(Quota::PublicIps));
        if needed > 0 && used.saturating_add(planned).saturating_add(needed) > limit {
            let issue = AccountIssue::QuotaExceeded {
                quota: Quota::PublicIps,
                place: format!("The location {location}"),
                used,
                planned,
                needed,
                limit,
            };
            violations.push(Violation::error(
                AttributeId::Location,
                ViolationKind::Account(issue),
            ));
        }
    }
    violations
}
