//! Users in the database.

use serde_json::{Value, json};

use super::{
    Error, Source, User, announce,
    by_hand::hold_still,
    rules::{check_email, check_field, check_user_name, fold},
};
use crate::{
    audit::{self, Act, Change, Scope},
    id::{GroupId, Principal, SpaceId, UserId},
    store::{self as database, Door, Page, PageRequest, Read, Write, end_sessions, like, sql},
};

const USER: &str = "SELECT u.id, u.space_id, u.source, u.user_name, u.first_name, u.last_name,
            u.display_name, u.email, u.description, u.active, u.blocked, u.external_id, u.version,
            u.created_at, u.updated_at
     FROM users u WHERE u.deleted_at IS NULL";

/// A user to be made by hand. Texts that are not set are empty.
#[derive(Clone, Debug, Default)]
pub struct NewUser {
    /// The name it signs in under.
    pub user_name: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// The name shown to people.
    pub display_name: String,
    /// E-mail address, unique among manual users.
    pub email: String,
    /// Remarks.
    pub description: String,
    /// Made, but not let in yet.
    pub disabled: bool,
}

/// Makes a user by hand (USR-01, USR-04, USR-05, USR-07); `limit` is how many the space may have.
pub async fn create_user(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    new: &NewUser,
    limit: i64,
) -> Result<User, Error> {
    check_user_name(&new.user_name)?;
    check_field("first_name", &new.first_name, 64)?;
    check_field("last_name", &new.last_name, 64)?;
    check_field("display_name", &new.display_name, 256)?;
    check_field("description", &new.description, 1024)?;
    check_email(&new.email)?;
    let count = sql("SELECT COUNT(*) FROM users WHERE space_id = $1 AND deleted_at IS NULL")
        .bind(space)
        .fetch_number(tx)
        .await?;
    if count >= limit {
        return Err(Error::TooManyUsers { limit, count });
    }
    if user_by_name(tx, space, &new.user_name).await?.is_some() {
        return Err(Error::UserNameTaken);
    }
    let id: UserId = act.new_id();
    let made = sql("INSERT INTO users
             (id, space_id, source, user_name, user_name_key, first_name, last_name, display_name,
              email, email_key, description, active, blocked, version, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 1, $14, $14)
         ON CONFLICT DO NOTHING")
    .bind(id)
    .bind(space)
    .bind(Source::Manual)
    .bind(&new.user_name)
    .bind(fold(&new.user_name))
    .bind(&new.first_name)
    .bind(&new.last_name)
    .bind(&new.display_name)
    .bind(&new.email)
    .bind(fold(&new.email))
    .bind(&new.description)
    .bind(true)
    .bind(new.disabled)
    .bind(act.now)
    .execute(tx)
    .await?;
    if made == 0 {
        // Either the e-mail address, or a race for the name.
        let taken = user_by_name(tx, space, &new.user_name).await?.is_some();
        return Err(if taken { Error::UserNameTaken } else { Error::EmailTaken });
    }
    let made = user(tx, space, id).await?.ok_or(Error::UserNotFound)?;
    let after = state(&made);
    let told = announce::document(&after);
    announce::change(tx, act, space, Principal::User(id), &Value::Null, &told).await?;
    record(tx, act, &made, "user.create", json!(null), after).await?;
    Ok(made)
}

/// The user with this id, whatever its source.
pub async fn user(
    tx: &mut Read,
    space: SpaceId,
    id: UserId,
) -> Result<Option<User>, database::Error> {
    let mut query = sql(USER);
    query.push(" AND u.space_id = ").push_bind(space).push(" AND u.id = ").push_bind(id);
    query.fetch_optional(tx).await
}

/// The user of this name (USR-05, SSO-13): folded, never normalised.
pub async fn user_by_name(
    tx: &mut Read,
    space: SpaceId,
    name: &str,
) -> Result<Option<User>, database::Error> {
    let mut query = sql(USER);
    query.push(" AND u.space_id = ").push_bind(space);
    query.push(" AND u.user_name_key = ").push_bind(fold(name));
    query.fetch_optional(tx).await
}

/// Which users to list (USR-22).
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    /// Part of the name, the e-mail address or the remarks, or the whole id.
    pub search: Option<String>,
    /// Only those who may, or may not, sign in.
    pub enabled: Option<bool>,
    /// Only those of one source.
    pub source: Option<Source>,
    /// Only those who are not in this group (GRP-11).
    pub outside: Option<GroupId>,
    /// Latest first instead of oldest first.
    pub descending: bool,
}

