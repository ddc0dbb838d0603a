//! What Terraform connects to: a unix socket in a directory of its own that no other user can
//! enter, so that there is no moment at which another user could connect; or, where no directory
//! serves, a loopback port, where mutual TLS keeps others out.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// Where a client connects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A socket's path, valid UTF-8 without anything that would break the handshake line.
    Unix(String),
    /// A loopback port.
    Tcp(SocketAddr),
}

/// What accepts connections.
pub enum Listener {
    /// For clients of the same user.
    Unix(UnixListener),
    /// For clients that authenticate by TLS.
    Tcp(TcpListener),
}

/// One connection, before TLS.
pub enum Stream {
    /// Over a unix socket.
    Unix(UnixStream),
    /// Over loopback.
    Tcp(TcpStream),
}

/// A listener and its address.
pub struct Socket {
    listener: Listener,
    address: Address,
    place: Option<Place>,
}

/// The files of a socket, removed on drop.
pub struct Place {
    directory: PathBuf,
    path: PathBuf,
}

impl Address {
    /// The network's name, as Go has it, and the address in it.
    pub fn parts(&self) -> (&'static str, String) {
        match self {
            Address::Unix(path) => ("unix", path.clone()),
            Address::Tcp(address) => ("tcp", address.to_string()),
        }
    }
}

impl Listener {
    /// The next connection.
    ///
    /// # Errors
    /// As the system refuses.
    pub async fn accept(&self) -> io::Result<Stream> {
        match self {
            Listener::Unix(listener) => listener
                .accept()
                .await
                .map(|(stream, _)| Stream::Unix(stream)),
            Listener::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream))
            }
        }
    }
}

impl Socket {
    /// Listens in a new directory below the first of `parents` that allows it; needs a running
    /// tokio runtime.
    ///
    /// A parent may be missing, full, read-only, or too long: a socket's path has 107 bytes on
    /// Linux and 103 on macOS.
    ///
    /// # Errors
    /// The first parent's, where none allows it.
    pub fn bind(parents: &[PathBuf]) -> io::Result<Self> {
        let mut first = None;
        for parent in parents {
            match Self::below(parent) {
                Ok(socket) => return Ok(socket),
                Err(error) => {
                    tracing::info!(parent = %parent.display(), %error, "no socket in this directory");
                    first.get_or_insert(error);
                }
            }
        }
        Err(first.unwrap_or_else(|| io::Error::other("no directory for a socket is named")))
    }

    /// Listens below one of `parents`, else on a loopback port, which any user of this machine can
    /// connect to: only for a server that authenticates its client. Needs a running tokio runtime.
    ///
    /// # Errors
    /// Where there is no port either.
    pub fn bind_or_port(parents: &[PathBuf]) -> io::Result<Self> {
        Self::bind(parents).or_else(|_| {
            let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            listener.set_nonblocking(true)?;
            let address = Address::Tcp(listener.local_addr()?);
            Ok(Self {
                listener: Listener::Tcp(TcpListener::from_std(listener)?),
                address,
                place: None,
            })
        })
    }

    fn below(parent: &Path) -> io::Result<Self> {
        let chance = getrandom::u64().map_err(|error| io::Error::other(error.to_string()))?;
        let directory = parent.join(format!("tfp-{chance:016x}"));
        let path = directory.join("s");
        let text = path
            .to_str()
            .filter(|text| !text.contains('|') && !text.contains(char::is_control));
        let text = text
            .ok_or_else(|| io::Error::other("the handshake cannot carry its name"))?
            .to_owned();
        DirBuilder::new().mode(0o700).create(&directory)?;
        let place = Place { path, directory };
        let listener = UnixListener::bind(&place.path)?;
        fs::set_permissions(&place.path, Permissions::from_mode(0o600))?;
        Ok(Self {
            listener: Listener::Unix(listener),
            address: Address::Unix(text),
            place: Some(place),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The listener, and what removes its files once dropped.
    pub fn into_parts(self) -> (Listener, Option<Place>) {
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

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Unix(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tcp(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
