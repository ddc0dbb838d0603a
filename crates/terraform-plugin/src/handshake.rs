//! What the process was started for, read from its arguments and environment, and the line by which
//! it answers.
//!
//! Names and values are go-plugin's; the cookie is the one that Terraform and OpenTofu give to
//! providers.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rustls::pki_types::CertificateDer;
use serde_json::json;

use super::socket::Address;

/// Tells Terraform starting a provider from a person running a program.
const COOKIE: (&str, &str) = (
    "TF_PLUGIN_MAGIC_COOKIE",
    "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
);

/// The version of Terraform's protocol that is spoken here.
pub const PROTOCOL: u32 = 6;

/// What the process was started for.
#[derive(Debug, PartialEq, Eq)]
pub enum Invocation {
    /// To print the version.
    Version,
    /// Nothing: run by hand.
    Interactive,
    /// To serve a Terraform that is started later and gets the address of a socket below one of
    /// these directories.
    Debug(Vec<PathBuf>),
    /// To serve the Terraform that started it.
    Plugin(PluginLaunch),
}

/// What Terraform passes to a provider that it starts.
#[derive(Debug, PartialEq, Eq)]
pub struct PluginLaunch {
    /// The certificate of the only client there will be, in PEM.
    pub client_certificate: String,
    /// Where a socket may be, best first.
    pub socket_directories: Vec<PathBuf>,
}

/// Why a provider cannot be started as it was asked to.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LaunchError {
    /// The client speaks other versions only.
    #[error(
        "this provider speaks version 6 of Terraform's plugin protocol; the client offers {0:?}. Terraform 1.0 or newer is needed"
    )]
    Protocol(String),
    /// No client to authenticate.
    #[error(
        "PLUGIN_CLIENT_CERT is not set: a client without certificate is not served. To debug, start the provider with --debug"
    )]
    NoCertificate,
}

impl Invocation {
    /// Reads the arguments (without the program's name) and the environment.
    ///
    /// # Errors
    /// When it was started as a provider, but in a way that it cannot serve.
    pub fn read(
        mut arguments: impl Iterator<Item = String>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, LaunchError> {
        match arguments.next().as_deref() {
            Some("--version" | "-version" | "-V") => return Ok(Invocation::Version),
            Some("--debug" | "-debug") => {
                return Ok(Invocation::Debug(socket_directories(environment)));
            }
            _ => {}
        }
        if environment(COOKIE.0).as_deref() != Some(COOKIE.1) {
            return Ok(Invocation::Interactive);
        }
        let offered = environment("PLUGIN_PROTOCOL_VERSIONS").unwrap_or_default();
        if !offered
            .split(',')
            .any(|version| version.trim().parse() == Ok(PROTOCOL))
        {
            return Err(LaunchError::Protocol(offered));
        }
        let certificate =
            environment("PLUGIN_CLIENT_CERT").filter(|certificate| !certificate.is_empty());
        let client_certificate = certificate.ok_or(LaunchError::NoCertificate)?;
        Ok(Invocation::Plugin(PluginLaunch {
            client_certificate,
            socket_directories: socket_directories(environment),
        }))
    }
}

/// The directories that go-plugin and the system name for temporary files. The last ones are short:
/// a build machine's `TMPDIR` may be longer than a socket's path allows, or missing.
fn socket_directories(environment: impl Fn(&str) -> Option<String>) -> Vec<PathBuf> {
    let named = ["PLUGIN_UNIX_SOCKET_DIR", "TMPDIR", "XDG_RUNTIME_DIR"].map(environment);
    let named = named
        .into_iter()
        .flatten()
        .filter(|directory| !directory.is_empty());
    named
        .chain(["/tmp", "/var/tmp"].map(str::to_owned))
        .map(PathBuf::from)
        .collect()
}

/// The line that tells Terraform where to connect and which certificate to expect.
pub fn line(address: &Address, certificate: &CertificateDer<'_>) -> String {
    let (network, address) = address.parts();
    format!(
        "1|{PROTOCOL}|{network}|{address}|grpc|{}",
        STANDARD_NO_PAD.encode(certificate)
    )
}

/// The value of `TF_REATTACH_PROVIDERS` that leads Terraform to a provider already running at this
/// address.
pub fn reattach(provider: &str, address: &Address) -> String {
    let (network, address) = address.parts();
    let entry = json!({
        "Protocol": "grpc",
        "ProtocolVersion": PROTOCOL,
        "Pid": std::process::id(),
        "Test": true,
        "Addr": { "Network": network, "String": address },
    });
    json!({ provider: entry }).to_string()
}

/// What to say to a person who runs the program.
pub fn explanation(address: &str, version: &str) -> String {
    let name = address.rsplit('/').next().unwrap_or(address);
    format!(
        r#"This is version {version} of the {name} provider for Terraform and OpenTofu.
It is started by them and does nothing by itself. To use it, write

  terraform {{
    required_providers {{
      {name} = {{
        source = "{address}"
      }}
    }}
  }}

and run "terraform init". The arguments for people are --version, and --debug, which waits for a Terraform that is
started by hand.
"#
    )
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]
    use super::*;

    fn purpose(
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<Invocation, LaunchError> {
        let find = |name: &str| {
            environment
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, value)| (*value).to_owned())
        };
        Invocation::read(arguments.iter().map(|a| (*a).to_owned()), find)
    }

    #[test]
    fn missing_cookie_means_manual_start() {
        assert_eq!(purpose(&[], &[]), Ok(Invocation::Interactive));
        assert_eq!(
            purpose(
                &[],
                &[(COOKIE.0, "other"), ("PLUGIN_PROTOCOL_VERSIONS", "6")]
            ),
            Ok(Invocation::Interactive)
        );
        assert_eq!(purpose(&["--version"], &[]), Ok(Invocation::Version));
        let text = explanation("registry.terraform.io/example/fake", "1.2.3");
        assert!(
            text.contains("1.2.3")
                && text.contains(r#"source = "registry.terraform.io/example/fake""#),
            "{text}"
        );
    }

    #[test]
    fn accept_protocol_6_with_certificate() {
        let launch = |versions, certificate| {
            let directory = ("PLUGIN_UNIX_SOCKET_DIR", "/run/d");
            purpose(
                &[],
                &[
                    COOKIE,
                    ("PLUGIN_PROTOCOL_VERSIONS", versions),
                    ("PLUGIN_CLIENT_CERT", certificate),
                    directory,
                ],
            )
        };
        let socket_directories = ["/run/d", "/tmp", "/var/tmp"].map(PathBuf::from).to_vec();
        let served = PluginLaunch {
            client_certificate: "PEM".to_owned(),
            socket_directories,
        };
        assert_eq!(launch("5,6", "PEM"), Ok(Invocation::Plugin(served)));
        assert_eq!(
            launch("4,5", "PEM"),
            Err(LaunchError::Protocol("4,5".to_owned()))
        );
        assert_eq!(launch("6", ""), Err(LaunchError::NoCertificate));
    }
}
