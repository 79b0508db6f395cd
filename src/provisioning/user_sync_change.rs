//! What of a user sync can be changed afterwards.

use serde_json::{Value, json};

use super::{
    DeletionStrategy, DuplicationStrategy, Error, UserSync,
    user_syncs::{check_description, user_sync},
};
use crate::{
    audit::{self, Act, Change, Scope},
    id::{SpaceId, UserSyncId},
    permission::AssignmentState,
    store::{Write, sql},
};

/// What of a user sync is to be different; what is none stays (US-12).
#[derive(Clone, Debug, Default)]
pub struct UserSyncChange {
    /// What it is for.
    pub description: Option<String>,
    /// What happens when it goes.
    pub deletion: Option<DeletionStrategy>,
    /// What happens to a CAM user of the same name.
    pub duplication: Option<DuplicationStrategy>,
}

/// Changes a user sync. Its conflict policy stays unless the installation lets it change
/// (`may_change_conflict_policy`); then the new one counts for CAM users that are made from now on.
pub async fn update_user_sync(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: UserSyncId,
    change: &UserSyncChange,
    may_change_conflict_policy: bool,
) -> Result<(), Error> {
    let mut held = sql("SELECT id FROM user_syncs WHERE space_id = $1 AND id = $2");
    held.push(tx.for_update());
    if !held.bind(space).bind(id).exists(tx).await? {
        return Err(Error::UserSyncNotFound);
    }
    let old = user_sync(tx, space, id).await?.ok_or(Error::UserSyncNotFound)?;
    // What becomes of its CAM users is decided already.
    if old.state == AssignmentState::Removing {
        return Err(Error::UserSyncNotFound);
    }
    let mut new = old.clone();
    if let Some(description) = &change.description {
        new.description.clone_from(description);
    }
    new.deletion_strategy = change.deletion.unwrap_or(old.deletion_strategy);
    new.duplication_strategy = change.duplication.unwrap_or(old.duplication_strategy);
    check_description(&new.description)?;
    if new.duplication_strategy != old.duplication_strategy && !may_change_conflict_policy {
        return Err(Error::ConflictPolicyStays);
    }
    if new == old {
        return Ok(());
    }
    sql("UPDATE user_syncs SET description = $1, deletion_strategy = $2,
             duplication_strategy = $3, updated_at = $4 WHERE id = $5")
    .bind(&new.description)
    .bind(new.deletion_strategy)
    .bind(new.duplication_strategy)
    .bind(act.now)
    .bind(id)
    .execute(tx)
    .await?;
    let change = Change {
        scope: Scope::Space(space),
        action: "user_sync.update",
        object_kind: "user_sync",
        object_id: &id.to_string(),
        before: state(&old),
        after: state(&new),
    };
    Ok(audit::record(tx, act, change).await?)
}

fn state(sync: &UserSync) -> Value {
    json!({
        "description": sync.description,
        "deletion_strategy": sync.deletion_strategy,
        "duplication_strategy": sync.duplication_strategy,
    })
}
