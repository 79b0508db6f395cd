//! Starting user syncs: a whole call in as many statements as a single one takes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{
    Error, MOST_SYNCS_PER_CALL, NewUserSync, UserSyncItem,
    user_syncs::{check_description, new_task},
};
use crate::{
    audit::{self, Act, Made, Scope},
    id::{Principal, PrincipalKind, SpaceId, Uin, UserSyncId},
    permission::unknown_of,
    store::{self as database, Write, sql},
    task::{self, Kind},
};

/// Starts user syncs (US-02…05, MAA-09), at most `per_call` and never more than
/// [`MOST_SYNCS_PER_CALL`]; batches go as for assignments.
pub async fn create_user_syncs(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    new: &[NewUserSync],
    per_call: usize,
) -> Result<Vec<UserSyncItem>, Error> {
    let (limit, count) = (per_call.min(MOST_SYNCS_PER_CALL), new.len());
    if !(1..=limit).contains(&count) {
        return Err(Error::UserSyncCountInvalid { limit, count });
    }
    for new in new {
        check_description(&new.description)?;
    }
    let principals: Vec<Principal> = new.iter().map(|new| new.principal).collect();
    let accounts: Vec<Uin> = new.iter().map(|new| new.account).collect();
    // Whom they name stays until this is written (USR-15).
    crate::space::hold_access(tx, space).await?;
    let unknown = unknown_of(tx, space, &principals, &accounts, &[]).await?;
    if !unknown.is_empty() {
        return Err(Error::Unknown(unknown));
    }
    let mut made = insert(tx, act, space, new).await?;
    if made.is_empty() {
        return Err(Error::UserSyncsExist);
    }
    // Of one that the call names twice the first is new.
    let ids: Vec<Option<UserSyncId>> =
        new.iter().map(|new| made.remove(&(new.principal, new.account))).collect();
    let tasks: Vec<_> = new
        .iter()
        .zip(&ids)
        .map(|(new, id)| {
            // The id of what was there already is nobody's: that task does nothing.
            let about = id.unwrap_or_else(|| act.new_id());
            let task = new_task(space, about, new.principal, new.account, Kind::StartUserSync);
            (task, id.is_none().then_some("the user sync exists already"))
        })
        .collect();
    let tasks = task::enqueue_all(tx, act, &tasks).await?;
    let items: Vec<UserSyncItem> = new
        .iter()
        .zip(ids)
        .zip(tasks)
        .map(|((new, user_sync), task)| UserSyncItem { asked: new.clone(), user_sync, task })
        .collect();
    record(tx, act, space, &items).await?;
    Ok(items)
}

/// Writes the user syncs, and tells the ids of those that were not there.
async fn insert(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    new: &[NewUserSync],
) -> Result<BTreeMap<(Principal, Uin), UserSyncId>, database::Error> {
    let mut query = sql("INSERT INTO user_syncs
             (id, space_id, principal_kind, principal_id, account_uin, description,
              duplication_strategy, deletion_strategy, state, created_at, updated_at) VALUES ");
    let mut seen = BTreeSet::new();
    for new in new {
        // Of one that the call names twice the first counts.
        if !seen.insert((new.principal, new.account)) {
            continue;
        }
        query.push(if seen.len() == 1 { "(" } else { ", (" });
        query.push_bind(act.new_id::<UserSyncId>()).push(", ").push_bind(space);
        query.push(", ").push_bind(new.principal.kind());
        query.push(", ").push_bind(new.principal.number());
        query.push(", ").push_bind(new.account);
        query.push(", ").push_bind(&new.description);
        query.push(", ").push_bind(new.duplication);
        query.push(", ").push_bind(new.deletion);
        query.push(", 'pending', ").push_bind(act.now);
        query.push(", ").push_bind(act.now).push(")");
    }
    query.push(
        " ON CONFLICT (account_uin, principal_kind, principal_id) DO NOTHING
         RETURNING id, principal_kind, principal_id, account_uin",
    );
    let made: Vec<(UserSyncId, PrincipalKind, i64, Uin)> = query.fetch_all(tx).await?;
    Ok(made
        .into_iter()
        .map(|(id, kind, principal, account)| ((Principal::new(kind, principal), account), id))
        .collect())
}

async fn record(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    items: &[UserSyncItem],
) -> Result<(), database::Error> {
    let states: Vec<(String, String)> = items
        .iter()
        .filter_map(|item| {
            let after = json!({
                "principal": item.asked.principal.to_string(),
                "account": item.asked.account,
                "duplication_strategy": item.asked.duplication,
                "deletion_strategy": item.asked.deletion,
                "task": item.task,
            });
            item.user_sync.map(|id| (id.to_string(), after.to_string()))
        })
        .collect();
    let made = states.iter().map(|(object_id, state)| Made { act, object_id, state });
    let what = (Scope::Space(space), "user_sync.create", "user_sync");
    audit::log_made(tx, what, made).await.map(drop)
}
