//! `/Bulk` (RFC 7644 §3.7), answered at once or later.
//!
//! All operations share one transaction and each is an attempt of its own in it: one that fails
//! changes nothing and leaves the others alone.

use axum::{
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value};

use super::{
    answer::{self, Refusal},
    body,
    perform::{Operation, perform},
    resources::base,
    trace::Effect,
};
use crate::{
    app::App,
    directory::scim::{
        self as directory, NewUser, Push, ResourceKind, Show, View,
        asynchronous::{self, Accepted, Progress},
    },
    id::{AsynchronousRequestId, AuditId},
    recorder::Failures,
    scim::{
        self, Error, ErrorKind,
        bulk::{Bulk, Done, Endpoint, Failure, Method, Run, Step, Unit},
        projection::Projection,
        version::Precondition,
    },
    store::{self, Write},
    web::{Fault, ScimClient},
};

/// Operations in one request, at most.
pub const MAX_OPERATIONS: usize = 1000;

const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
const SET_TXN: HeaderName = HeaderName::from_static("set-txn");
/// Seconds after which a client may look again for an answer.
const LOOK_AGAIN: u64 = 1;

/// What a bulk request came to.
pub(super) struct Outcome {
    /// What came of each operation that was tried, with its place in the request.
    pub results: Vec<(usize, Value)>,
    /// The audit records of what it changed.
    pub audit_ids: Vec<AuditId>,
    /// What the mass-change brake said to one of its operations.
    pub braked: Option<Refusal>,
}

impl Outcome {
    /// The BulkResponse.
    pub fn answer(self) -> Value {
        scim::bulk::response(self.results.into_iter().map(|(_, result)| result))
    }

    /// What failed of it.
    pub fn failures(&self) -> Option<Failures> {
        Failures::of(self.results.iter().map(|(index, result)| (*index, result)))
    }
}

pub async fn bulk(
    State(app): State<App>,
    client: ScimClient,
    request: Request,
) -> Result<Response, Refusal> {
    let later = wants_later(request.headers());
    let object = body::object(&app, &client, request, body::GROUP_LIMIT).await?;
    if later {
        return answer_later(&app, &client, object).await;
    }
    let bulk = Bulk::parse(object, MAX_OPERATIONS)?;
    let outcome = app
        .db
        .write(async |tx| -> Result<Outcome, Refusal> {
            let outcome = run(tx, &app, &client, bulk).await?;
            let effect = Effect {
                audit_ids: outcome.audit_ids.clone(),
                failures: outcome.failures(),
                ..Effect::default()
            };
            client.trace.record(tx, &client.act, 200, effect).await?;
            Ok(outcome)
        })
        .await?;
    client.trace.committed();
    if let Some(refusal) = &outcome.braked {
        super::resources::held(&app, &client, refusal).await?;
    }
    Ok(answer::json(200, &outcome.answer()))
}

/// Does the operations in this transaction.
pub(super) async fn run(
    tx: &mut Write,
    app: &App,
    client: &ScimClient,
    bulk: Bulk,
) -> Result<Outcome, Refusal> {
    let base = base(app);
    let mut run = bulk.start(|endpoint| {
        let kind = kind_of(endpoint);
        kind.show(client.act.new_id::<crate::id::UserId>().0)
    });
    let mut outcome = Outcome { results: Vec::new(), audit_ids: Vec::new(), braked: None };
    // Values of registered attributes are looked up one by one.
    let types = &client.opened.types;
    let together = if types.has_registered() { 1 } else { directory::MOST_USERS };
    loop {
        let mut units = run.next_units(together);
        if units.is_empty() {
            break;
        }
        if units.len() > 1
            && make(tx, app, client, &base, &mut run, &mut units, &mut outcome).await?
        {
            continue;
        }
        for mut unit in units {
            if run.errors_left() > 0 {
                one(tx, app, client, &base, &mut run, &mut unit, &mut outcome).await?;
            }
        }
    }
    outcome.results = run.results(&base).collect();
    Ok(outcome)
}

