//! Requests to endpoints that issue tokens.

use azure_core::Error;
use azure_core::error::ErrorKind;
use azure_core::http::{Context, Pipeline, PipelineSendOptions, Request};
use serde_json::Value;

/// An error of a credential.
pub(super) fn fault(message: String) -> Error {
    Error::with_message(ErrorKind::Credential, message)
}

/// Sends a request and returns the JSON of its response. `endpoint` names it in errors, which quote
/// nothing of the response, because that may contain a token.
pub(super) async fn fetch_json(
    pipeline: &Pipeline,
    mut request: Request,
    endpoint: &str,
) -> azure_core::Result<Value> {
    let options = PipelineSendOptions {
        skip_checks: true,
        ..Default::default()
    };
    let response = pipeline
        .send(&Context::new(), &mut request, Some(options))
        .await?;
    if !response.status().is_success() {
        return Err(fault(format!(
            "{endpoint} answered HTTP {}",
            u16::from(response.status())
        )));
    }
    serde_json::from_slice(response.body().as_ref())
        .map_err(|_| fault(format!("{endpoint}'s answer is not JSON")))
}
