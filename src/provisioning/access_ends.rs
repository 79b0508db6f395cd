//! What has to happen in the same transaction when somebody loses access.

use super::{
    names,
    user_syncs::{end_if_there, look_again},
};
use serde_json::json;

use crate::{
    audit::{self, Act, Change, Scope},
    cloud,
    directory::{User, push_identities_of},
    id::{Principal, RoleSessionId, SpaceId, TaskId, Uin, UserSyncId},
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
    let task = permission::mark_removing(tx, act, space, triple, strategy).await?;
    end_lost_sessions(tx, act, space).await?;
    Ok(task)
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
    look_again(tx, act, space, changed).await
}

/// To be called when a user or group is deleted, after it is marked so and in the same
/// transaction (SCIM-18): what it holds is taken away by tasks.
pub async fn identity_deleted(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    principal: Principal,
) -> Result<(), database::Error> {
    for triple in permission::assignments_of_principal(tx, space, principal).await? {
        let strategy = RemovalStrategy::Keep;
        permission::mark_removing_if_there(tx, act, space, &triple, strategy).await?;
    }
    let syncs: Vec<(UserSyncId,)> =
        sql("SELECT id FROM user_syncs WHERE space_id = $1 AND principal_kind = $2
               AND principal_id = $3 AND state <> 'removing'")
        .bind(space)
        .bind(principal.kind())
        .bind(principal.number())
        .fetch_all(tx)
        .await?;
    for (id,) in syncs {
        end_if_there(tx, act, space, id).await?;
    }
    // A deleted user may have been in a group that a sync is for.
    if let Principal::User(user) = principal {
        let others: Vec<(UserSyncId,)> = sql("SELECT MIN(s.id) FROM user_syncs s
                 JOIN synced_users y ON y.account_uin = s.account_uin
                 WHERE y.user_id = $1 AND s.space_id = $2 AND s.principal_kind = 'group'
                   AND s.state <> 'removing'
                 GROUP BY s.account_uin")
        .bind(user)
        .bind(space)
        .fetch_all(tx)
        .await?;
        for (id,) in others {
            if let Some(sync) = super::user_sync(tx, space, id).await? {
                look_again(tx, act, space, &[sync.principal()]).await?;
            }
        }
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
    #[expect(dead_code, reason = "tells rows apart")]
    id: RoleSessionId,
    account_uin: Uin,
    name_id: String,
    role_name: String,
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
    let mut query = sql("SELECT s.id, s.account_uin, s.name_id, r.name AS role_name
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
    let mut lost: Vec<Lost> = query.fetch_all(tx).await?;
    let key = |lost: &Lost| (lost.account_uin, lost.name_id.clone(), lost.role_name.clone());
    lost.sort_by_key(key);
    lost.dedup_by_key(|lost| key(lost));
    for lost in lost {
        let Lost { account_uin, name_id, role_name, .. } = &lost;
        match cloud::revoke(tx, act, *account_uin, &provider, name_id, role_name).await {
            Ok(_) => {}
            Err(cloud::Error::Store(error)) => return Err(error),
            Err(error) => {
                // The account has no organisation any more, so there is nobody to tell.
                tracing::error!(?error, "a role session is not recorded as revoked");
            }
        }
    }
    Ok(())
}
