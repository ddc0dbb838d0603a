//! Azure's refusals, in its own words: `{"error": {"code", "message", "details"}}`. Codes and
//! statuses are those of documentation, recordings and public reports; a message without a known
//! original says what a person needs to know.

use super::ids::Id;
use super::resource::Object;
use crate::http::Response;
use crate::time::SimDuration;
use crate::world::Settings;
use serde_json::json;

/// A refusal on its way to becoming a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    pub status: u16,
    pub code: String,
    pub message: String,
    /// Pairs of code and message.
    pub details: Vec<(String, String)>,
    pub wait: Option<SimDuration>,
    /// Headers beyond the usual ones.
    pub headers: Vec<(&'static str, String)>,
}

impl ApiError {
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> ApiError {
        ApiError {
            status,
            code: code.to_owned(),
            message: message.into(),
            details: Vec::new(),
            wait: None,
            headers: Vec::new(),
        }
    }

    pub fn bad(code: &str, message: impl Into<String>) -> ApiError {
        ApiError::new(400, code, message)
    }

    #[must_use]
    pub fn after(mut self, wait: SimDuration) -> ApiError {
        self.wait = Some(wait);
        self
    }

    pub fn response(self, settings: &Settings) -> Response {
        let details: Vec<_> = self
            .details
            .iter()
            .map(|(code, message)| json!({"code": code, "message": message}))
            .collect();
        let mut error = Object::new();
        error.insert("code".into(), self.code.into());
        error.insert("message".into(), self.message.into());
        // ARM itself leaves details out; the network provider always sends them.
        if self.status == 400 || self.status == 409 || !details.is_empty() {
            error.insert("details".into(), details.into());
        }
        let mut response = Response::new(self.status).with_body(
            "application/json; charset=utf-8",
            json!({"error": error}).to_string().into_bytes(),
        );
        if let Some(wait) = self.wait {
            response.headers.extend(
                settings
                    .retry_after(wait)
                    .into_iter()
                    .map(|(n, v)| (n.to_owned(), v)),
            );
        }
        response
            .headers
            .extend(self.headers.into_iter().map(|(n, v)| (n.to_owned(), v)));
        response
    }
}

pub fn group_not_found(group: &str) -> ApiError {
    let mut refusal = ApiError::new(
        404,
        "ResourceGroupNotFound",
        format!("Resource group '{group}' could not be found."),
    );
    refusal
        .headers
        .push(("x-ms-failure-cause", "gateway".into()));
    refusal
}

pub fn not_found(id: &Id) -> ApiError {
    let name = match &id.parent {
        Some(network) => format!("{network}/subnets/{}", id.name),
        None => id.name.clone(),
    };
    let kind = if id.parent.is_some() {
        "Microsoft.Network/virtualNetworks"
    } else {
        id.kind.type_name()
    };
    let mut refusal = ApiError::new(
        404,
        if id.parent.is_some() {
            "NotFound"
        } else {
            "ResourceNotFound"
        },
        format!(
            "The Resource '{kind}/{name}' under resource group '{}' was not found.",
            id.group
        ),
    );
    refusal
        .headers
        .push(("x-ms-failure-cause", "gateway".into()));
    refusal
}

/// `target` needs `referenced`, which has not succeeded; the service words the same thing as a 429
/// and as a 400.
pub fn not_provisioned(
    target: &Id,
    referenced: &Id,
    state: &str,
    operation: &str,
    as_retryable: bool,
) -> ApiError {
    let message = format!(
        "Cannot proceed with operation because resource {referenced} used by resource {target} is not in Succeeded state. \
         Resource is in {state} state and the last operation that updated/is updating the resource is {operation}."
    );
    if !as_retryable {
        return ApiError::bad("ReferencedResourceNotProvisioned", message);
    }
    let mut refusal = ApiError::new(429, "RetryableError", "A retryable error occurred.")
        .after(SimDuration::seconds(10));
    refusal
        .details
        .push(("ReferencedResourceNotProvisioned".into(), message));
    refusal
}

/// A write met a lock; `as_retryable` words it as the 429 that is no quota.
pub fn another_operation(operation_url: &str, target: &Id, as_retryable: bool) -> ApiError {
    if as_retryable {
        return ApiError::new(
            429,
            "RetryableErrorDueToAnotherOperation",
            format!(
                "Operation on {target} could not be started because another operation holds a resource that it needs."
            ),
        )
        .after(SimDuration::seconds(10));
    }
    ApiError::new(
        409,
        "AnotherOperationInProgress",
        format!(
            "Another operation on this or dependent resource is in progress. To retrieve status of the operation use uri: \
             {operation_url}."
        ),
    )
}

/// A reference to what is not there, or is in another region.
pub fn bad_reference(target: &Id, referenced: &str) -> ApiError {
    ApiError::bad(
        "InvalidResourceReference",
        format!(
            "Resource {referenced} referenced by resource {target} was not found. Please make sure that the referenced \
             resource exists, and that both resources are in the same region."
        ),
    )
}

pub fn request_format(message: impl Into<String>) -> ApiError {
    let mut refusal = ApiError::bad("InvalidRequestFormat", "Cannot parse the request.");
    refusal.details.push(("InvalidJson".into(), message.into()));
    refusal
}

/// A rule of the service whose error code no source records.
pub fn unrecorded(message: impl Into<String>) -> ApiError {
    ApiError::bad("InvalidRequestFormat", message)
}
