//! A command that finds the sandbox and no real cloud: `awsazure-sandbox run` and `awsazure-sandbox
//! exec`.
//!
//! The clouds outlive the command: Ctrl-C reaches the command alone, which still needs them then.

mod child;

use awsazure_sandbox::control::{self, ControlError};
use awsazure_sandbox::data_dir::{DataDir, DataDirError};
use awsazure_sandbox::server::{Options, ServeError, Server};
use std::ffi::OsString;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use tokio::sync::oneshot;

/// Why a command could not be run to its end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("{}: {error}", program.display())]
    Start { program: OsString, error: io::Error },
    #[error("{0}: {1}")]
    TemporaryDirectory(PathBuf, #[source] io::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error(transparent)]
    Control(#[from] ControlError),
}

impl RunError {
    /// The exit code of this failure, as `env` and `timeout` have it: 127 and 126 where the command
    /// cannot start, else 125.
    pub fn code(&self) -> u8 {
        match self {
            RunError::Start { error, .. } if error.kind() == io::ErrorKind::NotFound => 127,
            RunError::Start { .. } => 126,
            _ => 125,
        }
    }
}

/// Starts a sandbox, runs the command against it, and ends the sandbox. Without a directory the
/// world is temporary.
///
/// Returns the command's exit code, or 128 and the number of the signal that ended it.
pub async fn run(
    directory: Option<&Path>,
    options: &Options,
    command: &[OsString],
) -> Result<u8, RunError> {
    // Dropped last: the sandbox writes to it until it has ended.
    let (directory, _scratch) = match directory {
        Some(path) => (DataDir::open(path)?, None),
        None => {
            let scratch = TemporaryDirectory::new()?;
            (DataDir::open(&scratch.0)?, Some(scratch))
        }
    };
    let signals = child::Signals::listen()?;
    let server = Server::bind(directory, options).await?;
    let environment = server.environment();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.run(async { drop(stopped.await) }));
    let ended = child::run(command, &environment, signals).await;
    drop(stop);
    serving.await.map_err(io::Error::other)??;
    ended
}

/// Runs the command against the sandbox that already serves the directory, and returns its exit
/// code as [`run`] does.
pub async fn exec(directory: &DataDir, command: &[OsString]) -> Result<u8, RunError> {
    let signals = child::Signals::listen()?;
    // Also shows that the sandbox answers.
    control::call(directory, "GET", "faults", "").await?;
    let control = directory.control()?.ok_or(ControlError::NotRunning)?;
    let settings = directory.world()?.ok_or(ControlError::NotRunning)?.settings;
    let environment = directory.environment(&control.address.to_string(), &settings);
    child::run(command, &environment, signals).await
}

/// A directory that is removed on drop.
struct TemporaryDirectory(PathBuf);

impl TemporaryDirectory {
    fn new() -> Result<TemporaryDirectory, RunError> {
        let parent = std::env::temp_dir();
        let path = parent.join(format!(
            "awsazure-sandbox-{}",
            awsazure_sandbox::server::random_hex()
        ));
        let made = DirBuilder::new().mode(0o700).create(&path);
        made.map_err(|error| RunError::TemporaryDirectory(path.clone(), error))?;
        Ok(TemporaryDirectory(path))
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("awsazure-sandbox: {}: {error}", self.0.display());
        }
    }
}
