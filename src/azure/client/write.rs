//! Create, change and delete, each safe against busy neighbours, lost replies and being run again.

use super::{Azure, NETWORK, Ours};
use crate::azure::arm::{Call, Condition, TRIES, pause};
use crate::azure::documents::{provisioning_state, tags, writable};
use crate::azure::error::{Error, Facts};
use crate::azure::id::ResourceId;
use crate::azure::model::ProvisioningState;
use crate::azure::operation::{Kind, Operation, settled};
use crate::azure::waits::{Waits, backoff};
use crate::primitives::Tags;
use azure_core::http::Method;
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// Reads after a lost reply before the object counts as not made.
const LOOKS: u32 = 3;
/// How long the use of a subnet or an address may outlast the gateway that used it.
pub(super) const LINGERING: Duration = Duration::from_secs(600);
/// Writes of one change before what Azure made of it is taken as it is.
const WRITES: u32 = 3;

/// An edit of a document in place; run again on a fresh document when someone else was quicker.
pub(super) type Edit<'a> = &'a (dyn Fn(&mut Value) + Send + Sync);

/// How an object that a create finds under its name is recognised as this link's.
#[derive(Clone, Copy)]
pub(super) enum Claim<'a> {
    /// By what is in its document.
    Marked(&'a (dyn Fn(&Value) -> bool + Send + Sync)),
    /// By its document, and only after a write of this very call whose answer was lost: it has no tags.
    Written(&'a (dyn Fn(&Value) -> bool + Send + Sync)),
}

impl Claim<'_> {
    /// `sent`: a write of this call may have made the object.
    fn covers(&self, doc: &Value, sent: bool) -> bool {
        match self {
            Claim::Marked(is_ours) => is_ours(doc),
            Claim::Written(is_ours) => sent && is_ours(doc),
        }
    }
}

fn name_taken(operation: &'static str, id: &ResourceId) -> Error {
    let message = "an object with this name exists and does not belong to this link, so it was not changed";
    Error::AlreadyExists(Facts::new(operation, id.as_str()).saying(message))
}

impl Azure {
    /// Creates an object whose name must be free, and returns its document once it is provisioned.
    ///
    /// An object of that name that is `ours` is finished instead: waited for, or written again where it had failed.
    pub(super) async fn create(
        &self,
        operation: &'static str,
        id: &ResourceId,
        body: &Value,
        ours: Ours<'_>,
        waits: &Waits,
    ) -> Result<Value, Error> {
        let by_tags = |doc: &Value| ours(&tags(doc));
        self.create_if(operation, id, body, Claim::Marked(&by_tags), waits).await
    }

    /// `create` with another proof of ownership.
    ///
    /// No published description of Microsoft.Network has `If-None-Match`, so the header alone does not protect an object of that
    /// name: every write follows a read that did not find a foreign object.
    pub(super) async fn create_if(
        &self,
        operation: &'static str,
        id: &ResourceId,
        body: &Value,
        claim: Claim<'_>,
        waits: &Waits,
    ) -> Result<Value, Error> {
        let mut found = self.get(operation, id, waits).await?;
        let (mut tries, mut sent) = (0, false);
        loop {
            let condition = match &found {
                Some(doc) if !claim.covers(doc, sent) => return Err(name_taken(operation, id)),
                Some(doc) if provisioning_state(doc) == ProvisioningState::Deleting => {
                    // An earlier run deleted it, and Azure is not done yet.
                    self.wait_while_deleting(id, waits).await?;
                    found = self.get(operation, id, waits).await?;
                    continue;
                }
                Some(doc) if provisioning_state(doc).is_given_up() => {
                    let etag = doc.get("etag").and_then(Value::as_str);
                    etag.map_or(Condition::None, |etag| Condition::Unchanged(etag.to_owned()))
                }
                Some(_) => return settled(&self.arm, operation, id, NETWORK, waits).await,
                None => Condition::Absent,
            };
            let call = Call::new(operation, Method::Put, id, NETWORK).with(body.clone(), condition);
            let error = match self.arm.write(&call, waits).await {
                Ok(first) => {
                    self.follow(&call, Kind::Write, id, first, waits).await?;
                    return settled(&self.arm, operation, id, NETWORK, waits).await;
                }
                Err(error) => error,
            };
            found = match &error {
                Error::PreconditionFailed(_) | Error::Conflict(_) => self.get(operation, id, waits).await?,
                error if error.is_ambiguous() => {
                    sent = true;
                    self.look_again(operation, id, error, waits).await?
                }
                _ => return Err(error),
            };
            tries += 1;
            match &found {
                None if matches!(error, Error::Conflict(_)) || tries == TRIES => return Err(error),
                Some(doc) if provisioning_state(doc).is_given_up() && tries == TRIES => return Err(error),
                Some(doc) if !provisioning_state(doc).is_given_up() => {}
                _ => pause(&error, tries - 1, &call, waits).await?,
            }
        }
    }

    /// After a lost reply: looks a few times, since what was made may show late.
    async fn look_again(
        &self,
        operation: &'static str,
        id: &ResourceId,
        error: &Error,
        waits: &Waits,
    ) -> Result<Option<Value>, Error> {
        for look in 0..LOOKS {
            waits.sleep(backoff(look, id.as_str()), error.facts()).await?;
            if let Some(doc) = self.get(operation, id, waits).await? {
                return Ok(Some(doc));
            }
        }
        Ok(None)
    }

