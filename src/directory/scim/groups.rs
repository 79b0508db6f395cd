//! Groups, as SCIM writes them.

use serde_json::{Map, Value, json};

use super::{
    Error,
    members::{self, Difference, Target},
    resource::{
        Resource, ResourceKind, Stored, View, Written, difference, locked, name_conflict, record,
        text,
    },
};
use crate::{
    audit::Act,
    directory::{Source, fold},
    id::{GroupId, Principal, SpaceId},
    scim::{
        document,
        patch::{MemberChange, Patch},
        schema::GROUP_TYPE,
    },
    store::{Json, Write, sql},
};

const KIND: ResourceKind = ResourceKind::Group;

/// Makes a group (RFC 7644 §3.3); `limit` is how many the space may have.
pub async fn create_group(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    body: &Map<String, Value>,
    limit: i64,
    view: &View<'_>,
) -> Result<Resource, Error> {
    let incoming = document::read(&GROUP_TYPE, body)?;
    let attributes = incoming.attributes;
    KIND.check_limit(tx, space, limit).await?;
    let name = text(&attributes, "displayName");
    KIND.check_name(tx, space, &fold(name)).await?;
    let GroupId(id) = act.new_id();
    sql("INSERT INTO groups (id, space_id, source, name, name_key, name_claim, description,
                             external_id, document, version, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $5, '', $6, $7, 1, $8, $8)")
    .bind(id)
    .bind(space)
    .bind(Source::Scim)
    .bind(name)
    .bind(fold(name))
    .bind(attributes.get("externalId").and_then(Value::as_str))
    .bind(&Value::Object(attributes.clone()))
    .bind(act.now)
    .execute(tx)
    .await
    .map_err(name_conflict(KIND))?;
    let joining = MemberChange::Add(incoming.members.unwrap_or_default());
    let target = Target { space, group: id, act };
    let members = target.apply(tx, &[joining], view).await?;
    let mut after = attributes.clone();
    if !members.is_empty() {
        after.insert("members".to_owned(), members.states().1);
    }
    let states = (json!(null), Value::Object(after));
    record(tx, act, space, (KIND, id), "group.create", states).await?;
    let row = Stored {
        id,
        version: 1,
        document: Json(attributes),
        created_at: act.now,
        updated_at: act.now,
    };
    view.show_one(tx, KIND, row).await
}

/// Replaces a group (RFC 7644 §3.5.1): without `members` in the body it is empty afterwards.
pub async fn replace_group(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: &str,
    body: &Map<String, Value>,
    view: &View<'_>,
) -> Result<Written, Error> {
    let row = locked(tx, space, KIND, id).await?;
    let incoming = document::read(&GROUP_TYPE, body)?;
    let changes = [MemberChange::Replace(incoming.members.unwrap_or_default())];
    let members = Target { space, group: row.id, act }.apply(tx, &changes, view).await?;
    let access = access_of(&row, &members);
    let row = update(tx, act, space, row, incoming.attributes, &members).await?;
    Ok(Written { resource: Some(view.show_one(tx, KIND, row).await?), access })
}

/// Changes a group (RFC 7644 §3.5.2): all operations or none. It is not shown when it has more than `max_shown` members afterwards, so that a change of one member costs the same
/// whatever the group's size.
pub async fn patch_group(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: &str,
    body: Map<String, Value>,
    view: &View<'_>,
    max_shown: i64,
) -> Result<Written, Error> {
    let row = locked(tx, space, KIND, id).await?;
    let patch = Patch::parse(body)?;
    let patched = patch.apply(&GROUP_TYPE, &row.document.0)?;
    let target = Target { space, group: row.id, act };
    let members = target.apply(tx, &patched.members, view).await?;
    let access = access_of(&row, &members);
    let row = update(tx, act, space, row, patched.attributes, &members).await?;
    if view.wants_relations(KIND) && members::count(tx, row.id).await? > max_shown {
        return Ok(Written { resource: None, access });
    }
    Ok(Written { resource: Some(view.show_one(tx, KIND, row).await?), access })
}

/// Who is in a group decides what they reach.
fn access_of(row: &Stored, members: &Difference) -> Option<Principal> {
    (!members.is_empty()).then_some(Principal::Group(GroupId(row.id)))
}

/// Writes the new document, if it or the members are new.
async fn update(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    row: Stored,
    attributes: Map<String, Value>,
    members: &Difference,
) -> Result<Stored, Error> {
    if attributes == row.document.0 && members.is_empty() {
        return Ok(row);
    }
    let name = text(&attributes, "displayName");
    let name_key = fold(name);
    if name_key != fold(text(&row.document.0, "displayName")) {
        KIND.check_name(tx, space, &name_key).await?;
    }
    sql("UPDATE groups SET name = $1, name_key = $2, name_claim = $2, external_id = $3, document = $4,
                           version = version + 1, updated_at = $5 WHERE id = $6")
    .bind(name)
    .bind(name_key)
    .bind(attributes.get("externalId").and_then(Value::as_str))
    .bind(&Value::Object(attributes.clone()))
    .bind(act.now)
    .bind(row.id)
    .execute(tx)
    .await
    .map_err(name_conflict(KIND))?;
    let (mut before, mut after) = difference(&row.document.0, &attributes);
    if !members.is_empty() {
        let (removed, added) = members.states();
        before.insert("members".to_owned(), removed);
        after.insert("members".to_owned(), added);
    }
    let states = (Value::Object(before), Value::Object(after));
    record(tx, act, space, (KIND, row.id), "group.update", states).await?;
    Ok(Stored { document: Json(attributes), updated_at: act.now, version: row.version + 1, ..row })
}

/// Deletes a group and with it its memberships (SCIM-18). What it holds directly is left to
/// whoever calls.
pub async fn delete_group(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: &str,
) -> Result<GroupId, Error> {
    let row = locked(tx, space, KIND, id).await?;
    let members = members::count(tx, row.id).await?;
    sql("UPDATE groups SET deleted_at = $1, updated_at = $1, version = version + 1 WHERE id = $2")
        .bind(act.now)
        .bind(row.id)
        .execute(tx)
        .await?;
    sql("DELETE FROM group_members WHERE group_id = $1").bind(row.id).execute(tx).await?;
    sql("DELETE FROM dangling_group_members WHERE group_id = $1").bind(row.id).execute(tx).await?;
    let mut before = row.document.0;
    before.insert("members".to_owned(), json!({ "count": members }));
    let states = (Value::Object(before), json!(null));
    record(tx, act, space, (KIND, row.id), "group.delete", states).await?;
    Ok(GroupId(row.id))
}
