//! The life of a provider process: start, answer Terraform's handshake, serve until stopped, clean
//! up.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tonic::transport::Server;

use super::handshake::{self, Invocation, PluginLaunch};
use super::listener;
use super::log;
use super::parent::Parent;
use super::protocol::goplugin::grpc_broker_server::GrpcBrokerServer;
use super::protocol::goplugin::grpc_controller_server::GrpcControllerServer;
use super::protocol::goplugin::grpc_stdio_server::GrpcStdioServer;
use super::protocol::health::health_server::HealthServer;
use super::protocol::tfplugin6::provider_server::ProviderServer;
use super::provider::Provider;
use super::request::Cancel;
use super::server::{GoPluginServices, RpcServer, panic_guard};
use super::shutdown::Shutdown;
use super::socket::Socket;
use super::tls::{ServerTls, TlsError};

/// Largest message, both ways: what Terraform itself allows.
const MAX_MESSAGE_BYTES: usize = 256 << 20;

/// HTTP/2 window: a large state in few round trips.
const WINDOW: u32 = 1 << 20;

/// How long answers on their way may take once the process is to end. Terraform kills after two
/// seconds.
const SHUTDOWN_GRACE: Duration = Duration::from_millis(1500);

/// Why the process cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The system gives no socket, thread or signal handler.
    #[error("cannot listen: {0}")]
    Io(#[from] io::Error),
    /// Terraform ended before it had an answer.
    #[error("the handshake cannot be written: {0}")]
    NoClient(#[source] io::Error),
    /// There is no TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A provider that listens.
pub struct PluginProcess {
    socket: Socket,
    tls: Option<ServerTls>,
    stop: Arc<Shutdown>,
    /// Set once a client is connected.
    connected: Cancel,
    provider: Arc<dyn Provider>,
}

impl PluginProcess {
    /// Listens for the client that launched it; needs a running tokio runtime.
    ///
    /// # Errors
    /// When there is no socket to be had, or the client's certificate is none.
    pub fn plugin(provider: Arc<dyn Provider>, launch: &PluginLaunch) -> Result<Self, StartError> {
        let tls = ServerTls::pinned_to(&launch.client_certificate)?;
        let socket = Socket::bind_or_port(&launch.socket_directories)?;
        Ok(Self {
            socket,
            tls: Some(tls),
            stop: Arc::default(),
            connected: Cancel::new(),
            provider,
        })
    }

    /// Listens without TLS for any client of the same user; needs a running tokio runtime.
    ///
    /// # Errors
    /// When there is no socket to be had. A port would serve any user.
    pub fn debug(provider: Arc<dyn Provider>, directories: &[PathBuf]) -> Result<Self, StartError> {
        let socket = Socket::bind(directories)?;
        Ok(Self {
            socket,
            tls: None,
            stop: Arc::default(),
            connected: Cancel::new(),
            provider,
        })
    }

    /// What to print: the handshake line, or with no TLS the setting of `TF_REATTACH_PROVIDERS`.
    pub fn handshake_line(&self) -> String {
        match &self.tls {
            Some(tls) => handshake::line(self.socket.address(), &tls.certificate),
            None => handshake::reattach(self.provider.address(), self.socket.address()),
        }
    }

    /// What ends it.
    pub fn stop(&self) -> Arc<Shutdown> {
        Arc::clone(&self.stop)
    }

    /// Serves until it is to end, then removes the socket.
    ///
    /// # Errors
    /// When the transport fails.
    pub async fn run(self) -> Result<(), tonic::transport::Error> {
        let Self {
            socket,
            tls,
            stop,
            connected,
            provider,
        } = self;
        let ending = stop.ending().clone();
        let (listener, place) = socket.into_parts();
        let incoming = listener::accept(
            listener,
            tls.map(|tls| tls.config),
            ending.clone(),
            connected,
        );
        let handlers = ProviderServer::new(RpcServer::new(provider, Arc::clone(&stop)))
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
            .max_encoding_message_size(MAX_MESSAGE_BYTES);
        let housekeeping = GoPluginServices::new(stop);
        let serving = Server::builder()
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(4 * WINDOW)
            .max_concurrent_streams(None)
            .add_service(handlers)
            .add_service(HealthServer::new(housekeeping.clone()))
            .add_service(GrpcControllerServer::new(housekeeping.clone()))
            .add_service(GrpcStdioServer::new(housekeeping.clone()))
            .add_service(GrpcBrokerServer::new(housekeeping))
            .serve_with_incoming_shutdown(incoming, ending.clone().cancelled_owned());
        let overdue = async {
            ending.cancelled().await;
            tokio::time::sleep(SHUTDOWN_GRACE).await;
        };
        let served = tokio::select! {
            served = serving => served,
            () = overdue => Ok(()),
        };
        drop(place);
        served
    }
}

/// Does what the process was started for, and returns its exit code. Call it first thing in `main`.
///
/// Started by Terraform, it serves until Shutdown, SIGTERM, SIGHUP, SIGQUIT or the end of
/// Terraform; SIGINT is left to Terraform, which asks running operations to stop. Run by hand, it
/// explains itself and returns 1.
///
/// Where Terraform asks for logs, events of this crate and of `log_crates` are written: names of
/// crates as `tracing` targets begin with them, such as `my_provider`.
pub fn serve(
    provider: Arc<dyn Provider>,
    version: &str,
    log_crates: &'static [&'static str],
) -> ExitCode {
    let parent = Parent::now();
    match Invocation::read(std::env::args().skip(1), |name| std::env::var(name).ok()) {
        Ok(Invocation::Version) => {
            print_line(io::stdout(), version);
            ExitCode::SUCCESS
        }
        Ok(Invocation::Interactive) => {
            print_line(
                io::stderr(),
                &handshake::explanation(provider.address(), version),
            );
            ExitCode::FAILURE
        }
        Ok(Invocation::Debug(directories)) => run(provider.clone(), None, log_crates, || {
            PluginProcess::debug(provider, &directories)
        }),
        Ok(Invocation::Plugin(launch)) => run(provider.clone(), Some(parent), log_crates, || {
            PluginProcess::plugin(provider, &launch)
        }),
        Err(error) => report(&error),
    }
}

/// Serves the parent, or without one anybody.
fn run(
    provider: Arc<dyn Provider>,
    parent: Option<Parent>,
    log_crates: &'static [&'static str],
    start: impl FnOnce() -> Result<PluginProcess, StartError>,
) -> ExitCode {
    log::start(
        provider.address().rsplit('/').next().unwrap_or_default(),
        log_crates,
    );
    panic_guard::install_hook();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return report(&error),
    };
    let code = match run_async(&runtime, parent, start) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report(error.as_ref()),
    };
    // Operations that outlived the grace period are not waited for.
    runtime.shutdown_background();
    code
}