    /// Read, edit, write with the etag, read again; from the start where someone else was quicker. An edit that
    /// changes nothing writes nothing. Returns the document as it is at the end.
    pub(super) async fn change(
        &self,
        operation: &'static str,
        id: &ResourceId,
        edit: Edit<'_>,
        waits: &Waits,
    ) -> Result<Value, Error> {
        self.change_unless(operation, id, edit, &|_| None, waits).await
    }

    /// `change`, unless the document as it was read must not be written: `refuses` says why.
    pub(super) async fn change_unless(
        &self,
        operation: &'static str,
        id: &ResourceId,
        edit: Edit<'_>,
        refuses: &(dyn Fn(&Value) -> Option<String> + Send + Sync),
        waits: &Waits,
    ) -> Result<Value, Error> {
        let (mut writes, mut misses) = (0, 0);
        loop {
            let read = Call::new(operation, Method::Get, id, NETWORK);
            let doc = self.arm.read(&read, waits).await?.body;
            let state = provisioning_state(&doc);
            if !matches!(state, ProvisioningState::Succeeded | ProvisioningState::Failed | ProvisioningState::Canceled)
            {
                let _others = waits.others_at_work();
                settled_or_failed(self, operation, id, waits).await?;
                continue;
            }
            let mut wanted = doc.clone();
            edit(&mut wanted);
            let body = writable(&wanted);
            let done = body == writable(&doc) && state == ProvisioningState::Succeeded;
            if done || writes == WRITES {
                return Ok(doc);
            }
            if let Some(why) = refuses(&doc) {
                return Err(Error::Refused(read.facts().saying(why)));
            }
            let etag = doc.get("etag").and_then(Value::as_str);
            let condition = etag.map_or(Condition::None, |etag| Condition::Unchanged(etag.to_owned()));
            let call = Call::new(operation, Method::Put, id, NETWORK).with(body, condition);
            match self.arm.write(&call, waits).await {
                Ok(first) => {
                    self.follow(&call, Kind::Write, id, first, waits).await?;
                    writes += 1;
                }
                Err(error @ Error::PreconditionFailed(_)) => pause(&error, 0, &call, waits).await?,
                Err(error) if error.is_ambiguous() && misses + 1 < TRIES => {
                    pause(&error, misses, &call, waits).await?;
                    misses += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Deletes, and waits until it is gone; what is not there counts as deleted. `lingering`: how long "in use" is
    /// waited out.
    pub(super) async fn delete(
        &self,
        operation: &'static str,
        id: &ResourceId,
        version: &str,
        lingering: Duration,
        waits: &Waits,
    ) -> Result<(), Error> {
        let call = Call::new(operation, Method::Delete, id, version);
        self.delete_call(&call, id, version, lingering, waits).await
    }

    pub(super) async fn delete_call(
        &self,
        call: &Call,
        id: &ResourceId,
        version: &str,
        lingering: Duration,
        waits: &Waits,
    ) -> Result<(), Error> {
        let (begun, mut misses, mut uses) = (Instant::now(), 0, 0);
        loop {
            let ended = match self.arm.write(call, waits).await {
                Ok(first) => {
                    let resource = Some((id, version));
                    let operation = Operation { arm: &self.arm, call, kind: Kind::Delete, resource };
                    operation.finish(first, waits).await.map(|_| ())
                }
                Err(error) => Err(error),
            };
            let in_use = |error: &Error| {
                let code = &error.facts().code;
                let refused = code.starts_with("InUse") || code.ends_with("CannotBeDeleted");
                matches!(error, Error::InUse(_)) || matches!(error, Error::OperationFailed(_)) && refused
            };
            match ended {
                Ok(()) => return Ok(()),
                Err(error) if error.is_absent() => return Ok(()),
                Err(error) if in_use(&error) && begun.elapsed() < lingering => {
                    pause(&error, uses, call, waits).await?;
                    uses += 1;
                }
                Err(error) if error.is_ambiguous() && misses + 1 < TRIES => {
                    pause(&error, misses, call, waits).await?;
                    misses += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Sets tags to exactly these by PATCH, which touches nothing else of the resource.
    ///
    /// # Errors
    /// `NotFound` where it does not exist.
    pub async fn set_tags(&self, id: &ResourceId, tags: &Tags, waits: &Waits) -> Result<(), Error> {
        let call = Call::new("tag", Method::Patch, id, NETWORK);
        let call = call.with(serde_json::json!({"tags": tags}), Condition::None);
        let first = self.write_idempotent(&call, waits).await?;
        self.follow(&call, Kind::Write, id, first, waits).await
    }

    /// A write whose repetition does no harm: repeated after a lost reply too.
    pub(super) async fn write_idempotent(&self, call: &Call, waits: &Waits) -> Result<crate::azure::arm::Reply, Error> {
        let mut misses = 0;
        loop {
            match self.arm.write(call, waits).await {
                Err(error) if error.is_ambiguous() && misses + 1 < TRIES => {
                    pause(&error, misses, call, waits).await?;
                    misses += 1;
                }
                other => return other,
            }
        }
    }

    pub(super) async fn follow(
        &self,
        call: &Call,
        kind: Kind,
        id: &ResourceId,
        first: crate::azure::arm::Reply,
        waits: &Waits,
    ) -> Result<(), Error> {
        let operation = Operation { arm: &self.arm, call, kind, resource: Some((id, NETWORK)) };
        operation.finish(first, waits).await.map(|_| ())
    }
}

/// Waits for a final state, a failed one included: a write is what mends it.
async fn settled_or_failed(
    azure: &Azure,
    operation: &'static str,
    id: &ResourceId,
    waits: &Waits,
) -> Result<(), Error> {
    match settled(&azure.arm, operation, id, NETWORK, waits).await {
        Ok(_) | Err(Error::OperationFailed(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
