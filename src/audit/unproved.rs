//! Messages that prove nothing about who sent them.
//!
//! Anybody can send any number of these, and the audit log is never forgotten: so they are counted
//! instead, one row for each door, owner and cause. A cause is one of few words of ours, so there
//! are never more rows than spaces and accounts have causes.

use serde_json::Value;

use super::Act;
use crate::store::{self, Json, Read, Timestamp, Write, sql, text_enum};

/// Seconds after which the audit log may hear of the same cause again.
const TOLD_AGAIN: i64 = 86_400;

text_enum! {
    /// Where they come to.
    pub enum UnprovedDoor {
        /// A space's single logout; the owner is the space.
        SingleLogout = "single_logout",
        /// The sign-in of the accounts of the embedded cloud; the owner is the account.
        AccountSignIn = "account_sign_in",
    }
}

/// A message that was refused before it proved anything.
#[derive(Clone, Copy, Debug)]
pub struct Unproved<'a> {
    /// Where it came to.
    pub door: UnprovedDoor,
    /// The space or account that it was for.
    pub owner: i64,
    /// Why it was refused: one of few words, none of them from the message.
    pub cause: &'a str,
    /// More about it, of bounded length; of each cause the latest is kept.
    pub detail: &'a Value,
}

/// What came of one cause.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Counted {
    /// Why they were refused.
    pub cause: String,
    /// How many.
    pub times: i64,
    /// When the first came.
    pub first_at: Timestamp,
    /// When the latest came.
    pub last_at: Timestamp,
    detail: Json<Value>,
    /// The request of the latest.
    pub request_id: String,
    /// Where the latest came from.
    pub address: Option<String>,
}

impl Counted {
    /// More about the latest.
    pub fn detail(&self) -> &Value {
        &self.detail.0
    }
}

/// Counts one; says how many there were of its cause.
pub async fn count(tx: &mut Write, act: &Act, one: Unproved<'_>) -> store::Result<i64> {
    sql("INSERT INTO refused_messages (door, owner_id, cause, times, first_at, last_at, detail,
                                       request_id, address)
         VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8)
         ON CONFLICT (door, owner_id, cause) DO UPDATE SET times = refused_messages.times + 1,
             last_at = excluded.last_at, detail = excluded.detail,
             request_id = excluded.request_id, address = excluded.address
         RETURNING times")
    .bind(one.door)
    .bind(one.owner)
    .bind(one.cause)
    .bind(1)
    .bind(act.now)
    .bind(one.detail)
    .bind(&act.request_id)
    .bind(act.address.map(|address| address.to_string()))
    .fetch_one::<(i64,)>(tx)
    .await
    .map(|(times,)| times)
}

/// Whether the audit log is to hear of a cause now: for the first time in a day. It is taken as
/// told.
pub async fn tell(tx: &mut Write, act: &Act, one: Unproved<'_>) -> store::Result<bool> {
    let told = sql("UPDATE refused_messages SET told_at = $1
         WHERE door = $2 AND owner_id = $3 AND cause = $4 AND (told_at IS NULL OR told_at <= $5)")
    .bind(act.now)
    .bind(one.door)
    .bind(one.owner)
    .bind(one.cause)
    .bind(act.now.plus_seconds(-TOLD_AGAIN))
    .execute(tx)
    .await?;
    Ok(told > 0)
}

/// What was counted at a door for an owner, the latest first.
pub async fn counted(tx: &mut Read, door: UnprovedDoor, owner: i64) -> store::Result<Vec<Counted>> {
    sql("SELECT cause, times, first_at, last_at, detail, request_id, address
         FROM refused_messages WHERE door = $1 AND owner_id = $2 ORDER BY last_at DESC, cause")
    .bind(door)
    .bind(owner)
    .fetch_all(tx)
    .await
}

/// Forgets the causes of which none came since.
pub async fn forget(tx: &mut Write, before: Timestamp) -> store::Result<()> {
    sql("DELETE FROM refused_messages WHERE last_at < $1").bind(before).execute(tx).await?;
    Ok(())
}
