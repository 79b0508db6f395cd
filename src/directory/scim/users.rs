//! Users, as SCIM writes them.

use serde_json::{Map, Value};

use super::{
    Error, brake, create, extended,
    resource::{
        Push, ResourceKind, Stored, Verb, Written, bury, difference, locked, name_conflict,
        record_change, text,
    },
};
use crate::{
    directory::fold,
    id::{Principal, UserId},
    scim::{
        self, ErrorKind,
        document::{self, Omission},
        patch::Patch,
    },
    store::{Door, Write, end_sessions, sql},
};

const KIND: ResourceKind = ResourceKind::User;

/// What of a document stands in columns, for the rest of the house and for searching.
pub(super) struct Columns<'d> {
    pub(super) user_name: &'d str,
    pub(super) first_name: &'d str,
    pub(super) last_name: &'d str,
    pub(super) display_name: &'d str,
    pub(super) email: &'d str,
    pub(super) active: bool,
    pub(super) external_id: Option<&'d str>,
}

impl<'d> Columns<'d> {
    pub(super) fn of(attributes: &'d Map<String, Value>) -> Self {
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

pub(super) fn emails(attributes: &Map<String, Value>) -> &[Value] {
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

/// Replaces a user (RFC 7644 §3.5.1): what the body does not name is cleared.
pub async fn replace_user(
    tx: &mut Write,
    push: &Push<'_>,
    id: &str,
    body: &Map<String, Value>,
) -> Result<Written, Error> {
    let row = locked(tx, push, KIND, id).await?;
    let old = row.attributes()?;
    let mut attributes = document::read(&push.view.types.user, body)?.attributes;
    document::settle(&push.view.types.user, &old, &mut attributes, Omission::Silence)?;
    update(tx, push, row, old, attributes, Verb::Put).await
}

/// Changes a user (RFC 7644 §3.5.2): all operations or none.
pub async fn patch_user(
    tx: &mut Write,
    push: &Push<'_>,
    id: &str,
    body: Map<String, Value>,
) -> Result<Written, Error> {
    let row = locked(tx, push, KIND, id).await?;
    let old = row.attributes()?;
    let attributes = Patch::parse(body)?.apply(&push.view.types.user, &old)?.attributes;
    update(tx, push, row, old, attributes, Verb::Patch).await
}

/// Writes the new document, if it is a new one.
async fn update(
    tx: &mut Write,
    push: &Push<'_>,
    row: Stored,
    old: Map<String, Value>,
    attributes: Map<String, Value>,
    verb: Verb,
) -> Result<Written, Error> {
    let mut written = Written {
        kind: KIND,
        id: row.id,
        name: text(&attributes, "userName").to_owned(),
        version: row.version,
        location: push.view.location(KIND, row.id),
        resource: None,
        access: None,
        audit_id: None,
    };
    if attributes == old {
        written.resource = Some(push.view.show_one(tx, KIND, row).await?);
        return Ok(written);
    }
    let space = push.space.id;
    let (was, is) = (Columns::of(&old), Columns::of(&attributes));
    let name_key = fold(is.user_name);
    if was.user_name != is.user_name && push.settings().refuse_renames {
        let detail = "userName never changes in this space; an administrator can allow renames";
        return Err(scim::Error::new(ErrorKind::Mutability, detail).into());
    }
    // SCIM-11: the directory may rename; what the user has here follows its id.
    if name_key != fold(was.user_name) {
        KIND.check_name(tx, space, &name_key).await?;
    }
    if was.active && !is.active {
        brake::let_go(tx, push, row.id, row.created_at).await?;
    } else if !was.active && is.active {
        brake::come_back(tx, push, row.id).await?;
    }
    let document = Value::Object(attributes.clone()).to_string();
    sql("UPDATE users SET user_name = $1, user_name_key = $2, first_name = $3, last_name = $4,
             display_name = $5, email = $6, email_key = $7, active = $8, external_id = $9,
             document = $10, version = version + 1, updated_at = $11
         WHERE id = $12")
    .bind(is.user_name)
    .bind(name_key)
    .bind(is.first_name)
    .bind(is.last_name)
    .bind(is.display_name)
    .bind(is.email)
    .bind(fold(is.email))
    .bind(is.active)
    .bind(is.external_id)
    .bind(&document)
    .bind(push.act.now)
    .bind(row.id)
    .execute(tx)
    .await
    .map_err(name_conflict(KIND))?;
    // USR-18: disabling ends what is open, at once.
    if was.active && !is.active {
        end_sessions(tx, Door::Portal, row.id).await?;
    }
    if emails(&old) != emails(&attributes) {
        sql("DELETE FROM user_emails WHERE user_id = $1").bind(row.id).execute(tx).await?;
        create::index_emails(tx, space, [(row.id, &attributes)]).await?;
    }
    extended::reindex(tx, push, KIND, row.id, &old, &attributes).await?;
    written.access = (was.active != is.active || was.user_name != is.user_name)
        .then_some(Principal::User(UserId(row.id)));
    let (before, after) = difference(&old, &attributes);
    let states = (Value::Object(before), Value::Object(after));
    let subject = (KIND, row.id);
    written.audit_id =
        Some(record_change(tx, push, subject, "user.update", states, (verb, &attributes)).await?);
    written.version += 1;
    let row = Stored { version: written.version, document, updated_at: push.act.now, ..row };
    written.resource = Some(push.view.show_one(tx, KIND, row).await?);
    Ok(written)
}

/// Deletes a user (SCIM-18): gone from now on, its name free, its sessions ended, its memberships
/// with it. What it holds directly is left to whoever calls; the id is what they need for it.
pub async fn delete_user(tx: &mut Write, push: &Push<'_>, id: &str) -> Result<Written, Error> {
    let row = locked(tx, push, KIND, id).await?;
    let attributes = row.attributes()?;
    brake::let_go(tx, push, row.id, row.created_at).await?;
    sql("DELETE FROM group_members WHERE user_id = $1").bind(row.id).execute(tx).await?;
    sql("DELETE FROM user_emails WHERE user_id = $1").bind(row.id).execute(tx).await?;
    end_sessions(tx, Door::Portal, row.id).await?;
    bury(tx, push, KIND, &row, attributes).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
