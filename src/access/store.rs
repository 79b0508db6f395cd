//! Who can reach what, in the database: a query for the roles and one for the CAM users, however
//! many there are.

use super::{
    Error, Origin, ReachState, ReachableAccount, ReachableRole, ReachableUser, RoleLaunch,
    UserLaunch,
};
use crate::{
    directory::{fold, push_identities_of},
    id::{ConfigurationId, GroupId, SpaceId, Uin, UserId},
    organization::{self, AccountKind},
    permission::AssignmentState,
    provisioning::names,
    store::{self as database, Read, Sql, Timestamp, sql},
};

/// One assignment that reaches a user.
#[derive(sqlx::FromRow)]
struct Reach {
    user_name: String,
    account_uin: Uin,
    account_name: String,
    account_kind: AccountKind,
    department: String,
    configuration_id: ConfigurationId,
    configuration_name: String,
    description: String,
    session_duration: i64,
    relay_state: String,
    command_line: bool,
    state: AssignmentState,
    ends_at: Option<Timestamp>,
    is_deployed: bool,
    group_id: Option<GroupId>,
    group_name: Option<String>,
}

impl Reach {
    /// PRT-08: a role can be entered when the assignment counts and the role is there.
    fn state(&self) -> ReachState {
        match self.state {
            AssignmentState::Active if self.is_deployed => ReachState::Deployed,
            AssignmentState::Pending => ReachState::Pending,
            AssignmentState::Active | AssignmentState::Failed | AssignmentState::Removing => {
                ReachState::Failed
            }
        }
    }

    fn origin(&self) -> Origin {
        origin(self.group_id, self.group_name.as_deref())
    }
}

fn origin(group: Option<GroupId>, name: Option<&str>) -> Origin {
    match (group, name) {
        (Some(id), Some(name)) => Origin::Group { id, name: name.to_owned() },
        _ => Origin::Direct,
    }
}

