//! Events in the database, and who gets them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Endpoint, Error, Kind, MAX_REPLAYED, State, endpoints};
use crate::{
    audit::{self, Act, Change, Scope},
    id::{EndpointId, EventId, GroupId, Principal, PrincipalKind, SpaceId, UserId},
    store::{
        self as database, Json, Kind as Database, Page, PageRequest, Read, Timestamp, Write, sql,
    },
};

/// An event whose values are longer than this, in bytes, names its attributes only.
const LONGEST_DATA: usize = 262_144;
/// How many attributes one event names.
const MOST_ATTRIBUTES: usize = 1000;
/// How many characters of a path one event has.
const LONGEST_URI: usize = 500;
/// How many events one sweep forgets.
const SWEPT: i64 = 5000;

/// What happened to one user or group.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What it was.
    pub kind: Kind,
    /// Whom it happened to.
    pub subject: Principal,
    /// The directory's own label for them.
    pub external_id: Option<String>,
    /// The attributes it touched, as paths of RFC 7644 §3.5.2.
    pub attributes: Vec<String>,
    /// What RFC 9967 calls `data`: the new resource, or the operations of a patch. None where
    /// nobody may or can be told.
    pub data: Option<Value>,
    /// Whether the resource was replaced by a PUT; then `data` is the resource as it is now.
    pub replaced: bool,
}

/// What came of an operation of a bulk request that was answered later (RFC 9967 §2.5.1.3).
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// Its place in the request, from 0.
    pub index: usize,
    /// The path of the resource, below the SCIM base URL; of its type where there is none.
    pub uri: &'a str,
    /// The operation of the BulkResponse.
    pub result: &'a Value,
}

/// What of an event is kept as JSON.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Payload {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replaced: bool,
    /// Of an answer: the path of what it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
}

/// An event on its way to one endpoint, with all that its token says.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    pub event: EventId,
    pub endpoint: EndpointId,
    pub url: String,
    pub secret_number: i64,
    pub full_content: bool,
    pub kind: Kind,
    pub subject: Principal,
    pub at: Timestamp,
    pub transaction_id: String,
    pub payload: Payload,
}

/// The endpoints of a space, as somebody who announces needs them.
#[derive(Clone, Debug, Default)]
pub struct Audience(Vec<Listener>);

#[derive(Clone, Debug, sqlx::FromRow)]
struct Listener {
    id: EndpointId,
    kinds: Json<Vec<Kind>>,
    full_content: bool,
    enabled: bool,
}

impl Audience {
    /// Whether nobody listens: then there is nothing to announce.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether somebody wants values and not only names.
    pub fn wants_full(&self) -> bool {
        self.0.iter().any(|listener| listener.full_content)
    }
}

/// Who listens to a space: one look-up by index, which is all that a change of a space without
/// endpoints costs. The endpoints stay until this transaction ends.
pub async fn audience(tx: &mut Write, space: SpaceId) -> Result<Audience, database::Error> {
    let stay = match tx.kind() {
        Database::Sqlite => "",
        Database::Postgres => " FOR KEY SHARE",
    };
    let mut query =
        sql("SELECT id, kinds, full_content, enabled FROM event_endpoints WHERE space_id = ");
    query.push_bind(space).push(" ORDER BY id").push(stay);
    Ok(Audience(query.fetch_all(tx).await?))
}

/// Writes an event and puts it in line for every endpoint that is on and wants its kind. It is
/// kept even when none does, so that it can be replayed.
pub async fn announce(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    audience: &Audience,
    event: Event,
) -> Result<(), database::Error> {
    if audience.is_empty() {
        return Ok(());
    }
    let fits = |data: &Value| data.to_string().len() <= LONGEST_DATA;
    let mut attributes = event.attributes;
    attributes.truncate(MOST_ATTRIBUTES);
    let payload = Payload {
        external_id: event.external_id,
        attributes,
        data: event.data.filter(|data| audience.wants_full() && fits(data)),
        replaced: event.replaced,
        uri: None,
    };
    let about = (event.kind, event.subject, act.request_id.as_str());
    let id = insert(tx, act, space, about, &payload).await?;
    put_in_lines(tx, audience, event.kind, id, act.now).await
}

/// Tells what came of an operation of a bulk request that was answered later. Its transaction is
/// the one that the client was told, with the operation's place.
pub async fn announce_answer(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    audience: &Audience,
    answer: Answer<'_>,
) -> Result<(), database::Error> {
    let payload = Payload {
        data: Some(answer.result.clone()),
        uri: Some(answer.uri.chars().take(LONGEST_URI).collect()),
        ..Payload::default()
    };
    let transaction = format!("{}:{}", act.request_id, answer.index);
    let about = (Kind::Answer, subject_of(answer.uri), transaction.as_str());
    let id = insert(tx, act, space, about, &payload).await?;
    put_in_lines(tx, audience, Kind::Answer, id, act.now).await
}

