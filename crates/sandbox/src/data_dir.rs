//! What a running sandbox keeps in its directory.
//!
//! | file | holds |
//! |---|---|
//! | `ca.pem`, `ca-key.pem` | the certificate authority, made once |
//! | `env` | shell exports with which every client reaches the sandbox |
//! | `world.json` | the state, read again at start; shared keys are in it, so it is for the owner only |
//! | `calls.jsonl` | a line a call |
//! | `violations.txt` | a line for everything that broke the clouds' schemas, once something did |
//! | `control.json` | address and token with which the other commands reach the running sandbox |
//! | `lock` | locked while a sandbox serves the directory |
//! | `az` | what Azure's command line keeps, apart from the user's own sessions |

use crate::environment::Environment;
use crate::tls::{Authority, TlsError};
use crate::world::{Settings, World};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Why the directory could not be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    #[error("{0}: {1}")]
    Io(PathBuf, #[source] io::Error),
    #[error("{0}: {1}")]
    Json(PathBuf, #[source] serde_json::Error),
    #[error("{0} does not exist: no sandbox has run there")]
    Missing(PathBuf),
    #[error(
        "{0} is in use by another sandbox. Run commands against that one with `awsazure-sandbox exec`, or choose another directory"
    )]
    InUse(PathBuf),
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Where the running sandbox listens to the other commands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Control {
    /// Socket address, such as `127.0.0.1:4566`.
    pub address: std::net::SocketAddr,
    pub token: String,
}

#[derive(Clone, Debug)]
pub struct DataDir {
    path: PathBuf,
}

impl DataDir {
    /// An existing directory, or a new one.
    pub fn open(path: &Path) -> Result<DataDir, DataDirError> {
        fs::create_dir_all(path).map_err(|error| DataDirError::Io(path.to_owned(), error))?;
        let path = path
            .canonicalize()
            .map_err(|error| DataDirError::Io(path.to_owned(), error))?;
        Ok(DataDir { path })
    }

    /// A directory that a sandbox has been started in.
    pub fn existing(path: &Path) -> Result<DataDir, DataDirError> {
        match path.canonicalize() {
            Ok(path) => Ok(DataDir { path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(DataDirError::Missing(path.to_owned()))
            }
            Err(error) => Err(DataDirError::Io(path.to_owned(), error)),
        }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn read(&self, name: &str) -> Result<Option<String>, DataDirError> {
        match fs::read_to_string(self.file(name)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(DataDirError::Io(self.file(name), error)),
        }
    }

    /// Replaces a file in one step; what is not `public` only the owner reads.
    pub fn write(&self, name: &str, text: &[u8], public: bool) -> Result<(), DataDirError> {
        let (path, fresh) = (self.file(name), self.file(&format!(".{name}.new")));
        let put = || -> io::Result<()> {
            let mode = if public { 0o644 } else { 0o600 };
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(mode)
                .open(&fresh)?;
            file.write_all(text)?;
            fs::rename(&fresh, &path)
        };
        put().map_err(|error| DataDirError::Io(path.clone(), error))
    }

    fn json<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<Option<T>, DataDirError> {
        let Some(text) = self.read(name)? else {
            return Ok(None);
        };
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|error| DataDirError::Json(self.file(name), error))
    }

    /// The authority of earlier runs, or a new one.
    pub fn authority(&self) -> Result<Authority, DataDirError> {
        if let (Some(certificate), Some(key)) = (self.read("ca.pem")?, self.read("ca-key.pem")?) {
            return Ok(Authority { certificate, key });
        }
        let authority = Authority::generate()?;
        self.write("ca-key.pem", authority.key.as_bytes(), false)?;
        self.write("ca.pem", authority.certificate.as_bytes(), true)?;
        Ok(authority)
    }

    /// The certificate that clients trust, when a sandbox has run here.
    pub fn trusted(&self) -> Result<Option<String>, DataDirError> {
        self.read("ca.pem")
    }

    /// The world of earlier runs.
    pub fn world(&self) -> Result<Option<World>, DataDirError> {
        self.json("world.json")
    }

    pub fn save(&self, world: &[u8]) -> Result<(), DataDirError> {
        self.write("world.json", world, false)
    }

    /// Adds lines to what broke the clouds' schemas.
    pub fn violations(&self, lines: &[String]) -> Result<(), DataDirError> {
        let path = self.file("violations.txt");
        let put = || -> io::Result<()> {
            let mut file = OpenOptions::new().append(true).create(true).open(&path)?;
            file.write_all((lines.join("\n") + "\n").as_bytes())
        };
        put().map_err(|error| DataDirError::Io(path.clone(), error))
    }

    pub fn control(&self) -> Result<Option<Control>, DataDirError> {
        self.json("control.json")
    }

    pub fn write_control_file(&self, control: &Control) -> Result<(), DataDirError> {
        let text = serde_json::to_vec(control)
            .map_err(|error| DataDirError::Json(self.file("control.json"), error))?;
        self.write("control.json", &text, false)
    }

    pub fn remove_control_file(&self) {
        // Gone already is as good.
        let _ = fs::remove_file(self.file("control.json"));
    }

    /// The call log, to be appended to.
    pub fn calls(&self) -> Result<File, DataDirError> {
        let path = self.file("calls.jsonl");
        OpenOptions::new()
            .append(true)
            .create(true)
            .open(&path)
            .map_err(|error| DataDirError::Io(path, error))
    }

    /// The variables that lead clients to the sandbox of this directory, which listens at
    /// `authority`.
    pub fn environment(&self, authority: &str, settings: &Settings) -> Environment {
        Environment::new(authority, &self.path, settings)
    }

    /// Writes `env`.
    pub fn write_env(&self, authority: &str, settings: &Settings) -> Result<(), DataDirError> {
        self.write(
            "env",
            self.environment(authority, settings).shell().as_bytes(),
            true,
        )
    }

    /// Keeps other sandboxes out of the directory until the lock is dropped or this process ends.
    pub fn lock(&self) -> Result<Lock, DataDirError> {
        let path = self.file("lock");
        let open = || {
            OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(&path)
        };
        let file = open().map_err(|error| DataDirError::Io(path.clone(), error))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock(file)),
            Err(TryLockError::WouldBlock) => Err(DataDirError::InUse(self.path.clone())),
            Err(TryLockError::Error(error)) => Err(DataDirError::Io(path, error)),
        }
    }
}

/// The exclusive right to serve a directory. The system releases it when the process ends, however
/// it ends.
#[derive(Debug)]
pub struct Lock(#[allow(dead_code, reason = "held for its drop")] File);
