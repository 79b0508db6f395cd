//! A running server: starts it, serves, and stops it without losing anything.

use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    app::App,
    cloud, event, sso,
    store::{self, forget_expired_sessions},
    web::{
        self,
        listener::{Connections, Peer},
    },
};

/// How long requests under way may take once the server is to stop.
const LAST_REQUESTS: Duration = Duration::from_secs(20);
/// How often what has expired is swept away.
const SWEEP: Duration = Duration::from_mins(10);

/// Serves until `stop` is cancelled. Then no new connection is taken, requests under way are
/// finished, tasks under way are handed back, and the database is closed.
pub async fn serve(
    app: App,
    listener: TcpListener,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let worker = app.worker().map_err(std::io::Error::other)?;
    let working = stop.clone();
    let worker = tokio::spawn(async move { worker.run_until(working).await });
    let courier = app.courier().map_err(std::io::Error::other)?;
    let delivering = stop.clone();
    let courier = tokio::spawn(async move { courier.run_until(delivering).await });
    let sweeper = tokio::spawn(sweep(app.clone(), stop.clone()));
    // It outlives the requests, whose last entries it writes.
    let recorded = CancellationToken::new();
    let (recording, recorder) = (recorded.clone(), app.clone());
    let recorder = tokio::spawn(async move {
        let failed = |error: &store::Error| web::log_cause(error);
        recorder.recorder.run_until(&recorder.db, recording, failed).await;
    });
    let router = web::router(app.clone()).into_make_service_with_connect_info::<Peer>();
    let connections = Connections::of(listener, &app.settings.tls)?;
    let serving = axum::serve(connections, router)
        .with_graceful_shutdown(stop.clone().cancelled_owned())
        .into_future();
    let overdue = async {
        stop.cancelled().await;
        tokio::time::sleep(LAST_REQUESTS).await;
    };
    let served = tokio::select! {
        served = serving => served,
        () = overdue => {
            tracing::warn!("some requests did not end in time");
            Ok(())
        }
    };
    stop.cancel();
    // They end by themselves; if one panicked, that has been reported.
    let _ = worker.await;
    let _ = courier.await;
    let _ = sweeper.await;
    recorded.cancel();
    let _ = recorder.await;
    app.db.close().await;
    served
}

/// Sweeps away what has expired: it counts for nothing already, so this is housekeeping only.
async fn sweep(app: App, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(SWEEP)).await.is_some() {
        let now = app.clock.now();
        let swept: Result<(), store::Error> = app
            .db
            .write(async |tx| {
                forget_expired_sessions(tx, now).await?;
                sso::forget_expired(tx, now).await?;
                cloud::forget_expired(tx, now).await
            })
            .await;
        if let Err(error) = swept {
            web::log_cause(&error);
        }
        let before = now.plus_seconds(-app.settings.events.retention);
        // Little by little, so that nobody waits for long.
        loop {
            match app.db.write(async |tx| event::forget_old(tx, before).await).await {
                Ok(true) if !stop.is_cancelled() => {}
                Ok(_) => break,
                Err(error) => {
                    web::log_cause(&error);
                    break;
                }
            }
        }
    }
}
