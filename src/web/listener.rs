//! Takes connections, in the clear or through TLS.
//!
//! A TLS handshake takes as long as the client likes, so handshakes go on beside each other, with
//! a time limit, and only connections that have one behind them are served.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use openssl::ssl::{Ssl, SslAcceptor, SslFiletype, SslMethod};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
    task::JoinHandle,
};
use tokio_openssl::SslStream;

use crate::config::Tls;

/// How long a client may take over its handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How many handshakes may be under way.
const MOST_HANDSHAKES: usize = 1024;
/// How long to wait when the machine has no more connections to give.
const EXHAUSTED: Duration = Duration::from_millis(500);

/// Where connections come from.
pub struct Connections {
    source: Source,
}

enum Source {
    Clear(TcpListener),
    Tls { ready: mpsc::Receiver<(SslStream<TcpStream>, SocketAddr)>, accepting: JoinHandle<()> },
}

/// A connection.
pub enum Connection {
    /// In the clear.
    Clear(TcpStream),
    /// Through TLS.
    Tls(SslStream<TcpStream>),
}

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

impl Connections {
    /// Connections of `listener`; through TLS where the settings name a certificate.
    pub fn of(listener: TcpListener, tls: &Tls) -> io::Result<Self> {
        let source = match (&tls.certificate, &tls.key) {
            (Some(certificate), Some(key)) => {
                // TLS 1.2 and 1.3 with the ciphers of Mozilla's intermediate profile.
                let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls())?;
                builder.set_certificate_chain_file(certificate)?;
                builder.set_private_key_file(key, SslFiletype::PEM)?;
                builder.check_private_key()?;
                let (sender, ready) = mpsc::channel(64);
                let accepting = tokio::spawn(accept_tls(listener, builder.build(), sender));
                Source::Tls { ready, accepting }
            }
            _ => Source::Clear(listener),
        };
        Ok(Self { source })
    }

    /// The next connection that can be served.
    pub async fn next(&mut self) -> (Connection, Peer) {
        match &mut self.source {
            Source::Clear(listener) => {
                let (stream, address) = accept(listener).await;
                (Connection::Clear(stream), Peer(address))
            }
            Source::Tls { ready, .. } => match ready.recv().await {
                Some((stream, address)) => (Connection::Tls(stream), Peer(address)),
                // The accepting task only ends with this listener.
                None => std::future::pending().await,
            },
        }
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        if let Source::Tls { accepting, .. } = &self.source {
            accepting.abort();
        }
    }
}

async fn accept_tls(
    listener: TcpListener,
    acceptor: SslAcceptor,
    ready: mpsc::Sender<(SslStream<TcpStream>, SocketAddr)>,
) {
    let places = Arc::new(Semaphore::new(MOST_HANDSHAKES));
    while let Ok(place) = places.clone().acquire_owned().await {
        let (stream, address) = accept(&listener).await;
        let Ok(ssl) = Ssl::new(acceptor.context()) else { continue };
        let Ok(mut stream) = SslStream::new(ssl, stream) else { continue };
        let ready = ready.clone();
        tokio::spawn(async move {
            let shaken = tokio::time::timeout(HANDSHAKE, Pin::new(&mut stream).accept()).await;
            drop(place);
            // A client that does not manage its handshake is none; a closed channel, no server.
            if matches!(shaken, Ok(Ok(()))) {
                let _ = ready.send((stream, address)).await;
            }
        });
    }
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionRefused
                        | io::ErrorKind::ConnectionAborted
                        | io::ErrorKind::ConnectionReset
                ) => {}
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted");
                tokio::time::sleep(EXHAUSTED).await;
            }
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_write(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, buffer),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
