//! Another name for a space. The old one stays the space's: its addresses lead to the new ones, and
//! nobody else can have it (ACT-06). Entity ids have the space's id and do not change (SSO-05).

use serde_json::json;

use super::{
    Error, Space,
    rules::check_name,
    store::{lock, space, space_by_name},
};
use crate::{
    audit::{self, Act, Change, Scope},
    id::SpaceId,
    store::{self as database, Read, Write, sql},
};

/// Whether a space could be opened under this name now (ACT-04, ACT-05). Somebody may take it at the
/// next moment.
pub async fn check_name_is_free(tx: &mut Read, name: &str) -> Result<(), Error> {
    check_name(name)?;
    let taken =
        space_by_name(tx, name).await?.is_some() || space_by_former_name(tx, name).await?.is_some();
    if taken { Err(Error::NameTaken) } else { Ok(()) }
}

/// Renames a space. Of two that race for a name one wins. The names that a space had before it can
/// have again.
pub async fn rename(tx: &mut Write, act: &Act, id: SpaceId, name: &str) -> Result<(), Error> {
    check_name(name)?;
    lock(tx, id).await?;
    let old = space(tx, id).await?.ok_or(Error::NotOpen)?;
    if old.name == name {
        return Ok(());
    }
    let former = space_by_former_name(tx, name).await?;
    if former.is_some_and(|it| it.id != id) || space_by_name(tx, name).await?.is_some() {
        return Err(Error::NameTaken);
    }
    sql("DELETE FROM space_former_names WHERE name = $1").bind(name).execute(tx).await?;
    sql("INSERT INTO space_former_names (name, space_id, given_up_at) VALUES ($1, $2, $3)")
        .bind(&old.name)
        .bind(id)
        .bind(act.now)
        .execute(tx)
        .await?;
    let renamed = sql("UPDATE spaces SET name = $1, updated_at = $2 WHERE id = $3")
        .bind(name)
        .bind(act.now)
        .bind(id)
        .execute(tx)
        .await;
    match renamed {
        Ok(_) => {}
        Err(database::Error::Conflict(_)) => return Err(Error::NameTaken),
        Err(error) => return Err(error.into()),
    }
    tx.forget_settings();
    let change = Change {
        scope: Scope::Space(id),
        action: "space.rename",
        object_kind: "space",
        object_id: &id.to_string(),
        before: json!({ "name": old.name }),
        after: json!({ "name": name }),
    };
    Ok(audit::record(tx, act, change).await?)
}

/// The space that had this name before.
pub async fn space_by_former_name(
    tx: &mut Read,
    name: &str,
) -> Result<Option<Space>, database::Error> {
    let found: Option<(SpaceId,)> = sql("SELECT space_id FROM space_former_names WHERE name = $1")
        .bind(name)
        .fetch_optional(tx)
        .await?;
    match found {
        Some((id,)) => space(tx, id).await,
        None => Ok(None),
    }
}
