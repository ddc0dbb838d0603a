//! Whether a response is complete. The SDK's XML reader takes a document that breaks off for one
//! that has nothing more to say, so that a cut list would read as an empty one, and what exists as
//! gone.

use super::response_limit::host_of;
use crate::client::response::page;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};

/// The root of a document is within so many bytes.
const ROOT_WITHIN: usize = 1024;

/// Refuses answers that are not one complete XML document of EC2 or STS.
#[derive(Debug)]
pub(in crate::aws) struct TruncatedResponseGuard;

/// The server that was asked.
#[derive(Debug)]
struct Host(String);

impl Storable for Host {
    type Storer = StoreReplace<Self>;
}

#[derive(Debug, thiserror::Error)]
#[error("the answer broke off or is not EC2's")]
struct TruncatedResponse;

#[dyn_dispatch_hint]
impl Intercept for TruncatedResponseGuard {
    fn name(&self) -> &'static str {
        "TruncatedResponseGuard"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        config
            .interceptor_state()
            .store_put(Host(host_of(context.request().uri())));
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        if check_complete(body) {
            return Ok(());
        }
        let status = context.response().status().as_u16();
        if (200..300).contains(&status) && !may_be_cut(body) {
            let host = config
                .load::<Host>()
                .map(|host| host.0.as_str())
                .unwrap_or_default();
            return Err(Box::new(page(host, status, body)));
        }
        Err(Box::new(TruncatedResponse))
    }
}

/// The last thing in it closes the first, which is named as EC2 and STS name their roots.
fn check_complete(body: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(body) else {
        return false;
    };
    let text = text.trim();
    let text = match text.strip_prefix("<?xml").map(|rest| rest.split_once("?>")) {
        Some(Some((_, rest))) => rest.trim_start(),
        Some(None) => return false,
        None => text,
    };
    let Some(rest) = text.strip_prefix('<') else {
        return false;
    };
    let Some(name) = rest
        .split(|c: char| c.is_whitespace() || c == '>' || c == '/')
        .next()
    else {
        return false;
    };
    let closed =
        text.ends_with(&format!("</{name}>")) || (text.ends_with("/>") && !rest.contains('<'));
    closed && name.ends_with("Response")
}

/// Whether it may be the start of the service's document: nothing at all, or XML with a root as EC2
/// and STS name it.
fn may_be_cut(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body.get(..ROOT_WITHIN).unwrap_or(body));
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let Some(text) = text.strip_prefix("<?xml") else {
        return is_root(text);
    };
    text.split_once("?>")
        .is_none_or(|(_, rest)| is_root(rest.trim_start()))
}

fn is_root(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('<') else {
        return text.is_empty();
    };
    match rest.split_once(|c: char| c.is_whitespace() || c == '>' || c == '/') {
        Some((name, _)) => name.ends_with("Response"),
        None => rest.chars().all(|c| c.is_ascii_alphanumeric()),
    }
}

#[cfg(test)]
mod tests {
    use super::{check_complete, may_be_cut};

    #[test]
    fn distinguish_truncated_document_from_other_text() {
        for cut in [
            "",
            " ",
            "<",
            "<Desc",
            "<DescribeVpcsResponse",
            "<AResponse><b>",
            "<?xml",
            "<?xml version=\"1.0\"?>\n<A",
        ] {
            assert!(may_be_cut(cut.as_bytes()), "{cut}");
        }
        for other in [
            "<!DOCTYPE html>",
            "<html>",
            "log in first",
            "{}",
            "<<< x",
            "<Error><Code/></Error>",
            "<?xml ?><rss>",
        ] {
            assert!(!may_be_cut(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn accept_complete_service_document_only() {
        for good in [
            "<AResponse/>",
            "<?xml version=\"1.0\"?>\n<AResponse xmlns=\"u\"><b/></AResponse>\n",
        ] {
            assert!(check_complete(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            "<AResponse",
            "<AResponse>",
            "<AResponse><b/>",
            "<AResponse><b></AResp",
            "<html></html>",
            "{}",
        ] {
            assert!(!check_complete(bad.as_bytes()), "{bad}");
        }
    }
}
