//! Signed requests that come again. The signature of the public API has no word that counts once:
//! whoever finds a request, in the log of a proxy say, could send it again while its timestamp holds,
//! and undo what was decided since.

use crate::{
    secret::sha256,
    store::{self as database, Timestamp, Write, sql},
};

/// For how many seconds a signature may come again: clients repeat what they had no answer to, and two
/// calls with the same parameters within the second that a timestamp counts have the same signature,
/// whatever their actions, which TC3 does not cover by itself. Who can repeat so fast reads the
/// answers too.
const OWN_REPEAT: i64 = 2;

/// Remembers a signed request that is about to change something; says whether its signature is new,
/// or as good as new.
pub async fn is_fresh(
    tx: &mut Write,
    secret_id: &str,
    signature: &[u8],
    now: Timestamp,
) -> Result<bool, database::Error> {
    let digest = sha256(&[secret_id.as_bytes(), b"\n", signature].concat());
    let (seen_at,): (Timestamp,) = sql("INSERT INTO signed_requests (digest, seen_at)
             VALUES ($1, $2)
             ON CONFLICT (digest) DO UPDATE SET seen_at = signed_requests.seen_at
             RETURNING seen_at")
    .bind(digest)
    .bind(now)
    .fetch_one(tx)
    .await?;
    Ok(now.seconds_since(seen_at) <= OWN_REPEAT)
}

/// Forgets the requests whose signature has ceased to hold before this moment.
pub async fn forget_requests(tx: &mut Write, before: Timestamp) -> Result<(), database::Error> {
    sql("DELETE FROM signed_requests WHERE seen_at < $1").bind(before).execute(tx).await?;
    Ok(())
}
