//! Whether an answer is whole. The SDK's XML reader takes a document that breaks off for one that has nothing more to
//! say, so that a cut list would read as an empty one, and what exists as gone.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// Refuses answers that are not one complete XML document of EC2 or STS.
#[derive(Debug)]
pub(super) struct Whole;

#[derive(Debug, thiserror::Error)]
#[error("the answer broke off or is not EC2's")]
struct Broken;

#[dyn_dispatch_hint]
impl Intercept for Whole {
    fn name(&self) -> &'static str {
        "Whole"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        match context.response().body().bytes() {
            Some(body) if whole(body) => Ok(()),
            _ => Err(Box::new(Broken)),
        }
    }
}

/// The last thing in it closes the first, which is named as EC2 and STS name their roots.
fn whole(body: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(body) else { return false };
    let text = text.trim();
    let text = match text.strip_prefix("<?xml").map(|rest| rest.split_once("?>")) {
        Some(Some((_, rest))) => rest.trim_start(),
        Some(None) => return false,
        None => text,
    };
    let Some(rest) = text.strip_prefix('<') else { return false };
    let Some(name) = rest.split(|c: char| c.is_whitespace() || c == '>' || c == '/').next() else { return false };
    let closed = text.ends_with(&format!("</{name}>")) || (text.ends_with("/>") && !rest.contains('<'));
    closed && name.ends_with("Response")
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn only_a_complete_document_of_the_service_is_whole() {
        for good in ["<AResponse/>", "<?xml version=\"1.0\"?>\n<AResponse xmlns=\"u\"><b/></AResponse>\n"] {
            assert!(whole(good.as_bytes()), "{good}");
        }
        for bad in ["", "<AResponse", "<AResponse>", "<AResponse><b/>", "<AResponse><b></AResp", "<html></html>", "{}"]
        {
            assert!(!whole(bad.as_bytes()), "{bad}");
        }
    }
}
