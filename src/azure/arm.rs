//! The resource manager's HTTP: one call, its answer sorted, and the repetitions that are safe.
//!
//! The SDK's pipeline authenticates, names the program and numbers requests; its own retries are
//! off, since a write must not be repeated blindly. Here a read is repeated while errors look
//! transient, and a write only where Azure said, or the connection shows, that it did nothing.

use super::auth_policy::BearerTokenPolicy;
use super::call_context::{CallContext, retry_delay};
use super::cloud::{self, Cloud, CloudSource};
use super::credential::{CredentialMethod as Login, identity};
use super::error::{Error, ErrorContext, Headers, classify, classify_context};
use super::http::describe;
use super::id::ResourceId;
use crate::client::response::{ResponseError, described, find, page};
use azure_core::error::ErrorKind;
use azure_core::http::headers::{CONTENT_TYPE, HeaderName, USER_AGENT};
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{
    ClientOptions, Context, HttpClient, Method, Pipeline, PipelineSendOptions, Request,
    RetryOptions, Transport, Url,
};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;

/// After this a read counts as hanging.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// After this a write counts as hanging, its effect unknown.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);
/// Tries of one read, or of a write that never left, while errors look transient.
pub(super) const MAX_ATTEMPTS: u32 = 6;

/// User agent.
const PRODUCT: &str = concat!("terraform-provider-awsazure/", env!("CARGO_PKG_VERSION"));

/// A client of one Azure's resource manager. Clones share token and connections.
#[derive(Clone, Debug)]
pub struct ArmClient(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    http: Arc<dyn HttpClient>,
    source: CloudSource,
    login: Login,
    session: Mutex<Option<AuthSession>>,
}

/// Endpoints found and a credential made; renewed together when a token is rejected.
#[derive(Clone, Debug)]
struct AuthSession {
    generation: u64,
    cloud: Cloud,
    pipeline: Pipeline,
}

/// One request, as far as it is the same at every try.
#[derive(Clone, Debug)]
pub(super) struct ArmRequest {
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
pub(super) enum Precondition {
    None,
    /// `If-None-Match: *`
    IfNoneMatch,
    /// `If-Match`
    IfMatch(String),
}

/// A successful answer.
#[derive(Clone, Debug)]
pub(super) struct ArmResponse {
    pub status: u16,
    pub headers: Headers,
    /// Null where there was none, or where a write's was not JSON.
    pub body: Value,
    /// Bytes of the body.
    pub size: usize,
}

/// A try that brought no success.
struct AttemptError {
    error: Error,
    /// The request never left: no token, no connection.
    unsent: bool,
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

    pub fn error_context(&self) -> ErrorContext {
        ErrorContext::new(self.operation, &self.target)
    }
}

/// Marks in the context that the request passed authentication and goes out, and names the program
/// in place of the SDK.
#[derive(Debug)]
struct SentMarkerPolicy;

struct SentFlag(AtomicBool);

#[async_trait::async_trait]
impl Policy for SentMarkerPolicy {
    async fn send(
        &self,
        ctx: &Context,
        request: &mut Request,
        next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        if let Some(departed) = ctx.value::<Arc<SentFlag>>() {
            departed.0.store(true, Ordering::Relaxed);
        }
        request.insert_header(USER_AGENT, PRODUCT);
        next_policy(ctx, request, next).await
    }
}

impl ArmClient {
    /// Contacts no endpoint; endpoints and token are fetched by the first call.
    pub fn new(http: Arc<dyn HttpClient>, source: CloudSource, login: Login) -> Self {
        ArmClient(Arc::new(Shared {
            http,
            source,
            login,
            session: Mutex::new(None),
        }))
    }

    /// A call without effect: repeated while errors look transient.
    pub(super) async fn read(
        &self,
        call: &ArmRequest,
        waits: &CallContext,
    ) -> Result<ArmResponse, Error> {
        let mut tries = 0;
        loop {
            let AttemptError { error, unsent } = match self.attempt(call, waits).await {
                Ok(response) => return Ok(response),
                Err(failed) => failed,
            };
            // What was not even sent has an address that is not Azure's.
            let transient =
                error.is_outcome_unknown() || matches!(error, Error::Malformed(_)) && !unsent;
            if !(transient && tries + 1 < MAX_ATTEMPTS || matches!(error, Error::Throttled(_))) {
                return Err(error);
            }
            sleep_before_retry(&error, tries, call, waits).await?;
            tries += 1;
        }
    }

