//! What a client does not accept as an answer of a cloud: too large, not from the cloud at all, or
//! from a server that is not trusted. The same for both clouds.

use super::cloud_text::clean;
use std::error::Error;

/// Bytes of one answer, unpacked. The largest known one, all VPN connections of a region, takes
/// about 2 MiB.
pub const MAX_BYTES: usize = 16 << 20;
/// Elements of one answer: each takes far more memory than its few bytes.
pub const MAX_ELEMENTS: usize = 1_000_000;
/// Objects of one list in XML: the SDK makes a structure of hundreds of bytes of each.
const MAX_ITEMS: usize = 100_000;
/// Pages of one list.
pub const MAX_PAGES: usize = 1_000;
/// Tries of a call that meets something that is not the cloud.
pub const MAX_ATTEMPTS: u32 = 6;

/// Bytes of a page that are searched for its title.
const TITLE_WITHIN: usize = 64 << 10;
/// Characters of a page that are shown.
const SHOWN: usize = 100;

/// Why an answer is not accepted. `host` is the server that was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResponseError {
    #[error("the answer of {host} is larger than {} MiB and was not read to its end", MAX_BYTES >> 20)]
    TooLarge { host: String },
    #[error("the answer of {host} has too many elements and was not read")]
    TooManyElements { host: String },
    #[error(
        "HTTP {status} from {host} is not an answer of the cloud but {page}. A proxy or a captive portal is probably in between: \
         check HTTPS_PROXY, NO_PROXY and the network"
    )]
    Page {
        host: String,
        status: u16,
        page: String,
    },
    #[error(
        "HTTP {status} from {host} redirects to {to}, which is not followed. A proxy or a captive portal is probably in between: \
         check HTTPS_PROXY, NO_PROXY and the network"
    )]
    Redirect {
        host: String,
        status: u16,
        to: String,
    },
    #[error(
        "the certificate of {host} is not trusted: {reason}. If a proxy inspects TLS, name a file with its certificate authority \
         in AWS_CA_BUNDLE or SSL_CERT_FILE"
    )]
    Untrusted { host: String, reason: String },
}

/// The bytes of an answer while they arrive.
#[derive(Debug, Default)]
pub struct BoundedBody(Vec<u8>);

