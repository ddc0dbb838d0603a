//! What an account or a subscription does not allow, and what to do about it.

use super::quota::Quota;
use crate::summaries;

/// Something that the account or the subscription does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountIssue {
    #[error(
        "The subscription cannot create network resources: the resource provider Microsoft.Network is in state {0}. Register it with \"az provider register --namespace Microsoft.Network\", wait until the state is Registered, and plan again."
    )]
    NotRegistered(String),
    #[error(
        "Azure does not offer VPN gateways in {0} for this subscription. Use another location."
    )]
    LocationWithoutGateways(String),
    #[error(
        "The lock {lock} makes {scope} read-only, so the link cannot be created there. Remove the lock for the apply, or use a resource group and a virtual network outside of the locked scope."
    )]
    ReadOnly { lock: String, scope: String },
    #[error(
        "The policy assignment {assignment} denies the {resource_type} that this link would create{}. Change the setting that the policy denies, or request an exemption.",
        if .reason.is_empty() { String::new() } else { format!(" ({reason})") }
    )]
    DeniedByPolicy {
        resource_type: String,
        assignment: String,
        reason: String,
    },
    #[error(
        "The credentials of this plan have no permission for {action}, which the apply needs: {message}. If other credentials run the apply, ignore this warning. Otherwise, allow the action."
    )]
    DeniedAction {
        action: &'static str,
        message: String,
    },
    #[error(
        "The credentials of this plan do not have these permissions in the resource group {group}, which the apply needs: {actions}. If other credentials run the apply, ignore this warning. Otherwise, add the actions to their role."
    )]
    MissingActions { group: String, actions: String },
    #[error(
        "A create of a link named {name:?} did not complete and left these objects: {ids}. They are not part of the link that this plan creates, and no state contains them. If it was a create of this link, restore its settings (name, slot, resource group, networks) and apply: that completes the link, and later applies can change it. Otherwise, delete the objects."
    )]
    Leftovers { name: String, ids: String },
    #[error(
        "The plan could not check everything that may stop the apply, because the credentials have no permission for {0}. Grant these permissions, or set preflight = false in the provider block to plan without these checks."
    )]
    DeniedReads(String),
    #[error(
        "{place} has {used} {quota}, {}this link needs {needed} more, and the limit is {limit}. Delete unused ones, request a higher quota, or use {}.",
        if *planned > 0 { format!("other links of this plan need {planned} more, ") } else { String::new() },
        quota.alternative()
    )]
    QuotaExceeded {
        quota: Quota,
        place: String,
        used: u32,
        planned: u32,
        needed: u32,
        limit: u32,
    },
    #[error(
        "{place} has {used} {quota}, {}and this link needs {needed} more. The default quota is {limit}, and the plan could not read the quota of this account. Check that the quota of this account is higher, or request an increase.",
        if *planned > 0 { format!("other links of this plan need {planned} more, ") } else { String::new() }
    )]
    DefaultQuotaExceeded {
        quota: Quota,
        place: String,
        used: u32,
        planned: u32,
        needed: u32,
        limit: u32,
    },
}

impl AccountIssue {
    /// One line, without a full stop.
    pub fn summary(&self) -> &'static str {
        match self {
            AccountIssue::NotRegistered(_) => summaries::MISSING_REGISTRATION,
            AccountIssue::LocationWithoutGateways(_) => summaries::UNSUPPORTED_LOCATION,
            AccountIssue::ReadOnly { .. } => summaries::CONFLICTING_LOCK,
            AccountIssue::DeniedByPolicy { .. } => summaries::CONFLICTING_POLICY,
            AccountIssue::DeniedAction { .. } | AccountIssue::MissingActions { .. } => {
                summaries::MISSING_PERMISSION
            }
            AccountIssue::Leftovers { .. } => summaries::LEFTOVERS,
            AccountIssue::DeniedReads(_) => summaries::INCOMPLETE_PREFLIGHT,
            AccountIssue::QuotaExceeded { .. } => summaries::UNSUPPORTED_NUMBER_OF_OBJECTS,
            AccountIssue::DefaultQuotaExceeded { .. } => summaries::DEFAULT_QUOTA,
        }
    }
}
