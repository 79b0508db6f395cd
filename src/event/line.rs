//! The lines in front of endpoints, as a worker sees them.
//!
//! A worker takes an endpoint under a lease, delivers what waits there one after the other, and
//! gives it back. Everything it writes is fenced: without the lease it writes nothing.

use jiff::SignedDuration;
use zeroize::Zeroizing;

use super::{
    Error, Kind, State,
    endpoints::{retire, sealed_as},
    journal::{Letter, Payload},
};
use crate::{
    audit::Act,
    id::{EndpointId, EventId, Principal, PrincipalKind},
    secret::Sealer,
    store::{self as database, Json, Read, Sql, Timestamp, Write, sql},
};

/// How long a worker owns an endpoint without writing anything; longer than any one attempt.
pub(super) const LEASE: SignedDuration = SignedDuration::from_secs(45);
/// How often an event is sent that the receiver itself refuses. It holds up those behind it.
const MOST_REFUSALS: i64 = 6;
/// The longest pause a receiver can ask for, in seconds.
const LONGEST_WAIT: i64 = 86_400;

/// How an attempt went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The receiver has it.
    Delivered {
        /// The HTTP status.
        status: i64,
    },
    /// The receiver wants nothing any more: 410.
    Gone,
    /// The receiver is there and does not take this event.
    Refused {
        /// The HTTP status.
        status: i64,
        /// What is wrong with it.
        reason: String,
    },
    /// The receiver cannot be reached, or cannot take anything just now.
    Failed {
        /// The HTTP status, if there was an answer.
        status: Option<i64>,
        /// What is wrong.
        reason: String,
        /// Seconds to wait at least, as the receiver asks.
        wait: Option<i64>,
    },
}

/// What to do after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The next event.
    GoOn,
    /// Nothing before some time has passed.
    Pause {
        /// Whether this is the first failure in a row.
        first: bool,
    },
    /// Another worker has the endpoint, or it is gone.
    NotOurs,
}

/// Conditions for an endpoint to be taken.
fn due(query: &mut Sql, now: Timestamp, busy: &[EndpointId]) {
    query.push(" WHERE e.enabled = ").push_bind(true);
    query.push(" AND e.run_at <= ").push_bind(now);
    query.push(" AND (e.lease_ends IS NULL OR e.lease_ends < ").push_bind(now).push(")");
    if !busy.is_empty() {
        query.push(" AND e.id NOT IN (").push_list(busy.iter().copied()).push(")");
    }
    query.push(
        " AND EXISTS (SELECT 1 FROM event_deliveries d
                      WHERE d.endpoint_id = e.id AND d.state = 'waiting')",
    );
}

/// Whether there is anything to take. `busy` are endpoints that this process has already.
pub(super) async fn any_due(
    tx: &mut Read,
    now: Timestamp,
    busy: &[EndpointId],
) -> Result<bool, database::Error> {
    let mut query = sql("SELECT 1 FROM event_endpoints e");
    due(&mut query, now, busy);
    query.push(" LIMIT 1");
    query.exists(tx).await
}

/// Takes up to `most` endpoints for `worker`, those first that have waited longest.
pub(super) async fn claim(
    tx: &mut Write,
    worker: &str,
    now: Timestamp,
    busy: &[EndpointId],
    most: i64,
) -> Result<Vec<EndpointId>, database::Error> {
    let mut query = sql("SELECT e.id FROM event_endpoints e");
    due(&mut query, now, busy);
    query.push(" ORDER BY e.run_at, e.id LIMIT ").push_bind(most).push(tx.skip_locked());
    let taken: Vec<(EndpointId,)> = query.fetch_all(tx).await?;
    for (id,) in &taken {
        sql("UPDATE event_endpoints SET worker = $1, lease_ends = $2 WHERE id = $3")
            .bind(worker)
            .bind(now.plus(LEASE))
            .bind(*id)
            .execute(tx)
            .await?;
    }
    Ok(taken.into_iter().map(|(id,)| id).collect())
}