/// Tells that something of the space ends soon; `what` says what, and when (SSO-19).
pub async fn announce_expiry(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    what: Value,
) -> Result<(), database::Error> {
    announce_of_space(tx, act, space, Kind::Expiry, what).await
}

/// Tells that two implementations read a sign-in's response differently, and that somebody should
/// look at once: at `object`, over what the second one said.
pub async fn announce_disagreement(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    object: &str,
    said: &str,
) -> Result<(), database::Error> {
    let what = json!({ "kind": "disagreement", "object": object, "received": said });
    announce_of_space(tx, act, space, Kind::Alarm, what).await
}

/// Tells what is about nobody.
async fn announce_of_space(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    kind: Kind,
    what: Value,
) -> Result<(), database::Error> {
    let audience = audience(tx, space).await?;
    if audience.is_empty() {
        return Ok(());
    }
    let payload = Payload { data: Some(what), ..Payload::default() };
    let about = (kind, Principal::User(UserId(0)), act.request_id.as_str());
    let id = insert(tx, act, space, about, &payload).await?;
    put_in_lines(tx, &audience, kind, id, act.now).await
}

/// The user or group at a path; the number is 0 where there is none yet.
fn subject_of(uri: &str) -> Principal {
    if let Some(rest) = uri.strip_prefix("/Groups") {
        let id = rest.trim_start_matches('/').parse();
        Principal::Group(id.unwrap_or(GroupId(0)))
    } else {
        let id = uri.strip_prefix("/Users/").and_then(|id| id.parse().ok());
        Principal::User(id.unwrap_or(UserId(0)))
    }
}

async fn put_in_lines(
    tx: &mut Write,
    audience: &Audience,
    kind: Kind,
    event: EventId,
    now: Timestamp,
) -> Result<(), database::Error> {
    for one in audience.0.iter().filter(|one| one.enabled && one.kinds.0.contains(&kind)) {
        put_in_line(tx, one.id, event, now).await?;
    }
    Ok(())
}

/// A verification event for one endpoint.
pub(super) async fn verification(
    tx: &mut Write,
    act: &Act,
    endpoint: &Endpoint,
) -> Result<EventId, database::Error> {
    // It is about nobody: the columns of the subject hold the endpoint's number.
    let subject = Principal::new(PrincipalKind::User, endpoint.id.0);
    let payload = Payload::default();
    let about = (Kind::Verification, subject, act.request_id.as_str());
    let id = insert(tx, act, endpoint.space_id, about, &payload).await?;
    put_in_line(tx, endpoint.id, id, act.now).await?;
    sql("UPDATE event_endpoints SET run_at = $1 WHERE id = $2")
        .bind(act.now)
        .bind(endpoint.id)
        .execute(tx)
        .await?;
    Ok(id)
}