/// Makes several users in a few statements. False, and nothing was done, when somebody else took
/// one of their names meanwhile.
async fn make(
    tx: &mut Write,
    app: &App,
    client: &ScimClient,
    base: &str,
    run: &mut Run,
    units: &mut [Unit],
    outcome: &mut Outcome,
) -> Result<bool, Refusal> {
    let push = push(app, client, base, None);
    let new = units.iter().flat_map(|unit| &unit.steps).map(|step| NewUser {
        push: &push,
        id: ResourceKind::User.parse(&step.id),
        body: &step.data,
    });
    let (new, most_refusals) = (new.collect(), run.errors_left());
    let made = tx
        .attempt(async |tx| -> Result<_, directory::Error> {
            let made = directory::create_users(tx, new, most_refusals).await?;
            // What was taken meanwhile is to be heard of here.
            tx.flush().await?;
            Ok(made)
        })
        .await;
    let made = match made {
        Ok(made) => made,
        Err(directory::Error::Store(store::Error::Conflict(_))) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    for (unit, made) in units.iter().zip(made) {
        let came = match made.map_err(Refusal::from) {
            Ok(written) => {
                outcome.audit_ids.extend(written.audit_id);
                Ok(vec![Done { status: 201, version: Some(written.version) }])
            }
            Err(refusal) if is_ours(refusal.error().kind) => return Err(refusal),
            Err(refusal) => Err(Failure { step: 0, error: refusal.error().clone() }),
        };
        run.record(unit, came);
    }
    Ok(true)
}

/// Does one unit, as an attempt of its own.
async fn one(
    tx: &mut Write,
    app: &App,
    client: &ScimClient,
    base: &str,
    run: &mut Run,
    unit: &mut Unit,
    outcome: &mut Outcome,
) -> Result<(), Refusal> {
    let mut failed_at = 0;
    let done = tx
        .attempt(async |tx| -> Result<Vec<(Done, Option<AuditId>)>, Refusal> {
            let mut done = Vec::with_capacity(unit.steps.len());
            for (index, step) in unit.steps.iter_mut().enumerate() {
                failed_at = index;
                done.push(take(tx, app, client, base, step).await?);
            }
            tx.flush().await?;
            Ok(done)
        })
        .await;
    let came = match done {
        Ok(done) => {
            outcome.audit_ids.extend(done.iter().filter_map(|(_, audit_id)| *audit_id));
            Ok(done.into_iter().map(|(done, _)| done).collect())
        }
        // The whole transaction is of no use any more.
        Err(refusal) if is_ours(refusal.error().kind) => return Err(refusal),
        Err(refusal) => {
            let error = refusal.error().clone();
            if refusal.is_braked() {
                outcome.braked = Some(refusal);
            }
            Err(Failure { step: failed_at, error })
        }
    };
    run.record(unit, came);
    Ok(())
}

/// A failure of ours says nothing about the operation.
fn is_ours(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Internal | ErrorKind::Unavailable)
}

fn kind_of(endpoint: Endpoint) -> ResourceKind {
    match endpoint {
        Endpoint::Users => ResourceKind::User,
        Endpoint::Groups => ResourceKind::Group,
    }
}

fn push<'a>(
    app: &App,
    client: &'a ScimClient,
    base: &'a str,
    precondition: Option<&'a Precondition>,
) -> Push<'a> {
    let types = &client.opened.types;
    let view = View { base, types, projection: Projection::Whole, always_emit_members: false };
    Push {
        act: &client.act,
        space: client.space(),
        limits: app.directory_limits(),
        view,
        precondition,
    }
}

