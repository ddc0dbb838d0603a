//! Requests to the resource manager.

use crate::azure::cloud::Cloud;
use crate::azure::error::Error;
use crate::azure::id::ResourceId;
use crate::client::ErrorContext;
use azure_core::http::headers::{CONTENT_TYPE, HeaderName};
use azure_core::http::{Method, Request, Url};
use serde_json::Value;

/// One request, as far as it is the same at every try.
#[derive(Clone, Debug)]
pub(in crate::azure) struct ArmRequest {
    /// In words, for errors.
    pub operation: &'static str,
    pub method: Method,
    /// Path with its query below the resource manager, or a complete URL on it.
    pub url: String,
    /// What it is about, for errors.
    pub target: String,
    pub body: Option<Value>,
    pub precondition: Precondition,
}

/// Conditional headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::azure) enum Precondition {
    None,
    /// `If-None-Match: *`
    IfNoneMatch,
    /// `If-Match`
    IfMatch(String),
}

impl ArmRequest {
    pub fn new(operation: &'static str, method: Method, id: &ResourceId, version: &str) -> Self {
        ArmRequest::path(operation, method, id.as_str(), version)
    }

    /// A path that is no resource id.
    pub fn path(operation: &'static str, method: Method, path: &str, version: &str) -> Self {
        let joint = if path.contains('?') { '&' } else { '?' };
        ArmRequest {
            operation,
            method,
            url: format!("{path}{joint}api-version={version}"),
            target: path.to_owned(),
            body: None,
            precondition: Precondition::None,
        }
    }

    #[must_use]
    pub fn with(mut self, body: Value, condition: Precondition) -> Self {
        (self.body, self.precondition) = (Some(body), condition);
        self
    }

    /// The same request in another version of the API; None for a request in neither of the two.
    pub fn in_version(&self, newer: &str, older: &str) -> Option<Self> {
        let url = self.url.strip_suffix(newer)?;
        Some(ArmRequest {
            url: format!("{url}{older}"),
            ..self.clone()
        })
    }

    /// A look at a URL that Azure handed out, on behalf of this call.
    pub fn follow(&self, url: &str) -> Self {
        let (url, body) = (url.to_owned(), None);
        ArmRequest {
            method: Method::Get,
            url,
            body,
            precondition: Precondition::None,
            ..self.clone()
        }
    }

    /// Whether it may change something. A POST asks a question in all calls of this provider.
    pub fn is_write(&self) -> bool {
        matches!(self.method, Method::Put | Method::Delete | Method::Patch)
    }

    pub fn error_context(&self) -> ErrorContext {
        ErrorContext::new(self.operation, &self.target)
    }

    /// The HTTP request, without its token.
    ///
    /// # Errors
    /// `Malformed` where the address is not the resource manager's.
    pub fn to_http(&self, cloud: &Cloud) -> Result<Request, Error> {
        let mut request = Request::new(resolve_url(self, cloud)?, self.method);
        request.insert_header(HeaderName::from_static("accept"), "application/json");
        if let Some(body) = &self.body {
            request.insert_header(CONTENT_TYPE, "application/json");
            request.set_body(body.to_string());
        }
        match &self.precondition {
            Precondition::None => {}
            Precondition::IfNoneMatch => {
                request.insert_header(HeaderName::from_static("if-none-match"), "*")
            }
            Precondition::IfMatch(etag) => {
                request.insert_header(HeaderName::from_static("if-match"), etag.clone())
            }
        }
        Ok(request)
    }
}

/// The URL of a call. One that Azure handed out must stay on the resource manager: the token goes
/// along.
fn resolve_url(call: &ArmRequest, cloud: &Cloud) -> Result<Url, Error> {
    let fault = |message: String| Error::Malformed(call.error_context().with_message(message));
    let base = Url::parse(&cloud.resource_manager).map_err(|error| fault(error.to_string()))?;
    let url = base
        .join(&call.url)
        .map_err(|error| fault(format!("Azure handed out a bad address: {error}")))?;
    let home = base.host_str().unwrap_or_default();
    let host = url.host_str().unwrap_or_default();
    let near = host == home
        || host
            .strip_suffix(home)
            .is_some_and(|rest| rest.ends_with('.'));
    if near
        && url.scheme() == "https"
        && url.port_or_known_default() == base.port_or_known_default()
    {
        Ok(url)
    } else {
        Err(fault(format!(
            "Azure handed out an address on another host, {host}; no token is sent there"
        )))
    }
}
