//! One HTTP exchange as plain data, so that the same World answers a TLS socket and a test in
//! memory.

use serde::{Deserialize, Serialize};

/// A request as it reached the sandbox. Header names are lower case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub method: String,
    /// Scheme and authority that the client used, without a trailing slash: absolute links in
    /// answers start with it.
    pub base_url: String,
    /// Percent-encoded path, starting with `/`.
    pub path: String,
    /// Query without the `?`, still encoded; empty when there is none.
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// The first header of that (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }
}

/// What the sandbox answers. `Content-Length` is added by the transport.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn new(status: u16) -> Self {
        Response {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    #[must_use]
    pub fn with_body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.with_header("Content-Type", content_type)
    }
}

/// How an exchange ends for the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Response(Response),
    /// The connection is closed without an answer.
    Dropped,
    /// No answer ever comes: the transport keeps the connection open until the client gives up.
    Hang,
}
