//! From the SDK's errors to ours. Nothing of a request is carried over, for a request may hold a
//! key.

use crate::aws::credentials::search_order;
use crate::aws::error::{Error, call_context};
use crate::client::cloud_text::clean;
use crate::client::response::{ResponseError, described, find, is_html};
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use bgp_vpn::permissions::advice;
use std::error::Error as Std;

/// Operations that are not EC2's.
const STS_OPERATIONS: [&str; 1] = ["GetCallerIdentity"];

/// What a failed SDK call means.
pub(in crate::aws) fn from_sdk_error<E>(
    operation: &'static str,
    target: &str,
    failed: SdkError<E, HttpResponse>,
) -> Error
where
    E: Std + ProvideErrorMetadata + Send + Sync + 'static,
{
    let mut sorted = classify(operation, target, failed);
    if let Some(failure) = sorted.context_mut() {
        let texts = [&mut failure.code, &mut failure.message];
        for text in texts.into_iter().chain(&mut failure.request_id) {
            *text = clean(text);
        }
    }
    if let Error::Denied(failure) = &mut sorted {
        let service = if STS_OPERATIONS.contains(&operation) {
            "sts"
        } else {
            "ec2"
        };
        failure.missing_permission = Some(advice::aws(service, operation, &failure.message));
    }
    sorted
}

fn classify<E>(operation: &'static str, target: &str, failed: SdkError<E, HttpResponse>) -> Error
where
    E: Std + ProvideErrorMetadata + Send + Sync + 'static,
{
    if let Some(fault) = find::<CredentialsError>(&failed) {
        return credentials(fault);
    }
    let mut failure = call_context(operation, target);
    if let Some(response) = failed.raw_response() {
        failure.status = Some(response.status().as_u16());
        failure.request_id = request_id(response);
    }
    if let Some(fault) = find::<ResponseError>(&failed) {
        failure.message = fault.to_string();
        return match fault {
            ResponseError::Untrusted { .. } => Error::Untrusted(Box::new(failure)),
            _ => Error::Malformed(Box::new(failure)),
        };
    }
    match &failed {
        SdkError::ServiceError(context) => {
            let meta = context.err().meta();
            failure.code = meta.code().unwrap_or_default().to_owned();
            failure.message = match meta.message() {
                Some(message) => message.to_owned(),
                None if failure.code.is_empty() => {
                    page(context.raw()).unwrap_or_else(|| chain(context.err()))
                }
                None => String::new(),
            };
            Error::classify(operation, context.raw().status().as_u16(), failure)
        }
        SdkError::ResponseError(context) => {
            let status = context.raw().status().as_u16();
            failure.message = page(context.raw()).unwrap_or_else(|| chain(&failed));
            match status {
                // The body is incomplete, which says as little as no response.
                200..=299 => Error::OutcomeUnknown(Box::new(failure)),
                _ => Error::classify(operation, status, failure),
            }
        }
        SdkError::ConstructionFailure(_) => {
            failure.message = format!("the request could not be made: {}", chain(&failed));
            Error::Rejected(Box::new(failure))
        }
        SdkError::DispatchFailure(_) if never_connected(&failed) => {
            failure.message = chain(&failed);
            Error::Unreachable(Box::new(failure))
        }
        _ => {
            failure.message = chain(&failed);
            Error::OutcomeUnknown(Box::new(failure))
        }
    }
}

/// No credentials: what was tried, and what the last word was.
fn credentials(fault: &CredentialsError) -> Error {
    let cause = clean(&chain(fault));
    let looked_at = format!("The provider looked at, in this order: {}", search_order());
    match fault {
        CredentialsError::CredentialsNotLoaded(_) => Error::MissingCredentials(format!(
            "no AWS credentials were found ({cause}). {looked_at}. Set one of them"
        )),
        CredentialsError::ProviderTimedOut(_) => Error::NoCredentials(format!(
            "getting AWS credentials took too long: {cause}. {looked_at}"
        )),
        _ => Error::NoCredentials(format!(
            "getting AWS credentials failed: {cause}. {looked_at}"
        )),
    }
}

/// EC2 gives its id in a header too, on errors as on successes.
fn request_id(response: &HttpResponse) -> Option<String> {
    ["x-amzn-requestid", "x-amz-request-id"]
        .iter()
        .find_map(|name| response.headers().get(name))
        .map(str::to_owned)
        .or_else(|| {
            // Old endpoints have it in the body alone: <RequestID> of EC2, <RequestId> of STS.
            let body = std::str::from_utf8(response.body().bytes()?).ok()?;
            let (_, rest) = body
                .split_once("<RequestID>")
                .or_else(|| body.split_once("<RequestId>"))?;
            rest.split_once('<').map(|(id, _)| id.trim().to_owned())
        })
        .filter(|id| !id.is_empty())
}

/// The words of an error and of all that caused it. Only `Display`: `Debug` of the SDK contains
/// complete responses.
fn chain(error: &dyn Std) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        cause = error.source();
    }
    words
}

/// The page that came with an error, from a proxy for example.
fn page(response: &HttpResponse) -> Option<String> {
    let body = response.body().bytes().filter(|body| is_html(body))?;
    Some(format!("the response is {}", described(body)))
}

/// Name resolution, TCP and TLS failed before a byte of the request went out.
fn never_connected(error: &(dyn Std + 'static)) -> bool {
    find::<hyper_util::client::legacy::Error>(error)
        .is_some_and(hyper_util::client::legacy::Error::is_connect)
}
