//! Deleting users and groups by hand: not while they hold anything (USR-14, GRP-09).

use std::collections::HashMap;

use super::access_changed;
use crate::{
    audit::Act,
    directory::{self, Blockers, Held},
    id::{GroupId, Principal, PrincipalKind, SpaceId, UserId},
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

/// What keeps each of these users, or of these groups, from being deleted by hand, in one question.
/// The list must be bounded by the caller; who is of another space is left out.
pub async fn blockers(
    tx: &mut Read,
    space: SpaceId,
    kind: PrincipalKind,
    ids: &[i64],
) -> Result<HashMap<i64, Blockers>, database::Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut query = sql(match kind {
        PrincipalKind::User => {
            "SELECT p.id, (SELECT COUNT(*) FROM group_members m WHERE m.user_id = p.id),
                CAST(0 AS BIGINT),
                (SELECT COUNT(*) FROM assignments a WHERE a.space_id = p.space_id
                 AND a.principal_kind = 'user' AND a.principal_id = p.id),
                (SELECT COUNT(*) FROM user_syncs s WHERE s.space_id = p.space_id
                 AND s.principal_kind = 'user' AND s.principal_id = p.id)
             FROM users p WHERE p.space_id = "
        }
        PrincipalKind::Group => {
            "SELECT p.id, CAST(0 AS BIGINT),
                (SELECT COUNT(*) FROM group_members m WHERE m.group_id = p.id),
                (SELECT COUNT(*) FROM assignments a WHERE a.space_id = p.space_id
                 AND a.principal_kind = 'group' AND a.principal_id = p.id),
                (SELECT COUNT(*) FROM user_syncs s WHERE s.space_id = p.space_id
                 AND s.principal_kind = 'group' AND s.principal_id = p.id)
             FROM groups p WHERE p.space_id = "
        }
    });
    query.push_bind(space).push(" AND p.id IN (").push_list(ids.iter().copied()).push(")");
    let rows: Vec<(i64, i64, i64, i64, i64)> = query.fetch_all(tx).await?;
    Ok(rows
        .into_iter()
        .map(|(id, groups, members, assignments, user_syncs)| {
            (id, Blockers { groups, members, held: Held { assignments, user_syncs } })
        })
        .collect())
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
