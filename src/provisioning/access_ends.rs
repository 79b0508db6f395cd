//! What has to happen in the same transaction when somebody loses access.

use std::collections::BTreeSet;

use serde_json::json;

use super::{
    names,
    user_syncs::{Sync, end_of_principal, look_again, start_again},
};
use crate::{
    audit::{self, Act, Change, Scope},
    cloud::{self, Entry},
    directory::{User, push_identities_of},
    id::{Principal, SpaceId, TaskId, Uin},
    permission::{self, RemovalStrategy, Triple},
    space,
    store::{self as database, Write, sql},
};

/// Takes an assignment away (MAA-13): from now on it confers nothing, role sessions that nothing
/// else entitles to are ended, and a task does the rest.
pub async fn remove_assignment(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    triple: &Triple,
    strategy: RemovalStrategy,
) -> Result<TaskId, permission::Error> {
    let triples = std::slice::from_ref(triple);
    let tasks = remove_assignments(tx, act, space, triples, strategy).await?;
    tasks.into_iter().next().ok_or(permission::Error::AssignmentNotFound)
}

/// The same for several; says the tasks in the order given. Where one of them is not there, none is
/// taken away.
pub async fn remove_assignments(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    triples: &[Triple],
    strategy: RemovalStrategy,
) -> Result<Vec<TaskId>, permission::Error> {
    let tasks = permission::mark_removing(tx, act, space, triples, strategy).await?;
    let tasks: Option<Vec<TaskId>> = tasks.into_iter().collect();
    let tasks = tasks.ok_or(permission::Error::AssignmentNotFound)?;
    end_lost_sessions(tx, act, space).await?;
    Ok(tasks)
}

/// To be called with every change of who is who and who is in which group, in its transaction:
/// role sessions that nothing entitles to any more are ended (SES-04, USR-18), and the user syncs
/// of `changed` look again. Name the users that were changed, enabled, disabled, added or removed,
/// and the groups whose members or existence changed.
pub async fn access_changed(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    changed: &[Principal],
) -> Result<(), database::Error> {
    end_lost_sessions(tx, act, space).await?;
    shut_out(tx, act, space, changed).await?;
    look_again(tx, act, space, changed).await
}

