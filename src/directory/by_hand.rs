//! Changes by hand of what is there already.
//!
//! What SCIM made is locked while SCIM is on (SCIM-03, USR-11, USR-12, GRP-05 to GRP-07) and free
//! while it is off (SCIM-04). Then its document changes with its columns, so that the directory,
//! when it is back, sees the truth and overwrites it. `by_hand_at` remembers that somebody here
//! did it (SCIM-05).

use serde_json::{Map, Value, json};

use super::{
    Blockers, Error, Group, Source, User, announce, group,
    rules::{check_email, check_field, check_group_name, fold},
    scim::index_emails,
    user,
};
use crate::{
    audit::{self, Act, Change, Scope},
    id::{GroupId, Principal, SpaceId, UserId},
    space::{self, Space},
    store::{self as database, Door, Json, Read, Timestamp, Write, end_sessions, sql},
};

/// What changes of a user (USR-10); none stays as it is. The name never changes by hand (USR-06).
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// The name shown to people.
    pub display_name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Remarks.
    pub description: Option<String>,
}

/// What changes of a group (GRP-04); none stays as it is.
#[derive(Clone, Debug, Default)]
pub struct GroupChange {
    /// Its name.
    pub name: Option<String>,
    /// Remarks.
    pub description: Option<String>,
}

/// What an identity holds that the directory knows nothing of; whoever deletes has to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Assignments of its own.
    pub assignments: i64,
    /// User syncs of its own.
    pub user_syncs: i64,
}

/// What was changed here while no directory pushed (SCIM-05).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChangedByHand {
    /// Users and groups that SCIM made, and that were edited or got or lost members.
    pub edited: i64,
    /// Users and groups that SCIM made, and that were deleted.
    pub deleted: i64,
}

/// Whether administrators may change what has this source now. Nobody turns the switch, and nobody
/// else changes anything by hand in this space, before the transaction ends.
pub(super) async fn may_change(
    tx: &mut Write,
    space: SpaceId,
    source: Source,
) -> Result<bool, database::Error> {
    space::end_access(tx, space).await?;
    match source {
        Source::Manual => Ok(true),
        Source::Scim => {
            let space = space::space(tx, space).await?;
            Ok(space.is_some_and(|space| !space.scim_enabled))
        }
    }
}

/// Changes a user by hand.
pub async fn update_user(
    tx: &mut Write,
    act: &Act,
    space: &Space,
    id: UserId,
    change: &UserChange,
) -> Result<User, Error> {
    let old = changeable_user(tx, space.id, id).await?;
    let pick = |new: &Option<String>, old: &String| new.clone().unwrap_or_else(|| old.clone());
    let new = User {
        first_name: pick(&change.first_name, &old.first_name),
        last_name: pick(&change.last_name, &old.last_name),
        display_name: pick(&change.display_name, &old.display_name),
        email: pick(&change.email, &old.email),
        description: pick(&change.description, &old.description),
        ..old.clone()
    };
    if new == old {
        return Ok(old);
    }
    check_changed(&old, &new)?;
    let document = document_of(tx, Principal::User(id)).await?;
    let edited = document.as_ref().map(|document| edited_user(document, &old, &new));
    let mut query = sql("UPDATE users SET first_name = ");
    query.push_bind(&new.first_name).push(", last_name = ").push_bind(&new.last_name);
    query.push(", display_name = ").push_bind(&new.display_name);
    query.push(", email = ").push_bind(&new.email);
    query.push(", email_key = ").push_bind(fold(&new.email));
    query.push(", description = ").push_bind(&new.description);
    if let Some(edited) = &edited {
        query.push(", document = ").push_bind(&Value::Object(edited.clone()));
    }
    query.push(", version = version + 1, updated_at = ").push_bind(act.now);
    query.push(", by_hand_at = ").push_bind(act.now);
    query.push(" WHERE id = ").push_bind(id);
    query.execute(tx).await.map_err(|error| match error {
        database::Error::Conflict(_) => Error::EmailTaken,
        other => Error::Store(other),
    })?;
    if let Some(edited) = &edited
        && new.email != old.email
    {
        sql("DELETE FROM user_emails WHERE user_id = $1").bind(id).execute(tx).await?;
        index_emails(tx, space.id, [(id.0, edited)]).await?;
    }
    let states = [(&old, document), (&new, edited)];
    let [was, is] = states.map(|(user, document)| match document {
        Some(document) => Value::Object(document),
        None => announce::document(&fields(user)),
    });
    announce::change(tx, act, space.id, Principal::User(id), &was, &is).await?;
    let states = differing(&fields(&old), &fields(&new));
    record(tx, act, space.id, Principal::User(id), "user.update", states).await?;
    user(tx, space.id, id).await?.ok_or(Error::UserNotFound)
}

