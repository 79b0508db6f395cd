//! User syncs in the database: an identity has a CAM user in an account.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::Error;
use crate::{
    audit::{self, Act, Change, Scope},
    directory::fold,
    id::{Principal, PrincipalKind, SpaceId, TaskId, Uin, UserId, UserSyncId},
    organization::AccountKind,
    permission::AssignmentState,
    store::{self as database, Page, PageRequest, Read, Timestamp, Write, like, sql, text_enum},
    task::{self, Kind, NewTask},
};

/// The most user syncs in one call.
pub const MOST_SYNCS_PER_CALL: usize = 50;

text_enum! {
    /// What happens when the account has a CAM user of that name already (US-04).
    pub enum DuplicationStrategy {
        /// Both stay; ours gets another name.
        KeepBoth = "KeepBoth",
        /// The one that is there becomes ours.
        TakeOver = "TakeOver",
    }
}

text_enum! {
    /// What happens to the CAM user when the sync goes (US-07).
    pub enum DeletionStrategy {
        /// It stays, and is no longer ours.
        Keep = "Keep",
        /// It is deleted.
        Delete = "Delete",
    }
}

/// A user sync.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct UserSync {
    /// Its id.
    pub id: UserSyncId,
    /// The space it is in.
    pub space_id: SpaceId,
    /// User or group.
    pub principal_kind: PrincipalKind,
    principal_id: i64,
    /// The identity's name.
    pub principal_name: String,
    /// The account.
    pub account_uin: Uin,
    /// The account's name.
    pub account_name: String,
    /// What the account is to its organisation.
    pub account_kind: AccountKind,
    /// What it is for.
    pub description: String,
    /// What happens to a CAM user of the same name.
    pub duplication_strategy: DuplicationStrategy,
    /// What happens when it goes.
    pub deletion_strategy: DeletionStrategy,
    /// How far it is; [`AssignmentState::Active`] is what the API calls enabled.
    pub state: AssignmentState,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

impl UserSync {
    /// Whom it is for.
    pub fn principal(&self) -> Principal {
        Principal::new(self.principal_kind, self.principal_id)
    }
}

/// A user sync to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUserSync {
    /// Whom it is for.
    pub principal: Principal,
    /// The account.
    pub account: Uin,
    /// What it is for.
    pub description: String,
    /// What happens to a CAM user of the same name.
    pub duplication: DuplicationStrategy,
    /// What happens when it goes.
    pub deletion: DeletionStrategy,
}

/// What became of one item of a batch (MAA-09).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserSyncItem {
    /// What was asked for.
    pub asked: NewUserSync,
    /// The sync; none for one that was there already.
    pub user_sync: Option<UserSyncId>,
    /// The task that does it, or that has failed already.
    pub task: TaskId,
}

const USER_SYNC: &str = "SELECT s.id, s.space_id, s.principal_kind, s.principal_id,
        COALESCE(u.user_name, g.name, '') AS principal_name, s.account_uin,
        acc.name AS account_name, acc.kind AS account_kind, s.description,
        s.duplication_strategy, s.deletion_strategy, s.state, s.created_at, s.updated_at
    FROM user_syncs s
    JOIN accounts acc ON acc.uin = s.account_uin
    LEFT JOIN users u ON s.principal_kind = 'user' AND u.id = s.principal_id
    LEFT JOIN groups g ON s.principal_kind = 'group' AND g.id = s.principal_id
    WHERE s.space_id = ";

/// US-03: at most 1024 characters.
pub(super) fn check_description(text: &str) -> Result<(), Error> {
    if text.chars().count() > 1024 { Err(Error::DescriptionInvalid) } else { Ok(()) }
}

/// CAM users of one account are made and unmade in order: two syncs may mean the same one.
pub(super) fn new_task(
    space: SpaceId,
    id: UserSyncId,
    principal: Principal,
    account: Uin,
    kind: Kind,
) -> NewTask {
    NewTask {
        space,
        kind,
        subject: format!("{account}/users"),
        account,
        configuration: None,
        principal: Some(principal),
        payload: json!({ "user_sync": id }),
    }
}