/// Shuts the CAM users of those who are disabled or deleted out of the accounts of the embedded
/// cloud (US-15). Letting in again, and every other cloud, is the user syncs' task.
async fn shut_out(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    changed: &[Principal],
) -> Result<(), database::Error> {
    let users = changed.iter().filter(|it| matches!(it, Principal::User(_)));
    let users: Vec<i64> = users.map(|user| user.number()).collect();
    if users.is_empty() {
        return Ok(());
    }
    let mut query = sql("SELECT y.account_uin, y.cam_user_name
         FROM synced_users y JOIN users u ON u.id = y.user_id WHERE u.id IN ");
    query.push_numbers(users).push(" AND u.space_id = ").push_bind(space);
    query.push(" AND (u.deleted_at IS NOT NULL OR u.active = ").push_bind(false);
    query.push(" OR u.blocked = ").push_bind(true).push(")");
    let found: Vec<(Uin, String)> = query.fetch_all(tx).await?;
    cloud::shut_out(tx, act, space, &found).await
}

/// To be called when a user or group is deleted, after it is marked so and in the same
/// transaction (SCIM-18): what it holds is taken away by tasks.
pub async fn identity_deleted(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    principal: Principal,
) -> Result<(), database::Error> {
    let held = permission::assignments_of_principal(tx, space, principal).await?;
    permission::mark_removing(tx, act, space, &held, RemovalStrategy::Keep).await?;
    end_of_principal(tx, act, space, principal).await?;
    shut_out(tx, act, space, &[principal]).await?;
    // A deleted user may have been in a group that a sync is for.
    if let Principal::User(user) = principal {
        let others: Vec<Sync> = sql("SELECT s.id, s.principal_kind, s.principal_id, s.account_uin
             FROM user_syncs s WHERE s.id IN (
                 SELECT MIN(s.id) FROM user_syncs s
                 JOIN synced_users y ON y.account_uin = s.account_uin
                 WHERE y.user_id = $1 AND s.space_id = $2 AND s.principal_kind = 'group'
                   AND s.state <> 'removing'
                 GROUP BY s.account_uin)
             ORDER BY s.id")
        .bind(user)
        .bind(space)
        .fetch_all(tx)
        .await?;
        start_again(tx, act, space, &others).await?;
    }
    end_lost_sessions(tx, act, space).await
}

/// Ends what a user has opened in the accounts and may open again: role sessions, temporary
/// credentials and the sign-ins of their CAM users, which keep their access keys. What was said about
/// the user before this moment is not believed any more (SES-04).
pub async fn end_opened(
    tx: &mut Write,
    act: &Act,
    space_id: SpaceId,
    user: &User,
) -> Result<(), database::Error> {
    space::end_access(tx, space_id).await?;
    let provider = names::saml_provider(space_id);
    let mut roles = sql("SELECT DISTINCT a.account_uin FROM ");
    push_identities_of(&mut roles, user.id);
    roles.push(" p JOIN assignments a ON a.principal_kind = p.kind AND a.principal_id = p.id");
    roles.push(" WHERE a.space_id = ").push_bind(space_id);
    let roles: Vec<(Uin,)> = roles.fetch_all(tx).await?;
    let accounts: Vec<Uin> = roles.into_iter().map(|(account,)| account).collect();
    let ended = cloud::revoke_everything(tx, act, &accounts, &provider, &user.user_name).await?;
    let users: Vec<(Uin, String)> =
        sql("SELECT account_uin, cam_user_name FROM synced_users WHERE user_id = $1")
            .bind(user.id)
            .fetch_all(tx)
            .await?;
    for (account, name) in &users {
        cloud::revoke_everything(tx, act, &[*account], &provider, name).await?;
    }
    let change = Change {
        scope: Scope::Space(space_id),
        action: "access.end_opened",
        object_kind: "user",
        object_id: &user.id.to_string(),
        before: json!({ "role_sessions": ended }),
        after: json!({ "issued_before": act.now }),
    };
    audit::record(tx, act, change).await
}

#[derive(sqlx::FromRow)]
struct Lost {
    account_uin: Uin,
    name_id: String,
    role_name: String,
}

impl From<Lost> for Entry {
    fn from(lost: Lost) -> Self {
        Self { account: lost.account_uin, name_id: lost.name_id, role: lost.role_name }
    }
}

/// Ends the role sessions that the space's word has opened and that it would not give again.
async fn end_lost_sessions(
    tx: &mut Write,
    act: &Act,
    space_id: SpaceId,
) -> Result<(), database::Error> {
    space::end_access(tx, space_id).await?;
    let provider = names::saml_provider(space_id);
    let after_prefix = i64::try_from(names::ROLE_PREFIX.len()).unwrap_or(0) + 1;
    let mut query = sql("SELECT s.account_uin, s.name_id, r.name AS role_name
         FROM cloud_role_sessions s JOIN cloud_roles r ON r.id = s.role_id
         WHERE s.revoked_at IS NULL AND r.managed_by = ");
    // A provider of this name that somebody made in an account of theirs is none of the space's.
    query.push_bind(space_id).push(" AND s.provider_name = ").push_bind(&provider);
    query.push(" AND s.expires_at > ").push_bind(act.now);
    query.push(
        " AND NOT EXISTS (
            SELECT 1 FROM users u
            JOIN permission_configurations c ON c.space_id = u.space_id
            JOIN assignments a ON a.account_uin = s.account_uin AND a.configuration_id = c.id
            WHERE u.user_name_key = LOWER(s.name_id) AND u.deleted_at IS NULL AND u.space_id = ",
    );
    query.push_bind(space_id).push(" AND u.active = ").push_bind(true);
    query.push(" AND u.blocked = ").push_bind(false);
    // Found by its name, a configuration has few assignments on one account.
    query.push(" AND c.name_key = LOWER(SUBSTR(r.name, CAST(").push_bind(after_prefix);
    query.push(" AS INTEGER))) AND r.name = ").push_bind(names::ROLE_PREFIX);
    query.push(
        " || c.name AND a.state = 'active'
          AND (a.principal_kind = 'user' AND a.principal_id = u.id
               OR a.principal_kind = 'group' AND EXISTS (
                   SELECT 1 FROM group_members m
                   WHERE m.group_id = a.principal_id AND m.user_id = u.id)))",
    );
    let lost: Vec<Lost> = query.fetch_all(tx).await?;
    let entries: BTreeSet<Entry> = lost.into_iter().map(Entry::from).collect();
    cloud::revoke(tx, act, &provider, &entries).await
}
