//! Groups, as SCIM writes them.

use serde_json::{Map, Value, json};

use super::{
    Error, extended,
    members::{self, Difference, Target},
    resource::{
        Push, ResourceKind, Stored, Verb, Written, bury, difference, locked, name_conflict, record,
        record_change, text,
    },
};
use crate::{
    directory::{Source, fold},
    id::{GroupId, Principal},
    scim::{
        document::{self, Omission},
        patch::{MemberChange, Patch},
    },
    store::{Write, sql},
};

const KIND: ResourceKind = ResourceKind::Group;

/// A group with more members than this is not shown with every PATCH (reference/SCIM.md §6), so
/// that a change of one member costs the same whatever the group's size.
const MAX_SHOWN_MEMBERS: i64 = 1000;

/// Makes a group (RFC 7644 §3.3); its id is a fresh one unless it was given out beforehand.
pub async fn create_group(
    tx: &mut Write,
    push: &Push<'_>,
    id: Option<i64>,
    body: &Map<String, Value>,
) -> Result<Written, Error> {
    let incoming = document::read(&push.view.types.group, body)?;
    let attributes = incoming.attributes;
    KIND.check_limit(tx, push.space.id, push.limits.groups).await?;
    let name = text(&attributes, "displayName").to_owned();
    let claim = claim(tx, push, &fold(&name)).await?;
    let id = id.unwrap_or_else(|| push.act.new_id::<GroupId>().0);
    let document = Value::Object(attributes.clone()).to_string();
    sql("INSERT INTO groups (id, space_id, source, name, name_key, name_claim, description,
                             external_id, document, version, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, '', $7, $8, 1, $9, $9)")
    .bind(id)
    .bind(push.space.id)
    .bind(Source::Scim)
    .bind(&name)
    .bind(fold(&name))
    .bind(claim)
    .bind(attributes.get("externalId").and_then(Value::as_str))
    .bind(&document)
    .bind(push.act.now)
    .execute(tx)
    .await
    .map_err(name_conflict(KIND))?;
    extended::index(tx, push, KIND, id, &attributes).await?;
    let joining = MemberChange::Add(incoming.members.unwrap_or_default());
    let members = Target { push, group: id }.apply(tx, vec![joining]).await?;
    let mut after = attributes;
    if !members.is_empty() {
        after.insert("members".to_owned(), members.states().1);
    }
    let states = (json!(null), Value::Object(after));
    let audit_id = record(tx, push, (KIND, id), "group.create", states).await?;
    let now = push.act.now;
    let row = Stored { id, version: 1, document, created_at: now, updated_at: now };
    Ok(Written {
        kind: KIND,
        id,
        name,
        version: 1,
        location: push.view.location(KIND, id),
        resource: Some(push.view.show_one(tx, KIND, row).await?),
        access: None,
        audit_id: Some(audit_id),
    })
}

/// The name that a group claims for itself; none where several may have the same one.
async fn claim(tx: &mut Write, push: &Push<'_>, name_key: &str) -> Result<Option<String>, Error> {
    if push.settings().allow_equal_group_names {
        return Ok(None);
    }
    KIND.check_name(tx, push.space.id, name_key).await?;
    Ok(Some(name_key.to_owned()))
}

/// Replaces a group (RFC 7644 §3.5.1): without `members` in the body it is empty afterwards.
pub async fn replace_group(
    tx: &mut Write,
    push: &Push<'_>,
    id: &str,
    body: &Map<String, Value>,
) -> Result<Written, Error> {
    let row = locked(tx, push, KIND, id).await?;
    let old = row.attributes()?;
    let mut incoming = document::read(&push.view.types.group, body)?;
    let types = &push.view.types.group;
    document::settle(types, &old, &mut incoming.attributes, Omission::Silence)?;
    let changes = vec![MemberChange::Replace(incoming.members.unwrap_or_default())];
    let members = Target { push, group: row.id }.apply(tx, changes).await?;
    let new = (incoming.attributes, Verb::Put);
    let (row, mut written) = update(tx, push, row, &old, new, &members).await?;
    written.resource = Some(push.view.show_one(tx, KIND, row).await?);
    Ok(written)
}

