//! The resource manager's HTTP: one call, its answer sorted, and the repetitions that are safe.
//!
//! The SDK's pipeline authenticates, names the program and numbers requests; its own retries are off, since a
//! write must not be repeated blindly. Here a read is repeated while errors look transient, and a write only where
//! Azure said, or the connection shows, that it did nothing.

use super::bearer::Bearer;
use super::cloud::{self, Cloud, CloudSource};
use super::credential::{Method as Login, identity};
use super::error::{Error, Facts, Headers, classify, sort};
use super::http::describe;
use super::id::ResourceId;
use super::waits::{Waits, backoff};
use crate::primitives::answer::{AnswerFault, described, find, page};
use azure_core::error::ErrorKind;
use azure_core::http::headers::{CONTENT_TYPE, HeaderName, USER_AGENT};
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{
    ClientOptions, Context, HttpClient, Method, Pipeline, PipelineSendOptions, Request, RetryOptions, Transport, Url,
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
pub(super) const TRIES: u32 = 6;

/// User agent.
const PROGRAM: &str = concat!("terraform-provider-awsazure/", env!("CARGO_PKG_VERSION"));

/// A client of one Azure's resource manager. Clones share token and connections.
#[derive(Clone, Debug)]
pub struct Arm(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    http: Arc<dyn HttpClient>,
    source: CloudSource,
    login: Login,
    session: Mutex<Option<Session>>,
}

/// Endpoints found and a credential made; renewed as a whole when a token is refused.
#[derive(Clone, Debug)]
struct Session {
    generation: u64,
    cloud: Cloud,
    pipeline: Pipeline,
}

/// One request, as far as it is the same at every try.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// In words, for errors.
    pub operation: &'static str,
    pub method: Method,
    /// Path with its query below the resource manager, or a whole URL on it.
    pub url: String,
    /// What it is about, for errors.
    pub target: String,
    pub body: Option<Value>,
    pub condition: Condition,
}

/// Conditional headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    None,
    /// `If-None-Match: *`
    Absent,
    /// `If-Match`
    Unchanged(String),
}

/// A successful answer.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub status: u16,
    pub headers: Headers,
    /// Null where there was none, or where a write's was not JSON.
    pub body: Value,
    /// Bytes of the body.
    pub size: usize,
}

/// A try that brought no success.
struct Miss {
    error: Error,
    /// The request never left: no token, no connection.
    unsent: bool,
}

impl Call {
    pub fn new(operation: &'static str, method: Method, id: &ResourceId, version: &str) -> Self {
        Call::path(operation, method, id.as_str(), version)
    }

    /// A path that is no resource id.
    pub fn path(operation: &'static str, method: Method, path: &str, version: &str) -> Self {
        let joint = if path.contains('?') { '&' } else { '?' };
        Call {
            operation,
            method,
            url: format!("{path}{joint}api-version={version}"),
            target: path.to_owned(),
            body: None,
            condition: Condition::None,
        }
    }

    #[must_use]
    pub fn with(mut self, body: Value, condition: Condition) -> Self {
        (self.body, self.condition) = (Some(body), condition);
        self
    }

    /// A look at a URL that Azure handed out, on behalf of this call.
    pub fn follow(&self, url: &str) -> Self {
        let (url, body) = (url.to_owned(), None);
        Call { method: Method::Get, url, body, condition: Condition::None, ..self.clone() }
    }

    pub fn facts(&self) -> Facts {
        Facts::new(self.operation, &self.target)
    }
}

/// Marks in the context that the request passed authentication and goes out, and names the program in place of the SDK.
#[derive(Debug)]
struct Departure;

struct Departed(AtomicBool);

#[async_trait::async_trait]
impl Policy for Departure {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        if let Some(departed) = ctx.value::<Arc<Departed>>() {
            departed.0.store(true, Ordering::Relaxed);
        }
        request.insert_header(USER_AGENT, PROGRAM);
        onward(ctx, request, next).await
    }
}

impl Arm {
    /// Contacts nobody; endpoints and token are fetched by the first call.
    pub fn new(http: Arc<dyn HttpClient>, source: CloudSource, login: Login) -> Self {
        Arm(Arc::new(Shared { http, source, login, session: Mutex::new(None) }))
    }

