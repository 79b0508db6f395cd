//! What ends by itself.

use super::Error;
use crate::{
    audit::Act,
    permission::{self, RemovalStrategy},
    provisioning, space,
    store::{Db, Write, sql},
};

/// Takes away the assignments whose end has come, at most `most`; says how many. Each goes as by
/// hand: it confers nothing from that moment on, its role sessions end, and a task does the rest.
/// Every replica may do this at any time: each assignment goes once.
pub async fn end_due(db: &Db, act: &Act, most: i64) -> Result<usize, Error> {
    let due = db.read(async |tx| permission::due_assignments(tx, act.now, most).await).await?;
    let mut ended = 0;
    for (space, triple) in due {
        let gone = db
            .write(async |tx| -> Result<bool, Error> {
                // In the order in which everybody takes them: the space, then what is in it.
                space::lock(tx, space).await?;
                if !permission::is_due(tx, &triple, act.now).await? {
                    return Ok(false);
                }
                let strategy = RemovalStrategy::Keep;
                provisioning::remove_assignment(tx, act, space, &triple, strategy).await?;
                Ok(true)
            })
            .await;
        match gone {
            Ok(gone) => ended += usize::from(gone),
            // One that cannot be taken away keeps no other from ending.
            Err(error) => {
                tracing::error!(%space, ?error, "an assignment that has ended cannot be taken away");
            }
        }
    }
    Ok(ended)
}

/// Forgets the scopes of identities that are gone.
pub async fn forget_orphans(tx: &mut Write) -> Result<u64, Error> {
    Ok(sql("DELETE FROM access_request_scopes WHERE
             principal_kind = 'user' AND NOT EXISTS (
                 SELECT 1 FROM users u
                 WHERE u.id = access_request_scopes.principal_id AND u.deleted_at IS NULL)
             OR principal_kind = 'group' AND NOT EXISTS (
                 SELECT 1 FROM groups g
                 WHERE g.id = access_request_scopes.principal_id AND g.deleted_at IS NULL)")
    .execute(tx)
    .await?)
}
