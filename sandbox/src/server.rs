//! The world behind TLS, in scaled time: simulated now = where the saved world stood + time since start * time scale.

use crate::calls::Record;
use crate::control;
use crate::directory::{Control, Directory, DirectoryError};
use crate::time::SimTime;
use crate::tls::TlsError;
use crate::wire::{self, Reply, Request};
use crate::world::{Settings, World};
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::fs::File;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// Changes of the world reach its file at most this late.
const SAVE_AFTER: Duration = Duration::from_millis(300);
/// How long a body that is cut short stays open.
const CUT_AFTER: Duration = Duration::from_millis(20);
/// How long running calls are waited for at the end.
const GRACE: Duration = Duration::from_millis(300);

/// Why a sandbox could not be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("listen on {0}: {1}")]
    Listen(SocketAddr, #[source] io::Error),
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A sandbox that listens already but serves only while [`Server::run`] runs.
pub struct Server {
    listener: TcpListener,
    acceptor: tokio_rustls::TlsAcceptor,
    state: Arc<State>,
}

struct State {
    world: Mutex<World>,
    log: Mutex<File>,
    directory: Directory,
    token: String,
    /// Where clients reach it, unless they say a host themselves.
    authority: String,
    began: Instant,
    offset: SimTime,
    time_scale: u64,
    changed: Notify,
}

impl Server {
    /// Binds the address (port 0 picks one), makes or reads what the directory holds, and writes `env`.
    pub async fn bind(
        address: SocketAddr,
        directory: Directory,
        time_scale: u64,
        seed: u64,
    ) -> Result<Server, ServeError> {
        let authority = directory.authority()?;
        let listener = TcpListener::bind(address).await.map_err(|error| ServeError::Listen(address, error))?;
        let address = listener.local_addr().map_err(|error| ServeError::Listen(address, error))?;
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(authority.server(address.ip())?));
        let mut world = match directory.world()? {
            Some(world) => world,
            None => {
                let epoch_unix_seconds = jiff::Timestamp::now().as_second();
                World::new(seed, Settings { epoch_unix_seconds, ..Settings::default() })
            }
        };
        world.settings.time_scale = time_scale.max(1);
        directory.write_env(&address.to_string(), &world.settings)?;
        let token = token();
        directory.announce(&Control { address, token: token.clone() })?;
        let state = State {
            log: Mutex::new(directory.calls()?),
            offset: world.now(),
            world: Mutex::new(world),
            directory,
            token,
            authority: address.to_string(),
            began: Instant::now(),
            time_scale: time_scale.max(1),
            changed: Notify::new(),
        };
        state.save()?;
        Ok(Server { listener, acceptor, state: Arc::new(state) })
    }

    /// `https://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("https://{}", self.state.authority)
    }

    /// Serves until `stop` is ready, then saves the world.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
        let saver = tokio::spawn(save_changes(self.state.clone()));
        let mut connections = tokio::task::JoinSet::new();
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                // A client that comes and goes is no reason to stop serving the others.
                Ok((socket, _)) = self.listener.accept() => {
                    let (acceptor, state) = (self.acceptor.clone(), self.state.clone());
                    connections.spawn(async move {
                        let _ = socket.set_nodelay(true);
                        if let Ok(stream) = acceptor.accept(socket).await {
                            converse(stream, state).await;
                        }
                    });
                }
                Some(_) = connections.join_next() => {}
            }
        }
        drop(self.listener);
        let _ = tokio::time::timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
        saver.abort();
        self.state.directory.retract();
        Ok(self.state.save()?)
    }
}

/// A random word for the control file.
fn token() -> String {
    let mut bytes = [0u8; 16];
    let filled = rustls::crypto::aws_lc_rs::default_provider().secure_random.fill(&mut bytes);
    let seed = if filled.is_ok() { u64::from_le_bytes(first_eight(&bytes)) } else { u64::from(std::process::id()) };
    crate::rng::Rng::seeded(seed).hex(32)
}

fn first_eight(bytes: &[u8; 16]) -> [u8; 8] {
    let mut eight = [0; 8];
    eight.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    eight
}

async fn save_changes(state: Arc<State>) {
    loop {
        state.changed.notified().await;
        tokio::time::sleep(SAVE_AFTER).await;
        if let Err(error) = state.save() {
            eprintln!("awsazure-sandbox: {error}");
        }
    }
}

