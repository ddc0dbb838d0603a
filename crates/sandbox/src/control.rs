//! How `awsazure-sandbox world`, `violations`, `fault` and `lab` reach the sandbox that runs in a
//! directory: addresses beneath `/_sandbox/` on its own port, opened by the token that it keeps
//! there.
//!
//! | call | does |
//! |---|---|
//! | `GET /_sandbox/world` | lists every object of both clouds |
//! | `GET /_sandbox/violations` | how much was held against the clouds' schemas, and what broke them |
//! | `GET /_sandbox/faults` | the plan, a rule a line, each after the number of calls that it matched |
//! | `POST /_sandbox/faults` | adds the rule in the body |
//! | `DELETE /_sandbox/faults` | empties the plan |
//! | `POST /_sandbox/lab` | a lab's report, from which the clouds then answer; returns the configuration of each end |
//! | `GET /_sandbox/lab` | the last report of the attached lab |
//! | `DELETE /_sandbox/lab` | the rules answer again |
//! | `POST /_sandbox/lab/lab_faults`, `DELETE` | adds a fault to the lab; repairs all of them |

use crate::data_dir::{DataDir, DataDirError};
use crate::dataplane::{LabFault, LabInstructions, LabReport};
use crate::faults::Rule;
use crate::http::{Request, Response};
use crate::time::{SimDuration, SimTime};
use crate::tls::{self, TlsError};
use crate::world::World;
use rustls::pki_types::ServerName;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The header that carries the token.
const TOKEN: &str = "x-sandbox-token";
/// Real milliseconds after which a lab that says nothing is taken for gone.
const LAB_SILENCE_MS: u64 = 15_000;

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
    DataDir(#[from] DataDirError),
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Answers a control call at that instant; None when the address is not one.
pub fn handle(world: &mut World, now: SimTime, token: &str, request: &Request) -> Option<Response> {
    let what = request.path.strip_prefix("/_sandbox/")?;
    let text = |status, text: String| {
        Some(Response::new(status).with_body("text/plain; charset=utf-8", text))
    };
    if request.header(TOKEN) != Some(token) {
        return text(403, "the token is missing or wrong\n".into());
    }
    match (request.method.as_str(), what) {
        ("GET", "world") => Some(
            Response::new(200)
                .with_body("application/json", world.objects().to_string().into_bytes()),
        ),
        ("GET", "violations") => text(200, world.validator.report()),
        ("GET", "faults") => text(
            200,
            world
                .faults
                .rules
                .iter()
                .map(|rule| format!("{}\t{rule}\n", rule.seen))
                .collect(),
        ),
        ("POST", "faults") => match String::from_utf8_lossy(&request.body)
            .trim()
            .parse::<Rule>()
        {
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
        (method, lab) if lab == "lab" || lab == "lab/faults" => {
            world.advance(now);
            Some(
                match handle_lab(world, method, lab, &String::from_utf8_lossy(&request.body)) {
                    Ok(text) => Response::new(200).with_body("application/json", text),
                    Err(refusal) => Response::new(409)
                        .with_body("text/plain; charset=utf-8", format!("{refusal}\n")),
                },
            )
        }
        _ => text(404, "no such control\n".into()),
    }
}

fn handle_lab(world: &mut World, method: &str, what: &str, body: &str) -> Result<String, String> {
    let now = world.now();
    match (method, what) {
        ("POST", "lab") => {
            let report: LabReport =
                serde_json::from_str(body).map_err(|error| error.to_string())?;
            let valid = SimDuration(LAB_SILENCE_MS.saturating_mul(world.settings.time_scale));
            world.tunnels.accept_report(now, report, valid);
            let (aws, azure) = world.endpoints();
            let instructions = LabInstructions {
                aws,
                azure,
                faults: world.lab_faults.clone(),
            };
            serde_json::to_string(&instructions).map_err(|error| error.to_string())
        }
        ("DELETE", "lab") => {
            world.tunnels.detach();
            world.lab_faults.clear();
            Ok(String::new())
        }
        _ => {
            let report = world
                .tunnels
                .report()
                .ok_or("no lab is attached to this sandbox")?;
            let report = serde_json::to_string_pretty(report).map_err(|error| error.to_string())?;
            match (method, what) {
                ("POST", "lab/faults") => {
                    let fault: LabFault = body.parse().map_err(|error| format!("{error}"))?;
                    let (aws, azure) = world.endpoints();
                    let hits = aws.iter().any(|end| fault.affects_aws(end))
                        || azure.iter().any(|end| fault.affects_azure(end));
                    if !hits {
                        return Err(format!("there is no {fault}"));
                    }
                    world.lab_faults.push(fault);
                    Ok(report)
                }
                ("DELETE", "lab/faults") => {
                    world.lab_faults.clear();
                    Ok(report)
                }
                ("GET", "lab") => Ok(report),
                _ => Err("a lab is not asked that way".into()),
            }
        }
    }
}

/// Calls the sandbox that runs in the directory and gives the answer's text.
pub async fn call(
    directory: &DataDir,
    method: &str,
    what: &str,
    body: &str,
) -> Result<String, ControlError> {
    let control = directory.control()?.ok_or(ControlError::NotRunning)?;
    let trusted = directory.trusted()?.ok_or(ControlError::NotRunning)?;
    let socket = tokio::net::TcpStream::connect(control.address).await?;
    let connector = tokio_rustls::TlsConnector::from(Arc::new(tls::client(&trusted)?));
    let mut stream = connector
        .connect(ServerName::IpAddress(control.address.ip().into()), socket)
        .await?;
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
    let (head, text) = answer
        .split_once("\r\n\r\n")
        .unwrap_or((answer.as_str(), ""));
    if head.split(' ').nth(1) == Some("200") {
        Ok(text.to_owned())
    } else {
        Err(ControlError::Refused(text.trim().to_owned()))
    }
}
