//! Create, change and delete, each safe against busy neighbours, lost replies and being run again.

use super::version_of;
use crate::azure::arm::{ArmRequest, ArmResponse, Precondition};
use crate::azure::client::{Azure, IsOwned};
use crate::azure::documents::{provisioning_state, tags, writable};
use crate::azure::error::Error;
use crate::azure::id::ResourceId;
use crate::azure::lro::{LongRunningOperation, LroKind, wait_succeeded};
use crate::azure::model::ProvisioningState;
use crate::client::{Attempts, CallContext, ErrorContext, TransientFailure};
use azure_core::http::Method;
use bgp_vpn::types::Tags;
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// Reads after a lost reply before the object counts as not made.
const LOOKUPS_AFTER_LOST_RESPONSE: u32 = 3;
/// How long the use of a subnet or an address may outlast the gateway that used it.
pub(super) const RELEASE_TIMEOUT: Duration = Duration::from_secs(600);
/// Writes of one change before what Azure made of it is taken as it is.
const MAX_WRITES: u32 = 3;

/// An edit of a document in place; run again on a fresh document when someone else was quicker.
pub(super) type DocumentEdit<'a> = &'a (dyn Fn(&mut Value) + Send + Sync);

/// How an object that a create finds under its name is recognised as this link's.
#[derive(Clone, Copy)]
pub(super) enum Claim<'a> {
    /// By what is in its document.
    Marked(&'a (dyn Fn(&Value) -> bool + Send + Sync)),
    /// By its document, and only after a write of this very call whose answer was lost: it has no
    /// tags.
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
    let message =
        "an object with this name exists and does not belong to this link, so it was not changed";
    Error::AlreadyExists(ErrorContext::new(operation, id.as_str()).with_message(message))
}

impl Azure {
    /// Creates an object whose name must be free, and returns its document once it is provisioned.
    ///
    /// An object of that name that is `is_owned` is finished instead: waited for, or written again
    /// where it had failed.
    pub(super) async fn create(
        &self,
        operation: &'static str,
        id: &ResourceId,
        body: &Value,
        is_owned: IsOwned<'_>,
        ctx: &CallContext,
    ) -> Result<Value, Error> {
        let by_tags = |doc: &Value| is_owned(&tags(doc));
        self.create_unless_exists(operation, id, body, Claim::Marked(&by_tags), ctx)
            .await
    }

    /// `create` with another proof of ownership.
    ///
    /// No published description of Microsoft.Network has `If-None-Match`, so the header alone does
    /// not protect an object of that name: every write follows a read that did not find a foreign
    /// object.
    pub(super) async fn create_unless_exists(
        &self,
        operation: &'static str,
        id: &ResourceId,
        body: &Value,
        claim: Claim<'_>,
        ctx: &CallContext,
    ) -> Result<Value, Error> {
        let mut found = self.get(operation, id, ctx).await?;
        let (mut attempts, mut sent) = (Attempts::default(), false);
        loop {
            let condition = match &found {
                Some(doc) if !claim.covers(doc, sent) => return Err(name_taken(operation, id)),
                Some(doc) if provisioning_state(doc) == ProvisioningState::Deleting => {
                    // An earlier run deleted it, and Azure is not done yet.
                    self.wait_while_deleting(id, ctx).await?;
                    found = self.get(operation, id, ctx).await?;
                    continue;
                }
                Some(doc) if provisioning_state(doc).is_given_up() => {
                    let etag = doc.get("etag").and_then(Value::as_str);
                    etag.map_or(Precondition::None, |etag| {
                        Precondition::IfMatch(etag.to_owned())
                    })
                }
                Some(_) => {
                    return wait_succeeded(&self.arm, operation, id, version_of(id), ctx).await;
                }
                None => Precondition::IfNoneMatch,
            };
            let request = ArmRequest::new(operation, Method::Put, id, version_of(id))
                .with(body.clone(), condition);
            let error = match self.arm.write(&request, ctx).await {
                Ok(first) => {
                    self.wait_operation(&request, LroKind::Write, id, first, ctx)
                        .await?;
                    return wait_succeeded(&self.arm, operation, id, version_of(id), ctx).await;
                }
                Err(error) => error,
            };
            found = match &error {
                Error::PreconditionFailed(_) | Error::Conflict(_) | Error::Unreachable(_) => {
                    self.get(operation, id, ctx).await?
                }
                error if error.is_outcome_unknown() => {
                    sent = true;
                    self.recheck_after_lost_response(operation, id, error, ctx)
                        .await?
                }
                _ => return Err(error),
            };
            // A write that is repeated on a condition does no harm.
            let failure = match &found {
                Some(doc) if !provisioning_state(doc).is_given_up() => continue,
                None if matches!(error, Error::Conflict(_)) => None,
                _ => Some(TransientFailure::Service),
            };
            self.arm
                .retry_or_fail(error, failure, &mut attempts, ctx)
                .await?;
        }
    }

