//! SCIM tokens in the database.

use secrecy::SecretString;
use serde_json::json;

use super::{
    Credential, DEFAULT_LIFETIME, Error, MAX_LIFETIME, MAX_TOKENS, MIN_LIFETIME, TOKEN_PREFIX,
};
use crate::{
    audit::{self, Act, Change, Scope},
    id::{CredentialId, SpaceId},
    secret::{random_token, sha256},
    space::{self, Space},
    store::{self as database, Read, Write, sql},
};

const CREDENTIAL: &str =
    "SELECT id, space_id, enabled, created_at, expires_at FROM scim_credentials WHERE ";

/// Makes a token that lives `lifetime` seconds; the second of the pair is the token itself, to be
/// shown once.
pub async fn create(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    lifetime: Option<i64>,
) -> Result<(Credential, SecretString), Error> {
    let lifetime = lifetime.unwrap_or(DEFAULT_LIFETIME);
    if !(MIN_LIFETIME..=MAX_LIFETIME).contains(&lifetime) {
        return Err(Error::Lifetime);
    }
    // Two administrators at once must not make a third token: the space's row guards the count.
    let mut guard = sql("SELECT id FROM spaces WHERE id = ");
    guard.push_bind(space).push(tx.for_update());
    guard.exists(tx).await?;
    if list(tx, space).await?.len() >= usize::try_from(MAX_TOKENS).unwrap_or(0) {
        return Err(Error::TooMany);
    }
    let token = format!("{TOKEN_PREFIX}{}", random_token::<32>()?);
    let credential = Credential {
        id: act.new_id(),
        space_id: space,
        enabled: true,
        created_at: act.now,
        expires_at: act.now.plus_seconds(lifetime),
    };
    sql("INSERT INTO scim_credentials (id, space_id, token_hash, enabled, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)")
    .bind(credential.id)
    .bind(space)
    .bind(sha256(token.as_bytes()))
    .bind(true)
    .bind(credential.created_at)
    .bind(credential.expires_at)
    .execute(tx)
    .await?;
    let after = json!({ "enabled": true, "expires_at": credential.expires_at.to_string() });
    record(tx, act, &credential, "scim_credential.create", json!(null), after).await?;
    Ok((credential, SecretString::from(token)))
}

/// The tokens of a space, oldest first.
pub async fn list(tx: &mut Read, space: SpaceId) -> Result<Vec<Credential>, database::Error> {
    let mut query = sql(CREDENTIAL);
    query.push("space_id = ").push_bind(space).push(" ORDER BY id");
    query.fetch_all(tx).await
}

/// Turns a token on or off; tells whether that changed anything.
pub async fn set_enabled(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: CredentialId,
    enabled: bool,
) -> Result<bool, Error> {
    let credential = find(tx, space, id).await?;
    if credential.enabled == enabled {
        return Ok(false);
    }
    sql("UPDATE scim_credentials SET enabled = $1 WHERE id = $2")
        .bind(enabled)
        .bind(id)
        .execute(tx)
        .await?;
    tx.forget_settings();
    let states = [!enabled, enabled].map(|enabled| json!({ "enabled": enabled }));
    let [before, after] = states;
    record(tx, act, &credential, "scim_credential.switch", before, after).await?;
    Ok(true)
}

/// Deletes a token.
pub async fn delete(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: CredentialId,
) -> Result<(), Error> {
    let credential = find(tx, space, id).await?;
    sql("DELETE FROM scim_credentials WHERE id = $1").bind(id).execute(tx).await?;
    tx.forget_settings();
    let before = json!({ "enabled": credential.enabled });
    Ok(record(tx, act, &credential, "scim_credential.delete", before, json!(null)).await?)
}

/// The token with this hash, good or not, and its space.
pub(super) async fn by_hash(
    tx: &mut Read,
    hash: [u8; 32],
) -> Result<Option<(Credential, Space)>, database::Error> {
    let mut query = sql(CREDENTIAL);
    query.push("token_hash = ").push_bind(hash);
    let Some(credential) = query.fetch_optional::<Credential>(tx).await? else { return Ok(None) };
    let space = space::space(tx, credential.space_id).await?;
    Ok(space.map(|space| (credential, space)))
}

async fn find(tx: &mut Read, space: SpaceId, id: CredentialId) -> Result<Credential, Error> {
    let mut query = sql(CREDENTIAL);
    query.push("id = ").push_bind(id).push(" AND space_id = ").push_bind(space);
    query.fetch_optional(tx).await?.ok_or(Error::NotFound)
}

async fn record(
    tx: &mut Write,
    act: &Act,
    credential: &Credential,
    action: &'static str,
    before: serde_json::Value,
    after: serde_json::Value,
) -> Result<(), database::Error> {
    let change = Change {
        scope: Scope::Space(credential.space_id),
        action,
        object_kind: "scim_credential",
        object_id: &credential.id.to_string(),
        before,
        after,
    };
    audit::record(tx, act, change).await
}
