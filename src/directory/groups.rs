//! Groups and memberships in the database.

use serde_json::{Value, json};

use super::{
    Error, Group, Limits, Source, User, announce,
    by_hand::may_change,
    rules::{check_field, check_group_name, fold},
    user,
};
use crate::{
    audit::{self, Act, Change, Scope},
    id::{GroupId, Principal, SpaceId, UserId},
    space::Space,
    store::{self as database, Page, PageRequest, Read, Sql, Timestamp, Write, like, sql},
};

const GROUP: &str = "SELECT g.id, g.space_id, g.source, g.name, g.description, g.external_id,
            g.version, g.created_at, g.updated_at,
            (SELECT COUNT(*) FROM group_members m WHERE m.group_id = g.id) AS member_count
     FROM groups g WHERE g.deleted_at IS NULL";

/// Appends, in brackets, the identities that a user acts as, itself and its groups, with the columns
/// `kind` and `id`: to be joined with what identities have. A condition with `OR` would say the same,
/// and have PostgreSQL look at every row of the other table.
pub fn push_identities_of(query: &mut Sql, user: UserId) {
    query.push("(SELECT 'user' AS kind, ").push_bind(user).push(" AS id UNION ALL ");
    query.push("SELECT 'group', m.group_id FROM group_members m WHERE m.user_id = ");
    query.push_bind(user).push(")");
}

/// A user in a group, as the group lists it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Member {
    /// The user.
    #[sqlx(flatten)]
    pub user: User,
    /// Since when it is in the group.
    pub joined_at: Timestamp,
}

/// A group somebody is in, as the user lists it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Membership {
    /// The group.
    #[sqlx(flatten)]
    pub group: Group,
    /// Since when the user is in it.
    pub joined_at: Timestamp,
}

/// Makes a group by hand (GRP-01); `limit` is how many the space may have.
pub async fn create_group(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    name: &str,
    description: &str,
    limit: i64,
) -> Result<Group, Error> {
    check_group_name(name)?;
    check_field("description", description, 1024)?;
    let count = sql("SELECT COUNT(*) FROM groups WHERE space_id = $1 AND deleted_at IS NULL")
        .bind(space)
        .fetch_number(tx)
        .await?;
    if count >= limit {
        return Err(Error::TooManyGroups { limit, count });
    }
    let id: GroupId = act.new_id();
    let made =
        sql("INSERT INTO groups (id, space_id, source, name, name_key, name_claim, description,
                             version, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $5, $6, 1, $7, $7) ON CONFLICT DO NOTHING")
        .bind(id)
        .bind(space)
        .bind(Source::Manual)
        .bind(name)
        .bind(fold(name))
        .bind(description)
        .bind(act.now)
        .execute(tx)
        .await?;
    if made == 0 {
        return Err(Error::GroupNameTaken);
    }
    let made = group(tx, space, id).await?.ok_or(Error::GroupNotFound)?;
    let after = json!({ "name": name, "description": description, "source": Source::Manual });
    let told = announce::document(&after);
    announce::change(tx, act, space, Principal::Group(id), &Value::Null, &told).await?;
    record(tx, act, &made, "group.create", json!(null), after).await?;
    Ok(made)
}

/// The group with this id, whatever its source.
pub async fn group(
    tx: &mut Read,
    space: SpaceId,
    id: GroupId,
) -> Result<Option<Group>, database::Error> {
    let mut query = sql(GROUP);
    query.push(" AND g.space_id = ").push_bind(space).push(" AND g.id = ").push_bind(id);
    query.fetch_optional(tx).await
}

/// Which groups to list.
#[derive(Clone, Debug, Default)]
pub struct GroupFilter {
    /// Part of the name.
    pub search: Option<String>,
    /// The whole name.
    pub name: Option<String>,
    /// Only those of one source.
    pub source: Option<Source>,
    /// Only those that this user is not in (GRP-12).
    pub without: Option<UserId>,
    /// Latest first instead of oldest first.
    pub descending: bool,
}