impl BoundedBody {
    /// # Errors
    /// `TooLarge` as soon as it is.
    pub fn add(&mut self, chunk: &[u8], host: &str) -> Result<(), ResponseError> {
        if self.0.len() + chunk.len() > MAX_BYTES {
            return Err(ResponseError::TooLarge {
                host: host.to_owned(),
            });
        }
        self.0.extend_from_slice(chunk);
        Ok(())
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Checks a complete response of any format. `location` is the header of that name.
///
/// # Errors
/// `TooManyElements`, `Page`, `Redirect`.
pub fn check(
    host: &str,
    status: u16,
    location: Option<&str>,
    body: &[u8],
) -> Result<(), ResponseError> {
    if let (301 | 302 | 303 | 307 | 308, Some(to)) = (status, location) {
        let to = clean(to.split(['?', '#']).next().unwrap_or_default());
        return Err(ResponseError::Redirect {
            host: host.to_owned(),
            status,
            to,
        });
    }
    if (200..300).contains(&status) && is_html(body) {
        return Err(page(host, status, body));
    }
    if elements(body) > MAX_ELEMENTS || items(body) > MAX_ITEMS {
        return Err(ResponseError::TooManyElements {
            host: host.to_owned(),
        });
    }
    Ok(())
}

/// The fault of an answer that is in no format of the cloud.
pub fn page(host: &str, status: u16, body: &[u8]) -> ResponseError {
    ResponseError::Page {
        host: host.to_owned(),
        status,
        page: described(body),
    }
}

/// A page in words: its title or else its first words.
pub fn described(body: &[u8]) -> String {
    let start = body.get(..TITLE_WITHIN).unwrap_or(body);
    let text = String::from_utf8_lossy(start);
    let kind = if is_html(body) {
        "a web page"
    } else {
        "another text"
    };
    let words = title(&text).unwrap_or_else(|| without_tags(&text));
    let words: String = clean(&words).chars().take(SHOWN).collect();
    if words.is_empty() {
        kind.to_owned()
    } else {
        format!("{kind}: {words:?}")
    }
}

/// Whether this is a page for people.
pub fn is_html(body: &[u8]) -> bool {
    let start = body.get(..TITLE_WITHIN).unwrap_or(body);
    let text = String::from_utf8_lossy(start).to_ascii_lowercase();
    let mut text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    while let Some(rest) = text
        .strip_prefix("<!--")
        .or_else(|| text.strip_prefix("<?"))
    {
        let end = if text.starts_with("<?") { "?>" } else { "-->" };
        text = rest
            .split_once(end)
            .map_or("", |(_, rest)| rest)
            .trim_start();
    }
    [
        "<!doctype html",
        "<html",
        "<head",
        "<body",
        "<title",
        "<script",
        "<meta",
    ]
    .iter()
    .any(|tag| text.starts_with(tag))
}

fn title(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let at = lower.find("<title")?;
    let start = at + lower.get(at..)?.find('>')? + 1;
    let length = lower.get(start..)?.find('<')?;
    let title = entities(text.get(start..start + length)?);
    (!title.trim().is_empty()).then_some(title)
}

fn without_tags(text: &str) -> String {
    let (mut out, mut within) = (String::new(), false);
    for c in text.chars().take(TITLE_WITHIN) {
        match c {
            '<' => within = true,
            '>' if within => {
                within = false;
                out.push(' ');
            }
            c if !within => out.push(c),
            _ => {}
        }
    }
    entities(&out)
}

fn entities(text: &str) -> String {
    let pairs = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ];
    pairs.iter().fold(text.to_owned(), |text, (entity, plain)| {
        text.replace(entity, plain)
    })
}

/// About how many values a JSON document has, or elements an XML one.
fn elements(body: &[u8]) -> usize {
    let xml = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<');
    let counts = |byte: &&u8| {
        if xml {
            **byte == b'<'
        } else {
            matches!(**byte, b',' | b'[' | b'{' | b':')
        }
    };
    body.iter().filter(counts).count()
}

fn items(body: &[u8]) -> usize {
    body.split(|byte| *byte == b'<')
        .filter(|element| element.starts_with(b"item"))
        .count()
}

/// The first error of the type in a chain, also inside the I/O errors, which leave out of the chain
/// what they wrap.
pub fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = match error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
        {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// The fault of a connection whose server has a certificate that is not accepted. It will not be
/// accepted later either.
pub fn untrusted(host: &str, error: &(dyn Error + 'static)) -> Option<ResponseError> {
    let reason = find::<rustls::Error>(error)?;
    let refused = matches!(
        reason,
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented
    );
    refused.then(|| ResponseError::Untrusted {
        host: host.to_owned(),
        reason: clean(&reason.to_string()),
    })
}

/// A TLS server on the loopback interface whose certificate nothing trusts; its port.
#[cfg(test)]
pub(crate) async fn self_signed_server() -> u16 {
    #![allow(clippy::unwrap_used)]
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let config = config
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(acceptor.accept(stream).await);
        }
    });
    port
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn cut_off_answer_at_limit() {
        let (mut received, chunk) = (BoundedBody::default(), vec![b'a'; 1 << 20]);
        for _ in 0..16 {
            received.add(&chunk, "h").unwrap();
        }
        assert_eq!(
            received.add(b"a", "h"),
            Err(ResponseError::TooLarge { host: "h".into() })
        );
        assert_eq!(received.into_bytes().len(), MAX_BYTES);
    }

    #[test]
    fn reject_answer_with_too_many_elements() {
        for element in ["[],", "{},", "1,", "<a/>", "<item/>"] {
            let body = element.repeat(MAX_ELEMENTS + 1);
            let fault = check("h", 200, None, body.as_bytes());
            assert!(
                matches!(fault, Err(ResponseError::TooManyElements { .. })),
                "{element}"
            );
        }
        let list =
            "{\"id\": \"/subscriptions/s/resourceGroups/g\", \"name\": \"one\"},".repeat(20_000);
        assert_eq!(check("h", 200, None, list.as_bytes()), Ok(()));
    }

    #[test]
    fn name_page_by_title_or_first_words() {
        let page = |body: &str| {
            check("login.example", 200, None, body.as_bytes())
                .unwrap_err()
                .to_string()
        };
        let titled = page(
            "\u{feff} <!-- x -->\n<!DOCTYPE html><html><head><title>Hotel\u{1b}[31m &amp; Wi-Fi</title>",
        );
        assert!(
            titled.contains("login.example") && titled.contains("\"Hotel & Wi-Fi\""),
            "{titled}"
        );
        assert!(page("<html><body><h1>Please</h1> log in</body></html>").contains("Please log in"));
        assert!(page("<HTML>").contains("a web page"));
        for answer in [
            "<AResponse/>",
            "<?xml version=\"1.0\"?><AResponse/>",
            "{}",
            "",
            "<htm",
        ] {
            assert_eq!(check("h", 200, None, answer.as_bytes()), Ok(()), "{answer}");
        }
        assert_eq!(
            check("h", 503, None, b"<html>"),
            Ok(()),
            "an error page is sorted by its status"
        );
    }

    #[test]
    fn name_redirect_without_its_query() {
        let fault = check(
            "h",
            302,
            Some("https://portal.example/login?token=abc"),
            b"",
        )
        .unwrap_err()
        .to_string();
        assert!(
            fault.contains("https://portal.example/login") && !fault.contains("abc"),
            "{fault}"
        );
    }
}
