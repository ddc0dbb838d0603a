//! Responses of the resource manager, and what it means where there is none.

use super::request::ArmRequest;
use crate::azure::error::{Error, Headers, classify, classify_context};
use crate::azure::transport::tls::describe;
use crate::client::ErrorContext;
use crate::client::response::{ResponseError, described, find, page};
use azure_core::error::ErrorKind;
use azure_core::http::RawResponse;
use serde_json::Value;

/// A successful answer.
#[derive(Clone, Debug)]
pub(in crate::azure) struct ArmResponse {
    pub status: u16,
    pub headers: Headers,
    /// Null where there was none, or where a write's was not JSON.
    pub body: Value,
    /// Bytes of the body.
    pub size: usize,
}

/// Sorts a response. `host` is the server that was asked.
pub(super) fn read_response(
    call: &ArmRequest,
    host: &str,
    answer: &RawResponse,
) -> Result<ArmResponse, Error> {
    let status = u16::from(answer.status());
    let headers: Headers = answer
        .headers()
        .iter()
        .map(|(k, v)| (k.as_str().to_ascii_lowercase(), v.as_str().to_owned()))
        .collect();
    let bytes: &[u8] = answer.body().as_ref();
    let parsed = if bytes.is_empty() {
        Ok(Value::Null)
    } else {
        serde_json::from_slice::<Value>(bytes)
    };
    let is_write = call.is_write();
    let facts = || call.error_context().with_response(status, &headers);
    let unusable = |message: String| {
        let facts = facts().with_message(message);
        let error = if is_write {
            Error::OutcomeUnknown(facts)
        } else {
            Error::Malformed(facts)
        };
        Err(error)
    };
    // Resource Manager explains each 404 in JSON: a page says nothing about the resource.
    if !is_json(bytes) && parsed.is_err() && ((200..300).contains(&status) || status == 404) {
        return unusable(page(host, status, bytes).to_string());
    }
    if !(200..300).contains(&status) {
        let error = match parsed {
            Err(_) => classify_context(
                facts().with_message(format!("the response of {host} is {}", described(bytes))),
            ),
            Ok(body) => classify(call.operation, &call.target, status, &headers, &body),
        };
        return Err(error);
    }
    match parsed {
        Ok(body) if is_error_document(&body) => {
            let said =
                ErrorContext::default().with_error_body(body.get("error").unwrap_or(&Value::Null));
            unusable(format!(
                "the answer is an error in spite of its status: {}: {}",
                said.code, said.message
            ))
        }
        Ok(body) => Ok(ArmResponse {
            status,
            headers,
            body,
            size: bytes.len(),
        }),
        // A write has happened, and what it made is read again anyway.
        Err(_) if is_write => Ok(ArmResponse {
            status,
            headers,
            body: Value::Null,
            size: bytes.len(),
        }),
        Err(error) => unusable(format!("the answer is not complete JSON: {error}")),
    }
}

/// Whether a text that cannot be read was meant as JSON.
fn is_json(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .find(|byte| !byte.is_ascii_whitespace())
        .is_some_and(|first| matches!(first, b'{' | b'['))
}

/// An error that came with a status of success. The record of an operation has an error too, under
/// its status.
fn is_error_document(body: &Value) -> bool {
    let is_error = body
        .get("error")
        .is_some_and(|error| error.get("code").is_some_and(Value::is_string));
    is_error
        && !["status", "id", "value", "properties"]
            .iter()
            .any(|key| body.get(key).is_some())
}

/// What it means that no response came, or none that is accepted. `sent`: the request passed
/// authentication and went out.
pub(super) fn transport_error(call: &ArmRequest, error: &azure_core::Error, sent: bool) -> Error {
    let context = call.error_context();
    if let Some(fault) = find::<ResponseError>(error) {
        let context = context.with_message(fault.to_string());
        return match fault {
            ResponseError::Untrusted { .. } => Error::Untrusted(context),
            _ if !sent => Error::NoCredentials(context),
            _ if call.is_write() => Error::OutcomeUnknown(context),
            _ => Error::Malformed(context),
        };
    }
    let context = context.with_message(describe(error));
    match error.kind() {
        ErrorKind::Connection => Error::Unreachable(context),
        ErrorKind::Io if !sent => Error::Unreachable(context),
        _ if !sent => Error::NoCredentials(context),
        _ => Error::OutcomeUnknown(context),
    }
}
