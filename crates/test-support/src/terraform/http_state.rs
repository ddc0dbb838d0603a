//! States behind the `http` backend, with locks, on a loopback port.

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// One stored state.
#[derive(Clone, Debug, Default)]
struct Stored {
    text: Option<String>,
    /// What Terraform says of the run that holds the lock.
    lock: Option<String>,
    /// Versions that were written.
    versions: usize,
    /// Writes of a run that did not hold the lock.
    unlocked_writes: usize,
    /// Locks that were refused because another run held it.
    refused_locks: usize,
}

type Shared = Arc<Mutex<BTreeMap<String, Stored>>>;

/// The server. Its thread ends with the process.
pub struct HttpState {
    address: String,
    states: Shared,
}

impl HttpState {
    /// Serves from now on.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let states = Shared::default();
        let shared = Arc::clone(&states);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let states = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &states));
            }
        });
        HttpState { address, states }
    }

    /// The variables by which the backend of a workspace finds its state.
    pub fn variables(&self, workspace: &str) -> [(&'static str, String); 4] {
        let url = format!("http://{}/{workspace}", self.address);
        [
            ("TF_HTTP_ADDRESS", url.clone()),
            ("TF_HTTP_LOCK_ADDRESS", url.clone()),
            ("TF_HTTP_UNLOCK_ADDRESS", url),
            ("TF_HTTP_RETRY_MAX", "0".to_owned()),
        ]
    }

    fn of<T>(&self, workspace: &str, read: impl FnOnce(&mut Stored) -> T) -> T {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        read(states.entry(format!("/{workspace}")).or_default())
    }

    /// The state of a workspace, null before its first apply.
    pub fn state(&self, workspace: &str) -> Value {
        let text = self.of(workspace, |stored| stored.text.clone());
        text.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
    }

    /// The state of a workspace as Terraform wrote it.
    pub fn text(&self, workspace: &str) -> String {
        self.of(workspace, |stored| stored.text.clone().unwrap_or_default())
    }

    /// Versions written, and writes of runs that did not hold the lock.
    pub fn writes(&self, workspace: &str) -> (usize, usize) {
        self.of(workspace, |stored| {
            (stored.versions, stored.unlocked_writes)
        })
    }

    /// Locks that were refused.
    pub fn refused_locks(&self, workspace: &str) -> usize {
        self.of(workspace, |stored| stored.refused_locks)
    }

    /// Whether a run holds the lock.
    pub fn is_locked(&self, workspace: &str) -> bool {
        self.of(workspace, |stored| stored.lock.is_some())
    }
}

fn serve(stream: TcpStream, states: &Shared) {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    if reader.read_line(&mut first).is_err() {
        return;
    }
    let mut words = first.split_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return;
    };
    let mut length = 0;
    loop {
        let mut line = String::new();
        match reader.read_line(&mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) if line.trim().is_empty() => break,
            Ok(_) => {}
        }
        let header = line.to_ascii_lowercase();
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let body = String::from_utf8_lossy(&body).into_owned();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (status, answer) = {
        let mut states = states.lock().unwrap_or_else(PoisonError::into_inner);
        respond(
            states.entry(path.to_owned()).or_default(),
            method,
            query,
            body,
        )
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        answer.len()
    );
    let mut stream = reader.into_inner();
    // The client may be gone: it was killed.
    drop(stream.write_all(format!("{head}{answer}").as_bytes()));
}

/// The `ID` of a lock.
fn lock_id(lock: &str) -> Option<String> {
    let lock: Value = serde_json::from_str(lock).ok()?;
    Some(lock["ID"].as_str()?.to_owned())
}

fn respond(stored: &mut Stored, method: &str, query: &str, body: String) -> (&'static str, String) {
    let none = String::new();
    match (method, &stored.lock) {
        ("GET", _) => match &stored.text {
            Some(text) => ("200 OK", text.clone()),
            None => ("404 Not Found", none),
        },
        ("LOCK", Some(lock)) => {
            stored.refused_locks += 1;
            ("423 Locked", lock.clone())
        }
        ("LOCK", None) => {
            stored.lock = Some(body);
            ("200 OK", none)
        }
        ("UNLOCK", _) => {
            stored.lock = None;
            ("200 OK", none)
        }
        ("POST", lock) => {
            let held = lock.as_deref().and_then(lock_id);
            if held.is_none_or(|id| query != format!("ID={id}")) {
                stored.unlocked_writes += 1;
            }
            stored.versions += 1;
            stored.text = Some(body);
            ("200 OK", none)
        }
        ("DELETE", _) => {
            stored.text = None;
            ("200 OK", none)
        }
        _ => ("405 Method Not Allowed", none),
    }
}
