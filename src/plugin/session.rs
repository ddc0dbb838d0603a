//! The life of a provider process: start, answer Terraform's handshake, serve until told to end, leave nothing behind.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::process::parent_id;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tonic::transport::Server;

use super::connection;
use super::handshake::{self, Launch, Purpose};
use super::log;
use super::protocol::goplugin::grpc_broker_server::GrpcBrokerServer;
use super::protocol::goplugin::grpc_controller_server::GrpcControllerServer;
use super::protocol::goplugin::grpc_stdio_server::GrpcStdioServer;
use super::protocol::health::health_server::HealthServer;
use super::protocol::tfplugin6::provider_server::ProviderServer;
use super::provider::Provider;
use super::server::{Handlers, Housekeeping, panics};
use super::socket::Socket;
use super::stop::Stop;
use super::tls::{ServerTls, TlsError};

/// Largest message, both ways: what Terraform itself allows.
const LARGEST_MESSAGE: usize = 256 << 20;

/// HTTP/2 window: a large state in few round trips.
const WINDOW: u32 = 1 << 20;

/// How long answers on their way may take once the process is to end. Terraform kills after two seconds.
const GRACE: Duration = Duration::from_millis(1500);

/// How often to look whether Terraform is still there.
const WATCH: Duration = Duration::from_secs(1);

/// Why the process cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The system gives no socket, thread or signal handler.
    #[error("cannot listen: {0}")]
    Io(#[from] io::Error),
    /// There is no TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A provider that listens.
pub struct Session {
    socket: Socket,
    tls: Option<ServerTls>,
    stop: Arc<Stop>,
    provider: Arc<dyn Provider>,
}

impl Session {
    /// Listens for the client that launched it; needs a running tokio runtime.
    ///
    /// # Errors
    /// When there is no socket to be had, or the client's certificate is none.
    pub fn launched(provider: Arc<dyn Provider>, launch: &Launch) -> Result<Self, StartError> {
        let tls = ServerTls::pinned_to(&launch.client_certificate)?;
        let socket = Socket::bind(&launch.socket_directory)?;
        Ok(Self { socket, tls: Some(tls), stop: Arc::default(), provider })
    }

    /// Listens without TLS for any client of the same user; needs a running tokio runtime.
    ///
    /// # Errors
    /// When there is no socket to be had.
    pub fn debug(provider: Arc<dyn Provider>, directory: &Path) -> Result<Self, StartError> {
        Ok(Self { socket: Socket::bind(directory)?, tls: None, stop: Arc::default(), provider })
    }

    /// What to print: the handshake line, or with no TLS the setting of `TF_REATTACH_PROVIDERS`.
    pub fn line(&self) -> String {
        match &self.tls {
            Some(tls) => handshake::line(self.socket.path(), &tls.certificate),
            None => handshake::reattach(self.provider.address(), self.socket.path()),
        }
    }

    /// Where it listens.
    pub fn path(&self) -> &Path {
        self.socket.path()
    }

    /// What ends it.
    pub fn stop(&self) -> Arc<Stop> {
        Arc::clone(&self.stop)
    }

    /// Serves until it is to end, then removes the socket.
    ///
    /// # Errors
    /// When the transport fails as a whole.
    pub async fn run(self) -> Result<(), tonic::transport::Error> {
        let Self { socket, tls, stop, provider } = self;
        let ending = stop.ending().clone();
        let (listener, place) = socket.into_parts();
        let incoming = connection::accept(listener, tls.map(|tls| tls.config), ending.clone());
        let handlers = ProviderServer::new(Handlers::new(provider, Arc::clone(&stop)))
            .max_decoding_message_size(LARGEST_MESSAGE)
            .max_encoding_message_size(LARGEST_MESSAGE);
        let housekeeping = Housekeeping::new(stop);
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
            tokio::time::sleep(GRACE).await;
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
/// Started by Terraform, it serves until Shutdown, SIGTERM or the end of Terraform; SIGINT is left to Terraform, which
/// asks running operations to stop. Run by hand, it explains itself and returns 1.
pub fn serve(provider: Arc<dyn Provider>, version: &str) -> ExitCode {
    match Purpose::read(std::env::args().skip(1), |name| std::env::var(name).ok()) {
        Ok(Purpose::Version) => {
            say(io::stdout(), version);
            ExitCode::SUCCESS
        }
        Ok(Purpose::ByHand) => {
            say(io::stderr(), &handshake::explanation(provider.address(), version));
            ExitCode::FAILURE
        }
        Ok(Purpose::Debug(directory)) => run(provider.clone(), false, || Session::debug(provider, &directory)),
        Ok(Purpose::Plugin(launch)) => run(provider.clone(), true, || Session::launched(provider, &launch)),
        Err(error) => fail(&error),
    }
}

fn run(provider: Arc<dyn Provider>, launched: bool, start: impl FnOnce() -> Result<Session, StartError>) -> ExitCode {
    log::start(provider.address().rsplit('/').next().unwrap_or_default());
    panics::keep_quiet();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    let code = match live(&runtime, launched, start) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(error.as_ref()),
    };
    // Operations that outlived the grace period are not waited for.
    runtime.shutdown_background();
    code
}

fn live(
    runtime: &Runtime,
    launched: bool,
    start: impl FnOnce() -> Result<Session, StartError>,
) -> Result<(), Box<dyn std::error::Error>> {
    runtime.block_on(async {
        // From here on neither signal ends the process by itself.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let session = start()?;
        let stop = session.stop();
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                Some(()) = interrupt.recv(), if !launched => {}
                () = orphaned(), if launched => {}
            }
            stop.end();
        });
        if launched {
            say(io::stdout(), &session.line());
            // A stdout that stays open is a blemish in Terraform's log, no reason to stop.
            drop(leave_stdout());
        } else {
            say(io::stdout(), &format!("TF_REATTACH_PROVIDERS='{}'", session.line()));
        }
        session.run().await?;
        Ok(())
    })
}

/// Puts the null device in place of stdout, on which nothing more is to come. The reader sees the end now: at the end of the
/// process go-plugin would close its end of the pipe while it still reads, and log that as an error.
fn leave_stdout() -> io::Result<()> {
    let null = OpenOptions::new().write(true).open("/dev/null")?;
    Ok(rustix::stdio::dup2_stdout(null)?)
}

/// Waits until the process that started this one is gone, which leaves nobody to serve. Its stdin tells nothing:
/// Terraform gives providers the null device.
async fn orphaned() {
    let parent = parent_id();
    while parent_id() == parent {
        tokio::time::sleep(WATCH).await;
    }
}

fn fail(error: &dyn std::error::Error) -> ExitCode {
    say(io::stderr(), &error.to_string());
    ExitCode::FAILURE
}

/// Prints a line. Nobody may be listening, which is no reason to panic.
fn say(mut to: impl Write, text: &str) {
    drop(writeln!(to, "{}", text.trim_end()).and_then(|()| to.flush()));
}
