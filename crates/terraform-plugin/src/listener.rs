//! Connections as they come in at the socket, each through its TLS handshake without holding up the
//! others.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;

use super::request::Cancel;
use super::socket::{Listener, Stream};

/// How long a client may take over its TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Pause after the system refused to accept, for want of file descriptors say.
const REFUSED: Duration = Duration::from_millis(100);

/// A connection to Terraform.
pub enum Connection {
    /// Without TLS, while debugging.
    Plain(Stream),
    /// With mutual TLS.
    Tls(Box<TlsStream<Stream>>),
}

/// Accepts connections until `ending`; those that fail their handshake are dropped with a log line.
/// The first that does not sets `connected`.
pub fn accept(
    listener: Listener,
    tls: Option<Arc<ServerConfig>>,
    ending: Cancel,
    connected: Cancel,
) -> ReceiverStream<io::Result<Connection>> {
    let (sender, receiver) = mpsc::channel(16);
    tokio::spawn(async move {
        loop {
            let accepted = tokio::select! {
                () = ending.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok(stream) => {
                    let (tls, sender, connected) = (tls.clone(), sender.clone(), connected.clone());
                    tokio::spawn(async move {
                        if let Some(connection) = handshake(stream, tls).await {
                            connected.cancel();
                            // The receiver is gone when the process is ending.
                            drop(sender.send(Ok(connection)).await);
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(REFUSED).await;
                }
            }
        }
    });
    ReceiverStream::new(receiver)
}

async fn handshake(stream: Stream, tls: Option<Arc<ServerConfig>>) -> Option<Connection> {
    let Some(config) = tls else {
        return Some(Connection::Plain(stream));
    };
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, TlsAcceptor::from(config).accept(stream)).await {
        Ok(Ok(stream)) => Some(Connection::Tls(Box::new(stream))),
        Ok(Err(error)) => {
            tracing::info!(%error, "refused a connection");
            None
        }
        Err(_) => {
            tracing::info!("refused a connection that took too long over its handshake");
            None
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Connection::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Connection::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Connection::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Connection::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Connection::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Connection::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Connection::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Connection::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