async fn insert(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    (kind, subject, transaction): (Kind, Principal, &str),
    payload: &Payload,
) -> Result<EventId, database::Error> {
    let (id,) = sql("INSERT INTO events
             (space_id, at, kind, subject_kind, subject_id, payload, transaction_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id")
    .bind(space)
    .bind(act.now)
    .bind(kind)
    .bind(subject.kind())
    .bind(subject.number())
    .bind(&json!(payload))
    .bind(transaction)
    .fetch_one::<(EventId,)>(tx)
    .await?;
    Ok(id)
}

async fn put_in_line(
    tx: &mut Write,
    endpoint: EndpointId,
    event: EventId,
    now: Timestamp,
) -> Result<(), database::Error> {
    sql("INSERT INTO event_deliveries (endpoint_id, event_id, state, attempt, queued_at)
         VALUES ($1, $2, $3, 0, $4)
         ON CONFLICT (endpoint_id, event_id) DO UPDATE
             SET state = $3, attempt = 0, queued_at = $4")
    .bind(endpoint)
    .bind(event)
    .bind(State::Waiting)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// An event and how its delivery to one endpoint went.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Delivery {
    /// The event.
    pub event: EventId,
    /// What it tells.
    pub kind: Kind,
    subject_kind: PrincipalKind,
    subject_id: i64,
    /// When it happened.
    pub at: Timestamp,
    /// How far the delivery is.
    pub state: State,
    /// How many attempts there were since it was put in line.
    pub attempt: i64,
    /// When the last attempt was made.
    pub attempted_at: Option<Timestamp>,
    /// The HTTP status of the last answer, if there was one.
    pub status: Option<i64>,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

impl Delivery {
    /// Whom the event happened to; nobody where it is a test, or nothing was made.
    pub fn subject(&self) -> Option<Principal> {
        (self.kind != Kind::Verification && self.subject_id != 0)
            .then(|| Principal::new(self.subject_kind, self.subject_id))
    }
}

/// The deliveries to an endpoint, latest event first, a page of them.
pub async fn deliveries(
    tx: &mut Read,
    endpoint: EndpointId,
    state: Option<State>,
    page: PageRequest,
) -> Result<Page<Delivery>, database::Error> {
    let narrow = |query: &mut database::Sql| {
        query.push("d.endpoint_id = ").push_bind(endpoint);
        if let Some(state) = state {
            query.push(" AND d.state = ").push_bind(state);
        }
    };
    let mut count = sql("SELECT COUNT(*) FROM event_deliveries d WHERE ");
    narrow(&mut count);
    let total = count.fetch_number(tx).await?;
    let mut query =
        sql("SELECT v.id AS event, v.kind, v.subject_kind, v.subject_id, v.at, d.state,
                                d.attempt, d.attempted_at, d.status, d.error
                         FROM event_deliveries d JOIN events v ON v.id = d.event_id WHERE ");
    narrow(&mut query);
    if let Some(after) = page.after {
        query.push(" AND d.event_id < ").push_bind(after);
    }
    query.push(" ORDER BY d.event_id DESC LIMIT ").push_bind(page.limit + 1);
    query.push(" OFFSET ").push_bind(page.offset);
    let rows = query.fetch_all(tx).await?;
    Ok(Page::of(rows, total, page.limit, |delivery: &Delivery| delivery.event.0))
}

/// Puts one event in line once more, for one endpoint.
pub async fn redeliver(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    endpoint: EndpointId,
    event: EventId,
) -> Result<(), Error> {
    let endpoint = held(tx, space, endpoint, act.now).await?;
    let mut known = sql("SELECT 1 FROM events v WHERE v.id = ");
    known.push_bind(event).push(" AND v.space_id = ").push_bind(space);
    // A test is for the endpoint it was made for.
    known.push(" AND (v.kind <> ").push_bind(Kind::Verification);
    known.push(" OR v.subject_id = ").push_bind(endpoint.id).push(")").push(tx.for_update());
    if !known.exists(tx).await? {
        return Err(Error::EventNotFound);
    }
    put_in_line(tx, endpoint.id, event, act.now).await?;
    record(tx, act, &endpoint, "event_endpoint.redeliver", json!({ "event": event })).await
}

/// Puts everything that happened since a time in line once more, for one endpoint: the oldest
/// [`MAX_REPLAYED`] events of the kinds it wants. Says how many.
pub async fn replay(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    endpoint: EndpointId,
    since: Timestamp,
) -> Result<u64, Error> {
    let endpoint = held(tx, space, endpoint, act.now).await?;
    let mut query = sql("INSERT INTO event_deliveries
                             (endpoint_id, event_id, state, attempt, queued_at)
                         SELECT ");
    query.push_bind(endpoint.id).push(", v.id, ");
    query.push("'waiting', 0, ").push_bind(act.now);
    query.push(" FROM events v WHERE v.space_id = ").push_bind(space);
    query.push(" AND v.at >= ").push_bind(since);
    query.push(" AND v.kind IN (").push_list(endpoint.kinds.0.iter().copied());
    query.push(") ORDER BY v.id LIMIT ").push_bind(MAX_REPLAYED);
    query.push(match tx.kind() {
        Database::Sqlite => "",
        Database::Postgres => " FOR KEY SHARE OF v",
    });
    query.push(
        " ON CONFLICT (endpoint_id, event_id) DO UPDATE
          SET state = 'waiting', attempt = 0, queued_at = excluded.queued_at",
    );
    let count = query.execute(tx).await?;
    let after = json!({ "since": since, "events": count });
    record(tx, act, &endpoint, "event_endpoint.replay", after).await?;
    Ok(count)
}

/// The endpoint, if anything can be put in line for it; it is tried at once, whatever failed
/// before. Its row is taken before those of its deliveries, as the worker does.
async fn held(
    tx: &mut Write,
    space: SpaceId,
    id: EndpointId,
    now: Timestamp,
) -> Result<Endpoint, Error> {
    sql("UPDATE event_endpoints SET run_at = $1 WHERE id = $2 AND space_id = $3")
        .bind(now)
        .bind(id)
        .bind(space)
        .execute(tx)
        .await?;
    let endpoint = endpoints::endpoint(tx, space, id).await?;
    if endpoint.enabled { Ok(endpoint) } else { Err(Error::Disabled) }
}

async fn record(
    tx: &mut Write,
    act: &Act,
    endpoint: &Endpoint,
    action: &'static str,
    after: Value,
) -> Result<(), Error> {
    let change = Change {
        scope: Scope::Space(endpoint.space_id),
        action,
        object_kind: "event_endpoint",
        object_id: &endpoint.id.to_string(),
        before: Value::Null,
        after,
    };
    Ok(audit::record(tx, act, change).await?)
}

/// Forgets the oldest events, if they happened before `before`, with what is known of their
/// deliveries; tells whether there may be more of them.
pub async fn forget_old(tx: &mut Write, before: Timestamp) -> Result<bool, database::Error> {
    let gone = sql("DELETE FROM events WHERE id IN (
             SELECT id FROM (SELECT id, at FROM events ORDER BY id LIMIT $1) AS oldest
             WHERE at < $2)")
    .bind(SWEPT)
    .bind(before)
    .execute(tx)
    .await?;
    Ok(i64::try_from(gone).is_ok_and(|gone| gone >= SWEPT))
}
