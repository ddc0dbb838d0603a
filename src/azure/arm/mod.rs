//! The resource manager's HTTP: one request and its response. What is repeated is decided in
//! `retry`.
//!
//! The SDK's pipeline authenticates and numbers requests; its own retries are off, since a write
//! must not be repeated blindly.

mod request;
mod response;
mod send;

pub(super) use request::{ArmRequest, Precondition};
pub(super) use response::ArmResponse;
pub(super) use send::AttemptError;

use super::cloud::{self, Cloud, CloudSource};
use super::credentials::{CredentialMethod, identity};
use super::error::Error;
use super::resources::{GATEWAYS, OLDER_GATEWAYS};
use super::transport::auth_policy::BearerTokenPolicy;
use crate::client::{Attempts, Backoff, CallContext, TransientFailure};
use azure_core::http::policies::Policy;
use azure_core::http::{
    ClientOptions, HttpClient, Method, Pipeline, Request, RetryOptions, Transport, Url,
};
use send::{CorrelationPolicy, SentMarkerPolicy, send_once};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Mutex;

/// A client of one Azure's resource manager. Clones share token and connections.
#[derive(Clone, Debug)]
pub(super) struct ArmClient(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    http: Arc<dyn HttpClient>,
    source: CloudSource,
    login: CredentialMethod,
    backoff: Backoff,
    session: Mutex<Option<AuthSession>>,
    /// The cloud does not serve the newer version for gateways.
    older_version: AtomicBool,
}

/// Endpoints found and a credential made; renewed together when a token is rejected.
#[derive(Clone, Debug)]
struct AuthSession {
    generation: u64,
    cloud: Cloud,
    pipeline: Pipeline,
}

impl AuthSession {
    /// An odd generation is one whose token was refused.
    fn is_stale(&self) -> bool {
        self.generation & 1 == 1
    }
}

impl ArmClient {
    /// Contacts no endpoint; endpoints and token are fetched by the first call.
    pub fn new(
        http: Arc<dyn HttpClient>,
        source: CloudSource,
        login: CredentialMethod,
        backoff: Backoff,
    ) -> Self {
        ArmClient(Arc::new(Shared {
            http,
            source,
            login,
            backoff,
            session: Mutex::new(None),
            older_version: AtomicBool::new(false),
        }))
    }

    pub fn backoff(&self) -> Backoff {
        self.0.backoff
    }

    /// One try, in the older version where the cloud does not serve the newer one. Sovereign clouds
    /// get new versions later.
    pub async fn attempt(
        &self,
        call: &ArmRequest,
        ctx: &CallContext,
    ) -> Result<ArmResponse, AttemptError> {
        let Some(older) = call.in_version(GATEWAYS, OLDER_GATEWAYS) else {
            return self.attempt_as_is(call, ctx).await;
        };
        if self.0.older_version.load(Ordering::Relaxed) {
            return self.attempt_as_is(&older, ctx).await;
        }
        match self.attempt_as_is(call, ctx).await {
            Err(failed) if is_version_unknown(&failed.error) => {
                self.0.older_version.store(true, Ordering::Relaxed);
                self.attempt_as_is(&older, ctx).await
            }
            other => other,
        }
    }

    /// One try; a refused token is renewed once.
    async fn attempt_as_is(
        &self,
        call: &ArmRequest,
        ctx: &CallContext,
    ) -> Result<ArmResponse, AttemptError> {
        ctx.check(&call.error_context())
            .map_err(AttemptError::unsent)?;
        let session = self.session(call, ctx).await?;
        match session.send(call, ctx).await {
            Err(failed) if matches!(failed.error, Error::Unauthenticated(_)) => {
                self.renew(session.generation).await;
                self.session(call, ctx).await?.send(call, ctx).await
            }
            other => other,
        }
    }

