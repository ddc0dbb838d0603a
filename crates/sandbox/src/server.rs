//! The world behind TLS, in scaled time: simulated now = where the saved world stood + time since
//! start * time scale.

use crate::authorization::{Authorization, DocumentError, Policy, Role};
use crate::azure::AzureCloud;
use crate::call_log::CallRecord;
use crate::control;
use crate::data_dir::{Control, DataDir, DataDirError, Lock};
use crate::environment::Environment;
use crate::http::{self, Outcome, Request};
use crate::time::SimTime;
use crate::tls::TlsError;
use crate::world::{Settings, World};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::fs::File;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
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

/// Largest request body: far above what the clouds accept, far below what would exhaust the memory.
const LARGEST_BODY: usize = 16 << 20;

/// How a sandbox is served.
#[derive(Clone, Debug)]
pub struct Options {
    /// Address and port; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Other machines may connect: any of them can then read and change the world.
    pub allow_remote: bool,
    /// How many times faster than the clock simulated time runs.
    pub time_scale: u64,
    /// Seed of a new world.
    pub seed: Option<u64>,
    /// Whether the order of lists and the letter case of Azure's ids vary.
    pub varied_answers: bool,
    /// Which Azure a new world plays.
    pub azure_cloud: AzureCloud,
    /// File of an IAM policy: calls to AWS that it does not allow are rejected.
    pub aws_policy: Option<PathBuf>,
    /// File of a custom role: calls to Azure that it does not permit are rejected.
    pub azure_role: Option<PathBuf>,
}

impl Options {
    /// Reads the two documents.
    fn authorization(&self) -> Result<Authorization, ServeError> {
        fn read<T>(
            path: Option<&PathBuf>,
            parse: impl Fn(&str) -> Result<T, DocumentError>,
        ) -> Result<Option<T>, ServeError> {
            let Some(path) = path else {
                return Ok(None);
            };
            let text = std::fs::read_to_string(path)
                .map_err(|error| ServeError::DocumentFile(path.clone(), error))?;
            parse(&text)
                .map(Some)
                .map_err(|error| ServeError::Document(path.clone(), error))
        }
        Ok(Authorization {
            aws: read(self.aws_policy.as_ref(), Policy::parse)?,
            azure: read(self.azure_role.as_ref(), Role::parse)?,
            ..Authorization::default()
        })
    }
}

/// Why a sandbox could not be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(
        "{0} is not a loopback address. The sandbox accepts any credentials; use --allow-remote to let other machines connect"
    )]
    Remote(SocketAddr),
    #[error("listen on {0}: {1}")]
    Listen(SocketAddr, #[source] io::Error),
    #[error("{}: {}", .0.display(), .1)]
    DocumentFile(PathBuf, #[source] io::Error),
    #[error("{}: {}", .0.display(), .1)]
    Document(PathBuf, #[source] DocumentError),
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A sandbox that listens already but serves only while [`Server::run`] runs.
pub struct Server {
    listener: TcpListener,
    acceptor: tokio_rustls::TlsAcceptor,
    state: Arc<State>,
    /// Dropped last, when nothing can write to the directory any more.
    lock: Lock,
}

struct State {
    world: Mutex<World>,
    log: Mutex<File>,
    directory: DataDir,
    token: String,
    /// Where clients reach it, unless they say a host themselves.
    authority: String,
    began: Instant,
    offset: SimTime,
    time_scale: u64,
    changed: Notify,
}

impl Server {
    /// Locks the directory, binds the address, makes or reads what the directory holds, and writes
    /// `env`.
    pub async fn bind(directory: DataDir, options: &Options) -> Result<Server, ServeError> {
        let address = options.listen;
        if !address.ip().is_loopback() && !options.allow_remote {
            return Err(ServeError::Remote(address));
        }
        let authorization = options.authorization()?;
        let lock = directory.lock()?;
        let authority = directory.authority()?;
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| ServeError::Listen(address, error))?;
        let address = listener
            .local_addr()
            .map_err(|error| ServeError::Listen(address, error))?;
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(authority.server(address.ip())?));
        let mut world = match directory.world()? {
            Some(world) => world,
            None => {
                let epoch_unix_seconds = jiff::Timestamp::now().as_second();
                World::new(
                    options.seed.unwrap_or(1),
                    Settings {
                        epoch_unix_seconds,
                        azure_cloud: options.azure_cloud,
                        ..Settings::default()
                    },
                )
            }
        };
        let time_scale = options.time_scale.max(1);
        world.settings.time_scale = time_scale;
        world.settings.varied_answers |= options.varied_answers;
        world.authorization = authorization;
        directory.write_env(&address.to_string(), &world.settings)?;
        let token = random_hex();
        directory.write_control_file(&Control {
            address,
            token: token.clone(),
        })?;
        let state = State {
            log: Mutex::new(directory.calls()?),
            offset: world.now(),
            world: Mutex::new(world),
            directory,
            token,
            authority: address.to_string(),
            began: Instant::now(),
            time_scale,
            changed: Notify::new(),
        };
        state.save()?;
        Ok(Server {
            listener,
            acceptor,
            state: Arc::new(state),
            lock,
        })
    }

    /// `https://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("https://{}", self.state.authority)
    }

    /// The variables that lead clients to it.
    pub fn environment(&self) -> Environment {
        self.state
            .directory
            .environment(&self.state.authority, &self.state.world().settings)
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
        let _ = tokio::time::timeout(GRACE, async {
            while connections.join_next().await.is_some() {}
        })
        .await;
        connections.shutdown().await;
        saver.abort();
        let _ = saver.await;
        self.state.directory.remove_control_file();
        let saved = self.state.save();
        drop(self.lock);
        Ok(saved?)
    }
}

