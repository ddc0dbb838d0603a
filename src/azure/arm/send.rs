//! Sending one request once.

use super::request::ArmRequest;
use super::response::{ArmResponse, read_response, transport_error};
use crate::azure::error::Error;
use crate::azure::transport::next_policy;
use crate::client::{CANCEL_GRACE, CallContext};
use azure_core::http::headers::{HeaderName, USER_AGENT};
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{Context, Pipeline, PipelineSendOptions, Request};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// After this a read counts as hanging.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// After this a write counts as hanging, its effect unknown.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// User agent.
const PRODUCT: &str = concat!("terraform-provider-awsazure/", env!("CARGO_PKG_VERSION"));

/// A try that brought no success.
pub(in crate::azure) struct AttemptError {
    pub error: Error,
    /// The request never left: no token, no connection, or not an address of Azure.
    pub unsent: bool,
}

impl AttemptError {
    pub(super) fn unsent(error: impl Into<Error>) -> Self {
        AttemptError {
            error: error.into(),
            unsent: true,
        }
    }
}

/// Marks in the context that the request passed authentication and goes out, and names the program
/// in place of the SDK.
#[derive(Debug)]
pub(super) struct SentMarkerPolicy;

#[derive(Default)]
struct SentFlag(AtomicBool);

#[async_trait::async_trait]
impl Policy for SentMarkerPolicy {
    async fn send(
        &self,
        ctx: &Context,
        request: &mut Request,
        next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        if let Some(sent) = ctx.value::<Arc<SentFlag>>() {
            sent.0.store(true, Ordering::Relaxed);
        }
        request.insert_header(USER_AGENT, PRODUCT);
        next_policy(ctx, request, next).await
    }
}

/// Gives each call a correlation id of its own, by which Azure's support finds it.
#[derive(Debug)]
pub(super) struct CorrelationPolicy;

#[async_trait::async_trait]
impl Policy for CorrelationPolicy {
    async fn send(
        &self,
        ctx: &Context,
        request: &mut Request,
        next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        let id = azure_core::Uuid::new_v4().to_string();
        request.insert_header(HeaderName::from_static("x-ms-correlation-request-id"), id);
        next_policy(ctx, request, next).await
    }
}

/// Sends once and sorts the response. A cancellation or the deadline drops a read at once; a write
/// first gets [`CANCEL_GRACE`] to be answered.
pub(super) async fn send_once(
    pipeline: &Pipeline,
    mut request: Request,
    call: &ArmRequest,
    ctx: &CallContext,
) -> Result<ArmResponse, AttemptError> {
    let host = request.url().host_str().unwrap_or_default().to_owned();
    let flag = Arc::new(SentFlag::default());
    let context = Context::new().with_value(Arc::clone(&flag));
    let options = PipelineSendOptions {
        skip_checks: true,
        ..Default::default()
    };
    let (limit, grace) = if call.is_write() {
        (WRITE_TIMEOUT, CANCEL_GRACE)
    } else {
        (READ_TIMEOUT, Duration::ZERO)
    };
    let sending = pipeline.send(&context, &mut request, Some(options));
    let sending = tokio::time::timeout(limit, sending);
    let ended = ctx.run(grace, &call.error_context(), sending).await;
    let sent = flag.0.load(Ordering::Relaxed);
    let seconds = limit.as_secs();
    let no_response = |what: &str| {
        call.error_context()
            .with_message(format!("no {what} within {seconds} s"))
    };
    let error = match ended {
        Ok(Ok(Ok(answer))) => {
            return read_response(call, &host, &answer).map_err(|error| AttemptError {
                error,
                unsent: false,
            });
        }
        Ok(Ok(Err(error))) => transport_error(call, &error, sent),
        Ok(Err(_)) if sent => Error::OutcomeUnknown(no_response("answer")),
        Ok(Err(_)) => Error::Unreachable(no_response("access token")),
        Err(interrupted) => interrupted.into(),
    };
    Err(AttemptError {
        error,
        unsent: !sent,
    })
}
