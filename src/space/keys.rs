//! The encryption keys of a space, for encrypted assertions (SSO-21).
//!
//! Encryption is off while there is no key. To change keys, a second one is made: our metadata
//! then has both, the new one first, and either opens what comes. When the identity provider uses
//! the new one, the old one is removed.

use serde_json::{Value, json};

use super::{Error, KeyPair, KeyPurpose, NewKeyPair, store};
use crate::{
    audit::{self, Act, Change, Scope},
    id::{KeyPairId, SpaceId},
    secret::Sealer,
    store::{Write, sql},
};

/// How many a space may have: the one in use, and one that takes over or goes.
pub const MAXIMUM_ENCRYPTION_KEYS: usize = 2;

/// Adds an encryption key, which identity providers are to use from now on.
pub async fn add_encryption_key(
    tx: &mut Write,
    act: &Act,
    sealer: &Sealer,
    space: SpaceId,
    key: NewKeyPair,
) -> Result<KeyPairId, Error> {
    store::lock(tx, space).await?;
    let before = store::key_pairs(tx, space, KeyPurpose::Encryption).await?;
    if before.len() >= MAXIMUM_ENCRYPTION_KEYS {
        return Err(Error::TooManyKeys);
    }
    let id = store::insert_key(tx, act, sealer, space, KeyPurpose::Encryption, key).await?;
    record(tx, act, space, "space.encryption_key_add", &before).await?;
    Ok(id)
}

/// Removes an encryption key: what is encrypted for it is refused from now on. Without any key no
/// encrypted assertion is taken.
pub async fn remove_encryption_key(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: KeyPairId,
) -> Result<(), Error> {
    store::lock(tx, space).await?;
    let before = store::key_pairs(tx, space, KeyPurpose::Encryption).await?;
    let gone = sql("DELETE FROM space_keys WHERE id = $1 AND space_id = $2 AND purpose = $3")
        .bind(id)
        .bind(space)
        .bind(KeyPurpose::Encryption)
        .execute(tx)
        .await?;
    if gone == 0 {
        return Err(Error::KeyNotFound);
    }
    record(tx, act, space, "space.encryption_key_remove", &before).await
}

/// Who changed the keys: certificates say which ones, and no private key is near.
async fn record(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    action: &'static str,
    before: &[KeyPair],
) -> Result<(), Error> {
    let after = store::key_pairs(tx, space, KeyPurpose::Encryption).await?;
    let change = Change {
        scope: Scope::Space(space),
        action,
        object_kind: "space",
        object_id: &space.to_string(),
        before: state(before)?,
        after: state(&after)?,
    };
    Ok(audit::record(tx, act, change).await?)
}

fn state(keys: &[KeyPair]) -> Result<Value, Error> {
    let fingerprints = keys
        .iter()
        .map(|key| Ok(key.public_certificate()?.facts().fingerprint.clone()))
        .collect::<Result<Vec<_>, Error>>()?;
    Ok(json!({ "encryption_certificates": fingerprints }))
}
