//! Deleting users and groups by hand: not while they hold anything (USR-14, GRP-09).

use super::access_changed;
use crate::{
    audit::Act,
    directory::{self, Held},
    id::{GroupId, Principal, SpaceId, UserId},
    space::Space,
    store::{self as database, Read, Write, sql},
};

/// Deletes a user by hand.
pub async fn delete_user(
    tx: &mut Write,
    act: &Act,
    space: &Space,
    id: UserId,
) -> Result<(), directory::Error> {
    directory::hold_still(tx, space.id).await?;
    let principal = Principal::User(id);
    let held = held(tx, space.id, principal).await?;
    directory::delete_user(tx, act, space, id, held).await?;
    Ok(access_changed(tx, act, space.id, &[principal]).await?)
}

/// Deletes a group by hand.
pub async fn delete_group(
    tx: &mut Write,
    act: &Act,
    space: &Space,
    id: GroupId,
) -> Result<(), directory::Error> {
    directory::hold_still(tx, space.id).await?;
    let principal = Principal::Group(id);
    let held = held(tx, space.id, principal).await?;
    directory::delete_group(tx, act, space, id, held).await?;
    Ok(access_changed(tx, act, space.id, &[principal]).await?)
}

/// What a user or group holds itself, whatever its state: what is being removed is there until it
/// is gone.
pub async fn held(
    tx: &mut Read,
    space: SpaceId,
    principal: Principal,
) -> Result<Held, database::Error> {
    let (assignments, user_syncs): (i64, i64) = sql("SELECT
            (SELECT COUNT(*) FROM assignments
             WHERE space_id = $1 AND principal_kind = $2 AND principal_id = $3),
            (SELECT COUNT(*) FROM user_syncs
             WHERE space_id = $1 AND principal_kind = $2 AND principal_id = $3)")
    .bind(space)
    .bind(principal.kind())
    .bind(principal.number())
    .fetch_one(tx)
    .await?;
    Ok(Held { assignments, user_syncs })
}