    /// A call without effect: repeated while errors look transient.
    pub(super) async fn read(&self, call: &Call, waits: &Waits) -> Result<Reply, Error> {
        let mut tries = 0;
        loop {
            let Miss { error, unsent } = match self.attempt(call, waits).await {
                Ok(reply) => return Ok(reply),
                Err(miss) => miss,
            };
            // What was not even sent has an address that is not Azure's.
            let transient = error.is_ambiguous() || matches!(error, Error::Malformed(_)) && !unsent;
            if !(transient && tries + 1 < TRIES || matches!(error, Error::Throttled(_))) {
                return Err(error);
            }
            pause(&error, tries, call, waits).await?;
            tries += 1;
        }
    }

    /// A call with an effect: repeated only where nothing was done, waiting out what is busy until the deadline.
    pub(super) async fn write(&self, call: &Call, waits: &Waits) -> Result<Reply, Error> {
        let (mut unsent, mut waited) = (0, 0);
        loop {
            let miss = match self.attempt(call, waits).await {
                Ok(reply) => return Ok(reply),
                Err(miss) => miss,
            };
            if miss.error.is_waitable() {
                pause(&miss.error, waited, call, waits).await?;
                waited += 1;
            } else if miss.unsent && miss.error.is_ambiguous() && unsent + 1 < TRIES {
                pause(&miss.error, unsent, call, waits).await?;
                unsent += 1;
            } else {
                return Err(miss.error);
            }
        }
    }

    /// One try; a refused token is renewed once.
    async fn attempt(&self, call: &Call, waits: &Waits) -> Result<Reply, Miss> {
        waits.check(&call.facts()).map_err(|error| Miss { error, unsent: true })?;
        let session = self.session(call, waits).await?;
        let first = self.send(call, &session, waits).await;
        let refused = |miss: &Miss| miss.error.facts().status == Some(401);
        match first {
            Err(miss) if refused(&miss) => {
                self.renew(session.generation).await;
                let session = self.session(call, waits).await?;
                self.send(call, &session, waits).await
            }
            other => other,
        }
    }

    async fn send(&self, call: &Call, session: &Session, waits: &Waits) -> Result<Reply, Miss> {
        let url = address(call, &session.cloud).map_err(|error| Miss { error, unsent: true })?;
        let mut request = Request::new(url, call.method);
        request.insert_header(HeaderName::from_static("accept"), "application/json");
        if let Some(body) = &call.body {
            request.insert_header(CONTENT_TYPE, "application/json");
            request.set_body(body.to_string());
        }
        match &call.condition {
            Condition::None => {}
            Condition::Absent => request.insert_header(HeaderName::from_static("if-none-match"), "*"),
            Condition::Unchanged(etag) => request.insert_header(HeaderName::from_static("if-match"), etag.clone()),
        }
        transmit(&session.pipeline, request, call, waits).await
    }

    /// The session, made at first need.
    async fn session(&self, call: &Call, waits: &Waits) -> Result<Session, Miss> {
        let mut slot = self.0.session.lock().await;
        if let Some(session) = slot.as_ref().filter(|session| !session.is_stale()) {
            return Ok(session.clone());
        }
        let (cloud, generation) = match slot.take() {
            Some(stale) => (stale.cloud, stale.generation.saturating_add(1)),
            None => (self.discover(waits).await?, 0),
        };
        let login = identity::credential(&self.0.login, &cloud, Arc::clone(&self.0.http)).await;
        let credential =
            login.map_err(|fault| Miss { error: Error::Auth(call.facts().saying(fault.to_string())), unsent: true })?;
        let bearer: Arc<dyn Policy> = Arc::new(Bearer::new(credential, &cloud.scope));
        let session = Session { generation, pipeline: self.pipeline(vec![bearer, Arc::new(Departure)]), cloud };
        *slot = Some(session.clone());
        Ok(session)
    }