    /// A call with an effect: repeated only where nothing was done, waiting out what is busy until
    /// the deadline.
    pub(super) async fn write(
        &self,
        call: &ArmRequest,
        waits: &CallContext,
    ) -> Result<ArmResponse, Error> {
        let (mut unsent, mut waited) = (0, 0);
        loop {
            let failed = match self.attempt(call, waits).await {
                Ok(response) => return Ok(response),
                Err(failed) => failed,
            };
            if failed.error.is_retryable() {
                sleep_before_retry(&failed.error, waited, call, waits).await?;
                waited += 1;
            } else if failed.unsent
                && failed.error.is_outcome_unknown()
                && unsent + 1 < MAX_ATTEMPTS
            {
                sleep_before_retry(&failed.error, unsent, call, waits).await?;
                unsent += 1;
            } else {
                return Err(failed.error);
            }
        }
    }

    /// One try; a refused token is renewed once.
    async fn attempt(
        &self,
        call: &ArmRequest,
        waits: &CallContext,
    ) -> Result<ArmResponse, AttemptError> {
        waits
            .check(&call.error_context())
            .map_err(|error| AttemptError {
                error,
                unsent: true,
            })?;
        let session = self.session(call, waits).await?;
        let first = self.send_with_session(call, &session, waits).await;
        let refused = |failed: &AttemptError| failed.error.context().status == Some(401);
        match first {
            Err(failed) if refused(&failed) => {
                self.renew(session.generation).await;
                let session = self.session(call, waits).await?;
                self.send_with_session(call, &session, waits).await
            }
            other => other,
        }
    }

    async fn send_with_session(
        &self,
        call: &ArmRequest,
        session: &AuthSession,
        waits: &CallContext,
    ) -> Result<ArmResponse, AttemptError> {
        let url = resolve_url(call, &session.cloud).map_err(|error| AttemptError {
            error,
            unsent: true,
        })?;
        let mut request = Request::new(url, call.method);
        request.insert_header(HeaderName::from_static("accept"), "application/json");
        if let Some(body) = &call.body {
            request.insert_header(CONTENT_TYPE, "application/json");
            request.set_body(body.to_string());
        }
        match &call.precondition {
            Precondition::None => {}
            Precondition::IfNoneMatch => {
                request.insert_header(HeaderName::from_static("if-none-match"), "*")
            }
            Precondition::IfMatch(etag) => {
                request.insert_header(HeaderName::from_static("if-match"), etag.clone())
            }
        }
        send_once(&session.pipeline, request, call, waits).await
    }

