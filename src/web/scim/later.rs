//! Does the bulk requests that are to be answered later, one after the other.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{
    answer::Refusal,
    bulk::{self, MAX_OPERATIONS},
    trace::Trace,
};
use crate::{
    app::App,
    audit::{Act, Actor, ActorKind},
    credential,
    directory::scim::asynchronous::{self, Asynchronous},
    scim::{Error, ErrorKind, bulk::Bulk, json},
    secret, space, store,
    web::{ScimClient, log_cause},
};

/// How often other processes' requests are looked for.
const POLL: Duration = Duration::from_secs(1);

/// Does what waits until `stop`.
pub async fn run_until(app: &App, stop: CancellationToken) -> Result<(), secret::Error> {
    let worker = format!("later-{}", secret::random_readable::<12>()?);
    while !stop.is_cancelled() {
        match next(app, &worker).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(refusal) => log_cause(refusal.error()),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = app.later.notified() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
    Ok(())
}

/// Does one request; false when none waits.
async fn next(app: &App, worker: &str) -> Result<bool, Refusal> {
    let now = app.clock.now();
    let Some(request) = app
        .db
        .write(async |tx| -> store::Result<_> { asynchronous::claim(tx, worker, now).await })
        .await?
    else {
        return Ok(false);
    };
    let answered = app.db.write(async |tx| answer(tx, app, &request, worker).await).await;
    match answered {
        Ok(Some((client, refusal))) => super::resources::held(app, &client, &refusal).await?,
        Ok(None) => {}
        Err(refusal) => {
            // It is tried again when the claim ends, unless it can never be done.
            let error = refusal.error().clone();
            if !matches!(error.kind, ErrorKind::Unavailable) {
                finish_with(app, &request, worker, &error).await?;
            }
        }
    }
    Ok(true)
}

async fn finish_with(
    app: &App,
    request: &Asynchronous,
    worker: &str,
    error: &Error,
) -> Result<(), Refusal> {
    let now = app.clock.now();
    let body = error.body().to_string();
    let outcome = (error.kind.status(), body.as_str());
    app.db
        .write(async |tx| -> store::Result<_> {
            asynchronous::finish(tx, request, worker, now, outcome).await
        })
        .await?;
    Ok(())
}

/// Does a request and notes its answer, in one transaction.
async fn answer(
    tx: &mut store::Write,
    app: &App,
    request: &Asynchronous,
    worker: &str,
) -> Result<Option<(ScimClient, Refusal)>, Refusal> {
    let client = client_of(tx, app, request).await?;
    let bulk = Bulk::parse(json::parse_object(request.body.as_bytes())?, MAX_OPERATIONS)?;
    let outcome = bulk::run(tx, app, &client, bulk).await?;
    let text = outcome.answer.to_string();
    let now = app.clock.now();
    if !asynchronous::finish(tx, request, worker, now, (200, &text)).await? {
        let detail = "Somebody else does this request";
        return Err(Error::new(ErrorKind::Unavailable, detail).into());
    }
    Ok(outcome.braked.map(|refusal| (client, refusal)))
}

/// The client that sent the request, if it may still come in.
async fn client_of(
    tx: &mut store::Write,
    app: &App,
    request: &Asynchronous,
) -> Result<ScimClient, Refusal> {
    let refuse = |detail: &str| Refusal::from(Error::new(ErrorKind::Forbidden, detail));
    let Some(space) = space::space(tx, request.space_id).await? else {
        return Err(refuse("The space is gone"));
    };
    let mut tokens = credential::list(tx, space.id).await?.into_iter();
    let now = app.clock.now();
    let token = tokens.find(|token| token.id == request.credential_id);
    let Some(token) = token.filter(|token| token.enabled && token.expires_at > now) else {
        return Err(refuse("The token was switched off, or has expired, before this was done"));
    };
    if !space.scim_enabled {
        return Err(refuse("SCIM was switched off before this was done"));
    }
    let opened = credential::open(tx, &space, token).await?;
    let actor = Actor {
        kind: ActorKind::ScimClient,
        id: opened.credential.id.to_string(),
        name: String::new(),
    };
    let act = Act::new(actor, request.transaction_id.clone(), None, now, app.ids.clone());
    Ok(ScimClient { act, opened: Arc::new(opened), trace: Trace::default() })
}
