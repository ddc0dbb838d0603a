//! What is between the resource manager's client and Azure: trusted certificates, limits of
//! responses, and the access token of each request.

pub(super) mod auth_policy;
pub(super) mod response_limit;
pub(super) mod tls;

use azure_core::error::ErrorKind;
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{Context, Request};
use std::sync::Arc;

/// Hands a request to the next policy of a pipeline.
pub(super) async fn next_policy(
    ctx: &Context<'_>,
    request: &mut Request,
    next: &[Arc<dyn Policy>],
) -> PolicyResult {
    match next.split_first() {
        Some((policy, rest)) => policy.send(ctx, request, rest).await,
        None => Err(azure_core::Error::with_message(
            ErrorKind::Other,
            "the pipeline has no transport",
        )),
    }
}
