//! The unix socket that Terraform connects to: in a directory of its own that no other user can enter, so that there is
//! no moment at which another user could connect. Both go when this goes.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

/// A listening socket and its directory.
pub struct Socket {
    listener: UnixListener,
    place: Place,
}

/// The files of a socket, removed on drop.
pub struct Place {
    directory: PathBuf,
    path: PathBuf,
}

impl Socket {
    /// Listens in a new directory below `parent`; needs a running tokio runtime.
    ///
    /// # Errors
    /// When the directory cannot be made or the path is too long for a socket (about 100 bytes).
    pub fn bind(parent: &Path) -> io::Result<Self> {
        let chance = getrandom::u64().map_err(|error| io::Error::other(error.to_string()))?;
        let directory = parent.join(format!("tfp-{chance:016x}"));
        DirBuilder::new().mode(0o700).create(&directory)?;
        let place = Place { path: directory.join("s"), directory };
        let listener = UnixListener::bind(&place.path)?;
        fs::set_permissions(&place.path, Permissions::from_mode(0o600))?;
        Ok(Self { listener, place })
    }

    /// Where it listens.
    pub fn path(&self) -> &Path {
        &self.place.path
    }

    /// The listener, and what removes its files once dropped.
    pub fn into_parts(self) -> (UnixListener, Place) {
        (self.listener, self.place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Terraform may have removed its directory already, with all in it.
        drop(fs::remove_file(&self.path));
        drop(fs::remove_dir(&self.directory));
    }
}
