//! Who may connect, what lies in the file system meanwhile, and how it ends.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use terraform_plugin::protocol::goplugin::Empty;
use terraform_plugin::protocol::goplugin::grpc_controller_client::GrpcControllerClient;
use terraform_plugin::protocol::goplugin::grpc_stdio_client::GrpcStdioClient;
use terraform_plugin::protocol::health::HealthCheckRequest;
use terraform_plugin::protocol::health::health_client::HealthClient;
use terraform_plugin::protocol::tfplugin6 as wire;
use terraform_plugin::protocol::tfplugin6::provider_client::ProviderClient;
use terraform_plugin::serve::PluginProcess;
use terraform_plugin::socket::Address;

use crate::client::{Identity, Running, plain_channel};
use crate::fake_provider::FakeProvider;

#[tokio::test]
async fn serve_holder_of_pinned_certificate_only() {
    let running = Running::start();
    let foreign = Identity::new();
    for stranger in [None, Some(&foreign)] {
        // In TLS 1.3 a client learns of its refusal only with the first answer.
        if let Ok(channel) = running.channel_as(stranger).await {
            let answer = ProviderClient::new(channel)
                .get_metadata(wire::get_metadata::Request {})
                .await;
            assert!(answer.is_err(), "a stranger was served");
        }
    }
    running
        .provider()
        .await
        .get_metadata(wire::get_metadata::Request {})
        .await
        .unwrap();
}

#[tokio::test]
async fn unfinished_handshake_does_not_block_others() {
    let running = Running::start();
    let _silent = tokio::net::UnixStream::connect(&running.path)
        .await
        .unwrap();
    let served = async {
        running
            .provider()
            .await
            .get_metadata(wire::get_metadata::Request {})
            .await
            .unwrap();
    };
    tokio::time::timeout(Duration::from_secs(5), served)
        .await
        .unwrap();
}

#[tokio::test]
async fn socket_is_private_and_removed_at_end() {
    let running = Running::start();
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let directory = running.path.parent().unwrap().to_owned();
    assert_eq!((mode(&running.path), mode(&directory)), (0o600, 0o700));

    let channel = running.channel().await;
    let health = HealthClient::new(channel.clone())
        .check(HealthCheckRequest {
            service: "plugin".to_owned(),
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(health.status, 1);
    let mut stdio = GrpcStdioClient::new(channel.clone())
        .stream_stdio(())
        .await
        .unwrap()
        .into_inner();
    let quiet = tokio::time::timeout(Duration::from_millis(100), stdio.message()).await;
    assert!(quiet.is_err(), "the stream of output stays open and silent");

    GrpcControllerClient::new(channel)
        .shutdown(Empty {})
        .await
        .unwrap();
    tokio::time::timeout(Duration::from_secs(1), running.done)
        .await
        .expect("open streams held it up")
        .unwrap();
    assert!(!directory.exists());
}

#[tokio::test]
async fn unused_session_leaves_no_files() {
    let directory = tempfile::tempdir().unwrap();
    drop(PluginProcess::debug(Arc::new(FakeProvider), &[directory.path().to_owned()]).unwrap());
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn debug_mode_uses_announced_plain_socket() {
    let directory = tempfile::tempdir().unwrap();
    let session =
        PluginProcess::debug(Arc::new(FakeProvider), &[directory.path().to_owned()]).unwrap();
    let reattach: serde_json::Value = serde_json::from_str(&session.handshake_line()).unwrap();
    let entry = &reattach["registry.terraform.io/example/fake"];
    assert_eq!(
        (&entry["Protocol"], &entry["ProtocolVersion"]),
        (&"grpc".into(), &6.into())
    );
    let path = std::path::PathBuf::from(entry["Addr"]["String"].as_str().unwrap());
    let stop = session.stop();
    let done = tokio::spawn(session.run());
    let mut client = ProviderClient::new(plain_channel(&path).await);
    client
        .get_metadata(wire::get_metadata::Request {})
        .await
        .unwrap();
    stop.end();
    tokio::time::timeout(Duration::from_secs(1), done)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(!path.exists());
}

#[tokio::test]
async fn socket_skips_directories_that_cannot_hold_it() {
    let folder = tempfile::tempdir().unwrap();
    let (long, split, good) = (
        folder.path().join("x".repeat(100)),
        folder.path().join("a|b"),
        folder.path().join("good"),
    );
    let file = folder.path().join("file");
    [&long, &split, &good]
        .into_iter()
        .for_each(|path| std::fs::create_dir(path).unwrap());
    std::fs::write(&file, "").unwrap();
    let missing = folder.path().join("missing");
    let running = Running::start_below(vec![
        missing.clone(),
        file,
        long.clone(),
        split.clone(),
        good.clone(),
    ]);
    assert!(running.path.starts_with(&good), "{:?}", running.address);
    running
        .provider()
        .await
        .get_metadata(wire::get_metadata::Request {})
        .await
        .unwrap();
    assert!(
        [&long, &split]
            .iter()
            .all(|path| std::fs::read_dir(path).unwrap().count() == 0),
        "something is left behind"
    );
    assert!(!missing.exists());
    assert!(
        PluginProcess::debug(Arc::new(FakeProvider), &[missing]).is_err(),
        "a port would serve any user"
    );
}

#[tokio::test]
async fn port_serves_pinned_client_without_usable_directory() {
    let running = Running::start_below(vec!["/nowhere".into()]);
    let Address::Tcp(address) = running.address else {
        panic!("{:?}", running.address)
    };
    assert!(address.ip().is_loopback());
    running
        .provider()
        .await
        .get_metadata(wire::get_metadata::Request {})
        .await
        .unwrap();
    let foreign = Identity::new();
    for stranger in [None, Some(&foreign)] {
        if let Ok(channel) = running.channel_as(stranger).await {
            let answer = ProviderClient::new(channel)
                .get_metadata(wire::get_metadata::Request {})
                .await;
            assert!(answer.is_err(), "a stranger was served");
        }
    }
}