    /// After a lost reply: looks a few times, since what was made may show late.
    async fn recheck_after_lost_response(
        &self,
        operation: &'static str,
        id: &ResourceId,
        error: &Error,
        ctx: &CallContext,
    ) -> Result<Option<Value>, Error> {
        for look in 0..LOOKUPS_AFTER_LOST_RESPONSE {
            let pause = self.arm.backoff().pause(look, id.as_str());
            ctx.sleep(pause, error.context()).await?;
            if let Some(doc) = self.get(operation, id, ctx).await? {
                return Ok(Some(doc));
            }
        }
        Ok(None)
    }

    /// Read, edit, write with the etag, read again; from the start where someone else was quicker.
    /// An edit that changes nothing writes nothing. Returns the document as it is at the end.
    pub(super) async fn read_modify_write(
        &self,
        operation: &'static str,
        id: &ResourceId,
        edit: DocumentEdit<'_>,
        ctx: &CallContext,
    ) -> Result<Value, Error> {
        self.read_modify_write_unless(operation, id, edit, &|_| None, ctx)
            .await
    }

    /// `change`, unless the document as it was read must not be written: `refuses` says why.
    pub(super) async fn read_modify_write_unless(
        &self,
        operation: &'static str,
        id: &ResourceId,
        edit: DocumentEdit<'_>,
        refuses: &(dyn Fn(&Value) -> Option<String> + Send + Sync),
        ctx: &CallContext,
    ) -> Result<Value, Error> {
        let (mut writes, mut attempts) = (0, Attempts::default());
        loop {
            let read = ArmRequest::new(operation, Method::Get, id, version_of(id));
            let doc = self.arm.read(&read, ctx).await?.body;
            let state = provisioning_state(&doc);
            if !matches!(
                state,
                ProvisioningState::Succeeded
                    | ProvisioningState::Failed
                    | ProvisioningState::Canceled
            ) {
                let _others = ctx.pause_while_busy();
                wait_until_terminal(self, operation, id, ctx).await?;
                continue;
            }
            let mut wanted = doc.clone();
            edit(&mut wanted);
            let body = writable(&wanted);
            let done = body == writable(&doc) && state == ProvisioningState::Succeeded;
            if done || writes == MAX_WRITES {
                return Ok(doc);
            }
            if let Some(why) = refuses(&doc) {
                return Err(Error::Rejected(read.error_context().with_message(why)));
            }
            let etag = doc.get("etag").and_then(Value::as_str);
            let condition = etag.map_or(Precondition::None, |etag| {
                Precondition::IfMatch(etag.to_owned())
            });
            let request =
                ArmRequest::new(operation, Method::Put, id, version_of(id)).with(body, condition);
            match self.arm.write(&request, ctx).await {
                Ok(first) => {
                    self.wait_operation(&request, LroKind::Write, id, first, ctx)
                        .await?;
                    writes += 1;
                }
                Err(error @ Error::PreconditionFailed(_)) => {
                    self.arm.wait_to_retry(&error, 0, ctx).await?
                }
                Err(error) => {
                    self.arm
                        .repeat_idempotent(error, &mut attempts, ctx)
                        .await?
                }
            }
        }
    }

