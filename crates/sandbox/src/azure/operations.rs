//! Long-running operations: their records, the two addresses at which they are polled, and the
//! headers that name those.
//!
//! `.../operations/{id}` answers `{"status": ...}`; `.../operationResults/{id}` answers 202 until
//! the end and then the result itself, as often as it is asked. A finished poll carries no
//! Retry-After.

use super::errors::ApiError;
use super::service::AzureService;
use crate::http::{Request, Response};
use crate::time::{SimDuration, SimTime};
use crate::world::Context;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A finished operation can be asked about for a day.
const RECORD_TTL: SimDuration = SimDuration::minutes(24 * 60);
/// Records beyond this many are looked through for old ones.
const PRUNE_ABOVE: usize = 512;
/// What the service asks clients to wait between polls, and how that grew in a recording of 2022.
const RETRY_AFTER: SimDuration = SimDuration::seconds(10);
/// Likewise while a resource group goes.
const GROUP_RETRY_AFTER: SimDuration = SimDuration::seconds(15);
const GROWING_RETRY_AFTER: [u64; 9] = [10, 10, 20, 20, 40, 40, 80, 160, 100];

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Operation {
    pub subscription: String,
    pub location: String,
    pub api_version: String,
    /// Key of the resource.
    pub target: String,
    pub due: SimTime,
    pub error: Option<(String, String)>,
    pub answer: OperationResult,
    /// Whether `Azure-AsyncOperation` was handed out, too.
    pub with_status: bool,
    pub polls: usize,
}

/// What `operationResults` has in the end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum OperationResult {
    /// 204.
    Nothing,
    /// The resource as it is then.
    Resource,
    /// A question to a running gateway, answered when the result is first read.
    GatewayQuery(GatewayQuery),
    Value(Value),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum GatewayQuery {
    Peers { peer: Option<String> },
    Learned,
    Advertised { peer: String },
}

impl Operation {
    fn url(&self, base: &str, id: &str, which: &str) -> String {
        if self.location.is_empty() {
            return format!(
                "{base}/subscriptions/{}/operationresults/{id}?api-version={}",
                self.subscription, self.api_version
            );
        }
        format!(
            "{base}/subscriptions/{}/providers/Microsoft.Network/locations/{}/{which}/{id}?api-version={}",
            self.subscription, self.location, self.api_version
        )
    }

    pub fn status_url(&self, base: &str, id: &str) -> String {
        self.url(base, id, "operations")
    }

    fn wait(&self, cx: &Context<'_>) -> Vec<(&'static str, String)> {
        if self.location.is_empty() {
            return cx.settings.retry_after(GROUP_RETRY_AFTER);
        }
        let grown = GROWING_RETRY_AFTER
            .get(self.polls)
            .or(GROWING_RETRY_AFTER.last())
            .copied()
            .unwrap_or(10);
        cx.settings.retry_after(if cx.settings.growing_retry_after {
            SimDuration::seconds(grown)
        } else {
            RETRY_AFTER
        })
    }
}

/// Which of the two addresses a response names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollHeaders {
    Status,
    Location,
    Both,
}

impl AzureService {
    /// Makes the record of an operation that ends at `operation.due`, and gives its name.
    pub(super) fn record(&mut self, operation: Operation, cx: &mut Context<'_>) -> String {
        if self.operations.len() > PRUNE_ABOVE {
            self.operations
                .retain(|_, old| old.due + RECORD_TTL > cx.now);
        }
        let id = cx.rng.uuid();
        self.operations.insert(id.clone(), operation);
        id
    }

    /// Adds the headers of an accepted operation.
    pub(super) fn accepted(
        &self,
        mut response: Response,
        id: &str,
        named: PollHeaders,
        request: &Request,
        cx: &Context<'_>,
    ) -> Response {
        let Some(operation) = self.operations.get(id) else {
            return response;
        };
        if named != PollHeaders::Status {
            response = response.with_header(
                "Location",
                operation.url(&request.base_url, id, "operationResults"),
            );
        }
        if named != PollHeaders::Location {
            response = response
                .with_header(
                    "Azure-AsyncOperation",
                    operation.status_url(&request.base_url, id),
                )
                .with_header("Azure-AsyncNotification", "Enabled");
        }
        response.headers.extend(
            operation
                .wait(cx)
                .into_iter()
                .map(|(n, v)| (n.to_owned(), v)),
        );
        response.with_header("x-ms-request-id", id)
    }

