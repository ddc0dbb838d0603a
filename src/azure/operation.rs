//! ARM's long-running operations: from the first answer of a write to its end, through every oddity that was seen.
//!
//! Progress is told by the URL in `Azure-AsyncOperation`, else by that in `Location`, else by the resource's own
//! provisioning state, which is also where one falls back to when an operation's record is gone.

use super::arm::{Arm, Call, Reply};
use super::documents::provisioning_state;
use super::error::{Error, Facts, retry_after};
use super::id::ResourceId;
use super::model::ProvisioningState;
use super::waits::{Waits, interval};
use azure_core::http::Method;
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// How long something just started may be invisible.
const INVISIBLE: Duration = Duration::from_secs(30);
/// How long a deleted resource may look untouched before its delete counts as failed.
const UNTOUCHED: Duration = Duration::from_secs(60);
/// Looks in a row that may bring no answer, each of them tried several times already.
const LOST_LOOKS: u32 = 3;

/// What was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// PUT or PATCH.
    Write,
    Delete,
    /// POST with a result.
    Action,
}

/// An operation under way, or one that was done at once.
pub(super) struct Operation<'a> {
    pub arm: &'a Arm,
    pub call: &'a Call,
    pub kind: Kind,
    /// Looked at where there is no operation to look at. None: for actions.
    pub resource: Option<(&'a ResourceId, &'a str)>,
}

/// What a look showed.
enum Look {
    Running(Reply),
    Done(Value),
    Vanished,
}

impl Operation<'_> {
    /// Follows the operation from its first answer to its end. The value is an action's result, else Null.
    ///
    /// # Errors
    /// `OperationFailed` with Azure's reason; `Cancelled` and `TimedOut`, while the operation goes on at Azure.
    pub async fn finish(&self, first: Reply, waits: &Waits) -> Result<Value, Error> {
        let begun = Instant::now();
        let find = |name: &str| first.headers.get(name).filter(|url| !url.is_empty()).cloned();
        let (status_url, location) = (find("azure-asyncoperation"), find("location"));
        let Some(url) = status_url.clone().or(location.clone()) else {
            return self.without_url(first, waits).await;
        };
        if status_url.is_none() && first.status == 200 {
            return Ok(first.body);
        }
        let mut reply = first;
        let mut lost = 0;
        loop {
            let pause = interval(begun.elapsed(), retry_after(&reply.headers));
            waits.sleep(pause, &self.under_way()).await?;
            match self.look(&url, status_url.is_some(), waits).await {
                Ok(Look::Running(next)) => (reply, lost) = (next, 0),
                Ok(Look::Done(_)) if self.kind == Kind::Action && status_url.is_some() => {
                    let Some(location) = location else { return Ok(Value::Null) };
                    return self.result(&location, waits).await;
                }
                Ok(Look::Done(result)) => return Ok(result),
                Ok(Look::Vanished) if self.kind != Kind::Delete && begun.elapsed() < INVISIBLE => {
                    reply.headers.clear();
                }
                Ok(Look::Vanished) => return self.by_resource(waits).await,
                Err(error) if error.is_ambiguous() && lost + 1 < LOST_LOOKS => lost += 1,
                Err(error) => return Err(error),
            }
        }
    }

    async fn look(&self, url: &str, is_status: bool, waits: &Waits) -> Result<Look, Error> {
        let reply = match self.arm.read(&self.call.follow(url), waits).await {
            Ok(reply) => reply,
            Err(error) if error.is_absent() => return Ok(Look::Vanished),
            Err(error) => return Err(error),
        };
        let status = reply.body.get("status").and_then(Value::as_str);
        match (reply.status, status) {
            (204, _) => Ok(Look::Done(Value::Null)),
            (_, Some("Succeeded")) => Ok(Look::Done(reply.body)),
            (_, Some("Failed" | "Canceled" | "Cancelled")) => Err(self.failure(&reply)),
            (202, _) => Ok(Look::Running(reply)),
            // An empty 200 means done; a result at Location has no status at all.
            (_, None) if reply.body.is_null() || !is_status => Ok(Look::Done(reply.body)),
            _ => Ok(Look::Running(reply)),
        }
    }

    /// An action's result, once its status said Succeeded.
    async fn result(&self, location: &str, waits: &Waits) -> Result<Value, Error> {
        let begun = Instant::now();
        loop {
            match self.look(location, false, waits).await? {
                Look::Done(result) => return Ok(result),
                Look::Running(reply) => {
                    let pause = interval(begun.elapsed(), retry_after(&reply.headers));
                    waits.sleep(pause, &self.under_way()).await?;
                }
                Look::Vanished => return Err(Error::NotFound(self.call.facts().saying("its result is gone"))),
            }
        }
    }

    async fn without_url(&self, first: Reply, waits: &Waits) -> Result<Value, Error> {
        match self.kind {
            Kind::Action => Ok(first.body),
            Kind::Delete if first.status != 202 => Ok(Value::Null),
            // A delete that is answered 202 without an address, and any write whose document says that it is not done.
            Kind::Delete => self.by_resource(waits).await,
            Kind::Write if first.status == 200 && first.body.is_null() => Ok(Value::Null),
            Kind::Write if !first.body.is_null() && provisioning_state(&first.body) == ProvisioningState::Succeeded => {
                Ok(Value::Null)
            }
            Kind::Write => self.by_resource(waits).await,
        }
    }

    async fn by_resource(&self, waits: &Waits) -> Result<Value, Error> {
        match (self.kind, self.resource) {
            (Kind::Delete, Some((id, version))) => {
                gone(self.arm, self.call.operation, id, version, waits).await.map(|()| Value::Null)
            }
            (Kind::Write, Some((id, version))) => {
                settled(self.arm, self.call.operation, id, version, waits).await.map(|_| Value::Null)
            }
            _ => Err(Error::NotFound(self.call.facts().saying("the operation's record is gone"))),
        }
    }

    fn failure(&self, reply: &Reply) -> Error {
        let facts = self.call.facts().of_answer(reply.status, &reply.headers);
        let error = reply.body.get("error").unwrap_or(&Value::Null);
        let mut facts = facts.of_error(error);
        if facts.code.is_empty() {
            facts.code = reply.body.get("status").and_then(Value::as_str).unwrap_or_default().to_owned();
        }
        Error::OperationFailed(Box::new(facts))
    }

    fn under_way(&self) -> Facts {
        *self.call.facts().saying("the operation is under way at Azure")
    }
}