    /// Marks the session of that generation as stale, so that the next call makes credential and token anew.
    async fn renew(&self, generation: u64) {
        if let Some(session) = self.0.session.lock().await.as_mut().filter(|s| s.generation == generation) {
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
    async fn discover(&self, waits: &Waits) -> Result<Cloud, Miss> {
        let host = match &self.0.source {
            CloudSource::Known(cloud) => return Ok(cloud.clone()),
            CloudSource::MetadataHost(host) => host,
        };
        let text = cloud::metadata_url(host);
        let call = Call::path("read cloud metadata of", Method::Get, &format!("https://{host}"), "2022-09-01");
        let fatal = |error| Miss { error, unsent: true };
        let url = Url::parse(&text).map_err(|e| fatal(Error::Refused(call.facts().saying(e.to_string()))))?;
        let pipeline = self.pipeline(vec![Arc::new(Departure)]);
        let mut tries = 0;
        let reply = loop {
            match transmit(&pipeline, Request::new(url.clone(), Method::Get), &call, waits).await {
                Ok(reply) => break reply,
                Err(Miss { error, .. }) if tries + 1 < TRIES && (error.is_ambiguous() || error.is_waitable()) => {
                    pause(&error, tries, &call, waits).await.map_err(fatal)?;
                    tries += 1;
                }
                Err(miss) => return Err(fatal(miss.error)),
            }
        };
        cloud::parse_metadata(&reply.body)
            .map_err(|fault| fatal(Error::Malformed(call.facts().saying(fault.to_string()))))
    }
}

impl Session {
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
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let id = azure_core::Uuid::new_v4().to_string();
        request.insert_header(HeaderName::from_static("x-ms-correlation-request-id"), id);
        onward(ctx, request, next).await
    }
}

pub(super) async fn onward(ctx: &Context<'_>, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
    match next.split_first() {
        Some((policy, rest)) => policy.send(ctx, request, rest).await,
        None => Err(azure_core::Error::with_message(ErrorKind::Other, "the pipeline has no transport")),
    }
}

/// Waits as an error asks, else with growing pauses.
pub(super) async fn pause(error: &Error, tries: u32, call: &Call, waits: &Waits) -> Result<(), Error> {
    let span = error.facts().retry_after.unwrap_or_else(|| backoff(tries, &call.target));
    let _others = matches!(error, Error::Busy(_)).then(|| waits.others_at_work());
    match waits.sleep(span, error.facts()).await {
        // The deadline leaves no room for another try: say what stood in the way.
        Err(Error::TimedOut(facts)) => {
            let message = format!("the time is over, last: {}", facts.message);
            Err(Error::TimedOut(Facts { message, ..*facts }.into()))
        }
        other => other,
    }
}

/// The URL of a call. One that Azure handed out must stay on the resource manager: the token goes along.
fn address(call: &Call, cloud: &Cloud) -> Result<Url, Error> {
    let fault = |message: String| Error::Malformed(call.facts().saying(message));
    let base = Url::parse(&cloud.resource_manager).map_err(|error| fault(error.to_string()))?;
    let url = base.join(&call.url).map_err(|error| fault(format!("Azure handed out a bad address: {error}")))?;
    let home = base.host_str().unwrap_or_default();
    let host = url.host_str().unwrap_or_default();
    let near = host == home || host.strip_suffix(home).is_some_and(|rest| rest.ends_with('.'));
    if near && url.scheme() == "https" && url.port_or_known_default() == base.port_or_known_default() {
        Ok(url)
    } else {
        Err(fault(format!("Azure handed out an address on another host, {host}; no token is sent there")))
    }
}

/// Sends once and sorts the answer.
async fn transmit(pipeline: &Pipeline, mut request: Request, call: &Call, waits: &Waits) -> Result<Reply, Miss> {
    let host = request.url().host_str().unwrap_or_default().to_owned();
    let departed = Arc::new(Departed(AtomicBool::new(false)));
    let context = Context::new().with_value(Arc::clone(&departed));
    let options = PipelineSendOptions { skip_checks: true, ..Default::default() };
    let limit = if call.method == Method::Get { READ_TIMEOUT } else { WRITE_TIMEOUT };
    let answer = tokio::select! {
        biased;
        answer = pipeline.send(&context, &mut request, Some(options)) => Some(answer),
        () = tokio::time::sleep(limit) => None,
        () = waits.abandoned() => {
            let facts = call.facts().saying("cancelled before the answer came");
            return Err(Miss { error: Error::Cancelled(facts), unsent: !departed.0.load(Ordering::Relaxed) });
        }
    };
    let left = departed.0.load(Ordering::Relaxed);
    let answer = match answer {
        None if left => return Err(lost(call, format!("no answer within {} s", limit.as_secs()), false)),
        None => return Err(lost(call, format!("no access token within {} s", limit.as_secs()), true)),
        Some(Err(error)) => return Err(broken(call, &error, left)),
        Some(Ok(answer)) => answer,
    };
    let status = u16::from(answer.status());
    let headers: Headers =
        answer.headers().iter().map(|(k, v)| (k.as_str().to_ascii_lowercase(), v.as_str().to_owned())).collect();
    let bytes: &[u8] = answer.body().as_ref();
    let parsed = if bytes.is_empty() { Ok(Value::Null) } else { serde_json::from_slice::<Value>(bytes) };
    let is_write = matches!(call.method, Method::Put | Method::Delete | Method::Patch);
    let facts = || call.facts().of_answer(status, &headers);
    let unusable = |message: String| {
        let facts = facts().saying(message);
        let error = if is_write { Error::Ambiguous(facts) } else { Error::Malformed(facts) };
        Err(Miss { error, unsent: false })
    };
    // Resource Manager explains each 404 in JSON: a page says nothing about the resource.
    if !is_json(bytes) && parsed.is_err() && ((200..300).contains(&status) || status == 404) {
        return unusable(page(&host, status, bytes).to_string());
    }
    if !(200..300).contains(&status) {
        let error = match parsed {
            Err(_) => sort(facts().saying(format!("HTTP {status} from {host} with {}", described(bytes)))),
            Ok(body) => classify(call.operation, &call.target, status, &headers, &body),
        };
        return Err(Miss { error, unsent: false });
    }
    match parsed {
        Ok(body) if is_error_document(&body) => {
            let said = Facts::default().of_error(body.get("error").unwrap_or(&Value::Null));
            unusable(format!("the answer is an error in spite of its status: {}: {}", said.code, said.message))
        }
        Ok(body) => Ok(Reply { status, headers, body, size: bytes.len() }),
        // A write has happened, and what it made is read again anyway.
        Err(_) if is_write => Ok(Reply { status, headers, body: Value::Null, size: bytes.len() }),
        Err(error) => unusable(format!("the answer is not complete JSON: {error}")),
    }
}

/// Whether a text that cannot be read was meant as JSON.
fn is_json(bytes: &[u8]) -> bool {
    bytes.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|first| matches!(first, b'{' | b'['))
}

