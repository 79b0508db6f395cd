//! A running server: starts it, serves, and stops it without losing anything.

use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    app::App,
    audit::unproved,
    cloud, directory, event, expiry,
    provisioning::drift,
    recorder, request, space, sso,
    store::{self, Door, Timestamp, forget_expired_sessions},
    web::{self, connection, listener::Connections},
};

/// How long requests under way may take once the server is to stop.
const LAST_REQUESTS: Duration = Duration::from_secs(20);
/// Seconds for which an answer that was for later is kept.
const KEPT_ANSWERS: i64 = 86_400;
/// How often what has expired is swept away.
const SWEEP: Duration = Duration::from_mins(10);
/// How often assignments are looked for whose end has come.
const ENDS: Duration = Duration::from_secs(1);
/// How many of them are taken away at a time.
const MOST_ENDS: i64 = 200;

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
    let fetcher = app.fetcher().map_err(std::io::Error::other)?;
    let fetching = stop.clone();
    let fetcher = tokio::spawn(async move { fetcher.run_until(fetching).await });
    let (later, answering) = (app.clone(), stop.clone());
    let later = tokio::spawn(async move { web::scim::run_until(&later, answering).await });
    let ending = tokio::spawn(end_what_is_due(app.clone(), stop.clone()));
    let sweeper = tokio::spawn(sweep(app.clone(), stop.clone()));
    // It outlives the requests, whose last entries it writes.
    let recorded = CancellationToken::new();
    let (recording, recorder) = (recorded.clone(), app.clone());
    let recorder = tokio::spawn(async move {
        let failed = |error: &store::Error| web::log_cause(error);
        recorder.recorder.run_until(&recorder.db, recording, failed).await;
    });
    let connections = Connections::of(listener, &app.settings.tls)?;
    take_requests(&app, connections, &stop).await;
    // They end by themselves; if one panicked, that has been reported.
    let _ = worker.await;
    let _ = courier.await;
    let _ = fetcher.await;
    let _ = later.await;
    let _ = ending.await;
    let _ = sweeper.await;
    recorded.cancel();
    let _ = recorder.await;
    app.db.close().await;
    Ok(())
}

/// Serves connections until `stop`, and then what is under way on them.
async fn take_requests(app: &App, mut connections: Connections, stop: &CancellationToken) {
    let router = web::router(app.clone());
    let patience = app.settings.connections.into();
    let under_way = TaskTracker::new();
    while let Some((connection, peer)) = stop.run_until_cancelled(connections.next()).await {
        let (router, stop) = (router.clone(), stop.clone());
        under_way.spawn(connection::serve(connection, peer, router, patience, stop));
    }
    drop(connections);
    under_way.close();
    if tokio::time::timeout(LAST_REQUESTS, under_way.wait()).await.is_err() {
        tracing::warn!("some requests did not end in time");
    }
}

/// Takes away the assignments whose end has come, a moment after it has. Every replica does; what
/// one has begun another ends.
async fn end_what_is_due(app: App, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(ENDS)).await.is_some() {
        let ended = async {
            let act = app.own_act("requests").map_err(web::Fault::from)?;
            Ok::<_, web::Fault>(request::end_due(&app.db, &act, MOST_ENDS).await?)
        };
        if let Err(error) = ended.await {
            web::log_cause(&error);
        }
    }
}

/// Sweeps away what has expired: it counts for nothing already, so this is housekeeping only.
async fn sweep(app: App, stop: CancellationToken) {
    let lasts = app.settings.sessions;
    let idle = [
        (Door::Portal, lasts.portal_idle),
        (Door::Console, lasts.console_idle),
        (Door::Cloud, lasts.console_idle),
    ];
    while stop.run_until_cancelled(tokio::time::sleep(SWEEP)).await.is_some() {
        let now = app.clock.now();
        let swept: Result<(), store::Error> = app
            .db
            .write(async |tx| {
                forget_expired_sessions(tx, now, &idle).await?;
                sso::forget_expired(tx, now).await?;
                sso::forget_proposals(tx, now).await?;
                cloud::forget_expired(tx, now).await
            })
            .await;
        if let Err(error) = swept {
            web::log_cause(&error);
        }
        let orphans = app.db.write(async |tx| request::forget_orphans(tx).await).await;
        if let Err(error) = orphans {
            web::log_cause(&error);
        }
        let lapsed = async {
            let act = app.own_act("requests").map_err(web::Fault::from)?;
            let lapsing = app.db.write(async |tx| request::lapse(tx, &act, MOST_ENDS).await);
            lapsing.await.map_err(web::Fault::from)
        };
        if let Err(error) = lapsed.await {
            web::log_cause(&error);
        }
        if let Err(error) = warn_of_ends(&app).await {
            web::log_cause(&error);
        }
        if let Err(error) = look_for_drift(&app).await {
            web::log_cause(&error);
        }
        if let Err(error) = sweep_directories(&app, now).await {
            web::log_cause(&error);
        }
        let before = now.plus_seconds(-app.settings.events.retention);
        let kept = |days: i64| now.plus_seconds(-days * 86_400);
        let (attempts, tests) =
            (kept(app.settings.saml.trace_days), kept(app.settings.saml.test_days));
        // Little by little, so that nobody waits for long.
        loop {
            let forgotten: Result<bool, store::Error> = app
                .db
                .write(async |tx| {
                    unproved::forget(tx, attempts).await?;
                    let more = event::forget_old(tx, before).await?;
                    Ok(sso::forget_old(tx, attempts, tests).await? || more)
                })
                .await;
            match forgotten {
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

/// Warns of what ends soon, space by space.
async fn warn_of_ends(app: &App) -> Result<(), web::Fault> {
    for space in app.db.read(async |tx| space::spaces(tx).await).await? {
        let act = app.own_act("expiry")?;
        expiry::warn(&app.db, &act, space.id).await?;
    }
    Ok(())
}

/// Has the accounts of every space looked at that are due.
async fn look_for_drift(app: &App) -> Result<(), web::Fault> {
    let interval = app.settings.drift.interval_hours.saturating_mul(3600);
    if interval == 0 {
        return Ok(());
    }
    for space in app.db.read(async |tx| space::spaces(tx).await).await? {
        let act = app.own_act("drift")?;
        app.db.write(async |tx| drift::schedule(tx, &act, space.id, interval).await).await?;
    }
    Ok(())
}

/// Forgets old requests of directories and answers that were for later, and folds counters.
async fn sweep_directories(app: &App, now: Timestamp) -> Result<(), store::Error> {
    let answered = now.plus_seconds(-KEPT_ANSWERS);
    app.db
        .write(async |tx| -> store::Result<()> {
            directory::scim::asynchronous::forget_finished(tx, answered).await?;
            directory::fold_counts(tx).await
        })
        .await?;
    for space in app.db.read(async |tx| space::spaces(tx).await).await? {
        let settings = &space.scim_settings.0;
        let before = now.plus_seconds(-settings.record_days.saturating_mul(86_400));
        let most = settings.record_megabytes.saturating_mul(1024 * 1024);
        // Little by little, so that nobody waits for long.
        while app
            .db
            .write(async |tx| recorder::forget_old(tx, space.id, before, most).await)
            .await?
            > 0
        {}
    }
    Ok(())
}
