//! Every method asks for a token, and asks again for the next one. The endpoints are in this
//! process; their tokens expire within a minute.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
use super::*;
use crate::azure::cloud::{CloudSource, source};
use crate::azure::credentials::certificate::tests::archive;
use crate::azure::credentials::{CredentialSettings, select_method};
use azure_core::http::headers::{HeaderName, Headers};
use azure_core::http::{AsyncRawResponse, Body, Request, StatusCode};
use serde_json::json;
use std::sync::Mutex;

#[derive(Debug, Default)]
struct Endpoints {
    /// Method, URL, the header that proves the caller, and the body.
    seen: Mutex<Vec<(String, String, String, String)>>,
}

#[async_trait::async_trait]
impl HttpClient for Endpoints {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let Body::Bytes(body) = request.body() else {
            panic!("a streamed body")
        };
        let header = |name| {
            request
                .headers()
                .get_optional_string(&HeaderName::from_static(name))
        };
        let proof = header("authorization").or_else(|| header("metadata"));
        let seen = (
            request.method().to_string(),
            request.url().to_string(),
            proof.unwrap_or_default(),
            String::from_utf8(body.to_vec()).unwrap(),
        );
        let number = {
            let mut all = self.seen.lock().unwrap();
            all.push(seen);
            all.len()
        };
        let soon = azure_core::time::OffsetDateTime::now_utc().unix_timestamp() + 60;
        let answer = match request.url().host_str().unwrap() {
            "github.example" => json!({"value": format!("assertion{number}")}),
            "pipelines.example" => json!({"oidcToken": format!("assertion{number}")}),
            _ => {
                json!({"access_token": format!("token{number}"), "token_type": "Bearer", "expires_in": 60,
                "expires_on": soon.to_string(), "not_before": "0", "resource": "r"})
            }
        };
        Ok(AsyncRawResponse::from_bytes(
            StatusCode::Ok,
            Headers::new(),
            answer.to_string().into_bytes(),
        ))
    }
}

/// Two tokens with these variables, and what was asked for them.
async fn asked(variables: &[(&str, &str)]) -> Vec<(String, String, String, String)> {
    let principal = [("ARM_TENANT_ID", "tenant"), ("ARM_CLIENT_ID", "client")];
    let settings = CredentialSettings::from_env(&|name| {
        let found = variables
            .iter()
            .chain(&principal)
            .find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    });
    let CloudSource::Known(cloud) = source(None, None).unwrap() else {
        panic!("the public cloud is known")
    };
    let endpoints = Arc::new(Endpoints::default());
    let method = select_method(&settings).unwrap();
    let login = credential(&method, &cloud, endpoints.clone())
        .await
        .unwrap();
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let token = login.get_token(&[&cloud.scope], None).await.unwrap();
        tokens.push(token.token.secret().to_owned());
    }
    assert_ne!(tokens[0], tokens[1], "the second token is a new one");
    endpoints.seen.lock().unwrap().clone()
}

const LOGIN: &str = "https://login.microsoftonline.com/tenant/oauth2/v2.0/token";

#[tokio::test]
async fn request_new_token_with_client_secret() {
    let seen = asked(&[("ARM_CLIENT_SECRET", "geheim")]).await;
    assert_eq!(seen.len(), 2);
    for (method, url, _, body) in seen {
        assert_eq!((method.as_str(), url.as_str()), ("POST", LOGIN));
        assert!(body.contains("client_secret=geheim"), "{body}");
    }
}

#[tokio::test]
async fn sign_new_assertion_with_client_certificate() {
    let pfx = STANDARD.encode(archive("pw").0);
    let seen = asked(&[
        ("ARM_CLIENT_CERTIFICATE", &pfx),
        ("ARM_CLIENT_CERTIFICATE_PASSWORD", "pw"),
    ])
    .await;
    assert_eq!(seen.len(), 2);
    assert!(seen[0].3.contains("client_assertion="), "{}", seen[0].3);
    assert_ne!(seen[0].3, seen[1].3);
}

#[tokio::test]
async fn repeat_given_oidc_token() {
    let seen = asked(&[("ARM_USE_OIDC", "true"), ("ARM_OIDC_TOKEN", "jwt")]).await;
    assert!(seen.iter().all(|it| it.3.contains("client_assertion=jwt")));
}

#[tokio::test]
async fn read_token_file_for_each_token() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "jwt-of-file\n").unwrap();
    let path = file.path().to_str().unwrap();
    let given = [
        [("ARM_USE_OIDC", "true"), ("ARM_OIDC_TOKEN_FILE_PATH", path)],
        [
            ("ARM_USE_AKS_WORKLOAD_IDENTITY", "true"),
            ("AZURE_FEDERATED_TOKEN_FILE", path),
        ],
    ];
    for variables in given {
        let seen = asked(&variables).await;
        let sent = "client_assertion=jwt-of-file";
        assert!(seen.iter().all(|it| it.3.contains(sent)), "{seen:?}");
    }
}

#[tokio::test]
async fn request_github_assertion_for_each_token() {
    let seen = asked(&[
        ("ARM_USE_OIDC", "true"),
        (
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            "https://github.example/t?a=1",
        ),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "bearer"),
    ])
    .await;
    assert_eq!(seen.len(), 4);
    let url = "https://github.example/t?a=1&audience=api%3A%2F%2FAzureADTokenExchange";
    assert_eq!((seen[0].0.as_str(), seen[0].1.as_str()), ("GET", url));
    assert_eq!(seen[0].2, "Bearer bearer");
    assert!(seen[1].3.contains("client_assertion=assertion1"));
    assert!(seen[3].3.contains("client_assertion=assertion3"));
}

#[tokio::test]
async fn request_pipelines_assertion_for_each_token() {
    let seen = asked(&[
        ("ARM_USE_OIDC", "true"),
        ("ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID", "sc-1"),
        ("SYSTEM_OIDCREQUESTURI", "https://pipelines.example/t"),
        ("SYSTEM_ACCESSTOKEN", "bearer"),
    ])
    .await;
    assert_eq!(seen.len(), 4);
    let url = "https://pipelines.example/t?api-version=7.1&serviceConnectionId=sc-1";
    assert_eq!((seen[0].0.as_str(), seen[0].1.as_str()), ("POST", url));
    assert!(seen[3].3.contains("client_assertion=assertion3"));
}

#[tokio::test]
async fn request_managed_identity_for_each_token() {
    let metadata = asked(&[("ARM_USE_MSI", "true")]).await;
    assert_eq!(metadata.len(), 2);
    let url = &metadata[0].1;
    assert!(
        url.starts_with("http://169.254.169.254/metadata/identity/oauth2/token?"),
        "{url}"
    );
    let own = [
        ("ARM_USE_MSI", "true"),
        ("ARM_MSI_ENDPOINT", "http://localhost:42356/msi/token"),
    ];
    let version = [&own[..], &[("ARM_MSI_API_VERSION", "2019-08-01")]].concat();
    for (variables, expected) in [(&own[..], "2018-02-01"), (&version, "2019-08-01")] {
        let seen = asked(variables).await;
        let url = format!(
            "http://localhost:42356/msi/token?api-version={expected}&resource=https%3A%2F%2Fmanagement.azure.com&client_id=client"
        );
        assert_eq!(
            (seen[1].1.as_str(), seen[1].2.as_str()),
            (url.as_str(), "true")
        );
    }
}
