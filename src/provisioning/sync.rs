//! The CAM users of user syncs: made, kept in step, and let go.

use super::{
    DeletionStrategy, DuplicationStrategy, UserSync,
    deploy::clash,
    names,
    reconciler::{Attempt, Reconciler, Trouble},
    user_syncs::user_sync,
};
use crate::{
    audit::Act,
    cam::Cam,
    id::{Principal, Uin, UserId, UserSyncId},
    space,
    store::{self, Read, Write, sql},
    task::{End, Kind, Task},
};

/// A directory user who is to have a CAM user, or has one.
#[derive(sqlx::FromRow)]
struct Person {
    id: UserId,
    user_name: String,
    enabled: bool,
    /// The CAM user it has, as far as we have noted.
    cam_user_name: Option<String>,
}

/// Which CAM user was meant for whom on an account.
#[derive(sqlx::FromRow)]
struct Synced {
    user_id: UserId,
    cam_user_name: String,
    /// Whether that is nobody any more, or somebody who is disabled.
    shut_out: bool,
}

/// Makes and keeps in step the CAM users of a sync; lets go of those that no sync covers any more.
pub(super) async fn start(rec: &Reconciler, task: &Task, id: UserSyncId) -> Attempt<()> {
    let (sync, suffix, people) = rec
        .db
        .read(async |tx| -> store::Result<_> {
            let Some(sync) = user_sync(tx, task.space, id).await? else {
                return Ok((None, String::new(), Vec::new()));
            };
            let suffix = space::space(tx, task.space).await?.map(|space| space.user_sync_suffix);
            let people = covered(tx, &sync).await?;
            Ok((Some(sync), suffix.unwrap_or_default(), people))
        })
        .await?;
    // A sync that was taken away meanwhile has a task of its own for that.
    let Some(sync) = sync else { return Ok(()) };
    if rec.other_cloud(task).await?.is_some() {
        let reason = "the account is in another cloud: no CAM users can be made there";
        return Err(Trouble::Permanent(reason.to_owned()));
    }
    let cam = rec.enter(task);
    rec.ensure_provider(task, &*cam).await?;
    for person in &people {
        keep(rec, &*cam, &sync, &suffix, person).await?;
    }
    let_go(rec, &*cam, &sync).await
}

/// Lets go of the CAM users of a sync that is on its way out.
pub(super) async fn end(rec: &Reconciler, task: &Task, id: UserSyncId) -> Attempt<()> {
    let sync = rec.db.read(async |tx| user_sync(tx, task.space, id).await).await?;
    let Some(sync) = sync else { return Ok(()) };
    let cam = rec.enter(task);
    let_go(rec, &*cam, &sync).await?;
    rec.release_provider(task, &*cam).await
}

