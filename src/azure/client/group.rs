//! Resource groups.

use super::{Azure, GROUPS, LOCKS, encoded, read_as};
use crate::azure::arm::{Call, Condition};
use crate::azure::documents::group::{self, Member};
use crate::azure::documents::lock;
use crate::azure::error::Error;
use crate::azure::id::ResourceId;
use crate::azure::model::{Lock, ResourceGroup};
use crate::azure::operation::{Kind, Operation};
use crate::azure::waits::Waits;
use crate::primitives::Tags;
use azure_core::http::Method;
use std::collections::BTreeSet;

impl Azure {
    fn group_path(&self, name: &str) -> String {
        format!("/subscriptions/{}/resourcegroups/{}", self.subscription, encoded(name))
    }

    /// # Errors
    /// As Azure refuses.
    pub async fn get_group(&self, name: &str, waits: &Waits) -> Result<Option<ResourceGroup>, Error> {
        let path = self.group_path(name);
        let found = self.get_call(&Call::path("read resource group", Method::Get, &path, GROUPS), waits).await?;
        found.map(|doc| read_as("read resource group", &path, group::parse(&doc))).transpose()
    }

    /// Makes a group. Azure knows no conditional create of groups, so it looks first, and creates of one group pass its gate one
    /// at a time: a second PUT would replace the tags of the first.
    ///
    /// # Errors
    /// `AlreadyExists` where a group of that name has not exactly these tags.
    pub async fn create_group(
        &self,
        name: &str,
        location: &str,
        tags: &Tags,
        waits: &Waits,
    ) -> Result<ResourceGroup, Error> {
        let path = self.group_path(name);
        let call = Call::path("create resource group", Method::Put, &path, GROUPS);
        let passage = self.gates.enter_at(&path, waits).await?;
        let waits = &passage.waits;
        if let Some(found) = self.get_group(name, waits).await? {
            return if found.tags == *tags {
                Ok(found)
            } else {
                Err(Error::AlreadyExists(
                    call.facts().saying("a resource group with this name exists and does not belong to this link"),
                ))
            };
        }
        let call = call.with(group::body(location, tags), Condition::None);
        let reply = self.write_idempotent(&call, waits).await?;
        match group::parse(&reply.body) {
            Ok(group) => Ok(group),
            Err(fault) => {
                let found = self.get_group(name, waits).await?;
                found.ok_or_else(|| Error::Malformed(call.facts().saying(fault.to_string())))
            }
        }
    }

    /// Sets a group's tags to exactly these.
    ///
    /// # Errors
    /// As Azure refuses.
    pub async fn set_group_tags(&self, name: &str, tags: &Tags, waits: &Waits) -> Result<(), Error> {
        let call = Call::path("tag resource group", Method::Patch, &self.group_path(name), GROUPS);
        let call = call.with(serde_json::json!({"tags": tags}), Condition::None);
        self.write_idempotent(&call, waits).await.map(drop)
    }

    /// Deletes a group **with all that it holds**; look with `group_resources` first.
    ///
    /// # Errors
    /// As Azure refuses.
    pub async fn delete_group(&self, name: &str, waits: &Waits) -> Result<(), Error> {
        let call = Call::path("delete resource group", Method::Delete, &self.group_path(name), GROUPS);
        let ended = match self.write_idempotent(&call, waits).await {
            Ok(first) => {
                let operation = Operation { arm: &self.arm, call: &call, kind: Kind::Delete, resource: None };
                operation.finish(first, waits).await.map(|_| ())
            }
            Err(error) => Err(error),
        };
        match ended {
            Err(error) if error.is_absent() => Ok(()),
            other => other,
        }
    }

    /// What a group holds; empty where it does not exist.
    ///
    /// # Errors
    /// As Azure refuses.
    pub async fn group_resources(&self, name: &str, waits: &Waits) -> Result<Vec<Member>, Error> {
        let path = format!("{}/resources", self.group_path(name));
        let call = Call::path("list resource group", Method::Get, &path, GROUPS);
        let found = self.list(&call, waits).await?;
        found.iter().map(|doc| read_as("list resource group", &path, group::member(doc))).collect()
    }

    /// Management locks at, above and below a group, as far as these credentials may read them.
    ///
    /// # Errors
    /// As Azure refuses, but for a lack of rights.
    pub async fn group_locks(&self, name: &str, waits: &Waits) -> Result<Vec<Lock>, Error> {
        let path = format!("{}/providers/Microsoft.Authorization/locks", self.group_path(name));
        let found = match self.list(&Call::path("list locks of", Method::Get, &path, LOCKS), waits).await {
            Err(Error::Denied(_)) => Vec::new(),
            other => other?,
        };
        found.iter().map(|doc| read_as("list locks of", &path, lock::parse(doc))).collect()
    }

    /// Names of the groups of the subscription that hold connections, in lower case, as far as these credentials may list them.
    ///
    /// # Errors
    /// As Azure refuses, but for a lack of rights.
    pub async fn groups_with_connections(&self, waits: &Waits) -> Result<BTreeSet<String>, Error> {
        let path = format!(
            "/subscriptions/{}/resources?$filter=resourceType%20eq%20'Microsoft.Network/connections'",
            self.subscription
        );
        let found = match self.list(&Call::path("list connections of", Method::Get, &path, GROUPS), waits).await {
            Err(Error::Denied(_)) => Vec::new(),
            other => other?,
        };
        let ids = found.iter().filter_map(|doc| ResourceId::parse(doc.get("id")?.as_str()?).ok());
        Ok(ids.map(|id| id.resource_group().to_lowercase()).collect())
    }
}