/// Deletes a user by hand (USR-14, USR-15): not while it is in a group or holds something. Whoever
/// calls has looked what it holds after [`hold_still`].
pub async fn delete_user(
    tx: &mut Write,
    act: &Act,
    space: &Space,
    id: UserId,
    held: Held,
) -> Result<(), Error> {
    let old = changeable_user(tx, space.id, id).await?;
    let groups = sql("SELECT COUNT(*) FROM group_members WHERE user_id = $1")
        .bind(id)
        .fetch_number(tx)
        .await?;
    Blockers { groups, members: 0, held }.check()?;
    let before = document_of(tx, Principal::User(id))
        .await?
        .map_or_else(|| announce::document(&fields(&old)), Value::Object);
    sql("UPDATE users SET deleted_at = $1, updated_at = $1, by_hand_at = $1,
             version = version + 1 WHERE id = $2")
    .bind(act.now)
    .bind(id)
    .execute(tx)
    .await?;
    sql("DELETE FROM user_emails WHERE user_id = $1").bind(id).execute(tx).await?;
    forget_values(tx, space.id, id.0).await?;
    end_sessions(tx, Door::Portal, id.0).await?;
    let subject = Principal::User(id);
    announce::change(tx, act, space.id, subject, &before, &Value::Null).await?;
    Ok(record(tx, act, space.id, subject, "user.delete", (fields(&old), json!(null))).await?)
}

/// Changes a group by hand. A new name is a narrow one, whoever made the group (GRP-01, GRP-02).
pub async fn update_group(
    tx: &mut Write,
    act: &Act,
    space: &Space,
    id: GroupId,
    change: &GroupChange,
) -> Result<Group, Error> {
    let old = changeable_group(tx, space.id, id).await?;
    let name = change.name.as_ref().unwrap_or(&old.name);
    let description = change.description.as_ref().unwrap_or(&old.description);
    if *name == old.name && *description == old.description {
        return Ok(old);
    }
    check_field("description", description, 1024)?;
    let mut query = sql("UPDATE groups SET description = ");
    query.push_bind(description);
    let document = document_of(tx, Principal::Group(id)).await?;
    if *name != old.name {
        check_group_name(name)?;
        let key = fold(name);
        let mut holder = sql("SELECT 1 FROM groups WHERE space_id = ");
        holder.push_bind(space.id).push(" AND name_key = ").push_bind(&key);
        holder.push(" AND deleted_at IS NULL AND id <> ").push_bind(id);
        if holder.exists(tx).await? {
            return Err(Error::GroupNameTaken);
        }
        query.push(", name = ").push_bind(name).push(", name_key = ").push_bind(&key);
        query.push(", name_claim = ").push_bind(&key);
        if let Some(document) = &document {
            let mut edited = document.clone();
            edited.insert("displayName".to_owned(), json!(name));
            query.push(", document = ").push_bind(&Value::Object(edited));
        }
    }
    query.push(", version = version + 1, updated_at = ").push_bind(act.now);
    query.push(", by_hand_at = ").push_bind(act.now).push(" WHERE id = ").push_bind(id);
    query.execute(tx).await.map_err(|error| match error {
        database::Error::Conflict(_) => Error::GroupNameTaken,
        other => Error::Store(other),
    })?;
    let [was, is] = [(&old.name, &old.description), (name, description)]
        .map(|(name, description)| json!({ "name": name, "description": description }));
    let subject = Principal::Group(id);
    let told = [announce::document(&was), announce::document(&is)];
    announce::change(tx, act, space.id, subject, &told[0], &told[1]).await?;
    record(tx, act, space.id, subject, "group.update", differing(&was, &is)).await?;
    group(tx, space.id, id).await?.ok_or(Error::GroupNotFound)
}

/// Deletes a group by hand (GRP-09): not while it has members or holds something.
pub async fn delete_group(
    tx: &mut Write,
    act: &Act,
    space: &Space,
    id: GroupId,
    held: Held,
) -> Result<(), Error> {
    let old = changeable_group(tx, space.id, id).await?;
    Blockers { groups: 0, members: old.member_count, held }.check()?;
    sql("UPDATE groups SET deleted_at = $1, updated_at = $1, by_hand_at = $1,
             version = version + 1 WHERE id = $2")
    .bind(act.now)
    .bind(id)
    .execute(tx)
    .await?;
    // Members that are nobody here block nothing, and nobody would find them again.
    sql("DELETE FROM dangling_group_members WHERE group_id = $1").bind(id).execute(tx).await?;
    forget_values(tx, space.id, id.0).await?;
    let state = json!({ "name": old.name, "description": old.description, "source": old.source });
    let (subject, told) = (Principal::Group(id), announce::document(&state));
    announce::change(tx, act, space.id, subject, &told, &Value::Null).await?;
    Ok(record(tx, act, space.id, subject, "group.delete", (state, json!(null))).await?)
}

/// Until the transaction ends, nobody assigns anything in the space, syncs anybody, or changes
/// anything by hand: what is counted after this stays so.
pub async fn hold_still(tx: &mut Write, space: SpaceId) -> Result<(), database::Error> {
    space::end_access(tx, space).await
}

/// How much of what SCIM made was changed by hand since a time, such as the moment at which SCIM
/// was switched off: what a directory may overwrite or make again when it is back (SCIM-05). A
/// block is not counted, for no directory lifts it (USR-21).
pub async fn changed_by_hand_since(
    tx: &mut Read,
    space: SpaceId,
    since: Timestamp,
) -> Result<ChangedByHand, database::Error> {
    let (edited, deleted): (i64, i64) = sql("SELECT
            CAST(COALESCE(SUM(CASE WHEN deleted_at IS NULL THEN 1 ELSE 0 END), 0) AS BIGINT),
            CAST(COALESCE(SUM(CASE WHEN deleted_at IS NULL THEN 0 ELSE 1 END), 0) AS BIGINT)
         FROM (SELECT deleted_at FROM users
               WHERE space_id = $1 AND by_hand_at >= $2 AND source = $3
               UNION ALL
               SELECT deleted_at FROM groups
               WHERE space_id = $1 AND by_hand_at >= $2 AND source = $3) AS changed")
    .bind(space)
    .bind(since)
    .bind(Source::Scim)
    .fetch_one(tx)
    .await?;
    Ok(ChangedByHand { edited, deleted })
}

async fn changeable_user(tx: &mut Write, space: SpaceId, id: UserId) -> Result<User, Error> {
    let mut lock = sql("SELECT source FROM users WHERE id = ");
    lock.push_bind(id).push(" AND space_id = ").push_bind(space);
    let source: Option<(Source,)> = lock.fetch_optional(tx).await?;
    let (source,) = source.ok_or(Error::UserNotFound)?;
    if !may_change(tx, space, source).await? {
        return Err(Error::UserManagedByScim);
    }
    let mut lock = sql("SELECT 1 FROM users WHERE id = ");
    lock.push_bind(id).push(tx.for_update());
    lock.exists(tx).await?;
    user(tx, space, id).await?.ok_or(Error::UserNotFound)
}

async fn changeable_group(tx: &mut Write, space: SpaceId, id: GroupId) -> Result<Group, Error> {
    let mut lock = sql("SELECT source FROM groups WHERE id = ");
    lock.push_bind(id).push(" AND space_id = ").push_bind(space);
    let source: Option<(Source,)> = lock.fetch_optional(tx).await?;
    let (source,) = source.ok_or(Error::GroupNotFound)?;
    if !may_change(tx, space, source).await? {
        return Err(Error::GroupManagedByScim);
    }
    let mut lock = sql("SELECT 1 FROM groups WHERE id = ");
    lock.push_bind(id).push(tx.for_update());
    lock.exists(tx).await?;
    group(tx, space, id).await?.ok_or(Error::GroupNotFound)
}

/// The document of what SCIM made.
async fn document_of(
    tx: &mut Read,
    principal: Principal,
) -> Result<Option<Map<String, Value>>, database::Error> {
    let query = sql(match principal {
        Principal::User(_) => "SELECT document FROM users WHERE id = $1 AND document IS NOT NULL",
        Principal::Group(_) => "SELECT document FROM groups WHERE id = $1 AND document IS NOT NULL",
    });
    let found: Option<(Json<Map<String, Value>>,)> =
        query.bind(principal.number()).fetch_optional(tx).await?;
    Ok(found.map(|(document,)| document.0))
}

/// USR-07 for what changes; what a directory once sent may be longer and stays as it is.
fn check_changed(old: &User, new: &User) -> Result<(), Error> {
    let texts = [
        ("first_name", &old.first_name, &new.first_name, 64),
        ("last_name", &old.last_name, &new.last_name, 64),
        ("display_name", &old.display_name, &new.display_name, 256),
        ("description", &old.description, &new.description, 1024),
    ];
    for (field, was, is, longest) in texts {
        if was != is {
            check_field(field, is, longest)?;
        }
    }
    if old.email == new.email { Ok(()) } else { check_email(&new.email) }
}

/// The document of a user that SCIM made, with what changed by hand.
fn edited_user(document: &Map<String, Value>, old: &User, new: &User) -> Map<String, Value> {
    let mut edited = document.clone();
    if old.display_name != new.display_name {
        set_text(&mut edited, "displayName", &new.display_name);
    }
    if (&old.first_name, &old.last_name) != (&new.first_name, &new.last_name) {
        let mut name = match edited.remove("name") {
            Some(Value::Object(name)) => name,
            _ => Map::new(),
        };
        set_text(&mut name, "givenName", &new.first_name);
        set_text(&mut name, "familyName", &new.last_name);
        if !name.is_empty() {
            edited.insert("name".to_owned(), Value::Object(name));
        }
    }
    if old.email != new.email {
        set_email(&mut edited, &old.email, &new.email);
    }
    edited
}

fn set_text(object: &mut Map<String, Value>, name: &str, text: &str) {
    if text.is_empty() {
        object.remove(name);
    } else {
        object.insert(name.to_owned(), json!(text));
    }
}

/// Puts another address in the place of the preferred one. Without an address there is none left,
/// or another one would become the preferred one by itself.
fn set_email(document: &mut Map<String, Value>, old: &str, new: &str) {
    if new.is_empty() {
        document.remove("emails");
        return;
    }
    let emails = document.entry("emails").or_insert_with(|| json!([]));
    let list = emails.as_array_mut();
    let preferred = list.and_then(|list| {
        let is_preferred = |email: &&mut Value| email.get("value") == Some(&json!(old));
        let primary = list.iter().position(|email| {
            email.get("value") == Some(&json!(old)) && email.get("primary") == Some(&json!(true))
        });
        match primary {
            Some(index) => list.get_mut(index),
            None => list.iter_mut().find(is_preferred),
        }
    });
    match preferred.and_then(Value::as_object_mut) {
        Some(email) => {
            email.insert("value".to_owned(), json!(new));
        }
        None => *emails = json!([{ "value": new, "type": "work", "primary": true }]),
    }
}

/// Values of registered attributes are found no more.
async fn forget_values(tx: &mut Write, space: SpaceId, id: i64) -> Result<(), database::Error> {
    sql("DELETE FROM scim_attribute_values WHERE resource_id = $1 AND space_id = $2")
        .bind(id)
        .bind(space)
        .execute(tx)
        .await?;
    Ok(())
}

fn fields(user: &User) -> Value {
    json!({
        "user_name": user.user_name,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "display_name": user.display_name,
        "email": user.email,
        "description": user.description,
        "source": user.source,
    })
}

/// The fields in which two states differ: how they were, and how they are.
fn differing(was: &Value, is: &Value) -> (Value, Value) {
    let only = |these: &Value, those: &Value| -> Value {
        these
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, value)| those.get(name.as_str()) != Some(value))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    (only(was, is), only(is, was))
}

pub(super) async fn record(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    object: Principal,
    action: &'static str,
    (before, after): (Value, Value),
) -> Result<(), database::Error> {
    let change = Change {
        scope: Scope::Space(space),
        action,
        object_kind: object.kind().as_str(),
        object_id: &object.to_string(),
        before,
        after,
    };
    audit::record(tx, act, change).await
}
