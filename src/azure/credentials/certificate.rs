//! A client certificate as an assertion: a JWT signed with the key of a PKCS#12 archive, without
//! OpenSSL.

use super::select::CredentialError;
use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use azure_core::Error;
use azure_core::error::ErrorKind;
use azure_core::http::ClientMethodOptions;
use azure_identity::ClientAssertion;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use serde_json::json;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// Lifetime of a signed assertion in seconds; Entra ID takes up to a day.
const LIFETIME: u64 = 600;

/// Signs a fresh assertion each time it is asked.
pub(super) struct CertificateAssertion {
    client_id: String,
    /// The token endpoint: the assertion is good for it alone.
    audience: String,
    /// DER, the leaf first.
    chain: Vec<Vec<u8>>,
    key: RsaKeyPair,
}

impl fmt::Debug for CertificateAssertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateAssertion")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

impl CertificateAssertion {
    /// # Errors
    /// Where the archive does not open with the password, or has no certificate with an RSA key.
    pub(super) fn new(
        client_id: String,
        audience: String,
        archive: &[u8],
        password: &str,
    ) -> Result<Self, CredentialError> {
        let fault = |reason: String| CredentialError::Unusable {
            attribute: "client_certificate",
            reason,
        };
        let store = KeyStore::from_pkcs12(archive, password, Pkcs12ImportPolicy::Relaxed)
            .map_err(|error| fault(format!("the PKCS#12 archive does not open: {error}")))?;
        let (_, entry) = store
            .private_key_chain()
            .ok_or_else(|| fault("it holds no private key".to_owned()))?;
        let key = RsaKeyPair::from_pkcs8(entry.key().as_der())
            .map_err(|error| fault(format!("its private key is not an RSA key: {error}")))?;
        let mut chain: Vec<Vec<u8>> = entry.certs().iter().map(|c| c.as_der().to_vec()).collect();
        if chain.is_empty() {
            return Err(fault(
                "it holds no certificate for its private key".to_owned(),
            ));
        }
        chain.dedup();
        Ok(CertificateAssertion {
            client_id,
            audience,
            chain,
            key,
        })
    }

    fn sign(&self, now: u64, id: &str) -> Result<String, aws_lc_rs::error::Unspecified> {
        let leaf = self.chain.first().map(Vec::as_slice).unwrap_or_default();
        let print = |algorithm| URL_SAFE_NO_PAD.encode(digest::digest(algorithm, leaf));
        let header = json!({
            "alg": "RS256",
            "typ": "JWT",
            "x5t": print(&digest::SHA1_FOR_LEGACY_USE_ONLY),
            "x5t#S256": print(&digest::SHA256),
            "x5c": self.chain.iter().map(|der| STANDARD.encode(der)).collect::<Vec<_>>(),
        });
        let claims = json!({
            "aud": self.audience,
            "iss": self.client_id,
            "sub": self.client_id,
            "jti": id,
            "nbf": now,
            "iat": now,
            "exp": now + LIFETIME,
        });
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&header), part(&claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            message.as_bytes(),
            &mut signature,
        )?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[async_trait::async_trait]
impl ClientAssertion for CertificateAssertion {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map(|d| d.as_secs())
            .unwrap_or_default();
        self.sign(now, &azure_core::Uuid::new_v4().to_string())
            .map_err(|_| {
                Error::with_message(
                    ErrorKind::Credential,
                    "the client certificate's key cannot sign",
                )
            })
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use super::*;
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use p12_keystore::{Certificate, KeyStoreEntry, PrivateKey, PrivateKeyChain};
    use serde_json::Value;

    pub(in crate::azure::credentials) fn archive(password: &str) -> (Vec<u8>, Vec<u8>) {
        let key = RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
        let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&key)
            .unwrap()
            .as_ref()
            .to_vec();
        let signer = rcgen::KeyPair::try_from(der.as_slice()).unwrap();
        let leaf = rcgen::CertificateParams::new(vec!["vpn.example".to_owned()])
            .unwrap()
            .self_signed(&signer)
            .unwrap();
        let chain = PrivateKeyChain::new(
            vec![1_u8],
            PrivateKey::from_der(&der).unwrap(),
            [Certificate::from_der(leaf.der()).unwrap()],
        );
        let mut store = KeyStore::new();
        store.add_entry("one", KeyStoreEntry::PrivateKeyChain(chain));
        (store.writer(password).write().unwrap(), leaf.der().to_vec())
    }

    #[test]
    fn certificate_signs_verifiable_assertion() {
        let (archive, leaf) = archive("pw");
        let signer =
            CertificateAssertion::new("client".into(), "https://h/t".into(), &archive, "pw")
                .unwrap();
        let jwt = signer.sign(1_000, "id").unwrap();
        let (message, signature) = jwt.rsplit_once('.').unwrap();
        UnparsedPublicKey::new(
            &RSA_PKCS1_2048_8192_SHA256,
            signer.key.public_key().as_ref(),
        )
        .verify(
            message.as_bytes(),
            &URL_SAFE_NO_PAD.decode(signature).unwrap(),
        )
        .expect("signature");
        let part = |at: usize| -> Value {
            serde_json::from_slice(
                &URL_SAFE_NO_PAD
                    .decode(message.split('.').nth(at).unwrap())
                    .unwrap(),
            )
            .unwrap()
        };
        assert_eq!(part(0)["x5c"][0], STANDARD.encode(&leaf));
        assert_eq!(
            part(0)["x5t#S256"],
            URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &leaf))
        );
        assert_eq!(
            (part(1)["aud"].as_str(), part(1)["exp"].as_u64()),
            (Some("https://h/t"), Some(1_600))
        );
    }

    #[test]
    fn wrong_password_error_names_attribute() {
        let (archive, _) = archive("pw");
        let fault = CertificateAssertion::new("c".into(), "a".into(), &archive, "no").unwrap_err();
        assert!(fault.to_string().contains("client_certificate"));
    }
}
