//! When somebody who is signed in proved who they are.

use crate::{
    id::{IdpSessionId, SpaceId},
    store::{self as database, Read, Timestamp, sql},
};

/// When the person of a portal session signed in: when their identity provider's word came. None
/// when that session is over.
pub async fn signed_in_at(
    tx: &mut Read,
    space: SpaceId,
    session: IdpSessionId,
) -> Result<Option<Timestamp>, database::Error> {
    let found: Option<(Timestamp,)> = sql("SELECT created_at FROM identity_provider_sessions
         WHERE id = $1 AND space_id = $2")
    .bind(session)
    .bind(space)
    .fetch_optional(tx)
    .await?;
    Ok(found.map(|(at,)| at))
}
