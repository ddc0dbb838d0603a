//! A client that starts a session and connects to it as go-plugin does: TLS with a self-signed
//! P-521 certificate.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use terraform_plugin::handshake::PluginLaunch;
use terraform_plugin::msgpack;
use terraform_plugin::protocol::tfplugin6 as wire;
use terraform_plugin::protocol::tfplugin6::provider_client::ProviderClient;
use terraform_plugin::serve::PluginProcess;
use terraform_plugin::socket::{Address, Stream};
use terraform_plugin::{Type, Value};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};

use crate::fake_provider::{FakeProvider, thing_type};

/// A certificate and its key, made as go-plugin makes them.
pub struct Identity {
    certificate: rcgen::Certificate,
    key: rcgen::KeyPair,
}

impl Identity {
    pub fn new() -> Self {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).unwrap();
        let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        Self {
            certificate: params.self_signed(&key).unwrap(),
            key,
        }
    }
}

/// A running session and its socket directory.
pub struct Running {
    pub identity: Identity,
    /// Of a unix socket; else empty.
    pub path: PathBuf,
    pub address: Address,
    pub server: CertificateDer<'static>,
    pub done: JoinHandle<()>,
    _directory: Option<tempfile::TempDir>,
}

impl Running {
    pub fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let running = Self::start_below(vec![directory.path().to_owned()]);
        Self {
            _directory: Some(directory),
            ..running
        }
    }

    /// Starts it with these directories for its socket.
    pub fn start_below(socket_directories: Vec<PathBuf>) -> Self {
        let identity = Identity::new();
        let launch = PluginLaunch {
            client_certificate: identity.certificate.pem(),
            socket_directories,
        };
        let session = PluginProcess::plugin(Arc::new(FakeProvider), &launch).unwrap();
        let (address, server) = handshake(&session.handshake_line());
        let path = match &address {
            Address::Unix(path) => PathBuf::from(path),
            Address::Tcp(_) => PathBuf::new(),
        };
        let done = tokio::spawn(async move { session.run().await.unwrap() });
        Self {
            identity,
            path,
            address,
            server,
            done,
            _directory: None,
        }
    }

    /// Connects as the client that launched it.
    pub async fn channel(&self) -> Channel {
        self.channel_as(Some(&self.identity)).await.unwrap()
    }

    pub async fn provider(&self) -> ProviderClient<Channel> {
        let largest = 256 << 20;
        ProviderClient::new(self.channel().await)
            .max_decoding_message_size(largest)
            .max_encoding_message_size(largest)
    }

    /// Connects with or without a certificate.
    pub async fn channel_as(
        &self,
        identity: Option<&Identity>,
    ) -> Result<Channel, tonic::transport::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(self.server.clone()).unwrap();
        let crypto = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(crypto)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match identity {
            None => config.with_no_client_auth(),
            Some(identity) => config
                .with_client_auth_cert(
                    vec![identity.certificate.der().clone()],
                    PrivatePkcs8KeyDer::from(identity.key.serialize_der()).into(),
                )
                .unwrap(),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        let (connector, address) = (TlsConnector::from(Arc::new(config)), self.address.clone());
        let connect = tower::service_fn(move |_| {
            let (connector, address) = (connector.clone(), address.clone());
            async move {
                let stream = match address {
                    Address::Unix(path) => Stream::Unix(UnixStream::connect(path).await?),
                    Address::Tcp(address) => Stream::Tcp(TcpStream::connect(address).await?),
                };
                let name = ServerName::try_from("localhost").unwrap();
                Ok::<_, std::io::Error>(TokioIo::new(connector.connect(name, stream).await?))
            }
        });
        Endpoint::from_static("http://localhost")
            .connect_with_connector(connect)
            .await
    }
}

/// Address and certificate in a handshake line.
pub fn handshake(line: &str) -> (Address, CertificateDer<'static>) {
    let parts: Vec<&str> = line.trim().split('|').collect();
    assert_eq!(
        (parts.len(), parts[0], parts[1], parts[4]),
        (6, "1", "6", "grpc"),
        "{line}"
    );
    let address = match parts[2] {
        "unix" => Address::Unix(parts[3].to_owned()),
        "tcp" => Address::Tcp(parts[3].parse().unwrap()),
        other => panic!("network {other}"),
    };
    (
        address,
        CertificateDer::from(STANDARD_NO_PAD.decode(parts[5]).unwrap()),
    )
}

/// Connects without TLS.
pub async fn plain_channel(path: &Path) -> Channel {
    let path = path.to_owned();
    let connect = tower::service_fn(move |_| {
        let path = path.clone();
        async move { Ok::<_, std::io::Error>(TokioIo::new(UnixStream::connect(path).await?)) }
    });
    Endpoint::from_static("http://localhost")
        .connect_with_connector(connect)
        .await
        .unwrap()
}

pub fn dynamic(ty: &Type, value: &Value) -> Option<wire::DynamicValue> {
    Some(wire::DynamicValue {
        msgpack: msgpack::encode(ty, value).unwrap(),
        json: Vec::new(),
    })
}

pub fn thing(value: &Value) -> Option<wire::DynamicValue> {
    dynamic(&thing_type(), value)
}

pub fn read_thing(value: Option<wire::DynamicValue>) -> Value {
    msgpack::decode(&thing_type(), &value.unwrap().msgpack).unwrap()
}

pub fn summaries(diagnostics: &[wire::Diagnostic]) -> Vec<&str> {
    diagnostics
        .iter()
        .map(|diagnostic| diagnostic.summary.as_str())
        .collect()
}

/// The path of a diagnostic, in dots.
pub fn place(diagnostic: &wire::Diagnostic) -> String {
    use wire::attribute_path::step::Selector;
    let steps = diagnostic.attribute.iter().flat_map(|path| &path.steps);
    let names = steps.map(|step| match step.selector.clone().unwrap() {
        Selector::AttributeName(name) | Selector::ElementKeyString(name) => name,
        Selector::ElementKeyInt(index) => index.to_string(),
    });
    names.collect::<Vec<_>>().join(".")
}