/// Changes a group (RFC 7644 §3.5.2): all operations or none. A large one is shown only to whoever
/// named the attributes to be shown.
pub async fn patch_group(
    tx: &mut Write,
    push: &Push<'_>,
    id: &str,
    body: Map<String, Value>,
    show: Show,
) -> Result<Written, Error> {
    let row = locked(tx, push, KIND, id).await?;
    let old = row.attributes()?;
    let patch = Patch::parse(body)?;
    let patched = patch.apply(&push.view.types.group, &old)?;
    let members = Target { push, group: row.id }.apply(tx, patched.members).await?;
    let new = (patched.attributes, Verb::Patch);
    let (row, mut written) = update(tx, push, row, &old, new, &members).await?;
    let shown = match show {
        Show::Always => true,
        Show::Never => false,
        Show::UnlessLarge => {
            !push.view.wants_relations(KIND)
                || !members::more_than(tx, row.id, MAX_SHOWN_MEMBERS).await?
        }
    };
    if shown {
        written.resource = Some(push.view.show_one(tx, KIND, row).await?);
    }
    Ok(written)
}

/// Whether a changed group is part of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// Whatever its size.
    Always,
    /// Unless it has very many members.
    UnlessLarge,
    /// Nobody looks.
    Never,
}

/// Writes the new document, if it or the members are new.
async fn update(
    tx: &mut Write,
    push: &Push<'_>,
    row: Stored,
    old: &Map<String, Value>,
    (attributes, verb): (Map<String, Value>, Verb),
    members: &Difference,
) -> Result<(Stored, Written), Error> {
    let name = text(&attributes, "displayName").to_owned();
    let mut written = Written {
        kind: KIND,
        id: row.id,
        name: name.clone(),
        version: row.version,
        location: push.view.location(KIND, row.id),
        resource: None,
        // Who is in a group decides what they reach.
        access: (!members.is_empty()).then_some(Principal::Group(GroupId(row.id))),
        audit_id: None,
    };
    if attributes == *old && members.is_empty() {
        return Ok((row, written));
    }
    let name_key = fold(&name);
    let mut query = sql("UPDATE groups SET ");
    let mut document = None;
    if attributes != *old {
        let text = Value::Object(attributes.clone()).to_string();
        query.push("name = ").push_bind(&name).push(", name_key = ").push_bind(&name_key);
        if name_key != fold(self::text(old, "displayName")) {
            let claim = claim(tx, push, &name_key).await?;
            query.push(", name_claim = ").push_bind(claim);
        }
        query.push(", external_id = ");
        query.push_bind(attributes.get("externalId").and_then(Value::as_str));
        query.push(", document = ").push_bind(&text).push(", ");
        document = Some(text);
    }
    query.push("version = version + 1, updated_at = ").push_bind(push.act.now);
    query.push(" WHERE id = ").push_bind(row.id);
    query.execute(tx).await.map_err(name_conflict(KIND))?;
    extended::reindex(tx, push, KIND, row.id, old, &attributes).await?;
    let (mut before, mut after) = difference(old, &attributes);
    if !members.is_empty() {
        let (removed, added) = members.states();
        before.insert("members".to_owned(), removed);
        after.insert("members".to_owned(), added);
    }
    let states = (Value::Object(before), Value::Object(after));
    let subject = (KIND, row.id);
    written.audit_id =
        Some(record_change(tx, push, subject, "group.update", states, (verb, &attributes)).await?);
    written.version += 1;
    let row = Stored {
        version: written.version,
        document: document.unwrap_or(row.document),
        updated_at: push.act.now,
        ..row
    };
    Ok((row, written))
}

/// Deletes a group and with it its memberships (SCIM-18). What it holds directly is left to
/// whoever calls.
pub async fn delete_group(tx: &mut Write, push: &Push<'_>, id: &str) -> Result<Written, Error> {
    let row = locked(tx, push, KIND, id).await?;
    let mut before = row.attributes()?;
    let members = members::count(tx, row.id).await?;
    sql("DELETE FROM group_members WHERE group_id = $1").bind(row.id).execute(tx).await?;
    sql("DELETE FROM dangling_group_members WHERE group_id = $1").bind(row.id).execute(tx).await?;
    before.insert("members".to_owned(), json!({ "count": members }));
    bury(tx, push, KIND, &row, before).await
}
