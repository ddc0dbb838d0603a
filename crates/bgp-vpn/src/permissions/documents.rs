//! The two documents that an administrator creates: an IAM policy and an Azure custom role.

use super::aws::{Condition, Grant, creations};
use super::{Permissions, Phase};
use crate::aws::partition_of;
use crate::ownership_tags::TAG_LINK;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Stands for a subscription that the configuration does not name.
pub const SUBSCRIPTION: &str = "SUBSCRIPTION_ID";

/// The name of a statement, by its condition.
fn sid(condition: Condition, has_resources: bool) -> &'static str {
    match condition {
        Condition::None if has_resources => "UseNamed",
        Condition::None => "Read",
        Condition::RequestsTag => "CreateTagged",
        Condition::RequestsTagOnCreate => "TagOnCreate",
        Condition::HasTag => "ChangeTagged",
    }
}

/// The condition keys of a statement.
pub(super) fn condition_keys(condition: Condition, actions: &BTreeSet<&str>) -> Option<Value> {
    let requested = format!("aws:RequestTag/{TAG_LINK}");
    match condition {
        Condition::None => None,
        Condition::RequestsTag => Some(json!({"Null": {requested: "false"}})),
        Condition::RequestsTagOnCreate => Some(json!({
            "Null": {requested: "false"},
            "StringEquals": {"ec2:CreateAction": actions},
        })),
        Condition::HasTag => {
            Some(json!({"Null": {format!("aws:ResourceTag/{TAG_LINK}"): "false"}}))
        }
    }
}

/// An ARN of a resource in any account.
pub(super) fn arn(region: Option<&str>, resource: &str) -> String {
    let partition = region.map_or("aws", partition_of);
    format!("arn:{partition}:ec2:{}:*:{resource}", region.unwrap_or("*"))
}

impl Permissions {
    /// The IAM policy. Statements are grouped by condition. Joining their actions and resources
    /// permits nothing more, since each action has condition keys of its own resources only.
    pub fn aws_policy(&self) -> Value {
        let mut groups = BTreeMap::<(Condition, bool), Vec<&Grant>>::new();
        for grant in &self.aws {
            let key = (grant.condition, grant.resource.is_some());
            groups.entry(key).or_default().push(grant);
        }
        let creating = creating_actions(&self.aws_actions());
        let statements: Vec<Value> = groups
            .iter()
            .map(|((condition, has_resources), grants)| {
                let actions: BTreeSet<&str> = grants.iter().map(|grant| grant.action).collect();
                let resource = |grant: &&Grant| {
                    let resource = grant.resource.as_deref()?;
                    Some(arn(grant.region.as_deref(), resource))
                };
                let resources: BTreeSet<String> = grants.iter().filter_map(resource).collect();
                let mut statement = Map::new();
                let sid = sid(*condition, *has_resources);
                statement.insert("Sid".to_owned(), sid.into());
                statement.insert("Effect".to_owned(), "Allow".into());
                statement.insert("Action".to_owned(), json!(actions));
                let resources = if *has_resources {
                    json!(resources)
                } else {
                    json!("*")
                };
                statement.insert("Resource".to_owned(), resources);
                if let Some(keys) = condition_keys(*condition, &creating) {
                    statement.insert("Condition".to_owned(), keys);
                }
                statement.into()
            })
            .collect();
        json!({"Version": "2012-10-17", "Statement": statements})
    }

    /// The custom role, as `az role definition create --role-definition` takes it.
    pub fn azure_role(&self, phase: Phase) -> Value {
        let (name, description) = match phase {
            Phase::Plan => (
                "awsazure BGP VPN plan",
                "Reads the objects of awsazure_bgp_vpn.",
            ),
            Phase::Apply => (
                "awsazure BGP VPN apply",
                "Creates, changes and deletes the objects of awsazure_bgp_vpn.",
            ),
        };
        let mut scopes: BTreeSet<String> = self
            .subscriptions
            .iter()
            .map(|id| format!("/subscriptions/{id}"))
            .collect();
        if scopes.is_empty() {
            scopes.insert(format!("/subscriptions/{SUBSCRIPTION}"));
        }
        json!({
            "Name": name,
            "IsCustom": true,
            "Description": description,
            "Actions": self.azure,
            "NotActions": [],
            "DataActions": [],
            "NotDataActions": [],
            "AssignableScopes": scopes,
        })
    }
}

/// Values of `ec2:CreateAction`: the calls that create an object.
fn creating_actions<'a>(actions: &BTreeSet<&'a str>) -> BTreeSet<&'a str> {
    let calls = actions
        .iter()
        .filter_map(|action| action.strip_prefix("ec2:"));
    let calls: BTreeSet<&'a str> = calls.collect();
    let known = creations(&super::calls::aws(
        &super::features::Features {
            creates_vpc: true,
            creates_public_subnet: true,
            creates_vpn_gateway: true,
            ..Default::default()
        },
        Phase::Apply,
    ));
    calls
        .into_iter()
        .filter(|call| known.contains_key(call))
        .collect()
}
