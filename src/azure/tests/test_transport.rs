//! An Azure of a few lines for tests: requests must come in the script's order, tokens are counted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use crate::azure::credentials::CredentialSettings;
use crate::azure::{Azure, AzureSettings};
use azure_core::error::ErrorKind;
use azure_core::http::headers::{AUTHORIZATION, HeaderName, Headers};
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Request, StatusCode};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What a request meets.
pub enum ScriptedResponse {
    Answer(u16, Vec<(&'static str, &'static str)>, Value),
    /// A body as it is.
    Raw(u16, Vec<(&'static str, &'static str)>, String),
    /// A body without end.
    Endless,
    /// The connection breaks after the request left.
    Loss,
    /// No connection is established.
    Refused,
    Hang,
}

/// Method, part of the URL, and what it meets.
pub type Line = (&'static str, &'static str, ScriptedResponse);

/// Method, URL, authorization, If-Match, body.
pub type Seen = (String, String, String, String, Value);

#[derive(Default)]
pub struct TestTransport {
    lines: Mutex<VecDeque<Line>>,
    /// Bodies of token requests.
    pub tokens: Mutex<Vec<String>>,
    pub seen: Mutex<Vec<Seen>>,
    /// What token requests meet, in place of a token.
    pub login: Mutex<Option<fn() -> ScriptedResponse>>,
    /// Pieces of endless bodies that were read.
    pub pieces: Arc<AtomicUsize>,
}

impl std::fmt::Debug for TestTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scripted")
    }
}

impl TestTransport {
    pub fn start(settings: CredentialSettings, lines: Vec<Line>) -> (Azure, Arc<TestTransport>) {
        let script = Arc::new(TestTransport {
            lines: Mutex::new(lines.into()),
            ..Default::default()
        });
        let http: Arc<dyn HttpClient> = script.clone();
        let azure = Azure::new(AzureSettings {
            credentials: settings,
            http: Some(http),
            ..Default::default()
        });
        (azure.unwrap(), script)
    }

    /// The script with a client secret for login.
    pub fn plain(lines: Vec<Line>) -> (Azure, Arc<TestTransport>) {
        let some = |text: &str| Some(text.to_owned());
        let settings = CredentialSettings {
            client_secret: some("geheim"),
            ..CredentialSettings::from_env(&|name| {
                let known = ["ARM_CLIENT_ID", "ARM_TENANT_ID", "ARM_SUBSCRIPTION_ID"];
                known.contains(&name).then(|| "s".to_owned())
            })
        };
        TestTransport::start(settings, lines)
    }

    pub fn left(&self) -> usize {
        self.lines.lock().unwrap().len()
    }
}

fn answer(status: u16, pairs: &[(&'static str, &'static str)], body: &Value) -> AsyncRawResponse {
    let mut headers = Headers::new();
    for (name, value) in pairs {
        headers.insert(HeaderName::from_static(name), *value);
    }
    let bytes = if body.is_null() {
        Vec::new()
    } else {
        body.to_string().into_bytes()
    };
    AsyncRawResponse::from_bytes(StatusCode::from(status), headers, bytes)
}

#[async_trait::async_trait]
impl HttpClient for TestTransport {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let Body::Bytes(bytes) = request.body() else {
            panic!("a streamed body")
        };
        if request.url().path().ends_with("/oauth2/v2.0/token") {
            let number = {
                let mut tokens = self.tokens.lock().unwrap();
                tokens.push(String::from_utf8(bytes.to_vec()).unwrap());
                tokens.len()
            };
            let login = *self.login.lock().unwrap();
            if let Some(meets) = login {
                return self.meet(meets()).await;
            }
            let token = format!("token{number}");
            return Ok(answer(
                200,
                &[],
                &json!({"access_token": token, "expires_in": 3600, "token_type": "Bearer"}),
            ));
        }
        let header = |name| {
            request
                .headers()
                .get_optional_string(&name)
                .unwrap_or_default()
        };
        let (method, url) = (request.method().to_string(), request.url().to_string());
        let condition = header(HeaderName::from_static("if-match"));
        let body = serde_json::from_slice(bytes).unwrap_or(Value::Null);
        self.seen.lock().unwrap().push((
            method.clone(),
            url.clone(),
            header(AUTHORIZATION),
            condition,
            body,
        ));
        let line = self.lines.lock().unwrap().pop_front();
        let (expected, part, meets) = line.unwrap_or_else(|| panic!("unexpected {method} {url}"));
        assert!(
            method == expected && url.contains(part),
            "{method} {url} instead of {expected} {part}"
        );
        self.meet(meets).await
    }
}

impl TestTransport {
    async fn meet(&self, meets: ScriptedResponse) -> azure_core::Result<AsyncRawResponse> {
        match meets {
            ScriptedResponse::Answer(status, headers, body) => Ok(answer(status, &headers, &body)),
            ScriptedResponse::Raw(status, headers, body) => {
                let (status, headers, _) = answer(status, &headers, &Value::Null).deconstruct();
                Ok(AsyncRawResponse::from_bytes(
                    status,
                    headers,
                    body.into_bytes(),
                ))
            }
            ScriptedResponse::Endless => {
                let pieces = Arc::clone(&self.pieces);
                let body = futures::stream::repeat_with(move || {
                    pieces.fetch_add(1, Ordering::Relaxed);
                    Ok(vec![b' '; 1 << 20].into())
                });
                Ok(AsyncRawResponse::new(
                    StatusCode::Ok,
                    Headers::new(),
                    Box::pin(body),
                ))
            }
            ScriptedResponse::Loss => Err(azure_core::Error::with_message(
                ErrorKind::Io,
                "connection reset",
            )),
            ScriptedResponse::Refused => Err(azure_core::Error::with_message(
                ErrorKind::Connection,
                "connection refused",
            )),
            ScriptedResponse::Hang => std::future::pending().await,
        }
    }
}