    /// The session, made at first need.
    async fn session(
        &self,
        call: &ArmRequest,
        ctx: &CallContext,
    ) -> Result<AuthSession, AttemptError> {
        let mut slot = self.0.session.lock().await;
        if let Some(session) = slot.as_ref().filter(|session| !session.is_stale()) {
            return Ok(session.clone());
        }
        let (cloud, generation) = match slot.take() {
            Some(stale) => (stale.cloud, stale.generation.saturating_add(1)),
            None => (self.discover(ctx).await.map_err(AttemptError::unsent)?, 0),
        };
        let login = identity::credential(&self.0.login, &cloud, Arc::clone(&self.0.http)).await;
        let credential = login.map_err(|fault| {
            let context = call.error_context().with_message(fault.to_string());
            AttemptError::unsent(Error::NoCredentials(context))
        })?;
        let bearer: Arc<dyn Policy> = Arc::new(BearerTokenPolicy::new(credential, &cloud.scope));
        let session = AuthSession {
            generation,
            pipeline: self.pipeline(vec![bearer, Arc::new(SentMarkerPolicy)]),
            cloud,
        };
        *slot = Some(session.clone());
        Ok(session)
    }

    /// Marks the session of that generation as stale, so that the next call recreates credential
    /// and token.
    async fn renew(&self, generation: u64) {
        if let Some(session) = self
            .0
            .session
            .lock()
            .await
            .as_mut()
            .filter(|s| s.generation == generation)
        {
            session.generation |= 1;
        }
    }

    fn pipeline(&self, per_try: Vec<Arc<dyn Policy>>) -> Pipeline {
        let options = ClientOptions {
            transport: Some(Transport::new(Arc::clone(&self.0.http))),
            retry: RetryOptions::none(),
            ..Default::default()
        };
        Pipeline::new(
            Some("terraform-provider-awsazure"),
            Some(env!("CARGO_PKG_VERSION")),
            options,
            vec![Arc::new(CorrelationPolicy)],
            per_try,
            None,
        )
    }

    /// The cloud's endpoints: known ones, or those that the metadata host returns.
    async fn discover(&self, ctx: &CallContext) -> Result<Cloud, Error> {
        let host = match &self.0.source {
            CloudSource::Known(cloud) => return Ok(cloud.clone()),
            CloudSource::MetadataHost(host) => host,
        };
        let call = ArmRequest::path(
            "read cloud metadata of",
            Method::Get,
            &format!("https://{host}"),
            "2022-09-01",
        );
        let url = Url::parse(&cloud::metadata_url(host))
            .map_err(|e| Error::Rejected(call.error_context().with_message(e.to_string())))?;
        let pipeline = self.pipeline(vec![Arc::new(SentMarkerPolicy)]);
        let mut attempts = Attempts::default();
        let response = loop {
            let request = Request::new(url.clone(), Method::Get);
            let error = match send_once(&pipeline, request, &call, ctx).await {
                Ok(response) => break response,
                Err(failed) => failed.error,
            };
            let failure = error
                .transient_failure()
                .filter(|failure| *failure != TransientFailure::Foreign);
            self.retry_or_fail(error, failure, &mut attempts, ctx)
                .await?;
        };
        cloud::parse_metadata(&response.body)
            .map_err(|e| Error::Malformed(call.error_context().with_message(e.to_string())))
    }
}

/// Whether Resource Manager knows the resource type, but not in the version of the request.
fn is_version_unknown(error: &Error) -> bool {
    let context = error.context();
    matches!(
        context.code.as_str(),
        "NoRegisteredProviderFound" | "InvalidResourceType" | "InvalidApiVersionParameter"
    ) && context.message.contains(GATEWAYS)
}

impl AuthSession {
    async fn send(
        &self,
        call: &ArmRequest,
        ctx: &CallContext,
    ) -> Result<ArmResponse, AttemptError> {
        let request = call.to_http(&self.cloud).map_err(AttemptError::unsent)?;
        send_once(&self.pipeline, request, call, ctx).await
    }
}