/// The users of a space in the order of their making, a page of them.
pub async fn users(
    tx: &mut Read,
    space: SpaceId,
    filter: &UserFilter,
    page: PageRequest,
) -> Result<Page<User>, database::Error> {
    let narrow = |query: &mut database::Sql| {
        query.push(" AND u.space_id = ").push_bind(space);
        if let Some(source) = filter.source {
            query.push(" AND u.source = ").push_bind(source);
        }
        if let Some(group) = filter.outside {
            query.push(" AND NOT EXISTS (SELECT 1 FROM group_members m WHERE m.group_id = ");
            query.push_bind(group).push(" AND m.user_id = u.id)");
        }
        match filter.enabled {
            Some(true) => {
                query.push(" AND u.active = ").push_bind(true);
                query.push(" AND u.blocked = ").push_bind(false);
            }
            Some(false) => {
                query.push(" AND (u.active = ").push_bind(false);
                query.push(" OR u.blocked = ").push_bind(true).push(")");
            }
            None => {}
        }
        if let Some(search) = &filter.search {
            let pattern = like(&fold(search));
            query.push(" AND (u.user_name_key LIKE ").push_bind(&pattern).push(r" ESCAPE '\'");
            query.push(" OR u.email_key LIKE ").push_bind(&pattern).push(r" ESCAPE '\'");
            query.push(" OR LOWER(u.description) LIKE ").push_bind(&pattern).push(r" ESCAPE '\'");
            query.push(" OR u.id = ").push_bind(search.parse::<UserId>().ok()).push(")");
        }
    };
    let mut count = sql("SELECT COUNT(*) FROM users u WHERE u.deleted_at IS NULL");
    narrow(&mut count);
    let total = count.fetch_number(tx).await?;
    let mut query = sql(USER);
    narrow(&mut query);
    if let Some(after) = page.after {
        query.push(if filter.descending { " AND u.id < " } else { " AND u.id > " });
        query.push_bind(after);
    }
    query.push(if filter.descending { " ORDER BY u.id DESC" } else { " ORDER BY u.id" });
    query.push(" LIMIT ").push_bind(page.limit + 1).push(" OFFSET ").push_bind(page.offset);
    let rows = query.fetch_all(tx).await?;
    Ok(Page::of(rows, total, page.limit, |user: &User| user.id.0))
}

/// Lets a user in or shuts it out (USR-17…21); tells whether that changed anything. Shutting out
/// ends the user's portal sessions at once (USR-18). For a user that SCIM made this is a block of
/// our own, which SCIM neither sees nor lifts.
pub async fn set_user_enabled(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: UserId,
    enabled: bool,
) -> Result<bool, Error> {
    hold_still(tx, space).await?;
    let before = user(tx, space, id).await?.ok_or(Error::UserNotFound)?;
    if before.blocked != enabled {
        return Ok(false);
    }
    sql("UPDATE users SET blocked = $1, version = version + 1, updated_at = $2 WHERE id = $3")
        .bind(!enabled)
        .bind(act.now)
        .bind(id)
        .execute(tx)
        .await?;
    if !enabled {
        end_sessions(tx, Door::Portal, id.0).await?;
    }
    announce::switch(tx, act, &before, enabled).await?;
    let [was, is] = [!enabled, enabled].map(|enabled| json!({ "enabled": enabled }));
    record(tx, act, &before, "user.set_enabled", was, is).await?;
    Ok(true)
}

fn state(user: &User) -> Value {
    json!({
        "user_name": user.user_name,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "display_name": user.display_name,
        "email": user.email,
        "description": user.description,
        "enabled": user.enabled(),
        "source": user.source,
    })
}

async fn record(
    tx: &mut Write,
    act: &Act,
    user: &User,
    action: &'static str,
    before: Value,
    after: Value,
) -> Result<(), database::Error> {
    let change = Change {
        scope: Scope::Space(user.space_id),
        action,
        object_kind: "user",
        object_id: &user.id.to_string(),
        before,
        after,
    };
    audit::record(tx, act, change).await
}
