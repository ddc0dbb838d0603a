//! The transport of everything that goes to Azure, with limits: answers are read here to their end,
//! or to the limit, and what is no cloud's answer becomes an error. Token endpoints and metadata
//! services included.

use crate::client::response::{BoundedBody, ResponseError, check};
use azure_core::Error;
use azure_core::error::ErrorKind;
use azure_core::http::headers::HeaderName;
use azure_core::http::{AsyncRawResponse, HttpClient, Request};
use futures::StreamExt;
use std::sync::Arc;

/// Wraps a transport.
#[derive(Debug)]
pub struct ResponseLimit(Arc<dyn HttpClient>);

impl ResponseLimit {
    pub fn new(http: Arc<dyn HttpClient>) -> Self {
        ResponseLimit(http)
    }
}

#[async_trait::async_trait]
impl HttpClient for ResponseLimit {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let host = request.url().host_str().unwrap_or_default();
        let (status, headers, mut body) = self.0.execute_request(request).await?.deconstruct();
        let mut received = BoundedBody::default();
        while let Some(chunk) = body.next().await {
            received.add(&chunk?, host).map_err(refused)?;
        }
        let bytes = received.into_bytes();
        let location = headers.get_optional_str(&HeaderName::from_static("location"));
        check(host, u16::from(status), location, &bytes).map_err(refused)?;
        Ok(AsyncRawResponse::from_bytes(status, headers, bytes))
    }
}

/// Of a kind that the SDK does not repeat by itself.
fn refused(fault: ResponseError) -> Error {
    Error::new(ErrorKind::Other, fault)
}
