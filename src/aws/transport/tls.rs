//! Whom TLS connections to AWS trust: the system's authorities and those of the user's own bundles.

use crate::aws::credentials::Settings;
use crate::aws::error::Error;
use aws_smithy_http_client::{Builder, Connector, proxy::ProxyConfig, tls};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use base64::Engine;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::path::Path;

/// Where Linux systems keep their authorities one by one: read in addition to `SSL_CERT_FILE`,
/// which thereby adds and does not replace.
const FOLDERS: [&str; 2] = ["/etc/ssl/certs", "/etc/pki/tls/certs"];

/// An HTTPS client that trusts the system's authorities and those of `custom_ca_bundle`,
/// `AWS_CA_BUNDLE` and `SSL_CERT_FILE`, and goes through the proxy that `HTTPS_PROXY` and
/// `NO_PROXY` name.
///
/// # Errors
/// `Settings` for a bundle that cannot be read or is none, with the attribute or variable that
/// names it.
pub(in crate::aws) fn https(settings: &Settings) -> Result<SharedHttpClient, Error> {
    let mut store = tls::TrustStore::empty();
    for certificate in native_roots() {
        store.add_pem_certificate(pem(&certificate));
    }
    let bundle = match &settings.custom_ca_bundle {
        Some(path) => Some(("aws.custom_ca_bundle", path.clone())),
        None => std::env::var("AWS_CA_BUNDLE")
            .ok()
            .filter(|path| !path.is_empty())
            .map(|path| ("AWS_CA_BUNDLE", path)),
    };
    if let Some((source, path)) = bundle {
        let pem = std::fs::read(&path).map_err(|error| {
            Error::Settings(format!(
                "{source}: cannot read the certificates in {path}: {error}"
            ))
        })?;
        check(&pem).map_err(|fault| Error::Settings(format!("{source}: {path}: {fault}")))?;
        store.add_pem_certificate(pem);
    }
    let context = tls::TlsContext::builder()
        .with_trust_store(store)
        .build()
        .map_err(|error| {
            Error::Settings(format!(
                "the certificate authorities cannot be used: {error}"
            ))
        })?;
    Ok(
        Builder::new().build_with_connector_fn(move |settings, components| {
            let mut connector = Connector::builder().proxy_config(ProxyConfig::from_env());
            connector.set_connector_settings(settings.cloned());
            if let Some(components) = components {
                connector.set_sleep_impl(components.sleep_impl());
            }
            connector
                .tls_provider(tls::Provider::Rustls(
                    tls::rustls_provider::CryptoMode::AwsLc,
                ))
                .tls_context(context.clone())
                .build()
        }),
    )
}

/// The system's authorities as far as rustls takes them: a bundle of hundreds may hold a few
/// oddities.
fn native_roots() -> Vec<CertificateDer<'static>> {
    let mut found = rustls_native_certs::load_native_certs().certs;
    if std::env::var_os("SSL_CERT_FILE").is_some() && std::env::var_os("SSL_CERT_DIR").is_none() {
        for folder in FOLDERS
            .map(Path::new)
            .into_iter()
            .filter(|folder| folder.is_dir())
        {
            found.extend(rustls_native_certs::load_certs_from_paths(None, Some(folder)).certs);
        }
    }
    found.sort_unstable_by(|a, b| a.as_ref().cmp(b.as_ref()));
    found.dedup();
    let mut roots = rustls::RootCertStore::empty();
    found.retain(|certificate| roots.add(certificate.clone()).is_ok());
    found
}

fn pem(certificate: &CertificateDer<'_>) -> String {
    let body = base64::engine::general_purpose::STANDARD.encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
}

/// Every certificate must be one that rustls takes, and there must be one: the SDK panics on
/// anything else.
fn check(pem: &[u8]) -> Result<(), String> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| format!("not PEM: {error}"))?;
        roots
            .add(certificate)
            .map_err(|error| format!("not a usable certificate: {error}"))?;
    }
    if roots.is_empty() {
        Err("no certificate in it".to_owned())
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn reject_invalid_ca_bundle_naming_attribute() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, "not a certificate").unwrap();
        let settings = Settings {
            custom_ca_bundle: Some(path.to_string_lossy().into_owned()),
            ..Settings::default()
        };
        let refused = https(&settings).unwrap_err().to_string();
        assert!(
            refused.starts_with("aws.custom_ca_bundle") && refused.contains("no certificate"),
            "{refused}"
        );
    }

    #[test]
    fn pass_ca_certificate_unchanged() {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(Vec::new())
            .unwrap()
            .self_signed(&key)
            .unwrap();
        assert_eq!(check(pem(certificate.der()).as_bytes()), Ok(()));
    }
}
