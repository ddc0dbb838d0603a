//! The real provider process, started as Terraform starts it: cookie, a client certificate of
//! go-plugin's kind, a unix socket, mutual TLS.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use terraform_plugin::protocol::tfplugin6 as wire;
use terraform_plugin::protocol::tfplugin6::provider_client::ProviderClient;
use terraform_plugin::{Type, Value, msgpack};
use tokio::net::UnixStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};

const COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";

pub type Client = ProviderClient<Channel>;

/// A running provider; killed with the value that stands for it.
pub struct ProviderProcess {
    child: Child,
    log: PathBuf,
    channel: Channel,
}

impl ProviderProcess {
    /// Starts it with this environment in addition to that of Terraform, and a folder for socket
    /// and log.
    pub async fn start(
        program: &Path,
        environment: &BTreeMap<String, String>,
        folder: &Path,
    ) -> Self {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).unwrap();
        let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        let log = folder.join("provider.log");
        let mut child = Command::new(program)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", folder)
            .envs(environment)
            .env("TF_PLUGIN_MAGIC_COOKIE", COOKIE)
            .env("PLUGIN_PROTOCOL_VERSIONS", "5,6")
            .env("PLUGIN_CLIENT_CERT", certificate.pem())
            .env("PLUGIN_UNIX_SOCKET_DIR", folder)
            .env("TF_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let parts: Vec<&str> = line.trim().split('|').collect();
        assert_eq!(
            parts.len(),
            6,
            "{line:?}\n{}",
            fs::read_to_string(&log).unwrap()
        );
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from(
                STANDARD_NO_PAD.decode(parts[5]).unwrap(),
            ))
            .unwrap();
        let crypto = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(crypto)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(
                vec![certificate.der().clone()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let (connector, path) = (
            TlsConnector::from(Arc::new(config)),
            PathBuf::from(parts[3]),
        );
        let connect = tower::service_fn(move |_| {
            let (connector, path) = (connector.clone(), path.clone());
            async move {
                let stream = UnixStream::connect(path).await?;
                let name = ServerName::try_from("localhost").unwrap();
                Ok::<_, std::io::Error>(TokioIo::new(connector.connect(name, stream).await?))
            }
        });
        let channel = Endpoint::from_static("http://localhost")
            .connect_with_connector(connect)
            .await
            .unwrap();
        ProviderProcess {
            child,
            log,
            channel,
        }
    }

    pub fn client(&self) -> Client {
        let largest = 256 << 20;
        ProviderClient::new(self.channel.clone())
            .max_decoding_message_size(largest)
            .max_encoding_message_size(largest)
    }

    pub async fn configure(&self) {
        configure(self.client()).await;
    }

    /// All that it logged, warnings and worse.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for ProviderProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Hands a provider the block, empty: all comes from the environment. A run of Terraform begins
/// with this.
pub async fn configure(mut client: Client) {
    let ty = terraform_plugin::Provider::schema(&awsazure::provider::assemble()).type_();
    let request = wire::configure_provider::Request {
        terraform_version: "1.11.4".into(),
        config: dynamic(&ty, &Value::Object(BTreeMap::new())),
        client_capabilities: None,
    };
    let response = client
        .configure_provider(request)
        .await
        .unwrap()
        .into_inner();
    assert!(
        response.diagnostics.is_empty(),
        "{:?}",
        response.diagnostics
    );
}

pub fn dynamic(ty: &Type, value: &Value) -> Option<wire::DynamicValue> {
    Some(wire::DynamicValue {
        msgpack: msgpack::encode(ty, value).unwrap(),
        json: Vec::new(),
    })
}
