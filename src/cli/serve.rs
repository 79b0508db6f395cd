//! `identity-center serve`: runs the server until it is told to stop.

use anyhow::Context;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

use crate::{app::App, server};

/// Serves until SIGINT or SIGTERM.
pub async fn run(app: App) -> anyhow::Result<()> {
    let listen = app.settings.listen;
    let listener =
        TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    tracing::info!(%listen, public_url = %app.settings.public_url, "serving");
    server::serve(app, listener, stop_on_signal()?).await?;
    Ok(())
}

/// A token that the first SIGINT or SIGTERM cancels.
pub fn stop_on_signal() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let cancelled = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping");
        cancelled.cancel();
    });
    Ok(stop)
}