    /// Deletes, and waits until it is gone; what is not there counts as deleted. `lingering`: how
    /// long "in use" is waited out.
    pub(super) async fn delete(
        &self,
        operation: &'static str,
        id: &ResourceId,
        version: &str,
        lingering: Duration,
        ctx: &CallContext,
    ) -> Result<(), Error> {
        let request = ArmRequest::new(operation, Method::Delete, id, version);
        self.delete_call(&request, id, version, lingering, ctx)
            .await
    }

    pub(super) async fn delete_call(
        &self,
        request: &ArmRequest,
        id: &ResourceId,
        version: &str,
        lingering: Duration,
        ctx: &CallContext,
    ) -> Result<(), Error> {
        let (begun, mut uses) = (Instant::now(), 0);
        let mut attempts = Attempts::default();
        loop {
            let ended = match self.arm.write(request, ctx).await {
                Ok(first) => {
                    let resource = Some((id, version));
                    let operation = LongRunningOperation {
                        arm: &self.arm,
                        request,
                        kind: LroKind::Delete,
                        resource,
                    };
                    operation.poll_to_completion(first, ctx).await.map(|_| ())
                }
                Err(error) => Err(error),
            };
            let in_use = |error: &Error| {
                let code = &error.context().code;
                let refused = code.starts_with("InUse") || code.ends_with("CannotBeDeleted");
                matches!(error, Error::DependencyViolation(_))
                    || matches!(error, Error::OperationFailed(_)) && refused
            };
            match ended {
                Ok(()) => return Ok(()),
                Err(error) if error.is_not_found() => return Ok(()),
                Err(error) if in_use(&error) && begun.elapsed() < lingering => {
                    self.arm.wait_to_retry(&error, uses, ctx).await?;
                    uses += 1;
                }
                Err(error) => {
                    self.arm
                        .repeat_idempotent(error, &mut attempts, ctx)
                        .await?
                }
            }
        }
    }

    /// Sets tags to exactly these by PATCH, which touches nothing else of the resource.
    ///
    /// # Errors
    /// `NotFound` where it does not exist.
    pub async fn set_tags(
        &self,
        id: &ResourceId,
        tags: &Tags,
        ctx: &CallContext,
    ) -> Result<(), Error> {
        let request = ArmRequest::new("tag", Method::Patch, id, version_of(id));
        let request = request.with(serde_json::json!({"tags": tags}), Precondition::None);
        let first = self.put_idempotent(&request, ctx).await?;
        self.wait_operation(&request, LroKind::Write, id, first, ctx)
            .await
    }

    /// A write whose repetition does no harm: repeated after a lost reply too.
    pub(super) async fn put_idempotent(
        &self,
        request: &ArmRequest,
        ctx: &CallContext,
    ) -> Result<ArmResponse, Error> {
        let mut attempts = Attempts::default();
        loop {
            match self.arm.write(request, ctx).await {
                Ok(response) => return Ok(response),
                Err(error) => {
                    self.arm
                        .repeat_idempotent(error, &mut attempts, ctx)
                        .await?
                }
            }
        }
    }

    pub(super) async fn wait_operation(
        &self,
        request: &ArmRequest,
        kind: LroKind,
        id: &ResourceId,
        first: ArmResponse,
        ctx: &CallContext,
    ) -> Result<(), Error> {
        let operation = LongRunningOperation {
            arm: &self.arm,
            request,
            kind,
            resource: Some((id, version_of(id))),
        };
        operation.poll_to_completion(first, ctx).await.map(|_| ())
    }
}

/// Waits for a final state, a failed one included: a write repairs it.
async fn wait_until_terminal(
    azure: &Azure,
    operation: &'static str,
    id: &ResourceId,
    ctx: &CallContext,
) -> Result<(), Error> {
    match wait_succeeded(&azure.arm, operation, id, version_of(id), ctx).await {
        Ok(_) | Err(Error::OperationFailed(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