/// 32 random hexadecimal digits.
pub fn random_hex() -> String {
    let mut bytes = [0u8; 16];
    let filled = rustls::crypto::aws_lc_rs::default_provider()
        .secure_random
        .fill(&mut bytes);
    let seed = if filled.is_ok() {
        u64::from_le_bytes(first_eight(&bytes))
    } else {
        u64::from(std::process::id())
    };
    crate::rng::Rng::seeded(seed).hex(32)
}

fn first_eight(bytes: &[u8; 16]) -> [u8; 8] {
    let mut eight = [0; 8];
    eight
        .iter_mut()
        .zip(bytes)
        .for_each(|(to, from)| *to = *from);
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

async fn converse(
    stream: tokio_rustls::server::TlsStream<tokio::net::TcpStream>,
    state: Arc<State>,
) {
    let second = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let io = TokioIo::new(stream);
    let service = service_fn(move |request| answer(state.clone(), request));
    // An aborted conversation is the client's choice or an injected fault.
    let _ = match second {
        true => {
            hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .serve_connection(io, service)
                .await
        }
        false => {
            hyper::server::conn::http1::Builder::new()
                .serve_connection(io, service)
                .await
        }
    };
}

async fn answer(
    state: Arc<State>,
    request: hyper::Request<Incoming>,
) -> io::Result<hyper::Response<Payload>> {
    let start_ms = state.elapsed_ms();
    let (head, body) = request.into_parts();
    let host = head
        .headers
        .get("host")
        .and_then(|host| host.to_str().ok())
        .map(str::to_owned);
    let host = host
        .or_else(|| head.uri.authority().map(ToString::to_string))
        .unwrap_or_else(|| state.authority.clone());
    let text =
        |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let body = match received(body).await? {
        Some(body) => body,
        None => return hyper_response(too_large()),
    };
    let request = Request {
        method: head.method.to_string(),
        base_url: format!("https://{host}"),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), text(value)))
            .collect(),
        body,
    };
    let outcome = state.exchange(start_ms, &request);
    match outcome {
        Outcome::Response(response) => hyper_response(response),
        Outcome::Dropped => Err(io::Error::new(
            io::ErrorKind::ConnectionAborted,
            "dropped by the fault plan",
        )),
        Outcome::Hang => std::future::pending().await,
    }
}

/// The body; None where it is, or announces to be, larger than [`LARGEST_BODY`], which is then not
/// read.
async fn received(body: Incoming) -> io::Result<Option<Vec<u8>>> {
    if body.size_hint().lower() > LARGEST_BODY as u64 {
        return Ok(None);
    }
    match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(body) => Ok(Some(body.to_bytes().to_vec())),
        Err(error) if error.is::<LengthLimitError>() => Ok(None),
        Err(error) => Err(io::Error::other(error)),
    }
}

fn too_large() -> http::Response {
    let words = format!("the request body is larger than {LARGEST_BODY} bytes\n");
    http::Response::new(413).with_body("text/plain; charset=utf-8", words)
}

fn hyper_response(response: http::Response) -> io::Result<hyper::Response<Payload>> {
    // A length of its own marks a body that is cut short of it.
    let cut = response
        .headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let mut builder = hyper::Response::builder().status(response.status);
    for (name, value) in &response.headers {
        builder = builder.header(name, value);
    }
    builder
        .body(Payload {
            data: Some(Bytes::from(response.body)).filter(|data| !data.is_empty()),
            cut,
            pause: None,
        })
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
        SimTime(
            self.offset
                .0
                .saturating_add(micros.saturating_mul(self.time_scale) / 1_000),
        )
    }

    fn exchange(&self, start_ms: u64, request: &Request) -> Outcome {
        let (exchange, violations) = {
            let mut world = self.world();
            if let Some(response) = control::handle(&mut world, self.now(), &self.token, request) {
                // What a lab says is of the moment only.
                if !request.path.starts_with("/_sandbox/lab") {
                    self.changed.notify_one();
                }
                return Outcome::Response(response);
            }
            let reported = world.validator.words.len();
            let exchange = world.handle(self.now(), request);
            (
                exchange,
                world
                    .validator
                    .words
                    .get(reported..)
                    .unwrap_or_default()
                    .to_vec(),
            )
        };
        if !violations.is_empty()
            && let Err(error) = self.directory.violations(&violations)
        {
            eprintln!("awsazure-sandbox: {error}");
        }
        self.changed.notify_one();
        let record = CallRecord {
            start_ms,
            end_ms: self.elapsed_ms(),
            sim_end_ms: self.now().0,
            ..exchange.record
        };
        if let Ok(mut line) = serde_json::to_vec(&record) {
            line.push(b'\n');
            let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = log.write_all(&line) {
                eprintln!("awsazure-sandbox: calls.jsonl: {error}");
            }
        }
        exchange.outcome
    }

    fn save(&self) -> Result<(), DataDirError> {
        let text = {
            let mut world = self.world();
            world.advance(self.now());
            serde_json::to_vec(&*world)
        };
        let text =
            text.map_err(|error| DataDirError::Json(self.directory.file("world.json"), error))?;
        self.directory.save(&text)
    }
}

/// A response's body: complete, or cut off with an error after what there is of it.
struct Payload {
    data: Option<Bytes>,
    cut: bool,
    pause: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl Body for Payload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(data) = self.data.take() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        if !self.cut {
            return Poll::Ready(None);
        }
        // What there is must have left before the error takes the connection down.
        let pause = self
            .pause
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(CUT_AFTER)));
        pause.as_mut().poll(cx).map(|()| {
            Some(Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                "cut by the fault plan",
            )))
        })
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