    /// The session, made at first need.
    async fn session(
        &self,
        call: &ArmRequest,
        waits: &CallContext,
    ) -> Result<AuthSession, AttemptError> {
        let mut slot = self.0.session.lock().await;
        if let Some(session) = slot.as_ref().filter(|session| !session.is_stale()) {
            return Ok(session.clone());
        }
        let (cloud, generation) = match slot.take() {
            Some(stale) => (stale.cloud, stale.generation.saturating_add(1)),
            None => (self.discover(waits).await?, 0),
        };
        let login = identity::credential(&self.0.login, &cloud, Arc::clone(&self.0.http)).await;
        let credential = login.map_err(|fault| AttemptError {
            error: Error::Auth(call.error_context().with_message(fault.to_string())),
            unsent: true,
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
            vec![Arc::new(Correlation)],
            per_try,
            None,
        )
    }

    /// The cloud's endpoints: known ones, or those that the metadata host tells.
    async fn discover(&self, waits: &CallContext) -> Result<Cloud, AttemptError> {
        let host = match &self.0.source {
            CloudSource::Known(cloud) => return Ok(cloud.clone()),
            CloudSource::MetadataHost(host) => host,
        };
        let text = cloud::metadata_url(host);
        let call = ArmRequest::path(
            "read cloud metadata of",
            Method::Get,
            &format!("https://{host}"),
            "2022-09-01",
        );
        let fatal = |error| AttemptError {
            error,
            unsent: true,
        };
        let url = Url::parse(&text).map_err(|e| {
            fatal(Error::Rejected(
                call.error_context().with_message(e.to_string()),
            ))
        })?;
        let pipeline = self.pipeline(vec![Arc::new(SentMarkerPolicy)]);
        let mut tries = 0;
        let response = loop {
            match send_once(
                &pipeline,
                Request::new(url.clone(), Method::Get),
                &call,
                waits,
            )
            .await
            {
                Ok(response) => break response,
                Err(AttemptError { error, .. })
                    if tries + 1 < MAX_ATTEMPTS
                        && (error.is_outcome_unknown() || error.is_retryable()) =>
                {
                    sleep_before_retry(&error, tries, &call, waits)
                        .await
                        .map_err(fatal)?;
                    tries += 1;
                }
                Err(failed) => return Err(fatal(failed.error)),
            }
        };
        cloud::parse_metadata(&response.body).map_err(|fault| {
            fatal(Error::Malformed(
                call.error_context().with_message(fault.to_string()),
            ))
        })
    }
}

impl AuthSession {
    /// An odd generation is one whose token was refused.
    fn is_stale(&self) -> bool {
        self.generation & 1 == 1
    }
}

/// Gives each call a correlation id of its own, by which Azure's support finds it.
#[derive(Debug)]
struct Correlation;

#[async_trait::async_trait]
impl Policy for Correlation {
    async fn send(
        &self,
        ctx: &Context,
        request: &mut Request,
        next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        let id = azure_core::Uuid::new_v4().to_string();
        request.insert_header(HeaderName::from_static("x-ms-correlation-request-id"), id);
        next_policy(ctx, request, next).await
    }
}

pub(super) async fn next_policy(
    ctx: &Context<'_>,
    request: &mut Request,
    next: &[Arc<dyn Policy>],
) -> PolicyResult {
    match next.split_first() {
        Some((policy, rest)) => policy.send(ctx, request, rest).await,
        None => Err(azure_core::Error::with_message(
            ErrorKind::Other,
            "the pipeline has no transport",
        )),
    }
}

/// Waits as an error asks, else with growing pauses.
pub(super) async fn sleep_before_retry(
    error: &Error,
    tries: u32,
    call: &ArmRequest,
    waits: &CallContext,
) -> Result<(), Error> {
    let span = error
        .context()
        .retry_after
        .unwrap_or_else(|| retry_delay(tries, &call.target));
    let _others = matches!(error, Error::ConflictRetryable(_)).then(|| waits.pause_while_busy());
    match waits.sleep(span, error.context()).await {
        // The deadline leaves no room for another try: say what stood in the way.
        Err(Error::TimedOut(facts)) => {
            let message = format!("the time is over, last: {}", facts.message);
            Err(Error::TimedOut(ErrorContext { message, ..*facts }.into()))
        }
        other => other,
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

/// Sends once and sorts the answer.
async fn send_once(
    pipeline: &Pipeline,
    mut request: Request,
    call: &ArmRequest,
    waits: &CallContext,
) -> Result<ArmResponse, AttemptError> {
    let host = request.url().host_str().unwrap_or_default().to_owned();
    let departed = Arc::new(SentFlag(AtomicBool::new(false)));
    let context = Context::new().with_value(Arc::clone(&departed));
    let options = PipelineSendOptions {
        skip_checks: true,
        ..Default::default()
    };
    let limit = if call.method == Method::Get {
        READ_TIMEOUT
    } else {
        WRITE_TIMEOUT
    };
    let answer = tokio::select! {
        biased;
        answer = pipeline.send(&context, &mut request, Some(options)) => Some(answer),
        () = tokio::time::sleep(limit) => None,
        () = waits.cancelled_after_grace() => {
            let facts = call.error_context().with_message("cancelled before the answer came");
            return Err(AttemptError { error: Error::Cancelled(facts), unsent: !departed.0.load(Ordering::Relaxed) });
        }
    };
    let left = departed.0.load(Ordering::Relaxed);
    let answer = match answer {
        None if left => {
            return Err(no_response(
                call,
                format!("no answer within {} s", limit.as_secs()),
                false,
            ));
        }
        None => {
            return Err(no_response(
                call,
                format!("no access token within {} s", limit.as_secs()),
                true,
            ));
        }
        Some(Err(error)) => return Err(transport_error(call, &error, left)),
        Some(Ok(answer)) => answer,
    };
    let status = u16::from(answer.status());
    let headers: Headers = answer
        .headers()
        .iter()
        .map(|(k, v)| (k.as_str().to_ascii_lowercase(), v.as_str().to_owned()))
        .collect();
    let bytes: &[u8] = answer.body().as_ref();
    let parsed = if bytes.is_empty() {
        Ok(Value::Null)
    } else {
        serde_json::from_slice::<Value>(bytes)
    };
    let is_write = matches!(call.method, Method::Put | Method::Delete | Method::Patch);
    let facts = || call.error_context().with_response(status, &headers);
    let unusable = |message: String| {
        let facts = facts().with_message(message);
        let error = if is_write {
            Error::OutcomeUnknown(facts)
        } else {
            Error::Malformed(facts)
        };
        Err(AttemptError {
            error,
            unsent: false,
        })
    };
    // Resource Manager explains each 404 in JSON: a page says nothing about the resource.
    if !is_json(bytes) && parsed.is_err() && ((200..300).contains(&status) || status == 404) {
        return unusable(page(&host, status, bytes).to_string());
    }
    if !(200..300).contains(&status) {
        let error = match parsed {
            Err(_) => classify_context(facts().with_message(format!(
                "HTTP {status} from {host} with {}",
                described(bytes)
            ))),
            Ok(body) => classify(call.operation, &call.target, status, &headers, &body),
        };
        return Err(AttemptError {
            error,
            unsent: false,
        });
    }
    match parsed {
        Ok(body) if is_error_document(&body) => {
            let said =
                ErrorContext::default().with_error_body(body.get("error").unwrap_or(&Value::Null));
            unusable(format!(
                "the answer is an error in spite of its status: {}: {}",
                said.code, said.message
            ))
        }
        Ok(body) => Ok(ArmResponse {
            status,
            headers,
            body,
            size: bytes.len(),
        }),
        // A write has happened, and what it made is read again anyway.
        Err(_) if is_write => Ok(ArmResponse {
            status,
            headers,
            body: Value::Null,
            size: bytes.len(),
        }),
        Err(error) => unusable(format!("the answer is not complete JSON: {error}")),
    }
}

/// Whether a text that cannot be read was meant as JSON.
fn is_json(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .find(|byte| !byte.is_ascii_whitespace())
        .is_some_and(|first| matches!(first, b'{' | b'['))
}

/// An error that came with a status of success. The record of an operation has an error too, under
/// its status.
fn is_error_document(body: &Value) -> bool {
    let is_error = body
        .get("error")
        .is_some_and(|error| error.get("code").is_some_and(Value::is_string));
    is_error
        && !["status", "id", "value", "properties"]
            .iter()
            .any(|key| body.get(key).is_some())
}

fn no_response(call: &ArmRequest, message: String, unsent: bool) -> AttemptError {
    AttemptError {
        error: Error::OutcomeUnknown(call.error_context().with_message(message)),
        unsent,
    }
}

/// No answer came, or none that is accepted. Without a token, or a connection, the request had no
/// effect.
fn transport_error(call: &ArmRequest, error: &azure_core::Error, left: bool) -> AttemptError {
    let is_read = matches!(call.method, Method::Get | Method::Post);
    match find::<ResponseError>(error) {
        Some(fault @ ResponseError::Untrusted { .. }) => {
            return AttemptError {
                error: Error::Untrusted(call.error_context().with_message(fault.to_string())),
                unsent: true,
            };
        }
        Some(fault) if left && is_read => {
            return AttemptError {
                error: Error::Malformed(call.error_context().with_message(fault.to_string())),
                unsent: false,
            };
        }
        Some(fault) if left => return no_response(call, fault.to_string(), false),
        Some(fault) => {
            return AttemptError {
                error: Error::Auth(call.error_context().with_message(fault.to_string())),
                unsent: true,
            };
        }
        None => {}
    }
    let message = describe(error);
    match error.kind() {
        ErrorKind::Connection => no_response(call, message, true),
        ErrorKind::Io => no_response(call, message, !left),
        _ if !left => AttemptError {
            error: Error::Auth(call.error_context().with_message(message)),
            unsent: true,
        },
        _ => no_response(call, message, false),
    }
}
