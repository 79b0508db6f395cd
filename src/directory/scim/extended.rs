//! Attributes of registered extensions: found, and kept unique, through an index of their values.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    Error,
    resource::{Push, ResourceKind},
};
use crate::{
    directory::{fold, scim::schemas::registered},
    id::{PrincipalKind, SpaceId},
    scim::schema::{
        Attribute, Extension, Kind, Location, ResourceType, ResourceTypes, Schema, Uniqueness,
    },
    store::{self as database, Read, Write, sql},
};

/// Longer values, in characters, are kept in the document and not searched by index.
const MAX_INDEXED: usize = 512;

/// A value as the index has it.
#[derive(Debug, PartialEq, Eq)]
struct Indexed {
    attribute: String,
    value: String,
    unique: bool,
}

/// The name under which an attribute is indexed: URN, colon, path, all folded.
fn name_of(schema: &Schema, attribute: &Attribute, part: Option<&Attribute>) -> String {
    let path = match part {
        None => format!("{}:{}", schema.id, attribute.name),
        Some(part) => format!("{}:{}.{}", schema.id, attribute.name, part.name),
    };
    fold(&path)
}

/// A text as the index has it, for an attribute of this kind; none when it is not indexed.
fn key_of(leaf: &Attribute, text: &str) -> Option<String> {
    if text.is_empty() || text.chars().count() > MAX_INDEXED {
        return None;
    }
    match leaf.kind {
        Kind::String | Kind::Reference if leaf.case_exact => Some(text.to_owned()),
        Kind::String | Kind::Reference => Some(fold(text)),
        Kind::Integer => text.parse::<i64>().ok().map(|number| number.to_string()),
        Kind::Boolean | Kind::DateTime | Kind::Binary | Kind::Decimal | Kind::Complex => None,
    }
}

/// What a filter that compares a registered attribute with a text looks for in the index; none
/// when the index cannot answer it.
pub(super) fn indexed_as(
    schema: &Schema,
    location: &Location<'_>,
    text: &str,
) -> Option<(String, String)> {
    let attribute = location.attribute;
    let leaf = location.sub_attribute.unwrap_or(attribute);
    // The standard extension is not indexed.
    if schema.id == crate::scim::schema::ENTERPRISE_USER.id {
        return None;
    }
    Some((name_of(schema, attribute, location.sub_attribute), key_of(leaf, text)?))
}

fn values_of(types: &ResourceType, document: &Map<String, Value>) -> Vec<Indexed> {
    let mut found = Vec::new();
    for extension in &*types.extensions {
        let Extension::Registered(schema) = extension else { continue };
        let Some(Value::Object(object)) = document.get(&*schema.id) else { continue };
        for attribute in &*schema.attributes {
            let Some(value) = object.get(&*attribute.name) else { continue };
            let elements = match value {
                Value::Array(list) => list.as_slice(),
                single => std::slice::from_ref(single),
            };
            for element in elements {
                match element {
                    Value::Object(parts) => {
                        for part in &*attribute.sub_attributes {
                            let inner = parts.get(&*part.name);
                            collect(schema, attribute, Some(part), inner, &mut found);
                        }
                    }
                    plain => collect(schema, attribute, None, Some(plain), &mut found),
                }
            }
        }
    }
    found
}

fn collect(
    schema: &Schema,
    attribute: &Attribute,
    part: Option<&Attribute>,
    value: Option<&Value>,
    found: &mut Vec<Indexed>,
) {
    let leaf = part.unwrap_or(attribute);
    let texts: Vec<String> = match value {
        Some(Value::Array(list)) => list.iter().filter_map(text_of).collect(),
        Some(single) => text_of(single).into_iter().collect(),
        None => Vec::new(),
    };
    for text in texts {
        if let Some(value) = key_of(leaf, &text) {
            let unique = leaf.uniqueness != Uniqueness::None;
            found.push(Indexed { attribute: name_of(schema, attribute, part), value, unique });
        }
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The resource types of a space: the standard ones with the extensions it has registered.
pub async fn types(tx: &mut Read, space: SpaceId) -> Result<Arc<ResourceTypes>, Error> {
    let (mut users, mut groups) = (Vec::new(), Vec::new());
    for row in registered(tx, space).await? {
        let schema = Arc::new(row.schema()?);
        match row.resource_type {
            PrincipalKind::User => users.push(schema),
            PrincipalKind::Group => groups.push(schema),
        }
    }
    Ok(Arc::new(ResourceTypes::with_extensions(users, groups)))
}

/// Indexes a new document. A unique value that another resource of the kind has is refused.
pub(super) async fn index(
    tx: &mut Write,
    push: &Push<'_>,
    kind: ResourceKind,
    id: i64,
    document: &Map<String, Value>,
) -> Result<(), Error> {
    for (position, one) in (0_i64..).zip(values_of(kind.of(push.view.types), document)) {
        if one.unique {
            let holder = sql("SELECT 1 FROM scim_attribute_values
                              WHERE space_id = $1 AND attribute = $2 AND unique_key = $3
                                AND resource_id <> $4")
            .bind(push.space.id)
            .bind(&one.attribute)
            .bind(&one.value)
            .bind(id)
            .exists(tx)
            .await?;
            if holder {
                return Err(Error::ValueTaken(one.attribute));
            }
        }
        // A value that a list names twice is unique once.
        let inserted = sql("INSERT INTO scim_attribute_values
                 (resource_id, attribute, position, space_id, value_key, unique_key)
             VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(id)
        .bind(&one.attribute)
        .bind(position)
        .bind(push.space.id)
        .bind(&one.value)
        .bind(one.unique.then(|| one.value.clone()))
        .execute(tx)
        .await;
        match inserted {
            Ok(_) => {}
            Err(database::Error::Conflict(_)) => return Err(Error::ValueTaken(one.attribute)),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Indexes a changed document, if what is indexed has changed.
pub(super) async fn reindex(
    tx: &mut Write,
    push: &Push<'_>,
    kind: ResourceKind,
    id: i64,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
) -> Result<(), Error> {
    let types = kind.of(push.view.types);
    if values_of(types, old) == values_of(types, new) {
        return Ok(());
    }
    forget(tx, push, id).await?;
    index(tx, push, kind, id, new).await
}

/// Takes a resource out of the index.
pub(super) async fn forget(tx: &mut Write, push: &Push<'_>, id: i64) -> Result<(), Error> {
    if push
        .view
        .types
        .iter()
        .all(|types| types.extensions.iter().all(|one| matches!(one, Extension::Standard(_))))
    {
        return Ok(());
    }
    sql("DELETE FROM scim_attribute_values WHERE resource_id = $1").bind(id).execute(tx).await?;
    Ok(())
}
