//! SAML providers of an account.

use super::{
    Error, Kind, LONGEST_METADATA, MOST_PROVIDERS, check_description, check_name, hold, own_hand,
};
use crate::{
    audit::Act,
    cloud::objects::{self, record},
    id::{SpaceId, Uin},
    saml::metadata::IdpMetadata,
    store::{Read, Timestamp, Write, sql},
};

const PROVIDER: &str = "SELECT name, description, metadata, managed_by, created_at, updated_at
    FROM cloud_saml_providers WHERE account_uin = ";

/// A SAML provider.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Provider {
    /// Its name, unique in the account.
    pub name: String,
    /// A remark.
    pub description: String,
    /// The identity provider's metadata, XML.
    pub metadata: String,
    /// The space whose deployer keeps it.
    pub managed_by: Option<SpaceId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The SAML provider of this name.
pub async fn provider(tx: &mut Read, account: Uin, name: &str) -> Result<Provider, Error> {
    let mut query = sql(PROVIDER);
    query.push_bind(account).push(" AND name = ").push_bind(name);
    query.fetch_optional(tx).await?.ok_or(Error::NotFound(Kind::Provider))
}

/// The SAML providers of an account, by name: some hundred at most.
pub async fn providers(tx: &mut Read, account: Uin) -> Result<Vec<Provider>, Error> {
    let mut query = sql(PROVIDER);
    query.push_bind(account).push(" ORDER BY name");
    Ok(query.fetch_all(tx).await?)
}

/// Reads metadata as the sign-in will. Takes a moment: before the transaction.
fn check_metadata(metadata: &str, now: Timestamp) -> Result<(), Error> {
    if metadata.len() > LONGEST_METADATA {
        return Err(Error::MetadataTooLong);
    }
    IdpMetadata::parse(metadata.as_bytes(), now.to_jiff())?;
    Ok(())
}

/// Makes a SAML provider.
pub async fn create_provider(
    tx: &mut Write,
    act: &Act,
    account: Uin,
    name: &str,
    description: &str,
    metadata: &str,
) -> Result<(), Error> {
    check_name(Kind::Provider, name)?;
    check_description(description)?;
    check_metadata(metadata, act.now)?;
    hold(tx, account).await?;
    match provider(tx, account, name).await {
        Err(Error::NotFound(_)) => {}
        Ok(_) => return Err(Error::NameTaken(Kind::Provider)),
        Err(other) => return Err(other),
    }
    let count = sql("SELECT COUNT(*) FROM cloud_saml_providers WHERE account_uin = $1")
        .bind(account)
        .fetch_number(tx)
        .await?;
    if count >= MOST_PROVIDERS {
        return Err(Error::TooMany(Kind::Provider));
    }
    objects::create_provider(tx, act, own_hand(account), name, description, metadata).await?;
    Ok(())
}

/// What is to be different about a SAML provider.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProviderChange<'a> {
    /// Another remark.
    pub description: Option<&'a str>,
    /// Other metadata.
    pub metadata: Option<&'a str>,
}

async fn changeable(tx: &mut Read, account: Uin, name: &str) -> Result<Provider, Error> {
    let found = provider(tx, account, name).await?;
    if found.managed_by.is_some() { Err(Error::Locked(Kind::Provider)) } else { Ok(found) }
}

/// Changes a SAML provider of the account's own.
pub async fn update_provider(
    tx: &mut Write,
    act: &Act,
    account: Uin,
    name: &str,
    change: ProviderChange<'_>,
) -> Result<(), Error> {
    if let Some(metadata) = change.metadata {
        check_metadata(metadata, act.now)?;
    }
    hold(tx, account).await?;
    let found = changeable(tx, account, name).await?;
    if let Some(metadata) = change.metadata {
        objects::update_provider(tx, act, own_hand(account), name, metadata).await?;
    }
    if let Some(description) = change.description.filter(|text| *text != found.description) {
        check_description(description)?;
        sql("UPDATE cloud_saml_providers SET description = $1, updated_at = $2
             WHERE account_uin = $3 AND name = $4")
        .bind(description)
        .bind(act.now)
        .bind(account)
        .bind(name)
        .execute(tx)
        .await?;
        let state = |text: &str| serde_json::json!({ "description": text });
        let states = [state(&found.description), state(description)];
        let hand = own_hand(account);
        record(tx, act, hand, "saml_provider.update", "saml_provider", name, states).await?;
    }
    Ok(())
}

/// Deletes a SAML provider of the account's own: nobody enters on its word any more.
pub async fn delete_provider(
    tx: &mut Write,
    act: &Act,
    account: Uin,
    name: &str,
) -> Result<(), Error> {
    hold(tx, account).await?;
    changeable(tx, account, name).await?;
    objects::delete_provider(tx, act, own_hand(account), name).await?;
    Ok(())
}
