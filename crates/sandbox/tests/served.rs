//! The binary's promises over real TLS: what is printed, what is written, what a client sees.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use awsazure_sandbox::azure::AzureCloud;
use awsazure_sandbox::control;
use awsazure_sandbox::data_dir::{DataDir, DataDirError};
use awsazure_sandbox::server::{Options, ServeError, Server};
use awsazure_sandbox::tls;
use rustls::pki_types::ServerName;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;

struct Running {
    address: std::net::SocketAddr,
    directory: DataDir,
    stop: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<()>,
}

fn options(listen: &str) -> Options {
    Options {
        listen: listen.parse().unwrap(),
        allow_remote: false,
        time_scale: 1_000,
        seed: Some(7),
        varied_answers: false,
        azure_cloud: AzureCloud::Public,
        aws_policy: None,
        azure_role: None,
    }
}

async fn start(path: &Path) -> Running {
    let directory = DataDir::open(path).unwrap();
    let server = Server::bind(directory.clone(), &options("127.0.0.1:0"))
        .await
        .unwrap();
    let address = server.url().trim_start_matches("https://").parse().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let ended = tokio::spawn(async move {
        server.run(async { drop(stopped.await) }).await.unwrap();
    });
    Running {
        address,
        directory,
        stop,
        ended,
    }
}

impl Running {
    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.ended.await.unwrap();
    }

    /// One HTTP/1.1 exchange; what arrived until the connection ended.
    async fn exchange(&self, request: &str) -> String {
        let trusted = std::fs::read_to_string(self.directory.file("ca.pem")).unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(tls::client(&trusted).unwrap()));
        let socket = tokio::net::TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::IpAddress(self.address.ip().into());
        let mut stream = connector.connect(name, socket).await.unwrap();
        stream
            .write_all(
                request
                    .replace("HOST", &self.address.to_string())
                    .as_bytes(),
            )
            .await
            .unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n")
}

fn scratch(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("awsazure-sandbox-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    path
}

#[tokio::test]
async fn serve_client_that_trusts_ca_and_log_call() {
    let path = scratch("served");
    let running = start(&path).await;
    let answer = running
        .exchange(&get("/metadata/endpoints?api-version=2022-09-01"))
        .await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains(&format!(
        "\"loginEndpoint\":\"https://{}\"",
        running.address
    )));
    let two = format!(
        "{}{}",
        get("/metadata/endpoints").replace("close", "keep-alive"),
        get("/nowhere")
    );
    let answer = running.exchange(&two).await;
    assert_eq!(
        answer.matches("HTTP/1.1 ").count(),
        2,
        "one connection, two answers: {answer}"
    );
    let calls = std::fs::read_to_string(path.join("calls.jsonl")).unwrap();
    let first: serde_json::Value = serde_json::from_str(calls.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["n"], &first["operation"], &first["status"]),
        (&1.into(), &"GetMetadataEndpoints".into(), &200.into())
    );
    let report = control::call(&running.directory, "GET", "violations", "")
        .await
        .unwrap();
    assert!(
        report.starts_with("requests 3\nanswers 2\noperations 1\nviolations 1\n"),
        "{report}"
    );
    let violations = std::fs::read_to_string(path.join("violations.txt")).unwrap();
    assert_eq!(violations, "Unknown: neither cloud has GET /nowhere\n");
    let env = std::fs::read_to_string(path.join("env")).unwrap();
    for line in [
        format!("export ARM_METADATA_HOSTNAME='{}'", running.address),
        format!("export AWS_ENDPOINT_URL='https://{}'", running.address),
        format!(
            "export SSL_CERT_FILE='{}'",
            running.directory.file("ca.pem").display()
        ),
    ] {
        assert!(env.contains(&line), "{line} is not in {env}");
    }
    running.stop().await;
    std::fs::remove_dir_all(path).unwrap();
}

