//! The sign-in trace: every attempt, with each check and its verdict, for administrators to read.

use crate::{
    audit::Act,
    directory::fold,
    id::{AttemptId, SpaceId, UserId, first_of},
    saml::{cause::Cause, trace::Trace},
    store::{
        self as database, Json, Page, PageRequest, Read, Sql, Timestamp, Write, sql, text_enum,
    },
};

/// How many attempts a space keeps whose message proved nothing.
const MOST_UNPROVED: i64 = 10_000;

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
    sql("INSERT INTO sign_in_attempts (id, space_id, at, outcome, user_id, name_id, name_id_key,
                                       cause, checks, request_id, address)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
    .bind(id)
    .bind(attempt.space)
    .bind(act.now)
    .bind(attempt.outcome)
    .bind(attempt.user)
    .bind(attempt.name_id)
    .bind(attempt.name_id.map(fold))
    .bind(cause(attempt.checks))
    .bind(&text_of(attempt.checks))
    .bind(&act.request_id)
    .bind(act.address.map(|address| address.to_string()))
    .later(tx)
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
    sql("UPDATE sign_in_attempts SET outcome = $1, checks = $2, cause = $3 WHERE id = $4")
        .bind(outcome)
        .bind(&text_of(checks))
        .bind(cause(checks))
        .bind(id)
        .later(tx)
        .await?;
    Ok(())
}

/// Why it was refused, by name; what administrators look for.
fn cause(checks: &Trace) -> Option<String> {
    checks.first_failure()?.cause.map(Cause::name)
}

/// A trace is plain text all the way down, so writing it as JSON does not fail; if it did, the
/// attempt would still be recorded, without its checks.
pub(super) fn text_of(checks: &Trace) -> serde_json::Value {
    serde_json::to_value(checks).unwrap_or_else(|_| serde_json::Value::Array(Vec::new()))
}

const COLUMNS: &str = "SELECT id, at, outcome, user_id, name_id, checks, request_id, address
                       FROM sign_in_attempts";

/// An attempt in a space.
pub async fn attempt_of(
    tx: &mut Read,
    space: SpaceId,
    id: AttemptId,
) -> Result<Option<Attempt>, database::Error> {
    let mut query = sql(COLUMNS);
    query.push(" WHERE id = ").push_bind(id).push(" AND space_id = ").push_bind(space);
    query.fetch_optional(tx).await
}

/// Which attempts are wanted; what is none does not count.
#[derive(Clone, Debug, Default)]
pub struct AttemptSearch {
    /// The name it came with, in any letter case, or the number of the request.
    pub text: Option<String>,
    /// How it went.
    pub outcome: Option<Outcome>,
    /// Why it was refused.
    pub cause: Option<Cause>,
}

/// The attempts in a space that are wanted, latest first.
pub async fn attempts(
    tx: &mut Read,
    space: SpaceId,
    search: &AttemptSearch,
    page: PageRequest,
) -> Result<Page<Attempt>, database::Error> {
    let condition = |query: &mut Sql| {
        query.push(" WHERE space_id = ").push_bind(space);
        if let Some(text) = &search.text {
            query.push(" AND (name_id_key = ").push_bind(fold(text));
            query.push(" OR request_id = ").push_bind(text.as_str()).push(")");
        }
        if let Some(outcome) = search.outcome {
            query.push(" AND outcome = ").push_bind(outcome);
        }
        if let Some(cause) = search.cause {
            query.push(" AND cause = ").push_bind(cause.name());
        }
    };
    let mut count = sql("SELECT COUNT(*) FROM sign_in_attempts");
    condition(&mut count);
    let total = count.fetch_number(tx).await?;
    let mut query = sql(COLUMNS);
    condition(&mut query);
    query.push(" AND id < ").push_bind(page.after.unwrap_or(i64::MAX));
    query.push(" ORDER BY id DESC").push_limit(page.limit.unsigned_abs() + 1);
    query.push(" OFFSET ").push_bind(page.offset);
    let rows = query.fetch_all(tx).await?;
    Ok(Page::of(rows, total, page.limit, |attempt: &Attempt| attempt.id.0))
}

/// Forgets attempts and tests from before these times, a portion at a time; says whether some may
/// be left.
pub async fn forget_old(
    tx: &mut Write,
    attempts_before: Timestamp,
    tests_before: Timestamp,
) -> Result<bool, database::Error> {
    const PORTION: u64 = 1_000;
    let mut gone = 0;
    for (table, before) in [("sign_in_attempts", attempts_before), ("sign_in_tests", tests_before)]
    {
        let mut query = sql("DELETE FROM ");
        query.push(table).push(" WHERE id IN (SELECT id FROM ").push(table);
        query.push(" WHERE id < ").push_bind(first_of(before));
        query.push(" ORDER BY id").push_limit(PORTION).push(")");
        gone = query.execute(tx).await?.max(gone);
    }
    // Anybody can leave attempts that prove nothing: of those the latest are enough. What raised an
    // alarm came with a signature that one implementation took for good, and stays its time.
    let mut query = sql("DELETE FROM sign_in_attempts WHERE id IN (SELECT id FROM
             (SELECT id, ROW_NUMBER() OVER (PARTITION BY space_id ORDER BY id DESC) AS place
              FROM sign_in_attempts WHERE name_id IS NULL AND (cause IS NULL OR cause <> ");
    query.push_bind(Cause::Disagreement.name()).push(")) unproved WHERE place > ");
    query.push_bind(MOST_UNPROVED).push(" ORDER BY id").push_limit(PORTION).push(")");
    gone = query.execute(tx).await?.max(gone);
    Ok(gone >= PORTION)
}
