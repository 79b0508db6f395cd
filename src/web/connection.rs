//! Serves a connection, and closes it on those who hold it without a use.
//!
//! A client has a few seconds to send the head of a request, from its first byte; a connection
//! without a request is closed after a while. Bodies have a time limit where they are read.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use axum::{Extension, Router, extract::ConnectInfo};
use hyper::{
    rt::{Sleep, Timer},
    server::conn::http1,
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::CancellationToken;
use tower::Layer;

use super::listener::{Connection, Peer};
use crate::config;

/// How long a client may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the head of a request, from its first byte.
    head: Duration,
    /// Until the first byte of a request comes.
    idle: Duration,
}

impl From<config::Connections> for Patience {
    fn from(settings: config::Connections) -> Self {
        Self {
            head: Duration::from_secs(settings.head_seconds),
            idle: Duration::from_secs(settings.idle_seconds),
        }
    }
}

/// Serves the requests of a connection one after the other, until one side closes it. Once `stop`
/// is cancelled, the request under way is the last one.
pub async fn serve(
    connection: Connection,
    peer: Peer,
    router: Router,
    patience: Patience,
    stop: CancellationToken,
) {
    let arrival = Arrival::default();
    let watched = TokioIo::new(Watched { connection, arrival: arrival.clone() });
    let service = TowerToHyperService::new(Extension(ConnectInfo(peer)).layer(router));
    let mut serving = std::pin::pin!(
        http1::Builder::new()
            .timer(Watch { arrival, head: patience.head })
            .header_read_timeout(patience.idle)
            .serve_connection(watched, service)
    );
    let served = tokio::select! {
        served = serving.as_mut() => served,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// When the first byte came since the server last began to wait for a request.
#[derive(Clone, Debug, Default)]
struct Arrival(Arc<Mutex<Option<Instant>>>);

impl Arrival {
    fn with<T>(&self, work: impl FnOnce(&mut Option<Instant>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A connection that notes when something comes.
struct Watched {
    connection: Connection,
    arrival: Arrival,
}

impl AsyncRead for Watched {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut this.connection).poll_read(context, buffer));
        if buffer.filled().len() > before {
            this.arrival.with(|first| *first.get_or_insert_with(Instant::now));
        }
        Poll::Ready(read)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.get_mut().connection).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().connection).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().connection).poll_shutdown(context)
    }
}

/// The timer that hyper asks for when it begins to wait for a request. What it gets ends when the
/// idle time is over, or earlier: the time for a head after its first byte.
struct Watch {
    arrival: Arrival,
    head: Duration,
}

impl Timer for Watch {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(Instant::now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        // Bytes of this request that came with the one before are not seen again; then the idle
        // time is what it has.
        self.arrival.with(|first| *first = None);
        Box::pin(Waiting {
            arrival: self.arrival.clone(),
            head: self.head,
            end: deadline,
            sleep: Box::pin(tokio::time::sleep_until(deadline.into())),
        })
    }
}

struct Waiting {
    arrival: Arrival,
    head: Duration,
    end: Instant,
    sleep: Pin<Box<tokio::time::Sleep>>,
}

impl Sleep for Waiting {}

impl Future for Waiting {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        // It is asked whenever something came and was no whole head.
        if let Some(first) = this.arrival.with(|first| *first) {
            let end = first + this.head;
            if end < this.end {
                this.end = end;
                this.sleep.as_mut().reset(end.into());
            }
        }
        this.sleep.as_mut().poll(context)
    }
}