/// A running sandbox accepts fault rules; a restart keeps its world and its certificate authority.
#[tokio::test]
async fn restart_keeps_world_and_authority() {
    let path = scratch("restart");
    let running = start(&path).await;
    let authority = std::fs::read_to_string(path.join("ca.pem")).unwrap();
    let rule = "fail call 1 of GetMetadataEndpoints: forever dropped";
    control::call(&running.directory, "POST", "faults", rule)
        .await
        .unwrap();
    assert!(
        control::call(&running.directory, "POST", "faults", "fail everything")
            .await
            .is_err()
    );
    assert_eq!(running.exchange(&get("/metadata/endpoints")).await, "");
    assert_eq!(
        control::call(&running.directory, "GET", "faults", "")
            .await
            .unwrap(),
        format!("1\t{rule}\n")
    );
    assert!(
        running
            .exchange(&get("/_sandbox/world"))
            .await
            .starts_with("HTTP/1.1 403")
    );
    let directory = running.directory.clone();
    running.stop().await;
    assert!(
        control::call(&directory, "GET", "faults", "")
            .await
            .is_err()
    );
    let kept = directory.world().unwrap().unwrap().now();

    let again = start(&path).await;
    assert_eq!(
        std::fs::read_to_string(path.join("ca.pem")).unwrap(),
        authority
    );
    assert!(directory.world().unwrap().unwrap().now() >= kept);
    control::call(&again.directory, "DELETE", "faults", "")
        .await
        .unwrap();
    control::call(
        &again.directory,
        "POST",
        "faults",
        "fail call 1 of *: once truncated",
    )
    .await
    .unwrap();
    let cut = again
        .exchange(&get("/metadata/endpoints?api-version=2022-09-01"))
        .await;
    let (head, body) = cut.split_once("\r\n\r\n").unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .unwrap();
    assert!(
        body.len() < length.parse().unwrap() && !body.is_empty(),
        "{cut}"
    );
    let objects = control::call(&again.directory, "GET", "world", "")
        .await
        .unwrap();
    assert_eq!(objects, r#"{"aws":[],"azure":[]}"#);
    again.stop().await;
    std::fs::remove_dir_all(path).unwrap();
}

#[tokio::test]
async fn reject_second_server_on_directory() {
    let path = scratch("locked");
    let running = start(&path).await;
    let before = std::fs::read_to_string(path.join("control.json")).unwrap();
    let directory = DataDir::open(&path).unwrap();
    let second = Server::bind(directory.clone(), &options("127.0.0.1:0"))
        .await
        .err()
        .expect("two sandboxes in one directory");
    assert!(
        matches!(second, ServeError::DataDir(DataDirError::InUse(_))),
        "{second}"
    );
    assert_eq!(
        std::fs::read_to_string(path.join("control.json")).unwrap(),
        before,
        "the first cannot be reached any more"
    );
    running.stop().await;
    start(&path).await.stop().await;
    std::fs::remove_dir_all(path).unwrap();
}

#[tokio::test]
async fn remote_address_requires_flag() {
    let path = scratch("remote");
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let refused = Server::bind(DataDir::open(&path).unwrap(), &options(listen))
            .await
            .err()
            .unwrap();
        assert!(matches!(refused, ServeError::Remote(_)), "{refused}");
    }
    let allowed = Options {
        allow_remote: true,
        ..options("0.0.0.0:0")
    };
    assert!(
        Server::bind(DataDir::open(&path).unwrap(), &allowed)
            .await
            .is_ok()
    );
    std::fs::remove_dir_all(path).unwrap();
}

#[tokio::test]
async fn reject_body_over_16_mib_unread() {
    let path = scratch("large");
    let running = start(&path).await;
    let post = |rest: &str| format!("POST / HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n{rest}");
    // Announced and never sent: the answer comes all the same.
    let announced = running
        .exchange(&post(&format!(
            "Content-Length: {}\r\n\r\n",
            (16 << 20) + 1
        )))
        .await;
    assert!(announced.starts_with("HTTP/1.1 413"), "{announced}");
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, "a".repeat(1 << 20));
    let streamed = running
        .exchange(&post(&format!(
            "Transfer-Encoding: chunked\r\n\r\n{}",
            chunk.repeat(17)
        )))
        .await;
    assert!(streamed.starts_with("HTTP/1.1 413"), "{streamed}");
    let fits = running
        .exchange(&post(&format!(
            "Content-Length: {}\r\n\r\n{}",
            1 << 20,
            "a".repeat(1 << 20)
        )))
        .await;
    assert!(!fits.starts_with("HTTP/1.1 413"), "{fits}");
    running.stop().await;
    std::fs::remove_dir_all(path).unwrap();
}
