//! The wire between both SDKs and the sandbox: it hands over calls, ends a process or asks it to
//! stop at a call of the test's choice, and remembers every secret that passes.

use async_trait::async_trait;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use awsazure_sandbox::http::{Outcome, Request};
use awsazure_sandbox::in_process::Sandbox;
use azure_core::error::{Error as AzureError, ErrorKind};
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::{AsyncRawResponse, Body, HttpClient, StatusCode};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;

/// The AWS secret key of simulated processes.
pub const AWS_SECRET: &str = "wJalrXUtnFEMIsimulatedSECRETkey";

/// The sandbox behind both SDKs' seams for an HTTP client. Clones share everything.
#[derive(Clone)]
pub struct Wire {
    sandbox: Sandbox,
    shared: Arc<Mutex<Shared>>,
    /// Whose calls these are, where several share the clouds; empty otherwise.
    actor: &'static str,
}

/// The header that tells the isolation checker whose call it sees. The clouds take no notice of it.
pub const ACTOR: &str = "x-actor";

#[derive(Default)]
struct Shared {
    secrets: BTreeSet<String>,
    /// Hosts that requests were sent to.
    hosts: BTreeSet<String>,
    /// Cancelled when a call gets no answer: that is where the process is killed.
    grave: Option<CancellationToken>,
    /// Calls that are left until the token is cancelled.
    stop: Option<(usize, CancellationToken)>,
}

impl Wire {
    pub fn new(sandbox: Sandbox) -> Self {
        let wire = Wire {
            sandbox,
            shared: Arc::default(),
            actor: "",
        };
        let client = wire.sandbox.world().settings.client_secret.clone();
        wire.shared
            .lock()
            .unwrap()
            .secrets
            .extend([AWS_SECRET.to_owned(), client]);
        wire
    }

    /// Of another user, to the same clouds.
    pub fn of(&self, actor: &'static str) -> Self {
        Wire {
            actor,
            ..self.clone()
        }
    }

    /// From now on a call without an answer is one at which the process is killed; the token tells.
    pub fn deadly(&self) -> CancellationToken {
        let token = CancellationToken::new();
        self.shared.lock().unwrap().grave = Some(token.clone());
        token
    }

    /// Cancels the token when the n-th call from now is sent.
    pub fn stop_at(&self, call: usize, token: &CancellationToken) {
        self.shared.lock().unwrap().stop = Some((call, token.clone()));
    }

    /// Nothing special happens any more.
    pub fn calm(&self) {
        let mut shared = self.shared.lock().unwrap();
        (shared.grave, shared.stop) = (None, None);
    }

    /// Every shared key, password and token that was ever sent or answered.
    pub fn secrets(&self) -> BTreeSet<String> {
        self.shared.lock().unwrap().secrets.clone()
    }

    /// Every host that a request was sent to.
    pub fn hosts(&self) -> BTreeSet<String> {
        self.shared.lock().unwrap().hosts.clone()
    }

    async fn pass(&self, mut request: Request) -> Outcome {
        if !self.actor.is_empty() {
            request
                .headers
                .push((ACTOR.to_owned(), self.actor.to_owned()));
        }
        {
            let mut shared = self.shared.lock().unwrap();
            let host = request.base_url.trim_start_matches("https://");
            shared.hosts.insert(host.to_owned());
            shared.note(&request.body, request.path.ends_with("/sharedkey"));
            if let Some((left, token)) = &mut shared.stop {
                *left = left.saturating_sub(1);
                if *left == 0 {
                    token.cancel();
                }
            }
        }
        let key = request.path.ends_with("/sharedkey");
        let reply = self.sandbox.call(request).await;
        let mut shared = self.shared.lock().unwrap();
        match &reply {
            Outcome::Response(answer) => shared.note(&answer.body, key),
            Outcome::Hang => shared.grave.iter().for_each(CancellationToken::cancel),
            Outcome::Dropped => {}
        }
        reply
    }
}

impl Shared {
    /// Finds keys and tokens in a body, in each of the notations that the two clouds have for them.
    fn note(&mut self, body: &[u8], is_key: bool) {
        let text = String::from_utf8_lossy(body);
        let mut find = |before: &str, end: &[char]| {
            for (at, _) in text.match_indices(before) {
                let rest = &text[at + before.len()..];
                let secret = rest.split(end).next().unwrap_or_default();
                if secret.len() >= 8 {
                    self.secrets.insert(secret.to_owned());
                }
            }
        };
        find(".PreSharedKey=", &['&']);
        find("<preSharedKey>", &['<']);
        find("\"sharedKey\":\"", &['"']);
        find("\"access_token\":\"", &['"']);
        if is_key {
            find("\"value\":\"", &['"']);
        }
    }
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wire")
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let wire = self.clone();
        let headers = request
            .headers()
            .iter()
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let request = Request {
            method: request.method().to_owned(),
            base_url: request.uri().trim_end_matches('/').to_owned(),
            path: "/".to_owned(),
            query: String::new(),
            headers,
            body: request.body().bytes().unwrap_or_default().to_vec(),
        };
        HttpConnectorFuture::new(async move {
            match wire.pass(request).await {
                Outcome::Response(answer) => {
                    let status = answer.status.try_into().expect("a status");
                    let mut response = HttpResponse::new(status, SdkBody::from(answer.body));
                    for (name, value) in answer.headers {
                        response.headers_mut().append(name.to_lowercase(), value);
                    }
                    Ok(response)
                }
                Outcome::Dropped => Err(ConnectorError::io("connection reset by peer".into())),
                Outcome::Hang => std::future::pending().await,
            }
        })
    }
}

#[async_trait]
impl HttpClient for Wire {
    async fn execute_request(
        &self,
        request: &azure_core::http::Request,
    ) -> azure_core::Result<AsyncRawResponse> {
        let Body::Bytes(body) = request.body() else {
            panic!("a streamed body")
        };
        let url = request.url();
        let headers = request
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_lowercase(), value.as_str().to_owned()));
        let exchange = Request {
            method: request.method().as_str().to_owned(),
            base_url: format!("{}://{}", url.scheme(), url.authority()),
            path: url.path().to_owned(),
            query: url.query().unwrap_or_default().to_owned(),
            headers: headers.collect(),
            body: body.to_vec(),
        };
        match self.pass(exchange).await {
            Outcome::Response(answer) => {
                let mut headers = Headers::new();
                for (name, value) in answer.headers {
                    headers.insert(
                        HeaderName::from(name.to_lowercase()),
                        HeaderValue::from(value),
                    );
                }
                Ok(AsyncRawResponse::from_bytes(
                    StatusCode::from(answer.status),
                    headers,
                    answer.body,
                ))
            }
            Outcome::Dropped => Err(AzureError::with_message(
                ErrorKind::Io,
                "connection reset by peer",
            )),
            Outcome::Hang => std::future::pending().await,
        }
    }
}
