//! ARM's long-running operations: from the first answer of a write to its end, through every oddity
//! that was seen.
//!
//! Progress is reported at the URL in `Azure-AsyncOperation`, else by that in `Location`, else by
//! the resource's own provisioning state, which is also where one falls back to when an operation's
//! record is gone.

use super::arm::{ArmClient, ArmRequest, ArmResponse};
use super::documents::provisioning_state;
use super::error::{Error, retry_after};
use super::id::ResourceId;
use super::model::ProvisioningState;
use crate::client::poll_interval::poll_delay;
use crate::client::{CallContext, DELETED_OUTSIDE, ErrorContext, Progress, WaitLog, wait_until};
use azure_core::http::Method;
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// How long something just started may be invisible.
const CREATE_VISIBILITY_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a deleted resource may look untouched before its delete counts as failed.
const DELETE_START_TIMEOUT: Duration = Duration::from_secs(60);

/// Pause between two checks whether the resource of a running write still exists. Azure may report an
/// operation as running long after a user deleted its resource.
const EXISTENCE_CHECK_INTERVAL: Duration = Duration::from_secs(120);

/// What is missing at a deadline.
const UNDER_WAY: &str = "the operation is under way at Azure";

/// What was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LroKind {
    /// PUT or PATCH.
    Write,
    Delete,
    /// POST with a result.
    Action,
}

/// An operation under way, or one that was done at once.
pub(super) struct LongRunningOperation<'a> {
    pub arm: &'a ArmClient,
    pub request: &'a ArmRequest,
    pub kind: LroKind,
    /// Looked at where there is no operation to look at. None: for actions.
    pub resource: Option<(&'a ResourceId, &'a str)>,
}

/// What a look showed.
enum PollStatus {
    Running(ArmResponse),
    Done(Value),
    NotFound,
}

impl LongRunningOperation<'_> {
    /// Follows the operation from its first answer to its end. The value is an action's result,
    /// else Null.
    ///
    /// # Errors
    /// `OperationFailed` with Azure's reason; `Cancelled` and `DeadlineExceeded`, while the operation goes
    /// on at Azure.
    pub async fn poll_to_completion(
        &self,
        first: ArmResponse,
        ctx: &CallContext,
    ) -> Result<Value, Error> {
        let begun = Instant::now();
        let find = |name: &str| {
            first
                .headers
                .get(name)
                .filter(|url| !url.is_empty())
                .cloned()
        };
        let (status_url, location) = (find("azure-asyncoperation"), find("location"));
        let Some(url) = status_url.clone().or(location.clone()) else {
            return self.poll_without_header(first, ctx).await;
        };
        if status_url.is_none() && first.status == 200 {
            return Ok(first.body);
        }
        let mut response = first;
        let mut checked = begun;
        let mut log = WaitLog::begin();
        loop {
            log.pending(&self.under_way());
            let pause = poll_delay(begun.elapsed(), retry_after(&response.headers));
            ctx.sleep(pause, &self.under_way()).await?;
            match self.poll_once(&url, status_url.is_some(), ctx).await {
                Ok(PollStatus::Running(next)) => {
                    response = next;
                    if checked.elapsed() >= EXISTENCE_CHECK_INTERVAL {
                        self.check_exists(ctx).await?;
                        checked = Instant::now();
                    }
                }
                Ok(PollStatus::Done(_)) if self.kind == LroKind::Action && status_url.is_some() => {
                    let Some(location) = location else {
                        return Ok(Value::Null);
                    };
                    return self.result(&location, ctx).await;
                }
                Ok(PollStatus::Done(result)) => return Ok(result),
                Ok(PollStatus::NotFound)
                    if self.kind != LroKind::Delete
                        && begun.elapsed() < CREATE_VISIBILITY_TIMEOUT =>
                {
                    response.headers.clear();
                }
                Ok(PollStatus::NotFound) => return self.poll_resource(ctx).await,
                Err(error) => return Err(error),
            }
        }
    }

    /// Fails if the resource of a write is gone or going. Other answers say nothing about that.
    async fn check_exists(&self, ctx: &CallContext) -> Result<(), Error> {
        let Some((id, version)) = self.resource.filter(|_| self.kind == LroKind::Write) else {
            return Ok(());
        };
        let request = ArmRequest::new(self.request.operation, Method::Get, id, version);
        match self.arm.read(&request, ctx).await {
            Err(error) if error.is_not_found() => Err(deleted_outside(&request)),
            Ok(found) if provisioning_state(&found.body) == ProvisioningState::Deleting => {
                Err(deleted_outside(&request))
            }
            _ => Ok(()),
        }
    }

    async fn poll_once(
        &self,
        url: &str,
        is_status: bool,
        ctx: &CallContext,
    ) -> Result<PollStatus, Error> {
        let response = match self.arm.read(&self.request.follow(url), ctx).await {
            Ok(response) => response,
            Err(error) if error.is_not_found() => return Ok(PollStatus::NotFound),
            Err(error) => return Err(error),
        };
        let status = response.body.get("status").and_then(Value::as_str);
        match (response.status, status) {
            (204, _) => Ok(PollStatus::Done(Value::Null)),
            (_, Some("Succeeded")) => Ok(PollStatus::Done(response.body)),
            (_, Some("Failed" | "Canceled" | "Cancelled")) => Err(self.failure(&response)),
            (202, _) => Ok(PollStatus::Running(response)),
            // An empty 200 means done; a result at Location has no status at all.
            (_, None) if response.body.is_null() || !is_status => {
                Ok(PollStatus::Done(response.body))
            }
            _ => Ok(PollStatus::Running(response)),
        }
    }

    /// An action's result, once its status said Succeeded.
    async fn result(&self, location: &str, ctx: &CallContext) -> Result<Value, Error> {
        let read = || self.poll_once(location, false, ctx);
        wait_until(ctx, &self.under_way(), read, |seen, _| match seen? {
            PollStatus::Done(result) => Ok(Progress::Done(result)),
            PollStatus::Running(response) => Ok(Progress::Pending {
                state: UNDER_WAY.to_owned(),
                retry_after: retry_after(&response.headers),
            }),
            PollStatus::NotFound => Err(Error::NotFound(
                self.request
                    .error_context()
                    .with_message("its result is gone"),
            )),
        })
        .await
    }

    async fn poll_without_header(
        &self,
        first: ArmResponse,
        ctx: &CallContext,
    ) -> Result<Value, Error> {
        match self.kind {
            LroKind::Action => Ok(first.body),
            LroKind::Delete if first.status != 202 => Ok(Value::Null),
            // A delete that is answered 202 without an address, and any write whose document says
            // that it is not done.
            LroKind::Delete => self.poll_resource(ctx).await,
            LroKind::Write if first.status == 200 && first.body.is_null() => Ok(Value::Null),
            LroKind::Write
                if !first.body.is_null()
                    && provisioning_state(&first.body) == ProvisioningState::Succeeded =>
            {
                Ok(Value::Null)
            }
            LroKind::Write => self.poll_resource(ctx).await,
        }
    }

    async fn poll_resource(&self, ctx: &CallContext) -> Result<Value, Error> {
        match (self.kind, self.resource) {
            (LroKind::Delete, Some((id, version))) => {
                wait_deleted(self.arm, self.request.operation, id, version, ctx)
                    .await
                    .map(|()| Value::Null)
            }
            (LroKind::Write, Some((id, version))) => {
                wait_succeeded(self.arm, self.request.operation, id, version, ctx)
                    .await
                    .map(|_| Value::Null)
            }
            _ => Err(Error::NotFound(
                self.request
                    .error_context()
                    .with_message("the operation's record is gone"),
            )),
        }
    }

    fn failure(&self, response: &ArmResponse) -> Error {
        let context = self
            .request
            .error_context()
            .with_response(response.status, &response.headers);
        let error = response.body.get("error").unwrap_or(&Value::Null);
        let mut context = context.with_error_body(error);
        if context.code.is_empty() {
            context.code = response
                .body
                .get("status")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned();
        }
        Error::OperationFailed(Box::new(context))
    }

    fn under_way(&self) -> ErrorContext {
        *self.request.error_context().with_message(UNDER_WAY)
    }
}

