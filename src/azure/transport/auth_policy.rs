//! The access token of each request. One request fetches it while the others wait.
//!
//! The SDK's own policy keeps the token behind a lock of `async-lock`, whose waiting readers wake
//! each other for as long as a writer holds it (3.5.0, `RawRead`): a slow or silent login would
//! keep a core busy until it ends.

use super::next_policy;
use azure_core::credentials::{AccessToken, TokenCredential};
use azure_core::http::headers::AUTHORIZATION;
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{Context, Request};
use azure_core::time::{Duration, OffsetDateTime};
use std::sync::Arc;
use tokio::sync::Mutex;

/// So long before its end a token is renewed.
const REFRESH_BEFORE: Duration = Duration::minutes(5);

/// Authenticates requests with a credential's token.
#[derive(Debug)]
pub(in crate::azure) struct BearerTokenPolicy {
    credential: Arc<dyn TokenCredential>,
    scope: String,
    token: Mutex<Option<AccessToken>>,
}

impl BearerTokenPolicy {
    pub fn new(credential: Arc<dyn TokenCredential>, scope: &str) -> Self {
        BearerTokenPolicy {
            credential,
            scope: scope.to_owned(),
            token: Mutex::default(),
        }
    }

    /// The token that there is, or a new one. One that is still good does where no new one can be
    /// had.
    async fn token(&self) -> azure_core::Result<AccessToken> {
        let mut kept = self.token.lock().await;
        let lasts =
            |token: &&AccessToken, span| token.expires_on > OffsetDateTime::now_utc() + span;
        if let Some(token) = kept.as_ref().filter(|token| lasts(token, REFRESH_BEFORE)) {
            return Ok(token.clone());
        }
        match self.credential.get_token(&[&self.scope], None).await {
            Ok(new) => Ok(kept.insert(new).clone()),
            Err(error) => kept
                .as_ref()
                .filter(|token| lasts(token, Duration::ZERO))
                .cloned()
                .ok_or(error),
        }
    }
}

#[async_trait::async_trait]
impl Policy for BearerTokenPolicy {
    async fn send(
        &self,
        ctx: &Context,
        request: &mut Request,
        next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        let token = self.token().await?;
        request.insert_header(AUTHORIZATION, format!("Bearer {}", token.token.secret()));
        next_policy(ctx, request, next).await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use azure_core::credentials::TokenRequestOptions;
    use azure_core::error::{Error, ErrorKind};
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Logs in once, for so many minutes; then never again.
    #[derive(Debug)]
    struct Once {
        minutes: i64,
        asked: AtomicUsize,
    }

    #[async_trait::async_trait]
    impl TokenCredential for Once {
        async fn get_token(
            &self,
            _: &[&str],
            _: Option<TokenRequestOptions<'_>>,
        ) -> azure_core::Result<AccessToken> {
            match self.asked.fetch_add(1, Ordering::Relaxed) {
                0 => Ok(AccessToken::new(
                    "first",
                    OffsetDateTime::now_utc() + Duration::minutes(self.minutes),
                )),
                _ => Err(Error::with_message(ErrorKind::Credential, "no more logins")),
            }
        }
    }

    /// How three requests fare one after the other, and how often the login was asked.
    async fn three(minutes: i64) -> (Vec<bool>, usize) {
        let credential = Arc::new(Once {
            minutes,
            asked: AtomicUsize::new(0),
        });
        let bearer = BearerTokenPolicy::new(credential.clone(), "scope");
        let mut well = Vec::new();
        for _ in 0..3 {
            well.push(bearer.token().await.is_ok());
        }
        (well, credential.asked.load(Ordering::Relaxed))
    }

    /// A token is cached, and used while it is valid even if no new one can be obtained.
    #[tokio::test]
    async fn reuse_valid_token_if_refresh_fails() {
        assert_eq!(three(60).await, (vec![true; 3], 1));
        assert_eq!(
            three(3).await,
            (vec![true; 3], 3),
            "renewed five minutes before its end"
        );
        assert_eq!(
            three(-1).await,
            (vec![true, false, false], 3),
            "what has run out is of no use"
        );
    }
}