fn run_async(
    runtime: &Runtime,
    parent: Option<Parent>,
    start: impl FnOnce() -> Result<PluginProcess, StartError>,
) -> Result<(), Box<dyn std::error::Error>> {
    runtime.block_on(async {
        // From here on none of these signals ends the process by itself, which would leave the
        // socket's directory behind.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let (mut hangup, mut quit) = (heeded(SignalKind::hangup())?, heeded(SignalKind::quit())?);
        let session = start()?;
        let (stop, connected) = (session.stop(), session.connected.clone());
        tokio::spawn(async move {
            let abandoned = async {
                match parent {
                    Some(parent) => parent.gone(connected).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = terminate.recv() => {}
                () = received(&mut hangup) => {}
                () = received(&mut quit) => {}
                Some(()) = interrupt.recv(), if parent.is_none() => {}
                () = abandoned => {}
            }
            stop.end();
        });
        if parent.is_some() {
            print(io::stdout(), &session.handshake_line()).map_err(StartError::NoClient)?;
            detach_stdout();
        } else {
            print_line(
                io::stdout(),
                &format!("TF_REATTACH_PROVIDERS='{}'", session.handshake_line()),
            );
        }
        session.run().await?;
        Ok(())
    })
}

/// A handler for the signal, unless the process was started with the signal ignored: `nohup` must
/// keep its effect.
fn heeded(kind: SignalKind) -> io::Result<Option<Signal>> {
    if ignores(kind) {
        Ok(None)
    } else {
        signal(kind).map(Some)
    }
}

/// Whether the signal was ignored from the start. Only Linux shows this without unsafe code.
fn ignores(kind: SignalKind) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or_default();
    mask & (1 << (kind.as_raw_value() - 1)) != 0
}

async fn received(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Nothing more is said there. Terraform reads it to its end, and where it ends only with the
/// process, a busy machine makes Terraform log an error about it.
fn detach_stdout() {
    if let Ok(nowhere) = File::options().write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stdout(&nowhere);
    }
}

fn report(error: &dyn std::error::Error) -> ExitCode {
    print_line(io::stderr(), &error.to_string());
    ExitCode::FAILURE
}

/// Prints a line. A closed output is no reason to panic.
fn print_line(to: impl Write, text: &str) {
    drop(print(to, text));
}

fn print(mut to: impl Write, text: &str) -> io::Result<()> {
    writeln!(to, "{}", text.trim_end()).and_then(|()| to.flush())
}