/// The assignments that reach an enabled user; the caller narrows and orders.
fn reaches(space: SpaceId, user: UserId) -> Sql {
    let mut query = sql("SELECT u.user_name, a.account_uin, acc.name AS account_name,
            acc.kind AS account_kind, dep.name AS department, a.configuration_id,
            c.name AS configuration_name, c.description, c.session_duration, c.relay_state,
            c.command_line, a.state, a.ends_at,
            (d.deployed_content IS NOT NULL AND d.state <> 'removing') AS is_deployed,
            g.id AS group_id, g.name AS group_name
        FROM users u
        CROSS JOIN ");
    push_identities_of(&mut query, user);
    query.push(
        " p
        JOIN assignments a ON a.principal_kind = p.kind AND a.principal_id = p.id
        JOIN accounts acc ON acc.uin = a.account_uin
        JOIN departments dep ON dep.id = acc.department_id
        JOIN permission_configurations c ON c.id = a.configuration_id
        LEFT JOIN deployments d
          ON d.account_uin = a.account_uin AND d.configuration_id = a.configuration_id
        LEFT JOIN groups g ON a.principal_kind = 'group' AND g.id = a.principal_id
        WHERE a.state <> 'removing' AND u.deleted_at IS NULL AND u.id = ",
    );
    query.push_bind(user).push(" AND u.space_id = ").push_bind(space);
    query.push(" AND a.space_id = ").push_bind(space);
    query.push(" AND u.active = ").push_bind(true).push(" AND u.blocked = ").push_bind(false);
    query
}

/// Narrows to assignments that have not ended: what has confers nothing, even before anybody has
/// come to take it away.
fn push_unended(query: &mut Sql, now: Timestamp) {
    query.push(" AND (a.ends_at IS NULL OR a.ends_at > ").push_bind(now).push(")");
}

/// Of several origins the best one says how far a role is.
fn better(one: ReachState, other: ReachState) -> ReachState {
    let rank = |state| match state {
        ReachState::Deployed => 2,
        ReachState::Pending => 1,
        ReachState::Failed => 0,
    };
    if rank(one) >= rank(other) { one } else { other }
}

#[derive(sqlx::FromRow)]
struct SyncedReach {
    account_uin: Uin,
    account_name: String,
    account_kind: AccountKind,
    department: String,
    cam_user_name: String,
    state: AssignmentState,
    group_id: Option<GroupId>,
    group_name: Option<String>,
}

/// The CAM users of an enabled user that a sync still stands behind, once for each such sync.
fn synced(space: SpaceId, user: UserId) -> Sql {
    let mut query = sql("SELECT y.account_uin, acc.name AS account_name,
            acc.kind AS account_kind, dep.name AS department, y.cam_user_name, y.state,
            g.id AS group_id, g.name AS group_name
        FROM users u
        JOIN synced_users y ON y.user_id = u.id
        JOIN accounts acc ON acc.uin = y.account_uin
        JOIN departments dep ON dep.id = acc.department_id
        CROSS JOIN ");
    push_identities_of(&mut query, user);
    query.push(
        " p
        JOIN user_syncs s ON s.account_uin = y.account_uin AND s.state <> 'removing'
          AND s.principal_kind = p.kind AND s.principal_id = p.id
        LEFT JOIN groups g ON s.principal_kind = 'group' AND g.id = s.principal_id
        WHERE u.deleted_at IS NULL AND u.id = ",
    );
    query.push_bind(user).push(" AND u.space_id = ").push_bind(space);
    query.push(" AND u.active = ").push_bind(true).push(" AND u.blocked = ").push_bind(false);
    query
}

fn synced_state(state: AssignmentState) -> ReachState {
    match state {
        AssignmentState::Active => ReachState::Deployed,
        AssignmentState::Pending => ReachState::Pending,
        AssignmentState::Failed | AssignmentState::Removing => ReachState::Failed,
    }
}

/// Everything a user of a space can reach, by the accounts' names; nothing for one who is shut
/// out.
pub async fn reachable(
    tx: &mut Read,
    space: SpaceId,
    user: UserId,
) -> Result<Vec<ReachableAccount>, database::Error> {
    let mut query = reaches(space, user);
    query.push(" ORDER BY acc.name, a.account_uin, c.name, a.configuration_id, g.name");
    let roles: Vec<Reach> = query.fetch_all(tx).await?;
    let mut accounts = merged(roles);
    let mut query = synced(space, user);
    query.push(" ORDER BY acc.name, y.account_uin, y.cam_user_name, g.name");
    let users: Vec<SyncedReach> = query.fetch_all(tx).await?;
    for reach in users {
        let account = (reach.account_uin, reach.account_name.as_str(), reach.account_kind);
        let account = entry(&mut accounts, account, &reach.department);
        let state = synced_state(reach.state);
        let origin = origin(reach.group_id, reach.group_name.as_deref());
        match account.users.last_mut().filter(|user| user.name == reach.cam_user_name) {
            Some(user) => user.origins.push(origin),
            None => account.users.push(ReachableUser {
                name: reach.cam_user_name,
                state,
                origins: vec![origin],
            }),
        }
    }
    accounts.sort_by(|a, b| (&a.name, a.uin).cmp(&(&b.name, b.uin)));
    Ok(accounts)
}

/// Assignments in the order of accounts and roles, as one row for each role (PRT-09).
fn merged(reaches: Vec<Reach>) -> Vec<ReachableAccount> {
    let mut accounts: Vec<ReachableAccount> = Vec::new();
    for reach in reaches {
        let account = (reach.account_uin, reach.account_name.as_str(), reach.account_kind);
        let account = entry(&mut accounts, account, &reach.department);
        let (state, origin) = (reach.state(), reach.origin());
        match account.roles.last_mut().filter(|role| role.id == reach.configuration_id) {
            Some(role) => {
                role.state = better(role.state, state);
                role.origins.push(origin);
            }
            None => account.roles.push(ReachableRole {
                id: reach.configuration_id,
                name: reach.configuration_name,
                description: reach.description,
                state,
                session_duration: reach.session_duration,
                command_line: reach.command_line,
                origins: vec![origin],
            }),
        }
    }
    accounts
}

/// One role that a user can reach, whatever its state, in its account; none where there is none.
pub async fn reachable_role(
    tx: &mut Read,
    space: SpaceId,
    user: UserId,
    account: Uin,
    configuration: ConfigurationId,
) -> Result<Option<ReachableAccount>, database::Error> {
    let mut query = reaches(space, user);
    query.push(" AND a.account_uin = ").push_bind(account);
    query.push(" AND a.configuration_id = ").push_bind(configuration);
    let found: Vec<Reach> = query.fetch_all(tx).await?;
    Ok(merged(found).pop())
}

/// Whether a space gives out temporary credentials of a role that it deployed (PRT-11).
pub async fn lets_command_lines(
    tx: &mut Read,
    space: SpaceId,
    role: &str,
) -> Result<bool, database::Error> {
    let Some(configuration) = role.strip_prefix(names::ROLE_PREFIX) else { return Ok(false) };
    sql("SELECT 1 FROM permission_configurations
         WHERE space_id = $1 AND name_key = $2 AND command_line = $3")
    .bind(space)
    .bind(fold(configuration))
    .bind(true)
    .exists(tx)
    .await
}

/// The account's place in the list, made where there is none.
fn entry<'a>(
    accounts: &'a mut Vec<ReachableAccount>,
    (uin, name, kind): (Uin, &str, AccountKind),
    department: &str,
) -> &'a mut ReachableAccount {
    let at = accounts.iter().rposition(|account| account.uin == uin).unwrap_or_else(|| {
        accounts.push(ReachableAccount {
            uin,
            name: name.to_owned(),
            kind,
            department: department.to_owned(),
            roles: Vec::new(),
            users: Vec::new(),
        });
        accounts.len() - 1
    });
    &mut accounts[at]
}

/// Whether a user may enter an account as the role of a configuration now, and what to say there.
pub async fn launch_role(
    tx: &mut Read,
    space: SpaceId,
    user: UserId,
    account: Uin,
    configuration: ConfigurationId,
    now: Timestamp,
) -> Result<RoleLaunch, Error> {
    let mut query = reaches(space, user);
    push_unended(&mut query, now);
    query.push(" AND a.account_uin = ").push_bind(account);
    query.push(" AND a.configuration_id = ").push_bind(configuration);
    let found: Vec<Reach> = query.fetch_all(tx).await?;
    let best = found.iter().map(Reach::state).reduce(better).ok_or(Error::NoAccess)?;
    // One that stays for good is as good as the latest end.
    let ends_at = if found.iter().any(|reach| reach.ends_at.is_none()) {
        None
    } else {
        found.iter().filter_map(|reach| reach.ends_at).max()
    };
    let left = ends_at.map(|ends_at| ends_at.seconds_since(now));
    let reach = found.into_iter().next().ok_or(Error::NoAccess)?;
    match best {
        ReachState::Deployed => Ok(RoleLaunch {
            account,
            account_name: reach.account_name,
            provider: names::saml_provider(space),
            role: names::role(&reach.configuration_name),
            name_id: reach.user_name,
            session_duration: reach.session_duration,
            seconds_left: left,
            relay_state: reach.relay_state,
            command_line: reach.command_line,
            other_cloud: organization::other_cloud(tx, account).await?,
        }),
        state @ (ReachState::Pending | ReachState::Failed) => Err(Error::NotReady(state)),
    }
}

/// Whether a user may enter an account as a CAM user of it now, and what to say there.
pub async fn launch_user(
    tx: &mut Read,
    space: SpaceId,
    user: UserId,
    account: Uin,
    cam_user_name: &str,
) -> Result<UserLaunch, Error> {
    let mut query = synced(space, user);
    query.push(" AND y.account_uin = ").push_bind(account);
    query.push(" AND y.cam_user_name = ").push_bind(cam_user_name);
    let found: Option<SyncedReach> = query.fetch_optional(tx).await?;
    let found = found.ok_or(Error::NoAccess)?;
    match synced_state(found.state) {
        ReachState::Deployed => Ok(UserLaunch {
            account,
            account_name: found.account_name,
            provider: names::saml_provider(space),
            name_id: found.cam_user_name,
        }),
        state @ (ReachState::Pending | ReachState::Failed) => Err(Error::NotReady(state)),
    }
}

/// Whether the user of this name still holds the role of this name on an account: asked when
/// somebody presents our word, which may be minutes old (SES-04).
pub async fn is_entitled(
    tx: &mut Read,
    space: SpaceId,
    user_name: &str,
    account: Uin,
    role: &str,
    now: Timestamp,
) -> Result<bool, database::Error> {
    let Some(configuration) = role.strip_prefix(names::ROLE_PREFIX) else { return Ok(false) };
    let found: Option<(UserId,)> = sql("SELECT id FROM users
         WHERE space_id = $1 AND user_name_key = $2 AND deleted_at IS NULL")
    .bind(space)
    .bind(fold(user_name))
    .fetch_optional(tx)
    .await?;
    let Some((user,)) = found else { return Ok(false) };
    let mut query = reaches(space, user);
    push_unended(&mut query, now);
    query.push(" AND a.account_uin = ").push_bind(account);
    query.push(" AND c.name = ").push_bind(configuration);
    let found: Vec<Reach> = query.fetch_all(tx).await?;
    Ok(found.iter().any(|reach| reach.state() == ReachState::Deployed))
}

/// Whether the CAM user of this name on an account is one that somebody enabled still has: asked
/// when somebody presents our word.
pub async fn has_cam_user(
    tx: &mut Read,
    account: Uin,
    cam_user_name: &str,
) -> Result<bool, database::Error> {
    let found: Option<(UserId, SpaceId)> = sql("SELECT u.id, u.space_id FROM synced_users y
         JOIN users u ON u.id = y.user_id WHERE y.account_uin = $1 AND y.cam_user_name = $2")
    .bind(account)
    .bind(cam_user_name)
    .fetch_optional(tx)
    .await?;
    let Some((user, space)) = found else { return Ok(false) };
    match launch_user(tx, space, user, account, cam_user_name).await {
        Ok(_) => Ok(true),
        Err(Error::NoAccess | Error::NotReady(_)) => Ok(false),
        Err(Error::Store(error)) => Err(error),
    }
}