/// The groups of a space in the order of their making, a page of them.
pub async fn groups(
    tx: &mut Read,
    space: SpaceId,
    filter: &GroupFilter,
    page: PageRequest,
) -> Result<Page<Group>, database::Error> {
    let narrow = |query: &mut Sql| {
        query.push(" AND g.space_id = ").push_bind(space);
        if let Some(source) = filter.source {
            query.push(" AND g.source = ").push_bind(source);
        }
        if let Some(user) = filter.without {
            query.push(" AND NOT EXISTS (SELECT 1 FROM group_members m WHERE m.user_id = ");
            query.push_bind(user).push(" AND m.group_id = g.id)");
        }
        if let Some(name) = &filter.name {
            query.push(" AND g.name_key = ").push_bind(fold(name));
        }
        if let Some(search) = &filter.search {
            query.push(" AND g.name_key LIKE ").push_bind(like(&fold(search))).push(r" ESCAPE '\'");
        }
    };
    let mut count = sql("SELECT COUNT(*) FROM groups g WHERE g.deleted_at IS NULL");
    narrow(&mut count);
    let total = count.fetch_number(tx).await?;
    let mut query = sql(GROUP);
    narrow(&mut query);
    if let Some(after) = page.after {
        query.push(if filter.descending { " AND g.id < " } else { " AND g.id > " });
        query.push_bind(after);
    }
    query.push(if filter.descending { " ORDER BY g.id DESC" } else { " ORDER BY g.id" });
    query.push(" LIMIT ").push_bind(page.limit + 1).push(" OFFSET ").push_bind(page.offset);
    let rows = query.fetch_all(tx).await?;
    Ok(Page::of(rows, total, page.limit, |group: &Group| group.id.0))
}

/// The users in a group in the order of their making, a page of them.
pub async fn members(
    tx: &mut Read,
    group: GroupId,
    page: PageRequest,
) -> Result<Page<Member>, database::Error> {
    members_like(tx, group, None, page).await
}

