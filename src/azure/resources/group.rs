//! Resource groups.

use super::{GROUPS, encoded, read_as};
use crate::azure::arm::{ArmRequest, Precondition};
use crate::azure::client::Azure;
use crate::azure::documents::group::{self, Member};
use crate::azure::error::Error;
use crate::azure::id::ResourceId;
use crate::azure::lro::{LongRunningOperation, LroKind};
use crate::azure::model::{Lock, ResourceGroup};
use crate::client::{CallContext, DeniedRead};
use azure_core::http::Method;
use bgp_vpn::account::actions::READ_LOCKS;
use bgp_vpn::types::Tags;
use std::collections::BTreeSet;

impl Azure {
    fn group_path(&self, name: &str) -> String {
        format!(
            "/subscriptions/{}/resourcegroups/{}",
            self.subscription,
            encoded(name)
        )
    }

    /// # Errors
    /// As Azure refuses.
    pub async fn get_group(
        &self,
        name: &str,
        ctx: &CallContext,
    ) -> Result<Option<ResourceGroup>, Error> {
        let path = self.group_path(name);
        let found = self
            .get_call(
                &ArmRequest::path("read resource group", Method::Get, &path, GROUPS),
                ctx,
            )
            .await?;
        found
            .map(|doc| read_as("read resource group", &path, group::parse(&doc)))
            .transpose()
    }

    /// Makes a group. Azure knows no conditional create of groups, so it looks first, and creates
    /// of one group pass its gate one at a time: a second PUT would replace the tags of the first.
    ///
    /// # Errors
    /// `AlreadyExists` where a group of that name has not exactly these tags.
    pub async fn create_group(
        &self,
        name: &str,
        location: &str,
        tags: &Tags,
        ctx: &CallContext,
    ) -> Result<ResourceGroup, Error> {
        let path = self.group_path(name);
        let request = ArmRequest::path("create resource group", Method::Put, &path, GROUPS);
        let guard = self.gateway_locks.lock_path(&path, ctx).await?;
        let ctx = &guard.context;
        if let Some(found) = self.get_group(name, ctx).await? {
            return if found.tags == *tags {
                Ok(found)
            } else {
                Err(Error::AlreadyExists(request.error_context().with_message(
                    "a resource group with this name exists and does not belong to this link",
                )))
            };
        }
        let request = request.with(group::body(location, tags), Precondition::None);
        let response = self.put_idempotent(&request, ctx).await?;
        match group::parse(&response.body) {
            Ok(group) => Ok(group),
            Err(fault) => {
                let found = self.get_group(name, ctx).await?;
                found.ok_or_else(|| {
                    Error::Malformed(request.error_context().with_message(fault.to_string()))
                })
            }
        }
    }

    /// Sets a group's tags to exactly these.
    ///
    /// # Errors
    /// As Azure refuses.
    pub async fn set_group_tags(
        &self,
        name: &str,
        tags: &Tags,
        ctx: &CallContext,
    ) -> Result<(), Error> {
        let request = ArmRequest::path(
            "tag resource group",
            Method::Patch,
            &self.group_path(name),
            GROUPS,
        );
        let request = request.with(serde_json::json!({"tags": tags}), Precondition::None);
        self.put_idempotent(&request, ctx).await.map(drop)
    }

    /// Deletes a group **with all that it holds**; look with `group_resources` first.
    ///
    /// # Errors
    /// As Azure refuses.
    pub async fn delete_group(&self, name: &str, ctx: &CallContext) -> Result<(), Error> {
        let request = ArmRequest::path(
            "delete resource group",
            Method::Delete,
            &self.group_path(name),
            GROUPS,
        );
        let ended = match self.put_idempotent(&request, ctx).await {
            Ok(first) => {
                let operation = LongRunningOperation {
                    arm: &self.arm,
                    request: &request,
                    kind: LroKind::Delete,
                    resource: None,
                };
                operation.poll_to_completion(first, ctx).await.map(|_| ())
            }
            Err(error) => Err(error),
        };
        match ended {
            Err(error) if error.is_not_found() => Ok(()),
            other => other,
        }
    }

    /// What a group holds; empty where it does not exist.
    ///
    /// # Errors
    /// As Azure refuses.
    pub async fn group_resources(
        &self,
        name: &str,
        ctx: &CallContext,
    ) -> Result<Vec<Member>, Error> {
        let path = format!("{}/resources", self.group_path(name));
        let request = ArmRequest::path("list resource group", Method::Get, &path, GROUPS);
        let found = self.list(&request, ctx).await?;
        found
            .iter()
            .map(|doc| read_as("list resource group", &path, group::member(doc)))
            .collect()
    }

    /// Management locks at, above and below a group, as far as these credentials may read them.
    ///
    /// # Errors
    /// As Azure refuses, but for a lack of rights.
    pub async fn group_locks(&self, name: &str, ctx: &CallContext) -> Result<Vec<Lock>, Error> {
        match self.scope_locks(Some(name), ctx).await {
            Err(Error::Denied(context)) => {
                ctx.denied.note(DeniedRead {
                    action: READ_LOCKS.to_owned(),
                    scope: self.group_path(name),
                    consequence: "Locks may be missed. Azure then rejects a delete after other objects were deleted.",
                    reason: context.to_string(),
                });
                Ok(Vec::new())
            }
            other => other,
        }
    }

    /// Names of the groups of the subscription that hold connections, in lower case, as far as
    /// these credentials may list them.
    ///
    /// # Errors
    /// As Azure refuses, but for a lack of rights.
    pub async fn groups_with_connections(
        &self,
        ctx: &CallContext,
    ) -> Result<BTreeSet<String>, Error> {
        let path = format!(
            "/subscriptions/{}/resources?$filter=resourceType%20eq%20'Microsoft.Network/connections'",
            self.subscription
        );
        let found = match self
            .list(
                &ArmRequest::path("list connections of", Method::Get, &path, GROUPS),
                ctx,
            )
            .await
        {
            Err(Error::Denied(context)) => {
                ctx.denied.note(DeniedRead {
                    action: "Microsoft.Resources/subscriptions/resources/read".to_owned(),
                    scope: format!("/subscriptions/{}", self.subscription),
                    consequence: "Connections in other resource groups may be missed. Azure then rejects the delete of a local network gateway that they use.",
                    reason: context.to_string(),
                });
                Vec::new()
            }
            other => other?,
        };
        let ids = found
            .iter()
            .filter_map(|doc| ResourceId::parse(doc.get("id")?.as_str()?).ok());
        Ok(ids.map(|id| id.resource_group().to_lowercase()).collect())
    }
}