/// Gives an endpoint back.
pub(super) async fn release(
    tx: &mut Write,
    worker: &str,
    id: EndpointId,
) -> Result<(), database::Error> {
    sql("UPDATE event_endpoints SET worker = NULL, lease_ends = NULL
         WHERE id = $1 AND worker = $2")
    .bind(id)
    .bind(worker)
    .execute(tx)
    .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Row {
    event: EventId,
    endpoint: EndpointId,
    url: String,
    secret_number: i64,
    secret_sealed: Vec<u8>,
    full_content: bool,
    kind: Kind,
    subject_kind: PrincipalKind,
    subject_id: i64,
    at: Timestamp,
    transaction_id: String,
    payload: Json<Payload>,
}

/// The first in the line of an endpoint that this worker has, and the secret to sign it with.
pub(super) async fn first(
    tx: &mut Read,
    sealer: &Sealer,
    worker: &str,
    id: EndpointId,
) -> Result<Option<(Letter, Zeroizing<Vec<u8>>)>, Error> {
    let row =
        sql("SELECT v.id AS event, e.id AS endpoint, e.url, e.secret_number, e.secret_sealed,
                e.full_content, v.kind, v.subject_kind, v.subject_id, v.at, v.transaction_id,
                v.payload
         FROM event_endpoints e
         JOIN event_deliveries d ON d.endpoint_id = e.id AND d.state = 'waiting'
         JOIN events v ON v.id = d.event_id
         WHERE e.id = $1 AND e.worker = $2 AND e.enabled = $3
         ORDER BY d.event_id LIMIT 1")
        .bind(id)
        .bind(worker)
        .bind(true)
        .fetch_optional::<Row>(tx)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let secret = sealer.open(&sealed_as(row.endpoint), &row.secret_sealed)?;
    let letter = Letter {
        event: row.event,
        endpoint: row.endpoint,
        url: row.url,
        secret_number: row.secret_number,
        full_content: row.full_content,
        kind: row.kind,
        subject: Principal::new(row.subject_kind, row.subject_id),
        at: row.at,
        transaction_id: row.transaction_id,
        payload: row.payload.0,
    };
    Ok(Some((letter, secret)))
}

/// When the next attempt may be made and what is given up by then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    /// Seconds until an event is given up.
    pub patience: i64,
    /// A number from 0 to 65,535, by chance.
    pub jitter: u16,
}

/// Writes down how an attempt went.
pub(super) async fn settle(
    tx: &mut Write,
    act: &Act,
    worker: &str,
    letter: &Letter,
    outcome: &Outcome,
    timing: Timing,
) -> Result<Next, Error> {
    let mut held = sql("SELECT failures FROM event_endpoints WHERE id = ");
    held.push_bind(letter.endpoint).push(" AND worker = ").push_bind(worker);
    held.push(tx.for_no_key_update());
    let Some((failures,)) = held.fetch_optional::<(i64,)>(tx).await? else {
        return Ok(Next::NotOurs);
    };
    let now = act.now;
    match outcome {
        Outcome::Delivered { status } => {
            mark(tx, letter, now, State::Delivered, Some(*status), None).await?;
            sql("UPDATE event_endpoints SET failures = 0, run_at = $1, lease_ends = $2,
                     last_delivered_at = $1 WHERE id = $3")
            .bind(now)
            .bind(now.plus(LEASE))
            .bind(letter.endpoint)
            .execute(tx)
            .await?;
            if failures > 0 {
                tracing::info!(endpoint = %letter.endpoint, "events are delivered again");
            }
            Ok(Next::GoOn)
        }
        Outcome::Gone => {
            let reason = "the receiver says that it is gone for good (410)";
            mark(tx, letter, now, State::Waiting, Some(410), Some(reason)).await?;
            retire(tx, act, letter.endpoint, reason).await?;
            tracing::warn!(endpoint = %letter.endpoint, "an endpoint for events is gone");
            Ok(Next::GoOn)
        }
        Outcome::Refused { status, reason } => {
            let (attempt, queued_at) = progress(tx, letter).await?;
            if attempt + 1 < MOST_REFUSALS && queued_at.plus_seconds(timing.patience) > now {
                mark(tx, letter, now, State::Waiting, Some(*status), Some(reason)).await?;
                return postpone(tx, letter, now, failures, None, timing.jitter).await;
            }
            mark(tx, letter, now, State::GivenUp, Some(*status), Some(reason)).await?;
            tracing::warn!(endpoint = %letter.endpoint, event = %letter.event, status,
                "the receiver does not take an event");
            sql("UPDATE event_endpoints SET failures = 0, lease_ends = $1 WHERE id = $2")
                .bind(now.plus(LEASE))
                .bind(letter.endpoint)
                .execute(tx)
                .await?;
            Ok(Next::GoOn)
        }
        Outcome::Failed { status, reason, wait } => {
            mark(tx, letter, now, State::Waiting, *status, Some(reason)).await?;
            give_up(tx, letter.endpoint, now.plus_seconds(-timing.patience), reason).await?;
            postpone(tx, letter, now, failures, *wait, timing.jitter).await
        }
    }
}

/// How often a delivery was tried before, and since when it is in line.
async fn progress(tx: &mut Read, letter: &Letter) -> Result<(i64, Timestamp), database::Error> {
    let found = sql("SELECT attempt, queued_at FROM event_deliveries
                     WHERE endpoint_id = $1 AND event_id = $2")
    .bind(letter.endpoint)
    .bind(letter.event)
    .fetch_optional(tx)
    .await?;
    Ok(found.unwrap_or((0, letter.at)))
}

async fn mark(
    tx: &mut Write,
    letter: &Letter,
    now: Timestamp,
    state: State,
    status: Option<i64>,
    error: Option<&str>,
) -> Result<(), database::Error> {
    sql("UPDATE event_deliveries SET state = $1, attempt = attempt + 1, attempted_at = $2,
             status = $3, error = $4 WHERE endpoint_id = $5 AND event_id = $6")
    .bind(state)
    .bind(now)
    .bind(status)
    .bind(error)
    .bind(letter.endpoint)
    .bind(letter.event)
    .execute(tx)
    .await?;
    Ok(())
}

/// What is in line since before `before` is given up: an endpoint that fails for so long would
/// otherwise have to fail for each of them in turn.
async fn give_up(
    tx: &mut Write,
    endpoint: EndpointId,
    before: Timestamp,
    reason: &str,
) -> Result<(), database::Error> {
    let count = sql("UPDATE event_deliveries SET state = 'given_up', error = $1
                     WHERE endpoint_id = $2 AND state = 'waiting' AND queued_at <= $3")
    .bind(reason)
    .bind(endpoint)
    .bind(before)
    .execute(tx)
    .await?;
    if count > 0 {
        tracing::warn!(%endpoint, count, "events are given up");
    }
    Ok(())
}

async fn postpone(
    tx: &mut Write,
    letter: &Letter,
    now: Timestamp,
    failures: i64,
    wait: Option<i64>,
    jitter: u16,
) -> Result<Next, Error> {
    let seconds = pause(failures, jitter).max(wait.unwrap_or(0).clamp(0, LONGEST_WAIT));
    sql("UPDATE event_endpoints SET failures = failures + 1, run_at = $1 WHERE id = $2")
        .bind(now.plus_seconds(seconds))
        .bind(letter.endpoint)
        .execute(tx)
        .await?;
    Ok(Next::Pause { first: failures == 0 })
}

/// The seconds to wait after that many failures in a row and one more: 5, 10, 20 … up to an hour,
/// and by chance up to half as much again.
fn pause(failures: i64, jitter: u16) -> i64 {
    let span = (5_i64 << failures.clamp(0, 10)).min(3600);
    span + span * i64::from(jitter) / i64::from(u16::MAX) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_bounded() {
        assert_eq!((pause(0, 0), pause(1, 0), pause(2, 0)), (5, 10, 20));
        for failures in 0..100 {
            let (least, most) = (pause(failures, 0), pause(failures, u16::MAX));
            assert!(least >= 5 && most <= 5400 && most <= least * 3 / 2 + 1, "{failures}");
            assert!(pause(failures + 1, 0) >= least);
        }
    }
}
