//! What the subscription allows before anything is created: registration, usage, locks and
//! policies.

use super::{GROUPS, LOCKS, NETWORK, encoded, read_as};
use crate::azure::arm::{ArmRequest, Precondition};
use crate::azure::client::Azure;
use crate::azure::documents::{lock, subscription};
use crate::azure::error::Error;
use crate::azure::model::Lock;
use crate::client::CallContext;
use azure_core::http::Method;
use bgp_vpn::account::{NetworkProvider, PolicyDenial, PolicySubject, RolePermissions, Usage};

/// Version of the API of permissions.
const PERMISSIONS: &str = "2022-04-01";
/// Version of Microsoft.PolicyInsights that evaluates a resource before it exists.
const POLICY: &str = "2022-03-01";

impl Azure {
    /// Registration of Microsoft.Network, and the locations of VPN gateways.
    ///
    /// # Errors
    /// As Azure rejects.
    pub async fn network_provider(
        &self,
        ctx: &CallContext,
    ) -> Result<Option<NetworkProvider>, Error> {
        let path = format!(
            "/subscriptions/{}/providers/Microsoft.Network",
            self.subscription
        );
        let request = ArmRequest::path("read resource provider", Method::Get, &path, GROUPS);
        let found = self.get_call(&request, ctx).await?;
        Ok(found.as_ref().and_then(subscription::network_provider))
    }

    /// Usage of Standard public IPs at a location.
    ///
    /// # Errors
    /// As Azure rejects.
    pub async fn public_ip_usage(
        &self,
        location: &str,
        ctx: &CallContext,
    ) -> Result<Option<Usage>, Error> {
        let location: String = location
            .chars()
            .filter(|c| !c.is_whitespace())
            .flat_map(char::to_lowercase)
            .collect();
        let path = format!(
            "/subscriptions/{}/providers/Microsoft.Network/locations/{}/usages",
            self.subscription,
            encoded(&location)
        );
        let request = ArmRequest::path("list usages of", Method::Get, &path, NETWORK);
        Ok(subscription::public_ip_usage(
            &self.list(&request, ctx).await?,
        ))
    }

    /// Locks at, above and below the scope in which a link is created: the group, or the
    /// subscription while the group does not exist.
    ///
    /// # Errors
    /// As Azure rejects.
    pub async fn scope_locks(
        &self,
        group: Option<&str>,
        ctx: &CallContext,
    ) -> Result<Vec<Lock>, Error> {
        let path = format!(
            "{}/providers/Microsoft.Authorization/locks",
            self.scope(group)
        );
        let request = ArmRequest::path("list locks of", Method::Get, &path, LOCKS);
        let found = self.list(&request, ctx).await?;
        found
            .iter()
            .map(|doc| read_as("list locks of", &path, lock::parse(doc)))
            .collect()
    }

    /// What the roles of the credentials permit in a group.
    ///
    /// # Errors
    /// As Azure rejects.
    pub async fn role_permissions(
        &self,
        group: &str,
        ctx: &CallContext,
    ) -> Result<Vec<RolePermissions>, Error> {
        let path = format!(
            "{}/providers/Microsoft.Authorization/permissions",
            self.scope(Some(group))
        );
        let request = ArmRequest::path("list permissions of", Method::Get, &path, PERMISSIONS);
        Ok(subscription::role_permissions(
            &self.list(&request, ctx).await?,
        ))
    }

    /// The policies that deny a resource in a group, or in a group to be created.
    ///
    /// # Errors
    /// As Azure rejects.
    pub async fn policy_denials(
        &self,
        group: Option<&str>,
        location: &str,
        subject: &PolicySubject,
        ctx: &CallContext,
    ) -> Result<Vec<PolicyDenial>, Error> {
        let path = format!(
            "{}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions",
            self.scope(group)
        );
        let request = ArmRequest::path("check policies of", Method::Post, &path, POLICY).with(
            subscription::policy_question(subject, location, NETWORK),
            Precondition::None,
        );
        let answer = self.get_call(&request, ctx).await?;
        Ok(answer
            .map(|answer| subscription::policy_denials(subject, &answer))
            .unwrap_or_default())
    }

    fn scope(&self, group: Option<&str>) -> String {
        let subscription = format!("/subscriptions/{}", self.subscription);
        match group {
            Some(group) => format!("{subscription}/resourceGroups/{}", encoded(group)),
            None => subscription,
        }
    }
}
