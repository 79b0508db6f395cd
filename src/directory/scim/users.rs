//! Users, as SCIM writes them.

use serde_json::{Map, Value, json};

use super::{
    Error,
    resource::{
        Resource, ResourceKind, Stored, View, Written, difference, locked, name_conflict, record,
        text,
    },
};
use crate::{
    audit::Act,
    directory::{Source, fold},
    id::{Principal, SpaceId, UserId},
    scim::{document, patch::Patch, schema::USER_TYPE},
    store::{self as database, Door, Json, Write, end_sessions, sql},
};

const KIND: ResourceKind = ResourceKind::User;
/// Longer addresses are kept in the document and not searched by index.
pub(super) const MAX_INDEXED_ADDRESS: usize = 512;

/// What of a document stands in columns, for the rest of the house and for searching.
struct Columns<'d> {
    user_name: &'d str,
    first_name: &'d str,
    last_name: &'d str,
    display_name: &'d str,
    email: &'d str,
    active: bool,
    external_id: Option<&'d str>,
}

impl<'d> Columns<'d> {
    fn of(attributes: &'d Map<String, Value>) -> Self {
        let name = |part: &str| {
            attributes
                .get("name")
                .and_then(|name| name.get(part))
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        Self {
            user_name: text(attributes, "userName"),
            first_name: name("givenName"),
            last_name: name("familyName"),
            display_name: text(attributes, "displayName"),
            email: preferred_email(attributes),
            active: attributes.get("active").and_then(Value::as_bool).unwrap_or(true),
            external_id: attributes.get("externalId").and_then(Value::as_str),
        }
    }
}

fn emails(attributes: &Map<String, Value>) -> &[Value] {
    attributes.get("emails").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The primary address, else the one for work, else the first.
fn preferred_email(attributes: &Map<String, Value>) -> &str {
    let emails = emails(attributes);
    let is_work = |email: &&Value| {
        email
            .get("type")
            .and_then(Value::as_str)
            .is_some_and(|kind| kind.eq_ignore_ascii_case("work"))
    };
    emails
        .iter()
        .find(|email| email.get("primary") == Some(&Value::Bool(true)))
        .or_else(|| emails.iter().find(is_work))
        .or_else(|| emails.first())
        .and_then(|email| email.get("value"))
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Makes a user (RFC 7644 §3.3); `limit` is how many the space may have. A name that is held by
/// hand is never taken over (SCIM-17), and the id is always a fresh one (SCIM-16).
pub async fn create_user(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    body: &Map<String, Value>,
    limit: i64,
    view: &View<'_>,
) -> Result<Resource, Error> {
    let attributes = document::read(&USER_TYPE, body)?.attributes;
    KIND.check_limit(tx, space, limit).await?;
    let columns = Columns::of(&attributes);
    KIND.check_name(tx, space, &fold(columns.user_name)).await?;
    let UserId(id) = act.new_id();
    sql("INSERT INTO users
             (id, space_id, source, user_name, user_name_key, first_name, last_name, display_name,
              email, email_key, description, active, blocked, external_id, document, version,
              created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', $11, $12, $13, $14, 1, $15, $15)")
    .bind(id)
    .bind(space)
    .bind(Source::Scim)
    .bind(columns.user_name)
    .bind(fold(columns.user_name))
    .bind(columns.first_name)
    .bind(columns.last_name)
    .bind(columns.display_name)
    .bind(columns.email)
    .bind(fold(columns.email))
    .bind(columns.active)
    .bind(false)
    .bind(columns.external_id)
    .bind(&Value::Object(attributes.clone()))
    .bind(act.now)
    .execute(tx)
    .await
    .map_err(name_conflict(KIND))?;
    index_emails(tx, space, id, &attributes).await?;
    let after = Value::Object(attributes.clone());
    record(tx, act, space, (KIND, id), "user.create", (json!(null), after)).await?;
    let row = Stored {
        id,
        version: 1,
        document: Json(attributes),
        created_at: act.now,
        updated_at: act.now,
    };
    view.show_one(tx, KIND, row).await
}

/// Replaces a user (RFC 7644 §3.5.1): what the body does not name is cleared.
pub async fn replace_user(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: &str,
    body: &Map<String, Value>,
    view: &View<'_>,
) -> Result<Written, Error> {
    let row = locked(tx, space, KIND, id).await?;
    let attributes = document::read(&USER_TYPE, body)?.attributes;
    update(tx, act, space, row, attributes, view).await
}

/// Changes a user (RFC 7644 §3.5.2): all operations or none.
pub async fn patch_user(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: &str,
    body: Map<String, Value>,
    view: &View<'_>,
) -> Result<Written, Error> {
    let row = locked(tx, space, KIND, id).await?;
    let attributes = Patch::parse(body)?.apply(&USER_TYPE, &row.document.0)?.attributes;
    update(tx, act, space, row, attributes, view).await
}

/// Writes the new document, if it is a new one.
async fn update(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    row: Stored,
    attributes: Map<String, Value>,
    view: &View<'_>,
) -> Result<Written, Error> {
    if attributes == row.document.0 {
        let resource = view.show_one(tx, KIND, row).await?;
        return Ok(Written { resource: Some(resource), access: None });
    }
    let (old, new) = (Columns::of(&row.document.0), Columns::of(&attributes));
    let name_key = fold(new.user_name);
    // SCIM-11: the directory may rename; what the user has here follows its id.
    if name_key != fold(old.user_name) {
        KIND.check_name(tx, space, &name_key).await?;
    }
    sql("UPDATE users SET user_name = $1, user_name_key = $2, first_name = $3, last_name = $4,
             display_name = $5, email = $6, email_key = $7, active = $8, external_id = $9,
             document = $10, version = version + 1, updated_at = $11
         WHERE id = $12")
    .bind(new.user_name)
    .bind(name_key)
    .bind(new.first_name)
    .bind(new.last_name)
    .bind(new.display_name)
    .bind(new.email)
    .bind(fold(new.email))
    .bind(new.active)
    .bind(new.external_id)
    .bind(&Value::Object(attributes.clone()))
    .bind(act.now)
    .bind(row.id)
    .execute(tx)
    .await
    .map_err(name_conflict(KIND))?;
    // USR-18: disabling ends what is open, at once.
    if old.active && !new.active {
        end_sessions(tx, Door::Portal, row.id).await?;
    }
    if emails(&row.document.0) != emails(&attributes) {
        sql("DELETE FROM user_emails WHERE user_id = $1").bind(row.id).execute(tx).await?;
        index_emails(tx, space, row.id, &attributes).await?;
    }
    let access = (old.active != new.active || old.user_name != new.user_name)
        .then_some(Principal::User(UserId(row.id)));
    let (before, after) = difference(&row.document.0, &attributes);
    let states = (Value::Object(before), Value::Object(after));
    record(tx, act, space, (KIND, row.id), "user.update", states).await?;
    let row =
        Stored { document: Json(attributes), updated_at: act.now, version: row.version + 1, ..row };
    Ok(Written { resource: Some(view.show_one(tx, KIND, row).await?), access })
}

/// Deletes a user (SCIM-18): gone from now on, its name free, its sessions ended, its memberships
/// with it. What it holds directly is left to whoever calls; the id is what they need for it.
pub async fn delete_user(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: &str,
) -> Result<UserId, Error> {
    let row = locked(tx, space, KIND, id).await?;
    sql("UPDATE users SET deleted_at = $1, updated_at = $1, version = version + 1 WHERE id = $2")
        .bind(act.now)
        .bind(row.id)
        .execute(tx)
        .await?;
    sql("DELETE FROM group_members WHERE user_id = $1").bind(row.id).execute(tx).await?;
    sql("DELETE FROM user_emails WHERE user_id = $1").bind(row.id).execute(tx).await?;
    end_sessions(tx, Door::Portal, row.id).await?;
    let states = (Value::Object(row.document.0), json!(null));
    record(tx, act, space, (KIND, row.id), "user.delete", states).await?;
    Ok(UserId(row.id))
}

/// Makes the addresses of a user findable.
pub(in crate::directory) async fn index_emails(
    tx: &mut Write,
    space: SpaceId,
    user: i64,
    attributes: &Map<String, Value>,
) -> Result<(), database::Error> {
    for (position, email) in (0_i64..).zip(emails(attributes)) {
        let part = |name: &str| email.get(name).and_then(Value::as_str).map(fold);
        let Some(address) = part("value") else { continue };
        let kind = part("type").unwrap_or_default();
        if address.chars().count() > MAX_INDEXED_ADDRESS {
            continue;
        }
        sql("INSERT INTO user_emails (user_id, position, space_id, address_key, kind_key)
             VALUES ($1, $2, $3, $4, $5)")
        .bind(user)
        .bind(position)
        .bind(space)
        .bind(address)
        .bind(kind)
        .execute(tx)
        .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preferred_address_is_primary_then_work_then_first() {
        let email = |list: Value| {
            let document = json!({ "emails": list });
            preferred_email(document.as_object().unwrap()).to_owned()
        };
        let [home, work] = [("a", "home"), ("b", "Work")]
            .map(|(value, kind)| json!({ "value": value, "type": kind }));
        let primary = json!({ "value": "c", "primary": true });
        assert_eq!(email(json!([home, work, primary])), "c");
        assert_eq!(email(json!([home, work])), "b");
        assert_eq!(email(json!([home])), "a");
        assert_eq!(email(json!([])), "");
    }
}