/// Waits until the resource's provisioning state is final, and returns its document.
///
/// # Errors
/// `OperationFailed` in state Failed or Canceled; `NotFound` where it does not appear, goes away or is
/// being deleted.
pub(super) async fn wait_succeeded(
    arm: &ArmClient,
    operation: &'static str,
    id: &ResourceId,
    version: &str,
    ctx: &CallContext,
) -> Result<Value, Error> {
    let request = ArmRequest::new(operation, Method::Get, id, version);
    let read = || arm.read(&request, ctx);
    let mut seen = false;
    let condition = |found: Result<ArmResponse, Error>, waited: Duration| {
        let response = match found {
            Ok(response) => response,
            Err(error) if error.is_not_found() && !seen && waited < CREATE_VISIBILITY_TIMEOUT => {
                return Ok(Progress::pending("it is not visible yet"));
            }
            Err(error) if error.is_not_found() => return Err(deleted_outside(&request)),
            Err(error) => return Err(error),
        };
        seen = true;
        match provisioning_state(&response.body) {
            ProvisioningState::Succeeded => Ok(Progress::Done(response.body)),
            ProvisioningState::Deleting => Err(deleted_outside(&request)),
            ProvisioningState::Failed | ProvisioningState::Canceled => Err(failed(
                &request,
                &response,
                "its provisioning state is Failed".to_owned(),
            )),
            _ => Ok(Progress::Pending {
                state: "it is not provisioned yet".to_owned(),
                retry_after: retry_after(&response.headers),
            }),
        }
    };
    wait_until(ctx, &request.error_context(), read, condition).await
}

/// A resource that is gone, or going, while this run waits for it to be provisioned.
fn deleted_outside(request: &ArmRequest) -> Error {
    Error::NotFound(request.error_context().with_message(DELETED_OUTSIDE))
}

/// A resource whose state is not the awaited one, and will not become it.
fn failed(request: &ArmRequest, response: &ArmResponse, message: String) -> Error {
    let context = request
        .error_context()
        .with_response(response.status, &response.headers);
    Error::OperationFailed(context.with_message(message))
}

/// Waits until the resource is gone.
///
/// # Errors
/// `OperationFailed` where it stays without being deleted.
pub(super) async fn wait_deleted(
    arm: &ArmClient,
    operation: &'static str,
    id: &ResourceId,
    version: &str,
    ctx: &CallContext,
) -> Result<(), Error> {
    let request = ArmRequest::new(operation, Method::Get, id, version);
    let read = || arm.read(&request, ctx);
    let condition = |found: Result<ArmResponse, Error>, waited: Duration| {
        let response = match found {
            Ok(response) => response,
            Err(error) if error.is_not_found() => return Ok(Progress::Done(())),
            Err(error) => return Err(error),
        };
        let state = provisioning_state(&response.body);
        let stays = match state {
            ProvisioningState::Failed | ProvisioningState::Canceled => true,
            ProvisioningState::Succeeded => waited > DELETE_START_TIMEOUT,
            _ => false,
        };
        if stays {
            let message = format!("it is still there, in state {state:?}");
            return Err(failed(&request, &response, message));
        }
        Ok(Progress::pending("it is still there"))
    };
    wait_until(ctx, &request.error_context(), read, condition).await
}
