//! The shared key of a connection, read and set apart from it. Setting it reports success while the
//! connection is still Updating and its gateway still locked; both end a little later.

use super::errors::{ApiError, unrecorded};
use super::ids::Id;
use super::operations::{OperationResult, PollHeaders, json_response};
use super::resource_ops::{self, PendingChange};
use super::service::{AzureService, Lock};
use crate::http::{Request, Response};
use crate::time::SimDuration;
use crate::world::Context;
use serde_json::{Value, json};

/// Until the operation says Succeeded and the key is in force.
const DURATION: (SimDuration, SimDuration) = (SimDuration::seconds(30), SimDuration::seconds(60));
/// How much longer the connection is Updating and the gateway locked.
const BUSY_AFTER: (SimDuration, SimDuration) = (SimDuration::seconds(5), SimDuration::seconds(20));

/// A key of printable ASCII without space, hyphen and tilde, 1 to 128 characters.
pub(super) fn check(key: String) -> Result<String, ApiError> {
    let good = (1..=128).contains(&key.len())
        && key
            .chars()
            .all(|c| c.is_ascii_graphic() && !matches!(c, '-' | '~'));
    if good {
        return Ok(key);
    }
    Err(unrecorded(
        "The shared key must be 1 to 128 printable ASCII characters without space, hyphen and tilde.",
    ))
}

impl AzureService {
    pub(super) fn get_shared_key(&self, id: &Id) -> Result<Response, ApiError> {
        let connection = self.find(id)?;
        Ok(json_response(
            200,
            &json!({"value": connection.secret.clone().unwrap_or_default()}),
        ))
    }

    pub(super) fn put_shared_key(
        &mut self,
        id: &Id,
        request: &Request,
        cx: &mut Context<'_>,
    ) -> Result<Response, ApiError> {
        self.find(id)?;
        let body = resource_ops::body(request)?;
        let key = body
            .get("value")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let key = check(key)?;
        let record = self.change_key(id, key.clone(), OperationResult::Nothing, request, cx)?;
        Ok(self.accepted(
            json_response(201, &json!({"value": key})),
            &record,
            PollHeaders::Status,
            request,
            cx,
        ))
    }

    pub(super) fn reset_shared_key(
        &mut self,
        id: &Id,
        request: &Request,
        cx: &mut Context<'_>,
    ) -> Result<Response, ApiError> {
        self.find(id)?;
        let body = resource_ops::body(request)?;
        let length = body
            .get("keyLength")
            .and_then(Value::as_u64)
            .filter(|length| (1..=128).contains(length));
        let length = length.ok_or_else(|| unrecorded("keyLength must be between 1 and 128."))?;
        let key = cx.rng.hex(usize::try_from(length).unwrap_or(32));
        let result = OperationResult::Value(json!({"keyLength": length}));
        let record = self.change_key(id, key, result, request, cx)?;
        Ok(self.accepted(
            json_response(202, &Value::Null),
            &record,
            PollHeaders::Location,
            request,
            cx,
        ))
    }

    fn change_key(
        &mut self,
        id: &Id,
        secret: String,
        result: OperationResult,
        request: &Request,
        cx: &mut Context<'_>,
    ) -> Result<String, ApiError> {
        let connection = self.find(id)?;
        let gateway = connection
            .text("/virtualNetworkGateway1/id")
            .unwrap_or_default()
            .to_lowercase();
        self.require_idle(connection, request, cx)?;
        self.require_unlocked(&gateway, id, request, cx)?;
        let key = id.key();
        let span = cx.rng.duration(DURATION.0, DURATION.1);
        let total = SimDuration(span.0 + cx.rng.duration(BUSY_AFTER.0, BUSY_AFTER.1).0);
        let record = self.start(
            &key,
            PendingChange {
                verb: "Put",
                span: total,
                lock: None,
                result,
            },
            request,
            cx,
        );
        let due = cx.now + span;
        if let Some(operation) = self.operations.get_mut(&record) {
            operation.due = due;
        }
        if let Some(connection) = self.resources.get_mut(&key) {
            connection.next_secret = Some((due, secret));
        }
        self.agenda.insert((due, key));
        self.locks.insert(
            gateway,
            Lock {
                until: cx.now + total,
                operation: record.clone(),
            },
        );
        Ok(record)
    }
}
