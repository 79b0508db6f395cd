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
    scim::{
        filter::Literal,
        schema::{
            ENTERPRISE_USER, Location, ResourceTypes, Schema,
            index::{equality_key, indexed_values},
        },
    },
    store::{self as database, Read, Write, sql},
};

/// What a filter that compares a registered attribute with a literal looks for in the index; none
/// when the index cannot answer it.
pub(super) fn indexed_as(
    schema: &Schema,
    location: &Location<'_>,
    literal: &Literal<'_>,
) -> Option<(String, String)> {
    // The standard extension is not indexed.
    if schema.id == ENTERPRISE_USER.id {
        return None;
    }
    let attribute = location.attribute;
    let leaf = location.sub_attribute.unwrap_or(attribute);
    let path = match location.sub_attribute {
        None => format!("{}:{}", schema.id, attribute.name),
        Some(part) => format!("{}:{}.{}", schema.id, attribute.name, part.name),
    };
    Some((fold(&path), equality_key(leaf, literal)?))
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
    for (position, one) in (0_i64..).zip(indexed_values(kind.of(push.view.types), document)) {
        if one.unique {
            let holder = sql("SELECT 1 FROM scim_attribute_values
                              WHERE space_id = $1 AND attribute = $2 AND unique_key = $3
                                AND resource_id <> $4")
            .bind(push.space.id)
            .bind(&one.attribute)
            .bind(&one.value_key)
            .bind(id)
            .exists(tx)
            .await?;
            if holder {
                return Err(Error::ValueTaken(one.path));
            }
        }
        let inserted = sql("INSERT INTO scim_attribute_values
                 (resource_id, attribute, position, space_id, value_key, unique_key)
             VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(id)
        .bind(&one.attribute)
        .bind(position)
        .bind(push.space.id)
        .bind(&one.value_key)
        .bind(one.unique.then(|| one.value_key.clone()))
        .execute(tx)
        .await;
        match inserted {
            Ok(_) => {}
            Err(database::Error::Conflict(_)) => return Err(Error::ValueTaken(one.path)),
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
    if indexed_values(types, old) == indexed_values(types, new) {
        return Ok(());
    }
    forget(tx, push, id).await?;
    index(tx, push, kind, id, new).await
}

/// Takes a resource out of the index.
pub(super) async fn forget(tx: &mut Write, push: &Push<'_>, id: i64) -> Result<(), Error> {
    if !push.view.types.has_registered() {
        return Ok(());
    }
    sql("DELETE FROM scim_attribute_values WHERE resource_id = $1").bind(id).execute(tx).await?;
    Ok(())
}
