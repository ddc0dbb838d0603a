//! The transport of everything that goes to AWS, with limits: answers are read here to their end,
//! or to the limit, and a page in place of an answer becomes an error. STS, single sign-on and
//! metadata services included.

use crate::client::response::{BoundedBody, ResponseError, check, untrusted};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use hyper::body::Body;
use std::future::poll_fn;
use std::pin::pin;

/// Wraps a transport.
#[derive(Debug)]
struct ResponseLimit(SharedHttpClient);

pub(in crate::aws) fn limit_responses(http: SharedHttpClient) -> SharedHttpClient {
    SharedHttpClient::new(ResponseLimit(http))
}

impl HttpClient for ResponseLimit {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(ResponseLimitConnector(
            self.0.http_connector(settings, components),
        ))
    }
}

#[derive(Debug)]
struct ResponseLimitConnector(SharedHttpConnector);

impl HttpConnector for ResponseLimitConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let host = host_of(request.uri());
        let answer = self.0.call(request);
        HttpConnectorFuture::new(async move {
            match answer.await {
                Ok(response) => read(&host, response).await,
                Err(error) => Err(untrusted(&host, &error).map_or(error, refused)),
            }
        })
    }
}

/// The host of a URL, without its port.
pub(super) fn host_of(uri: &str) -> String {
    let host = uri
        .parse::<http::Uri>()
        .ok()
        .and_then(|uri| uri.host().map(str::to_owned));
    host.unwrap_or_default()
}

/// Of a kind that the SDK does not repeat by itself.
fn refused(fault: ResponseError) -> ConnectorError {
    ConnectorError::other(Box::new(fault), None)
}

async fn read(host: &str, mut response: HttpResponse) -> Result<HttpResponse, ConnectorError> {
    let (status, mut received) = (response.status().as_u16(), BoundedBody::default());
    let mut body = pin!(response.take_body());
    while let Some(frame) = poll_fn(|context| body.as_mut().poll_frame(context)).await {
        match frame {
            Ok(frame) => {
                let chunk = frame.data_ref().map(AsRef::as_ref).unwrap_or_default();
                received.add(chunk, host).map_err(refused)?;
            }
            // The status of an error says enough without its document.
            Err(_) if status >= 400 => break,
            Err(error) => return Err(ConnectorError::io(error)),
        }
    }
    let bytes = received.into_bytes();
    check(host, status, response.headers().get("location"), &bytes).map_err(refused)?;
    *response.body_mut() = SdkBody::from(bytes);
    Ok(response)
}