/// Writes down how a task about a user sync ended.
pub(super) async fn conclude(
    tx: &mut Write,
    act: &Act,
    task: &Task,
    end: &End,
) -> store::Result<()> {
    let Some(id) = task.payload["user_sync"].as_str() else { return Ok(()) };
    let Ok(id) = id.parse::<UserSyncId>() else { return Ok(()) };
    match (task.kind, end) {
        (Kind::DeleteUserSync, End::Success(_)) => {
            sql("DELETE FROM user_syncs WHERE id = $1 AND state = 'removing'")
                .bind(id)
                .execute(tx)
                .await?;
        }
        (Kind::DeleteUserSync, End::Failed(_)) => {}
        (_, end) => {
            let state = if matches!(end, End::Success(_)) { "active" } else { "failed" };
            sql("UPDATE user_syncs SET state = $1, updated_at = $2
                 WHERE id = $3 AND state <> 'removing'")
            .bind(state)
            .bind(act.now)
            .bind(id)
            .execute(tx)
            .await?;
        }
    }
    Ok(())
}

/// The people a sync is for, as the directory has them now.
async fn covered(tx: &mut Read, sync: &UserSync) -> store::Result<Vec<Person>> {
    let mut query = sql("SELECT u.id, u.user_name, (u.active = ");
    query.push_bind(true).push(" AND u.blocked = ").push_bind(false);
    query.push(
        ") AS enabled, s.cam_user_name
         FROM users u
         LEFT JOIN synced_users s ON s.user_id = u.id AND s.account_uin = ",
    );
    query.push_bind(sync.account_uin).push(" WHERE u.deleted_at IS NULL AND ");
    match sync.principal() {
        Principal::User(id) => query.push("u.id = ").push_bind(id),
        Principal::Group(id) => query
            .push("u.id IN (SELECT user_id FROM group_members WHERE group_id = ")
            .push_bind(id)
            .push(")"),
    };
    query.push(" ORDER BY u.id");
    query.fetch_all(tx).await
}

/// Has one person have a CAM user, shut out exactly when the person is.
async fn keep(
    rec: &Reconciler,
    cam: &dyn Cam,
    sync: &UserSync,
    suffix: &str,
    person: &Person,
) -> Attempt<()> {
    let noted = person.cam_user_name.clone();
    let name = match noted {
        Some(name) => name,
        None => choose(rec, cam, sync, suffix, person).await?,
    };
    match cam.user(&name).await? {
        None => cam.create_user(&name, "Synchronised by Identity Center").await?,
        Some(found) if found.ours => {}
        Some(_) if sync.duplication_strategy == DuplicationStrategy::TakeOver => {
            cam.take_over_user(&name).await?;
        }
        Some(_) => return Err(clash("CAM user", &name)),
    }
    cam.set_user_blocked(&name, !person.enabled).await?;
    note_active(rec, person.id, sync.account_uin).await
}

/// Chooses a person's name in the account and notes it before anything is made, so that an attempt
/// that breaks off is taken up where it was (US-04, US-05).
async fn choose(
    rec: &Reconciler,
    cam: &dyn Cam,
    sync: &UserSync,
    suffix: &str,
    person: &Person,
) -> Attempt<String> {
    let first = names::cam_user(&person.user_name, suffix);
    let mut candidates = vec![first.clone()];
    if sync.duplication_strategy == DuplicationStrategy::KeepBoth {
        candidates.push(names::second_cam_user(&first));
    }
    for name in candidates {
        let found = cam.user(&name).await?;
        // One that is ours and not noted for anybody else was made by an attempt that broke off.
        let usable = match &found {
            None => true,
            Some(found) if found.is_root => false,
            Some(found) => found.ours || sync.duplication_strategy == DuplicationStrategy::TakeOver,
        };
        if usable && note_pending(rec, person.id, sync.account_uin, &name).await? {
            return Ok(name);
        }
    }
    Err(clash("CAM user", &first))
}

/// Notes which CAM user is meant for whom; not if it is meant for somebody else.
async fn note_pending(rec: &Reconciler, user: UserId, account: Uin, name: &str) -> Attempt<bool> {
    let now = rec.clock.now();
    let made = rec
        .db
        .write(async |tx| -> store::Result<u64> {
            sql("INSERT INTO synced_users
                     (user_id, account_uin, cam_user_name, state, created_at, updated_at)
                 VALUES ($1, $2, $3, 'pending', $4, $4) ON CONFLICT DO NOTHING")
            .bind(user)
            .bind(account)
            .bind(name)
            .bind(now)
            .execute(tx)
            .await
        })
        .await?;
    Ok(made == 1)
}

async fn note_active(rec: &Reconciler, user: UserId, account: Uin) -> Attempt<()> {
    let now = rec.clock.now();
    rec.db
        .write(async |tx| -> store::Result<u64> {
            sql("UPDATE synced_users SET state = 'active', updated_at = $1
                 WHERE user_id = $2 AND account_uin = $3 AND state <> 'active'")
            .bind(now)
            .bind(user)
            .bind(account)
            .execute(tx)
            .await
        })
        .await?;
    Ok(())
}

/// Lets go of the CAM users of the account that no sync covers any more, the way this sync says.
async fn let_go(rec: &Reconciler, cam: &dyn Cam, sync: &UserSync) -> Attempt<()> {
    let uncovered: Vec<Synced> = rec
        .db
        .read(async |tx| -> store::Result<_> {
            sql("SELECT y.user_id, y.cam_user_name,
                        (u.deleted_at IS NOT NULL OR u.active = $3 OR u.blocked = $4) AS shut_out
                 FROM synced_users y
                 JOIN users u ON u.id = y.user_id
                 WHERE y.account_uin = $1 AND u.space_id = $2
                   AND (u.deleted_at IS NOT NULL OR NOT EXISTS (
                       SELECT 1 FROM user_syncs s
                       WHERE s.account_uin = y.account_uin AND s.state <> 'removing'
                         AND s.principal_kind = 'user' AND s.principal_id = y.user_id)
                     AND NOT EXISTS (
                       SELECT 1 FROM group_members m
                       JOIN user_syncs s ON s.principal_kind = 'group'
                         AND s.principal_id = m.group_id
                       WHERE m.user_id = y.user_id AND s.account_uin = y.account_uin
                         AND s.state <> 'removing'))
                 ORDER BY y.user_id")
            .bind(sync.account_uin)
            .bind(sync.space_id)
            .bind(false)
            .bind(true)
            .fetch_all(tx)
            .await
        })
        .await?;
    let mut kept_back = Vec::new();
    for synced in uncovered {
        let name = &synced.cam_user_name;
        if let Some(found) = cam.user(name).await?.filter(|found| found.ours) {
            if synced.shut_out && !found.blocked {
                // Who stays stays shut out, whatever the strategy says (US-15).
                cam.set_user_blocked(name, true).await?;
            }
            match sync.deletion_strategy {
                DeletionStrategy::Keep => cam.release_user(name).await?,
                DeletionStrategy::Delete if found.has_access_keys => {
                    // It comes in nowhere any more; its keys are for somebody to decide about.
                    cam.set_user_blocked(name, true).await?;
                    kept_back.push(name.clone());
                    continue;
                }
                DeletionStrategy::Delete => cam.delete_user(name).await?,
            }
        }
        rec.db
            .write(async |tx| -> store::Result<u64> {
                sql("DELETE FROM synced_users WHERE user_id = $1 AND account_uin = $2")
                    .bind(synced.user_id)
                    .bind(sync.account_uin)
                    .execute(tx)
                    .await
            })
            .await?;
    }
    if kept_back.is_empty() {
        return Ok(());
    }
    let names = kept_back.join(", ");
    let reason = format!("SyncUserHasAccessKey: these CAM users have access keys: {names}");
    Err(Trouble::Permanent(reason))
}
