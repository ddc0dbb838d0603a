//! How `awsazure-sandbox world`, `violations` and `fault` reach the sandbox that runs in a directory: addresses beneath
//! `/_sandbox/` on its own port, opened by the token that it keeps there.
//!
//! | call | does |
//! |---|---|
//! | `GET /_sandbox/world` | lists every object of both clouds |
//! | `GET /_sandbox/violations` | how much was held against the clouds' schemas, and what broke them |
//! | `GET /_sandbox/faults` | the plan, a rule a line, each after the number of calls that it matched |
//! | `POST /_sandbox/faults` | adds the rule in the body |
//! | `DELETE /_sandbox/faults` | empties the plan |

use crate::directory::{Directory, DirectoryError};
use crate::faults::Rule;
use crate::tls::{self, TlsError};
use crate::wire::{Request, Response};
use crate::world::World;
use rustls::pki_types::ServerName;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The header that carries the token.
const TOKEN: &str = "x-sandbox-token";

/// Why the running sandbox could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    #[error("no sandbox runs in this directory")]
    NotRunning,
    #[error("the sandbox in this directory does not answer: {0}")]
    Unreachable(#[from] io::Error),
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Answers a control call; None when the address is not one.
pub fn handle(world: &mut World, token: &str, request: &Request) -> Option<Response> {
    let what = request.path.strip_prefix("/_sandbox/")?;
    let text = |status, text: String| Some(Response::new(status).with_body("text/plain; charset=utf-8", text));
    if request.header(TOKEN) != Some(token) {
        return text(403, "the token is missing or wrong\n".into());
    }
    match (request.method.as_str(), what) {
        ("GET", "world") => {
            Some(Response::new(200).with_body("application/json", world.objects().to_string().into_bytes()))
        }
        ("GET", "violations") => text(200, world.judge.report()),
        ("GET", "faults") => {
            text(200, world.faults.rules.iter().map(|rule| format!("{}\t{rule}\n", rule.seen)).collect())
        }
        ("POST", "faults") => match String::from_utf8_lossy(&request.body).trim().parse::<Rule>() {
            Ok(rule) => {
                let added = format!("{rule}\n");
                world.faults.add(rule);
                text(200, added)
            }
            Err(error) => text(400, format!("{error}\n")),
        },
        ("DELETE", "faults") => {
            world.faults.clear();
            text(200, String::new())
        }
        _ => text(404, "no such control\n".into()),
    }
}

/// Calls the sandbox that runs in the directory and gives the answer's text.
pub async fn call(directory: &Directory, method: &str, what: &str, body: &str) -> Result<String, ControlError> {
    let control = directory.control()?.ok_or(ControlError::NotRunning)?;
    let trusted = directory.trusted()?.ok_or(ControlError::NotRunning)?;
    let socket = tokio::net::TcpStream::connect(control.address).await?;
    let connector = tokio_rustls::TlsConnector::from(Arc::new(tls::client(&trusted)?));
    let mut stream = connector.connect(ServerName::IpAddress(control.address.ip().into()), socket).await?;
    let head = format!(
        "{method} /_sandbox/{what} HTTP/1.1\r\nHost: {}\r\n{TOKEN}: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        control.address,
        control.token,
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer).await
        && answer.is_empty()
    {
        return Err(error.into());
    }
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, text) = answer.split_once("\r\n\r\n").unwrap_or((answer.as_str(), ""));
    if head.split(' ').nth(1) == Some("200") {
        Ok(text.to_owned())
    } else {
        Err(ControlError::Refused(text.trim().to_owned()))
    }
}
