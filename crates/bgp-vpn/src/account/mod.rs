//! What an account and a subscription must allow before a link is created: quotas, locks, policies,
//! locations and permissions.
//!
//! Everything here is read only where a plan creates objects, and every read may be denied: what was
//! not read causes no violation. The objects that a link refers to are checked in `preflight`.

mod checks;
mod demand;
mod issue;
mod quota;
mod role_permissions;

pub use checks::{AccountContext, check_account};
pub use demand::{Demand, demand_of_create};
pub use issue::AccountIssue;
pub use quota::Quota;
pub use role_permissions::RolePermissions;

use crate::azure::model::Lock;
use crate::types::Tags;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountRequest {
    /// Whether customer gateways and VPN connections are created in the region of the request.
    pub creates_aws_side: bool,
    pub creates_vpc: bool,
    pub creates_vpn_gateway: bool,
    /// The existing resource group. None: the group is created, and what applies to the subscription
    /// counts.
    pub group: Option<String>,
    /// Whether an Azure gateway and its public IPs are created.
    pub creates_azure_gateway: bool,
    /// Their location. None: that of the existing virtual network, which has to be read first.
    pub location: Option<String>,
    /// Azure resources that are created, as far as a policy can evaluate them.
    pub resources: Vec<PolicySubject>,
}

/// A resource that policies are asked about, as its create would send it, but for the location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicySubject {
    /// `Microsoft.Network/virtualNetworkGateways`, for example.
    pub resource_type: &'static str,
    pub content: Value,
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountSnapshot {
    pub network_provider: Option<NetworkProvider>,
    /// Locks at, above and below the resource group.
    pub locks: Vec<Lock>,
    /// Public IPs of the Standard SKU at the location.
    pub public_ips: Option<Usage>,
    pub policy_denials: Vec<PolicyDenial>,
    /// Objects of the region that count towards a quota.
    pub objects: BTreeMap<Quota, Vec<CountedObject>>,
    /// Limits of the account; without one, the default counts.
    pub limits: BTreeMap<Quota, u32>,
    /// Roles of the credentials in the existing resource group. None if they were not read.
    pub roles: Option<Vec<RolePermissions>>,
    /// EC2 actions that a dry run tried.
    pub dry_runs: Vec<DryRun>,
    /// Actions of reads that the credentials do not permit.
    pub denied_reads: BTreeSet<&'static str>,
}

/// `Microsoft.Network` in the subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkProvider {
    /// `Registered`, `Registering`, `NotRegistered` or `Unregistering`.
    pub state: String,
    /// Display names of the locations with VPN gateways; empty if Azure returned none.
    pub gateway_locations: Vec<String>,
}

/// How much of a quota is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    pub used: u32,
    pub limit: u32,
}

/// An assigned policy that denies a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyDenial {
    pub resource_type: String,
    /// ID of the assignment.
    pub assignment: String,
    /// Why, in the words of Azure; may be empty.
    pub reason: String,
}

/// An object that counts towards a quota of its region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedObject {
    pub id: String,
    pub tags: Tags,
}

/// A dry run of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DryRun {
    /// `ec2:CreateVpc`, for example.
    pub action: &'static str,
    /// The answer of AWS to a denied one, which names the principal and often the policy.
    pub denial: Option<String>,
}

/// The permissions of the reads. Names of the Azure actions are those of Microsoft's lists of
/// permissions (stored copies, read 2026-11-28).
pub mod actions {
    pub const GET_QUOTA: &str = "servicequotas:GetServiceQuota";
    pub const READ_PROVIDER: &str = "Microsoft.Resources/subscriptions/providers/read";
    pub const READ_USAGES: &str = "Microsoft.Network/locations/usages/read";
    pub const READ_LOCKS: &str = "Microsoft.Authorization/locks/read";
    pub const READ_PERMISSIONS: &str = "Microsoft.Authorization/permissions/read";
    pub const CHECK_POLICIES: &str = "Microsoft.PolicyInsights/checkPolicyRestrictions/read";
}
