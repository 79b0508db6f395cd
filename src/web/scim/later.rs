//! Does the bulk requests that are to be answered later, one after the other.

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::{
    answer::Refusal,
    bulk::{self, MAX_OPERATIONS},
    resources::base,
    trace::Trace,
};
use crate::{
    app::App,
    audit::{Act, Actor, ActorKind},
    credential,
    directory::scim::asynchronous::{self, Asynchronous},
    event::{self, Answer},
    recorder::{self, Failures},
    scim::{Error, ErrorKind, bulk::Bulk, json},
    secret, space,
    store::{self, Write},
    web::{Fault, ScimClient, log_cause},
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
    let (body, answered) = match opened(app, &request) {
        Ok(body) => {
            let answer = async |tx: &mut Write| answer(tx, app, &request, &body, worker).await;
            let answered = app.db.write(answer).await;
            (body, answered)
        }
        // It can never be done, and those behind it are not to wait for it.
        Err(refusal) => (Map::new(), Err(refusal)),
    };
    match answered {
        Ok(Some((client, refusal))) => super::resources::held(app, &client, &refusal).await?,
        Ok(None) => {}
        Err(refusal) => {
            // It is tried again when the claim ends, unless it can never be done.
            let error = refusal.error().clone();
            if !matches!(error.kind, ErrorKind::Unavailable) {
                let finish =
                    async |tx: &mut Write| refuse(tx, app, &request, &body, worker, &error).await;
                app.db.write(finish).await?;
            }
        }
    }
    Ok(true)
}

/// The body of a request. One that was sealed with another master key is refused as a whole.
fn opened(app: &App, request: &Asynchronous) -> Result<Map<String, Value>, Refusal> {
    let body = app
        .sealer
        .open(&asynchronous::sealed_as(request.id), &request.body_sealed)
        .map_err(|error| Refusal::from(Fault::from(error)))?;
    Ok(json::parse_object(&body)?)
}

/// Notes that a request can never be done.
async fn refuse(
    tx: &mut Write,
    app: &App,
    request: &Asynchronous,
    body: &Map<String, Value>,
    worker: &str,
    error: &Error,
) -> Result<(), Refusal> {
    let told = error.body();
    let outcome = (error.kind.status(), told.to_string());
    let now = app.clock.now();
    if !asynchronous::finish(tx, request, worker, now, (outcome.0, &outcome.1)).await? {
        return Ok(());
    }
    let failures = Failures::whole(&told);
    if let Some(id) = request.recorded_id {
        recorder::amend(tx, request.space_id, id, &[], Some(&failures)).await?;
    }
    let act = act_of(app, request);
    Ok(announce(tx, app, &act, request, body, &none_done(body, error)).await?)
}

/// Does a request and notes its answer, in one transaction.
async fn answer(
    tx: &mut Write,
    app: &App,
    request: &Asynchronous,
    body: &Map<String, Value>,
    worker: &str,
) -> Result<Option<(ScimClient, Refusal)>, Refusal> {
    let client = client_of(tx, app, request).await?;
    let bulk = Bulk::parse(body.clone(), MAX_OPERATIONS)?;
    let mut outcome = bulk::run(tx, app, &client, bulk).await?;
    if let Some(id) = request.recorded_id {
        let failures = outcome.failures();
        let changed = &outcome.audit_ids;
        recorder::amend(tx, request.space_id, id, changed, failures.as_ref()).await?;
    }
    announce(tx, app, &client.act, request, body, &outcome.results).await?;
    let braked = outcome.braked.take();
    let (text, now) = (outcome.answer().to_string(), app.clock.now());
    if !asynchronous::finish(tx, request, worker, now, (200, &text)).await? {
        let detail = "Somebody else does this request";
        return Err(Error::new(ErrorKind::Unavailable, detail).into());
    }
    Ok(braked.map(|refusal| (client, refusal)))
}

/// The client that sent the request, if it may still come in.
async fn client_of(
    tx: &mut Write,
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
    let act = act_of(app, request);
    Ok(ScimClient { act, opened: Arc::new(opened), trace: Trace::default() })
}

/// What is done, by the token that the request came with.
fn act_of(app: &App, request: &Asynchronous) -> Act {
    let actor = Actor {
        kind: ActorKind::ScimClient,
        id: request.credential_id.to_string(),
        name: String::new(),
    };
    Act::new(actor, request.transaction_id.clone(), None, app.clock.now(), app.ids.clone())
}

/// Tells those who listen what came of each operation (RFC 9967 §2.5.1.2).
async fn announce(
    tx: &mut Write,
    app: &App,
    act: &Act,
    request: &Asynchronous,
    body: &Map<String, Value>,
    results: &[(usize, Value)],
) -> store::Result<()> {
    let audience = event::audience(tx, request.space_id).await?;
    if audience.is_empty() {
        return Ok(());
    }
    let (base, operations) = (base(app), operations(body));
    for (index, result) in results {
        // The resource, where there is one; else what the operation names.
        let location = result.get("location").and_then(Value::as_str);
        let resource = location.and_then(|location| location.strip_prefix(&base));
        let path = || member(operations.get(*index)?, "path")?.as_str();
        let uri = resource.or_else(path).filter(|uri| uri.starts_with('/')).unwrap_or("/Bulk");
        let answer = Answer { index: *index, uri, result };
        event::announce_answer(tx, act, request.space_id, &audience, answer).await?;
    }
    Ok(())
}

fn operations(body: &Map<String, Value>) -> &[Value] {
    let list = body.iter().find(|(name, _)| name.eq_ignore_ascii_case("Operations"));
    list.and_then(|(_, list)| list.as_array()).map(Vec::as_slice).unwrap_or_default()
}

fn member<'v>(operation: &'v Value, wanted: &str) -> Option<&'v Value> {
    let mut members = operation.as_object()?.iter();
    members.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
}

/// What came of the operations when none of them was tried.
fn none_done(body: &Map<String, Value>, error: &Error) -> Vec<(usize, Value)> {
    let failed = |operation: &Value| {
        let mut result = Map::new();
        for name in ["method", "bulkId"] {
            if let Some(value) = member(operation, name).filter(|value| value.is_string()) {
                result.insert(name.to_owned(), value.clone());
            }
        }
        result.insert("status".to_owned(), error.kind.status().to_string().into());
        result.insert("response".to_owned(), error.body());
        Value::Object(result)
    };
    operations(body).iter().map(failed).enumerate().collect()
}
