//! The mass-change brake (SCIM-21): a directory that goes wrong does not take everybody with it.

use serde_json::json;

use super::{
    Error,
    resource::{Push, ResourceKind},
};
use crate::{
    audit::{self, Act, Change, Scope},
    directory::Source,
    space::{Space, scim_brake_lifted_until},
    store::{self as database, Read, Timestamp, Write, sql},
};

/// What the audit log calls a brake that took hold.
const HELD: &str = "space.scim_brake_held";

/// Lets one user go, disabled or deleted, or holds: when more than the set number and more than
/// the set share of the users would go within the window. Users made within it do not count, so
/// a directory can take back what it just did.
pub(super) async fn let_go(
    tx: &mut Write,
    push: &Push<'_>,
    user: i64,
    created_at: Timestamp,
) -> Result<(), Error> {
    let (brake, now, space) = (push.settings().brake, push.act.now, push.space.id);
    let begin = now.plus_seconds(-brake.window);
    if !brake.enabled || created_at > begin {
        return Ok(());
    }
    // Two requests at once must not both be the last that may pass.
    let mut guard = sql("SELECT id FROM spaces WHERE id = ");
    guard.push_bind(space).push(tx.for_no_key_update());
    guard.exists(tx).await?;
    let lifted = scim_brake_lifted_until(tx, space).await?.is_some_and(|until| until > now);
    if !lifted {
        let going = gone_since(tx, push.space, begin, brake.users + 1).await? + 1;
        if going > brake.users {
            let going = gone_since(tx, push.space, begin, i64::MAX).await? + 1;
            let there = ResourceKind::User.total(tx, space, Some(Source::Scim)).await?
                + deleted_since(tx, push.space, begin).await?;
            if going.saturating_mul(100) > brake.percent.saturating_mul(there) {
                return Err(Error::Braked { going, window: brake.window });
            }
        }
    }
    sql("INSERT INTO scim_removals (space_id, user_id, at) VALUES ($1, $2, $3)
         ON CONFLICT (space_id, user_id) DO UPDATE SET at = excluded.at")
    .bind(space)
    .bind(user)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// A user that comes back counts no longer.
pub(super) async fn come_back(tx: &mut Write, push: &Push<'_>, user: i64) -> Result<(), Error> {
    sql("DELETE FROM scim_removals WHERE space_id = $1 AND user_id = $2")
        .bind(push.space.id)
        .bind(user)
        .execute(tx)
        .await?;
    Ok(())
}

async fn gone_since(
    tx: &mut Read,
    space: &Space,
    begin: Timestamp,
    most: i64,
) -> database::Result<i64> {
    sql("SELECT COUNT(*) FROM (SELECT 1 FROM scim_removals
                               WHERE space_id = $1 AND at > $2 LIMIT $3) AS counted")
    .bind(space.id)
    .bind(begin)
    .bind(most)
    .fetch_number(tx)
    .await
}

async fn deleted_since(tx: &mut Read, space: &Space, begin: Timestamp) -> database::Result<i64> {
    sql("SELECT COUNT(*) FROM scim_removals r JOIN users u ON u.id = r.user_id
         WHERE r.space_id = $1 AND r.at > $2 AND u.deleted_at IS NOT NULL")
    .bind(space.id)
    .bind(begin)
    .fetch_number(tx)
    .await
}

/// How the brake of a space stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrakeState {
    /// Users disabled or deleted within the window.
    pub going: i64,
    /// When it took hold within the window; none when it did not.
    pub held_at: Option<Timestamp>,
    /// Until when an administrator lets everything pass.
    pub lifted_until: Option<Timestamp>,
}

/// How the brake stands.
pub async fn brake_state(
    tx: &mut Read,
    space: &Space,
    now: Timestamp,
) -> Result<BrakeState, Error> {
    let begin = now.plus_seconds(-space.scim_settings.0.brake.window);
    let going = gone_since(tx, space, begin, i64::MAX).await?;
    let held_at = held_since(tx, space, begin).await?;
    let lifted_until = scim_brake_lifted_until(tx, space.id).await?.filter(|until| *until > now);
    Ok(BrakeState { going, held_at, lifted_until })
}

async fn held_since(
    tx: &mut Read,
    space: &Space,
    begin: Timestamp,
) -> database::Result<Option<Timestamp>> {
    let row: Option<(Timestamp,)> = sql("SELECT at FROM audit_records
         WHERE object_kind = 'space' AND object_id = $1 AND action = $2 AND at > $3
         ORDER BY id DESC LIMIT 1")
    .bind(space.id.to_string())
    .bind(HELD)
    .bind(begin)
    .fetch_optional(tx)
    .await?;
    Ok(row.map(|(at,)| at))
}

/// Notes that the brake took hold, once per window; tells whether this is the first time. The
/// request that it held was rolled back, so this is a transaction of its own.
pub async fn note_held(tx: &mut Write, act: &Act, space: &Space) -> Result<bool, Error> {
    let begin = act.now.plus_seconds(-space.scim_settings.0.brake.window);
    if held_since(tx, space, begin).await?.is_some() {
        return Ok(false);
    }
    let change = Change {
        scope: Scope::Space(space.id),
        action: HELD,
        object_kind: "space",
        object_id: &space.id.to_string(),
        before: json!(null),
        after: json!({ "going": gone_since(tx, space, begin, i64::MAX).await? }),
    };
    audit::record(tx, act, change).await?;
    Ok(true)
}
