//! Federated users: temporary credentials that a CAM user had made for somebody else. They may do
//! what the CAM user may, and of that only what their own policy allows.

use super::{CamUser, users};
use crate::{
    id::{RoleSessionId, Uin},
    store::{self as database, Read, Timestamp, sql},
};

/// Somebody with temporary credentials in the name of a CAM user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FederatedUser {
    /// The session's id; of the kind that role sessions have, none has both.
    pub id: RoleSessionId,
    /// In whose name, as it is now.
    pub user: CamUser,
    /// What the credentials are called.
    pub name: String,
    /// The policy that narrows the user's own.
    pub policy: String,
    /// When they end by themselves.
    pub expires_at: Timestamp,
    /// When they were ended before their time.
    pub revoked_at: Option<Timestamp>,
}

impl FederatedUser {
    /// Whether the credentials count at this moment: not when the user is shut out.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at && !self.user.blocked
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: RoleSessionId,
    user_uin: Uin,
    name: String,
    policy: String,
    expires_at: Timestamp,
    revoked_at: Option<Timestamp>,
    secret_key_sealed: Vec<u8>,
}

/// Who has the temporary key of this secret id, and the sealed secret half.
pub(super) async fn by_secret_id(
    tx: &mut Read,
    secret_id: &str,
) -> Result<Option<(FederatedUser, Vec<u8>)>, database::Error> {
    let row: Option<Row> =
        sql("SELECT id, user_uin, name, policy, expires_at, revoked_at, secret_key_sealed
         FROM cloud_federation_sessions WHERE secret_id = $1")
        .bind(secret_id)
        .fetch_optional(tx)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let Some(user) = users::user(tx, row.user_uin).await? else { return Ok(None) };
    let federated = FederatedUser {
        id: row.id,
        user,
        name: row.name,
        policy: row.policy,
        expires_at: row.expires_at,
        revoked_at: row.revoked_at,
    };
    Ok(Some((federated, row.secret_key_sealed)))
}