async fn take(
    tx: &mut Write,
    app: &App,
    client: &ScimClient,
    base: &str,
    step: &mut Step,
) -> Result<(Done, Option<AuditId>), Refusal> {
    let kind = kind_of(step.endpoint);
    let precondition = step.version.as_deref().map(Precondition::of_version);
    let push = push(app, client, base, precondition.as_ref());
    let (id, data) = (std::mem::take(&mut step.id), std::mem::take(&mut step.data));
    let (operation, status) = match step.method {
        Method::Post => (Operation::Create(kind.parse(&id), data), 201),
        Method::Put => (Operation::Replace(id, data), 200),
        Method::Patch => (Operation::Patch(id, data, Show::Never), 200),
        Method::Delete => (Operation::Delete(id), 204),
    };
    let written = perform(tx, &push, kind, operation).await?;
    let version = (step.method != Method::Delete).then_some(written.version);
    Ok((Done { status, version }, written.audit_id))
}

/// RFC 7240: whether the client would rather be answered later.
fn wants_later(headers: &HeaderMap) -> bool {
    headers
        .get_all(PREFER)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split([',', ';']))
        .any(|preference| preference.trim().eq_ignore_ascii_case("respond-async"))
}

/// Takes the request in and says where its answer will be.
async fn answer_later(
    app: &App,
    client: &ScimClient,
    object: Map<String, Value>,
) -> Result<Response, Refusal> {
    // What can be refused at once is.
    let text = Value::Object(object.clone()).to_string();
    Bulk::parse(object, MAX_OPERATIONS)?;
    let id: AsynchronousRequestId = client.act.new_id();
    let sealed = app
        .sealer
        .seal(&asynchronous::sealed_as(id), text.as_bytes())
        .map_err(|error| Refusal::from(Fault::from(error)))?;
    let recorded_as = Some(client.act.new_id());
    let request = Accepted {
        id,
        space: client.space().id,
        credential: client.opened.credential.id,
        body_sealed: sealed,
        recorded_as,
    };
    let taken = app
        .db
        .write(async |tx| -> Result<Option<String>, Refusal> {
            let taken = asynchronous::enqueue(tx, &client.act, &request).await?;
            if taken.is_some() {
                let effect = Effect { recorded_as, ..Effect::default() };
                client.trace.record(tx, &client.act, 202, effect).await?;
            }
            Ok(taken)
        })
        .await?;
    let Some(transaction) = taken else {
        let detail = "Too many requests of this space wait for their answers already";
        return Err(Refusal::come_again(detail, 60));
    };
    client.trace.committed();
    app.later.notify_one();
    let mut response = StatusCode::ACCEPTED.into_response();
    let headers = response.headers_mut();
    headers.insert(PREFERENCE_APPLIED, HeaderValue::from_static("respond-async"));
    let location = format!("{}/Bulk/{transaction}", base(app));
    for (name, value) in [(SET_TXN, transaction), (header::LOCATION, location)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    Ok(response)
}

/// The answer of a request that was to be answered later: 202 until it is there.
pub async fn later(
    State(app): State<App>,
    client: ScimClient,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Refusal> {
    let id = id.map(|Path(id)| id).unwrap_or_default();
    let space = client.space().id;
    let progress = app.db.read(async |tx| asynchronous::progress(tx, space, &id).await).await?;
    match progress {
        None => {
            let detail = "There is no such request, or its answer is no longer kept";
            Err(Error::new(ErrorKind::NotFound, detail).into())
        }
        Some(Progress::Waiting) => {
            let mut response = StatusCode::ACCEPTED.into_response();
            response.headers_mut().insert(header::RETRY_AFTER, LOOK_AGAIN.into());
            Ok(response)
        }
        Some(Progress::Done(status, text)) => Ok(answer::text(status, text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preference_is_found_among_others() {
        let wants = |value: &'static str| {
            wants_later(&HeaderMap::from_iter([(PREFER, HeaderValue::from_static(value))]))
        };
        assert!(wants("respond-async"));
        assert!(wants("return=minimal, Respond-Async; wait=10"));
        assert!(!wants("return=representation"));
        assert!(!wants_later(&HeaderMap::new()));
    }
}
