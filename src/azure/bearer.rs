//! The access token of each request. One request fetches it while the others wait.
//!
//! The SDK's own policy keeps the token behind a lock of `async-lock`, whose waiting readers wake each other for as long as a
//! writer holds it (3.5.0, `RawRead`): a slow or silent login would keep a core busy until it ends.

use super::arm::onward;
use azure_core::credentials::{AccessToken, TokenCredential};
use azure_core::http::headers::AUTHORIZATION;
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{Context, Request};
use azure_core::time::{Duration, OffsetDateTime};
use std::sync::Arc;
use tokio::sync::Mutex;

/// So long before its end a token is renewed.
const EARLY: Duration = Duration::minutes(5);

/// Authenticates requests with a credential's token.
#[derive(Debug)]
pub(super) struct Bearer {
    credential: Arc<dyn TokenCredential>,
    scope: String,
    token: Mutex<Option<AccessToken>>,
}

impl Bearer {
    pub fn new(credential: Arc<dyn TokenCredential>, scope: &str) -> Self {
        Bearer { credential, scope: scope.to_owned(), token: Mutex::default() }
    }

    /// The token that there is, or a new one. One that is still good does where no new one can be had.
    async fn token(&self) -> azure_core::Result<AccessToken> {
        let mut kept = self.token.lock().await;
        let lasts = |token: &&AccessToken, span| token.expires_on > OffsetDateTime::now_utc() + span;
        if let Some(token) = kept.as_ref().filter(|token| lasts(token, EARLY)) {
            return Ok(token.clone());
        }
        match self.credential.get_token(&[&self.scope], None).await {
            Ok(new) => Ok(kept.insert(new).clone()),
            Err(error) => kept.as_ref().filter(|token| lasts(token, Duration::ZERO)).cloned().ok_or(error),
        }
    }
}

#[async_trait::async_trait]
impl Policy for Bearer {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let token = self.token().await?;
        request.insert_header(AUTHORIZATION, format!("Bearer {}", token.token.secret()));
        onward(ctx, request, next).await
    }
}