    /// GET of `.../operations/{id}`.
    pub(super) fn operation_status(
        &mut self,
        id: &str,
        cx: &mut Context<'_>,
    ) -> Result<Response, ApiError> {
        let operation = self.operations.get_mut(id).ok_or_else(|| no_record(id))?;
        let running = operation.due > cx.now;
        let body = match &operation.error {
            _ if running => json!({"status": "InProgress"}),
            None => json!({"status": "Succeeded"}),
            Some((code, message)) => {
                json!({"status": "Failed", "error": {"code": code, "message": message, "details": []}})
            }
        };
        let mut response = json_response(200, &body);
        if running {
            operation.polls += 1;
            response.headers.extend(
                operation
                    .wait(cx)
                    .into_iter()
                    .map(|(n, v)| (n.to_owned(), v)),
            );
        }
        Ok(response)
    }

    /// GET of `.../operationResults/{id}`.
    pub(super) fn operation_result(
        &mut self,
        id: &str,
        request: &Request,
        cx: &mut Context<'_>,
    ) -> Result<Response, ApiError> {
        let operation = self.operations.get_mut(id).ok_or_else(|| no_record(id))?;
        let named = if operation.with_status {
            PollHeaders::Both
        } else {
            PollHeaders::Location
        };
        if operation.due > cx.now {
            operation.polls += 1;
            return Ok(self.accepted(Response::new(202), id, named, request, cx));
        }
        if let Some((code, message)) = &operation.error {
            return Err(ApiError::new(409, code, message.clone()));
        }
        let operation = operation.clone();
        match operation.answer {
            OperationResult::Nothing => {
                let mut response = Response::new(204);
                if operation.with_status {
                    response = response
                        .with_header(
                            "Location",
                            operation.url(&request.base_url, id, "operationResults"),
                        )
                        .with_header(
                            "Azure-AsyncOperation",
                            operation.status_url(&request.base_url, id),
                        );
                }
                Ok(response)
            }
            OperationResult::Resource => match self.resources.get(&operation.target) {
                Some(resource) => Ok(json_response(200, &self.render(resource, cx))),
                None => Ok(Response::new(204)),
            },
            OperationResult::Value(value) => Ok(json_response(200, &value)),
            OperationResult::GatewayQuery(question) => {
                let value = self.query_gateway(&operation.target, &question, cx);
                let response = json_response(200, &value);
                if let Some(record) = self.operations.get_mut(id) {
                    record.answer = OperationResult::Value(value);
                }
                Ok(response)
            }
        }
    }

    /// Takes away the record of that name: the next poll finds nothing.
    pub fn forget_operation(&mut self, id: &str) {
        self.operations.remove(id);
    }

    /// Takes away the record of the operation that changes this resource or group.
    pub fn forget_operations_of(&mut self, target: &str) {
        if let Some(id) = self.running(target) {
            self.operations.remove(&id);
        }
    }

    /// Makes the operation that changes this resource or group end Failed.
    pub fn fail_operation(&mut self, target: &str) {
        let Some(id) = self.running(target) else {
            return;
        };
        if let Some(operation) = self.operations.get_mut(&id) {
            operation.error = Some(("InternalServerError".into(), "An error occurred.".into()));
        }
    }

    fn running(&self, target: &str) -> Option<String> {
        let key = target.to_lowercase();
        let of_resource = self.resources.get(&key).and_then(|r| r.pending.as_ref());
        let of_group = self.groups.get(&key).and_then(|g| g.deletion.as_ref());
        of_resource
            .or(of_group)
            .map(|pending| pending.operation.clone())
    }
}

/// A response with a JSON body.
pub fn json_response(status: u16, body: &Value) -> Response {
    Response::new(status).with_body(
        "application/json; charset=utf-8",
        body.to_string().into_bytes(),
    )
}

fn no_record(id: &str) -> ApiError {
    ApiError::new(
        404,
        "OperationNotFound",
        format!("Operation {id} not found."),
    )
}
