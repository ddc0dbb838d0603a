//! OIDC assertions, fetched for every token: they live for minutes, a gateway's create for most of
//! an hour.

use super::select::OidcSource;
use super::token_endpoint::{fault, fetch_json};
use azure_core::http::headers::{AUTHORIZATION, HeaderName};
use azure_core::http::{ClientMethodOptions, HttpClient, Method, Pipeline, Request, Url};
use azure_identity::ClientAssertion;
use serde_json::Value;
use std::sync::Arc;

/// What Entra ID expects as the assertion's audience.
const AUDIENCE: &str = "api://AzureADTokenExchange";
/// Version of Azure Pipelines' OIDC endpoint.
const PIPELINES_VERSION: &str = "7.1";

/// Fetches an assertion each time it is asked.
#[derive(Debug)]
pub(super) struct FreshAssertion {
    from: OidcSource,
    pipeline: Pipeline,
}

impl FreshAssertion {
    pub(super) fn new(from: OidcSource, http: Arc<dyn HttpClient>) -> Self {
        FreshAssertion {
            from,
            pipeline: super::identity::bare_pipeline(http),
        }
    }

    async fn ask(
        &self,
        url: &str,
        query: &[(&str, &str)],
        token: &str,
        method: Method,
        key: &str,
    ) -> Answer {
        let mut url = Url::parse(url)
            .map_err(|error| fault(format!("the OIDC request URL is not one: {error}")))?;
        url.query_pairs_mut().extend_pairs(query);
        let mut request = Request::new(url, method);
        request.insert_header(AUTHORIZATION, format!("Bearer {token}"));
        request.insert_header(HeaderName::from_static("accept"), "application/json");
        if method == Method::Post {
            request.insert_header(HeaderName::from_static("x-tfs-fedauthredirect"), "Suppress");
        }
        let doc = fetch_json(&self.pipeline, request, "the OIDC request URL").await?;
        let assertion = doc.get(key).and_then(Value::as_str).map(str::to_owned);
        assertion.ok_or_else(|| fault(format!("the OIDC request URL's answer has no {key:?}")))
    }
}

type Answer = azure_core::Result<String>;

#[async_trait::async_trait]
impl ClientAssertion for FreshAssertion {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> Answer {
        match &self.from {
            OidcSource::Token(token) => Ok(token.expose_secret().trim().to_owned()),
            OidcSource::TokenFile(path) => {
                let text = tokio::fs::read_to_string(path).await;
                let text = text.map_err(|error| {
                    fault(format!("cannot read oidc_token_file_path {path}: {error}"))
                })?;
                Ok(text.trim().to_owned())
            }
            OidcSource::Request { url, token } => {
                self.ask(
                    url,
                    &[("audience", AUDIENCE)],
                    token.expose_secret(),
                    Method::Get,
                    "value",
                )
                .await
            }
            OidcSource::Pipelines {
                url,
                token,
                service_connection_id,
            } => {
                let query = [
                    ("api-version", PIPELINES_VERSION),
                    ("serviceConnectionId", service_connection_id),
                ];
                self.ask(
                    url,
                    &query,
                    token.expose_secret(),
                    Method::Post,
                    "oidcToken",
                )
                .await
            }
        }
    }
}
