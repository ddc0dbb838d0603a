//! Objects that Azure is deleting. A delete of a run that was killed continues at Azure, for a
//! gateway up to twenty minutes.

use super::version_of;
use crate::azure::arm::ArmRequest;
use crate::azure::client::Azure;
use crate::azure::documents::provisioning_state;
use crate::azure::error::Error;
use crate::azure::id::ResourceId;
use crate::azure::model::ProvisioningState;
use crate::client::{CallContext, Progress, wait_until};
use azure_core::http::Method;
use futures::future::try_join_all;
use std::collections::BTreeSet;

/// Codes of a 404 that report a missing object. Others report a subscription or a type that these
/// credentials do not see.
const NOT_FOUND_CODES: [&str; 2] = ["ResourceNotFound", "NotFound"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    /// Also where these credentials may not read it.
    Exists,
    Deleting,
    Gone,
}

impl Azure {
    /// Those of these `Microsoft.Network` objects that are gone or being deleted.
    ///
    /// # Errors
    /// As Azure refuses, but for a lack of rights.
    pub async fn deleted_or_deleting(
        &self,
        ids: &BTreeSet<ResourceId>,
        ctx: &CallContext,
    ) -> Result<BTreeSet<ResourceId>, Error> {
        let read = try_join_all(ids.iter().map(|id| self.presence(id, ctx))).await?;
        let found = ids
            .iter()
            .zip(read)
            .filter(|(_, presence)| *presence != Presence::Exists);
        Ok(found.map(|(id, _)| id.clone()).collect())
    }

    /// Waits as long as Azure deletes this object.
    ///
    /// # Errors
    /// `DeadlineExceeded`, `Cancelled`; as Azure refuses, but for a lack of rights.
    pub async fn wait_while_deleting(
        &self,
        id: &ResourceId,
        ctx: &CallContext,
    ) -> Result<(), Error> {
        let describe = ArmRequest::new("delete", Method::Get, id, version_of(id)).error_context();
        let read = || self.presence(id, ctx);
        wait_until(ctx, &describe, read, |presence, _| {
            Ok(match presence? {
                Presence::Deleting => Progress::pending("Azure is still deleting it"),
                Presence::Exists | Presence::Gone => Progress::Done(()),
            })
        })
        .await
    }

    async fn presence(&self, id: &ResourceId, ctx: &CallContext) -> Result<Presence, Error> {
        match self
            .arm
            .read(
                &ArmRequest::new("read", Method::Get, id, version_of(id)),
                ctx,
            )
            .await
        {
            Ok(response) if provisioning_state(&response.body) == ProvisioningState::Deleting => {
                Ok(Presence::Deleting)
            }
            Err(Error::GroupNotFound(_)) => Ok(Presence::Gone),
            Err(Error::NotFound(context)) if NOT_FOUND_CODES.contains(&context.code.as_str()) => {
                Ok(Presence::Gone)
            }
            Ok(_) | Err(Error::NotFound(_) | Error::Denied(_) | Error::Rejected(_)) => {
                Ok(Presence::Exists)
            }
            Err(error) => Err(error),
        }
    }
}