/// An error that came with a status of success. The record of an operation has an error too, under its status.
fn is_error_document(body: &Value) -> bool {
    let is_error = body.get("error").is_some_and(|error| error.get("code").is_some_and(Value::is_string));
    is_error && !["status", "id", "value", "properties"].iter().any(|key| body.get(key).is_some())
}

fn lost(call: &Call, message: String, unsent: bool) -> Miss {
    Miss { error: Error::Ambiguous(call.facts().saying(message)), unsent }
}

/// No answer came, or none that is accepted. Without a token, or a connection, the request had no effect.
fn broken(call: &Call, error: &azure_core::Error, left: bool) -> Miss {
    let is_read = matches!(call.method, Method::Get | Method::Post);
    match find::<AnswerFault>(error) {
        Some(fault @ AnswerFault::Untrusted { .. }) => {
            return Miss { error: Error::Untrusted(call.facts().saying(fault.to_string())), unsent: true };
        }
        Some(fault) if left && is_read => {
            return Miss { error: Error::Malformed(call.facts().saying(fault.to_string())), unsent: false };
        }
        Some(fault) if left => return lost(call, fault.to_string(), false),
        Some(fault) => return Miss { error: Error::Auth(call.facts().saying(fault.to_string())), unsent: true },
        None => {}
    }
    let message = describe(error);
    match error.kind() {
        ErrorKind::Connection => lost(call, message, true),
        ErrorKind::Io => lost(call, message, !left),
        _ if !left => Miss { error: Error::Auth(call.facts().saying(message)), unsent: true },
        _ => lost(call, message, false),
    }
}
