//! Access keys of an account's CAM users, and of its root.

use serde_json::json;

use super::{Error, Kind, MOST_KEYS, check_description, hold, own_hand};
use crate::{
    audit::Act,
    cloud::{
        CamPrincipal, CamUser, NewAccessKey, keys::create_described_key, objects::record, users,
    },
    id::Uin,
    store::{Read, Timestamp, Write, sql},
};

/// An access key, without its secret half: that is told once, when it is made.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AccessKey {
    /// The public half.
    pub secret_id: String,
    /// Whether it signs.
    pub enabled: bool,
    /// A remark.
    pub description: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Whose keys a call is about: a CAM user of the caller's account, or the caller where it names
/// nobody. The root's keys are its own alone.
pub async fn key_owner(
    tx: &mut Read,
    caller: &CamPrincipal,
    target: Option<i64>,
) -> Result<CamUser, Error> {
    let own = match caller {
        CamPrincipal::User(user) => Some(user.uin),
        CamPrincipal::Role(_) | CamPrincipal::Federated(_) => None,
    };
    let uin = target.map(Uin).or(own).ok_or(Error::Unnamed(Kind::User))?;
    let found = users::user(tx, uin).await?;
    let found = found
        .filter(|user| user.account_uin == caller.account())
        .ok_or(Error::NotFound(Kind::User))?;
    if found.is_root && own != Some(found.uin) { Err(Error::RootsKeys) } else { Ok(found) }
}

/// The access keys of a CAM user, the oldest first.
pub async fn access_keys(tx: &mut Read, user: &CamUser) -> Result<Vec<AccessKey>, Error> {
    Ok(sql("SELECT secret_id, enabled, description, created_at FROM cloud_access_keys
         WHERE user_uin = $1 ORDER BY created_at, secret_id")
    .bind(user.uin)
    .fetch_all(tx)
    .await?)
}

/// Gives a CAM user one more key.
pub async fn create_access_key(
    tx: &mut Write,
    act: &Act,
    user: &CamUser,
    key: &NewAccessKey,
    description: &str,
) -> Result<(), Error> {
    check_description(description)?;
    hold(tx, user.account_uin).await?;
    let count = sql("SELECT COUNT(*) FROM cloud_access_keys WHERE user_uin = $1")
        .bind(user.uin)
        .fetch_number(tx)
        .await?;
    if count >= MOST_KEYS {
        return Err(Error::TooManyKeys);
    }
    create_described_key(tx, act, user, key, description).await?;
    Ok(())
}

async fn own_key(tx: &mut Read, user: &CamUser, secret_id: &str) -> Result<AccessKey, Error> {
    let found = sql("SELECT secret_id, enabled, description, created_at FROM cloud_access_keys
         WHERE user_uin = $1 AND secret_id = $2")
    .bind(user.uin)
    .bind(secret_id)
    .fetch_optional(tx)
    .await?;
    found.ok_or(Error::KeyNotFound)
}

/// Switches a key on or off; it counts at once.
pub async fn set_access_key_enabled(
    tx: &mut Write,
    act: &Act,
    user: &CamUser,
    secret_id: &str,
    enabled: bool,
) -> Result<(), Error> {
    let found = own_key(tx, user, secret_id).await?;
    if found.enabled == enabled {
        return Ok(());
    }
    sql("UPDATE cloud_access_keys SET enabled = $1 WHERE secret_id = $2")
        .bind(enabled)
        .bind(secret_id)
        .execute(tx)
        .await?;
    let states = [json!({ "enabled": found.enabled }), json!({ "enabled": enabled })];
    let hand = own_hand(user.account_uin);
    record(tx, act, hand, "access_key.set_enabled", "access_key", secret_id, states).await?;
    Ok(())
}

/// Deletes a key; it signs nothing from then on.
pub async fn delete_access_key(
    tx: &mut Write,
    act: &Act,
    user: &CamUser,
    secret_id: &str,
) -> Result<(), Error> {
    own_key(tx, user, secret_id).await?;
    sql("DELETE FROM cloud_access_keys WHERE secret_id = $1").bind(secret_id).execute(tx).await?;
    let states = [json!({ "user": user.uin }), json!(null)];
    let hand = own_hand(user.account_uin);
    record(tx, act, hand, "access_key.delete", "access_key", secret_id, states).await?;
    Ok(())
}
