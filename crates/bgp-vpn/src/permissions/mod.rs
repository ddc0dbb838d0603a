//! The permissions that a configuration needs, computed from the calls that its links make.
//!
//! | file | holds |
//! |---|---|
//! | `features` | what a configuration may use; an unknown value counts as set |
//! | `calls` | which calls of both clouds that leads to, in a plan and in an apply |
//! | `aws` | the IAM actions of each EC2 call, with resource types and conditions |
//! | `azure` | the RBAC actions of each call of Resource Manager |
//! | `documents` | the IAM policy and the custom role as JSON |
//! | `advice` | what to add where a call was rejected |
//!
//! A new call of a client becomes a row in `aws` or `azure` and a line in `calls`.

pub mod advice;
pub mod aws;
pub mod azure;
pub mod calls;
pub mod documents;
pub mod features;

#[cfg(test)]
mod tests;

use crate::config::Config;
use aws::Grant;
use features::Features;
use std::collections::BTreeSet;

/// What the permissions are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Refresh, plan and import. Reads only.
    Plan,
    /// Also create, update, move and destroy.
    Apply,
}

/// The permissions of one or more links.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    pub aws: BTreeSet<Grant>,
    /// RBAC actions.
    pub azure: BTreeSet<&'static str>,
    /// Subscriptions of the objects that are named by id.
    pub subscriptions: BTreeSet<String>,
}

impl Permissions {
    /// The names of the IAM actions.
    pub fn aws_actions(&self) -> BTreeSet<&'static str> {
        self.aws.iter().map(|grant| grant.action).collect()
    }

    /// Adds those of another link.
    pub fn extend(&mut self, other: Permissions) {
        self.aws.extend(other.aws);
        self.azure.extend(other.azure);
        self.subscriptions.extend(other.subscriptions);
    }
}

/// The permissions of a link with this configuration.
pub fn required(config: &Config, phase: Phase) -> Permissions {
    of_features(&Features::of(config), phase)
}

/// The permissions of the data source `awsazure_bgp_vpn_status`.
pub fn required_by_status() -> Permissions {
    Permissions {
        aws: aws::grants(&calls::aws_status(), &Features::default()),
        azure: azure::actions(&calls::azure_status()),
        subscriptions: BTreeSet::new(),
    }
}

fn of_features(features: &Features, phase: Phase) -> Permissions {
    Permissions {
        aws: aws::grants(&calls::aws(features, phase), features),
        azure: azure::actions(&calls::azure(features, phase)),
        subscriptions: features.subscriptions.clone(),
    }
}
