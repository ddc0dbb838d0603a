//! What account and subscription do not allow.

use super::samples;
use crate::provider::bgp_vpn::attribute_paths::diagnostics;
use bgp_vpn::account::{AccountIssue as Issue, Quota};
use bgp_vpn::violation::{AttributeId as At, Violation, ViolationKind};
use terraform_plugin::Diagnostic;

pub fn issues() -> Vec<Diagnostic> {
    let issues = samples!(Issue {
        Issue::NotRegistered(_) => Issue::NotRegistered("NotRegistered".into()),
        Issue::LocationWithoutGateways(_) => Issue::LocationWithoutGateways("westindia".into()),
        Issue::ReadOnly { .. } => Issue::ReadOnly {
            lock: "/subscriptions/s/providers/Microsoft.Authorization/locks/frozen".into(),
            scope: "/subscriptions/s".into(),
        },
        Issue::DeniedByPolicy { .. } => Issue::DeniedByPolicy {
            resource_type: "Microsoft.Network/publicIPAddresses".into(),
            assignment: "/subscriptions/s/providers/Microsoft.Authorization/policyAssignments/no-public-ips".into(),
            reason: "public IPs are not allowed".into(),
        },
        Issue::DeniedAction { .. } => Issue::DeniedAction {
            action: "ec2:CreateVpc",
            message: "You are not authorized to perform this operation".into(),
        },
        Issue::MissingActions { .. } => Issue::MissingActions {
            group: "network".into(),
            actions: "Microsoft.Network/connections/write".into(),
        },
        Issue::Leftovers { .. } => Issue::Leftovers { name: "prod".into(), ids: "cgw-1, vpn-1".into() },
        Issue::DeniedReads(_) => Issue::DeniedReads("servicequotas:GetServiceQuota".into()),
        Issue::QuotaExceeded { .. } => Issue::QuotaExceeded {
            quota: Quota::CustomerGateways,
            place: "The region eu-west-1".into(),
            used: 47,
            planned: 2,
            needed: 2,
            limit: 50,
        },
        Issue::DefaultQuotaExceeded { .. } => Issue::DefaultQuotaExceeded {
            quota: Quota::Vpcs,
            place: "The region eu-west-1".into(),
            used: 5,
            planned: 0,
            needed: 1,
            limit: 5,
        },
    });
    let violation = |issue: Issue| {
        let kind = ViolationKind::Account(issue);
        match &kind {
            ViolationKind::Account(
                Issue::DeniedAction { .. } | Issue::DefaultQuotaExceeded { .. },
            ) => Violation::warning(At::Region, kind),
            ViolationKind::Account(Issue::Leftovers { .. }) => Violation::warning(At::Name, kind),
            ViolationKind::Account(Issue::DeniedReads(_) | Issue::MissingActions { .. }) => {
                Violation::warning(At::ResourceGroup, kind)
            }
            ViolationKind::Account(Issue::QuotaExceeded { .. }) => {
                Violation::error(At::Region, kind)
            }
            ViolationKind::Account(Issue::LocationWithoutGateways(_)) => {
                Violation::error(At::Location, kind)
            }
            _ => Violation::error(At::ResourceGroup, kind),
        }
    };
    diagnostics(issues.into_iter().map(violation))
        .into_iter()
        .collect()
}