/// Which user syncs to list; what is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub struct UserSyncFilter {
    /// Of this identity.
    pub principal: Option<Principal>,
    /// Of identities of this kind.
    pub principal_kind: Option<PrincipalKind>,
    /// Of this user, and of the groups that the user is in.
    pub reaching: Option<UserId>,
    /// On this account.
    pub account: Option<Uin>,
    /// On accounts of this kind.
    pub account_kind: Option<AccountKind>,
    /// Part of the identity's name; ASCII case does not matter.
    pub search: Option<String>,
    /// Part of the account's name, or its whole number (US-10).
    pub account_search: Option<String>,
}

/// The user syncs of a space in the order of their making, a page of them (US-10).
pub async fn user_syncs(
    tx: &mut Read,
    space: SpaceId,
    filter: &UserSyncFilter,
    page: PageRequest,
) -> Result<Page<UserSync>, database::Error> {
    let narrow = |query: &mut database::Sql| {
        query.push_bind(space);
        if let Some(principal) = filter.principal {
            query.push(" AND s.principal_kind = ").push_bind(principal.kind());
            query.push(" AND s.principal_id = ").push_bind(principal.number());
        }
        if let Some(kind) = filter.principal_kind {
            query.push(" AND s.principal_kind = ").push_bind(kind);
        }
        if let Some(user) = filter.reaching {
            query.push(" AND (s.principal_kind = 'user' AND s.principal_id = ").push_bind(user);
            query.push(" OR s.principal_kind = 'group' AND s.principal_id IN (");
            query.push("SELECT m.group_id FROM group_members m WHERE m.user_id = ");
            query.push_bind(user).push("))");
        }
        if let Some(account) = filter.account {
            query.push(" AND s.account_uin = ").push_bind(account);
        }
        if let Some(kind) = filter.account_kind {
            query.push(" AND acc.kind = ").push_bind(kind);
        }
        if let Some(search) = &filter.account_search {
            query.push(" AND (LOWER(acc.name) LIKE ").push_bind(like(&search.to_lowercase()));
            query.push(r" ESCAPE '\' OR s.account_uin = ");
            query.push_bind(search.parse::<Uin>().ok()).push(")");
        }
        if let Some(search) = &filter.search {
            let pattern = like(&fold(search));
            query.push(" AND COALESCE(u.user_name_key, g.name_key, '') LIKE ");
            query.push_bind(pattern).push(r" ESCAPE '\'");
        }
    };
    let mut count = sql("SELECT COUNT(*) FROM user_syncs s
        JOIN accounts acc ON acc.uin = s.account_uin
        LEFT JOIN users u ON s.principal_kind = 'user' AND u.id = s.principal_id
        LEFT JOIN groups g ON s.principal_kind = 'group' AND g.id = s.principal_id
        WHERE s.space_id = ");
    narrow(&mut count);
    let total = count.fetch_number(tx).await?;
    let mut query = sql(USER_SYNC);
    narrow(&mut query);
    if let Some(after) = page.after {
        query.push(" AND s.id > ").push_bind(after);
    }
    query.push(" ORDER BY s.id LIMIT ").push_bind(page.limit + 1);
    query.push(" OFFSET ").push_bind(page.offset);
    let rows = query.fetch_all(tx).await?;
    Ok(Page::of(rows, total, page.limit, |row: &UserSync| row.id.0))
}

/// What the CAM users that stand for a user are called: the account of each, and its name there.
pub async fn cam_user_names(
    tx: &mut Read,
    user: UserId,
) -> Result<Vec<(Uin, String)>, database::Error> {
    sql("SELECT account_uin, cam_user_name FROM synced_users WHERE user_id = $1
         ORDER BY account_uin, cam_user_name")
    .bind(user)
    .fetch_all(tx)
    .await
}

/// The user syncs of a space between these identities and accounts, in the order given; what is not
/// there is left out.
pub async fn user_syncs_between(
    tx: &mut Read,
    space: SpaceId,
    pairs: &[(Principal, Uin)],
) -> Result<Vec<UserSync>, database::Error> {
    let mut query = sql(USER_SYNC);
    query.push_bind(space).push(" AND s.account_uin IN ");
    query.push_numbers(pairs.iter().map(|(_, account)| account.0).collect::<Vec<i64>>());
    query.push(" AND s.principal_id IN ");
    query.push_numbers(pairs.iter().map(|(one, _)| one.number()).collect::<Vec<i64>>());
    let found: Vec<UserSync> = query.fetch_all(tx).await?;
    let between = |(principal, account): &(Principal, Uin)| {
        found.iter().find(|sync| sync.principal() == *principal && sync.account_uin == *account)
    };
    Ok(pairs.iter().filter_map(between).cloned().collect())
}

/// The user sync of a space with this id.
pub async fn user_sync(
    tx: &mut Read,
    space: SpaceId,
    id: UserSyncId,
) -> Result<Option<UserSync>, database::Error> {
    let mut query = sql(USER_SYNC);
    query.push_bind(space).push(" AND s.id = ").push_bind(id);
    query.fetch_optional(tx).await
}

/// The user syncs of a space with these ids, as far as they are there.
pub async fn user_syncs_of(
    tx: &mut Read,
    space: SpaceId,
    ids: &[UserSyncId],
) -> Result<Vec<UserSync>, database::Error> {
    let numbers: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let mut query = sql(USER_SYNC);
    query.push_bind(space).push(" AND s.id IN ").push_numbers(numbers).push(" ORDER BY s.id");
    query.fetch_all(tx).await
}

/// Ends a user sync; its deletion strategy says what becomes of the CAM users (US-13). The portal
/// offers them no more from now on.
pub async fn delete_user_sync(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: UserSyncId,
) -> Result<TaskId, Error> {
    let tasks = delete_user_syncs(tx, act, space, &[id]).await?;
    tasks.into_iter().next().ok_or(Error::UserSyncNotFound)
}

/// Ends user syncs; says the task of each in the order given. Where one is not there, none is ended.
pub async fn delete_user_syncs(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    ids: &[UserSyncId],
) -> Result<Vec<TaskId>, Error> {
    let mut query = sql(END);
    query.push_bind(act.now).push(" WHERE space_id = ").push_bind(space);
    query.push(" AND id IN ").push_numbers(ids.iter().map(|id| id.0).collect::<Vec<i64>>());
    let ended = end(tx, act, space, query, ids).await?;
    // One that is named twice ends once.
    let mut told = BTreeSet::new();
    let distinct = ids.iter().filter(|id| told.insert(**id));
    distinct.map(|id| ended.get(id).copied().ok_or(Error::UserSyncNotFound)).collect()
}

/// Ends the user syncs that are for an identity that goes.
pub(super) async fn end_of_principal(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    principal: Principal,
) -> Result<(), database::Error> {
    let mut query = sql(END);
    query.push_bind(act.now).push(" WHERE space_id = ").push_bind(space);
    query.push(" AND state <> 'removing' AND principal_kind = ").push_bind(principal.kind());
    query.push(" AND principal_id = ").push_bind(principal.number());
    end(tx, act, space, query, &[]).await.map(|_| ())
}

const END: &str = "UPDATE user_syncs SET state = 'removing', updated_at = ";

#[derive(sqlx::FromRow)]
struct Ended {
    #[sqlx(flatten)]
    sync: Sync,
    deletion_strategy: DeletionStrategy,
}

/// Ends the user syncs that an update finds, in this order: a task for each, and a record.
async fn end(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    mut update: database::Sql,
    order: &[UserSyncId],
) -> Result<BTreeMap<UserSyncId, TaskId>, database::Error> {
    update.push(" RETURNING id, principal_kind, principal_id, account_uin, deletion_strategy");
    let mut ended: Vec<Ended> = update.fetch_all(tx).await?;
    let place = |id: UserSyncId| order.iter().position(|other| *other == id);
    ended.sort_unstable_by_key(|ended| (place(ended.sync.id), ended.sync.id));
    let tasks: Vec<_> =
        ended.iter().map(|it| (it.sync.task(space, Kind::DeleteUserSync), None)).collect();
    let tasks = task::enqueue_all(tx, act, &tasks).await?;
    for (Ended { sync, deletion_strategy }, task) in ended.iter().zip(&tasks) {
        let change = Change {
            scope: Scope::Space(space),
            action: "user_sync.delete",
            object_kind: "user_sync",
            object_id: &sync.id.to_string(),
            before: json!({
                "principal": sync.principal().to_string(),
                "account": sync.account_uin,
                "deletion_strategy": deletion_strategy,
            }),
            after: json!({ "task": task }),
        };
        audit::record(tx, act, change).await?;
    }
    Ok(ended.into_iter().map(|ended| ended.sync.id).zip(tasks).collect())
}

/// What a task about a user sync has to know.
#[derive(sqlx::FromRow)]
pub(super) struct Sync {
    id: UserSyncId,
    principal_kind: PrincipalKind,
    principal_id: i64,
    account_uin: Uin,
}

impl Sync {
    fn principal(&self) -> Principal {
        Principal::new(self.principal_kind, self.principal_id)
    }

    fn task(&self, space: SpaceId, kind: Kind) -> NewTask {
        new_task(space, self.id, self.principal(), self.account_uin, kind)
    }
}

/// Has every user sync that concerns these identities look again (US-14, US-15): those of a user,
/// of its groups, and of a group.
pub(super) async fn look_again(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    changed: &[Principal],
) -> Result<(), database::Error> {
    let numbers = |kind: PrincipalKind| -> Vec<i64> {
        changed.iter().filter(|it| it.kind() == kind).map(|it| it.number()).collect()
    };
    let (users, groups) = (numbers(PrincipalKind::User), numbers(PrincipalKind::Group));
    let mut query = sql("SELECT id, principal_kind, principal_id, account_uin FROM user_syncs
         WHERE state <> 'removing' AND space_id = ");
    query.push_bind(space);
    query.push(" AND (principal_kind = 'user' AND principal_id IN ").push_numbers(users.clone());
    query.push(" OR principal_kind = 'group' AND (principal_id IN ").push_numbers(groups);
    query.push(" OR principal_id IN (SELECT group_id FROM group_members WHERE user_id IN ");
    query.push_numbers(users).push("))) ORDER BY id");
    let found: Vec<Sync> = query.fetch_all(tx).await?;
    start_again(tx, act, space, &found).await
}

/// Has these user syncs look again.
pub(super) async fn start_again(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    syncs: &[Sync],
) -> Result<(), database::Error> {
    let tasks: Vec<_> =
        syncs.iter().map(|sync| (sync.task(space, Kind::StartUserSync), None)).collect();
    task::enqueue_all(tx, act, &tasks).await.map(|_| ())
}

/// The user of a directory that a CAM user was made for.
pub async fn directory_user_of(
    tx: &mut Read,
    account: Uin,
    cam_user_name: &str,
) -> Result<Option<UserId>, database::Error> {
    let found: Option<(UserId,)> =
        sql("SELECT user_id FROM synced_users WHERE account_uin = $1 AND cam_user_name = $2")
            .bind(account)
            .bind(cam_user_name)
            .fetch_optional(tx)
            .await?;
    Ok(found.map(|(user,)| user))
}

/// How many user syncs a space has on an account that are there to stay.
pub(super) async fn left(
    tx: &mut Read,
    space: SpaceId,
    account: Uin,
) -> Result<i64, database::Error> {
    sql("SELECT COUNT(*) FROM user_syncs
         WHERE space_id = $1 AND account_uin = $2 AND state <> 'removing'")
    .bind(space)
    .bind(account)
    .fetch_number(tx)
    .await
}