/// Waits until the resource's provisioning state is final, and returns its document.
///
/// # Errors
/// `OperationFailed` in state Failed or Canceled; `NotFound` where it does not appear or goes away.
pub(super) async fn settled(
    arm: &Arm,
    operation: &'static str,
    id: &ResourceId,
    version: &str,
    waits: &Waits,
) -> Result<Value, Error> {
    let call = Call::new(operation, Method::Get, id, version);
    let (begun, mut seen) = (Instant::now(), false);
    loop {
        let mut pause = interval(begun.elapsed(), None);
        match arm.read(&call, waits).await {
            Ok(reply) => {
                seen = true;
                match provisioning_state(&reply.body) {
                    ProvisioningState::Succeeded => return Ok(reply.body),
                    ProvisioningState::Failed | ProvisioningState::Canceled => {
                        let facts = call.facts().of_answer(reply.status, &reply.headers);
                        return Err(Error::OperationFailed(facts.saying("its provisioning state is Failed")));
                    }
                    _ => pause = interval(begun.elapsed(), retry_after(&reply.headers)),
                }
            }
            Err(error) if error.is_absent() && !seen && begun.elapsed() < INVISIBLE => {}
            Err(error) => return Err(error),
        }
        waits.sleep(pause, &call.facts().saying("it is not provisioned yet")).await?;
    }
}

/// Waits until the resource is gone.
///
/// # Errors
/// `OperationFailed` where it stays without being deleted.
pub(super) async fn gone(
    arm: &Arm,
    operation: &'static str,
    id: &ResourceId,
    version: &str,
    waits: &Waits,
) -> Result<(), Error> {
    let call = Call::new(operation, Method::Get, id, version);
    let begun = Instant::now();
    loop {
        match arm.read(&call, waits).await {
            Ok(reply) => {
                let state = provisioning_state(&reply.body);
                let stays = match state {
                    ProvisioningState::Failed | ProvisioningState::Canceled => true,
                    ProvisioningState::Succeeded => begun.elapsed() > UNTOUCHED,
                    _ => false,
                };
                if stays {
                    let facts = call.facts().of_answer(reply.status, &reply.headers);
                    return Err(Error::OperationFailed(facts.saying(format!("it is still there, in state {state:?}"))));
                }
            }
            Err(error) if error.is_absent() => return Ok(()),
            Err(error) => return Err(error),
        }
        waits.sleep(interval(begun.elapsed(), None), &call.facts().saying("it is still there")).await?;
    }
}
