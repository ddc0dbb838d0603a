//! The HTTP client of everything that goes to Azure: resource manager, token endpoints, metadata.

use crate::client::response::untrusted;
use azure_core::Error;
use azure_core::error::ErrorKind;
use azure_core::http::{AsyncRawResponse, HttpClient, Request};
use std::error::Error as _;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::OnceCell;

/// Until a connection stands.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// A TLS client over the system's trusted roots and extra ones. It is made at its first request:
/// reading roots takes longer than a plan that needs no cloud.
///
/// `SSL_CERT_FILE` stands in for the system's roots, as it does elsewhere.
#[derive(Debug)]
pub struct Http {
    extra_roots: Vec<PathBuf>,
    client: OnceCell<reqwest::Client>,
}

impl Http {
    /// `extra_roots` are files of PEM certificates that are trusted too; none is read now.
    pub fn new(extra_roots: Vec<PathBuf>) -> Self {
        Http {
            extra_roots,
            client: OnceCell::new(),
        }
    }

    async fn client(&self) -> azure_core::Result<&reqwest::Client> {
        let files = self.extra_roots.clone();
        self.client
            .get_or_try_init(|| async {
                tokio::task::spawn_blocking(move || build(&files))
                    .await
                    .map_err(|error| Error::with_message(ErrorKind::Other, error.to_string()))?
            })
            .await
    }
}

fn build(files: &[PathBuf]) -> azure_core::Result<reqwest::Client> {
    let mut roots = Vec::new();
    for file in files {
        let fault = |reason: String| {
            Error::with_message(
                ErrorKind::Other,
                format!(
                    "cannot use the certificates in {}: {reason}",
                    file.display()
                ),
            )
        };
        let pem = std::fs::read(file).map_err(|error| fault(error.to_string()))?;
        roots.extend(
            reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| fault(chain(&error)))?,
        );
    }
    // Fails only where a provider is installed already, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder()
        .tls_certs_merge(roots)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| {
            Error::with_message(
                ErrorKind::Other,
                format!("cannot start TLS: {}", chain(&error)),
            )
        })
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[async_trait::async_trait]
impl HttpClient for Http {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let answer = self.client().await?.execute_request(request).await;
        let host = request.url().host_str().unwrap_or_default();
        // The address is left out of errors: an operation's may carry a signature.
        answer.map_err(|error| {
            let kind = error.kind().clone();
            match error.into_downcast::<reqwest::Error>() {
                Ok(inner) => match untrusted(host, &inner) {
                    Some(fault) => Error::new(ErrorKind::Other, fault),
                    None => Error::with_message(kind, chain(&inner.without_url())),
                },
                Err(error) => error,
            }
        })
    }
}

/// The message of an SDK error with its causes.
pub(in crate::azure) fn describe(error: &Error) -> String {
    match error.source() {
        Some(cause) if !error.to_string().contains(&cause.to_string()) => {
            format!("{error}: {}", chain(cause))
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::client::response::{ResponseError, find, self_signed_server};
    use azure_core::http::{Method, Url};

    #[tokio::test]
    async fn name_host_and_variables_of_untrusted_certificate() {
        let port = self_signed_server().await;
        let request = Request::new(
            Url::parse(&format!("https://localhost:{port}/")).unwrap(),
            Method::Get,
        );
        let error = Http::new(Vec::new())
            .execute_request(&request)
            .await
            .unwrap_err();
        let fault = find::<ResponseError>(&error).unwrap().to_string();
        for part in ["localhost", "AWS_CA_BUNDLE", "SSL_CERT_FILE"] {
            assert!(fault.contains(part), "{fault}");
        }
        assert!(
            matches!(error.kind(), ErrorKind::Other),
            "the SDK does not repeat it"
        );
    }
}
