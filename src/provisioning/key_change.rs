//! How the key that signs towards the accounts changes without anybody being kept out (SSO-21).
//!
//! Each account holds our metadata in its SAML provider. When a key is prepared, switched to or
//! removed, every account gets the metadata anew by a task; and it is switched to a key only once
//! every account says that it has it.

use serde_json::json;

use super::{Error, by_hand::is_told, names};
use crate::{
    audit::Act,
    cloud::Clouds,
    id::{KeyPairId, SpaceId, Uin},
    organization,
    saml::{certificate::Certificate, metadata::IdpMetadata},
    secret::Sealer,
    space::{self, KeyPurpose, NewKeyPair, SigningPurpose},
    store::{self as database, Db, Read, Write, sql},
    task::{self, Kind, NewTask},
};

/// The accounts that hold our metadata, or are about to.
pub async fn accounts_that_trust(
    tx: &mut Read,
    space: SpaceId,
) -> Result<Vec<Uin>, database::Error> {
    let found: Vec<(Uin,)> = sql("SELECT account_uin FROM deployments
             WHERE space_id = $1 AND state <> 'removing'
         UNION SELECT account_uin FROM user_syncs
             WHERE space_id = $1 AND state <> 'removing' ORDER BY account_uin")
    .bind(space)
    .fetch_all(tx)
    .await?;
    Ok(found.into_iter().map(|(account,)| account).collect())
}

/// Prepares a key and has every account told of it.
pub async fn prepare_idp_key(
    tx: &mut Write,
    act: &Act,
    sealer: &Sealer,
    space: SpaceId,
    key: NewKeyPair,
) -> Result<KeyPairId, Error> {
    let purpose = SigningPurpose::IdentityProvider;
    let id = space::prepare_key(tx, act, sealer, space, purpose, key).await?;
    tell_accounts(tx, act, space).await?;
    Ok(id)
}

/// Signs with this key towards the accounts from now on. `asked` are the accounts that were found
/// to have it, by [`accounts_without`]: if one has come to need it since, nothing is done.
pub async fn use_idp_key(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: KeyPairId,
    asked: &[Uin],
) -> Result<(), Error> {
    space::lock(tx, space).await?;
    let accounts = accounts_that_trust(tx, space).await?;
    let unasked = accounts.iter().filter(|account| !asked.contains(account)).count();
    if unasked > 0 {
        return Err(Error::KeyNotKnown(unasked));
    }
    space::use_key(tx, act, space, SigningPurpose::IdentityProvider, id).await?;
    tell_accounts(tx, act, space).await
}

/// Removes the key that does not sign, and has every account forget it.
pub async fn remove_idp_key(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: KeyPairId,
) -> Result<(), Error> {
    space::remove_key(tx, act, space, SigningPurpose::IdentityProvider, id).await?;
    tell_accounts(tx, act, space).await
}

/// A task for each account, in line with the other things that happen to its provider.
async fn tell_accounts(tx: &mut Write, act: &Act, space: SpaceId) -> Result<(), Error> {
    for account in accounts_that_trust(tx, space).await? {
        let task = NewTask {
            space,
            kind: Kind::RefreshProvider,
            subject: format!("{account}/provider"),
            account,
            configuration: None,
            principal: None,
            payload: json!({}),
        };
        task::enqueue(tx, act, &task).await?;
    }
    Ok(())
}

/// Which accounts were asked, and which of them do not trust a key of ours yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Every account that holds our metadata.
    pub accounts: Vec<Uin>,
    /// Those that do not have the key, or do not answer.
    pub without: Vec<Uin>,
}

/// Asks every account itself whether it trusts this key. Never inside a transaction.
pub async fn accounts_without(
    db: &Db,
    clouds: &dyn Clouds,
    act: &Act,
    space: SpaceId,
    id: KeyPairId,
) -> Result<Asked, Error> {
    let (accounts, pairs) = db
        .read(async |tx| -> Result<_, database::Error> {
            let accounts = accounts_that_trust(tx, space).await?;
            Ok((accounts, space::key_pairs(tx, space, KeyPurpose::IdentityProvider).await?))
        })
        .await?;
    let pair = pairs.iter().find(|pair| pair.id == id).ok_or(space::Error::KeyNotFound)?;
    let certificate = pair.public_certificate()?;
    let mut without = Vec::new();
    for account in &accounts {
        let elsewhere = db.read(async |tx| organization::other_cloud(tx, *account).await).await?;
        let trusts = match elsewhere {
            Some(_) => db.read(async |tx| is_told(tx, space, *account, &certificate).await).await?,
            None => trusts(clouds, act, space, *account, &certificate).await,
        };
        if !trusts {
            without.push(*account);
        }
    }
    Ok(Asked { accounts, without })
}

/// An account that does not answer counts as one that does not.
async fn trusts(
    clouds: &dyn Clouds,
    act: &Act,
    space: SpaceId,
    account: Uin,
    certificate: &Certificate,
) -> bool {
    let cam = clouds.enter(act, space, account);
    let Ok(Some(found)) = cam.saml_provider(&names::saml_provider(space)).await else {
        return false;
    };
    IdpMetadata::parse(found.metadata.as_bytes(), act.now.to_jiff())
        .is_ok_and(|read| read.certificates.contains(certificate))
}
