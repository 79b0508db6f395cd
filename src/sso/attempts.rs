//! The sign-in trace: every attempt, with each check and its verdict, for administrators to read.

use crate::{
    audit::Act,
    id::{AttemptId, SpaceId, UserId},
    saml::trace::Trace,
    store::{self as database, Json, Page, PageRequest, Read, Timestamp, Write, sql, text_enum},
};

text_enum! {
    /// How an attempt to sign in went.
    pub enum Outcome {
        /// The response was good; the browser has not come for its session yet.
        Accepted = "accepted",
        /// The session was opened.
        SignedIn = "signed_in",
        /// A check failed.
        Refused = "refused",
    }
}

/// An attempt to sign in.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Attempt {
    /// Its id.
    pub id: AttemptId,
    /// When the response came.
    pub at: Timestamp,
    /// How it went.
    pub outcome: Outcome,
    /// Who signed in, where that was found out.
    pub user_id: Option<UserId>,
    /// The name that a verified response gave. Of others nothing is believed, nor kept here.
    pub name_id: Option<String>,
    /// Every check that was made.
    checks: Json<Trace>,
    /// The request.
    pub request_id: String,
    /// Where it came from.
    pub address: Option<String>,
}

impl Attempt {
    /// Every check that was made, in order.
    pub fn checks(&self) -> &Trace {
        &self.checks.0
    }
}

pub(super) struct NewAttempt<'a> {
    pub space: SpaceId,
    pub outcome: Outcome,
    pub user: Option<UserId>,
    pub name_id: Option<&'a str>,
    pub checks: &'a Trace,
}

pub(super) async fn insert(
    tx: &mut Write,
    act: &Act,
    attempt: NewAttempt<'_>,
) -> Result<AttemptId, database::Error> {
    let id: AttemptId = act.new_id();
    sql("INSERT INTO sign_in_attempts
             (id, space_id, at, outcome, user_id, name_id, checks, request_id, address)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
    .bind(id)
    .bind(attempt.space)
    .bind(act.now)
    .bind(attempt.outcome)
    .bind(attempt.user)
    .bind(attempt.name_id)
    .bind(&text_of(attempt.checks))
    .bind(&act.request_id)
    .bind(act.address.map(|address| address.to_string()))
    .execute(tx)
    .await?;
    Ok(id)
}

/// An attempt ends otherwise than it seemed, or as it seemed.
pub(super) async fn finish(
    tx: &mut Write,
    id: AttemptId,
    outcome: Outcome,
    checks: &Trace,
) -> Result<(), database::Error> {
    sql("UPDATE sign_in_attempts SET outcome = $1, checks = $2 WHERE id = $3")
        .bind(outcome)
        .bind(&text_of(checks))
        .bind(id)
        .execute(tx)
        .await?;
    Ok(())
}

/// A trace is plain text all the way down, so writing it as JSON does not fail; if it did, the
/// attempt would still be recorded, without its checks.
fn text_of(checks: &Trace) -> serde_json::Value {
    serde_json::to_value(checks).unwrap_or_else(|_| serde_json::Value::Array(Vec::new()))
}

pub(super) async fn attempt(
    tx: &mut Read,
    id: AttemptId,
) -> Result<Option<Attempt>, database::Error> {
    sql("SELECT id, at, outcome, user_id, name_id, checks, request_id, address
         FROM sign_in_attempts WHERE id = $1")
    .bind(id)
    .fetch_optional(tx)
    .await
}

/// The attempts in a space, latest first.
pub async fn attempts(
    tx: &mut Read,
    space: SpaceId,
    page: PageRequest,
) -> Result<Page<Attempt>, database::Error> {
    let total = sql("SELECT COUNT(*) FROM sign_in_attempts WHERE space_id = $1")
        .bind(space)
        .fetch_number(tx)
        .await?;
    let rows = sql("SELECT id, at, outcome, user_id, name_id, checks, request_id, address
         FROM sign_in_attempts WHERE space_id = $1 AND id < $2
         ORDER BY id DESC LIMIT $3 OFFSET $4")
    .bind(space)
    .bind(page.after.unwrap_or(i64::MAX))
    .bind(page.limit + 1)
    .bind(page.offset)
    .fetch_all(tx)
    .await?;
    Ok(Page::of(rows, total, page.limit, |attempt: &Attempt| attempt.id.0))
}
