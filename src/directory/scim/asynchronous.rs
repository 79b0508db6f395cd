//! Bulk requests that are answered later (RFC 9967 §2.3, `Prefer: respond-async`).
//!
//! A request waits as the text it came as, sealed because it may hold passwords. Whoever claims it does all of it in one transaction
//! together with its answer: a worker that dies has done nothing, and the next one begins anew.

use crate::{
    audit::Act,
    id::{AsynchronousRequestId, CredentialId, ScimRequestId, SpaceId},
    store::{self as database, Read, Timestamp, Write, sql},
};

/// Seconds for which a claim holds.
const LEASE: i64 = 120;
/// Requests of a space that may wait.
const MOST_WAITING: i64 = 100;

/// A request that waits, or is being done.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Asynchronous {
    /// Its id.
    pub id: AsynchronousRequestId,
    /// Where it is to be done.
    pub space_id: SpaceId,
    /// The token it came with.
    pub credential_id: CredentialId,
    /// The id of the request it came in; the client knows it as the transaction's.
    pub transaction_id: String,
    /// The body, sealed; see [`sealed_as`].
    pub body_sealed: Vec<u8>,
    /// The recorder's row of it.
    pub recorded_id: Option<ScimRequestId>,
}

/// A request that is taken in.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// Its id.
    pub id: AsynchronousRequestId,
    /// Where it is to be done.
    pub space: SpaceId,
    /// The token it came with.
    pub credential: CredentialId,
    /// The body, sealed; see [`sealed_as`].
    pub body_sealed: Vec<u8>,
    /// The recorder's row of it.
    pub recorded_as: Option<ScimRequestId>,
}

/// What the body of a request is sealed as.
pub fn sealed_as(id: AsynchronousRequestId) -> String {
    format!("asynchronous request {}", id.0)
}

/// How far a request is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is not done yet.
    Waiting,
    /// This came of it: status and body.
    Done(u16, String),
}

/// Takes a request in; none when too many are waiting. Its answer will be found under the id of
/// the request it came in.
pub async fn enqueue(
    tx: &mut Write,
    act: &Act,
    request: &Accepted,
) -> database::Result<Option<String>> {
    let waiting = sql("SELECT COUNT(*) FROM scim_asynchronous_requests
                       WHERE space_id = $1 AND finished_at IS NULL")
    .bind(request.space)
    .fetch_number(tx)
    .await?;
    if waiting >= MOST_WAITING {
        return Ok(None);
    }
    sql("INSERT INTO scim_asynchronous_requests
             (id, space_id, credential_id, transaction_id, request_id, body_sealed, recorded_id,
              created_at)
         VALUES ($1, $2, $3, $4, $4, $5, $6, $7)")
    .bind(request.id)
    .bind(request.space)
    .bind(request.credential)
    .bind(&act.request_id)
    .bind(request.body_sealed.as_slice())
    .bind(request.recorded_as)
    .bind(act.now)
    .execute(tx)
    .await?;
    Ok(Some(act.request_id.clone()))
}

/// Claims the oldest request that nobody is doing, in the order of each space.
pub async fn claim(
    tx: &mut Write,
    worker: &str,
    now: Timestamp,
) -> database::Result<Option<Asynchronous>> {
    let mut query = sql("SELECT r.id, r.space_id, r.credential_id, r.transaction_id,
                r.body_sealed, r.recorded_id
         FROM scim_asynchronous_requests r
         WHERE r.finished_at IS NULL AND (r.lease_ends IS NULL OR r.lease_ends <= ");
    query.push_bind(now).push(
        ") AND NOT EXISTS (SELECT 1 FROM scim_asynchronous_requests e
                WHERE e.space_id = r.space_id AND e.id < r.id AND e.finished_at IS NULL)
         ORDER BY r.id LIMIT 1",
    );
    query.push(tx.skip_locked());
    let found: Option<Asynchronous> = query.fetch_optional(tx).await?;
    if let Some(found) = &found {
        sql("UPDATE scim_asynchronous_requests SET worker = $1, lease_ends = $2 WHERE id = $3")
            .bind(worker)
            .bind(now.plus_seconds(LEASE))
            .bind(found.id)
            .execute(tx)
            .await?;
    }
    Ok(found)
}

/// Notes the answer, in the transaction of what was done; false when somebody else has claimed
/// the request meanwhile, and then nothing may be done.
pub async fn finish(
    tx: &mut Write,
    request: &Asynchronous,
    worker: &str,
    now: Timestamp,
    (status, answer): (u16, &str),
) -> database::Result<bool> {
    let finished = sql("UPDATE scim_asynchronous_requests
         SET status = $1, response = $2, finished_at = $3, body_sealed = NULL
         WHERE id = $4 AND worker = $5 AND finished_at IS NULL")
    .bind(i64::from(status))
    .bind(answer)
    .bind(now)
    .bind(request.id)
    .bind(worker)
    .execute(tx)
    .await?;
    Ok(finished == 1)
}

/// How far the request of a transaction is; none when there is none.
pub async fn progress(
    tx: &mut Read,
    space: SpaceId,
    transaction_id: &str,
) -> database::Result<Option<Progress>> {
    let row: Option<(Option<i64>, Option<String>)> = sql("SELECT status, response
         FROM scim_asynchronous_requests WHERE space_id = $1 AND transaction_id = $2")
    .bind(space)
    .bind(transaction_id)
    .fetch_optional(tx)
    .await?;
    Ok(row.map(|(status, response)| match (status, response) {
        (Some(status), Some(response)) => {
            Progress::Done(u16::try_from(status).unwrap_or(500), response)
        }
        _ => Progress::Waiting,
    }))
}

/// Forgets the answers that were known before `before`.
pub async fn forget_finished(tx: &mut Write, before: Timestamp) -> database::Result<u64> {
    sql("DELETE FROM scim_asynchronous_requests WHERE finished_at < $1")
        .bind(before)
        .execute(tx)
        .await
}
