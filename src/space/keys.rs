//! How the keys of a space change while people sign in (SSO-21).
//!
//! A space signs with one key towards the company's identity provider, and with another towards
//! the accounts. To change one, a second is prepared: our metadata has both from then on. Once
//! everybody has the new metadata it is switched to, and when nothing that the old one signed is
//! under way any more, that is removed. Until then it can be switched back.
//!
//! Encryption, for encrypted assertions, is off while there is no key for it. To change that, a
//! second one is made: our metadata then has both, the new one first, and either opens what comes.
//! When the identity provider uses the new one, the old one is removed.

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
const ENCRYPTION: KeyPurpose = KeyPurpose::Encryption;

/// Adds an encryption key, which identity providers are to use from now on.
pub async fn add_encryption_key(
    tx: &mut Write,
    act: &Act,
    sealer: &Sealer,
    space: SpaceId,
    key: NewKeyPair,
) -> Result<KeyPairId, Error> {
    store::lock(tx, space).await?;
    let before = store::key_pairs(tx, space, ENCRYPTION).await?;
    if before.len() >= MAXIMUM_ENCRYPTION_KEYS {
        return Err(Error::TooManyKeys);
    }
    let id = store::insert_key(tx, act, sealer, space, ENCRYPTION, key, true).await?;
    record(tx, act, space, ENCRYPTION, "space.encryption_key_add", &before).await?;
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
    let before = store::key_pairs(tx, space, ENCRYPTION).await?;
    let gone = sql("DELETE FROM space_keys WHERE id = $1 AND space_id = $2 AND purpose = $3")
        .bind(id)
        .bind(space)
        .bind(ENCRYPTION)
        .execute(tx)
        .await?;
    if gone == 0 {
        return Err(Error::KeyNotFound);
    }
    record(tx, act, space, ENCRYPTION, "space.encryption_key_remove", &before).await
}

/// What a key that signs is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningPurpose {
    /// Towards the company's identity provider.
    ServiceProvider,
    /// Towards the accounts.
    IdentityProvider,
}

impl From<SigningPurpose> for KeyPurpose {
    fn from(purpose: SigningPurpose) -> Self {
        match purpose {
            SigningPurpose::ServiceProvider => Self::ServiceProvider,
            SigningPurpose::IdentityProvider => Self::IdentityProvider,
        }
    }
}

/// Prepares a second key: it is in the metadata from now on, and signs nothing yet.
pub async fn prepare_key(
    tx: &mut Write,
    act: &Act,
    sealer: &Sealer,
    space: SpaceId,
    purpose: SigningPurpose,
    key: NewKeyPair,
) -> Result<KeyPairId, Error> {
    let purpose = purpose.into();
    store::lock(tx, space).await?;
    let before = store::key_pairs(tx, space, purpose).await?;
    if before.len() > 1 {
        return Err(Error::KeyPrepared);
    }
    let id = store::insert_key(tx, act, sealer, space, purpose, key, false).await?;
    record(tx, act, space, purpose, "space.signing_key_prepare", &before).await?;
    Ok(id)
}

/// Signs with this key from now on; the other one stays in the metadata. Whether everybody who
/// has to knows the key is not asked here.
pub async fn use_key(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    purpose: SigningPurpose,
    id: KeyPairId,
) -> Result<(), Error> {
    let purpose = purpose.into();
    store::lock(tx, space).await?;
    let before = store::key_pairs(tx, space, purpose).await?;
    let found = before.iter().find(|pair| pair.id == id).ok_or(Error::KeyNotFound)?;
    if found.signs {
        return Ok(());
    }
    for pair in &before {
        sql("UPDATE space_keys SET signs = $1 WHERE id = $2")
            .bind(pair.id == id)
            .bind(pair.id)
            .execute(tx)
            .await?;
    }
    record(tx, act, space, purpose, "space.signing_key_switch", &before).await
}

/// Removes the key that does not sign: what it signed counts no more once the others have our
/// metadata again.
pub async fn remove_key(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    purpose: SigningPurpose,
    id: KeyPairId,
) -> Result<(), Error> {
    let purpose = purpose.into();
    store::lock(tx, space).await?;
    let before = store::key_pairs(tx, space, purpose).await?;
    let found = before.iter().find(|pair| pair.id == id).ok_or(Error::KeyNotFound)?;
    if found.signs {
        return Err(Error::KeyInUse);
    }
    sql("DELETE FROM space_keys WHERE id = $1").bind(id).execute(tx).await?;
    record(tx, act, space, purpose, "space.signing_key_remove", &before).await
}

/// Who changed the keys: certificates say which ones, and no private key is near.
async fn record(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    purpose: KeyPurpose,
    action: &'static str,
    before: &[KeyPair],
) -> Result<(), Error> {
    let after = store::key_pairs(tx, space, purpose).await?;
    let change = Change {
        scope: Scope::Space(space),
        action,
        object_kind: "space",
        object_id: &space.to_string(),
        before: state(purpose, before)?,
        after: state(purpose, &after)?,
    };
    Ok(audit::record(tx, act, change).await?)
}

/// The one that signs, or that is to be used first, stands first.
fn state(purpose: KeyPurpose, keys: &[KeyPair]) -> Result<Value, Error> {
    let fingerprints = keys
        .iter()
        .map(|key| Ok(key.public_certificate()?.facts().fingerprint.clone()))
        .collect::<Result<Vec<_>, Error>>()?;
    Ok(json!({ format!("{purpose}_certificates"): fingerprints }))
}