/// The same of those whose name or e-mail address has this in it.
pub async fn members_like(
    tx: &mut Read,
    group: GroupId,
    search: Option<&str>,
    page: PageRequest,
) -> Result<Page<Member>, database::Error> {
    let narrow = |query: &mut Sql| {
        query.push(" WHERE m.group_id = ").push_bind(group);
        if let Some(search) = search {
            let pattern = like(&fold(search));
            query.push(" AND (u.user_name_key LIKE ").push_bind(&pattern).push(r" ESCAPE '\'");
            query.push(" OR u.email_key LIKE ").push_bind(&pattern).push(r" ESCAPE '\')");
        }
    };
    let mut count = sql(match search {
        None => "SELECT COUNT(*) FROM group_members m",
        Some(_) => "SELECT COUNT(*) FROM group_members m JOIN users u ON u.id = m.user_id",
    });
    narrow(&mut count);
    let total = count.fetch_number(tx).await?;
    let mut query =
        sql("SELECT u.id, u.space_id, u.source, u.user_name, u.first_name, u.last_name,
                u.display_name, u.email, u.description, u.active, u.blocked, u.external_id,
                u.version, u.created_at, u.updated_at, m.joined_at
         FROM group_members m JOIN users u ON u.id = m.user_id");
    narrow(&mut query);
    query.push(" AND m.user_id > ").push_bind(page.after.unwrap_or(-1));
    query.push(" ORDER BY m.user_id LIMIT ").push_bind(page.limit + 1);
    query.push(" OFFSET ").push_bind(page.offset);
    let rows = query.fetch_all(tx).await?;
    Ok(Page::of(rows, total, page.limit, |member: &Member| member.user.id.0))
}

/// Since when a user is in a group; none when it is not.
pub async fn member_since(
    tx: &mut Read,
    group: GroupId,
    user: UserId,
) -> Result<Option<Timestamp>, database::Error> {
    let row: Option<(Timestamp,)> =
        sql("SELECT joined_at FROM group_members WHERE group_id = $1 AND user_id = $2")
            .bind(group)
            .bind(user)
            .fetch_optional(tx)
            .await?;
    Ok(row.map(|(at,)| at))
}

/// The groups a user is in, in the order of their making, a page of them.
pub async fn groups_of(
    tx: &mut Read,
    user: UserId,
    page: PageRequest,
) -> Result<Page<Membership>, database::Error> {
    let total = sql("SELECT COUNT(*) FROM group_members WHERE user_id = $1")
        .bind(user)
        .fetch_number(tx)
        .await?;
    let rows = sql("SELECT g.id, g.space_id, g.source, g.name, g.description, g.external_id,
                g.version, g.created_at, g.updated_at, m.joined_at,
                (SELECT COUNT(*) FROM group_members o WHERE o.group_id = g.id) AS member_count
         FROM group_members m JOIN groups g ON g.id = m.group_id
         WHERE m.user_id = $1 AND m.group_id > $2
         ORDER BY m.group_id LIMIT $3 OFFSET $4")
    .bind(user)
    .bind(page.after.unwrap_or(-1))
    .bind(page.limit + 1)
    .bind(page.offset)
    .fetch_all(tx)
    .await?;
    Ok(Page::of(rows, total, page.limit, |membership: &Membership| membership.group.id.0))
}

/// Which of these users are in which of these groups. Both lists must be bounded by the caller.
pub async fn memberships_among(
    tx: &mut Read,
    space: SpaceId,
    groups: &[GroupId],
    users: &[UserId],
) -> Result<Vec<(GroupId, UserId)>, database::Error> {
    if groups.is_empty() || users.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = sql("SELECT m.group_id, m.user_id FROM group_members m
         JOIN groups g ON g.id = m.group_id WHERE g.space_id = ");
    query.push_bind(space).push(" AND m.group_id IN (").push_list(groups.iter().copied());
    query.push(") AND m.user_id IN (").push_list(users.iter().copied()).push(")");
    query.fetch_all(tx).await
}

/// Puts a user into a group by hand (GRP-07, GRP-08, GRP-11, GRP-15).
pub async fn add_member(
    tx: &mut Write,
    act: &Act,
    space: &Space,
    group_id: GroupId,
    user_id: UserId,
    limits: &Limits,
) -> Result<(), Error> {
    let (group, user) = pair(tx, space, group_id, user_id).await?;
    if group.source != user.source {
        return Err(Error::SourcesDiffer);
    }
    if member_since(tx, group_id, user_id).await?.is_some() {
        return Err(Error::AlreadyMember);
    }
    // Nobody else changes members by hand before this ends: `pair` sees to it.
    if limits.counts_members() && group.member_count >= limits.members {
        return Err(Error::TooManyMembers { limit: limits.members, count: group.member_count });
    }
    if limits.counts_memberships() {
        let count = sql("SELECT COUNT(*) FROM group_members WHERE user_id = $1")
            .bind(user_id)
            .fetch_number(tx)
            .await?;
        if count >= limits.memberships {
            let limit = limits.memberships;
            return Err(Error::TooManyMemberships { user: user_id, limit, count });
        }
    }
    let made = sql("INSERT INTO group_members (group_id, user_id, joined_at) VALUES ($1, $2, $3)
         ON CONFLICT DO NOTHING")
    .bind(group_id)
    .bind(user_id)
    .bind(act.now)
    .execute(tx)
    .await?;
    if made == 0 {
        return Err(Error::AlreadyMember);
    }
    touch(tx, act, group_id).await?;
    let (subject, joined) = (Principal::Group(group_id), announce::member(user_id));
    announce::change(tx, act, space.id, subject, &json!({}), &joined).await?;
    let after = json!({ "user_id": user_id, "user_name": user.user_name });
    Ok(record(tx, act, &group, "group.add_member", json!(null), after).await?)
}

/// Takes a user out of a group by hand (GRP-07, GRP-13).
pub async fn remove_member(
    tx: &mut Write,
    act: &Act,
    space: &Space,
    group_id: GroupId,
    user_id: UserId,
) -> Result<(), Error> {
    let (group, user) = pair(tx, space, group_id, user_id).await?;
    let removed = sql("DELETE FROM group_members WHERE group_id = $1 AND user_id = $2")
        .bind(group_id)
        .bind(user_id)
        .execute(tx)
        .await?;
    if removed == 0 {
        return Err(Error::NotMember);
    }
    touch(tx, act, group_id).await?;
    let (subject, left) = (Principal::Group(group_id), announce::member(user_id));
    announce::change(tx, act, space.id, subject, &left, &json!({})).await?;
    let before = json!({ "user_id": user_id, "user_name": user.user_name });
    Ok(record(tx, act, &group, "group.remove_member", before, json!(null)).await?)
}

/// The group and the user, if an administrator may change the one's members.
async fn pair(
    tx: &mut Write,
    space: &Space,
    group_id: GroupId,
    user_id: UserId,
) -> Result<(Group, User), Error> {
    let found = group(tx, space.id, group_id).await?.ok_or(Error::GroupNotFound)?;
    if !may_change(tx, space.id, found.source).await? {
        return Err(Error::GroupManagedByScim);
    }
    // Whoever deletes either of them by hand waits from here on, or has done it (USR-15).
    let group = group(tx, space.id, group_id).await?.ok_or(Error::GroupNotFound)?;
    let user = user(tx, space.id, user_id).await?.ok_or(Error::UserNotFound)?;
    Ok((group, user))
}

async fn touch(tx: &mut Write, act: &Act, group: GroupId) -> Result<(), database::Error> {
    sql("UPDATE groups SET version = version + 1, updated_at = $1, by_hand_at = $1 WHERE id = $2")
        .bind(act.now)
        .bind(group)
        .execute(tx)
        .await?;
    Ok(())
}

async fn record(
    tx: &mut Write,
    act: &Act,
    group: &Group,
    action: &'static str,
    before: Value,
    after: Value,
) -> Result<(), database::Error> {
    let change = Change {
        scope: Scope::Space(group.space_id),
        action,
        object_kind: "group",
        object_id: &group.id.to_string(),
        before,
        after,
    };
    audit::record(tx, act, change).await
}