async fn converse(stream: tokio_rustls::server::TlsStream<tokio::net::TcpStream>, state: Arc<State>) {
    let second = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let io = TokioIo::new(stream);
    let service = service_fn(move |request| answer(state.clone(), request));
    // An aborted conversation is the client's choice or an injected fault.
    let _ = match second {
        true => hyper::server::conn::http2::Builder::new(TokioExecutor::new()).serve_connection(io, service).await,
        false => hyper::server::conn::http1::Builder::new().serve_connection(io, service).await,
    };
}

async fn answer(state: Arc<State>, request: hyper::Request<Incoming>) -> io::Result<hyper::Response<Payload>> {
    let start_ms = state.elapsed_ms();
    let (head, body) = request.into_parts();
    let host = head.headers.get("host").and_then(|host| host.to_str().ok()).map(str::to_owned);
    let host =
        host.or_else(|| head.uri.authority().map(ToString::to_string)).unwrap_or_else(|| state.authority.clone());
    let text = |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let request = Request {
        method: head.method.to_string(),
        base_url: format!("https://{host}"),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect(),
        body: body.collect().await.map_err(io::Error::other)?.to_bytes().to_vec(),
    };
    let reply = state.exchange(start_ms, &request);
    match reply {
        Reply::Answer(response) => hyper_response(response),
        Reply::Dropped => Err(io::Error::new(io::ErrorKind::ConnectionAborted, "dropped by the fault plan")),
        Reply::Hang => std::future::pending().await,
    }
}

fn hyper_response(response: wire::Response) -> io::Result<hyper::Response<Payload>> {
    // A length of its own marks a body that is cut short of it.
    let cut = response.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let mut builder = hyper::Response::builder().status(response.status);
    for (name, value) in &response.headers {
        builder = builder.header(name, value);
    }
    builder
        .body(Payload { data: Some(Bytes::from(response.body)).filter(|data| !data.is_empty()), cut, pause: None })
        .map_err(io::Error::other)
}

impl State {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn now(&self) -> SimTime {
        let micros = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        SimTime(self.offset.0.saturating_add(micros.saturating_mul(self.time_scale) / 1_000))
    }

    fn exchange(&self, start_ms: u64, request: &Request) -> Reply {
        let (exchange, violations) = {
            let mut world = self.world();
            if let Some(response) = control::handle(&mut world, self.now(), &self.token, request) {
                // What a lab says is of the moment only.
                if !request.path.starts_with("/_sandbox/lab") {
                    self.changed.notify_one();
                }
                return Reply::Answer(response);
            }
            let told = world.judge.words.len();
            let exchange = world.handle(self.now(), request);
            (exchange, world.judge.words.get(told..).unwrap_or_default().to_vec())
        };
        if !violations.is_empty()
            && let Err(error) = self.directory.violations(&violations)
        {
            eprintln!("awsazure-sandbox: {error}");
        }
        self.changed.notify_one();
        let record = Record { start_ms, end_ms: self.elapsed_ms(), sim_end_ms: self.now().0, ..exchange.record };
        if let Ok(mut line) = serde_json::to_vec(&record) {
            line.push(b'\n');
            let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = log.write_all(&line) {
                eprintln!("awsazure-sandbox: calls.jsonl: {error}");
            }
        }
        exchange.reply
    }

    fn save(&self) -> Result<(), DirectoryError> {
        let text = {
            let mut world = self.world();
            world.advance(self.now());
            serde_json::to_vec(&*world)
        };
        let text = text.map_err(|error| DirectoryError::Json(self.directory.file("world.json"), error))?;
        self.directory.save(&text)
    }
}

/// A response's body: whole, or cut off with an error after what there is of it.
struct Payload {
    data: Option<Bytes>,
    cut: bool,
    pause: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl Body for Payload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(data) = self.data.take() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        if !self.cut {
            return Poll::Ready(None);
        }
        // What there is must have left before the error takes the connection down.
        let pause = self.pause.get_or_insert_with(|| Box::pin(tokio::time::sleep(CUT_AFTER)));
        pause
            .as_mut()
            .poll(cx)
            .map(|()| Some(Err(io::Error::new(io::ErrorKind::ConnectionAborted, "cut by the fault plan"))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && !self.cut
    }

    fn size_hint(&self) -> SizeHint {
        match &self.data {
            _ if self.cut => SizeHint::default(),
            data => SizeHint::with_exact(data.as_ref().map_or(0, |data| data.len() as u64)),
        }
    }
}
