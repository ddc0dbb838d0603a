//! A managed identity behind an endpoint of the user's own (`msi_endpoint`), in the metadata
//! service's protocol.

use super::settings::SecretString;
use super::token_endpoint::{fault, fetch_json};
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::http::headers::HeaderName;
use azure_core::http::{HttpClient, Method, Pipeline, Request, Url};
use azure_core::time::OffsetDateTime;
use serde_json::Value;
use std::sync::Arc;

/// Version of the metadata service's token endpoint.
const DEFAULT_VERSION: &str = "2018-02-01";

/// Asks the endpoint for each token; the bearer policy above it keeps them.
#[derive(Debug)]
pub(super) struct InstanceIdentity {
    endpoint: Url,
    client_id: Option<String>,
    api_version: String,
    /// The secret that App Service and Container Apps require in a header: `IDENTITY_HEADER`.
    identity_header: Option<SecretString>,
    pipeline: Pipeline,
}

impl InstanceIdentity {
    pub(super) fn new(
        endpoint: Url,
        client_id: Option<String>,
        api_version: Option<String>,
        http: Arc<dyn HttpClient>,
    ) -> Self {
        let header = std::env::var("IDENTITY_HEADER").ok();
        InstanceIdentity {
            endpoint,
            client_id,
            api_version: api_version.unwrap_or_else(|| DEFAULT_VERSION.to_owned()),
            identity_header: header
                .filter(|secret| !secret.is_empty())
                .map(SecretString::new),
            pipeline: super::identity::bare_pipeline(http),
        }
    }
}

#[async_trait::async_trait]
impl TokenCredential for InstanceIdentity {
    async fn get_token(
        &self,
        scopes: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let resource = scopes
            .first()
            .map(|s| s.trim_end_matches("/.default"))
            .unwrap_or_default();
        let mut url = self.endpoint.clone();
        url.query_pairs_mut()
            .append_pair("api-version", &self.api_version)
            .append_pair("resource", resource);
        if let Some(client_id) = &self.client_id {
            url.query_pairs_mut().append_pair("client_id", client_id);
        }
        let mut request = Request::new(url, Method::Get);
        request.insert_header(HeaderName::from_static("metadata"), "true");
        if let Some(secret) = &self.identity_header {
            let name = HeaderName::from_static("x-identity-header");
            request.insert_header(name, secret.expose_secret().to_owned());
        }
        let doc = fetch_json(&self.pipeline, request, "msi_endpoint").await?;
        let token = doc.get("access_token").and_then(Value::as_str);
        let expires = doc
            .get("expires_on")
            .and_then(|v| v.as_i64().or_else(|| v.as_str()?.parse().ok()));
        let expires = expires.and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
        match (token, expires) {
            (Some(token), Some(expires)) => Ok(AccessToken::new(token.to_owned(), expires)),
            _ => Err(fault(
                "msi_endpoint's answer lacks access_token or expires_on".to_owned(),
            )),
        }
    }
}
