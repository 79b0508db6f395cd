//! Extension schemas that a space registers: attributes of its own, with types and uniqueness.

use serde_json::{Map, Value, json};

use super::Error;
use crate::{
    audit::{self, Act, Change, Scope},
    directory::fold,
    id::{PrincipalKind, SpaceId},
    scim::{
        self, ErrorKind,
        schema::{
            Schema,
            registered::{self, MAX_SCHEMAS, clash},
        },
    },
    store::{self as database, Json, Read, Timestamp, Write, sql},
};

/// Resources whose values of a schema are taken away with it, at most.
const MAX_CLEARED: i64 = 20_000;

/// A registered schema.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct Registered {
    /// Its URN.
    pub urn: String,
    /// Whose extension it is.
    pub resource_type: PrincipalKind,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its attributes as RFC 7643 §7 writes them.
    pub attributes: Json<Value>,
    /// When it was registered.
    pub created_at: Timestamp,
}

impl Registered {
    /// The document it was registered with.
    pub fn document(&self) -> Map<String, Value> {
        let document = json!({
            "id": self.urn,
            "name": self.name,
            "description": self.description,
            "attributes": self.attributes.0,
        });
        match document {
            Value::Object(object) => object,
            _ => Map::new(),
        }
    }

    /// The schema. It was read before it was stored.
    pub(super) fn schema(&self) -> Result<Schema, Error> {
        Ok(registered::read(&self.document())?)
    }
}

/// The schemas a space has registered, in the order of their URNs.
pub async fn registered(tx: &mut Read, space: SpaceId) -> Result<Vec<Registered>, database::Error> {
    sql("SELECT urn, resource_type, name, description, attributes, created_at FROM scim_schemas
         WHERE space_id = $1 ORDER BY urn_key")
    .bind(space)
    .fetch_all(tx)
    .await
}

/// Registers a schema. What directories sent of it before was ignored, and comes with their next
/// push.
pub async fn register(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    resource_type: PrincipalKind,
    document: &Map<String, Value>,
) -> Result<(), Error> {
    let schema = registered::read(document)?;
    // Two administrators at once must not register one schema too many: the space's row guards.
    let mut guard = sql("SELECT id FROM spaces WHERE id = ");
    guard.push_bind(space).push(tx.for_update());
    guard.exists(tx).await?;
    let known = registered(tx, space).await?;
    let refuse = |detail: String| scim::Error::new(ErrorKind::InvalidValue, detail);
    if known.len() >= MAX_SCHEMAS {
        return Err(refuse(format!("A space has at most {MAX_SCHEMAS} schemas")).into());
    }
    if let Some(other) = known.iter().find(|other| clash(&other.urn, &schema.id)) {
        return Err(refuse(format!("id: {} is registered already", other.urn)).into());
    }
    let attributes = document
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("attributes"))
        .map_or(Value::Null, |(_, value)| value.clone());
    sql("INSERT INTO scim_schemas (space_id, urn_key, urn, resource_type, name, description,
                                   attributes, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)")
    .bind(space)
    .bind(fold(&schema.id))
    .bind(&*schema.id)
    .bind(resource_type)
    .bind(&*schema.name)
    .bind(&*schema.description)
    .bind(&attributes)
    .bind(act.now)
    .execute(tx)
    .await?;
    tx.forget_settings();
    let after = json!({ "resource_type": resource_type, "attributes": attributes });
    record(tx, act, space, "scim_schema.register", &schema.id, (json!(null), after)).await
}

/// Takes a schema back, and with it every value of it; false when there is none. Refused when so
/// many resources have values that one transaction should not change them all: the directory
/// clears them first.
pub async fn unregister(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    urn: &str,
) -> Result<bool, Error> {
    let Some(found) = registered(tx, space).await?.into_iter().find(|one| one.urn == urn) else {
        return Ok(false);
    };
    sql("DELETE FROM scim_schemas WHERE space_id = $1 AND urn_key = $2")
        .bind(space)
        .bind(fold(urn))
        .execute(tx)
        .await?;
    clear(tx, act, space, found.resource_type, urn).await?;
    let prefix = format!("{}:", fold(urn));
    sql("DELETE FROM scim_attribute_values
         WHERE space_id = $1 AND attribute >= $2 AND attribute < $3")
    .bind(space)
    .bind(&prefix)
    .bind(format!("{};", fold(urn)))
    .execute(tx)
    .await?;
    tx.forget_settings();
    let before = json!({ "resource_type": found.resource_type, "attributes": found.attributes.0 });
    record(tx, act, space, "scim_schema.unregister", urn, (before, json!(null))).await?;
    Ok(true)
}

/// Takes the values of an extension out of every document that has any.
async fn clear(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    resource_type: PrincipalKind,
    urn: &str,
) -> Result<(), Error> {
    // URNs hold nothing that means something in a pattern, but for the underscore.
    let pattern = format!("%\"{}\":{{%", urn.replace('_', r"\_"));
    let (select, update) = match resource_type {
        PrincipalKind::User => (
            "SELECT id, document FROM users WHERE source = 'scim' AND deleted_at IS NULL
                 AND space_id = $1 AND document LIKE $2 ESCAPE '\\' LIMIT $3",
            "UPDATE users SET document = $1, version = version + 1, updated_at = $2 WHERE id = $3",
        ),
        PrincipalKind::Group => (
            "SELECT id, document FROM groups WHERE source = 'scim' AND deleted_at IS NULL
                 AND space_id = $1 AND document LIKE $2 ESCAPE '\\' LIMIT $3",
            "UPDATE groups SET document = $1, version = version + 1, updated_at = $2 WHERE id = $3",
        ),
    };
    let holders: Vec<(i64, Json<Map<String, Value>>)> =
        sql(select).bind(space).bind(pattern).bind(MAX_CLEARED + 1).fetch_all(tx).await?;
    if i64::try_from(holders.len()).unwrap_or(i64::MAX) > MAX_CLEARED {
        let detail = format!(
            "More than {MAX_CLEARED} resources have values of this schema: have the directory \
             clear them first"
        );
        return Err(scim::Error::new(ErrorKind::TooMany, detail).into());
    }
    for (id, Json(mut document)) in holders {
        if document.shift_remove(urn).is_some() {
            let document = Value::Object(document);
            sql(update).bind(&document).bind(act.now).bind(id).execute(tx).await?;
        }
    }
    Ok(())
}

async fn record(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    action: &'static str,
    urn: &str,
    (before, after): (Value, Value),
) -> Result<(), Error> {
    let change = Change {
        scope: Scope::Space(space),
        action,
        object_kind: "scim_schema",
        object_id: urn,
        before,
        after,
    };
    Ok(audit::record(tx, act, change).await?)
}
