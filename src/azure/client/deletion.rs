//! Objects that Azure is deleting. A delete of a run that was killed continues at Azure, for a gateway up to twenty minutes.

use super::{Azure, NETWORK};
use crate::azure::arm::Call;
use crate::azure::documents::provisioning_state;
use crate::azure::error::Error;
use crate::azure::id::ResourceId;
use crate::azure::model::ProvisioningState;
use crate::azure::waits::Waits;
use crate::primitives::pace;
use azure_core::http::Method;
use futures::future::try_join_all;
use std::collections::BTreeSet;
use tokio::time::Instant;

/// Codes of a 404 that report a missing object. Others report a subscription or a type that these credentials do not see.
const ABSENT: [&str; 2] = ["ResourceNotFound", "NotFound"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    /// Also where these credentials may not read it.
    Stays,
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
        waits: &Waits,
    ) -> Result<BTreeSet<ResourceId>, Error> {
        let read = try_join_all(ids.iter().map(|id| self.presence(id, waits))).await?;
        let found = ids.iter().zip(read).filter(|(_, presence)| *presence != Presence::Stays);
        Ok(found.map(|(id, _)| id.clone()).collect())
    }

    /// Waits as long as Azure deletes this object.
    ///
    /// # Errors
    /// `TimedOut`, `Cancelled`; as Azure refuses, but for a lack of rights.
    pub async fn wait_while_deleting(&self, id: &ResourceId, waits: &Waits) -> Result<(), Error> {
        let begun = Instant::now();
        while self.presence(id, waits).await? == Presence::Deleting {
            let facts = Call::new("delete", Method::Get, id, NETWORK).facts().saying("Azure is still deleting it");
            waits.sleep(pace::pause(begun.elapsed()), &facts).await?;
        }
        Ok(())
    }

    async fn presence(&self, id: &ResourceId, waits: &Waits) -> Result<Presence, Error> {
        match self.arm.read(&Call::new("read", Method::Get, id, NETWORK), waits).await {
            Ok(reply) if provisioning_state(&reply.body) == ProvisioningState::Deleting => Ok(Presence::Deleting),
            Err(Error::GroupNotFound(_)) => Ok(Presence::Gone),
            Err(Error::NotFound(facts)) if ABSENT.contains(&facts.code.as_str()) => Ok(Presence::Gone),
            Ok(_) | Err(Error::NotFound(_) | Error::Denied(_) | Error::Refused(_)) => Ok(Presence::Stays),
            Err(error) => Err(error),
        }
    }
}
